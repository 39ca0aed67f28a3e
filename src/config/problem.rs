//! What is wrong with a configuration: everything at once, each with where it was set; and with one value.

use std::error::Error;
use std::fmt;

use super::hours::HoursError;
use super::origin::OriginError;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// `section.key`, or the file.
    pub key: String,
    /// Where it was set: a file, a variable, a flag, or by default.
    pub source: String,
    /// What is wrong and what to write instead.
    pub why: String,
}

/// Everything that is wrong, in the order of finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<ConfigProblem>);

impl ConfigProblems {
    /// Notes one more.
    pub fn add(
        &mut self,
        key: impl Into<String>,
        source: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.0.push(ConfigProblem {
            key: key.into(),
            source: source.into(),
            why: why.into(),
        });
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        write!(f, "the configuration has {count} {plural}:")?;
        for ConfigProblem { key, source, why } in &self.0 {
            write!(f, "\n  {key} ({source}): {why}")?;
        }
        Ok(())
    }
}

impl Error for ConfigProblems {}

/// Why a value is not taken. Never the value itself, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// It is of another kind; which it must be.
    #[error("must be {0}")]
    Kind(&'static str),
    /// It is a list, and an element is not taken.
    #[error("each element {0}")]
    Element(#[source] Box<ValueError>),
    /// No browser sends such an origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// They are no hours of a week.
    #[error(transparent)]
    Hours(#[from] HoursError),
}

/// What is wrong with one key, when it takes more than its value to see it: another key, or a file.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {why}")]
pub struct KeyError {
    /// Its section and name, as `section.key`.
    pub key: &'static str,
    /// What is wrong and what to write instead.
    #[source]
    pub why: Box<dyn Error + Send + Sync>,
}

impl KeyError {
    /// Of this key.
    pub fn new(key: &'static str, why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            key,
            why: why.into(),
        }
    }
}
