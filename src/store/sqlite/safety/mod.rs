//! People's safety in this backend: what [`crate::store::safety`] asks, as jobs of the writer and of the readers.
//!
//! Reading order: `mod` · `rows` (columns) · `act` (who acts) · `report`, `automatic`, `rank`, `freeze`, `evidence` · `queue`, `case`, `case_file`, `decide`, `appeal` · `sanction`, `notice` ·
//! `operator`, `login` · `setting` · `audit` · `sweep`.

use rusqlite::Connection;

use super::error::SqliteError;
use super::jobs::Mode;
use super::writer::Writer;
use super::{SqliteStore, page};
use crate::domain::id::Timestamp;
use crate::store::Pending;

mod act;
mod appeal;
mod audit;
mod automatic;
mod case;
mod case_file;
mod decide;
mod evidence;
mod freeze;
mod login;
mod notice;
mod operator;
mod queue;
mod rank;
mod report;
mod revalidate;
mod rows;
mod sanction;
mod setting;
mod sweep;

/// What a call holds beside its texts.
const HELD: usize = 1024;

impl SqliteStore {
    /// Queues a change for the writer: all of it takes effect, or nothing. `texts`: what it holds in memory.
    fn change<T: Send + 'static>(
        &self,
        texts: usize,
        work: impl FnOnce(&mut Writer) -> Result<T, SqliteError> + Send + 'static,
    ) -> Pending<T> {
        let whole = move |writer: &mut Writer| writer.together(work);
        self.ask_about(None, Mode::Write, texts + HELD, whole)
    }

    /// Reads what was committed before the call, as of now.
    fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, Timestamp) -> Result<T, SqliteError> + Send + 'static,
    ) -> Pending<T> {
        let now = self.clock.now();
        let (job, answer) = page::read_job(move |conn| read(conn, now));
        match self.reads.push(job) {
            Ok(()) => Pending::answer(answer, self.deadline()),
            Err(error) => Pending::known(Err(error)),
        }
    }
}
