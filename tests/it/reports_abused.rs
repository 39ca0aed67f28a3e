//! What people do with reports who want to harm somebody with them, on real servers: mute an innocent person, keep
//! others from being read, report first, and what a muted or banned person still tries.

use std::time::Duration;

use miyu::domain::profile::DEFAULT_NICKNAME;
use miyu::domain::safety::{Report, SanctionKind, Weight};
use miyu::store::safety::Acted;
use serde_json::{Value, json};

use crate::support::client::Browser;
use crate::support::http::request;
use crate::support::people::{Person, both_enter, chat, pair, session_of};
use crate::support::reporting::{about, post, post_report, refusal};
use crate::support::safety::{Guarded, no_violation, on_session, session_of_browser, soon};

const HOUR: Duration = Duration::from_secs(3600);
const THREE: [&str; 3] = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];

async fn site() -> Guarded {
    Guarded::start(|config| {
        crate::support::server::proxy_here(config);
        config.limits.messages_per_second = 0;
        config.limits.matches_per_minute = 0;
        config.limits.sessions_per_minute = 0;
        config.matching.repeat_patience = Duration::ZERO;
    })
    .await
}

/// A new browser meets this one, which says so many words, and reports it from this address.
async fn reported_from(
    site: &Guarded,
    subject: &Browser,
    address: &str,
    words: usize,
) -> (Person, String) {
    let stranger = Browser::new(&site.server);
    let (theirs, mine) = pair((&stranger, json!({})), (subject, json!({}))).await;
    let (mut a, mut b) = both_enter(&theirs, &mine).await;
    for word in 0..words {
        b.said("hello", &format!("b-{word}")).await;
        a.until("new_message").await;
    }
    let body = about(&theirs).to_string();
    let from = [("x-forwarded-for", address)];
    let answer = post(&stranger, body.as_bytes(), &from).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    b.send(json!({"action": "find_next"})).await;
    a.until("user_left").await;
    let id = answer.json()["report_id"].as_str().unwrap().to_owned();
    (theirs, id)
}

async fn mute_of(browser: &Browser) -> Value {
    browser.get("/api/notices/").await.json()["standing"]["mute"].clone()
}

#[tokio::test]
async fn three_networks_do_not_mute_a_person_who_said_nothing() {
    let site = site().await;
    let mei = Browser::new(&site.server);
    for address in THREE {
        reported_from(&site, &mei, address, 0).await;
    }
    assert_eq!(site.queue().await[0].reports, 3, "people read them");
    let session = session_of_browser(&site.server, &mei);
    let on = miyu::domain::safety::SanctionTarget::Session(session);
    assert_eq!(site.safety.sanctions_on(on).await.unwrap(), []);
}

#[tokio::test]
async fn what_mutes_by_itself_ends_with_a_person_s_word_and_does_not_begin_again() {
    let site = site().await;
    let mei = Browser::new(&site.server);
    for address in THREE {
        reported_from(&site, &mei, address, 1).await;
    }
    soon(async || !mute_of(&mei).await.is_null()).await;
    let mut told = mei.open("/ws/matching/").await;
    assert_eq!(told.expect("notice").await["notice"]["kind"], "mute");
    let case = site.queue().await.remove(0);
    let decided = site.safety.decide(no_violation(case.id)).await.unwrap();
    assert!(matches!(decided, Acted::Done(_)));
    assert_eq!(told.expect("notice").await["notice"]["kind"], "lifted");
    soon(async || mute_of(&mei).await.is_null()).await;
    drop(told);
    for address in THREE {
        reported_from(&site, &mei, address, 1).await;
    }
    let session = session_of_browser(&site.server, &mei);
    let on = miyu::domain::safety::SanctionTarget::Session(session);
    let ever = site.safety.sanctions_on(on).await.unwrap();
    assert_eq!(ever.len(), 1, "{ever:?}");
}

#[tokio::test]
async fn a_report_that_is_taken_back_takes_its_mute_with_it() {
    let site = site().await;
    let mei = Browser::new(&site.server);
    let mut last = None;
    for address in THREE {
        last = Some(reported_from(&site, &mei, address, 1).await);
    }
    soon(async || !mute_of(&mei).await.is_null()).await;
    let (reporter, id) = last.unwrap();
    let cookie = reporter.browser.cookie().unwrap_or_default();
    let path = format!("/api/reports/{id}/");
    let to = reporter.browser.address();
    let answer = request(to, "DELETE", &path, &[("cookie", &cookie)]).await;
    assert_eq!(answer.status, 204);
    soon(async || mute_of(&mei).await.is_null()).await;
}

#[tokio::test]
async fn one_address_with_many_browsers_does_not_bury_the_reports_of_others() {
    let site = site().await;
    let mut taken = 0;
    let refused = loop {
        let (one, other) = (Browser::new(&site.server), Browser::new(&site.server));
        let (mine, _) = pair((&one, json!({})), (&other, json!({}))).await;
        let from = [("x-forwarded-for", "192.0.2.1")];
        let answer = post(&one, about(&mine).to_string().as_bytes(), &from).await;
        if answer.status != 201 {
            break answer;
        }
        taken += 1;
        assert!(taken < 30, "without a bound");
    };
    assert_eq!(refusal(&refused), (429, "rate_limited".to_owned()));
    assert!(refused.json()["retry_after_ms"].as_u64().unwrap() > 0);
    assert!((18..=22).contains(&taken), "{taken}");
    // Another network is not told to wait for that.
    let room = chat(&site.server).await;
    let from = [("x-forwarded-for", "198.51.100.1")];
    let body = about(&room.ming).to_string();
    let answer = post(&room.ming.browser, body.as_bytes(), &from).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn a_harasser_who_reports_first_is_reported_as_heavily_as_any_other() {
    let site = site().await;
    let mut room = chat(&site.server).await;
    room.b
        .send(json!({"action": "report", "reason": "spam"}))
        .await;
    room.b.expect("reported").await;
    room.b_says("something rude", "b-1").await;
    let answer = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(answer.status, 201);
    let harasser = session_of(&site.server, &room.mei);
    let about_them = site.safety.cases_about(harasser).await.unwrap();
    let file = site.safety.case(about_them[0].id).await.unwrap().unwrap();
    let [Report { weight, .. }] = file.reports.as_slice() else {
        panic!("one report");
    };
    assert_eq!(*weight, Weight::ONE);
}

#[tokio::test]
async fn a_muted_person_speaks_to_no_one_by_a_name() {
    for kind in [SanctionKind::Mute, SanctionKind::ShadowMute] {
        let site = site().await;
        let loud = Browser::new(&site.server);
        loud.get("/").await;
        let session = session_of_browser(&site.server, &loud);
        let mute = site.impose(on_session(session, kind, Some(HOUR))).await;
        let door = &site.server.app.door;
        let free = || door.voice(session, miyu::clock::now()) == miyu::state_machine::Voice::Free;
        soon(async || !free()).await;
        let named = json!({"nickname": "come to example.com", "tags": ["music"]});
        let met = async || {
            let listener = Browser::new(&site.server);
            let wish = json!({"nickname": "listener", "tags": ["music"]});
            pair((&listener, wish), (&loud, named.clone())).await
        };
        let (theirs, own) = met().await;
        assert_eq!(theirs.found["matched_user"]["nickname"], DEFAULT_NICKNAME);
        assert_eq!(own.found["matched_user"]["nickname"], "listener");
        assert_eq!(theirs.found["common_tags"], json!(["音樂"]));
        let (mut a, mut b) = both_enter(&theirs, &own).await;
        let seen = theirs.state().await;
        assert_eq!(seen["partner"]["nickname"], DEFAULT_NICKNAME);
        b.send(json!({"action": "find_next"})).await;
        a.until("user_left").await;
        site.lift(mute).await;
        soon(async || free()).await;
        let (theirs, _) = met().await;
        let name = &theirs.found["matched_user"]["nickname"];
        assert_eq!(name, "come to example.com", "as before");
    }
}

#[tokio::test]
async fn who_is_banned_or_forgotten_reports_by_no_old_token() {
    let site = site().await;
    let no_cookie = Browser::forgetful(&site.server);
    let by_token = async |person: &Person| {
        let bearer = format!("Bearer {}", person.token());
        let body = about(person).to_string();
        post(&no_cookie, body.as_bytes(), &[("Authorization", &bearer)]).await
    };
    let room = chat(&site.server).await;
    let session = session_of(&site.server, &room.ming);
    let ban = site
        .impose(on_session(session, SanctionKind::Ban, Some(HOUR)))
        .await;
    soon(async || site.server.app.door.ban_of(session).is_some()).await;
    let refused = by_token(&room.ming).await;
    assert_eq!(refusal(&refused), (403, "banned".to_owned()));
    assert_eq!(refused.json()["appeal"], "/#notices");
    site.lift(ban).await;
    soon(async || site.server.app.door.ban_of(session).is_none()).await;
    assert_eq!(by_token(&room.ming).await.status, 201);

    let room = chat(&site.server).await;
    let cookie = room.ming.browser.cookie().unwrap_or_default();
    let to = room.ming.browser.address();
    let forgotten = request(to, "POST", "/api/session/forget", &[("cookie", &cookie)]).await;
    assert_eq!(forgotten.status, 204);
    let refused = by_token(&room.ming).await;
    assert_eq!(refusal(&refused), (401, "no_identity".to_owned()));
}
