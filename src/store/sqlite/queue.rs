//! A queue between the tasks that ask and the threads that work, bounded in items and in bytes. Pushing
//! never waits: a full queue is an answer. It grows on demand, so that an idle server pays nothing for the bound.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::store::StoreError;

/// What an item takes in memory.
pub(super) trait Weigh {
    /// In bytes; the same each time.
    fn bytes(&self) -> usize;
}

/// How much a queue may hold.
#[derive(Clone, Copy)]
pub(super) struct QueueBound {
    pub(super) items: usize,
    pub(super) bytes: usize,
}

/// Why a queue takes nothing more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum QueuePhase {
    Open,
    /// What was taken is still handed out.
    Closing,
    /// What was taken is dropped.
    Abandoned,
}

struct QueueInner<T> {
    items: VecDeque<T>,
    /// What they take.
    bytes: usize,
    phase: QueuePhase,
    /// An item that should not wait was put in since it was last empty.
    urgent: bool,
}

impl<T> QueueInner<T> {
    fn gathering(&self, most: usize) -> bool {
        let some = !self.items.is_empty() && self.items.len() < most;
        some && !self.urgent && self.phase == QueuePhase::Open
    }
}

/// Many push, one or several threads take.
pub(super) struct JobQueue<T> {
    inner: Mutex<QueueInner<T>>,
    wake: Condvar,
    room: QueueBound,
    most: usize,
    takers: usize,
}

impl<T: Weigh> JobQueue<T> {
    /// Holds at most so much, of which `takers` threads take at most `most` at once.
    pub(super) fn new(room: QueueBound, most: usize, takers: usize) -> Self {
        Self {
            inner: Mutex::new(QueueInner {
                items: VecDeque::new(),
                bytes: 0,
                phase: QueuePhase::Open,
                urgent: false,
            }),
            wake: Condvar::new(),
            room,
            most,
            takers,
        }
    }

    /// Puts an item at the end, or says why not, at once.
    pub(super) fn push(&self, item: T) -> Result<(), StoreError> {
        self.put(item, true)
    }

    /// The same with an item that may wait a moment for others: see [`JobQueue::take`].
    pub(super) fn push_patient(&self, item: T) -> Result<(), StoreError> {
        self.put(item, false)
    }

    fn put(&self, item: T, urgent: bool) -> Result<(), StoreError> {
        let bytes = item.bytes();
        let mut inner = self.inner.lock();
        if inner.phase != QueuePhase::Open {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        if inner.items.len() >= self.room.items || inner.bytes + bytes > self.room.bytes {
            return Err(StoreError::Unavailable("the store's queue is full".into()));
        }
        inner.items.push_back(item);
        inner.bytes += bytes;
        // A thread that gathers patient ones need not be woken for another, until there are enough.
        let news = urgent || inner.items.len() == 1 || inner.items.len() == self.most;
        inner.urgent |= urgent;
        drop(inner);
        if news {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Moves this thread's part of the items into `into`, waiting at most `wait` for the first, and until
    /// `from` while there are only a few patient ones. False when the queue is closed and
    /// empty: nothing will come again.
    pub(super) fn take(&self, into: &mut Vec<T>, wait: Duration, from: Instant) -> bool {
        let mut inner = self.inner.lock();
        if inner.items.is_empty() && inner.phase == QueuePhase::Open {
            self.wake.wait_for(&mut inner, wait);
        }
        while inner.gathering(self.most) && !self.wake.wait_until(&mut inner, from).timed_out() {}
        // Patient ones are quick and best done together; urgent ones may be long, and all threads help.
        let takers = if inner.urgent { self.takers } else { 1 };
        let count = inner.items.len().div_ceil(takers).min(self.most);
        let taken = into.len();
        into.extend(inner.items.drain(..count));
        inner.bytes -= into[taken..].iter().map(Weigh::bytes).sum::<usize>();
        let more = !inner.items.is_empty();
        inner.urgent &= more;
        let open = inner.phase == QueuePhase::Open;
        drop(inner);
        if more {
            // For the next thread, if there is one.
            self.wake.notify_one();
        }
        count > 0 || open
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        self.inner.lock().items.len()
    }

    /// Takes nothing more; what is in it is still handed out.
    pub(super) fn close(&self) {
        let mut inner = self.inner.lock();
        if inner.phase == QueuePhase::Open {
            inner.phase = QueuePhase::Closing;
        }
        drop(inner);
        self.wake.notify_all();
    }

    /// Takes nothing more and forgets what is in it.
    pub(super) fn abandon(&self) {
        let mut inner = self.inner.lock();
        inner.phase = QueuePhase::Abandoned;
        let forgotten = std::mem::take(&mut inner.items);
        inner.bytes = 0;
        drop(inner);
        // Dropping an item wakes the caller that waits for its answer: not under our lock.
        drop(forgotten);
        self.wake.notify_all();
    }

    /// The queue was abandoned, so the data may stay as it is.
    pub(super) fn abandoned(&self) -> bool {
        self.inner.lock().phase == QueuePhase::Abandoned
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread::{JoinHandle, sleep, spawn};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const MOMENT: Duration = Duration::from_millis(50);

    impl Weigh for u32 {
        fn bytes(&self) -> usize {
            *self as usize
        }
    }

    fn room(items: usize) -> QueueBound {
        QueueBound { items, bytes: 1000 }
    }

    #[test]
    fn what_is_taken_makes_room_for_as_many_bytes() {
        let queue = JobQueue::new(room(10), 2, 1);
        for bytes in [600, 300, 100] {
            queue.push(bytes).unwrap();
        }
        let full = queue.push(1).unwrap_err();
        assert!(matches!(full, StoreError::Unavailable(_)), "{full}");
        let mut taken = Vec::new();
        assert!(queue.take(&mut taken, LONG, Instant::now()));
        assert_eq!(taken, [600, 300]);
        queue.push(900).unwrap();
        assert!(queue.push(1).is_err());
    }

    /// Takes once on a thread of its own, patient ones not before `from`.
    fn taking(queue: &Arc<JobQueue<u32>>, from: Instant) -> JoinHandle<Vec<u32>> {
        let queue = Arc::clone(queue);
        spawn(move || {
            let mut taken = Vec::new();
            queue.take(&mut taken, LONG, from);
            taken
        })
    }

    #[test]
    fn a_patient_item_waits_for_its_time() {
        let queue = Arc::new(JobQueue::new(room(10), 10, 1));
        let from = Instant::now() + 4 * MOMENT;
        let taker = taking(&queue, from);
        for item in 1..=3 {
            queue.push_patient(item).unwrap();
        }
        assert_eq!(taker.join().unwrap(), [1, 2, 3]);
        assert!(Instant::now() >= from);
    }

    #[test]
    fn a_patient_item_goes_at_once_when_its_time_has_come() {
        let queue = Arc::new(JobQueue::new(room(10), 10, 1));
        let taker = taking(&queue, Instant::now());
        queue.push_patient(1).unwrap();
        assert_eq!(taker.join().unwrap(), [1]);
    }

    #[test]
    fn enough_patient_items_wait_no_longer() {
        let queue = Arc::new(JobQueue::new(room(10), 3, 1));
        let taker = taking(&queue, Instant::now() + LONG);
        sleep(MOMENT);
        for item in 1..=4 {
            queue.push_patient(item).unwrap();
        }
        assert_eq!(taker.join().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn an_urgent_item_takes_the_patient_ones_with_it() {
        let queue = Arc::new(JobQueue::new(room(10), 10, 1));
        queue.push_patient(1).unwrap();
        let taker = taking(&queue, Instant::now() + LONG);
        queue.push(2).unwrap();
        assert_eq!(taker.join().unwrap(), [1, 2]);
        // That was one moment: the next patient one waits again.
        queue.push_patient(3).unwrap();
        let taker = taking(&queue, Instant::now() + LONG);
        sleep(MOMENT);
        assert!(!taker.is_finished());
        queue.close();
        assert_eq!(taker.join().unwrap(), [3]);
    }

    #[test]
    fn all_threads_share_what_is_urgent() {
        let queue = Arc::new(JobQueue::new(room(30), 30, 2));
        for item in 0..7 {
            queue.push(item).unwrap();
        }
        let takers = [(); 3].map(|()| taking(&queue, Instant::now() + LONG));
        let mut taken = takers.map(|taker| taker.join().unwrap().len());
        taken.sort_unstable();
        // Half of 7, half of the 3 that are left, half of the last.
        assert_eq!(taken, [1, 2, 4]);
    }
}
