//! The queues: who waits under which tags, oldest first. They hold names of tickets only; whether
//! two tickets fit is the rules' part, asked through a closure.
//!
//! A ticket stands under each non-empty subset of its tags (at most seven) and, once it is open to
//! anyone, in the line of those. So the best partner of an arrival is found from the large subsets
//! to the small ones at the heads of queues, and never behind people who still insist on tags.

use std::collections::BTreeSet;
use std::collections::btree_set;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use crate::id::{IdMap, Timestamp};
use crate::matching::{Ticket, rule};
use crate::model::wish::TAGS;
use crate::model::{Gender, PreferredGender};

/// How many tickets that do not fit are looked at for each number of shared tags. Each number has
/// its own allowance, so that a crowd of blocked people with one's own tags hides nobody else.
pub(super) const SKIPS: usize = 64;

/// What people are, times whom they wish for.
const CLASSES: usize = Gender::ALL.len() * PreferredGender::ALL.len();

/// Names a ticket while it waits; counts up, so it also orders by arrival.
pub(super) type Serial = u64;

/// A ticket's place in every queue it stands in: within a class, longest waiting first. Class and time
/// share a number: the trees are many, large and seldom touched, so that their size is what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The class in the first byte, since when in the others.
    class_since: u64,
    serial: Serial,
}

/// Where the class is.
const CLASS_SHIFT: u32 = 56;
/// The latest time that fits beside it: in two million years. Before 1970 and after that, people come in
/// the order of their serials.
const LATEST: u64 = (1 << CLASS_SHIFT) - 1;

impl Place {
    pub(super) fn of(ticket: &Ticket, since: Timestamp, serial: Serial) -> Self {
        let class = class(ticket.persona.profile.gender, ticket.wish.gender);
        Self::new(class, since, serial)
    }

    fn new(class: u8, since: Timestamp, serial: Serial) -> Self {
        let since = u64::try_from(since.0).unwrap_or(0).min(LATEST);
        Self {
            class_since: u64::from(class) << CLASS_SHIFT | since,
            serial,
        }
    }

    /// Before all others of this class.
    fn first(class: u8) -> Self {
        Self::new(class, Timestamp(0), Serial::MIN)
    }

    fn class(self) -> u8 {
        self.class_since.to_be_bytes()[0]
    }

    /// Queues of several classes are merged by age.
    fn age(self) -> (u64, Serial) {
        (self.class_since & LATEST, self.serial)
    }
}

/// Keyed hashes of a ticket's folded tags, sorted; two people share a tag when they share a hash.
/// The hash is keyed per process, so nobody can aim for a collision of two tags.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TagKeys {
    keys: [u64; TAGS],
    len: u8,
}

impl TagKeys {
    fn as_slice(&self) -> &[u64] {
        &self.keys[..usize::from(self.len)]
    }

    /// How many tags both have.
    pub(super) fn shared(&self, other: &TagKeys) -> usize {
        let theirs = other.as_slice();
        self.as_slice()
            .iter()
            .filter(|k| theirs.contains(k))
            .count()
    }

    /// The keys of all subsets with this many tags.
    fn subsets(self, size: usize) -> impl Iterator<Item = u64> {
        let masks = 1u32..1 << self.len;
        masks
            .filter(move |mask| mask.count_ones() as usize == size)
            .map(move |mask| self.subset(mask))
    }

    /// Each non-empty subset once.
    fn all_subsets(self) -> impl Iterator<Item = u64> {
        (1u32..1 << self.len).map(move |mask| self.subset(mask))
    }

    /// One subset as one key. The parts are keyed hashes already: mixing them needs no further
    /// secret, only a rule by which {a, b} differs from {b} and from {a, b, c}.
    fn subset(self, mask: u32) -> u64 {
        let chosen = (0..TAGS).filter(|i| mask & (1 << i) != 0);
        chosen.fold(0, |mixed: u64, i| {
            (mixed.rotate_left(23) ^ self.keys[i]).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        })
    }
}

/// What a look through the queues brought.
pub(super) enum Look {
    /// This one.
    Take,
    /// Not this one; go on.
    Skip,
}

/// Everybody who waits, by tags and by readiness to meet anyone.
#[derive(Default)]
pub(super) struct Queues {
    hasher: RandomState,
    /// The keys are keyed hashes already.
    by_tags: IdMap<u64, Line>,
    anyone: Crowd,
}

impl Queues {
    /// The keys of a ticket's tags, computed once.
    pub(super) fn keys(&self, ticket: &Ticket) -> TagKeys {
        let mut keys = TagKeys::default();
        for tag in ticket.wish.tags.folded().iter().take(TAGS) {
            keys.keys[usize::from(keys.len)] = self.hasher.hash_one(tag);
            keys.len += 1;
        }
        keys.keys[..usize::from(keys.len)].sort_unstable();
        keys
    }

    /// Puts a ticket into each of its queues.
    pub(super) fn insert(&mut self, ticket: &Ticket, keys: TagKeys, place: Place) {
        for subset in keys.all_subsets() {
            match self.by_tags.entry(subset) {
                Entry::Occupied(mut line) => line.get_mut().insert(place),
                Entry::Vacant(free) => {
                    free.insert(Line::One(place));
                }
            }
        }
        if rule::open_to_anyone(ticket) {
            self.anyone.insert(place);
        }
    }

    /// Takes a ticket out of each of its queues.
    pub(super) fn remove(&mut self, keys: TagKeys, place: Place) {
        for subset in keys.all_subsets() {
            if let Entry::Occupied(mut line) = self.by_tags.entry(subset)
                && line.get_mut().remove(place)
            {
                line.remove();
            }
        }
        self.anyone.remove(place);
    }

    /// Shows those who may suit `ticket`, most shared tags first and then longest waiting, until
    /// `look` takes one or the allowance is used up.
    pub(super) fn find(
        &self,
        ticket: &Ticket,
        keys: TagKeys,
        mut look: impl FnMut(Serial) -> Look,
    ) -> Option<Serial> {
        let gender = ticket.persona.profile.gender;
        let classes: Vec<u8> = rule::classes(gender, ticket.wish.gender)
            .map(|(g, w)| class(g, w))
            .collect();
        for size in (1..=usize::from(keys.len)).rev() {
            let lines = keys.subsets(size).filter_map(|k| self.by_tags.get(&k));
            let heads = lines.flat_map(|line| classes.iter().filter_map(|c| line.of_class(*c)));
            if let Some(found) = first(Merge::new(heads), &mut look) {
                return Some(found);
            }
        }
        if !rule::open_to_anyone(ticket) {
            return None;
        }
        let heads = classes.iter().filter_map(|c| self.anyone.of_class(*c));
        first(Merge::new(heads), &mut look)
    }
}

/// Walks through one merged line within its allowance.
fn first(merged: Merge<'_>, look: &mut impl FnMut(Serial) -> Look) -> Option<Serial> {
    merged
        .take(SKIPS)
        .find(|serial| matches!(look(*serial), Look::Take))
}

fn class(gender: Gender, wish: PreferredGender) -> u8 {
    u8::try_from(gender.index() * PreferredGender::ALL.len() + wish.index())
        .expect("there are twelve classes")
}

/// One queue. Most sets of tags are somebody's alone: what only a crowd needs is elsewhere.
enum Line {
    One(Place),
    Many(Box<Crowd>),
}

impl Line {
    fn insert(&mut self, place: Place) {
        match self {
            Line::One(present) => {
                let mut crowd = Box::<Crowd>::default();
                crowd.insert(*present);
                crowd.insert(place);
                *self = Line::Many(crowd);
            }
            Line::Many(crowd) => crowd.insert(place),
        }
    }

    /// True: nobody is left.
    fn remove(&mut self, place: Place) -> bool {
        match self {
            Line::One(present) => *present == place,
            Line::Many(crowd) => {
                crowd.remove(place);
                crowd.places.is_empty()
            }
        }
    }

    fn of_class(&self, class: u8) -> Option<Heads<'_>> {
        match self {
            Line::One(place) => (place.class() == class).then_some(Heads::One(Some(*place))),
            Line::Many(crowd) => crowd.of_class(class),
        }
    }
}

/// Several who wait in one queue.
#[derive(Default)]
struct Crowd {
    places: BTreeSet<Place>,
    /// How many of each class: looking for one in the tree would be a walk through memory that nobody has
    /// touched lately, for each class that would fit and each set of tags.
    of: [u32; CLASSES],
}

impl Crowd {
    fn insert(&mut self, place: Place) {
        if self.places.insert(place) {
            self.of[usize::from(place.class())] += 1;
        }
    }

    fn remove(&mut self, place: Place) {
        if self.places.remove(&place) {
            self.of[usize::from(place.class())] -= 1;
        }
    }

    /// Those of one class, longest waiting first; `None` when there is nobody.
    fn of_class(&self, class: u8) -> Option<Heads<'_>> {
        (self.of[usize::from(class)] > 0).then(|| Heads::Many(self.range(class)))
    }

    fn range(&self, class: u8) -> btree_set::Range<'_, Place> {
        self.places
            .range(Place::first(class)..Place::first(class + 1))
    }
}

/// What is left of one queue while it is walked.
enum Heads<'a> {
    One(Option<Place>),
    Many(btree_set::Range<'a, Place>),
}

impl Iterator for Heads<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        match self {
            Heads::One(place) => place.take(),
            Heads::Many(places) => places.next().copied(),
        }
    }
}

/// Several queues as one, by age, each ticket once: who stands in two of them comes up twice in a
/// row, because the age is the same in both.
struct Merge<'a> {
    queues: Vec<(Place, Heads<'a>)>,
    last: Option<Serial>,
}

impl<'a> Merge<'a> {
    fn new(queues: impl Iterator<Item = Heads<'a>>) -> Self {
        let with_head = |mut queue: Heads<'a>| Some((queue.next()?, queue));
        Self {
            queues: queues.filter_map(with_head).collect(),
            last: None,
        }
    }

    /// Takes the oldest head off; at most 18 heads are compared.
    fn pop(&mut self) -> Option<Serial> {
        let heads = self.queues.iter().enumerate();
        let (oldest, _) = heads.min_by_key(|(_, (head, _))| head.age())?;
        let (head, rest) = &mut self.queues[oldest];
        let serial = head.serial;
        match rest.next() {
            Some(next) => *head = next,
            None => drop(self.queues.swap_remove(oldest)),
        }
        Some(serial)
    }
}

impl Iterator for Merge<'_> {
    type Item = Serial;

    fn next(&mut self) -> Option<Serial> {
        loop {
            let serial = self.pop()?;
            if self.last.replace(serial) != Some(serial) {
                return Some(serial);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(class: u8, since: i64, serial: Serial) -> Place {
        Place::new(class, Timestamp(since), serial)
    }

    #[test]
    fn places_are_ordered_by_class_then_time_then_serial() {
        let last = u8::try_from(CLASSES - 1).unwrap();
        let sorted = [
            place(0, i64::MIN, 1),
            place(0, -5, 2),
            place(0, 3, 1),
            place(0, 3, 2),
            place(0, i64::MAX - 1, 7),
            place(0, i64::MAX, u64::MAX),
            place(1, 0, 0),
            place(last, i64::MAX, u64::MAX),
        ];
        assert!(sorted.is_sorted());
        assert!(sorted.iter().all(|it| *it < Place::first(last + 1)));
        assert!(sorted.map(Place::class) == [0, 0, 0, 0, 0, 0, 1, last]);
        assert!(place(last, 3, 1).age() < place(0, 3, 2).age());
    }

    #[test]
    fn a_crowd_knows_which_classes_it_has() {
        let mut crowd = Crowd::default();
        let (one, two) = (place(1, 5, 1), place(1, 6, 2));
        // Twice the same is once.
        for place in [one, two, two, place(3, 1, 3)] {
            crowd.insert(place);
        }
        let heads = |crowd: &Crowd, class| crowd.of_class(class).map(|heads| heads.count());
        assert_eq!(
            [0, 1, 2, 3].map(|it| heads(&crowd, it)),
            [None, Some(2), None, Some(1)]
        );
        for gone in [one, one, place(1, 9, 9)] {
            crowd.remove(gone);
        }
        assert_eq!(heads(&crowd, 1), Some(1));
        crowd.remove(two);
        assert_eq!(heads(&crowd, 1), None);
    }

    #[test]
    fn a_line_of_one_is_small() {
        assert!(size_of::<(u64, Line)>() <= 32);
    }
}
