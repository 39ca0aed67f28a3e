//! What people are told of decisions and by the site, on real servers: after a kill -9, in their language, over HTTP, and
//! what a person who speaks into the void is not told.

use std::time::Duration;

use miyu::domain::safety::{Actor, SanctionKind, SettingName};
use miyu::identity::Signer;
use miyu::store::safety::{Acted, Sanctions as _};
use miyu::store::sqlite::SqliteStore;
use miyu::store::{Durability, Upkeep as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::binary::Setup;
use crate::support::client::Browser;
use crate::support::people::{chat, meet, session_of, start};
use crate::support::reporting::{about, post_report, refusal};
use crate::support::safety::{
    Data, Guarded, for_each_data, impose, on_session, session_by, session_of_browser, soon,
};
use crate::support::scene::MIYU;
use crate::support::store::{Recorder, rules};
use crate::support::wire;

const HOUR: Duration = Duration::from_secs(3600);

async fn site() -> Guarded {
    site_on(Data::Sqlite).await
}

async fn site_on(data: Data) -> Guarded {
    Guarded::start_with(data, |config| config.limits.messages_per_second = 0).await
}

for_each_data! {
    a_reporter_hears_that_it_was_looked_at_on_whichever_socket_is_open
    a_banned_person_reads_confirms_and_appeals_over_http
}

async fn post(browser: &Browser, path: &str, body: &str) -> wire::Answer {
    let (length, cookie) = (body.len().to_string(), browser.cookie().unwrap_or_default());
    let headers = [
        ("Content-Length", length.as_str()),
        ("Connection", "close"),
        ("Cookie", &cookie),
    ];
    let head = wire::request("POST", path, browser.address(), &headers);
    wire::exchange(
        browser.address(),
        &[head.as_bytes(), body.as_bytes()].concat(),
    )
    .await
}

async fn put(site: &Guarded, name: SettingName, value: Option<Value>) {
    let value = value.map(|it| it.to_string());
    let put = site
        .safety
        .put_setting(name, value, None, Actor::Local)
        .await;
    assert_eq!(put.unwrap(), Acted::Done(()));
}

fn announcement(length: Duration) -> Value {
    let until = miyu::clock::now().plus(length).0;
    json!({"id": uuid::Uuid::new_v4(), "from_ms": 0, "until_ms": until,
        "texts": {"en": "back at nine", "zh-TW": "九點回來"}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_before_a_kill_9_is_told_at_the_next_opening() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.spawn();
    let browser = Browser::at(server.ready().await);
    browser.get("/").await;
    let mut socket = browser.open("/ws/matching/").await;
    server.kill();
    assert_eq!(socket.close_code().await, None);
    // The decision was committed, and the process ended before it told anyone.
    let sink = std::sync::Arc::new(Recorder::default());
    let path = home.path().join("data/miyu.db");
    let clock = std::sync::Arc::new(miyu::clock::Steady);
    let store = SqliteStore::open(&path, Durability::Process, rules(), sink, clock).unwrap();
    let key = store.session_key().await.unwrap();
    let port = browser.address().port();
    let session = session_by(&Signer::new(&key, HOUR), &browser, port);
    impose(&*store, on_session(session, SanctionKind::Mute, None)).await;
    assert_eq!(store.notices(session).await.unwrap().len(), 1);
    store.close().await.unwrap();
    let mut server = setup.spawn();
    let browser = browser.moved_to(server.ready().await);
    let mut socket = browser.open("/ws/matching/").await;
    assert_eq!(socket.expect("notice").await["notice"]["kind"], "mute");
    server.kill();
}

async fn a_reporter_hears_that_it_was_looked_at_on_whichever_socket_is_open(data: Data) {
    let site = site_on(data).await;
    let mut room = chat(&site.server).await;
    let mut other = room.ming.browser.open("/ws/matching/").await;
    let answer = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(answer.status, 201);
    let (case, ..) = site.only_case().await;
    let decided = site
        .safety
        .decide(crate::support::safety::no_violation(case.id));
    assert!(matches!(decided.await.unwrap(), Acted::Done(_)));
    for socket in [&mut room.a, &mut other] {
        let told = socket.expect("notice").await["notice"].clone();
        assert_eq!(
            (&told["kind"], &told["acted"]),
            (&json!("outcome"), &json!(false))
        );
        assert_eq!(
            (&told["rule"], &told["appeal"]),
            (&Value::Null, &json!("none"))
        );
    }
    // The one who was reported learns nothing.
    room.b.nothing_more().await;
}

async fn a_banned_person_reads_confirms_and_appeals_over_http(data: Data) {
    let site = site_on(data).await;
    let browser = Browser::new(&site.server);
    browser.get("/").await;
    let session = session_of_browser(&site.server, &browser);
    site.impose(on_session(session, SanctionKind::Ban, Some(HOUR)))
        .await;
    soon(async || browser.try_open("/ws/matching/", &[]).await.is_err()).await;
    let listed = async || browser.get("/api/notices/").await.json();
    let ban = listed().await["notices"][0].clone();
    let id = ban["id"].as_str().unwrap();
    assert_eq!(
        (&ban["appeal"], &ban["confirmed"]),
        (&json!("possible"), &json!(false))
    );
    let acknowledge = format!("/api/notices/{id}/acknowledge/");
    for _ in 0..2 {
        assert_eq!(post(&browser, &acknowledge, "").await.status, 204);
    }
    let appeal = |text: &str| json!({"notice": id, "text": text}).to_string();
    for (text, code) in [
        ("x".repeat(2001), "text_too_long"),
        (" ".into(), "text_empty"),
        ("\u{200b}\u{2060}".into(), "text_empty"),
    ] {
        let answer = post(&browser, "/api/appeals/", &appeal(&text)).await;
        assert_eq!(refusal(&answer), (422, code.to_owned()));
    }
    let stranger = Browser::new(&site.server);
    stranger.get("/").await;
    for (path, body) in [
        (&*acknowledge, String::new()),
        ("/api/appeals/", appeal("mine")),
    ] {
        let answer = post(&stranger, path, &body).await;
        assert_eq!(
            refusal(&answer),
            (404, "no_such_notice".to_owned()),
            "{path}"
        );
    }
    // Half a character, as a text has it that was cut in the middle of an emoji, is no reason to read none of it.
    let cut = format!(r#"{{"notice": "{id}", "text": "it was a joke \ud83d"}}"#);
    let answer = post(&browser, "/api/appeals/", &cut).await;
    assert_eq!(
        (answer.status, answer.json()),
        (201, json!({"appeal": "pending"}))
    );
    let answer = post(&browser, "/api/appeals/", &appeal("again")).await;
    assert_eq!(refusal(&answer), (409, "already_appealed".to_owned()));
    let ban = listed().await["notices"][0].clone();
    assert_eq!(
        (&ban["appeal"], &ban["confirmed"]),
        (&json!("pending"), &json!(true))
    );
    let queue = site.queue().await;
    let texts: Vec<_> = queue.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["it was a joke \u{fffd}"]);
}

#[tokio::test]
async fn what_the_site_tells_all_is_told_in_their_language_at_opening_and_at_once() {
    let site = site().await;
    let open = async |path: &str, language: &str| {
        let browser = Browser::new(&site.server);
        let headers = [("accept-language", language)];
        browser.try_open(path, &headers).await.ok().unwrap()
    };
    let mut early = open("/ws/matching/", "zh-TW").await;
    put(&site, SettingName::Broadcast, Some(announcement(HOUR))).await;
    let told = early.expect("notice").await["notice"].clone();
    assert_eq!(
        (&told["kind"], &told["text"]),
        (&json!("broadcast"), &json!("九點回來"))
    );
    let mut late = open("/ws/matching/?lang=en", "zh-TW").await;
    let same = late.expect("notice").await["notice"].clone();
    assert_eq!(
        (&same["id"], &same["text"]),
        (&told["id"], &json!("back at nine"))
    );
    let listed = Browser::new(&site.server).get("/api/notices/").await.json();
    assert_eq!(listed["notices"][0]["id"], told["id"]);
    put(&site, SettingName::Broadcast, None).await;
    soon(async || {
        let listed = Browser::new(&site.server).get("/api/notices/").await.json();
        listed["notices"] == json!([])
    })
    .await;
    // It goes from pages that are open: told again, it has ended as it began.
    for socket in [&mut early, &mut late] {
        let gone = socket.expect("notice").await["notice"].clone();
        let again = [&gone["id"], &gone["kind"], &gone["text"]];
        assert_eq!(again, [&told["id"], &told["kind"], &json!("")]);
        assert_eq!(gone["until_ms"], gone["from_ms"]);
    }
    // In the place of another that one goes, too. Who comes later hears of neither but what stands.
    for text in ["first", "second"] {
        let mut put_up = announcement(HOUR);
        put_up["texts"] = json!({"en": text});
        put(&site, SettingName::Broadcast, Some(put_up)).await;
        if text == "second" {
            let gone = late.expect("notice").await["notice"].clone();
            assert_eq!(
                (&gone["text"], &gone["until_ms"]),
                (&json!(""), &gone["from_ms"])
            );
        }
        assert_eq!(late.expect("notice").await["notice"]["text"], text);
    }
    let mut last = open("/ws/matching/?lang=en", "en").await;
    assert_eq!(last.expect("notice").await["notice"]["text"], "second");
    put(&site, SettingName::Broadcast, None).await;
    last.expect("notice").await;
    let mut after = open("/ws/matching/", "en").await;
    for socket in [&mut last, &mut after] {
        socket.nothing_more().await;
    }
}

#[tokio::test]
async fn what_the_site_told_all_goes_from_conversations_when_it_is_taken_back() {
    let site = site().await;
    let mut room = chat(&site.server).await;
    put(&site, SettingName::Broadcast, Some(announcement(HOUR))).await;
    let told = room.a.expect("notice").await["notice"].clone();
    room.b.expect("notice").await;
    put(&site, SettingName::Broadcast, None).await;
    for socket in [&mut room.a, &mut room.b] {
        let gone = socket.expect("notice").await["notice"].clone();
        assert_eq!(
            (&gone["id"], &gone["until_ms"]),
            (&told["id"], &gone["from_ms"])
        );
        socket.nothing_more().await;
    }
}

#[tokio::test]
async fn while_the_site_is_worked_on_no_one_is_paired_and_rooms_go_on() {
    let site = site().await;
    let mut room = chat(&site.server).await;
    let mut waiting = Browser::new(&site.server).open("/ws/matching/").await;
    waiting.send(start(json!({}))).await;
    waiting.expect("waiting_for_match").await;
    let length = Duration::from_secs(12);
    put(&site, SettingName::Maintenance, Some(announcement(length))).await;
    let told = waiting.expect("notice").await["notice"].clone();
    assert_eq!(told["kind"], "maintenance");
    let until = Browser::new(&site.server).get("/api/site/").await.json()["maintenance"].clone();
    assert_eq!(until["until_ms"], told["until_ms"]);
    // The search that waits ends when it looks again.
    let refused = waiting.expect_error("maintenance").await;
    let left = refused["retry_after_ms"].as_u64().unwrap();
    assert!((1..=12_000).contains(&left), "{left}");
    let mut fresh = Browser::new(&site.server).open("/ws/matching/").await;
    fresh.expect("notice").await;
    fresh.send(start(json!({}))).await;
    fresh.expect_error("maintenance").await;
    room.a.expect("notice").await;
    room.b.expect("notice").await;
    room.a_says("we go on", "a-1").await;
    tokio::time::sleep(Duration::from_millis(left)).await;
    let (ming, mei) = meet(&site.server).await;
    assert_eq!(ming.room(), mei.room());
    let told = Browser::new(&site.server).get("/api/site/").await.json();
    assert_eq!(told["maintenance"], Value::Null);
}

#[tokio::test]
async fn who_speaks_into_the_void_is_heard_by_no_one_and_does_not_know() {
    let site = site().await;
    let mut room = chat(&site.server).await;
    room.b_says("before", "b-1").await;
    let subject = session_of(&site.server, &room.mei);
    site.impose(on_session(subject, SanctionKind::ShadowMute, Some(HOUR)))
        .await;
    soon(async || {
        let against = site
            .server
            .app
            .door
            .against(Some(subject), [127, 0, 0, 1].into());
        against.shadow_mute.is_some()
    })
    .await;
    let said = room.b.said("buy this", "b-2").await;
    assert_eq!(
        (&said["content"], &said["seq"]),
        (&json!("buy this"), &json!(2))
    );
    room.b
        .send(json!({"action": "typing", "is_typing": true}))
        .await;
    room.b.send(json!({"action": "read", "seq": 2})).await;
    room.b.said("and that", "b-3").await;
    room.b
        .send(json!({"action": "recall_message", "message_id": "b-3"}))
        .await;
    room.b.until("message_recalled").await;
    room.a.nothing_more().await;
    // Nor later, nor elsewhere; what the partner says is heard as always.
    room.a.say("hello?", "a-1").await;
    assert_eq!(room.a.expect("new_message").await["message"]["seq"], 5);
    assert_eq!(
        room.b.until("new_message").await["message"]["content"],
        "hello?"
    );
    let texts = |log: &[Value]| -> Vec<Value> {
        let texts = log.iter().map(|it| it["message"]["content"].clone());
        texts.filter(|it| !it.is_null()).collect()
    };
    assert_eq!(texts(&room.ming.log().await), ["before", "hello?"]);
    assert_eq!(
        texts(&room.mei.log().await),
        ["before", "buy this", "hello?"]
    );
    let mut again = room.ming.enter("&after=0").await;
    again.expect("room_state").await;
    for content in ["before", "hello?"] {
        assert_eq!(
            again.expect("new_message").await["message"]["content"],
            content
        );
    }
    again.nothing_more().await;
    let seen = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(seen.status, 201);
    let told = room.mei.browser.get("/api/notices/").await.json();
    assert_eq!(told["notices"], json!([]), "it is not told");
}
