//! Which rooms one server is to tell us about, and which it does: the difference is what to say to
//! it next. No I/O. Joining and leaving may race as they like: each room has at most one request on
//! the way, and what is wanted is looked at again when its answer comes.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;

use crate::channel::GroupId;

/// The rooms of one server.
#[derive(Default)]
pub(super) struct Book {
    connected: bool,
    rooms: HashMap<GroupId, Room>,
    changed: VecDeque<GroupId>,
}

#[derive(Default)]
struct Room {
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
pub(super) struct Batch {
    /// Rooms to subscribe.
    pub(super) add: Vec<GroupId>,
    /// Rooms to unsubscribe.
    pub(super) remove: Vec<GroupId>,
}

impl Batch {
    /// Nothing to ask for.
    pub(super) fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

impl Book {
    /// Somebody here listens to this room, or nobody does any more.
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

    /// At most `most` changes. Until [`Book::answered`], nothing more is asked for these rooms.
    pub(super) fn batch(&mut self, most: usize) -> Batch {
        let mut batch = Batch::default();
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
    pub(super) fn answered(&mut self, batch: Batch) {
        for group in batch.add {
            let room = self.rooms.get_mut(&group).expect("asked rooms are kept");
            room.step = Step::Idle;
            room.subscribed = true;
            for waiting in room.waiting.drain(..) {
                // Whoever waited too long is gone.
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

    /// Queues a room whose state is not as wanted; forgets one that nobody needs.
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

    fn connected() -> Book {
        let mut book = Book::default();
        book.connected();
        book
    }

    #[test]
    fn a_room_is_asked_for_once_and_its_waiters_are_told() {
        let (mut book, group) = (connected(), room());
        book.want(group, true);
        let mut confirmation = book.confirmation(group).unwrap();
        let batch = book.batch(10);
        assert_eq!(batch.add, [group]);
        assert!(book.batch(10).is_empty());
        assert!(confirmation.try_recv().is_err());
        book.answered(batch);
        assert!(confirmation.try_recv().is_ok());
        assert!(book.confirmation(group).is_none(), "it is subscribed");
    }

    #[test]
    fn leaving_while_asking_is_made_good_afterwards() {
        let (mut book, group) = (connected(), room());
        book.want(group, true);
        let batch = book.batch(10);
        book.want(group, false);
        assert!(book.batch(10).is_empty(), "one request at a time");
        book.answered(batch);
        let batch = book.batch(10);
        assert_eq!(batch.remove, [group]);
        book.answered(batch);
        assert!(book.rooms.is_empty(), "forgotten");
    }

    #[test]
    fn coming_back_while_unsubscribing_waits_for_a_new_confirmation() {
        let (mut book, group) = (connected(), room());
        book.want(group, true);
        let batch = book.batch(10);
        book.answered(batch);
        book.want(group, false);
        let leaving = book.batch(10);
        book.want(group, true);
        let mut confirmation = book.confirmation(group).expect("not subscribed now");
        book.answered(leaving);
        let batch = book.batch(10);
        assert_eq!(batch.add, [group]);
        book.answered(batch);
        assert!(confirmation.try_recv().is_ok());
    }

    #[test]
    fn who_comes_and_goes_between_two_batches_costs_nothing() {
        let (mut book, group) = (connected(), room());
        book.want(group, true);
        book.want(group, false);
        assert!(book.batch(10).is_empty());
        assert!(book.rooms.is_empty());
    }

    #[test]
    fn a_new_connection_is_asked_for_everything_in_batches() {
        let mut book = connected();
        let groups: Vec<GroupId> = (0..25).map(|_| room()).collect();
        for group in &groups {
            book.want(*group, true);
        }
        let asked = book.batch(10);
        assert_eq!(asked.add.len(), 10);
        let mut waiting = book.confirmation(groups[0]).unwrap();
        book.want(groups[24], false);
        book.disconnected();
        assert!(waiting.try_recv().is_err(), "goes on without");
        assert!(
            book.confirmation(groups[0]).is_none(),
            "no link to wait for"
        );
        book.connected();
        let mut sizes = Vec::new();
        while book.has_changes() {
            let batch = book.batch(10);
            sizes.push(batch.add.len());
            book.answered(batch);
        }
        assert_eq!(sizes, [10, 10, 4]);
    }
}
