//! Takes what a client sent with as few calls to the kernel as there can be. The WebSocket library reads
//! into a small buffer, which every connection keeps; whoever sends many frames at once would need a
//! call for each few of them.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most that one call to the kernel takes.
const SCRATCH: usize = 16 * 1024;

thread_local! {
    /// One a thread, not one a connection: nobody waits while it is in use.
    static SCRATCH_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

/// A stream of which more may have been read than was asked for. Holds memory only while it does.
#[derive(Debug)]
pub struct ReadAhead<S> {
    inner: S,
    ahead: Box<[u8]>,
    taken: usize,
}

impl<S> ReadAhead<S> {
    /// Nothing is read yet.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            ahead: Box::default(),
            taken: 0,
        }
    }

    /// Gives what was read before; false when there is nothing.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let rest = &self.ahead[self.taken..];
        if rest.is_empty() {
            return false;
        }
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.taken += count;
        if self.taken == self.ahead.len() {
            (self.ahead, self.taken) = (Box::default(), 0);
        }
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
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
            let (now, later) = read
                .filled()
                .split_at(read.filled().len().min(buf.remaining()));
            buf.put_slice(now);
            self.ahead = later.into();
            Poll::Ready(Ok(()))
        })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn everything_comes_once_and_in_order() {
        let sent: Vec<u8> = (0..50_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut stream = ReadAhead::new(sent.as_slice());
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
        let mut inner = Counted { calls: 0, left: 40 };
        let mut stream = ReadAhead::new(&mut inner);
        let mut part = [0; 10];
        for _ in 0..4 {
            stream.read_exact(&mut part).await.unwrap();
        }
        assert!(stream.ahead.is_empty(), "kept after it was given");
        assert_eq!(inner.calls, 1);
    }

    struct Counted {
        calls: usize,
        left: usize,
    }

    impl AsyncRead for Counted {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let count = self.left.min(buf.remaining());
            buf.put_slice(&vec![7; count]);
            self.calls += 1;
            self.left -= count;
            Poll::Ready(Ok(()))
        }
    }
}
