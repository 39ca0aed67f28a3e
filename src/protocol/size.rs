//! How long the frame of an entry will be, without encoding it: what a page is measured by. An upper bound, and a
//! close one. Pure.

use super::proof::PROOF_CHARS;
use crate::domain::{Entry, EntryKind, Persona};

/// A `new_message` around its texts and names, with the longest numbers and the comma behind it.
const MESSAGE: usize = 416;
/// The `proof` of one that was not recalled.
const PROOF: usize = r#","proof":"""#.len() + PROOF_CHARS;
/// Any other entry around its text and names.
const OTHER: usize = 160;
/// How much shorter a frame may be than it is counted, beside names that it does not carry.
#[cfg(test)]
const SLACK: usize = 200;

/// What the names of a room's two people add to a frame, at most: the sender's id and nickname, and the nickname
/// of who is quoted.
pub fn names(personas: &[Persona; 2]) -> usize {
    let longest = |of: fn(&Persona) -> &str| {
        let lengths = personas.iter().map(|persona| escaped_len(of(persona)));
        lengths.max().unwrap_or(0)
    };
    let (shown, own) = (
        longest(|it| &it.profile.nickname),
        longest(|it| it.profile.own_name()),
    );
    longest(|it| it.user_id.as_str()) + 2 * shown.max(own)
}

/// Bytes of an entry's frame on the wire, at most; `names` is of [`names`].
pub fn entry(entry: &Entry, names: usize) -> usize {
    let text = |it: &Option<String>| it.as_deref().map_or(0, escaped_len);
    let rest = match &entry.kind {
        EntryKind::Message {
            client_id,
            content,
            reply,
            ..
        } => {
            let quoted = reply.as_ref().map_or(0, |quote| text(&quote.content));
            let proof = content.as_ref().map_or(0, |_| PROOF);
            MESSAGE + escaped_len(client_id) + text(content) + proof + quoted
        }
        EntryKind::Recall { client_id, .. } => OTHER + escaped_len(client_id),
        EntryKind::Reaction { .. } | EntryKind::Departure { .. } => OTHER,
    };
    rest.saturating_add(names)
}

/// How long a text is between its quotes.
fn escaped_len(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{RoomId, Seq, Side, Timestamp};
    use crate::domain::{LeaveReason, Profile, Quote, Reaction, UserId};
    use crate::protocol::{Encoder, ProofKey};

    /// Every kind of character that is written in another length.
    fn any_text(most: usize) -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            3 => prop::char::range('a', 'z'),
            1 => prop::char::range('\0', '\u{1f}'),
            1 => prop::sample::select(vec!['"', '\\', '\u{7f}', '\u{2028}', '界', '😀']),
        ];
        prop::collection::vec(letter, 0..=most).prop_map(|it| it.into_iter().collect())
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![0..1000_u64, Just(i64::MAX as u64), Just(u64::MAX)]
    }

    fn any_kind() -> impl Strategy<Value = EntryKind> {
        let side = prop::sample::select(Side::BOTH.to_vec());
        let quote = (number(), side.clone(), prop::option::of(any_text(300)));
        let quote = quote.prop_map(|(seq, side, text)| Quote::of(Seq(seq), side, text.as_deref()));
        let reason = [
            LeaveReason::Left,
            LeaveReason::NoShow,
            LeaveReason::TimeoutOfBoth,
        ];
        let texts = (any_text(100), prop::option::of(any_text(2000)));
        prop_oneof![
            4 => (side.clone(), texts, prop::option::of(quote)).prop_map(
                |(side, (client_id, content), reply)| EntryKind::Message {
                    side,
                    client_id,
                    content,
                    reply,
                }
            ),
            1 => (side.clone(), number(), any_text(100)).prop_map(|(side, target, client_id)| {
                let target = Seq(target);
                EntryKind::Recall { side, target, client_id }
            }),
            1 => (side.clone(), number(), prop::option::of(prop::sample::select(&Reaction::ALL[..])))
                .prop_map(|(side, target, reaction)| {
                    let target = Seq(target);
                    EntryKind::Reaction { side, target, reaction }
                }),
            1 => (side, prop::sample::select(reason.to_vec()))
                .prop_map(|(side, reason)| EntryKind::Departure { side, reason }),
        ]
    }

    #[test]
    fn a_text_is_as_long_as_the_library_writes_it() {
        for text in (0..=0x2_ffff).filter_map(char::from_u32).map(String::from) {
            let quoted = serde_json::to_string(&text).unwrap();
            assert_eq!(quoted.len(), escaped_len(&text) + 2, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_entry_is_counted_as_it_is_encoded(
            kind in any_kind(),
            seq in number(),
            at in prop_oneof![0..4_000_000_000_000_i64, Just(i64::MAX), Just(i64::MIN)],
            nickname in "[a-z\"\\\\]{1,50}",
        ) {
            let encoder = Encoder::new(TimeZone::UTC);
            encoder.proofs().start(ProofKey::new(&[7; 32]));
            let personas = ["user-one", "two"].map(|user_id| Persona {
                user_id: UserId::parse(user_id).unwrap(),
                profile: Profile::parse(&nickname, "20", "happy", "female"),
            });
            let entry = Entry { seq: Seq(seq), at: Timestamp(at), kind };
            let names = names(&personas);
            let counted = super::entry(&entry, names);
            for side in Side::BOTH {
                let comma = 1;
                let length = encoder.entry(RoomId::fresh(), &personas, &entry, side).len() + comma;
                prop_assert!(length <= counted, "{length} bytes, counted as {counted}");
                prop_assert!(counted - length <= SLACK + names, "{length} bytes, counted as {counted}");
            }
        }
    }
}
