//! Fields read loosely: any JSON value is accepted where a scalar is expected, so that a wrong type
//! names the field instead of failing the whole frame, and nothing is allocated for what is ignored.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One scalar, or what stood in its place.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Field<'a> {
    /// Not there.
    #[default]
    Absent,
    /// The value is `null`.
    Null,
    /// A string.
    Str(Cow<'a, str>),
    /// A non-negative whole number.
    Number(u64),
    /// `true` or `false`.
    Bool(bool),
    /// Anything else.
    Other,
}

impl<'a> Field<'a> {
    /// The text of a string; `None` for everything else.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string or the digits of a number: clients write ids both ways.
    pub(super) fn text_or_number(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Str(text) => Some(text),
            Self::Number(n) => Some(Cow::Owned(n.to_string())),
            _ => None,
        }
    }

    /// Absent or `null`.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field::Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Field::Str(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
        Ok(Field::Number(n))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(n).map_or(Field::Other, Field::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Self::Value, E> {
        Ok(Field::Bool(b))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

/// An object of known fields, or `None` where something else stood.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'a>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let object = json.starts_with('{').then(|| serde_json::from_str(json));
        object.transpose().map(Self).map_err(D::Error::custom)
    }
}

/// The strings of an array; what is no string is left out, what is no array is empty.
#[derive(Debug, Default)]
pub(super) struct Words<'a>(pub(super) Vec<Cow<'a, str>>);

/// More words than this are never looked at.
const WORDS: usize = 32;

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        if !json.starts_with('[') {
            return Ok(Self::default());
        }
        let words = serde_json::Deserializer::from_str(json).deserialize_seq(WordsVisitor);
        words.map_err(D::Error::custom)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut words = Words::default();
        while let Some(field) = seq.next_element::<Field<'de>>()? {
            if let (Field::Str(word), true) = (field, words.0.len() < WORDS) {
                words.0.push(word);
            }
        }
        Ok(words)
    }
}
