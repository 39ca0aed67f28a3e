//! The lobby machine's jobs against the pool, the store and the channel layer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::channel::{Frame, SendError};
use crate::domain::id::{RoomId, SessionId, Side, TicketId, Timestamp};
use crate::domain::{LeaveReason, Pairing, Room, UserId};
use crate::lobby::figures::Company;
use crate::lobby::{Created, Job, Lobby, Outcome, Prepared};
use crate::machine::Io;
use crate::matching::{Entered, Renewed, Ticket};
use crate::state::AppState;
use crate::store::StoreError;
use crate::ws::line::Who;

/// A room left a moment ago may be a page on its way from one view to the next, a network that
/// changes, or another tab that has not found back after a restart yet.
const ABANDONED: Duration = Duration::from_secs(60);

/// What a waiting connection reaches.
pub struct LobbyIo {
    /// Everything.
    pub app: Arc<AppState>,
    /// Whose search.
    pub who: Who,
}

/// Between attempts to reach a pool that does not answer; leases cover what is given up.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// About how long a search waits that the site has no room for.
const SITE_FULL: Duration = Duration::from_secs(20);

type Doing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

impl Io<Lobby> for LobbyIo {
    type Doing = Doing;

    fn start(&self, job: Job) -> Doing {
        let app = Arc::clone(&self.app);
        let who = self.who;
        match job {
            Job::Prepare { user_id, again } => {
                let prepared = prepare(app, who, user_id, again);
                Box::pin(async move { Outcome::Prepared(prepared.await) })
            }
            Job::Enter(ticket) => Box::pin(enter(app, *ticket)),
            Job::Renew(ticket) => Box::pin(renew(app, *ticket)),
            Job::Withdraw(id) => {
                Box::pin(async move { Outcome::Withdrawn(app.pool.withdraw(id).await) })
            }
            Job::Create { pairing, by } => {
                Box::pin(async move { Outcome::Created(create(&app, who, &pairing, by).await) })
            }
            Job::Confirm(pairing) => {
                Box::pin(async move { Outcome::Confirmed(confirm(&app, pairing).await) })
            }
            Job::Abandon(id) => Box::pin(async move {
                abandon(&app, who, id).await;
                Outcome::Done
            }),
            Job::Regret { began, abandon: id } => {
                app.limits.withdrawn(&who.caller, began);
                Box::pin(async move {
                    if let Some(id) = id {
                        abandon(&app, who, id).await;
                    }
                    Outcome::Done
                })
            }
            Job::Untold { room, side } => Box::pin(async move {
                untold(&app, who, room, side).await;
                Outcome::Done
            }),
        }
    }
}

async fn prepare(app: Arc<AppState>, who: Who, user_id: Option<UserId>, again: bool) -> Prepared {
    if !again && let Err(wait) = app.limits.search(&who.caller) {
        return Prepared::Limited(wait);
    }
    if app.capacity.refuses_rooms() {
        return Prepared::SiteFull(site_full_pause());
    }
    let Ok(relations) = app.store.relations(who.session).await else {
        return Prepared::Unavailable;
    };
    // Hardly anybody is, so these are further questions.
    if !relations.in_room {
        return Prepared::Ready(relations);
    }
    match leave_abandoned(&app, who.session, user_id.as_ref()).await {
        Ok(None) => {}
        Ok(Some(inside)) => return Prepared::InRoom(inside),
        Err(_) => return Prepared::Unavailable,
    }
    // Whoever left a room this moment may have blocked somebody there.
    match app.store.relations(who.session).await {
        Ok(relations) => Prepared::Ready(relations),
        Err(_) => Prepared::Unavailable,
    }
}

/// Gives up the rooms that this user left alone; answers the one that they are in.
async fn leave_abandoned(
    app: &AppState,
    session: SessionId,
    user_id: Option<&UserId>,
) -> Result<Option<RoomId>, StoreError> {
    for room in app.store.open_rooms(session).await? {
        for side in room.sides_of(session) {
            match standing(&room, side, user_id, crate::clock::now()) {
                Standing::Elsewhere => {}
                Standing::Inside => return Ok(Some(room.id)),
                Standing::Abandoned => {
                    let left = app.store.close_room(room.id, side, LeaveReason::Left);
                    left.await?;
                }
            }
        }
    }
    Ok(None)
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Another tab's room.
    Elsewhere,
    /// The user is in it now.
    Inside,
    /// The user's own, with nobody connected.
    Abandoned,
}

/// What a room means to somebody of this session who starts a search. Who names no `user_id` is
/// nobody in particular: rooms with a connection are other tabs', and one that was left alone for
/// a moment is given up.
fn standing(room: &Room, side: Side, user_id: Option<&UserId>, now: Timestamp) -> Standing {
    let person = room.side(side);
    match user_id {
        Some(id) if person.persona.user_id != *id => Standing::Elsewhere,
        Some(_) if person.online() => Standing::Inside,
        Some(_) => Standing::Abandoned,
        None => match person.away_since {
            Some(since) if now.since(since) >= ABANDONED => Standing::Abandoned,
            _ => Standing::Elsewhere,
        },
    }
}

/// When a search that the site has no room for is tried again: not by all of them in the same moment.
fn site_full_pause() -> Duration {
    SITE_FULL.mul_f64(0.75 + 0.5 * rand::random::<f64>())
}

async fn enter(app: Arc<AppState>, ticket: Ticket) -> Outcome {
    if app.capacity.refuses_rooms() {
        // Nobody else is to be paired with it. It may be already, and its room made.
        return match app.pool.renew(ticket.id, crate::clock::now()).await {
            Ok(Renewed::Paired(pairing)) => Outcome::Renewed(Ok(Renewed::Paired(pairing)), None),
            _ => Outcome::SiteFull(site_full_pause()),
        };
    }
    let entered = app.pool.enter(ticket.clone(), crate::clock::now()).await;
    if let Some((id, address)) = entered.as_ref().ok().and_then(Entered::replaced) {
        // Whoever is gone need not be told.
        let _ = app.channel.send(&address, Frame::TicketReplaced(id));
    }
    let company = match &entered {
        Ok(Entered::Waiting { .. }) => Some(company(&app, &ticket)),
        _ => None,
    };
    Outcome::Entered(entered, company)
}

async fn renew(app: Arc<AppState>, ticket: Ticket) -> Outcome {
    let renewed = app.pool.renew(ticket.id, crate::clock::now()).await;
    let company = match &renewed {
        Ok(Renewed::Waiting | Renewed::Gone) if app.capacity.refuses_rooms() => {
            return Outcome::SiteFull(site_full_pause());
        }
        Ok(Renewed::Waiting) => Some(company(&app, &ticket)),
        _ => None,
    };
    Outcome::Renewed(renewed, company)
}

/// What this search is told of all who wait.
fn company(app: &AppState, ticket: &Ticket) -> Company {
    let profile = &ticket.persona.profile;
    Company::of(&app.figures(), profile.gender, ticket.wish.gender)
}

/// Makes the room and tells the other side. Both sides learn of it, or both go back.
async fn create(app: &AppState, who: Who, pairing: &Arc<Pairing>, by: Side) -> Created {
    let room = pairing.room;
    let [own, other] = [by, by.other()].map(|side| &pairing.parties[side.index()]);
    if by == Side::A && app.capacity.refuses_rooms() {
        give_back(app, who, pairing, by, Some(own.ticket)).await;
        return Created::SiteFull(site_full_pause());
    }
    let made = match by {
        Side::A => app.store.create_room(pairing).await.map(|()| true),
        // A had time to make it: without a room A is gone.
        Side::B => {
            let found = app.store.room(room).await;
            found.map(|room| room.is_some_and(|room| room.active() && pairing.is_of(&room)))
        }
    };
    match made {
        Ok(true) => {}
        Ok(false) => {
            give_back(app, who, pairing, by, Some(other.ticket)).await;
            return Created::PartnerGone;
        }
        Err(_) => {
            // It may have been made all the same: nobody was told, so nobody may find it open.
            if by == Side::A {
                give_back(app, who, pairing, by, None).await;
            }
            return Created::Failed;
        }
    }
    // Whoever is told from here on finds a room: should the other side have given the pairing back
    // before it was there, it is ours to close.
    match app.pool.renew(own.ticket, crate::clock::now()).await {
        Ok(Renewed::Paired(kept)) if kept.room == room => {}
        Ok(_) => {
            untold(app, who, room, by.other()).await;
            return Created::PartnerGone;
        }
        // The pairing stands, and is answered again when the pool is there again.
        Err(_) => return Created::Failed,
    }
    let told = app
        .channel
        .send(&other.address, Frame::Matched(Arc::clone(pairing)));
    match told {
        // A full mailbox was marked lagged: its owner asks the pool and hears it there.
        Ok(()) | Err(SendError::Full) => Created::Done,
        Err(SendError::Gone | SendError::Unavailable) => {
            give_back(app, who, pairing, by, Some(other.ticket)).await;
            Created::PartnerGone
        }
    }
}

/// Takes a pairing back: the tickets wait again, except `gone`, and its room ends. When the pool does
/// not answer, the pairing and its room stand until it does or until nobody came.
async fn give_back(app: &AppState, who: Who, pairing: &Pairing, by: Side, gone: Option<TicketId>) {
    let room = pairing.room;
    let other = &pairing.parties[by.other().index()];
    if !given_back(app, room, gone).await {
        return;
    }
    if gone != Some(other.ticket) {
        let _ = app.channel.send(&other.address, Frame::GaveBack);
    }
    untold(app, who, room, by.other()).await;
}

async fn given_back(app: &AppState, room: RoomId, gone: Option<TicketId>) -> bool {
    for pause in PAUSES {
        if app
            .pool
            .give_back(room, gone, crate::clock::now())
            .await
            .is_ok()
        {
            return true;
        }
        tokio::time::sleep(pause).await;
    }
    false
}

/// The connection of a waiting ticket is over. If it was paired meanwhile, nobody will come: the
/// other side goes back, or finds its room closed if it was told of it already.
async fn abandon(app: &AppState, who: Who, id: TicketId) {
    for pause in PAUSES {
        match app.pool.withdraw(id).await {
            Ok(true) => return,
            Ok(false) => break,
            // Its lease ends what cannot be ended now.
            Err(_) => tokio::time::sleep(pause).await,
        }
    }
    if let Ok(Renewed::Paired(pairing)) = app.pool.renew(id, crate::clock::now()).await
        && let Some(side) = pairing.side_of(id)
        && given_back(app, pairing.room, Some(id)).await
    {
        let other = &pairing.parties[side.other().index()];
        // After the pool: a room made before that is there now, one made later is closed by its maker.
        untold(app, who, pairing.room, side).await;
        let _ = app.channel.send(&other.address, Frame::GaveBack);
    }
}

/// The pairing, when its room is open and the store has the same people in it.
async fn confirm(app: &AppState, pairing: Arc<Pairing>) -> Option<Arc<Pairing>> {
    if app.channel.in_process() {
        return Some(pairing);
    }
    let found = app.store.room(pairing.room).await;
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
async fn untold(app: &AppState, who: Who, room: RoomId, side: Side) {
    let mut pause = Duration::from_millis(200);
    for _ in 0..5 {
        let closed = match app.store.room(room).await {
            Ok(Some(found)) if found.sides_of(who.session).next().is_none() => return,
            Ok(None) => return,
            Ok(Some(_)) => app.store.close_room(room, side, LeaveReason::NoShow).await,
            Err(error) => Err(error),
        };
        match closed {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(pause).await,
            // The arrival deadline closes what could not be closed now.
            _ => return,
        }
        pause *= 2;
    }
}
