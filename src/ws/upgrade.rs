//! From an HTTP request to a socket's task: who may, on which side, and what they start with.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{ORIGIN, SEC_WEBSOCKET_KEY, SET_COOKIE, UPGRADE};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_tungstenite::HyperWebsocket;

use super::connection::Connection;
use super::enter;
use super::entrance::{self, Asked, Entrance, sit_down};
use super::line::{Guards, Line, Who};
use super::socket::{Socket, websocket_config};
use crate::admission::Purpose;
use crate::admission::memory::Class;
use crate::channel::GroupId;
use crate::chat::effects::{ChatIo, announce};
use crate::chat::{Chat, Opening};
use crate::domain::id::{SessionId, Timestamp};
use crate::http::Body;
use crate::http::problem::Problem;
use crate::http::request::{Peer, origin_allowed};
use crate::http::response;
use crate::identity::{cookie, place, token};
use crate::lobby::effects::LobbyIo;
use crate::lobby::{Lobby, LobbyRules};
use crate::machine::{Io, Machine};
use crate::protocol::CloseReason;
use crate::state::AppState;

/// `GET /ws/matching/`
pub fn matching(app: Arc<AppState>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let identity = identity(&app, &peer, &request);
    if let Err(problem) = may_ask(&app, &peer, &request, &identity, Class::Arriving) {
        return response::problem(&problem);
    }
    // A search belongs to a session.
    if !identity.known
        && let Err(wait) = app.limits.newcomer(peer.address)
    {
        return response::problem(&Problem::too_many_newcomers(wait));
    }
    let until = Some(identity.until);
    let who = who(&app, &peer, identity.session, Class::Arriving, until);
    let shared = Arc::clone(&app);
    let handshake = Handshake {
        identity,
        who,
        purpose: Purpose::Other,
    };
    accept(app, peer, request, handshake, move |guards, ws| {
        search(shared, who, guards, ws)
    })
}

/// `GET /ws/chat/`, then `enter`; for clients of the original `GET /ws/chat/?room=ROOM` and
/// `GET /ws/chat/ROOM/`.
pub async fn chat(
    app: Arc<AppState>,
    peer: Peer,
    request: Request<Incoming>,
    room: Option<&str>,
) -> Response<Body> {
    let mut identity = identity(&app, &peer, &request);
    // Before the store is asked anything: a flood of handshakes must not become a flood of reads.
    if let Err(problem) = may_ask(&app, &peer, &request, &identity, Class::InRoom) {
        return response::problem(&problem);
    }
    let known = identity.known.then_some(identity.session);
    let query = request.uri().query().unwrap_or_default();
    let way = match Asked::of_address(room, query) {
        None => Way::FirstFrame(known),
        Some(asked) => {
            let entrance = async { entrance::entrance(&app, known, asked?).await };
            match entrance.await {
                Ok(entrance) => Way::Address(entrance),
                Err(refused) => return response::problem(&refused.into()),
            }
        }
    };
    if !identity.known {
        // A token does without: then it stays the only thing that is known of this client.
        identity.set_cookie = app.limits.newcomer(peer.address).is_ok();
    }
    let session = way.session().unwrap_or(identity.session);
    // A client that is here by a token stays as long as the room.
    let until = (known == Some(session)).then_some(identity.until);
    let who = who(&app, &peer, session, Class::InRoom, until);
    let shared = Arc::clone(&app);
    let handshake = Handshake {
        identity,
        who,
        purpose: way.purpose(),
    };
    accept(app, peer, request, handshake, move |guards, ws| {
        talk(shared, who, way, guards, ws)
    })
}

fn who(
    app: &AppState,
    peer: &Peer,
    session: SessionId,
    class: Class,
    until: Option<Timestamp>,
) -> Who {
    Who {
        session,
        address: peer.address,
        caller: app.limits.caller(Some(session), peer.address),
        until,
        class,
    }
}

/// How a chat connection says where it goes.
enum Way {
    /// Its address did.
    Address(Entrance),
    /// Its first frame will; with the session of its cookie.
    FirstFrame(Option<SessionId>),
}

impl Way {
    /// Whose connection it is, as far as that is known by now.
    fn session(&self) -> Option<SessionId> {
        match self {
            Self::Address(entrance) => entrance.seat.as_ref().map(|seat| seat.session),
            Self::FirstFrame(cookie) => *cookie,
        }
    }

    /// What it has a place for: one that may turn out to lead into an open room is let in, and looked at
    /// again when it has said where it goes.
    fn purpose(&self) -> Purpose {
        match self {
            Self::Address(entrance) if !entrance.open => Purpose::Other,
            Self::Address(_) | Self::FirstFrame(_) => Purpose::Kept,
        }
    }
}

/// A handshake that may be accepted.
struct Handshake {
    identity: Identity,
    who: Who,
    purpose: Purpose,
}

/// The browser behind a request: its session, and whether to set the cookie (again).
struct Identity {
    session: SessionId,
    born: Timestamp,
    known: bool,
    set_cookie: bool,
    /// When its cookie is honoured no more, the one to be set if there is one.
    until: Timestamp,
}

fn identity(app: &AppState, peer: &Peer, request: &Request<Incoming>) -> Identity {
    let renewed = |born| cookie::until(&app.signer, born, crate::clock::now());
    match app.session(request.headers(), peer.jar()) {
        Some(seen) => Identity {
            session: seen.session,
            born: seen.born,
            known: true,
            set_cookie: seen.needs_renewal,
            until: match seen.needs_renewal {
                true => renewed(seen.born),
                false => seen.until,
            },
        },
        None => Identity {
            session: SessionId::fresh(),
            born: crate::clock::now(),
            known: false,
            set_cookie: true,
            until: renewed(crate::clock::now()),
        },
    }
}

/// What holds for every handshake, before anything is looked up for it.
fn may_ask(
    app: &AppState,
    peer: &Peer,
    request: &Request<Incoming>,
    identity: &Identity,
    class: Class,
) -> Result<(), Problem> {
    if !is_handshake(request) {
        if is_stripped(request) && origin_allowed(app, peer, request.headers()) {
            app.notices.stripped();
        }
        return Err(not_a_handshake());
    }
    if !origin_allowed(app, peer, request.headers()) {
        return Err(Problem::foreign_origin());
    }
    if app.shutdown.draining() {
        return Err(Problem::unavailable("the server is restarting; try again"));
    }
    let session = identity.known.then_some(identity.session);
    app.limits
        .requests(session, peer.address)
        .map_err(Problem::rate_limited)?;
    let admitted = app.memory.admits(peer.address, class);
    admitted.map_err(response::exhausted)
}

/// A connection and its line, to be run.
type Ready<M, I> = (Box<Connection<M, I>>, Box<Line>);

/// Counts the connection, answers 101 and starts the socket's task: first what prepares it, then its
/// loop. What prepares it has a box of its own, so that the long life of a socket does not hold what
/// its beginning took.
fn accept<M, I, F>(
    app: Arc<AppState>,
    peer: Peer,
    mut request: Request<Incoming>,
    handshake: Handshake,
    prepare: impl FnOnce(Guards, HyperWebsocket) -> F,
) -> Response<Body>
where
    M: Machine,
    I: Io<M>,
    F: Future<Output = Option<Ready<M, I>>> + Send + 'static,
{
    let config = websocket_config(&app.config.limits);
    let (mut answer, websocket) = match hyper_tungstenite::upgrade(&mut request, Some(config)) {
        Ok((answer, websocket)) => (answer.map(|_| Body::default()), websocket),
        Err(_) => return response::problem(&not_a_handshake()),
    };
    let Handshake {
        identity,
        who,
        purpose,
    } = handshake;
    // Only now: the count of a connection that stays HTTP must stay with it.
    let most = app.config.limits.sockets_per_session;
    let Some(online) = app.online.enter(who.session, who.address, most) else {
        return response::problem(&Problem::too_many_sockets());
    };
    let counted = app.limits.connection(&peer.slot, peer.address, purpose);
    let connection = match counted {
        Ok(connection) => connection,
        Err(refused) => return response::no_place(refused),
    };
    if identity.set_cookie && !identity.known {
        app.store.introduce(identity.session);
    }
    if identity.set_cookie {
        let Identity { session, born, .. } = identity;
        let cookie = cookie::set_cookie(&app.signer, session, born, peer.jar());
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    let guards = Guards::new(connection, online);
    let preparing = Box::pin(prepare(guards, websocket));
    app.shutdown.spawn(async move {
        if let Some((connection, line)) = preparing.await {
            connection.run(line).await;
        }
    });
    answer
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

fn not_a_handshake() -> Problem {
    Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "not_a_handshake",
        "this address speaks WebSocket version 13, by GET with HTTP/1.1 and no body; connect with \
         ws:// or wss://",
    )
}

async fn search(
    app: Arc<AppState>,
    who: Who,
    guards: Guards,
    websocket: HyperWebsocket,
) -> Option<Ready<Lobby, LobbyIo>> {
    let line = opened(&app, websocket, guards, "matching").await?;
    let (outbox, mailbox) = app.channel.open();
    let (signing, marking) = (Arc::clone(&app), Arc::clone(&app));
    let matching = &app.config.matching;
    let machine = Lobby::new(
        app.encoder.clone(),
        LobbyRules {
            tag_patience: matching.tag_patience,
            repeat_patience: matching.repeat_patience,
            staff: Arc::clone(&app.staff),
        },
        who.session,
        place::hashes(&app.signer, who.address),
        outbox.address(),
        Box::new(move |room, side| token::sign(&signing.signer, room, side)),
        Box::new(move |tags| place::marks(&marking.signer, who.address, tags)),
    );
    let io = LobbyIo {
        app: Arc::clone(&app),
        who,
    };
    Some((Connection::new(app, who, mailbox, machine, io), line))
}

async fn talk(
    app: Arc<AppState>,
    mut who: Who,
    way: Way,
    guards: Guards,
    websocket: HyperWebsocket,
) -> Option<Ready<Chat, ChatIo>> {
    let mut line = opened(&app, websocket, guards, "chat").await?;
    let entrance = match way {
        Way::Address(entrance) => entrance,
        Way::FirstFrame(cookie) => {
            let patience = line.patience(app.config.limits.header_timeout);
            enter::entered(&app, who, cookie, patience, &mut line.socket).await?
        }
    };
    if !has_place(&app, &mut who, &mut line, &entrance) {
        enter::no_place(&app, who, &mut line.socket).await;
        return None;
    }
    let socket = &mut line.socket;
    let group = GroupId(entrance.room);
    let (outbox, mailbox) = app.channel.open();
    let connection = outbox.address();
    // Join first, then read: whatever is committed after the read arrives by the mailbox.
    let membership = app.channel.join(group, &outbox).await;
    let arrived = match entrance.seat {
        Some(seat) => match sit_down(&app, entrance.room, seat, connection).await {
            Ok(arrived) => arrived,
            // Not a word of the room's fate: come back after a moment.
            Err(_) => {
                socket.close(CloseReason::GoingAway).await;
                return None;
            }
        },
        None => None,
    };
    let (Some(arrival), Some(seat)) = (arrived, entrance.seat) else {
        // Whoever cannot be told is closed all the same.
        let _ = socket
            .write(app.encoder.nobody_left().into(), who.account(&app.memory))
            .await;
        socket.close(CloseReason::RoomGone).await;
        return None;
    };
    announce(&*app.channel, &arrival, connection);
    let opening = Opening {
        room: arrival.room,
        people: arrival.people,
        side: arrival.side,
        connection,
        provisional: seat.provisional(),
        after: entrance.after,
    };
    let machine = Chat::new(app.encoder.clone(), Arc::clone(&app.chat_rules), opening);
    let reach = Arc::clone(&app.reach);
    let io = ChatIo::new(reach, connection, membership, who.address);
    Some((Connection::new(app, who, mailbox, machine, io), line))
}

/// Counts a connection under the browser that it turned out to be; whether there is a place for that.
fn has_place(app: &AppState, who: &mut Who, line: &mut Line, entrance: &Entrance) -> bool {
    let Some(seat) = &entrance.seat else {
        // It is let go at once.
        return true;
    };
    if line.is_kept() && !entrance.open {
        return false;
    }
    if seat.session == who.session {
        return true;
    }
    who.session = seat.session;
    who.caller = app.limits.caller(Some(who.session), who.address);
    // A token brought it.
    who.until = None;
    let most = app.config.limits.sockets_per_session;
    let online = app.online.enter(who.session, who.address, most);
    online.map(|online| line.belongs_to(online)).is_some()
}

/// The socket, once the client has the answer to its handshake.
async fn opened(
    app: &AppState,
    websocket: HyperWebsocket,
    guards: Guards,
    kind: &'static str,
) -> Option<Box<Line>> {
    // Fails when the client is gone before the answer; nothing began yet.
    let stream = websocket.await.ok()?;
    let socket = Socket::new(stream, &app.config.limits).await?;
    Some(Box::new(Line::new(socket, guards, kind)))
}
