//! A connection that ends while the store does not answer: its departure is owed until the store
//! takes it, and the room hears of it once, however often it had to be asked for.

use std::sync::Arc;

use miyu::admission::memory_budget::MemoryBudget;
use miyu::channel::memory::MemoryLayer;
use miyu::channel::{ChannelLayer, Frame, GroupId, Mailbox, Membership, Outbox};
use miyu::chat::ChatJob;
use miyu::chat::effects::{ChatIo, ChatServices, DepartRetry};
use miyu::domain::id::{Address, NodeId, RoomId, Side};
use miyu::state_machine::Io as _;
use miyu::store::{ReadState, SideClaim, Store};
use miyu::tasks::Drain;

use crate::support::faulty::{Fault, Switch};
use crate::support::store::{Sqlite, World, address};
use crate::support::unavailable_safety::{no_board, no_reporting};
use crate::support::wire::eventually;

const B: Side = Side::B;

/// A room with both sides there, and a connection that listens.
struct Scene {
    world: World<Sqlite>,
    room: RoomId,
    store: Arc<dyn Store>,
    switch: Switch,
    channel: Arc<dyn ChannelLayer>,
    drain: Drain,
    /// Bob's connection, as the store knows it.
    bob: (Outbox, Mailbox),
    heard: Mailbox,
    _listening: Membership,
}

impl Scene {
    async fn new() -> Self {
        let world = World::<Sqlite>::new().await;
        let room = world.room().await.room;
        let switch = Switch::default();
        let channel: Arc<dyn ChannelLayer> = MemoryLayer::new(address(B).node, 8);
        let bob = channel.open();
        assert_eq!(bob.0.address(), address(B), "the first of its node");
        let (outbox, heard) = channel.open();
        let listening = channel.join(GroupId::Room(room), &outbox).await;
        Self {
            store: switch.before(world.store().clone()),
            world,
            room,
            switch,
            channel,
            drain: Drain::new(),
            bob,
            heard,
            _listening: listening,
        }
    }

    /// What is owed for Bob's connection when his arrival may or may not have been written.
    fn owe(&self) {
        let leaving = DepartRetry {
            store: Arc::clone(&self.store),
            channel: Arc::clone(&self.channel),
            room: self.room,
            side: B,
            connection: address(B),
            read_state: ReadState::default(),
        };
        leaving.later(&self.drain);
    }

    /// Bob's connection says goodbye.
    async fn depart(&self) {
        let reach = ChatServices {
            store: Arc::clone(&self.store),
            channel: Arc::clone(&self.channel),
            memory: MemoryBudget::new(1 << 30),
            page_entries: 100,
            page_bytes: 1 << 20,
            drain: self.drain.clone(),
            reporting: no_reporting().await,
            push_hosts: None,
            board: no_board(),
        };
        let membership = self
            .channel
            .join(GroupId::Room(self.room), &self.bob.0)
            .await;
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        let mut io = ChatIo::new(Arc::new(reach), membership, home);
        let depart = ChatJob::Depart {
            side: B,
            version: 1,
            read_state: ReadState::default(),
        };
        io.start(depart).await;
    }

    /// Waits until this many calls were not answered; the store answers again from then on.
    async fn recover_after(&self, lost: usize) {
        eventually("calls are lost", || self.switch.lost() >= lost).await;
        self.switch.set_departures(Fault::None);
    }

    /// Waits until nothing is owed any more; what the room has heard by then.
    async fn all_heard(&mut self) -> Vec<(Side, Address, Option<u64>)> {
        eventually("nothing is owed", || self.drain.tasks() == 0).await;
        let mut heard = Vec::new();
        while let Some(frame) = self.heard.try_recv() {
            let Frame::Closed {
                side,
                connection,
                away,
            } = &*frame
            else {
                panic!("not a departure: {frame:?}");
            };
            heard.push((*side, *connection, *away));
        }
        heard
    }

    async fn bob_is_there(&self) -> bool {
        let room = self.world.store().room(self.room).await.unwrap().unwrap();
        room.side(B).online()
    }
}

const GONE: (Side, Address, Option<u64>) = (
    B,
    Address {
        node: NodeId(7),
        number: 1,
    },
    Some(2),
);

#[tokio::test]
async fn a_departure_that_was_refused_is_owed_until_it_is_taken() {
    let mut scene = Scene::new().await;
    scene.switch.set_departures(Fault::Refused);
    scene.owe();
    scene.recover_after(1).await;
    assert_eq!(scene.all_heard().await, [GONE]);
    assert!(!scene.bob_is_there().await);
}

/// Bob's other connection must hear that it was passed over, or it would be taken for away for ever.
#[tokio::test]
async fn a_departure_whose_answer_was_lost_is_told_once() {
    let mut scene = Scene::new().await;
    scene.switch.set_departures(Fault::AnswerLost);
    scene.owe();
    scene.recover_after(1).await;
    assert_eq!(scene.all_heard().await, [GONE]);
    assert!(!scene.bob_is_there().await);
}

#[tokio::test]
async fn a_goodbye_whose_answer_was_lost_is_told_once() {
    let mut scene = Scene::new().await;
    scene.switch.set_departures(Fault::AnswerLost);
    scene.depart().await;
    scene.recover_after(1).await;
    // At once, as of his arrival: the departure's own version is not known.
    let (side, connection, _) = GONE;
    assert_eq!(scene.all_heard().await, [(side, connection, Some(1))]);
    assert!(!scene.bob_is_there().await);
}

#[tokio::test]
async fn a_departure_that_another_connection_overtook_is_not_told() {
    let mut scene = Scene::new().await;
    let newer = Address {
        number: 9,
        ..address(B)
    };
    let arriving = scene
        .world
        .store()
        .arrive(scene.room, SideClaim::Side(B), newer);
    arriving.await.unwrap().unwrap();
    scene.owe();
    assert_eq!(scene.all_heard().await, []);
    assert!(scene.bob_is_there().await);
}
