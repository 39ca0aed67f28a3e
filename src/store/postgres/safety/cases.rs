//! Cases: how they are opened, what follows from their reports, who has them, and how they are read.

use tokio_postgres::Row;

use super::super::error::BackendError;
use super::super::rows::{self, get, size};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, int, number};
use super::doer::{doer, is_involved};
use super::line::Line;
use crate::domain::id::{RoomId, SessionId, Timestamp};
use crate::domain::safety::report::worst;
use crate::domain::safety::{
    Actor, Case, CaseId, CaseKind, CaseState, OperatorId, Reason, Role, SanctionId, Standing,
    priority,
};
use crate::domain::safety::{AuditAct, AuditDraft};
use crate::store::safety::acts::{CaseNow, Doer};
use crate::store::safety::{Act, ActRefusal, Acted, CaseFile, Claimed, Decision, LISTED};

/// Most cases of one subject, and sanctions of one, that are told.
pub(super) const FEW: i64 = 50;

/// Opens a case.
pub(super) async fn open(
    line: &Line,
    kind: CaseKind,
    subject: SessionId,
    reason: Reason,
    text: &str,
) -> Result<CaseId, BackendError> {
    // One that its reports alone make has no reason of its own.
    let own = (kind != CaseKind::Reports).then_some(reason);
    let (code, sanction) = columns::kind_code(kind);
    let sql = "INSERT INTO cases (kind, sanction, subject, state, own_reason, reason, priority, opened_at, text) \
         VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8) RETURNING id";
    let params: Params<'_> = &[
        &code,
        &sanction,
        &rows::session(subject),
        &own.map(|it| i16::from(it.code())),
        &i16::from(reason.code()),
        &int(kind.base(own).0),
        &line.now.0,
        &text.as_bytes(),
    ];
    Ok(CaseId(number(&line.one(sql, params).await?, "id")?))
}

/// The case of this session that is not closed and takes reports.
pub(super) async fn open_about(
    line: &Line,
    subject: SessionId,
) -> Result<Option<CaseId>, BackendError> {
    let sql = "SELECT id FROM cases WHERE subject = $1 AND closed_at IS NULL AND kind <> 3 ORDER BY id LIMIT 1";
    let row = line.maybe(sql, &[&rows::session(subject)]).await?;
    row.map(|row| Ok(CaseId(number(&row, "id")?))).transpose()
}

/// The reports of a case that stand.
pub(super) async fn standing(line: &Line, case: CaseId) -> Result<Vec<Standing>, BackendError> {
    let sql = "SELECT reporter, networks, weight, reason, at, met, spent FROM reports \
         WHERE case_id = $1 AND withdrawn IS NULL AND verdict IS DISTINCT FROM 3";
    let found = line.query(sql, &[&int(case.0)]).await?;
    let read = |row: &Row| {
        Ok(Standing {
            reporter: columns::session(row, "reporter")?,
            network: columns::networks_of(row, "networks")?.map(|it| it.wide),
            weight: columns::weight(row)?,
            reason: columns::reason(row, "reason")?,
            at: Timestamp(get(row, "at")?),
            met: get(row, "met")?,
            spent: get(row, "spent")?,
        })
    };
    Ok(columns::readable(&found, read))
}

/// What follows from the reports of a case that stand; how many do.
pub(super) async fn recompute(line: &Line, case: CaseId) -> Result<usize, BackendError> {
    let standing = standing(line, case).await?;
    let sql = "SELECT kind, sanction, own_reason FROM cases WHERE id = $1";
    let row = line.one(sql, &[&int(case.0)]).await?;
    let own = columns::some_reason(&row, "own_reason")?;
    let base = columns::kind(&row)?.base(own);
    let reason = worst(&standing)
        .into_iter()
        .chain(own)
        .reduce(Reason::worse);
    let sql =
        "UPDATE cases SET priority = $2, reports = $3, reason = coalesce($4, reason) WHERE id = $1";
    let params: Params<'_> = &[
        &int(case.0),
        &int(base.0.saturating_add(priority(&standing).0)),
        &i32::try_from(standing.len()).unwrap_or(i32::MAX),
        &reason.map(|it| i16::from(it.code())),
    ];
    line.change(sql, params).await?;
    Ok(standing.len())
}

/// How far a case is from now on. Whatever it is, no operator has it any more.
pub(super) async fn set_state(
    line: &Line,
    case: CaseId,
    state: CaseState,
) -> Result<(), BackendError> {
    let closed = state.closed().then_some(line.now.0);
    let sql = "UPDATE cases SET state = $2, closed_at = $3, emptied = NULL, claimed_by = NULL, claimed_until = NULL WHERE id = $1";
    let code = i16::from(state.code());
    line.change(sql, &[&int(case.0), &code, &closed]).await?;
    Ok(())
}

/// An act of this operator on a case, if it may be.
pub(super) struct Acting {
    pub(super) doer: Doer,
    pub(super) case: Case,
    pub(super) now: CaseNow,
}

impl Acting {
    /// Finds operator and case.
    pub(super) async fn on(
        line: &Line,
        by: Actor,
        case: CaseId,
    ) -> Result<Result<Self, ActRefusal>, BackendError> {
        let Some(mut doer) = doer(line, by).await? else {
            return Ok(Err(ActRefusal::NoOperator));
        };
        let row = line
            .maybe("SELECT * FROM cases WHERE id = $1", &[&int(case.0)])
            .await?;
        let Some(row) = row else {
            return Ok(Err(ActRefusal::Unknown));
        };
        let case = columns::case(&row, line.now)?;
        doer.involved = is_involved(line, &doer, &case).await?;
        let now = CaseNow {
            state: case.state,
            appeal: match case.kind {
                CaseKind::Appeal(sanction) => Some(imposer(line, sanction).await?),
                CaseKind::Reports | CaseKind::ByHand => None,
            },
            claim: case.claim,
            on_hold: case.held_until.is_some(),
            before: super::steps::before(line, case.id).await?,
        };
        Ok(Ok(Self { doer, case, now }))
    }

    /// The rule that this act breaks.
    pub(super) fn permit(&self, act: Act, now: Timestamp) -> Result<(), ActRefusal> {
        self.now.permit(&self.doer, act, now)
    }

    /// Refuses to judge reports that came after an operator had read the case, which shows [`LISTED`] at most.
    pub(super) async fn all_seen(
        &self,
        line: &Line,
        seen: Option<usize>,
    ) -> Result<Result<(), ActRefusal>, BackendError> {
        let Some(seen) = seen.filter(|seen| *seen < LISTED) else {
            return Ok(Ok(()));
        };
        let sql = "SELECT 1 FROM reports WHERE case_id = $1 LIMIT 1 OFFSET $2";
        let more = line
            .query(sql, &[&int(self.case.id.0), &size(seen)])
            .await?;
        Ok(match more.is_empty() {
            true => Ok(()),
            false => Err(ActRefusal::NewReports),
        })
    }

    /// How long the case has waited.
    pub(super) fn took(&self, now: Timestamp) -> i64 {
        i64::try_from(now.since(self.case.opened_at).as_millis()).unwrap_or(i64::MAX)
    }

    /// An act renews a claim that they have.
    pub(super) async fn renew(&self, line: &mut Line) -> Result<(), BackendError> {
        let mine = self
            .case
            .claim
            .filter(|it| Some(it.by) == self.doer.operator && line.now < it.until);
        match mine {
            Some(_) => self.claim(line).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// They have it from now on.
    /// Only what changes hands is written down.
    async fn claim(&self, line: &mut Line) -> Result<Case, BackendError> {
        let claim = self.doer.claim(line.now);
        let sql = "UPDATE cases SET claimed_by = $2, claimed_until = $3 WHERE id = $1";
        let (by, until) = (
            claim.map(|it| int(it.by.0)),
            claim.map(|claim| claim.until.0),
        );
        line.change(sql, &[&int(self.case.id.0), &by, &until])
            .await?;
        let held = self.case.claim.filter(|held| line.now < held.until);
        if held.map(|it| it.by) != self.doer.operator {
            let what = said(self.doer.operator, AuditAct::Claimed, self.case.id);
            line.audit(what).await?;
        }
        Ok(Case {
            claim,
            ..self.case.clone()
        })
    }
}

fn said(by: Option<OperatorId>, act: AuditAct, case: CaseId) -> AuditDraft {
    AuditDraft {
        by,
        act,
        case: Some(case),
        sanction: None,
        took_ms: None,
        details: String::new(),
    }
}

async fn imposer(line: &Line, sanction: SanctionId) -> Result<Option<OperatorId>, BackendError> {
    let sql = "SELECT by FROM sanctions WHERE id = $1";
    let row = line.maybe(sql, &[&int(sanction.0)]).await?;
    let by = row
        .map(|row| columns::some_number(&row, "by"))
        .transpose()?;
    Ok(by.flatten().map(OperatorId))
}

/// See [`crate::store::safety::Cases::permitted_acts`].
pub(super) async fn permitted(
    shared: &Shared,
    case: CaseId,
    by: Actor,
) -> Result<Acted<Vec<Act>>, BackendError> {
    let line = Line::begin(shared).await?;
    let acts = Acting::on(&line, by, case).await?;
    let acts = acts.and_then(|acting| acting.now.permitted(&acting.doer, line.now));
    line.commit(acts.map_or_else(Acted::Refused, Acted::Done))
        .await
}

/// See [`crate::store::safety::Cases::claim`].
pub(super) async fn claim(
    shared: &Shared,
    case: CaseId,
    by: OperatorId,
) -> Result<Claimed, BackendError> {
    let mut line = Line::begin(shared).await?;
    let acting = match Acting::on(&line, Actor::Operator(by), case).await? {
        Ok(acting) => acting,
        Err(refusal) => return line.commit(Claimed::Refused(refusal)).await,
    };
    if let Err(refusal) = acting.permit(Act::Claim, line.now) {
        return line.commit(Claimed::Refused(refusal)).await;
    }
    let case = acting.claim(&mut line).await?;
    line.commit(Claimed::Done(Box::new(case))).await
}

/// See [`crate::store::safety::Cases::claim_next`].
pub(super) async fn claim_next(
    shared: &Shared,
    by: OperatorId,
) -> Result<Option<Case>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(me) = doer(&line, Actor::Operator(by)).await? else {
        return line.commit(None).await;
    };
    // What waits for administrators would hide what does not, were it looked at one by one.
    let sql = "SELECT id FROM cases WHERE closed_at IS NULL AND (state = 1 OR $4) \
             AND (claimed_by = $1 OR claimed_until IS NULL OR claimed_until <= $2) \
         ORDER BY (claimed_by = $1 AND claimed_until > $2) IS TRUE DESC, priority DESC, opened_at, id LIMIT $3";
    let all = me.role == Role::Administrator;
    let params: Params<'_> = &[&int(by.0), &line.now.0, &size(LISTED), &all];
    let found = line.query(sql, params).await?;
    for row in &found {
        let case = CaseId(number(row, "id")?);
        let Ok(acting) = Acting::on(&line, Actor::Operator(by), case).await? else {
            break;
        };
        if acting.permit(Act::Claim, line.now).is_ok() {
            let case = acting.claim(&mut line).await?;
            return line.commit(Some(case)).await;
        }
    }
    line.commit(None).await
}

/// See [`crate::store::safety::Cases::release`].
pub(super) async fn release(
    shared: &Shared,
    case: CaseId,
    by: OperatorId,
) -> Result<(), BackendError> {
    let mut line = Line::begin(shared).await?;
    let sql = "UPDATE cases SET claimed_by = NULL, claimed_until = NULL WHERE id = $1 AND claimed_by = $2";
    if line.change(sql, &[&int(case.0), &int(by.0)]).await? > 0 {
        line.audit(said(Some(by), AuditAct::Released, case)).await?;
    }
    line.commit(()).await
}

/// Which cases are listed, and in which order.
pub(super) enum List {
    Queue,
    Closed,
    About(SessionId),
}

/// A list of cases. A damaged one does not keep the others from being seen.
pub(super) async fn list(shared: &Shared, list: List) -> Result<Vec<Case>, BackendError> {
    let mut sql = String::from("SELECT *, moment($1) AS now FROM cases WHERE ");
    let (subject, most) = match list {
        List::Queue | List::Closed => (None, size(LISTED)),
        List::About(subject) => (Some(rows::session(subject)), FEW),
    };
    sql.push_str(match list {
        List::Queue => {
            "closed_at IS NULL AND $2::uuid IS NULL ORDER BY priority DESC, opened_at, id"
        }
        List::Closed => {
            "closed_at IS NOT NULL AND $2::uuid IS NULL ORDER BY closed_at DESC, id DESC"
        }
        List::About(_) => "subject = $2 ORDER BY id DESC",
    });
    sql.push_str(" LIMIT $3");
    let found = shared
        .pool
        .query(&sql, &[&shared.now(), &subject, &most])
        .await?;
    let case = |row: &Row| columns::case(row, Timestamp(get(row, "now")?));
    Ok(columns::readable(&found, case))
}

/// See [`crate::store::safety::Cases::case`].
pub(super) async fn file(shared: &Shared, case: CaseId) -> Result<Option<CaseFile>, BackendError> {
    let id = int(case.0);
    let sql = "SELECT *, moment($2) AS now FROM cases WHERE id = $1";
    let found = shared.pool.query(sql, &[&id, &shared.now()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let case = columns::case(row, Timestamp(get(row, "now")?))?;
    let sql = "SELECT * FROM reports WHERE case_id = $1 ORDER BY no DESC LIMIT $2";
    let reports = shared.pool.query(sql, &[&id, &size(LISTED)]).await?;
    let sql = "SELECT room FROM evidence WHERE case_id = $1 ORDER BY no";
    let rooms = shared.pool.query(sql, &[&id]).await?;
    let sql =
        "SELECT * FROM decisions WHERE case_id = $1 AND finding <= 2 ORDER BY no DESC LIMIT $2";
    let decisions = shared.pool.query(sql, &[&id, &size(LISTED)]).await?;
    let steps = super::steps::read(shared, case.id).await?;
    let on = crate::domain::safety::SanctionTarget::Session(case.subject);
    Ok(Some(CaseFile {
        sanctions: super::sanctions::on(shared, on).await?,
        steps,
        case,
        // One that is damaged is left out: a case can always be worked on.
        reports: columns::readable(&reports, columns::report),
        rooms: columns::readable(&rooms, |row| Ok(RoomId(get(row, "room")?))),
        decisions: columns::readable(&decisions, decision),
    }))
}

fn decision(row: &Row) -> Result<Decision, BackendError> {
    Ok(Decision {
        at: Timestamp(get(row, "at")?),
        by: columns::some_number(row, "by")?.map(OperatorId),
        finding: columns::finding(row)?,
        rule: columns::reason(row, "rule")?,
        note: columns::text(row, "note")?,
        text: columns::text(row, "text")?,
    })
}
