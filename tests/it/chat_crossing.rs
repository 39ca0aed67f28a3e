//! Random histories of one room: connections come and go, store answers and frames are heard late;
//! between nodes frames are lost and out of order as well, and in the end all connections are told where
//! the room stands. When everything that is owed was done, none may be wrong.

mod net;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use miyu::admission::memory_budget::MemoryBudget;
use miyu::channel::memory::MemoryLayer;
use miyu::channel::{ChannelLayer as _, Frame, GroupId};
use miyu::chat::effects::{ChatIo, ChatServices};
use miyu::chat::{Chat, ChatJob, ChatOutcome, ChatRules, Opening};
use miyu::delivery::calls::CallQueue;
use miyu::delivery::publish::Publisher;
use miyu::domain::id::{Address, NodeId, RoomId, Seq, Side, Timestamp};
use miyu::protocol::Encoder;
use miyu::state_machine::{Action, Actions, Io as _, Machine as _, Now};
use miyu::store::sqlite::SqliteStore;
use miyu::store::{Durability, RoomPeople, Rooms as _, SideClaim, Store};
use miyu::tasks::Drain;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use self::net::Net;
use crate::support::store::{Now as Clock, pairing, rules, tiny};
use crate::support::unavailable_safety::{no_board, no_reporting};

const HISTORIES: u64 = 60;
const STEPS: usize = 120;
/// Open connections of one side at most: two replaced ones and the one that speaks.
const CONNECTIONS: usize = 3;
/// Rounds after which all connections must have come to rest.
const ROUNDS: usize = 60;
const SETTLE: Duration = Duration::from_secs(2);

type InFlight = Pin<Box<dyn Future<Output = ChatOutcome> + Send>>;

/// One connection: the machine, its jobs, the frames on their way to it, and what its client knows.
struct Person {
    side: Side,
    connection: Address,
    chat: Chat,
    io: ChatIo,
    queue: Vec<InFlight>,
    background: Option<InFlight>,
    coming: Vec<Arc<Frame>>,
    closing: bool,
    /// By the client: whether it was replaced, its partner's presence, the entries in order.
    replaced: bool,
    partner: bool,
    seqs: Vec<u64>,
}

impl Person {
    fn act(&mut self, actions: Actions<ChatJob>) {
        for action in actions {
            match action {
                Action::Write(text) => self.hear(&serde_json::from_str(&text).expect("JSON")),
                Action::Replay(replay) => {
                    for text in *replay {
                        self.hear(&serde_json::from_str(&text).expect("JSON"));
                    }
                }
                Action::Queue(job) => self.queue.push(Box::pin(self.io.start(job))),
                Action::Background(job) => self.background = Some(Box::pin(self.io.start(job))),
                Action::Close(_) => self.closing = true,
                Action::Erred(_) | Action::Waited(_) | Action::Vouch => {}
            }
        }
    }

    fn hear(&mut self, told: &Value) {
        match told["action"].as_str().expect("an action") {
            "room_state" => {
                self.replaced = false;
                self.partner = told["partner"]["online"] == true;
            }
            "replaced" => self.replaced = true,
            "partner_status" => self.partner = told["online"] == true,
            "new_message" => self.seqs.extend(told["message"]["seq"].as_u64()),
            _ => {}
        }
    }

    fn with(&mut self, now: Now, event: impl FnOnce(&mut Chat, Now, &mut Actions<ChatJob>)) {
        let mut actions = Vec::new();
        event(&mut self.chat, now, &mut actions);
        self.act(actions);
    }

    async fn finish(&mut self, now: Now, background: bool) {
        let doing = match background {
            true => self.background.take(),
            false => (!self.queue.is_empty()).then(|| self.queue.remove(0)),
        };
        if let Some(doing) = doing {
            let outcome = doing.await;
            self.with(now, |chat, now, out| chat.on_outcome(outcome, now, out));
        }
    }
}

struct History {
    /// Between nodes; else within one process, where nothing is lost unheard.
    nodes: bool,
    random: SmallRng,
    store: Arc<dyn Store>,
    net: Arc<Net>,
    room: RoomId,
    people: Vec<Person>,
    opened: u64,
    said: u64,
    began: Instant,
    passed: Duration,
    _folder: tempfile::TempDir,
}

impl History {
    async fn begin(seed: u64, nodes: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let net = Arc::new(Net::default());
        let mut rules = rules();
        rules.room_entries = 1000;
        let store = SqliteStore::open_tuned(
            &folder.path().join("miyu.db"),
            Durability::Process,
            rules,
            Publisher::new(
                net.clone(),
                Encoder::new(TimeZone::UTC),
                CallQueue::default(),
            ),
            Clock::default().clock(),
            tiny(),
        );
        let store = store.expect("a store");
        let pairing = pairing();
        store.create_room(&pairing).await.expect("a room");
        Self {
            nodes,
            random: SmallRng::seed_from_u64(seed),
            store,
            net,
            room: pairing.room,
            people: Vec::new(),
            opened: 0,
            said: 0,
            began: Instant::now(),
            passed: Duration::ZERO,
            _folder: folder,
        }
    }

    fn now(&self) -> Now {
        Now {
            instant: self.began + self.passed,
            wall: Timestamp(0).plus(self.passed),
        }
    }

    async fn open(&mut self, side: Side) {
        self.opened += 1;
        let connection = Address {
            node: NodeId(self.opened),
            number: 1,
        };
        let arriving = self
            .store
            .arrive(self.room, SideClaim::Side(side), connection);
        let room = arriving.await.expect("an answer").expect("a room").room;
        let version = room.side(side).version;
        self.net.publish(
            GroupId::Room(self.room),
            Frame::Opened {
                side,
                connection,
                version,
            },
        );
        let memory = MemoryLayer::new(NodeId(self.opened), 1);
        let (outbox, _) = memory.open();
        let opening = Opening {
            people: RoomPeople::of(&room),
            room,
            side,
            connection,
            provisional: false,
            after: Some(Seq::ZERO.into()),
            together: false,
        };
        let chat_rules = ChatRules {
            reconnect_grace: Duration::from_secs(300),
            call_for: Duration::from_secs(900),
            presence_settle: SETTLE,
            closing_notice: Duration::from_secs(600),
        };
        let reach = ChatServices {
            store: self.store.clone(),
            channel: self.net.clone(),
            memory: MemoryBudget::new(1 << 30),
            page_entries: 3,
            page_bytes: 1 << 20,
            drain: Drain::new(),
            reporting: no_reporting().await,
            push_hosts: None,
            board: no_board(),
        };
        let membership = memory.join(GroupId::Room(self.room), &outbox).await;
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        let mut person = Person {
            side,
            connection,
            chat: Chat::new(Encoder::new(TimeZone::UTC), Arc::new(chat_rules), opening),
            io: ChatIo::new(Arc::new(reach), membership, home),
            queue: Vec::new(),
            background: None,
            coming: Vec::new(),
            closing: false,
            replaced: false,
            partner: false,
            seqs: Vec::new(),
        };
        person.with(self.now(), Chat::open);
        self.people.push(person);
        self.spread(0.0);
    }

    /// Sends what was published on its way to all connections, or loses it.
    fn spread(&mut self, loss: f64) {
        for frame in self.net.0.lock().drain(..) {
            for person in &mut self.people {
                if !self.random.random_bool(loss) {
                    person.coming.push(frame.clone());
                }
            }
        }
    }

    async fn close(&mut self, at: usize) {
        let mut person = self.people.remove(at);
        // A connection that is over finishes its queue; nothing is written any more.
        for doing in std::mem::take(&mut person.queue) {
            doing.await;
        }
        let farewell = person.chat.farewell().expect("a departure");
        person.io.start(farewell).await;
    }

    async fn step(&mut self) {
        let side = Side::BOTH[self.random.random_range(0..2)];
        let some = self.random.random_range(0..self.people.len().max(1));
        match self.random.random_range(0..100) {
            0..8 if self.people.iter().filter(|it| it.side == side).count() < CONNECTIONS => {
                self.open(side).await;
            }
            8..14 if some < self.people.len() => self.close(some).await,
            14..30 if some < self.people.len() => {
                self.said += 1;
                let text = format!(
                    r#"{{"action":"send_message","message":{{"content":"x","client_id":"c{}"}}}}"#,
                    self.said
                );
                let frame = Chat::decode(&text).expect("a frame");
                let now = self.now();
                self.people[some].with(now, |chat, now, out| chat.on_input(frame, now, out));
            }
            30..34 => self.pass(Duration::from_millis(700)),
            34..36 if some < self.people.len() => {
                let now = self.now();
                self.people[some].coming.clear();
                self.people[some].with(now, Chat::on_lagged);
            }
            36..75 if some < self.people.len() => self.deliver(some),
            _ if some < self.people.len() => {
                let (now, background) = (self.now(), self.random.random_bool(0.4));
                self.people[some].finish(now, background).await;
            }
            _ => {}
        }
        self.spread(if self.nodes { 0.2 } else { 0.0 });
        while let Some(at) = self.people.iter().position(|it| it.closing) {
            self.close(at).await;
        }
    }

    /// The next frame on its way to this connection; now and then a later one overtakes it.
    fn deliver(&mut self, at: usize) {
        let now = self.now();
        let person = &mut self.people[at];
        if person.coming.is_empty() {
            return;
        }
        let last = person.coming.len().min(4);
        let which = match self.nodes && self.random.random_bool(0.3) {
            true => self.random.random_range(0..last),
            false => 0,
        };
        let frame = person.coming.remove(which);
        person.with(now, |chat, now, out| chat.on_frame(&frame, now, out));
    }

    fn pass(&mut self, time: Duration) {
        self.passed += time;
        let now = self.now();
        for person in &mut self.people {
            person.with(now, Chat::on_timer);
        }
    }

    /// Nothing is lost any more, and the position check tells all connections where the room stands.
    async fn rest(&mut self) {
        for _ in 0..ROUNDS {
            self.spread(0.0);
            let positions = self.store.positions(vec![self.room]).await;
            let position = positions.expect("an answer")[0];
            let mut busy = false;
            for at in 0..self.people.len() {
                while !self.people[at].coming.is_empty() {
                    self.deliver(at);
                }
                let now = self.now();
                let person = &mut self.people[at];
                if self.nodes {
                    let told = Frame::Position(position);
                    person.with(now, |chat, now, out| chat.on_frame(&told, now, out));
                }
                busy |= !person.queue.is_empty() || person.background.is_some();
                while !person.queue.is_empty() {
                    person.finish(now, false).await;
                }
                person.finish(now, true).await;
            }
            while let Some(at) = self.people.iter().position(|it| it.closing) {
                self.close(at).await;
                busy = true;
            }
            self.pass(Duration::from_secs(3));
            let quiet = self
                .people
                .iter()
                .all(|it| it.coming.is_empty() && it.queue.is_empty() && it.background.is_none());
            if !busy && quiet && self.net.0.lock().is_empty() {
                return;
            }
        }
        panic!("nobody comes to rest");
    }

    async fn check(&self) {
        let room = self.store.room(self.room).await.expect("an answer");
        let room = room.expect("a room");
        let all: Vec<u64> = (1..=room.last_seq.0).collect();
        for side in Side::BOTH {
            let here = self.people.iter().filter(|it| it.side == side);
            let speaking: Vec<&Person> = here.clone().filter(|it| !it.replaced).collect();
            let speakers: Vec<Address> = speaking.iter().map(|it| it.connection).collect();
            let stored: Vec<Address> = room.side(side).connection.into_iter().collect();
            assert_eq!(speakers, stored, "who speaks for {side:?}");
            assert_eq!(here.count() > 0, !stored.is_empty());
            for person in speaking {
                assert_eq!(person.seqs, all, "what {side:?} was sent");
                let partner = room.side(side.other()).online();
                assert_eq!(person.partner, partner, "what {side:?} knows of the other");
            }
        }
    }
}

async fn play(nodes: bool) {
    let first = rand::random::<u32>();
    for seed in (0..HISTORIES).map(|n| u64::from(first) + n) {
        println!("history {seed}");
        let mut history = History::begin(seed, nodes).await;
        for _ in 0..STEPS {
            history.step().await;
        }
        history.rest().await;
        history.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_many_nodes_all_connections_know_the_truth_in_the_end() {
    play(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_one_process_all_connections_know_the_truth_without_being_told() {
    play(false).await;
}
