//! One evening of one person, step by step, with everything written down that the server sends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use miyu::boot::backends::Backends;
use miyu::domain::id::{RoomId, SessionId, TicketId};
use miyu::domain::wish::Phase;
use miyu::identity::cookie;
use miyu::identity::jar::Jar;
use miyu::matching::redis::RedisPoolConfig;
use miyu::matching::{Entered, PoolRules, Ticket};
use serde_json::{Value, json};

use super::Partner;
use super::diary::Diary;
use crate::support::client::{Browser, Socket};
use crate::support::http::request;
use crate::support::people::{Person, both_enter, pair, start};
use crate::support::pool::{STATS_EVERY, STATS_WAIT, With, redis_pool_at, rules, ticket};
use crate::support::redis::{fresh_prefix, shared_url};
use crate::support::reporting::post_report;
use crate::support::safety::{Guarded, make_operator};
use crate::support::server::TestServer;

/// Both patiences: long enough that a slow machine sends what it has to say before.
const PATIENCE: Duration = Duration::from_secs(2);

/// No waiting ticket is forgotten during an evening.
const LEASE: Duration = Duration::from_secs(600);

/// One run.
pub(super) struct Evening {
    server: TestServer,
    partner: Partner,
    me: Browser,
    /// The partner's browser before this evening.
    known: Browser,
    known_session: SessionId,
    diary: Diary,
}

/// A site with an operator: else nothing could be reported.
async fn server(in_redis: bool) -> TestServer {
    let change = |config: &mut miyu::config::Config| {
        config.matching.tag_patience = PATIENCE;
        config.matching.repeat_patience = PATIENCE;
        config.chat.presence_settle = Duration::from_millis(50);
        config.matching.lease = LEASE;
    };
    if !in_redis {
        return Guarded::start(change).await.server;
    }
    in_redis_pool(change).await.server
}

/// A site with an operator whose searches are in Redis.
pub(super) async fn in_redis_pool(change: impl FnOnce(&mut miyu::config::Config)) -> Guarded {
    let config = RedisPoolConfig {
        stats_every: STATS_EVERY,
        ..RedisPoolConfig::new(
            PoolRules {
                lease: LEASE,
                ..rules()
            },
            fresh_prefix(),
        )
    };
    let pool = redis_pool_at(&shared_url(), config);
    let site = Guarded::start_on(change, |backends| Backends { pool, ..backends }).await;
    make_operator(&*site.safety).await;
    site
}

fn other(tags: &[&str]) -> Value {
    json!({"nickname": "小美", "avatar": "7", "mood": "sad", "gender": "female", "tags": tags})
}

impl Evening {
    /// The evening before: nothing of it is compared, its ids are remembered.
    pub(super) async fn begin(partner: Partner, in_redis: bool) -> Self {
        let server = server(in_redis).await;
        let [me, known, stranger] = [(); 3].map(|()| Browser::new(&server));
        let mut diary = Diary::new(server.address);
        let with = match partner {
            Partner::New | Partner::ReportsMe => &stranger,
            _ => &known,
        };
        let known_session = SessionId::fresh();
        let cookie = cookie::set_cookie(
            &server.app.signer,
            known_session,
            miyu::clock::now(),
            Jar::of(false, None),
        );
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        known.set_cookie(cookie);
        let (mine, theirs) = pair((&me, json!({})), (with, other(&[]))).await;
        diary.remember(&mine.found.to_string());
        let (mut a, mut b) = both_enter(&mine, &theirs).await;
        a.said("hello", "before-1").await;
        b.said("hello", "before-2").await;
        let (leaver, how) = match partner {
            Partner::Blocked => (&mut a, "block"),
            Partner::BlockedMe => (&mut b, "block"),
            Partner::New | Partner::MetBefore | Partner::ReportsMe => (&mut b, "find_next"),
        };
        leaver.send(json!({"action": how})).await;
        leaver.until("user_left").await;
        if how == "block" {
            leaver.until("blocked").await;
        }
        a.close().await;
        b.close().await;
        Self {
            server,
            partner,
            me,
            known,
            known_session,
            diary,
        }
    }

    async fn get(&mut self, path: &str) {
        let answer = self.me.get(path).await;
        self.diary.answer(path, &answer);
    }

    async fn open(&mut self, path: &str) -> Socket {
        let socket = self.me.open(path).await;
        self.diary.answer(path, socket.answer());
        socket
    }

    /// Writes down each frame up to the next of this action.
    async fn until(&mut self, socket: &mut Socket, action: &str) -> Value {
        loop {
            let text = socket.arrived_text().await.expect("a frame");
            self.diary.frame(&text);
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame["action"] == action {
                return frame;
            }
        }
    }

    async fn ask(&mut self, socket: &mut Socket, what: Value, until: &str) -> Value {
        socket.send(what).await;
        self.until(socket, until).await
    }

    /// Lets a ticket wait that insists for ever on a tag that no other has.
    async fn puts_waiting(&self, session: SessionId, number: u32) -> TicketId {
        let relations = self.server.app.store.relations(session).await.unwrap();
        let waits = Ticket {
            session,
            blocked: relations.blocked,
            recent: relations.recent,
            ..ticket(number)
                .tags(&[&format!("only {number}")])
                .phase(Phase::SharedTags)
        };
        let id = waits.id;
        let entered = self.server.app.pool.enter(waits, miyu::clock::now()).await;
        assert!(matches!(entered, Ok(Entered::Waiting { .. })));
        id
    }

    /// A search until patience keeps no partner from this person any more, and its end.
    async fn searches_in_vain(&mut self) {
        let mut socket = self.open("/ws/matching/").await;
        let mine = start(json!({"tags": ["only mine"]}));
        let told = self.ask(&mut socket, mine, "waiting_for_match").await;
        assert_eq!(told["phase"], "shared_tags");
        let told = self.until(&mut socket, "waiting_for_match").await;
        assert_eq!(told["phase"], "repeats");
        let cancel = json!({"action": "cancel_matching"});
        self.ask(&mut socket, cancel, "matching_cancelled").await;
        socket.close().await;
    }

    /// Meets the person behind this browser, when neither is kept by patience.
    async fn meets(&mut self, them: &Browser, i_come_first: bool) -> (Person, Person) {
        let waits_long = async |browser: &Browser| {
            let mut socket = browser.open("/ws/matching/").await;
            socket.send(start(other(&["only theirs"]))).await;
            while socket.until("waiting_for_match").await["phase"] != "repeats" {}
            socket
        };
        let mine = start(json!({"tags": ["only mine"]}));
        let (mut socket, mut theirs);
        if i_come_first {
            socket = self.open("/ws/matching/").await;
            self.ask(&mut socket, mine, "waiting_for_match").await;
            self.until(&mut socket, "waiting_for_match").await;
            theirs = them.open("/ws/matching/").await;
            theirs.send(start(other(&["only theirs"]))).await;
        } else {
            theirs = waits_long(them).await;
            socket = self.open("/ws/matching/").await;
            socket.send(mine).await;
        }
        let found = self.until(&mut socket, "match_found").await;
        let their_found = theirs.until("match_found").await;
        assert_eq!(found["room_id"], their_found["room_id"], "they meet");
        socket.close().await;
        theirs.close().await;
        let person = |browser: &Browser, found| Person {
            browser: browser.clone(),
            found,
        };
        (person(&self.me, found), person(them, their_found))
    }

    /// All that can happen in a room, until the partner goes on.
    async fn talks(&mut self, me: &Person, them: &Person) {
        let path = me.path();
        let mut a = self.open(&format!("{path}&after=0")).await;
        self.until(&mut a, "room_state").await;
        let mut b = them.enter("").await;
        self.until(&mut a, "partner_status").await;
        let say = |content: &str, name: &str, reply: Option<&str>| {
            json!({"action": "send_message",
                "message": {"content": content, "client_id": name, "replied_to": reply}})
        };
        self.ask(&mut a, say("hello", "a-1", None), "new_message")
            .await;
        b.until("new_message").await;
        b.send(json!({"action": "read", "seq": 1})).await;
        self.until(&mut a, "partner_read").await;
        b.send(json!({"action": "typing", "is_typing": true})).await;
        self.until(&mut a, "partner_typing").await;
        b.send(say("晚安", "b-1", Some("1"))).await;
        self.until(&mut a, "new_message").await;
        let mine = [
            (say("hello", "a-1", None), "new_message"),
            (say("other", "a-1", None), "error"),
            (say("", "a-2", None), "error"),
            (
                json!({"action": "recall_message", "message_id": "2"}),
                "error",
            ),
            (
                json!({"action": "delete_message", "message_id": "2"}),
                "message_deleted",
            ),
            (
                json!({"action": "recall_message", "message_id": "a-1"}),
                "message_recalled",
            ),
            (
                json!({"action": "typing", "is_typing": true, "user_id": them.user_id()}),
                "error",
            ),
            (json!({"action": "what is the time"}), "error"),
        ];
        for (what, answered) in mine {
            self.ask(&mut a, what, answered).await;
        }
        self.is_reported_on(&mut b).await;
        b.lose();
        self.until(&mut a, "partner_status").await;
        self.is_reported_by(them).await;
        self.reads(me).await;
        let mut b = them.enter("&after=0").await;
        self.until(&mut a, "partner_status").await;
        a.close().await;
        b.until("partner_status").await;
        let mut a = self.open(&format!("{path}&after=2")).await;
        self.until(&mut a, "message_recalled").await;
        self.is_reported_on(&mut b).await;
        b.send(json!({"action": "find_next"})).await;
        self.until(&mut a, "user_left").await;
        self.is_reported_by(them).await;
        self.ask(&mut a, say("late", "a-3", None), "error").await;
        a.close().await;
        b.close().await;
        self.reads(me).await;
        let mut closed = self.open(&format!("{path}&after=0")).await;
        self.until(&mut closed, "user_left").await;
        closed.close().await;
    }

    /// The partner reports this person on their socket, or does not.
    async fn is_reported_on(&self, theirs: &mut Socket) {
        if self.partner == Partner::ReportsMe {
            let report = json!({"action": "report", "reason": "harassment", "note": "rude"});
            theirs.send(report).await;
            loop {
                let frame = theirs.next().await;
                let code = frame["code"].as_str();
                if frame["action"] == "reported" || code == Some("already_reported") {
                    break;
                }
            }
        }
    }

    /// The same without a socket; then the report is looked at, and withdrawn.
    async fn is_reported_by(&self, them: &Person) {
        if self.partner == Partner::ReportsMe {
            let body = json!({"room": them.room(), "reason": "sexual"});
            let answer = post_report(&them.browser, &body).await;
            assert!([201, 409].contains(&answer.status), "{}", answer.text());
            let listed = them.browser.get("/api/reports/").await.json();
            let id = listed["reports"][0]["report_id"].as_str().unwrap();
            let cookie = them.browser.cookie().unwrap();
            let path = format!("/api/reports/{id}/");
            let headers = [("cookie", &*cookie)];
            let withdrawn = request(them.browser.address(), "DELETE", &path, &headers).await;
            assert_eq!(withdrawn.status, 204);
        }
    }

    /// All that can be asked for by HTTP.
    async fn reads(&mut self, me: &Person) {
        let room = format!("/api/rooms/{}/", me.room());
        for path in [
            "/api/rooms/",
            &room,
            &format!("{room}messages/?after=0&limit=200"),
            &format!("{room}?token={}", me.token()),
            "/api/stats",
        ] {
            // A stranger waits all evening.
            self.counted(1).await;
            self.get(path).await;
        }
    }

    /// So many wait, and that is what is told: the runs are sampled at other moments, and what others do in
    /// between is seen then; and the pool counts now and then, late on a busy machine.
    async fn counted(&self, waiting: u64) {
        let begun = Instant::now();
        while self.server.app.pool.stats().total() != waiting {
            assert!(begun.elapsed() < STATS_WAIT, "{waiting} are not counted");
            tokio::time::sleep(STATS_EVERY).await;
        }
        self.server.app.figures.renew();
    }

    async fn session_of(&self, person: &Person) -> SessionId {
        let room = RoomId::parse(person.room()).unwrap();
        let room = self.server.app.store.room(room).await.unwrap().unwrap();
        let mut sides = room.sides.iter();
        let side = sides.find(|side| side.persona.user_id.as_str() == person.user_id());
        side.unwrap().session
    }

    pub(super) async fn live(mut self) -> Vec<String> {
        // A bystander who does nothing: so the public numbers never fall to none.
        let bystander = Browser::new(&self.server).open("/ws/matching/").await;
        for path in [
            "/",
            "/chat/",
            "/manifest.webmanifest",
            "/api/site",
            "/api/stats",
        ] {
            self.counted(0).await;
            self.get(path).await;
        }
        self.get("/api/rooms/").await;
        let pool = Arc::clone(&self.server.app.pool);
        let session = self.known_session;
        // Alone with a known partner, or alone.
        let waits = match self.partner {
            Partner::New | Partner::ReportsMe => None,
            _ => Some(self.puts_waiting(session, 1).await),
        };
        self.searches_in_vain().await;
        if let Some(waits) = waits {
            assert!(pool.withdraw(waits).await.unwrap());
        }
        // Among strangers.
        let waits = self.puts_waiting(session, 1).await;
        self.puts_waiting(SessionId::fresh(), 2).await;
        self.searches_in_vain().await;
        assert!(pool.withdraw(waits).await.unwrap());
        let met = match self.partner {
            Partner::New | Partner::MetBefore | Partner::ReportsMe => self.known.clone(),
            Partner::BlockedMe | Partner::Blocked => Browser::new(&self.server),
        };
        let (mine, theirs) = self.meets(&met, false).await;
        self.talks(&mine, &theirs).await;
        // Again, now that they have met in every run, and the other way round.
        let (mine, theirs) = self.meets(&met, true).await;
        let (mut a, mut b) = (self.open(&mine.path()).await, theirs.enter("").await);
        self.until(&mut a, "partner_status").await;
        b.said("hello", "b-9").await;
        self.until(&mut a, "new_message").await;
        let block = json!({"action": "block"});
        self.ask(&mut a, block, "blocked").await;
        a.close().await;
        b.close().await;
        self.reads(&mine).await;
        let session = self.session_of(&theirs).await;
        self.puts_waiting(session, 3).await;
        self.searches_in_vain().await;
        drop(bystander);
        self.diary.lines()
    }
}
