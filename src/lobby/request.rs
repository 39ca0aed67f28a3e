//! From a client's wish to search to a ticket, and its wish to stop.

use std::time::Instant;

use crate::domain::id::{RoomId, TicketId, Timestamp};
use crate::domain::wish::Phase;
use crate::domain::{Persona, UserId, Wish};
use crate::lobby::search::{Intent, Request, Search};
use crate::lobby::{Lobby, LobbyJob, Prepared, ROOM_LOOK, ROOM_WAIT, SearchState};
use crate::matching::Ticket;
use crate::protocol::ErrorCode;
use crate::state_machine::{Action, Actions, Now};
use crate::store::RelationsOf;

impl Lobby {
    pub(super) fn start(&mut self, request: Request, now: Now, out: &mut Actions<LobbyJob>) {
        match &mut self.state {
            SearchState::Idle | SearchState::Matched { told: true, .. } => {
                self.prepare(request, now, out);
            }
            SearchState::Matched { .. } | SearchState::Creating(..) => {
                // A match is on its way; it answers this as well.
            }
            // What is being prepared may be for another person: it ends first.
            SearchState::Preparing { intent, .. } => {
                intent.follow(request);
                self.look_again(now, out);
            }
            SearchState::Searching(search) => {
                search.intent.follow(Request {
                    since: Some(search.ticket.since),
                    ..request
                });
                self.settle(now, out);
            }
        }
    }

    pub(super) fn prepare(&mut self, request: Request, now: Now, out: &mut Actions<LobbyJob>) {
        out.push(Action::Queue(LobbyJob::Prepare {
            user_id: request.user_id.clone(),
            again: false,
            // Clients of the original ignore what they are told and search again: that is to have read it.
            confirms: self.pending.take(),
        }));
        self.state = SearchState::Preparing {
            request,
            since: now.instant,
            look_at: None,
            intent: Intent::Search,
        };
    }

    /// Waiting for a room to be left has become pointless: looks now, which ends this preparation.
    fn look_again(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        if let SearchState::Preparing { look_at, .. } = &mut self.state
            && look_at.take().is_some()
        {
            self.on_prepared(Prepared::Unavailable, now, out);
        }
    }

    pub(super) fn cancel(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        match &mut self.state {
            SearchState::Idle => out.push(Action::Write(self.encoder.matching_cancelled())),
            SearchState::Preparing { intent, .. } => {
                intent.cancel();
                self.look_again(now, out);
            }
            SearchState::Searching(search) => {
                search.intent.cancel();
                self.settle(now, out);
            }
            // Answered by `match_found`.
            SearchState::Creating(..) | SearchState::Matched { .. } => {}
        }
    }

    pub(super) fn on_prepared(
        &mut self,
        prepared: Prepared,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let SearchState::Preparing {
            request,
            since,
            intent,
            ..
        } = &mut self.state
        else {
            return;
        };
        if intent.is_end() {
            let intent = std::mem::replace(intent, Intent::Search);
            // What was refused was not counted: it has nothing to be counted once more.
            if !matches!(prepared, Prepared::Limited(_)) {
                regret(*since, out);
            }
            self.end(intent, now, out);
            return;
        }
        let (request, since) = (request.clone(), *since);
        match prepared {
            Prepared::Ready(relations) => {
                let ticket = self.ticket(request, relations, now.wall);
                let search = Search::new(ticket, since, now.instant);
                self.state = SearchState::Searching(Box::new(search));
                self.settle(now, out);
            }
            Prepared::InRoom(_) if now.instant < since + ROOM_WAIT => {
                if let SearchState::Preparing { look_at, .. } = &mut self.state {
                    *look_at = Some(now.instant + ROOM_LOOK);
                }
            }
            Prepared::InRoom(room) => {
                self.state = SearchState::Idle;
                out.push(Action::Write(self.encoder.in_room(room)));
            }
            Prepared::Limited(wait) => {
                self.state = SearchState::Idle;
                self.fail(ErrorCode::RateLimited, Some(wait), out);
            }
            Prepared::Unavailable => {
                self.state = SearchState::Idle;
                self.fail(ErrorCode::Unavailable, None, out);
            }
            Prepared::NoPairs(why) => {
                self.state = SearchState::Idle;
                self.refuse(why, out);
            }
            Prepared::NoticePending(notice) => {
                self.state = SearchState::Idle;
                self.pending = Some(notice);
                out.push(Action::Erred(ErrorCode::NoticePending));
                out.push(Action::Write(self.encoder.notice_pending(notice)));
            }
        }
    }

    /// A search is over without a match: says so if that was asked for, begins the next if there is one.
    pub(super) fn end(&mut self, intent: Intent, now: Now, out: &mut Actions<LobbyJob>) {
        self.state = SearchState::Idle;
        if let Intent::End { tell, next } = intent {
            if tell {
                out.push(Action::Write(self.encoder.matching_cancelled()));
            }
            if let Some(request) = next {
                self.prepare(*request, now, out);
            }
        }
    }

    fn ticket(&self, request: Request, relations: RelationsOf, now: Timestamp) -> Ticket {
        let tags = request.wish.tags.with_topics(&self.rules.topics);
        let marks = (self.mark)(&tags);
        Ticket {
            id: TicketId::fresh(),
            room: RoomId::fresh(),
            session: self.session,
            persona: Persona {
                user_id: request.user_id.unwrap_or_else(UserId::fresh),
                profile: request.profile.unless_staff(&self.rules.staff),
            },
            wish: Wish {
                tags,
                ..request.wish
            },
            phase: Phase::SharedTags,
            since: request.since.unwrap_or(now),
            blocked: relations.blocked,
            recent: relations.recent,
            marks,
            held: relations.held,
            prefixes: self.prefixes,
            address: self.address,
            resume: None,
        }
    }
}

/// The client withdraws a search that it asked for then.
pub(super) fn regret(began: Instant, out: &mut Actions<LobbyJob>) {
    out.push(Action::Queue(LobbyJob::Regret {
        began,
        abandon: None,
    }));
}
