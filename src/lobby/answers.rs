//! What the pool answers, and what that means for the search. An answer that does not come is neither
//! yes nor no: it is asked again, less and less often, and the client only sees that it waits.

use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::lobby::figures::Company;
use crate::lobby::request::regret;
use crate::lobby::search::{InPool, Search, next_look, phase};
use crate::lobby::{AGAIN, JITTER, Lobby, LobbyJob, NoPairs, SearchState, TICK};
use crate::matching::{Entered, PoolError, Renewed};
use crate::protocol::server::WaitingFor;
use crate::protocol::{CloseReason, ErrorCode};
use crate::state_machine::{Action, Actions, Now};

impl Lobby {
    pub(super) fn on_entered(
        &mut self,
        entered: Result<Entered, PoolError>,
        company: Option<Company>,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        search.busy = false;
        match entered {
            Ok(Entered::Paired { pairing, .. }) => self.on_paired(pairing, out),
            Ok(Entered::Waiting { resume, .. }) => {
                search.entered();
                search.tick_at = next_tick(now.instant);
                let waited = now.wall.since(search.ticket.since);
                let mut next = next_look(&self.rules, &search.ticket, waited);
                if resume.is_some() {
                    next = next.min(AGAIN);
                }
                search.ticket.resume = resume;
                search.phase_at = Some(now.instant + next);
                self.tell_waiting(company, now, out);
                self.settle(now, out);
            }
            // It may have run all the same: from now on the ticket counts as perhaps in the pool.
            Err(PoolError::Unavailable(_)) => {
                search.doubted();
                search.phase_at = Some(now.instant + patience(search.unanswered));
                search.tick_at = now.instant + TICK;
                self.tell_waiting(company, now, out);
                self.settle(now, out);
            }
            // Nothing waits, and the client is told why.
            Err(_) if search.intent.is_cancelled() && search.in_pool != InPool::Yes => {
                regret(search.began, out);
                search.intent.cancel();
                self.end_search(now, out);
            }
            Err(error) if search.in_pool != InPool::Yes => {
                let (code, wait) = match error {
                    PoolError::TooManyTickets => (ErrorCode::RateLimited, Some(TICK)),
                    PoolError::Full | PoolError::Unavailable(_) => (ErrorCode::Unavailable, None),
                };
                self.state = SearchState::Idle;
                self.fail(code, wait, out);
            }
            // A search that waits already is not ended by it.
            Err(_) => search.phase_at = Some(now.instant + TICK),
        }
    }

    pub(super) fn on_renewed(
        &mut self,
        renewed: Result<Renewed, PoolError>,
        company: Option<Company>,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        search.busy = false;
        search.tick_at = next_tick(now.instant);
        match renewed {
            Ok(Renewed::Paired(pairing)) => return self.on_paired(pairing, out),
            Ok(Renewed::Waiting) => self.tell_waiting(company, now, out),
            Ok(Renewed::Gone) => {
                search.is_out();
                search.phase_at = Some(now.instant);
            }
            Err(_) => {}
        }
        self.settle(now, out);
    }

    pub(super) fn on_withdrawn(&mut self, ours: bool, now: Now, out: &mut Actions<LobbyJob>) {
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        search.busy = false;
        // Not entered (given back and not entered again yet, or expired) is as good as withdrawn.
        if ours || !search.may_wait() {
            if !search.intent.is_end() {
                return self.on_set_aside(now, out);
            }
            regret(search.began, out);
            return self.end_search(now, out);
        }
        // A match is coming; should it be taken back instead, this is asked again.
        search.busy = true;
        out.push(Action::Queue(LobbyJob::Renew(Box::new(
            search.ticket.clone(),
        ))));
    }

    /// The pool does not answer: the client need not wait for it, and the ticket is given up behind
    /// it, at the latest by its lease.
    pub(super) fn on_not_withdrawn(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        if !search.intent.is_end() {
            search.busy = false;
            out.push(Action::Queue(LobbyJob::Abandon(search.ticket.id)));
            return self.on_set_aside(now, out);
        }
        out.push(Action::Queue(LobbyJob::Regret {
            began: search.began,
            abandon: Some(search.ticket.id),
        }));
        self.end_search(now, out);
    }

    /// Ends the search as its client wants.
    fn end_search(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        let state = std::mem::replace(&mut self.state, SearchState::Idle);
        if let SearchState::Searching(search) = state {
            self.end(search.intent, now, out);
        }
    }

    /// No new pairs are made for now: the search is over, and its ticket leaves the pool. Should it be
    /// paired this very moment, the pairing is given back.
    pub(super) fn on_no_pairs(&mut self, why: NoPairs, now: Now, out: &mut Actions<LobbyJob>) {
        let state = std::mem::replace(&mut self.state, SearchState::Idle);
        let SearchState::Searching(search) = state else {
            self.state = state;
            return;
        };
        if search.may_wait() {
            out.push(Action::Queue(LobbyJob::Abandon(search.ticket.id)));
        }
        self.refuse_search(*search, why, now, out);
    }

    /// Ends a search that cannot go on. A client that gave it up itself is told that.
    pub(super) fn refuse_search(
        &mut self,
        search: Search,
        why: NoPairs,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        if search.intent.is_end() {
            self.end(search.intent, now, out);
        } else {
            self.refuse(why, out);
        }
    }

    /// Says why no pair is made. Who may not come is let go.
    pub(super) fn refuse(&self, why: NoPairs, out: &mut Actions<LobbyJob>) {
        self.fail(why.code(), why.retry_after(), out);
        if let NoPairs::Banned(_) = why {
            out.push(Action::Close(CloseReason::Banned));
        }
    }

    /// The other side of our pairing is gone, and our ticket waits again.
    pub(super) fn on_given_back(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        match &mut self.state {
            SearchState::Searching(search) => {
                search.overdue = false;
                search.phase_at = Some(now.instant + AGAIN);
                self.settle(now, out);
            }
            // Our client was told already, and goes on from the room, which is closed.
            SearchState::Matched { ticket, .. } => {
                out.push(Action::Queue(LobbyJob::Withdraw(*ticket)));
            }
            SearchState::Idle | SearchState::Preparing { .. } | SearchState::Creating(..) => {}
        }
    }

    /// Tells how it stands, if that is new. Without word of the others what was told of them stands.
    pub(super) fn tell_waiting(
        &mut self,
        company: Option<Company>,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        let ticket = &search.ticket;
        let company = company.unwrap_or(search.company);
        search.company = company;
        let waited = now.wall.since(ticket.since);
        let (_, phase_ends) = phase(&self.rules, ticket, waited);
        let state = WaitingFor {
            phase: ticket.phase,
            phase_ends,
            waiting: company.waiting,
            unfit: company.unfit,
        };
        let same = search.told.is_some_and(|told| {
            (told.phase, told.waiting, told.unfit) == (state.phase, state.waiting, state.unfit)
        });
        if !same {
            search.told = Some(state);
            out.push(Action::Write(self.encoder.waiting(&state)));
        }
    }
}

/// When a ticket is renewed next, and its client told when a number changed: at a moment that does not
/// say when it changed.
fn next_tick(now: Instant) -> Instant {
    now + TICK + JITTER.mul_f64(rand::random())
}

/// How long after so many attempts without an answer comes the next.
fn patience(attempts: u32) -> Duration {
    Backoff::new(AGAIN, TICK).after(attempts)
}
