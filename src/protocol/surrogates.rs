//! Frames that the library cannot read whole: half a character in a text, and what an unreadable frame
//! still says of itself. Looked at only after a frame was refused.

use bytes::Bytes;

use crate::domain::entry::CLIENT_ID_CHARS;

/// The frame with U+FFFD for each half of a character; `None` when it has no halves.
///
/// `"\ud83d"` alone is JSON by its grammar (RFC 8259, 8.2), and what a browser makes of a text that was
/// cut in the middle of an emoji.
pub(super) fn mended(text: &str) -> Option<String> {
    let mut whole = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let escape = at + found;
        let length = match unit(text, escape) {
            Some(first) if is_leading(first) => match unit(text, escape + 6) {
                Some(second) if is_trailing(second) => 12,
                _ => 0,
            },
            Some(first) if is_trailing(first) => 0,
            Some(_) => 6,
            // Another escape, of two characters; what follows the backslash may be any.
            None => 1 + text[escape + 1..].chars().next().map_or(0, char::len_utf8),
        };
        at = match length {
            0 => {
                whole.push_str(&text[kept..escape]);
                whole.push('\u{fffd}');
                kept = escape + 6;
                kept
            }
            _ => escape + length,
        };
    }
    (kept > 0).then(|| {
        whole.push_str(&text[kept..]);
        whole
    })
}

/// A body that is JSON, as [`mended`] makes it.
pub fn whole_characters(body: Bytes) -> Bytes {
    let text = std::str::from_utf8(&body).ok();
    text.and_then(mended).map_or(body, Bytes::from)
}

/// The UTF-16 unit that a `\uXXXX` at this place means.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}

fn is_leading(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_trailing(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

/// The `client_id` that stands in an unreadable frame, so that its sender learns which message it was.
/// Nothing is done on it: it is only said back.
pub(super) fn client_id(text: &str) -> Option<String> {
    const KEY: &str = "\"client_id\"";
    let found = text.match_indices(KEY);
    // Inside a text the quotes of a key have a backslash before them.
    let mut keys = found.filter(|(at, _)| !text[..*at].ends_with('\\'));
    let (at, _) = keys.next()?;
    let value = text[at + KEY.len()..].trim_start().strip_prefix(':')?;
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
    let name = values.next()?.ok()?;
    let named = !name.is_empty() && name.chars().count() <= CLIENT_ID_CHARS;
    named.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_halves_are_replaced() {
        for (given, wanted) in [
            (r#""a\ud83d""#, Some("\"a\u{fffd}\"")),
            (r#""\ude00b""#, Some("\"\u{fffd}b\"")),
            (r#""\uD83Dx\uDE00""#, Some("\"\u{fffd}x\u{fffd}\"")),
            (
                r#""\ud83d\ud83d\ude00""#,
                Some("\"\u{fffd}\\ud83d\\ude00\""),
            ),
            (r#""\ude00\ud83d""#, Some("\"\u{fffd}\u{fffd}\"")),
            (r#""夜\n\ud83d\n夜""#, Some("\"夜\\n\u{fffd}\\n夜\"")),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\u00e9\"""#, None),
            ("\"\\夜\"", None),
            ("\"\\", None),
            ("\"\\ud8", None),
            ("\"\\ud8夜", None),
            ("\"\\u+d83\"", None),
            ("夜", None),
        ] {
            assert_eq!(mended(given).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_mended_can_be_read() {
        let given = r#"{"a":"\ud83d","b\udc00":["\ud83d\ude00","\\\ud83d"]}"#;
        assert!(serde_json::from_str::<serde_json::Value>(given).is_err());
        let whole: serde_json::Value = serde_json::from_str(&mended(given).unwrap()).unwrap();
        let wanted = serde_json::json!({"a": "\u{fffd}", "b\u{fffd}": ["😀", "\\\u{fffd}"]});
        assert_eq!(whole, wanted);
    }

    #[test]
    fn a_name_is_found_in_what_cannot_be_read() {
        for (given, wanted) in [
            (r#"{"client_id":"m-1","content":"#, Some("m-1")),
            (r#"{"content":1e999,"client_id" : "m-2"}"#, Some("m-2")),
            (
                r#"{"content":"say \"client_id\":\"x\"","client_id":"m-3"]"#,
                Some("m-3"),
            ),
            (r#"{"client_id":"m-4"#, None),
            (r#"{"client_id":""}}"#, None),
            (r#"{"client_id":7}}"#, None),
            (r#"{"client_id""#, None),
            ("[", None),
        ] {
            assert_eq!(client_id(given).as_deref(), wanted, "{given}");
        }
        let long = format!("{{\"client_id\":\"{}\"", "c".repeat(CLIENT_ID_CHARS + 1));
        assert_eq!(client_id(&long), None);
    }
}
