//! What the reader threads do: pages of rooms and what matching asks, away from the writer. Each owns one
//! read-only connection. The writer says which rows make a page, so that no index is needed and a
//! page never shows more than was committed when it was asked for.

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::oneshot;

use super::error::SqliteError;
use super::queue::Weigh;
use super::room_rows;
use super::rows;
use super::writer::Writer;
use crate::domain::Position;
use crate::domain::id::{RoomId, Seq, Side};
use crate::store::{Page, PageLimit, StoreError};

/// Work for a reader thread: what it does includes telling the caller.
pub(super) type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

/// What a plan holds beside itself: the row ids of a page.
const ROWS: usize = 2048;

impl Weigh for ReadJob {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&**self) + ROWS
    }
}

/// Packs work for a reader together with the place where its answer will arrive.
pub(super) fn read_job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
) -> (ReadJob, super::jobs::JobAnswer<T>) {
    let (reply, answer) = oneshot::channel();
    let job = move |conn: &Connection| {
        let result: Result<T, StoreError> = work(conn).map_err(|fault| {
            fault.count();
            fault.to_store_error()
        });
        drop(reply.send(result));
    };
    (Box::new(job), answer)
}

/// Does jobs in one read transaction, which begins after all of them were asked for: each sees whatever
/// was committed before, and what one has read the next one need not read again.
pub(super) fn run(conn: &Connection, jobs: &mut Vec<ReadJob>) {
    if jobs.is_empty() {
        return;
    }
    let order = |sql| -> Result<(), rusqlite::Error> {
        conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    // It touches nothing yet; whatever is wrong with the data meets the jobs.
    let _ = order("BEGIN");
    for job in jobs.drain(..) {
        job(conn);
    }
    // Some errors have ended it already.
    if !conn.is_autocommit() && order("COMMIT").is_err() {
        let _ = order("ROLLBACK");
        assert!(conn.is_autocommit(), "a look at the data that cannot end");
    }
}

/// Which rows make a page.
pub(super) struct Plan {
    no: i64,
    from: Seq,
    rows: Vec<i64>,
    limit: PageLimit,
    last_seq: Seq,
    closed: bool,
}

impl Writer {
    /// The rows of a page as of now; `None` when the room is unknown or erased.
    pub(super) fn plan_page(
        &mut self,
        room: RoomId,
        after: Seq,
        limit: PageLimit,
    ) -> Result<Option<Plan>, SqliteError> {
        let Some(cached) = self.cached(room)? else {
            return Ok(None);
        };
        Ok(Some(Plan {
            no: cached.facts.no,
            from: after.min(cached.last_seq()),
            rows: cached.rows_after(after, limit.rows()).to_vec(),
            limit,
            last_seq: cached.last_seq(),
            closed: cached.state.departure.is_some(),
        }))
    }

    /// See [`crate::store::Rooms::positions`].
    pub(super) fn positions(&mut self, rooms: &[RoomId]) -> Result<Vec<Position>, SqliteError> {
        let mut found = Vec::with_capacity(rooms.len());
        for &room in rooms {
            found.extend(match self.room_cache.peek(room) {
                Some(cached) if cached.state.erasing => None,
                Some(cached) => Some(cached.position()),
                // What is not remembered is not behind: its row is right.
                None => room_rows::read_position(&self.conn, room)?,
            });
        }
        Ok(found)
    }
}

/// Reads the rows of a page, until it is full: that depends on what they say, which the plan does not know.
pub(super) fn read(
    conn: &Connection,
    plan: &Plan,
    side: Side,
) -> Result<Option<Page>, SqliteError> {
    let mut entries = Vec::new();
    let mut bytes = plan.limit.begin();
    let mut upto = plan.from;
    for &row in &plan.rows {
        let at = upto.next();
        let Some(stored) = rows::read_entry(conn, row)? else {
            return missing(conn, plan.no);
        };
        if stored.room != plan.no || stored.entry.seq != at {
            return Err(SqliteError::Damaged("an entry out of its place"));
        }
        if !stored.hidden_from(side) {
            let entry = stored.told(side);
            if !bytes.take(&entry) {
                break;
            }
            entries.push(entry);
        }
        upto = at;
    }
    Ok(Some(Page {
        entries,
        upto,
        last_seq: plan.last_seq,
        closed: plan.closed,
    }))
}

/// A row of the plan is not there: fine if the room was erased in the meantime.
fn missing(conn: &Connection, no: i64) -> Result<Option<Page>, SqliteError> {
    let mut statement = conn.prepare_cached("SELECT 1 FROM rooms WHERE no = ?1 AND erasing = 0")?;
    let alive: Option<i64> = statement.query_row([no], |row| row.get(0)).optional()?;
    match alive {
        Some(_) => Err(SqliteError::Damaged("an entry that is missing")),
        None => Ok(None),
    }
}
