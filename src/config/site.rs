//! `[site]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::accent::Rgb;
use super::contact::Contact;
use super::hours::Hours;
use super::topic::Topic;
use super::value::Words;
use crate::domain::topics::{SiteTopics, built_in_topics};

section! {
    /// What visitors read about this site.
    Site = "site" {
        /// The name in titles.
        name: String = "秘語 Miyu";
        /// One line about the site: the large one on its first page. Empty: the built-in one.
        tagline: String = "";
        /// House rules as plain text; a line each. Empty: the built-in ones.
        rules: String = "";
        /// How visitors reach you: a mail address, or an address that begins with https://. It stands on the
        /// first page and with the rules. Empty: not shown.
        contact: Option<Contact> = "";
        /// Where your imprint or legal notice is, where the law asks for one: an address that begins with
        /// https://, or a mail address. It is linked from the first page and the privacy page. Empty: not shown.
        imprint: Option<Contact> = "";
        /// A colour of your own for buttons and own messages, such as "#7a3e9d". Where words on it could not be
        /// read it is shown darker or lighter; `miyu check-config` says how. Empty: jade.
        accent: Option<Rgb> = "";
        /// Topics to choose from, up to 12, instead of the built-in nine: a topic, then other words that mean it,
        /// with | between them; "en: …" and "ja: …" are what pages of that language call it: "期末考 | en: Finals | 段考".
        topics: Vec<Topic> = [];
        /// When you expect people, in `chat.time_zone`: "Fri 19:00-21:00, Sat-Sun 14:00-18:00". Without a day:
        /// every day. Pages say when it is; one can search at any time. Empty: nothing is said.
        hours: Option<Hours> = "";
        /// First sentences for people who do not know how to begin, beside the built-in ones: up to 24, each
        /// of 80 characters at most. "en: …", "zh-TW: …" and "ja: …" are for pages of that language, others for all.
        starters: Vec<String> = [];
        /// Age asked for once at first Start, with the rules. 0: not asked.
        minimum_age: u8 = 18 to 120;
        /// "auto" (as the browser prefers), "zh-TW", "en" or "ja".
        default_language: DefaultLanguage = "auto";
    }
}

/// The languages of the pages, a catalogue in `assets/words/` each.
pub const LANGUAGES: [&str; 3] = ["zh-TW", "en", "ja"];
/// A topic that pages offer.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct OfferedTopic<'a> {
    /// The word it travels under.
    pub tag: &'a str,
    /// What pages of other languages call it, where the site says it; they know our own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<&'static str, &'a str>,
}

/// The language of pages for a browser that did not choose one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultLanguage(Option<usize>);

impl DefaultLanguage {
    /// Its tag; `None`: as the browser prefers.
    pub fn tag(self) -> Option<&'static str> {
        self.0.map(|at| LANGUAGES[at])
    }
}

impl Words for DefaultLanguage {
    const KIND: &'static str = "\"auto\", \"zh-TW\", \"en\" or \"ja\"";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self(None)),
        (LANGUAGES[0], Self(Some(0))),
        (LANGUAGES[1], Self(Some(1))),
        (LANGUAGES[2], Self(Some(2))),
    ];
}

impl Site {
    /// The topics that pages of this site offer, in their order.
    pub fn offered_topics(&self) -> Vec<OfferedTopic<'_>> {
        let own = self.topics.iter().map(|topic| OfferedTopic {
            tag: &topic.tag,
            names: topic
                .names
                .iter()
                .map(|(of, name)| (*of, &**name))
                .collect(),
        });
        let built_in = built_in_topics().map(|tag| OfferedTopic {
            tag,
            names: BTreeMap::new(),
        });
        match self.topics.is_empty() {
            true => built_in.collect(),
            false => own.collect(),
        }
    }

    /// The topics of its own.
    pub fn own_topics(&self) -> SiteTopics {
        SiteTopics::new(self.topics.iter().map(Topic::words))
    }

    /// The operator's first sentences, each with the language it is for; `None` is every language.
    pub fn starters(&self) -> impl Iterator<Item = (Option<&'static str>, &str)> {
        self.starters.iter().map(|text| {
            let of = |language: &'static str| {
                let text = text.strip_prefix(language)?.strip_prefix(':')?;
                Some((Some(language), text.trim()))
            };
            LANGUAGES
                .into_iter()
                .find_map(of)
                .unwrap_or((None, text.trim()))
        })
    }
}
