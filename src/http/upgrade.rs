//! From an HTTP request to a socket's task: whether it is a handshake that may be accepted, the answer
//! 101, and what `ws` is handed.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{ORIGIN, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::{Method, Request, StatusCode, Version};
use hyper_tungstenite::HyperWebsocket;

use super::problem::HttpProblem;
use super::query::{names_parameter, parameter};
use super::request::{Peer, origin_allowed};
use super::routes::{Call, HandlerResult};
use super::{ResponseBody, files, response, sessions};
use crate::admission::Purpose;
use crate::admission::client::{Client, Tongue};
use crate::admission::door::Act;
use crate::admission::memory_budget::Class;
use crate::chat::KnownEntry;
use crate::chat::access::{AccessError, EnterRequest, access};
use crate::domain::id::{RoomId, Seq};
use crate::identity::principal::Principal;
use crate::identity::seat::Denied;
use crate::protocol::ErrorCode;
use crate::state::AppState;
use crate::state_machine::{Io, Machine};
use crate::ws::counted_socket::Guards;
use crate::ws::open::{Ready, Way, search, talk};
use crate::ws::socket::websocket_config;

/// `GET /ws/matching/`
pub async fn matching(call: Call) -> HandlerResult {
    let Call {
        app, peer, request, ..
    } = call;
    let principal = sessions::principal(&app, &peer, request.headers());
    may_ask(&app, &peer, &request, &principal, Class::Arriving).await?;
    // A search belongs to a session.
    sessions::admit(&app, &peer, &principal).await?;
    let until = Some(principal.until());
    let language = language(&app, &request);
    let client = Client {
        session: principal.subject(),
        address: peer.address,
        caller: app.door.caller(Some(principal.subject()), peer.address),
        until,
        class: Class::Arriving,
        language,
    };
    let shared = Arc::clone(&app);
    let handshake = Handshake {
        principal: Some(principal),
        client,
        purpose: Purpose::Other,
    };
    accept(app, peer, request, handshake, move |guards, ws| {
        search(shared, client, guards, ws)
    })
}

/// `GET /ws/chat/`, then `enter`; for clients of the original `GET /ws/chat/?room=ROOM` and
/// `GET /ws/chat/ROOM/`.
pub async fn chat(call: Call) -> HandlerResult {
    let path = call.parameter.clone();
    let Call {
        app, peer, request, ..
    } = call;
    let principal = sessions::principal(&app, &peer, request.headers());
    // Before the store is asked anything: a flood of handshakes must not become a flood of reads.
    may_ask(&app, &peer, &request, &principal, Class::InRoom).await?;
    let query = request.uri().query().unwrap_or_default();
    let way = match of_address(path.as_deref(), query) {
        None => Way::FirstFrame(principal.known()),
        Some(asked) => {
            let found = access(&app.reach, &app.signer, principal.known(), asked?).await;
            Way::Address(found?)
        }
    };
    // A token does without a session: then it stays the only thing that is known of this client.
    let admitted = sessions::admit(&app, &peer, &principal).await.is_ok();
    let session = way.session().unwrap_or(principal.subject());
    // A client that is here by a token stays as long as the room.
    let by_cookie = principal.known() == Some(session);
    let until = by_cookie.then_some(principal.until());
    if principal.known() != Some(session) {
        // A token speaks for another session than the cookie.
        app.door.not_banned(Some(session), peer.address)?;
    }
    let client = Client {
        session,
        address: peer.address,
        caller: app.door.caller(Some(session), peer.address),
        until,
        class: Class::InRoom,
        language: language(&app, &request),
    };
    let shared = Arc::clone(&app);
    let handshake = Handshake {
        principal: admitted.then_some(principal),
        client,
        purpose: way.purpose(),
    };
    accept(app, peer, request, handshake, move |guards, ws| {
        talk(shared, client, way, guards, ws)
    })
}

/// The room that the address of a handshake names; `None` when it names no room at all, so that the
/// first frame does.
fn of_address(path: Option<&str>, query: &str) -> Option<Result<EnterRequest, AccessError>> {
    let room = path.or_else(|| parameter(query, "room"));
    if room.is_none() && !names_parameter(query, "room") {
        return None;
    }
    let asked = |room| {
        let after = match parameter(query, "after") {
            None => None,
            Some(text) => {
                let seq = text.parse().map_err(|_| AccessError::InvalidAfter)?;
                Some(KnownEntry::from(Seq(seq)))
            }
        };
        let named = |name| parameter(query, name).map(str::to_owned);
        Ok(EnterRequest {
            room,
            token: named("token"),
            after,
            together: false,
            user_id: named("user_id"),
        })
    };
    let room = room.and_then(RoomId::parse).ok_or(AccessError::NotAUuid);
    Some(room.and_then(asked))
}

impl From<AccessError> for HttpProblem {
    fn from(refused: AccessError) -> Self {
        match refused {
            AccessError::NotAUuid => Self::not_a_room_id(),
            AccessError::InvalidAfter => Self::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidAfter.as_str(),
                ErrorCode::InvalidAfter.message(),
            ),
            AccessError::Denied(denied) => denied.into(),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<Denied> for HttpProblem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NoIdentity => Self::no_identity(),
            Denied::NotAMember => Self::not_a_side(),
        }
    }
}

/// In which language the site speaks on this socket.
pub fn language(app: &AppState, request: &Request<Incoming>) -> Tongue {
    let bundle = app.assets.latest();
    let named = parameter(request.uri().query().unwrap_or_default(), "lang");
    let chosen = files::chosen_language(&bundle, named, request.headers());
    let language = bundle.languages().get(chosen);
    language.map_or(Tongue::default(), |it| Tongue::of(it.tag()))
}

/// A handshake that may be accepted.
struct Handshake {
    /// Whose cookie the answer sets when that is due.
    principal: Option<Principal>,
    client: Client,
    purpose: Purpose,
}

/// What holds for every handshake, before anything is looked up for it.
async fn may_ask(
    app: &AppState,
    peer: &Peer,
    request: &Request<Incoming>,
    principal: &Principal,
    class: Class,
) -> Result<(), HttpProblem> {
    if !is_handshake(request) {
        if is_stripped(request) && origin_allowed(app, peer, request.headers()) {
            app.notices.stripped();
        }
        return Err(not_a_handshake());
    }
    if !origin_allowed(app, peer, request.headers()) {
        return Err(HttpProblem::foreign_origin());
    }
    if app.shutdown.draining() {
        return Err(HttpProblem::unavailable(
            "the server is restarting; try again",
        ));
    }
    let act = Act::Connect(class);
    let asked = app.door.ask(principal.known(), peer.address, act).await;
    asked.map_err(HttpProblem::from)
}

/// Counts the connection, answers 101 and starts the socket's task: first what prepares it, then its
/// loop. What prepares it has a box of its own, so that the long life of a socket does not hold what
/// its beginning took.
fn accept<M, I, F>(
    app: Arc<AppState>,
    peer: Peer,
    mut request: Request<Incoming>,
    handshake: Handshake,
    prepare: impl FnOnce(Guards, HyperWebsocket) -> F,
) -> HandlerResult
where
    M: Machine,
    I: Io<M>,
    F: Future<Output = Option<Ready<M, I>>> + Send + 'static,
{
    let config = websocket_config(&app.config.limits);
    let upgraded = hyper_tungstenite::upgrade(&mut request, Some(config));
    let (answer, websocket) = upgraded.map_err(|_| not_a_handshake())?;
    let mut answer = answer.map(|_| ResponseBody::default());
    let Handshake {
        principal,
        client,
        purpose,
    } = handshake;
    // Only now: the count of a connection that stays HTTP must stay with it.
    let most = app.config.limits.sockets_per_session;
    let online = app.online.enter(client.session, client.address, most);
    let online = online.ok_or_else(HttpProblem::too_many_sockets)?;
    let counted = app.limits.connection(&peer.slot, peer.address, purpose);
    let connection = match counted {
        Ok(connection) => connection,
        Err(refused) => return Ok(response::no_place(refused)),
    };
    if let Some(principal) = principal {
        sessions::set_cookie(&app, &peer, &principal, &mut answer);
    }
    let guards = Guards::new(connection, online);
    let preparing = Box::pin(prepare(guards, websocket));
    app.shutdown.spawn(async move {
        if let Some((connection, line)) = preparing.await {
            connection.run(line).await;
        }
    });
    Ok(answer)
}

/// What RFC 6455 (4.1) asks of a handshake besides its key: what is before us on the way may take
/// anything else for a request whose connection it can use again.
fn is_handshake(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && hyper_tungstenite::is_upgrade_request(request)
}

/// A browser's handshake whose upgrade was taken away, which only one hop may do that does not pass it. What
/// else of a handshake there is comes from end to end.
fn is_stripped(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    headers.contains_key(SEC_WEBSOCKET_KEY)
        && headers.contains_key(ORIGIN)
        && !headers.contains_key(UPGRADE)
}

fn not_a_handshake() -> HttpProblem {
    HttpProblem::new(
        StatusCode::UPGRADE_REQUIRED,
        "not_a_handshake",
        "this address speaks WebSocket version 13, by GET with HTTP/1.1 and no body; connect with \
         ws:// or wss://",
    )
}
