//! One batch as one transaction of two steps. First its rooms are locked and what its ops need is read, later
//! than the locks, so whatever another node committed meanwhile is seen; then [`Batch`] decides; then what
//! has changed is written, each kind of row by one statement, and committed. Each step is sent at once.

use std::collections::HashSet;

use tokio_postgres::Row;

use super::columns::{Asks, Changes, Grown, NewEntries, NewRooms, Param, Whole};
use super::decide::Batch;
use super::error::BackendError;
use super::messages::{Messages, Wanted};
use super::reactions::Reactions;
use super::room_state::{Leases, RoomState};
use super::rows::{self, get, millis};
use super::shared::Shared;
use super::statements::{Asked, all, ask, say};
use super::write_op::{Done, WriteOp};
use super::write_shard::{Link, People};
use crate::clock::up;
use crate::domain::id::{RoomId, Timestamp};

/// What each op came to; that of one may be damage.
pub(super) type Dones = Vec<Result<Done, BackendError>>;

/// A batch of a shard, on its connection.
pub(super) struct Transaction<'a> {
    pub(super) shared: &'a Shared,
    pub(super) link: &'a Link,
    /// Whose shard, and its batch's number there.
    pub(super) shard: i16,
    pub(super) batch: i64,
    pub(super) people: &'a People,
}

/// The rows that a transaction begins with.
struct Begun {
    /// How long this machine had run when it was asked for.
    at: i64,
    opened: Vec<Row>,
    locked: Vec<Row>,
    clock: Vec<Row>,
    leases: Vec<Row>,
    reactions: Vec<Row>,
    messages: Vec<Row>,
}

impl Transaction<'_> {
    /// Does all of them, or none. Afterwards the connection is in no transaction, unless it is lost.
    pub(super) async fn run(&self, ops: &[&WriteOp]) -> Result<Dones, BackendError> {
        let done = self.attempt(ops).await;
        if done.is_err() {
            // Whether that is heard or not: what cannot be said to the server ends with the connection.
            let _ = self.link.client.batch_execute("ROLLBACK").await;
        }
        done
    }

    async fn attempt(&self, ops: &[&WriteOp]) -> Result<Dones, BackendError> {
        let mut batch = self.read(ops).await?;
        let dones: Dones = ops.iter().map(|op| batch.apply(op)).collect();
        let seqs = dones.iter().map(|done| {
            let made = done.as_ref().ok().and_then(|done| done.made.as_ref());
            made.map_or(0, |entry| rows::int(entry.seq))
        });
        let seqs: Vec<i64> = seqs.collect();
        self.write(&batch, &seqs).await?;
        let dones = dones.into_iter().zip(ops);
        let told = dones.map(|(done, op)| self.with_people(done?, op.room(), &batch));
        Ok(told.collect())
    }

    /// With the people that the new entry is told, if it made one.
    fn with_people(
        &self,
        mut done: Done,
        room: RoomId,
        batch: &Batch<'_>,
    ) -> Result<Done, BackendError> {
        let Some(entry) = &done.made else {
            return Ok(done);
        };
        let state = batch.rooms.get(&room);
        done.calls = state.is_some_and(|state| state.calls(&entry.kind));
        if let Some(known) = self.people.peek(&room) {
            done.people = Some(known.clone());
            return Ok(done);
        }
        let column = state.and_then(|state| Some((state.no, state.people.as_ref()?)));
        let (no, column) = column.ok_or(BackendError::Damaged("an entry without people"))?;
        done.people = Some((no, rows::people(room, column)?));
        Ok(done)
    }

    /// Locks the rooms of these ops and reads what they need.
    async fn read(&self, ops: &[&WriteOp]) -> Result<Batch<'_>, BackendError> {
        let (shared, link) = (self.shared, self.link);
        let (client, statements) = (&link.client, &link.statements);
        let asks = Asks::of(ops, self.people);
        let (now, node) = (shared.now(), shared.node());
        let arrival = millis(shared.rules.arrival);
        let new = NewRooms::of(ops);
        let Wanted {
            reacted,
            named,
            placed,
        } = &asks.wanted;
        let open = new.params(&now, &arrival);
        let lock: [Param<'_>; 2] = [&asks.rooms, &asks.strangers];
        let begin: [Param<'_>; 4] = [&now, &node, &self.shard, &link.epoch];
        let reactions: [Param<'_>; 5] = [
            &reacted.rooms,
            &reacted.numbers,
            &reacted.sides,
            &reacted.seqs,
            &reacted.names,
        ];
        let by_name: [Param<'_>; 4] = [&named.rooms, &named.numbers, &named.sides, &named.names];
        let by_seq: [Param<'_>; 3] = [&placed.rooms, &placed.numbers, &placed.seqs];
        let locked = match asks.presence {
            true => &statements.lock_presence,
            false => &statements.lock,
        };
        let mut asked = vec![
            say(client, "BEGIN"),
            ask(client, locked, &lock),
            ask(client, &statements.begin, &begin),
        ];
        // Before the rooms are locked, so that the new ones are among them; in the order of their ids, too.
        let opens = !new.ids.is_empty();
        if opens {
            asked.insert(1, ask(client, &statements.open, &open));
        }
        if asks.presence {
            asked.push(ask(client, &statements.leases, &[]));
        }
        let reacts = !reacted.rooms.is_empty();
        if reacts {
            asked.push(ask(client, &statements.reacted, &reactions));
        }
        if !named.rooms.is_empty() {
            asked.push(ask(client, &statements.by_name, &by_name));
        }
        if !placed.rooms.is_empty() {
            asked.push(ask(client, &statements.by_seq, &by_seq));
        }
        let begun = up();
        let answers = all(asked).await?;
        let mut answers = answers.into_iter().skip(1);
        let mut next = || answers.next().unwrap_or_default();
        let opened = if opens { next() } else { Vec::new() };
        let (locked, clock) = (next(), next());
        let leases = if asks.presence { next() } else { Vec::new() };
        let reactions = if reacts { next() } else { Vec::new() };
        let begun = Begun {
            at: begun,
            opened,
            locked,
            clock,
            leases,
            reactions,
            messages: answers.flatten().collect(),
        };
        self.batch(&begun)
    }

    /// What the ops are decided by, of what the server answered.
    fn batch(&self, begun: &Begun) -> Result<Batch<'_>, BackendError> {
        let shared = self.shared;
        let clock = begun.clock.first();
        let clock = clock.ok_or(BackendError::Damaged("no clock"))?;
        let now = Timestamp(get(clock, "o_now")?);
        if shared.is_off(now, begun.at) {
            return Err(BackendError::ClockSet);
        }
        let opened = begun.opened.iter().map(|row| Ok(RoomId(get(row, "id")?)));
        let rooms = begun.locked.iter().map(RoomState::read);
        Ok(Batch {
            rules: &shared.rules,
            lease: shared.tuning.lease,
            at_max_size: shared.at_max_size(),
            label: Timestamp(get(clock, "o_label")?),
            leases: Leases::read(now, &begun.leases)?,
            rooms: rooms.collect::<Result<_, _>>()?,
            opened: opened.collect::<Result<HashSet<_>, BackendError>>()?,
            messages: Messages::read(&begun.messages, Reactions::read(&begun.reactions)?)?,
            renewed: Vec::new(),
        })
    }

    /// Writes what has changed, remembers the batch, and commits.
    async fn write(&self, batch: &Batch<'_>, seqs: &[i64]) -> Result<(), BackendError> {
        let (client, statements) = (&self.link.client, &self.link.statements);
        let now = batch.leases.now.0;
        let lease = millis(self.shared.tuning.lease);
        let renewed: Vec<i64> = batch.renewed.iter().map(|it| it.0.cast_signed()).collect();
        let renewed: Vec<[Param<'_>; 3]> = renewed
            .iter()
            .map(|node| [&now as Param<'_>, node, &lease])
            .collect();
        let entries = NewEntries::of(&batch.messages, batch.label);
        let changes = Changes::of(&batch.messages);
        let grown = Grown::of(batch.rooms.values());
        let whole = Whole::of(batch);
        let (insert, change) = (entries.params(), changes.params());
        let (grow, write_whole) = (grown.params(), whole.params());
        let node = self.shared.node();
        let end: [Param<'_>; 4] = [&node, &self.shard, &self.batch, &seqs];

        let mut asked: Vec<Asked<'_>> = Vec::new();
        for params in &renewed {
            asked.push(ask(client, &statements.renew, params));
        }
        if !entries.rooms.is_empty() {
            asked.push(ask(client, &statements.insert, &insert));
        }
        if !changes.rooms.is_empty() {
            asked.push(ask(client, &statements.change, &change));
        }
        if !grown.rooms.is_empty() {
            asked.push(ask(client, &statements.grow, &grow));
        }
        if !whole.grown.rooms.is_empty() {
            asked.push(ask(client, &statements.write_whole, &write_whole));
        }
        asked.push(ask(client, &statements.end, &end));
        asked.push(say(client, "COMMIT"));
        all(asked).await?;
        Ok(())
    }
}
