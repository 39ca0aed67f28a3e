//! Evidence: what a room was when it was reported, frozen. It is a copy: recalls and the room's end do not reach it,
//! and it has an end of its own.

use std::collections::BTreeSet;

use super::id::CaseId;
use super::network::Networks;
use super::report::Chosen;
use crate::domain::entry::Entry;
use crate::domain::id::{RoomId, Seq, SessionId, Timestamp};
use crate::domain::profile::Persona;

/// Most entries that one report freezes.
pub const EVIDENCE_ENTRIES: usize = 200;
/// Most entries that the evidence of one room comes to, when later reports extend it.
pub const EXTENDED_ENTRIES: usize = 1000;
/// Most rooms whose evidence a case keeps; reports of more rooms count without any.
pub const EVIDENCE_ROOMS: usize = 100;

/// What is kept of one room for one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The case that it is for.
    pub case: CaseId,
    /// The room; it may be erased.
    pub room: RoomId,
    /// When it was first frozen.
    pub at: Timestamp,
    /// When the room was made.
    pub opened_at: Timestamp,
    /// By side.
    pub sessions: [SessionId; 2],
    /// By side.
    pub personas: [Persona; 2],
    /// By side, as far as they were known.
    pub networks: [Option<Networks>; 2],
    /// In `seq` order, each as it was when first frozen. Replies are resolved as of then.
    pub entries: Vec<Entry>,
    /// Entries that could not be read.
    pub damaged: bool,
}

/// Which entries of a log of `last` entries a report freezes: all that were chosen, and what is nearest to them until
/// there are [`EVIDENCE_ENTRIES`]; without a choice the newest.
pub fn frozen(last: Seq, chosen: &Chosen) -> Vec<Seq> {
    let named: BTreeSet<u64> = match chosen {
        Chosen::All => BTreeSet::new(),
        Chosen::Messages(seqs) => {
            let seqs = seqs.iter().map(|seq| seq.0);
            seqs.filter(|seq| (1..=last.0).contains(seq))
                .take(EVIDENCE_ENTRIES)
                .collect()
        }
    };
    let mut kept = match named.is_empty() {
        true => BTreeSet::from_iter((last.0 > 0).then_some(last.0)),
        false => named,
    };
    let (mut before, mut after): (Vec<u64>, Vec<u64>) = (
        kept.iter().copied().collect(),
        kept.iter().copied().collect(),
    );
    // Rings around what was chosen: what was said before it first, for that is what it answers.
    while kept.len() < EVIDENCE_ENTRIES && !(before.is_empty() && after.is_empty()) {
        before = ring(&mut kept, &before, |seq| {
            seq.checked_sub(1).filter(|it| *it > 0)
        });
        after = ring(&mut kept, &after, |seq| {
            Some(seq + 1).filter(|it| *it <= last.0)
        });
    }
    kept.into_iter().map(Seq).collect()
}

/// Adds the neighbours of these; answers those that were new.
fn ring(kept: &mut BTreeSet<u64>, from: &[u64], next: impl Fn(u64) -> Option<u64>) -> Vec<u64> {
    let mut reached = Vec::new();
    for seq in from.iter().filter_map(|seq| next(*seq)) {
        if kept.len() >= EVIDENCE_ENTRIES {
            break;
        }
        if kept.insert(seq) {
            reached.push(seq);
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(seqs: &[Seq]) -> (u64, u64, usize) {
        (seqs[0].0, seqs[seqs.len() - 1].0, seqs.len())
    }

    #[test]
    fn without_a_choice_the_newest_are_kept() {
        assert_eq!(frozen(Seq(0), &Chosen::All), []);
        assert_eq!(range(&frozen(Seq(3), &Chosen::All)), (1, 3, 3));
        let all = frozen(Seq(1000), &Chosen::All);
        assert_eq!(range(&all), (801, 1000, EVIDENCE_ENTRIES));
        // What names nothing is no choice.
        let none = Chosen::Messages(vec![Seq(0), Seq(1001), Seq(u64::MAX)]);
        assert_eq!(frozen(Seq(1000), &none), all);
    }

    #[test]
    fn what_was_chosen_is_kept_with_what_stands_around_it() {
        let of = |seqs: &[u64]| Chosen::Messages(seqs.iter().copied().map(Seq).collect());
        assert_eq!(range(&frozen(Seq(1000), &of(&[500]))), (400, 599, 200));
        // At the ends of a log there is more on the other side.
        assert_eq!(range(&frozen(Seq(1000), &of(&[1]))), (1, 200, 200));
        assert_eq!(
            range(&frozen(Seq(1000), &of(&[1000, 999]))),
            (801, 1000, 200)
        );
        let two = frozen(Seq(1000), &of(&[900, 100]));
        assert_eq!(two.len(), EVIDENCE_ENTRIES);
        assert_eq!((two[0], two[199]), (Seq(50), Seq(949)));
        assert_eq!(range(&frozen(Seq(7), &of(&[7, 7, 2]))), (1, 7, 7));
        // All that was chosen, whatever stands between.
        let spread: Vec<u64> = (1..=100).map(|at| at * 10).collect();
        let kept = frozen(Seq(1000), &of(&spread));
        assert_eq!(kept.len(), EVIDENCE_ENTRIES);
        assert!(spread.iter().all(|seq| kept.contains(&Seq(*seq))));
    }
}
