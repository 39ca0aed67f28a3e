//! What travels to a batcher: one deed as `run_batch` takes it, with the caller who waits for its
//! result; and one line of what `run_batch` answers.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use tokio_postgres::Row;
use uuid::Uuid;

use super::error::Fault;
use super::rows::{self, RoomColumns, get};
use crate::domain::id::{Address, RoomId, SessionId, Side, Timestamp};
use crate::domain::{Entry, EntryKind, MessageRef, Quote};
use crate::store::{Marks, Refusal, StoreError};

/// What the place of an answer takes.
const ANSWER: usize = 256;

/// What is done. The numbers are `run_batch`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Append = 0,
    Recall = 1,
    Hide = 2,
    Open = 3,
    Arrive = 4,
    Depart = 5,
    Mark = 6,
    Close = 7,
    Expire = 8,
    /// Does nothing: answered when everything before it was done.
    Barrier,
}

/// One deed. Which columns mean something depends on the kind; see `V4__bounds.sql`.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) kind: Kind,
    pub(super) room: RoomId,
    pub(super) side: Option<Side>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) seq: Option<i64>,
    pub(super) reference: Option<Vec<u8>>,
    pub(super) sessions: [Option<SessionId>; 2],
    pub(super) connection: Option<Address>,
    pub(super) marks: Marks,
    pub(super) flag: bool,
}

impl Deed {
    /// A deed with nothing but this.
    pub(super) fn new(kind: Kind, room: RoomId, side: Option<Side>) -> Self {
        Self {
            kind,
            room,
            side,
            name: None,
            body: None,
            seq: None,
            reference: None,
            sessions: [None; 2],
            connection: None,
            marks: Marks::default(),
            flag: false,
        }
    }

    /// What it takes in memory, in bytes, with the place of its answer.
    pub(super) fn bytes(&self) -> usize {
        let texts = [&self.name, &self.body, &self.reference].into_iter();
        let texts = texts.flatten().map(Vec::len).sum::<usize>();
        size_of::<Job>() + ANSWER + texts
    }

    /// The same, about this message.
    pub(super) fn about(mut self, target: MessageRef) -> Self {
        match target {
            MessageRef::Seq(seq) => self.seq = Some(rows::int(seq)),
            MessageRef::ClientId(name) => self.reference = Some(name.into_bytes()),
        }
        self
    }
}

/// How a deed ended. The numbers are `run_batch`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Repeat,
    Refused(Refusal),
    Conflict,
    Nothing,
    /// The room's people are to be told when it closes.
    Closing,
    /// The data has the size that `store.max_size` allows.
    MaxSize,
}

impl Outcome {
    /// It took effect, now and for the first time.
    pub(super) fn is_done(self) -> bool {
        self == Self::Done
    }

    fn of(code: i16) -> Result<Self, Fault> {
        Ok(match code {
            0 => Self::Done,
            1 => Self::Repeat,
            2 => Self::Refused(Refusal::RoomClosed),
            3 => Self::Refused(Refusal::RoomFull),
            4 => Self::Refused(Refusal::NoSuchMessage),
            5 => Self::Refused(Refusal::NotYours),
            6 => Self::Refused(Refusal::AlreadyRecalled),
            7 => Self::Refused(Refusal::ClientIdReused),
            8 => Self::Conflict,
            9 => Self::Nothing,
            10 => Self::Closing,
            11 => Self::MaxSize,
            _ => return Err(Fault::Damaged("an outcome of no known kind")),
        })
    }
}

/// What one deed came to.
pub(super) struct Line {
    pub(super) outcome: Outcome,
    /// The entry that it made, or that was there.
    pub(super) entry: Option<Arc<Entry>>,
    /// The message that was hidden.
    pub(super) target: Option<i64>,
    pub(super) side: Option<Side>,
    pub(super) version: Option<i64>,
    pub(super) room: Option<RoomColumns>,
    /// When the room closes by itself, if its people are to be told that now.
    pub(super) closes_at: Option<Timestamp>,
    /// Both personas, when asked for.
    pub(super) people: Option<Vec<u8>>,
    /// By how much this changed the number of open rooms of two people.
    pub(super) opened: i64,
}

impl Line {
    /// An entry that was found to have been made.
    pub(super) fn made(entry: Entry) -> Self {
        Self {
            outcome: Outcome::Done,
            entry: Some(Arc::new(entry)),
            target: None,
            side: None,
            version: None,
            room: None,
            closes_at: None,
            people: None,
            opened: 0,
        }
    }

    /// Nothing needed to be done.
    pub(super) fn nothing() -> Self {
        Self {
            outcome: Outcome::Nothing,
            entry: None,
            target: None,
            side: None,
            version: None,
            room: None,
            closes_at: None,
            people: None,
            opened: 0,
        }
    }

    /// What `run_batch` answers to this deed.
    pub(super) fn read(deed: &Deed, row: &Row) -> Result<Self, Fault> {
        let outcome = Outcome::of(get(row, "o_outcome")?)?;
        let state: Option<Vec<Option<i64>>> = get(row, "o_state")?;
        let done = outcome == Outcome::Done;
        let people_count = match (deed.kind, &state) {
            (Kind::Open, _) if done && !deed.flag => 1,
            (Kind::Close | Kind::Expire, Some(state))
                if done && state.first() == Some(&Some(0)) =>
            {
                -1
            }
            _ => 0,
        };
        let side = get::<Option<i16>>(row, "o_side")?;
        let people: Option<Vec<u8>> = get(row, "o_people")?;
        let (people, room) = match (deed.kind, people, state) {
            (Kind::Arrive, Some(people), Some(state)) => {
                let columns = RoomColumns {
                    id: deed.room.0,
                    people,
                    tags: get(row, "o_tags")?,
                    sessions: [get(row, "o_session_a")?, get(row, "o_session_b")?],
                    state,
                };
                (None, Some(columns))
            }
            (_, people, _) => (people, None),
        };
        let closes_at = match outcome {
            Outcome::Closing => Some(Timestamp(get(row, "o_at")?)),
            _ => None,
        };
        Ok(Self {
            outcome,
            closes_at,
            entry: entry(deed.kind, row)?,
            target: get(row, "o_quoted")?,
            side: side.map(|side| rows::side(side.into())).transpose()?,
            version: get(row, "o_version")?,
            room,
            people,
            opened: people_count,
        })
    }
}

fn entry(kind: Kind, row: &Row) -> Result<Option<Arc<Entry>>, Fault> {
    let Some(seq) = get::<Option<i64>>(row, "o_seq")? else {
        return Ok(None);
    };
    let side = rows::side(get::<i16>(row, "o_side")?.into())?;
    let kind = match kind {
        Kind::Append => EntryKind::Message {
            side,
            client_id: rows::text(get(row, "o_name")?)?,
            content: get::<Option<_>>(row, "o_body")?
                .map(rows::text)
                .transpose()?,
            reply: quote(row)?,
        },
        Kind::Recall => EntryKind::Recall {
            side,
            target: rows::seq(get(row, "o_quoted")?)?,
            client_id: rows::text(get(row, "o_name")?)?,
        },
        _ => EntryKind::Departure {
            side,
            reason: rows::reason(get::<i16>(row, "o_reason")?.into())?,
        },
    };
    Ok(Some(Arc::new(Entry {
        seq: rows::seq(seq)?,
        at: Timestamp(get(row, "o_at")?),
        kind,
    })))
}

fn quote(row: &Row) -> Result<Option<Quote>, Fault> {
    let Some(quoted) = get::<Option<i64>>(row, "o_quoted")? else {
        return Ok(None);
    };
    let content: Option<&[u8]> = get(row, "o_quoted_body")?;
    Ok(Some(Quote::of(
        rows::seq(quoted)?,
        rows::side(get::<i16>(row, "o_quoted_side")?.into())?,
        content.map(rows::text_here).transpose()?,
    )))
}

/// Tells the caller.
type Reply = Box<dyn FnOnce(Result<Line, StoreError>) + Send + Sync>;

/// A deed with the caller who waits for its result.
pub(super) struct Job {
    pub(super) deed: Deed,
    /// After this nobody waits for it any more, and it is not begun.
    pub(super) deadline: Instant,
    /// Its part of what may wait, until it is done.
    pub(super) held: Option<OwnedSemaphorePermit>,
    reply: Option<Reply>,
}

impl Job {
    /// Packs a deed together with the place where its answer will arrive.
    pub(super) fn new<T: Send + 'static>(
        deed: Deed,
        deadline: Instant,
        read: impl FnOnce(Line) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, answer) = oneshot::channel();
        let reply: Reply = Box::new(move |line| {
            let result = line.and_then(|line| read(line).map_err(|fault| fault.told()));
            // The caller may have given up: what was committed stays committed.
            drop(sender.send(result));
        });
        let job = Self {
            deed,
            deadline,
            held: None,
            reply: Some(reply),
        };
        (job, answer)
    }

    /// A deed that nobody waits for.
    pub(super) fn quiet(deed: Deed, deadline: Instant) -> Self {
        Self {
            deed,
            deadline,
            held: None,
            reply: None,
        }
    }

    /// Tells the caller, once.
    pub(super) fn answer(self, line: Result<Line, StoreError>) {
        if let Some(reply) = self.reply {
            reply(line);
        }
    }
}

/// The columns of a batch, each as one array.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) kinds: Vec<i16>,
    pub(super) rooms: Vec<Uuid>,
    pub(super) sides: Vec<Option<i16>>,
    pub(super) names: Vec<Option<&'a [u8]>>,
    pub(super) bodies: Vec<Option<&'a [u8]>>,
    pub(super) seqs: Vec<Option<i64>>,
    pub(super) references: Vec<Option<&'a [u8]>>,
    pub(super) sessions: Vec<Option<Uuid>>,
    pub(super) others: Vec<Option<Uuid>>,
    pub(super) nodes: Vec<Option<i64>>,
    pub(super) numbers: Vec<Option<i64>>,
    pub(super) cursors: Vec<i64>,
    pub(super) reads: Vec<i64>,
    pub(super) flags: Vec<bool>,
}

impl<'a> Columns<'a> {
    /// Adds a deed; `flag` says of an entry whether its people are wanted.
    pub(super) fn push(&mut self, deed: &'a Deed, flag: bool) {
        let connection = deed.connection;
        self.kinds.push(deed.kind as i16);
        self.rooms.push(deed.room.0);
        self.sides.push(deed.side.map(rows::side_code));
        self.names.push(deed.name.as_deref());
        self.bodies.push(deed.body.as_deref());
        self.seqs.push(deed.seq);
        self.references.push(deed.reference.as_deref());
        self.sessions.push(deed.sessions[0].map(rows::session));
        self.others.push(deed.sessions[1].map(rows::session));
        self.nodes
            .push(connection.map(|it| it.node.0.cast_signed()));
        self.numbers
            .push(connection.map(|it| it.number.cast_signed()));
        self.cursors.push(rows::int(deed.marks.cursor));
        self.reads.push(rows::int(deed.marks.read));
        self.flags.push(flag);
    }
}
