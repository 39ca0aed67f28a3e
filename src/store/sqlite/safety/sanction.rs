//! Sanctions: rows that are only added.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::super::SqliteStore;
use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::act::{Stop, Who, acted};
use super::rows::{self, int, size};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::automatic::MUTE;
use crate::domain::safety::{
    Actor, AuditAct, CaseId, Notice, NoticeId, NoticeKind, OperatorId, Reason, Role, Sanction,
    SanctionDraft, SanctionId, SanctionKind, SanctionTarget,
};
use crate::store::Pending;
use crate::store::safety::{ActRefusal, Acted, Appealed, InForce, LISTED, Sanctions, StepKind};

/// Most sanctions of one target that are told at once.
pub(super) const OF_ONE: usize = 50;

impl Sanctions for SqliteStore {
    fn impose(
        &self,
        sanction: SanctionDraft,
        rule: Reason,
        text: String,
        by: Actor,
    ) -> Pending<Acted<Sanction>> {
        self.change(text.len(), move |writer| {
            acted(writer.impose(sanction, rule, &text, by))
        })
    }

    fn lift_sanction(
        &self,
        sanction: SanctionId,
        text: String,
        by: Actor,
    ) -> Pending<Acted<Sanction>> {
        self.change(text.len(), move |writer| {
            acted(writer.lift_sanction(sanction, &text, by))
        })
    }

    fn sanctions_in_force(&self, after: SanctionId) -> Pending<InForce> {
        self.look(move |conn, now| in_force(conn, after, now))
    }

    fn sanctions_since(&self, after: SanctionId) -> Pending<Vec<Sanction>> {
        self.look(move |conn, _| {
            let sql = format!("{} WHERE s.no > ?1 ORDER BY s.no LIMIT ?2", rows::SANCTION);
            let mut read = conn.prepare_cached(&sql)?;
            rows::readable(read.query((int(after.0), size(LISTED)))?, rows::sanction)
        })
    }

    fn sanctions_on(&self, target: SanctionTarget) -> Pending<Vec<Sanction>> {
        self.look(move |conn, _| sanctions_on(conn, target))
    }

    fn notices(&self, to: SessionId) -> Pending<Vec<Notice>> {
        self.look(move |conn, _| super::notice::read(conn, to))
    }

    fn unread_since(&self, after: u64) -> Pending<Vec<(u64, SessionId)>> {
        self.look(move |conn, _| super::notice::unread_since(conn, after))
    }

    fn acknowledge(&self, to: SessionId, notice: NoticeId) -> Pending<bool> {
        self.change(0, move |writer| writer.acknowledge(to, notice))
    }

    fn appeal(&self, by: SessionId, notice: NoticeId, text: String) -> Pending<Appealed> {
        self.change(text.len(), move |writer| writer.appeal(by, notice, &text))
    }
}

fn in_force(conn: &Connection, after: SanctionId, now: Timestamp) -> Result<InForce, SqliteError> {
    let sql = format!(
        "{} WHERE s.no > ?1 AND s.kind <> 1 AND s.lifts IS NULL AND (s.until IS NULL OR s.until > ?2) \
         AND NOT EXISTS (SELECT 1 FROM sanctions l WHERE l.lifts = s.no) ORDER BY s.no LIMIT ?3",
        rows::SANCTION
    );
    let mut read = conn.prepare_cached(&sql)?;
    let mut query = read.query((int(after.0), now.0, size(LISTED + 1)))?;
    let (mut sanctions, mut more) = (Vec::new(), false);
    for at in 0.. {
        let Some(row) = query.next()? else { break };
        more = at == LISTED;
        if !more {
            sanctions.extend(rows::undamaged(rows::sanction(row))?);
        }
    }
    let mut newest = conn.prepare_cached("SELECT coalesce(max(no), 0) FROM sanctions")?;
    let newest: i64 = newest.query_row([], |row| row.get(0))?;
    Ok(InForce {
        sanctions,
        newest: SanctionId(newest.cast_unsigned()),
        more,
    })
}

/// What a target was sanctioned with, newest first, without lifting rows.
pub(super) fn sanctions_on(
    conn: &Connection,
    target: SanctionTarget,
) -> Result<Vec<Sanction>, SqliteError> {
    let of = match target {
        SanctionTarget::Session(_) => "s.session",
        SanctionTarget::Network(_) => "s.network",
    };
    let sql = format!(
        "{} WHERE {of} = ?1 AND s.lifts IS NULL ORDER BY s.no DESC LIMIT ?2",
        rows::SANCTION
    );
    let mut read = conn.prepare_cached(&sql)?;
    let found = match target {
        SanctionTarget::Session(session) => read.query((session.0, size(OF_ONE)))?,
        SanctionTarget::Network(network) => {
            read.query((rows::network_bytes(&network), size(OF_ONE)))?
        }
    };
    rows::readable(found, rows::sanction)
}

/// A row that is to be written now.
pub(super) struct NewSanction {
    pub(super) target: SanctionTarget,
    pub(super) kind: SanctionKind,
    pub(super) rule: Reason,
    pub(super) until: Option<Timestamp>,
    pub(super) lifts: Option<SanctionId>,
    pub(super) automatic: bool,
    pub(super) by: Option<OperatorId>,
    pub(super) case: Option<CaseId>,
}

impl Writer {
    /// One row.
    pub(super) fn sanction_row(&self, id: SanctionId) -> Result<Option<Sanction>, SqliteError> {
        let sql = format!("{} WHERE s.no = ?1", rows::SANCTION);
        let mut read = self.conn.prepare_cached(&sql)?;
        rows::one(read.query([int(id.0)])?, rows::sanction)
    }

    pub(super) fn insert_sanction(&self, new: &NewSanction) -> Result<Sanction, SqliteError> {
        let (session, network) = match new.target {
            SanctionTarget::Session(session) => (Some(session.0), None),
            SanctionTarget::Network(network) => (None, Some(rows::network_bytes(&network))),
        };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO sanctions (session, network, kind, rule, at, until, lifts, automatic, by, case_no) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        insert.execute(params![
            session,
            network,
            new.kind.code(),
            new.rule.code(),
            self.now.0,
            new.until.map(|it| it.0),
            new.lifts.map(|it| int(it.0)),
            new.automatic,
            new.by.map(|it| int(it.0)),
            new.case.map(|it| int(it.0)),
        ])?;
        Ok(Sanction {
            id: SanctionId(self.conn.last_insert_rowid().cast_unsigned()),
            target: new.target,
            kind: new.kind,
            rule: new.rule,
            at: self.now,
            until: new.until,
            lifts: new.lifts,
            lifted_by: None,
            automatic: new.automatic,
            by: new.by,
            case: new.case,
        })
    }

    /// Imposes what an operator decided, with its notice and audit row.
    pub(super) fn impose_with_notice(
        &self,
        draft: &SanctionDraft,
        rule: Reason,
        text: &str,
        by: Option<OperatorId>,
        case: Option<CaseId>,
    ) -> Result<Sanction, SqliteError> {
        let ends = |length: Duration| self.now.plus(length);
        let sanction = self.insert_sanction(&NewSanction {
            target: draft.target,
            kind: draft.kind,
            rule,
            until: draft.length.map(ends),
            lifts: None,
            automatic: false,
            by,
            case,
        })?;
        self.notice_of(&sanction, text)?;
        self.audit_act(by, AuditAct::Imposed, case, Some(sanction.id))?;
        Ok(sanction)
    }

    /// The mute of the automatic step.
    pub(super) fn impose_automatically(
        &self,
        case: CaseId,
        subject: SessionId,
        rule: Reason,
    ) -> Result<Sanction, SqliteError> {
        let sanction = self.insert_sanction(&NewSanction {
            target: SanctionTarget::Session(subject),
            kind: SanctionKind::Mute,
            rule,
            until: Some(self.now.plus(MUTE)),
            lifts: None,
            automatic: true,
            by: None,
            case: Some(case),
        })?;
        self.notice_of(&sanction, "")?;
        self.audit_act(None, AuditAct::Automatic, Some(case), Some(sanction.id))?;
        Ok(sanction)
    }

    /// The notice of a sanction that is told.
    fn notice_of(&self, sanction: &Sanction, text: &str) -> Result<(), SqliteError> {
        let (SanctionTarget::Session(to), Some(kind)) =
            (sanction.target, NoticeKind::of(sanction.kind))
        else {
            return Ok(());
        };
        self.insert_notice(&super::notice::NewNotice {
            to,
            kind,
            rule: Some(sanction.rule),
            text,
            until: sanction.until,
            automatic: sanction.automatic,
            acted: None,
            sanction: Some(sanction.id),
        })
    }

    fn impose(
        &self,
        draft: SanctionDraft,
        rule: Reason,
        text: &str,
        by: Actor,
    ) -> Result<Sanction, Stop> {
        let who = self.who(by)?;
        if !draft.allowed(who.role, rule) {
            return Err(ActRefusal::NotAllowed.into());
        }
        self.not_own(who, draft.target)?;
        Ok(self.impose_with_notice(&draft, rule, text, who.operator, None)?)
    }

    fn not_own(&self, who: Who, target: SanctionTarget) -> Result<(), Stop> {
        if let SanctionTarget::Session(session) = target
            && self.is_own(who, session)?
        {
            return Err(ActRefusal::Conflict.into());
        }
        Ok(())
    }

    fn lift_sanction(&self, id: SanctionId, text: &str, by: Actor) -> Result<Sanction, Stop> {
        let who = self.who(by)?;
        let sanction = self.sanction_row(id)?.ok_or(ActRefusal::Unknown)?;
        let of_network = matches!(sanction.target, SanctionTarget::Network(_));
        if of_network && who.role != Role::Administrator {
            return Err(ActRefusal::NotAllowed.into());
        }
        self.not_own(who, sanction.target)?;
        if sanction.lifts.is_some() || sanction.lifted_by.is_some() {
            return Err(ActRefusal::Unfit.into());
        }
        let lifting = self.lift_row(&sanction, who.operator, false)?;
        if let Some(case) = sanction.case {
            self.write_step(case, who.operator, StepKind::Lifted, "", text)?;
        }
        if let SanctionTarget::Session(to) = sanction.target
            && sanction.kind.is_told()
        {
            self.insert_notice(&super::notice::NewNotice {
                to,
                kind: NoticeKind::Lifted,
                rule: Some(sanction.rule),
                text,
                until: None,
                automatic: false,
                acted: None,
                sanction: Some(sanction.id),
            })?;
        }
        Ok(lifting)
    }

    /// Writes the row that lifts another, with its audit row.
    pub(super) fn lift_row(
        &self,
        sanction: &Sanction,
        by: Option<OperatorId>,
        automatic: bool,
    ) -> Result<Sanction, SqliteError> {
        let lifting = self.insert_sanction(&NewSanction {
            target: sanction.target,
            kind: sanction.kind,
            rule: sanction.rule,
            until: sanction.until,
            lifts: Some(sanction.id),
            automatic,
            by,
            case: sanction.case,
        })?;
        self.audit_act(by, AuditAct::Lifted, sanction.case, Some(sanction.id))?;
        Ok(lifting)
    }
}
