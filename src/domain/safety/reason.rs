//! Why a person is reported, which is also the rule that a decision names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The rule that is said to be broken.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Insults, threats, hatred.
    Harassment,
    /// Unwanted sexual talk.
    Sexual,
    /// A person under age is at risk, or says that they are under age.
    Minor,
    /// A person may hurt themselves.
    SelfHarm,
    /// Advertising, fraud, the same text to many.
    Spam,
    /// Anything else; the note says what.
    Other,
}

impl Reason {
    /// All of them, as they are offered.
    pub const ALL: [Self; 6] = [
        Self::Harassment,
        Self::Sexual,
        Self::Minor,
        Self::SelfHarm,
        Self::Spam,
        Self::Other,
    ];

    /// The wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Harassment => "harassment",
            Self::Sexual => "sexual",
            Self::Minor => "minor",
            Self::SelfHarm => "self_harm",
            Self::Spam => "spam",
            Self::Other => "other",
        }
    }

    /// By its wire word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// How much a report for this reason counts in the order of the queue, in halves: harassment counts one and a
    /// half times as much as spam.
    pub fn severity_halves(self) -> u32 {
        match self {
            Self::Minor => 8,
            Self::SelfHarm => 6,
            Self::Sexual => 4,
            Self::Harassment => 3,
            Self::Spam | Self::Other => 2,
        }
    }

    /// The worse of two: the one of the higher severity, of equal ones that with the lower code.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |it: Self| (it.severity_halves(), std::cmp::Reverse(it.code()));
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }

    /// As stores keep it. Numbers of data that is there never change.
    pub fn code(self) -> u8 {
        match self {
            Self::Harassment => 1,
            Self::Sexual => 2,
            Self::Minor => 3,
            Self::SelfHarm => 4,
            Self::Spam => 5,
            Self::Other => 6,
        }
    }

    /// By what stores keep.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| i64::from(it.code()) == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_word_and_a_number_of_its_own() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            assert_eq!(Reason::from_code(reason.code().into()), Some(reason));
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("{:?}", reason.as_str()));
        }
        assert_eq!(["", "Spam", "rude"].map(Reason::parse), [None; 3]);
        assert_eq!(Reason::Spam.worse(Reason::Other), Reason::Spam);
        assert_eq!(Reason::Other.worse(Reason::Spam), Reason::Spam);
        assert_eq!(Reason::Sexual.worse(Reason::Minor), Reason::Minor);
        assert_eq!([0, 7, -1].map(Reason::from_code), [None; 3]);
    }
}
