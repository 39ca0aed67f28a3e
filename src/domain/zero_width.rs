//! Unseen characters that do a job in names and tags: joiners, variation selectors and the tags of a
//! few flags. They are kept where they change what is drawn, and nowhere else: at an end, in a run or
//! between Latin letters they only make two names differ that look alike.
//! Sources: Unicode 16, `emoji-data.txt` and `ArabicShaping.txt`; RFC 5892, A.1 and A.2.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';
const EMOJI_STYLE: char = '\u{FE0F}';
const KEYCAP: char = '\u{20E3}';
const VOWEL_SEPARATOR: char = '\u{180E}';
const BLACK_FLAG: char = '\u{1F3F4}';
/// England, Scotland and Wales: what is written in tags after a black flag.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Whether this character is one of those that may do a job.
pub fn is_candidate(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER | '\u{E0020}'..='\u{E007F}') || is_selector(c)
}

fn is_selector(c: char) -> bool {
    matches!(c,
        '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// The same characters without those that do nothing where they stand.
pub fn keep_working(chars: &[char]) -> Vec<char> {
    let mut kept = Vec::with_capacity(chars.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = &chars[at + 1..];
        if !is_candidate(c) || works(&kept, c, rest) {
            kept.push(c);
        }
        at += 1;
        if c == BLACK_FLAG {
            let tags = flag_tags(rest);
            kept.extend_from_slice(&rest[..tags]);
            at += tags;
        }
    }
    kept
}

/// How many of these characters are the tags of a flag.
fn flag_tags(rest: &[char]) -> usize {
    let tag = |letter: u8| char::from_u32(0xE0000 + u32::from(letter));
    let spelled = |flag: &&&str| {
        let letters = flag.bytes().map(tag).chain([Some('\u{E007F}')]);
        letters.eq(rest.iter().take(flag.len() + 1).map(|c| Some(*c)))
    };
    FLAGS.iter().find(spelled).map_or(0, |flag| flag.len() + 1)
}

fn works(before: &[char], c: char, rest: &[char]) -> bool {
    let Some(&last) = before.last() else {
        return false;
    };
    let next = rest.first().copied();
    match c {
        NON_JOINER => parts_arabic(before, next) || is_at_virama(before, c, rest),
        JOINER => joins_emoji(before, next) || is_at_virama(before, c, rest),
        VOWEL_SEPARATOR => is_mongolian(last) && next.is_some_and(is_mongolian),
        '\u{180B}'..='\u{180F}' => is_mongolian(last),
        EMOJI_STYLE if matches!(last, '0'..='9' | '#' | '*') => next == Some(KEYCAP),
        '\u{FE0E}' | EMOJI_STYLE => is_pictograph(last),
        // Forms of ideographs; the first of them is also that of Myanmar letters with dots.
        '\u{FE00}' if matches!(last, '\u{1000}'..='\u{109F}') => true,
        '\u{FE00}'..='\u{FE02}' | '\u{E0100}'..='\u{E01EF}' => is_ideograph(last),
        _ => false,
    }
}

/// A half space: it stands between two letters that would be written together.
fn parts_arabic(before: &[char], next: Option<char>) -> bool {
    let letter = before.iter().rev().find(|c| !is_combining_mark(**c));
    letter.is_some_and(|c| is_arabic(*c) && !joins_only_backwards(*c))
        && next.is_some_and(is_arabic)
}

/// Beside the sign that takes a letter its vowel, a joiner chooses how the two letters are written
/// together: before that sign or after it, with a letter of the same script to follow. In Malayalam a
/// word may end with it.
fn is_at_virama(before: &[char], c: char, rest: &[char]) -> bool {
    let (Some(&last), next) = (before.last(), rest.first().copied()) else {
        return false;
    };
    let Some(script) = indic_script(last) else {
        return false;
    };
    let is_letter = |c: char| indic_script(c) == Some(script) && !is_combining_mark(c);
    if is_virama(last) {
        let base = before.iter().rev().find(|c| !is_combining_mark(**c));
        let is_after_letter = base.is_some_and(|c| is_letter(*c));
        let makes_chillu =
            c == JOINER && base.is_some_and(|c| matches!(c, 'ക' | 'ണ' | 'ന' | 'ര' | 'ല' | 'ള'));
        return is_after_letter && (makes_chillu || next.is_some_and(is_letter));
    }
    let is_nukta = canonical_combining_class(last) == 7;
    (is_letter(last) || is_nukta)
        && next.is_some_and(is_virama)
        && rest.get(1).is_some_and(|c| is_letter(*c))
}

/// One picture made of several.
fn joins_emoji(before: &[char], next: Option<char>) -> bool {
    let is_part = |c: &&char| !matches!(**c, EMOJI_STYLE | '\u{1F3FB}'..='\u{1F3FF}');
    let picture = before.iter().rev().find(is_part);
    picture.is_some_and(|c| is_pictograph(*c)) && next.is_some_and(is_pictograph)
}

fn is_virama(c: char) -> bool {
    canonical_combining_class(c) == 9
}

/// Which of the scripts from Devanagari to Sinhala: each has a block of 128.
fn indic_script(c: char) -> Option<u32> {
    matches!(c, '\u{0900}'..='\u{0DFF}').then_some(u32::from(c) >> 7)
}

fn is_mongolian(c: char) -> bool {
    matches!(c, '\u{1820}'..='\u{1878}' | '\u{1880}'..='\u{18AA}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}')
}

fn is_arabic(c: char) -> bool {
    matches!(c,
        '\u{0620}' | '\u{0622}'..='\u{064A}' | '\u{066E}'..='\u{066F}' | '\u{0671}'..='\u{0673}'
        | '\u{0675}'..='\u{06D3}' | '\u{06D5}' | '\u{06EE}'..='\u{06EF}' | '\u{06FA}'..='\u{06FC}'
        | '\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{0870}'..='\u{0882}' | '\u{0886}'
        | '\u{0889}'..='\u{088D}' | '\u{08A0}'..='\u{08AC}' | '\u{08AE}'..='\u{08C8}')
}

/// Letters that never join the one after them: a half space behind these changes nothing.
fn joins_only_backwards(c: char) -> bool {
    matches!(c,
        '\u{0622}'..='\u{0625}' | '\u{0627}' | '\u{0629}' | '\u{062F}'..='\u{0632}' | '\u{0648}'
        | '\u{0671}'..='\u{0673}' | '\u{0675}'..='\u{0677}' | '\u{0688}'..='\u{0699}' | '\u{06C0}'
        | '\u{06C3}'..='\u{06CB}' | '\u{06CD}' | '\u{06CF}' | '\u{06D2}'..='\u{06D3}' | '\u{06D5}'
        | '\u{06EE}'..='\u{06EF}' | '\u{0759}'..='\u{075B}' | '\u{076B}'..='\u{076C}' | '\u{0771}'
        | '\u{0773}'..='\u{0774}' | '\u{0778}'..='\u{0779}' | '\u{0870}'..='\u{0882}' | '\u{088E}'
        | '\u{08AA}'..='\u{08AC}' | '\u{08AE}' | '\u{08B1}'..='\u{08B2}' | '\u{08B9}')
}

/// `Emoji` without digits, flag letters and shades of skin.
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{2199}' | '\u{21A9}'..='\u{21AA}' | '\u{231A}'..='\u{231B}' | '\u{2328}'
        | '\u{23CF}' | '\u{23E9}'..='\u{23F3}' | '\u{23F8}'..='\u{23FA}' | '\u{24C2}'
        | '\u{25AA}'..='\u{25AB}' | '\u{25B6}' | '\u{25C0}' | '\u{25FB}'..='\u{25FE}'
        | '\u{2600}'..='\u{2604}' | '\u{260E}' | '\u{2611}' | '\u{2614}'..='\u{2615}' | '\u{2618}'
        | '\u{261D}' | '\u{2620}' | '\u{2622}'..='\u{2623}' | '\u{2626}' | '\u{262A}'
        | '\u{262E}'..='\u{262F}' | '\u{2638}'..='\u{263A}' | '\u{2640}' | '\u{2642}'
        | '\u{2648}'..='\u{2653}' | '\u{265F}'..='\u{2660}' | '\u{2663}' | '\u{2665}'..='\u{2666}'
        | '\u{2668}' | '\u{267B}' | '\u{267E}'..='\u{267F}' | '\u{2692}'..='\u{2697}' | '\u{2699}'
        | '\u{269B}'..='\u{269C}' | '\u{26A0}'..='\u{26A1}' | '\u{26A7}' | '\u{26AA}'..='\u{26AB}'
        | '\u{26B0}'..='\u{26B1}' | '\u{26BD}'..='\u{26BE}' | '\u{26C4}'..='\u{26C5}' | '\u{26C8}'
        | '\u{26CE}'..='\u{26CF}' | '\u{26D1}' | '\u{26D3}'..='\u{26D4}' | '\u{26E9}'..='\u{26EA}'
        | '\u{26F0}'..='\u{26F5}' | '\u{26F7}'..='\u{26FA}' | '\u{26FD}' | '\u{2702}' | '\u{2705}'
        | '\u{2708}'..='\u{270D}' | '\u{270F}' | '\u{2712}' | '\u{2714}' | '\u{2716}' | '\u{271D}'
        | '\u{2721}' | '\u{2728}' | '\u{2733}'..='\u{2734}' | '\u{2744}' | '\u{2747}' | '\u{274C}'
        | '\u{274E}' | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2763}'..='\u{2764}'
        | '\u{2795}'..='\u{2797}' | '\u{27A1}' | '\u{27B0}' | '\u{27BF}' | '\u{2934}'..='\u{2935}'
        | '\u{2B05}'..='\u{2B07}' | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}' | '\u{3030}'
        | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F004}' | '\u{1F0CF}'
        | '\u{1F170}'..='\u{1F171}' | '\u{1F17E}'..='\u{1F17F}' | '\u{1F18E}'
        | '\u{1F191}'..='\u{1F19A}' | '\u{1F201}'..='\u{1F202}' | '\u{1F21A}' | '\u{1F22F}'
        | '\u{1F232}'..='\u{1F23A}' | '\u{1F250}'..='\u{1F251}' | '\u{1F300}'..='\u{1F321}'
        | '\u{1F324}'..='\u{1F393}' | '\u{1F396}'..='\u{1F397}' | '\u{1F399}'..='\u{1F39B}'
        | '\u{1F39E}'..='\u{1F3F0}' | '\u{1F3F3}'..='\u{1F3F5}' | '\u{1F3F7}'..='\u{1F3FA}'
        | '\u{1F400}'..='\u{1F4FD}' | '\u{1F4FF}'..='\u{1F53D}' | '\u{1F549}'..='\u{1F54E}'
        | '\u{1F550}'..='\u{1F567}' | '\u{1F56F}'..='\u{1F570}' | '\u{1F573}'..='\u{1F57A}'
        | '\u{1F587}' | '\u{1F58A}'..='\u{1F58D}' | '\u{1F590}' | '\u{1F595}'..='\u{1F596}'
        | '\u{1F5A4}'..='\u{1F5A5}' | '\u{1F5A8}' | '\u{1F5B1}'..='\u{1F5B2}' | '\u{1F5BC}'
        | '\u{1F5C2}'..='\u{1F5C4}' | '\u{1F5D1}'..='\u{1F5D3}' | '\u{1F5DC}'..='\u{1F5DE}'
        | '\u{1F5E1}' | '\u{1F5E3}' | '\u{1F5E8}' | '\u{1F5EF}' | '\u{1F5F3}'
        | '\u{1F5FA}'..='\u{1F64F}' | '\u{1F680}'..='\u{1F6C5}' | '\u{1F6CB}'..='\u{1F6D2}'
        | '\u{1F6D5}'..='\u{1F6D8}' | '\u{1F6DC}'..='\u{1F6E5}' | '\u{1F6E9}'
        | '\u{1F6EB}'..='\u{1F6EC}' | '\u{1F6F0}' | '\u{1F6F3}'..='\u{1F6FC}'
        | '\u{1F7E0}'..='\u{1F7EB}' | '\u{1F7F0}' | '\u{1F90C}'..='\u{1F93A}'
        | '\u{1F93C}'..='\u{1F945}' | '\u{1F947}'..='\u{1F9FF}' | '\u{1FA70}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(text: &str) -> String {
        keep_working(&text.chars().collect::<Vec<_>>())
            .iter()
            .collect()
    }

    #[test]
    fn what_does_its_job_stays() {
        for text in [
            "علی\u{200C}رضا",
            "خانه\u{200C}ای",
            "مُ\u{200C}حمد",
            "ශ්\u{200D}රී",
            "र्\u{200D}य",
            "क्\u{200C}ष",
            "র\u{200D}্য",
            "ന്\u{200D}",
            "க்\u{200C}ஷ",
            "❤\u{FE0F}",
            "☎\u{FE0E}",
            "1\u{FE0F}\u{20E3}",
            "👩\u{200D}👩\u{200D}👧",
            "🏳\u{FE0F}\u{200D}🌈",
            "🕵🏽\u{200D}♂\u{FE0F}",
            "👩\u{200D}🦰",
            "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
            "葛\u{E0100}城",
            "神\u{FE00}",
            "ᠠ\u{180B}",
            "ᠨ\u{180E}ᠠ",
        ] {
            assert_eq!(keep(text), text);
        }
    }

    #[test]
    fn what_is_only_a_trick_goes() {
        for (text, left) in [
            ("An\u{200D}na", "Anna"),
            ("An\u{200C}na", "Anna"),
            ("\u{200C}علی", "علی"),
            ("علی\u{200C}", "علی"),
            ("علی\u{200C} رضا", "علی رضا"),
            ("علی\u{200C}\u{200C}رضا", "علی\u{200C}رضا"),
            // These letters are apart without it.
            ("دا\u{200C}رد", "دارد"),
            ("علی\u{200D}رضا", "علیرضا"),
            ("علی\u{200C}a", "علیa"),
            ("क\u{200D}ष", "कष"),
            ("क्\u{200D}", "क्"),
            ("a\u{FE0F}", "a"),
            ("1\u{FE0F}", "1"),
            ("❤\u{FE0F}\u{FE0F}", "❤\u{FE0F}"),
            ("🙂\u{200D}", "🙂"),
            ("🙂\u{200D}a", "🙂a"),
            ("語\u{FE0F}", "語"),
            ("a\u{E0100}", "a"),
            ("🏴\u{E0061}\u{E0062}\u{E007F}", "🏴"),
            ("🏴\u{E0067}\u{E0062}\u{E0073}", "🏴"),
            ("a\u{E0067}", "a"),
            ("a\u{180B}\u{180E}b", "ab"),
            ("\u{FE0F}\u{200D}\u{E007F}", ""),
        ] {
            assert_eq!(keep(text), left, "{text:?}");
        }
    }
}
