//! The job of a reaction: inside the batch's transaction, as the jobs of [`super::append`].

use super::error::SqliteError;
use super::rows;
use super::writer::Writer;
use crate::domain::EntryKind;
use crate::store::rules::ReactionRoom;
use crate::store::{Hearing, Reacted, ReactionDraft, Refusal};

impl Writer {
    /// See [`crate::store::Entries::react`].
    pub(super) fn react(&mut self, draft: ReactionDraft) -> Result<Reacted, SqliteError> {
        let ReactionDraft {
            room,
            side,
            ref target,
            reaction,
            unheard,
        } = draft;
        let Some(cached) = self.cached(room)? else {
            return Ok(Reacted::Refused(Refusal::RoomClosed));
        };
        let (closed, last_seq) = (cached.state.departure.is_some(), cached.last_seq());
        let Some(found) = self.find(room, side, target)? else {
            return Ok(Reacted::Refused(Refusal::NoSuchMessage));
        };
        let place = ReactionRoom {
            closed,
            last_seq,
            recalled: found.content.is_none(),
        };
        let before = rows::reactions(&self.conn, found.row, side)?;
        match self.rules.reacts(place, before.sum, reaction) {
            Err(why) => return Ok(Reacted::Refused(why)),
            Ok(false) => return Ok(Reacted::Same(found.seq, reaction)),
            Ok(true) if reaction.is_some() && self.at_max_size => {
                return Err(SqliteError::MaxSize);
            }
            Ok(true) => {}
        }
        let kind = EntryKind::Reaction {
            side,
            target: found.seq,
            reaction,
        };
        let to_unheard = found.unheard.is_some();
        let hearing = Hearing::of_reaction(reaction, unheard, to_unheard, before.sum);
        let entry = self.together(|writer| {
            if let Some(row) = before.standing {
                rows::erase_reaction(&writer.conn, row)?;
            }
            writer.write_entry(room, kind, Some(found.row), hearing)
        })?;
        Ok(match entry {
            Some(entry) => Reacted::Done(entry),
            None => Reacted::Refused(Refusal::RoomClosed),
        })
    }
}
