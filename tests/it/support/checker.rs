//! Compares what talkers were promised with what the server replays: on the socket to both sides and
//! over HTTP.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use serde_json::Value;

use super::binary::get_json;
use super::driver::{Frame, Message, Seat, Socket};
use super::talker::Journal;

/// A room's log as one side is sent it.
pub struct Replay {
    /// The frames as JSON, for comparing.
    pub frames: Vec<Value>,
    /// By seq.
    pub messages: BTreeMap<u64, Message>,
    /// Seq of each recall, and of what.
    pub recalls: BTreeMap<u64, u64>,
    /// The newest entry, as the room says.
    pub last_seq: u64,
    /// The room is open.
    pub active: bool,
}

impl Replay {
    /// The whole log, over a socket.
    pub async fn of(address: SocketAddr, seat: &Seat) -> Self {
        let opened = Socket::open(address, &seat.path(0)).await;
        let mut socket = opened.unwrap_or_else(|error| panic!("{seat:?}: {error:?}"));
        let Ok(Frame::RoomState { last_seq, active }) = socket.hear().await else {
            panic!("{seat:?}: the first frame is no room_state");
        };
        let mut replay = Self {
            frames: Vec::new(),
            messages: BTreeMap::new(),
            recalls: BTreeMap::new(),
            last_seq,
            active,
        };
        let mut seq = 0;
        while seq < last_seq {
            let text = socket.hear_text().await.expect("the rest of the log");
            let frame = serde_json::from_str(&text).expect("a known frame");
            let Some(next) = replay.take(frame) else {
                continue;
            };
            assert!(next > seq, "{seat:?}: {next} after {seq}");
            seq = next;
            let json = serde_json::from_str(&text).expect("it is JSON");
            replay.frames.push(json);
        }
        socket.close().await;
        replay
    }

    /// Its seq when it is an entry.
    fn take(&mut self, frame: Frame) -> Option<u64> {
        match frame {
            Frame::NewMessage { message } => {
                let seq = message.seq;
                self.messages.insert(seq, message);
                Some(seq)
            }
            Frame::MessageRecalled {
                message_id, seq, ..
            } => {
                let target = message_id.parse().expect("a seq");
                self.recalls.insert(seq, target);
                Some(seq)
            }
            Frame::UserLeft { seq, .. } => Some(seq),
            _ => None,
        }
    }
}

/// The whole log over HTTP, by small pages.
pub async fn pages(address: SocketAddr, seat: &Seat) -> Vec<Value> {
    let mut frames = Vec::new();
    let mut after = 0;
    loop {
        let path = seat.api(&format!("messages/?after={after}&limit=150"));
        let (status, page) = get_json(address, &path).await;
        assert_eq!(status, 200, "{page}");
        frames.extend(page["entries"].as_array().expect("entries").iter().cloned());
        let upto = page["upto"].as_u64().expect("upto");
        if upto == page["last_seq"].as_u64().expect("last_seq") {
            return frames;
        }
        assert!(upto > after, "a page that goes nowhere: {page}");
        after = upto;
    }
}

/// Checks a room against what its two sides were promised; answers every broken promise.
async fn check(address: SocketAddr, sides: [&Journal; 2]) -> Vec<String> {
    let mut wrong = Vec::new();
    let replays = [
        Replay::of(address, &sides[0].seat).await,
        Replay::of(address, &sides[1].seat).await,
    ];
    if replays[0].frames != replays[1].frames {
        wrong.push("the sides are sent different logs".to_owned());
    }
    if pages(address, &sides[0].seat).await != replays[0].frames {
        wrong.push("HTTP and socket replay differently".to_owned());
    }
    let replay = &replays[0];
    check_log(replay, &mut wrong);
    for side in sides {
        check_side(replay, side, &mut wrong);
        if side.last > replay.last_seq {
            wrong.push(format!("saw {} of {}", side.last, replay.last_seq));
        }
    }
    let promised: usize = sides.iter().map(|side| side.acked.len()).sum();
    if promised != replay.messages.len() {
        let stored = replay.messages.len();
        wrong.push(format!("{promised} acknowledged, {stored} stored"));
    }
    let room = &sides[0].seat.room;
    wrong.iter().map(|what| format!("{room}: {what}")).collect()
}

/// Checks the rooms of all these, both sides of each; answers every broken promise.
pub async fn check_all(address: SocketAddr, journals: &[Journal]) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in journals {
        let partner =
            |it: &&Journal| it.seat.room == one.seat.room && it.seat.user_id != one.seat.user_id;
        let other = journals.iter().find(partner).expect("rooms have two sides");
        if one.seat.user_id < other.seat.user_id {
            wrong.extend(check(address, [one, other]).await);
        }
    }
    wrong
}

/// Most characters of a quote.
const QUOTE: usize = 200;

/// Whether a message quotes what another one says: all of it, or its beginning, and then it says so.
fn is_quoted(quoted: &Message, by: &Message) -> bool {
    let (Some(text), Some(quote), true) =
        (&quoted.content, &by.replied_to_content, by.replied_to_cut)
    else {
        return quoted.content == by.replied_to_content && !by.replied_to_cut;
    };
    quote.chars().count() == QUOTE && quote.len() < text.len() && text.starts_with(quote.as_str())
}

/// What holds for every log: open, no gap, each name once, recalled text gone from quotes too.
fn check_log(replay: &Replay, wrong: &mut Vec<String>) {
    if !replay.active {
        wrong.push("the room is closed".to_owned());
    }
    let seqs = replay.messages.keys().chain(replay.recalls.keys());
    let mut seqs: Vec<u64> = seqs.copied().collect();
    seqs.sort_unstable();
    if !seqs.iter().copied().eq(1..=replay.last_seq) {
        wrong.push(format!("gaps: {seqs:?} of {}", replay.last_seq));
    }
    let mut names: HashMap<(&str, &str), u64> = HashMap::new();
    for (seq, message) in &replay.messages {
        let name = (&*message.sender_id, &*message.client_id);
        if let Some(other) = names.insert(name, *seq) {
            wrong.push(format!("{name:?} is both {other} and {seq}"));
        }
        let quoted = message.replied_to.as_ref().and_then(|it| it.parse().ok());
        let quoted = quoted.map(|seq: u64| replay.messages.get(&seq));
        if quoted.is_some_and(|it| it.is_none_or(|it| !is_quoted(it, message))) {
            wrong.push(format!("{seq} quotes what is not there: {message:?}"));
        }
    }
    for target in replay.recalls.values() {
        let gone = replay.messages.get(target);
        if !gone.is_some_and(|it| it.recalled && it.content.is_none()) {
            wrong.push(format!("{target} was recalled: {gone:?}"));
        }
    }
}

fn check_side(replay: &Replay, side: &Journal, wrong: &mut Vec<String>) {
    let mut in_order: Vec<(u32, u64)> = Vec::new();
    for (client_id, (seq, content)) in &side.acked {
        let stored = replay.messages.get(seq);
        let kept = stored.is_some_and(|it| {
            let gone = side.recalled.contains(seq);
            let said = if gone { None } else { Some(content) };
            it.client_id == *client_id && it.content.as_ref() == said
        });
        if !kept {
            wrong.push(format!("acknowledged {client_id} at {seq}: {stored:?}"));
        }
        let number = client_id.strip_prefix("m-").and_then(|it| it.parse().ok());
        in_order.push((number.unwrap_or_default(), *seq));
    }
    in_order.sort_unstable();
    // A refused one is said again after later ones were taken: then the order is another, rightly.
    let ordered = in_order.windows(2).all(|pair| pair[0].1 < pair[1].1);
    if side.unavailable == 0 && !ordered {
        wrong.push(format!("out of order: {in_order:?}"));
    }
}
