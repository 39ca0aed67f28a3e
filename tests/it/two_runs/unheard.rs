//! A person whom no one hears cannot tell. An evening of theirs is lived twice, once heard and once under a shadow mute,
//! with nothing changed but the sanction: everything that the server sends them (each frame, each HTTP answer with its
//! head) is the same up to ids and times. What they said while no one heard them stays unheard when that has ended, so
//! the evening goes on after it, and they must not find it out then.
//!
//! The partner does the same in both: they answer nothing, and mark nothing as read that they were not told.

use std::time::Duration;

use miyu::domain::safety::SanctionKind;
use serde_json::{Value, json};

use super::diary::Diary;
use crate::support::client::Socket;
use crate::support::people::{Person, meet, session_of};
use crate::support::safety::{Data, Guarded, for_each_data, on_session, soon};

const HOUR: Duration = Duration::from_secs(3600);

for_each_data! {
    who_is_heard_by_no_one_cannot_tell
}

/// One run.
struct Run {
    site: Guarded,
    me: Person,
    diary: Diary,
}

/// What the two were told.
struct Told {
    me: Vec<String>,
    /// Contents and reactions, in order.
    them: Vec<Value>,
}

fn say(content: &str, name: &str, reply: Option<&str>) -> Value {
    json!({"action": "send_message",
        "message": {"content": content, "client_id": name, "replied_to": reply}})
}

fn react(to: &str, reaction: impl Into<Value>) -> Value {
    json!({"action": "react", "message_id": to, "reaction": reaction.into()})
}

impl Run {
    /// Writes down each frame up to the next of this action.
    async fn until(&mut self, socket: &mut Socket, action: &str) {
        loop {
            let text = socket.arrived_text().await.expect("a frame");
            self.diary.frame(&text);
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["action"] == action {
                return;
            }
        }
    }

    async fn asks(&mut self, socket: &mut Socket, what: &[(Value, &str)]) {
        for (what, answered) in what {
            socket.send(what.clone()).await;
            self.until(socket, answered).await;
        }
    }

    async fn opens(&mut self, query: &str) -> Socket {
        let path = format!("{}{query}", self.me.path());
        let socket = self.me.browser.open(&path).await;
        self.diary.answer(&path, socket.answer());
        socket
    }

    /// All that can be asked for by HTTP.
    async fn reads(&mut self) {
        let room = format!("/api/rooms/{}/", self.me.room());
        for path in [
            "/api/rooms/",
            &room,
            &format!("{room}messages/?after=0&limit=200"),
            &format!("{room}messages/?after=3&limit=2"),
            "/api/notices/",
            "/api/reports/",
            "/api/blocks/",
        ] {
            let answer = self.me.browser.get(path).await;
            self.diary.answer(path, &answer);
        }
    }

    /// The log as a page that opens the room is sent it, up to its newest entry, with what `found` says of that.
    async fn opens_anew(&mut self, query: &str, upto: &str) {
        let mut socket = self.opens(query).await;
        loop {
            let text = socket.arrived_text().await.expect("a frame");
            self.diary.frame(&text);
            if text.contains(upto) {
                break;
            }
        }
        socket.close().await;
    }

    async fn is_muted(&self, is: bool) {
        let session = session_of(&self.site.server, &self.me);
        soon(async || {
            let door = &self.site.server.app.door;
            let against = door.against(Some(session), [127, 0, 0, 1].into());
            against.shadow_mute.is_some() == is
        })
        .await;
    }
}

/// What this person does while the other may or may not hear them.
fn while_unheard(them: &Person) -> Vec<(Value, &'static str)> {
    let by_them = |mut frame: Value| {
        frame["user_id"] = them.user_id().into();
        frame
    };
    let typing = json!({"action": "typing", "is_typing": true});
    let long = "x".repeat(2001);
    vec![
        (say("buy this", "a-2", Some("1")), "new_message"),
        (say("buy this", "a-2", Some("1")), "new_message"),
        (say("buy that", "a-2", None), "error"),
        (say(&long, "a-3", None), "error"),
        // The first to a message, in place of one that was heard, the same again, and back.
        (react("2", "wow"), "reaction"),
        (react("1", "laugh"), "reaction"),
        (react("1", "laugh"), "reaction"),
        (react("1", "sad"), "reaction"),
        (react("1", Value::Null), "reaction"),
        (react("1", Value::Null), "reaction"),
        (react("1", "ok"), "reaction"),
        // To their own, by its name and its place.
        (react("a-1", "heart"), "reaction"),
        (react("a-2", "heart"), "reaction"),
        (react("5", "wow"), "reaction"),
        (react("4711", "wow"), "error"),
        (react("no such name", "wow"), "error"),
        (by_them(react("1", "wow")), "error"),
        (by_them(typing.clone()), "error"),
        (
            by_them(json!({"action": "leaving", "is_leaving": true})),
            "error",
        ),
        (by_them(json!({"action": "read", "seq": 1})), "error"),
        (say("and this", "a-4", Some("a-2")), "new_message"),
        (
            json!({"action": "recall_message", "message_id": "a-4"}),
            "message_recalled",
        ),
        (
            json!({"action": "recall_message", "message_id": "a-4"}),
            "error",
        ),
        (react("a-4", "wow"), "error"),
        (say("one more", "a-5", None), "new_message"),
        (
            json!({"action": "delete_message", "message_id": "a-5"}),
            "message_deleted",
        ),
        (say("to be found", "a-6", None), "new_message"),
    ]
}

async fn evening(data: Data, unheard: bool) -> Told {
    let site = Guarded::start_with(data, |config| {
        config.limits.messages_per_second = 0;
        config.chat.presence_settle = Duration::from_millis(50);
    });
    let site = site.await;
    let (them, me) = meet(&site.server).await;
    let mut b = them.enter("").await;
    b.expect("room_state").await;
    let diary = Diary::new(site.server.address);
    let mut run = Run { site, me, diary };
    let mut a = run.opens("&after=0").await;
    run.until(&mut a, "room_state").await;
    b.say("hello", "b-1").await;
    run.until(&mut a, "new_message").await;
    let heard = [
        (say("before", "a-1", None), "new_message"),
        (react("1", "heart"), "reaction"),
        (react("2", "sad"), "reaction"),
    ];
    run.asks(&mut a, &heard).await;
    let session = session_of(&run.site.server, &run.me);
    let mut sanction = None;
    if unheard {
        let draft = on_session(session, SanctionKind::ShadowMute, Some(HOUR));
        sanction = Some(run.site.impose(draft).await);
        run.is_muted(true).await;
    }
    run.asks(&mut a, &while_unheard(&them)).await;
    for passing in [
        json!({"action": "typing", "is_typing": true}),
        json!({"action": "leaving", "is_leaving": true}),
        json!({"action": "read", "seq": 3}),
    ] {
        a.send(passing).await;
    }
    b.say("hello?", "b-2").await;
    run.until(&mut a, "new_message").await;
    run.reads().await;
    a.close().await;
    run.opens_anew("&after=0", "hello?").await;
    run.opens_anew("&after=4", "hello?").await;
    // A client of the original goes on from what it was sent.
    run.opens_anew("", "room_state").await;
    // One that has what was never there is sent all of it anew.
    run.opens_anew("&after=99", "hello?").await;
    let mut a = run.opens("&after=18").await;
    run.until(&mut a, "room_state").await;
    if let Some(sanction) = sanction {
        run.site.lift(sanction).await;
        run.is_muted(false).await;
    }
    let after = [
        (say("you know", "a-7", Some("a-2")), "new_message"),
        (react("a-2", "ok"), "reaction"),
        (react("1", Value::Null), "reaction"),
        (react("2", "laugh"), "reaction"),
        (
            json!({"action": "recall_message", "message_id": "a-2"}),
            "message_recalled",
        ),
        (say("good night", "a-8", Some("a-7")), "new_message"),
    ];
    run.asks(&mut a, &after).await;
    run.reads().await;
    b.send(json!({"action": "find_next"})).await;
    run.until(&mut a, "user_left").await;
    let late = [
        (react("1", "wow"), "error"),
        (say("late", "a-9", None), "error"),
        (
            json!({"action": "recall_message", "message_id": "a-6"}),
            "message_recalled",
        ),
    ];
    run.asks(&mut a, &late).await;
    a.close().await;
    run.opens_anew("&after=0", "\"seq\":26}").await;
    run.reads().await;
    b.until("user_left").await;
    b.close().await;
    let told = run.diary.lines();
    Told {
        me: told,
        them: said_to(&them).await,
    }
}

/// What the log of this person says, after all.
async fn said_to(person: &Person) -> Vec<Value> {
    let log = person.log().await.into_iter();
    let said = log.map(|entry| match entry["action"].as_str() {
        Some("new_message") => json!([
            entry["message"]["content"],
            entry["message"]["replied_to_content"]
        ]),
        _ => json!([entry["action"], entry["message_id"], entry["reaction"]]),
    });
    said.collect()
}

async fn who_is_heard_by_no_one_cannot_tell(data: Data) {
    let (heard, unheard) = tokio::join!(evening(data, false), evening(data, true));
    assert!(heard.me.len() > 80, "suspiciously little was compared");
    for (line, expected) in unheard.me.iter().zip(&heard.me) {
        assert_eq!(line, expected);
    }
    assert_eq!(unheard.me.len(), heard.me.len());
    assert!(heard.them.len() > unheard.them.len(), "they were heard");
    let nothing = Value::Null;
    let expected = [
        json!(["hello", nothing]),
        json!(["before", nothing]),
        // What held of these ended before no one heard of what came instead.
        json!(["reaction", "1", nothing]),
        json!(["reaction", "2", nothing]),
        json!(["reaction", "2", nothing]),
        json!(["reaction", "1", nothing]),
        json!(["hello?", nothing]),
        json!(["you know", nothing]),
        json!(["reaction", "2", "laugh"]),
        json!(["good night", "you know"]),
        json!(["user_left", nothing, nothing]),
    ];
    assert_eq!(unheard.them, expected);
}
