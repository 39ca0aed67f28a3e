//! Bad faith taken back: what one act made invalid stands again.

use super::super::error::BackendError;
use super::super::rows::{self, get};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, SANCTION, int};
use super::doer::doer;
use super::line::Line;
use super::sanctions;
use crate::domain::id::SessionId;
use crate::domain::safety::audit::reports_of;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, OperatorId, ReportId, Role, Sanction, SanctionTarget,
};
use crate::store::safety::{ActRefusal, Acted, LISTED, Revalidated};

/// The reports that act $1 made invalid, in cases that are open or that it closed itself.
const OF_ONE_ACT: &str = "r.invalidation = $1 AND r.verdict = 3 AND r.withdrawn IS NULL \
     AND r.case_id = c.id AND (c.closed_at IS NULL OR c.emptied = $1)";

/// What made reports invalid.
struct Act {
    id: i64,
    /// The case of the report that it is asked about.
    case: CaseId,
    reporter: SessionId,
}

/// See [`crate::store::safety::Cases::revalidatable`].
pub(super) async fn revalidatable(
    shared: &Shared,
    case: CaseId,
    by: Actor,
) -> Result<Vec<ReportId>, BackendError> {
    let sql = "SELECT r.id FROM reports r JOIN cases c ON c.id = r.case_id JOIN invalidations i ON i.id = r.invalidation \
         WHERE r.case_id = $1 AND r.verdict = 3 AND r.withdrawn IS NULL AND (c.closed_at IS NULL OR c.emptied = i.id) \
             AND NOT EXISTS (SELECT FROM operator_visitors v WHERE v.operator = $2 AND v.visitor = r.reporter) \
             AND ($2::bigint IS NULL OR EXISTS (SELECT FROM operators o WHERE o.id = $2 AND o.disabled IS NULL \
                 AND (o.role = $3 OR EXISTS (SELECT FROM operators b WHERE b.id = i.by AND b.role <> $3)))) \
         ORDER BY r.no DESC LIMIT $4";
    let operator = match by {
        Actor::Local => None,
        Actor::Operator(id) => Some(int(id.0)),
    };
    let above = i16::from(Role::Administrator.code());
    let params: Params<'_> = &[&int(case.0), &operator, &above, &rows::size(LISTED)];
    let found = shared.pool.query(sql, params).await?;
    found
        .iter()
        .map(|row| Ok(ReportId(get(row, "id")?)))
        .collect()
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
    if doer.role < Role::Administrator && was_above(&line, act.id).await? {
        return line.commit(Acted::Refused(ActRefusal::NotAllowed)).await;
    }
    let cases = cases_of(&line, &act).await?;
    if !cases.iter().any(|(it, _)| *it == act.case) {
        return line.commit(Acted::Refused(ActRefusal::Unfit)).await;
    }
    let sql = format!(
        "UPDATE reports r SET verdict = NULL, decided_at = NULL, invalidation = NULL FROM cases c WHERE {OF_ONE_ACT}"
    );
    let mut done = Revalidated {
        reports: line.change(&sql, &[&act.id]).await?,
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
    let sql = "SELECT case_id, reporter, invalidation FROM reports WHERE id = $1";
    let Some(row) = line.maybe(sql, &[&report.0]).await? else {
        return Ok(Err(ActRefusal::Unknown));
    };
    let Some(id) = get(&row, "invalidation")? else {
        return Ok(Err(ActRefusal::Unfit));
    };
    Ok(Ok(Act {
        id,
        case: CaseId(columns::number(&row, "case_id")?),
        reporter: columns::session(&row, "reporter")?,
    }))
}

/// Whether it was an act of an administrator or a command.
async fn was_above(line: &Line, act: i64) -> Result<bool, BackendError> {
    let sql = "SELECT FROM invalidations i WHERE i.id = $1 \
         AND EXISTS (SELECT FROM operators o WHERE o.id = i.by AND o.role <> $2)";
    let above = i16::from(Role::Administrator.code());
    Ok(line.maybe(sql, &[&act, &above]).await?.is_none())
}

/// The cases in which its reports can stand again, and whether each is closed.
async fn cases_of(line: &Line, act: &Act) -> Result<Vec<(CaseId, bool)>, BackendError> {
    let sql = format!(
        "SELECT DISTINCT c.id, c.closed_at IS NOT NULL AS closed FROM reports r, cases c WHERE {OF_ONE_ACT} ORDER BY c.id"
    );
    let found = line.query(&sql, &[&act.id]).await?;
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
        "{SANCTION} WHERE s.id = (SELECT mute FROM invalidations WHERE id = $1) \
         AND NOT EXISTS (SELECT FROM sanctions l WHERE l.lifts = s.id)"
    );
    let Some(row) = line.maybe(&sql, &[&act.id]).await? else {
        return Ok(None);
    };
    let mute = columns::sanction(&row)?;
    sanctions::lift_said(line, &mute, by, false).await.map(Some)
}
