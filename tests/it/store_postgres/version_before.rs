//! A node of the version before, which goes on working until it is its turn to be replaced: what it asks of
//! the database is there, and both versions fill one log.

use miyu::domain::id::{RoomId, Seq};
use miyu::store::{Appended, Entries as _, Rooms as _};
use tokio_postgres::Client;

use super::{A, log, new_room, plain};
use crate::support::postgres::{Postgres, setup};
use crate::support::store::{Backend as _, draft, seqs};

/// What such a node is to the database.
const NODE: i64 = 77;
/// How what it asked has ended.
const DONE: i16 = 0;
const REPEAT: i16 = 1;

/// How a node of the version before says one thing for side A; answers what it is told, and the seq.
async fn say(client: &Client, epoch: i64, batch: i64, room: RoomId, name: &str) -> (i16, i64) {
    let sql = "SELECT o_outcome, o_seq FROM run_batch(NULL, $1, 0::smallint, $2, $3, 15000, 20000, 300000, 1000, \
         1000000, false, NULL, NULL, ARRAY[0::smallint], ARRAY[$4::uuid], ARRAY[0::smallint], ARRAY[$5::bytea], \
         ARRAY[convert_to('x', 'UTF8')], ARRAY[NULL::bigint], ARRAY[NULL::bytea], ARRAY[NULL::uuid], \
         ARRAY[NULL::uuid], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[NULL::bigint], \
         ARRAY[true])";
    let name = name.as_bytes();
    let row = client
        .query_one(sql, &[&NODE, &epoch, &batch, &room.0, &name])
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_the_version_before_goes_on_beside_this_one() {
    let database = Postgres::fresh().await;
    let setting = plain();
    let store = database.node(setup(&setting)).await;
    let room = new_room(&store).await;
    let old = database.client().await;
    let take = "SELECT o_epoch FROM take_lane($1, 0::smallint)";
    let epoch: i64 = old.query_one(take, &[&NODE]).await.unwrap().get(0);
    for (batch, seq) in [(1, 1), (2, 3), (3, 5)] {
        let theirs = format!("old-{batch}");
        assert_eq!(say(&old, epoch, batch, room, &theirs).await, (DONE, seq));
        let ours = store.append(draft(room, A, &format!("new-{batch}"), "x"));
        let Ok(Appended::Done(ours)) = ours.await else {
            panic!("not stored after batch {batch}");
        };
        assert_eq!(ours.seq, Seq(seq.cast_unsigned() + 1));
        // Each finds what the other has stored under a name.
        let again = store.append(draft(room, A, &theirs, "x")).await;
        assert!(matches!(again, Ok(Appended::Repeat(it)) if it.seq == Seq(seq.cast_unsigned())));
        let again = say(&old, epoch, 10 + batch, room, &format!("new-{batch}")).await;
        assert_eq!(again, (REPEAT, seq + 1));
    }
    assert_eq!(seqs(&log(&store, room).await), [1, 2, 3, 4, 5, 6]);
    let state = store.room(room).await.unwrap().unwrap();
    assert_eq!(state.last_seq, Seq(6));
    for sweep in [
        "SELECT claim(NULL, $1, 15000, 300000, 10000, 64, NULL)",
        "SELECT renew(NULL, $1, 15000)",
        "SELECT retire(NULL, $1)",
    ] {
        old.query(sweep, &[&NODE]).await.unwrap();
    }
}
