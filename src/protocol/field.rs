//! Fields read loosely: any JSON value is accepted where a scalar is expected, so that a wrong type
//! names the field instead of failing the whole frame, and nothing is allocated for what is ignored.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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

/// What any JSON value can be read as. One that is made for objects, say, takes something else as nothing.
trait Loose<'de>: Default {
    /// A string, a number, a boolean or `null`; [`Field::Other`] for what none of the others took.
    fn from_scalar(_: Field<'de>) -> Self {
        Self::default()
    }

    fn from_array<A: SeqAccess<'de>>(mut array: A) -> Result<Self, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::from_scalar(Field::Other))
    }

    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::from_scalar(Field::Other))
    }
}

struct LooseVisitor<T>(PhantomData<T>);

fn read_loosely<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Loose<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(LooseVisitor(PhantomData))
}

impl<'de, T: Loose<'de>> Visitor<'de> for LooseVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::from_scalar(Field::Str(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::from_scalar(Field::Str(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, n: u64) -> Result<T, E> {
        Ok(T::from_scalar(Field::Number(n)))
    }

    fn visit_i64<E>(self, n: i64) -> Result<T, E> {
        let field = u64::try_from(n).map_or(Field::Other, Field::Number);
        Ok(T::from_scalar(field))
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::from_scalar(Field::Other))
    }

    fn visit_bool<E>(self, b: bool) -> Result<T, E> {
        Ok(T::from_scalar(Field::Bool(b)))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::from_scalar(Field::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<T, A::Error> {
        T::from_array(array)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::from_object(object)
    }
}

impl<'de> Loose<'de> for Field<'de> {
    fn from_scalar(field: Field<'de>) -> Self {
        field
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_loosely(deserializer)
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

impl<'de, T: Deserialize<'de>> Loose<'de> for Object<T> {
    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        let read = T::deserialize(MapAccessDeserializer::new(object))?;
        Ok(Self(Some(read)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_loosely(deserializer)
    }
}

/// The strings of an array; what is no string is left out, what is no array is empty.
#[derive(Debug, Default)]
pub(super) struct Words<'a>(pub(super) Vec<Cow<'a, str>>);

/// More words than this are never looked at.
const WORDS: usize = 32;

impl<'de> Loose<'de> for Words<'de> {
    fn from_array<A: SeqAccess<'de>>(mut array: A) -> Result<Self, A::Error> {
        let mut words = Words::default();
        while let Some(field) = array.next_element::<Field<'de>>()? {
            if let (Field::Str(word), true) = (field, words.0.len() < WORDS) {
                words.0.push(word);
            }
        }
        Ok(words)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_loosely(deserializer)
    }
}
