//! What a search looks for: a gender wish and up to three shared interests.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::profile::Gender;
use crate::domain::text::clean_tag;
use crate::domain::topics::{SiteTopics, is_built_in, topic_of};
use crate::domain::zero_width::is_candidate;

/// How many tags count (wire contract, section 2).
pub const TAGS: usize = 3;
/// Longest tag, in characters.
pub const TAG_CHARS: usize = 20;
/// How many raw tags are looked at before giving up on finding three distinct ones.
const TAGS_LOOKED_AT: usize = 20;

/// The gender that a person wants to meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PreferredGender {
    /// Any; the default.
    #[default]
    All,
    /// Only men.
    Male,
    /// Only women.
    Female,
    /// People who said "other".
    Other,
}

impl PreferredGender {
    /// All, in index order.
    pub const ALL: [PreferredGender; 4] = [Self::All, Self::Male, Self::Female, Self::Other];

    /// The wire word, or the default for any other.
    pub fn parse(text: &str) -> Self {
        match text {
            "male" => Self::Male,
            "female" => Self::Female,
            "other" => Self::Other,
            _ => Self::All,
        }
    }

    /// Whether a person of this gender is welcome.
    pub fn accepts(self, gender: Gender) -> bool {
        match self {
            Self::All => true,
            Self::Male => gender == Gender::Male,
            Self::Female => gender == Gender::Female,
            Self::Other => gender == Gender::Other,
        }
    }

    /// Position in [`PreferredGender::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Up to three distinct interests. Spelled as the person wrote them, compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Tags {
    words: Vec<String>,
    /// Those that are topics of the pages, a bit each. It does not travel: who asks for a search knows it.
    topics: u8,
}

impl From<Vec<String>> for Tags {
    fn from(mut words: Vec<String>) -> Self {
        words.truncate(TAGS);
        let topics = mask(&words, is_built_in);
        Self { words, topics }
    }
}

impl From<Tags> for Vec<String> {
    fn from(tags: Tags) -> Self {
        tags.words
    }
}

/// A bit for each of these words that is a topic.
fn mask(words: &[String], is_topic: impl Fn(&str) -> bool) -> u8 {
    let bits = words.iter().enumerate();
    bits.fold(0, |mask, (at, word)| mask | u8::from(is_topic(word)) << at)
}

impl Tags {
    /// Cleans raw words and keeps the first three distinct ones.
    pub fn parse<'a>(raw: impl IntoIterator<Item = &'a str>) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for word in raw.into_iter().take(TAGS_LOOKED_AT) {
            let tag = topic_of(clean_tag(word, TAG_CHARS));
            let known = kept.iter().any(|k| fold(k) == fold(&tag));
            if !tag.is_empty() && !known {
                kept.push(tag);
            }
            if kept.len() == TAGS {
                break;
            }
        }
        kept.into()
    }

    /// The same with the topics of a site: other words for one become its word, and it counts as our own do.
    #[must_use]
    pub fn with_topics(self, site: &SiteTopics) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for tag in self.words {
            let tag = site.topic_of(&tag).map_or(tag, str::to_owned);
            if !kept.iter().any(|k| fold(k) == fold(&tag)) {
                kept.push(tag);
            }
        }
        let is_topic = |tag: &str| is_built_in(tag) || site.topic_of(tag).is_some();
        let topics = mask(&kept, is_topic);
        Self {
            words: kept,
            topics,
        }
    }

    /// As the person spelled them.
    pub fn as_slice(&self) -> &[String] {
        &self.words
    }

    /// Each with whether it is a topic that the pages offer.
    pub fn with_kinds(&self) -> impl Iterator<Item = (&str, bool)> {
        let words = self.words.iter().enumerate();
        words.map(|(at, word)| (&**word, self.topics & (1 << at) != 0))
    }

    /// No interest named.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The forms that compare equal without case, sorted.
    pub fn folded(&self) -> Vec<Cow<'_, str>> {
        let mut keys: Vec<_> = self.words.iter().map(|t| fold(t)).collect();
        keys.sort_unstable();
        keys
    }

    /// The tags both have, in this one's spelling and order.
    pub fn common(&self, other: &Tags) -> Vec<String> {
        let theirs = other.folded();
        let shared = |tag: &&String| theirs.contains(&fold(tag));
        self.words.iter().filter(shared).cloned().collect()
    }
}

/// As tags are compared: in lower case, and without what a keyboard may leave out: half spaces, and
/// whether a heart is in colour.
pub(crate) fn fold(tag: &str) -> Cow<'_, str> {
    if tag.chars().all(is_folded) {
        Cow::Borrowed(tag)
    } else {
        let tag = tag.to_lowercase();
        Cow::Owned(tag.chars().filter(|c| !is_candidate(*c)).collect())
    }
}

/// Lower case, or of a script without case.
fn is_folded(c: char) -> bool {
    match c {
        '\0'..='\x7f' => !c.is_ascii_uppercase(),
        // From the radicals of CJK to Vai, no letter has a case: the search for one would find nothing.
        '\u{2e80}'..='\u{a63f}' => true,
        _ => !is_candidate(c) && c.to_lowercase().eq([c]),
    }
}

/// The languages of the talk that a person named, of those that our pages speak; others count for nothing, so
/// that no rare one makes a person findable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Languages(u8);

/// The languages that count, without script and place. The first is the lowest bit; six fit beside a phase.
const LANGUAGES: [&str; 3] = ["zh", "en", "ja"];
/// How many tags of languages are looked at.
const LANGUAGES_LOOKED_AT: usize = 8;

impl Languages {
    /// Reads BCP 47 tags.
    pub fn parse<'a>(raw: impl IntoIterator<Item = &'a str>) -> Self {
        let named = raw.into_iter().take(LANGUAGES_LOOKED_AT).filter_map(|tag| {
            let primary = tag.split('-').next().unwrap_or_default();
            let same = |language: &&str| language.eq_ignore_ascii_case(primary);
            LANGUAGES.iter().position(same)
        });
        Self(named.fold(0, |all, place| all | 1 << place))
    }

    /// None was named: such a person talks with all.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the two have one in common, or one of them named none.
    pub fn suit(self, other: Self) -> bool {
        self.is_empty() || other.is_empty() || self.0 & other.0 != 0
    }

    /// A bit for each.
    pub fn bits(self) -> u8 {
        self.0
    }
}

/// A gender wish, interests and languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The gender that they want to meet.
    pub gender: PreferredGender,
    /// What they want to talk about.
    pub tags: Tags,
    /// In which languages.
    #[serde(default)]
    pub languages: Languages,
}

/// How far the wish of a search has relaxed; each includes the ones before.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Only a person who shares a tag and a language.
    SharedTags,
    /// Any fit.
    Anyone,
    /// Also one of the last ten partners.
    Repeats,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_three_distinct_tags_count() {
        let tags = Tags::parse(["音樂", "Rust", "ｒｕｓｔ", " ", "電影", "旅行"]);
        assert_eq!(tags.as_slice(), ["音樂", "Rust", "電影"]);
    }

    #[test]
    fn common_tags_ignore_case() {
        let mine = Tags::parse(["Rust", "音樂"]);
        let theirs = Tags::parse(["音樂", "RUST"]);
        assert_eq!(mine.common(&theirs), ["Rust", "音樂"]);
    }

    #[test]
    fn every_character_is_folded_as_the_library_does() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let tag = format!("a{c}");
            let lower = tag.to_lowercase();
            assert_eq!(fold(&tag), if is_candidate(c) { "a" } else { &*lower });
        }
    }

    #[test]
    fn a_tag_is_the_same_with_and_without_a_joiner() {
        let (mine, theirs) = (
            Tags::parse(["❤\u{FE0F}", "می\u{200C}روم"]),
            Tags::parse(["❤", "میروم"]),
        );
        assert_eq!(mine.common(&theirs), ["❤\u{FE0F}", "می\u{200C}روم"]);
        assert_eq!(theirs.common(&mine), ["❤", "میروم"]);
        assert_eq!(Tags::parse(["音\u{FE00}樂"]).as_slice(), ["音樂"]);
        assert_eq!(Tags::parse(["❤\u{FE0F}", "❤"]).as_slice().len(), 1);
    }

    #[test]
    fn languages_of_the_pages_count_and_no_language_suits_all() {
        let of = |tags: &[&str]| Languages::parse(tags.iter().copied());
        assert_eq!(of(&["zh-TW"]), of(&["ZH-Hant", "zh"]));
        assert!(of(&["zh-TW", "ja"]).suit(of(&["ja-JP"])));
        assert!(!of(&["zh-TW"]).suit(of(&["en", "ja"])));
        for nothing in [&[][..], &["kl"], &[""], &["-zh"], &["中文"]] {
            assert!(of(nothing).is_empty() && of(nothing).suit(of(&["en"])));
            assert!(of(&["en"]).suit(of(nothing)));
        }
        let late = ["kl"; LANGUAGES_LOOKED_AT].into_iter().chain(["en"]);
        assert!(Languages::parse(late).is_empty());
        assert!(of(&LANGUAGES).bits() < 1 << 6, "they fit beside a phase");
    }

    #[test]
    fn wishes_accept_what_they_say() {
        assert!(PreferredGender::All.accepts(Gender::Other));
        assert!(!PreferredGender::Male.accepts(Gender::Other));
    }
}
