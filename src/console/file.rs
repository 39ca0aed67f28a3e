//! A case as it is worked on: what was said of the person, what was kept, what was decided before.

use serde::Serialize;

use super::evidence::RoomJson;
use super::person::{Names, Reporters, pseudonym};
use super::row::{CaseRow, EarlierJson, Looking};
use super::sanction::{SanctionJson, strikes_first};
use crate::domain::id::Seq;
use crate::domain::safety::{
    Accuracy, Case, CaseKind, Chosen, Evidence, Finding, Report, ReportId, TextClaim, Verdict,
};
use crate::store::safety::{Act, CaseFile};

/// Most reports that are told in full.
const REPORTS: usize = 100;
/// So many bytes of notes and claims are told; reports behind them are counted.
const TEXT_BYTES: usize = 512 * 1024;

/// What a file is made of.
#[derive(Clone, Copy, Debug)]
pub struct FileParts<'a> {
    /// The case.
    pub file: &'a CaseFile,
    /// What the one who looks may do to it.
    pub acts: &'a [Act],
    /// The reports of it whose bad faith they may take back.
    pub revalidatable: &'a [ReportId],
    /// What was kept of the room that is read first.
    pub first: Option<&'a Evidence>,
    /// Cases about the same person.
    pub about: &'a [Case],
    /// How the reports of each reporter were decided, and whether they count nothing now; in the order of [`Reporters`].
    pub history: &'a [(Accuracy, bool)],
    /// Who looks, and when.
    pub looking: Looking<'a>,
}

/// The whole of a case.
#[derive(Debug, Serialize)]
pub struct FileJson<'a> {
    case: CaseRow,
    text: &'a str,
    subject: SubjectJson,
    may: Vec<&'static str>,
    targets: Vec<&'static str>,
    reports: Vec<ReportJson<'a>>,
    reports_left_out: usize,
    reporters: Vec<ReporterJson>,
    rooms: Vec<RoomJson<'a>>,
    more_rooms: Vec<String>,
    decisions: Vec<DecisionJson<'a>>,
    steps: Vec<StepJson<'a>>,
    sanctions: Vec<SanctionJson>,
    earlier: Vec<EarlierJson>,
}

#[derive(Debug, Serialize)]
struct SubjectJson {
    id: String,
}

#[derive(Debug, Serialize)]
struct ReportJson<'a> {
    id: String,
    at_ms: i64,
    reason: &'static str,
    note: &'a str,
    reporter: String,
    weight: f64,
    messages: Option<Vec<u64>>,
    claims: Vec<ClaimJson<'a>>,
    state: &'static str,
    room: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_revalidate: bool,
}

#[derive(Debug, Serialize)]
struct ClaimJson<'a> {
    seq: u64,
    content: &'a str,
    verified: bool,
}

#[derive(Debug, Serialize)]
struct ReporterJson {
    reporter: String,
    upheld: u32,
    decided: u32,
    muted: bool,
}

/// What was decided about a case once.
#[derive(Debug, Serialize)]
pub(super) struct DecisionJson<'a> {
    at_ms: i64,
    by: Option<String>,
    finding: Finding,
    rule: &'static str,
    note: &'a str,
    text: &'a str,
}

/// What was done besides deciding.
#[derive(Debug, Serialize)]
pub struct StepJson<'a> {
    at_ms: i64,
    by: Option<String>,
    kind: &'static str,
    note: &'a str,
    text: &'a str,
}

impl<'a> FileJson<'a> {
    /// Of these parts.
    pub fn of(parts: FileParts<'a>) -> Self {
        let (file, looking) = (parts.file, parts.looking);
        let reporters = Reporters::of(&file.reports);
        let reports = told(&file.reports);
        let restored = restored(&parts);
        let read = parts.first.map(|it| it.room);
        let rest = file.rooms.iter().filter(|room| Some(**room) != read);
        let history = reporters.all().iter().zip(parts.history);
        Self {
            case: CaseRow::of(&file.case, &file.sanctions, looking),
            text: &file.case.text,
            subject: SubjectJson {
                id: pseudonym(file.case.subject),
            },
            may: may(parts.acts, file, !restored.is_empty()),
            targets: targets(parts.first, file),
            reports: reports
                .iter()
                .map(|it| report(it, &reporters, restored.contains(&it.id)))
                .collect(),
            reports_left_out: file.reports.len() - reports.len(),
            reporters: history
                .map(|(who, (accuracy, muted))| ReporterJson {
                    reporter: reporters.name(*who),
                    upheld: accuracy.upheld,
                    decided: accuracy.decided,
                    muted: *muted,
                })
                .collect(),
            rooms: parts
                .first
                .map(|it| RoomJson::of(it, file.case.subject, &file.reports, Seq(0)))
                .into_iter()
                .collect(),
            more_rooms: rest.map(|room| room.0.to_string()).collect(),
            decisions: decisions(file, looking.names),
            steps: steps(file, looking.names),
            sanctions: strikes_first(&file.sanctions, looking.names, looking.now),
            earlier: earlier(parts.about, &file.case),
        }
    }
}

/// The newest reports, as many as an answer has room for.
fn told(reports: &[Report]) -> &[Report] {
    let mut bytes = 0;
    let fits = reports.iter().take(REPORTS).take_while(|it| {
        let claims: usize = it.claims.iter().map(|it| it.content.len()).sum();
        bytes += it.note.len() + claims;
        bytes <= TEXT_BYTES
    });
    let most = fits.count();
    &reports[..most]
}

fn report<'a>(report: &'a Report, reporters: &Reporters, may_revalidate: bool) -> ReportJson<'a> {
    ReportJson {
        id: report.id.to_string(),
        at_ms: report.at.0,
        reason: report.reason.as_str(),
        note: &report.note,
        reporter: reporters.name(report.reporter),
        weight: weight(report),
        messages: messages(report),
        claims: report.claims.iter().map(claim).collect(),
        state: state(report),
        room: report.room.0.to_string(),
        may_revalidate,
    }
}

fn claim(claim: &TextClaim) -> ClaimJson<'_> {
    ClaimJson {
        seq: claim.seq.0,
        content: &claim.content,
        verified: claim.verified,
    }
}

/// The numbers of the messages that were reported; `None`: all of the conversation.
pub(super) fn messages(report: &Report) -> Option<Vec<u64>> {
    match &report.chosen {
        Chosen::All => None,
        Chosen::Messages(seqs) => Some(seqs.iter().map(|it| it.0).collect()),
    }
}

/// How much a report counts, where an ordinary one is 1.
pub(super) fn weight(report: &Report) -> f64 {
    f64::from(report.weight.0) / 1000.0
}

/// What became of a report, as operators see it.
pub fn state(report: &Report) -> &'static str {
    match (report.withdrawn, report.verdict) {
        (Some(_), _) => "withdrawn",
        (None, None) => "standing",
        (None, Some(Verdict::Upheld)) => "upheld",
        (None, Some(Verdict::NotUpheld)) => "not_upheld",
        (None, Some(Verdict::Invalid)) => "invalid",
    }
}

/// What can be done now, as the page names it. Bad faith is said of reports that are not decided.
fn may(acts: &[Act], file: &CaseFile, revalidates: bool) -> Vec<&'static str> {
    let mut may: Vec<&'static str> = acts
        .iter()
        .map(|act| match act {
            Act::Claim => "claim",
            Act::Decide => "decide",
            Act::DecideAppeal => "appeal",
            Act::Skip => "skip",
            Act::Escalate => "escalate",
            Act::Reopen => "reopen",
            Act::Hold => "hold",
            Act::EndHold => "end_hold",
        })
        .collect();
    let undecided = file
        .reports
        .iter()
        .any(|it| it.stands() && it.verdict.is_none());
    if acts.contains(&Act::Decide) && undecided {
        may.push("invalidate");
    }
    if revalidates {
        may.push("revalidate");
    }
    may
}

/// The reports whose bad faith can be taken back here: who may do that to a report may do it in a case that they may decide, or
/// open again.
fn restored<'a>(parts: &FileParts<'a>) -> &'a [ReportId] {
    let acts = parts.acts;
    match acts.contains(&Act::Decide) || acts.contains(&Act::Reopen) {
        true => parts.revalidatable,
        false => &[],
    }
}

/// What a sanction can be on: networks are known of those who were seen while the site had an operator.
fn targets(first: Option<&Evidence>, file: &CaseFile) -> Vec<&'static str> {
    let known = first.is_some_and(|it| {
        let side = super::evidence::subject_side(it, file.case.subject, &file.reports);
        it.networks[side.index()].is_some()
    });
    let appeal = matches!(file.case.kind, CaseKind::Appeal(_));
    match known && !appeal {
        true => vec!["person", "address", "network"],
        false => vec!["person"],
    }
}

/// What was decided about a case so far.
pub(super) fn decisions<'a>(file: &'a CaseFile, names: &Names) -> Vec<DecisionJson<'a>> {
    let all = file.decisions.iter();
    all.map(|it| DecisionJson {
        at_ms: it.at.0,
        by: names.name(it.by),
        finding: it.finding,
        rule: it.rule.as_str(),
        note: &it.note,
        text: &it.text,
    })
    .collect()
}

/// What was done in a case besides deciding it, newest first.
pub fn steps<'a>(file: &'a CaseFile, names: &Names) -> Vec<StepJson<'a>> {
    let all = file.steps.iter();
    all.map(|it| StepJson {
        at_ms: it.at.0,
        by: names.name(it.by),
        kind: it.kind.as_str(),
        note: &it.note,
        text: &it.text,
    })
    .collect()
}

fn earlier(about: &[Case], this: &Case) -> Vec<EarlierJson> {
    let others = about.iter().filter(|it| it.id != this.id);
    others.map(EarlierJson::of).collect()
}

#[cfg(test)]
mod tests;
