//! What the store does when time passes and no caller asks: sweeping, the WAL, pages for the disk.

use std::time::{Duration, Instant};

use miyu::domain::id::{Seq, Side};
use miyu::domain::{LeaveReason, MessageRef};

use crate::support::store::{Backend as _, Sqlite, World, draft, rules, tiny};

const A: Side = Side::A;

#[tokio::test]
async fn the_sweeper_closes_erases_and_stops() {
    let world = World::<Sqlite>::new().await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(world.room_unvisited().await.room);
    }
    let stop = tokio_util::sync::CancellationToken::new();
    let sweeper = miyu::store::sweeper::run(world.store().clone(), stop.clone());
    let watcher = async {
        world.advance(rules().arrival);
        while world.sink().count() < 5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.advance(rules().retention);
        for room in rooms {
            while world.store().room(room).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        stop.cancel();
    };
    let both = async { tokio::join!(sweeper, watcher) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .unwrap();
}

#[tokio::test]
async fn erased_text_leaves_the_wal_when_idle() {
    let world = World::<Sqlite>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "a-word-that-goes").await;
    let target = MessageRef::Seq(Seq(1));
    world.store().recall(room, A, target, None).await.unwrap();
    let wal = world.backend.path().with_extension("db-wal");
    // The writer tidies up by itself; its own clock runs.
    for _ in 0..100 {
        if std::fs::metadata(&wal).unwrap().len() == 0 {
            assert!(!world.backend.holds("a-word-that-goes").await);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the WAL was never emptied");
}

/// A store that is asked every moment whether anything is due must still find the time to tidy up.
#[tokio::test]
async fn sweeps_that_find_nothing_do_not_keep_the_store_from_being_idle() {
    let world = World::<Sqlite>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let wal = world.backend.path().with_extension("db-wal");
    assert!(std::fs::metadata(&wal).unwrap().len() > 0);
    let began = Instant::now();
    while std::fs::metadata(&wal).unwrap().len() > 0 {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "the WAL was never emptied"
        );
        let swept = world.store().sweep().await.unwrap();
        assert_eq!((swept.closed, swept.erased), (0, 0));
        tokio::time::sleep(tiny().idle / 10).await;
    }
}

#[tokio::test]
async fn erased_pages_go_back_to_the_disk() {
    let mut world = World::<Sqlite>::with({
        let mut rules = rules();
        rules.room_entries = 2000;
        rules
    })
    .await;
    let room = world.room().await.room;
    let text = "x".repeat(2000);
    let all: Vec<_> = (0..1000)
        .map(|n| {
            world
                .store()
                .append(draft(room, A, &format!("a{n}"), &text))
        })
        .collect();
    for pending in all {
        pending.await.unwrap();
    }
    world.reopen().await;
    let before = std::fs::metadata(world.backend.path()).unwrap().len();
    let store = world.store().clone();
    let size = store.size().await.unwrap();
    assert!(size >= before, "{size} of {before}");
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    world.advance(rules().retention);
    while store.sweep().await.unwrap().more {}
    // What is free counts no more, long before the disk has it back; the log of changes does.
    let wal = world.backend.path().with_extension("db-wal");
    let wal = std::fs::metadata(wal).map_or(0, |file| file.len());
    let left = store.size().await.unwrap();
    assert!(left <= wal + before / 4, "{left} of {before}, {wal}");
    for _ in 0..10 {
        store.sweep().await.unwrap();
    }
    drop(store);
    world.close().await;
    let after = std::fs::metadata(world.backend.path()).unwrap().len();
    assert!(after < before / 2 + 300 * 4096, "{before} -> {after}");
}
