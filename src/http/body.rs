//! The body of an answer: whole, or a page of a log that is encoded while it is written.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use hyper::body::{Frame, SizeHint};

use crate::admission::memory_budget::Reservation;
use crate::protocol::Replay;
use crate::transport::turns::Answering;

/// Entries are encoded until they are so many bytes: few calls to the kernel, and little that waits for a
/// client that does not read.
const PIECE: usize = 8 * 1024;

/// A body.
pub struct ResponseBody {
    kind: BodyState,
    /// What is reserved for it: given back when its last piece has been taken.
    held: Option<Arc<Reservation>>,
    /// The turn that ends with it.
    answering: Option<Answering>,
}

#[derive(Debug)]
enum BodyState {
    /// Nothing, or nothing more.
    Done,
    Whole(Bytes),
    Page(Box<PageBody>),
}

/// `{"entries":[…],…}`: the entries wait as they are, and hyper asks for the next ones when it has room for them.
#[derive(Debug)]
struct PageBody {
    entries: Replay,
    /// How many of them are written.
    written: usize,
    /// What stands behind them.
    end: String,
}

impl ResponseBody {
    /// One that is in memory.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::of(match bytes.is_empty() {
            true => BodyState::Done,
            false => BodyState::Whole(bytes),
        })
    }

    fn of(kind: BodyState) -> Self {
        Self {
            kind,
            held: None,
            answering: None,
        }
    }

    /// Holds this until the client has taken the last of it.
    pub fn hold(&mut self, reservation: Reservation) {
        self.held = Some(Arc::new(reservation));
    }

    /// Ends this turn when hyper has taken the last of it.
    pub fn end(&mut self, answering: Answering) {
        self.answering = Some(answering);
    }

    /// A JSON object whose `entries` are these frames; `rest` is the text of its other members.
    pub fn page(entries: Replay, rest: &str) -> Self {
        Self::of(BodyState::Page(Box::new(PageBody {
            entries,
            written: 0,
            end: format!("],{rest}}}"),
        })))
    }
}

/// A piece of a body and what is reserved for all of it.
struct ReservedPiece {
    piece: Bytes,
    _reservation: Arc<Reservation>,
}

impl AsRef<[u8]> for ReservedPiece {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::of(BodyState::Done)
    }
}

impl PageBody {
    /// The next piece, and whether it is the last.
    fn next(&mut self) -> (Bytes, bool) {
        let mut piece = BytesMut::with_capacity(PIECE);
        if self.written == 0 {
            piece.put_slice(b"{\"entries\":[");
        }
        while piece.len() < PIECE {
            let Some(frame) = self.entries.next() else {
                piece.put_slice(self.end.as_bytes());
                return (piece.freeze(), true);
            };
            if self.written > 0 {
                piece.put_u8(b',');
            }
            self.written += 1;
            piece.put_slice(frame.as_bytes());
        }
        (piece.freeze(), false)
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let (piece, last) = match &mut self.kind {
            BodyState::Done => return Poll::Ready(None),
            BodyState::Whole(bytes) => (std::mem::take(bytes), true),
            BodyState::Page(page) => page.next(),
        };
        if last {
            self.kind = BodyState::Done;
        }
        // hyper lets go of a body before the kernel has taken its last pieces.
        let piece = match &self.held {
            Some(held) => Bytes::from_owner(ReservedPiece {
                piece,
                _reservation: Arc::clone(held),
            }),
            None => piece,
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.kind, BodyState::Done)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            BodyState::Done => SizeHint::with_exact(0),
            BodyState::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            BodyState::Page(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use hyper::body::Body as _;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::id::{RoomId, Seq, Side, Timestamp};
    use crate::domain::{Entry, EntryKind, Persona, Profile, UserId};
    use crate::protocol::Encoder;

    fn replay(count: u64, length: usize) -> Replay {
        let entries = (1..=count).map(|seq| Entry {
            seq: Seq(seq),
            at: Timestamp(0),
            kind: EntryKind::Message {
                side: Side::A,
                client_id: String::new(),
                content: Some("x".repeat(length)),
                reply: None,
            },
        });
        let personas = ["one", "two"].map(|name| Persona {
            user_id: UserId::parse(name).unwrap(),
            profile: Profile::parse(name, "1", "", ""),
        });
        let encoder = Encoder::new(TimeZone::UTC);
        Replay::new(
            encoder,
            RoomId::fresh(),
            personas,
            Side::A,
            entries.collect(),
        )
    }

    #[tokio::test]
    async fn a_page_comes_in_pieces_and_is_the_same_json() {
        for (count, length) in [(0, 0), (1, 0), (1, 20_000), (3, 1), (200, 100), (9, PIECE)] {
            let mut body = ResponseBody::page(replay(count, length), "\"last_seq\":7");
            let (mut text, mut pieces) = (Vec::new(), 0);
            assert_eq!(body.size_hint().exact(), None);
            while let Some(piece) = body.frame().await {
                let piece = piece.unwrap().into_data().unwrap();
                assert!(
                    piece.len() < PIECE + length + 400,
                    "one entry more than a piece"
                );
                text.extend_from_slice(&piece);
                pieces += 1;
            }
            assert!(body.is_end_stream());
            assert_eq!(pieces > 1, text.len() > PIECE);
            let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(json["last_seq"], 7);
            let seqs = json["entries"].as_array().unwrap().iter();
            let seqs: Vec<_> = seqs
                .map(|it| it["message"]["seq"].as_u64().unwrap())
                .collect();
            assert_eq!(seqs, (1..=count).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_body_in_memory_says_how_long_it_is() {
        assert!(ResponseBody::new("").is_end_stream());
        let body = ResponseBody::new("whole");
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "whole");
    }
}
