//! What is set for all people at once: a notice, maintenance. Kept as settings; the doors read them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::drafts::fits;
use super::refusal::Refused;
use crate::domain::id::Timestamp;

/// Neither lasts longer.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// Most languages of a text, and longest name of one, in bytes.
const LANGUAGES: usize = 20;
const TAG_BYTES: usize = 40;

/// A text, by language.
type Texts = BTreeMap<String, String>;

/// What an administrator orders.
#[derive(Debug, Deserialize)]
pub struct OrderJson {
    #[serde(default)]
    texts: Texts,
    length_ms: u64,
    /// Which one it is to replace.
    #[serde(default)]
    pub version: Option<u64>,
}

/// A notice to all people.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Broadcast {
    id: Uuid,
    texts: Texts,
    from_ms: i64,
    until_ms: i64,
}

/// No one is paired until then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Maintenance {
    until_ms: i64,
    texts: Texts,
}

/// `GET /admin/api/broadcast/`.
#[derive(Debug, Serialize)]
pub struct SiteJson {
    pub(super) broadcast: Option<Broadcast>,
    pub(super) maintenance: Option<Maintenance>,
    pub(super) versions: SiteVersions,
}

/// Which of each stands, also one that is over; 0: none.
#[derive(Debug, Serialize)]
pub struct SiteVersions {
    pub(super) broadcast: u64,
    pub(super) maintenance: u64,
}

impl Broadcast {
    /// From now on.
    ///
    /// # Errors
    /// It says nothing, is too long, or lasts too long.
    pub fn order(order: OrderJson, now: Timestamp) -> Result<Self, Refused> {
        if !order.texts.values().any(|it| !it.trim().is_empty()) {
            return Err(Refused::Unfit("a notice says something".into()));
        }
        let until = order.until(now)?;
        Ok(Self {
            id: Uuid::new_v4(),
            texts: order.texts,
            from_ms: now.0,
            until_ms: until.0,
        })
    }

    /// As it was set, unless it is over.
    pub fn standing(value: &str, now: Timestamp) -> Option<Self> {
        let set: Self = serde_json::from_str(value).ok()?;
        (set.until_ms > now.0).then_some(set)
    }
}

impl Maintenance {
    /// From now on.
    ///
    /// # Errors
    /// A text is too long, or it lasts too long.
    pub fn order(order: OrderJson, now: Timestamp) -> Result<Self, Refused> {
        let until = order.until(now)?;
        Ok(Self {
            until_ms: until.0,
            texts: order.texts,
        })
    }

    /// As it was set, unless it is over.
    pub fn standing(value: &str, now: Timestamp) -> Option<Self> {
        let set: Self = serde_json::from_str(value).ok()?;
        (set.until_ms > now.0).then_some(set)
    }
}

impl OrderJson {
    fn until(&self, now: Timestamp) -> Result<Timestamp, Refused> {
        let tags = self.texts.keys();
        let named = tags
            .into_iter()
            .all(|it| !it.is_empty() && it.len() <= TAG_BYTES);
        if !named || self.texts.len() > LANGUAGES {
            return Err(Refused::Unfit(
                "texts are by the tag of their language, such as en, at most 20".into(),
            ));
        }
        for text in self.texts.values() {
            fits("a text", text)?;
        }
        let length = Duration::from_millis(self.length_ms);
        match length.is_zero() || length > LONGEST {
            true => Err(Refused::Unfit("it lasts at most thirty days".into())),
            false => Ok(now.plus(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn order(texts: serde_json::Value, length_ms: u64) -> OrderJson {
        serde_json::from_value(json!({"texts": texts, "length_ms": length_ms})).unwrap()
    }

    #[test]
    fn a_notice_says_something_and_ends() {
        let of = |texts, length| Broadcast::order(order(texts, length), NOW);
        let made = of(json!({"en": "hello"}), 1000).unwrap();
        assert_eq!(made.until_ms, 1_001_000);
        let value = serde_json::to_string(&made).unwrap();
        assert_eq!(Broadcast::standing(&value, NOW), Some(made));
        assert_eq!(Broadcast::standing(&value, Timestamp(1_001_000)), None);
        assert!(of(json!({}), 1000).is_err());
        assert!(of(json!({"en": " "}), 1000).is_err());
        assert!(of(json!({"": "x"}), 1000).is_err());
        assert!(of(json!({"en": "x".repeat(2001)}), 1000).is_err());
        for length in [0, u64::MAX, 31 * 24 * 3_600_000] {
            assert!(of(json!({"en": "hello"}), length).is_err());
        }
    }

    #[test]
    fn maintenance_needs_no_words() {
        let made = Maintenance::order(order(json!({}), 60_000), NOW).unwrap();
        let value = serde_json::to_string(&made).unwrap();
        assert_eq!(Maintenance::standing(&value, NOW), Some(made));
        assert_eq!(Maintenance::standing("not json", NOW), None);
    }
}
