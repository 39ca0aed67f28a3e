//! A closed-loop load: pairs who talk as fast as they are acknowledged, each with a window of messages
//! in flight. Checks at both sides that nothing is lost, doubled or out of order. Shared by a test and
//! by `examples/load`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::driver::{Frame, Lost, Message, Seat, Socket, meet_across, send};

/// Handshakes at the same time: a queue at the door is not what is measured.
const AT_THE_DOOR: usize = 64;

/// How much is said.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Messages that each person says.
    pub messages: u64,
    /// Unacknowledged ones at once.
    pub window: usize,
}

/// Somebody in a room, before the load begins.
pub struct Person {
    seat: Seat,
    /// Its chat.
    pub socket: Socket,
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
    /// Microseconds.
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
pub async fn gather(addresses: &[SocketAddr], pairs: usize) -> (Vec<[Person; 2]>, Vec<String>) {
    let door = Arc::new(Semaphore::new(AT_THE_DOOR));
    let mut coming = JoinSet::new();
    for pair in 0..pairs {
        let door = Arc::clone(&door);
        let [here, there] = [pair, pair + 1].map(|it| addresses[it % addresses.len()]);
        coming.spawn(async move {
            let _place = door.acquire().await.expect("never closed");
            // People of another run may still wait on this server.
            let tag = format!("{}-{pair}", std::process::id());
            let [one, two] = meet_across([here, there], &tag).await?;
            tokio::try_join!(enter(here, one), enter(there, two))
        });
    }
    let (mut met, mut failed) = (Vec::new(), Vec::new());
    while let Some(pair) = coming.join_next().await {
        match pair.expect("no panic") {
            Ok((one, two)) => met.push([one, two]),
            Err(lost) => failed.push(lost.to_string()),
        }
    }
    (met, failed)
}

async fn enter(address: SocketAddr, seat: Seat) -> Result<Person, Lost> {
    let mut socket = Socket::open(address, &seat.path(0)).await?;
    match socket.hear().await? {
        Frame::RoomState { active: true, .. } => Ok(Person { seat, socket }),
        other => Err(Lost::Garbled(format!("no room_state: {other:?}"))),
    }
}

/// Lets everybody talk; answers all tallies in one.
pub async fn talk(met: Vec<[Person; 2]>, plan: Plan) -> Tally {
    let epoch = Instant::now();
    let mut talking = JoinSet::new();
    for person in met.into_iter().flatten() {
        talking.spawn(Talk::new(person, plan, epoch).run());
    }
    let mut all = Tally::default();
    while let Some(tally) = talking.join_next().await {
        all.add(tally.expect("no panic"));
    }
    all
}

/// One person talking.
struct Talk {
    person: Person,
    plan: Plan,
    /// What times in messages are counted from.
    epoch: Instant,
    said: u64,
    last_seq: u64,
    in_flight: VecDeque<Instant>,
    tally: Tally,
}

impl Talk {
    fn new(person: Person, plan: Plan, epoch: Instant) -> Self {
        Self {
            person,
            plan,
            epoch,
            said: 0,
            last_seq: 0,
            in_flight: VecDeque::new(),
            tally: Tally::default(),
        }
    }

    async fn run(mut self) -> Tally {
        if let Err(lost) = self.talk_it_out().await {
            self.tally.broken.push(lost.to_string());
        }
        self.tally
    }

    async fn talk_it_out(&mut self) -> Result<(), Lost> {
        let all = self.plan.messages;
        while self.tally.acked < all || self.tally.delivered < all {
            while self.said < all && self.in_flight.len() < self.plan.window {
                self.say_one().await?;
            }
            self.person.socket.flush().await?;
            match self.person.socket.hear().await? {
                Frame::NewMessage { message } => self.heard(&message),
                Frame::Other => {}
                other => return Err(Lost::Garbled(format!("{other:?}"))),
            }
        }
        Ok(())
    }

    async fn say_one(&mut self) -> Result<(), Lost> {
        let micros = self.epoch.elapsed().as_micros();
        let number = self.said;
        let content =
            format!("{micros} I say what I have to say, which is not much: 秘語 {number}");
        let action = send(&content, &number.to_string(), None);
        self.said += 1;
        self.in_flight.push_back(Instant::now());
        self.person.socket.say(&action).await
    }

    fn heard(&mut self, message: &Message) {
        if message.seq != self.last_seq + 1 {
            self.tally.gaps += 1;
        }
        self.last_seq = self.last_seq.max(message.seq);
        let mine = message.sender_id == self.person.seat.user_id;
        let expected = if mine {
            self.tally.acked
        } else {
            self.tally.delivered
        };
        let number: u64 = message.client_id.parse().unwrap_or(u64::MAX);
        match number.cmp(&expected) {
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Less => {
                self.tally.doubled += 1;
                return;
            }
            std::cmp::Ordering::Greater => self.tally.reordered += 1,
        }
        if mine {
            self.tally.acked += 1;
            if let Some(said) = self.in_flight.pop_front() {
                self.tally.ack.push(micros(said.elapsed().as_micros()));
            }
            return;
        }
        self.tally.delivered += 1;
        let content = message.content.as_deref().unwrap_or_default();
        let sent = content.split(' ').next().and_then(|it| it.parse().ok());
        let now = self.epoch.elapsed().as_micros();
        self.tally
            .delivery
            .push(micros(now.saturating_sub(sent.unwrap_or(0))));
    }
}

fn micros(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
