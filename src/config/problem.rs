//! What is wrong with a configuration: everything at once, each with where it was set.

use std::fmt;

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

impl std::error::Error for ConfigProblems {}
