//! What the other side is told of what a person says that is not to be heard: nothing, or as little as what it was told
//! before asks for. Their own side is told all of it, so that it looks as it always does.

use super::rules::SideReactions;
use crate::domain::id::{RoomId, Side};
use crate::domain::{MessageRef, Reaction};

/// How much of an entry the other side than its author's is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hearing {
    /// All of it.
    #[default]
    Whole,
    /// That it is there, without what it leads to: [`crate::domain::Entry::emptied`].
    Emptied,
    /// Nothing: to that side there is no such entry.
    Nothing,
}

impl Hearing {
    /// Of a message that is to be heard or not, and which answers a message that was not.
    pub(super) fn of_message(unheard: bool, answers_unheard: bool) -> Self {
        match (unheard, answers_unheard) {
            (true, _) => Self::Nothing,
            (false, true) => Self::Emptied,
            (false, false) => Self::Whole,
        }
    }

    /// Of the recall of a message that was heard or not.
    pub(super) fn of_recall(of_unheard: bool) -> Self {
        Self::of_message(of_unheard, false)
    }

    /// Of a reaction that is to be heard or not, to a message that was heard or not, after these. What was heard and
    /// holds no longer is taken back for both.
    pub(super) fn of_reaction(
        reaction: Option<Reaction>,
        unheard: bool,
        to_unheard: bool,
        before: SideReactions,
    ) -> Self {
        match reaction {
            _ if to_unheard => Self::Nothing,
            Some(_) if !unheard => Self::Whole,
            Some(_) if before.heard => Self::Emptied,
            None if before.heard => Self::Whole,
            _ => Self::Nothing,
        }
    }
}

/// A reaction that wants a place in a room's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionDraft {
    /// The room whose log it is for.
    pub room: RoomId,
    /// The side that reacts.
    pub side: Side,
    /// To which message.
    pub target: MessageRef,
    /// How; `None`: not at all any more.
    pub reaction: Option<Reaction>,
    /// The other side is not told of it.
    pub unheard: bool,
}

impl ReactionDraft {
    /// One that both sides are told of.
    pub fn heard(room: RoomId, side: Side, target: MessageRef, reaction: Option<Reaction>) -> Self {
        Self {
            room,
            side,
            target,
            reaction,
            unheard: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_taken_back_and_what_was_not_is_told_no_one() {
        let before = |heard| SideReactions {
            standing: Some(Reaction::Heart),
            heard,
            entries: 1,
        };
        let new = Some(Reaction::Laugh);
        for (reaction, unheard, heard_before, told) in [
            (new, false, false, Hearing::Whole),
            (new, false, true, Hearing::Whole),
            (new, true, false, Hearing::Nothing),
            (new, true, true, Hearing::Emptied),
            (None, false, false, Hearing::Nothing),
            (None, false, true, Hearing::Whole),
            (None, true, false, Hearing::Nothing),
            (None, true, true, Hearing::Whole),
        ] {
            let of = |to| Hearing::of_reaction(reaction, unheard, to, before(heard_before));
            assert_eq!(of(false), told, "{reaction:?} {unheard} {heard_before}");
            assert_eq!(of(true), Hearing::Nothing, "nor is the message there");
        }
    }
}
