//! Which characters show something. One rule for all that must not be blank: a message, a name, a tag.
//! Not what a name is made of (`text`), nor which unseen characters do a job there (`joiner`).
//! Sources: Unicode 16, `DerivedGeneralCategory.txt` and `Default_Ignorable_Code_Point`.

/// Whether anything of a text can be seen. Marks count: an accent alone is drawn.
pub fn shows(text: &str) -> bool {
    text.chars().any(has_ink)
}

/// Whether this character draws something.
pub fn has_ink(c: char) -> bool {
    // Nearly all that is written is decided by the first of these.
    c.is_ascii_graphic() || !(c.is_whitespace() || c.is_control() || is_ignorable(c) || is_blank(c))
}

/// What a text is drawn without: format characters that have no form of their own, fillers,
/// variation selectors, tags.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// What is drawn as a space and is none: an empty Braille cell, places for hieroglyphs, a filler of
/// Khitan, a note without a head.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{2800}' | '\u{13441}' | '\u{13442}' | '\u{16FE4}' | '\u{1D159}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_ink_shows_nothing() {
        for blank in [
            "",
            " \t\n\u{A0}\u{3000}\u{2028}",
            "\u{200B}",
            "\u{3164}",
            "\u{FEFF}",
            "\u{2800}\u{2800}",
            "\u{AD}",
            "\u{E0001}\u{E0041}\u{E007F}",
            "\u{200D}\u{200C}\u{FE0F}\u{E0100}",
            "\u{115F}\u{1160}\u{FFA0}",
            "\u{202E}\u{2066}\u{2069}\u{61C}",
            "\u{180E}\u{180B}\u{34F}\u{17B4}",
            "\u{1D159}\u{13441}\u{16FE4}",
            "\u{0}\u{7}\u{85}\u{9F}",
        ] {
            assert!(!shows(blank), "{blank:?}");
        }
    }

    #[test]
    fn whatever_can_be_seen_shows() {
        for text in [
            ".",
            "\u{200B}a\u{200B}",
            "語",
            "❤\u{FE0F}",
            "\u{301}",
            "\u{6DD}",
            "\u{F8FF}",
            "\u{FFFD}",
            "\u{1F3F4}",
            "ᠠ",
        ] {
            assert!(shows(text), "{text:?}");
        }
    }
}
