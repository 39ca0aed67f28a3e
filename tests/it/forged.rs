//! What a program that reaches Redis can say to nodes, told as well as it can be: sealed with the
//! site's own key. It gets no token of a room that it is not in, and closes none.

use std::sync::Arc;

use miyu::boot::backends::Backends;
use miyu::channel::Frame;
use miyu::channel::wire::Packet;
use miyu::domain::id::{Address, NodeId, RoomId, TicketId, Timestamp};
use miyu::domain::{Pairing, Party};
use miyu::matching::{Entered, PoolFuture, PoolStats, Renewed, Ticket, WaitingPool};
use parking_lot::Mutex;
use serde_json::json;

use crate::support::client::{Browser, Socket};
use crate::support::people::{Chatting, chat, start};
use crate::support::pool::ticket;
use crate::support::redis::{Site, shared_url};
use crate::support::server::TestServer;
use crate::support::wire::eventually;

/// A pool that another program writes to.
struct Written {
    inner: Arc<dyn WaitingPool>,
    entered: Mutex<Option<Ticket>>,
    /// The room that the next answer is about, as if it were that of the ticket.
    lie: Mutex<Option<RoomId>>,
    given_back: Mutex<Vec<RoomId>>,
}

impl Written {
    fn pairing(&self, room: RoomId) -> Arc<Pairing> {
        let mine = self.entered.lock().clone().expect("a ticket");
        forged(room, &mine)
    }
}

/// This ticket, side A of that room.
fn forged(room: RoomId, mine: &Ticket) -> Arc<Pairing> {
    let party = |ticket: &Ticket| Party {
        ticket: ticket.id,
        session: ticket.session,
        persona: ticket.persona.clone(),
        address: ticket.address,
        marks: Vec::new(),
    };
    Arc::new(Pairing {
        room,
        parties: [party(mine), party(&ticket(1))],
        common_tags: Vec::new(),
        is_bot: false,
    })
}

impl WaitingPool for Written {
    fn enter(&self, ticket: Ticket, now: Timestamp) -> PoolFuture<'_, Entered> {
        Box::pin(async move {
            *self.entered.lock() = Some(ticket.clone());
            if let Some(room) = self.lie.lock().take() {
                return Ok(Entered::Paired {
                    pairing: forged(room, &ticket),
                    replaced: None,
                });
            }
            self.inner.enter(ticket, now).await
        })
    }
    fn withdraw(&self, id: TicketId) -> PoolFuture<'_, bool> {
        Box::pin(async move {
            let lies = self.lie.lock().is_some();
            match lies {
                true => Ok(false),
                false => self.inner.withdraw(id).await,
            }
        })
    }
    fn renew(&self, id: TicketId, now: Timestamp) -> PoolFuture<'_, Renewed> {
        Box::pin(async move {
            let lie = self.lie.lock().take();
            match lie {
                Some(room) => Ok(Renewed::Paired(self.pairing(room))),
                None => self.inner.renew(id, now).await,
            }
        })
    }
    fn give_back(
        &self,
        room: RoomId,
        gone: Option<TicketId>,
        now: Timestamp,
    ) -> PoolFuture<'_, ()> {
        self.given_back.lock().push(room);
        self.inner.give_back(room, gone, now)
    }
    fn stats(&self) -> PoolStats {
        self.inner.stats()
    }
    fn close(&self) -> PoolFuture<'_, ()> {
        self.inner.close()
    }
}

/// A server of this site whose pool others write to.
async fn written(site: &Site) -> (TestServer, Arc<Written>) {
    let channel = site.announced(1).await;
    let mut pool = None;
    let server = TestServer::start_on(
        |_| {},
        |backends| {
            let written = Arc::new(Written {
                inner: Arc::clone(&backends.pool),
                entered: Mutex::default(),
                lie: Mutex::default(),
                given_back: Mutex::default(),
            });
            pool = Some(Arc::clone(&written));
            Backends {
                pool: written,
                channel,
                ..backends
            }
        },
    )
    .await;
    (server, pool.unwrap())
}

fn room_of(victims: &Chatting) -> RoomId {
    RoomId::parse(victims.ming.room()).unwrap()
}

/// The victims' room is still open, after everything that this server had to do.
async fn unharmed(server: TestServer, victims: &Chatting) {
    let server = server.restart().await;
    let room = server.app.store.room(room_of(victims)).await.unwrap();
    assert!(room.expect("a room").active());
}

/// An honest person comes, and meets the attacker in a room of their own.
async fn meets_honestly(server: &TestServer, attacker: &mut Socket, victims: &Chatting) {
    let mut honest = Browser::new(server).open("/ws/matching/").await;
    honest.send(start(json!({}))).await;
    let found = honest.until("match_found").await;
    let told = attacker.until("match_found").await;
    assert_eq!(told["room_id"], found["room_id"]);
    assert_ne!(told["room_id"], victims.ming.room());
}

#[tokio::test]
async fn a_forged_match_gives_no_token_and_closes_no_room() {
    let site = Site::fresh();
    let (server, pool) = written(&site).await;
    let victims = chat(&server).await;
    let mut attacker = Browser::new(&server).open("/ws/matching/").await;
    attacker.send(start(json!({}))).await;
    attacker.expect("waiting_for_match").await;
    let pairing = pool.pairing(room_of(&victims));
    let Address { node, number } = pairing.parties[0].address;
    let channel = format!("{}node:{:016x}", site.prefix(), node.0);
    let client = redis::Client::open(shared_url()).unwrap();
    let mut stranger = client.get_multiplexed_async_connection().await.unwrap();
    let frames = [
        Frame::Matched(Arc::clone(&pairing)),
        // A room that does not exist: there is nothing to enter.
        Frame::Matched(pool.pairing(RoomId::fresh())),
    ];
    for frame in frames {
        let packet = Packet::Direct(number, frame);
        let mut bytes = packet.encode(NodeId::fresh()).unwrap();
        site.key().seal(&channel, &mut bytes);
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&channel).arg(bytes);
        let heard: u64 = publish.query_async(&mut stranger).await.unwrap();
        assert_eq!(heard, 1);
    }
    meets_honestly(&server, &mut attacker, &victims).await;
    unharmed(server, &victims).await;
}

#[tokio::test]
async fn a_forged_outcome_gives_no_token_and_closes_no_room() {
    let site = Site::fresh();
    let (server, pool) = written(&site).await;
    let victims = chat(&server).await;
    *pool.lie.lock() = Some(room_of(&victims));
    let mut attacker = Browser::new(&server).open("/ws/matching/").await;
    attacker.send(start(json!({}))).await;
    meets_honestly(&server, &mut attacker, &victims).await;
    assert!(pool.given_back.lock().contains(&room_of(&victims)));
    unharmed(server, &victims).await;
}

#[tokio::test]
async fn a_forged_outcome_at_the_end_of_a_search_closes_no_room() {
    let site = Site::fresh();
    let (server, pool) = written(&site).await;
    let victims = chat(&server).await;
    let mut attacker = Browser::new(&server).open("/ws/matching/").await;
    attacker.send(start(json!({}))).await;
    attacker.expect("waiting_for_match").await;
    *pool.lie.lock() = Some(room_of(&victims));
    attacker.lose();
    eventually("given up", || !pool.given_back.lock().is_empty()).await;
    unharmed(server, &victims).await;
}
