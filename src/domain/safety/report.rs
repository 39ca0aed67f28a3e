//! A report: one session says that another broke a rule, in a room that both were in.

use serde::{Deserialize, Serialize};

use super::id::{CaseId, ReportId};
use super::network::{NetworkHash, Networks};
use super::reason::Reason;
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};

/// Longest note of a report, in Unicode scalar values.
pub const NOTE_CHARS: usize = 1000;
/// Most messages that a report chooses; more are the whole conversation.
pub const CHOSEN: usize = 200;
/// Most claims of a report.
pub const CLAIMS: usize = 50;
/// Most reports that a session can have standing, undecided, at a time. One that was withdrawn counts for a day
/// ([`WITHDRAWN_COUNTS`]): what it froze is kept, so that to report and withdraw in turns would fill the store.
pub const STANDING: usize = 20;
/// See [`STANDING`].
pub const WITHDRAWN_COUNTS: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// Most undecided reports that come from one wide network, among the newest [`NETWORK_LOOK`]: however many browsers one
/// person has, the queue stays one that can be read.
pub const NETWORK_STANDING: usize = 100;
/// How many of the newest reports of the site are looked at for that.
pub const NETWORK_LOOK: usize = 10_000;

/// What a report is about within its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The conversation as such: the newest entries are kept.
    All,
    /// These messages, at most [`CHOSEN`]: they and what stands around them are kept. What names no entry of the
    /// room is passed over.
    Messages(Vec<Seq>),
}

/// The text that a message is said to have had before it was recalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextClaim {
    /// The message.
    pub seq: Seq,
    /// What it said.
    pub content: String,
    /// The proof that came with it is right.
    pub verified: bool,
}

/// A report as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportDraft {
    /// Chosen before, so that sending it again is idempotent.
    pub id: ReportId,
    /// Who reports.
    pub reporter: SessionId,
    /// Where.
    pub room: RoomId,
    /// The reporter's own side there; the other side is reported.
    pub side: Side,
    /// The rule.
    pub reason: Reason,
    /// In the reporter's words, at most [`NOTE_CHARS`]; may be empty.
    pub note: String,
    /// About what.
    pub chosen: Chosen,
    /// Of messages that were recalled since, at most [`CLAIMS`].
    pub claims: Vec<TextClaim>,
    /// Where the reporter is; `None` when no address is known.
    pub networks: Option<Networks>,
}

/// How much a report counts, in thousandths: 1,000 for a reporter about whose reports nothing is known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Weight(pub u32);

impl Weight {
    /// Of a reporter about whose reports nothing is known.
    pub const ONE: Self = Self(1000);
    /// The least that a report weighs which counts. So light a report is read by people and asks nothing of a machine.
    pub const LEAST: Self = Self(250);
}

/// Where a case stands in the queue: the sum of weight × [`Reason::severity_halves`] over those of its standing
/// reports that count ([`Standing`]).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Priority(pub u64);

/// How a reporter's last reports were decided: at most twenty, those decided last. Reports that were withdrawn, that
/// were set aside without a decision, or whose decision was overturned are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// A rule was found broken.
    pub upheld: u32,
    /// All that count.
    pub decided: u32,
}

/// How many decided reports an [`Accuracy`] looks at.
pub const ACCURACY_REPORTS: usize = 20;
/// For how long after being reported a report about the one who did counts little. Only a report that weighs more than
/// [`Weight::LEAST`] makes the answer one: else reporting first, before a word was said, would be a shield.
pub const RETALIATION: std::time::Duration = std::time::Duration::from_secs(60);

/// What a report's weight follows from. The store looks all of it up in the transaction of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeightFacts {
    /// Of the reporter, as of now.
    pub accuracy: Accuracy,
    /// The reporter's reports count nothing ([`super::SanctionKind::ReporterMute`] is in force).
    pub muted: bool,
    /// The reported session reported the reporter within [`RETALIATION`] before, and has not withdrawn it.
    pub retaliation: bool,
    /// The reported session had said nothing in the room that the reporter heard. What was recalled since was said.
    pub silent: bool,
}

/// A standing report of a case, as the order of the queue and the automatic step look at it. Of one reporter, and of one
/// network, only what weighs most counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who reported.
    pub reporter: SessionId,
    /// The wide network that the report came from; `None` when it was not known.
    pub network: Option<NetworkHash>,
    /// As it was when it arrived.
    pub weight: Weight,
    /// The rule.
    pub reason: Reason,
    /// When it arrived.
    pub at: Timestamp,
    /// Both sides of the room had come there.
    pub met: bool,
    /// An automatic step rested on it before.
    pub spent: bool,
}

/// The worst rule that these reports name: the one of the highest severity, of equal ones that with the lowest code.
pub fn worst(standing: &[Standing]) -> Option<Reason> {
    standing.iter().map(|it| it.reason).reduce(Reason::worse)
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A rule was found broken.
    Upheld,
    /// None was.
    NotUpheld,
    /// It was made in bad faith: it counts as not upheld, and nothing in the case.
    Invalid,
}

/// A report as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub id: ReportId,
    /// The case that it belongs to.
    pub case: CaseId,
    /// Who reported.
    pub reporter: SessionId,
    /// Who is reported.
    pub reported: SessionId,
    /// Where.
    pub room: RoomId,
    /// The reported side.
    pub side: Side,
    /// The rule.
    pub reason: Reason,
    /// In the reporter's words. Erased with the evidence.
    pub note: String,
    /// About what. Erased with the evidence (then [`Chosen::All`]).
    pub chosen: Chosen,
    /// Of messages that were recalled. Erased with the evidence.
    pub claims: Vec<TextClaim>,
    /// How much it counts; written when it arrived, 0 once it is invalid.
    pub weight: Weight,
    /// Both sides of the room had come there.
    pub met: bool,
    /// When it arrived.
    pub at: Timestamp,
    /// When the reporter withdrew it.
    pub withdrawn: Option<Timestamp>,
    /// What became of it.
    pub verdict: Option<Verdict>,
}

impl Report {
    /// It counts in its case.
    pub fn stands(&self) -> bool {
        self.withdrawn.is_none() && self.verdict != Some(Verdict::Invalid)
    }
}

/// A report as the one who made it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnReport {
    /// Its name.
    pub id: ReportId,
    /// Where.
    pub room: RoomId,
    /// The rule.
    pub reason: Reason,
    /// When it arrived.
    pub at: Timestamp,
    /// What became of it.
    pub state: OwnReportState,
}

/// What became of a report, as far as the one who made it is told. That it was found to be in bad faith looks like
/// having been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnReportState {
    /// Not looked at to the end; it can be withdrawn.
    Open,
    /// The reporter took it back.
    Withdrawn,
    /// It was looked at.
    Decided {
        /// A rule was found broken.
        acted: bool,
    },
}
