//! Sanctions as operators see them.

use std::time::Duration;

use serde::Serialize;

use super::person::{Names, pseudonym};
use crate::domain::id::Timestamp;
use crate::domain::safety::{NetworkLength, Role, Sanction, SanctionKind, SanctionTarget};

/// What was decided within this time before counts as a strike.
const STRIKES: Duration = Duration::from_secs(90 * 24 * 3600);

/// A sanction.
#[derive(Debug, Serialize)]
pub struct SanctionJson {
    id: u64,
    /// `person`, `address` or `network`.
    target: &'static str,
    /// Of a person: what they are called in the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    kind: SanctionKind,
    rule: &'static str,
    at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
    lifted: bool,
    in_force: bool,
    automatic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    /// The one who looks can lift it now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_lift: bool,
}

impl SanctionJson {
    /// As it is now.
    pub fn of(sanction: &Sanction, names: &Names, now: Timestamp) -> Self {
        Self {
            id: sanction.id.0,
            target: target_word(sanction.target),
            subject: match sanction.target {
                SanctionTarget::Session(session) => Some(pseudonym(session)),
                SanctionTarget::Network(_) => None,
            },
            kind: sanction.kind,
            rule: sanction.rule.as_str(),
            at_ms: sanction.at.0,
            until_ms: sanction.until.map(|it| it.0),
            lifted: sanction.lifted_by.is_some(),
            in_force: sanction.in_force(now),
            automatic: sanction.automatic,
            by: names.name(sanction.by),
            case: sanction.case.map(|it| it.0),
            may_lift: false,
        }
    }

    /// As one of this role sees it.
    pub fn seen_by(sanction: &Sanction, role: Role, names: &Names, now: Timestamp) -> Self {
        let holds = sanction.lifted_by.is_none() && sanction.lifts.is_none();
        Self {
            may_lift: holds && may_lift(sanction, role, names),
            ..Self::of(sanction, names, now)
        }
    }
}

/// Whether one of this role may lift a sanction. What is on a network, and what an administrator or a command imposed, no moderator
/// lifts: there is the appeal.
pub fn may_lift(sanction: &Sanction, role: Role, names: &Names) -> bool {
    let by_administrator = match sanction.by {
        Some(by) => names.role(by) == Some(Role::Administrator),
        None => !sanction.automatic,
    };
    let of_network = matches!(sanction.target, SanctionTarget::Network(_));
    role >= Role::Administrator || !(by_administrator || of_network)
}

/// The word for what a sanction is on.
pub fn target_word(target: SanctionTarget) -> &'static str {
    match target {
        SanctionTarget::Session(_) => "person",
        SanctionTarget::Network(network) => match network.length {
            NetworkLength::V4Address | NetworkLength::V6Link => "address",
            NetworkLength::V4Block | NetworkLength::V6Site => "network",
        },
    }
}

/// Whether it counts against the person: an operator told them of it within the last ninety days, and it stands. A warning
/// under the rule of self-harm is how a person is written to that others worry about, and counts nothing.
pub fn is_strike(sanction: &Sanction, now: Timestamp) -> bool {
    sanction.kind.is_told()
        && !sanction.is_care()
        && !sanction.automatic
        && sanction.lifted_by.is_none()
        && now.since(sanction.at) < STRIKES
}

/// How many strikes these are.
pub fn strikes(sanctions: &[Sanction], now: Timestamp) -> usize {
    sanctions.iter().filter(|it| is_strike(it, now)).count()
}

/// Strikes first, then the rest; each newest first, as they come.
pub fn strikes_first(sanctions: &[Sanction], names: &Names, now: Timestamp) -> Vec<SanctionJson> {
    let (strikes, others): (Vec<&Sanction>, Vec<&Sanction>) =
        sanctions.iter().partition(|it| is_strike(it, now));
    let all = strikes.into_iter().chain(others);
    all.map(|it| SanctionJson::of(it, names, now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SessionId;
    use crate::domain::safety::{Reason, SanctionId};

    const NOW: Timestamp = Timestamp(100 * 24 * 3_600_000);

    fn days_ago(days: i64, kind: SanctionKind) -> Sanction {
        Sanction {
            id: SanctionId(days.unsigned_abs()),
            target: SanctionTarget::Session(SessionId([1; 16])),
            kind,
            rule: Reason::Spam,
            at: Timestamp(NOW.0 - days * 24 * 3_600_000),
            until: None,
            lifts: None,
            lifted_by: None,
            automatic: false,
            by: None,
            case: None,
        }
    }

    #[test]
    fn what_was_told_stands_and_is_not_old_is_a_strike() {
        let warned = days_ago(89, SanctionKind::Warning);
        let lifted = Sanction {
            lifted_by: Some(SanctionId(200)),
            ..warned
        };
        let automatic = Sanction {
            automatic: true,
            ..warned
        };
        let old = days_ago(90, SanctionKind::Ban);
        let quiet = days_ago(1, SanctionKind::ShadowMute);
        let care = Sanction {
            rule: Reason::SelfHarm,
            ..days_ago(2, SanctionKind::Warning)
        };
        assert!(!is_strike(&care, NOW));
        let muted = Sanction {
            rule: Reason::SelfHarm,
            ..days_ago(2, SanctionKind::Mute)
        };
        assert!(is_strike(&muted, NOW));
        let all = [quiet, warned, lifted, automatic, old];
        assert_eq!(strikes(&all, NOW), 1);
        let shown = strikes_first(&all, &Names::default(), NOW);
        let ids: Vec<u64> = shown.iter().map(|it| it.id).collect();
        assert_eq!(ids, [89, 1, 89, 89, 90]);
    }
}
