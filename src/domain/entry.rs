//! What happens in a room durably: messages, recalls, reactions and departures, each with its `seq`.

use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;

use crate::domain::id::{Seq, Side, Timestamp};
use crate::domain::reaction::Reaction;

/// Longest message, in Unicode scalar values after trimming (wire contract, section 3).
pub const CONTENT_CHARS: usize = 2000;
/// Longest `client_id`, in characters.
pub const CLIENT_ID_CHARS: usize = 100;
/// Most of a quoted message that a quote carries, in Unicode scalar values: what a bubble shows of it.
pub const QUOTE_CHARS: usize = 200;
/// A letter with more marks and joiners than this is cut through.
const CLUSTER_CHARS: usize = 16;

/// One line of a room's log, as it stands now: a recalled message has no content any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place; also the message's id.
    pub seq: Seq,
    /// When the store took it.
    pub at: Timestamp,
    /// What happened.
    pub kind: EntryKind,
}

/// What an entry records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A side sent a message.
    Message {
        /// The sender.
        side: Side,
        /// The sender's own name for it; the key of idempotency.
        client_id: String,
        /// The text; `None` once recalled.
        content: Option<String>,
        /// What it answers, resolved at reading.
        reply: Option<Quote>,
    },
    /// A side took one of its messages back.
    Recall {
        /// The sender of both.
        side: Side,
        /// The recalled message.
        target: Seq,
        /// The recalling client's name for this act, else the target's `client_id`.
        client_id: String,
    },
    /// A side reacts to a message, its own or the other's, in place of its reaction before.
    Reaction {
        /// Who reacts.
        side: Side,
        /// To which message.
        target: Seq,
        /// How. `None`: it is taken back; or it was, or was changed, or the message was recalled since.
        reaction: Option<Reaction>,
    },
    /// A side left and the room closed; only recalls may follow.
    Departure {
        /// Who left, or never came, or did not come back.
        side: Side,
        /// Why the room closed.
        reason: LeaveReason,
    },
}

impl Entry {
    /// The same without what it leads to: a reaction that says nothing, a message that answers nothing.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let mut entry = self.clone();
        match &mut entry.kind {
            EntryKind::Message { reply, .. } => *reply = None,
            EntryKind::Reaction { reaction, .. } => *reaction = None,
            EntryKind::Recall { .. } | EntryKind::Departure { .. } => {}
        }
        entry
    }
}

impl EntryKind {
    /// Whose act it is.
    pub fn side(&self) -> Side {
        match self {
            Self::Message { side, .. }
            | Self::Recall { side, .. }
            | Self::Reaction { side, .. }
            | Self::Departure { side, .. } => *side,
        }
    }

    /// What it counts towards `limits.room_bytes`: the UTF-8 bytes of the texts that it holds now. A
    /// recalled message holds its client's name for it and nothing else.
    pub fn text_bytes(&self) -> u64 {
        let bytes = match self {
            Self::Message {
                client_id, content, ..
            } => client_id.len() + content.as_ref().map_or(0, String::len),
            Self::Recall { client_id, .. } => client_id.len(),
            Self::Reaction { .. } | Self::Departure { .. } => 0,
        };
        bytes as u64
    }
}

/// A reference to an earlier message with what it says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The quoted message.
    pub seq: Seq,
    /// Who wrote it.
    pub side: Side,
    /// The beginning of its text, at most [`QUOTE_CHARS`]; `None` when it was recalled.
    pub content: Option<String>,
    /// The text goes on.
    pub cut: bool,
}

impl Quote {
    /// Of a message with this text; `None` for one that was recalled. Every quote is made here, so none is longer
    /// than a bubble shows, in a page, in a frame or between nodes.
    pub fn of(seq: Seq, side: Side, content: Option<&str>) -> Self {
        let beginning = content.and_then(beginning);
        Self {
            seq,
            side,
            content: beginning.or(content).map(str::to_owned),
            cut: beginning.is_some(),
        }
    }
}

/// What is quoted of a text that is too long for it; `None` for one that is not.
fn beginning(text: &str) -> Option<&str> {
    // A character has at least one byte, so most texts need not be counted.
    if text.len() <= QUOTE_CHARS {
        return None;
    }
    let (most, _) = text.char_indices().nth(QUOTE_CHARS)?;
    let mut end = most;
    for _ in 0..CLUSTER_CHARS {
        let Some(last) = text[..end].chars().next_back() else {
            break;
        };
        if !is_joined(&text[..end], last, &text[end..]) {
            return Some(&text[..end]);
        }
        end -= last.len_utf8();
    }
    Some(&text[..most])
}

/// Whether the letter that ends with `last` goes on in `rest`. Not all of the rules of Unicode: marks, emoji and
/// flags, which is where a cut shows.
fn is_joined(before: &str, last: char, rest: &str) -> bool {
    const JOINER: char = '\u{200d}';
    let is_flag = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    let Some(next) = rest.chars().next() else {
        return false;
    };
    match next {
        JOINER | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => true,
        _ if last == JOINER || is_combining_mark(next) => true,
        // Two letters make a flag.
        _ if is_flag(next) => before.chars().rev().take_while(|c| is_flag(*c)).count() % 2 == 1,
        _ => false,
    }
}

/// Why a room closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// Asked to: next, leave or block (the partner cannot tell which).
    Left,
    /// Never came to the room.
    NoShow,
    /// Was away for longer than the grace.
    Timeout,
    /// The room was open for as long as a room may be. Neither side left: which one the entry names is
    /// without meaning.
    TimeUp,
    /// [`LeaveReason::NoShow`], and the other side was not there either when the room closed.
    NoShowOfBoth,
    /// [`LeaveReason::Timeout`], and the other side was away as well when the room closed.
    TimeoutOfBoth,
}

impl LeaveReason {
    /// The wire word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::NoShow | Self::NoShowOfBoth => "no_show",
            Self::Timeout | Self::TimeoutOfBoth => "timeout",
            Self::TimeUp => "time_up",
        }
    }

    /// The same reason where both sides were away at the close.
    pub fn of_both(self) -> Self {
        match self {
            Self::NoShow => Self::NoShowOfBoth,
            Self::Timeout => Self::TimeoutOfBoth,
            other => other,
        }
    }
}

/// How a client names a message: by its id, or by its own `client_id` before it knows the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageRef {
    /// The message with this seq.
    Seq(Seq),
    /// The asking side's own message with this `client_id`.
    ClientId(String),
}

impl MessageRef {
    /// A decimal number names a seq, everything else a `client_id`.
    pub fn parse(text: &str) -> Self {
        match text.parse::<u64>() {
            // The store counts in signed 64 bits; a larger number names nothing either way.
            Ok(n) if i64::try_from(n).is_ok() => Self::Seq(Seq(n)),
            _ => Self::ClientId(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(text: &str) -> Quote {
        Quote::of(Seq(1), Side::A, Some(text))
    }

    #[test]
    fn a_quote_carries_what_a_bubble_shows() {
        for letter in ["a", "界", "\u{0}", "\u{1f600}"] {
            let whole = quote(&letter.repeat(QUOTE_CHARS));
            assert_eq!(whole.content, Some(letter.repeat(QUOTE_CHARS)));
            assert!(!whole.cut);
            let long = quote(&letter.repeat(CONTENT_CHARS));
            assert_eq!(long.content, whole.content);
            assert!(long.cut);
        }
        let recalled = Quote::of(Seq(1), Side::A, None);
        assert_eq!((recalled.content, recalled.cut), (None, false));
    }

    #[test]
    fn a_letter_is_quoted_whole_or_not_at_all() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f3fd}";
        let flag = "\u{1f1f9}\u{1f1fc}";
        for (letter, least) in [("e\u{301}\u{323}", 198), (family, 195), (flag, 199)] {
            for before in 0..8 {
                let text = "x".repeat(before) + &letter.repeat(CONTENT_CHARS / 2);
                let content = quote(&text).content.unwrap();
                let letters = content.trim_start_matches('x');
                assert_eq!(letters, letter.repeat(letters.len() / letter.len()));
                let count = content.chars().count();
                assert!((least - 1..=QUOTE_CHARS).contains(&count), "{count}");
            }
        }
        // No letter is that long: cut where the bound is.
        let marks = quote(&("e".to_owned() + &"\u{301}".repeat(CONTENT_CHARS)));
        assert_eq!(marks.content.unwrap().chars().count(), QUOTE_CHARS);
    }
}
