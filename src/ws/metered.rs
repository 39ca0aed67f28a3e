//! Counts what a client sends before a message of it is complete. The WebSocket library bounds a
//! message's content but not how many fragments it comes in, and shows us whole messages only.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that fails when more than an allowance is read from it at a stretch.
#[derive(Debug)]
pub struct Metered<S> {
    inner: S,
    read: usize,
    allowance: usize,
}

impl<S> Metered<S> {
    /// Lets `allowance` bytes through until [`Metered::settle`] or [`Metered::credit`].
    pub fn new(inner: S, allowance: usize) -> Self {
        Self {
            inner,
            read: 0,
            allowance,
        }
    }

    /// A message is complete: begins anew.
    pub fn settle(&mut self) {
        self.read = 0;
    }

    /// These bytes were no part of a message.
    pub fn credit(&mut self, bytes: usize) {
        self.read = self.read.saturating_sub(bytes);
    }

    /// Bytes of a message that is not complete.
    pub fn read(&self) -> usize {
        self.read
    }

    /// The stream below.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The stream below, to write to.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// It failed for this reason.
    pub fn exhausted(&self) -> bool {
        self.read > self.allowance
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.exhausted() {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.read += buf.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
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
    async fn more_than_the_allowance_at_a_stretch_fails() {
        let mut stream = Metered::new([7_u8; 100].as_slice(), 20);
        let mut buffer = [0; 10];
        for _ in 0..2 {
            stream.read_exact(&mut buffer).await.unwrap();
        }
        stream.settle();
        for _ in 0..2 {
            stream.read_exact(&mut buffer).await.unwrap();
        }
        stream.credit(5);
        stream.read_exact(&mut buffer).await.unwrap();
        assert!(stream.exhausted());
        stream.read_exact(&mut buffer).await.unwrap_err();
    }
}
