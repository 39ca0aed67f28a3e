//! Cleaning of the short texts that strangers see: names and tags.
//! Message text is not touched here; pages isolate it instead.
//! `tests/data/names.json` has examples that the pages' own cleaning is held to as well.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::visible::has_ink;
use crate::domain::zero_width::{is_candidate, keep_working};

/// More combining marks than this on one character only serve to overprint neighbouring lines.
const COMBINING_MARKS: usize = 3;

/// A raw text is cut to so many times the characters that may be left of it, before anything else is
/// done to it: composing costs as much as all that is given to it. A letter is at most four
/// characters before it is composed, so that nothing is lost of a name that is a name.
pub const RAW_PER_CHAR: usize = 8;

/// NFC, without control, bidi and zero-width characters, white space collapsed to single spaces,
/// trimmed, at most `max_chars` Unicode scalar values. Joiners and variation selectors stay where they
/// change what is drawn. May come out empty.
pub fn clean_name(raw: &str, max_chars: usize) -> String {
    clean(cut(raw, max_chars), max_chars, |it| it.nfc().collect())
}

/// Like [`clean_name`] but NFKC, so that full-width and half-width spellings of a tag agree.
pub fn clean_tag(raw: &str, max_chars: usize) -> String {
    clean(cut(raw, max_chars), max_chars, |it| it.nfkc().collect())
}

/// The first [`RAW_PER_CHAR`] times `max_chars` characters.
fn cut(raw: &str, max_chars: usize) -> &str {
    let most = max_chars.saturating_mul(RAW_PER_CHAR);
    match raw.char_indices().nth(most) {
        Some((end, _)) => &raw[..end],
        None => raw,
    }
}

fn clean(raw: &str, max_chars: usize, compose: impl Fn(&str) -> String) -> String {
    // Before composing: what stands unseen between a letter and its mark would keep them apart.
    let seen: Vec<char> = raw.chars().filter(|c| may_stay(*c)).collect();
    let working: String = keep_working(&seen).into_iter().collect();
    let tidied = tidy(compose(&working).chars(), max_chars);
    // The cut may have taken what a joiner was there for.
    if !tidied.chars().any(is_candidate) {
        return tidied;
    }
    let tidied: Vec<char> = tidied.chars().collect();
    keep_working(&tidied).into_iter().collect()
}

fn may_stay(c: char) -> bool {
    c.is_whitespace() || is_candidate(c) || !is_hidden(c)
}

fn tidy(chars: impl Iterator<Item = char>, max_chars: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut marks = 0;
    let mut space_pending = false;
    for c in chars {
        if c.is_whitespace() {
            space_pending = count > 0;
            continue;
        }
        // Again: compatibility forms of some letters are invisible.
        if !may_stay(c) {
            continue;
        }
        marks = if is_candidate(c) {
            // Part of what it follows, or the marks could be stacked on both sides of it.
            marks
        } else if is_combining_mark(c) {
            marks + 1
        } else {
            0
        };
        // Nor is there ink in a mark without a letter.
        let is_bare = marks > 0 && (count == 0 || space_pending);
        if is_bare || (marks > COMBINING_MARKS && !is_candidate(c)) {
            continue;
        }
        if space_pending {
            if count + 1 >= max_chars {
                break;
            }
            out.push(' ');
            count += 1;
            space_pending = false;
        }
        if count >= max_chars {
            break;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// What no name is made of: characters that show nothing or reorder their neighbours; signs that belong
/// to a number after them; and private ones, which look different on each device.
fn is_hidden(c: char) -> bool {
    !has_ink(c)
        || matches!(c,
            '\u{0600}'..='\u{0605}' | '\u{06DD}' | '\u{070F}' | '\u{0890}'..='\u{0891}' | '\u{08E2}'
            | '\u{110BD}' | '\u{110CD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A letter with what may honestly belong to it, in the form of most characters, and the white
    /// space before it.
    fn letter() -> impl Strategy<Value = String> {
        let letters = [
            "a",
            "Ω",
            "ệ",
            "ᾧ",
            "ガ",
            "ｶﾞ",
            "한",
            "語",
            "ﷺ",
            "🙂",
            "👩\u{200D}👩",
            "❤\u{FE0F}",
            "ශ්\u{200D}රී",
        ];
        let marks = proptest::collection::vec(
            prop::sample::select(vec!['\u{301}', '\u{323}', '\u{342}', '\u{3099}']),
            0..=2,
        );
        let spaces = prop::sample::select(vec!["", "", "", " ", "\u{3000}"]);
        let letters = prop::sample::select(letters.to_vec());
        (spaces, letters, marks).prop_map(|(space, letter, marks)| {
            let letter: String = letter.nfd().collect();
            let marks: String = marks.into_iter().collect();
            format!("{space}{letter}{marks}")
        })
    }

    proptest! {
        #[test]
        fn cutting_first_changes_no_honest_name(
            letters in proptest::collection::vec(letter(), 0..300),
            max_chars in 1_usize..60,
        ) {
            let raw = letters.concat();
            let uncut = clean(&raw, max_chars, |it| it.nfc().collect());
            prop_assert_eq!(clean_name(&raw, max_chars), uncut);
            let uncut = clean(&raw, max_chars, |it| it.nfkc().collect());
            prop_assert_eq!(clean_tag(&raw, max_chars), uncut);
        }

        #[test]
        fn a_clean_name_stays_as_it_is(
            raw in "[aé1\u{301}\u{FE0F}\u{20E3}\u{200C}\u{200D}\u{200B}يرد\u{650}क\u{94D}ष👩❤葛\u{E0100}🏴 ]{0,60}",
            max_chars in 1_usize..40,
        ) {
            let name = clean_name(&raw, max_chars);
            prop_assert_eq!(clean_name(&name, max_chars), name);
        }
    }

    #[test]
    fn a_raw_name_is_looked_at_as_far_as_a_name_can_reach() {
        let hidden = "\u{200B}".repeat(50 * RAW_PER_CHAR - 1);
        assert_eq!(clean_name(&format!("{hidden}ab"), 50), "a");
        assert_eq!(cut("語言", 1), "語言");
        assert_eq!(cut(&"語".repeat(100), 1), "語".repeat(8));
    }

    #[test]
    fn names_lose_what_cannot_be_seen() {
        assert_eq!(clean_name("  a\u{202E}b\u{200B}\t c\n", 50), "ab c");
        assert_eq!(clean_name("\u{200B}\u{FEFF}\u{3164}", 50), "");
        assert_eq!(clean_name("e\u{301}", 50), "é");
        assert_eq!(clean_name("e\u{200B}\u{301}", 50), "é");
    }

    #[test]
    fn what_has_no_ink_is_no_name() {
        for blank in [
            "\u{2800}\u{2800}",
            "\u{115F}\u{1160}",
            "\u{FFA0}\u{3164}",
            "\u{301}\u{20DD}",
            " \u{336} \u{200D}",
            "\u{1D159}",
            "\u{13441}\u{13442}",
            "\u{3000}\u{A0}\u{2028}",
            "\u{FE0F}\u{E0061}",
            "\u{93F}",
        ] {
            assert_eq!(clean_name(blank, 50), "", "{blank:?}");
        }
        assert_eq!(clean_name("\u{301}a \u{301}b", 50), "a b");
        // Marks that belong to letters stay with them.
        for name in ["สวัสดี", "नमस्ते", "തേൻ", "Việt", "가나", "שָׁלוֹם"]
        {
            let folded: String = name.nfc().collect();
            assert_eq!(clean_name(name, 50), folded);
        }
    }

    /// The pages clean the same names in the same way (`tests/js/text.test.mjs`), so that what a person
    /// reads as their own name is what the partner reads.
    #[test]
    fn names_and_tags_come_out_as_they_do_on_the_pages() {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/names.json")).unwrap();
        let mut count = 0;
        for (kind, clean) in [
            ("names", clean_name as fn(&str, usize) -> String),
            ("tags", clean_tag),
        ] {
            for example in all[kind].as_array().unwrap() {
                let text = |at: usize| example[at].as_str().unwrap();
                assert_eq!(clean(text(0), 20), text(1), "{:?}", text(0));
                count += 1;
            }
        }
        assert!(count > 30);
    }

    #[test]
    fn a_cut_leaves_no_joiner_behind() {
        assert_eq!(clean_name("علی\u{200C}رضا", 4), "علی");
        assert_eq!(clean_name("👩\u{200D}👩", 2), "👩");
        let flag = "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}";
        assert_eq!(clean_name(flag, 6), "🏴");
        assert_eq!(clean_name(flag, 7), flag);
    }

    #[test]
    fn marks_are_not_stacked_on_both_sides_of_a_joiner() {
        let marks = "\u{650}".repeat(3);
        let tower = format!("ي{marks}\u{200C}{marks}ر");
        assert_eq!(clean_name(&tower, 50), format!("ي{marks}ر"));
    }

    #[test]
    fn names_are_cut_at_characters_without_a_trailing_space() {
        assert_eq!(clean_name("一二三四", 3), "一二三");
        assert_eq!(clean_name("ab cd", 3), "ab");
    }

    #[test]
    fn stacked_marks_are_bounded() {
        let zalgo: String = std::iter::once('x')
            .chain(std::iter::repeat_n('\u{0336}', 40))
            .collect();
        assert_eq!(clean_name(&zalgo, 50).chars().count(), 1 + COMBINING_MARKS);
    }

    #[test]
    fn tags_agree_across_widths() {
        assert_eq!(clean_tag("Ｒｕｓｔ", 20), "Rust");
    }
}
