//! Between which values a key's value must be. Declared beside the key, in TOML, as its default is.

use super::load::literal;
use super::value::Setting;

/// The bounds of a key; as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The least that will do.
    pub least: Option<&'static str>,
    /// The most.
    pub most: Option<&'static str>,
    /// What will do besides, and means "none".
    pub none: Option<&'static str>,
}

impl Bounds {
    /// Why this value will not do, if it does not.
    pub fn refusal<T: Setting + PartialOrd>(&self, value: &T) -> Option<String> {
        let parsed = |text| {
            let bound = literal(text).expect("bounds are TOML");
            T::parse(&bound).expect("bounds have the type of their key")
        };
        let none = self.none.is_some_and(|it| parsed(it) == *value);
        let enough = self.least.is_none_or(|it| parsed(it) <= *value);
        let too_much = self.most.is_some_and(|it| parsed(it) < *value);
        (!none && (!enough || too_much))
            .then(|| format!("is {}; {}", bare(&value.show()), self.shown()))
    }

    fn shown(&self) -> String {
        let range = match (self.least.map(bare), self.most.map(bare)) {
            (Some(least), Some(most)) => format!("must be from {least} to {most}"),
            (Some(least), None) => format!("must be at least {least}"),
            (None, Some(most)) => format!("must be at most {most}"),
            (None, None) => String::new(),
        };
        match self.none.map(bare) {
            Some(none) => format!("{range}, or {none} for none"),
            None => range,
        }
    }
}

/// Without the quotes that TOML puts around a duration or a size.
fn bare(text: &str) -> &str {
    text.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_value_is_between_its_bounds_or_none() {
        let bounds = Bounds {
            least: Some("\"1s\""),
            most: Some("\"1h\""),
            none: Some("\"0s\""),
        };
        for seconds in [0, 1, 3600] {
            assert_eq!(bounds.refusal(&Duration::from_secs(seconds)), None);
        }
        assert_eq!(
            bounds.refusal(&Duration::from_millis(999)).as_deref(),
            Some("is 999ms; must be from 1s to 1h, or 0s for none")
        );
        assert!(bounds.refusal(&Duration::from_secs(3601)).is_some());
        let most = Bounds {
            least: None,
            most: Some("120"),
            none: None,
        };
        assert_eq!(most.refusal(&120_u8), None);
        assert_eq!(
            most.refusal(&121_u8).as_deref(),
            Some("is 121; must be at most 120")
        );
    }
}
