//! From what happened to a call: the node that committed an entry, or found a person's partner, asks the store
//! whose turn it is and lets the browser be called. The store answers one node alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::Call;
use crate::domain::id::{RoomId, Side};
use crate::push::queue::{Caller, Delivered};
use crate::push::recipient::PushHosts;
use crate::store::{CallTurn, Store};

/// Sides to be called that wait to be looked at, 32 bytes each.
const MOST_DUE: usize = 1_000;
/// Pages are reloaded and networks change: an absence that is shorter is none.
const ABSENCE: Duration = Duration::from_secs(3);

/// A side that may have to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallDue {
    /// Its room.
    pub room: RoomId,
    /// Which side.
    pub side: Side,
    /// What the call would say.
    pub call: Call,
}

/// Where those go in. Cheap to clone; it takes nothing when calls are off.
#[derive(Clone, Default)]
pub struct CallQueue(Option<mpsc::Sender<CallDue>>);

/// Where they come out.
pub type CallsDue = mpsc::Receiver<CallDue>;

impl CallQueue {
    /// A queue that takes calls.
    pub fn new() -> (Self, CallsDue) {
        let (sender, due) = mpsc::channel(MOST_DUE);
        (Self(Some(sender)), due)
    }

    /// False: it is off, or full, and the side is not called.
    pub fn push(&self, due: CallDue) -> bool {
        let Some(queue) = &self.0 else { return false };
        queue.try_send(due).is_ok()
    }
}

/// Makes calls, and knows the recipients.
#[derive(Clone)]
pub struct Calling {
    /// Which sides have subscriptions.
    pub store: Arc<dyn Store>,
    /// Which push services are gone to.
    pub hosts: Arc<PushHosts>,
    /// Goes there.
    pub caller: Caller,
    /// How long a call is worth something: `matching.call_for`.
    pub worth: Duration,
}

impl Calling {
    /// Calls those who come out of the queue, until told to stop.
    pub async fn run(self, mut due: CallsDue, stop: CancellationToken) {
        while let Some(Some(due)) = stop.run_until_cancelled(due.recv()).await {
            let calling = self.clone();
            self.caller
                .begin(move |_| async move { calling.call(due).await });
        }
    }

    async fn call(&self, due: CallDue) {
        let CallDue { room, side, call } = due;
        if call != Call::SomeoneCame {
            tokio::time::sleep(ABSENCE).await;
        }
        let mut turn = self.store.take_call(room, side, call).await;
        if let Ok(CallTurn::Wait(wait)) = turn {
            tokio::time::sleep(wait).await;
            turn = self.store.take_call(room, side, call).await;
        }
        // A store that does not answer, or another node was faster: the person finds out when they look.
        let Ok(CallTurn::Now(subscription)) = turn else {
            return;
        };
        let delivered = match self.hosts.recipient(&subscription) {
            Some(to) => self.caller.deliver(&to, call, self.worth).await,
            // The operator allows that host no more.
            None => Delivered::Gone,
        };
        // A partner who waits in the room is not to wait for a person who was never told of it.
        let untold = call == Call::SomeoneCame && delivered == Delivered::Not;
        if delivered == Delivered::Gone || untold {
            // Whether that succeeds or not: it is erased with the room.
            let _ = self.store.subscribe(room, side, None).await;
        }
    }
}
