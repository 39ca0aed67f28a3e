//! A WebSocket as the loop needs it: text in, batches of text out with a deadline, closed properly.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_tungstenite::WebSocketStream;
use hyper_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use hyper_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use hyper_tungstenite::tungstenite::{Error, Message};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

use super::buffered::Buffered;
use super::metered::Metered;
use super::write_batch::{BatchFrames, WriteBatch};
use crate::admission::memory_budget::{MemoryAccount, Reservation};
use crate::config::Limits;
use crate::protocol::{CloseReason, Text};
use crate::transport::paced::Paced;

/// Read buffer of a socket: most frames are smaller, larger ones grow it for a while.
const READ_BUFFER: usize = 256;
/// Write buffer of a socket: above this, frames are handed on before the batch is complete.
const WRITE_BUFFER: usize = 512;
/// What a frame of ours may have around the contents.
const FRAME_AROUND: usize = 4096;
/// A control frame of a client without its content: two bytes and the mask.
const CONTROL_HEAD: usize = 6;
/// How long a close handshake may take before the connection is simply dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What arrived.
#[derive(Debug)]
pub enum Incoming {
    /// A text frame.
    Text(Text),
    /// A binary frame; no part of the protocol is one.
    Binary,
    /// A ping (answered already) or pong.
    Control,
    /// Larger than allowed, or not UTF-8, or no WebSocket frame at all: close like this.
    Unacceptable(CloseReason),
    /// The other end closed, or the connection broke.
    Gone,
}

/// One socket, whole, in one task.
pub struct Socket {
    stream: WebSocketStream<Metered<Buffered<Paced>>>,
    max_write_buffer: usize,
    /// For a message that is not complete.
    partial: Option<Box<Reservation>>,
}

/// Small buffers and the configured bounds. tungstenite's defaults cost 131 kB a socket.
pub fn websocket_config(limits: &Limits) -> WebSocketConfig {
    let max_frame = usize::try_from(limits.max_frame).unwrap_or(usize::MAX);
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(max_write_buffer(limits))
        .max_message_size(Some(max_frame))
        .max_frame_size(Some(max_frame))
}

/// One answer may be several times a frame: a quote beside a content, each escaped.
fn max_write_buffer(limits: &Limits) -> usize {
    let max_frame = usize::try_from(limits.max_frame).unwrap_or(usize::MAX);
    FRAME_AROUND + max_frame.saturating_mul(4)
}

impl Socket {
    /// Wraps a connection that was upgraded just now; `None` for one that is no TCP connection. What
    /// HTTP needed of it is left behind.
    pub async fn new(stream: WebSocketStream<TokioIo<Upgraded>>, limits: &Limits) -> Option<Self> {
        let upgraded = stream.into_inner().into_inner();
        let parts = upgraded.downcast::<TokioIo<Paced>>().ok()?;
        // Twice the largest message leaves room for any honest way to cut it into fragments.
        let allowance = usize::try_from(limits.max_frame).unwrap_or(usize::MAX);
        let metered = Metered::new(
            Buffered::new(parts.io.into_inner().upgraded()),
            allowance.saturating_mul(2).saturating_add(READ_BUFFER),
        );
        // Copied (nearly always it is empty): taken over, HTTP's buffer of 8 KiB would be kept for ever.
        let (read, config) = (parts.read_buf.to_vec(), Some(websocket_config(limits)));
        let stream = WebSocketStream::from_partially_read(metered, read, Role::Server, config);
        Some(Self {
            stream: stream.await,
            max_write_buffer: max_write_buffer(limits),
            partial: None,
        })
    }

    /// The next frame. Cancel safe. What has come of a long one is held in this account; when that is
    /// used up, the connection is to come back later.
    pub async fn recv(&mut self, account: MemoryAccount<'_>) -> Incoming {
        let next = poll_fn(|cx| {
            let polled = self.stream.poll_next_unpin(cx).map(Some);
            // Counted by what was read: memory that the library keeps ready for the rest of a frame is not
            // there yet, as long as nothing was written to it.
            let read = self.stream.get_ref().read();
            match polled.is_pending() && account.cover(&mut self.partial, read).is_err() {
                true => Poll::Ready(None),
                false => polled,
            }
        });
        let Some(next) = next.await else {
            return Incoming::Unacceptable(CloseReason::GoingAway);
        };
        self.meter(next.as_ref());
        match next {
            Some(Ok(Message::Text(text))) => Incoming::Text(text),
            Some(Ok(Message::Binary(_))) => Incoming::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Incoming::Control,
            Some(Ok(Message::Close(_))) | None => Incoming::Gone,
            Some(Err(error)) => match error {
                Error::Capacity(_) => Incoming::Unacceptable(CloseReason::TooLarge),
                // Fragment after fragment, and no end.
                Error::Io(_) if self.stream.get_ref().exhausted() => {
                    Incoming::Unacceptable(CloseReason::Policy)
                }
                // Answers to pings are written while reading.
                error if is_too_slow(&error) => Incoming::Unacceptable(CloseReason::TooSlow),
                Error::Utf8(_) => Incoming::Unacceptable(CloseReason::Policy),
                // A reset is how most connections end.
                Error::Protocol(hyper_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => Incoming::Gone,
                Error::Protocol(_) => Incoming::Unacceptable(CloseReason::Policy),
                _ => Incoming::Gone,
            },
        }
    }

    fn meter(&mut self, next: Option<&Result<Message, Error>>) {
        match next {
            Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                self.stream.get_mut().settle();
                self.partial = None;
            }
            // Control frames may come between fragments.
            Some(Ok(Message::Ping(content) | Message::Pong(content))) => {
                self.stream.get_mut().credit(CONTROL_HEAD + content.len());
            }
            _ => {}
        }
    }

    /// Writes everything and hands it to the kernel. Frames are made as the kernel takes those before them.
    ///
    /// # Errors
    /// `TooSlow` when the other end does not take it in time (see [`Paced`]), or takes it slowly while its
    /// account is used up; `Normal` when the connection is broken.
    pub async fn write(
        &mut self,
        batch: WriteBatch,
        account: MemoryAccount<'_>,
    ) -> Result<(), CloseReason> {
        let mut frames = batch.into_iter();
        let mut held = None;
        let writing = poll_fn(|cx| {
            let polled = self.poll_write(&mut frames, cx);
            // The kernel nearly always takes all of it at once.
            if polled.is_pending() && held.is_none() {
                let waits = frames.bytes() + self.stream.get_ref().inner().waiting();
                if account.cover(&mut held, waits).is_err() {
                    return Poll::Ready(Err(CloseReason::TooSlow));
                }
            }
            polled.map(finished)
        });
        writing.await
    }

    fn poll_write(
        &mut self,
        frames: &mut BatchFrames,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.stream.poll_ready_unpin(cx))?;
            let Some(text) = frames.next() else {
                return self.stream.poll_flush_unpin(cx);
            };
            // One frame above the bound would be refused by the buffer; nothing we encode is.
            let limit = self.max_write_buffer;
            debug_assert!(text.len() < limit, "a frame larger than the write buffer");
            self.stream.start_send_unpin(Message::Text(text))?;
        }
    }

    /// Asks whether the other end is there.
    ///
    /// # Errors
    /// As [`Socket::write`].
    pub async fn ping(&mut self) -> Result<(), CloseReason> {
        // Rare, and large: boxed, so that the task need not have room for it all the time.
        finished(Box::pin(self.stream.send(Message::Ping(Default::default()))).await)
    }

    /// Says goodbye and waits a moment for the answer.
    pub async fn close(&mut self, reason: CloseReason) {
        let frame = CloseFrame {
            code: CloseCode::from(reason.code()),
            reason: reason.text().into(),
        };
        let goodbye = async {
            // Refused when the other end said goodbye first: then reading on sends the answer to that.
            let _ = self.stream.close(Some(frame)).await;
            while let Some(Ok(_)) = self.stream.next().await {}
            // That answer is written without being flushed.
            let _ = self.stream.get_mut().flush().await;
        };
        // A client that does not answer is gone: dropping the stream closes the connection.
        let _ = Box::pin(tokio::time::timeout(CLOSE_TIMEOUT, goodbye)).await;
    }
}

fn finished(done: Result<(), Error>) -> Result<(), CloseReason> {
    done.map_err(|error| match is_too_slow(&error) {
        true => CloseReason::TooSlow,
        false => CloseReason::Normal,
    })
}

/// How [`Paced`] fails.
fn is_too_slow(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut)
}
