//! One queue of the memory pool: places by class and age, and several queues walked as one.

use std::collections::BTreeSet;
use std::collections::btree_set;
use std::ops::Bound;

use crate::domain::id::Timestamp;
use crate::domain::{Gender, PreferredGender};
use crate::matching::Ticket;

/// Genders times the genders that may be wished for.
const CLASSES: usize = Gender::ALL.len() * PreferredGender::ALL.len();

/// Names a ticket while it waits; counts up, so it also orders by arrival.
pub(super) type Serial = u64;

/// Since when a ticket waits, and its number: the order within all queues.
pub(super) type TicketAge = (u64, Serial);

/// A ticket's place in every queue it stands in: within a class, longest waiting first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueuePlace {
    class: u8,
    /// Milliseconds since 1970; before, people come in the order of their serials.
    since: u64,
    serial: Serial,
}

impl QueuePlace {
    pub(super) fn of(ticket: &Ticket, since: Timestamp, serial: Serial) -> Self {
        let class = class(ticket.persona.profile.gender, ticket.wish.gender);
        Self::new(class, since, serial)
    }

    fn new(class: u8, since: Timestamp, serial: Serial) -> Self {
        Self {
            class,
            since: u64::try_from(since.0).unwrap_or(0),
            serial,
        }
    }

    /// Before all others of this class.
    fn first(class: u8) -> Self {
        Self::new(class, Timestamp(0), Serial::MIN)
    }

    pub(super) fn serial(self) -> Serial {
        self.serial
    }

    /// Queues of several classes are merged by age.
    pub(super) fn age(self) -> TicketAge {
        (self.since, self.serial)
    }
}

/// The number of a gender and the gender wished for.
pub(super) fn class(gender: Gender, wish: PreferredGender) -> u8 {
    u8::try_from(gender.index() * PreferredGender::ALL.len() + wish.index())
        .expect("there are twelve classes")
}

/// One queue. Most sets of tags belong to a single ticket, so what only a bucket needs is boxed.
pub(super) enum TicketQueue {
    One(QueuePlace),
    Many(Box<Bucket>),
}

impl TicketQueue {
    pub(super) fn insert(&mut self, place: QueuePlace) {
        match self {
            TicketQueue::One(present) => {
                let mut bucket = Box::<Bucket>::default();
                bucket.insert(*present);
                bucket.insert(place);
                *self = TicketQueue::Many(bucket);
            }
            TicketQueue::Many(bucket) => bucket.insert(place),
        }
    }

    /// True: the queue is empty now.
    pub(super) fn remove(&mut self, place: QueuePlace) -> bool {
        match self {
            TicketQueue::One(present) => *present == place,
            TicketQueue::Many(bucket) => {
                bucket.remove(place);
                bucket.places.is_empty()
            }
        }
    }

    /// Those of one class who stand behind this age, longest waiting first.
    pub(super) fn of_class(&self, class: u8, after: Option<TicketAge>) -> Option<QueueIter<'_>> {
        match self {
            TicketQueue::One(place) => {
                let here = place.class == class && after.is_none_or(|age| age < place.age());
                here.then_some(QueueIter::One(Some(*place)))
            }
            TicketQueue::Many(bucket) => bucket.of_class(class, after),
        }
    }

    /// All of them, class by class.
    pub(super) fn all(&self) -> QueueIter<'_> {
        match self {
            TicketQueue::One(place) => QueueIter::One(Some(*place)),
            TicketQueue::Many(bucket) => QueueIter::All(bucket.places.iter()),
        }
    }
}

/// Several who wait in one queue.
#[derive(Default)]
pub(super) struct Bucket {
    places: BTreeSet<QueuePlace>,
    /// How many of each class: looking for one in the tree would be a walk through memory that is in
    /// no cache, for each class that would fit and each set of tags.
    of: [u32; CLASSES],
}

impl Bucket {
    pub(super) fn insert(&mut self, place: QueuePlace) {
        if self.places.insert(place) {
            self.of[usize::from(place.class)] += 1;
        }
    }

    pub(super) fn remove(&mut self, place: QueuePlace) {
        if self.places.remove(&place) {
            self.of[usize::from(place.class)] -= 1;
        }
    }

    /// Those of one class, longest waiting first; `None` when there is no such ticket.
    pub(super) fn of_class(&self, class: u8, after: Option<TicketAge>) -> Option<QueueIter<'_>> {
        (self.of[usize::from(class)] > 0).then(|| {
            let from = match after {
                None => Bound::Included(QueuePlace::first(class)),
                Some((since, serial)) => Bound::Excluded(QueuePlace {
                    class,
                    since,
                    serial,
                }),
            };
            let to = Bound::Excluded(QueuePlace::first(class + 1));
            QueueIter::Many(self.places.range((from, to)))
        })
    }
}

/// What is left of one queue while it is walked.
pub(super) enum QueueIter<'a> {
    One(Option<QueuePlace>),
    Many(btree_set::Range<'a, QueuePlace>),
    All(btree_set::Iter<'a, QueuePlace>),
}

impl Iterator for QueueIter<'_> {
    type Item = QueuePlace;

    fn next(&mut self) -> Option<QueuePlace> {
        match self {
            QueueIter::One(place) => place.take(),
            QueueIter::Many(places) => places.next().copied(),
            QueueIter::All(places) => places.next().copied(),
        }
    }
}

/// Several queues as one, by age, each ticket once: who stands in two of them comes up twice in a
/// row, because the age is the same in both.
pub(super) struct Merge<'a> {
    queues: Vec<(QueuePlace, QueueIter<'a>)>,
    last: Option<Serial>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(queues: impl Iterator<Item = QueueIter<'a>>) -> Self {
        let with_head = |mut queue: QueueIter<'a>| Some((queue.next()?, queue));
        Self {
            queues: queues.filter_map(with_head).collect(),
            last: None,
        }
    }

    /// Takes the oldest head off; at most 18 heads are compared.
    fn pop(&mut self) -> Option<QueuePlace> {
        let heads = self.queues.iter().enumerate();
        let (oldest, _) = heads.min_by_key(|(_, (head, _))| head.age())?;
        let (head, rest) = &mut self.queues[oldest];
        let place = *head;
        match rest.next() {
            Some(next) => *head = next,
            None => drop(self.queues.swap_remove(oldest)),
        }
        Some(place)
    }
}

impl Iterator for Merge<'_> {
    type Item = QueuePlace;

    fn next(&mut self) -> Option<QueuePlace> {
        loop {
            let place = self.pop()?;
            if self.last.replace(place.serial) != Some(place.serial) {
                return Some(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(class: u8, since: i64, serial: Serial) -> QueuePlace {
        QueuePlace::new(class, Timestamp(since), serial)
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
        assert!(sorted.iter().all(|it| *it < QueuePlace::first(last + 1)));
        assert!(sorted.map(|it| it.class) == [0, 0, 0, 0, 0, 0, 1, last]);
        assert!(place(last, 3, 1).age() < place(0, 3, 2).age());
    }

    #[test]
    fn a_bucket_knows_which_classes_it_has() {
        let mut bucket = Bucket::default();
        let (one, two) = (place(1, 5, 1), place(1, 6, 2));
        // Twice the same is once.
        for place in [one, two, two, place(3, 1, 3)] {
            bucket.insert(place);
        }
        let heads = |bucket: &Bucket, class| bucket.of_class(class, None).map(Iterator::count);
        assert_eq!(
            [0, 1, 2, 3].map(|it| heads(&bucket, it)),
            [None, Some(2), None, Some(1)]
        );
        for gone in [one, one, place(1, 9, 9)] {
            bucket.remove(gone);
        }
        let after = |age| bucket.of_class(1, Some(age)).map(Iterator::count);
        assert_eq!([after((5, 0)), after((6, 2))], [Some(1), Some(0)]);
        assert_eq!(heads(&bucket, 1), Some(1));
        bucket.remove(two);
        assert_eq!(heads(&bucket, 1), None);
    }

    #[test]
    fn a_line_of_one_is_small() {
        assert!(size_of::<(u64, TicketQueue)>() <= 40);
    }
}
