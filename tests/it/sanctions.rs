//! What operators decide, at the door of real servers: bans, mutes and warnings hold wherever a person comes from, end
//! when they end, and everyone else goes on.

use std::time::Duration;

use miyu::domain::id::SessionId;
use miyu::domain::safety::SanctionKind;
use serde_json::{Value, json};

use crate::support::client::{Browser, Socket, keys};
use crate::support::original::Original;
use crate::support::people::{Chatting, chat, session_of, start};
use crate::support::pool::Pool;
use crate::support::reporting::refusal;
use crate::support::safety::{Guarded, on_session, session_of_browser};
use crate::support::server::TestServer;

/// A decision takes effect within this, which is long before the store is compared with (from 15 s on). A second is
/// what it takes where nothing else runs.
const SOON: Duration = Duration::from_secs(8);
const HOUR: Duration = Duration::from_secs(3600);

async fn site() -> Guarded {
    Guarded::start(|config| config.limits.messages_per_second = 0).await
}

/// A browser that was here.
async fn visitor(server: &TestServer) -> (Browser, SessionId) {
    let browser = Browser::new(server);
    browser.get("/").await;
    let session = session_of_browser(server, &browser);
    (browser, session)
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(SOON, what).await;
    done.expect("in time")
}

async fn refused(browser: &Browser, path: &str) -> Value {
    let answer = browser.try_open(path, &[]).await.err().expect("refused");
    assert_eq!(refusal(&answer), (403, "banned".to_owned()));
    answer.json()
}

async fn notices(browser: &Browser) -> Value {
    let answer = browser.get("/api/notices/").await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// The text of a message that both sides agree is the next one.
async fn next_text(socket: &mut Socket) -> String {
    let frame = socket.until("new_message").await;
    frame["message"]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_ban_ends_sockets_searches_and_rooms_and_refuses_the_door() {
    let site = site().await;
    let Chatting {
        ming,
        mei,
        mut a,
        mut b,
    } = chat(&site.server).await;
    let banned = session_of(&site.server, &mei);
    let mut search = mei.browser.open("/ws/matching/").await;
    search.send(start(json!({"user_id": "another"}))).await;
    search.expect("waiting_for_match").await;
    site.impose(on_session(banned, SanctionKind::Ban, Some(HOUR)))
        .await;
    assert_eq!(in_time(b.close_code()).await, Some(4100));
    assert_eq!(in_time(search.close_code()).await, Some(4100));
    let left = in_time(a.until("user_left")).await;
    assert_eq!(
        (&left["reason"], &left["user_id"]),
        (&json!("left"), &json!(mei.user_id()))
    );
    Pool(std::sync::Arc::clone(&site.server.app.pool))
        .waiting_are(0)
        .await;
    for path in ["/ws/matching/", "/ws/chat/", &*mei.path()] {
        let told = refused(&mei.browser, path).await;
        assert_eq!(
            (&told["rule"], &told["appeal"]),
            (&json!("spam"), &json!("/#notices"))
        );
        assert!(told["until_ms"].as_i64().is_some() && told["retry_after_ms"].as_u64().is_some());
    }
    // The token of its side, without its cookie, is the same person.
    let by_token = format!("{}&token={}", mei.path(), mei.token());
    refused(&Browser::forgetful(&site.server), &by_token).await;
    let mut named = Browser::forgetful(&site.server).open("/ws/chat/").await;
    named
        .send(json!({"action": "enter", "room": mei.room(), "token": mei.token(), "after": 0}))
        .await;
    assert_eq!(named.close_code().await, Some(4100));
    // Pages, their own notices and the way to appeal stay open; and everyone else is let in.
    assert_eq!(mei.browser.get("/").await.status, 200);
    let told = notices(&mei.browser).await;
    assert_eq!(told["standing"]["ban"]["rule"], "spam");
    assert_eq!(told["notices"][0]["kind"], "ban");
    assert_eq!(
        notices(&ming.browser).await["standing"],
        json!({"ban": null, "mute": null})
    );
    let mut other = Browser::new(&site.server).open("/ws/matching/").await;
    other.send(start(json!({}))).await;
    other.expect("waiting_for_match").await;
}

#[tokio::test]
async fn a_ban_holds_across_a_restart_and_in_other_tabs_and_ends_when_it_is_lifted() {
    let site = site().await;
    let (browser, session) = visitor(&site.server).await;
    let ban = site
        .impose(on_session(session, SanctionKind::Ban, None))
        .await;
    site.soon(async || browser.try_open("/ws/matching/", &[]).await.is_err())
        .await;
    let told = refused(&browser, "/ws/matching/").await;
    assert_eq!(told["until_ms"], Value::Null);
    assert!(told.get("retry_after_ms").is_none());
    let site = site.restart().await;
    let browser = browser.moved(&site.server);
    refused(&browser, "/ws/matching/").await;
    // A copy of the cookie is the same browser; a browser without one is another.
    let copy = Browser::new(&site.server);
    copy.set_cookie(&browser.cookie().unwrap());
    refused(&copy, "/ws/chat/").await;
    Browser::new(&site.server).open("/ws/matching/").await;
    site.lift(ban).await;
    site.soon(async || browser.try_open("/ws/matching/", &[]).await.is_ok())
        .await;
    let mut socket = browser.open("/ws/matching/").await;
    // That it was lifted is what is left to be told.
    let told = in_time(socket.expect("notice")).await;
    assert_eq!(told["notice"]["kind"], "lifted");
}

#[tokio::test]
async fn being_forgotten_lifts_no_ban() {
    let site = site().await;
    let (browser, session) = visitor(&site.server).await;
    site.impose(on_session(session, SanctionKind::Ban, Some(HOUR)))
        .await;
    let cookie = browser.cookie().unwrap();
    let forget = "/api/session/forget";
    let headers = [("cookie", &*cookie)];
    let answer = crate::support::http::request(site.server.address, "POST", forget, &headers).await;
    assert_eq!(answer.status, 204, "to be forgotten is each person's right");
    // What is remembered of being forgotten ends with the process; the ban does not.
    let site = site.restart().await;
    let copy = Browser::new(&site.server);
    copy.set_cookie(&cookie);
    refused(&copy, "/ws/matching/").await;
}

#[tokio::test]
async fn a_ban_ends_by_its_time() {
    let site = site().await;
    let (browser, session) = visitor(&site.server).await;
    let short = Duration::from_secs(2);
    site.impose(on_session(session, SanctionKind::Ban, Some(short)))
        .await;
    site.soon(async || browser.try_open("/ws/matching/", &[]).await.is_err())
        .await;
    tokio::time::sleep(short).await;
    browser.open("/ws/matching/").await;
}

#[tokio::test]
async fn a_muted_person_may_read_and_not_speak() {
    let site = site().await;
    let mut room = chat(&site.server).await;
    room.b_says("before", "b-1").await;
    let muted = session_of(&site.server, &room.mei);
    let mute = site
        .impose(on_session(muted, SanctionKind::Mute, Some(HOUR)))
        .await;
    let told = in_time(room.b.expect("notice")).await;
    let notice = &told["notice"];
    assert_eq!(
        keys(notice),
        [
            "appeal",
            "automatic",
            "confirmed",
            "from_ms",
            "id",
            "kind",
            "rule",
            "text",
            "until_ms"
        ]
    );
    assert_eq!(
        (&notice["kind"], &notice["appeal"]),
        (&json!("mute"), &json!("possible"))
    );
    assert_eq!(
        (&notice["rule"], &notice["text"]),
        (&json!("spam"), &json!("stop it"))
    );
    room.b.say("hello?", "b-2").await;
    let refused = room.b.expect_error("muted").await;
    assert_eq!(refused["client_id"], "b-2");
    assert!(
        refused["retry_after_ms"]
            .as_u64()
            .is_some_and(|left| left <= 3_600_000)
    );
    let react = json!({"action": "react", "message_id": "1", "reaction": "heart"});
    room.b.send(react).await;
    assert_eq!(room.b.expect_error("muted").await["message_id"], "1");
    room.b
        .send(json!({"action": "typing", "is_typing": true}))
        .await;
    // Reading, recalling and hearing go on.
    room.b
        .send(json!({"action": "recall_message", "message_id": "1"}))
        .await;
    room.b.expect("message_recalled").await;
    room.a.expect("message_recalled").await;
    room.a.say("are you there", "a-1").await;
    assert_eq!(next_text(&mut room.b).await, "are you there");
    assert_eq!(next_text(&mut room.a).await, "are you there");
    room.b.send(json!({"action": "read", "seq": 3})).await;
    assert_eq!(room.a.expect("partner_read").await["seq"], 3);
    room.a.nothing_more().await;
    site.lift(mute).await;
    let told = in_time(room.b.until("notice")).await;
    assert_eq!(told["notice"]["kind"], "lifted");
    room.b.say("again", "b-3").await;
    assert_eq!(next_text(&mut room.a).await, "again");
}

#[tokio::test]
async fn a_mute_is_told_at_each_opening_until_it_ends_and_a_confirmed_warning_once() {
    let site = site().await;
    let (browser, session) = visitor(&site.server).await;
    site.impose(on_session(session, SanctionKind::Mute, Some(HOUR)))
        .await;
    site.impose(on_session(session, SanctionKind::Warning, None))
        .await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut socket = browser.open("/ws/matching/").await;
        let told = [socket.expect("notice").await, socket.expect("notice").await];
        let kinds = told
            .each_ref()
            .map(|it| it["notice"]["kind"].as_str().unwrap());
        assert_eq!(kinds, ["mute", "warning"]);
        ids = told.iter().map(|it| it["notice"]["id"].clone()).collect();
        socket.nothing_more().await;
    }
    let mut socket = browser.open("/ws/matching/").await;
    for id in &ids {
        let confirm = json!({"action": "acknowledge_notice", "id": id});
        socket.send(confirm.clone()).await;
        socket.send(confirm).await;
    }
    socket
        .send(json!({"action": "acknowledge_notice", "id": "this one"}))
        .await;
    assert_eq!(socket.until("error").await["field"], "id");
    socket.close().await;
    let mut socket = browser.open("/ws/matching/").await;
    assert_eq!(socket.expect("notice").await["notice"]["kind"], "mute");
    socket.nothing_more().await;
}

#[tokio::test]
async fn a_warning_is_confirmed_before_the_next_search() {
    let site = site().await;
    let (browser, session) = visitor(&site.server).await;
    let mut socket = browser.open("/ws/matching/").await;
    site.impose(on_session(session, SanctionKind::Warning, None))
        .await;
    let told = in_time(socket.expect("notice")).await;
    let id = told["notice"]["id"].clone();
    assert_eq!(told["notice"]["until_ms"], Value::Null);
    socket.send(start(json!({}))).await;
    assert_eq!(socket.expect_error("notice_pending").await["notice_id"], id);
    // Another connection knows nothing of that one's first search.
    let mut other = browser.open("/ws/matching/").await;
    other.expect("notice").await;
    other.send(start(json!({}))).await;
    other.expect_error("notice_pending").await;
    other
        .send(json!({"action": "acknowledge_notice", "id": id}))
        .await;
    other.send(start(json!({}))).await;
    other.expect("waiting_for_match").await;
    assert!(
        notices(&browser).await["notices"][0]["confirmed"]
            .as_bool()
            .unwrap()
    );
    other.close().await;
    socket.send(start(json!({}))).await;
    socket.expect("waiting_for_match").await;
}

#[tokio::test]
async fn clients_of_the_original_live_through_all_of_it() {
    let site = site().await;
    let (here, there) = (Browser::new(&site.server), Browser::new(&site.server));
    here.get("/").await;
    let ann = session_of_browser(&site.server, &here);
    site.impose(on_session(ann, SanctionKind::Warning, None))
        .await;
    // The first search is refused, and it searches again, as people do.
    let mut hasty = here.open("/ws/matching/").await;
    hasty.until("notice").await;
    hasty.send(start(json!({}))).await;
    hasty.until("error").await;
    hasty.send(start(json!({}))).await;
    hasty.until("waiting_for_match").await;
    hasty.close().await;
    let retry = Duration::from_millis(100);
    let mut ann_page = Original::new(&here, "user_ann", retry);
    let mut ben_page = Original::new(&there, "user_ben", retry);
    tokio::join!(ann_page.meet(), ben_page.meet());
    ann_page.say("hello", None).await;
    ben_page.until("hello", |it| it.shows("hello")).await;
    let mute = site
        .impose(on_session(ann, SanctionKind::Mute, Some(HOUR)))
        .await;
    site.soon(async || {
        let here = [127, 0, 0, 1].into();
        let against = site.server.app.door.against(Some(ann), here);
        against.mute.is_some()
    })
    .await;
    ben_page.say("hi", None).await;
    ann_page.until("hi", |it| it.shows("hi")).await;
    ann_page.say("not heard", None).await;
    ben_page.say("are you there", None).await;
    ann_page.until("that", |it| it.shows("are you there")).await;
    assert!(!ben_page.shows("not heard"));
    site.lift(mute).await;
    site.impose(on_session(ann, SanctionKind::Ban, None)).await;
    ben_page.until("the end", |it| it.left.is_some()).await;
    assert_eq!(ben_page.left.as_deref(), Some("user_ann"));
}

#[tokio::test]
async fn a_decision_that_cannot_be_read_keeps_no_other_from_holding() {
    let site = site().await;
    let (one, first) = visitor(&site.server).await;
    let (two, second) = visitor(&site.server).await;
    for session in [first, second] {
        site.impose(on_session(session, SanctionKind::Ban, Some(HOUR)))
            .await;
    }
    let url = &site.server.app.config.store.url;
    let database = rusqlite::Connection::open(url.trim_start_matches("sqlite:")).unwrap();
    let damage = "UPDATE sanctions SET kind = 99 WHERE no = (SELECT min(no) FROM sanctions)";
    assert_eq!(database.execute(damage, []).unwrap(), 1);
    drop(database);
    // It starts, and holds to what it can read; what is decided later takes effect as ever.
    let site = site.restart().await;
    refused(&two.moved(&site.server), "/ws/matching/").await;
    let one = one.moved(&site.server);
    one.open("/ws/matching/").await.close().await;
    site.impose(on_session(first, SanctionKind::Ban, Some(HOUR)))
        .await;
    site.soon(async || one.try_open("/ws/matching/", &[]).await.is_err())
        .await;
}

#[tokio::test]
async fn a_store_that_was_put_back_is_followed_from_its_own_beginning() {
    let site = site().await;
    let (browser, session) = visitor(&site.server).await;
    let (_, other) = visitor(&site.server).await;
    for _ in 0..3 {
        site.impose(on_session(other, SanctionKind::Mute, Some(HOUR)))
            .await;
    }
    let known = || {
        site.server
            .app
            .door
            .against(Some(other), [127, 0, 0, 1].into())
    };
    site.soon(async || known().mute.is_some()).await;
    // As a copy of before these decisions has it, which counts on from there.
    let url = &site.server.app.config.store.url;
    let database = rusqlite::Connection::open(url.trim_start_matches("sqlite:")).unwrap();
    let back = "DELETE FROM sanctions; DELETE FROM notices; \
        UPDATE sqlite_sequence SET seq = 0 WHERE name IN ('sanctions', 'notices')";
    database.execute_batch(back).unwrap();
    drop(database);
    site.impose(on_session(session, SanctionKind::Ban, Some(HOUR)))
        .await;
    let door = &site.server.app.door;
    let home = [127, 0, 0, 1].into();
    site.soon(async || door.not_banned(Some(session), home).is_err())
        .await;
    refused(&browser, "/ws/matching/").await;
    assert!(
        known().mute.is_none(),
        "what that copy does not know holds no more"
    );
}
