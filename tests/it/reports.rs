//! Reporting over real sockets and HTTP: before, during and after everything that can happen to a conversation,
//! until it is erased; only by its people; and with nothing that can be forged.

use std::time::Duration;

use miyu::domain::EntryKind;
use miyu::domain::id::Seq;
use miyu::domain::safety::{Actor, Chosen, DecisionDraft, Finding, Reason};
use miyu::store::safety::Acted;
use serde_json::{Value, json};

use crate::support::client::{Browser, keys};
use crate::support::http::request;
use crate::support::people::{Chatting, chat, pair, session_of};
use crate::support::reporting::{about, post, post_report, refusal};
use crate::support::safety::{Data, Guarded, for_each_data, make_operator};

async fn site() -> Guarded {
    site_on(Data::Sqlite).await
}

async fn site_on(data: Data) -> Guarded {
    Guarded::start_with(data, |config| config.limits.messages_per_second = 0).await
}

for_each_data! {
    a_report_on_the_socket_freezes_what_was_said_and_by_whom
    a_report_works_whatever_has_become_of_the_conversation
    only_what_was_said_there_then_and_so_is_verified
    own_reports_are_listed_withdrawn_and_answered
}

fn report(reason: &str) -> Value {
    json!({"action": "report", "reason": reason})
}

async fn listed(browser: &Browser) -> Vec<Value> {
    let answer = browser.get("/api/reports/").await;
    assert_eq!(answer.status, 200);
    answer.json()["reports"].as_array().unwrap().clone()
}

async fn withdraw(browser: &Browser, id: &str) -> crate::support::http::Answer {
    let cookie = browser.cookie().unwrap_or_default();
    let path = format!("/api/reports/{id}/");
    request(browser.address(), "DELETE", &path, &[("cookie", &cookie)]).await
}

fn texts(entries: &[miyu::domain::Entry]) -> Vec<Option<&str>> {
    let messages = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Message { content, .. } => Some(content.as_deref()),
        _ => None,
    });
    messages.collect()
}

#[tokio::test]
async fn reporting_is_offered_where_an_operator_reads_it() {
    let site = Guarded::without_operator(|_| {}).await;
    let offered = async || {
        let told = Browser::new(&site.server).get("/api/site").await.json();
        told["options"]["reports"].as_bool().unwrap()
    };
    assert!(!offered().await);
    let room = chat(&site.server).await;
    let Chatting {
        ming, mut a, b: _b, ..
    } = room;
    a.send(report("spam")).await;
    a.expect_error("reports_off").await;
    let answer = post_report(&ming.browser, &about(&ming)).await;
    assert_eq!(refusal(&answer), (403, "reports_off".to_owned()));
    assert!(site.queue().await.is_empty());
    make_operator(&*site.safety).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !offered().await {
        assert!(tokio::time::Instant::now() < deadline, "never offered");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    a.send(report("spam")).await;
    a.expect("reported").await;
}

async fn a_report_on_the_socket_freezes_what_was_said_and_by_whom(data: Data) {
    let site = site_on(data).await;
    let mut room = chat(&site.server).await;
    site.both_are_noted(room.ming.room()).await;
    room.b_says("something rude", "b-1").await;
    room.a_says("stop it", "a-1").await;
    let asked =
        json!({"action": "report", "reason": "harassment", "note": " rude ", "messages": ["1"]});
    room.a.send(asked).await;
    let told = room.a.expect("reported").await;
    assert_eq!(keys(&told), ["action", "report_id"]);
    assert!(uuid::Uuid::parse_str(told["report_id"].as_str().unwrap()).is_ok());
    room.b.nothing_more().await;
    let (case, kept, evidence) = site.only_case().await;
    assert_eq!(kept.reporter, session_of(&site.server, &room.ming));
    assert_eq!(kept.reported, session_of(&site.server, &room.mei));
    assert_eq!((kept.reason, &*kept.note), (Reason::Harassment, "rude"));
    assert_eq!(kept.chosen, Chosen::Messages(vec![Seq(1)]));
    assert!(kept.met);
    assert!(case.priority.0 > 0);
    assert_eq!(
        texts(&evidence.entries),
        [Some("something rude"), Some("stop it")]
    );
    let names = evidence.personas.each_ref().map(|it| &*it.profile.nickname);
    assert_eq!(names, ["小美", "小明"]);
    assert!(
        evidence.networks.iter().all(Option::is_some),
        "both were here"
    );
    // Again: it stands already, and what is chosen now is no second report.
    room.a.send(report("spam")).await;
    room.a.expect_error("already_reported").await;
    let answer = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(refusal(&answer), (409, "already_reported".to_owned()));
    site.only_case().await;
}

/// What happens to the conversation before it is reported over HTTP.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Nothing,
    Recall,
    Delete,
    Block,
    Left,
    WasLeft,
    Lost,
}

async fn a_report_works_whatever_has_become_of_the_conversation(data: Data) {
    for before in [
        Before::Nothing,
        Before::Recall,
        Before::Delete,
        Before::Block,
        Before::Left,
        Before::WasLeft,
        Before::Lost,
    ] {
        let site = site_on(data).await;
        let mut room = chat(&site.server).await;
        let rude = room.b_says("something rude", "b-1").await;
        let mut body = about(&room.ming);
        match before {
            Before::Nothing => {}
            Before::Recall => {
                let recall = json!({"action": "recall_message", "message_id": "b-1"});
                room.b.send(recall).await;
                room.a.until("message_recalled").await;
                body["claims"] = json!([{"seq": 1, "content": "something rude", "proof": rude["proof"],
                    "sent_at_ms": rude["sent_at_ms"]}]);
            }
            Before::Delete => {
                let delete = json!({"action": "delete_message", "message_id": "1"});
                room.a.send(delete).await;
                room.a.until("message_deleted").await;
            }
            Before::Block => {
                room.a.send(json!({"action": "block"})).await;
                room.a.until("blocked").await;
            }
            Before::Left => {
                room.a.send(json!({"action": "find_next"})).await;
                room.a.until("user_left").await;
            }
            Before::WasLeft => {
                room.b.send(json!({"action": "find_next"})).await;
                room.a.until("user_left").await;
            }
            Before::Lost => room.b.lose(),
        }
        room.a.lose();
        let answer = post_report(&room.ming.browser, &body).await;
        assert_eq!(answer.status, 201, "{before:?} {}", answer.text());
        let (_, kept, evidence) = site.only_case().await;
        match before {
            Before::Recall => {
                assert_eq!(texts(&evidence.entries), [None]);
                assert_eq!(kept.claims.len(), 1);
                assert!(kept.claims[0].verified && kept.claims[0].content == "something rude");
            }
            _ => assert_eq!(
                texts(&evidence.entries),
                [Some("something rude")],
                "{before:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_report_outlives_a_recall_and_the_room_and_an_erased_room_is_reported_no_more() {
    let site = Guarded::start(|config| config.store.retention = Duration::from_secs(1)).await;
    let mut room = chat(&site.server).await;
    room.b_says("something rude", "b-1").await;
    let answer = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(answer.status, 201);
    let recall = json!({"action": "recall_message", "message_id": "b-1"});
    room.b.send(recall).await;
    room.a.until("message_recalled").await;
    room.a.send(json!({"action": "find_next"})).await;
    room.a.until("user_left").await;
    let path = format!("/api/rooms/{}/", room.mei.room());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while room.mei.browser.get(&path).await.status != 404 {
        assert!(tokio::time::Instant::now() < deadline, "never erased");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (_, _, evidence) = site.only_case().await;
    assert_eq!(texts(&evidence.entries), [Some("something rude")]);
    let answer = post_report(&room.mei.browser, &about(&room.mei)).await;
    assert_eq!(refusal(&answer), (404, "no_such_room".to_owned()));
}

#[tokio::test]
async fn only_the_two_people_of_a_room_report_in_it() {
    let site = site().await;
    let room = chat(&site.server).await;
    let other = chat(&site.server).await;
    let stranger = Browser::new(&site.server);
    stranger.get("/").await;
    let body = about(&room.ming);
    let from = async |browser: &Browser| refusal(&post_report(browser, &body).await);
    let not_theirs = (403, "not_a_member".to_owned());
    assert_eq!(from(&stranger).await, not_theirs, "a person never met");
    assert_eq!(from(&other.ming.browser).await, not_theirs);
    let nobody = Browser::forgetful(&site.server);
    assert_eq!(from(&nobody).await, (401, "no_identity".to_owned()));
    // The token of another room is no right to this one; that of this room is, without a cookie.
    let body = body.to_string();
    for (token, expected) in [(other.mei.token(), 403), (room.mei.token(), 201)] {
        let bearer = format!("Bearer {token}");
        let answer = post(&nobody, body.as_bytes(), &[("Authorization", &bearer)]).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
    let (_, kept, _) = site.only_case().await;
    assert_eq!(kept.reporter, session_of(&site.server, &room.mei));
    assert_eq!(kept.reported, session_of(&site.server, &room.ming));
    let nowhere = json!({"room": uuid::Uuid::new_v4().to_string(), "reason": "spam"});
    let answer = post_report(&room.ming.browser, &nowhere).await;
    assert_eq!(refusal(&answer), (404, "no_such_room".to_owned()));
}

async fn only_what_was_said_there_then_and_so_is_verified(data: Data) {
    let site = site_on(data).await;
    let mut room = chat(&site.server).await;
    let mut elsewhere = chat(&site.server).await;
    let rude = room.b_says("something rude", "b-1").await;
    let second = room.b_says("something else", "b-2").await;
    let own = room.a_says("my own", "a-1").await;
    let foreign = elsewhere.b_says("something rude", "b-1").await;
    let claim = |seq: u64, content: &str, of: &Value| json!({"seq": seq, "content": content, "proof": of["proof"], "sent_at_ms": of["sent_at_ms"]});
    let mut without_time = claim(1, "something rude", &rude);
    without_time.as_object_mut().unwrap().remove("sent_at_ms");
    let mut other_time = claim(1, "something rude", &rude);
    other_time["sent_at_ms"] = json!(1);
    let claims = [
        (claim(1, "something rude", &rude), true),
        (without_time, true),
        (claim(3, "my own", &own), true),
        (claim(1, "something ruder", &rude), false),
        (claim(2, "something rude", &rude), false),
        (claim(1, "something rude", &second), false),
        (claim(1, "something rude", &foreign), false),
        (other_time, false),
        (
            json!({"seq": 9, "content": "x", "proof": rude["proof"]}),
            false,
        ),
        (
            json!({"seq": 1, "content": "something rude", "proof": ""}),
            false,
        ),
    ];
    // Both take it out of their sight, and its sender recalls it: the log still says when it was sent.
    for (socket, action, id) in [
        (&mut room.a, "delete_message", "1"),
        (&mut room.b, "recall_message", "1"),
    ] {
        socket
            .send(json!({"action": action, "message_id": id}))
            .await;
    }
    room.a.until("message_recalled").await;
    let mut body = about(&room.ming);
    body["claims"] = claims.iter().map(|(claim, _)| claim.clone()).collect();
    let answer = post_report(&room.ming.browser, &body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        keys(&answer.json()),
        ["report_id"],
        "nothing can be found out by asking"
    );
    let (_, kept, _) = site.only_case().await;
    let verified: Vec<bool> = kept.claims.iter().map(|claim| claim.verified).collect();
    let expected: Vec<bool> = claims.iter().map(|(_, is_true)| *is_true).collect();
    assert_eq!(verified, expected);
}

#[tokio::test]
async fn reports_of_one_browser_are_few_and_those_of_others_go_on() {
    let site = Guarded::start(|config| {
        config.limits.messages_per_second = 0;
        config.limits.matches_per_minute = 0;
        config.matching.repeat_patience = Duration::ZERO;
    })
    .await;
    let eager = Browser::new(&site.server);
    let mut taken = 0;
    let refused = loop {
        let other = Browser::new(&site.server);
        let (mine, _) = pair((&eager, json!({})), (&other, json!({}))).await;
        let answer = post_report(&eager, &about(&mine)).await;
        if answer.status != 201 {
            break answer;
        }
        taken += 1;
        assert!(taken < 12, "without a bound");
    };
    assert_eq!(refusal(&refused), (429, "rate_limited".to_owned()));
    assert!(refused.json()["retry_after_ms"].as_u64().unwrap() > 0);
    assert!((5..=10).contains(&taken), "{taken}");
    assert_eq!(site.queue().await.len(), taken, "a case a person");
    // Another browser of the same network is not told to wait for that.
    let room = chat(&site.server).await;
    assert_eq!(
        post_report(&room.ming.browser, &about(&room.ming))
            .await
            .status,
        201
    );
}

async fn own_reports_are_listed_withdrawn_and_answered(data: Data) {
    let site = site_on(data).await;
    let room = chat(&site.server).await;
    let me = &room.ming.browser;
    assert!(listed(me).await.is_empty());
    let id = post_report(me, &about(&room.ming)).await.json()["report_id"].clone();
    let own = listed(me).await;
    assert_eq!(
        keys(&own[0]),
        ["at_ms", "reason", "report_id", "room_id", "state"]
    );
    assert_eq!(
        (&own[0]["report_id"], &own[0]["state"]),
        (&id, &json!("open"))
    );
    assert_eq!(
        (&own[0]["room_id"], &own[0]["reason"]),
        (&json!(room.ming.room()), &json!("harassment"))
    );
    // It is this browser's alone.
    let id = id.as_str().unwrap();
    assert!(listed(&room.mei.browser).await.is_empty());
    let theirs = withdraw(&room.mei.browser, id).await;
    assert_eq!(
        (theirs.status, theirs.code().as_str()),
        (404, "no_such_report")
    );
    let unknown = withdraw(&Browser::new(&site.server), id).await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (401, "no_identity")
    );
    for _ in 0..2 {
        assert_eq!(withdraw(me, id).await.status, 204);
    }
    assert_eq!(listed(me).await[0]["state"], "withdrawn");
    assert!(site.queue().await.is_empty(), "nothing stands any more");
    // Made again, and decided.
    let id = post_report(me, &about(&room.ming)).await.json()["report_id"].clone();
    let decision = DecisionDraft {
        case: site.queue().await[0].id,
        by: Actor::Local,
        finding: Finding::Violation,
        rule: Reason::Harassment,
        note: String::new(),
        text: String::new(),
        reporter_text: String::new(),
        seen_reports: None,
        sanctions: Vec::new(),
    };
    let decided = site.safety.decide(decision).await.unwrap();
    assert!(matches!(decided, Acted::Done(_)), "{decided:?}");
    let own = listed(me).await;
    assert_eq!(own.len(), 2);
    assert_eq!(
        (&own[0]["report_id"], &own[0]["state"], &own[0]["acted"]),
        (&id, &json!("decided"), &json!(true))
    );
    let late = withdraw(me, id.as_str().unwrap()).await;
    assert_eq!(
        (late.status, late.code().as_str()),
        (409, "already_decided")
    );
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_report_each_other() {
    let site = site().await;
    let browser = Browser::new(&site.server);
    let named = |name: &str| json!({"user_id": name});
    let (one, two) = pair((&browser, named("one")), (&browser, named("two"))).await;
    let mut a = one.enter("&user_id=one").await;
    a.expect("room_state").await;
    a.send(report("spam")).await;
    a.expect_error("same_session").await;
    let answer = post_report(&browser, &about(&two)).await;
    assert_eq!(refusal(&answer), (409, "same_session".to_owned()));
    assert!(site.queue().await.is_empty());
}

#[tokio::test]
async fn a_report_may_block_as_well_and_the_other_side_sees_a_departure() {
    let site = site().await;
    let by_socket = chat(&site.server).await;
    let Chatting {
        ming, mut a, mut b, ..
    } = by_socket;
    b.said("something rude", "b-1").await;
    a.until("new_message").await;
    a.send(json!({"action": "report", "reason": "sexual", "block": true}))
        .await;
    a.expect("reported").await;
    a.expect("user_left").await;
    a.expect("blocked").await;
    let left = b.expect("user_left").await;
    assert_eq!(
        (&left["reason"], &left["user_id"]),
        (&json!("left"), &json!(ming.user_id()))
    );
    b.nothing_more().await;
    let blocks = async |browser: &Browser| {
        let answer = browser.get("/api/blocks/").await.json();
        answer["blocks"].as_array().unwrap().len()
    };
    assert_eq!(blocks(&ming.browser).await, 1);

    let by_http = chat(&site.server).await;
    let Chatting { ming, a, mut b, .. } = by_http;
    a.lose();
    let body = json!({"room": ming.room(), "reason": "sexual", "block": true});
    assert_eq!(post_report(&ming.browser, &body).await.status, 201);
    assert_eq!(b.until("user_left").await["reason"], "left");
    assert_eq!(blocks(&ming.browser).await, 1);
}
