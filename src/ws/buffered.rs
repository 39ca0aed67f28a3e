//! Few calls to the kernel, and no memory of a connection between them. The WebSocket library keeps its
//! buffers for as long as the connection, so they are small: what many frames need at once is gathered
//! here, in memory that goes back to the thread with them.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most that one call to the kernel reads.
const SCRATCH: usize = 8 * 1024;
/// Most that waits to be written by one.
const BEHIND: usize = 32 * 1024;

thread_local! {
    /// One a thread, not one a connection: no task waits while it is in use.
    static SCRATCH_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
    /// Where the next one gathers what it says: grown already, by those before.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A stream that is read ahead of what is asked for, and written when it is flushed.
#[derive(Debug)]
pub struct Buffered<S> {
    inner: S,
    /// Nearly always nothing.
    ahead: Option<Box<ReadAhead>>,
    /// Said and not handed to the kernel yet.
    behind: Vec<u8>,
}

/// Read and not asked for yet, from `taken` on.
#[derive(Debug)]
struct ReadAhead {
    read: Vec<u8>,
    taken: usize,
}

impl<S> Buffered<S> {
    /// Nothing waits yet.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            ahead: None,
            behind: Vec::new(),
        }
    }

    /// Bytes that wait to be written.
    pub fn waiting(&self) -> usize {
        self.behind.len()
    }

    /// What waits to be written, to be added to.
    pub fn append(&mut self) -> &mut Vec<u8> {
        if self.behind.capacity() == 0 {
            self.behind = SPARE.take();
        }
        &mut self.behind
    }

    /// Gives what was read before; false when there is nothing.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let Some(ahead) = self.ahead.as_mut() else {
            return false;
        };
        let rest = &ahead.read[ahead.taken..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        ahead.taken += count;
        if ahead.taken == ahead.read.len() {
            self.ahead = None;
        }
        true
    }
}

impl<S: AsyncWrite + Unpin> Buffered<S> {
    /// Makes room for something that is added whole, however large it is: less than [`BEHIND`] waits.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.behind.len() < BEHIND {
            true => Poll::Ready(Ok(())),
            false => self.poll_hand_over(cx),
        }
    }

    /// Hands everything to the kernel.
    fn poll_hand_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.behind.is_empty() {
            let Poll::Ready(count) = Pin::new(&mut self.inner).poll_write(cx, &self.behind)? else {
                // For a client that reads slowly it may be kept for long.
                self.behind.shrink_to_fit();
                return Poll::Pending;
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.behind.drain(..count);
        }
        if self.behind.capacity() > 0 {
            SPARE.set(std::mem::take(&mut self.behind));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Buffered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.give(buf) {
            return Poll::Ready(Ok(()));
        }
        SCRATCH_BUFFER.with_borrow_mut(|scratch| {
            let mut read = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut read))?;
            let read = read.filled();
            let (now, later) = read.split_at(read.len().min(buf.remaining()));
            buf.put_slice(now);
            if !later.is_empty() {
                let read = later.to_vec();
                self.ahead = Some(Box::new(ReadAhead { read, taken: 0 }));
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Buffered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.behind.len() + buf.len() > BEHIND {
            ready!(self.poll_hand_over(cx))?;
        }
        if buf.len() > BEHIND {
            return Pin::new(&mut self.inner).poll_write(cx, buf);
        }
        self.append().extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hand_over(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hand_over(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn bytes() -> Vec<u8> {
        (0..200_000_u32).map(|n| n.to_le_bytes()[1]).collect()
    }

    /// Counts calls; takes and gives so much at a time, and `room` in all.
    struct SocketGauge {
        calls: usize,
        most: usize,
        left: usize,
        room: usize,
        written: Vec<u8>,
    }

    impl SocketGauge {
        fn new(most: usize, left: usize) -> Self {
            Self {
                calls: 0,
                most,
                left,
                room: usize::MAX,
                written: Vec::new(),
            }
        }
    }

    impl AsyncRead for SocketGauge {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let count = self.left.min(buf.remaining()).min(self.most);
            buf.put_slice(&vec![7; count]);
            self.calls += 1;
            self.left -= count;
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for SocketGauge {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let count = buf.len().min(self.most).min(self.room);
            if count == 0 {
                return Poll::Pending;
            }
            self.written.extend_from_slice(&buf[..count]);
            self.calls += 1;
            self.room -= count;
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn everything_is_read_once_and_in_order() {
        let sent = bytes();
        let mut stream = Buffered::new(sent.as_slice());
        let (mut got, mut part) = (Vec::new(), [0; 500]);
        loop {
            let count = stream.read(&mut part).await.unwrap();
            if count == 0 {
                break;
            }
            got.extend_from_slice(&part[..count]);
        }
        assert_eq!(got, sent);
    }

    #[tokio::test]
    async fn one_call_reads_what_many_ask_for() {
        let mut stream = Buffered::new(SocketGauge::new(SCRATCH, 40));
        let mut part = [0; 10];
        for _ in 0..4 {
            stream.read_exact(&mut part).await.unwrap();
        }
        assert!(stream.ahead.is_none(), "kept after it was given");
        assert_eq!(stream.inner.calls, 1);
    }

    #[tokio::test]
    async fn one_call_writes_what_many_say_and_nothing_is_kept() {
        let mut stream = Buffered::new(SocketGauge::new(BEHIND, 0));
        for part in bytes()[..BEHIND].chunks(500) {
            stream.write_all(part).await.unwrap();
        }
        assert_eq!(stream.inner.calls, 0);
        stream.flush().await.unwrap();
        assert_eq!(stream.inner.calls, 1);
        assert_eq!(stream.inner.written, bytes()[..BEHIND]);
        assert_eq!(stream.behind.capacity(), 0, "kept after it was written");
    }

    #[tokio::test]
    async fn everything_is_written_once_and_in_order_by_a_kernel_that_takes_little() {
        for most in [1000, BEHIND] {
            let mut stream = Buffered::new(SocketGauge::new(most, 0));
            let said = bytes();
            // Pieces of every size, also larger than all that may wait.
            let (small, large) = said.split_at(BEHIND * 2 + 7);
            for part in small.chunks(4999) {
                stream.write_all(part).await.unwrap();
            }
            stream.write_all(large).await.unwrap();
            stream.shutdown().await.unwrap();
            assert_eq!(stream.inner.written, said);
        }
    }

    #[tokio::test]
    async fn what_one_could_not_write_waits_beside_what_others_do() {
        let said = bytes();
        let mut slow = Buffered::new(SocketGauge::new(BEHIND, 0));
        slow.inner.room = 1000;
        slow.write_all(&said[..9000]).await.unwrap();
        assert!(futures_util::poll!(slow.flush().boxed_local()).is_pending());
        assert_eq!(slow.behind.capacity(), 8000, "more is held than waits");

        let mut other = Buffered::new(SocketGauge::new(BEHIND, 0));
        for part in said[50_000..60_000].chunks(999) {
            other.write_all(part).await.unwrap();
        }
        slow.write_all(&said[9000..9500]).await.unwrap();
        other.flush().await.unwrap();
        slow.inner.room = usize::MAX;
        slow.flush().await.unwrap();
        assert_eq!(slow.inner.written, said[..9500]);
        assert_eq!(other.inner.written, said[50_000..60_000]);
    }

    #[tokio::test]
    async fn what_was_never_written_goes_with_its_connection() {
        let mut gone = Buffered::new(SocketGauge::new(BEHIND, 0));
        gone.inner.room = 0;
        gone.write_all(&bytes()[..700]).await.unwrap();
        assert!(futures_util::poll!(gone.flush().boxed_local()).is_pending());
        drop(gone);
        let mut next = Buffered::new(SocketGauge::new(BEHIND, 0));
        next.write_all(b"mine").await.unwrap();
        next.flush().await.unwrap();
        assert_eq!(next.inner.written, b"mine");
    }
}
