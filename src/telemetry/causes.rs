//! How an error is written for people: in one line, with what caused it.

use std::error::Error;

/// The error and its causes, from the outermost to the first. Each is said once: many errors have their cause
/// in their own words already.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !said.contains(&words) {
            said.push_str(": ");
            said.push_str(&words);
        }
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the letter was not sent")]
    struct Silent(#[source] Speaking);

    #[derive(Debug, thiserror::Error)]
    #[error("the post office is closed ({0}); come back tomorrow")]
    struct Speaking(#[source] io::Error);

    #[test]
    fn every_cause_is_said_and_none_twice() {
        let error = Silent(Speaking(io::Error::other("a holiday")));
        let wanted =
            "the letter was not sent: the post office is closed (a holiday); come back tomorrow";
        assert_eq!(causes(&error), wanted);
    }
}
