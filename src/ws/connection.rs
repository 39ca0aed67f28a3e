//! The one loop of every socket: a closed set of inputs, one state machine, one writer.
//!
//! Inputs: the mailbox, outcomes of queued jobs (in order), the outcome of the job in the background, the
//! socket (only while there is room for what it may ask), the token of its end, one timer. No other task
//! touches the socket, and this one awaits no other connection. What frames cost is in `charging`, when the
//! connection ends by itself in `end_watch`.

mod alone;
mod carry_out;
mod decided;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::time::Sleep;

use super::charging::{Abuse, Charging, Payer, UnpaidInput};
use super::counted_socket::CountedSocket;
use super::end_watch::{EndWatch, Woken};
use super::heartbeat::{Beat, Due, Heartbeat};
use super::in_flight::{front, optional};
use super::socket::{Incoming, Socket};
use crate::admission::client::Client;
use crate::channel::{Frame, Mailbox, Received};
use crate::protocol::{CloseReason, Text};
use crate::state::AppState;
use crate::state_machine::{Action, Actions, Io, Machine, Now, Voice};

/// Frames taken from the mailbox, and things asked for by the client's, before what they caused is
/// carried out.
const TURN: usize = 64;

/// One socket's task.
///
/// It and its [`CountedSocket`] are boxed: a future holds what is moved into it once for every function on the
/// way, and most connections are idle, so that this is most of what a connection costs.
pub struct Connection<M: Machine, I: Io<M>> {
    app: Arc<AppState>,
    client: Client,
    mailbox: Mailbox,
    /// `None` only while being dropped.
    machine: Option<M>,
    io: I,
    queue: VecDeque<I::InFlight>,
    /// Boxed: what it reads is far larger, and most of the time there is none.
    background: Option<Box<I::InFlight>>,
    charging: Charging<M::Input>,
    heart: Heartbeat,
    /// A ping is due.
    ping: bool,
    end: EndWatch,
    timer: Pin<Box<Sleep>>,
    closing: Option<CloseReason>,
    /// Nothing can be written any more.
    gone: bool,
}

enum Event<T> {
    Done(T),
    DoneBackground(T),
    Mail(Received),
    Socket(Incoming),
    End,
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
        let timer = Box::pin(tokio::time::sleep_until(heart.deadline(false).into()));
        let end = EndWatch::new(&app, &client, Now::read());
        Box::new(Self {
            app,
            client,
            mailbox,
            machine: Some(machine),
            io,
            queue: VecDeque::new(),
            background: None,
            charging: Charging::new(now),
            heart,
            ping: false,
            end,
            timer,
            closing: None,
            gone: false,
        })
    }

    /// Runs until the socket is closed. What is left to do afterwards goes to the clean-up queue.
    pub async fn run(mut self: Box<Self>, mut counted: Box<CountedSocket>) {
        let socket = &mut counted.socket;
        let mut actions = Vec::new();
        let mut now = Now::read();
        self.machine().open(now, &mut actions);
        self.on_opened(now, &mut actions);
        let reason = loop {
            self.carry_out(socket, actions, now.instant).await;
            if self.background.is_none() {
                self.io.settled();
            }
            if std::mem::take(&mut self.ping) {
                self.send_ping(socket).await;
            }
            if let Some(reason) = self.closing
                && self.queue.is_empty()
            {
                now = Now::read();
                let last = self.last_mail(now);
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
        if self.may_go_on_alone(reason) {
            socket.close(reason).await;
            let guards = counted.into_guards();
            self.go_on_alone().await;
            drop(guards);
            return;
        }
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
            Event::DoneBackground(outcome) => {
                self.background = None;
                self.machine().on_outcome(outcome, now, &mut actions);
            }
            Event::Mail(received) => {
                self.on_mail(received, now, &mut actions);
                self.take_mail(now, &mut actions);
            }
            Event::Socket(incoming) => self.on_incoming(incoming, now, &mut actions),
            Event::End => match self.end.woken(&self.app, &self.client, now.instant) {
                Woken::Ends(reason) => self.close(reason),
                Woken::News => self.on_news(now, &mut actions),
                Woken::ForAnother => {}
            },
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
            && self.charging.reads()
            && self.queue.len() + asked < self.app.config.limits.in_flight
    }

    async fn next(&mut self, socket: &mut Socket) -> Event<M::Outcome> {
        let (reading, ends) = (self.reading(0), self.end.is_open());
        self.set_timer();
        let account = self.client.account(&self.app.memory);
        tokio::select! {
            biased;
            // The mailbox first: what a job published is told before the job's own answer.
            received = self.mailbox.recv() => Event::Mail(received),
            outcome = front(&mut self.queue) => Event::Done(outcome),
            outcome = optional(&mut self.background) => Event::DoneBackground(outcome),
            () = self.end.token(), if ends => Event::End,
            () = &mut self.timer => Event::Timer,
            incoming = socket.recv(account), if reading => Event::Socket(incoming),
        }
    }

    /// Lets the timer ring at the earliest deadline. It may ring early: what is not due yet is left alone.
    fn set_timer(&mut self) {
        let machine = self.machine().deadline();
        let watched = self.machine().watches();
        let heart = self.heart.deadline(watched);
        // A deadline that has rung already and waits for the queue only must not ring again at once.
        let end = self.closing.is_none().then(|| self.end.deadline());
        let deadline = [self.charging.deadline(), machine, end]
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
                Frame::Close(reason) => self.close(*reason),
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

    /// What was committed before the queue ran dry: it is in the mailbox by now. Not a part of [`Self::run`],
    /// which each connection holds as it is while it waits for the longest of its waits.
    fn last_mail(&mut self, now: Now) -> Actions<M::Job> {
        let mut last = Vec::new();
        self.take_mail(now, &mut last);
        last
    }

    fn on_incoming(&mut self, incoming: Incoming, now: Now, actions: &mut Actions<M::Job>) {
        self.heard(now, actions);
        match incoming {
            Incoming::Text(text) => self.on_text(&text, now, actions),
            Incoming::Binary => self.closing = Some(CloseReason::Policy),
            Incoming::Control => {
                let payer = Payer::of(&self.app, &self.client);
                let charged = self.charging.signal(0, now.instant, payer);
                self.unless_abuse(charged);
            }
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
                let weight = M::weight(&input);
                let frame = UnpaidInput {
                    input,
                    weight,
                    bytes,
                };
                self.admit(frame, now, actions);
            }
            Err(error) => {
                let payer = Payer::of(&self.app, &self.client);
                let malformed = error.is_malformed();
                let charged = self
                    .charging
                    .bad_frame(malformed, bytes, now.instant, payer);
                self.unless_abuse(charged);
                self.machine().on_bad_frame(&error, actions);
            }
        }
    }

    /// Takes an input that is paid for; one that is over a rate waits for its turn.
    fn admit(&mut self, frame: UnpaidInput<M::Input>, now: Now, actions: &mut Actions<M::Job>) {
        let payer = Payer::of(&self.app, &self.client);
        match self.charging.charge(frame, now.instant, payer) {
            Ok(Some(input)) => match self.app.door.voice(self.client.session, now.wall) {
                Voice::Free => self.machine().on_input(input, now, actions),
                voice => self.machine().on_hushed(input, voice, now, actions),
            },
            Ok(None) => {}
            Err(Abuse) => self.closing = Some(CloseReason::Policy),
        }
    }

    fn unless_abuse(&mut self, charged: Result<(), Abuse>) {
        if charged == Err(Abuse) {
            self.closing = Some(CloseReason::Policy);
        }
    }

    fn close(&mut self, reason: CloseReason) {
        self.closing.get_or_insert(reason);
    }

    fn on_timer(&mut self, now: Now, actions: &mut Actions<M::Job>) {
        if self.end.is_due(&self.client, now) {
            self.close(CloseReason::GoingAway);
        }
        if let Some(frame) = self.charging.due(now.instant) {
            self.admit(frame, now, actions);
        }
        if self
            .machine()
            .deadline()
            .is_some_and(|at| at <= now.instant)
        {
            self.machine().on_timer(now, actions);
        }
        if self.gone || !self.reading(0) {
            // What we do not read cannot be missed.
            self.heard(now, actions);
        }
        let watched = self.machine().watches();
        match self.heart.beat(now.instant, watched) {
            Beat::Wait => {}
            Beat::Missed => self.close(CloseReason::HeartbeatMissed),
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
}

impl<M: Machine, I: Io<M>> Drop for Connection<M, I> {
    /// Also after a panic: a client that is gone must not stay in the pool or online in a room.
    fn drop(&mut self) {
        let machine = self.machine.take();
        if let Some(job) = machine.and_then(Machine::farewell) {
            let cleanup = self.io.start(job);
            // A full queue leaves it to the leases and the sweeper.
            let _ = self.app.shutdown.clean_up(async move {
                cleanup.await;
            });
        }
    }
}
