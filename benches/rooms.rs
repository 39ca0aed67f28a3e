//! What the benches of both stores share: a store with rooms in which people talk. Every message goes to
//! another room than the one before, and each is checked: stored in its place, and published.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use miyu::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId, Timestamp};
use miyu::domain::{Pairing, Party, Persona, Profile, UserId};
use miyu::store::{Appended, CommitSink, Committed, Draft, Store, StoreRules};

/// Counts what was published.
#[derive(Default)]
pub struct Sink(AtomicU64);

impl CommitSink for Sink {
    fn committed(&self, batch: &[Committed]) {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
    }

    fn closing(&self, _: RoomId, _: Timestamp) {}
}

/// A store, and how far the log of each of its rooms goes.
pub struct Rooms {
    /// The store, for what else is measured.
    pub store: Arc<dyn Store>,
    /// The rooms.
    pub rooms: Vec<(RoomId, Seq)>,
    sink: Arc<Sink>,
    appended: u64,
}

impl Rooms {
    /// Makes so many rooms.
    pub async fn open(store: Arc<dyn Store>, sink: Arc<Sink>, count: usize) -> Self {
        let rooms = make(&*store, count).await;
        let rooms = rooms.into_iter().map(|room| (room, Seq::ZERO)).collect();
        Self {
            store,
            rooms,
            sink,
            appended: 0,
        }
    }

    /// How long a batch takes.
    pub async fn append(&mut self, batch: usize) -> Duration {
        let first = self.appended;
        self.appended += batch as u64;
        let places = places(first, batch, self.rooms.len());
        let drafts = places.iter().zip(first..);
        let drafts: Vec<_> = drafts
            .map(|(place, number)| draft(self.rooms[*place].0, number))
            .collect();
        let begun = Instant::now();
        let appending: Vec<_> = drafts.into_iter().map(|it| self.store.append(it)).collect();
        let mut outcomes = Vec::with_capacity(batch);
        for outcome in appending {
            outcomes.push(outcome.await);
        }
        let took = begun.elapsed();
        for (place, outcome) in places.into_iter().zip(outcomes) {
            let Ok(Appended::Done(entry)) = outcome else {
                panic!("not stored: {outcome:?}");
            };
            let (_, last) = &mut self.rooms[place];
            assert_eq!(entry.seq, last.next());
            *last = entry.seq;
        }
        assert_eq!(self.sink.0.load(Ordering::Relaxed), self.appended);
        took
    }

    /// Closes the store in good order.
    pub async fn close(self) {
        self.store.close().await.expect("closed");
    }
}

/// Makes so many rooms, all at once.
pub async fn make(store: &dyn Store, count: usize) -> Vec<RoomId> {
    let pairings: Vec<_> = (0..count).map(|_| pairing()).collect();
    let making: Vec<_> = pairings.iter().map(|it| store.create_room(it)).collect();
    for made in making {
        made.await.expect("made");
    }
    pairings.iter().map(|it| it.room).collect()
}

/// In which of `count` rooms a batch is said whose first message has this number.
pub fn places(first: u64, batch: usize, count: usize) -> Vec<usize> {
    let numbers = first..first + batch as u64;
    let places = numbers.map(|number| number % count as u64);
    places
        .map(|place| usize::try_from(place).expect("below the count"))
        .collect()
}

/// A short message.
pub fn draft(room: RoomId, number: u64) -> Draft {
    Draft {
        unheard: false,
        room,
        side: Side::BOTH[usize::try_from(number % 2).expect("0 or 1")],
        client_id: format!("client-{number}"),
        content: format!("I say what I have to say, which is not much: 秘語 {number}"),
        reply_to: None,
    }
}

/// Rules that nothing here meets.
pub fn rules() -> StoreRules {
    StoreRules {
        reconnect_grace: Duration::from_secs(300),
        arrival: Duration::from_secs(20),
        call_for: Duration::from_secs(900),
        retention: Duration::from_secs(24 * 3600),
        block_lifetime: Duration::from_secs(30 * 24 * 3600),
        // More than any room gets here.
        room_entries: 10_000_000,
        room_bytes: u64::MAX,
        longest: Duration::ZERO,
        max_size: 0,
        blocks_per_session: 500,
        evidence_retention: Duration::from_secs(30 * 24 * 3600),
        record_retention: Duration::from_secs(365 * 24 * 3600),
        timeout: Duration::from_secs(60),
    }
}

/// Two people.
fn pairing() -> Pairing {
    let party = || Party {
        ticket: TicketId::fresh(),
        session: SessionId::fresh(),
        persona: Persona {
            user_id: UserId::fresh(),
            profile: Profile::parse("小明", "3", "happy", "female"),
        },
        marks: Vec::new(),
        address: Address {
            node: NodeId(1),
            number: 1,
        },
    };
    Pairing {
        room: RoomId::fresh(),
        parties: [party(), party()],
        common_tags: Vec::new(),
        is_bot: false,
    }
}
