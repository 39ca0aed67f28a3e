//! From a pairing to a room that both sides know of: who makes it, who is told, what is given up.

use std::sync::Arc;

use crate::domain::Pairing;
use crate::domain::id::{RoomId, Side};
use crate::lobby::search::Search;
use crate::lobby::{AGAIN, Created, Lobby, LobbyJob, SearchState};
use crate::matching::Ticket;
use crate::state_machine::{Action, Actions, Now};

impl Lobby {
    /// The pool says so. Side A makes the room and tells side B. Should B hear of it for the second
    /// time without having been told, the telling got lost or A died over it: B looks which.
    pub(super) fn on_paired(&mut self, pairing: Arc<Pairing>, out: &mut Actions<LobbyJob>) {
        let state = std::mem::replace(&mut self.state, SearchState::Idle);
        let SearchState::Searching(mut search) = state else {
            self.state = state;
            return;
        };
        search.busy = false;
        if search.silent && !self.absence.callable() && !search.intent.is_cancelled() {
            return self.decline(&pairing, search, out);
        }
        search.intent.forget_next();
        match own_side(&pairing, &search.ticket) {
            Some(side) if side == Side::A || search.overdue => {
                out.push(Action::Queue(LobbyJob::Create {
                    pairing: Arc::clone(&pairing),
                    by: side,
                }));
                self.state = SearchState::Creating(pairing, side, search);
            }
            _ => {
                search.overdue = true;
                search.phase_at = None;
                self.state = SearchState::Searching(search);
            }
        }
    }

    pub(super) fn on_created(&mut self, created: Created, now: Now, out: &mut Actions<LobbyJob>) {
        let state = std::mem::replace(&mut self.state, SearchState::Idle);
        let SearchState::Creating(pairing, side, mut search) = state else {
            if let SearchState::Matched { ticket, .. } = state
                && created != Created::Done
            {
                // The other side told us while we gave it up: our ticket must not wait again.
                out.push(Action::Queue(LobbyJob::Withdraw(ticket)));
            }
            self.state = state;
            return;
        };
        if created == Created::Done {
            self.found(&pairing, side, &search, now, out);
            return;
        }
        if let Created::NoPairs(why) = created {
            self.refuse_search(*search, why, now, out);
            return;
        }
        // The outcome is forgotten; a fresh room id keeps a half-made room from being met again.
        search.ticket.room = RoomId::fresh();
        search.busy = false;
        search.overdue = false;
        search.phase_at = Some(match created {
            Created::PartnerGone => now.instant,
            _ => now.instant + AGAIN,
        });
        self.state = SearchState::Searching(search);
        self.settle(now, out);
    }

    /// What another node says may be invented by anyone who reaches Redis, and answering it hands out
    /// the token of a room: the store is asked first. One look for one who searches; in one process
    /// there is none.
    pub(super) fn on_matched_elsewhere(
        &mut self,
        pairing: &Arc<Pairing>,
        out: &mut Actions<LobbyJob>,
    ) {
        let known = match &self.state {
            SearchState::Matched { room, .. } => *room == pairing.room,
            SearchState::Idle
            | SearchState::Preparing { .. }
            | SearchState::Searching(_)
            | SearchState::Creating(..) => false,
        };
        if !known && self.side_by_address(pairing).is_some() {
            out.push(Action::Queue(LobbyJob::Confirm(Arc::clone(pairing))));
        }
    }

    pub(super) fn on_matched(
        &mut self,
        pairing: &Arc<Pairing>,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let state = std::mem::replace(&mut self.state, SearchState::Idle);
        match state {
            SearchState::Searching(search)
                if search.silent
                    && !self.absence.callable()
                    && own_side(pairing, &search.ticket).is_some() =>
            {
                self.decline(pairing, search, out);
            }
            SearchState::Searching(search) | SearchState::Creating(_, _, search)
                if own_side(pairing, &search.ticket).is_some() =>
            {
                let side = own_side(pairing, &search.ticket).unwrap_or(Side::B);
                self.found(pairing, side, &search, now, out);
            }
            SearchState::Matched { room, .. } if room == pairing.room => self.state = state,
            other => {
                // Not ours any more, which `withdraw` rules out; the partner must not wait.
                self.state = other;
                if let Some(side) = self.side_by_address(pairing) {
                    let room = pairing.room;
                    out.push(Action::Queue(LobbyJob::Untold { room, side }));
                }
            }
        }
    }

    pub(super) fn side_by_address(&self, pairing: &Pairing) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| {
            let party = &pairing.parties[side.index()];
            party.address == self.address && party.session == self.session
        })
    }

    pub(super) fn found(
        &mut self,
        pairing: &Pairing,
        side: Side,
        search: &Search,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let waited = now.wall.since(search.ticket.since);
        out.push(Action::Waited(waited));
        self.absence.found(search.silent, now.instant);
        let token = (self.sign)(pairing.room, side);
        out.push(Action::Write(
            self.encoder.match_found(pairing, side, &token),
        ));
        self.state = SearchState::Matched {
            ticket: search.ticket.id,
            room: pairing.room,
            side,
            told: false,
        };
    }
}

/// The side that this ticket became, when the pairing says that it is this session's as well. What
/// comes by a shared pool may say anything.
fn own_side(pairing: &Pairing, ticket: &Ticket) -> Option<Side> {
    let side = pairing.side_of(ticket.id)?;
    (pairing.parties[side.index()].session == ticket.session).then_some(side)
}
