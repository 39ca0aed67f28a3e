//! What a batch says to the database, prepared once for each connection; and how several statements are
//! sent at once.

use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::ClientWrapper;
use futures_util::future::try_join_all;
use tokio_postgres::{Error, Row, Statement};

use super::link::Params;
use super::{messages, reactions, room_state};

/// Rooms that are there already stay as they are. `moment` is that of the statement: the batch's own is read
/// when its rooms are locked.
const OPEN: &str = "INSERT INTO rooms (id, people, common_tags, is_bot, session_a, session_b, opened_at, due_at) \
     SELECT u.id, u.people, u.tags, u.is_bot, u.a, u.b, m.now, m.now + $8 \
     FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::boolean[], $5::uuid[], $6::uuid[]) \
         WITH ORDINALITY AS u (id, people, tags, is_bot, a, b, place), \
         (SELECT moment($7) AS now) m \
     ORDER BY u.id, u.place ON CONFLICT (id) DO NOTHING RETURNING id";
const INSERT: &str = "INSERT INTO entries (room, seq, kind, side, client_id, body, target, reason, hidden, at) \
     SELECT u.*, $10::bigint FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], \
         $5::bytea[], $6::bytea[], $7::bigint[], $8::smallint[], $9::smallint[]) AS u";
const CHANGE: &str = "UPDATE entries e SET body = CASE WHEN NOT u.erased THEN e.body END, \
         reason = CASE WHEN NOT u.erased THEN e.reason END, hidden = e.hidden | u.hidden \
     FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::smallint[]) AS u (room, seq, erased, hidden) \
     WHERE e.room = u.room AND e.seq = u.seq AND (u.erased OR e.hidden & u.hidden <> u.hidden)";
const GROW: &str = "UPDATE rooms r SET last_seq = u.last_seq, bytes = u.bytes, \
         cursor_a = u.cursor_a, read_a = u.read_a, cursor_b = u.cursor_b, read_b = u.read_b \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], \
         $7::bigint[]) AS u (no, last_seq, bytes, cursor_a, read_a, cursor_b, read_b) \
     WHERE r.no = u.no";

const WRITE_WHOLE: &str = "UPDATE rooms r SET last_seq = u.last_seq, bytes = u.bytes, \
         cursor_a = u.cursor_a, read_a = u.read_a, cursor_b = u.cursor_b, read_b = u.read_b, \
         due_at = u.due_at, claimed = CASE WHEN u.looked_at THEN 0 ELSE r.claimed END, closes_at = u.closes_at, \
         closed_at = u.closed_at, left_seq = u.left_seq, left_side = u.left_side, left_reason = u.left_reason, \
         joined_a = u.joined_a, node_a = u.node_a, number_a = u.number_a, away_a = u.away_a, version_a = u.version_a, call_for_a = u.call_for_a, \
         joined_b = u.joined_b, node_b = u.node_b, number_b = u.number_b, away_b = u.away_b, version_b = u.version_b, call_for_b = u.call_for_b \
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], \
         $8::bigint[], $9::boolean[], $10::bigint[], $11::bigint[], $12::bigint[], $13::smallint[], $14::smallint[], \
         $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], \
         $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[]) \
         AS u (no, last_seq, bytes, cursor_a, read_a, cursor_b, read_b, due_at, looked_at, closes_at, \
             closed_at, left_seq, left_side, left_reason, joined_a, node_a, number_a, away_a, version_a, call_for_a, \
             joined_b, node_b, number_b, away_b, version_b, call_for_b) \
     WHERE r.no = u.no";

/// Plans are made once, and each row is looked up by its key: what the planner thinks of a table that has
/// just begun to grow does not matter.
pub(super) const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
     SET idle_in_transaction_session_timeout = 2000;";

macro_rules! statements {
    ($($name:ident: $sql:expr;)*) => {
        /// The statements of a connection.
        pub(super) struct Statements {
            $(pub(super) $name: Statement,)*
        }

        impl Statements {
            /// Prepares all of them.
            pub(super) async fn prepare(client: &ClientWrapper) -> Result<Self, Error> {
                let all = [$($sql),*].map(|sql| client.prepare(sql));
                let Ok([$($name),*]) = <[Statement; _]>::try_from(try_join_all(all).await?) else {
                    unreachable!("as many as were asked for");
                };
                Ok(Self { $($name),* })
            }
        }
    };
}

statements! {
    open: OPEN;
    lock: room_state::LOCK;
    lock_presence: room_state::LOCK_PRESENCE;
    begin: "SELECT o_now, o_label FROM begin_batch($1, $2, $3, $4)";
    leases: room_state::LEASES;
    reacted: reactions::REACTED;
    by_name: messages::BY_NAME;
    by_seq: messages::BY_SEQ;
    insert: INSERT;
    change: CHANGE;
    grow: GROW;
    write_whole: WRITE_WHOLE;
    renew: "SELECT renew($1, $2, $3)";
    end: "UPDATE lanes SET batch = $3, seqs = $4 WHERE node = $1 AND lane = $2";
}

/// A statement on its way.
pub(super) type Asked<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// A prepared statement; sent when it is polled.
pub(super) fn ask<'a>(
    client: &'a ClientWrapper,
    statement: &'a Statement,
    params: Params<'a>,
) -> Asked<'a> {
    Box::pin(client.query(statement, params))
}

/// A word like `BEGIN`.
pub(super) fn say<'a>(client: &'a ClientWrapper, word: &'a str) -> Asked<'a> {
    Box::pin(async move { client.batch_execute(word).await.map(|()| Vec::new()) })
}

/// Sends all of them at once, in this order, and waits for their answers; ends with the first error. What
/// comes after one that cannot even be sent is not sent.
pub(super) async fn all(mut asked: Vec<Asked<'_>>) -> Result<Vec<Vec<Row>>, Error> {
    let mut answers: Vec<Option<Vec<Row>>> = asked.iter().map(|_| None).collect();
    let mut sent = false;
    std::future::poll_fn(move |context| {
        for (future, answer) in asked.iter_mut().zip(&mut answers) {
            if answer.is_some() {
                continue;
            }
            match future.as_mut().poll(context) {
                Poll::Ready(Ok(rows)) => *answer = Some(rows),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // Answers come in order; only to be sent all must be polled.
                Poll::Pending if sent => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        sent = true;
        if answers.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(Ok(answers.iter_mut().filter_map(Option::take).collect()))
    })
    .await
}
