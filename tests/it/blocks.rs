//! What a browser blocked: listed by the rooms where it did, and lifted.

use std::time::Duration;

use serde_json::json;

use crate::support::client::Browser;
use crate::support::http::{Answer, request};
use crate::support::people::{both_enter, pair, start};
use crate::support::server::TestServer;

async fn lift(browser: &Browser, room: &str, more: &[(&str, &str)]) -> Answer {
    let cookie = browser.cookie().unwrap_or_default();
    let headers = [&[("cookie", &*cookie)], more].concat();
    let path = format!("/api/blocks/{room}/");
    request(browser.address(), "DELETE", &path, &headers).await
}

#[tokio::test]
async fn who_lifts_a_block_may_meet_again_in_the_next_search() {
    let server = TestServer::start(|config| {
        config.matching.repeat_patience = Duration::ZERO;
        config.matching.tag_patience = Duration::ZERO;
        config.matching.same_session = false;
    })
    .await;
    let [me, them] = [(); 2].map(|()| Browser::new(&server));
    let (mine, theirs) = pair((&me, json!({})), (&them, json!({}))).await;
    let room = mine.room().to_owned();
    let (mut a, mut b) = both_enter(&mine, &theirs).await;
    b.said("something", "b-1").await;
    a.send(json!({"action": "block"})).await;
    a.until("blocked").await;
    a.close().await;
    b.close().await;

    // Listed to the one who blocked alone, and with nothing but where and when.
    let listed = me.get("/api/blocks/").await.json();
    let blocks = listed["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 1, "{listed}");
    assert_eq!(blocks[0]["room_id"], room);
    assert!(blocks[0]["since_ms"].is_i64());
    assert_eq!(blocks[0].as_object().unwrap().len(), 2, "{listed}");
    for other in [&them, &Browser::new(&server)] {
        assert_eq!(other.get("/api/blocks").await.json(), json!({"blocks": []}));
    }

    // Nor is it lifted by another browser, or by a page of another site.
    assert_eq!(lift(&them, &room, &[]).await.status, 204);
    let foreign = lift(&me, &room, &[("origin", "https://evil.example")]).await;
    assert_eq!(
        (foreign.status, foreign.code().as_str()),
        (403, "foreign_origin")
    );
    let unknown = lift(&Browser::new(&server), &room, &[]).await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (401, "no_identity")
    );
    assert_eq!(lift(&me, "x", &[]).await.code(), "not_a_uuid");
    let (mut one, mut two) = (
        me.open("/ws/matching/").await,
        them.open("/ws/matching/").await,
    );
    for socket in [&mut one, &mut two] {
        socket.send(start(json!({}))).await;
        socket.expect("waiting_for_match").await;
    }
    two.nothing_more().await;
    one.close().await;

    for _ in 0..2 {
        assert_eq!(lift(&me, &room, &[]).await.status, 204);
        assert_eq!(me.get("/api/blocks/").await.json(), json!({"blocks": []}));
    }
    two.close().await;
    let mut two = them.open("/ws/matching/").await;
    two.send(start(json!({}))).await;
    two.expect("waiting_for_match").await;
    let mut one = me.open("/ws/matching/").await;
    one.send(start(json!({}))).await;
    let met = one.until("match_found").await;
    assert_ne!(met["room_id"], room);
    assert_eq!(two.until("match_found").await["room_id"], met["room_id"]);
}
