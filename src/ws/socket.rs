//! A WebSocket as the loop needs it: text in, batches of text out with a deadline, closed properly.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_tungstenite::WebSocketStream;
use hyper_tungstenite::tungstenite::protocol::frame::FrameHeader;
use hyper_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use hyper_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use hyper_tungstenite::tungstenite::{Error, Message};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite as _, AsyncWriteExt as _};

use super::buffered::Buffered;
use super::metered::Metered;
use super::write_batch::{BatchFrames, WriteBatch};
use crate::admission::memory_budget::{MemoryAccount, Reservation};
use crate::config::Limits;
use crate::protocol::{CloseReason, Text};
use crate::transport::paced::Paced;

/// Read buffer of a socket: most frames are smaller, larger ones grow it for a while.
const READ_BUFFER: usize = 256;
/// Most bytes of pongs that wait, for a client that asks and does not read. What else we write the library does
/// not see, for what it keeps room for once it keeps room for as long as the connection.
const PONGS: usize = 4096;
/// A text frame, whole and not masked: as a server's are.
const TEXT: FrameHeader = FrameHeader {
    is_final: true,
    rsv1: false,
    rsv2: false,
    rsv3: false,
    opcode: OpCode::Data(Data::Text),
    mask: None,
};
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
    /// For a message that is not complete.
    partial: Option<Box<Reservation>>,
}

/// Small buffers and the configured bounds. tungstenite's defaults cost 131 kB a socket.
pub fn websocket_config(limits: &Limits) -> WebSocketConfig {
    let max_frame = usize::try_from(limits.max_frame).unwrap_or(usize::MAX);
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(PONGS)
        .max_message_size(Some(max_frame))
        .max_frame_size(Some(max_frame))
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
            partial: None,
        })
    }

    /// The next frame. Cancel safe. What has come of a long one is held in this account; when that is
    /// used up, the connection is to come back later.
    pub fn recv<'a>(
        &'a mut self,
        account: MemoryAccount<'a>,
    ) -> impl Future<Output = Incoming> + 'a {
        poll_fn(move |cx| self.poll_recv(account, cx))
    }

    fn poll_recv(&mut self, account: MemoryAccount<'_>, cx: &mut Context<'_>) -> Poll<Incoming> {
        let Poll::Ready(next) = self.stream.poll_next_unpin(cx) else {
            // Counted by what was read: memory that the library keeps ready for the rest of a frame is not
            // there yet, as long as nothing was written to it.
            let read = self.stream.get_ref().read();
            return match account.cover(&mut self.partial, read) {
                Ok(()) => Poll::Pending,
                Err(_) => Poll::Ready(Incoming::Unacceptable(CloseReason::GoingAway)),
            };
        };
        self.meter(next.as_ref());
        Poll::Ready(self.incoming(next))
    }

    fn incoming(&self, next: Option<Result<Message, Error>>) -> Incoming {
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
    pub fn write<'a>(
        &'a mut self,
        batch: WriteBatch,
        account: MemoryAccount<'a>,
    ) -> impl Future<Output = Result<(), CloseReason>> + 'a {
        let mut frames = batch.into_iter();
        let mut held = None;
        poll_fn(move |cx| {
            let polled = self.poll_write(&mut frames, cx);
            // The kernel nearly always takes all of it at once.
            if polled.is_pending() && held.is_none() {
                let waits = frames.bytes() + self.stream.get_ref().inner().waiting();
                if account.cover(&mut held, waits).is_err() {
                    return Poll::Ready(Err(CloseReason::TooSlow));
                }
            }
            polled.map(finished)
        })
    }

    fn poll_write(
        &mut self,
        frames: &mut BatchFrames,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        // A pong of the library's that the kernel would not take comes first: ours must not begin within it.
        ready!(self.stream.poll_flush_unpin(cx))?;
        let buffered = self.stream.get_mut().inner_mut();
        loop {
            ready!(buffered.poll_room(cx))?;
            let Some(text) = frames.next() else {
                return Pin::new(buffered).poll_flush(cx).map_err(Error::Io);
            };
            let waiting = buffered.append();
            TEXT.format(text.len() as u64, waiting)?;
            waiting.extend_from_slice(text.as_bytes());
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::net::TcpStream;

    use super::*;
    use crate::admission::memory_budget::{Class, MemoryBudget};

    const FRAMES: usize = 500;
    const LONG: usize = 20_000;

    async fn pair() -> (Socket, WebSocketStream<TcpStream>) {
        let listener = crate::http::accept::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let paced = Paced::new(accepted.unwrap().0, Duration::from_secs(60));
        let metered = Metered::new(Buffered::new(paced), usize::MAX);
        let config = Some(websocket_config(&Limits::default()));
        let stream = WebSocketStream::from_raw_socket(metered, Role::Server, config).await;
        let partial = None;
        let client = WebSocketStream::from_raw_socket(client.unwrap(), Role::Client, None).await;
        (Socket { stream, partial }, client)
    }

    /// More than the kernel takes for a client that asks all the time, and reads late.
    #[tokio::test]
    async fn frames_are_whole_and_in_order_between_the_answers_to_pings() {
        let (mut socket, mut client) = pair().await;
        let budget = MemoryBudget::new(1 << 30);
        let account = MemoryAccount {
            budget: &budget,
            address: [192, 0, 2, 1].into(),
            class: Class::InRoom,
        };
        let text = |n: usize| format!("{n} {}", "x".repeat(n * 7919 % LONG));
        let says = async move {
            for n in 0..FRAMES {
                let mut batch = WriteBatch::from(Text::from(text(n)));
                batch.frame(Text::from("short"));
                socket.write(batch, account).await.unwrap();
                while socket.recv(account).now_or_never().is_some() {}
            }
            socket.close(CloseReason::GoingAway).await;
        };
        let hears = async {
            let (mut heard, mut answers) = (Vec::new(), 0);
            for _ in 0..FRAMES {
                let asked = client.feed(Message::Ping(vec![7; 100].into())).await;
                asked.unwrap();
            }
            client.flush().await.unwrap();
            while let Some(Ok(message)) = client.next().await {
                match message {
                    Message::Text(text) => heard.push(text),
                    Message::Pong(content) => answers += usize::from(content.len() == 100),
                    _ => {}
                }
            }
            (heard, answers)
        };
        let ((), (heard, answers)) = tokio::join!(says, hears);
        assert_eq!(heard.len(), 2 * FRAMES);
        for (n, pair) in heard.chunks(2).enumerate() {
            assert_eq!(
                (pair[0].as_str(), pair[1].as_str()),
                (text(n).as_str(), "short")
            );
        }
        assert!(answers > 0);
    }
}
