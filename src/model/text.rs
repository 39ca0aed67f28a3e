//! Cleaning of the short texts that strangers see: names and tags.
//! Message text is not touched here; pages isolate it instead.

use unicode_normalization::UnicodeNormalization;

/// More combining marks than this on one character only serve to overprint neighbouring lines.
const COMBINING_MARKS: usize = 3;

/// A raw text is cut to so many times the characters that may be left of it, before anything else is
/// done to it: composing costs as much as all that is given to it. A letter is at most four
/// characters before it is composed, so that nothing is lost of a name that is a name.
pub const RAW_PER_CHAR: usize = 8;

/// NFC, without control, bidi and zero-width characters, white space collapsed to single spaces,
/// trimmed, at most `max_chars` Unicode scalar values. May come out empty.
pub fn clean_name(raw: &str, max_chars: usize) -> String {
    tidy(visible(cut(raw, max_chars)).nfc(), max_chars)
}

/// Like [`clean_name`] but NFKC, so that full-width and half-width spellings of a tag agree.
pub fn clean_tag(raw: &str, max_chars: usize) -> String {
    tidy(visible(cut(raw, max_chars)).nfkc(), max_chars)
}

/// The first [`RAW_PER_CHAR`] times `max_chars` characters.
fn cut(raw: &str, max_chars: usize) -> &str {
    let most = max_chars.saturating_mul(RAW_PER_CHAR);
    match raw.char_indices().nth(most) {
        Some((end, _)) => &raw[..end],
        None => raw,
    }
}

/// Before composing: what stands unseen between a letter and its mark would keep them apart.
fn visible(raw: &str) -> impl Iterator<Item = char> {
    raw.chars()
        .filter(|c| c.is_whitespace() || !is_invisible(*c))
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
        if is_invisible(c) {
            continue;
        }
        marks = if unicode_normalization::char::is_combining_mark(c) {
            marks + 1
        } else {
            0
        };
        // Nor is there ink in a mark without a letter.
        if marks > COMBINING_MARKS || (marks > 0 && (count == 0 || space_pending)) {
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

/// Characters that show nothing or reorder their neighbours: general categories Cc and Cf, the
/// fillers that render blank, and private or unassigned-by-design code points.
/// Source: Unicode 16, `DerivedGeneralCategory.txt` and `Default_Ignorable_Code_Point`.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{0600}'..='\u{0605}' | '\u{061C}' | '\u{06DD}'
            | '\u{070F}' | '\u{0890}'..='\u{0891}' | '\u{08E2}' | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}' | '\u{13441}' | '\u{13442}'
            | '\u{16FE4}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
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
            let uncut = tidy(visible(&raw).nfc(), max_chars);
            prop_assert_eq!(clean_name(&raw, max_chars), uncut);
            let uncut = tidy(visible(&raw).nfkc(), max_chars);
            prop_assert_eq!(clean_tag(&raw, max_chars), uncut);
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
