//! The automatic step's surroundings: what it looks at besides the reports, and how its mute ends before its time.

use super::super::error::SqliteError;
use super::super::rows as log_rows;
use super::super::writer::Writer;
use super::notice::NewNotice;
use super::rows::{self, int};
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::safety::{
    CaseId, DoneBefore, NoticeKind, OperatorId, Sanction, SanctionTarget, grounded,
};

/// Whose act ends a mute of the automatic step.
#[derive(Clone, Copy)]
pub(super) enum LiftedBy {
    /// An operator's, or that of a command on the machine.
    Operator(Option<OperatorId>),
    /// None: it lost its ground.
    Machine,
}

impl Writer {
    /// Whether this side has said something in the room that the other was to hear.
    pub(super) fn has_spoken(&mut self, room: RoomId, side: Side) -> Result<bool, SqliteError> {
        let Some(cached) = self.cached(room)? else {
            return Ok(false);
        };
        let messages = (1..=cached.last_seq().0).filter_map(|seq| cached.message_row(Seq(seq)));
        let messages: Vec<i64> = messages.collect();
        // Bodies are left where they are: the room may be at its limit, and everything else waits for this.
        let sql =
            "SELECT 1 FROM entries WHERE id = ?1 AND kind = 0 AND side = ?2 AND hidden & ?3 = 0";
        let mut is_heard = self.conn.prepare_cached(sql)?;
        let (side, unheard) = (
            log_rows::size(side.index()),
            log_rows::unheard_bit(side.other()),
        );
        for row in messages {
            if is_heard.exists((row, side, unheard))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was done about a person before.
    pub(super) fn done_before(&self, subject: SessionId) -> Result<DoneBefore, SqliteError> {
        let moment = |sql: &str| -> Result<Option<Timestamp>, SqliteError> {
            let mut read = self.conn.prepare_cached(sql)?;
            let found: Option<i64> = read.query_row([subject.0], |row| row.get(0))?;
            Ok(found.map(Timestamp))
        };
        let found_nothing = moment(
            "SELECT max(d.at) FROM cases c JOIN decisions d ON d.case_no = c.no \
             WHERE c.subject = ?1 AND c.kind <> 3 AND d.finding = 2",
        )?;
        let lifted = moment(
            "SELECT max(l.at) FROM sanctions s JOIN sanctions l ON l.lifts = s.no \
             WHERE s.session = ?1 AND s.automatic = 1 AND l.automatic = 0",
        )?;
        Ok(DoneBefore {
            muted: moment(
                "SELECT max(at) FROM sanctions WHERE session = ?1 AND automatic = 1 AND lifts IS NULL",
            )?,
            decided: moment(
                "SELECT max(d.at) FROM cases c JOIN decisions d ON d.case_no = c.no \
                 WHERE c.subject = ?1 AND d.finding <= 2",
            )?,
            cleared: found_nothing.max(lifted),
        })
    }

    /// Ends the mute of the automatic step that rests on this case, if the reports that stand carry it no more.
    pub(super) fn lift_ungrounded(&self, case: CaseId) -> Result<(), SqliteError> {
        match grounded(&self.standing(case)?, self.now) {
            true => Ok(()),
            false => self.lift_automatic(case, LiftedBy::Machine, ""),
        }
    }

    /// Ends the mute of the automatic step that rests on this case, if one is in force; the person is told.
    pub(super) fn lift_automatic(
        &self,
        case: CaseId,
        by: LiftedBy,
        text: &str,
    ) -> Result<(), SqliteError> {
        let sql = format!(
            "{} WHERE s.case_no = ?1 AND s.automatic = 1 AND s.lifts IS NULL",
            rows::SANCTION
        );
        let mut read = self.conn.prepare_cached(&sql)?;
        let imposed = rows::collect(read.query([int(case.0)])?, rows::sanction)?;
        for mute in imposed.iter().filter(|it| it.in_force(self.now)) {
            self.lift_one(mute, by, text)?;
        }
        Ok(())
    }

    fn lift_one(&self, mute: &Sanction, by: LiftedBy, text: &str) -> Result<(), SqliteError> {
        let (operator, automatic) = match by {
            LiftedBy::Operator(operator) => (operator, false),
            LiftedBy::Machine => (None, true),
        };
        self.lift_row(mute, operator, automatic)?;
        let SanctionTarget::Session(to) = mute.target else {
            return Ok(());
        };
        self.insert_notice(&NewNotice {
            to,
            kind: NoticeKind::Lifted,
            rule: Some(mute.rule),
            text,
            until: None,
            automatic,
            acted: None,
            sanction: Some(mute.id),
        })
    }
}
