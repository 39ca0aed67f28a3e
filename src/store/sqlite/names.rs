//! Which entries of a room may have a given name: a hash for each, looked through one after the other
//! while they are few, by an index when they are many.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Hashes compared at once.
const BLOCK: usize = 64;
/// So many are looked through in 20 ns; most rooms never have more.
const FEW: usize = 512;

/// The names of a room's entries, in `seq` order from 0.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Of each entry a hash of (side, client_id) if it is a message, else 0. Half the size of a full
    /// hash; a hit is verified by reading the row anyway.
    keys: Vec<u32>,
    index: Option<Box<Index>>,
}

/// Where each hash is, of all that are there.
#[derive(Debug, Default)]
struct Index {
    first: HashMap<u32, u32, RandomState>,
    /// Two entries have one hash (a chance of 1 in 20 in a full room): all are looked through.
    ambiguous: bool,
}

impl Names {
    /// Those of a room as read.
    pub(super) fn new(keys: Vec<u32>) -> Self {
        Self { keys, index: None }
    }

    /// Adds the next entry; 0 for what is no message.
    pub(super) fn push(&mut self, key: u32) {
        if let Some(index) = &mut self.index {
            index.add(self.keys.len(), key);
        }
        self.keys.push(key);
        if self.index.is_none() && self.keys.len() > FEW {
            let mut index = Box::new(Index::default());
            for (at, key) in self.keys.iter().enumerate() {
                index.add(at, *key);
            }
            self.index = Some(index);
        }
    }

    /// Forgets all entries but the first `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.keys.len() {
            self.keys.truncate(len);
            self.index = None;
        }
    }

    /// Whether there is a message at this place.
    pub(super) fn is_message(&self, at: usize) -> bool {
        self.keys.get(at).is_some_and(|key| *key != 0)
    }

    /// Where messages are whose (side, client_id) hashes to this.
    pub(super) fn find(&self, key: u32) -> Vec<usize> {
        match &self.index {
            Some(index) if !index.ambiguous => index
                .first
                .get(&key)
                .map(|at| *at as usize)
                .into_iter()
                .collect(),
            _ => self.look_through(key),
        }
    }

    fn look_through(&self, key: u32) -> Vec<usize> {
        let mut found = Vec::new();
        for (block, keys) in self.keys.chunks(BLOCK).enumerate() {
            // Nearly every name is new: whole blocks are compared at once, most of them for nothing.
            if keys.iter().fold(false, |any, k| any | (*k == key)) {
                let hits = keys.iter().enumerate().filter(|(_, k)| **k == key);
                found.extend(hits.map(|(at, _)| block * BLOCK + at));
            }
        }
        found
    }
}

impl Index {
    fn add(&mut self, at: usize, key: u32) {
        let Ok(at) = u32::try_from(at) else {
            self.ambiguous = true;
            return;
        };
        if key != 0 {
            self.ambiguous |= self.first.insert(key, at).is_some();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_many_there_are() {
        let mut names = Names::default();
        for n in 1..=2000_u32 {
            // Every tenth entry is no message.
            names.push(if n % 10 == 0 { 0 } else { n });
            let at = n as usize - 1;
            assert_eq!(names.is_message(at), n % 10 != 0);
            assert_eq!(names.find(1), [0]);
            assert_eq!(names.find(3000), Vec::<usize>::new());
            if n % 10 != 0 {
                assert_eq!(names.find(n), [at]);
            }
        }
        names.truncate(1500);
        assert_eq!(names.find(1501), Vec::<usize>::new());
        names.push(7);
        assert_eq!(names.find(7), [6, 1500], "both entries of one hash");
        assert_eq!(names.find(1499), [1498]);
    }
}
