//! The matching state machine: one connection that looks for a partner. Pure: no I/O, no clock.
//!
//! At most one search at a time and one job of it in flight, so that each answer of the pool has
//! one meaning. `withdraw` decides every race: true, the ticket is ours; false, a match is coming.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::channel::Frame;
use crate::domain::id::{Address, RoomId, SessionId, Side, TicketId};
use crate::domain::safety::NoticeId;
use crate::domain::{Marks, Pairing, PrefixHashes, Tags};
use crate::protocol::client::{self, LobbyAction};
use crate::protocol::{DecodeError, Encoder, ErrorCode};
use crate::safety::Told;
use crate::state_machine::{Action, Actions, Machine, Now, Weight};

mod absence;
mod answers;
pub mod effects;
pub mod figures;
mod jobs;
mod pairing;
mod request;
mod search;
mod silence;
#[cfg(test)]
mod tests;

use absence::Absence;
pub use jobs::{Created, LobbyJob, LobbyOutcome, LobbyRules, NoPairs, Prepared};
use search::{Intent, Request, Search, phase};

/// After how long a waiting ticket is renewed and its client told when a number changed: at least, and
/// how much longer by chance. Together less than the shortest lease that can be configured
/// (`matching.lease`), or a search that goes on would be forgotten between.
const TICK: Duration = Duration::from_secs(5);
const JITTER: Duration = Duration::from_secs(3);
/// How often it is looked whether a room was left, and for how long.
const ROOM_LOOK: Duration = Duration::from_millis(200);
const ROOM_WAIT: Duration = Duration::from_secs(5);
/// After how long a search whose room could not be made, or that the pool did not answer, enters the
/// pool again; doubled each time that it does not answer, up to [`TICK`].
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum SearchState {
    Idle,
    Preparing {
        request: Request,
        since: Instant,
        look_at: Option<Instant>,
        intent: Intent,
    },
    Searching(Box<Search>),
    Creating(Arc<Pairing>, Side, Box<Search>),
    Matched {
        ticket: TicketId,
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
    prefixes: PrefixHashes,
    address: Address,
    sign: Sign,
    mark: MarkTags,
    state: SearchState,
    absence: Absence,
    told: Told,
    /// The warning that kept the last search from beginning.
    pending: Option<NoticeId>,
}

/// Signs the token of a room's side.
pub type Sign = Box<dyn Fn(RoomId, Side) -> String + Send>;

/// By what a search with these tags would be known without its session.
pub type MarkTags = Box<dyn Fn(&Tags) -> Marks + Send>;

impl Lobby {
    /// A machine for a fresh connection of this session, from these networks, at this address.
    pub fn new(
        encoder: Encoder,
        rules: LobbyRules,
        session: SessionId,
        prefixes: PrefixHashes,
        address: Address,
        sign: Sign,
        mark: MarkTags,
    ) -> Self {
        Self {
            encoder,
            rules,
            session,
            prefixes,
            address,
            sign,
            mark,
            state: SearchState::Idle,
            absence: Absence::default(),
            told: Told::default(),
            pending: None,
        }
    }

    fn fail(&self, code: ErrorCode, retry_after: Option<Duration>, out: &mut Actions<LobbyJob>) {
        out.push(Action::Erred(code));
        out.push(Action::Write(self.encoder.error(code, None, retry_after)));
    }

    /// With no job in flight: withdraws when that was asked for, enters or renews when it is time.
    fn settle(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        let callable = self.absence.callable();
        let SearchState::Searching(search) = &mut self.state else {
            return;
        };
        if search.busy {
            return;
        }
        let job = if search.intent.is_end() {
            LobbyJob::Withdraw(search.ticket.id)
        } else if search.silent && !callable {
            if !search.may_wait() {
                return;
            }
            LobbyJob::Withdraw(search.ticket.id)
        } else if search.phase_at.is_some_and(|at| at <= now.instant) {
            let waited = now.wall.since(search.ticket.since);
            let (phase, _) = phase(&self.rules, &search.ticket, waited);
            if search.ticket.phase != phase {
                search.ticket.phase = phase;
                search.ticket.resume = None;
            }
            LobbyJob::Enter(Box::new(search.ticket.clone()))
        } else if search.tick_at <= now.instant {
            LobbyJob::Renew(Box::new(search.ticket.clone()))
        } else {
            return;
        };
        search.busy = true;
        out.push(Action::Queue(job));
    }
}

impl Machine for Lobby {
    type Input = LobbyAction;
    type Job = LobbyJob;
    type Outcome = LobbyOutcome;

    fn decode(text: &str) -> Result<LobbyAction, DecodeError> {
        client::lobby(text)
    }

    fn weight(_: &LobbyAction) -> Weight {
        // Searches have their own rate, which answers instead of leaving the socket unread.
        Weight::Signal
    }

    fn open(&mut self, _: Now, _: &mut Actions<LobbyJob>) {}

    fn on_input(&mut self, action: LobbyAction, now: Now, out: &mut Actions<LobbyJob>) {
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
                self.absence.forget();
                self.start(request, now, out);
            }
            LobbyAction::Cancel => {
                self.absence.forget();
                self.cancel(now, out);
            }
            LobbyAction::CallMe(subscription) => self.on_call_me(subscription, now, out),
            LobbyAction::Acknowledge(notice) => {
                out.push(Action::Queue(LobbyJob::Acknowledge(notice)));
            }
            LobbyAction::AreYouThere => out.push(Action::Vouch),
        }
    }

    fn on_bad_frame(&mut self, error: &DecodeError, out: &mut Actions<LobbyJob>) {
        out.push(Action::Erred(error.code));
        out.push(Action::Write(self.encoder.decode_error(error)));
    }

    fn on_frame(&mut self, frame: &Frame, now: Now, out: &mut Actions<LobbyJob>) {
        match frame {
            Frame::Matched(pairing) => self.on_matched(pairing, now, out),
            Frame::MatchedElsewhere(pairing) => self.on_matched_elsewhere(pairing, out),
            Frame::TicketReplaced(ticket) => {
                if let SearchState::Searching(search) = &self.state
                    && search.ticket.id == *ticket
                {
                    request::regret(search.began, out);
                    self.state = SearchState::Idle;
                    out.push(Action::Write(self.encoder.replaced()));
                    // A phase that was just being entered may have taken the place back.
                    out.push(Action::Queue(LobbyJob::Withdraw(*ticket)));
                }
            }
            Frame::Released => self.on_given_back(now, out),
            _ => {}
        }
    }

    fn on_lagged(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        if let SearchState::Searching(search) = &mut self.state {
            search.tick_at = now.instant;
            self.settle(now, out);
        }
    }

    fn on_outcome(&mut self, outcome: LobbyOutcome, now: Now, out: &mut Actions<LobbyJob>) {
        match outcome {
            LobbyOutcome::Prepared(prepared) => self.on_prepared(prepared, now, out),
            LobbyOutcome::Entered(entered, company) => self.on_entered(entered, company, now, out),
            LobbyOutcome::Renewed(renewed, company) => self.on_renewed(renewed, company, now, out),
            LobbyOutcome::Withdrawn(Ok(ours)) => self.on_withdrawn(ours, now, out),
            LobbyOutcome::Withdrawn(Err(_)) => self.on_not_withdrawn(now, out),
            LobbyOutcome::Created(created) => self.on_created(created, now, out),
            LobbyOutcome::NoPairs(why) => self.on_no_pairs(why, now, out),
            LobbyOutcome::Notices(notices) => {
                let news = self.told.news(notices).into_iter();
                out.extend(news.map(|it| Action::Write(self.encoder.notice(&it))));
            }
            LobbyOutcome::Confirmed(Some(pairing)) => self.on_matched(&pairing, now, out),
            // Invented, or the store did not answer: should it be true, the pool says so again.
            LobbyOutcome::Confirmed(None) => {}
            LobbyOutcome::Called(told) => self.on_called(told),
            LobbyOutcome::Done => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let callable = self.absence.callable();
        let next = match &self.state {
            SearchState::Preparing { look_at, .. } => *look_at,
            SearchState::Searching(search) if search.silent && !callable && !search.may_wait() => {
                None
            }
            SearchState::Searching(search) if !search.busy => Some(match search.phase_at {
                Some(phase_at) => phase_at.min(search.tick_at),
                None => search.tick_at,
            }),
            _ => None,
        };
        next.into_iter().chain(self.absence.deadline()).min()
    }

    fn on_timer(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        self.on_absence_timer(now, out);
        if let SearchState::Preparing {
            request, look_at, ..
        } = &mut self.state
            && look_at.take_if(|at| *at <= now.instant).is_some()
        {
            out.push(Action::Queue(LobbyJob::Prepare {
                user_id: request.user_id.clone(),
                again: true,
                confirms: None,
            }));
        }
        self.settle(now, out);
    }

    fn on_news(&mut self, _: Now, out: &mut Actions<LobbyJob>) {
        out.push(Action::Queue(LobbyJob::Notices));
    }

    fn watches(&self) -> bool {
        matches!(self.state, SearchState::Searching(_))
    }

    fn on_silent(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        if let SearchState::Searching(search) = &mut self.state {
            search.silent = true;
            self.settle(now, out);
        }
    }

    fn on_heard(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        if let SearchState::Searching(search) = &mut self.state {
            search.silent = false;
            if !search.may_wait() {
                search.phase_at = Some(now.instant);
            }
            self.settle(now, out);
        }
    }

    fn on_flushed(&mut self) -> Option<LobbyJob> {
        if let SearchState::Matched { told, .. } = &mut self.state {
            *told = true;
        }
        None
    }

    fn on_alone(&mut self, now: Now) -> bool {
        self.go_alone(now)
    }

    fn goes_on(&self) -> bool {
        self.has_to_go_on()
    }

    fn farewell(self) -> Option<LobbyJob> {
        match self.state {
            SearchState::Searching(search) => Some(LobbyJob::Regret {
                began: search.began,
                abandon: Some(search.ticket.id),
            }),
            SearchState::Creating(_, _, search) => Some(LobbyJob::Abandon(search.ticket.id)),
            SearchState::Preparing { since, .. } => Some(LobbyJob::Regret {
                began: since,
                abandon: None,
            }),
            SearchState::Matched {
                room,
                side,
                told: false,
                ..
            } => Some(LobbyJob::Untold { room, side }),
            SearchState::Idle | SearchState::Matched { .. } => None,
        }
    }
}
