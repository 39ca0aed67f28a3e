//! A bounded queue between the tasks that ask and the threads that work. Pushing never waits: a
//! full queue is an answer. It grows on demand, so that an idle server pays nothing for the bound.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::store::StoreError;

/// Why a queue takes nothing more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What was taken is still handed out.
    Closing,
    /// What was taken is dropped.
    Abandoned,
}

struct Inner<T> {
    items: VecDeque<T>,
    phase: Phase,
}

/// Many push, one or several threads take.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    wake: Condvar,
    capacity: usize,
}

impl<T> Queue<T> {
    /// Holds at most `capacity` items.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                items: VecDeque::new(),
                phase: Phase::Open,
            }),
            wake: Condvar::new(),
            capacity,
        }
    }

    /// Puts an item at the end, or says why not, at once.
    pub(super) fn push(&self, item: T) -> Result<(), StoreError> {
        let mut inner = self.inner.lock();
        if inner.phase != Phase::Open {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        if inner.items.len() >= self.capacity {
            return Err(StoreError::Unavailable("the store's queue is full".into()));
        }
        inner.items.push_back(item);
        drop(inner);
        self.wake.notify_one();
        Ok(())
    }

    /// Moves up to `most` items into `into`, waiting at most `wait` for the first. False when the
    /// queue is closed and empty: nothing will ever come again.
    pub(super) fn take(&self, into: &mut Vec<T>, most: usize, wait: Duration) -> bool {
        let mut inner = self.inner.lock();
        if inner.items.is_empty() && inner.phase == Phase::Open {
            self.wake.wait_for(&mut inner, wait);
        }
        let count = inner.items.len().min(most);
        into.extend(inner.items.drain(..count));
        count > 0 || inner.phase == Phase::Open
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        self.inner.lock().items.len()
    }

    /// Takes nothing more; what is in it is still handed out.
    pub(super) fn close(&self) {
        let mut inner = self.inner.lock();
        if inner.phase == Phase::Open {
            inner.phase = Phase::Closing;
        }
        drop(inner);
        self.wake.notify_all();
    }

    /// Takes nothing more and forgets what is in it.
    pub(super) fn abandon(&self) {
        let mut inner = self.inner.lock();
        inner.phase = Phase::Abandoned;
        let forgotten = std::mem::take(&mut inner.items);
        drop(inner);
        // Dropping an item wakes whoever waits for its answer: not under our lock.
        drop(forgotten);
        self.wake.notify_all();
    }

    /// The queue was abandoned, so the data may stay as it is.
    pub(super) fn abandoned(&self) -> bool {
        self.inner.lock().phase == Phase::Abandoned
    }
}
