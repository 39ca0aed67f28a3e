//! What a pairing asks for: the room that is made, the other side that is told, and all of it taken back
//! when one of the two is gone.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::{LobbyServices, no_pairs};
use crate::admission::client::Client;
use crate::backoff::Backoff;
use crate::channel::{Frame, GroupId, SendError};
use crate::delivery::calls::CallDue;
use crate::domain::id::{RoomId, Side, TicketId};
use crate::domain::{Call, LeaveReason, Pairing, Subscription};
use crate::lobby::Created;
use crate::matching::Renewed;
use crate::store::StoreError;

/// The first pause between attempts at what does not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// How often a pool is asked that does not answer; leases cover what is given up.
const ASK_POOL: usize = 3;
/// How often a store is; the arrival deadline covers it.
const ASK_STORE: usize = 5;

/// Makes the room and tells the other side. Both sides learn of it, or both go back.
pub(super) async fn create(
    services: &LobbyServices,
    client: Client,
    pairing: &Arc<Pairing>,
    by: Side,
) -> Created {
    let room = pairing.room;
    let [own, other] = [by, by.other()].map(|side| &pairing.parties[side.index()]);
    if by == Side::A
        && let Some(why) = no_pairs(services, client)
    {
        give_back(services, client, pairing, by, Some(own.ticket)).await;
        return Created::NoPairs(why);
    }
    let made = match by {
        Side::A => services.store.create_room(pairing).await.map(|()| true),
        // A had time to make it: without a room A is gone.
        Side::B => {
            let found = services.store.room(room).await;
            found.map(|room| room.is_some_and(|room| room.active() && pairing.is_of(&room)))
        }
    };
    match made {
        Ok(true) => {}
        Ok(false) => {
            give_back(services, client, pairing, by, Some(other.ticket)).await;
            return Created::PartnerGone;
        }
        Err(_) => {
            // It may have been made all the same: neither side was told, so neither may find it open.
            if by == Side::A {
                give_back(services, client, pairing, by, None).await;
            }
            return Created::Failed;
        }
    }
    // A side that is told from here on finds a room: should the other side have given the pairing back
    // before it was there, it is ours to close.
    match services.pool.renew(own.ticket, crate::clock::now()).await {
        Ok(Renewed::Paired(kept)) if kept.room == room => {}
        Ok(_) => {
            untold(services, client, room, by.other()).await;
            return Created::PartnerGone;
        }
        // The pairing stands, and is answered again when the pool is there again.
        Err(_) => return Created::Failed,
    }
    let told = services
        .channel
        .send(&other.address, Frame::Matched(Arc::clone(pairing)));
    match told {
        // A full mailbox was marked lagged: its owner asks the pool and hears it there.
        Ok(()) | Err(SendError::Full) => Created::Done,
        Err(SendError::Gone | SendError::Unavailable) => {
            give_back(services, client, pairing, by, Some(other.ticket)).await;
            Created::PartnerGone
        }
    }
}

/// Takes a pairing back: the tickets wait again, except `gone`, and its room ends. When the pool does
/// not answer, the pairing and its room stand until it does or until the time to arrive is over.
async fn give_back(
    services: &LobbyServices,
    client: Client,
    pairing: &Pairing,
    by: Side,
    gone: Option<TicketId>,
) {
    let room = pairing.room;
    let other = &pairing.parties[by.other().index()];
    if !given_back(services, room, gone).await {
        return;
    }
    if gone != Some(other.ticket) {
        let _ = services.channel.send(&other.address, Frame::Released);
    }
    untold(services, client, room, by.other()).await;
}

async fn given_back(services: &LobbyServices, room: RoomId, gone: Option<TicketId>) -> bool {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    for _ in 0..ASK_POOL {
        if services
            .pool
            .give_back(room, gone, crate::clock::now())
            .await
            .is_ok()
        {
            return true;
        }
        backoff.pause().await;
    }
    false
}

/// The connection of a waiting ticket is over. If it was paired meanwhile, it will not come: the
/// other side goes back, or finds its room closed if it was told of it already.
pub(super) async fn abandon(services: &LobbyServices, client: Client, id: TicketId) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    for _ in 0..ASK_POOL {
        match services.pool.withdraw(id).await {
            Ok(true) => return,
            Ok(false) => break,
            // Its lease ends what cannot be ended now.
            Err(_) => backoff.pause().await,
        }
    }
    if let Ok(Renewed::Paired(pairing)) = services.pool.renew(id, crate::clock::now()).await
        && let Some(side) = pairing.side_of(id)
        && given_back(services, pairing.room, Some(id)).await
    {
        let other = &pairing.parties[side.other().index()];
        // After the pool: a room made before that is there now, one made later is closed by its maker.
        untold(services, client, pairing.room, side).await;
        let _ = services.channel.send(&other.address, Frame::Released);
    }
}

/// The pairing, when its room is open and the store has the same people in it.
pub(super) async fn confirm(
    services: &LobbyServices,
    pairing: Arc<Pairing>,
) -> Option<Arc<Pairing>> {
    if services.channel.in_process() {
        return Some(pairing);
    }
    let found = services.store.room(pairing.room).await;
    let room = found.ok().flatten()?;
    if room.active() && pairing.is_of(&room) {
        return Some(pairing);
    }
    if !pairing.is_of(&room) {
        warn!(
            "a match that another node told of is not in the store: another program writes to Redis"
        );
    }
    None
}

/// Closes a room that one side was never told of. The name of the room comes by the pool, which other
/// programs may reach: a room that this session is not in is left alone.
pub(super) async fn untold(services: &LobbyServices, client: Client, room: RoomId, side: Side) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    for _ in 0..ASK_STORE {
        let closed = match services.store.room(room).await {
            Ok(Some(found)) if found.sides_of(client.session).next().is_none() => return,
            Ok(None) => return,
            Ok(Some(_)) => {
                services
                    .store
                    .close_room(room, side, LeaveReason::NoShow)
                    .await
            }
            Err(error) => Err(error),
        };
        match closed {
            Err(StoreError::Unavailable(_)) => backoff.pause().await,
            // The arrival deadline closes what could not be closed now.
            _ => return,
        }
    }
}

/// Lets a person be called who was found a partner, unless they came already: from now on the room waits for them
/// for as long as a call is worth something. False: they are not called, and have not come.
pub(super) async fn call(
    services: &LobbyServices,
    client: Client,
    room: RoomId,
    side: Side,
    subscription: Subscription,
) -> bool {
    let Ok(Some(found)) = services.store.room(room).await else {
        return false;
    };
    let person = found.side(side);
    if !found.active() || person.joined_at.is_some() || person.session != client.session {
        return true;
    }
    let kept = services.store.subscribe(room, side, Some(subscription));
    if !matches!(kept.await, Ok(true)) {
        return false;
    }
    let callable = Frame::Callable { side, on: true };
    services.channel.publish(GroupId::Room(room), callable);
    let call = Call::SomeoneCame;
    let queued = services.calls.push(CallDue { room, side, call });
    if !queued {
        // Whether that succeeds or not: the room is closed by what follows.
        let _ = services.store.subscribe(room, side, None).await;
    }
    queued
}
