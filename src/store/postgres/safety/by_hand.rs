//! What operators do without a case before them: open one, and set aside what one reporter said.

use std::time::Duration;

use super::super::error::BackendError;
use super::super::rows::{self, get};
use super::super::shared::Shared;
use super::Params;
use super::columns::{self, int};
use super::doer::doer;
use super::evidence::Scene;
use super::line::Line;
use super::sanctions::{self, Imposed};
use super::{automatic, cases};
use crate::domain::id::SessionId;
use crate::domain::safety::audit::reports_of;
use crate::domain::safety::{
    Actor, AuditAct, AuditDraft, CaseId, CaseKind, CaseState, Chosen, Reason, Role, SanctionDraft,
    SanctionKind, SanctionTarget,
};
use crate::store::safety::acts::Doer;
use crate::store::safety::{About, ActRefusal, Acted, HandDraft, Invalidated};

/// See [`crate::store::safety::Cases::open_by_hand`].
pub(super) async fn open(shared: &Shared, hand: &HandDraft) -> Result<Acted<CaseId>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, hand.by).await? else {
        return line.commit(Acted::Refused(ActRefusal::NoOperator)).await;
    };
    if doer.role < Role::Administrator {
        return line.commit(Acted::Refused(ActRefusal::NotAllowed)).await;
    }
    let (subject, scene) = match hand.about {
        About::Session(subject) => (subject, None),
        About::Side(room, side) => match Scene::of(&line, room).await? {
            Some(scene) => (scene.session(side), Some(scene)),
            None => return line.commit(Acted::Refused(ActRefusal::Unknown)).await,
        },
    };
    let before = cases::open_about(&line, subject).await?;
    let target = SanctionTarget::Session(subject);
    if sanctions::is_own(&line, doer.operator, target).await? {
        return line.commit(Acted::Refused(ActRefusal::Conflict)).await;
    }
    let case = match before {
        Some(case) => take_over(&line, case, hand).await?,
        None => cases::open(&line, CaseKind::ByHand, subject, hand.reason, &hand.note).await?,
    };
    if let Some(scene) = scene {
        scene.freeze(&line, case, &Chosen::All).await?;
    }
    line.audit(AuditDraft {
        by: doer.operator,
        act: AuditAct::Opened,
        case: Some(case),
        sanction: None,
        took_ms: None,
        details: String::new(),
    })
    .await?;
    line.commit(Acted::Done(case)).await
}

/// Makes a case that is open already one by hand as well.
async fn take_over(line: &Line, case: CaseId, hand: &HandDraft) -> Result<CaseId, BackendError> {
    let id = int(case.0);
    let sql = "SELECT own_reason FROM cases WHERE id = $1";
    let own = columns::some_reason(&line.one(sql, &[&id]).await?, "own_reason")?;
    let reason = own.map_or(hand.reason, |own| own.worse(hand.reason));
    let between: &[u8] = b"\n\n";
    let sql = "UPDATE cases SET kind = 2, own_reason = $2, \
         text = text || CASE WHEN text = '' OR $3 = ''::bytea THEN $3 ELSE $4::bytea || $3 END WHERE id = $1";
    let params: Params<'_> = &[
        &id,
        &i16::from(reason.code()),
        &hand.note.as_bytes(),
        &between,
    ];
    line.change(sql, params).await?;
    cases::recompute(line, case).await?;
    Ok(case)
}

/// See [`crate::store::safety::Cases::invalidate`].
pub(super) async fn invalidate(
    shared: &Shared,
    reporter: SessionId,
    mute: Option<Duration>,
    case: Option<CaseId>,
    by: Actor,
) -> Result<Acted<Invalidated>, BackendError> {
    let mut line = Line::begin(shared).await?;
    let Some(doer) = doer(&line, by).await? else {
        return line.commit(Acted::Refused(ActRefusal::NoOperator)).await;
    };
    let target = SanctionTarget::Session(reporter);
    if sanctions::is_own(&line, doer.operator, target).await? {
        return line.commit(Acted::Refused(ActRefusal::Conflict)).await;
    }
    let sql = "INSERT INTO invalidations (by) VALUES ($1) RETURNING id";
    let by = doer.operator.map(|it| int(it.0));
    let act: i64 = get(&line.one(sql, &[&by]).await?, "id")?;
    let mut done = set_aside(&mut line, reporter, &doer, act).await?;
    line.audit(AuditDraft {
        by: doer.operator,
        act: AuditAct::Invalidated,
        case,
        sanction: None,
        took_ms: None,
        details: reports_of(done.reports),
    })
    .await?;
    if let Some(length) = mute {
        let draft = SanctionDraft {
            target,
            kind: SanctionKind::ReporterMute,
            length: Some(length),
        };
        let why = Imposed {
            rule: Reason::Other,
            text: "",
            automatic: false,
            by: doer.operator,
            case: None,
        };
        let mute = sanctions::impose_said(&mut line, draft, &why).await?;
        let sql = "UPDATE invalidations SET mute = $2 WHERE id = $1";
        line.change(sql, &[&act, &int(mute.id.0)]).await?;
        done.mute = Some(mute);
    }
    line.commit(Acted::Done(done)).await
}

/// Makes the undecided reports of this session invalid, and closes the cases that are made of them alone; where this one
/// has no part, and, unless they are an administrator, where the case was not left to those.
async fn set_aside(
    line: &mut Line,
    reporter: SessionId,
    doer: &Doer,
    act: i64,
) -> Result<Invalidated, BackendError> {
    let sql = "UPDATE reports r SET verdict = 3, decided_at = $2, invalidation = $3 FROM cases c \
         WHERE r.reporter = $1 AND r.verdict IS NULL AND r.withdrawn IS NULL AND c.id = r.case_id \
             AND c.closed_at IS NULL AND ($5 OR c.state <> 2) \
             AND NOT EXISTS (SELECT FROM operator_visitors v WHERE v.operator = $4 AND (v.visitor = c.subject \
                 OR EXISTS (SELECT FROM reports o WHERE o.case_id = c.id AND o.reporter = v.visitor))) \
         RETURNING r.case_id, c.kind";
    let operator = doer.operator.map(|it| int(it.0));
    let all = doer.role == Role::Administrator;
    let params: Params<'_> = &[&rows::session(reporter), &line.now.0, &act, &operator, &all];
    let found = line.query(sql, params).await?;
    let mut done = Invalidated {
        reports: found.len() as u64,
        ..Default::default()
    };
    let mut touched = Vec::new();
    for row in &found {
        touched.push((columns::number(row, "case_id")?, get::<i16>(row, "kind")?));
    }
    touched.sort_unstable();
    touched.dedup();
    for (case, kind) in touched {
        let case = CaseId(case);
        let left = cases::recompute(line, case).await?;
        if left == 0 && kind == 1 {
            cases::set_state(line, case, CaseState::Skipped).await?;
            let sql = "UPDATE cases SET emptied = $2 WHERE id = $1";
            line.change(sql, &[&int(case.0), &act]).await?;
            done.closed += 1;
        }
        automatic::lift_ungrounded(line, case).await?;
    }
    Ok(done)
}
