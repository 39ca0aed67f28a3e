//! How sides of rooms are called: keeping it, and whose turn it is. That a side can be called is noted by the
//! batchers, for it is a matter of the room; the subscription itself stands beside.

use tokio_postgres::Row;

use super::PostgresStore;
use super::error::BackendError;
use super::reads;
use super::rows::{get, side_code};
use super::shared::Shared;
use super::write_op::{Outcome, WriteOp};
use crate::domain::id::{RoomId, Side, Timestamp};
use crate::domain::{Call, Subscription};
use crate::store::calls::{CallStep, Called};
use crate::store::{CallTurn, Calls, Pending};

impl Calls for PostgresStore {
    fn subscribe(
        &self,
        room: RoomId,
        side: Side,
        subscription: Option<Subscription>,
    ) -> Pending<bool> {
        let op = WriteOp::Subscribe {
            room,
            side,
            callable: subscription.is_some(),
        };
        let noted = self.ask(op, |outcome| match outcome {
            Outcome::Subscribed(noted) => Ok(noted),
            _ => Err(BackendError::Damaged(
                "an answer that does not fit its question",
            )),
        });
        // The two need no order: a call finds a subscription or none, and without one the side is only waited for.
        let kept = self.look(move |shared| async move {
            match subscription {
                Some(subscription) => keep(&shared, room, side, &subscription).await,
                None => erase(&shared, room, side).await,
            }
        });
        Pending::work(async move {
            kept.await?;
            noted.await
        })
    }

    fn take_call(&self, room: RoomId, side: Side, call: Call) -> Pending<CallTurn> {
        // Behind every earlier call.
        let barrier = self.ask(WriteOp::Barrier { room }, |_| Ok(()));
        let take = self.look(move |shared| async move { take(&shared, room, side, call).await });
        Pending::work(async move {
            barrier.await?;
            take.await
        })
    }
}

async fn keep(
    shared: &Shared,
    room: RoomId,
    side: Side,
    subscription: &Subscription,
) -> Result<(), BackendError> {
    let sql = "INSERT INTO subscriptions (room, side, endpoint, p256dh, auth) \
         SELECT no, $2::smallint, $3::text, $4::text, $5::text FROM rooms WHERE id = $1 AND closed_at IS NULL \
         ON CONFLICT (room, side) DO UPDATE SET \
         endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth";
    let (
        side,
        Subscription {
            endpoint,
            p256dh,
            auth,
        },
    ) = (side_code(side), subscription);
    let params: super::link::Params<'_> = &[&room.0, &side, endpoint, p256dh, auth];
    shared.pool.query(sql, params).await?;
    Ok(())
}

async fn erase(shared: &Shared, room: RoomId, side: Side) -> Result<(), BackendError> {
    let sql = "DELETE FROM subscriptions s USING rooms r WHERE r.id = $1 AND s.room = r.no AND s.side = $2";
    shared.pool.query(sql, &[&room.0, &side_code(side)]).await?;
    Ok(())
}

/// Those of a room that is over; `side`'s, if this call is the one that erased it.
async fn erase_all(
    shared: &Shared,
    room: RoomId,
    side: Side,
) -> Result<Option<Subscription>, BackendError> {
    let sql = "DELETE FROM subscriptions s USING rooms r WHERE r.id = $1 AND s.room = r.no \
         RETURNING s.side, s.endpoint, s.p256dh, s.auth";
    let erased = shared.pool.query(sql, &[&room.0]).await?;
    for row in &erased {
        if get::<i16>(row, "side")? == side_code(side) {
            return subscription(row).map(Some);
        }
    }
    Ok(None)
}

async fn take(
    shared: &Shared,
    id: RoomId,
    side: Side,
    call: Call,
) -> Result<CallTurn, BackendError> {
    let Some(room) = reads::room(shared, id).await? else {
        return Ok(CallTurn::No);
    };
    let sql = "SELECT moment($3) AS now, s.called_at, s.message_at \
         FROM subscriptions s JOIN rooms r ON r.no = s.room WHERE r.id = $1 AND s.side = $2";
    let params: super::link::Params<'_> = &[&id.0, &side_code(side), &shared.now()];
    let kept = shared.pool.query(sql, params).await?;
    let now = kept.first().map_or(Ok(0), |row| get(row, "now"));
    let now = Timestamp(now?);
    let called = kept.first().map(called).transpose()?;
    let step = called.map_or(CallStep::Leave, |it| it.step(call, &room, side, now));
    let taken = match (step, called) {
        (CallStep::Wait(wait), _) => return Ok(CallTurn::Wait(wait)),
        _ if room.departure.is_some() => {
            let erased = erase_all(shared, id, side).await?;
            erased.filter(|_| step == CallStep::Make)
        }
        (CallStep::Make, Some(before)) => {
            note(shared, id, side, before, before.after(call, now)).await?
        }
        _ => None,
    };
    Ok(taken.map_or(CallTurn::No, CallTurn::Now))
}

/// Notes a call, unless another node has noted one since: of those that take the same one, one gets it.
async fn note(
    shared: &Shared,
    room: RoomId,
    side: Side,
    before: Called,
    after: Called,
) -> Result<Option<Subscription>, BackendError> {
    let sql = "UPDATE subscriptions s SET called_at = $3, message_at = $4 FROM rooms r \
         WHERE r.id = $1 AND s.room = r.no AND s.side = $2 \
         AND s.called_at IS NOT DISTINCT FROM $5 AND s.message_at IS NOT DISTINCT FROM $6 \
         RETURNING s.endpoint, s.p256dh, s.auth";
    let millis = |at: Option<Timestamp>| at.map(|at| at.0);
    let params: super::link::Params<'_> = &[
        &room.0,
        &side_code(side),
        &millis(after.at),
        &millis(after.for_message),
        &millis(before.at),
        &millis(before.for_message),
    ];
    let noted = shared.pool.query(sql, params).await?;
    noted.first().map(subscription).transpose()
}

fn called(row: &Row) -> Result<Called, BackendError> {
    Ok(Called {
        at: get::<Option<i64>>(row, "called_at")?.map(Timestamp),
        for_message: get::<Option<i64>>(row, "message_at")?.map(Timestamp),
    })
}

fn subscription(row: &Row) -> Result<Subscription, BackendError> {
    Ok(Subscription {
        endpoint: get(row, "endpoint")?,
        p256dh: get(row, "p256dh")?,
        auth: get(row, "auth")?,
    })
}
