//! What the two sides of a room are sent of one entry: encoded once, kept once where both are sent the
//! same, and on its way between nodes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;
use crate::domain::id::Side;

/// An entry's encodings, by side; they differ for departures, and where one side is told less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryTexts {
    first: Text,
    /// Where it is another one.
    second: Option<Text>,
}

impl EntryTexts {
    /// Both sides are sent the same.
    pub fn same(text: Text) -> Self {
        Self {
            first: text,
            second: None,
        }
    }

    /// By [`Side::index`].
    pub fn by_side([first, second]: [Text; 2]) -> Self {
        let second = (first != second).then_some(second);
        Self { first, second }
    }

    /// The same where this side is sent another text; nothing, if it is empty.
    #[must_use]
    pub fn with(self, side: Side, text: Text) -> Self {
        let told = |it: Side| match it == side {
            true => text.clone(),
            false => self.for_side(it).clone(),
        };
        Self::by_side(Side::BOTH.map(told))
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        self.first.len() + self.second.as_ref().map_or(0, |text| text.len())
    }

    /// What this side is sent.
    pub fn for_side(&self, side: Side) -> &Text {
        match (side, &self.second) {
            (Side::B, Some(second)) => second,
            _ => &self.first,
        }
    }
}

/// On their way between nodes.
impl Serialize for EntryTexts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.first.as_str(), self.second.as_deref()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EntryTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (first, second) = <(String, Option<String>)>::deserialize(deserializer)?;
        Ok(Self {
            first: first.into(),
            second: second.map(Text::from),
        })
    }
}
