//! Bad faith taken back: what one act made invalid stands again.

use super::super::error::BackendError;
use super::super::rows::{self, get};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, SANCTION};
use super::doer::doer;
use super::line::Line;
use super::sanctions;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::audit::reports_of;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, OperatorId, ReportId, Role, Sanction, SanctionKind,
    SanctionTarget, Verdict,
};
use crate::store::safety::{ActRefusal, Acted, Revalidated};

/// The reports of reporter $1 that the act of moment $2 made invalid, in cases that are open or that it closed itself.
const OF_ONE_ACT: &str = "r.reporter = $1 AND r.verdict = 3 AND r.decided_at = $2 AND r.withdrawn IS NULL \
     AND r.case_id = c.id AND (c.closed_at IS NULL OR c.state = 4 AND c.closed_at = $2)";

/// What became invalid at one moment.
struct Act {
    /// The case of the report that it is asked about.
    case: CaseId,
    reporter: SessionId,
    at: Timestamp,
}

/// See [`crate::store::safety::Cases::revalidate`].
pub(super) async fn revalidate(
    shared: &Shared,
    report: ReportId,
    case: Option<CaseId>,
    by: Actor,
) -> Result<Acted<Revalidated>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, by).await? else {
        return line.commit(Acted::Refused(ActRefusal::NoOperator)).await;
    };
    let act = match made_invalid(&line, report).await? {
        Ok(act) => act,
        Err(refusal) => return line.commit(Acted::Refused(refusal)).await,
    };
    let target = SanctionTarget::Session(act.reporter);
    if sanctions::is_own(&line, doer.operator, target).await? {
        return line.commit(Acted::Refused(ActRefusal::Conflict)).await;
    }
    if doer.role < Role::Administrator && was_above(&line, act.at).await? {
        return line.commit(Acted::Refused(ActRefusal::NotAllowed)).await;
    }
    let cases = cases_of(&line, &act).await?;
    if !cases.iter().any(|(it, _)| *it == act.case) {
        return line.commit(Acted::Refused(ActRefusal::Unfit)).await;
    }
    let sql = format!(
        "UPDATE reports r SET verdict = NULL, decided_at = NULL FROM cases c WHERE {OF_ONE_ACT}"
    );
    let params: Params<'_> = &[&rows::session(act.reporter), &act.at.0];
    let mut done = Revalidated {
        reports: line.change(&sql, params).await?,
        ..Default::default()
    };
    for (case, closed) in cases {
        if closed {
            let state = super::steps::before(&line, case).await?.reopened();
            super::cases::set_state(&line, case, state).await?;
            done.opened += 1;
        }
        super::cases::recompute(&line, case).await?;
    }
    line.audit(AuditDraft {
        by: doer.operator,
        act: AuditAct::Revalidated,
        case,
        sanction: None,
        took_ms: None,
        details: reports_of(done.reports),
    })
    .await?;
    done.lifted = lift_mute(&mut line, &act, doer.operator).await?;
    line.commit(Acted::Done(done)).await
}

/// The act that made this report invalid.
async fn made_invalid(
    line: &Line,
    report: ReportId,
) -> Result<Result<Act, ActRefusal>, BackendError> {
    let sql = "SELECT case_id, reporter, verdict, decided_at FROM reports WHERE id = $1";
    let Some(row) = line.maybe(sql, &[&report.0]).await? else {
        return Ok(Err(ActRefusal::Unknown));
    };
    let at = columns::moment(&row, "decided_at")?;
    let at = at.filter(|_| matches!(columns::verdict(&row), Ok(Some(Verdict::Invalid))));
    let Some(at) = at else {
        return Ok(Err(ActRefusal::Unfit));
    };
    Ok(Ok(Act {
        case: CaseId(columns::number(&row, "case_id")?),
        reporter: columns::session(&row, "reporter")?,
        at,
    }))
}

/// Whether an administrator or a command made reports invalid at that moment.
async fn was_above(line: &Line, at: Timestamp) -> Result<bool, BackendError> {
    let sql = "SELECT FROM audit a WHERE a.act = $1 AND a.at = $2 AND (a.by IS NULL \
         OR EXISTS (SELECT FROM operators o WHERE o.id = a.by AND o.role = $3)) LIMIT 1";
    let params: Params<'_> = &[
        &i16::from(AuditAct::Invalidated.code()),
        &at.0,
        &i16::from(Role::Administrator.code()),
    ];
    Ok(line.maybe(sql, params).await?.is_some())
}

/// The cases in which its reports can stand again, and whether each is closed.
async fn cases_of(line: &Line, act: &Act) -> Result<Vec<(CaseId, bool)>, BackendError> {
    let sql = format!(
        "SELECT DISTINCT c.id, c.closed_at IS NOT NULL AS closed FROM reports r, cases c WHERE {OF_ONE_ACT} ORDER BY c.id"
    );
    let params: Params<'_> = &[&rows::session(act.reporter), &act.at.0];
    let found = line.query(&sql, params).await?;
    let case = |row| Ok((CaseId(columns::number(row, "id")?), get(row, "closed")?));
    found.iter().map(case).collect()
}

/// Lifts the mute that the act gave to the reporter, unless that is lifted already.
async fn lift_mute(
    line: &mut Line,
    act: &Act,
    by: Option<OperatorId>,
) -> Result<Option<Sanction>, BackendError> {
    let sql = format!(
        "{SANCTION} WHERE s.session = $1 AND s.kind = $2 AND s.at = $3 AND s.lifts IS NULL \
         AND NOT EXISTS (SELECT FROM sanctions l WHERE l.lifts = s.id) LIMIT 1"
    );
    let kind = i16::from(SanctionKind::ReporterMute.code());
    let params: Params<'_> = &[&rows::session(act.reporter), &kind, &act.at.0];
    let Some(row) = line.maybe(&sql, params).await? else {
        return Ok(None);
    };
    let mute = columns::sanction(&row)?;
    sanctions::lift_said(line, &mute, by, false).await.map(Some)
}
