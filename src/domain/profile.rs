//! How a person appears in one chat. Parsing never refuses: what is outside the table becomes the default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::reserved_names::StaffNames;
use crate::domain::text::clean_name;

/// Longest stored nickname, in characters (wire contract, section 2).
pub const NICKNAME_CHARS: usize = 50;
/// Longest `user_id`, in bytes; it is ASCII.
pub const USER_ID_BYTES: usize = 50;
/// What a nickname becomes when nothing visible is left of it.
pub const DEFAULT_NICKNAME: &str = "匿名用戶";
/// Avatars are numbered 1 to this.
pub const AVATARS: u8 = 20;

/// The mood that a person chose for today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mood {
    /// The person says that they are happy.
    Happy,
    /// Neither; the default.
    #[default]
    Neutral,
    /// The person says that they are sad.
    Sad,
}

impl Mood {
    /// The wire word, or the default for any other.
    pub fn parse(text: &str) -> Self {
        match text {
            "happy" => Self::Happy,
            "sad" => Self::Sad,
            _ => Self::Neutral,
        }
    }
}

/// The gender that a person states; used for wishes only, never displayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gender {
    /// Stated as male.
    Male,
    /// Stated as female.
    Female,
    /// Other, or rather not say; the default.
    #[default]
    Other,
}

impl Gender {
    /// All, in index order.
    pub const ALL: [Gender; 3] = [Gender::Male, Gender::Female, Gender::Other];

    /// The wire word, or the default for any other.
    pub fn parse(text: &str) -> Self {
        match text {
            "male" => Self::Male,
            "female" => Self::Female,
            _ => Self::Other,
        }
    }

    /// Position in [`Gender::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// The public id of a person in one chat: 1 to 50 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserId(String);

impl UserId {
    /// `None` when empty, too long or made of other characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= USER_ID_BYTES
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    /// A fresh random id, so that it links nothing across rooms.
    pub fn fresh() -> Self {
        Self(format!("u-{}", uuid::Uuid::new_v4().simple()))
    }

    /// The id that stands for this number.
    pub fn numbered(number: u128) -> Self {
        Self(format!("u-{number:032x}"))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the partner sees of a person, and the gender that only matching sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name that others see, clean, never empty.
    pub nickname: String,
    /// The name that the person gave, where others see the default one in its place: in what is sent to them they
    /// go by it, so that nothing says that others do not.
    #[serde(default)]
    pub own_nickname: Option<String>,
    /// 1 to [`AVATARS`].
    pub avatar: u8,
    /// How they feel.
    pub mood: Mood,
    /// What they say they are.
    pub gender: Gender,
}

impl Profile {
    /// Parses the raw words of a client; every unknown value becomes its default.
    pub fn parse(nickname: &str, avatar: &str, mood: &str, gender: &str) -> Self {
        let mut nickname = clean_name(nickname, NICKNAME_CHARS);
        if nickname.is_empty() {
            DEFAULT_NICKNAME.clone_into(&mut nickname);
        }
        let avatar = avatar.parse().ok().filter(|n| (1..=AVATARS).contains(n));
        Self {
            nickname,
            own_nickname: None,
            avatar: avatar.unwrap_or(1),
            mood: Mood::parse(mood),
            gender: Gender::parse(gender),
        }
    }

    /// As others see a person who may not speak to them: without words of their own. The person sees their own.
    pub fn unnamed(mut self) -> Self {
        if self.nickname != DEFAULT_NICKNAME {
            let given = std::mem::replace(&mut self.nickname, DEFAULT_NICKNAME.to_owned());
            self.own_nickname = Some(given);
        }
        self
    }

    /// With the default name, should it read like one of the site's staff.
    pub fn unless_staff(mut self, staff: &StaffNames) -> Self {
        if staff.covers(&self.nickname) {
            DEFAULT_NICKNAME.clone_into(&mut self.nickname);
        }
        self
    }

    /// The name that the person goes by in what is sent to themselves.
    pub fn own_name(&self) -> &str {
        self.own_nickname.as_deref().unwrap_or(&self.nickname)
    }
}

/// Who a session is in one chat: the id with the profile. Lives in the ticket and the room only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// `sender_id` of their messages.
    pub user_id: UserId,
    /// What they look like.
    pub profile: Profile,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_become_defaults() {
        let profile = Profile::parse(" \u{200B} ", "21", "furious", "robot");
        assert_eq!(profile.nickname, DEFAULT_NICKNAME);
        assert_eq!(profile.avatar, 1);
        assert_eq!(profile.mood, Mood::Neutral);
        assert_eq!(profile.gender, Gender::Other);
    }

    #[test]
    fn who_may_not_speak_keeps_their_name_for_themselves() {
        let given = Profile::parse("Mei", "2", "happy", "female");
        assert_eq!(given.own_name(), "Mei");
        let shown = given.unnamed().unnamed();
        assert_eq!(
            (shown.nickname.as_str(), shown.own_name()),
            (DEFAULT_NICKNAME, "Mei")
        );
        let nameless = Profile::parse("", "2", "happy", "female");
        assert_eq!(nameless.clone().unnamed(), nameless);
        // Kept by stores as JSON: what is there from before has no such name.
        let kept = r#"{"nickname":"Mei","avatar":2,"mood":"happy","gender":"female"}"#;
        let kept: Profile = serde_json::from_str(kept).unwrap();
        assert_eq!(kept.own_nickname, None);
    }

    #[test]
    fn user_ids_are_plain_and_short() {
        assert!(UserId::parse("user_abc-9").is_some());
        assert!(UserId::parse("").is_none());
        assert!(UserId::parse("a b").is_none());
        assert!(UserId::parse(&"a".repeat(51)).is_none());
        assert!(UserId::parse(UserId::fresh().as_str()).is_some());
    }
}
