//! A client that was blocked comes back without the cookie: from the same network, with the tag by which
//! they met, they are not met for a day. Their neighbours and the friends of that tag are.

use std::time::Duration;

use serde_json::json;

use crate::support::client::{Browser, Socket};
use crate::support::people::{both_enter, pair, start};
use crate::support::server::TestServer;
use crate::support::wire::dial_from;

const RARE: &str = "Kafka on the shore";

async fn search(browser: &Browser, tags: &[&str]) -> Socket {
    let mut socket = browser.open("/ws/matching/").await;
    socket.send(start(json!({"tags": tags}))).await;
    socket
}

#[tokio::test]
async fn a_blocked_person_with_a_new_cookie_is_not_met_by_the_same_rare_tag() {
    let server = TestServer::start(|config| {
        config.matching.tag_patience = Duration::ZERO;
        config.matching.repeat_patience = Duration::ZERO;
    })
    .await;
    let [victim, pest] = [(); 2].map(|()| Browser::new(&server));
    // Enough people wait with the tag that it counts; they look for women.
    let mut others = Vec::new();
    for _ in 0..2 {
        let mut other = Browser::new(&server).open("/ws/matching/").await;
        other
            .send(start(json!({"tags": [RARE], "preferredGender": "female"})))
            .await;
        other.expect("waiting_for_match").await;
        others.push(other);
    }
    let tags = json!({"tags": [RARE]});
    let (mine, theirs) = pair((&victim, tags.clone()), (&pest, tags)).await;
    let (mut a, mut b) = both_enter(&mine, &theirs).await;
    b.said("something awful", "b-1").await;
    a.send(json!({"action": "block"})).await;
    a.until("blocked").await;
    a.close().await;
    b.close().await;

    let mut waiting = search(&victim, &[RARE]).await;
    waiting.expect("waiting_for_match").await;
    // However it is spelled, beside other tags, and again and again.
    for tags in [
        &[RARE][..],
        &["other", "ＫＡＦＫＡ on the shore"],
        &[RARE, "音樂"],
    ] {
        let mut back = search(&Browser::new(&server), tags).await;
        back.expect("waiting_for_match").await;
        back.nothing_more().await;
        back.close().await;
    }
    waiting.nothing_more().await;

    // A neighbour who does not know of the tag.
    let mut neighbour = search(&Browser::new(&server), &["gardening"]).await;
    let met = neighbour.until("match_found").await;
    assert_eq!(
        waiting.until("match_found").await["room_id"],
        met["room_id"]
    );
    waiting.close().await;

    // A friend of the tag from elsewhere.
    let mut waiting = search(&victim, &[RARE]).await;
    waiting.expect("waiting_for_match").await;
    let stream = dial_from([127, 0, 0, 2], server.address).await.unwrap();
    let friend = Browser::new(&server);
    let friend = friend.try_open_on(stream, "/ws/matching/", &[]).await;
    let mut friend = friend.expect("a socket");
    friend.send(start(json!({"tags": [RARE]}))).await;
    let met = friend.until("match_found").await;
    assert_eq!(
        waiting.until("match_found").await["room_id"],
        met["room_id"]
    );
}
