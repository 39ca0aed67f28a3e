//! A client that goes on talking whatever happens to the server: keeps a window of unacknowledged
//! messages, recalls some, repeats what was not acknowledged, comes back with `after`, and writes down
//! what it was promised and what it saw. What it saw wrong is a violation; it never panics itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::driver::{Frame, Lost, Message, Seat, Socket, recall, send};
use super::fixture::Fixture;

/// Unacknowledged messages at once.
const WINDOW: usize = 4;
/// Before a lost connection or a refused action is tried again.
const PAUSE: Duration = Duration::from_millis(20);
/// Close codes after which the protocol lets a client come back; 1005 and 1006 are broken sockets.
const MAY_RETURN: [u16; 5] = [1001, 1005, 1006, 4001, 4002];

/// What one side was promised and saw.
pub struct Journal {
    /// The side of a room that it is of.
    pub seat: Seat,
    /// The newest entry seen.
    pub last: u64,
    /// Own messages that were acknowledged, by `client_id`: seq and content.
    pub acked: HashMap<String, (u64, String)>,
    /// Own messages that were taken back, by seq.
    pub recalled: BTreeSet<u64>,
    /// Close codes of the connections lost; 1006 for one that just broke.
    pub closed: Vec<u16>,
    /// Connections lost or refused, repeats answered, actions answered `unavailable`.
    pub lost: u64,
    pub repeats: u64,
    pub unavailable: u64,
    /// What must not have happened.
    pub violations: Vec<String>,
}

/// A talker at work.
pub struct Talker {
    fixture: Fixture,
    /// Which of the servers it is at, counted round and round.
    spot: usize,
    spoke: Option<Instant>,
    journal: Journal,
    said: u32,
    /// Not acknowledged yet, in the order of saying.
    pending: BTreeMap<u32, Value>,
    /// Recalls asked for: target and action, by the recall's own `client_id`.
    recalling: HashMap<String, (u64, Value)>,
    /// Acknowledged ones said again, which must be answered as a repeat.
    again: HashMap<String, Value>,
    /// Acknowledged ids used for other words, which must be refused.
    clashing: HashMap<String, Value>,
    /// The partner's newest message, to answer it.
    heard: Option<u64>,
}

impl Talker {
    /// On this seat.
    pub fn new(seat: Seat, fixture: Fixture) -> Self {
        Self {
            fixture,
            spot: 0,
            spoke: None,
            journal: Journal {
                seat,
                last: 0,
                acked: HashMap::new(),
                recalled: BTreeSet::new(),
                closed: Vec::new(),
                lost: 0,
                repeats: 0,
                unavailable: 0,
                violations: Vec::new(),
            },
            said: 0,
            pending: BTreeMap::new(),
            recalling: HashMap::new(),
            again: HashMap::new(),
            clashing: HashMap::new(),
            heard: None,
        }
    }

    /// Beginning at this one of the servers.
    pub fn at(mut self, spot: usize) -> Self {
        self.spot = spot;
        self
    }

    /// Talks until stopped and everything is answered.
    pub async fn run(mut self) -> Journal {
        while self.journal.violations.is_empty() {
            let Some(address) = self.server() else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            match self.converse(address).await {
                Ok(()) => break,
                Err(Lost::Closed(code)) if MAY_RETURN.contains(&code) => {
                    self.journal.closed.push(code);
                }
                Err(Lost::Refused(_)) => {}
                Err(lost) => self.wrong(format!("{lost} with {} open", self.open())),
            }
            self.journal.lost += 1;
            self.spot += 1;
            tokio::time::sleep(PAUSE).await;
        }
        self.journal
    }

    fn server(&self) -> Option<SocketAddr> {
        self.fixture.server(&self.journal.seat, self.spot)
    }

    /// One connection's life.
    async fn converse(&mut self, address: SocketAddr) -> Result<(), Lost> {
        let path = self.journal.seat.path(self.journal.last);
        let mut socket = Socket::open(address, &path).await?;
        for action in self.everything_open() {
            socket.say(&action).await?;
        }
        loop {
            let stopped = self.fixture.stopped();
            if stopped && self.open() == 0 {
                socket.close().await;
                return Ok(());
            }
            let mut patience = None;
            while !stopped && self.pending.len() < WINDOW {
                patience = self.pause();
                if patience.is_some() {
                    break;
                }
                let action = self.say_more();
                socket.say(&action).await?;
            }
            socket.flush().await?;
            let hearing = socket.hear();
            let frame = match patience {
                None => hearing.await?,
                Some(pause) => match tokio::time::timeout(pause, hearing).await {
                    Ok(heard) => heard?,
                    Err(_) => continue,
                },
            };
            let (refused, answers) = self.hear(frame);
            if refused {
                tokio::time::sleep(PAUSE).await;
            }
            if !self.journal.violations.is_empty() {
                return Ok(());
            }
            for action in answers {
                socket.say(&action).await?;
            }
        }
    }

    /// How long it keeps silent now; `None`: it is its turn to speak.
    fn pause(&self) -> Option<Duration> {
        let pace = self.fixture.paced();
        let left = pace.checked_sub(self.spoke?.elapsed())?;
        (left > Duration::ZERO).then_some(left)
    }

    fn open(&self) -> usize {
        self.pending.len() + self.recalling.len() + self.again.len() + self.clashing.len()
    }

    fn everything_open(&self) -> Vec<Value> {
        let recalls = self.recalling.values().map(|(_, action)| action);
        let others = self.again.values().chain(self.clashing.values());
        let all = self.pending.values().chain(recalls).chain(others);
        all.cloned().collect()
    }

    fn say_more(&mut self) -> Value {
        self.said += 1;
        self.spoke = Some(Instant::now());
        let number = self.said;
        let reply = self.heard.filter(|_| number.is_multiple_of(3));
        let content = words(number, &self.journal.seat);
        let action = send(&content, &format!("m-{number}"), reply);
        self.pending.insert(number, action.clone());
        action
    }

    fn wrong(&mut self, what: String) {
        let Seat { room, user_id, .. } = &self.journal.seat;
        let text = format!("{room} {user_id}: {what}");
        // A test that waits for this talker in vain sees why.
        eprintln!("a talker stops: {text}");
        self.journal.violations.push(text);
    }

    /// Takes note of a frame; answers what to say to it, and whether to wait before that.
    fn hear(&mut self, frame: Frame) -> (bool, Vec<Value>) {
        match frame {
            Frame::RoomState { active: true, .. } | Frame::Other => {}
            Frame::NewMessage { message } => return (false, self.message(message)),
            Frame::MessageRecalled {
                message_id,
                client_id,
                seq,
            } => {
                self.entry(seq);
                self.was_recalled(&message_id, &client_id);
            }
            Frame::Error { code, client_id } => {
                let again = self.refusal(&code, client_id.as_deref().unwrap_or_default());
                return (true, again.into_iter().collect());
            }
            other => self.wrong(format!("unexpected {other:?}")),
        }
        (false, Vec::new())
    }

    /// Entries come in order, each once.
    fn entry(&mut self, seq: u64) {
        if seq != self.journal.last + 1 {
            self.wrong(format!("entry {seq} after {}", self.journal.last));
        }
        self.journal.last = seq;
    }

    fn message(&mut self, message: Message) -> Vec<Value> {
        if !message.repeat {
            self.entry(message.seq);
        }
        let own = message.sender_id == self.journal.seat.user_id;
        self.fixture.heard(&self.journal.seat.room, own);
        if !own {
            self.heard = Some(message.seq);
            if message.repeat {
                self.wrong(format!("somebody else's repeat: {message:?}"));
            }
            return Vec::new();
        }
        let number = message.client_id.strip_prefix("m-");
        let Some(number) = number.and_then(|it| it.parse::<u32>().ok()) else {
            self.wrong(format!("never said: {message:?}"));
            return Vec::new();
        };
        let content = words(number, &self.journal.seat);
        if message.content.as_ref().is_some_and(|it| *it != content)
            || message.content.is_none() != message.recalled
        {
            self.wrong(format!("not what was said: {message:?}"));
        }
        if message.repeat {
            self.journal.repeats += 1;
            self.again.remove(&message.client_id);
        }
        self.acknowledged(number, message, content)
    }

    fn acknowledged(&mut self, number: u32, message: Message, content: String) -> Vec<Value> {
        let Message { seq, client_id, .. } = message;
        let first = self.pending.remove(&number).is_some();
        let known = self.journal.acked.get(&client_id).map(|(seq, _)| *seq);
        if known.is_some_and(|known| known != seq) || (known.is_none() && !first) {
            self.wrong(format!("{client_id} is {seq}, was {known:?}"));
        }
        if !first {
            return Vec::new();
        }
        self.fixture.count_acked();
        let journal = &mut self.journal;
        journal
            .acked
            .insert(client_id.clone(), (seq, content.clone()));
        self.make_trouble(number, seq, client_id, &content)
    }

    /// Some of what was acknowledged is taken back, said again, or its id used for other words.
    fn make_trouble(&mut self, number: u32, seq: u64, id: String, content: &str) -> Vec<Value> {
        let mut actions = Vec::new();
        if number % 7 == 3 {
            // Original clients name their own messages by client_id before they know the id.
            let target = match number % 2 {
                0 => seq.to_string(),
                _ => id.clone(),
            };
            let name = format!("r-{number}");
            let action = recall(&target, &name);
            self.recalling.insert(name, (seq, action.clone()));
            actions.push(action);
        }
        if number % 5 == 1 {
            let action = send(content, &id, None);
            self.again.insert(id, action.clone());
            actions.push(action);
        } else if clashes(number) {
            let action = send("other words under a known id", &id, None);
            self.clashing.insert(id, action.clone());
            actions.push(action);
        }
        actions
    }

    fn was_recalled(&mut self, target: &str, name: &str) {
        let ours = self.recalling.get(name).map(|(seq, _)| *seq);
        if ours.is_some_and(|seq| seq.to_string() == target) {
            self.recall_done(name);
        }
    }

    fn recall_done(&mut self, name: &str) {
        if let Some((seq, _)) = self.recalling.remove(name) {
            self.journal.recalled.insert(seq);
        }
    }

    /// An error; answers the action when it is to be tried again.
    fn refusal(&mut self, code: &str, client_id: &str) -> Option<Value> {
        match code {
            "unavailable" => {
                self.fixture.count_unavailable();
                self.journal.unavailable += 1;
                return self.still_open(client_id);
            }
            "client_id_reused" if self.clashing.remove(client_id).is_some() => {}
            // Asked again twice, for an answer that came too late and for a lost connection.
            "client_id_reused"
                if number_of(client_id).is_some_and(clashes) && self.asked_again() => {}
            // Asked again after a lost connection: it was done before.
            "already_recalled" if self.recalling.contains_key(client_id) => {
                self.recall_done(client_id);
            }
            // What was asked again, after a lost connection or an answer that came too late, may have
            // been done and told before the second asking is answered.
            "already_recalled" if client_id.starts_with("r-") && self.asked_again() => {}
            _ => self.wrong(format!("error {code} for {client_id}")),
        }
        None
    }

    fn asked_again(&self) -> bool {
        self.journal.lost > 0 || self.journal.unavailable > 0
    }

    fn still_open(&self, client_id: &str) -> Option<Value> {
        let number = number_of(client_id);
        let pending = number.and_then(|number| self.pending.get(&number));
        let recall = self.recalling.get(client_id).map(|(_, action)| action);
        let again = self.again.get(client_id);
        let open = pending.or(recall).or(again);
        open.or_else(|| self.clashing.get(client_id)).cloned()
    }
}

/// The number that this id was made of.
fn number_of(client_id: &str) -> Option<u32> {
    client_id.strip_prefix("m-")?.parse().ok()
}

/// Whether the id of this number is used again for other words, once it is acknowledged.
fn clashes(number: u32) -> bool {
    number % 5 == 2 && number % 7 != 3
}

/// What number `number` says: unlike everything else that is ever said, and of many lengths.
pub fn words(number: u32, seat: &Seat) -> String {
    let length = usize::try_from(number * 37 % 300).unwrap_or(0);
    let filler = "秘語 ".repeat(length / 3);
    format!("word {number} of {}. {filler}", seat.user_id)
        .trim()
        .to_owned()
}

/// The part of [`words`] that nothing else begins with.
pub fn opening(said: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    let end = said.find(|c| !plain(c)).unwrap_or(said.len());
    said[..end].trim_end()
}

/// All violations of these journals, once each.
pub fn violations(journals: &[Journal]) -> HashSet<String> {
    let all = journals.iter().flat_map(|it| it.violations.iter());
    all.cloned().collect()
}
