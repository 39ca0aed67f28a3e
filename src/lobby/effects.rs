//! The lobby machine's jobs against the pool, the store and the channel layer.

mod pairing;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use self::pairing::{abandon, call, confirm, create, untold};
use crate::admission::RateLimits;
use crate::admission::client::Client;
use crate::admission::door::{Act, AdmissionRefusal, Door};
use crate::admission::sanctions::Holding;
use crate::channel::{ChannelLayer, Frame};
use crate::delivery::calls::CallQueue;
use crate::domain::id::{RoomId, SessionId, Side, Timestamp};
use crate::domain::profile::DEFAULT_NICKNAME;
use crate::domain::safety::NoticeId;
use crate::domain::{LeaveReason, Room, UserId};
use crate::lobby::figures::{Company, Figures};
use crate::lobby::{Lobby, LobbyJob, LobbyOutcome, NoPairs, Prepared};
use crate::matching::{Entered, Renewed, Ticket, WaitingPool};
use crate::safety::NoticeBoard;
use crate::state_machine::{Io, Voice};
use crate::store::capacity::Capacity;
use crate::store::{Store, StoreError};

/// A room left a moment ago may be a page on its way from one view to the next, a network that
/// changes, or another tab that has not found back after a restart yet.
const ABANDONED: Duration = Duration::from_secs(60);

/// What all searches use. Each connection holds one pointer to it.
pub struct LobbyServices {
    /// The truth about rooms.
    pub store: Arc<dyn Store>,
    /// The tickets that wait.
    pub pool: Arc<dyn WaitingPool>,
    /// Frames to other connections.
    pub channel: Arc<dyn ChannelLayer>,
    /// Asked before a search begins.
    pub door: Door,
    /// Told of searches that were none.
    pub limits: Arc<RateLimits>,
    /// Whether there is room for new people.
    pub capacity: Arc<Capacity>,
    /// How many are here, as everyone is told.
    pub figures: Arc<Figures>,
    /// Who is to be called.
    pub calls: CallQueue,
    /// What people are told of decisions and by the site.
    pub board: Arc<NoticeBoard>,
}

/// Does the jobs of one search.
pub struct LobbyIo {
    /// With these.
    pub services: Arc<LobbyServices>,
    /// For this client.
    pub client: Client,
}

/// About how long a search waits that the site has no room for.
const SITE_FULL: Duration = Duration::from_secs(20);

type LobbyInFlight = Pin<Box<dyn Future<Output = LobbyOutcome> + Send>>;

impl Io<Lobby> for LobbyIo {
    type InFlight = LobbyInFlight;

    fn start(&mut self, job: LobbyJob) -> LobbyInFlight {
        let services = Arc::clone(&self.services);
        let client = self.client;
        match job {
            LobbyJob::Prepare {
                user_id,
                again,
                confirms,
            } => {
                let asked = AskedSearch {
                    user_id,
                    again,
                    confirms,
                };
                let prepared = prepare(services, client, asked);
                Box::pin(async move { LobbyOutcome::Prepared(prepared.await) })
            }
            LobbyJob::Enter(ticket) => Box::pin(enter(services, client, *ticket)),
            LobbyJob::Renew(ticket) => Box::pin(renew(services, client, *ticket)),
            LobbyJob::Withdraw(id) => {
                Box::pin(async move { LobbyOutcome::Withdrawn(services.pool.withdraw(id).await) })
            }
            LobbyJob::Create { pairing, by } => Box::pin(async move {
                LobbyOutcome::Created(create(&services, client, &pairing, by).await)
            }),
            LobbyJob::Confirm(pairing) => {
                Box::pin(async move { LobbyOutcome::Confirmed(confirm(&services, pairing).await) })
            }
            LobbyJob::Abandon(id) => Box::pin(async move {
                abandon(&services, client, id).await;
                LobbyOutcome::Done
            }),
            LobbyJob::Regret { began, abandon: id } => {
                services.limits.withdrawn(&client.caller, began);
                Box::pin(async move {
                    if let Some(id) = id {
                        abandon(&services, client, id).await;
                    }
                    LobbyOutcome::Done
                })
            }
            LobbyJob::Call {
                room,
                side,
                subscription,
            } => Box::pin(async move {
                LobbyOutcome::Called(call(&services, client, room, side, *subscription).await)
            }),
            LobbyJob::Notices => Box::pin(async move {
                LobbyOutcome::Notices(services.board.untold(client.session, client.language).await)
            }),
            LobbyJob::Acknowledge(notice) => Box::pin(async move {
                services.board.confirm(client.session, notice).await;
                LobbyOutcome::Done
            }),
            LobbyJob::Untold { room, side } => Box::pin(async move {
                untold(&services, client, room, side).await;
                LobbyOutcome::Done
            }),
        }
    }
}

/// A search that is asked for.
struct AskedSearch {
    user_id: Option<UserId>,
    again: bool,
    confirms: Option<NoticeId>,
}

async fn prepare(services: Arc<LobbyServices>, client: Client, asked: AskedSearch) -> Prepared {
    let AskedSearch {
        user_id,
        again,
        confirms,
    } = asked;
    if !again {
        let asked = services
            .door
            .ask(Some(client.session), client.address, Act::Search);
        match asked.await {
            Err(AdmissionRefusal::Rate(wait) | AdmissionRefusal::NewSessions(wait)) => {
                return Prepared::Limited(wait);
            }
            Err(AdmissionRefusal::Memory(_)) => return Prepared::Unavailable,
            Err(AdmissionRefusal::Banned(ban)) => return Prepared::NoPairs(banned(&ban)),
            Ok(()) => {}
        }
        if let Some(notice) = confirms {
            services.board.confirm(client.session, notice).await;
        }
        if let Some(warning) = services.board.pending_warning(client.session).await {
            return Prepared::NoticePending(warning);
        }
    }
    if let Some(why) = no_pairs(&services, client) {
        return Prepared::NoPairs(why);
    }
    let Ok(relations) = services.store.relations(client.session).await else {
        return Prepared::Unavailable;
    };
    // Hardly anybody is, so these are further questions.
    if !relations.in_room {
        return Prepared::Ready(relations);
    }
    match leave_abandoned(&services, client.session, user_id.as_ref()).await {
        Ok(None) => {}
        Ok(Some(inside)) => return Prepared::InRoom(inside),
        Err(_) => return Prepared::Unavailable,
    }
    // A room that was left this moment may have brought a block.
    match services.store.relations(client.session).await {
        Ok(relations) => Prepared::Ready(relations),
        Err(_) => Prepared::Unavailable,
    }
}

/// Gives up the rooms that this user left alone; answers the one that they are in.
async fn leave_abandoned(
    services: &LobbyServices,
    session: SessionId,
    user_id: Option<&UserId>,
) -> Result<Option<RoomId>, StoreError> {
    for room in services.store.open_rooms(session).await? {
        for side in room.sides_of(session) {
            match standing(&room, side, user_id, crate::clock::now()) {
                RoomStanding::Elsewhere => {}
                RoomStanding::Inside => return Ok(Some(room.id)),
                RoomStanding::Abandoned => {
                    let left = services.store.close_room(room.id, side, LeaveReason::Left);
                    left.await?;
                }
            }
        }
    }
    Ok(None)
}

#[derive(Debug, PartialEq, Eq)]
enum RoomStanding {
    /// Another tab's room.
    Elsewhere,
    /// The user is in it now.
    Inside,
    /// The user's own, without a connection.
    Abandoned,
}

/// What a room means to a search of the same session. A search that names no `user_id` cannot be told from
/// other tabs: rooms with a connection are theirs, and one that was left alone for a moment is given up.
fn standing(room: &Room, side: Side, user_id: Option<&UserId>, now: Timestamp) -> RoomStanding {
    let person = room.side(side);
    match user_id {
        Some(id) if person.persona.user_id != *id => RoomStanding::Elsewhere,
        Some(_) if person.online() => RoomStanding::Inside,
        Some(_) => RoomStanding::Abandoned,
        None => match person.away_since {
            Some(since) if now.since(since) >= ABANDONED => RoomStanding::Abandoned,
            _ => RoomStanding::Elsewhere,
        },
    }
}

/// When a search that the site has no room for is tried again: not by all of them in the same moment.
fn site_full_pause() -> Duration {
    SITE_FULL.mul_f64(0.75 + 0.5 * rand::random::<f64>())
}

/// Why no pair is made for this client now.
fn no_pairs(services: &LobbyServices, client: Client) -> Option<NoPairs> {
    let may = services
        .door
        .not_banned(Some(client.session), client.address);
    if let Err(AdmissionRefusal::Banned(ban)) = may {
        return Some(banned(&ban));
    }
    if let Some(left) = services.board.maintenance() {
        return Some(NoPairs::Maintenance(left));
    }
    let full = services.capacity.refuses_rooms();
    full.then(|| NoPairs::SiteFull(site_full_pause()))
}

fn banned(ban: &Holding) -> NoPairs {
    NoPairs::Banned(ban.left(crate::clock::now()))
}

async fn enter(services: Arc<LobbyServices>, client: Client, ticket: Ticket) -> LobbyOutcome {
    if let Some(why) = no_pairs(&services, client) {
        // No other ticket is to be paired with it. It may be already, and its room made.
        return match services.pool.renew(ticket.id, crate::clock::now()).await {
            Ok(Renewed::Paired(pairing)) => {
                LobbyOutcome::Renewed(Ok(Renewed::Paired(pairing)), None)
            }
            _ => LobbyOutcome::NoPairs(why),
        };
    }
    let mut shown = ticket.clone();
    if is_unnamed(&services, client) {
        shown.persona.profile = shown.persona.profile.unnamed();
    }
    let entered = services.pool.enter(shown, crate::clock::now()).await;
    if let Some((id, address)) = entered.as_ref().ok().and_then(Entered::replaced) {
        // A connection that is gone need not be told.
        let _ = services.channel.send(&address, Frame::TicketReplaced(id));
    }
    let company = match &entered {
        Ok(Entered::Waiting { .. }) => Some(company(&services, &ticket)),
        _ => None,
    };
    LobbyOutcome::Entered(entered, company)
}

/// A person who may not speak, or is heard by no one, speaks by no name either: others meet them under the default one.
fn is_unnamed(services: &LobbyServices, client: Client) -> bool {
    services.door.voice(client.session, crate::clock::now()) != Voice::Free
}

async fn renew(services: Arc<LobbyServices>, client: Client, ticket: Ticket) -> LobbyOutcome {
    if is_unnamed(&services, client) && ticket.persona.profile.nickname != DEFAULT_NICKNAME {
        // The pool may have the name from before: entering again replaces what it has.
        return enter(services, client, ticket).await;
    }
    let refused = no_pairs(&services, client);
    let renewed = services.pool.renew(ticket.id, crate::clock::now()).await;
    if let (Ok(Renewed::Waiting | Renewed::Gone), Some(why)) = (&renewed, refused) {
        return LobbyOutcome::NoPairs(why);
    }
    let company = match &renewed {
        Ok(Renewed::Waiting) => Some(company(&services, &ticket)),
        _ => None,
    };
    LobbyOutcome::Renewed(renewed, company)
}

/// What this search is told of all that wait.
fn company(services: &LobbyServices, ticket: &Ticket) -> Company {
    let profile = &ticket.persona.profile;
    Company::of(
        &services.figures.sample(),
        profile.gender,
        ticket.wish.gender,
    )
}
