//! The store of people's safety: reports, cases and evidence, sanctions, notices and appeals, operators, settings, the
//! audit log.
//!
//! [`SafetyStore`] is the sum of small traits, as [`Store`](super::Store) is, over the same data: a report copies entries in the transaction
//! that reads them. A backend is finished when the contract suite in `tests/it/contract/safety.rs` passes.
//!
//! What holds for every call:
//!
//! - It takes effect as one transaction or not at all, with its audit row, its notices and what else is said to
//!   come with it. After an answer all of it survives what the store's
//!   [`Durability`](super::Durability) names. After
//!   [`StoreError::Unavailable`](super::StoreError) it may or may not have taken effect.
//! - Calls take effect one after the other. Those that change a case, a sanction or an operator do so in the order of
//!   the audit log, on every node: it is the one line that they all stand in.
//! - Decisions follow the pure rules of [`crate::domain::safety`]; a backend adds none of its own.
//! - Times are by the store's clock. An act of an operator is refused unless the operator is there and not
//!   disabled, whatever was known when the request was let in.
//! - An operator who has used the site with a session ([`Operators::note_visitor`]) acts on no case that this
//!   session is the subject of, or reported in.
//! - What cannot be read of a list is left out and counted: one damaged row keeps nothing else from being seen, worked
//!   on or followed.
//! - Lists are bounded. Texts longer than the bounds of the domain are the caller's fault; a backend stores what it is given.

use std::time::Duration;

use crate::domain::id::{RoomId, SessionId, Side, Timestamp};
use crate::domain::safety::{
    Accuracy, Actor, AppealDecision, AuditDraft, AuditRow, Case, CaseClaim, CaseId, DecisionDraft,
    Evidence, Hold, MonthFigures, Networks, Notice, NoticeId, OperatorId, OwnReport, Reason,
    ReportDraft, ReportId, RowHash, Sanction, SanctionDraft, SanctionId, SanctionTarget, Setting,
    SettingName,
};
use crate::store::Pending;

pub(in crate::store) mod acts;
mod case_file;
mod operators;
mod outcome;

pub use acts::Act;
pub use case_file::{CaseFile, Decision, Step, StepKind};
pub(in crate::store) use operators::details_of;
pub use operators::{OperatorChange, Operators};
pub use outcome::{
    ActRefusal, Acted, Appealed, Claimed, Invalidated, OperatorChanged, OperatorMade,
    ReportRefusal, Reported, Revalidated, Withdrawn,
};

/// Most rows that a list answers at once, where nothing else is said.
pub const LISTED: usize = 500;

/// What visitors do: report, and look after their reports.
pub trait Reports: Send + Sync {
    /// Keeps which networks a side of this room is in, until the room is erased: the newest that is said
    /// counts. For reports alone; an unknown room changes nothing.
    fn note_networks(&self, room: RoomId, side: Side, networks: Networks) -> Pending<()>;

    /// Takes a report. In one transaction:
    ///
    /// - It joins the case of the reported session that is not closed (of kind reports or by hand), or opens one.
    /// - The entries of [`frozen`](crate::domain::safety::frozen) are copied as the room stands now, with both
    ///   personas, sessions and noted networks, into the evidence of this case and room. What is there already
    ///   stays as it was frozen first; there are at most `EXTENDED_ENTRIES`, and `EVIDENCE_ROOMS` a case. Entries
    ///   that cannot be read leave [`Evidence::damaged`] and keep nothing back.
    /// - Its weight is `weight` of the facts as of this transaction, and the case's priority, reason and number
    ///   follow from all of its standing reports.
    /// - When `automatic` says so of them and of what was done about the subject before, the subject gets a mute of an hour, marked
    ///   automatic, with its notice and audit row, and all standing reports of the case count as spent. That mute ends with its
    ///   ground, in the transaction that takes it away, with a notice: `withdraw` and `invalidate`, when the reports left do not carry
    ///   it ([`grounded`](crate::domain::safety::grounded)), `skip`, and `decide` without a violation.
    ///
    /// Idempotent: the same id again answers the same and changes nothing. A closed room can be reported until it
    /// is erased. The reported session learns nothing.
    fn report(&self, report: ReportDraft) -> Pending<Reported>;

    /// The newest reports of this session, at most 50, newest first.
    fn reports_by(&self, reporter: SessionId) -> Pending<Vec<OwnReport>>;

    /// Takes a report back: it counts in its case no more. A case of kind reports that none stands in is closed as
    /// skipped. Doing it twice is the same.
    fn withdraw(&self, reporter: SessionId, report: ReportId) -> Pending<Withdrawn>;

    /// How this reporter's last reports were decided, by the time of decision; those in the case `besides` are left out.
    fn accuracy(&self, reporter: SessionId, besides: Option<CaseId>) -> Pending<Accuracy>;
}

/// What operators do about reports.
///
/// A claim holds for [`CLAIM`](crate::domain::safety::case::CLAIM) after the last act of its owner on the case. Deciding, skipping,
/// escalating and holding need no claim, but no other operator may have one that still holds. Closing, escalating and
/// reopening end the claim.
pub trait Cases: Send + Sync {
    /// The cases that are not closed: the highest priority first, of equal ones the oldest; at most [`LISTED`]. To the
    /// priority of its standing reports that of [`CaseKind::base`](crate::domain::safety::CaseKind::base) is added.
    fn queue(&self) -> Pending<Vec<Case>>;

    /// The cases that were closed last, newest first, at most [`LISTED`].
    fn closed_cases(&self) -> Pending<Vec<Case>>;

    /// The cases that this session is the subject of, newest first, at most 50.
    fn cases_about(&self, subject: SessionId) -> Pending<Vec<Case>>;

    /// Gives this operator the first case of the queue that they may act on and that no other has a claim on;
    /// escalated ones only to administrators. `Ok(None)`: there is none, or the operator is not there or disabled.
    /// Their own claims come first. Choosing and claiming is one step.
    fn claim_next(&self, by: OperatorId) -> Pending<Option<Case>>;

    /// Gives this operator this case, or renews their claim.
    fn claim(&self, case: CaseId, by: OperatorId) -> Pending<Claimed>;

    /// Gives a claim up. One that is another's, or none, is left as it is.
    fn release(&self, case: CaseId, by: OperatorId) -> Pending<()>;

    /// A case with its reports (at most [`LISTED`], newest first) and decisions; `None` when unknown or erased. Reading is
    /// not an act: the caller records it.
    fn case(&self, case: CaseId) -> Pending<Option<CaseFile>>;

    /// What this one may do to a case now, by the rules of cases. Refused when the operator or the case is not there, and when the
    /// operator has a part in the case: then it is not theirs to read, either. Changes nothing.
    fn permitted_acts(&self, case: CaseId, by: Actor) -> Pending<Acted<Vec<Act>>>;

    /// What is kept of a room for a case; `None` when there is nothing, or nothing any more. One
    /// room at a time: a case has [`CaseFile::rooms`].
    fn evidence(&self, case: CaseId, room: RoomId) -> Pending<Option<Evidence>>;

    /// Closes a case that is no appeal. In one transaction: its reports that stand are upheld or not, the sanctions are
    /// imposed, each that is told makes a notice for its session (which must be the subject's), and each session with a
    /// standing report gets an outcome. A sanction that may not be imposed refuses all of it.
    fn decide(&self, decision: DecisionDraft) -> Pending<Acted<Vec<Sanction>>>;

    /// Closes an appeal: lifts and imposes what its outcome says and writes an outcome for the person (and a notice of
    /// what is imposed instead). By another operator than the one whose sanction it is, if there is another who is not
    /// disabled.
    fn decide_appeal(&self, decision: AppealDecision) -> Pending<Acted<Vec<Sanction>>>;

    /// Closes a case that is no appeal without a decision, whatever is wrong with its evidence. The note is kept as a [`Step`];
    /// `seen` as [`DecisionDraft::seen_reports`].
    fn skip(
        &self,
        case: CaseId,
        by: Actor,
        note: String,
        seen: Option<usize>,
    ) -> Pending<Acted<()>>;

    /// Leaves a case to the administrators. The note is kept as a [`Step`].
    fn escalate(&self, case: CaseId, by: Actor, note: String) -> Pending<Acted<()>>;

    /// Opens a closed case that is no appeal again. What was decided stays decided until it is decided anew; the sanctions hold. Should
    /// the subject have another open case, it is left alone. A case that was escalated, or that an administrator or a command decided, is
    /// opened by administrators alone; one that was escalated waits for them again.
    fn reopen(&self, case: CaseId, by: Actor) -> Pending<Acted<()>>;

    /// Opens a case without a report, about a session or about a side of a room (its newest entries are frozen, as
    /// by a report). For administrators: a moderator is refused before anything is looked up. The subject's case that is open already is answered instead: it is one by hand from then on, its own
    /// reason the worse of both, with that evidence, and the note after an empty line.
    fn open_by_hand(&self, case: HandDraft) -> Pending<Acted<CaseId>>;

    /// Holds the evidence of a case for so long from now, or no longer. A longer hold is not shortened but by `None`; what an
    /// administrator or a command ever held, only those let go. The note is kept as a [`Step`].
    fn hold(&self, case: CaseId, hold: Option<Hold>, by: Actor, note: String)
    -> Pending<Acted<()>>;

    /// All reports of this session that are undecided become invalid: they have no weight, and cases of kind reports in
    /// which none stands any more are closed as skipped. Left alone are those in cases that the operator has a part in, and
    /// for a moderator those in cases that were left to the administrators. With `mute` the reporter's coming ones count
    /// nothing for so long. `case`: where it was seen, for the audit log.
    fn invalidate(
        &self,
        reporter: SessionId,
        mute: Option<Duration>,
        case: Option<CaseId>,
        by: Actor,
    ) -> Pending<Acted<Invalidated>>;

    /// Takes [`invalidate`](Self::invalidate) back, the one by which this report became invalid: what it made invalid stands again,
    /// undecided and with the weight it had, in the cases that are open and in those that it closed, which are open again (those that
    /// were escalated wait for administrators); its mute of the reporter is lifted. A mute of the automatic step that ended with its
    /// ground stays ended. What an administrator or a command did is for administrators to take back. A report that is not invalid,
    /// or whose case was closed in another way since, is [`ActRefusal::Unfit`]. `case`: where it was seen, for the audit log.
    fn revalidate(
        &self,
        report: ReportId,
        case: Option<CaseId>,
        by: Actor,
    ) -> Pending<Acted<Revalidated>>;

    /// The reports of this case that this one may [`revalidate`](Self::revalidate), at most [`LISTED`]. Changes nothing.
    fn revalidatable(&self, case: CaseId, by: Actor) -> Pending<Vec<ReportId>>;
}

/// A case that is opened by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandDraft {
    /// Who opens it.
    pub by: Actor,
    /// What it is about.
    pub about: About,
    /// The rule.
    pub reason: Reason,
    /// Why, for operators alone.
    pub note: String,
}

/// What a case by hand is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A session, without evidence.
    Session(SessionId),
    /// The person on this side of a room that is not erased.
    Side(RoomId, Side),
}

/// Sanctions, and what people are told of them.
pub trait Sanctions: Send + Sync {
    /// Imposes a sanction outside of a decision, such as the ban of a network in a raid, with its notice. `rule` and `text` are
    /// for the notice.
    fn impose(
        &self,
        sanction: SanctionDraft,
        rule: Reason,
        text: String,
        by: Actor,
    ) -> Pending<Acted<Sanction>>;

    /// Lifts a sanction by another row, with a notice where the sanction was told, and a [`Step`] of the case that it followed from. Lifting what is lifted, or a
    /// lifting row, is [`ActRefusal::Unfit`]; what has ended by itself can be lifted.
    fn lift_sanction(
        &self,
        sanction: SanctionId,
        text: String,
        by: Actor,
    ) -> Pending<Acted<Sanction>>;

    /// The sanctions in force now that matter to connections (all but notes), in the order of their numbers, after
    /// `after`, at most [`LISTED`]; and how far the rows go as of the same read.
    fn sanctions_in_force(&self, after: SanctionId) -> Pending<InForce>;

    /// Every row after `after` in order, lifting rows too, at most [`LISTED`]. Rows become visible in the order of their
    /// numbers: no later call answers a row with a smaller number than one that was answered.
    fn sanctions_since(&self, after: SanctionId) -> Pending<Vec<Sanction>>;

    /// What this target has been sanctioned with, newest first, at most 50; lifting rows are left out.
    fn sanctions_on(&self, target: SanctionTarget) -> Pending<Vec<Sanction>>;

    /// The notices for this session, newest first, at most 50.
    fn notices(&self, to: SessionId) -> Pending<Vec<Notice>>;

    /// The sessions that notices are for which are not confirmed, with the numbers of those notices, after `after`, in order, at most
    /// [`LISTED`]. Numbers are in the order of commits, as those of sanctions.
    fn unread_since(&self, after: u64) -> Pending<Vec<(u64, SessionId)>>;

    /// The person has read this notice. True when it is theirs; doing it twice is the same, the first time counts.
    fn acknowledge(&self, to: SessionId, notice: NoticeId) -> Pending<bool>;

    /// The person says that what this notice tells of is wrong: once a sanction. Opens a case of kind appeal.
    fn appeal(&self, by: SessionId, notice: NoticeId, text: String) -> Pending<Appealed>;
}

/// A stretch of the sanctions in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// In the order of their numbers.
    pub sanctions: Vec<Sanction>,
    /// The newest row of all: what [`Sanctions::sanctions_since`] goes on from after the first stretch was read.
    pub newest: SanctionId,
    /// There are more after the last one.
    pub more: bool,
}

/// What administrators set for all nodes.
pub trait Settings: Send + Sync {
    /// All that are set, by name.
    fn settings(&self) -> Pending<Vec<Setting>>;

    /// Puts a setting in place of the one before, or takes it back (`None`), with an audit row. By an administrator or a
    /// command on the machine. With `over` only what is of this [`Setting::version`] (0: nothing stands) is replaced or taken
    /// back, else it is [`ActRefusal::Changed`]. The caller tells the other nodes.
    fn put_setting(
        &self,
        name: SettingName,
        value: Option<String>,
        over: Option<u64>,
        by: Actor,
    ) -> Pending<Acted<()>>;
}

/// The audit log.
pub trait Audit: Send + Sync {
    /// Adds a row for what has no call of its own.
    fn record(&self, row: AuditDraft) -> Pending<()>;

    /// Rows after this number, in order, at most [`LISTED`].
    fn audit(&self, after: u64) -> Pending<Vec<AuditRow>>;

    /// The newest rows, newest first, at most [`LISTED`].
    fn newest_audit(&self) -> Pending<Vec<AuditRow>>;

    /// How often the automatic step acted from this time on.
    fn automatic_since(&self, from: Timestamp) -> Pending<u64>;

    /// The number and hash of the newest row: 0 and zeros before the first. To be noted elsewhere, so that a cut end shows.
    fn audit_head(&self) -> Pending<(u64, RowHash)>;

    /// Months from this time on in which anything happened, oldest first, at most 120. From the audit log, and a count of
    /// reports by month that outlives them.
    fn figures(&self, from: Timestamp) -> Pending<Vec<MonthFigures>>;
}

/// The life of it.
pub trait SafetyUpkeep: Send + Sync {
    /// The key that hashes of networks are made with: made once, at random, and kept in the data itself. Not the session
    /// key: a new one of those must not forget who is banned.
    fn installation_key(&self) -> Pending<[u8; 32]>;

    /// One small step of time's work; true: more is due already. Erases evidence whose case has been closed for
    /// `safety.evidence_retention`, unless a hold or an appeal that waits keeps it, together with the notes, choices and claims of its
    /// reports and the case's own text. Cases that were closed `safety.record_retention` ago lose their reports, decisions and themselves
    /// likewise, unless a sanction of theirs is in force; notices and sanctions that ended as long ago go too (notes and warnings end when they are
    /// written). Ends operators'
    /// sessions unused for a day. [`Upkeep::sweep`](super::Upkeep::sweep) does none of it, and the erasure of rooms
    /// touches no evidence.
    fn sweep_safety(&self) -> Pending<bool>;
}

/// Everything above: what the composition root holds as `Arc<dyn SafetyStore>`.
pub trait SafetyStore:
    Reports + Cases + Sanctions + Operators + Settings + Audit + SafetyUpkeep
{
}

impl<T: Reports + Cases + Sanctions + Operators + Settings + Audit + SafetyUpkeep> SafetyStore
    for T
{
}
