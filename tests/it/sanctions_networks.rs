//! Networks that are banned in a raid, and networks that are watched.

use std::time::{Duration, Instant};

use miyu::domain::safety::SanctionKind;
use serde_json::json;

use crate::support::client::Browser;
use crate::support::people::{Person, meet, start};
use crate::support::reporting::refusal;
use crate::support::safety::{Guarded, on_network};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_banned_network_sends_no_one_new_and_no_one_back() {
    let site = Guarded::start(crate::support::server::proxy_here).await;
    let here = [("x-forwarded-for", "203.0.113.7")];
    let next = [("x-forwarded-for", "203.0.113.8")];
    let known = Browser::new(&site.server);
    let mut waiting = known.try_open("/ws/matching/", &here).await.ok().unwrap();
    waiting.send(start(json!({}))).await;
    waiting.expect("waiting_for_match").await;
    let ban = on_network(&*site.safety, "203.0.113.7", SanctionKind::Ban, HOUR).await;
    let ban = site.impose(ban).await;
    let fresh = || Browser::new(&site.server);
    site.soon(async || fresh().try_open("/ws/matching/", &here).await.is_err())
        .await;
    for browser in [&fresh(), &known] {
        let answer = browser
            .try_open("/ws/matching/", &here)
            .await
            .err()
            .unwrap();
        assert_eq!(refusal(&answer), (403, "banned".to_owned()));
        assert_eq!(answer.json()["rule"], "spam");
    }
    // No session is made there, and the page comes all the same.
    let cookie = crate::support::http::get_with(site.server.address, "/", &here).await;
    assert_eq!((cookie.status, cookie.cookie()), (200, None));
    // A search that waits is refused when it looks again.
    let told = waiting.until("error").await;
    assert_eq!(told["code"], "banned");
    assert_eq!(waiting.close_code().await, Some(4100));
    // Its neighbour, and the same browser from elsewhere, come in.
    assert!(fresh().try_open("/ws/matching/", &next).await.is_ok());
    assert!(known.try_open("/ws/matching/", &next).await.is_ok());
    site.lift(ban).await;
    site.soon(async || known.try_open("/ws/matching/", &here).await.is_ok())
        .await;
}

#[tokio::test]
async fn a_watched_network_has_an_eighth_of_the_rates() {
    let site = Guarded::start(|config| {
        crate::support::server::proxy_here(config);
        config.limits.matches_per_minute = 16;
        config.limits.sessions_per_minute = 8;
    })
    .await;
    let watch = on_network(&*site.safety, "203.0.113.7", SanctionKind::Watch, HOUR).await;
    site.impose(watch).await;
    site.soon(async || {
        site.server
            .app
            .door
            .against(None, "203.0.113.7".parse().unwrap())
            .watched
            .is_some()
    })
    .await;
    let searches = async |address: &str| {
        let from = [("x-forwarded-for", address)];
        let browser = Browser::new(&site.server);
        let mut socket = browser.try_open("/ws/matching/", &from).await.ok().unwrap();
        for begun in 0.. {
            socket.send(start(json!({"user_id": "me"}))).await;
            let told = socket.next().await;
            match told["action"].as_str() {
                Some("error") => {
                    assert_eq!(told["code"], "rate_limited");
                    return begun;
                }
                _ => {
                    socket.send(json!({"action": "cancel_matching"})).await;
                    socket.until("matching_cancelled").await;
                }
            }
        }
        unreachable!()
    };
    let (watched, free) = (searches("203.0.113.7").await, searches("203.0.113.8").await);
    assert!(free >= 7 * watched && watched >= 1, "{watched} of {free}");
    let made = async |address: &str| {
        let from = [("x-forwarded-for", address)];
        let mut made = 0;
        for _ in 0..60 {
            let answer = crate::support::http::get_with(site.server.address, "/", &from).await;
            made += u32::from(answer.cookie().is_some());
        }
        made
    };
    let (watched, free) = (made("203.0.113.7").await, made("203.0.113.8").await);
    assert!(free >= 5 * watched && watched >= 1, "{watched} of {free}");
}

/// How long this person, at this address, has to wait until so many messages are said that were sent at once.
async fn says_at_once(person: &Person, address: &str, many: usize) -> Duration {
    let from = [("x-forwarded-for", address)];
    let opened = person.browser.try_open(&person.path(), &from).await;
    let mut socket = opened.ok().unwrap();
    socket.expect("room_state").await;
    let began = Instant::now();
    for number in 0..many {
        socket.say("hello", &format!("m-{number}")).await;
    }
    for _ in 0..many {
        socket.until("new_message").await;
    }
    began.elapsed()
}

#[tokio::test]
async fn what_is_said_from_a_watched_network_counts_eight_times_and_no_one_is_sent_away_for_it() {
    let site = Guarded::start(|config| {
        crate::support::server::proxy_here(config);
        config.limits.messages_per_second = 80;
        config.limits.message_burst = 320;
        config.limits.message_bytes_per_second = 0;
        config.limits.flood = Duration::from_millis(500);
    })
    .await;
    let watched = "203.0.113.7";
    let watch = on_network(&*site.safety, watched, SanctionKind::Watch, HOUR).await;
    site.impose(watch).await;
    let here = watched.parse().unwrap();
    site.soon(async || site.server.app.door.against(None, here).watched.is_some())
        .await;
    let (ming, mei) = meet(&site.server).await;
    // 60 count as 480: 160 of them wait, for two seconds. That is longer than a flood may last, and is none.
    let slowed = says_at_once(&ming, watched, 60).await;
    assert!(slowed >= Duration::from_millis(1900), "{slowed:?}");
    // A neighbour of the network who writes as much does not wait.
    let free = says_at_once(&mei, "203.0.113.8", 60).await;
    assert!(free < slowed, "{free:?} and {slowed:?}");
}
