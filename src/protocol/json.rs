//! Writing JSON by hand: for the one frame that everything waits for. Everything else is derived.

/// A JSON object under way. Keys are literals that need no escaping.
pub(super) struct Object {
    text: String,
    first: bool,
}

impl Object {
    /// With room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self { text, first: true }
    }

    /// Everything up to here, as it is.
    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    /// Begins an object within this one, until [`Object::close`].
    pub(super) fn open(&mut self, key: &'static str) {
        self.key(key);
        self.text.push('{');
        self.first = true;
    }

    /// Ends the object within this one.
    pub(super) fn close(&mut self) {
        self.text.push('}');
        self.first = false;
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str, value: &str) {
        self.key(key);
        self.text.push('"');
        escape(&mut self.text, value);
        self.text.push('"');
    }

    /// A text or nothing.
    pub(super) fn text_or_null(&mut self, key: &'static str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.literal(key, "null"),
        }
    }

    /// What is JSON already.
    pub(super) fn literal(&mut self, key: &'static str, json: &str) {
        self.key(key);
        self.text.push_str(json);
    }

    /// A number as a text: JSON's own lose digits in JavaScript.
    pub(super) fn quoted(&mut self, key: &'static str, number: u64) {
        self.key(key);
        self.text.push('"');
        self.text.push_str(itoa::Buffer::new().format(number));
        self.text.push('"');
    }

    fn key(&mut self, key: &'static str) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
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
            let mut object = Object::with_capacity(0);
            object.text("a", &text);
            let expected = serde_json::json!({ "a": text }).to_string();
            assert_eq!(object.finish(), expected);
        }
    }

    #[test]
    fn objects_are_separated_and_nested() {
        let mut object = Object::with_capacity(64);
        object.text("a", "x");
        object.open("b");
        object.quoted("c", u64::MAX);
        object.literal("d", "true");
        object.close();
        object.text_or_null("e", None);
        let expected = r#"{"a":"x","b":{"c":"18446744073709551615","d":true},"e":null}"#;
        assert_eq!(object.finish(), expected);
    }
}
