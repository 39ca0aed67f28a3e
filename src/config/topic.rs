//! One of `site.topics`: a topic of the operator's own, with what else means the same.

use figment::value::Value;

use super::LANGUAGES;
use super::problem::ValueError;
use super::value::{Setting, must_be, quote};
use crate::domain::wish::{TAG_CHARS, Tags};

/// A topic, by the word it travels under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// What it is called.
    pub tag: String,
    /// What it is called on pages of other languages, by their tags.
    pub names: Vec<(&'static str, String)>,
    /// Other words of people that mean it, those names among them.
    pub others: Vec<String>,
}

impl Topic {
    /// All words that mean it.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().map(String::as_str);
        std::iter::once(&*self.tag).chain(others)
    }
}

/// A word as the server takes it from people; `None` when nothing is left of it, or not all of it.
fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let tag = Tags::parse([text]).as_slice().first().cloned();
    tag.filter(|_| text.chars().count() <= TAG_CHARS)
}

/// The language that a part begins with, and the name that it has there.
fn named(part: &str) -> Option<(&'static str, &str)> {
    LANGUAGES.into_iter().find_map(|language| {
        let name = part.strip_prefix(language)?.strip_prefix(':')?;
        Some((language, name.trim()))
    })
}

impl Setting for Topic {
    const KIND: &'static str = "a topic, then other words for it, with | between them, each of at most 20 characters: \
        \"期末考 | en: Finals | 段考\"";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let text = value.as_str().ok_or_else(must_be::<Self>)?;
        let mut parts = text.split('|').map(str::trim);
        let tag = parts.next().and_then(word).ok_or_else(must_be::<Self>)?;
        let mut topic = Self {
            tag,
            names: Vec::new(),
            others: Vec::new(),
        };
        for part in parts {
            let named = named(part);
            let text = named.map_or(part, |(_, name)| name);
            topic.others.push(word(text).ok_or_else(must_be::<Self>)?);
            let name = named.map(|(language, name)| (language, name.to_owned()));
            topic.names.extend(name);
        }
        Ok(topic)
    }

    fn show(&self) -> String {
        let named: Vec<_> = self
            .names
            .iter()
            .filter_map(|(_, name)| word(name))
            .collect();
        let names = self
            .names
            .iter()
            .map(|(language, name)| format!("{language}: {name}"));
        let others = self.others.iter().filter(|it| !named.contains(it)).cloned();
        let all = std::iter::once(self.tag.clone()).chain(names).chain(others);
        let all: Vec<String> = all.collect();
        quote(&all.join(" | "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_words_in_other_languages() {
        let parse = |text: &str| Topic::parse(&Value::from(text));
        let topic = parse("期末考 | en: Finals | 段考").unwrap();
        assert_eq!(
            topic.words().collect::<Vec<_>>(),
            ["期末考", "Finals", "段考"]
        );
        assert_eq!(topic.names, [("en", "Finals".to_owned())]);
        assert_eq!(topic.show(), "\"期末考 | en: Finals | 段考\"");
        // One of ours is known in all of its spellings.
        assert_eq!(parse("Music").unwrap().tag, "音樂");
        for wrong in [
            "",
            " | Finals",
            "期末考 | ",
            "期末考 | en:",
            "a word of more than twenty",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
