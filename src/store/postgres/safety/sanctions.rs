//! Sanctions: imposed, lifted, listed. What people are told of them is in [`super::notices`].

use super::super::error::BackendError;
use super::super::rows::{self, get, size};
use super::super::shared::Shared;
use super::Params;
use super::cases::FEW;
use super::columns::{self, SANCTION, int, number};
use super::doer::doer;
use super::line::Line;
use super::notices::Tells;
use super::steps;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, NoticeKind, OperatorId, Reason, Role, Sanction,
    SanctionDraft, SanctionId, SanctionTarget,
};
use crate::store::safety::{ActRefusal, Acted, InForce, LISTED, StepKind};

/// Why a sanction is imposed, and whose it is.
pub(super) struct Imposed<'a> {
    pub(super) rule: Reason,
    /// To the person.
    pub(super) text: &'a str,
    pub(super) automatic: bool,
    pub(super) by: Option<OperatorId>,
    pub(super) case: Option<CaseId>,
}

/// Imposes what an operator decided, with its notice and audit row.
pub(super) async fn impose_said(
    line: &mut Line,
    draft: SanctionDraft,
    why: &Imposed<'_>,
) -> Result<Sanction, BackendError> {
    let sanction = insert(line, draft, why).await?;
    line.audit(said(AuditAct::Imposed, &sanction)).await?;
    Ok(sanction)
}

/// Imposes a sanction, with its notice.
pub(super) async fn insert(
    line: &Line,
    draft: SanctionDraft,
    why: &Imposed<'_>,
) -> Result<Sanction, BackendError> {
    let mut sanction = Sanction {
        id: SanctionId(0),
        target: draft.target,
        kind: draft.kind,
        rule: why.rule,
        at: line.now,
        until: draft.length.map(|length| line.now.plus(length)),
        lifts: None,
        lifted_by: None,
        automatic: why.automatic,
        by: why.by,
        case: why.case,
    };
    write(line, &mut sanction).await?;
    if let (Some(kind), SanctionTarget::Session(to)) = (NoticeKind::of(draft.kind), draft.target) {
        let tells = Tells {
            to,
            kind,
            rule: Some(why.rule),
            text: why.text,
            until: sanction.until,
            automatic: why.automatic,
            acted: None,
            sanction: Some(sanction.id),
        };
        tells.insert(line).await?;
    }
    Ok(sanction)
}

async fn write(line: &Line, sanction: &mut Sanction) -> Result<(), BackendError> {
    let (session, network) = columns::target_columns(sanction.target);
    let sql = "INSERT INTO sanctions (session, network, kind, rule, at, until, lifts, automatic, by, case_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id";
    let params: Params<'_> = &[
        &session,
        &network,
        &i16::from(sanction.kind.code()),
        &i16::from(sanction.rule.code()),
        &sanction.at.0,
        &sanction.until.map(|it| it.0),
        &sanction.lifts.map(|it| int(it.0)),
        &sanction.automatic,
        &sanction.by.map(|it| int(it.0)),
        &sanction.case.map(|it| int(it.0)),
    ];
    sanction.id = SanctionId(number(&line.one(sql, params).await?, "id")?);
    Ok(())
}

/// The row that lifts this sanction, with its audit row.
pub(super) async fn lift_said(
    line: &mut Line,
    lifted: &Sanction,
    by: Option<OperatorId>,
    automatic: bool,
) -> Result<Sanction, BackendError> {
    let mut row = Sanction {
        at: line.now,
        lifts: Some(lifted.id),
        lifted_by: None,
        automatic,
        by,
        ..*lifted
    };
    write(line, &mut row).await?;
    line.audit(said(AuditAct::Lifted, &row)).await?;
    Ok(row)
}

/// A sanction by its number.
pub(super) async fn by_id(line: &Line, id: u64) -> Result<Option<Sanction>, BackendError> {
    let sql = format!("{SANCTION} WHERE s.id = $1");
    let row = line.maybe(&sql, &[&int(id)]).await?;
    row.as_ref().map(columns::sanction).transpose()
}

/// See [`crate::store::safety::Sanctions::impose`].
pub(super) async fn impose(
    shared: &Shared,
    draft: SanctionDraft,
    rule: Reason,
    text: &str,
    by: Actor,
) -> Result<Acted<Sanction>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, by).await? else {
        return line.commit(Acted::Refused(ActRefusal::NoOperator)).await;
    };
    if !draft.allowed(doer.role, rule) {
        return line.commit(Acted::Refused(ActRefusal::NotAllowed)).await;
    }
    if is_own(&line, doer.operator, draft.target).await? {
        return line.commit(Acted::Refused(ActRefusal::Conflict)).await;
    }
    let why = Imposed {
        rule,
        text,
        automatic: false,
        by: doer.operator,
        case: None,
    };
    let sanction = impose_said(&mut line, draft, &why).await?;
    line.commit(Acted::Done(sanction)).await
}

/// Whether the target is a session that this operator uses the site with.
pub(super) async fn is_own(
    line: &Line,
    operator: Option<OperatorId>,
    target: SanctionTarget,
) -> Result<bool, BackendError> {
    let (Some(operator), SanctionTarget::Session(session)) = (operator, target) else {
        return Ok(false);
    };
    let sql = "SELECT FROM operator_visitors WHERE operator = $1 AND visitor = $2";
    let params: Params<'_> = &[&int(operator.0), &rows::session(session)];
    Ok(line.maybe(sql, params).await?.is_some())
}

/// The row of the audit log about a sanction.
fn said(act: AuditAct, sanction: &Sanction) -> AuditDraft {
    AuditDraft {
        by: sanction.by,
        act,
        case: sanction.case,
        sanction: Some(sanction.lifts.unwrap_or(sanction.id)),
        took_ms: None,
        details: String::new(),
    }
}

/// See [`crate::store::safety::Sanctions::lift_sanction`].
pub(super) async fn lift(
    shared: &Shared,
    sanction: SanctionId,
    text: &str,
    by: Actor,
) -> Result<Acted<Sanction>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, by).await? else {
        return line.commit(Acted::Refused(ActRefusal::NoOperator)).await;
    };
    let Some(lifted) = by_id(&line, sanction.0).await? else {
        return line.commit(Acted::Refused(ActRefusal::Unknown)).await;
    };
    let of_network = matches!(lifted.target, SanctionTarget::Network(_));
    let refusal = if of_network && doer.role != Role::Administrator {
        Some(ActRefusal::NotAllowed)
    } else if is_own(&line, doer.operator, lifted.target).await? {
        Some(ActRefusal::Conflict)
    } else if lifted.lifts.is_some() || lifted.lifted_by.is_some() {
        Some(ActRefusal::Unfit)
    } else {
        None
    };
    if let Some(refusal) = refusal {
        return line.commit(Acted::Refused(refusal)).await;
    }
    let row = lift_said(&mut line, &lifted, doer.operator, false).await?;
    if let Some(case) = lifted.case {
        let words = ("", text);
        steps::write(&line, case, doer.operator, StepKind::Lifted, words).await?;
    }
    if let (true, SanctionTarget::Session(to)) = (lifted.kind.is_told(), lifted.target) {
        let tells = Tells {
            to,
            kind: NoticeKind::Lifted,
            rule: Some(lifted.rule),
            text,
            until: None,
            automatic: false,
            acted: None,
            sanction: Some(lifted.id),
        };
        tells.insert(&line).await?;
    }
    line.commit(Acted::Done(row)).await
}

/// See [`crate::store::safety::Sanctions::sanctions_in_force`].
pub(super) async fn in_force(shared: &Shared, after: SanctionId) -> Result<InForce, BackendError> {
    // One statement, so that what is told of the newest row fits the others.
    let sql = "SELECT s.*, NULL::bigint AS lifted_by, n.newest \
         FROM (SELECT coalesce(max(id), 0)::bigint AS newest FROM sanctions) n LEFT JOIN LATERAL ( \
             SELECT s.* FROM sanctions s WHERE s.id > $1 AND s.lifts IS NULL AND s.kind <> 1 \
                 AND (s.until IS NULL OR s.until > moment($2)) \
                 AND NOT EXISTS (SELECT FROM sanctions l WHERE l.lifts = s.id) \
             ORDER BY s.id LIMIT $3) s ON true ORDER BY s.id";
    let params: Params<'_> = &[&int(after.0), &shared.now(), &(size(LISTED) + 1)];
    let found = shared.pool.query(sql, params).await?;
    let mut told = InForce::default();
    for (at, row) in found.iter().enumerate() {
        told.newest = SanctionId(number(row, "newest")?);
        if get::<Option<i64>>(row, "id")?.is_none() {
            break;
        }
        if at == LISTED {
            told.more = true;
            break;
        }
        let sanction = columns::undamaged(columns::sanction(row));
        told.sanctions.extend(sanction);
    }
    Ok(told)
}

/// See [`crate::store::safety::Sanctions::sanctions_since`].
pub(super) async fn since(
    shared: &Shared,
    after: SanctionId,
) -> Result<Vec<Sanction>, BackendError> {
    let sql = format!("{SANCTION} WHERE s.id > $1 ORDER BY s.id LIMIT $2");
    let found = shared
        .pool
        .query(&sql, &[&int(after.0), &size(LISTED)])
        .await?;
    Ok(columns::readable(&found, columns::sanction))
}

/// See [`crate::store::safety::Sanctions::sanctions_on`].
pub(super) async fn on(
    shared: &Shared,
    target: SanctionTarget,
) -> Result<Vec<Sanction>, BackendError> {
    let (session, network) = columns::target_columns(target);
    let condition = match session {
        Some(_) => "s.session = $1 AND $2::bytea IS NULL",
        None => "s.network = $2 AND $1::uuid IS NULL",
    };
    let sql =
        format!("{SANCTION} WHERE {condition} AND s.lifts IS NULL ORDER BY s.id DESC LIMIT $3");
    let found = shared.pool.query(&sql, &[&session, &network, &FEW]).await?;
    Ok(columns::readable(&found, columns::sanction))
}
