//! Two nodes of one site in this process, with an operator, on one Redis and one PostgreSQL.

use std::time::Duration;

use miyu::config::Config;

use crate::support::postgres;
use crate::support::redis::{fresh_prefix, shared_url};
use crate::support::safety::{Guarded, make_operator};
use crate::support::tcp_proxy::Proxy;

/// They, and the second one's way to Redis.
pub struct Site {
    pub here: Guarded,
    pub there: Guarded,
    pub redis: Proxy,
    database: String,
}

impl Site {
    /// On the servers that all tests share. Nodes compare what they know with the store this often.
    pub async fn start(heartbeat: Duration, change: impl Fn(&mut Config)) -> Self {
        let database = postgres::fresh_name("sanctions");
        let admin = postgres::connect("postgres").await;
        let make = format!("CREATE DATABASE {database}");
        admin.batch_execute(&make).await.unwrap();
        let direct = shared_url();
        let place = direct.rsplit(['@', '/']).find_map(|it| it.parse().ok());
        let redis = Proxy::to_redis(place.expect("an address"));
        let urls = [direct, format!("redis://{}", redis.address())];
        let store = format!("{}{database}", postgres::server());
        let (here, there) = nodes(urls, &store, heartbeat, change).await;
        Self {
            here,
            there,
            redis,
            database,
        }
    }

    /// Both nodes of a site on these servers.
    pub async fn nodes(redis: &str, store: &str, heartbeat: Duration) -> (Guarded, Guarded) {
        nodes([redis, redis].map(str::to_owned), store, heartbeat, |_| {}).await
    }

    /// Stops them, and forgets the database.
    pub async fn end(self) {
        self.here.server.stop().await;
        self.there.server.stop().await;
        let forget = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        let admin = postgres::connect("postgres").await;
        admin.batch_execute(&forget).await.unwrap();
    }
}

async fn nodes(
    redis: [String; 2],
    store: &str,
    heartbeat: Duration,
    change: impl Fn(&mut Config),
) -> (Guarded, Guarded) {
    let prefix = fresh_prefix();
    let node = async |url: String| {
        Guarded::without_operator(|config| {
            config.store.url = store.to_owned();
            config.channel.url = url;
            config.channel.prefix.clone_from(&prefix);
            config.limits.heartbeat = heartbeat;
            config.limits.messages_per_second = 0;
            change(config);
        })
        .await
    };
    let [first, second] = redis;
    let here = node(first).await;
    make_operator(&*here.safety).await;
    (here, node(second).await)
}
