//! The store's own life, as its callers see it: sweeping, readiness, size, identity, closing. What a sweep does
//! is in `sweep`.

use std::pin::Pin;
use std::time::Duration;

use super::jobs::{self, Mode};
use super::threads::ThreadLife;
use super::writer::Writer;
use super::{SqliteStore, key};
use crate::domain::id::StoreId;
use crate::store::{Pending, StoreError, Swept, Upkeep};

/// Before a full queue is tried again by a caller that only asks for a sign of life.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(100);

impl Upkeep for SqliteStore {
    fn sweep(&self) -> Pending<Swept> {
        self.ask(Mode::Write, Writer::sweep)
    }

    fn ready(&self) -> Pending<()> {
        let failing = self.ask(Mode::Read, |writer| Ok(writer.failing));
        let jobs = self.jobs.clone();
        Pending::bounded(self.deadline(), async move {
            if !failing.await? {
                return Ok(());
            }
            // No other write may come now, so a write that needs space is tried.
            let (job, answer) = jobs::job(Mode::Write, None, Writer::probe);
            jobs.push(job)?;
            jobs::wait(answer).await
        })
    }

    fn size(&self) -> Pending<u64> {
        self.ask(Mode::Read, Writer::size)
    }

    fn alive(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let jobs = self.jobs.clone();
        Box::pin(async move {
            loop {
                let (job, answer) = jobs::job(Mode::Read, None, |_| Ok(()));
                if jobs.push(job).is_ok() && jobs::wait(answer).await.is_ok() {
                    return;
                }
                // A full queue may belong to a writer that works as fast as it can.
                tokio::time::sleep(FULL_QUEUE_PAUSE).await;
            }
        })
    }

    fn identity(&self) -> Pending<StoreId> {
        self.ask(Mode::Read, Writer::identity)
    }

    fn session_key(&self) -> Pending<[u8; 32]> {
        let key = self.ask(Mode::Read, |writer| {
            Ok(key::read_or_make(&writer.paths.key))
        });
        Pending::work(async move { key.await? })
    }

    fn push_key(&self, fresh: Vec<u8>) -> Pending<Vec<u8>> {
        self.ask(Mode::Write, move |writer| writer.push_key(&fresh))
    }

    fn close(&self) -> Pending<()> {
        self.jobs.close();
        let mut life = self.life.clone();
        Pending::bounded(self.deadline(), async move {
            let ended = life.wait_for(|life| *life != ThreadLife::Working).await;
            match ended.as_deref() {
                Ok(ThreadLife::Closed) => Ok(()),
                _ => Err(StoreError::Unavailable("the store's thread died".into())),
            }
        })
    }
}
