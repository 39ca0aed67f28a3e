//! Who may do what to a case: one rule for all backends, each of which looks up what it asks for in the
//! transaction of the act.

use super::ActRefusal;
use crate::domain::id::Timestamp;
use crate::domain::safety::case::CLAIM;
use crate::domain::safety::{CaseClaim, CaseState, OperatorId, Role};

/// What is known of a case.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct CaseNow {
    /// How far it is.
    pub(in crate::store) state: CaseState,
    /// It is an appeal: of the sanction that this operator imposed, if an operator did.
    pub(in crate::store) appeal: Option<Option<OperatorId>>,
    /// The last claim, which may have run out.
    pub(in crate::store) claim: Option<CaseClaim>,
    /// Its evidence is held.
    pub(in crate::store) on_hold: bool,
    /// What administrators had to do with it before.
    pub(in crate::store) before: Before,
}

/// What administrators had to do with a case before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Before {
    /// It was left to them.
    pub(in crate::store) escalated: bool,
    /// One of them, or a command, decided it.
    pub(in crate::store) decided: bool,
    /// One of them, or a command, held its evidence.
    pub(in crate::store) held: bool,
}

impl Before {
    /// How far a case is that is opened again: one that was left to administrators is theirs.
    pub(in crate::store) fn reopened(self) -> CaseState {
        match self.escalated {
            true => CaseState::Escalated,
            false => CaseState::Open,
        }
    }
}

/// Who acts: an operator who is there and not disabled, or a command on the machine.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Doer {
    /// `None`: a command on the machine.
    pub(in crate::store) operator: Option<OperatorId>,
    /// A command may do what an administrator may.
    pub(in crate::store) role: Role,
    /// One of their own sessions is the subject of the case, or reported in it.
    pub(in crate::store) involved: bool,
    /// There is another operator who is not disabled.
    pub(in crate::store) has_colleague: bool,
}

/// What is done to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// To have it to oneself, or for longer.
    Claim,
    /// To close it by a decision about its reports.
    Decide,
    /// To close it by a decision about its appeal.
    DecideAppeal,
    /// To close it without a decision.
    Skip,
    /// To leave it to the administrators.
    Escalate,
    /// To open it again.
    Reopen,
    /// To hold its evidence, or for longer.
    Hold,
    /// To hold it no longer.
    EndHold,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Claim,
        Self::Decide,
        Self::DecideAppeal,
        Self::Skip,
        Self::Escalate,
        Self::Reopen,
        Self::Hold,
        Self::EndHold,
    ];
}

impl CaseNow {
    /// The claim that holds at this moment.
    pub(in crate::store) fn held(&self, now: Timestamp) -> Option<CaseClaim> {
        self.claim
            .filter(|claim| !self.state.closed() && now < claim.until)
    }

    /// The first rule that this act breaks.
    ///
    /// # Errors
    /// That rule. [`ActRefusal::NoOperator`] and [`ActRefusal::Unknown`] are found before.
    pub(in crate::store) fn permit(
        &self,
        doer: &Doer,
        act: Act,
        now: Timestamp,
    ) -> Result<(), ActRefusal> {
        let acts_on_escalated = !matches!(act, Act::Hold | Act::EndHold | Act::Reopen);
        if self.state == CaseState::Escalated
            && acts_on_escalated
            && doer.role < Role::Administrator
        {
            return Err(ActRefusal::NotAllowed);
        }
        // Else a moderator could decide against an administrator, whose sanction would hold all the same.
        let above = self.before.escalated || self.before.decided;
        let reopens = act == Act::Reopen && self.state.closed();
        // What was held for an authority would be erased within a minute.
        let frees = act == Act::EndHold && self.before.held;
        if (reopens && above || frees) && doer.role < Role::Administrator {
            return Err(ActRefusal::NotAllowed);
        }
        if doer.involved {
            return Err(ActRefusal::Conflict);
        }
        let own = self
            .appeal
            .flatten()
            .is_some_and(|by| Some(by) == doer.operator);
        // Nor is it theirs to claim: they would be offered it again and again, and could not be rid of it.
        let judges = matches!(act, Act::Claim | Act::DecideAppeal);
        if judges && own && doer.has_colleague {
            return Err(ActRefusal::OwnDecision);
        }
        if !self.fits(act) {
            return Err(ActRefusal::Unfit);
        }
        let other = self
            .held(now)
            .filter(|claim| Some(claim.by) != doer.operator);
        other.map_or(Ok(()), |claim| Err(ActRefusal::Taken(claim)))
    }

    /// All that this one may do to the case now.
    ///
    /// # Errors
    /// They have a part in it.
    pub(in crate::store) fn permitted(
        &self,
        doer: &Doer,
        now: Timestamp,
    ) -> Result<Vec<Act>, ActRefusal> {
        if doer.involved {
            return Err(ActRefusal::Conflict);
        }
        let may = |act: &Act| self.permit(doer, *act, now).is_ok();
        Ok(Act::ALL.into_iter().filter(may).collect())
    }

    fn fits(&self, act: Act) -> bool {
        let (closed, appeal) = (self.state.closed(), self.appeal.is_some());
        match act {
            Act::Claim => !closed,
            Act::Decide | Act::Skip => !closed && !appeal,
            Act::DecideAppeal => !closed && appeal,
            Act::Escalate => self.state == CaseState::Open,
            Act::Reopen => closed && !appeal,
            Act::Hold => true,
            Act::EndHold => self.on_hold,
        }
    }
}

impl Doer {
    /// Their claim, as of an act now.
    pub(in crate::store) fn claim(&self, now: Timestamp) -> Option<CaseClaim> {
        let until = now.plus(CLAIM);
        self.operator.map(|by| CaseClaim { by, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    fn doer(number: u64, role: Role) -> Doer {
        Doer {
            operator: Some(OperatorId(number)),
            role,
            involved: false,
            has_colleague: true,
        }
    }

    fn case(state: CaseState) -> CaseNow {
        CaseNow {
            state,
            appeal: None,
            claim: None,
            on_hold: false,
            before: Before::default(),
        }
    }

    fn appeal(by: Option<u64>) -> CaseNow {
        CaseNow {
            appeal: Some(by.map(OperatorId)),
            ..case(CaseState::Open)
        }
    }

    /// What this one may do to this case.
    fn may(case: CaseNow, doer: Doer) -> Vec<Act> {
        case.permitted(&doer, NOW).unwrap()
    }

    #[test]
    fn an_open_case_can_be_closed_and_a_closed_one_opened() {
        let one = doer(1, Role::Moderator);
        let open = [Act::Claim, Act::Decide, Act::Skip, Act::Escalate, Act::Hold];
        assert_eq!(may(case(CaseState::Open), one), open);
        for closed in [CaseState::Decided, CaseState::Skipped] {
            assert_eq!(may(case(closed), one), [Act::Reopen, Act::Hold]);
        }
    }

    #[test]
    fn an_escalated_case_is_for_administrators() {
        let escalated = case(CaseState::Escalated);
        assert_eq!(may(escalated, doer(1, Role::Moderator)), [Act::Hold]);
        let admin = [Act::Claim, Act::Decide, Act::Skip, Act::Hold];
        assert_eq!(may(escalated, doer(1, Role::Administrator)), admin);
        let local = Doer {
            operator: None,
            ..doer(0, Role::Administrator)
        };
        assert_eq!(may(escalated, local), admin);
    }

    #[test]
    fn what_administrators_had_to_do_with_is_reopened_by_them() {
        for (escalated, decided) in [(true, false), (false, true), (true, true)] {
            let before = Before {
                escalated,
                decided,
                held: false,
            };
            for state in [CaseState::Decided, CaseState::Skipped] {
                let closed = CaseNow {
                    before,
                    ..case(state)
                };
                let moderator = doer(1, Role::Moderator);
                assert_eq!(may(closed, moderator), [Act::Hold]);
                let refused = closed.permit(&moderator, Act::Reopen, NOW);
                assert_eq!(refused, Err(ActRefusal::NotAllowed));
                let admin = doer(2, Role::Administrator);
                assert_eq!(may(closed, admin), [Act::Reopen, Act::Hold]);
            }
            let again = before.reopened();
            assert_eq!(again == CaseState::Escalated, escalated);
        }
    }

    #[test]
    fn what_an_administrator_held_is_let_go_by_administrators() {
        let (moderator, admin) = (doer(1, Role::Moderator), doer(2, Role::Administrator));
        for held in [false, true] {
            for state in [CaseState::Open, CaseState::Escalated, CaseState::Decided] {
                let before = Before {
                    held,
                    ..Before::default()
                };
                let on_hold = CaseNow {
                    on_hold: true,
                    before,
                    ..case(state)
                };
                let frees = |doer| may(on_hold, doer).contains(&Act::EndHold);
                assert_eq!((frees(moderator), frees(admin)), (!held, true));
                assert!(may(on_hold, moderator).contains(&Act::Hold));
            }
        }
    }

    #[test]
    fn one_operator_has_a_case_to_themselves_until_the_claim_is_over() {
        let (one, two) = (doer(1, Role::Moderator), doer(2, Role::Administrator));
        let claim = one.claim(NOW).expect("an operator");
        let claimed = CaseNow {
            claim: Some(claim),
            ..case(CaseState::Open)
        };
        assert_eq!(may(claimed, one), may(case(CaseState::Open), one));
        assert_eq!(may(claimed, two), []);
        let local = Doer {
            operator: None,
            ..two
        };
        for other in [two, local] {
            let refused = claimed.permit(&other, Act::Decide, NOW);
            assert_eq!(refused, Err(ActRefusal::Taken(claim)));
        }
        let over = NOW.plus(CLAIM);
        assert!(claimed.permit(&two, Act::Decide, over).is_ok());
        assert!(claimed.permit(&one, Act::Decide, over).is_ok());
        assert_eq!(claimed.held(over), None);
        let last = Timestamp(over.0 - 1);
        assert!(claimed.permit(&two, Act::Decide, last).is_err());
        let closed = CaseNow {
            state: CaseState::Decided,
            ..claimed
        };
        assert_eq!(closed.held(NOW), None);
    }

    #[test]
    fn no_operator_acts_on_their_own_case() {
        let own = Doer {
            involved: true,
            ..doer(1, Role::Administrator)
        };
        for state in [CaseState::Open, CaseState::Escalated, CaseState::Decided] {
            assert_eq!(case(state).permitted(&own, NOW), Err(ActRefusal::Conflict));
            for act in Act::ALL {
                let refused = case(state).permit(&own, act, NOW);
                assert_eq!(refused, Err(ActRefusal::Conflict), "{state:?} {act:?}");
            }
        }
    }

    #[test]
    fn an_appeal_is_decided_by_another_operator_if_there_is_one() {
        let one = doer(1, Role::Moderator);
        let others = [Act::Claim, Act::DecideAppeal, Act::Escalate, Act::Hold];
        for by in [None, Some(2)] {
            assert_eq!(may(appeal(by), one), others);
        }
        for act in [Act::Claim, Act::DecideAppeal] {
            let refused = appeal(Some(1)).permit(&one, act, NOW);
            assert_eq!(refused, Err(ActRefusal::OwnDecision));
        }
        let alone = Doer {
            has_colleague: false,
            ..one
        };
        assert_eq!(may(appeal(Some(1)), alone), others);
    }

    #[test]
    fn every_case_that_is_not_closed_can_be() {
        let admin = doer(1, Role::Administrator);
        for state in [CaseState::Open, CaseState::Escalated] {
            assert!(case(state).permit(&admin, Act::Decide, NOW).is_ok());
            let appeal = CaseNow {
                state,
                ..appeal(None)
            };
            assert!(appeal.permit(&admin, Act::DecideAppeal, NOW).is_ok());
        }
    }
}
