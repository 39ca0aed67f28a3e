//! Which rooms one server is to tell us about, and which it does: the difference is what to say to
//! it next. No I/O. Joining and leaving may race as they like: each room has at most one request on
//! the way, and what is wanted is looked at again when its answer comes.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;

use crate::channel::GroupId;

/// The rooms of one server.
#[derive(Default)]
pub(super) struct SubscriptionTable {
    connected: bool,
    rooms: HashMap<GroupId, Subscription>,
    changed: VecDeque<GroupId>,
}

#[derive(Default)]
struct Subscription {
    wanted: bool,
    /// Confirmed by the server, and no request to end it was sent since.
    subscribed: bool,
    step: Step,
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    /// In `changed`.
    Queued,
    /// Asked for, not answered.
    Asked,
}

/// What to ask the server for, in one go.
#[derive(Default)]
pub(super) struct SubscriptionBatch {
    /// Rooms to subscribe.
    pub(super) add: Vec<GroupId>,
    /// Rooms to unsubscribe.
    pub(super) remove: Vec<GroupId>,
}

impl SubscriptionBatch {
    /// Nothing to ask for.
    pub(super) fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

impl SubscriptionTable {
    /// Whether this room has a member on this node.
    pub(super) fn want(&mut self, group: GroupId, wanted: bool) {
        self.rooms.entry(group).or_default().wanted = wanted;
        self.settle(group);
    }

    /// Resolves when the server has confirmed the room, with an error when the link breaks before.
    /// `None`: it has already, or there is no link to wait for.
    pub(super) fn confirmation(&mut self, group: GroupId) -> Option<oneshot::Receiver<()>> {
        let room = self.rooms.get_mut(&group)?;
        if room.subscribed || !self.connected {
            return None;
        }
        let (confirmed, confirmation) = oneshot::channel();
        room.waiting.push(confirmed);
        Some(confirmation)
    }

    /// At most `most` changes. Until [`SubscriptionTable::answered`], nothing more is asked for these rooms.
    pub(super) fn batch(&mut self, most: usize) -> SubscriptionBatch {
        let mut batch = SubscriptionBatch::default();
        while batch.add.len() + batch.remove.len() < most {
            let Some(group) = self.changed.pop_front() else {
                break;
            };
            let room = self.rooms.get_mut(&group).expect("queued rooms are kept");
            room.step = Step::Idle;
            if room.wanted == room.subscribed {
                self.settle(group);
                continue;
            }
            room.step = Step::Asked;
            match room.wanted {
                true => batch.add.push(group),
                false => batch.remove.push(group),
            }
            room.subscribed = false;
        }
        batch
    }

    /// The server has confirmed this batch.
    pub(super) fn answered(&mut self, batch: SubscriptionBatch) {
        for group in batch.add {
            let room = self.rooms.get_mut(&group).expect("asked rooms are kept");
            room.step = Step::Idle;
            room.subscribed = true;
            for waiting in room.waiting.drain(..) {
                // A receiver that has given up waiting is gone.
                let _ = waiting.send(());
            }
            self.settle(group);
        }
        for group in batch.remove {
            let room = self.rooms.get_mut(&group).expect("asked rooms are kept");
            room.step = Step::Idle;
            self.settle(group);
        }
    }

    /// A new connection: nothing is subscribed there, everything wanted is to be asked for.
    pub(super) fn connected(&mut self) {
        self.disconnected();
        self.connected = true;
        let all: Vec<GroupId> = self.rooms.keys().copied().collect();
        for group in all {
            self.settle(group);
        }
    }

    /// The connection is gone, and with it every subscription; who waits for one goes on without.
    pub(super) fn disconnected(&mut self) {
        self.connected = false;
        self.changed.clear();
        self.rooms.retain(|_, room| room.wanted);
        for room in self.rooms.values_mut() {
            room.subscribed = false;
            room.step = Step::Idle;
            room.waiting.clear();
        }
    }

    /// Something is to be asked for.
    pub(super) fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Queues a room whose state is not as wanted; forgets one that is not needed any more.
    fn settle(&mut self, group: GroupId) {
        let Some(room) = self.rooms.get_mut(&group) else {
            return;
        };
        if room.step != Step::Idle {
            return;
        }
        if self.connected && room.wanted != room.subscribed {
            room.step = Step::Queued;
            self.changed.push_back(group);
        } else if !room.wanted {
            self.rooms.remove(&group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RoomId;

    fn room() -> GroupId {
        GroupId::Room(RoomId::fresh())
    }

    fn connected() -> SubscriptionTable {
        let mut subscriptions = SubscriptionTable::default();
        subscriptions.connected();
        subscriptions
    }

    #[test]
    fn a_room_is_asked_for_once_and_its_waiters_are_told() {
        let (mut subscriptions, group) = (connected(), room());
        subscriptions.want(group, true);
        let mut confirmation = subscriptions.confirmation(group).unwrap();
        let batch = subscriptions.batch(10);
        assert_eq!(batch.add, [group]);
        assert!(subscriptions.batch(10).is_empty());
        assert!(confirmation.try_recv().is_err());
        subscriptions.answered(batch);
        assert!(confirmation.try_recv().is_ok());
        assert!(
            subscriptions.confirmation(group).is_none(),
            "it is subscribed"
        );
    }

    #[test]
    fn leaving_while_asking_is_made_good_afterwards() {
        let (mut subscriptions, group) = (connected(), room());
        subscriptions.want(group, true);
        let batch = subscriptions.batch(10);
        subscriptions.want(group, false);
        assert!(subscriptions.batch(10).is_empty(), "one request at a time");
        subscriptions.answered(batch);
        let batch = subscriptions.batch(10);
        assert_eq!(batch.remove, [group]);
        subscriptions.answered(batch);
        assert!(subscriptions.rooms.is_empty(), "forgotten");
    }

    #[test]
    fn coming_back_while_unsubscribing_waits_for_a_new_confirmation() {
        let (mut subscriptions, group) = (connected(), room());
        subscriptions.want(group, true);
        let batch = subscriptions.batch(10);
        subscriptions.answered(batch);
        subscriptions.want(group, false);
        let leaving = subscriptions.batch(10);
        subscriptions.want(group, true);
        let mut confirmation = subscriptions
            .confirmation(group)
            .expect("not subscribed now");
        subscriptions.answered(leaving);
        let batch = subscriptions.batch(10);
        assert_eq!(batch.add, [group]);
        subscriptions.answered(batch);
        assert!(confirmation.try_recv().is_ok());
    }

    #[test]
    fn who_comes_and_goes_between_two_batches_costs_nothing() {
        let (mut subscriptions, group) = (connected(), room());
        subscriptions.want(group, true);
        subscriptions.want(group, false);
        assert!(subscriptions.batch(10).is_empty());
        assert!(subscriptions.rooms.is_empty());
    }

    #[test]
    fn a_new_connection_is_asked_for_everything_in_batches() {
        let mut subscriptions = connected();
        let groups: Vec<GroupId> = (0..25).map(|_| room()).collect();
        for group in &groups {
            subscriptions.want(*group, true);
        }
        let asked = subscriptions.batch(10);
        assert_eq!(asked.add.len(), 10);
        let mut waiting = subscriptions.confirmation(groups[0]).unwrap();
        subscriptions.want(groups[24], false);
        subscriptions.disconnected();
        assert!(waiting.try_recv().is_err(), "goes on without");
        assert!(
            subscriptions.confirmation(groups[0]).is_none(),
            "no link to wait for"
        );
        subscriptions.connected();
        let mut sizes = Vec::new();
        while subscriptions.has_changes() {
            let batch = subscriptions.batch(10);
            sizes.push(batch.add.len());
            subscriptions.answered(batch);
        }
        assert_eq!(sizes, [10, 10, 4]);
    }
}
