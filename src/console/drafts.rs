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
}

/// Bad faith of one who reported.
#[derive(Debug, Deserialize)]
pub struct InvalidateJson {
    report: String,
    #[serde(default)]
    mute_ms: Option<u64>,
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
    /// Refuses texts that are too long, and more sanctions than there may be.
    ///
    /// # Errors
    /// That.
    pub fn fits(&self) -> Result<(), Refused> {
        fits("note", &self.note)?;
        fits("text", &self.text)?;
        fits("reporter_text", &self.reporter_text)?;
        match self.sanctions.len() > SANCTIONS {
            true => Err(Refused::Unfit(format!("more than {SANCTIONS} sanctions"))),
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
        if self.text.trim().is_empty() {
            return Err(Refused::Unfit(
                "the person is told why: text must not be empty".into(),
            ));
        }
        let changes = self.outcome == OutcomeWord::Change;
        match changes == self.sanction.is_some() {
            true => Ok(()),
            false => Err(Refused::Unfit(
                "sanction goes with the outcome `change`, and with no other".into(),
            )),
        }
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
    let unfit = || {
        Refused::Unfit(
            "address is an IP address, alone or with /32 or /24 (IPv4), /64 or /48 (IPv6)".into(),
        )
    };
    let address: IpAddr = address.parse().map_err(|_| unfit())?;
    let networks = key.networks(address);
    match bits {
        None => Ok(networks.near),
        Some(bits) => [networks.near, networks.wide]
            .into_iter()
            .find(|it| it.length.bits().to_string() == bits)
            .ok_or_else(unfit),
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
mod tests {
    use super::*;
    use crate::domain::id::Side;
    use crate::domain::safety::NetworkLength;
    use serde_json::{Value, json};

    fn parse<T: DeserializeOwned>(json: &Value) -> Result<T, Refused> {
        read(json.to_string().as_bytes())
    }

    fn raid(address: &str) -> Result<SanctionDraft, Refused> {
        let json =
            json!({"address": address, "kind": "ban", "length_ms": 3_600_000, "rule": "spam"});
        parse::<RaidJson>(&json)?.draft(&NetworkKey::new(&[7; 32]))
    }

    #[test]
    fn a_raid_names_one_of_the_networks_that_are_hashed() {
        let known = NetworkKey::new(&[7; 32]).networks("203.0.113.7".parse().unwrap());
        let of = |address: &str| raid(address).unwrap().target;
        assert_eq!(of("203.0.113.7"), SanctionTarget::Network(known.near));
        assert_eq!(of("203.0.113.7/32"), SanctionTarget::Network(known.near));
        assert_eq!(of(" 203.0.113.0/24 "), SanctionTarget::Network(known.wide));
        assert_eq!(
            of("::ffff:203.0.113.7"),
            SanctionTarget::Network(known.near)
        );
        let length = |address: &str| match of(address) {
            SanctionTarget::Network(network) => network.length,
            SanctionTarget::Session(_) => unreachable!("a network"),
        };
        assert_eq!(length("2001:db8::1"), NetworkLength::V6Link);
        assert_eq!(length("2001:db8::1/48"), NetworkLength::V6Site);
        for wrong in [
            "",
            "example",
            "203.0.113.7/16",
            "2001:db8::/32",
            "203.0.113.7/",
            "1.2.3/24",
        ] {
            assert!(matches!(raid(wrong), Err(Refused::Unfit(_))), "{wrong}");
        }
    }

    #[test]
    fn lengths_are_not_nothing_and_not_for_ever() {
        assert!(length(0).is_err());
        assert!(length(u64::MAX).is_err());
        assert_eq!(length(1).unwrap(), Duration::from_millis(1));
    }

    #[test]
    fn a_sanction_is_on_what_is_known() {
        let subject = SessionId([2; 16]);
        let networks = NetworkKey::new(&[7; 32]).networks("203.0.113.7".parse().unwrap());
        let order = |json: Value| -> SanctionOrder { serde_json::from_value(json).unwrap() };
        let draft = |json: Value, networks: Option<Networks>| {
            let reporter = |name: &str| (name == "1").then_some(SessionId([1; 16]));
            order(json).draft(&Targets {
                subject,
                networks,
                reporter: &reporter,
            })
        };
        let ban = draft(
            json!({"on": "person", "kind": "ban", "length_ms": 1000}),
            None,
        )
        .unwrap();
        assert_eq!(ban.target, SanctionTarget::Session(subject));
        assert_eq!(ban.length, Some(Duration::from_secs(1)));
        let wide = json!({"on": "network", "kind": "ban", "length_ms": 1000});
        assert!(matches!(draft(wide.clone(), None), Err(Refused::Unfit(_))));
        let wide = draft(wide, Some(networks)).unwrap();
        assert_eq!(wide.target, SanctionTarget::Network(networks.wide));
        let of = |name: &str| json!({"on": "reporter", "kind": "reporter_mute", "reporter": name});
        let mute = draft(of("1"), None).unwrap();
        assert_eq!(mute.target, SanctionTarget::Session(SessionId([1; 16])));
        assert!(draft(of("2"), None).is_err());
        let unknown = json!({"on": "person", "kind": "exile"});
        assert!(serde_json::from_value::<SanctionOrder>(unknown).is_err());
    }

    #[test]
    fn texts_have_a_length_and_an_appeal_is_answered() {
        let long = "字".repeat(TEXT_CHARS + 1);
        let decide = |text: &str| {
            let json = json!({"finding": "violation", "rule": "spam", "text": text});
            parse::<DecideJson>(&json).unwrap().fits()
        };
        assert!(decide(&long).is_err());
        assert!(decide(&long[3..]).is_ok());
        let appeal = |outcome: &str, sanction: Value, text: &str| {
            let json = json!({"outcome": outcome, "sanction": sanction, "text": text});
            parse::<AppealJson>(&json).unwrap().fits()
        };
        let mute = json!({"on": "person", "kind": "mute", "length_ms": 1000});
        assert!(appeal("uphold", Value::Null, "because").is_ok());
        assert!(appeal("uphold", Value::Null, " ").is_err());
        assert!(appeal("uphold", mute.clone(), "because").is_err());
        assert!(appeal("change", mute, "because").is_ok());
        assert!(appeal("change", Value::Null, "because").is_err());
    }

    #[test]
    fn a_case_by_hand_is_about_one_thing_and_says_who_asked() {
        let hand = |mut json: Value| {
            json["reason"] = json!("minor");
            parse::<HandJson>(&json).unwrap().about()
        };
        let session = "0123456789abcdef0123456789abcdef";
        let room = "01900000-0000-7000-8000-000000000001";
        let about = hand(json!({"session": session, "note": "the police"})).unwrap();
        assert!(matches!(about, About::Session(it) if it.0[0] == 1));
        let about = hand(json!({"room": room, "side": "b", "note": "a parent"})).unwrap();
        assert!(matches!(about, About::Side(_, Side::B)));
        for wrong in [
            json!({"session": session, "note": " "}),
            json!({"session": "x", "note": "n"}),
            json!({"session": "+123456789abcdef0123456789abcdef", "note": "n"}),
            json!({"room": room, "note": "n"}),
            json!({"room": room, "side": "c", "note": "n"}),
            json!({"room": "x", "side": "a", "note": "n"}),
            json!({"session": session, "room": room, "side": "a", "note": "n"}),
            json!({"note": "n"}),
        ] {
            assert!(hand(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
