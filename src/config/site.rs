//! `[site]`.

use super::value::Words;

section! {
    /// What visitors read about this site.
    Site = "site" {
        /// The name in titles.
        name: String = "秘語 Miyu";
        /// One line about the site: the large one on its first page. Empty: the built-in one.
        tagline: String = "";
        /// House rules as plain text; a line each. Empty: the built-in ones.
        rules: String = "";
        /// How to reach you, as plain text. Empty: not shown.
        contact: String = "";
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
