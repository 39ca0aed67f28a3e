//! Operators: moderators and administrators. Passwords and secrets are opaque here.

use serde::{Deserialize, Serialize};

use super::id::OperatorId;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::text::clean_name;

/// Longest name of an operator, in characters.
pub const NAME_CHARS: usize = 40;
/// Most operators of one store.
pub const OPERATORS: usize = 200;
/// Most sessions of one operator; the newest are kept.
pub const SESSIONS: usize = 20;
/// Most visitors' sessions that are remembered as an operator's own; the newest are kept.
pub const OWN_SESSIONS: usize = 50;

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The queue, evidence, sanctions up to the ban of a session.
    Moderator,
    /// Everything.
    Administrator,
}

impl Role {
    /// As stores keep it.
    pub fn code(self) -> u8 {
        match self {
            Self::Moderator => 1,
            Self::Administrator => 2,
        }
    }

    /// By what stores keep.
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::Moderator, Self::Administrator]
            .into_iter()
            .find(|it| i64::from(it.code()) == code)
    }
}

/// By what an operator logs in: clean, not empty. Two names that differ in case alone are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OperatorName(String);

impl OperatorName {
    /// `None` when nothing visible is left of it, or when it is too long.
    pub fn parse(raw: &str) -> Option<Self> {
        let name = clean_name(raw, NAME_CHARS + 1);
        let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS;
        fits.then_some(Self(name))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By what names are compared.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Who does something. A command on the machine may do what an administrator may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Actor {
    /// This operator.
    Operator(OperatorId),
    /// A command on the machine.
    Local,
}

/// SHA-256 of a secret that was given out once: of an operator's session, a set-up link, a recovery code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginHash(pub [u8; 32]);

impl std::fmt::Debug for LoginHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginHash(…)")
    }
}

/// An operator that is to be.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorDraft {
    /// By what they log in.
    pub name: OperatorName,
    /// What they may do.
    pub role: Role,
    /// The password's hash with its parameters, as text.
    pub password: String,
}

/// An operator.
#[derive(Clone, PartialEq, Eq)]
pub struct Operator {
    /// Their number.
    pub id: OperatorId,
    /// By what they log in.
    pub name: OperatorName,
    /// What they may do.
    pub role: Role,
    /// The password's hash with its parameters, as text.
    pub password: String,
    /// The secret of their one-time codes.
    pub totp: Option<Vec<u8>>,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
    /// Since when they are one.
    pub since: Timestamp,
    /// Since when they may do nothing any more.
    pub disabled: Option<Timestamp>,
}

impl std::fmt::Debug for OperatorDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OperatorDraft({:?}, {:?}, …)", self.name, self.role)
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Operator({}, {:?}, {:?}, …)",
            self.id, self.name, self.role
        )
    }
}

/// An operator who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSession {
    /// Names it: the hash of what the cookie carries.
    pub hash: LoginHash,
    /// Whose it is.
    pub operator: OperatorId,
    /// When it began.
    pub since: Timestamp,
    /// When it was used last, to about a minute.
    pub used: Timestamp,
    /// The visitor's session of that browser: what the operator may not judge.
    pub visitor: Option<SessionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_clean_and_fits() {
        let name = |raw: &str| OperatorName::parse(raw).map(|it| it.as_str().to_owned());
        assert_eq!(name("  Mei\u{200B} Lin "), Some("Mei Lin".to_owned()));
        assert_eq!(name("\u{200B}"), None);
        assert_eq!(
            name(&"語".repeat(NAME_CHARS)),
            Some("語".repeat(NAME_CHARS))
        );
        assert_eq!(name(&"語".repeat(NAME_CHARS + 1)), None);
        let key = |raw: &str| OperatorName::parse(raw).unwrap().key();
        assert_eq!(key("MEI"), key("mei"));
    }
}
