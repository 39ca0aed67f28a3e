//! What a side can say to a message without words: one of five, one at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most entries that one side's reactions to one message may take. The last of them can only take the reaction
/// back, so a person always can; changing their mind more often than that would fill the log.
pub const REACTION_ENTRIES: usize = 8;

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// ❤
    Heart,
    /// 😂
    Laugh,
    /// 😮
    Wow,
    /// 😢
    Sad,
    /// 👍
    Ok,
}

impl Reaction {
    /// All of them, as they are offered.
    pub const ALL: [Self; 5] = [Self::Heart, Self::Laugh, Self::Wow, Self::Sad, Self::Ok];

    /// The wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heart => "heart",
            Self::Laugh => "laugh",
            Self::Wow => "wow",
            Self::Sad => "sad",
            Self::Ok => "ok",
        }
    }

    /// By its wire word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// As stores keep it. Numbers of data that is there never change.
    pub fn code(self) -> u8 {
        match self {
            Self::Heart => 1,
            Self::Laugh => 2,
            Self::Wow => 3,
            Self::Sad => 4,
            Self::Ok => 5,
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
        for reaction in Reaction::ALL {
            assert_eq!(Reaction::parse(reaction.as_str()), Some(reaction));
            assert_eq!(Reaction::from_code(reaction.code().into()), Some(reaction));
            let json = serde_json::to_string(&reaction).unwrap();
            assert_eq!(json, format!("{:?}", reaction.as_str()));
        }
        let others = ["", "Heart", "love", "null"].map(Reaction::parse);
        assert_eq!(others, [None; 4]);
        assert_eq!([0, 6, -1].map(Reaction::from_code), [None; 3]);
    }
}
