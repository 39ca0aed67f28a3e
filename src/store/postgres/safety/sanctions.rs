//! Sanctions, and what people are told of them.

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get, size};
use super::super::shared::Shared;
use super::Params;
use super::cases::{self, FEW};
use super::columns::{self, SANCTION, int, number};
use super::doer::doer;
use super::line::Line;
use super::steps;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{
    Actor, AppealState, AuditAct, AuditDraft, CaseId, CaseKind, Notice, NoticeId, NoticeKind,
    OperatorId, Reason, Role, Sanction, SanctionDraft, SanctionId, SanctionTarget,
};
use crate::store::safety::{ActRefusal, Acted, Appealed, InForce, LISTED, StepKind};

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

/// What a person is told.
pub(super) struct Tells<'a> {
    pub(super) to: SessionId,
    pub(super) kind: NoticeKind,
    pub(super) rule: Option<Reason>,
    pub(super) text: &'a str,
    pub(super) until: Option<Timestamp>,
    pub(super) automatic: bool,
    pub(super) acted: Option<bool>,
    pub(super) sanction: Option<SanctionId>,
}

impl Tells<'_> {
    /// Writes it down.
    pub(super) async fn insert(&self, line: &Line) -> Result<(), BackendError> {
        let sql = "INSERT INTO notices (id, recipient, kind, rule, text, at, until, automatic, acted, sanction) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let params: Params<'_> = &[
            &NoticeId::fresh().0,
            &rows::session(self.to),
            &i16::from(self.kind.code()),
            &self.rule.map(|it| i16::from(it.code())),
            &self.text.as_bytes(),
            &line.now.0,
            &self.until.map(|it| it.0),
            &self.automatic,
            &self.acted,
            &self.sanction.map(|it| int(it.0)),
        ];
        line.change(sql, params).await?;
        Ok(())
    }
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

/// What [`notice`] takes; `$1` is whose.
const NOTICE: &str = "SELECT n.*, n.appealed IS NOT NULL AS appeals, \
         coalesce((SELECT c.closed_at IS NOT NULL FROM cases c WHERE c.id = n.appealed), true) AS decided, \
         EXISTS (SELECT FROM sanctions l WHERE l.lifts = n.sanction) AS lifted \
     FROM notices n WHERE n.recipient = $1";

fn notice(row: &Row) -> Result<Notice, BackendError> {
    let kind: i16 = get(row, "kind")?;
    let kind = NoticeKind::from_code(kind.into());
    let kind = kind.ok_or(BackendError::Damaged("a notice of no known kind"))?;
    let sanction = columns::some_number(row, "sanction")?.map(SanctionId);
    let imposes = matches!(
        kind,
        NoticeKind::Warning | NoticeKind::Mute | NoticeKind::Ban
    );
    let appeal = match (get(row, "appeals")?, get(row, "decided")?) {
        (true, true) => AppealState::Decided,
        (true, false) => AppealState::Pending,
        (false, _) if imposes && sanction.is_some() && !get::<bool>(row, "lifted")? => {
            AppealState::Possible
        }
        (false, _) => AppealState::None,
    };
    Ok(Notice {
        id: NoticeId(get(row, "id")?),
        to: columns::session(row, "recipient")?,
        kind,
        rule: columns::some_reason(row, "rule")?,
        text: columns::text(row, "text")?,
        from: Timestamp(get(row, "at")?),
        until: columns::moment(row, "until")?,
        automatic: get(row, "automatic")?,
        acted: get(row, "acted")?,
        sanction,
        acknowledged: columns::moment(row, "acknowledged")?,
        appeal,
    })
}

/// See [`crate::store::safety::Sanctions::notices`].
pub(super) async fn notices(shared: &Shared, to: SessionId) -> Result<Vec<Notice>, BackendError> {
    let sql = format!("{NOTICE} ORDER BY n.no DESC LIMIT $2");
    let found = shared.pool.query(&sql, &[&rows::session(to), &FEW]).await?;
    Ok(columns::readable(&found, notice))
}

/// See [`crate::store::safety::Sanctions::unread_since`].
pub(super) async fn unread_since(
    shared: &Shared,
    after: u64,
) -> Result<Vec<(u64, SessionId)>, BackendError> {
    let sql = "SELECT no, recipient FROM notices WHERE no > $1 AND acknowledged IS NULL ORDER BY no LIMIT $2";
    let params: Params<'_> = &[&int(after), &size(LISTED)];
    let found = shared.pool.query(sql, params).await?;
    let whose = |row: &Row| Ok((number(row, "no")?, columns::session(row, "recipient")?));
    Ok(columns::readable(&found, whose))
}

/// See [`crate::store::safety::Sanctions::acknowledge`].
pub(super) async fn acknowledge(
    shared: &Shared,
    to: SessionId,
    notice: NoticeId,
) -> Result<bool, BackendError> {
    let sql = "UPDATE notices SET acknowledged = coalesce(acknowledged, moment($3)) \
         WHERE id = $1 AND recipient = $2 RETURNING no";
    let params: Params<'_> = &[&notice.0, &rows::session(to), &shared.now()];
    Ok(!shared.pool.query(sql, params).await?.is_empty())
}

/// See [`crate::store::safety::Sanctions::appeal`].
pub(super) async fn appeal(
    shared: &Shared,
    by: SessionId,
    id: NoticeId,
    text: &str,
) -> Result<Appealed, BackendError> {
    let line = Line::begin(shared).await?;
    let sql = format!("{NOTICE} AND n.id = $2");
    let row = line.maybe(&sql, &[&rows::session(by), &id.0]).await?;
    let Some(told) = row.as_ref().map(notice).transpose()? else {
        return line.commit(Appealed::Unknown).await;
    };
    let sanction = match (told.appeal, told.sanction) {
        (AppealState::Possible, Some(sanction)) => sanction,
        (AppealState::Pending | AppealState::Decided, _) => {
            return line.commit(Appealed::Already).await;
        }
        _ => return line.commit(Appealed::NotPossible).await,
    };
    let rule = told.rule.unwrap_or(Reason::Other);
    let case = cases::open(&line, CaseKind::Appeal(sanction), by, rule, text).await?;
    let sql = "UPDATE notices SET appealed = $2 WHERE sanction = $1";
    line.change(sql, &[&int(sanction.0), &int(case.0)]).await?;
    line.commit(Appealed::Done(case)).await
}
