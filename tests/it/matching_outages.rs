//! Searches whose other side, or whose pool, fails at the worst moment: both sides learn of a pairing
//! or neither does (contract, section 2, rule 5), and a search that waits goes on waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use miyu::boot::backends::Backends;
use miyu::channel::{Frame, Received};
use miyu::domain::Pairing;
use miyu::domain::id::{RoomId, TicketId, Timestamp};
use miyu::matching::{Entered, PoolFuture, PoolStats, Renewed, Ticket, WaitingPool};
use serde_json::json;

use crate::support::client::{Browser, Socket};
use crate::support::people::start;
use crate::support::pool::{redis_config, redis_pool_at, rules, ticket};
use crate::support::redis::OwnRedis;
use crate::support::server::TestServer;
use crate::support::wire::eventually;

/// A pool with another node at work in it.
struct Meddled {
    inner: Arc<dyn WaitingPool>,
    /// The next pairing is given back by its other side before either can act on it.
    gives_back: AtomicBool,
    renewals: AtomicUsize,
}

impl WaitingPool for Meddled {
    fn enter(&self, ticket: Ticket, now: Timestamp) -> PoolFuture<'_, Entered> {
        Box::pin(async move {
            let entered = self.inner.enter(ticket, now).await?;
            if let Entered::Paired { pairing, .. } = &entered
                && self.gives_back.swap(false, Ordering::SeqCst)
            {
                let gone = Some(pairing.parties[1].ticket);
                self.inner.give_back(pairing.room, gone, now).await?;
            }
            Ok(entered)
        })
    }
    fn withdraw(&self, id: TicketId) -> PoolFuture<'_, bool> {
        self.inner.withdraw(id)
    }
    fn renew(&self, id: TicketId, now: Timestamp) -> PoolFuture<'_, Renewed> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        self.inner.renew(id, now)
    }
    fn give_back(
        &self,
        room: RoomId,
        gone: Option<TicketId>,
        now: Timestamp,
    ) -> PoolFuture<'_, ()> {
        self.inner.give_back(room, gone, now)
    }
    fn stats(&self) -> PoolStats {
        self.inner.stats()
    }
    fn close(&self) -> PoolFuture<'_, ()> {
        self.inner.close()
    }
}

/// A server and what is in its pool besides people.
async fn meddled() -> (TestServer, Arc<Meddled>) {
    let mut pool = None;
    let server = TestServer::start_on(
        |_| {},
        |backends| {
            let meddled = Arc::new(Meddled {
                inner: Arc::clone(&backends.pool),
                gives_back: AtomicBool::new(false),
                renewals: AtomicUsize::new(0),
            });
            pool = Some(Arc::clone(&meddled));
            Backends {
                pool: meddled,
                ..backends
            }
        },
    )
    .await;
    (server, pool.unwrap())
}

async fn search(server: &TestServer) -> Socket {
    let mut socket = Browser::new(server).open("/ws/matching/").await;
    socket.send(start(json!({}))).await;
    socket
}

/// A ticket of another node finds the one that waits.
async fn found(pool: &Meddled, finder: Ticket) -> Arc<Pairing> {
    match pool.inner.enter(finder, miyu::clock::now()).await {
        Ok(Entered::Paired { pairing, .. }) => pairing,
        answer => panic!("not paired: {answer:?}"),
    }
}

async fn renewed(pool: &Meddled) {
    eventually("who waits asks", || {
        pool.renewals.load(Ordering::SeqCst) > 0
    })
    .await;
}

/// Two people who search are told of one room.
async fn meet(one: &mut Socket, other: &mut Socket) {
    let [one, other] = [one.until("match_found"), other.until("match_found")].map(Box::pin);
    let (one, other) = tokio::join!(one, other);
    assert_eq!(one["room_id"], other["room_id"]);
}

#[tokio::test]
async fn a_search_found_by_a_node_that_died_waits_again() {
    let (server, pool) = meddled().await;
    let mut ming = search(&server).await;
    ming.expect("waiting_for_match").await;
    let dead = found(&pool, ticket(1)).await;
    assert_eq!(pool.stats().total(), 0);
    renewed(&pool).await;
    eventually("the search goes on", || pool.stats().total() == 1).await;
    let mut mei = search(&server).await;
    meet(&mut ming, &mut mei).await;
    let room = server.app.store.room(dead.room).await.unwrap();
    assert!(room.is_none(), "nobody was told of it");
}

#[tokio::test]
async fn a_match_whose_telling_got_lost_is_found_by_asking() {
    let (server, pool) = meddled().await;
    let mut ming = search(&server).await;
    ming.expect("waiting_for_match").await;
    let (outbox, mut mailbox) = server.app.channel.open();
    let mut finder = ticket(1);
    finder.address = outbox.address();
    let pairing = found(&pool, finder).await;
    server.app.store.create_room(&pairing).await.unwrap();
    renewed(&pool).await;
    let told = ming.until("match_found").await;
    assert_eq!(told["room_id"], pairing.room.to_string());
    let Received::Frame(frame) = mailbox.recv().await else {
        panic!("nothing is lost here");
    };
    assert!(matches!(&*frame, Frame::Matched(again) if again.room == pairing.room));
}

#[tokio::test]
async fn a_pairing_that_was_given_back_meanwhile_is_told_to_neither_side() {
    let (server, pool) = meddled().await;
    let (outbox, _mailbox) = server.app.channel.open();
    let mut waits = ticket(1);
    waits.address = outbox.address();
    let now = miyu::clock::now();
    pool.inner.enter(waits, now).await.unwrap();
    pool.gives_back.store(true, Ordering::SeqCst);
    let mut ming = search(&server).await;
    assert_eq!(ming.next().await["action"], "waiting_for_match");
    let mut mei = search(&server).await;
    meet(&mut ming, &mut mei).await;
}

#[tokio::test]
async fn who_waits_through_an_outage_of_redis_meets_afterwards() {
    let mut redis = OwnRedis::start();
    let url = redis.url();
    let server = TestServer::start_on(
        |_| {},
        |backends| Backends {
            pool: redis_pool_at(&url, redis_config(rules())),
            ..backends
        },
    )
    .await;
    let mut ming = search(&server).await;
    ming.expect("waiting_for_match").await;
    redis.kill();
    let mut mei = search(&server).await;
    assert_eq!(mei.next().await["action"], "waiting_for_match");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    redis.restart();
    meet(&mut ming, &mut mei).await;
    for socket in [&mut ming, &mut mei] {
        socket.nothing_more().await;
    }
}
