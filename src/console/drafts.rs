//! What operators order, parsed from JSON: valid from then on. Whether they may is the store's to say; what no operator
//! may is refused here, with what is wrong about it.

use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::evidence::side_named;
use super::refusal::Refused;
use crate::domain::id::{RoomId, SessionId};
use crate::domain::safety::decision::{SANCTIONS, TEXT_CHARS};
use crate::domain::safety::{
    Finding, Hold, NetworkHash, NetworkKey, Networks, Reason, ReportId, SanctionDraft,
    SanctionKind, SanctionTarget,
};
use crate::store::safety::About;

/// No sanction with an end is longer; without an end is another thing.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A decision about reports.
#[derive(Debug, Deserialize)]
pub struct DecideJson {
    pub(super) finding: Finding,
    pub(super) rule: Reason,
    #[serde(default)]
    pub(super) note: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) reporter_text: String,
    #[serde(default)]
    pub(super) sanctions: Vec<SanctionOrder>,
    #[serde(default)]
    pub(super) seen_reports: Option<usize>,
}

/// A sanction that is to be.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
pub struct SanctionOrder {
    /// On what.
    pub on: On,
    /// What.
    pub kind: SanctionKind,
    /// For how long; without: without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_ms: Option<u64>,
    /// With `reporter`: which, by their name in this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter: Option<String>,
}

/// What a sanction is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// The person that the case is about.
    Person,
    /// Their address: /32 or /64.
    Address,
    /// Their network: /24 or /48.
    Network,
    /// One who reported.
    Reporter,
}

/// A decision about an appeal.
#[derive(Debug, Deserialize)]
pub struct AppealJson {
    pub(super) outcome: OutcomeWord,
    #[serde(default)]
    pub(super) sanction: Option<SanctionOrder>,
    #[serde(default)]
    pub(super) note: String,
    pub(super) text: String,
}

/// What becomes of a sanction that is appealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// It stays.
    Uphold,
    /// Another takes its place.
    Change,
    /// It is lifted.
    Overturn,
}

/// How long evidence is held.
#[derive(Debug, Deserialize)]
pub struct HoldJson {
    pub(super) hold: Option<Hold>,
    #[serde(default)]
    pub(super) note: String,
}

/// What is written down of an act that has no words of its own.
#[derive(Debug, Default, Deserialize)]
pub struct NoteJson {
    #[serde(default)]
    pub(super) note: String,
    #[serde(default)]
    pub(super) seen_reports: Option<usize>,
}

/// Bad faith of one who reported.
#[derive(Debug, Deserialize)]
pub struct InvalidateJson {
    report: String,
    #[serde(default)]
    mute_ms: Option<u64>,
}

/// The act by which this report became invalid was a mistake.
#[derive(Debug, Deserialize)]
pub struct RevalidateJson {
    report: String,
}

/// A case without a report.
#[derive(Debug, Deserialize)]
pub struct HandJson {
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    room: Option<String>,
    #[serde(default)]
    side: Option<String>,
    pub(super) reason: Reason,
    #[serde(default)]
    pub(super) note: String,
}

/// The text with which a sanction is lifted.
#[derive(Debug, Deserialize)]
pub struct LiftJson {
    #[serde(default)]
    pub(super) text: String,
}

/// A sanction on a network, in a raid.
#[derive(Debug, Deserialize)]
pub struct RaidJson {
    address: String,
    kind: SanctionKind,
    length_ms: u64,
    pub(super) rule: Reason,
    #[serde(default)]
    pub(super) text: String,
}

/// Reads a body.
///
/// # Errors
/// It is not of this form; what is said of it is for the operator who sent it.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::Unfit(error.to_string()))
}

/// Refuses a text that is too long.
pub fn fits(what: &str, text: &str) -> Result<(), Refused> {
    match text.chars().nth(TEXT_CHARS) {
        Some(_) => Err(Refused::Unfit(format!(
            "{what} is longer than {TEXT_CHARS} characters"
        ))),
        None => Ok(()),
    }
}

/// Refuses to tell a person something without a word.
pub fn says(text: &str) -> Result<(), Refused> {
    match text.trim().is_empty() {
        true => Err(Refused::Unfit(
            "the person is told of this: text must not be empty".into(),
        )),
        false => Ok(()),
    }
}

/// What the sanctions of a decision can be on.
pub struct Targets<'a> {
    /// The person that the case is about.
    pub subject: SessionId,
    /// Where they were, if that is known.
    pub networks: Option<Networks>,
    /// The one who reported under this name.
    pub reporter: &'a dyn Fn(&str) -> Option<SessionId>,
}

impl SanctionOrder {
    /// On one of these.
    ///
    /// # Errors
    /// What it is on is not known, or its length is none.
    pub fn draft(&self, targets: &Targets<'_>) -> Result<SanctionDraft, Refused> {
        let network = |of: fn(Networks) -> NetworkHash| {
            let known = targets.networks.map(of).map(SanctionTarget::Network);
            known.ok_or_else(|| Refused::Unfit("the person's network is not known".into()))
        };
        let target = match self.on {
            On::Person => SanctionTarget::Session(targets.subject),
            On::Address => network(|it| it.near)?,
            On::Network => network(|it| it.wide)?,
            On::Reporter => {
                let name = self.reporter.as_deref().unwrap_or_default();
                let found = (targets.reporter)(name);
                SanctionTarget::Session(
                    found
                        .ok_or_else(|| Refused::Unfit("no such reporter is in this case".into()))?,
                )
            }
        };
        Ok(SanctionDraft {
            target,
            kind: self.kind,
            length: self.length_ms.map(length).transpose()?,
        })
    }
}

impl DecideJson {
    /// Refuses texts that are too long, more sanctions than there may be, and to tell the person without a word.
    ///
    /// # Errors
    /// That.
    pub fn fits(&self) -> Result<(), Refused> {
        fits("note", &self.note)?;
        fits("text", &self.text)?;
        fits("reporter_text", &self.reporter_text)?;
        if self.sanctions.len() > SANCTIONS {
            return Err(Refused::Unfit(format!("more than {SANCTIONS} sanctions")));
        }
        let told = |it: &SanctionOrder| it.on == On::Person && it.kind.is_told();
        match self.sanctions.iter().any(told) {
            true => says(&self.text),
            false => Ok(()),
        }
    }
}

impl AppealJson {
    /// Refuses texts that are too long or missing, and an outcome whose sanction does not go with it.
    ///
    /// # Errors
    /// That.
    pub fn fits(&self) -> Result<(), Refused> {
        fits("note", &self.note)?;
        fits("text", &self.text)?;
        says(&self.text)?;
        let changes = self.outcome == OutcomeWord::Change;
        match changes == self.sanction.is_some() {
            true => Ok(()),
            false => Err(Refused::Unfit(
                "sanction goes with the outcome `change`, and with no other".into(),
            )),
        }
    }
}

impl RevalidateJson {
    /// Which report.
    ///
    /// # Errors
    /// It names none.
    pub fn parse(&self) -> Result<ReportId, Refused> {
        ReportId::parse(&self.report).ok_or(Refused::NotFound)
    }
}

impl InvalidateJson {
    /// Whose reports, and for how long their coming ones count nothing.
    ///
    /// # Errors
    /// It names no report, or no length.
    pub fn parse(&self) -> Result<(ReportId, Option<Duration>), Refused> {
        let report = ReportId::parse(&self.report).ok_or(Refused::NotFound)?;
        Ok((report, self.mute_ms.map(length).transpose()?))
    }
}

impl HandJson {
    /// What it is about.
    ///
    /// # Errors
    /// It names neither a session nor a side of a room, or both; or the note is too long or missing.
    pub fn about(&self) -> Result<About, Refused> {
        fits("note", &self.note)?;
        if self.note.trim().is_empty() {
            return Err(Refused::Unfit(
                "the note says who asked for it and why: it must not be empty".into(),
            ));
        }
        match (&self.session, &self.room) {
            (Some(session), None) => session_named(session)
                .map(About::Session)
                .ok_or(Refused::NotFound),
            (None, Some(room)) => {
                let room = RoomId::parse(room).ok_or(Refused::NotFound)?;
                let side = self.side.as_deref().and_then(side_named);
                let side = side.ok_or_else(|| Refused::Unfit("side is \"a\" or \"b\"".into()))?;
                Ok(About::Side(room, side))
            }
            _ => Err(Refused::Unfit(
                "it is about either a session or a room with a side".into(),
            )),
        }
    }
}

impl RaidJson {
    /// The network under this key, and what on it.
    ///
    /// # Errors
    /// It names no network that sanctions can be on, or no length.
    pub fn draft(&self, key: &NetworkKey) -> Result<SanctionDraft, Refused> {
        fits("text", &self.text)?;
        Ok(SanctionDraft {
            target: SanctionTarget::Network(network(&self.address, key)?),
            kind: self.kind,
            length: Some(length(self.length_ms)?),
        })
    }
}

/// A session as an export has it: 32 hexadecimal digits.
pub fn session_named(hex: &str) -> Option<SessionId> {
    let number = u128::from_str_radix(hex, 16).ok()?;
    let plain = hex.len() == 32 && hex.bytes().all(|it| it.is_ascii_hexdigit());
    plain.then(|| SessionId(number.to_be_bytes()))
}

/// An address, or one of the networks that are hashed: /32 and /24, /64 and /48.
fn network(text: &str, key: &NetworkKey) -> Result<NetworkHash, Refused> {
    let (address, bits) = match text.trim().split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text.trim(), None),
    };
    let address: IpAddr = address.parse().map_err(|_| Refused::NoNetwork)?;
    let networks = key.networks(address);
    match bits {
        None => Ok(networks.near),
        Some(bits) => [networks.near, networks.wide]
            .into_iter()
            .find(|it| it.length.bits().to_string() == bits)
            .ok_or(Refused::NoNetwork),
    }
}

fn length(ms: u64) -> Result<Duration, Refused> {
    let length = Duration::from_millis(ms);
    match length.is_zero() || length > LONGEST {
        true => Err(Refused::Unfit(
            "a length is between one millisecond and ten years".into(),
        )),
        false => Ok(length),
    }
}

#[cfg(test)]
mod tests;
