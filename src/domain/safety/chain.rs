//! The audit log as a chain: each row carries the hash of the one before, so that a row that is changed, taken
//! out or put in afterwards is found, and which it is. Who can rewrite the whole table can rewrite its hashes,
//! too: that is found by comparing the head with one that was noted elsewhere.

use sha2::{Digest, Sha256};

use super::audit::{AuditRow, RowHash};

/// What the first row carries.
pub const ORIGIN: RowHash = [0; 32];
/// Most faults that a verification lists: a table that was restored from elsewhere is wrong in every row.
pub const FAULTS: usize = 100;

/// The hash of this row, whatever its own says.
///
/// Rows are written down in one way, so that a row has the same hash in every store: numbers have eight bytes,
/// texts their length before them, and what may be absent says whether it is there. So no two rows are written
/// alike.
pub fn hash(row: &AuditRow) -> RowHash {
    let mut written = Written(Sha256::new());
    written.text("miyu audit 1");
    written.0.update(row.before);
    written.number(row.no);
    written.number(row.at.0.cast_unsigned());
    written.optional(row.name.as_deref(), Written::text);
    let what = &row.what;
    written.optional(what.by.map(|it| it.0), Written::number);
    written.number(what.act.code().into());
    written.optional(what.case.map(|it| it.0), Written::number);
    written.optional(what.sanction.map(|it| it.0), Written::number);
    written.optional(what.took_ms.map(i64::cast_unsigned), Written::number);
    written.text(&what.details);
    written.0.finalize().into()
}

struct Written(Sha256);

impl Written {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text);
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl Fn(&mut Self, T)) {
        self.0.update([u8::from(value.is_some())]);
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// The last row, which a store keeps apart from the rows: else some could be cut off the end unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 when there is none.
    pub no: u64,
    /// Its hash.
    pub hash: RowHash,
}

impl Head {
    /// Of a log without a row.
    pub const EMPTY: Head = Head {
        no: 0,
        hash: ORIGIN,
    };
}

/// What is wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This row is not as it was written.
    Changed(u64),
    /// The rows from the first of these to the last are gone.
    Removed(u64, u64),
    /// This row stands where none was written.
    Inserted(u64),
    /// This row was not written after the one that stands before it: that one was written anew, or there were
    /// others between them.
    Unlinked(u64),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed(no) => write!(f, "row {no} was changed"),
            Self::Removed(first, last) if first == last => write!(f, "row {first} was removed"),
            Self::Removed(first, last) => write!(f, "rows {first} to {last} were removed"),
            Self::Inserted(no) => write!(f, "a row {no} was put in"),
            Self::Unlinked(no) => write!(
                f,
                "row {no} does not follow the row before it, which was written anew, or rows between them are gone"
            ),
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How many rows there are.
    pub rows: u64,
    /// The last row, to be noted elsewhere and compared later.
    pub head: Head,
    /// What is wrong, in the order of the rows; the first [`FAULTS`].
    pub faults: Vec<Fault>,
}

/// Goes through the log row by row, so that it need not be in memory.
#[derive(Debug)]
pub struct Verifier {
    rows: u64,
    /// The row that was looked at last.
    last: Head,
    faults: Vec<Fault>,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            rows: 0,
            last: Head::EMPTY,
            faults: Vec::new(),
        }
    }
}

impl Verifier {
    /// Looks at the next row, in the order of their numbers.
    pub fn row(&mut self, row: &AuditRow) {
        self.rows += 1;
        let expected = self.last.no.saturating_add(1);
        if row.no < expected {
            // One of two of the same number, of which only one can have been written.
            self.fault(Fault::Inserted(row.no));
            return;
        }
        if row.no > expected {
            self.fault(Fault::Removed(expected, row.no - 1));
        } else if row.before != self.last.hash {
            self.fault(Fault::Unlinked(row.no));
        }
        if row.hash != hash(row) {
            self.fault(Fault::Changed(row.no));
        }
        self.last = Head {
            no: row.no,
            hash: row.hash,
        };
    }

    /// After the last row: compares it with the head that was kept.
    pub fn end(mut self, kept: Head) -> Verdict {
        let last = self.last;
        if last.no < kept.no {
            self.fault(Fault::Removed(last.no + 1, kept.no));
        } else if last.no > kept.no {
            let beyond = (kept.no + 1..=last.no).take(FAULTS);
            beyond.for_each(|no| self.fault(Fault::Inserted(no)));
        } else if last.hash != kept.hash {
            self.fault(Fault::Changed(last.no));
        }
        Verdict {
            rows: self.rows,
            head: last,
            faults: self.faults,
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS && self.faults.last() != Some(&fault) {
            self.faults.push(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Timestamp;
    use crate::domain::safety::audit::{AuditAct, AuditDraft};
    use crate::domain::safety::id::{CaseId, OperatorId};

    fn row(no: u64) -> AuditRow {
        AuditRow {
            no,
            at: Timestamp(1_000 + i64::try_from(no).unwrap()),
            name: Some("Mei".into()),
            what: AuditDraft {
                by: Some(OperatorId(7)),
                act: AuditAct::Skipped,
                case: Some(CaseId(no)),
                sanction: None,
                took_ms: Some(60_000),
                details: String::new(),
            },
            before: ORIGIN,
            hash: ORIGIN,
        }
    }

    fn after(before: RowHash, mut row: AuditRow) -> AuditRow {
        row.before = before;
        row.hash = hash(&row);
        row
    }

    fn log(rows: u64) -> (Vec<AuditRow>, Head) {
        let (mut log, mut head) = (Vec::new(), Head::EMPTY);
        for no in 1..=rows {
            let row = after(head.hash, row(no));
            head = Head { no, hash: row.hash };
            log.push(row);
        }
        (log, head)
    }

    fn verdict(log: &[AuditRow], head: Head) -> Verdict {
        let mut verifier = Verifier::default();
        log.iter().for_each(|row| verifier.row(row));
        verifier.end(head)
    }

    fn faults(log: &[AuditRow], head: Head) -> Vec<Fault> {
        verdict(log, head).faults
    }

    /// As one does who knows how the hashes are made.
    fn write_anew(log: &mut [AuditRow], from: usize) {
        for at in from..log.len() {
            let before = at.checked_sub(1).map_or(ORIGIN, |at| log[at].hash);
            log[at] = after(before, log[at].clone());
        }
    }

    #[test]
    fn a_log_as_it_was_written_is_whole() {
        for rows in [0, 1, 5] {
            let (log, head) = log(rows);
            let faults = Vec::new();
            assert_eq!(verdict(&log, head), Verdict { rows, head, faults });
        }
    }

    #[test]
    fn a_changed_row_is_named() {
        for at in 0..5 {
            let (mut log, head) = log(5);
            log[at].what.details = "nothing of the kind".into();
            assert_eq!(faults(&log, head), [Fault::Changed(at as u64 + 1)]);
        }
        let (mut log, head) = log(5);
        log[2].at = Timestamp(0);
        log[4].name = None;
        assert_eq!(faults(&log, head), [Fault::Changed(3), Fault::Changed(5)]);
    }

    #[test]
    fn each_part_of_a_row_is_in_its_hash() {
        let same = |change: fn(&mut AuditRow)| {
            let mut changed = row(1);
            change(&mut changed);
            hash(&changed) == hash(&row(1))
        };
        assert!(same(|row| row.hash = [1; 32]), "it is not in itself");
        assert!(!same(|row| row.before = [1; 32]));
        assert!(!same(|row| row.no = 2));
        assert!(!same(|row| row.at = Timestamp(0)));
        assert!(!same(|row| row.name = None));
        assert!(!same(|row| row.name = Some(String::new())));
        assert!(!same(|row| row.what.by = None));
        assert!(!same(|row| row.what.act = AuditAct::Read));
        assert!(!same(|row| row.what.case = Some(CaseId(9))));
        assert!(!same(|row| row.what.took_ms = None));
        assert!(!same(|row| row.what.details = "more".into()));
        let case_for_sanction = |row: &mut AuditRow| {
            row.what.sanction = row
                .what
                .case
                .map(|it| crate::domain::safety::SanctionId(it.0));
            row.what.case = None;
        };
        assert!(!same(case_for_sanction));
    }

    #[test]
    fn a_hash_stays_what_it_is() {
        // Logs are kept for years and verified by later versions. Computed by other means.
        let hex: String = hash(&row(1)).iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(
            hex,
            "b0ac85fef947f7f7028422a7587ee42816be833464d6544948bb3e145b054c8c"
        );
    }

    #[test]
    fn a_changed_row_with_a_hash_that_fits_it_is_found_by_the_next() {
        let (mut log, head) = log(5);
        log[2].what.details = "nothing of the kind".into();
        log[2] = after(log[2].before, log[2].clone());
        assert_eq!(faults(&log, head), [Fault::Unlinked(4)]);
        let (mut log, head) = self::log(5);
        log[4].what.details = "nothing of the kind".into();
        write_anew(&mut log, 4);
        assert_eq!(faults(&log, head), [Fault::Changed(5)], "by the head");
    }

    #[test]
    fn rows_that_are_gone_are_named() {
        let (mut log, head) = log(6);
        log.drain(2..4);
        assert_eq!(faults(&log, head), [Fault::Removed(3, 4)]);
        log.remove(0);
        let wanted = [Fault::Removed(1, 1), Fault::Removed(3, 4)];
        assert_eq!(faults(&log, head), wanted);
        let (log, head) = self::log(6);
        assert_eq!(faults(&log[..4], head), [Fault::Removed(5, 6)], "the end");
        assert_eq!(faults(&[], head), [Fault::Removed(1, 6)]);
    }

    #[test]
    fn a_row_that_was_put_in_is_named() {
        let (mut log, head) = log(4);
        log.insert(2, after(log[1].hash, row(2)));
        assert_eq!(faults(&log, head), [Fault::Inserted(2)]);
        let (mut log, head) = self::log(4);
        log.push(after(head.hash, row(5)));
        assert_eq!(faults(&log, head), [Fault::Inserted(5)], "at the end");
    }

    #[test]
    fn numbers_that_were_closed_up_do_not_hide_what_is_gone() {
        let (mut log, head) = log(5);
        log.remove(2);
        for (at, row) in log.iter_mut().enumerate() {
            row.no = at as u64 + 1;
        }
        let found = faults(&log, head);
        assert_eq!(found[0], Fault::Unlinked(3));
        assert_eq!(found.last(), Some(&Fault::Removed(5, 5)));
    }

    #[test]
    fn a_log_that_was_written_anew_throughout_has_another_head() {
        let (mut log, head) = log(5);
        log[0].what.details = "nothing of the kind".into();
        write_anew(&mut log, 0);
        assert_eq!(faults(&log, head), [Fault::Changed(5)]);
    }

    #[test]
    fn a_log_that_is_wrong_throughout_does_not_fill_the_memory() {
        let (mut log, head) = log(1000);
        log.iter_mut().for_each(|row| row.at = Timestamp(0));
        assert_eq!(faults(&log, head).len(), FAULTS);
        assert_eq!(faults(&self::log(1000).0, Head::EMPTY).len(), FAULTS);
    }
}
