//! From a client's wish to search to a ticket, and its wish to stop.

use super::search::{Request, Search};
use super::{Job, Lobby, Prepared, ROOM_LOOK, ROOM_WAIT, State};
use crate::id::{RoomId, TicketId, Timestamp};
use crate::matching::{Phase, Ticket};
use crate::model::{Persona, UserId};
use crate::protocol::ErrorCode;
use crate::store::RelationsOf;
use crate::ws::{Action, Actions, Now};

impl Lobby {
    pub(super) fn start(&mut self, request: Request, now: Now, out: &mut Actions<Job>) {
        match &mut self.state {
            State::Idle | State::Matched { told: true, .. } => self.prepare(request, now, out),
            State::Matched { .. } | State::Creating(..) => {
                // A match is on its way; it answers this as well.
            }
            State::Preparing {
                request: asked,
                cancel,
                ..
            } => {
                *asked = request;
                *cancel = false;
            }
            State::Searching(search) => {
                search.successor = Some(request);
                search.cancel = false;
                self.settle(now, out);
            }
        }
    }

    pub(super) fn prepare(&mut self, request: Request, now: Now, out: &mut Actions<Job>) {
        out.push(Action::Queue(Job::Prepare {
            user_id: request.user_id.clone(),
            again: false,
        }));
        self.state = State::Preparing {
            request,
            since: now.instant,
            look_at: None,
            cancel: false,
        };
    }

    pub(super) fn cancel(&mut self, now: Now, out: &mut Actions<Job>) {
        match &mut self.state {
            State::Idle => out.push(Action::Write(self.encoder.matching_cancelled())),
            State::Preparing {
                cancel, look_at, ..
            } => {
                if look_at.is_some() {
                    self.state = State::Idle;
                    out.push(Action::Write(self.encoder.matching_cancelled()));
                } else {
                    *cancel = true;
                }
            }
            State::Searching(search) => {
                search.cancel = true;
                search.successor = None;
                self.settle(now, out);
            }
            // Answered by `match_found`.
            State::Creating(..) | State::Matched { .. } => {}
        }
    }

    pub(super) fn on_prepared(&mut self, prepared: Prepared, now: Now, out: &mut Actions<Job>) {
        let State::Preparing {
            request,
            since,
            cancel,
            ..
        } = &self.state
        else {
            return;
        };
        if *cancel {
            self.state = State::Idle;
            out.push(Action::Write(self.encoder.matching_cancelled()));
            return;
        }
        match prepared {
            Prepared::Ready(relations) => {
                let ticket = self.ticket(request.clone(), relations, now.wall);
                self.state = State::Searching(Box::new(Search {
                    ticket,
                    busy: false,
                    entered: false,
                    cancel: false,
                    successor: None,
                    overdue: false,
                    tick_at: now.instant,
                    phase_at: None,
                    told: None,
                }));
                self.settle(now, out);
            }
            Prepared::InRoom(_) if now.instant < *since + ROOM_WAIT => {
                if let State::Preparing { look_at, .. } = &mut self.state {
                    *look_at = Some(now.instant + ROOM_LOOK);
                }
            }
            Prepared::InRoom(room) => {
                self.state = State::Idle;
                out.push(Action::Write(self.encoder.in_room(room)));
            }
            Prepared::Limited(wait) => {
                self.state = State::Idle;
                self.fail(ErrorCode::RateLimited, Some(wait), out);
            }
            Prepared::Unavailable => {
                self.state = State::Idle;
                self.fail(ErrorCode::Unavailable, None, out);
            }
        }
    }

    pub(super) fn ticket(
        &self,
        request: Request,
        relations: RelationsOf,
        now: Timestamp,
    ) -> Ticket {
        Ticket {
            id: TicketId::fresh(),
            room: RoomId::fresh(),
            session: self.session,
            persona: Persona {
                user_id: request.user_id.unwrap_or_else(UserId::fresh),
                profile: request.profile,
            },
            wish: request.wish,
            phase: Phase::SharedTags,
            since: now,
            blocked: relations.blocked,
            recent: relations.recent,
            address: self.address,
        }
    }
}
