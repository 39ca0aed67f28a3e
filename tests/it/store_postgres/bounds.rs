//! Bounds that several nodes keep together, what files that never shrink mean for the size of the data,
//! and a database of the version before.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{LeaveReason, MessageRef};
use miyu::store::postgres::PostgresStore;
use miyu::store::{Appended, Entries as _, Pending, Refusal, Rooms as _, SideClaim, Upkeep as _};
use tokio::task::JoinSet;

use super::{A, B, SECOND, log, new_room, plain};
use crate::support::postgres::{Postgres, setup};
use crate::support::store::{Backend as _, address, draft, seqs};

/// However many sweepers look: one tells a room's people that it closes, and one closes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sweepers_end_a_room_of_great_age_once() {
    let database = Postgres::fresh().await;
    let mut setting = plain();
    setting.rules.longest = 1000 * SECOND;
    let nodes = [
        database.node(setup(&setting)).await,
        database.node(setup(&setting)).await,
    ];
    let mut rooms = Vec::new();
    for _ in 0..6 {
        rooms.push(new_room(&nodes[0]).await);
    }
    for (time, told, ends) in [(900, 1, 0), (50, 1, 0), (50, 1, 1)] {
        setting.now.advance(time * SECOND);
        for _ in 0..4 {
            let (one, two) = tokio::join!(nodes[0].sweep(), nodes[1].sweep());
            one.unwrap();
            two.unwrap();
        }
        for room in &rooms {
            assert_eq!(setting.sink.closing(*room).len(), told);
            assert_eq!(setting.sink.of(*room).len(), ends);
        }
    }
}

/// From three quarters of the bound on it is counted what is in the tables: their files do not shrink.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erased_data_does_not_count_when_it_was_vacuumed() {
    let database = Postgres::fresh().await;
    let mut setting = plain();
    setting.rules.max_size = 1_000_000;
    setting.rules.retention = SECOND;
    let store = database.node(setup(&setting)).await;
    let room = new_room(&store).await;
    for n in 0..400_u32 {
        // What cannot be compressed.
        let words =
            (0..250).map(|at| format!("{:08x}", (n * 250 + at).wrapping_mul(2_654_435_761)));
        let text = words.collect::<String>();
        let said = store.append(draft(room, A, &format!("a{n}"), &text)).await;
        assert!(matches!(said, Ok(Appended::Done(_))));
    }
    let full = store.size().await.unwrap();
    assert!(full > 800_000, "{full}");
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    setting.now.advance(2 * SECOND);
    while store.sweep().await.unwrap().more {}
    let client = database.client().await;
    client.batch_execute("VACUUM rooms, entries").await.unwrap();
    // What vacuuming found is reported by and by.
    for _ in 0..200 {
        let left = store.size().await.unwrap();
        if left < full / 3 * 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still as large: {}", store.size().await.unwrap());
}

/// What waits for a server that does not get on: every text of these is in memory once, and no more of them
/// than the bound allows, whatever is asked. None of it is lost, and what is done makes room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_slow_server_is_bounded_in_bytes() {
    const BOUND: usize = 256 * 1024;
    const TEXT: usize = 4000;
    let database = Postgres::fresh().await;
    let setting = plain();
    let mut setup = setup(&setting);
    setup.tuning.queue_bytes = BOUND;
    let store = database.node(setup).await;
    let mut rooms = Vec::new();
    for _ in 0..4 {
        rooms.push(new_room(&store).await);
    }
    let mut blocker = database.client().await;
    let text = "x".repeat(TEXT);
    let mut kept = vec![0; rooms.len()];
    for round in 0..3 {
        let held = blocker.transaction().await.unwrap();
        let lock = "SELECT FROM rooms FOR UPDATE";
        held.batch_execute(lock).await.unwrap();
        let mut talking = JoinSet::new();
        for (place, room) in rooms.iter().copied().enumerate() {
            let (store, text) = (Arc::clone(&store), text.clone());
            talking.spawn(async move { (place, say_at_once(&store, room, round, &text).await) });
        }
        let mut waiting = Vec::new();
        while let Some(said) = talking.join_next().await {
            waiting.push(said.unwrap());
        }
        let count = waiting.iter().map(|(_, said)| said.len()).sum::<usize>();
        assert!(count * TEXT <= BOUND, "{count} wait in round {round}");
        assert!(
            count * (TEXT + 1000) > BOUND,
            "{count} fit in round {round}"
        );
        held.rollback().await.unwrap();
        for (place, said) in waiting {
            kept[place] += said.len();
            for answer in said {
                let answer = answer.await.unwrap();
                assert!(matches!(answer, Appended::Done(_)), "{answer:?}");
            }
        }
    }
    for (room, kept) in rooms.into_iter().zip(kept) {
        let stored = seqs(&log(&store, room).await);
        assert_eq!(stored, (1..=kept as u64).collect::<Vec<_>>());
        assert_eq!(seqs(&setting.sink.of(room)), stored);
    }
}

/// Says more at once than may wait; answers what does wait. All else was refused at once.
async fn say_at_once(
    store: &PostgresStore,
    room: RoomId,
    round: usize,
    text: &str,
) -> Vec<Pending<Appended>> {
    let mut waiting = Vec::new();
    for n in 0..200 {
        let mut answer = store.append(draft(room, A, &format!("{round}-{n}"), text));
        match (&mut answer).now_or_never() {
            None => waiting.push(answer),
            Some(Err(error)) => assert!(error.to_string().contains("queue is full"), "{error}"),
            Some(Ok(done)) => panic!("stored through a lock: {done:?}"),
        }
        tokio::task::yield_now().await;
    }
    waiting
}

/// By what people would be known, and what is held against them, is data as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_and_holds_count() {
    let database = Postgres::fresh().await;
    let store = database.node(setup(&plain())).await;
    let client = database.client().await;
    for fill in [
        "INSERT INTO marks SELECT gen_random_uuid(), 0, n, 0 FROM generate_series(1, 4000) n",
        "INSERT INTO holds (by, room, mark, until) SELECT gen_random_uuid(), gen_random_uuid(), n, 0 FROM generate_series(1, 4000) n",
    ] {
        let before = store.size().await.unwrap();
        client.batch_execute(fill).await.unwrap();
        let after = store.size().await.unwrap();
        assert!(after > before + 400_000, "{before} to {after}: {fill}");
    }
    client.batch_execute("TRUNCATE marks, holds").await.unwrap();
}

/// A database as the version before made it: its rooms count what they hold, and get an age.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_database_is_brought_up_to_date() {
    let database = Postgres::fresh().await;
    let mut setting = plain();
    let store = database.node(setup(&setting)).await;
    let room = new_room(&store).await;
    for (name, length) in [("a1", 50), ("a2", 40)] {
        let said = store
            .append(draft(room, A, name, &"x".repeat(length)))
            .await;
        assert!(matches!(said, Ok(Appended::Done(_))));
    }
    let target = MessageRef::Seq(Seq(2));
    store.recall(room, A, target, None).await.unwrap();
    let opened = setting.now.get();
    store.close().await.unwrap();
    let client = database.client().await;
    client.batch_execute(OLDER).await.unwrap();

    setting.rules.room_bytes = 100;
    setting.rules.longest = 1000 * SECOND;
    let store = database.node(setup(&setting)).await;
    // 52 + 2 + 2: 44 are left.
    let full = store.append(draft(room, B, "b1", &"x".repeat(43))).await;
    assert!(matches!(full, Ok(Appended::Refused(Refusal::RoomFull))));
    let said = store.append(draft(room, B, "b1", &"x".repeat(42))).await;
    assert!(matches!(said, Ok(Appended::Done(_))));
    let end = opened.plus(1000 * SECOND);
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.closes_at, Some(end));
    setting.now.advance(900 * SECOND);
    for side in Side::BOTH {
        let back = store.arrive(room, SideClaim::Side(side), address(side));
        back.await.unwrap().unwrap();
    }
    assert_eq!(store.sweep().await.unwrap().closed, 0);
    assert_eq!(setting.sink.closing(room), [end]);
}

/// Takes back what the newest migrations added.
const OLDER: &str = "DO $$ DECLARE f regprocedure; BEGIN \
     FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace \
         AND (p.proname, p.pronargs) IN (('append', 10), ('claim', 7), ('expire', 6), ('data_size', 1)) \
         OR p.proname = 'run_batch' AND p.pronargs > 23 \
     LOOP EXECUTE 'DROP FUNCTION ' || f; END LOOP; END $$; \
     DROP FUNCTION mark_people; DROP FUNCTION block; \
     CREATE FUNCTION block(bigint, uuid, uuid, bigint) RETURNS void LANGUAGE sql AS ''; \
     DROP TABLE marks, holds, subscriptions; \
     DROP TABLE audit_head, audit, report_months, cases, reports, room_networks, evidence, evidence_entries, \
         decisions, sanctions, notices, recovery_codes, operator_sessions, operator_visitors, operators, setup_link, settings, invalidations; \
     ALTER TABLE blocks DROP COLUMN until, DROP COLUMN room, DROP COLUMN since, \
         ADD CONSTRAINT blocks_by_whom_key UNIQUE (by, whom); \
     ALTER TABLE rooms DROP COLUMN bytes, DROP COLUMN closes_at, DROP COLUMN call_for_a, DROP COLUMN call_for_b; \
     DROP INDEX entries_reactions; DROP FUNCTION leave_out; DROP FUNCTION begin_batch; DROP TABLE machines; \
     ALTER TABLE service DROP COLUMN clock_ahead, DROP COLUMN clock_steps; \
     DELETE FROM refinery_schema_history WHERE version >= 4;";
