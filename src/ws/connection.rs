//! The one loop of every socket: a closed set of inputs, one state machine, one writer.
//!
//! Inputs: the mailbox, outcomes of queued jobs (in order), the outcome of the job aside, the socket
//! (only while there is room for what it may ask), the drain token, one timer. Nobody else touches
//! the socket, and this task awaits no other connection.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::doing::{front, optional};
use super::heartbeat::{Beat, Due, Heartbeat};
use super::line::Line;
use super::outgoing::Outgoing;
use super::socket::{Incoming, Socket};
use crate::admission::abuse::AbuseCounter;
use crate::admission::client::Client;
use crate::admission::{FrameCost, Over};
use crate::channel::{Frame, Mailbox, Received};
use crate::delivery::online::End;
use crate::machine::{Action, Actions, Io, Machine, Now, Weight};
use crate::protocol::{CloseReason, Text};
use crate::state::AppState;
use crate::telemetry;

/// Frames taken from the mailbox, and things asked for by the client's, before what they caused is
/// carried out.
const TURN: usize = 64;

/// How often it is looked whether the session of a socket is still honoured: sockets live for days.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// One socket's task.
///
/// It and its [`Line`] are boxed: a future holds what is moved into it once for every function on the
/// way, and most connections are idle, so that this is most of what a connection costs.
pub struct Connection<M: Machine, I: Io<M>> {
    app: Arc<AppState>,
    client: Client,
    mailbox: Mailbox,
    /// `None` only while being dropped.
    machine: Option<M>,
    io: I,
    queue: VecDeque<I::Doing>,
    aside: Option<I::Doing>,
    /// An input over the rate, and when it may be taken.
    held: Option<Box<Held<M::Input>>>,
    /// Until when the socket is left unread because of frames that ask for nothing.
    quiet_until: Option<Instant>,
    heart: Heartbeat,
    /// A ping is due.
    ping: bool,
    abuse: AbuseCounter,
    /// When to look whether the session is still honoured.
    look_at: Instant,
    /// The end of the process, or of a browser's session that may be this one.
    drain: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What ended before does not concern this connection.
    ends_since: u64,
    drain_at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    closing: Option<CloseReason>,
    /// Nothing can be written any more.
    gone: bool,
}

/// An input over the rate.
struct Held<T> {
    input: T,
    /// How large its frame was.
    bytes: u64,
    /// When it may be taken.
    at: Instant,
}

enum Event<T> {
    Done(T),
    DoneAside(T),
    Mail(Received),
    Socket(Incoming),
    Drain,
    Timer,
}

impl<M: Machine, I: Io<M>> Connection<M, I> {
    /// Prepares the task of one socket.
    pub fn new(
        app: Arc<AppState>,
        client: Client,
        mailbox: Mailbox,
        machine: M,
        io: I,
    ) -> Box<Self> {
        let now = Instant::now();
        let limits = &app.config.limits;
        let heart = Heartbeat::new(limits.heartbeat, now);
        let abuse = AbuseCounter::new(now);
        let look_at = next_look(&client, Now::read());
        let timer = Box::pin(tokio::time::sleep_until(heart.deadline(false).into()));
        let End { token, since } = app.online.end_of(client.session);
        let drain = Box::pin(token.cancelled_owned());
        Box::new(Self {
            app,
            client,
            mailbox,
            machine: Some(machine),
            io,
            queue: VecDeque::new(),
            aside: None,
            held: None,
            quiet_until: None,
            heart,
            ping: false,
            abuse,
            look_at,
            drain,
            ends_since: since,
            drain_at: None,
            timer,
            closing: None,
            gone: false,
        })
    }

    /// Runs until the socket is closed. What is left to do afterwards goes to the reaper.
    pub async fn run(mut self: Box<Self>, mut line: Box<Line>) {
        let socket = &mut line.socket;
        let mut actions = Vec::new();
        let mut now = Now::read();
        self.machine().open(now, &mut actions);
        let reason = loop {
            self.carry_out(socket, actions, now.instant).await;
            if self.aside.is_none() {
                self.io.settled();
            }
            if std::mem::take(&mut self.ping) {
                self.send_ping(socket).await;
            }
            if let Some(reason) = self.closing
                && self.queue.is_empty()
            {
                // What was committed before the queue ran dry is in the mailbox by now.
                let mut last = Vec::new();
                now = Now::read();
                self.take_mail(now, &mut last);
                self.carry_out(socket, last, now.instant).await;
                if self.queue.is_empty() {
                    break reason;
                }
            }
            let event = self.next(socket).await;
            now = Now::read();
            actions = self.on_event(event, now);
            self.take_ready(socket, now, &mut actions);
        };
        // The other end may take its time to say goodbye; what it leaves behind need not wait.
        drop(self);
        socket.close(reason).await;
    }

    /// What the machine wants done about an event. The list lives for this event only: of a quiet
    /// connection's memory it would be a tenth.
    fn on_event(&mut self, event: Event<M::Outcome>, now: Now) -> Actions<M::Job> {
        let mut actions = Vec::new();
        match event {
            Event::Done(outcome) => self.on_done(outcome, now, &mut actions),
            Event::DoneAside(outcome) => {
                self.aside = None;
                self.machine().on_outcome(outcome, now, &mut actions);
            }
            Event::Mail(received) => {
                self.on_mail(received, now, &mut actions);
                self.take_mail(now, &mut actions);
            }
            Event::Socket(incoming) => self.on_incoming(incoming, now, &mut actions),
            Event::Drain if !self.app.shutdown.draining() => {
                let session = self.client.session;
                if let Some(reason) = self.app.online.ended(session, self.ends_since) {
                    self.drain_at = Some(now.instant);
                    self.closing.get_or_insert(reason);
                } else {
                    // It was another session of the same group.
                    let End { token, since } = self.app.online.end_of(session);
                    self.ends_since = since;
                    self.drain.set(token.cancelled_owned());
                }
            }
            Event::Drain => {
                let jitter = self.app.config.server.drain_jitter;
                self.drain_at = Some(now.instant + jitter.mul_f64(rand::random()));
            }
            Event::Timer => self.on_timer(now, &mut actions),
        }
        actions
    }

    /// Whatever else is there already: what it causes is written with the same flush.
    fn take_ready(&mut self, socket: &mut Socket, now: Now, actions: &mut Actions<M::Job>) {
        while let Some(outcome) = front(&mut self.queue).now_or_never() {
            self.on_done(outcome, now, actions);
        }
        while actions.len() < TURN
            && self.reading(actions.len())
            && let Some(incoming) = socket
                .recv(self.client.account(&self.app.memory))
                .now_or_never()
        {
            self.on_incoming(incoming, now, actions);
        }
    }

    fn on_done(&mut self, outcome: M::Outcome, now: Now, actions: &mut Actions<M::Job>) {
        // What the job published is told before its answer.
        self.take_mail(now, actions);
        self.queue.pop_front();
        self.machine().on_outcome(outcome, now, actions);
    }

    fn machine(&mut self) -> &mut M {
        self.machine.as_mut().expect("taken in drop only")
    }

    /// Whether the socket is read: it is not while there is no room for what it might ask, beside what
    /// is asked for already and not begun.
    fn reading(&self, asked: usize) -> bool {
        self.closing.is_none()
            && self.held.is_none()
            && self.quiet_until.is_none()
            && self.queue.len() + asked < self.app.config.limits.in_flight
    }

    async fn next(&mut self, socket: &mut Socket) -> Event<M::Outcome> {
        let reading = self.reading(0);
        self.set_timer();
        let account = self.client.account(&self.app.memory);
        tokio::select! {
            biased;
            // The mailbox first: what a job published is told before the job's own answer.
            received = self.mailbox.recv() => Event::Mail(received),
            outcome = front(&mut self.queue) => Event::Done(outcome),
            outcome = optional(&mut self.aside) => Event::DoneAside(outcome),
            () = &mut self.drain, if self.drain_at.is_none() => Event::Drain,
            () = &mut self.timer => Event::Timer,
            incoming = socket.recv(account), if reading => Event::Socket(incoming),
        }
    }

    /// Lets the timer ring at the earliest deadline. It may ring early: everybody checks.
    fn set_timer(&mut self) {
        let held = self.held.as_ref().map(|held| held.at);
        let machine = self.machine().deadline();
        let watched = self.machine().watches();
        let heart = self.heart.deadline(watched);
        // A deadline that has rung already and waits for the queue only must not ring again at once.
        let drain = self.drain_at.filter(|_| self.closing.is_none());
        let look_at = Some(self.look_at).filter(|_| self.closing.is_none());
        let deadline = [held, self.quiet_until, machine, drain, look_at]
            .into_iter()
            .flatten()
            .fold(heart, Instant::min);
        let set = self.timer.deadline().into_std();
        if deadline < set || self.timer.is_elapsed() {
            self.timer.as_mut().reset(deadline.into());
        }
    }

    fn on_mail(&mut self, received: Received, now: Now, actions: &mut Actions<M::Job>) {
        match received {
            Received::Frame(frame) => match &*frame {
                Frame::Close(reason) => {
                    self.closing.get_or_insert(*reason);
                }
                frame => self.machine().on_frame(frame, now, actions),
            },
            Received::Lagged => self.machine().on_lagged(now, actions),
        }
    }

    fn take_mail(&mut self, now: Now, actions: &mut Actions<M::Job>) {
        for _ in 0..TURN {
            let Some(frame) = self.mailbox.try_recv() else {
                break;
            };
            self.on_mail(Received::Frame(frame), now, actions);
        }
    }

    fn on_incoming(&mut self, incoming: Incoming, now: Now, actions: &mut Actions<M::Job>) {
        self.heard(now, actions);
        match incoming {
            Incoming::Text(text) => self.on_text(&text, now, actions),
            Incoming::Binary => self.closing = Some(CloseReason::Policy),
            Incoming::Control => self.count_signal(0, now.instant),
            Incoming::Unacceptable(reason) => self.closing = Some(reason),
            Incoming::Gone => {
                self.gone = true;
                self.closing = Some(CloseReason::Normal);
            }
        }
    }

    fn on_text(&mut self, text: &str, now: Now, actions: &mut Actions<M::Job>) {
        let bytes = text.len() as u64;
        match M::decode(text) {
            Ok(input) => {
                self.abuse.good_frame();
                self.admit(input, bytes, now, actions);
            }
            Err(error) => {
                let most = self.app.config.limits.bad_frames;
                if error.is_malformed() && self.abuse.bad_frame(most) {
                    self.closing = Some(CloseReason::Policy);
                }
                self.count_signal(bytes, now.instant);
                self.machine().on_bad_frame(&error, actions);
            }
        }
    }

    /// Takes an input, or holds it (and leaves the socket unread) while it is over a rate.
    fn admit(&mut self, input: M::Input, bytes: u64, now: Now, actions: &mut Actions<M::Job>) {
        match self.pay(M::weight(&input), bytes, now.instant) {
            Ok(()) => self.machine().on_input(input, now, actions),
            Err(over) => {
                let at = now.instant + over.wait;
                self.held = Some(Box::new(Held { input, bytes, at }));
                self.throttle(now.instant, over);
            }
        }
    }

    /// Pays for a frame, from what was taken ahead as far as that reaches.
    fn pay(&mut self, weight: Weight, bytes: u64, now: Instant) -> Result<(), Over> {
        let shortfall = self.abuse.shortfall(weight, bytes);
        if shortfall != FrameCost::default() {
            self.app.door.send(&self.client.caller, shortfall, now)?;
            self.abuse.prepay(shortfall);
        }
        if weight == Weight::Signal {
            let counted = self.abuse.signal(now);
            counted.map_err(|wait| Over { wait, own: true })?;
        }
        self.abuse.spend(weight, bytes);
        Ok(())
    }

    /// Counts a frame that asks for nothing; too many leave the socket unread for a while.
    fn count_signal(&mut self, bytes: u64, now: Instant) {
        if let Err(over) = self.pay(Weight::Signal, bytes, now) {
            // It was read already: what is not paid is owed, and the next one waits longer.
            let owed = self.abuse.shortfall(Weight::Signal, bytes);
            self.app
                .limits
                .charge_frames(&self.client.caller, owed, now);
            self.abuse.prepay(owed);
            self.abuse.spend(Weight::Signal, bytes);
            self.quiet_until = Some(now + over.wait);
            self.throttle(now, over);
        }
    }

    /// The socket is left unread. For a network that is over its quota it may not be to blame: only
    /// what it does itself can become a flood.
    fn throttle(&mut self, now: Instant, over: Over) {
        let flood = self.app.config.limits.flood;
        if over.own && self.abuse.throttled(now, over.wait, flood) {
            self.closing = Some(CloseReason::Policy);
        }
    }

    /// Looks once an hour whether the session may still be here. The page that finds its socket
    /// closed comes back at once, and is a browser that we know again, or a new one.
    fn look_at_session(&mut self, now: Now) {
        if self.look_at <= now.instant {
            self.look_at = next_look(&self.client, now);
            if self.client.until.is_some_and(|until| until <= now.wall) {
                self.closing.get_or_insert(CloseReason::GoingAway);
            }
        }
    }

    fn on_timer(&mut self, now: Now, actions: &mut Actions<M::Job>) {
        if self.drain_at.is_some_and(|at| at <= now.instant) {
            self.closing.get_or_insert(CloseReason::GoingAway);
        }
        self.quiet_until = self.quiet_until.filter(|at| *at > now.instant);
        if let Some(held) = self.held.take_if(|held| held.at <= now.instant) {
            self.admit(held.input, held.bytes, now, actions);
        }
        if self
            .machine()
            .deadline()
            .is_some_and(|at| at <= now.instant)
        {
            self.machine().on_timer(now, actions);
        }
        self.look_at_session(now);
        if !self.reading(0) {
            // What we do not read cannot be missed.
            self.heard(now, actions);
        }
        let watched = self.machine().watches();
        match self.heart.beat(now.instant, watched) {
            Beat::Wait => {}
            Beat::Missed => {
                self.closing.get_or_insert(CloseReason::HeartbeatMissed);
            }
            Beat::Due(Due { ask, vouch, silent }) => {
                self.ping |= ask;
                actions.extend(vouch.then(|| Action::Write(self.alive())));
                if silent {
                    self.machine().on_silent(now, actions);
                }
            }
        }
    }

    fn heard(&mut self, now: Now, actions: &mut Actions<M::Job>) {
        if self.heart.heard(now.instant) {
            self.machine().on_heard(now, actions);
        }
    }

    fn alive(&self) -> Text {
        self.app.encoder.alive(self.heart.interval())
    }

    /// Does what the machine asked.
    async fn carry_out(&mut self, socket: &mut Socket, actions: Actions<M::Job>, now: Instant) {
        let (outgoing, afterwards) = self.begin(actions, now);
        if self.gone || outgoing.is_empty() {
            return;
        }
        let account = self.client.account(&self.app.memory);
        match socket.write(outgoing, account).await {
            Ok(()) => {
                self.heart.said(now);
                if let Some(job) = afterwards {
                    // The page before it is written.
                    self.io.settled();
                    self.aside = Some(self.io.start(job));
                }
                if let Some(job) = self.machine().on_flushed() {
                    self.queue.push_back(self.io.start(job));
                }
            }
            Err(reason) => self.broken(reason),
        }
    }

    /// Begins everything but writing: answers what is to be written, and what is to be begun aside after that.
    fn begin(&mut self, actions: Actions<M::Job>, now: Instant) -> (Outgoing, Option<M::Job>) {
        let mut outgoing = Outgoing::default();
        let (mut replays, mut afterwards) = (false, None);
        for action in actions {
            match action {
                Action::Write(text) => outgoing.frame(text),
                Action::Replay(replay) => {
                    replays = true;
                    outgoing.replay(replay);
                }
                Action::Queue(job) => self.queue.push_back(self.io.start(job)),
                Action::Aside(job) if replays => afterwards = Some(job),
                Action::Aside(job) => self.aside = Some(self.io.start(job)),
                Action::Close(reason) => {
                    self.closing.get_or_insert(reason);
                }
                Action::Vouch => {
                    self.heart.listens(now);
                    outgoing.frame(self.alive());
                }
                Action::Waited(waited) => {
                    metrics::histogram!(telemetry::TIME_TO_MATCH).record(waited.as_secs_f64());
                }
                Action::Erred(code) => {
                    metrics::counter!(telemetry::ERRORS, "code" => code.as_str()).increment(1);
                }
            }
        }
        (outgoing, afterwards)
    }

    async fn send_ping(&mut self, socket: &mut Socket) {
        if !self.gone
            && let Err(reason) = socket.ping().await
        {
            self.broken(reason);
        }
    }

    fn broken(&mut self, reason: CloseReason) {
        self.gone = true;
        self.closing.get_or_insert(reason);
    }
}

impl<M: Machine, I: Io<M>> Drop for Connection<M, I> {
    /// Also after a panic: whoever is gone must not stay in the pool or online in a room.
    fn drop(&mut self) {
        let machine = self.machine.take();
        if let Some(job) = machine.and_then(Machine::farewell) {
            let errand = self.io.start(job);
            // A full reaper leaves it to the leases and the sweeper.
            let _ = self.app.shutdown.reap(async move {
                errand.await;
            });
        }
    }
}

/// When to look at a session the next time: in an hour, or when its cookie ends if that is sooner.
fn next_look(client: &Client, now: Now) -> Instant {
    let left = client.until.map(|until| until.since(now.wall));
    let left = left.filter(|left| !left.is_zero());
    now.instant + left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;
    use crate::chat::Chat;
    use crate::chat::effects::ChatIo;

    /// What the allocator gives for these is what most of an idle connection is: one byte more and it gives
    /// an eighth more.
    #[test]
    fn a_quiet_connection_stays_within_its_size_classes() {
        assert!(size_of::<Connection<Chat, ChatIo>>() <= 896);
        assert!(size_of::<Line>() <= 512);
    }
}
