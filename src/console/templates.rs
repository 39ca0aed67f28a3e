//! What decisions begin with: texts in the languages of the site, which administrators can change.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::drafts::{SanctionOrder, fits};
use super::refusal::Refused;
use crate::domain::safety::{Finding, Reason};

/// As delivered.
const DEFAULTS: &str = include_str!("templates.json");

/// Most templates.
const MOST: usize = 40;
/// Longest id and longest name of a language, in bytes.
const NAME_BYTES: usize = 40;
/// Most languages of a text.
const LANGUAGES: usize = 20;

/// All of them, in the order in which they are offered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Templates {
    templates: Vec<Template>,
}

/// Those that hold, and which they are: who changes them says which they saw.
#[derive(Debug, Serialize)]
pub struct StandingTemplates {
    pub(super) version: u64,
    #[serde(flatten)]
    pub(super) templates: Templates,
}

/// What an administrator sends.
#[derive(Debug, Deserialize)]
pub struct TemplatesOrder {
    /// Which ones it is to replace.
    #[serde(default)]
    pub version: Option<u64>,
    /// All of them.
    #[serde(flatten)]
    pub templates: Templates,
}

/// One.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Template {
    id: String,
    rule: Reason,
    finding: Finding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sanction: Option<SanctionOrder>,
    /// To the person, by language.
    texts: BTreeMap<String, String>,
    /// To those who reported.
    #[serde(default)]
    reporter_texts: BTreeMap<String, String>,
}

impl Templates {
    /// Those that Miyu is delivered with.
    pub fn delivered() -> Self {
        let templates = serde_json::from_str(DEFAULTS).expect("a test reads them");
        Self { templates }
    }

    /// As they were set.
    pub fn parse(value: &str) -> Option<Self> {
        serde_json::from_str(value).ok()
    }

    /// Refuses ids that are empty or double, too many of anything, and texts that no notice could carry.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<(), Refused> {
        let unfit = |why: &str| Err(Refused::Unfit(why.to_owned()));
        let named = |it: &str| !it.is_empty() && it.len() <= NAME_BYTES;
        let ids: BTreeSet<&str> = self.templates.iter().map(|it| it.id.as_str()).collect();
        if ids.len() != self.templates.len() || !ids.iter().all(|it| named(it)) {
            return unfit("each template has an id of its own, of 1 to 40 bytes");
        }
        if self.templates.is_empty() || self.templates.len() > MOST {
            return unfit("there are 1 to 40 templates");
        }
        for template in &self.templates {
            let texts = [&template.texts, &template.reporter_texts];
            if texts.iter().any(|it| it.len() > LANGUAGES) {
                return unfit("a text has at most 20 languages");
            }
            for (language, text) in texts.into_iter().flatten() {
                if !named(language) {
                    return unfit("a language is named by its tag, such as en");
                }
                fits("a text", text)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_are_delivered_in_each_language_and_each_could_be_decided() {
        let delivered = Templates::delivered();
        delivered.check().unwrap();
        assert_eq!(delivered.templates.len(), 7);
        for template in &delivered.templates {
            let languages: Vec<&String> = template.texts.keys().collect();
            assert_eq!(languages, ["en", "ja", "zh-TW"], "{}", template.id);
            assert!(template.reporter_texts.keys().eq(languages));
            let told = template.sanction.is_some();
            assert!(template.texts.values().all(|it| it.is_empty() != told));
            assert!(template.reporter_texts.values().all(|it| !it.is_empty()));
            assert_eq!(template.finding == Finding::Violation, told);
        }
    }

    #[test]
    fn what_is_set_is_what_is_read() {
        let delivered = Templates::delivered();
        let value = serde_json::to_string(&delivered).unwrap();
        let read = Templates::parse(&value).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), value);
        assert!(Templates::parse("{}").is_none());
    }

    #[test]
    fn templates_that_no_notice_could_carry_are_refused() {
        let changed = |change: &dyn Fn(&mut Templates)| {
            let mut all = Templates::delivered();
            change(&mut all);
            all.check().is_err()
        };
        assert!(changed(&|it| it.templates.clear()));
        assert!(changed(
            &|it| it.templates[1].id = it.templates[0].id.clone()
        ));
        assert!(changed(&|it| it.templates[0].id.clear()));
        let long = "x".repeat(2001);
        assert!(changed(&|it| {
            it.templates[0].texts.insert("en".into(), long.clone());
        }));
        assert!(changed(&|it| {
            it.templates[0].texts.insert(String::new(), "x".into());
        }));
    }
}
