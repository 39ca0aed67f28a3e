//! What this client was told of its partner: there or away, typing or not.

use std::time::{Duration, Instant};

use crate::domain::RoomSide;

/// How long "is typing" lives without being said again.
const TYPING: Duration = Duration::from_secs(6);

/// The partner as last told.
#[derive(Debug)]
pub(super) struct PartnerView {
    /// The newest version of their side that was heard of.
    version: u64,
    told_online: bool,
    /// They can be called, and are waited for longer.
    callable: bool,
    /// Gone, which is told when this has passed.
    away_at: Option<Instant>,
    typing_until: Option<Instant>,
}

impl PartnerView {
    /// As `room_state` says.
    pub(super) fn new(side: &RoomSide) -> Self {
        Self {
            callable: side.call_for.is_some(),
            ..Self::at(side.version, side.online())
        }
    }

    fn at(version: u64, online: bool) -> Self {
        Self {
            version,
            told_online: online,
            callable: false,
            away_at: None,
            typing_until: None,
        }
    }

    /// Whether they are waited for longer.
    pub(super) fn is_callable(&self) -> bool {
        self.callable
    }

    /// They can be called from now on, or not any more.
    pub(super) fn can_be_called(&mut self, on: bool) {
        self.callable = on;
    }

    /// What was heard last, told or not.
    pub(super) fn here(&self) -> bool {
        self.told_online && self.away_at.is_none()
    }

    /// The newest version of their side that was heard of.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// This version of their side was heard of. False: a newer one was before.
    pub(super) fn hear(&mut self, version: u64) -> bool {
        let newest = version >= self.version;
        self.version = self.version.max(version);
        newest
    }

    /// It is another side now, of which nothing was heard.
    pub(super) fn swap(&mut self) {
        (self.version, self.callable) = (0, false);
    }

    /// A connection opened. True: the client believes they are away.
    pub(super) fn came(&mut self) -> bool {
        self.away_at = None;
        !std::mem::replace(&mut self.told_online, true)
    }

    /// The last connection closed, which is told after `settle`.
    pub(super) fn went(&mut self, now: Instant, settle: Duration) {
        if self.told_online {
            self.away_at.get_or_insert(now + settle);
        }
    }

    /// Gone for long enough to tell. Answers true once.
    pub(super) fn is_away(&mut self, now: Instant) -> bool {
        let away = self.away_at.take_if(|at| *at <= now).is_some();
        self.told_online &= !away;
        away
    }

    /// They say so. True: the client is to be told.
    pub(super) fn typing(&mut self, is_typing: bool, now: Instant) -> bool {
        let before = self.typing_until.is_some();
        self.typing_until = is_typing.then(|| now + TYPING);
        before != is_typing
    }

    /// A message of theirs ends it. True: the client believes they are typing.
    pub(super) fn stopped_typing(&mut self) -> bool {
        self.typing_until.take().is_some()
    }

    /// It was not said again in time. Answers true once.
    pub(super) fn typing_expired(&mut self, now: Instant) -> bool {
        self.typing_until.is_some_and(|at| at <= now) && self.stopped_typing()
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = [self.away_at, self.typing_until];
        due.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(2);

    #[test]
    fn a_short_absence_is_not_told() {
        let now = Instant::now();
        let mut partner = PartnerView::at(1, true);
        partner.went(now, SETTLE);
        assert!(!partner.is_away(now + SETTLE / 2));
        assert!(!partner.came());
        assert!(!partner.is_away(now + 2 * SETTLE));
    }

    #[test]
    fn a_long_absence_is_told_once_and_so_is_the_return() {
        let now = Instant::now();
        let mut partner = PartnerView::at(1, true);
        partner.went(now, SETTLE);
        assert!(partner.is_away(now + SETTLE));
        assert!(!partner.is_away(now + SETTLE));
        assert!(partner.came());
        assert!(!partner.came());
    }

    #[test]
    fn typing_expires() {
        let now = Instant::now();
        let mut partner = PartnerView::at(1, true);
        assert!(partner.typing(true, now));
        assert!(!partner.typing(true, now + TYPING / 2));
        assert!(!partner.typing_expired(now + TYPING));
        assert!(partner.typing_expired(now + TYPING + TYPING / 2));
        assert!(!partner.stopped_typing());
    }
}
