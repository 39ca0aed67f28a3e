//! Who acts, and whether they may: looked up in the transaction of the act.

use super::super::error::SqliteError;
use super::super::writer::Writer;
use super::rows;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{Actor, Case, CaseId, CaseKind, OperatorId, Role};
use crate::store::safety::acts::{Act, Before, CaseNow, Doer};
use crate::store::safety::{ActRefusal, Acted, LISTED, StepKind};

/// Why an act came to nothing.
pub(super) enum Stop {
    Refused(ActRefusal),
    Fault(SqliteError),
}

impl From<ActRefusal> for Stop {
    fn from(why: ActRefusal) -> Self {
        Self::Refused(why)
    }
}

impl From<SqliteError> for Stop {
    fn from(fault: SqliteError) -> Self {
        Self::Fault(fault)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// What an act comes to. It refuses before it writes anything.
pub(super) fn acted<T>(outcome: Result<T, Stop>) -> Result<Acted<T>, SqliteError> {
    match outcome {
        Ok(done) => Ok(Acted::Done(done)),
        Err(Stop::Refused(why)) => Ok(Acted::Refused(why)),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

/// Who acts.
#[derive(Clone, Copy)]
pub(super) struct Who {
    pub(super) operator: Option<OperatorId>,
    pub(super) role: Role,
}

/// A case that this act is allowed on.
pub(super) struct Permitted {
    pub(super) case: Case,
    pub(super) doer: Doer,
    pub(super) before: Before,
}

impl Writer {
    /// The operator, if they are there and not disabled.
    pub(super) fn who(&self, by: Actor) -> Result<Who, Stop> {
        let Actor::Operator(id) = by else {
            return Ok(Who {
                operator: None,
                role: Role::Administrator,
            });
        };
        let mut read = self
            .conn
            .prepare_cached("SELECT role FROM operators WHERE no = ?1 AND disabled IS NULL")?;
        let role = rows::one(read.query([rows::int(id.0)])?, |row| {
            Role::from_code(row.get(0)?).ok_or(SqliteError::Damaged("an operator of no known role"))
        })?;
        Ok(Who {
            operator: Some(id),
            role: role.ok_or(ActRefusal::NoOperator)?,
        })
    }

    /// This case, with its claim as it was made.
    pub(super) fn case_row(&self, case: CaseId) -> Result<Option<Case>, SqliteError> {
        let sql = format!("{} WHERE no = ?1", rows::CASE);
        let mut read = self.conn.prepare_cached(&sql)?;
        rows::one(read.query([rows::int(case.0)])?, rows::case)
    }

    /// The case, if this one may do this to it.
    pub(super) fn permitted(&self, case: CaseId, by: Actor, act: Act) -> Result<Permitted, Stop> {
        let who = self.who(by)?;
        let case = self.case_row(case)?.ok_or(ActRefusal::Unknown)?;
        let doer = self.doer(&case, who)?;
        let now = self.case_now(&case)?;
        now.permit(&doer, act, self.now)?;
        Ok(Permitted {
            case,
            doer,
            before: now.before,
        })
    }

    /// Refuses to judge reports that came after an operator had read the case, which shows [`LISTED`] at most.
    pub(super) fn all_seen(&self, case: CaseId, seen: Option<usize>) -> Result<(), Stop> {
        let Some(seen) = seen.filter(|seen| *seen < LISTED) else {
            return Ok(());
        };
        let mut more = self
            .conn
            .prepare_cached("SELECT 1 FROM reports WHERE case_no = ?1 LIMIT 1 OFFSET ?2")?;
        match more.exists((rows::int(case.0), rows::size(seen)))? {
            true => Err(ActRefusal::NewReports.into()),
            false => Ok(()),
        }
    }

    /// What the rules ask of a case.
    pub(super) fn case_now(&self, case: &Case) -> Result<CaseNow, SqliteError> {
        let appeal = match case.kind {
            CaseKind::Appeal(sanction) => Some(self.sanction_row(sanction)?.and_then(|it| it.by)),
            _ => None,
        };
        Ok(CaseNow {
            state: case.state,
            appeal,
            claim: case.claim,
            on_hold: case.held_until.is_some(),
            before: self.before(case.id)?,
        })
    }

    fn before(&self, case: CaseId) -> Result<Before, SqliteError> {
        let mut read = self.conn.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM decisions WHERE case_no = ?1 AND finding = ?2), \
             EXISTS (SELECT 1 FROM decisions d WHERE d.case_no = ?1 AND d.finding <= 2 AND (d.by IS NULL \
             OR EXISTS (SELECT 1 FROM operators o WHERE o.no = d.by AND o.role = ?3))), \
             EXISTS (SELECT 1 FROM decisions d WHERE d.case_no = ?1 AND d.finding = ?4 AND (d.by IS NULL \
             OR EXISTS (SELECT 1 FROM operators o WHERE o.no = d.by AND o.role = ?3)))",
        )?;
        let of = (
            rows::int(case.0),
            StepKind::Escalated.code(),
            Role::Administrator.code(),
            StepKind::Held.code(),
        );
        Ok(read.query_row(of, |row| {
            Ok(Before {
                escalated: row.get(0)?,
                decided: row.get(1)?,
                held: row.get(2)?,
            })
        })?)
    }

    /// What the rules ask of the one who acts on this case.
    pub(super) fn doer(&self, case: &Case, who: Who) -> Result<Doer, SqliteError> {
        let Some(operator) = who.operator else {
            return Ok(Doer {
                operator: None,
                role: who.role,
                involved: false,
                has_colleague: false,
            });
        };
        // Of an appeal also the case that the sanction followed from.
        let mut involved = self.conn.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM operator_visitors v WHERE v.operator = ?1 AND (v.visitor = ?2 OR EXISTS \
             (SELECT 1 FROM reports r WHERE r.reporter = v.visitor AND r.case_no IN (?3, \
             (SELECT s.case_no FROM cases c JOIN sanctions s ON s.no = c.sanction WHERE c.no = ?3))))), \
             EXISTS (SELECT 1 FROM operators WHERE disabled IS NULL AND no <> ?1)",
        )?;
        let of = (rows::int(operator.0), case.subject.0, rows::int(case.id.0));
        let (involved, has_colleague) =
            involved.query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Doer {
            operator: Some(operator),
            role: who.role,
            involved,
            has_colleague,
        })
    }

    /// Whether this session is one that the operator uses the site with.
    pub(super) fn is_own(&self, who: Who, session: SessionId) -> Result<bool, SqliteError> {
        let Some(operator) = who.operator else {
            return Ok(false);
        };
        let mut own = self.conn.prepare_cached(
            "SELECT 1 FROM operator_visitors WHERE operator = ?1 AND visitor = ?2",
        )?;
        Ok(own.exists((rows::int(operator.0), session.0))?)
    }

    /// Acting on a case renews the claim of the one who has it.
    pub(super) fn renew_claim(&self, case: &Case, doer: &Doer) -> Result<(), SqliteError> {
        let held = case.claim.filter(|claim| self.now < claim.until);
        if held.is_some_and(|claim| Some(claim.by) == doer.operator) {
            self.put_claim(
                case.id,
                doer.operator,
                doer.claim(self.now).map(|it| it.until),
            )?;
        }
        Ok(())
    }

    /// Writes who has a case.
    pub(super) fn put_claim(
        &self,
        case: CaseId,
        by: Option<OperatorId>,
        until: Option<Timestamp>,
    ) -> Result<(), SqliteError> {
        let mut put = self
            .conn
            .prepare_cached("UPDATE cases SET claim_by = ?2, claim_until = ?3 WHERE no = ?1")?;
        let by = by.map(|by| rows::int(by.0));
        put.execute((rows::int(case.0), by, until.map(|it| it.0)))?;
        Ok(())
    }
}
