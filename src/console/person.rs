//! How people are called in the console: never by the number of their cookie, which is how the site knows them.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::domain::id::SessionId;
use crate::domain::safety::{Operator, OperatorId, Report, Role};

/// A short name for a browser, the same in every case, from which its session cannot be found.
pub fn pseudonym(session: SessionId) -> String {
    let hash = Sha256::new()
        .chain_update(b"miyu person 1")
        .chain_update(session.0)
        .finalize();
    hash[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Those who reported in one case: "1" reported first.
#[derive(Debug, Default)]
pub struct Reporters(Vec<SessionId>);

impl Reporters {
    /// Of these reports, newest first.
    pub fn of(reports: &[Report]) -> Self {
        let mut known = Vec::new();
        for report in reports.iter().rev() {
            if !known.contains(&report.reporter) {
                known.push(report.reporter);
            }
        }
        Self(known)
    }

    /// What this one is called in the case.
    pub fn name(&self, session: SessionId) -> String {
        let place = self.0.iter().position(|it| *it == session);
        place.map_or_else(String::new, |place| (place + 1).to_string())
    }

    /// The one who is called so in the case.
    pub fn find(&self, name: &str) -> Option<SessionId> {
        let place: usize = name.parse().ok()?;
        self.0.get(place.checked_sub(1)?).copied()
    }

    /// All of them, in order.
    pub fn all(&self) -> &[SessionId] {
        &self.0
    }
}

/// What operators are called and may do, those who may do nothing any more too.
#[derive(Debug, Default)]
pub struct Names(HashMap<OperatorId, (String, Role)>);

impl Names {
    /// Of these.
    pub fn of(operators: &[Operator]) -> Self {
        let named = |it: &Operator| (it.id, (it.name.as_str().to_owned(), it.role));
        Self(operators.iter().map(named).collect())
    }

    /// The name; `None` for an act of no operator.
    pub fn name(&self, id: Option<OperatorId>) -> Option<String> {
        self.0.get(&id?).map(|(name, _)| name.clone())
    }

    /// What this one may do; `None` when there is no such operator.
    pub fn role(&self, id: OperatorId) -> Option<Role> {
        self.0.get(&id).map(|(_, role)| *role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_short_and_says_nothing_of_the_session() {
        let session = SessionId([0xab; 16]);
        let name = pseudonym(session);
        assert_eq!(name.len(), 8);
        assert_eq!(name, pseudonym(session));
        assert_ne!(name, pseudonym(SessionId([0xac; 16])));
        assert!(!name.contains("abab"));
    }
}
