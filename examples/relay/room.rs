//! Rooms of two: a counter, a mailbox a side, one lock around them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper_tungstenite::tungstenite::{Message, Utf8Bytes};
use parking_lot::Mutex;

use super::{Socket, json};

/// One side of a room.
#[derive(Clone, Copy)]
pub struct Seat {
    /// Which room.
    pub room: u64,
    /// 0 or 1.
    pub side: usize,
}

impl Seat {
    /// From a chat socket's query; nothing at other sockets.
    pub fn parse(query: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|it| it.split_once('='));
            pairs.find_map(|(key, value)| (key == name).then(|| value.parse::<u64>().ok())?)
        };
        let side = usize::from(value("token")? != 0);
        let room = value("room")?;
        Some(Self { room, side })
    }
}

/// All rooms.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<u64, Arc<Room>>>);

/// A room.
pub struct Room(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    last_seq: u64,
    mailboxes: [Mailbox; 2],
    left: usize,
}

#[derive(Default)]
struct Mailbox {
    frames: Vec<Utf8Bytes>,
    reader: Option<Waker>,
}

impl Rooms {
    /// A new one's two seats.
    pub fn make(&self, room: u64) -> [Seat; 2] {
        let inside = Arc::new(Room(Mutex::default()));
        self.0.lock().insert(room, inside);
        [0, 1].map(|side| Seat { room, side })
    }

    /// This room.
    pub fn find(&self, room: u64) -> Option<Arc<Room>> {
        self.0.lock().get(&room).cloned()
    }

    /// Forgets a room that no side came to.
    pub fn drop_unused(&self, seat: Seat) {
        self.0.lock().remove(&seat.room);
    }

    /// One side has left; with the second the room is gone.
    pub fn forget(&self, room: &Room, seat: Seat) {
        let left = {
            let mut inside = room.0.lock();
            inside.mailboxes[seat.side] = Mailbox::default();
            inside.left += 1;
            inside.left
        };
        if left == 2 {
            self.drop_unused(seat);
        }
    }
}

impl Room {
    /// Numbers what was said and puts it into both mailboxes.
    fn publish(&self, said: &json::Said<'_>, seat: Seat, sender_id: &str) {
        let mut inside = self.0.lock();
        inside.last_seq += 1;
        let frame = Utf8Bytes::from(json::new_message(said, inside.last_seq, sender_id));
        let there = &mut inside.mailboxes[1 - seat.side];
        there.frames.push(frame.clone());
        let reader = there.reader.take();
        // The sender looks into its own mailbox before it sleeps.
        inside.mailboxes[seat.side].frames.push(frame);
        drop(inside);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Swaps an empty batch for what waits; asks to be woken when nothing does.
    fn poll_take(&self, seat: Seat, batch: &mut Vec<Utf8Bytes>, cx: &Context<'_>) -> Poll<()> {
        let mut inside = self.0.lock();
        let here = &mut inside.mailboxes[seat.side];
        if !here.frames.is_empty() {
            mem::swap(&mut here.frames, batch);
            return Poll::Ready(());
        }
        match &mut here.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// Relays until the socket is closed; with one flush for everything that waits, or one for each frame.
pub async fn talk(room: &Room, seat: Seat, socket: &mut Socket, together: bool) {
    let sender_id = json::user_id(seat);
    let state = Message::text(json::room_state(seat));
    if socket.send(state).await.is_err() {
        return;
    }
    let mut batch = Vec::new();
    while poll_fn(|cx| poll_next(room, seat, &sender_id, socket, &mut batch, cx)).await {
        for frame in batch.drain(..).map(Message::Text) {
            let written = match together {
                true => socket.feed(frame).await,
                false => socket.send(frame).await,
            };
            if written.is_err() {
                return;
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// Publishes whatever arrived, then takes whatever is to be written: true, or false at the end.
fn poll_next(
    room: &Room,
    seat: Seat,
    sender_id: &str,
    socket: &mut Socket,
    batch: &mut Vec<Utf8Bytes>,
    cx: &mut Context<'_>,
) -> Poll<bool> {
    while let Poll::Ready(next) = socket.poll_next_unpin(cx) {
        match next {
            Some(Ok(Message::Text(text))) => {
                if let Some(said) = json::said(&text) {
                    room.publish(&said, seat, sender_id);
                }
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Poll::Ready(false),
            Some(Ok(_)) => {}
        }
    }
    room.poll_take(seat, batch, cx).map(|()| true)
}
