//! `report`: what a person says of the other side of a room. The same object comes on the chat socket and over HTTP.

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

use super::{DecodeError, parse};
use crate::domain::entry::CONTENT_CHARS;
use crate::domain::id::{Seq, Timestamp};
use crate::domain::safety::Reason;
use crate::domain::safety::report::{CHOSEN, CLAIMS, NOTE_CHARS};
use crate::protocol::close::ErrorCode;
use crate::protocol::field::Field;

/// Longest `proof` that is looked at; ours have 22.
const PROOF_CHARS: usize = 64;

/// A report as a client makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// The rule that was broken.
    pub reason: Reason,
    /// In the person's words, trimmed; may be empty.
    pub note: String,
    /// The messages that it is about; none: the whole conversation.
    pub messages: Vec<Seq>,
    /// Texts of messages that were recalled since.
    pub claims: Vec<ClaimRequest>,
    /// Block the other side as well.
    pub block: bool,
}

impl ReportRequest {
    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        let claims = self.claims.iter();
        let claims = claims.map(|it| size_of::<ClaimRequest>() + it.content.len() + it.proof.len());
        size_of::<Self>() + self.note.len() + size_of_val(&*self.messages) + claims.sum::<usize>()
    }
}

/// The text that a message is said to have had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The message.
    pub seq: Seq,
    /// What it said.
    pub content: String,
    /// What came with it.
    pub proof: String,
    /// Its `sent_at_ms`, if the client still knows it.
    pub sent_at: Option<Timestamp>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RawReport<'a> {
    #[serde(borrow)]
    reason: Field<'a>,
    #[serde(borrow)]
    note: Field<'a>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    claims: Option<&'a RawValue>,
    #[serde(borrow)]
    block: Field<'a>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct RawClaim<'a> {
    #[serde(borrow)]
    seq: Field<'a>,
    #[serde(borrow)]
    content: Field<'a>,
    #[serde(borrow)]
    proof: Field<'a>,
    #[serde(borrow)]
    sent_at_ms: Field<'a>,
}

/// Decodes a report, whatever stands beside it in its object.
///
/// # Errors
/// `bad_json`, `too_long` for the note, or `invalid_field` with the field's name.
pub fn report(text: &str) -> Result<ReportRequest, DecodeError> {
    let raw: RawReport<'_> = parse(text)?;
    let reason = raw.reason.text().and_then(Reason::parse);
    let block = match raw.block {
        Field::Absent | Field::Null => false,
        Field::Bool(block) => block,
        _ => return Err(DecodeError::field("block")),
    };
    Ok(ReportRequest {
        reason: reason.ok_or(DecodeError::field("reason"))?,
        note: note(&raw.note)?,
        messages: messages(raw.messages).ok_or(DecodeError::field("messages"))?,
        claims: claims(raw.claims).ok_or(DecodeError::field("claims"))?,
        block,
    })
}

fn note(field: &Field<'_>) -> Result<String, DecodeError> {
    let note = match field {
        Field::Absent | Field::Null => "",
        Field::Str(text) => text.trim(),
        _ => return Err(DecodeError::field("note")),
    };
    if note.chars().count() > NOTE_CHARS {
        // A person can run into it, and must not lose what they wrote.
        return Err(DecodeError::new(ErrorCode::TooLong));
    }
    Ok(note.to_owned())
}

fn messages(json: Option<&RawValue>) -> Option<Vec<Seq>> {
    let ids = listed::<Field<'_>, CHOSEN>(json)?;
    ids.into_iter().map(seq).collect()
}

fn claims(json: Option<&RawValue>) -> Option<Vec<ClaimRequest>> {
    let raw = listed::<RawClaim<'_>, CLAIMS>(json)?;
    raw.into_iter().map(claim).collect()
}

fn claim(raw: RawClaim<'_>) -> Option<ClaimRequest> {
    let content = raw.content.text()?;
    let proof = raw.proof.text()?;
    let sent_at = match raw.sent_at_ms {
        Field::Absent | Field::Null => None,
        Field::Number(ms) => Some(Timestamp(i64::try_from(ms).ok()?)),
        _ => return None,
    };
    let is_bounded = content.chars().count() <= CONTENT_CHARS && proof.len() <= PROOF_CHARS;
    is_bounded.then_some(())?;
    Some(ClaimRequest {
        seq: seq(raw.seq)?,
        content: content.to_owned(),
        proof: proof.to_owned(),
        sent_at,
    })
}

/// A message's id. The store counts in signed 64 bits; a larger number names nothing.
fn seq(id: Field<'_>) -> Option<Seq> {
    let number: u64 = id.text_or_number()?.parse().ok()?;
    i64::try_from(number).ok().map(|_| Seq(number))
}

/// What an array holds; nothing when it is not there. `None`: it is no array of such, or has more than `MOST`.
fn listed<'a, T: Deserialize<'a>, const MOST: usize>(json: Option<&'a RawValue>) -> Option<Vec<T>> {
    let Some(json) = json else {
        return Some(Vec::new());
    };
    let list: AtMost<T, MOST> = serde_json::from_str(json.get()).ok()?;
    Some(list.0)
}

/// An array of at most so many: more are not even kept for a moment.
struct AtMost<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(AtMostVisitor(PhantomData))
    }
}

struct AtMostVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for AtMostVisitor<T, MOST> {
    type Value = AtMost<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {MOST}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = seq.next_element()? {
            if list.len() == MOST {
                return Err(A::Error::custom("too many"));
            }
            list.push(one);
        }
        Ok(AtMost(list))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<ReportRequest, DecodeError> {
        report(&value.to_string())
    }

    fn refused(value: &Value) -> (ErrorCode, Option<&'static str>) {
        let error = read(value).expect_err("refused");
        (error.code, error.field)
    }

    #[test]
    fn a_report_needs_a_reason_and_nothing_else() {
        let plain = read(&json!({"action": "report", "reason": "spam"})).unwrap();
        let expected = ReportRequest {
            reason: Reason::Spam,
            note: String::new(),
            messages: Vec::new(),
            claims: Vec::new(),
            block: false,
        };
        assert_eq!(plain, expected);
        let nulls = json!({"reason": "spam", "note": null, "messages": null, "claims": null, "block": null});
        assert_eq!(read(&nulls), Ok(expected));
        let claim = json!({"seq": 4, "content": "bad", "proof": "x", "sent_at_ms": 7});
        let whole = json!({"reason": "self_harm", "note": " hm ", "messages": ["3", 4], "claims": [claim],
            "block": true, "room": "any", "other": [1]});
        let whole = read(&whole).unwrap();
        assert_eq!(
            (whole.reason, &*whole.note, whole.block),
            (Reason::SelfHarm, "hm", true)
        );
        assert_eq!(whole.messages, [Seq(3), Seq(4)]);
        assert_eq!(whole.claims[0].sent_at, Some(Timestamp(7)));
    }

    #[test]
    fn what_is_of_another_form_is_named() {
        let invalid = |field| (ErrorCode::InvalidField, Some(field));
        assert_eq!(refused(&json!({})), invalid("reason"));
        for reason in [json!("rude"), json!(1), json!(null)] {
            assert_eq!(refused(&json!({"reason": reason})), invalid("reason"));
        }
        assert_eq!(
            refused(&json!({"reason": "spam", "note": 1})),
            invalid("note")
        );
        assert_eq!(
            refused(&json!({"reason": "spam", "block": "yes"})),
            invalid("block")
        );
        for messages in [
            json!("1"),
            json!({}),
            json!(["m-1"]),
            json!([null]),
            json!([-1]),
            json!(7),
        ] {
            let report = json!({"reason": "spam", "messages": messages});
            assert_eq!(refused(&report), invalid("messages"), "{report}");
        }
        let good = json!({"seq": 1, "content": "c", "proof": "p"});
        for (field, value) in [
            ("seq", json!("x")),
            ("seq", json!(null)),
            ("content", json!(null)),
            ("content", json!(1)),
            ("proof", json!(2)),
            ("proof", json!("p".repeat(65))),
            ("sent_at_ms", json!("1")),
            ("content", json!("c".repeat(CONTENT_CHARS + 1))),
        ] {
            let mut claim = good.clone();
            claim[field] = value;
            let report = json!({"reason": "spam", "claims": [claim]});
            assert_eq!(refused(&report), invalid("claims"), "{field}");
        }
        assert_eq!(
            refused(&json!({"reason": "spam", "claims": [1]})),
            invalid("claims")
        );
    }

    #[test]
    fn everything_is_bounded() {
        let note = |chars: usize| json!({"reason": "other", "note": "界".repeat(chars)});
        assert_eq!(
            read(&note(NOTE_CHARS)).unwrap().note.chars().count(),
            NOTE_CHARS
        );
        assert_eq!(refused(&note(NOTE_CHARS + 1)), (ErrorCode::TooLong, None));
        let chosen = |count: usize| json!({"reason": "other", "messages": vec!["1"; count]});
        assert_eq!(read(&chosen(CHOSEN)).unwrap().messages.len(), CHOSEN);
        assert_eq!(refused(&chosen(CHOSEN + 1)).1, Some("messages"));
        let claim = json!({"seq": 1, "content": "c", "proof": "p"});
        let claims =
            |count: usize| json!({"reason": "other", "claims": vec![claim.clone(); count]});
        assert_eq!(read(&claims(CLAIMS)).unwrap().claims.len(), CLAIMS);
        assert_eq!(refused(&claims(CLAIMS + 1)).1, Some("claims"));
    }

    #[test]
    fn what_is_no_object_is_no_report() {
        for text in ["", "[]", "null", "{\"reason\":", "\"spam\""] {
            assert_eq!(report(text).unwrap_err().code, ErrorCode::BadJson, "{text}");
        }
    }
}
