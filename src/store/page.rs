//! A stretch of a log, and where it ends: the same in every backend.

use crate::domain::id::Seq;
use crate::domain::{Entry, Persona};
use crate::protocol::size;

/// A stretch of a room's log for one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In `seq` order, each later than asked for; what this side hid is left out, what was recalled
    /// is there without content.
    pub entries: Vec<Entry>,
    /// Where the next page starts: equal to `last_seq` when nothing is left.
    pub upto: Seq,
    /// The room's newest entry as of the same read.
    pub last_seq: Seq,
    /// The room was closed as of the same read.
    pub closed: bool,
}

/// How much of a log one page holds, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Entries, those that the side hid included; 0 counts as 1.
    pub entries: usize,
    /// Bytes of their frames on the wire, as [`size::entry`] counts them. The first entry is given whatever it weighs.
    pub bytes: usize,
    /// What the room's names add to each frame: [`size::names`].
    pub names: usize,
}

/// Largest number of entries of a page, whatever is asked for.
const MOST: usize = 1000;

impl PageLimit {
    /// For a room of these people.
    pub fn new(entries: usize, bytes: usize, personas: &[Persona; 2]) -> Self {
        Self {
            entries,
            bytes,
            names: size::names(personas),
        }
    }

    /// So many entries, whatever they weigh.
    pub fn entries(entries: usize) -> Self {
        Self {
            entries,
            bytes: usize::MAX,
            names: 0,
        }
    }

    /// How many rows to look at.
    pub(super) fn rows(&self) -> usize {
        self.entries.clamp(1, MOST)
    }

    /// Begins a page.
    pub(super) fn begin(&self) -> PageBytes {
        PageBytes {
            left: self.bytes,
            names: self.names,
            begun: false,
        }
    }
}

/// The bytes of a page that is being read.
pub(super) struct PageBytes {
    left: usize,
    names: usize,
    begun: bool,
}

impl PageBytes {
    /// Counts an entry; false when the page ends before it.
    pub(super) fn take(&mut self, entry: &Entry) -> bool {
        let bytes = size::entry(entry, self.names);
        let fits = bytes <= self.left;
        let taken = fits || !self.begun;
        self.begun = true;
        self.left = if fits { self.left - bytes } else { 0 };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EntryKind;
    use crate::domain::id::{Side, Timestamp};

    fn message(length: usize) -> Entry {
        Entry {
            seq: Seq(1),
            at: Timestamp(0),
            kind: EntryKind::Message {
                side: Side::A,
                client_id: String::new(),
                content: Some("x".repeat(length)),
                reply: None,
            },
        }
    }

    #[test]
    fn a_page_ends_before_what_does_not_fit_but_never_before_its_first_entry() {
        let small = size::entry(&message(0), 0);
        let limit = |bytes| PageLimit {
            bytes,
            ..PageLimit::entries(10)
        };
        let taken = |bytes, lengths: &[usize]| {
            let mut page = limit(bytes).begin();
            let taken = lengths.iter().take_while(|it| page.take(&message(**it)));
            taken.count()
        };
        assert_eq!(taken(2 * small + 5, &[5, 0, 0]), 2);
        assert_eq!(taken(2 * small + 4, &[5, 0, 0]), 1);
        assert_eq!(taken(1, &[2000, 0]), 1);
        assert_eq!(taken(0, &[]), 0);
        assert_eq!(limit(0).rows(), 10);
        assert_eq!(PageLimit::entries(0).rows(), 1);
        assert_eq!(PageLimit::entries(usize::MAX).rows(), MOST);
    }

    #[test]
    fn names_count_with_each_entry() {
        let one = size::entry(&message(0), 0);
        let limit = PageLimit {
            bytes: 2 * one + 19,
            names: 10,
            ..PageLimit::entries(10)
        };
        let mut page = limit.begin();
        assert!(page.take(&message(0)));
        assert!(!page.take(&message(0)));
    }
}
