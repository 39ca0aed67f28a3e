//! A connection's mailbox: a bounded ring that allocates on first use and never makes a sender wait.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::hub::Hub;
use super::{SendError, SharedFrame};
use crate::id::Address;

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
    fn push(&mut self, frame: SharedFrame) -> bool {
        let bytes = self.bytes.saturating_add(frame.text_bytes());
        let fits = self.frames.len() < self.capacity as usize
            && (self.frames.is_empty() || bytes <= BYTES);
        if fits {
            self.bytes = bytes;
            self.frames.push_back(frame);
        }
        fits
    }

    fn pop(&mut self) -> Option<SharedFrame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.text_bytes();
        Some(frame)
    }
}

/// What both ends share.
#[derive(Debug)]
struct Shared {
    address: Address,
    ring: Mutex<Ring>,
}

/// The writing end; cheap to clone, and small: every table of mailboxes holds one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

/// The reading end; there is one. Dropping it closes the mailbox.
pub struct Mailbox {
    shared: Arc<Shared>,
    hub: Weak<Hub>,
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
    let shared = Arc::new(Shared { address, ring });
    let mailbox = Mailbox {
        shared: Arc::clone(&shared),
        hub,
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
        let fits = ring.push(frame);
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
        if let Some(frame) = ring.pop() {
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
    pub async fn recv(&mut self) -> Received {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// What is there already, without waiting.
    pub fn try_recv(&mut self) -> Option<SharedFrame> {
        self.shared.ring.lock().pop()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        {
            let mut ring = self.shared.ring.lock();
            ring.open = false;
            ring.frames = VecDeque::new();
            ring.waker = None;
        }
        if let Some(hub) = self.hub.upgrade() {
            hub.forget(self.shared.address);
        }
    }
}
