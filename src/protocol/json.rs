//! Writing JSON by hand: for the one frame that everything waits for. All others are derived; this one,
//! derived, takes three to four times as long, which is more than a twentieth of a stored message.

/// JSON being written. The caller gives everything between the values as it stands.
pub(super) struct Json(Vec<u8>);

impl Json {
    /// With room for so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// What was written. An exact size spares [`super::Text`] a reference count until it is shared.
    pub(super) fn finish(mut self) -> String {
        self.0.shrink_to_fit();
        String::from_utf8(self.0).expect("it was made of texts")
    }

    /// JSON as it stands.
    pub(super) fn raw(mut self, json: &str) -> Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// A text, with its quotes.
    pub(super) fn text(mut self, value: &str) -> Self {
        serde_json::to_writer(&mut self.0, value).expect("texts are JSON");
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
        let digits = [number / 10 % 10, number % 10];
        self.0.extend(digits.map(|digit| b'0' + digit));
        self
    }

    /// A number, without quotes.
    pub(super) fn number(self, number: impl itoa::Integer) -> Self {
        self.raw(itoa::Buffer::new().format(number))
    }
}
