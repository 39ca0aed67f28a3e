//! A store of people's safety that answers nothing but "unavailable". What a server reads before it serves is empty.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use miyu::admission::RateLimits;
use miyu::admission::door::Door;
use miyu::admission::memory_budget::MemoryBudget;
use miyu::config::Limits;
use miyu::domain::id::{RoomId, SessionId, Side, Timestamp};
use miyu::domain::safety::*;
use miyu::protocol::Encoder;
use miyu::safety::{NoticeBoard, Reporting};
use miyu::store::Pending;
use miyu::store::safety::*;
use miyu::tasks::Drain;

use super::unavailable::{UnavailableStore, no};

/// Takes nothing, and says so; has a key of networks.
pub struct UnavailableSafety;

/// What takes no reports.
pub async fn no_reporting() -> Arc<Reporting> {
    let limits = RateLimits::new(&Limits::default(), 1);
    let door = Door::new(Arc::new(limits), MemoryBudget::new(1 << 20), Arc::default());
    let proofs = Encoder::new(TimeZone::UTC).proofs().clone();
    let (safety, store) = (Arc::new(UnavailableSafety), Arc::new(UnavailableStore));
    let reporting = Reporting::new(safety, store, door, proofs, Drain::new());
    Arc::new(reporting.await.expect("it has a key"))
}

/// What knows of no notices.
pub fn no_board() -> Arc<NoticeBoard> {
    Arc::new(NoticeBoard::new(
        Arc::new(UnavailableSafety),
        Arc::default(),
    ))
}

impl Reports for UnavailableSafety {
    fn note_networks(&self, _: RoomId, _: Side, _: Networks) -> Pending<()> {
        no()
    }
    fn report(&self, _: ReportDraft) -> Pending<Reported> {
        no()
    }
    fn reports_by(&self, _: SessionId) -> Pending<Vec<OwnReport>> {
        no()
    }
    fn withdraw(&self, _: SessionId, _: ReportId) -> Pending<Withdrawn> {
        no()
    }
    fn accuracy(&self, _: SessionId, _: Option<CaseId>) -> Pending<Accuracy> {
        no()
    }
}

impl Cases for UnavailableSafety {
    fn queue(&self) -> Pending<Vec<Case>> {
        no()
    }
    fn closed_cases(&self) -> Pending<Vec<Case>> {
        no()
    }
    fn cases_about(&self, _: SessionId) -> Pending<Vec<Case>> {
        no()
    }
    fn claim_next(&self, _: OperatorId) -> Pending<Option<Case>> {
        no()
    }
    fn claim(&self, _: CaseId, _: OperatorId) -> Pending<Claimed> {
        no()
    }
    fn release(&self, _: CaseId, _: OperatorId) -> Pending<()> {
        no()
    }
    fn case(&self, _: CaseId) -> Pending<Option<CaseFile>> {
        no()
    }
    fn permitted_acts(&self, _: CaseId, _: Actor) -> Pending<Acted<Vec<Act>>> {
        no()
    }
    fn evidence(&self, _: CaseId, _: RoomId) -> Pending<Option<Evidence>> {
        no()
    }
    fn decide(&self, _: DecisionDraft) -> Pending<Acted<Vec<Sanction>>> {
        no()
    }
    fn decide_appeal(&self, _: AppealDecision) -> Pending<Acted<Vec<Sanction>>> {
        no()
    }
    fn skip(&self, _: CaseId, _: Actor, _: String, _: Option<usize>) -> Pending<Acted<()>> {
        no()
    }
    fn escalate(&self, _: CaseId, _: Actor, _: String) -> Pending<Acted<()>> {
        no()
    }
    fn reopen(&self, _: CaseId, _: Actor) -> Pending<Acted<()>> {
        no()
    }
    fn open_by_hand(&self, _: HandDraft) -> Pending<Acted<CaseId>> {
        no()
    }
    fn hold(&self, _: CaseId, _: Option<Hold>, _: Actor, _: String) -> Pending<Acted<()>> {
        no()
    }
    fn invalidate(
        &self,
        _: SessionId,
        _: Option<Duration>,
        _: Option<CaseId>,
        _: Actor,
    ) -> Pending<Acted<Invalidated>> {
        no()
    }
    fn revalidate(&self, _: ReportId, _: Option<CaseId>, _: Actor) -> Pending<Acted<Revalidated>> {
        no()
    }
    fn revalidatable(&self, _: CaseId, _: Actor) -> Pending<Vec<ReportId>> {
        no()
    }
}

impl Sanctions for UnavailableSafety {
    fn impose(&self, _: SanctionDraft, _: Reason, _: String, _: Actor) -> Pending<Acted<Sanction>> {
        no()
    }
    fn lift_sanction(&self, _: SanctionId, _: String, _: Actor) -> Pending<Acted<Sanction>> {
        no()
    }
    fn sanctions_in_force(&self, _: SanctionId) -> Pending<InForce> {
        Pending::known(Ok(InForce::default()))
    }
    fn sanctions_since(&self, _: SanctionId) -> Pending<Vec<Sanction>> {
        no()
    }
    fn sanctions_on(&self, _: SanctionTarget) -> Pending<Vec<Sanction>> {
        no()
    }
    fn notices(&self, _: SessionId) -> Pending<Vec<Notice>> {
        no()
    }
    fn unread_since(&self, _: u64) -> Pending<Vec<(u64, SessionId)>> {
        Pending::known(Ok(Vec::new()))
    }
    fn acknowledge(&self, _: SessionId, _: NoticeId) -> Pending<bool> {
        no()
    }
    fn appeal(&self, _: SessionId, _: NoticeId, _: String) -> Pending<Appealed> {
        no()
    }
}

impl Operators for UnavailableSafety {
    fn operator_exists(&self) -> Pending<bool> {
        no()
    }
    fn operators(&self) -> Pending<Vec<Operator>> {
        no()
    }
    fn operator_named(&self, _: OperatorName) -> Pending<Option<Operator>> {
        no()
    }
    fn make_operator(&self, _: OperatorDraft, _: Actor) -> Pending<OperatorMade> {
        no()
    }
    fn put_setup_link(&self, _: LoginHash, _: Timestamp) -> Pending<()> {
        no()
    }
    fn set_up(&self, _: LoginHash, _: OperatorDraft) -> Pending<OperatorMade> {
        no()
    }
    fn change_operator(
        &self,
        _: OperatorId,
        _: Vec<OperatorChange>,
        _: Actor,
    ) -> Pending<OperatorChanged> {
        no()
    }
    fn use_totp_step(&self, _: OperatorId, _: u64) -> Pending<bool> {
        no()
    }
    fn use_recovery_code(&self, _: OperatorId, _: LoginHash) -> Pending<bool> {
        no()
    }
    fn begin_session(&self, _: OperatorSession) -> Pending<bool> {
        no()
    }
    fn session(
        &self,
        _: LoginHash,
        _: Duration,
        _: Duration,
    ) -> Pending<Option<(OperatorSession, Operator)>> {
        no()
    }
    fn sessions(&self, _: OperatorId) -> Pending<Vec<OperatorSession>> {
        no()
    }
    fn end_sessions(&self, _: OperatorId, _: Option<LoginHash>) -> Pending<()> {
        no()
    }
    fn note_visitor(&self, _: OperatorId, _: SessionId) -> Pending<()> {
        no()
    }
}

impl Settings for UnavailableSafety {
    fn settings(&self) -> Pending<Vec<Setting>> {
        Pending::known(Ok(Vec::new()))
    }
    fn put_setting(
        &self,
        _: SettingName,
        _: Option<String>,
        _: Option<u64>,
        _: Actor,
    ) -> Pending<Acted<()>> {
        no()
    }
}

impl Audit for UnavailableSafety {
    fn record(&self, _: AuditDraft) -> Pending<()> {
        no()
    }
    fn audit(&self, _: u64) -> Pending<Vec<AuditRow>> {
        no()
    }
    fn newest_audit(&self) -> Pending<Vec<AuditRow>> {
        no()
    }
    fn automatic_since(&self, _: Timestamp) -> Pending<u64> {
        no()
    }
    fn audit_head(&self) -> Pending<(u64, RowHash)> {
        no()
    }
    fn figures(&self, _: Timestamp) -> Pending<Vec<MonthFigures>> {
        no()
    }
}

impl SafetyUpkeep for UnavailableSafety {
    fn installation_key(&self) -> Pending<[u8; 32]> {
        Pending::known(Ok([7; 32]))
    }
    fn sweep_safety(&self) -> Pending<bool> {
        Pending::known(Ok(false))
    }
}
