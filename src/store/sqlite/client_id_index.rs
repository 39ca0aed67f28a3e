//! Which entries of a room may have a given client id: a hash for each, compared one after the other when
//! they are few, or when a Bloom filter does not rule the id out.

/// Hashes compared at once.
const BLOCK: usize = 64;
/// So many are looked through in 20 ns; most rooms never have more.
const FEW: usize = 512;
/// In a full filter, of which one name in a hundred is then taken to be there.
const ENTRIES_A_WORD: usize = 4;

/// The client ids of a room's entries, as hashes, in `seq` order from 0.
#[derive(Debug, Default)]
pub(super) struct ClientIdIndex {
    /// Of each entry a hash of (side, client_id) if it is a message, else 0. Half the size of a full
    /// hash; a hit is verified by reading the row anyway.
    keys: Vec<u32>,
    filter: Option<BloomFilter>,
}

/// A Bloom filter over hashes of client ids, in blocks of one word, so that a look-up touches memory once:
/// about 1 % false positives, no false negatives. 2 to 8 bytes an entry.
#[derive(Debug)]
struct BloomFilter {
    /// A power of two of them.
    words: Box<[u64]>,
    /// So many entries fill it.
    room: usize,
}

impl ClientIdIndex {
    /// Those of a room as read.
    pub(super) fn new(keys: Vec<u32>) -> Self {
        let mut client_ids = Self { keys, filter: None };
        client_ids.refilter();
        client_ids
    }

    /// Adds the next entry; 0 for what is no message.
    pub(super) fn push(&mut self, key: u32) {
        self.keys.push(key);
        match &mut self.filter {
            Some(filter) if self.keys.len() <= filter.room => filter.add(key),
            None if self.keys.len() <= FEW => {}
            _ => self.refilter(),
        }
    }

    /// Forgets all entries but the first `len`. What the filter still has of them costs time only.
    pub(super) fn truncate(&mut self, len: usize) {
        self.keys.truncate(len);
    }

    fn refilter(&mut self) {
        self.filter = (self.keys.len() > FEW).then(|| BloomFilter::of(&self.keys));
    }

    /// Whether there is a message at this place.
    pub(super) fn is_message(&self, at: usize) -> bool {
        self.keys.get(at).is_some_and(|key| *key != 0)
    }

    /// Where messages are whose (side, client_id) hashes to this.
    pub(super) fn find(&self, key: u32) -> Vec<usize> {
        match &self.filter {
            Some(filter) if !filter.may_have(key) => Vec::new(),
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

impl BloomFilter {
    fn of(keys: &[u32]) -> Self {
        let room = keys.len().next_power_of_two() * 2;
        let mut filter = Self {
            words: vec![0; room / ENTRIES_A_WORD].into(),
            room,
        };
        for key in keys {
            filter.add(*key);
        }
        filter
    }

    fn add(&mut self, key: u32) {
        let (at, bits) = self.place(key);
        self.words[at] |= bits;
    }

    fn may_have(&self, key: u32) -> bool {
        let (at, bits) = self.place(key);
        self.words[at] & bits == bits
    }

    /// The word, and three bits of it. The key is a hash, but of 32 bits: multiplied, each of them is
    /// in all that is taken from it.
    fn place(&self, key: u32) -> (usize, u64) {
        let mixed = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = |from: u32| 1_u64 << (mixed >> from & 63);
        let at = (mixed >> 32) as usize & (self.words.len() - 1);
        (at, bit(58) | bit(26) | bit(20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_many_there_are() {
        let mut client_ids = ClientIdIndex::default();
        for n in 1..=2000_u32 {
            // Every tenth entry is no message.
            client_ids.push(if n % 10 == 0 { 0 } else { n });
            let at = n as usize - 1;
            assert_eq!(client_ids.is_message(at), n % 10 != 0);
            assert_eq!(client_ids.find(1), [0]);
            assert_eq!(client_ids.find(3000), Vec::<usize>::new());
            if n % 10 != 0 {
                assert_eq!(client_ids.find(n), [at]);
            }
        }
        client_ids.truncate(1500);
        assert_eq!(client_ids.find(1501), Vec::<usize>::new());
        client_ids.push(7);
        assert_eq!(client_ids.find(7), [6, 1500], "both entries of one hash");
        assert_eq!(client_ids.find(1499), [1498]);
        let read_again = ClientIdIndex::new(client_ids.keys.clone());
        assert_eq!(read_again.find(7), [6, 1500]);
    }

    #[test]
    fn a_filter_says_of_most_names_that_they_are_not_there() {
        let mut client_ids = ClientIdIndex::default();
        for n in 1..=20_000_u32 {
            client_ids.push(n.wrapping_mul(0x85eb_ca6b));
        }
        let filter = client_ids.filter.as_ref().expect("there are many");
        let others = (20_001..=40_000_u32).map(|n| n.wrapping_mul(0x85eb_ca6b));
        let taken = others.filter(|key| filter.may_have(*key)).count();
        assert!(taken < 1000, "{taken} of 20,000");
    }
}
