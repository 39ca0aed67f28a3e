//! All of a case as one file, for a court or an authority: an archive in JSON. Each part is the text of a file of its
//! own, so that its SHA-256 in the manifest can be checked by any program without knowing how we write JSON.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::evidence::RoomJson;
use super::file::{DecisionJson, StepJson, decisions, messages, state, steps, weight};
use super::person::{Names, pseudonym};
use super::refusal::Refused;
use super::row::{CaseRow, Looking};
use super::sanction::SanctionJson;
use crate::domain::id::{RoomId, Seq, SessionId, Timestamp};
use crate::domain::safety::{Evidence, Report};
use crate::store::safety::CaseFile;

/// Once so many bytes are in a file, no room is added to it; those behind are named, and exported by themselves.
const BYTES: usize = 4 * 1024 * 1024;

/// A file that is being filled.
#[derive(Debug)]
pub struct Export {
    case: u64,
    at: Timestamp,
    parts: Vec<Part>,
    bytes: usize,
    left_out: Vec<String>,
}

#[derive(Debug)]
struct Part {
    name: String,
    text: String,
}

#[derive(Serialize)]
struct FileJson<'a> {
    format: &'static str,
    case: u64,
    exported_at_ms: i64,
    manifest: ManifestJson<'a>,
    parts: std::collections::BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct ManifestJson<'a> {
    algorithm: &'static str,
    parts: Vec<LineJson<'a>>,
    /// Rooms that are exported by themselves, for want of space.
    rooms_left_out: &'a [String],
}

#[derive(Serialize)]
struct LineJson<'a> {
    name: &'a str,
    bytes: usize,
    sha256: String,
}

#[derive(Serialize)]
struct CaseJson<'a> {
    case: CaseRow,
    text: &'a str,
    subject: PersonJson,
    decisions: Vec<DecisionJson<'a>>,
    steps: Vec<StepJson<'a>>,
    sanctions: Vec<SanctionJson>,
    rooms: Vec<String>,
}

/// A person, with the number of their cookie: what the site knows of them.
#[derive(Serialize)]
struct PersonJson {
    id: String,
    session: String,
}

#[derive(Serialize)]
struct ReportJson<'a> {
    id: String,
    at_ms: i64,
    room: String,
    reporter: PersonJson,
    reason: &'static str,
    note: &'a str,
    messages: Option<Vec<u64>>,
    claims: &'a [crate::domain::safety::TextClaim],
    weight: f64,
    both_came: bool,
    state: &'static str,
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    #[serde(flatten)]
    room: RoomJson<'a>,
    people: [PersonJson; 2],
}

impl Export {
    /// With the case, its reports and what was decided.
    pub fn of(file: &CaseFile, names: &Names, now: Timestamp) -> Self {
        let mut export = Self {
            case: file.case.id.0,
            at: now,
            parts: Vec::new(),
            bytes: 0,
            left_out: Vec::new(),
        };
        let looking = Looking {
            names,
            me: None,
            now,
        };
        let sanctions = file.sanctions.iter();
        export.add(
            "case.json",
            &CaseJson {
                case: CaseRow::of(&file.case, &file.sanctions, looking),
                text: &file.case.text,
                subject: person(file.case.subject),
                decisions: decisions(file, names),
                steps: steps(file, names),
                sanctions: sanctions
                    .map(|it| SanctionJson::of(it, names, now))
                    .collect(),
                rooms: file.rooms.iter().map(|it| it.0.to_string()).collect(),
            },
        );
        let reports: Vec<ReportJson<'_>> = file.reports.iter().map(report).collect();
        export.add("reports.json", &reports);
        export
    }

    /// Adds what was kept of a room: in several parts where it is long.
    pub fn room(&mut self, evidence: &Evidence, file: &CaseFile) {
        let mut after = Seq(0);
        for part in 1_usize.. {
            let room = RoomJson::of(evidence, file.case.subject, &file.reports, after);
            let next = room.next();
            let name = format!("evidence/{}-{part}.json", evidence.room.0);
            let people = evidence.sessions.map(person);
            self.add(&name, &EvidenceJson { room, people });
            match next {
                Some(seq) => after = seq,
                None => break,
            }
        }
    }

    /// Names a room that is not in this file.
    pub fn leave_out(&mut self, room: RoomId) {
        self.left_out.push(room.0.to_string());
    }

    /// Whether another room may be added.
    pub fn has_space(&self) -> bool {
        self.bytes < BYTES
    }

    fn add(&mut self, name: &str, value: &impl Serialize) {
        let text = serde_json::to_string(value).expect("our types encode");
        self.bytes += text.len();
        self.parts.push(Part {
            name: name.to_owned(),
            text,
        });
    }

    /// The file, and the SHA-256 of it, which the audit log is told.
    pub fn finish(self) -> (Vec<u8>, String) {
        let lines = self.parts.iter().map(|part| LineJson {
            name: &part.name,
            bytes: part.text.len(),
            sha256: sha256(part.text.as_bytes()),
        });
        let parts = self.parts.iter();
        let file = serde_json::to_vec(&FileJson {
            format: "miyu case 1",
            case: self.case,
            exported_at_ms: self.at.0,
            manifest: ManifestJson {
                algorithm: "SHA-256",
                parts: lines.collect(),
                rooms_left_out: &self.left_out,
            },
            parts: parts
                .map(|it| (it.name.as_str(), it.text.as_str()))
                .collect(),
        });
        let file = file.expect("our types encode");
        let hash = sha256(&file);
        (file, hash)
    }
}

/// The rooms that are meant: all of a case, or this one of them.
///
/// # Errors
/// The case has no such room.
pub fn rooms(file: &CaseFile, only: Option<RoomId>) -> Result<Vec<RoomId>, Refused> {
    match only {
        None => Ok(file.rooms.clone()),
        Some(room) if file.rooms.contains(&room) => Ok(vec![room]),
        Some(_) => Err(Refused::NotFound),
    }
}

fn person(session: SessionId) -> PersonJson {
    PersonJson {
        id: pseudonym(session),
        session: hex(&session.0),
    }
}

fn report(report: &Report) -> ReportJson<'_> {
    ReportJson {
        id: report.id.to_string(),
        at_ms: report.at.0,
        room: report.room.0.to_string(),
        reporter: person(report.reporter),
        reason: report.reason.as_str(),
        note: &report.note,
        messages: messages(report),
        claims: &report.claims,
        weight: weight(report),
        both_came: report.met,
        state: state(report),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
