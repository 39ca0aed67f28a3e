//! The rules of matching: which tickets may meet, which are preferred, and what a pairing consists of.
//! Pure and symmetric; keeping those who wait and finding the best of them is the pool's part.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Ticket;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::wish::Phase;
use crate::domain::{Gender, Pairing, Party, PreferredGender, UserId, Wish};

/// Two tickets may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// How many tags both named.
    pub shared: usize,
    /// Two tabs of one browser: only when no other ticket fits.
    pub same_session: bool,
}

/// How many others have to wait with a free tag before it separates people: with fewer, a searcher
/// who tries words would learn which interests are here. Each is of another network at the widest length,
/// for one household has many narrow ones; within a network, each is of another session.
pub const FREE_TAG_CROWD: usize = 3;

/// Whether these two may meet, in whichever order they came. `shared` is how many tags both named that
/// count (topics always do, free ones when [`FREE_TAG_CROWD`] others wait with them);
/// `same_session` is whether two tabs of one browser may meet at all.
pub fn fits(a: &Ticket, b: &Ticket, shared: usize, same_session: bool) -> Option<Fit> {
    let one_browser = a.session == b.session;
    let may = a.id != b.id
        && genders_fit(a, b)
        && (shared > 0 || (open_to_anyone(a) && open_to_anyone(b)))
        && understand(a, b)
        && if one_browser {
            same_session
        } else {
            !blocked(a, b)
                && !held(a, b)
                && (!met_before(a, b) || (open_to_repeats(a) && open_to_repeats(b)))
        };
    may.then_some(Fit {
        shared,
        same_session: one_browser,
    })
}

/// A search without tags has none to share: its first phase restricts nothing.
pub fn open_to_anyone(ticket: &Ticket) -> bool {
    ticket.phase >= Phase::Anyone || ticket.wish.tags.is_empty()
}

/// Whether a search has found no partner for so long that it also meets crowds and networks that have spent
/// their budget: for `patience` since it is open to anyone. People with tags are closed to most for as
/// long before that; else they would pass for patient in the very visit that opens them.
pub fn patient(ticket: &Ticket, patience: Duration, now: Timestamp) -> bool {
    ticket.since.plus(until_patient(&ticket.wish, patience)) <= now
}

/// After how long a search with this wish counts as patient.
pub fn until_patient(wish: &Wish, patience: Duration) -> Duration {
    if wish.tags.is_empty() {
        patience
    } else {
        2 * patience
    }
}

/// Whether either remembers the other.
pub fn met_before(a: &Ticket, b: &Ticket) -> bool {
    a.recent.contains(&b.session) || b.recent.contains(&a.session)
}

/// What two tickets become: the one who arrived is side A and brings the room. Of the tags that both
/// named they are told those that count.
pub fn pair(arrived: &Ticket, waited: &Ticket, counts: impl Fn(&str) -> bool) -> Pairing {
    let mut common_tags = arrived.wish.tags.common(&waited.wish.tags);
    common_tags.retain(|tag| counts(tag));
    let mut parties = [
        party(arrived, waited, &counts),
        party(waited, arrived, &counts),
    ];
    tell_apart(&mut parties);
    Pairing {
        room: arrived.room,
        parties,
        common_tags,
        is_bot: false,
    }
}

/// Two who claim the same `user_id` are told apart: the one who arrived gets one made from its ticket,
/// the same on every node.
pub fn tell_apart([arrived, waited]: &mut [Party; 2]) {
    if arrived.persona.user_id == waited.persona.user_id {
        let digest = Sha256::digest(arrived.ticket.0.as_bytes());
        let number = digest
            .first_chunk()
            .map_or(0, |it| u128::from_be_bytes(*it));
        arrived.persona.user_id = UserId::numbered(number);
    }
}

/// The (gender, wish) classes that a person of this gender and wish could meet: at most six.
pub fn classes(
    gender: Gender,
    wish: PreferredGender,
) -> impl Iterator<Item = (Gender, PreferredGender)> {
    let welcome = Gender::ALL.into_iter().filter(move |g| wish.accepts(*g));
    welcome.flat_map(move |theirs| {
        let wishes = PreferredGender::ALL.into_iter();
        let welcoming = wishes.filter(move |w| w.accepts(gender));
        welcoming.map(move |w| (theirs, w))
    })
}

fn genders_fit(a: &Ticket, b: &Ticket) -> bool {
    let welcome = |a: &Ticket, b: &Ticket| a.wish.gender.accepts(b.persona.profile.gender);
    welcome(a, b) && welcome(b, a)
}

/// Languages separate as tags do, in the first phase: afterwards two who have none in common may meet, when both
/// have waited for it.
fn understand(a: &Ticket, b: &Ticket) -> bool {
    let relaxed = |ticket: &Ticket| ticket.phase >= Phase::Anyone;
    a.wish.languages.suit(b.wish.languages) || (relaxed(a) && relaxed(b))
}

fn open_to_repeats(ticket: &Ticket) -> bool {
    ticket.phase >= Phase::Repeats
}

fn blocked(a: &Ticket, b: &Ticket) -> bool {
    let bars = |list: &[SessionId], session: &SessionId| list.contains(session);
    bars(&a.blocked, &b.session) || bars(&b.blocked, &a.session)
}

/// Whether either holds a mark of the other against it.
fn held(a: &Ticket, b: &Ticket) -> bool {
    let bars = |a: &Ticket, b: &Ticket| b.marks.all().any(|mark| a.held.contains(&mark));
    bars(a, b) || bars(b, a)
}

/// The marks are of the tags that both are told: those that count between the two.
fn party(ticket: &Ticket, other: &Ticket, counts: impl Fn(&str) -> bool) -> Party {
    Party {
        marks: ticket
            .marks
            .of_shared(&ticket.wish.tags, &other.wish.tags, counts),
        ticket: ticket.id,
        session: ticket.session,
        persona: ticket.persona.clone(),
        address: ticket.address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_both_wishes() {
        assert_eq!(classes(Gender::Male, PreferredGender::All).count(), 6);
        let narrow: Vec<_> = classes(Gender::Male, PreferredGender::Female).collect();
        let women = |wish| (Gender::Female, wish);
        assert_eq!(
            narrow,
            [women(PreferredGender::All), women(PreferredGender::Male)]
        );
    }
}
