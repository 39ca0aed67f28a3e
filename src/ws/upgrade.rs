//! From an HTTP request to a socket's task: who may, on which side, and what they start with.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::SET_COOKIE;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_tungstenite::HyperWebsocket;

use super::chat::{Chat, Opening};
use super::chat_io::{ChatIo, announce};
use super::connection::Connection;
use super::enter;
use super::entrance::{self, Asked, Entrance, sit_down};
use super::line::{Guards, Line, Who};
use super::lobby::{Lobby, LobbyRules};
use super::lobby_io::LobbyIo;
use super::socket::{Socket, websocket_config};
use super::{Io, Machine};
use crate::admission::memory::Class;
use crate::app::App;
use crate::channel::GroupId;
use crate::error::Problem;
use crate::http::Body;
use crate::http::request::{Peer, origin_allowed};
use crate::http::response;
use crate::id::{SessionId, Timestamp};
use crate::protocol::CloseReason;
use crate::session::{cookie, place, token};

/// `GET /ws/matching/`
pub fn matching(app: Arc<App>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
    let identity = identity(&app, &peer, &request);
    if let Err(problem) = may_ask(&app, &peer, &request, &identity, Class::Arriving) {
        return response::problem(&problem);
    }
    let who = Who {
        session: identity.session,
        address: peer.address,
        class: Class::Arriving,
    };
    let shared = Arc::clone(&app);
    accept(app, peer, request, identity, who, move |guards, ws| {
        search(shared, who, guards, ws)
    })
}

/// `GET /ws/chat/`, then `enter`; for clients of the original `GET /ws/chat/?room=ROOM` and
/// `GET /ws/chat/ROOM/`.
pub async fn chat(
    app: Arc<App>,
    peer: Peer,
    request: Request<Incoming>,
    room: Option<&str>,
) -> Response<Body> {
    let identity = identity(&app, &peer, &request);
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
    let who = Who {
        session: way.session().unwrap_or(identity.session),
        address: peer.address,
        class: Class::InRoom,
    };
    let shared = Arc::clone(&app);
    accept(app, peer, request, identity, who, move |guards, ws| {
        talk(shared, who, way, guards, ws)
    })
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
}

/// The browser behind a request: its session, and whether to set the cookie (again).
struct Identity {
    session: SessionId,
    born: Timestamp,
    known: bool,
    set_cookie: bool,
}

fn identity(app: &App, peer: &Peer, request: &Request<Incoming>) -> Identity {
    match app.session(request.headers(), peer.scheme_https) {
        Some(seen) => Identity {
            session: seen.session,
            born: seen.born,
            known: true,
            set_cookie: seen.needs_renewal,
        },
        None => Identity {
            session: SessionId::fresh(),
            born: Timestamp::now(),
            known: false,
            set_cookie: true,
        },
    }
}

/// What holds for every handshake, before anything is looked up for it.
fn may_ask(
    app: &App,
    peer: &Peer,
    request: &Request<Incoming>,
    identity: &Identity,
    class: Class,
) -> Result<(), Problem> {
    if !is_handshake(request) {
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
    app: Arc<App>,
    peer: Peer,
    mut request: Request<Incoming>,
    identity: Identity,
    who: Who,
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
    // Only now: the count of a connection that stays HTTP must stay with it.
    let Ok(connection) = app.limits.connection(&peer.slot, peer.address) else {
        return response::problem(&Problem::unavailable(
            "too many connections, here or from your network; try again later",
        ));
    };
    if !identity.known {
        app.store.introduce(identity.session);
    }
    if identity.set_cookie {
        let Identity { session, born, .. } = identity;
        let cookie = cookie::set_cookie(&app.signer, session, born, peer.scheme_https);
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    let guards = Guards::new(connection, app.online.enter(who.session, who.address));
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

fn not_a_handshake() -> Problem {
    Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "not_a_handshake",
        "this address speaks WebSocket version 13, by GET with HTTP/1.1 and no body; connect with \
         ws:// or wss://",
    )
}

async fn search(
    app: Arc<App>,
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
    app: Arc<App>,
    mut who: Who,
    way: Way,
    guards: Guards,
    websocket: HyperWebsocket,
) -> Option<Ready<Chat, ChatIo>> {
    let mut line = opened(&app, websocket, guards, "chat").await?;
    let entrance = match way {
        Way::Address(entrance) => entrance,
        Way::FirstFrame(cookie) => enter::entered(&app, who, cookie, &mut line.socket).await?,
    };
    if let Some(seat) = &entrance.seat
        && seat.session != who.session
    {
        who.session = seat.session;
        line.belongs_to(app.online.enter(who.session, who.address));
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

/// The socket, once the client has the answer to its handshake.
async fn opened(
    app: &App,
    websocket: HyperWebsocket,
    guards: Guards,
    kind: &'static str,
) -> Option<Box<Line>> {
    // Fails when the client is gone before the answer; nothing began yet.
    let stream = websocket.await.ok()?;
    let socket = Socket::new(stream, &app.config.limits).await?;
    Some(Box::new(Line::new(socket, guards, kind)))
}
