//! A socket's beginning, after its handshake: what it belongs to, which machine runs on it, and what that
//! starts with.

use std::sync::Arc;

use hyper_tungstenite::HyperWebsocket;

use super::connection::Connection;
use super::counted_socket::{CountedSocket, Guards};
use super::enter;
use super::socket::Socket;
use crate::admission::Purpose;
use crate::admission::client::Client;
use crate::channel::GroupId;
use crate::chat::access::{Access, claim_side};
use crate::chat::effects::{ChatIo, announce};
use crate::chat::{Chat, Opening};
use crate::domain::id::SessionId;
use crate::identity::{network_marks, token};
use crate::lobby::effects::LobbyIo;
use crate::lobby::{Lobby, LobbyRules};
use crate::protocol::CloseReason;
use crate::state::AppState;

/// How a chat connection says where it goes.
pub enum Way {
    /// Its address did.
    Address(Access),
    /// Its first frame will; with the session of its cookie.
    FirstFrame(Option<SessionId>),
}

impl Way {
    /// Whose connection it is, as far as that is known by now.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Address(access) => access.claim.as_ref().map(|claim| claim.session),
            Self::FirstFrame(cookie) => *cookie,
        }
    }

    /// What it has a place for: one that may turn out to lead into an open room is let in, and looked at
    /// again when it has said where it goes.
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Address(access) if !access.open => Purpose::Other,
            Self::Address(_) | Self::FirstFrame(_) => Purpose::Kept,
        }
    }
}

/// A connection and its socket, to be run.
pub type Ready<M, I> = (Box<Connection<M, I>>, Box<CountedSocket>);

/// A search on this socket.
pub async fn search(
    app: Arc<AppState>,
    client: Client,
    guards: Guards,
    websocket: HyperWebsocket,
) -> Option<Ready<Lobby, LobbyIo>> {
    let counted = opened(&app, websocket, guards, "matching").await?;
    let (outbox, mailbox) = app.channel.open();
    let (signing, marking) = (Arc::clone(&app), Arc::clone(&app));
    let matching = &app.config.matching;
    let machine = Lobby::new(
        app.encoder.clone(),
        LobbyRules {
            tag_patience: matching.tag_patience,
            repeat_patience: matching.repeat_patience,
            push_hosts: app.reach.push_hosts.clone(),
            call_for: matching.call_for,
            staff: Arc::clone(&app.staff.read()),
            topics: Arc::clone(&app.topics.read()),
        },
        client.session,
        network_marks::hashes(&app.signer, client.address),
        outbox.address(),
        Box::new(move |room, side| token::sign(&signing.signer, room, side)),
        Box::new(move |tags| network_marks::marks(&marking.signer, client.address, tags)),
    );
    let io = LobbyIo {
        services: Arc::clone(&app.lobby),
        client,
    };
    Some((Connection::new(app, client, mailbox, machine, io), counted))
}

/// A conversation on this socket.
pub async fn talk(
    app: Arc<AppState>,
    mut client: Client,
    way: Way,
    guards: Guards,
    websocket: HyperWebsocket,
) -> Option<Ready<Chat, ChatIo>> {
    let mut counted = opened(&app, websocket, guards, "chat").await?;
    let access = match way {
        Way::Address(access) => access,
        Way::FirstFrame(cookie) => {
            let limit = counted.first_frame_timeout(app.config.limits.header_timeout);
            enter::entered(&app, client, cookie, limit, &mut counted.socket).await?
        }
    };
    if !has_place(&app, &mut client, &mut counted, &access) {
        enter::no_place(&app, client, &mut counted.socket).await;
        return None;
    }
    let socket = &mut counted.socket;
    let group = GroupId::Room(access.room);
    let (outbox, mailbox) = app.channel.open();
    let connection = outbox.address();
    // Join first, then read: whatever is committed after the read arrives by the mailbox.
    let membership = app.channel.join(group, &outbox).await;
    let arrived = match access.claim {
        Some(claim) => match claim_side(&app.reach, access.room, claim, connection).await {
            Ok(arrived) => arrived,
            // Nothing is said of the room: the client comes back after a moment.
            Err(_) => {
                socket.close(CloseReason::GoingAway).await;
                return None;
            }
        },
        None => None,
    };
    let (Some(arrival), Some(claim)) = (arrived, access.claim) else {
        // A client that cannot be told is closed all the same.
        let _ = socket
            .write(
                app.encoder.unknown_room_left().into(),
                client.account(&app.memory),
            )
            .await;
        socket.close(CloseReason::RoomGone).await;
        return None;
    };
    announce(&*app.channel, &arrival, connection);
    if arrival.room.active() {
        let reporting = &app.reach.reporting;
        reporting.arrived(arrival.room.id, arrival.side, client.address);
    }
    let opening = Opening {
        room: arrival.room,
        people: arrival.people,
        side: arrival.side,
        connection,
        provisional: claim.provisional(),
        after: access.after,
        together: access.together,
    };
    let machine = Chat::new(app.encoder.clone(), Arc::clone(&app.chat_rules), opening);
    let reach = Arc::clone(&app.reach);
    let io = ChatIo::new(reach, membership, client.address).speaking(client.language);
    Some((Connection::new(app, client, mailbox, machine, io), counted))
}

/// Counts a connection under the browser that it turned out to be; whether there is a place for that.
fn has_place(
    app: &AppState,
    client: &mut Client,
    counted: &mut CountedSocket,
    access: &Access,
) -> bool {
    let Some(claim) = &access.claim else {
        // It is let go at once.
        return true;
    };
    if counted.is_kept() && !access.open {
        return false;
    }
    if claim.session == client.session {
        return true;
    }
    client.session = claim.session;
    client.caller = app.door.caller(Some(client.session), client.address);
    // A token brought it.
    client.until = None;
    let most = app.config.limits.sockets_per_session;
    let online = app.online.enter(client.session, client.address, most);
    online.map(|online| counted.belongs_to(online)).is_some()
}

/// The socket, once the client has the answer to its handshake.
async fn opened(
    app: &AppState,
    websocket: HyperWebsocket,
    guards: Guards,
    kind: &'static str,
) -> Option<Box<CountedSocket>> {
    // Fails when the client is gone before the answer; nothing began yet.
    let stream = websocket.await.ok()?;
    let socket = Socket::new(stream, &app.config.limits).await?;
    Some(Box::new(CountedSocket::new(socket, guards, kind)))
}
