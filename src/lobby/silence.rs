//! A search whose client does not answer: its ticket leaves the pool until the client is heard again, with
//! the time waited kept; and a pairing that comes in the same moment is given back.

use std::sync::Arc;

use crate::domain::Pairing;
use crate::domain::id::RoomId;
use crate::lobby::search::Search;
use crate::lobby::{Lobby, LobbyJob, SearchState};
use crate::state_machine::{Action, Actions, Now};

impl Lobby {
    /// The ticket left the pool, or was not in it, because the client is silent.
    pub(super) fn on_set_aside(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        search.out_of_the_pool();
        // It may have been heard while its ticket was withdrawn.
        search.phase_at = (!search.silent).then_some(now.instant);
        self.settle(now, out);
    }

    /// Paired with a client that does not answer: the other side goes back, or finds the room closed if it
    /// was told of it already.
    pub(super) fn decline(
        &mut self,
        pairing: &Arc<Pairing>,
        mut search: Box<Search>,
        out: &mut Actions<LobbyJob>,
    ) {
        debug_assert!(
            pairing.side_of(search.ticket.id).is_some(),
            "its own pairing"
        );
        out.push(Action::Queue(LobbyJob::Abandon(search.ticket.id)));
        search.out_of_the_pool();
        search.phase_at = None;
        // The room of this pairing is not to be met again.
        search.ticket.room = RoomId::fresh();
        self.state = SearchState::Searching(search);
    }
}
