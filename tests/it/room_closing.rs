//! A room that is open for as long as a room may be: its people are told ahead, and then it closes
//! (contract, section 3).

use std::time::Duration;

use crate::support::people::{both_enter, chat, meet};
use crate::support::server::TestServer;

#[tokio::test]
async fn a_room_tells_its_end_ahead_and_closes() {
    let longest = Duration::from_secs(4);
    let server = TestServer::start(|config| config.chat.longest = longest).await;
    let (ming, mei) = meet(&server).await;
    let left = ming.state().await["closes_ms"].as_u64().unwrap();
    assert!(left <= 4000, "{left}");
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    a.said("hello", "c-1").await;
    for (socket, partner) in [(&mut a, &mei), (&mut b, &ming)] {
        let told = socket.until("room_closing").await;
        let left = told["closes_ms"].as_u64().unwrap();
        assert!(left <= 400, "{left}");
        // Clients of the original take their own id for their own wish to leave.
        let end = socket.until("user_left").await;
        assert_eq!(end["reason"], "time_up");
        assert_eq!(end["user_id"], partner.user_id());
        assert_eq!(end["seq"], 2);
        socket.say("too late", "c-2").await;
        socket.expect_error("room_closed").await;
    }
    let state = ming.state().await;
    assert_eq!(state["active"], false);
    assert!(state.get("closes_ms").is_none());
    assert!(state["erases_ms"].is_u64(), "{state}");
    assert_eq!(ming.log().await.len(), 2);
}

#[tokio::test]
async fn a_room_without_an_end_says_nothing_of_it() {
    let server = TestServer::start(|config| config.chat.longest = Duration::ZERO).await;
    let talking = chat(&server).await;
    assert!(talking.ming.state().await.get("closes_ms").is_none());
}

#[tokio::test]
async fn a_day_is_the_most_by_default() {
    let server = TestServer::start(|_| {}).await;
    let talking = chat(&server).await;
    let left = talking.ming.state().await["closes_ms"].as_u64().unwrap();
    assert!((86_000_000..=86_400_000).contains(&left), "{left}");
}
