//! Clients of the original run unmodified: they meet, chat, reply, recall, delete, lose the network,
//! go next and leave, with all their habits.

use std::time::Duration;

use crate::support::client::Browser;
use crate::support::original::Original;
use crate::support::server::TestServer;

/// 3 s in the original.
pub const RETRY: Duration = Duration::from_millis(100);

async fn server() -> TestServer {
    TestServer::start(|config| {
        config.limits.messages_per_second = 0;
        config.chat.presence_settle = Duration::from_millis(50);
    })
    .await
}

/// Two tabs, of one browser or of two, in one room.
async fn couple(first: &Browser, second: &Browser) -> (Original, Original) {
    let mut ann = Original::new(first, "user_ann", RETRY);
    let mut ben = Original::new(second, "user_ben", RETRY);
    let (to_ann, to_ben) = tokio::join!(ann.meet(), ben.meet());
    assert_eq!(to_ann["room_id"], to_ben["room_id"]);
    assert_eq!(to_ann["matched_user"]["nickname"], "user_ben");
    (ann, ben)
}

/// Everything that they do in one conversation.
pub async fn converse(ann: &mut Original, ben: &mut Original) {
    ann.say("hello", None).await;
    ben.until("hello", |it| it.shows("hello")).await;
    let hello = ben.shown[0].id.clone();
    ben.say("hello yourself", Some(&hello)).await;
    ann.until("the answer", |it| it.shows("hello yourself"))
        .await;
    assert_eq!(ann.shown[1].quote.as_deref(), Some("hello"));
    assert!(!ann.shown[1].mine && ann.shown[0].mine);
    // A message is answered and taken back before its acknowledgement arrived.
    let hasty = ann.say("hasty", None).await;
    ann.say("about that", Some(&hasty)).await;
    ann.recall(&hasty).await;
    ben.until("its end", |it| it.shows("about that") && it.shows(""))
        .await;
    assert_eq!(ben.texts(), ["hello", "hello yourself", "", "about that"]);
    ann.until("its own end", |it| it.shows("") && it.all_sent())
        .await;
    assert_eq!(ann.texts(), ben.texts());
    // Deleting is for oneself.
    ben.delete(&hello).await;
    ben.until("no hello", |it| !it.shows("hello")).await;
    let own = ann.shown[0].id.clone();
    ann.delete(&own).await;
    ann.until("no hello", |it| !it.shows("hello")).await;
    // Errors are ignored: the message was recalled, and this one never was.
    ann.recall(&hasty).await;
    ben.recall("msg-nobody-1").await;
    ben.say("still here", None).await;
    ann.until("the last", |it| it.shows("still here")).await;
    assert_eq!(
        ann.texts(),
        ["hello yourself", "", "about that", "still here"]
    );
}

#[tokio::test]
async fn two_of_them_talk_and_part() {
    let server = server().await;
    let (mut ann, mut ben) = couple(&Browser::new(&server), &Browser::new(&server)).await;
    converse(&mut ann, &mut ben).await;
    ann.next().await;
    ann.until("the end", |it| it.left.is_some()).await;
    ben.until("the end", |it| it.left.is_some()).await;
    assert_eq!(ann.left.as_deref(), Some("user_ann"), "I asked for it");
    assert_eq!(ben.left.as_deref(), Some("user_ann"), "they did");
}

#[tokio::test]
async fn two_of_them_in_one_browser_talk_and_part() {
    let server = server().await;
    let browser = Browser::new(&server);
    let mut ann = Original::new(&browser, "user_ann", RETRY);
    let mut ben = Original::new(&browser, "user_ben", RETRY);
    // A browser has its cookie from the page before the page opens a socket.
    browser.get("/").await;
    let (to_ann, to_ben) = tokio::join!(ann.meet(), ben.meet());
    assert_eq!(to_ann["room_id"], to_ben["room_id"]);
    converse(&mut ann, &mut ben).await;
    ben.next().await;
    ann.until("the end", |it| it.left.is_some()).await;
    ben.until("the end", |it| it.left.is_some()).await;
    assert_eq!(ann.left, ben.left);
    assert_eq!(ben.left.as_deref(), Some("user_ben"));
}

#[tokio::test]
async fn a_lost_network_costs_them_nothing() {
    let server = server().await;
    let (mut ann, mut ben) = couple(&Browser::new(&server), &Browser::new(&server)).await;
    let mut expected = Vec::new();
    for round in 0..5 {
        ben.lose_network();
        for n in 0..4 {
            let text = format!("{round}.{n}");
            ann.say(&text, None).await;
            expected.push(text);
        }
        ann.until("its own", Original::all_sent).await;
        let last = expected.last().unwrap().clone();
        ben.until("all of it", |it| it.shows(&last)).await;
        assert_eq!(ben.texts(), expected, "each once, in order");
    }
    // Both at once, and what is said while one is away is not lost either.
    ann.lose_network();
    ben.lose_network();
    ann.connect().await;
    ann.say("back", None).await;
    ben.until("back", |it| it.shows("back")).await;
    ben.say("me too", None).await;
    ann.until("me too", |it| it.shows("me too")).await;
    assert!(ann.left.is_none() && ben.left.is_none());
}

#[tokio::test]
async fn a_stray_second_socket_doubles_nothing() {
    let server = server().await;
    let (mut ann, mut ben) = couple(&Browser::new(&server), &Browser::new(&server)).await;
    ann.say("before", None).await;
    ben.until("before", |it| it.shows("before")).await;
    ann.until("its own", Original::all_sent).await;
    ann.connect().await;
    ben.connect().await;
    let mut expected = vec!["before".to_owned()];
    for n in 0..10 {
        // Over the newer socket and the older one by turns.
        let text = format!("from ann {n}");
        ann.say(&text, None).await;
        ben.until("it", |it| it.shows(&text)).await;
        ann.until("its own", Original::all_sent).await;
        expected.push(text);
        let text = format!("from ben {n}");
        ben.say(&text, None).await;
        ann.until("it", |it| it.shows(&text)).await;
        ben.until("its own", Original::all_sent).await;
        expected.push(text);
    }
    assert_eq!(ann.texts(), expected);
    assert_eq!(ben.texts(), expected);
}

#[tokio::test]
async fn going_next_finds_the_next_one() {
    let server = server().await;
    let (mut ann, mut ben) = couple(&Browser::new(&server), &Browser::new(&server)).await;
    ann.say("bye", None).await;
    ben.until("bye", |it| it.shows("bye")).await;
    ann.next().await;
    ann.until("the end", |it| it.left.is_some()).await;
    let mut cid = Original::new(&Browser::new(&server), "user_cid", RETRY);
    let (to_ann, to_cid) = tokio::join!(ann.meet(), cid.meet());
    assert_eq!(to_ann["room_id"], to_cid["room_id"]);
    cid.say("hello", None).await;
    ann.until("hello", |it| it.shows("hello")).await;
    ben.until("the end", |it| it.left.is_some()).await;
    assert_eq!(ben.texts(), ["bye"], "nothing of the next conversation");
}

#[tokio::test]
async fn reloading_a_finished_conversation_shows_that_it_is_over() {
    let server = server().await;
    let (mut ann, mut ben) = couple(&Browser::new(&server), &Browser::new(&server)).await;
    ben.until("a room", |it| it.left.is_none()).await;
    ann.next().await;
    ben.until("the end", |it| it.left.is_some()).await;
    ben.lose_network();
    ben.left = None;
    ben.until("the end again", |it| it.left.is_some()).await;
    assert_eq!(ben.left.as_deref(), Some("user_ann"));
}
