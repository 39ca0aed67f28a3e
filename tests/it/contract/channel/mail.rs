//! Frames that can be told apart, and what a mailbox has of them.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use miyu::channel::{ChannelLayer, EntryRole, Frame, GroupId, Mailbox, Membership, Received};
use miyu::domain::id::{RoomId, Seq, Side};
use miyu::protocol::server::EntryTexts;

/// A group without members.
pub(super) fn fresh_group() -> GroupId {
    GroupId::Room(RoomId::fresh())
}

/// A frame that can be told from others.
pub(super) fn numbered(n: u64) -> Frame {
    Frame::Read {
        side: Side::A,
        seq: Seq(n),
    }
}

/// An entry of so many bytes.
pub(super) fn saying(seq: u64, bytes: usize) -> Frame {
    Frame::Entry {
        seq: Seq(seq),
        by: Side::A,
        role: EntryRole::Word,
        texts: EntryTexts::same("x".repeat(bytes).into()),
    }
}

/// Which one it is.
pub(super) fn number(frame: &Frame) -> u64 {
    match frame {
        Frame::Read { seq, .. } => seq.0,
        other => panic!("not one of ours: {other:?}"),
    }
}

/// What happens next, or nothing.
pub(super) fn poll(mailbox: &mut Mailbox) -> Option<Received> {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match mailbox.poll_recv(&mut cx) {
        Poll::Ready(received) => Some(received),
        Poll::Pending => None,
    }
}

/// A mailbox that hears this group for as long as the membership lives.
pub(super) async fn member(layer: &Arc<dyn ChannelLayer>, group: GroupId) -> (Membership, Mailbox) {
    let (outbox, mailbox) = layer.open();
    (layer.join(group, &outbox).await, mailbox)
}

/// What comes next.
pub(super) async fn next(mailbox: &mut Mailbox) -> Received {
    tokio::time::timeout(Duration::from_secs(10), mailbox.recv())
        .await
        .expect("a frame in time")
}

/// Which frame comes next.
pub(super) async fn next_number(mailbox: &mut Mailbox) -> u64 {
    match next(mailbox).await {
        Received::Frame(frame) => number(&frame),
        Received::Lagged => panic!("lagged instead of a frame"),
    }
}
