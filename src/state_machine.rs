//! What a socket's loop and its state machine promise each other. Machines ([`crate::chat`],
//! [`crate::lobby`]) are pure: events in, [`Action`]s out; the loop does what they ask.

use std::time::{Duration, Instant};

use crate::channel::Frame;
use crate::domain::id::Timestamp;
use crate::protocol::{CloseReason, DecodeError, ErrorCode, Replay, Text};

/// One reading of both clocks, handed to the machines.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timers.
    pub instant: Instant,
    /// For labels and the store.
    pub wall: Timestamp,
}

impl Now {
    /// Reads both clocks.
    pub fn read() -> Self {
        Self {
            instant: Instant::now(),
            wall: crate::clock::now(),
        }
    }
}

/// What a machine asks the loop to do.
#[derive(Debug)]
pub enum Action<J> {
    /// Write this frame.
    Write(Text),
    /// Write these, making each when its turn comes.
    Replay(Box<Replay>),
    /// Do this after every queued job before it; its outcome comes back in the same order.
    Queue(J),
    /// Do this in the background, beside the queue; a machine has at most one at a time. Behind a replay it is
    /// begun when that was written: of a log that is read page by page, one page is in memory.
    Background(J),
    /// Finish the queue, then close.
    Close(CloseReason),
    /// Say that we are there, now and whenever nothing else was said for as long as a heartbeat.
    Vouch,
    /// An error was answered: count it.
    Erred(ErrorCode),
    /// The search ended with a partner after this long: count it.
    Waited(Duration),
}

/// How a client's person may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// As all.
    Free,
    /// Not at all, until then; `None`: without an end.
    Muted(Option<Timestamp>),
    /// Into the void, without knowing.
    Unheard,
}

/// The actions of one event, in order.
pub type Actions<J> = Vec<Action<J>>;

/// How much an action of a client counts towards its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Counts as a message: it reaches the store or another person's log.
    Message,
    /// A passing signal, such as typing.
    Signal,
}

/// A phase of the protocol as a state machine: no I/O, no clock.
pub trait Machine: Send + 'static {
    /// A decoded frame.
    type Input: Send;
    /// Work with I/O that it asks for.
    type Job: Send;
    /// What became of it.
    type Outcome: Send;

    /// Decodes a client's frame.
    ///
    /// # Errors
    /// What to answer.
    fn decode(text: &str) -> Result<Self::Input, DecodeError>;

    /// What that frame counts.
    fn weight(input: &Self::Input) -> Weight;

    /// The socket is open: what to say and do first.
    fn open(&mut self, now: Now, out: &mut Actions<Self::Job>);

    /// The client asks for something.
    fn on_input(&mut self, input: Self::Input, now: Now, out: &mut Actions<Self::Job>);

    /// The client's frame was not understood.
    fn on_bad_frame(&mut self, error: &DecodeError, out: &mut Actions<Self::Job>);

    /// Another connection says something.
    fn on_frame(&mut self, frame: &Frame, now: Now, out: &mut Actions<Self::Job>);

    /// Frames were dropped.
    fn on_lagged(&mut self, now: Now, out: &mut Actions<Self::Job>);

    /// A job is done.
    fn on_outcome(&mut self, outcome: Self::Outcome, now: Now, out: &mut Actions<Self::Job>);

    /// When [`Machine::on_timer`] wants to be called.
    fn deadline(&self) -> Option<Instant>;

    /// The deadline has passed.
    fn on_timer(&mut self, now: Now, out: &mut Actions<Self::Job>);

    /// Whether it matters soon that the client does not answer: others are about to be led to it.
    fn watches(&self) -> bool {
        false
    }

    /// A client that is watched was asked whether it is there and has not answered soon.
    fn on_silent(&mut self, _: Now, _: &mut Actions<Self::Job>) {}

    /// It is heard again; what it says comes next.
    fn on_heard(&mut self, _: Now, _: &mut Actions<Self::Job>) {}

    /// Everything asked to be written so far reached the socket. A job to queue, if that is worth one.
    fn on_flushed(&mut self) -> Option<Self::Job>;

    /// There may be something that its browser is to be told of decisions or by the site. Also said when the
    /// connection opens.
    fn on_news(&mut self, _: Now, _: &mut Actions<Self::Job>) {}

    /// The client asks for something, and its person may not speak as others do.
    fn on_hushed(&mut self, input: Self::Input, _: Voice, now: Now, out: &mut Actions<Self::Job>) {
        self.on_input(input, now, out);
    }

    /// The client is gone without having said that it ends. True: the machine goes on without a connection while
    /// [`Machine::goes_on`]; what it writes reaches no client.
    fn on_alone(&mut self, _: Now) -> bool {
        false
    }

    /// Whether a machine without a connection has something left to wait for.
    fn goes_on(&self) -> bool {
        false
    }

    /// The connection is over: what is left to do without it.
    fn farewell(self) -> Option<Self::Job>;
}

/// Does a machine's jobs.
pub trait Io<M: Machine>: Send + Sync + 'static {
    /// A job under way.
    type InFlight: Future<Output = M::Outcome> + Send + Unpin;

    /// Starts a job at once and answers with its future. Calls are in order: what a job does first
    /// (taking a place in the store's queue) happens in the call.
    fn start(&mut self, job: M::Job) -> Self::InFlight;

    /// What the job in the background brought was written: nothing has to be held for it any more.
    fn settled(&mut self) {}
}
