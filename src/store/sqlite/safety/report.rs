//! Reports: taken, listed, withdrawn.

use rusqlite::{Connection, params};

use super::super::error::SqliteError;
use super::super::jobs::Mode;
use super::super::writer::Writer;
use super::super::{SqliteStore, rows as log_rows};
use super::rows::{self, int, size};
use crate::domain::id::{RoomId, SessionId, Side, Timestamp};
use crate::domain::safety::report::{
    ACCURACY_REPORTS, Chosen, NETWORK_LOOK, NETWORK_STANDING, RETALIATION, STANDING,
    WITHDRAWN_COUNTS, worst,
};
use crate::domain::safety::{
    Accuracy, CaseId, CaseKind, Networks, OwnReport, OwnReportState, Reason, ReportDraft, ReportId,
    Sanction, SanctionId, Standing, Weight, WeightFacts, automatic, figures, weight,
};
use crate::store::Pending;
use crate::store::safety::{ReportRefusal, Reported, Reports, Withdrawn};

/// Most of a session's own reports that it is told.
const OWN: usize = 50;

impl Reports for SqliteStore {
    fn note_networks(&self, room: RoomId, side: Side, networks: Networks) -> Pending<()> {
        // No one waits for it: it may share a transaction with other arrivals.
        self.ask(Mode::Patient, move |writer| {
            writer.note_networks(room, side, networks)
        })
    }

    fn report(&self, report: ReportDraft) -> Pending<Reported> {
        let claims = report.claims.iter().map(|claim| claim.content.len());
        let texts = report.note.len() + claims.sum::<usize>();
        self.change(texts, move |writer| writer.report(&report))
    }

    fn reports_by(&self, reporter: SessionId) -> Pending<Vec<OwnReport>> {
        self.look(move |conn, _| own_reports(conn, reporter))
    }

    fn withdraw(&self, reporter: SessionId, report: ReportId) -> Pending<Withdrawn> {
        self.change(0, move |writer| writer.withdraw(reporter, report))
    }

    fn accuracy(&self, reporter: SessionId, besides: Option<CaseId>) -> Pending<Accuracy> {
        self.look(move |conn, _| accuracy(conn, reporter, besides))
    }
}

fn own_reports(conn: &Connection, reporter: SessionId) -> Result<Vec<OwnReport>, SqliteError> {
    let mut read = conn.prepare_cached(
        "SELECT r.id, r.room, r.reason, r.at, r.withdrawn, r.verdict, c.closed_at IS NOT NULL \
         FROM reports r LEFT JOIN cases c ON c.no = r.case_no \
         WHERE r.reporter = ?1 ORDER BY r.no DESC LIMIT ?2",
    )?;
    rows::readable(read.query((reporter.0, size(OWN)))?, |row| {
        let withdrawn: Option<i64> = row.get(4)?;
        let verdict: Option<i64> = row.get(5)?;
        let closed: bool = row.get(6)?;
        let state = match (withdrawn, verdict) {
            (Some(_), _) => OwnReportState::Withdrawn,
            (None, Some(3)) => OwnReportState::Decided { acted: false },
            (None, verdict) if closed => OwnReportState::Decided {
                acted: verdict == Some(1),
            },
            _ => OwnReportState::Open,
        };
        Ok(OwnReport {
            id: ReportId(rows::uuid(row, 0)?),
            room: log_rows::room_id(row.get(1)?),
            reason: rows::reason(row.get(2)?)?,
            at: Timestamp(row.get(3)?),
            state,
        })
    })
}

/// See [`Accuracy`].
fn accuracy(
    conn: &Connection,
    reporter: SessionId,
    besides: Option<CaseId>,
) -> Result<Accuracy, SqliteError> {
    let mut read = conn.prepare_cached(
        "SELECT count(*), coalesce(sum(verdict = 1), 0) FROM (SELECT verdict FROM reports \
         WHERE reporter = ?1 AND verdict IS NOT NULL AND withdrawn IS NULL AND case_no IS NOT ?3 \
         ORDER BY decided_at DESC, no DESC LIMIT ?2)",
    )?;
    let of = (
        reporter.0,
        size(ACCURACY_REPORTS),
        besides.map(|case| int(case.0)),
    );
    let (decided, upheld) = read.query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Accuracy { upheld, decided })
}

/// Where a report goes.
struct Place {
    subject: SessionId,
    met: bool,
}

impl Writer {
    fn note_networks(
        &mut self,
        room: RoomId,
        side: Side,
        networks: Networks,
    ) -> Result<(), SqliteError> {
        let Some(no) = self.cached(room)?.map(|cached| cached.facts.no) else {
            return Ok(());
        };
        let mut note = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO room_networks (room, side, networks) VALUES (?1, ?2, ?3)",
        )?;
        note.execute((no, size(side.index()), rows::networks_bytes(&networks)))?;
        Ok(())
    }

    /// See [`Reports::report`].
    fn report(&mut self, draft: &ReportDraft) -> Result<Reported, SqliteError> {
        if let Some(before) = self.taken_before(draft)? {
            return Ok(before);
        }
        let place = match self.place(draft)? {
            Ok(place) => place,
            Err(why) => return Ok(Reported::Refused(why)),
        };
        if let Some((standing, case)) = self.standing_of(draft)? {
            self.freeze(case, draft.room, &draft.chosen)?;
            return Ok(Reported::Already(standing));
        }
        if self.has_enough(draft.reporter)? || self.network_has_enough(draft)? {
            return Ok(Reported::Refused(ReportRefusal::TooMany));
        }
        let facts = self.facts(draft, place.subject)?;
        let case = match self.open_case(place.subject)? {
            Some(case) => case,
            None => self.open(CaseKind::Reports, place.subject, draft.reason, None, "")?,
        };
        let no = self.insert_report(draft, &place, case, weight(&facts))?;
        self.freeze(case, draft.room, &draft.chosen)?;
        let standing = self.rank(case)?;
        self.count_report()?;
        let before = self.done_before(place.subject)?;
        let sanction = match automatic(&standing, &before, self.now) {
            true => Some(self.automatic_mute(no, case, place.subject, &standing)?),
            false => None,
        };
        Ok(Reported::Done {
            report: draft.id,
            automatic: sanction,
        })
    }

    /// What became of it when it arrived before.
    fn taken_before(&self, draft: &ReportDraft) -> Result<Option<Reported>, SqliteError> {
        let mut read = self
            .conn
            .prepare_cached("SELECT reporter, automatic FROM reports WHERE id = ?1")?;
        let found = rows::one(read.query([draft.id.0.into_bytes()])?, |row| {
            let sanction = rows::optional(row, 1, |no: i64| SanctionId(no.cast_unsigned()))?;
            Ok((SessionId(row.get(0)?), sanction))
        })?;
        let Some((reporter, sanction)) = found else {
            return Ok(None);
        };
        if reporter != draft.reporter {
            return Err(SqliteError::Conflict);
        }
        let automatic = match sanction {
            Some(sanction) => self.sanction_row(sanction)?,
            None => None,
        };
        Ok(Some(Reported::Done {
            report: draft.id,
            automatic,
        }))
    }

    fn place(&mut self, draft: &ReportDraft) -> Result<Result<Place, ReportRefusal>, SqliteError> {
        let Some(cached) = self.cached(draft.room)? else {
            return Ok(Err(ReportRefusal::NoSuchRoom));
        };
        let sessions = cached.facts.sessions;
        if sessions[draft.side.index()] != draft.reporter {
            return Ok(Err(ReportRefusal::NotYours));
        }
        let subject = sessions[draft.side.other().index()];
        if subject == draft.reporter {
            return Ok(Err(ReportRefusal::Own));
        }
        let met = cached.state.sides.iter().all(|it| it.joined_at.is_some());
        Ok(Ok(Place { subject, met }))
    }

    /// This reporter's report of the same side of the same room that stands in a case that is not closed, which
    /// need not be the one that new reports join: a case may have been opened again.
    fn standing_of(&self, draft: &ReportDraft) -> Result<Option<(ReportId, CaseId)>, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT r.id, r.case_no FROM reports r JOIN cases c ON c.no = r.case_no \
             WHERE r.reporter = ?1 AND r.room = ?2 AND r.side = ?3 AND r.withdrawn IS NULL \
             AND r.verdict IS NOT 3 AND c.closed_at IS NULL ORDER BY r.case_no, r.no LIMIT 1",
        )?;
        let side = size(draft.side.other().index());
        let of = (draft.reporter.0, draft.room.0.into_bytes(), side);
        rows::one(read.query(of)?, |row| {
            Ok((
                ReportId(rows::uuid(row, 0)?),
                CaseId(rows::counted(row, 1)?),
            ))
        })
    }

    fn has_enough(&self, reporter: SessionId) -> Result<bool, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM reports r JOIN cases c ON c.no = r.case_no \
             WHERE r.reporter = ?1 AND (r.withdrawn > ?3 \
             OR r.withdrawn IS NULL AND r.verdict IS NULL AND c.closed_at IS NULL) LIMIT ?2)",
        )?;
        let since = self.now.minus(WITHDRAWN_COUNTS).0;
        let open: i64 = read.query_row((reporter.0, size(STANDING), since), |row| row.get(0))?;
        Ok(open >= size(STANDING))
    }

    fn network_has_enough(&self, draft: &ReportDraft) -> Result<bool, SqliteError> {
        let Some(networks) = draft.networks else {
            return Ok(false);
        };
        let mut read = self.conn.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM \
             (SELECT case_no, networks, withdrawn, verdict FROM reports ORDER BY no DESC LIMIT ?2) r \
             JOIN cases c ON c.no = r.case_no WHERE substr(r.networks, 18) = ?1 \
             AND r.withdrawn IS NULL AND r.verdict IS NULL AND c.closed_at IS NULL LIMIT ?3)",
        )?;
        let wide = rows::network_bytes(&networks.wide);
        let of = (wide, size(NETWORK_LOOK), size(NETWORK_STANDING));
        let open: i64 = read.query_row(of, |row| row.get(0))?;
        Ok(open >= size(NETWORK_STANDING))
    }

    fn facts(
        &mut self,
        draft: &ReportDraft,
        subject: SessionId,
    ) -> Result<WeightFacts, SqliteError> {
        let silent = !self.has_spoken(draft.room, draft.side.other())?;
        let reporter = draft.reporter;
        let mut muted = self.conn.prepare_cached(
            "SELECT 1 FROM sanctions s WHERE session = ?1 AND kind = 6 AND lifts IS NULL \
             AND (until IS NULL OR until > ?2) AND NOT EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = s.no)",
        )?;
        let mut retaliation = self.conn.prepare_cached(
            "SELECT 1 FROM reports WHERE reporter = ?1 AND reported = ?2 AND at >= ?3 AND withdrawn IS NULL \
             AND verdict IS NOT 3 AND weight > ?4",
        )?;
        let since = self.now.minus(RETALIATION).0;
        Ok(WeightFacts {
            accuracy: accuracy(&self.conn, reporter, None)?,
            muted: muted.exists((reporter.0, self.now.0))?,
            retaliation: retaliation.exists((subject.0, reporter.0, since, Weight::LEAST.0))?,
            silent,
        })
    }

    fn insert_report(
        &self,
        draft: &ReportDraft,
        place: &Place,
        case: CaseId,
        weight: Weight,
    ) -> Result<i64, SqliteError> {
        let chosen = match &draft.chosen {
            Chosen::All => None,
            Chosen::Messages(seqs) => Some(rows::json(seqs)?),
        };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO reports (id, case_no, reporter, reported, room, side, reason, note, chosen, claims, \
             weight, networks, met, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?;
        insert.execute(params![
            draft.id.0.into_bytes(),
            int(case.0),
            draft.reporter.0,
            place.subject.0,
            draft.room.0.into_bytes(),
            size(draft.side.other().index()),
            draft.reason.code(),
            draft.note,
            chosen,
            rows::json(&draft.claims)?,
            weight.0,
            draft.networks.map(|it| rows::networks_bytes(&it)),
            place.met,
            self.now.0,
        ])?;
        Ok(self.conn.last_insert_rowid())
    }

    fn count_report(&self) -> Result<(), SqliteError> {
        let mut count = self.conn.prepare_cached(
            "INSERT INTO report_months (month, reports) VALUES (?1, 1) \
             ON CONFLICT (month) DO UPDATE SET reports = reports + 1",
        )?;
        count.execute([figures::month(self.now)])?;
        Ok(())
    }

    /// The automatic step: a mute, for which all of these reports are spent.
    fn automatic_mute(
        &self,
        report: i64,
        case: CaseId,
        subject: SessionId,
        standing: &[Standing],
    ) -> Result<Sanction, SqliteError> {
        let rule = worst(standing).unwrap_or(Reason::Other);
        let sanction = self.impose_automatically(case, subject, rule)?;
        let mut spend = self.conn.prepare_cached(
            "UPDATE reports SET spent = 1 WHERE case_no = ?1 AND withdrawn IS NULL AND verdict IS NOT 3",
        )?;
        spend.execute([int(case.0)])?;
        let mut note = self
            .conn
            .prepare_cached("UPDATE reports SET automatic = ?2 WHERE no = ?1")?;
        note.execute((report, int(sanction.id.0)))?;
        Ok(sanction)
    }

    fn withdraw(
        &mut self,
        reporter: SessionId,
        report: ReportId,
    ) -> Result<Withdrawn, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT r.case_no, r.withdrawn IS NOT NULL, r.verdict IS 3 OR c.no IS NULL OR c.closed_at IS NOT NULL \
             FROM reports r LEFT JOIN cases c ON c.no = r.case_no WHERE r.id = ?1 AND r.reporter = ?2",
        )?;
        let id = report.0.into_bytes();
        let found = rows::one(read.query((id, reporter.0))?, |row| {
            Ok((CaseId(rows::counted(row, 0)?), row.get(1)?, row.get(2)?))
        })?;
        drop(read);
        let (case, withdrawn, decided): (CaseId, bool, bool) = match found {
            Some(found) => found,
            None => return Ok(Withdrawn::Unknown),
        };
        if withdrawn || decided {
            return Ok(match withdrawn {
                true => Withdrawn::Done,
                false => Withdrawn::Decided,
            });
        }
        let mut take_back = self
            .conn
            .prepare_cached("UPDATE reports SET withdrawn = ?2 WHERE id = ?1")?;
        take_back.execute((id, self.now.0))?;
        drop(take_back);
        self.rank_or_close(case)?;
        self.lift_ungrounded(case)?;
        Ok(Withdrawn::Done)
    }
}
