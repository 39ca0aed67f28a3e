//! The automatic step: what it looks at besides the reports, its mute, and how that ends before its time.

use super::super::error::BackendError;
use super::super::rows;
use super::columns::{self, SANCTION, int};
use super::line::Line;
use super::notices::Tells;
use super::sanctions::{self, Imposed};
use super::{Params, cases};
use crate::domain::id::SessionId;
use crate::domain::safety::automatic::MUTE;
use crate::domain::safety::report::worst;
use crate::domain::safety::{
    AuditAct, AuditDraft, CaseId, DoneBefore, NoticeKind, OperatorId, ReportId, Sanction,
    SanctionDraft, SanctionKind, SanctionTarget, automatic, grounded,
};

/// The automatic step, if the standing reports of this case ask for it.
pub(super) async fn step(
    line: &mut Line,
    case: CaseId,
    reported: SessionId,
    report: ReportId,
) -> Result<Option<Sanction>, BackendError> {
    let standing = cases::standing(line, case).await?;
    let before = done_before(line, reported).await?;
    if !automatic(&standing, &before, line.now) {
        return Ok(None);
    }
    let rule = worst(&standing).ok_or(BackendError::Damaged("no reports"))?;
    let draft = SanctionDraft {
        target: SanctionTarget::Session(reported),
        kind: SanctionKind::Mute,
        length: Some(MUTE),
    };
    let imposed = Imposed {
        rule,
        text: "",
        automatic: true,
        by: None,
        case: Some(case),
    };
    let sanction = sanctions::insert(line, draft, &imposed).await?;
    let case_id = int(case.0);
    let sql = "UPDATE reports SET spent = true WHERE case_id = $1 AND withdrawn IS NULL \
         AND verdict IS DISTINCT FROM 3";
    line.change(sql, &[&case_id]).await?;
    let sql = "UPDATE reports SET automatic = $2 WHERE id = $1";
    line.change(sql, &[&report.0, &int(sanction.id.0)]).await?;
    line.audit(AuditDraft {
        by: None,
        act: AuditAct::Automatic,
        case: Some(case),
        sanction: Some(sanction.id),
        took_ms: None,
        details: String::new(),
    })
    .await?;
    Ok(Some(sanction))
}

/// What was done about a person before.
async fn done_before(line: &Line, subject: SessionId) -> Result<DoneBefore, BackendError> {
    let sql = "SELECT \
         (SELECT max(at) FROM sanctions WHERE session = $1 AND automatic AND lifts IS NULL) AS muted, \
         (SELECT max(d.at) FROM cases c JOIN decisions d ON d.case_id = c.id \
             WHERE c.subject = $1 AND d.finding <= 2) AS decided, \
         greatest((SELECT max(d.at) FROM cases c JOIN decisions d ON d.case_id = c.id \
             WHERE c.subject = $1 AND c.kind <> 3 AND d.finding = 2), \
             (SELECT max(l.at) FROM sanctions s JOIN sanctions l ON l.lifts = s.id \
             WHERE s.session = $1 AND s.automatic AND NOT l.automatic)) AS cleared";
    let row = line.one(sql, &[&rows::session(subject)]).await?;
    Ok(DoneBefore {
        muted: columns::moment(&row, "muted")?,
        decided: columns::moment(&row, "decided")?,
        cleared: columns::moment(&row, "cleared")?,
    })
}

/// Whose act ends a mute of the automatic step.
#[derive(Clone, Copy)]
pub(super) enum LiftedBy {
    /// An operator's, or that of a command on the machine.
    Operator(Option<OperatorId>),
    /// None: it lost its ground.
    Machine,
}

/// Ends the mute of the automatic step that rests on this case, if the reports that stand carry it no more.
pub(super) async fn lift_ungrounded(line: &mut Line, case: CaseId) -> Result<(), BackendError> {
    match grounded(&cases::standing(line, case).await?, line.now) {
        true => Ok(()),
        false => lift(line, case, LiftedBy::Machine, "").await,
    }
}

/// Ends the mute of the automatic step that rests on this case, if one is in force; the person is told.
pub(super) async fn lift(
    line: &mut Line,
    case: CaseId,
    by: LiftedBy,
    text: &str,
) -> Result<(), BackendError> {
    let sql = format!("{SANCTION} WHERE s.case_id = $1 AND s.automatic AND s.lifts IS NULL");
    let params: Params<'_> = &[&int(case.0)];
    let found = line.query(&sql, params).await?;
    for row in &found {
        let mute = columns::sanction(row)?;
        if mute.in_force(line.now) {
            lift_one(line, &mute, by, text).await?;
        }
    }
    Ok(())
}

async fn lift_one(
    line: &mut Line,
    mute: &Sanction,
    by: LiftedBy,
    text: &str,
) -> Result<(), BackendError> {
    let (operator, automatic) = match by {
        LiftedBy::Operator(operator) => (operator, false),
        LiftedBy::Machine => (None, true),
    };
    sanctions::lift_said(line, mute, operator, automatic).await?;
    let SanctionTarget::Session(to) = mute.target else {
        return Ok(());
    };
    let tells = Tells {
        to,
        kind: NoticeKind::Lifted,
        rule: Some(mute.rule),
        text,
        until: None,
        automatic,
        acted: None,
        sanction: Some(mute.id),
    };
    tells.insert(line).await
}
