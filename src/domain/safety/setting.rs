//! What administrators set while the site runs, for all nodes: whole texts in JSON, which a store keeps without
//! looking into them.

use super::id::OperatorId;
use crate::domain::id::Timestamp;

/// Longest value, in bytes.
pub const SETTING_BYTES: usize = 64 * 1024;

/// The name of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SettingName {
    /// A notice to all people.
    Broadcast,
    /// No one is paired until a time.
    Maintenance,
    /// The texts that decisions begin with.
    Templates,
}

impl SettingName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Broadcast, Self::Maintenance, Self::Templates];

    /// As stores keep it, and the audit log says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::Maintenance => "maintenance",
            Self::Templates => "templates",
        }
    }

    /// What the audit log says of it: put, or taken back.
    pub fn audited(self, put: bool) -> String {
        match put {
            true => self.as_str().into(),
            false => format!("{} taken back", self.as_str()),
        }
    }

    /// By what stores keep.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// One that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: SettingName,
    /// Its value, at most [`SETTING_BYTES`].
    pub value: String,
    /// When it was set.
    pub at: Timestamp,
    /// By whose hand; `None`: by a command on the machine.
    pub by: Option<OperatorId>,
    /// The number of the row in the audit log that put it: another one each time.
    pub version: u64,
}
