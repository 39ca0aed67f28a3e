//! The store of people's safety on PostgreSQL: [`crate::store::safety`] says what its calls do.
//!
//! Every change stands in one line ([`mod@line`]): a transaction that has locked the head of the audit log first. So
//! changes come one after the other over all nodes, each sees all that came before it, and the rules are applied
//! to what is committed. Reads wait for nothing.
//!
//! Reading order: `migrations/postgres/V12__safety.sql` · `mod` (the calls) · `line`, `doer`, `columns` · `reports`, `automatic`,
//! `evidence` · `cases`, `decisions`, `steps`, `appeals`, `by_hand` · `sanctions` · `operators`, `login` · `settings` · `audit`, `upkeep`.

use std::time::Duration;

use self::decisions::Set;
use super::link::Params;
use super::{PostgresStore, upkeep as common};
use crate::domain::id::{RoomId, SessionId, Side, Timestamp};
use crate::domain::safety::{
    Accuracy, Actor, AppealDecision, AuditDraft, AuditRow, Case, CaseId, DecisionDraft, Evidence,
    Hold, LoginHash, MonthFigures, Networks, Notice, NoticeId, Operator, OperatorDraft, OperatorId,
    OperatorName, OperatorSession, OwnReport, Reason, ReportDraft, ReportId, RowHash, Sanction,
    SanctionDraft, SanctionId, SanctionTarget, Setting, SettingName,
};
use crate::store::Pending;
use crate::store::safety::{
    Act, Acted, Appealed, Audit, CaseFile, Cases, Claimed, HandDraft, InForce, Invalidated,
    OperatorChange, OperatorChanged, OperatorMade, Operators, Reported, Reports, Revalidated,
    SafetyUpkeep, Sanctions, Settings, Withdrawn,
};

mod appeals;
mod audit;
mod automatic;
mod by_hand;
mod cases;
mod columns;
mod decisions;
mod doer;
mod evidence;
mod line;
mod login;
mod notices;
mod operators;
mod reports;
mod revalidate;
mod sanctions;
mod settings;
mod steps;
mod upkeep;

impl Reports for PostgresStore {
    fn note_networks(&self, room: RoomId, side: Side, networks: Networks) -> Pending<()> {
        self.look(move |shared| async move {
            reports::note_networks(&shared, room, side, networks).await
        })
    }

    fn report(&self, report: ReportDraft) -> Pending<Reported> {
        self.look(move |shared| async move { reports::report(&shared, &report).await })
    }

    fn reports_by(&self, reporter: SessionId) -> Pending<Vec<OwnReport>> {
        self.look(move |shared| async move { reports::by(&shared, reporter).await })
    }

    fn withdraw(&self, reporter: SessionId, report: ReportId) -> Pending<Withdrawn> {
        self.look(move |shared| async move { reports::withdraw(&shared, reporter, report).await })
    }

    fn accuracy(&self, reporter: SessionId, besides: Option<CaseId>) -> Pending<Accuracy> {
        self.look(move |shared| async move { reports::accuracy(&shared, reporter, besides).await })
    }
}

impl Cases for PostgresStore {
    fn queue(&self) -> Pending<Vec<Case>> {
        self.look(|shared| async move { cases::list(&shared, cases::List::Queue).await })
    }

    fn closed_cases(&self) -> Pending<Vec<Case>> {
        self.look(|shared| async move { cases::list(&shared, cases::List::Closed).await })
    }

    fn cases_about(&self, subject: SessionId) -> Pending<Vec<Case>> {
        let about = cases::List::About(subject);
        self.look(move |shared| async move { cases::list(&shared, about).await })
    }

    fn claim_next(&self, by: OperatorId) -> Pending<Option<Case>> {
        self.look(move |shared| async move { cases::claim_next(&shared, by).await })
    }

    fn claim(&self, case: CaseId, by: OperatorId) -> Pending<Claimed> {
        self.look(move |shared| async move { cases::claim(&shared, case, by).await })
    }

    fn release(&self, case: CaseId, by: OperatorId) -> Pending<()> {
        self.look(move |shared| async move { cases::release(&shared, case, by).await })
    }

    fn case(&self, case: CaseId) -> Pending<Option<CaseFile>> {
        self.look(move |shared| async move { cases::file(&shared, case).await })
    }

    fn permitted_acts(&self, case: CaseId, by: Actor) -> Pending<Acted<Vec<Act>>> {
        self.look(move |shared| async move { cases::permitted(&shared, case, by).await })
    }

    fn evidence(&self, case: CaseId, room: RoomId) -> Pending<Option<Evidence>> {
        self.look(move |shared| async move { evidence::read(&shared, case, room).await })
    }

    fn decide(&self, decision: DecisionDraft) -> Pending<Acted<Vec<Sanction>>> {
        self.look(move |shared| async move { decisions::decide(&shared, &decision).await })
    }

    fn decide_appeal(&self, decision: AppealDecision) -> Pending<Acted<Vec<Sanction>>> {
        self.look(move |shared| async move { appeals::decide(&shared, &decision).await })
    }

    fn skip(
        &self,
        case: CaseId,
        by: Actor,
        note: String,
        seen: Option<usize>,
    ) -> Pending<Acted<()>> {
        let set = Set {
            act: Act::Skip,
            seen,
        };
        self.look(move |shared| async move { decisions::set(&shared, case, by, set, &note).await })
    }

    fn escalate(&self, case: CaseId, by: Actor, note: String) -> Pending<Acted<()>> {
        let set = Set::to(Act::Escalate);
        self.look(move |shared| async move { decisions::set(&shared, case, by, set, &note).await })
    }

    fn reopen(&self, case: CaseId, by: Actor) -> Pending<Acted<()>> {
        self.look(move |shared| async move {
            decisions::set(&shared, case, by, Set::to(Act::Reopen), "").await
        })
    }

    fn open_by_hand(&self, case: HandDraft) -> Pending<Acted<CaseId>> {
        self.look(move |shared| async move { by_hand::open(&shared, &case).await })
    }

    fn hold(
        &self,
        case: CaseId,
        hold: Option<Hold>,
        by: Actor,
        note: String,
    ) -> Pending<Acted<()>> {
        self.look(
            move |shared| async move { decisions::hold(&shared, case, hold, by, &note).await },
        )
    }

    fn invalidate(
        &self,
        reporter: SessionId,
        mute: Option<Duration>,
        case: Option<CaseId>,
        by: Actor,
    ) -> Pending<Acted<Invalidated>> {
        self.look(move |shared| async move {
            by_hand::invalidate(&shared, reporter, mute, case, by).await
        })
    }

    fn revalidate(
        &self,
        report: ReportId,
        case: Option<CaseId>,
        by: Actor,
    ) -> Pending<Acted<Revalidated>> {
        self.look(
            move |shared| async move { revalidate::revalidate(&shared, report, case, by).await },
        )
    }

    fn revalidatable(&self, case: CaseId, by: Actor) -> Pending<Vec<ReportId>> {
        self.look(move |shared| async move { revalidate::revalidatable(&shared, case, by).await })
    }
}

impl Sanctions for PostgresStore {
    fn impose(
        &self,
        sanction: SanctionDraft,
        rule: Reason,
        text: String,
        by: Actor,
    ) -> Pending<Acted<Sanction>> {
        self.look(move |shared| async move {
            sanctions::impose(&shared, sanction, rule, &text, by).await
        })
    }

    fn lift_sanction(
        &self,
        sanction: SanctionId,
        text: String,
        by: Actor,
    ) -> Pending<Acted<Sanction>> {
        self.look(move |shared| async move { sanctions::lift(&shared, sanction, &text, by).await })
    }

    fn sanctions_in_force(&self, after: SanctionId) -> Pending<InForce> {
        self.look(move |shared| async move { sanctions::in_force(&shared, after).await })
    }

    fn sanctions_since(&self, after: SanctionId) -> Pending<Vec<Sanction>> {
        self.look(move |shared| async move { sanctions::since(&shared, after).await })
    }

    fn sanctions_on(&self, target: SanctionTarget) -> Pending<Vec<Sanction>> {
        self.look(move |shared| async move { sanctions::on(&shared, target).await })
    }

    fn notices(&self, to: SessionId) -> Pending<Vec<Notice>> {
        self.look(move |shared| async move { notices::notices(&shared, to).await })
    }

    fn unread_since(&self, after: u64) -> Pending<Vec<(u64, SessionId)>> {
        self.look(move |shared| async move { notices::unread_since(&shared, after).await })
    }

    fn acknowledge(&self, to: SessionId, notice: NoticeId) -> Pending<bool> {
        self.look(move |shared| async move { notices::acknowledge(&shared, to, notice).await })
    }

    fn appeal(&self, by: SessionId, notice: NoticeId, text: String) -> Pending<Appealed> {
        self.look(move |shared| async move { notices::appeal(&shared, by, notice, &text).await })
    }
}

impl Operators for PostgresStore {
    fn operator_exists(&self) -> Pending<bool> {
        self.look(|shared| async move { operators::exists(&shared).await })
    }

    fn operators(&self) -> Pending<Vec<Operator>> {
        self.look(|shared| async move { operators::all(&shared).await })
    }

    fn operator_named(&self, name: OperatorName) -> Pending<Option<Operator>> {
        self.look(move |shared| async move { operators::named(&shared, &name).await })
    }

    fn make_operator(&self, operator: OperatorDraft, by: Actor) -> Pending<OperatorMade> {
        self.look(move |shared| async move { operators::make(&shared, &operator, by).await })
    }

    fn put_setup_link(&self, link: LoginHash, until: Timestamp) -> Pending<()> {
        self.look(move |shared| async move { operators::put_link(&shared, link, until).await })
    }

    fn set_up(&self, link: LoginHash, operator: OperatorDraft) -> Pending<OperatorMade> {
        self.look(move |shared| async move { operators::set_up(&shared, link, &operator).await })
    }

    fn change_operator(
        &self,
        operator: OperatorId,
        changes: Vec<OperatorChange>,
        by: Actor,
    ) -> Pending<OperatorChanged> {
        self.look(
            move |shared| async move { operators::change(&shared, operator, &changes, by).await },
        )
    }

    fn use_totp_step(&self, operator: OperatorId, step: u64) -> Pending<bool> {
        self.look(move |shared| async move { login::use_step(&shared, operator, step).await })
    }

    fn use_recovery_code(&self, operator: OperatorId, code: LoginHash) -> Pending<bool> {
        self.look(move |shared| async move { login::use_code(&shared, operator, code).await })
    }

    fn begin_session(&self, session: OperatorSession) -> Pending<bool> {
        self.look(move |shared| async move { login::begin(&shared, &session).await })
    }

    fn session(
        &self,
        hash: LoginHash,
        idle: Duration,
        longest: Duration,
    ) -> Pending<Option<(OperatorSession, Operator)>> {
        self.look(move |shared| async move { login::session(&shared, hash, idle, longest).await })
    }

    fn sessions(&self, operator: OperatorId) -> Pending<Vec<OperatorSession>> {
        self.look(move |shared| async move { login::sessions(&shared, operator).await })
    }

    fn end_sessions(&self, operator: OperatorId, which: Option<LoginHash>) -> Pending<()> {
        self.look(move |shared| async move { login::end(&shared, operator, which).await })
    }

    fn note_visitor(&self, operator: OperatorId, visitor: SessionId) -> Pending<()> {
        self.look(
            move |shared| async move { login::note_visitor(&shared, operator, visitor).await },
        )
    }
}

impl Settings for PostgresStore {
    fn settings(&self) -> Pending<Vec<Setting>> {
        self.look(|shared| async move { settings::all(&shared).await })
    }

    fn put_setting(
        &self,
        name: SettingName,
        value: Option<String>,
        over: Option<u64>,
        by: Actor,
    ) -> Pending<Acted<()>> {
        self.look(move |shared| async move {
            settings::put(&shared, name, value.as_deref(), over, by).await
        })
    }
}

impl Audit for PostgresStore {
    fn record(&self, row: AuditDraft) -> Pending<()> {
        self.look(move |shared| async move { audit::record(&shared, row).await })
    }

    fn audit(&self, after: u64) -> Pending<Vec<AuditRow>> {
        self.look(move |shared| async move { audit::after(&shared, after).await })
    }

    fn newest_audit(&self) -> Pending<Vec<AuditRow>> {
        self.look(|shared| async move { audit::newest(&shared).await })
    }

    fn automatic_since(&self, from: Timestamp) -> Pending<u64> {
        self.look(move |shared| async move { audit::automatic_since(&shared, from).await })
    }

    fn audit_head(&self) -> Pending<(u64, RowHash)> {
        self.look(|shared| async move { audit::head(&shared).await })
    }

    fn figures(&self, from: Timestamp) -> Pending<Vec<MonthFigures>> {
        self.look(move |shared| async move { audit::figures(&shared, from).await })
    }
}

impl SafetyUpkeep for PostgresStore {
    fn installation_key(&self) -> Pending<[u8; 32]> {
        self.look(|shared| async move { common::installation_key(&shared).await })
    }

    fn sweep_safety(&self) -> Pending<bool> {
        self.look(|shared| async move { upkeep::sweep(&shared).await })
    }
}
