//! A connection's mailbox: a bounded ring that allocates on first use and never makes a sender wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::hub::Hub;
use super::{SendError, SharedFrame};
use crate::domain::id::Address;

/// What an owner finds in its mailbox.
#[derive(Clone, Debug)]
pub enum Received {
    /// A frame.
    Frame(SharedFrame),
    /// Frames were dropped since: look into the store.
    Lagged,
}

/// Most bytes of text that wait in a ring; a frame of any size fits into an empty one. Ordinary messages reach its
/// bound in frames first.
const BYTES: usize = 256 * 1024;
/// Bytes of text that each ring may hold, whatever the others hold.
pub const FREE: usize = 4 * 1024;
/// Bytes of text that all rings of a process may hold above [`FREE`] each.
pub const TOGETHER: usize = 32 * 1024 * 1024;

/// What all rings of a process hold above [`FREE`] each. An owner that keeps up nearly never gets there, so
/// that ordinary frames do not touch it.
#[derive(Debug, Default)]
pub(super) struct Together(AtomicUsize);

impl Together {
    /// Takes so many bytes, unless that would be too many.
    fn take(&self, bytes: usize) -> bool {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= TOGETHER;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What so many bytes of one ring take of those that all share.
fn above(bytes: usize) -> usize {
    bytes.saturating_sub(FREE)
}

/// Frames that an empty ring keeps room for: most frames come one by one.
const KEPT: usize = 4;

#[derive(Debug)]
struct Ring {
    frames: VecDeque<SharedFrame>,
    /// Of their texts.
    bytes: usize,
    capacity: u32,
    lagged: bool,
    open: bool,
    waker: Option<Waker>,
}

impl Ring {
    /// Takes the frame, if there is room for it.
    fn push(&mut self, frame: SharedFrame, hub: &Weak<Hub>) -> bool {
        let bytes = self.bytes.saturating_add(frame.text_bytes());
        let fits = self.frames.len() < self.capacity as usize
            && (self.frames.is_empty() || bytes <= BYTES)
            && self.settle(bytes, hub);
        if fits {
            self.frames.push_back(frame);
        }
        fits
    }

    fn pop(&mut self, hub: &Weak<Hub>) -> Option<SharedFrame> {
        let frame = self.frames.pop_front()?;
        self.settle(self.bytes - frame.text_bytes(), hub);
        Some(frame)
    }

    /// It holds so many bytes from now on; false, and no change, when all rings hold too much for that.
    fn settle(&mut self, bytes: usize, hub: &Weak<Hub>) -> bool {
        let (before, after) = (above(self.bytes), above(bytes));
        // The hub is gone when everything ends: then nothing has to be bounded any more.
        if before != after
            && let Some(hub) = hub.upgrade()
        {
            match after.checked_sub(before) {
                Some(more) if !hub.together().take(more) => return false,
                Some(_) => {}
                None => hub.together().give_back(before - after),
            }
        }
        self.bytes = bytes;
        true
    }
}

/// What both ends share.
#[derive(Debug)]
struct MailboxShared {
    address: Address,
    ring: Mutex<Ring>,
    hub: Weak<Hub>,
}

/// The writing end; cheap to clone, and small: every table of mailboxes holds one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<MailboxShared>);

/// The reading end; there is one. Dropping it closes the mailbox.
pub struct Mailbox {
    shared: Arc<MailboxShared>,
}

/// A new mailbox for at most `capacity` frames. The hub forgets it when the reading end is dropped.
pub(super) fn channel(address: Address, capacity: usize, hub: Weak<Hub>) -> (Outbox, Mailbox) {
    let ring = Mutex::new(Ring {
        frames: VecDeque::new(),
        bytes: 0,
        capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
        lagged: false,
        open: true,
        waker: None,
    });
    let shared = Arc::new(MailboxShared { address, ring, hub });
    let mailbox = Mailbox {
        shared: Arc::clone(&shared),
    };
    (Outbox(shared), mailbox)
}

impl Outbox {
    /// Where this leads.
    pub fn address(&self) -> Address {
        self.0.address
    }

    /// Puts a frame in and wakes the owner.
    ///
    /// # Errors
    /// `Full` after marking the owner lagged, `Gone` when the owner is no more.
    pub fn push(&self, frame: SharedFrame) -> Result<(), SendError> {
        let mut ring = self.0.ring.lock();
        if !ring.open {
            return Err(SendError::Gone);
        }
        let fits = ring.push(frame, &self.0.hub);
        ring.lagged |= !fits;
        let waker = ring.waker.take();
        drop(ring);
        if let Some(waker) = waker {
            waker.wake();
        }
        if fits { Ok(()) } else { Err(SendError::Full) }
    }
}

impl Mailbox {
    /// Where this is reached.
    pub fn address(&self) -> Address {
        self.shared.address
    }

    /// The next frame; after the last one that fitted, that others did not.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let mut ring = self.shared.ring.lock();
        if let Some(frame) = ring.pop(&self.shared.hub) {
            if ring.frames.is_empty() {
                // An idle connection holds next to no ring: most are idle most of the time.
                ring.frames.shrink_to(KEPT);
            }
            return Poll::Ready(Received::Frame(frame));
        }
        if std::mem::take(&mut ring.lagged) {
            return Poll::Ready(Received::Lagged);
        }
        match &mut ring.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits for [`Mailbox::poll_recv`]. Cancel safe.
    pub fn recv(&mut self) -> impl Future<Output = Received> {
        std::future::poll_fn(|cx| self.poll_recv(cx))
    }

    /// What is there already, without waiting.
    pub fn try_recv(&mut self) -> Option<SharedFrame> {
        self.shared.ring.lock().pop(&self.shared.hub)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        {
            let mut ring = self.shared.ring.lock();
            ring.open = false;
            ring.frames = VecDeque::new();
            ring.settle(0, &self.shared.hub);
            ring.waker = None;
        }
        if let Some(hub) = self.shared.hub.upgrade() {
            hub.forget(self.shared.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::EntryRole;
    use crate::channel::{Frame, GroupId, Membership};
    use crate::domain::id::{NodeId, RoomId, Seq, Side};
    use crate::protocol::server::EntryTexts;

    const LONG: usize = 100_000;

    fn entry(length: usize) -> SharedFrame {
        Arc::new(Frame::Entry {
            seq: Seq(1),
            by: Side::A,
            role: EntryRole::Word,
            texts: EntryTexts::same("x".repeat(length).into()),
        })
    }

    #[test]
    fn all_mailboxes_have_a_bound_together_and_small_frames_pass() {
        let hub = Hub::new(NodeId(1), 256);
        let group = GroupId::Room(RoomId::fresh());
        let member = || {
            let (outbox, mailbox) = hub.open();
            (mailbox, hub.join(group, &outbox))
        };
        let mut members: Vec<(Mailbox, Membership)> =
            (0..=TOGETHER / LONG).map(|_| member()).collect();
        for _ in 0..2 {
            hub.publish(group, entry(LONG));
        }
        let held = || hub.together().0.load(Ordering::Relaxed);
        assert!(held() <= TOGETHER && held() > TOGETHER - LONG);
        let lagged = |(mailbox, _): &(Mailbox, Membership)| mailbox.shared.ring.lock().lagged;
        assert!(members.iter().any(lagged));
        let (outbox, mut late) = hub.open();
        outbox.push(entry(100)).unwrap();
        assert!(late.try_recv().is_some());
        // What is read makes room, and so does a mailbox that goes with what it holds.
        let before = held();
        assert!(members[0].0.try_recv().is_some());
        assert!(held() < before);
        drop(members);
        assert_eq!(held(), 0);
    }
}
