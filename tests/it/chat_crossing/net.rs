//! A channel layer that delivers nothing by itself.

use std::pin::Pin;
use std::sync::Arc;

use miyu::channel::{
    ChannelLayer, Counts, Frame, GroupId, Joining, Mailbox, Outbox, SendError, Status,
};
use miyu::domain::id::Address;
use parking_lot::Mutex;
use tokio::sync::watch;

/// Remembers what is published; the history decides who hears it, and when.
#[derive(Default)]
pub(super) struct Net(pub(super) Mutex<Vec<Arc<Frame>>>);

impl ChannelLayer for Net {
    fn open(&self) -> (Outbox, Mailbox) {
        unreachable!("the history opens no mailbox")
    }
    fn send(&self, _: &Address, _: Frame) -> Result<(), SendError> {
        Err(SendError::Gone)
    }
    fn join<'a>(&'a self, _: GroupId, _: &'a Outbox) -> Joining<'a> {
        unreachable!("the history joins no group")
    }
    fn publish(&self, _: GroupId, frame: Frame) {
        self.0.lock().push(Arc::new(frame));
    }
    fn publish_here(&self, group: GroupId, frame: Frame) {
        self.publish(group, frame);
    }
    fn unreliable_groups(&self) -> Vec<GroupId> {
        Vec::new()
    }
    fn possible_gaps(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }
    fn online(&self, here: u64) -> u64 {
        here
    }
    fn counts(&self) -> Counts {
        Counts::default()
    }
    fn status(&self) -> Status {
        Status::Live
    }
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}
