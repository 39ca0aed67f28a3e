//! A person whom no one hears searches anew, with a name of their own: others meet them under the default one. Nothing
//! that they are sent may say so: the evening is lived once heard and once under a shadow mute that was there before the
//! search, and is the same up to ids and times. When the mute is over the room goes on, and their name in it stays what it
//! was to each of the two.

use std::time::Duration;

use miyu::domain::profile::DEFAULT_NICKNAME;
use miyu::domain::safety::SanctionKind;
use serde_json::{Value, json};

use super::diary::Diary;
use super::evening::in_redis_pool;
use crate::support::client::{Browser, Socket};
use crate::support::people::{Person, start};
use crate::support::safety::{Data, Guarded, for_each_data, on_session, session_of_browser, soon};

const HOUR: Duration = Duration::from_secs(3600);
const NAME: &str = "come to example.com";

for_each_data! {
    a_search_does_not_say_that_no_one_hears
}

#[tokio::test]
async fn a_search_in_redis_does_not_say_that_no_one_hears() {
    let site = || in_redis_pool(|_| {});
    compared(
        evening(site().await, false).await,
        &evening(site().await, true).await,
    );
}

async fn a_search_does_not_say_that_no_one_hears(data: Data) {
    let site = || Guarded::start_with(data, |_| {});
    compared(
        evening(site().await, false).await,
        &evening(site().await, true).await,
    );
}

/// What the two were told.
struct Told {
    me: Vec<String>,
    /// The names by which the other was told of this person.
    names: Vec<Value>,
}

fn compared(heard: Told, unheard: &Told) {
    assert!(heard.me.len() > 40, "suspiciously little was compared");
    assert!(heard.me.iter().any(|line| line.contains(NAME)));
    for (line, expected) in unheard.me.iter().zip(&heard.me) {
        assert_eq!(line, expected);
    }
    assert_eq!(unheard.me.len(), heard.me.len());
    assert!(heard.names.iter().all(|name| name == NAME));
    assert!(unheard.names.iter().all(|name| name == DEFAULT_NICKNAME));
    assert_eq!(unheard.names.len(), 6);
}

/// Writes down each frame up to the next of this action, which is answered.
async fn until(diary: &mut Diary, socket: &mut Socket, action: &str) -> Value {
    loop {
        let text = socket.arrived_text().await.expect("a frame");
        diary.frame(&text);
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["action"] == action {
            return frame;
        }
    }
}

fn say(content: &str, name: &str, reply: Option<&str>) -> Value {
    json!({"action": "send_message",
        "message": {"content": content, "client_id": name, "replied_to": reply}})
}

/// All that can be asked for by HTTP.
async fn reads(diary: &mut Diary, me: &Person) {
    let room = format!("/api/rooms/{}/", me.room());
    for path in [
        "/api/rooms/",
        &room,
        &format!("{room}messages/?after=0&limit=200"),
        "/api/notices/",
        "/api/blocks/",
    ] {
        let answer = me.browser.get(path).await;
        diary.answer(path, &answer);
    }
}

/// Two searches that meet: this person, each of whose frames is written down, and the other.
async fn meet(diary: &mut Diary, me: &Browser, other: &Browser) -> [Person; 2] {
    let mut waiting = other.open("/ws/matching/").await;
    waiting.send(start(json!({"nickname": "listener"}))).await;
    waiting.expect("waiting_for_match").await;
    let mut coming = me.open("/ws/matching/").await;
    diary.answer("/ws/matching/", coming.answer());
    coming.send(start(json!({"nickname": NAME}))).await;
    let mine = until(diary, &mut coming, "match_found").await;
    let theirs = waiting.until("match_found").await;
    waiting.close().await;
    coming.close().await;
    [(me, mine), (other, theirs)].map(|(browser, found)| Person {
        browser: browser.clone(),
        found,
    })
}

async fn evening(site: Guarded, unheard: bool) -> Told {
    let [me, other] = [(); 2].map(|()| Browser::new(&site.server));
    let diary = &mut Diary::new(site.server.address);
    me.get("/").await;
    let session = session_of_browser(&site.server, &me);
    let is_muted = async |is: bool| {
        let door = &site.server.app.door;
        let against = || door.against(Some(session), [127, 0, 0, 1].into());
        soon(async || against().shadow_mute.is_some() == is).await;
    };
    let mut mute = None;
    if unheard {
        let draft = on_session(session, SanctionKind::ShadowMute, Some(HOUR));
        mute = Some(site.impose(draft).await);
        is_muted(true).await;
    }
    let [me, them] = meet(diary, &me, &other).await;
    let mut b = them.enter("").await;
    b.until("room_state").await;
    let mut a = me.enter("").await;
    diary.answer("/ws/chat/", a.answer());
    until(diary, &mut a, "room_state").await;
    b.say("hello", "b-1").await;
    until(diary, &mut a, "new_message").await;
    for said in [
        say("buy this", "a-1", Some("1")),
        // The same once more, and a quote of what they said themselves.
        say("buy this", "a-1", Some("1")),
        say("and that", "a-2", Some("a-1")),
    ] {
        a.send(said).await;
        until(diary, &mut a, "new_message").await;
    }
    reads(diary, &me).await;
    if let Some(mute) = mute {
        site.lift(mute).await;
        is_muted(false).await;
    }
    a.send(say("you know", "a-3", None)).await;
    until(diary, &mut a, "new_message").await;
    b.until("new_message").await;
    // The same place in both runs: what was not heard has a place all the same.
    b.send(say("what?", "b-2", Some("4"))).await;
    let answered = until(diary, &mut a, "new_message").await;
    assert_eq!(answered["message"]["replied_to_sender"], NAME);
    reads(diary, &me).await;
    a.close().await;
    let mut a = me.enter("&after=0").await;
    let from = until(diary, &mut a, "room_state").await;
    assert_eq!(from["last_seq"], 5);
    for _ in 0..5 {
        until(diary, &mut a, "new_message").await;
    }
    Told {
        me: std::mem::replace(diary, Diary::new(site.server.address)).lines(),
        names: names_told(&them).await,
    }
}

/// The names by which this person was told of the other: when they met, of the room, and of what was said by the other
/// after all.
async fn names_told(them: &Person) -> Vec<Value> {
    let mut names = vec![
        them.found["matched_user"]["nickname"].clone(),
        them.state().await["partner"]["nickname"].clone(),
    ];
    for entry in them.log().await {
        let message = &entry["message"];
        if message["content"] == "you know" {
            names.push(message["sender_nickname"].clone());
        }
        if message["content"] == "what?" {
            names.push(message["replied_to_sender"].clone());
        }
    }
    let again = them.enter("&after=0").await;
    names.extend(names_on(again).await);
    names
}

/// The same of a socket that is opened anew.
async fn names_on(mut socket: Socket) -> Vec<Value> {
    let mut names = Vec::new();
    loop {
        let frame = socket.until("new_message").await;
        let message = &frame["message"];
        if message["content"] == "you know" {
            names.push(message["sender_nickname"].clone());
        }
        if message["content"] == "what?" {
            names.push(message["replied_to_sender"].clone());
            return names;
        }
    }
}
