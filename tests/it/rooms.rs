//! `/api/rooms/…` on a real store: whose rooms, which side, the log as the socket replays it.

use miyu::domain::id::{Address, NodeId, RoomId, SessionId, Side, TicketId};
use miyu::domain::{Pairing, Party, Persona, Profile, UserId};
use miyu::identity::jar::Jar;
use miyu::identity::{cookie, token};
use miyu::store::{Appended, Draft};

use crate::support::http::{get, get_with};
use crate::support::server::TestServer;

fn party(session: SessionId, name: &str) -> Party {
    Party {
        ticket: TicketId::fresh(),
        session,
        persona: Persona {
            user_id: UserId::parse(name).unwrap(),
            profile: Profile::parse(name, "3", "happy", "female"),
        },
        marks: Vec::new(),
        address: Address {
            node: NodeId::fresh(),
            number: 1,
        },
    }
}

/// Makes a room of these two sessions, with three messages of the first.
async fn room(server: &TestServer, ann: SessionId, ben: SessionId) -> RoomId {
    let room = RoomId::fresh();
    let pairing = Pairing {
        room,
        parties: [party(ann, "ann"), party(ben, "ben")],
        common_tags: vec!["音樂".into()],
        is_bot: false,
    };
    server.app.store.create_room(&pairing).await.unwrap();
    for n in 1..=3 {
        let draft = Draft {
            unheard: false,
            room,
            side: Side::A,
            client_id: format!("c{n}"),
            content: format!("line {n}"),
            reply_to: None,
        };
        let appended = server.app.store.append(draft).await.unwrap();
        assert!(matches!(appended, Appended::Done(_)));
    }
    room
}

/// The `Cookie` header of this session.
fn cookie_of(server: &TestServer, session: SessionId) -> String {
    let set = cookie::set_cookie(
        &server.app.signer,
        session,
        miyu::clock::now(),
        Jar::of(false, None),
    );
    set.to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn each_side_sees_the_other() {
    let server = TestServer::start(|_| {}).await;
    let (ann, ben) = (SessionId::fresh(), SessionId::fresh());
    let id = room(&server, ann, ben).await;
    for (me, user, partner) in [(ann, "ann", "ben"), (ben, "ben", "ann")] {
        let cookie = cookie_of(&server, me);
        let headers = [("cookie", cookie.as_str())];
        let mut list = get_with(server.address, "/api/rooms/", &headers)
            .await
            .json();
        assert_eq!(list["rooms"].as_array().unwrap().len(), 1);
        let one = get_with(server.address, &format!("/api/rooms/{id}/"), &headers).await;
        assert_eq!(one.status, 200);
        let mut state = one.json();
        // Time passes between the two.
        for it in [&mut state, &mut list["rooms"][0]] {
            for key in ["closes_ms", "now_ms"] {
                assert!(it.as_object_mut().unwrap().remove(key).is_some());
            }
        }
        assert_eq!(state, list["rooms"][0]);
        assert_eq!(state["room_id"], id.to_string());
        assert_eq!(state["user_id"], user);
        assert_eq!(state["partner"]["nickname"], partner);
        assert_eq!(state["active"], true);
        assert_eq!(state["last_seq"], 3);
    }
    server.app.figures.renew();
    let stats = get(server.address, "/api/stats").await.json();
    assert_eq!(stats["rooms"], 1);
    server.stop().await;
}

#[tokio::test]
async fn strangers_and_unknown_rooms_are_refused() {
    let server = TestServer::start(|_| {}).await;
    let (ann, ben) = (SessionId::fresh(), SessionId::fresh());
    let id = room(&server, ann, ben).await;
    let stranger = cookie_of(&server, SessionId::fresh());
    let headers = [("cookie", stranger.as_str())];
    for (path, status, code) in [
        (format!("/api/rooms/{id}/"), 403, "not_a_member"),
        (format!("/api/rooms/{id}/messages/"), 403, "not_a_member"),
        (
            format!("/api/rooms/{}/", RoomId::fresh()),
            404,
            "no_such_room",
        ),
        (
            format!("/api/rooms/{id}/messages/?after=-1"),
            400,
            "bad_query",
        ),
        ("/api/rooms/1/messages/".to_owned(), 400, "not_a_uuid"),
    ] {
        let answer = get_with(server.address, &path, &headers).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["code"], code, "{path}");
    }
    let list = get_with(server.address, "/api/rooms/", &headers)
        .await
        .json();
    assert_eq!(list["rooms"], serde_json::json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_enough_for_its_own_room() {
    let server = TestServer::start(|_| {}).await;
    let (ann, ben) = (SessionId::fresh(), SessionId::fresh());
    let id = room(&server, ann, ben).await;
    let other = room(&server, ann, ben).await;
    let of_ben = token::sign(&server.app.signer, id, Side::B);
    let own = get(server.address, &format!("/api/rooms/{id}/?token={of_ben}")).await;
    assert_eq!(own.json()["user_id"], "ben");
    let foreign = get(
        server.address,
        &format!("/api/rooms/{other}/?token={of_ben}"),
    )
    .await;
    assert_eq!(foreign.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn the_log_is_paged_as_the_socket_replays_it() {
    let server = TestServer::start(|config| config.limits.page_entries = 2).await;
    let me = SessionId::fresh();
    let id = room(&server, me, me).await;
    let cookie = cookie_of(&server, me);
    let headers = [("cookie", cookie.as_str())];
    let mut after = 0;
    let mut lines = Vec::new();
    loop {
        let path = format!("/api/rooms/{id}/messages/?after={after}&limit=1000&user_id=ben");
        let page = get_with(server.address, &path, &headers).await.json();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= 2);
        for entry in entries {
            assert_eq!(entry["action"], "new_message");
            assert_eq!(entry["message"]["sender_id"], "ann");
            lines.push(entry["message"]["content"].as_str().unwrap().to_owned());
        }
        after = page["upto"].as_u64().unwrap();
        if page["upto"] == page["last_seq"] {
            break;
        }
    }
    assert_eq!(lines, ["line 1", "line 2", "line 3"]);
    // Two tabs of one browser: both sides are listed, and `user_id` names one.
    let list = get_with(server.address, "/api/rooms/", &headers)
        .await
        .json();
    assert_eq!(list["rooms"].as_array().unwrap().len(), 2);
    for user in ["ann", "ben"] {
        let path = format!("/api/rooms/{id}/?user_id={user}");
        let state = get_with(server.address, &path, &headers).await.json();
        assert_eq!(state["user_id"], user);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_ready_server_says_so() {
    let server = TestServer::start(|_| {}).await;
    let ready = get(server.operator, "/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(ready.json()["ready"], true);
    server.stop().await;
}
