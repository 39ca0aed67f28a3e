//! The matching state machine: one connection that looks for somebody. Pure: no I/O, no clock.
//!
//! At most one search at a time and one job of it in flight, so that each answer of the pool has
//! one meaning. `withdraw` decides every race: true, the ticket is ours; false, a match is coming.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Action, Actions, Machine, Now, Weight};
use crate::channel::Frame;
use crate::id::{Address, RoomId, SessionId, Side};
use crate::matching::{Census, Entered, PoolError, Renewed};
use crate::model::Pairing;
use crate::protocol::client::{self, LobbyAction};
use crate::protocol::server::WaitingFor;
use crate::protocol::{DecodeError, Encoder, ErrorCode};

mod jobs;
mod pairing;
mod request;
mod search;
#[cfg(test)]
mod tests;

pub use jobs::{Created, Job, LobbyRules, Outcome, Prepared};
use search::{Request, Search, phase};

/// How often a waiting ticket is renewed and its client told when a number changed.
const TICK: Duration = Duration::from_secs(5);
/// How often it is looked whether a room was left, and for how long.
const ROOM_LOOK: Duration = Duration::from_millis(200);
const ROOM_WAIT: Duration = Duration::from_secs(5);
/// After how long a search whose room could not be made enters the pool again.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum State {
    Idle,
    Preparing {
        request: Request,
        since: Instant,
        look_at: Option<Instant>,
        cancel: bool,
        /// Another search is to follow this one.
        successor: Option<Box<Request>>,
    },
    Searching(Box<Search>),
    Creating(Arc<Pairing>, Side, Box<Search>),
    Matched {
        room: RoomId,
        side: Side,
        told: bool,
    },
}

/// One connection to the matching socket.
pub struct Lobby {
    encoder: Encoder,
    rules: LobbyRules,
    session: SessionId,
    address: Address,
    sign: Sign,
    state: State,
}

/// Signs the token of a room's side.
pub type Sign = Box<dyn Fn(RoomId, Side) -> String + Send>;

impl Lobby {
    /// A machine for a fresh connection.
    pub fn new(
        encoder: Encoder,
        rules: LobbyRules,
        session: SessionId,
        address: Address,
        sign: Sign,
    ) -> Self {
        Self {
            encoder,
            rules,
            session,
            address,
            sign,
            state: State::Idle,
        }
    }

    fn fail(&self, code: ErrorCode, retry_after: Option<Duration>, out: &mut Actions<Job>) {
        out.push(Action::Erred(code));
        out.push(Action::Write(self.encoder.error(code, None, retry_after)));
    }

    /// With no job in flight: withdraws when that was asked for, enters or renews when it is time.
    fn settle(&mut self, now: Now, out: &mut Actions<Job>) {
        let State::Searching(search) = &mut self.state else {
            return;
        };
        if search.busy {
            return;
        }
        let job = if search.cancel || search.successor.is_some() {
            Job::Withdraw(search.ticket.id)
        } else if !search.entered || search.phase_at.is_some_and(|at| at <= now.instant) {
            let waited = now.wall.since(search.ticket.since);
            let (phase, _) = phase(&self.rules, &search.ticket, waited);
            search.ticket.phase = phase;
            Job::Enter(Box::new(search.ticket.clone()))
        } else if search.tick_at <= now.instant {
            Job::Renew(search.ticket.id)
        } else {
            return;
        };
        search.busy = true;
        out.push(Action::Queue(job));
    }

    fn on_entered(
        &mut self,
        entered: Result<Entered, PoolError>,
        census: Census,
        now: Now,
        out: &mut Actions<Job>,
    ) {
        let rules = self.rules;
        let State::Searching(search) = &mut self.state else {
            return;
        };
        search.busy = false;
        match entered {
            Ok(Entered::Paired { pairing, .. }) => self.on_paired(pairing, out),
            Ok(Entered::Waiting { .. }) => {
                search.entered = true;
                search.tick_at = now.instant + TICK;
                let waited = now.wall.since(search.ticket.since);
                let (_, ends) = phase(&rules, &search.ticket, waited);
                search.phase_at = ends.map(|left| now.instant + left);
                self.tell_waiting(census, now, out);
                self.settle(now, out);
            }
            // Before the first time: nothing waits yet, the client is told. Later: it is tried again.
            Err(_) if search.cancel && !search.entered => self.end(true, None, now, out),
            Err(error) if !search.entered => {
                let (code, wait) = match error {
                    PoolError::TooManyTickets => (ErrorCode::RateLimited, Some(TICK)),
                    PoolError::Full | PoolError::Unavailable(_) => (ErrorCode::Unavailable, None),
                };
                self.state = State::Idle;
                self.fail(code, wait, out);
            }
            Err(_) => search.phase_at = Some(now.instant + AGAIN),
        }
    }

    fn on_renewed(
        &mut self,
        renewed: Result<Renewed, PoolError>,
        census: Census,
        now: Now,
        out: &mut Actions<Job>,
    ) {
        let State::Searching(search) = &mut self.state else {
            return;
        };
        search.busy = false;
        search.tick_at = now.instant + TICK;
        match renewed {
            Ok(Renewed::Paired(pairing)) => return self.on_paired(pairing, out),
            Ok(Renewed::Waiting) => self.tell_waiting(census, now, out),
            Ok(Renewed::Gone) => search.entered = false,
            Err(_) => {}
        }
        self.settle(now, out);
    }

    fn on_withdrawn(&mut self, ours: bool, now: Now, out: &mut Actions<Job>) {
        let State::Searching(search) = &mut self.state else {
            return;
        };
        search.busy = false;
        // Not entered (given back and not entered again yet, or expired) is as good as withdrawn.
        if ours || !search.entered {
            let (cancel, successor) = (search.cancel, search.successor.take());
            self.end(cancel, successor, now, out);
            return;
        }
        // A match is coming; should it be taken back instead, this is asked again.
        search.busy = true;
        out.push(Action::Queue(Job::Renew(search.ticket.id)));
    }

    fn tell_waiting(&mut self, census: Census, now: Now, out: &mut Actions<Job>) {
        let State::Searching(search) = &mut self.state else {
            return;
        };
        let ticket = &search.ticket;
        let (gender, wish) = (ticket.persona.profile.gender, ticket.wish.gender);
        let others = census.without(gender, wish);
        let waited = now.wall.since(ticket.since);
        let (_, phase_ends) = phase(&self.rules, ticket, waited);
        let state = WaitingFor {
            phase: ticket.phase,
            phase_ends,
            waiting: others.total(),
            unfit: others.unfit(gender, wish),
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

impl Machine for Lobby {
    type Input = LobbyAction;
    type Job = Job;
    type Outcome = Outcome;

    fn decode(text: &str) -> Result<LobbyAction, DecodeError> {
        client::lobby(text)
    }

    fn weight(_: &LobbyAction) -> Weight {
        // Searches have their own rate, which answers instead of leaving the socket unread.
        Weight::Signal
    }

    fn open(&mut self, _: Now, _: &mut Actions<Job>) {}

    fn on_input(&mut self, action: LobbyAction, now: Now, out: &mut Actions<Job>) {
        match action {
            LobbyAction::Start {
                user_id,
                profile,
                wish,
            } => {
                let request = Request {
                    user_id,
                    profile,
                    wish,
                    since: None,
                };
                self.start(request, now, out);
            }
            LobbyAction::Cancel => self.cancel(now, out),
        }
    }

    fn on_bad_frame(&mut self, error: &DecodeError, out: &mut Actions<Job>) {
        out.push(Action::Erred(error.code));
        out.push(Action::Write(self.encoder.decode_error(error)));
    }

    fn on_frame(&mut self, frame: &Frame, now: Now, out: &mut Actions<Job>) {
        match frame {
            Frame::Matched(pairing) => self.on_matched(pairing, now, out),
            Frame::TicketReplaced(ticket) => {
                if matches!(&self.state, State::Searching(search) if search.ticket.id == *ticket) {
                    self.state = State::Idle;
                    out.push(Action::Write(self.encoder.replaced()));
                    // A phase that was just being entered may have taken the place back.
                    out.push(Action::Queue(Job::Withdraw(*ticket)));
                }
            }
            Frame::GaveBack => {
                if let State::Searching(search) = &mut self.state {
                    search.overdue = false;
                    search.phase_at = Some(now.instant + AGAIN);
                }
                self.settle(now, out);
            }
            _ => {}
        }
    }

    fn on_lagged(&mut self, now: Now, out: &mut Actions<Job>) {
        if let State::Searching(search) = &mut self.state {
            search.tick_at = now.instant;
            self.settle(now, out);
        }
    }

    fn on_outcome(&mut self, outcome: Outcome, now: Now, out: &mut Actions<Job>) {
        match outcome {
            Outcome::Prepared(prepared) => self.on_prepared(prepared, now, out),
            Outcome::Entered(entered, census) => self.on_entered(entered, census, now, out),
            Outcome::Renewed(renewed, census) => self.on_renewed(renewed, census, now, out),
            Outcome::Withdrawn(Ok(ours)) => self.on_withdrawn(ours, now, out),
            Outcome::Withdrawn(Err(_)) => {
                if let State::Searching(search) = &mut self.state {
                    search.busy = false;
                    search.tick_at = now.instant + AGAIN;
                }
            }
            Outcome::Created(created) => self.on_created(created, now, out),
            Outcome::Done => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Preparing { look_at, .. } => *look_at,
            State::Searching(search) if !search.busy => Some(match search.phase_at {
                Some(phase_at) => phase_at.min(search.tick_at),
                None => search.tick_at,
            }),
            _ => None,
        }
    }

    fn on_timer(&mut self, now: Now, out: &mut Actions<Job>) {
        if let State::Preparing {
            request, look_at, ..
        } = &mut self.state
        {
            *look_at = None;
            out.push(Action::Queue(Job::Prepare {
                user_id: request.user_id.clone(),
                again: true,
            }));
        }
        self.settle(now, out);
    }

    fn on_flushed(&mut self) -> Option<Job> {
        if let State::Matched { told, .. } = &mut self.state {
            *told = true;
        }
        None
    }

    fn farewell(self) -> Option<Job> {
        match self.state {
            State::Searching(search) => Some(Job::Abandon(search.ticket.id)),
            State::Creating(pairing, side, _) => Some(Job::Untold {
                room: pairing.room,
                side,
            }),
            State::Matched {
                room,
                side,
                told: false,
            } => Some(Job::Untold { room, side }),
            State::Idle | State::Preparing { .. } | State::Matched { .. } => None,
        }
    }
}
