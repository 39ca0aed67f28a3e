//! What only PostgreSQL must stand: several nodes on one database, their leases, their sweepers. What
//! goes wrong is in `trouble`.

use std::sync::Arc;
use std::time::Duration;

use miyu::domain::id::{Address, RoomId, Seq, Side};
use miyu::domain::{Entry, EntryKind, LeaveReason};
use miyu::store::postgres::{PostgresStore, Setup};
use miyu::store::{Appended, Entries, PageLimit, ReadState, Rooms, SideClaim, Upkeep};
use tokio::task::JoinSet;

use crate::support::postgres::{Postgres, connect, fresh_name, open, setup};
use crate::support::store::{Backend, Recorder, Setting, address, draft, pairing, seqs};

mod answers;
mod bounds;
mod safety;
mod trouble;
mod version_before;

const A: Side = Side::A;
const B: Side = Side::B;
const SECOND: Duration = Duration::from_secs(1);

/// Real time, no clock of the test's own.
fn plain() -> Setting {
    let mut setting = Setting::default();
    setting.rules.room_entries = 100_000;
    setting.rules.timeout = 10 * SECOND;
    setting
}

async fn two_nodes() -> (Postgres, [Arc<PostgresStore>; 2], [Setting; 2]) {
    let database = Postgres::fresh().await;
    let settings = [plain(), plain()];
    let first = database.node(setup(&settings[0])).await;
    let second = database.node(setup(&settings[1])).await;
    (database, [first, second], settings)
}

async fn new_room(store: &PostgresStore) -> RoomId {
    let pairing = pairing();
    store.create_room(&pairing).await.unwrap();
    for side in Side::BOTH {
        let arrived = store.arrive(pairing.room, SideClaim::Side(side), address(side));
        arrived.await.unwrap().unwrap();
    }
    pairing.room
}

async fn log(store: &PostgresStore, room: RoomId) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut after = Seq::ZERO;
    loop {
        let page = store
            .page(room, A, after, PageLimit::entries(1000))
            .await
            .unwrap()
            .unwrap();
        entries.extend(page.entries);
        after = page.upto;
        if after == page.last_seq {
            return entries;
        }
    }
}

/// Says `count` things, each until it is stored; answers the seq of each.
async fn say_all(
    store: Arc<PostgresStore>,
    room: RoomId,
    side: Side,
    name: String,
    count: usize,
) -> Vec<(String, u64)> {
    let mut said = Vec::new();
    for n in 0..count {
        let client_id = format!("{name}-{n}");
        let seq = loop {
            match store.append(draft(room, side, &client_id, "x")).await {
                Ok(Appended::Done(entry) | Appended::Repeat(entry)) => break entry.seq.0,
                Ok(Appended::Refused(why)) => panic!("refused: {why:?}"),
                Err(error) => assert!(error.to_string().contains("answer"), "{error}"),
            }
        };
        said.push((client_id, seq));
    }
    said
}

/// Everything acknowledged is in the log once, at the place that was told, and nothing else is.
fn assert_kept(log: &[Entry], said: &[(String, u64)]) {
    assert_eq!(seqs(log), (1..=said.len() as u64).collect::<Vec<_>>());
    for (client_id, seq) in said {
        let entry = &log[usize::try_from(*seq).unwrap() - 1];
        let EntryKind::Message {
            client_id: kept, ..
        } = &entry.kind
        else {
            panic!("no message: {entry:?}");
        };
        assert_eq!(kept, client_id);
    }
}

/// A node's own entries were published once each and in order.
fn assert_published(sink: &Recorder, room: RoomId, said: &[(String, u64)]) {
    let published = seqs(&sink.of(room));
    let mut own: Vec<u64> = said.iter().map(|(_, seq)| *seq).collect();
    own.sort_unstable();
    assert_eq!(published, own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_fill_one_log_without_a_gap() {
    const EACH: usize = 60;
    let (_database, nodes, settings) = two_nodes().await;
    let room = new_room(&nodes[0]).await;
    let mut talkers = JoinSet::new();
    for talker in 0..6 {
        let node = talker % 2;
        let (store, name) = (Arc::clone(&nodes[node]), format!("t{talker}"));
        let side = Side::BOTH[talker / 2 % 2];
        talkers.spawn(async move { (node, say_all(store, room, side, name, EACH).await) });
    }
    let mut said = [Vec::new(), Vec::new()];
    while let Some(done) = talkers.join_next().await {
        let (node, mut more) = done.unwrap();
        said[node].append(&mut more);
    }
    let logs = [log(&nodes[0], room).await, log(&nodes[1], room).await];
    assert_eq!(logs[0], logs[1]);
    assert_kept(&logs[0], &said.concat());
    for node in 0..2 {
        assert_published(&settings[node].sink, room, &said[node]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_stored_once_whichever_node_is_asked() {
    let (_database, nodes, settings) = two_nodes().await;
    let room = new_room(&nodes[0]).await;
    let mut asked = JoinSet::new();
    for n in 0..40 {
        let store = Arc::clone(&nodes[n % 2]);
        asked.spawn(async move {
            let name = format!("same-{}", n / 4);
            store.append(draft(room, A, &name, "x")).await.unwrap()
        });
    }
    let mut done = 0;
    while let Some(answer) = asked.join_next().await {
        done += usize::from(matches!(answer.unwrap(), Appended::Done(_)));
    }
    assert_eq!(done, 10);
    assert_eq!(log(&nodes[1], room).await.len(), 10);
    let published = settings[0].sink.count() + settings[1].sink.count();
    assert_eq!(published, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_closes_once_whichever_node_is_asked() {
    let (_database, nodes, settings) = two_nodes().await;
    for _ in 0..10 {
        let room = new_room(&nodes[0]).await;
        let (first, second) = tokio::join!(
            nodes[0].close_room(room, A, LeaveReason::Left),
            nodes[1].close_room(room, B, LeaveReason::Left),
        );
        assert!(first.unwrap() != second.unwrap());
    }
    let published = settings[0].sink.count() + settings[1].sink.count();
    assert_eq!(published, 10);
}

/// A second node in the first one's world, whose leases end after a minute.
fn mortal(setting: &Setting) -> Setup {
    let mut setup = setup(setting);
    setup.tuning.lease = 60 * SECOND;
    setup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_on_a_node_that_is_gone_is_away_until_it_is_back() {
    let database = Postgres::fresh().await;
    let setting = Setting::default();
    let (frozen, alive) = (mortal(&setting), mortal(&setting));
    let (node, begun) = (frozen.node, setting.now.get());
    let frozen = database.node(frozen).await;
    let alive = database.node(alive).await;
    let room = new_room(&alive).await;
    let mut connection = address(B);
    connection.node = node;
    let place = SideClaim::Side(B);
    frozen.arrive(room, place, connection).await.unwrap();
    let speaker = async || {
        let position = alive.positions(vec![room]).await.unwrap().remove(0);
        let state = alive.room(room).await.unwrap().unwrap();
        assert_eq!(position.presence[1].speaker, state.side(B).connection);
        (position.presence[1].speaker, state.side(B).away_since)
    };
    assert_eq!(speaker().await, (Some(connection), None));
    setting.now.advance(30 * SECOND);
    alive.renew().await.unwrap();
    setting.now.advance(40 * SECOND);
    assert_eq!(speaker().await, (None, Some(begun.plus(60 * SECOND))));
    assert_eq!(alive.sweep().await.unwrap().closed, 0);
    frozen.renew().await.unwrap();
    assert_eq!(speaker().await, (Some(connection), None));
    // This time it does not come back: the grace counts from the lease's end.
    let ended = setting.now.get().plus(60 * SECOND);
    for _ in 0..18 {
        setting.now.advance(20 * SECOND);
        alive.renew().await.unwrap();
        let arrived = alive.arrive(room, SideClaim::Side(A), address(A)).await;
        let gone = arrived.unwrap().unwrap().room.side(B).away_since;
        assert!(gone.is_none_or(|since| since == ended), "{gone:?}");
        if setting.now.get() < ended.plus(300 * SECOND) {
            assert_eq!(alive.sweep().await.unwrap().closed, 0);
        }
    }
    assert_eq!(alive.sweep().await.unwrap().closed, 1);
    let departure = alive.room(room).await.unwrap().unwrap().departure.unwrap();
    assert_eq!(
        (departure.side, departure.reason),
        (B, LeaveReason::Timeout)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_everything_makes_no_side_absent() {
    let database = Postgres::fresh().await;
    let setting = Setting::default();
    let setup = mortal(&setting);
    let connection = Address {
        node: setup.node,
        number: 1,
    };
    let store = database.node(setup).await;
    let room = new_room(&store).await;
    store
        .arrive(room, SideClaim::Side(A), connection)
        .await
        .unwrap();
    let waiting = pairing();
    store.create_room(&waiting).await.unwrap();
    // Nothing was renewed for a day; then the first to come back sweeps at once.
    setting.now.advance(24 * 3600 * SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 0);
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.side(A).away_since, None);
    assert!(state.side(A).online());
    setting.now.advance(20 * SECOND);
    assert_eq!(store.sweep().await.unwrap().closed, 1);
    assert!(!store.room(waiting.room).await.unwrap().unwrap().active());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sweepers_share_the_work() {
    let (_database, nodes, settings) = two_nodes().await;
    // Both tell the time of the first.
    let now = settings[0].now.clone();
    let mut rooms = Vec::new();
    for _ in 0..12 {
        let pairing = pairing();
        nodes[0].create_room(&pairing).await.unwrap();
        rooms.push(pairing.room);
    }
    now.advance(20 * SECOND);
    settings[1].now.advance(20 * SECOND);
    let sweep = async |store: &PostgresStore| {
        let mut closed = 0;
        loop {
            let swept = store.sweep().await.unwrap();
            closed += swept.closed;
            if !swept.more {
                return closed;
            }
        }
    };
    let (first, second) = tokio::join!(sweep(&nodes[0]), sweep(&nodes[1]));
    assert_eq!(first + second, 12);
    for room in rooms {
        let published = settings[0].sink.of(room).len() + settings[1].sink.of(room).len();
        assert_eq!(published, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_together_agree() {
    let name = fresh_name("race");
    let admin = connect("postgres").await;
    let sql = format!("CREATE DATABASE {name}");
    admin.batch_execute(&sql).await.unwrap();
    let setting = plain();
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let (name, setup) = (name.clone(), setup(&setting));
        starting.spawn(async move {
            let store = open(&name, setup).await;
            let (key, identity) = tokio::join!(store.session_key(), store.identity());
            store.close().await.unwrap();
            (key.unwrap(), identity.unwrap())
        });
    }
    let mut agreed = Vec::new();
    while let Some(started) = starting.join_next().await {
        agreed.push(started.unwrap());
    }
    assert!(agreed.windows(2).all(|pair| pair[0] == pair[1]));
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.batch_execute(&drop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_of_other_nodes_are_counted() {
    let database = Postgres::fresh().await;
    let setting = plain();
    let mut quick = setup(&setting);
    quick.tuning.count = Duration::from_millis(20);
    let counting = database.node(quick).await;
    let other = database.node(setup(&setting)).await;
    let room = new_room(&other).await;
    let counted = async |expected: u64| {
        while counting.count_open_rooms() != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(10 * SECOND, counted(1)).await.unwrap();
    other.close_room(room, A, LeaveReason::Left).await.unwrap();
    tokio::time::timeout(10 * SECOND, counted(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_of_a_room_wait_for_company() {
    let database = Postgres::fresh().await;
    let setting = plain();
    let store = database.node(setup(&setting)).await;
    let room = new_room(&store).await;
    for n in 1..=50 {
        store
            .append(draft(room, B, &format!("b{n}"), "x"))
            .await
            .unwrap();
        let (cursor, read) = (Seq(n), Seq(n / 2));
        store.save_read_state(room, A, ReadState { cursor, read });
    }
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(
        (state.side(A).cursor, state.side(A).read),
        (Seq(50), Seq(25))
    );
}
