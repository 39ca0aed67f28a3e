//! How far this side was sent the log and has read it, and what the store knows of that.

use crate::domain::id::Seq;
use crate::store::ReadState;

/// The two places of this side in the log.
#[derive(Debug)]
pub(super) struct Progress {
    /// The last entry that was handed to the kernel.
    sent: Seq,
    /// For clients that do not say where they are: up to where the store knows what was sent.
    saved: Option<Seq>,
    read: Seq,
}

impl Progress {
    /// Of a client that was sent the log up to here and has read it up to there. `saves`: it does not say
    /// where it is, so that the store is told.
    pub(super) fn new(sent: Seq, read: Seq, saves: bool) -> Self {
        Self {
            sent,
            saved: saves.then_some(sent),
            read,
        }
    }

    /// Whether the store is told where the client is, since the client does not say so.
    pub(super) fn is_saved(&self) -> bool {
        self.saved.is_some()
    }

    /// The log up to here was handed to the kernel. True: the store is to be told.
    pub(super) fn flushed(&mut self, upto: Seq) -> bool {
        self.sent = upto;
        // Another socket of a client that cannot say where it is goes on from here, also while
        // this one is open.
        let Some(saved) = self.saved.as_mut().filter(|saved| **saved < upto) else {
            return false;
        };
        *saved = upto;
        true
    }

    /// The client has read up to here. True: that is news.
    pub(super) fn has_read(&mut self, upto: Seq) -> bool {
        let news = upto > self.read;
        self.read = self.read.max(upto);
        news
    }

    /// What was read was another log, or that of the other side.
    pub(super) fn forget_read(&mut self) {
        self.read = Seq::ZERO;
    }

    /// The client is sent the whole log again.
    pub(super) fn start_anew(&mut self) {
        self.sent = Seq::ZERO;
    }

    /// As the store keeps it.
    pub(super) fn read_state(&self) -> ReadState {
        ReadState {
            cursor: self.sent,
            read: self.read,
        }
    }
}
