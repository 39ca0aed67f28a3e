//! The languages of the pages. Each is a catalogue, `words/TAG.json`, that says its own name and direction,
//! with first sentences in `starters/TAG.json` and what is kept about people in `privacy/TAG.html`. One of them is chosen for each answer.
//! The operators' console has catalogues of its own, `console/TAG.json`, which not every language has.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::bundle::PRIVACY;
use super::page_words::is_brought;
use crate::config::{DefaultLanguage, LANGUAGES};

/// Where catalogues are.
const WORDS: &str = "words/";
/// Where first sentences are.
const STARTERS: &str = "starters/";
/// Where the words of the console are.
const CONSOLE: &str = "console/";
const JSON: &str = ".json";
const HTML: &str = ".html";
/// For browsers that ask for none of ours, and for words that a language lacks.
const ELSE: &str = "en";
/// Most parts of an `Accept-Language` that are looked at.
const PARTS: usize = 20;

/// The texts of one language, by their keys.
pub type Words = BTreeMap<String, String>;

/// A language that the pages speak.
#[derive(Clone, Debug, Default)]
pub struct Language {
    tag: String,
    words: Words,
    /// First sentences, as JSON.
    starters: String,
    /// What is kept about people, as a part of a page, and whether it is in this language.
    privacy: (String, bool),
    /// The words of the console, as JSON; of some languages there are none.
    console: Option<String>,
}

impl Language {
    /// The tag, as in `lang=`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// What it calls itself.
    pub fn name(&self) -> &str {
        self.word("language.name").unwrap_or(&self.tag)
    }

    /// `ltr` or `rtl`.
    pub fn direction(&self) -> &'static str {
        match self.word("language.direction") {
            Some("rtl") => "rtl",
            _ => "ltr",
        }
    }

    /// The text of a key.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.words.get(key).map(String::as_str)
    }

    /// The words that a page of this name brings with it, as JSON. Most pages have no words of their own: any name.
    pub fn words_json(&self, page: &str) -> String {
        let brought = self.words.iter().filter(|(key, _)| is_brought(key, page));
        serde_json::to_string(&brought.collect::<BTreeMap<_, _>>()).expect("texts encode")
    }

    /// Those of all pages, as JSON: for one that is about what few people see.
    pub fn all_words_json(&self) -> String {
        serde_json::to_string(&self.words).expect("texts encode")
    }

    /// Its first sentences, as JSON.
    pub fn starters_json(&self) -> &str {
        &self.starters
    }

    /// What is kept about people: a part of a page, whose values are not filled in yet.
    pub fn privacy(&self) -> &str {
        &self.privacy.0
    }

    /// The words of the console, as JSON, where this language has them.
    pub fn console(&self) -> Option<&str> {
        self.console.as_deref()
    }

    /// The language that it is in, and how that is written.
    pub fn privacy_language(&self) -> (&str, &'static str) {
        match self.privacy.1 {
            true => (self.tag(), self.direction()),
            false => (ELSE, "ltr"),
        }
    }
}

/// Every language that has a catalogue among these files: ours first, in their order.
///
/// # Errors
/// A catalogue that is no object of texts.
pub fn read_all<'a>(
    files: &impl Fn(&str) -> Option<&'a [u8]>,
    names: impl Iterator<Item = &'a str>,
) -> io::Result<Vec<Language>> {
    let found: BTreeSet<&str> = names.filter_map(tag_of).collect();
    let others = found.into_iter().filter(|tag| !LANGUAGES.contains(tag));
    let read = |tag: &str| {
        let name = format!("{WORDS}{tag}{JSON}");
        let words = files(&name).map(|text| parse(&name, text)).transpose()?;
        let starters = files(&format!("{STARTERS}{tag}{JSON}"));
        let starters = starters.or_else(|| files(&format!("{STARTERS}{ELSE}{JSON}")));
        let own = files(&format!("{PRIVACY}{tag}{HTML}"));
        let privacy = own.or_else(|| files(&format!("{PRIVACY}{ELSE}{HTML}")));
        let privacy = String::from_utf8_lossy(privacy.unwrap_or_default()).into_owned();
        let name = format!("{CONSOLE}{tag}{JSON}");
        let console = files(&name).map(|text| parse(&name, text)).transpose()?;
        let console = console.map(|it| serde_json::to_string(&it).expect("texts encode"));
        Ok(Language {
            privacy: (privacy, own.is_some()),
            console,
            tag: tag.to_owned(),
            words: words.unwrap_or_default(),
            starters: String::from_utf8_lossy(starters.unwrap_or(b"{}")).into_owned(),
        })
    };
    LANGUAGES.into_iter().chain(others).map(read).collect()
}

/// A catalogue of an operator's, which may be a part of one: what it lacks is as it was, or, in a language
/// that is not one of ours, English. `None`: the file is no catalogue.
///
/// # Errors
/// It is no object of texts.
pub fn complete<'a>(
    name: &str,
    text: &[u8],
    built_in: impl Fn(&str) -> Option<&'a [u8]>,
) -> io::Result<Option<Vec<u8>>> {
    let mut folders = [WORDS, CONSOLE].into_iter();
    let Some(folder) = folders.find(|folder| tag_in(folder, name).is_some()) else {
        return Ok(None);
    };
    let base = built_in(name).or_else(|| built_in(&format!("{folder}{ELSE}{JSON}")));
    let mut words = base.map_or_else(|| Ok(Words::new()), |base| parse(name, base))?;
    words.extend(parse(name, text)?);
    Ok(Some(serde_json::to_vec(&words)?))
}

/// The language whose catalogue of the pages this file is.
fn tag_of(name: &str) -> Option<&str> {
    tag_in(WORDS, name)
}

/// The language whose catalogue in this folder this file is.
fn tag_in<'a>(folder: &str, name: &'a str) -> Option<&'a str> {
    let tag = name.strip_prefix(folder)?.strip_suffix(JSON)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    ((2..=35).contains(&tag.len()) && tag.chars().all(plain)).then_some(tag)
}

fn parse(name: &str, text: &[u8]) -> io::Result<Words> {
    serde_json::from_slice(text).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// The language that a page is in where the chosen one lacks its words.
pub fn fallback(languages: &[Language]) -> usize {
    languages.iter().position(|it| it.tag == ELSE).unwrap_or(0)
}

/// The place of the language to answer in: what the person chose, or else the operator, or else what the
/// browser asks for, or else English. Where nothing is asked for, the first.
pub fn choose(
    languages: &[Language],
    chosen: Option<&str>,
    configured: DefaultLanguage,
    accepted: &str,
) -> usize {
    let of_tag = |tag: &str| {
        let mut all = languages.iter();
        all.position(|it| it.tag.eq_ignore_ascii_case(tag))
    };
    chosen
        .and_then(of_tag)
        .or_else(|| configured.tag().and_then(of_tag))
        .unwrap_or_else(|| preferred(languages, accepted))
}

fn preferred(languages: &[Language], accepted: &str) -> usize {
    let mut best = None;
    let mut asked = false;
    for part in accepted.split(',').take(PARTS) {
        let mut pieces = part.split(';');
        let range = pieces.next().unwrap_or_default().trim();
        asked |= !range.is_empty() && range != "*";
        let weight = pieces.find_map(weight).unwrap_or(1.0);
        let Some(language) = matching(languages, range) else {
            continue;
        };
        // Of those that are liked as much the one that is named first.
        if weight > best.map_or(0.0, |(most, _)| most) {
            best = Some((weight, language));
        }
    }
    let otherwise = || match asked {
        true => languages.iter().position(|it| it.tag == ELSE),
        false => None,
    };
    best.map(|(_, language)| language)
        .or_else(otherwise)
        .unwrap_or(0)
}

/// `q=0.8`; what is no weight is none.
fn weight(piece: &str) -> Option<f32> {
    let (name, value) = piece.trim().split_once('=')?;
    let value = value.trim().parse().unwrap_or(0.0);
    let weight = if (0.0..=1.0).contains(&value) {
        value
    } else {
        0.0
    };
    name.eq_ignore_ascii_case("q").then_some(weight)
}

/// The language of just this tag, or else one of the same language in another script or place.
fn matching(languages: &[Language], range: &str) -> Option<usize> {
    let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
    let exact = languages
        .iter()
        .position(|it| it.tag.eq_ignore_ascii_case(range));
    exact.or_else(|| {
        let wanted = primary(range)?;
        languages
            .iter()
            .position(|it| primary(&it.tag).as_ref() == Some(&wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Words as _;

    fn languages(tags: &[&str]) -> Vec<Language> {
        let of = |tag: &&str| Language {
            tag: (*tag).to_owned(),
            ..Language::default()
        };
        tags.iter().map(of).collect()
    }

    #[test]
    fn the_person_chooses_then_the_operator_then_the_browser() {
        let all = languages(&["zh-TW", "en", "fr"]);
        let english = DefaultLanguage::WORDS
            .iter()
            .find(|(word, _)| *word == "en");
        let (auto, english) = (DefaultLanguage::default(), english.unwrap().1);
        let chosen = |chosen, configured, accepted| {
            all[choose(&all, chosen, configured, accepted)].tag.clone()
        };
        assert_eq!(chosen(Some("fr"), english, "zh-TW"), "fr");
        assert_eq!(chosen(Some("FR"), auto, ""), "fr");
        assert_eq!(chosen(Some("xx"), english, "zh-TW"), "en");
        assert_eq!(chosen(None, english, "zh-TW"), "en");
        assert_eq!(chosen(None, auto, "fr"), "fr");
        assert_eq!(chosen(Some("<script>"), auto, ""), "zh-TW");
    }

    #[test]
    fn the_browser_is_taken_at_its_word() {
        let all = languages(&["zh-TW", "en", "ja", "pt-BR", "pt-PT"]);
        let asked = |accepted| &*all[preferred(&all, accepted)].tag;
        for (accepted, wanted) in [
            ("", "zh-TW"),
            ("*", "zh-TW"),
            ("fr, en-GB;q=0.8, zh;q=0.5", "en"),
            ("en;q=0.2, zh-Hant-TW", "zh-TW"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-TW"),
            ("ja-JP", "ja"),
            ("en; Q=0.4, ja ; q = 0.5", "ja"),
            ("en;q=0, ja;q=0.1", "ja"),
            ("en;q=0", "en"),
            ("ja;q=nonsense, zh;q=0.1", "zh-TW"),
            ("ja;q=9, zh;q=0.1", "zh-TW"),
            ("ja;q=NaN, zh;q=0.1", "zh-TW"),
            ("pt-pt", "pt-PT"),
            ("pt", "pt-BR"),
            ("en, ja", "en"),
            // None of ours: neither is the first language of the site theirs.
            ("de", "en"),
            ("de, *;q=0.1", "en"),
        ] {
            assert_eq!(asked(accepted), wanted, "{accepted}");
        }
    }

    #[test]
    fn catalogues_are_found_by_their_names_and_ours_come_first() {
        let files: [(&str, &[u8]); 5] = [
            (
                "words/ar.json",
                br#"{"language.direction":"rtl","language.name":"ar!"}"#,
            ),
            ("words/en.json", br#"{"a":"A"}"#),
            ("words/e\"n.json", b"{}"),
            ("starters/en.json", b"[1]"),
            ("css/a.css", b"a"),
        ];
        let by_name = BTreeMap::from(files);
        let all = read_all(&|name| by_name.get(name).copied(), by_name.keys().copied()).unwrap();
        let tags: Vec<_> = all.iter().map(Language::tag).collect();
        let mut wanted = LANGUAGES.to_vec();
        wanted.push("ar");
        assert_eq!(tags, wanted);
        let arabic = all.last().unwrap();
        assert_eq!((arabic.direction(), arabic.name()), ("rtl", "ar!"));
        assert_eq!(arabic.starters_json(), "[1]");
        assert_eq!((all[0].direction(), all[0].name()), ("ltr", "zh-TW"));
        let broken = |_: &str| Some(&b"{\"a\":1}"[..]);
        let error = read_all(&broken, ["words/en.json"].into_iter()).unwrap_err();
        assert!(error.to_string().starts_with("words/zh-TW.json: "));
    }

    #[test]
    fn a_page_brings_neither_what_few_people_see_nor_the_words_of_another() {
        let words = [
            ("app.guide", "Guide"),
            ("chat.send", "Send"),
            ("home.start", "Go"),
            ("notices.ban", "No"),
        ];
        let language = Language {
            words: words.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..Language::default()
        };
        for (page, own) in [
            ("", ""),
            ("home", r#","home.start":"Go""#),
            ("chat", r#","chat.send":"Send""#),
        ] {
            let wanted = format!(r#"{{"app.guide":"Guide"{own}}}"#);
            assert_eq!(language.words_json(page), wanted, "{page}");
        }
        assert_eq!(language.word("notices.ban"), Some("No"));
        assert!(language.all_words_json().contains("notices.ban"));
    }

    #[test]
    fn an_operators_catalogue_may_be_a_part() {
        let ours = BTreeMap::from([
            ("words/en.json", &br#"{"a":"A","b":"B"}"#[..]),
            ("words/zh-TW.json", &br#"{"a":"1","b":"2"}"#[..]),
            ("console/en.json", &br#"{"op.a":"A"}"#[..]),
        ]);
        let complete = |name: &str, text: &str| {
            let full = complete(name, text.as_bytes(), |name| ours.get(name).copied());
            full.map(|it| it.map(|it| String::from_utf8(it).unwrap()))
        };
        let over = |name: &str| complete(name, r#"{"b":"x"}"#).unwrap();
        assert_eq!(over("words/zh-TW.json").unwrap(), r#"{"a":"1","b":"x"}"#);
        assert_eq!(over("words/ar.json").unwrap(), r#"{"a":"A","b":"x"}"#);
        assert_eq!(over("console/ar.json").unwrap(), r#"{"b":"x","op.a":"A"}"#);
        assert_eq!(over("css/words/ar.json"), None);
        assert!(complete("words/ar.json", "{").is_err());
    }
}
