//! A search whose person asked to be called: it goes on when its page is closed, for `matching.call_for`. A partner
//! is found for it as for all others; then the person is called, unless a page of theirs comes to the room.

use std::time::{Duration, Instant};

use crate::domain::Subscription;
use crate::lobby::{Lobby, LobbyJob, SearchState};
use crate::state_machine::{Action, Actions, Now};

/// How long a page that is there has to come to the room before its person is called: it may be one that a phone
/// has put to sleep, though its connection still takes what it is sent.
const COMING: Duration = Duration::from_secs(6);

/// What is to be done while the person is away.
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// How they are called.
    subscription: Option<Box<Subscription>>,
    /// The page is closed: until when the search goes on.
    alone_until: Option<Instant>,
    /// A partner was found: when the person is called.
    call_at: Option<Instant>,
    /// That is being done.
    calling: bool,
    /// The search went on for long enough.
    over: bool,
}

impl Absence {
    /// The person can be called.
    pub(super) fn callable(&self) -> bool {
        self.subscription.is_some()
    }

    /// They do not want to be called any more.
    pub(super) fn forget(&mut self) {
        (self.subscription, self.call_at) = (None, None);
    }

    /// A partner was found; `silent`: the page has not answered lately.
    pub(super) fn found(&mut self, silent: bool, now: Instant) {
        let here = self.alone_until.is_none() && !silent;
        let wait = if here { COMING } else { Duration::ZERO };
        self.call_at = self.callable().then(|| now + wait);
        if self.call_at.is_some() {
            self.alone_until = None;
        }
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let ends = self.alone_until.filter(|_| !self.over);
        ends.into_iter().chain(self.call_at).min()
    }
}

impl Lobby {
    pub(super) fn on_call_me(
        &mut self,
        subscription: Option<Box<Subscription>>,
        now: Now,
        out: &mut Actions<LobbyJob>,
    ) {
        let hosts = self.rules.push_hosts.as_ref();
        let fits = |it: &Subscription| hosts.is_some_and(|hosts| hosts.recipient(it).is_some());
        match subscription.filter(|it| fits(it)) {
            Some(subscription) => self.absence.subscription = Some(subscription),
            None => self.absence.forget(),
        }
        out.push(Action::Write(self.encoder.calling(self.absence.callable())));
        // One that was set aside because its page was silent waits again.
        self.settle(now, out);
    }

    pub(super) fn on_absence_timer(&mut self, now: Now, out: &mut Actions<LobbyJob>) {
        let due = |at: &mut Instant| *at <= now.instant;
        if self.absence.alone_until.is_some_and(|mut at| due(&mut at)) {
            self.absence.over = true;
        }
        if self.absence.call_at.take_if(due).is_some()
            && let SearchState::Matched { room, side, .. } = self.state
            && let Some(subscription) = self.absence.subscription.take()
        {
            self.absence.calling = true;
            out.push(Action::Queue(LobbyJob::Call {
                room,
                side,
                subscription,
            }));
        }
    }

    /// `told`: the person came, or is being called. Else the partner is not to wait for them.
    pub(super) fn on_called(&mut self, it_is_told: bool) {
        self.absence.calling = false;
        if let SearchState::Matched { told, .. } = &mut self.state {
            *told |= it_is_told;
        }
    }

    pub(super) fn go_alone(&mut self, now: Now) -> bool {
        let searches = match &self.state {
            SearchState::Preparing { intent, .. } => !intent.is_end(),
            SearchState::Searching(search) => !search.intent.is_end(),
            SearchState::Creating(..) => true,
            SearchState::Idle | SearchState::Matched { .. } => false,
        };
        if searches && self.absence.callable() {
            self.absence.alone_until = Some(now.instant + self.rules.call_for);
        }
        self.has_to_go_on()
    }

    pub(super) fn has_to_go_on(&self) -> bool {
        let Absence {
            alone_until,
            call_at,
            calling,
            over,
            ..
        } = &self.absence;
        match &self.state {
            SearchState::Idle => false,
            SearchState::Matched { .. } => call_at.is_some() || *calling,
            // A pairing is seen to its end.
            SearchState::Creating(..) => alone_until.is_some(),
            SearchState::Preparing { .. } | SearchState::Searching(_) => {
                alone_until.is_some() && !*over
            }
        }
    }
}
