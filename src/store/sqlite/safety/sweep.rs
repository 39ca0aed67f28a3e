//! Time's work on people's safety: evidence, records and log-ins that have had their time. And the installation key.

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::rows::{self, size};
use crate::store::Pending;
use crate::store::safety::SafetyUpkeep;

/// How long an operator's session may be unused before its row goes. Whether it still counts is asked at its use.
const UNUSED: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Cases looked at in one step.
const CASES: usize = 8;

/// A case that is not kept for an appeal that waits or by a hold.
const FREE: &str = "(held_until IS NULL OR held_until <= ?2) AND NOT EXISTS (SELECT 1 FROM sanctions s \
     JOIN cases a ON a.sanction = s.no WHERE s.case_no = cases.no AND a.closed_at IS NULL)";

impl SafetyUpkeep for SqliteStore {
    fn installation_key(&self) -> Pending<[u8; 32]> {
        self.change(0, |writer| {
            let fresh: [u8; 32] = rand::random();
            let mut make = writer.conn.prepare_cached(
                "INSERT OR IGNORE INTO safety_keys (name, value) VALUES ('installation', ?1)",
            )?;
            make.execute([fresh])?;
            let mut read = writer
                .conn
                .prepare_cached("SELECT value FROM safety_keys WHERE name = 'installation'")?;
            Ok(read.query_row([], |row| row.get(0))?)
        })
    }

    fn sweep_safety(&self) -> Pending<bool> {
        self.change(0, Writer::sweep_safety)
    }
}

impl Writer {
    fn sweep_safety(&mut self) -> Result<bool, SqliteError> {
        let mut more = self.erase_evidence()?;
        more |= self.erase_cases()?;
        more |= self.erase_sanctions()?;
        self.end_unused()?;
        Ok(more)
    }

    /// The cases that were closed before a time, as far as this condition lets them go.
    fn closed_before(&self, condition: &str, before: i64) -> Result<Vec<i64>, SqliteError> {
        let sql = format!(
            "SELECT no FROM cases WHERE closed_at <= ?1 AND {FREE} AND {condition} ORDER BY closed_at LIMIT ?3"
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        rows::collect(read.query((before, self.now.0, size(CASES)))?, |row| {
            Ok(row.get(0)?)
        })
    }

    fn erase_evidence(&mut self) -> Result<bool, SqliteError> {
        let before = self.now.minus(self.rules.evidence_retention).0;
        let due = self.closed_before("bare = 0", before)?;
        let mut more = due.len() == CASES;
        let mut budget = self.tuning.erase_rows;
        for case in due {
            self.purged = true;
            budget -= self.erase_entries(case, budget)?;
            if budget == 0 {
                more = true;
                break;
            }
            for erase in [
                "DELETE FROM evidence WHERE case_no = ?1",
                "UPDATE reports SET note = '', chosen = NULL, claims = '[]', networks = NULL WHERE case_no = ?1",
                "UPDATE cases SET text = '', bare = 1 WHERE no = ?1",
            ] {
                self.conn.prepare_cached(erase)?.execute([case])?;
            }
        }
        Ok(more)
    }

    /// Erases at most so many entries of a case's evidence; answers how many.
    fn erase_entries(&self, case: i64, most: usize) -> Result<usize, SqliteError> {
        let mut rooms = self
            .conn
            .prepare_cached("SELECT no FROM evidence WHERE case_no = ?1")?;
        let rooms: Vec<i64> = rows::collect(rooms.query([case])?, |row| Ok(row.get(0)?))?;
        let mut erase = self.conn.prepare_cached(
            "DELETE FROM evidence_entries WHERE evidence = ?1 AND seq IN \
             (SELECT seq FROM evidence_entries WHERE evidence = ?1 LIMIT ?2)",
        )?;
        let mut erased = 0;
        for room in rooms {
            erased += erase.execute((room, size(most - erased)))?;
            if erased >= most {
                break;
            }
        }
        Ok(erased)
    }

    fn erase_cases(&mut self) -> Result<bool, SqliteError> {
        let before = self.now.minus(self.rules.record_retention).0;
        let in_force = "bare = 1 AND NOT EXISTS (SELECT 1 FROM sanctions s WHERE s.case_no = cases.no \
             AND s.kind > 2 AND s.lifts IS NULL AND (s.until IS NULL OR s.until > ?2) \
             AND NOT EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = s.no))";
        let due = self.closed_before(in_force, before)?;
        for case in &due {
            self.purged = true;
            for erase in [
                "DELETE FROM reports WHERE case_no = ?1",
                "DELETE FROM decisions WHERE case_no = ?1",
                "DELETE FROM cases WHERE no = ?1",
            ] {
                self.conn.prepare_cached(erase)?.execute([case])?;
            }
        }
        Ok(due.len() == CASES)
    }

    /// Sanctions that ended, were lifted, or (notes and warnings) were written so long ago, with their lifting
    /// rows; and notices as old that tell of none that is left.
    fn erase_sanctions(&mut self) -> Result<bool, SqliteError> {
        let before = self.now.minus(self.rules.record_retention).0;
        let most = size(self.tuning.erase_rows);
        let mut erased = 0;
        for erase in [
            "DELETE FROM sanctions WHERE no IN (SELECT s.no FROM sanctions s WHERE s.at <= ?1 AND s.lifts IS NULL \
             AND (s.until <= ?1 OR s.kind <= 2 OR EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = s.no AND l.at <= ?1)) \
             AND NOT EXISTS (SELECT 1 FROM cases a WHERE a.sanction = s.no AND a.closed_at IS NULL) LIMIT ?2)",
            "DELETE FROM sanctions WHERE no IN (SELECT l.no FROM sanctions l WHERE l.at <= ?1 AND l.lifts IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM sanctions s WHERE s.no = l.lifts) LIMIT ?2)",
            "DELETE FROM notices WHERE no IN (SELECT n.no FROM notices n WHERE n.at <= ?1 \
             AND NOT EXISTS (SELECT 1 FROM sanctions s WHERE s.no = n.sanction) LIMIT ?2)",
        ] {
            let mut erase = self.conn.prepare_cached(erase)?;
            erased += erase.execute((before, most))?;
        }
        self.purged |= erased > 0;
        Ok(erased >= self.tuning.erase_rows)
    }

    fn end_unused(&mut self) -> Result<(), SqliteError> {
        let mut end = self
            .conn
            .prepare_cached("DELETE FROM operator_sessions WHERE used <= ?1")?;
        end.execute([self.now.minus(UNUSED).0])?;
        let mut end = self
            .conn
            .prepare_cached("DELETE FROM setup_link WHERE until <= ?1")?;
        end.execute([self.now.0])?;
        Ok(())
    }
}
