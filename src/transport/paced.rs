//! A connection that must take what it is sent. The kernel nearly always takes it at once; one that makes us wait is
//! given time, and more of it for each byte that it takes, whether HTTP or a WebSocket is spoken.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::transport::turns::Turns;

/// Bytes a second that a connection must take on average, while we wait for it.
const LEAST: u64 = 2048;

/// A TCP connection whose writes fail with [`io::ErrorKind::TimedOut`] when the other end takes nothing for as long as
/// its timeout is, or when it keeps us waiting for longer than that and a second for each 2 KiB that it took. Then
/// dropping it ends it at once: the kernel forgets what it still holds.
///
/// Reading is not affected, and a connection that never makes us wait costs nothing but the place of a pointer.
#[derive(Debug)]
pub struct Paced {
    inner: TcpStream,
    timeout: Duration,
    slow: Option<Box<Slow>>,
    /// While HTTP is spoken.
    turns: Option<Turns>,
}

/// Kept for a connection that has made us wait.
#[derive(Debug)]
struct Slow {
    progress: WriteProgress,
    timer: Pin<Box<Sleep>>,
    /// It failed since it last took something.
    failed: bool,
}

impl Paced {
    /// With this timeout.
    pub fn new(inner: TcpStream, timeout: Duration) -> Self {
        Self {
            inner,
            timeout,
            slow: None,
            turns: None,
        }
    }

    /// Tells these turns what comes and what is taken.
    pub fn telling(mut self, turns: Turns) -> Self {
        self.turns = Some(turns);
        self
    }

    /// HTTP is over: there are no turns any more.
    pub fn upgraded(mut self) -> Self {
        self.turns = None;
        self
    }

    fn after<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        match &written {
            Poll::Pending => return self.wait(cx),
            Poll::Ready(Ok(done)) => {
                let bytes = bytes(done);
                if let Some(turns) = self.turns.as_ref().filter(|_| bytes > 0) {
                    turns.took();
                }
                if let Some(slow) = &mut self.slow {
                    slow.failed &= bytes == 0;
                    if slow.progress.taken(bytes, Instant::now()) {
                        self.slow = None;
                    }
                }
            }
            Poll::Ready(Err(_)) => {}
        }
        written
    }

    /// The kernel has no room: until when this may last.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let timeout = self.timeout;
        let slow = self.slow.get_or_insert_with(|| {
            Box::new(Slow {
                progress: WriteProgress::new(timeout),
                timer: Box::pin(tokio::time::sleep(timeout)),
                failed: false,
            })
        });
        if let Some(deadline) = slow.progress.waits(Instant::now()) {
            slow.timer.as_mut().reset(deadline.into());
        }
        ready!(slow.timer.as_mut().poll(cx));
        // A goodbye may be tried still: it is given time of its own.
        slow.progress = WriteProgress::new(timeout);
        slow.failed = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Paced {
    /// Closed as usual, a connection would have what it did not take kept for it, for minutes.
    fn drop(&mut self) {
        let is_behind = |slow: &Slow| slow.failed || slow.progress.is_waiting();
        if self.slow.as_deref().is_some_and(is_behind) {
            let _ = self.inner.set_zero_linger();
        }
    }
}

/// What a connection that has made us wait took, and how long that took.
#[derive(Debug)]
struct WriteProgress {
    timeout: Duration,
    /// Since when we wait.
    since: Option<Instant>,
    /// Until when we waited last.
    until: Option<Instant>,
    waited: Duration,
    taken: u64,
}

impl WriteProgress {
    fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            since: None,
            until: None,
            waited: Duration::ZERO,
            taken: 0,
        }
    }

    fn is_waiting(&self) -> bool {
        self.since.is_some()
    }

    /// We wait from now on; answers until when at most. `None`: we did already.
    fn waits(&mut self, now: Instant) -> Option<Instant> {
        if self.since.is_some() {
            return None;
        }
        self.since = Some(now);
        let earned = Duration::from_millis(self.taken.saturating_mul(1000) / LEAST);
        let left = (self.timeout + earned).saturating_sub(self.waited);
        Some(now + left.min(self.timeout))
    }

    /// So many bytes were taken. True: it has kept up for so long that the rest is forgotten.
    fn taken(&mut self, bytes: usize, now: Instant) -> bool {
        self.taken = self.taken.saturating_add(bytes as u64);
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_duration_since(since);
            self.until = Some(now);
        }
        self.until
            .is_some_and(|until| now.saturating_duration_since(until) > self.timeout)
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Some(turns) = self.turns.as_ref().filter(|_| buf.filled().len() > before) {
            turns.came();
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.after(written, |count| *count, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.after(written, |count| *count, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.after(flushed, |()| 0, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// How long a connection is borne that takes so much each time, after having made us wait for so long.
    fn borne(bytes: usize, each: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let mut progress = WriteProgress::new(PATIENCE);
        let mut now = begun;
        for _ in 0..1000 {
            let deadline = progress.waits(now).unwrap();
            now += each;
            if now > deadline {
                return Some(deadline - begun);
            }
            assert!(!progress.taken(bytes, now));
        }
        None
    }

    #[test]
    fn nothing_taken_ends_it_when_patience_ends() {
        assert_eq!(borne(1 << 20, PATIENCE * 2), Some(PATIENCE));
    }

    #[test]
    fn a_byte_now_and_then_buys_no_time() {
        let ended = borne(1, Duration::from_secs(9)).unwrap();
        assert!(ended < PATIENCE + Duration::from_secs(1), "{ended:?}");
    }

    #[test]
    fn a_steady_reader_is_waited_for() {
        assert_eq!(borne(2048, Duration::from_secs(1)), None);
        let ended = borne(1024, Duration::from_secs(1)).unwrap();
        assert!(ended < PATIENCE * 3, "{ended:?}");
    }

    #[test]
    fn what_was_taken_buys_time_but_never_more_than_patience_at_once() {
        let begun = Instant::now();
        let mut progress = WriteProgress::new(PATIENCE);
        progress.waits(begun);
        progress.taken(1 << 20, begun);
        assert_eq!(progress.waits(begun), Some(begun + PATIENCE));
        assert_eq!(
            progress.waits(begun),
            None,
            "the deadline moved without progress"
        );
    }

    /// A connection that has been sent more than the kernel holds, and the other end of it.
    async fn full(timeout: Duration) -> (Paced, TcpStream) {
        let listener = crate::http::accept::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let mut paced = Paced::new(accepted.unwrap().0, timeout);
        let failed = async {
            loop {
                if let Err(error) = paced.write_all(&[7; 4096]).await {
                    break error;
                }
            }
        };
        assert_eq!(failed.await.kind(), io::ErrorKind::TimedOut);
        (paced, client.unwrap())
    }

    #[tokio::test]
    async fn what_no_reader_takes_fails_and_the_kernel_forgets_it() {
        let (paced, mut client) = full(Duration::from_millis(50)).await;
        drop(paced);
        let mut got = Vec::new();
        let read = client.read_to_end(&mut got).await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn it_may_say_goodbye_to_an_end_that_reads_again() {
        let (mut paced, mut client) = full(Duration::from_millis(50)).await;
        paced.timeout = Duration::from_secs(60);
        let mut got = Vec::new();
        let (written, read) = tokio::join!(
            async {
                paced.write_all(b"goodbye").await?;
                paced.shutdown().await?;
                drop(paced);
                Ok::<_, io::Error>(())
            },
            client.read_to_end(&mut got)
        );
        written.unwrap();
        read.unwrap();
        assert!(got.ends_with(b"goodbye"));
    }

    #[test]
    fn who_keeps_up_again_is_forgotten() {
        let begun = Instant::now();
        let mut progress = WriteProgress::new(PATIENCE);
        progress.waits(begun);
        assert!(!progress.taken(1, begun + PATIENCE / 2));
        assert!(!progress.taken(1, begun + PATIENCE));
        assert!(progress.taken(1, begun + PATIENCE * 2));
    }
}
