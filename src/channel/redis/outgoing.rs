//! Frames on their way to one server: a bounded queue between publishers, who never wait, and the
//! link, which sends what is there in one go.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::channel::GroupId;
use crate::domain::id::NodeId;
use crate::telemetry;

/// Frames that may wait. A link that answers empties this many times a second.
const MOST_FRAMES: usize = 16_384;
/// Bytes that may wait.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Frames sent in one go.
const BATCH_FRAMES: usize = 512;
/// Bytes sent in one go, about.
const BATCH_BYTES: usize = 1024 * 1024;

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// To the members of this group, on all nodes.
    Room(GroupId),
    /// To one node.
    Node(NodeId),
    /// To every node.
    Nodes,
}

/// The queue of one link.
#[derive(Default)]
pub(super) struct OutgoingPackets {
    queue: Mutex<PacketQueue>,
    filled: Notify,
    lost: AtomicBool,
}

#[derive(Default)]
struct PacketQueue {
    open: bool,
    bytes: usize,
    packets: VecDeque<(To, Vec<u8>)>,
}

impl OutgoingPackets {
    /// Queues a packet without waiting. False: it was dropped, because there is no link or too much
    /// waits already.
    pub(super) fn offer(&self, to: To, packet: Vec<u8>) -> bool {
        let mut queue = self.queue.lock();
        let fits = queue.packets.len() < MOST_FRAMES && queue.bytes + packet.len() <= MOST_BYTES;
        if !queue.open || !fits {
            drop(queue);
            self.dropped(1);
            return false;
        }
        queue.bytes += packet.len();
        queue.packets.push_back((to, packet));
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// What is to be sent in one go; waits for the first. Cancel safe.
    pub(super) async fn batch(&self) -> Vec<(To, Vec<u8>)> {
        loop {
            let batch = self.try_batch();
            if !batch.is_empty() {
                return batch;
            }
            self.filled.notified().await;
        }
    }

    /// What is to be sent in one go, perhaps nothing.
    pub(super) fn try_batch(&self) -> Vec<(To, Vec<u8>)> {
        let mut queue = self.queue.lock();
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_FRAMES && bytes < BATCH_BYTES {
            let Some((to, packet)) = queue.packets.pop_front() else {
                break;
            };
            bytes += packet.len();
            batch.push((to, packet));
        }
        queue.bytes -= bytes;
        batch
    }

    /// There is a link now: packets are taken.
    pub(super) fn open(&self) {
        self.queue.lock().open = true;
    }

    /// There is no link: what waits is dropped. Keeping it would only tell later, and in part, what
    /// the store tells in full once the link is back.
    pub(super) fn close(&self) {
        let waiting = std::mem::take(&mut *self.queue.lock());
        self.dropped(waiting.packets.len());
    }

    /// These did not reach the server, or perhaps not.
    pub(super) fn dropped(&self, count: usize) {
        if count > 0 {
            self.lost.store(true, Ordering::Relaxed);
            metrics::counter!(telemetry::LINK_FRAMES, "what" => "dropped").increment(count as u64);
        }
    }

    /// Something was dropped since the last time that this was asked.
    pub(super) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// It could not be told: tell it next time.
    pub(super) fn put_lost(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_link_everything_is_dropped_and_counted_as_lost() {
        let out = OutgoingPackets::default();
        assert!(!out.offer(To::Nodes, vec![1]));
        assert!(out.take_lost() && !out.take_lost());
        out.open();
        assert!(out.offer(To::Nodes, vec![2]));
        assert!(!out.take_lost());
        out.close();
        assert!(out.take_lost(), "what waited was dropped");
        assert!(out.try_batch().is_empty());
    }

    #[test]
    fn what_waits_is_bounded_in_frames_and_bytes() {
        let out = OutgoingPackets::default();
        out.open();
        assert!((0..MOST_FRAMES).all(|_| out.offer(To::Nodes, vec![0])));
        assert!(!out.offer(To::Nodes, vec![0]));
        assert_eq!(out.try_batch().len(), BATCH_FRAMES);
        assert!(out.offer(To::Nodes, vec![0]));
        out.close();
        out.open();
        let half = MOST_BYTES / 2;
        assert!(out.offer(To::Nodes, vec![0; half]) && out.offer(To::Nodes, vec![0; half]));
        assert!(!out.offer(To::Nodes, vec![0]));
        assert_eq!(out.try_batch().len(), 1, "bounded by bytes");
    }
}
