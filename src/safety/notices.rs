//! What people are told of decisions, and what the site tells all of them: who has something to read, in memory on each
//! node, and the rest from the store. What sockets and the API say comes from here alike.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tracing::warn;
use uuid::Uuid;

use super::to_all::ToAll;
use crate::admission::client::Tongue;
use crate::admission::sanctions::SanctionSet;
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{Notice, NoticeId, NoticeKind, SanctionTarget};
use crate::protocol::NoticeView;
use crate::state_machine::{Now, Voice};
use crate::store::StoreError;
use crate::store::safety::{Appealed, Sanctions};

/// Sessions that are remembered to have something to read. Where there are more, every session is looked up.
const MOST_UNREAD: usize = 100_000;

/// What all connections share to tell their people something.
pub struct NoticeBoard {
    decided: Arc<dyn Sanctions>,
    sanctions: Arc<SanctionSet>,
    unread: Mutex<Unread>,
    to_all: RwLock<Arc<ToAll>>,
    /// Until then something would hold that the site told all and has taken back.
    taken_back: Mutex<Timestamp>,
}

/// Who has something to read, as far as is known: too many are no harm.
#[derive(Default)]
struct Unread {
    sessions: HashSet<SessionId>,
    /// There were too many to be remembered.
    more: bool,
    newest: u64,
}

impl Unread {
    fn may_have(&self, session: SessionId) -> bool {
        self.more || self.sessions.contains(&session)
    }
}

/// What one connection was told already.
#[derive(Debug, Default)]
#[expect(
    clippy::box_collection,
    reason = "each connection has one, and hardly any was told something"
)]
pub struct Told(Option<Box<Vec<ToldOnce>>>);

/// A notice that was told, and what is told of it when it is taken back from all people.
type ToldOnce = (Uuid, Option<NoticeView<'static>>);

impl Told {
    /// What it is to be told when this is all that there is: what it was not told before, and that what was told to
    /// all and is not among it was taken back.
    pub fn news(&mut self, now: Vec<NoticeView<'static>>) -> Vec<NoticeView<'static>> {
        if self.0.is_none() && now.is_empty() {
            return now;
        }
        let told = self.0.get_or_insert_default();
        let mut news = Vec::new();
        for (_, to_all) in told.iter_mut() {
            let gone = to_all.take_if(|it| now.iter().all(|other| other.id != it.id));
            news.extend(gone);
        }
        for notice in now {
            let known = told.iter_mut().find(|(id, _)| *id == notice.id);
            let to_all = notice.is_to_all().then(|| notice.taken_back());
            match known {
                // One that was taken back and is there again.
                Some((_, kept)) if kept.is_none() && to_all.is_some() => *kept = to_all,
                Some(_) => continue,
                None => told.push((notice.id, to_all)),
            }
            news.push(notice);
        }
        news
    }
}

impl NoticeBoard {
    /// On this store, beside this set.
    pub fn new(decided: Arc<dyn Sanctions>, sanctions: Arc<SanctionSet>) -> Self {
        Self {
            decided,
            sanctions,
            unread: Mutex::default(),
            to_all: RwLock::default(),
            taken_back: Mutex::new(Timestamp(0)),
        }
    }

    /// Whether there may be something that this session is to be told: only then its connections ask.
    pub fn concerns(&self, session: SessionId, now: Timestamp) -> bool {
        self.has_own(session, now) || self.to_all.read().any(now) || now < *self.taken_back.lock()
    }

    fn has_own(&self, session: SessionId, now: Timestamp) -> bool {
        let muted = || matches!(self.sanctions.voice(session, now), Voice::Muted(_));
        self.unread.lock().may_have(session) || muted()
    }

    /// What this session is to be told when it opens a connection: what it has not confirmed and what still holds,
    /// oldest first, and what the site tells all. What cannot be read now is told the next time.
    pub async fn untold(&self, session: SessionId, language: Tongue) -> Vec<NoticeView<'static>> {
        let now = Now::read().wall;
        // All connections ask when something is told to all: those with nothing of their own ask no store.
        let own = match self.has_own(session, now) {
            true => self.notices(session).await,
            false => Ok(Vec::new()),
        };
        let own = own.unwrap_or_else(|error| {
            warn!(%error, "what a person is to be told could not be read");
            Vec::new()
        });
        let own = own.iter().rev().filter(|it| self.is_due(it, now));
        let mut views: Vec<_> = own.map(|it| NoticeView::of(it).into_owned()).collect();
        views.extend(self.to_all.read().views(language, now));
        views
    }

    /// All notices of this session, newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn notices(&self, session: SessionId) -> Result<Vec<Notice>, StoreError> {
        let before = self.newest_notice();
        let notices = self.decided.notices(session).await?;
        if notices.iter().all(|it| it.acknowledged.is_some()) {
            let mut unread = self.unread.lock();
            // One that came meanwhile is not among those that were read.
            if unread.newest == before {
                unread.sessions.remove(&session);
            }
        }
        Ok(notices)
    }

    /// What the site tells all people now, in this language.
    pub fn to_all(&self, language: Tongue) -> Vec<NoticeView<'static>> {
        self.to_all.read().views(language, Now::read().wall)
    }

    /// The person has read this notice. False: it is none of theirs, or the store does not answer.
    pub async fn confirm(&self, session: SessionId, notice: NoticeId) -> bool {
        let confirmed = self.acknowledge(session, notice).await;
        confirmed.unwrap_or_else(|error| {
            // It is told again, and can be confirmed then.
            warn!(%error, "that a notice was read could not be kept");
            false
        })
    }

    /// The same for a caller that tells how it went.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn acknowledge(
        &self,
        session: SessionId,
        notice: NoticeId,
    ) -> Result<bool, StoreError> {
        self.decided.acknowledge(session, notice).await
    }

    /// The person says that what this notice tells of is wrong.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn appeal(
        &self,
        session: SessionId,
        notice: NoticeId,
        text: String,
    ) -> Result<Appealed, StoreError> {
        self.decided.appeal(session, notice, text).await
    }

    /// The newest warning that holds and that the person has not confirmed: before it is, they do not search.
    pub async fn pending_warning(&self, session: SessionId) -> Option<NoticeId> {
        if !self.unread.lock().may_have(session) {
            return None;
        }
        let now = Now::read().wall;
        // A store that does not answer says so when the search goes on.
        let notices = self.notices(session).await.ok()?;
        let mut pending = notices.iter().filter(|it| {
            it.kind == NoticeKind::Warning && it.acknowledged.is_none() && self.is_due(it, now)
        });
        pending.next().map(|it| it.id)
    }

    /// How long no new pairs are made yet.
    pub fn maintenance(&self) -> Option<Duration> {
        self.to_all.read().maintenance_left(|| Now::read().wall)
    }

    /// What the site tells all, as it is set.
    pub fn announcements(&self) -> Arc<ToAll> {
        Arc::clone(&self.to_all.read())
    }

    /// From now on the site tells all this. Whether that is new.
    pub(super) fn announce(&self, to_all: ToAll) -> bool {
        let mut known = self.to_all.write();
        let new = **known != to_all;
        let mut taken_back = self.taken_back.lock();
        *taken_back = known.end_of_others(&to_all).max(*taken_back);
        *known = Arc::new(to_all);
        new
    }

    /// Up to which notice it knows who has one to read.
    pub(super) fn newest_notice(&self) -> u64 {
        self.unread.lock().newest
    }

    /// Nothing is known of who has something to read.
    pub(super) fn forget(&self) {
        *self.unread.lock() = Unread::default();
    }

    /// These sessions have something to read; the numbers are those of the notices, in order.
    pub(super) fn note_unread(&self, whose: &[(u64, SessionId)]) {
        let mut unread = self.unread.lock();
        for (number, session) in whose {
            unread.newest = unread.newest.max(*number);
            match unread.sessions.len() < MOST_UNREAD {
                true => {
                    unread.sessions.insert(*session);
                }
                false => unread.more = true,
            }
        }
    }

    /// Not confirmed, or it still holds. What was lifted is told by another notice.
    fn is_due(&self, notice: &Notice, now: Timestamp) -> bool {
        let target = SanctionTarget::Session(notice.to);
        let holds = notice
            .sanction
            .is_some_and(|it| self.sanctions.holds(target, it, now));
        let imposes = matches!(
            notice.kind,
            NoticeKind::Warning | NoticeKind::Mute | NoticeKind::Ban
        );
        let ended = notice.until.is_some_and(|until| until <= now);
        let lifted = imposes && !holds && !ended;
        match notice.kind {
            // Pages of a banned browser ask for it; once it is over there is nothing to confirm.
            NoticeKind::Ban => holds,
            NoticeKind::Mute if holds => true,
            _ => notice.acknowledged.is_none() && !lifted,
        }
    }
}
