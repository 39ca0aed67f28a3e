//! The ordered stream of one connection: every entry once, in `seq` order, whatever the channel
//! layer loses or reorders. A hole is waited for briefly, then the store is asked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::domain::id::Seq;
use crate::domain::{Entry, EntryKind};
use crate::protocol::Text;

/// Frames kept while an earlier one is missing: two nodes may publish one room in another order.
const PARKED: usize = 32;
/// Most bytes of theirs.
const PARKED_BYTES: usize = 16 * 1024;
/// How long an earlier frame is waited for.
const PATIENCE: Duration = Duration::from_millis(50);
/// After how long a page that the store could not answer is asked for again.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// What to do with a live frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Live {
    /// Write it, then whatever [`Stream::release`] gives.
    Write,
    /// It was written before.
    Known,
    /// It is kept until what comes before it is there.
    Parked,
    /// It was dropped: read the store.
    Overflow,
}

/// A frame that waits for earlier ones.
#[derive(Debug)]
struct Parked {
    text: Text,
    /// The store was asked after it came. An entry is stored before it is told of, so the answer
    /// reaches at least as far as this frame, unless the frame is invented.
    asked: bool,
}

/// Where one connection is in its room's log.
#[derive(Debug)]
pub(super) struct Stream {
    last: Seq,
    /// The newest entry that is known to be in the store.
    expected: Seq,
    parked: BTreeMap<Seq, Parked>,
    gap_since: Option<Instant>,
    paging: bool,
    again: bool,
    /// Clients of the original are not shown recalled messages when they open a room.
    without_recalled: bool,
}

impl Stream {
    /// For a client that says what it has seen.
    pub(super) fn resuming(after: Seq) -> Self {
        Self {
            last: after,
            expected: Seq::ZERO,
            parked: BTreeMap::new(),
            gap_since: None,
            paging: false,
            again: false,
            without_recalled: false,
        }
    }

    /// For a client of the original: from what its side was last sent.
    pub(super) fn from_cursor(cursor: Seq) -> Self {
        Self {
            without_recalled: true,
            ..Self::resuming(cursor)
        }
    }

    /// The newest entry written.
    pub(super) fn last(&self) -> Seq {
        self.last
    }

    /// A committed entry arrived by the channel layer.
    pub(super) fn live(&mut self, seq: Seq, text: &Text, now: Instant) -> Live {
        if seq <= self.last {
            return Live::Known;
        }
        if seq == self.last.next() && !self.paging {
            self.last = seq;
            return Live::Write;
        }
        let parked = self.parked.values().map(|it| it.text.len());
        if self.parked.len() >= PARKED || parked.sum::<usize>() + text.len() > PARKED_BYTES {
            self.again = true;
            return Live::Overflow;
        }
        let (text, asked) = (text.clone(), false);
        self.parked.insert(seq, Parked { text, asked });
        self.gap_since.get_or_insert(now);
        Live::Parked
    }

    /// The store has entries up to here. If they do not come by themselves, that is a gap as well.
    pub(super) fn expect(&mut self, newest: Seq, now: Instant) {
        self.expected = self.expected.max(newest);
        if self.misses_something() {
            self.gap_since.get_or_insert(now);
        }
    }

    fn misses_something(&self) -> bool {
        !self.parked.is_empty() || self.expected > self.last
    }

    /// The next parked frame whose turn has come.
    pub(super) fn release(&mut self) -> Option<Text> {
        let text = match self.parked.is_empty() || self.paging {
            true => None,
            false => self.parked.remove(&self.last.next()).map(|it| it.text),
        };
        if text.is_some() {
            self.last = self.last.next();
        }
        if !self.misses_something() {
            self.gap_since = None;
        }
        text
    }

    /// Where to read from; `None` while a page is on its way already (another one will follow it).
    pub(super) fn start_paging(&mut self) -> Option<Seq> {
        if self.paging {
            self.again = true;
            return None;
        }
        self.paging = true;
        self.again = false;
        for parked in self.parked.values_mut() {
            parked.asked = true;
        }
        Some(self.last)
    }

    /// Whether this entry of a page is left out.
    pub(super) fn skips(&self, entry: &Entry) -> bool {
        let recalled = matches!(entry.kind, EntryKind::Message { content: None, .. });
        entry.seq <= self.last || (recalled && self.without_recalled)
    }

    /// A page was written. True: there is more to read.
    pub(super) fn paged(&mut self, upto: Seq, last_seq: Seq, now: Instant) -> bool {
        self.paging = false;
        self.last = self.last.max(upto);
        self.parked = self.parked.split_off(&self.last.next());
        // Kept, an invented one would ask for page after page.
        self.parked
            .retain(|seq, parked| *seq <= last_seq || !parked.asked);
        self.gap_since = self.misses_something().then_some(now);
        let more = self.again || self.last < last_seq;
        if !more {
            self.without_recalled = false;
        }
        more
    }

    /// The page was not written. What was parked for it is forgotten: the next page has it, and a
    /// gap that cannot be closed now must not ring.
    pub(super) fn page_failed(&mut self) {
        self.paging = false;
        self.parked.clear();
        self.expected = Seq::ZERO;
        self.gap_since = None;
    }

    /// When to look whether the gap has closed.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let since = self.gap_since.filter(|_| !self.paging)?;
        Some(since + PATIENCE)
    }

    /// Something is missing and was waited for long enough.
    pub(super) fn gap_is_old(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n: u64) -> Text {
        n.to_string().into()
    }

    fn live(stream: &mut Stream, n: u64, now: Instant) -> Vec<String> {
        let mut written = Vec::new();
        if stream.live(Seq(n), &text(n), now) == Live::Write {
            written.push(n.to_string());
            while let Some(text) = stream.release() {
                written.push(text.to_string());
            }
        }
        written
    }

    #[test]
    fn in_order_frames_are_written_at_once() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(4));
        assert_eq!(live(&mut stream, 4, now), Vec::<String>::new());
        assert_eq!(live(&mut stream, 5, now), ["5"]);
        assert_eq!(stream.deadline(), None);
    }

    #[test]
    fn reordered_frames_wait_for_each_other() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        assert!(live(&mut stream, 2, now).is_empty());
        assert!(live(&mut stream, 3, now).is_empty());
        assert_eq!(live(&mut stream, 1, now), ["1", "2", "3"]);
        assert_eq!(stream.deadline(), None);
    }

    #[test]
    fn a_hole_is_read_from_the_store() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        live(&mut stream, 3, now);
        assert!(!stream.gap_is_old(now));
        assert!(stream.gap_is_old(now + PATIENCE));
        assert_eq!(stream.start_paging(), Some(Seq(0)));
        assert!(!stream.paged(Seq(3), Seq(3), now));
        assert_eq!(stream.release(), None);
        assert_eq!(live(&mut stream, 4, now), ["4"]);
    }

    #[test]
    fn what_arrives_while_paging_is_written_after_the_page() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        stream.start_paging();
        assert_eq!(stream.live(Seq(2), &text(2), now), Live::Parked);
        assert_eq!(stream.live(Seq(1), &text(1), now), Live::Parked);
        assert!(!stream.paged(Seq(1), Seq(1), now));
        assert_eq!(stream.release().as_deref(), Some("2"));
        assert_eq!(stream.last(), Seq(2));
    }

    #[test]
    fn an_invented_entry_far_ahead_costs_one_page() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(3));
        assert_eq!(
            stream.live(Seq(u64::MAX), &text(0), now),
            Live::Parked,
            "it may be true"
        );
        assert!(stream.gap_is_old(now + PATIENCE));
        assert_eq!(stream.start_paging(), Some(Seq(3)));
        // One that is told while the page is read may be later than the page.
        assert_eq!(stream.live(Seq(5), &text(5), now), Live::Parked);
        assert!(!stream.paged(Seq(4), Seq(4), now));
        assert_eq!(stream.release().as_deref(), Some("5"));
        assert_eq!(stream.deadline(), None, "nothing is missing any more");
        assert_eq!(live(&mut stream, 6, now), ["6"]);
    }

    #[test]
    fn the_last_place_there_could_be_overflows_nothing() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(u64::MAX));
        stream.expect(Seq(u64::MAX), now);
        assert_eq!(live(&mut stream, u64::MAX, now), Vec::<String>::new());
        stream.start_paging();
        assert!(!stream.paged(Seq(9), Seq(9), now));
        assert_eq!(stream.release(), None);
    }

    #[test]
    fn a_page_that_failed_leaves_no_deadline_behind() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        stream.start_paging();
        stream.live(Seq(2), &text(2), now);
        stream.page_failed();
        assert_eq!(stream.deadline(), None);
        assert_eq!(stream.start_paging(), Some(Seq(0)));
        assert!(!stream.paged(Seq(2), Seq(2), now));
    }

    #[test]
    fn a_second_reason_to_page_pages_again() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        stream.start_paging();
        assert_eq!(stream.start_paging(), None);
        assert!(stream.paged(Seq(5), Seq(5), now));
    }

    #[test]
    fn too_much_out_of_order_overflows_and_is_read() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        for n in 2..2 + PARKED as u64 {
            assert_eq!(stream.live(Seq(n), &text(n), now), Live::Parked);
        }
        assert_eq!(stream.live(Seq(99), &text(99), now), Live::Overflow);
    }

    #[test]
    fn parked_frames_are_bounded_in_bytes() {
        let now = Instant::now();
        let mut stream = Stream::resuming(Seq(0));
        let long = Text::from("x".repeat(PARKED_BYTES / 2));
        assert_eq!(stream.live(Seq(2), &long, now), Live::Parked);
        assert_eq!(stream.live(Seq(3), &long, now), Live::Parked);
        assert_eq!(stream.live(Seq(4), &text(4), now), Live::Overflow);
    }
}
