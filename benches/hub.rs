//! Publishing to a room of two, among few rooms and many.

use std::sync::Arc;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use miyu::channel::hub::Hub;
use miyu::channel::{EntryRole, Frame, GroupId, Mailbox, Membership};
use miyu::domain::id::{NodeId, RoomId, Seq, Side};
use miyu::protocol::server::EntryTexts;

/// All of them.
pub fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish");
    group.throughput(Throughput::Elements(1));
    for groups in [1, super::sized(100_000, 1000)] {
        let mut rooms = None;
        group.bench_function(BenchmarkId::from_parameter(groups), |b| {
            let rooms = rooms.get_or_insert_with(|| Rooms::new(groups));
            b.iter_custom(|times| {
                let begun = Instant::now();
                for _ in 0..times {
                    rooms.publish_and_take();
                }
                begun.elapsed()
            });
        });
    }
    group.finish();
}

struct Rooms {
    hub: Arc<Hub>,
    rooms: Vec<Room>,
    published: u64,
}

struct Room {
    group: GroupId,
    people: [(Mailbox, Membership); 2],
}

impl Rooms {
    fn new(groups: usize) -> Self {
        let hub = Hub::new(NodeId(1), 256);
        let rooms = (0..groups).map(|_| {
            let group = GroupId::Room(RoomId::fresh());
            let people = [(); 2].map(|()| {
                let (outbox, mailbox) = hub.open();
                (mailbox, hub.join(group, &outbox))
            });
            Room { group, people }
        });
        let rooms: Vec<_> = rooms.collect();
        assert_eq!(hub.counts().groups, groups);
        Self {
            hub,
            rooms,
            published: 0,
        }
    }

    /// To some room, in no order that a cache could know; each member gets exactly this one.
    fn publish_and_take(&mut self) {
        self.published += 1;
        let count = self.rooms.len() as u64;
        let number = (self.published * 0x9E37_79B1) % count;
        let room = &mut self.rooms[usize::try_from(number).expect("below the count")];
        let seq = Seq(self.published);
        let text = "{}";
        let frame = Frame::Entry {
            seq,
            by: Side::A,
            role: EntryRole::Word,
            texts: EntryTexts::same(text.into()),
        };
        self.hub.publish(room.group, Arc::new(frame));
        for (mailbox, _) in &mut room.people {
            let got = mailbox.try_recv();
            let is_it = |it: &Frame| matches!(it, Frame::Entry { seq: it, .. } if *it == seq);
            assert!(got.is_some_and(|it| is_it(&it)), "each hears each frame");
            assert!(mailbox.try_recv().is_none(), "and hears it once");
        }
    }
}
