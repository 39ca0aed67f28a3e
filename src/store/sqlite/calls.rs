//! How sides of rooms are called: keeping it, and whose turn it is.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row};

use super::SqliteStore;
use super::error::SqliteError;
use super::jobs::Mode;
use super::rows;
use super::writer::Writer;
use crate::domain::id::{RoomId, Side, Timestamp};
use crate::domain::{Call, Subscription};
use crate::store::calls::{CallStep, Called};
use crate::store::{CallTurn, Calls, Pending};

impl Calls for SqliteStore {
    fn subscribe(
        &self,
        room: RoomId,
        side: Side,
        subscription: Option<Subscription>,
    ) -> Pending<bool> {
        let texts = subscription
            .as_ref()
            .map_or(0, |it| it.endpoint.len() + it.p256dh.len() + it.auth.len());
        self.ask_about(None, Mode::Write, texts, move |writer| {
            writer.subscribe(room, side, subscription)
        })
    }

    fn take_call(&self, room: RoomId, side: Side, call: Call) -> Pending<CallTurn> {
        self.ask(Mode::Write, move |writer| {
            writer.take_call(room, side, call)
        })
    }
}

impl Writer {
    fn subscribe(
        &mut self,
        room: RoomId,
        side: Side,
        subscription: Option<Subscription>,
    ) -> Result<bool, SqliteError> {
        let call_for = self.rules.call_for;
        let Some(cached) = self.cached(room)? else {
            return Ok(false);
        };
        let (no, mut state) = (cached.facts.no, cached.state);
        if state.departure.is_some() {
            return Ok(false);
        }
        let kept = subscription.is_some();
        state.sides[side.index()].call_for = kept.then_some(call_for);
        // The room's row last: once it is staged, nothing may fail any more.
        self.together(|writer| {
            match subscription {
                Some(subscription) => writer.keep_subscription(no, side, &subscription)?,
                None => writer.drop_subscription(no, side)?,
            }
            writer.change(room, state)
        })?;
        self.purged |= !kept;
        Ok(kept)
    }

    fn keep_subscription(
        &self,
        room: i64,
        side: Side,
        subscription: &Subscription,
    ) -> Result<(), SqliteError> {
        let mut keep = self.conn.prepare_cached(
            "INSERT INTO subscriptions (room, side, endpoint, p256dh, auth) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (room, side) DO UPDATE SET \
             endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth",
        )?;
        keep.execute((
            room,
            rows::size(side.index()),
            &subscription.endpoint,
            &subscription.p256dh,
            &subscription.auth,
        ))?;
        Ok(())
    }

    fn drop_subscription(&self, room: i64, side: Side) -> Result<(), SqliteError> {
        let mut erase = self
            .conn
            .prepare_cached("DELETE FROM subscriptions WHERE room = ?1 AND side = ?2")?;
        erase.execute((room, rows::size(side.index())))?;
        Ok(())
    }

    /// Those of a room that is over.
    pub(super) fn drop_subscriptions(&self, room: i64) -> Result<(), SqliteError> {
        let mut erase = self
            .conn
            .prepare_cached("DELETE FROM subscriptions WHERE room = ?1")?;
        erase.execute([room])?;
        Ok(())
    }

    fn take_call(&mut self, room: RoomId, side: Side, call: Call) -> Result<CallTurn, SqliteError> {
        let (rules, now) = (Arc::clone(&self.rules), self.now);
        let Some(cached) = self.cached(room)? else {
            return Ok(CallTurn::No);
        };
        let (no, room) = (cached.facts.no, cached.room(&rules));
        let kept = self.subscription(no, side)?;
        let step = match &kept {
            Some((_, called)) => called.step(call, &room, side, now),
            None => CallStep::Leave,
        };
        if let CallStep::Wait(wait) = step {
            return Ok(CallTurn::Wait(wait));
        }
        if room.departure.is_some() {
            self.drop_subscriptions(no)?;
            self.purged = true;
        }
        let Some((subscription, called)) = kept.filter(|_| step == CallStep::Make) else {
            return Ok(CallTurn::No);
        };
        let called = called.after(call, now);
        let mut note = self.conn.prepare_cached(
            "UPDATE subscriptions SET called_at = ?3, message_at = ?4 WHERE room = ?1 AND side = ?2",
        )?;
        note.execute((
            no,
            rows::size(side.index()),
            called.at.map(|at| at.0),
            called.for_message.map(|at| at.0),
        ))?;
        Ok(CallTurn::Now(subscription))
    }

    fn subscription(
        &self,
        room: i64,
        side: Side,
    ) -> Result<Option<(Subscription, Called)>, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT endpoint, p256dh, auth, called_at, message_at FROM subscriptions \
             WHERE room = ?1 AND side = ?2",
        )?;
        let found = read.query_row((room, rows::size(side.index())), kept);
        Ok(found.optional()?)
    }

    /// See [`crate::store::Upkeep::push_key`].
    pub(super) fn push_key(&mut self, fresh: &[u8]) -> Result<Vec<u8>, SqliteError> {
        let mut make = self
            .conn
            .prepare_cached("INSERT OR IGNORE INTO secrets (name, value) VALUES ('push', ?1)")?;
        make.execute([fresh])?;
        let mut read = self
            .conn
            .prepare_cached("SELECT value FROM secrets WHERE name = 'push'")?;
        Ok(read.query_row([], |row| row.get(0))?)
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<(Subscription, Called)> {
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
    let subscription = Subscription {
        endpoint: row.get(0)?,
        p256dh: row.get(1)?,
        auth: row.get(2)?,
    };
    let called = Called {
        at: time(3)?,
        for_message: time(4)?,
    };
    Ok((subscription, called))
}
