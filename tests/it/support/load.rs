//! A load: pairs who talk as fast as they are acknowledged, each with a window of messages in flight
//! (closed), or at a pace of their own, however slow the server is (open). Checks at both sides that
//! nothing is lost, doubled or out of order. Shared by tests and by `examples/load`.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Sleep, timeout};

use super::driver::{Frame, Lost, SILENCE, Seat, Socket, TOPICS, search};

/// Handshakes at the same time: a queue at the door is not what is measured.
pub const AT_THE_DOOR: usize = 64;

/// What each person says, between when and which.
const WORDS: &str = "I say what I have to say, which is not much: 秘語";

/// How much is said.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Messages that each person says.
    pub messages: u64,
    /// How fast.
    pub pace: Pace,
}

/// When the next message is said.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As soon as fewer than so many are unacknowledged.
    Window(usize),
    /// Each person says one this often. Delays are counted from when it was due, not from when the
    /// client came to say it: a server that stands still is charged for everything it held up.
    Every(Duration),
}

/// One side of a room, and its socket.
pub struct Person {
    seat: Seat,
    partner: String,
    /// Its chat.
    pub socket: Socket,
    said: u64,
    last_seq: u64,
}

/// What became of the messages of one person, or of all of them.
#[derive(Default)]
pub struct Tally {
    /// Own messages acknowledged, and the partner's delivered.
    pub acked: u64,
    pub delivered: u64,
    /// Delivered or acknowledged again; before an earlier one; entries missing from the stream.
    pub doubled: u64,
    pub reordered: u64,
    pub gaps: u64,
    /// Why people could not finish.
    pub broken: Vec<String>,
    /// How long each acknowledgement and each delivery took, in microseconds.
    pub ack: Vec<u64>,
    pub delivery: Vec<u64>,
}

impl Tally {
    /// Takes another one in.
    pub fn add(&mut self, other: Self) {
        self.acked += other.acked;
        self.delivered += other.delivered;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.gaps += other.gaps;
        self.broken.extend(other.broken);
        self.ack.extend(other.ack);
        self.delivery.extend(other.delivery);
    }
}

/// Lets so many pairs meet and enter their rooms; answers who did and what went wrong. With several
/// addresses, the sides of a pair are at different ones.
pub async fn gather(addresses: &[SocketAddr], pairs: usize) -> (Vec<Person>, Vec<String>) {
    let door = Arc::new(Semaphore::new(AT_THE_DOOR));
    let mut coming = JoinSet::new();
    // Pairs with the same topic have it at the same two addresses.
    let topics = (TOPICS.len() / addresses.len() * addresses.len()).max(1);
    for pair in 0..pairs {
        let door = Arc::clone(&door);
        let [here, there] = [pair, pair + 1].map(|it| addresses[it % addresses.len()]);
        coming.spawn(async move {
            let _place = door.acquire().await.expect("never closed");
            let topic = TOPICS[pair % topics];
            tokio::try_join!(come(here, topic, 0), come(there, topic, 1))
        });
    }
    // People of several pairs have one topic, and some servers know no topics: who sits together, the
    // room tells.
    let mut rooms: HashMap<String, Vec<Person>> = HashMap::new();
    let mut failed = Vec::new();
    while let Some(pair) = coming.join_next().await {
        match pair.expect("no panic") {
            Ok((one, two)) => {
                for person in [one, two] {
                    let room = rooms.entry(person.seat.room.clone()).or_default();
                    room.push(person);
                }
            }
            Err(lost) => failed.push(lost.to_string()),
        }
    }
    let mut met = Vec::new();
    for (room, mut people) in rooms {
        match people.as_mut_slice() {
            [one, two] => {
                one.partner.clone_from(&two.seat.user_id);
                two.partner.clone_from(&one.seat.user_id);
                met.append(&mut people);
            }
            others => failed.push(format!("{} people in room {room}", others.len())),
        }
    }
    (met, failed)
}

/// Searches, and enters the room.
async fn come(address: SocketAddr, topic: &str, half: usize) -> Result<Person, Lost> {
    let seat = search(address, topic, half).await?;
    let mut socket = Socket::open(address, &seat.path(0)).await?;
    match socket.hear().await? {
        Frame::RoomState { active: true, .. } => Ok(Person {
            seat,
            partner: String::new(),
            socket,
            said: 0,
            last_seq: 0,
        }),
        other => Err(Lost::PacketDecodeError(format!("no room_state: {other:?}"))),
    }
}

/// Lets all people talk; answers them again, and all tallies in one.
pub async fn talk(people: Vec<Person>, plan: Plan) -> (Vec<Person>, Tally) {
    let epoch = Instant::now();
    let count = u32::try_from(people.len()).expect("fewer people than descriptors");
    let mut talking = JoinSet::new();
    for (number, person) in (0..).zip(people) {
        let mut talk = Talk::new(person, plan, epoch);
        if let Pace::Every(interval) = plan.pace {
            // Spread over the interval: people do not speak in step.
            talk.due += interval * number / count;
        }
        talking.spawn(talk.run());
    }
    let mut people = Vec::new();
    let mut all = Tally::default();
    while let Some(done) = talking.join_next().await {
        let (person, tally) = done.expect("no panic");
        people.push(person);
        all.add(tally);
    }
    (people, all)
}

/// Listens until each has heard nothing for so long; answers them again, and how many messages came after
/// all that were owed.
pub async fn overhear(people: Vec<Person>, quiet: Duration) -> (Vec<Person>, u64) {
    let mut listening = JoinSet::new();
    for mut person in people {
        listening.spawn(async move {
            let mut extra = 0;
            let mut next = async || poll_fn(|cx| person.socket.poll_text(cx)).await;
            while let Ok(Ok(text)) = timeout(quiet, next()).await {
                extra += u64::from(text.contains("\"new_message\""));
            }
            (person, extra)
        });
    }
    let heard = listening.join_all().await;
    let extra = heard.iter().map(|it| it.1).sum();
    (heard.into_iter().map(|it| it.0).collect(), extra)
}

/// One person talking.
struct Talk {
    person: Person,
    plan: Plan,
    /// What times in messages are counted from.
    epoch: Instant,
    /// The number of the first message of this talk, at both sides.
    first: u64,
    /// When the next one is to be said, at a pace.
    due: Instant,
    timer: Pin<Box<Sleep>>,
    heard_at: Instant,
    in_flight: VecDeque<Instant>,
    action: String,
    tally: Tally,
}

/// What is read of a frame: this client must cost little beside the server it measures.
#[derive(Deserialize)]
struct Heard<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<Said<'a>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    seq: u64,
    #[serde(borrow)]
    sender_id: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow)]
    client_id: Cow<'a, str>,
}

impl Talk {
    fn new(person: Person, plan: Plan, epoch: Instant) -> Self {
        Self {
            first: person.said,
            person,
            plan,
            epoch,
            due: epoch,
            timer: Box::pin(tokio::time::sleep(SILENCE)),
            heard_at: epoch,
            in_flight: VecDeque::new(),
            action: String::new(),
            tally: Tally::default(),
        }
    }

    async fn run(mut self) -> (Person, Tally) {
        if let Err(lost) = self.talk_it_out().await {
            self.tally.broken.push(lost.to_string());
        }
        (self.person, self.tally)
    }

    async fn talk_it_out(&mut self) -> Result<(), Lost> {
        let all = self.plan.messages;
        while self.tally.acked < all || self.tally.delivered < all {
            let mut spoke = false;
            while let Some(due) = self.next_due(Instant::now()) {
                self.say_one(due).await?;
                spoke = true;
            }
            if spoke {
                self.person.socket.flush().await?;
            }
            self.set_timer();
            poll_fn(|cx| self.poll_hear(cx)).await?;
        }
        Ok(())
    }

    /// From when the next message is counted, if it is to be said now.
    fn next_due(&mut self, now: Instant) -> Option<Instant> {
        if self.person.said - self.first >= self.plan.messages {
            return None;
        }
        match self.plan.pace {
            Pace::Window(window) => (self.in_flight.len() < window).then_some(now),
            Pace::Every(interval) => (self.due <= now).then(|| {
                let due = self.due;
                self.due += interval;
                due
            }),
        }
    }

    /// Rings when the next message is due, or when the server may be silent no longer.
    fn set_timer(&mut self) {
        let said_all = self.person.said - self.first >= self.plan.messages;
        let deadline = match self.plan.pace {
            Pace::Every(_) if !said_all => self.due,
            // Looked at again when it rings: not worth a reset for each frame.
            _ if !self.timer.is_elapsed() => return,
            _ => self.heard_at + SILENCE,
        };
        self.timer.as_mut().reset(deadline.into());
    }

    /// Takes everything that has arrived; pending while nothing has and the timer does not ring.
    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let mut heard = false;
        while let Poll::Ready(text) = self.person.socket.poll_text(cx) {
            self.hear(&text?)?;
            heard = true;
        }
        let now = Instant::now();
        if heard {
            self.heard_at = now;
            return Poll::Ready(Ok(()));
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let silent = now.duration_since(self.heard_at) >= SILENCE;
        Poll::Ready(if silent { Err(Lost::Silent) } else { Ok(()) })
    }

    async fn say_one(&mut self, due: Instant) -> Result<(), Lost> {
        let micros = due.saturating_duration_since(self.epoch).as_micros();
        let number = self.person.said;
        self.action.clear();
        // By hand: `json!` would take longer than all else that is done for a message here.
        let written = write!(
            self.action,
            "{{\"action\":\"send_message\",\"message\":{{\"content\":\"{micros} {WORDS} {number}\",\
            \"client_id\":\"{number}\",\"replied_to\":null}}}}"
        );
        written.expect("a string takes everything");
        self.person.said += 1;
        self.in_flight.push_back(due);
        self.person.socket.say_text(self.action.clone()).await
    }

    fn hear(&mut self, text: &str) -> Result<(), Lost> {
        let garbled =
            |why: &dyn std::fmt::Display| Lost::PacketDecodeError(format!("{why}: {text}"));
        let frame: Heard<'_> = serde_json::from_str(text).map_err(|error| garbled(&error))?;
        match (frame.action.as_ref(), &frame.message) {
            ("new_message", Some(said)) => self.count(said).map_err(|why| garbled(&why)),
            ("error" | "user_left" | "message_recalled" | "replaced", _) => {
                Err(garbled(&"not expected"))
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, said: &Said<'_>) -> Result<(), &'static str> {
        if said.seq != self.person.last_seq + 1 {
            self.tally.gaps += 1;
        }
        self.person.last_seq = self.person.last_seq.max(said.seq);
        let (due, words) = said.content.split_once(' ').unwrap_or_default();
        let number = words
            .strip_prefix(WORDS)
            .and_then(|it| it.strip_prefix(' '));
        if number != Some(said.client_id.as_ref()) {
            return Err("not what was said");
        }
        let mine = said.sender_id == self.person.seat.user_id;
        if !mine && said.sender_id != self.person.partner {
            return Err("of somebody else");
        }
        let counted = if mine {
            self.tally.acked
        } else {
            self.tally.delivered
        };
        let number: u64 = said.client_id.parse().unwrap_or(u64::MAX);
        match number.cmp(&(self.first + counted)) {
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Less => {
                self.tally.doubled += 1;
                return Ok(());
            }
            std::cmp::Ordering::Greater => self.tally.reordered += 1,
        }
        if mine {
            self.tally.acked += 1;
            if let Some(due) = self.in_flight.pop_front() {
                self.tally.ack.push(micros(due.elapsed()));
            }
            return Ok(());
        }
        self.tally.delivered += 1;
        let due = self.epoch + Duration::from_micros(due.parse().unwrap_or(0));
        self.tally.delivery.push(micros(due.elapsed()));
        Ok(())
    }
}

fn micros(value: Duration) -> u64 {
    u64::try_from(value.as_micros()).unwrap_or(u64::MAX)
}
