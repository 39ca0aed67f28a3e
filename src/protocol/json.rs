//! Writing JSON by hand: for the one frame that everything waits for. All others are derived.

/// JSON being written. The caller gives everything between the values as it stands.
pub(super) struct Json(String);

impl Json {
    /// With room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// What was written. An exact size spares [`super::Text`] a reference count until it is shared.
    pub(super) fn finish(mut self) -> String {
        self.0.shrink_to_fit();
        self.0
    }

    /// JSON as it stands.
    pub(super) fn raw(mut self, json: &str) -> Self {
        self.0.push_str(json);
        self
    }

    /// A text, with its quotes.
    pub(super) fn text(mut self, value: &str) -> Self {
        self.0.push('"');
        escape(&mut self.0, value);
        self.0.push('"');
        self
    }

    /// A text or nothing.
    pub(super) fn text_or_null(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => self.raw("null"),
        }
    }

    /// A number below 100, with a leading zero.
    pub(super) fn two_digits(mut self, number: u8) -> Self {
        self.0.push(char::from(b'0' + number / 10 % 10));
        self.0.push(char::from(b'0' + number % 10));
        self
    }

    /// A number, without quotes.
    pub(super) fn number(self, number: impl itoa::Integer) -> Self {
        self.raw(itoa::Buffer::new().format(number))
    }
}

/// Bytes looked at together.
const WORD: usize = 8;

/// Adds a text as it stands between quotes.
fn escape(into: &mut String, text: &str) {
    if is_plain(text.as_bytes()) {
        into.push_str(text);
        return;
    }
    let quoted = serde_json::to_string(text).expect("texts are JSON");
    into.push_str(&quoted[1..quoted.len() - 1]);
}

/// How long a text is between quotes: what [`escape`] adds.
pub(super) fn escaped_len(text: &str) -> usize {
    if is_plain(text.as_bytes()) {
        return text.len();
    }
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    });
    bytes.sum()
}

/// Nothing in it must be escaped: no quote, no backslash, no control character.
fn is_plain(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<WORD>();
    words
        .iter()
        .all(|word| is_plain_word(u64::from_ne_bytes(*word)))
        && rest
            .iter()
            .all(|byte| !matches!(byte, 0..0x20 | b'"' | b'\\'))
}

/// The usual trick of comparing eight bytes at once: the high bit of each byte that hits is set. A byte
/// may be taken for a hit because of the one before it; then all are looked at by the library.
fn is_plain_word(word: u64) -> bool {
    const LOW: u64 = u64::from_ne_bytes([0x01; WORD]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);
    let zero = |word: u64| word.wrapping_sub(LOW) & !word;
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    let quote = zero(word ^ (LOW * u64::from(b'"')));
    let backslash = zero(word ^ (LOW * u64::from(b'\\')));
    (control | quote | backslash) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_written_as_the_library_does() {
        let mut texts: Vec<String> = (0..=0x2_ffff)
            .filter_map(char::from_u32)
            .map(String::from)
            .collect();
        // Each dangerous one at each place of a word, among harmless ones.
        for bad in ['"', '\\', '\n', '\0', '\u{1f}', '\u{7f}', '界', ' '] {
            for at in 0..20 {
                let text = (0..20).map(|n| if n == at { bad } else { '!' });
                texts.push(text.collect());
            }
        }
        for text in texts {
            let json = Json::with_capacity(0).text(&text).finish();
            assert_eq!(json, serde_json::to_string(&text).unwrap());
            assert_eq!(json.len(), escaped_len(&text) + 2);
        }
    }
}
