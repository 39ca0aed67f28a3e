//! What is decided at one node holds at the others: within a second where they hear of it, and at the next comparison
//! where they do not.

use std::time::{Duration, Instant};

use miyu::domain::safety::SanctionKind;
use serde_json::json;

use crate::support::client::Browser;
use crate::support::people::{chat_at, session_of, start};
use crate::support::postgres;
use crate::support::redis::{fresh_prefix, shared_url};
use crate::support::reporting::refusal;
use crate::support::safety::{Guarded, make_operator, on_session, session_of_browser, soon};
use crate::support::tcp_proxy::{Mode, Proxy};

const HOUR: Duration = Duration::from_secs(3600);
/// How often nodes compare what they know with the store, in these tests.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Two nodes of one site in this process, and the second one's way to Redis.
struct Site {
    here: Guarded,
    there: Guarded,
    redis: Proxy,
    database: String,
}

impl Site {
    async fn start(heartbeat: Duration) -> Self {
        let database = postgres::fresh_name("sanctions");
        let admin = postgres::connect("postgres").await;
        let make = format!("CREATE DATABASE {database}");
        admin.batch_execute(&make).await.unwrap();
        let prefix = fresh_prefix();
        let direct = shared_url();
        let place = direct.rsplit(['@', '/']).find_map(|it| it.parse().ok());
        let redis = Proxy::to_redis(place.expect("an address"));
        let node = async |url: String| {
            Guarded::without_operator(|config| {
                config.store.url = format!("{}{database}", postgres::server());
                config.channel.url = url;
                config.channel.prefix.clone_from(&prefix);
                config.limits.heartbeat = heartbeat;
                config.limits.messages_per_second = 0;
            })
            .await
        };
        let here = node(direct).await;
        make_operator(&*here.safety).await;
        let there = node(format!("redis://{}", redis.address())).await;
        Self {
            here,
            there,
            redis,
            database,
        }
    }

    async fn end(self) {
        self.here.server.stop().await;
        self.there.server.stop().await;
        let forget = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        let admin = postgres::connect("postgres").await;
        admin.batch_execute(&forget).await.unwrap();
    }
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(1), what).await;
    done.expect("within a second")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_at_one_node_takes_effect_at_the_other_within_a_second() {
    // Nothing is compared while the test runs: what arrives was told.
    let site = Site::start(Duration::from_secs(600)).await;
    let (here, there) = (&site.here, &site.there);
    let addresses = [here.server.address, there.server.address];
    let mut talking = chat_at(addresses).await;
    let subject = session_of(&there.server, &talking.mei);
    let mute = here
        .impose(on_session(subject, SanctionKind::Mute, Some(HOUR)))
        .await;
    let told = in_time(talking.b.expect("notice")).await;
    assert_eq!(told["notice"]["kind"], "mute");
    talking.b.say("hello?", "b-1").await;
    talking.b.expect_error("muted").await;
    here.lift(mute).await;
    let told = in_time(talking.b.expect("notice")).await;
    assert_eq!(told["notice"]["kind"], "lifted");
    talking.b.say("hello", "b-2").await;
    talking.a.expect("new_message").await;
    let mut search = talking.mei.browser.open("/ws/matching/").await;
    search.expect("notice").await;
    search.send(start(json!({"user_id": "another"}))).await;
    search.until("waiting_for_match").await;
    here.impose(on_session(subject, SanctionKind::Ban, Some(HOUR)))
        .await;
    assert_eq!(in_time(talking.b.close_code()).await, Some(4100));
    assert_eq!(in_time(search.close_code()).await, Some(4100));
    let left = in_time(talking.a.until("user_left")).await;
    assert_eq!(left["user_id"], talking.mei.user_id());
    for address in addresses {
        let browser = talking.mei.browser.moved_to(address);
        let answer = browser.try_open("/ws/matching/", &[]).await.err().unwrap();
        assert_eq!(refusal(&answer), (403, "banned".to_owned()));
    }
    // No search waits in their place.
    let mut other = Browser::at(addresses[0]).open("/ws/matching/").await;
    other.send(start(json!({}))).await;
    other.expect("waiting_for_match").await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_refuses_a_ban_at_its_next_comparison() {
    let site = Site::start(HEARTBEAT).await;
    let there = Browser::at(site.there.server.address);
    there.get("/").await;
    let session = session_of_browser(&site.there.server, &there);
    let mut open = there.open("/ws/matching/").await;
    site.redis.set(Mode::Cut);
    site.here
        .impose(on_session(session, SanctionKind::Ban, None))
        .await;
    let began = Instant::now();
    assert_eq!(open.close_code().await, Some(4100));
    // It looks after three to five quarters of a heartbeat.
    assert!(began.elapsed() < HEARTBEAT.mul_f64(1.25) + Duration::from_secs(1));
    soon(async || there.try_open("/ws/matching/", &[]).await.is_err()).await;
    site.redis.set(Mode::Pass);
    site.end().await;
}
