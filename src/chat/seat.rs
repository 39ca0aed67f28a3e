//! Whether this connection speaks for its side: the one that arrived last, by the store's count, does.

use crate::domain::id::Address;

/// This connection's arrival, and the later ones of its side that are still open.
#[derive(Debug, Default)]
pub(super) struct Seat {
    version: u64,
    newer: Vec<(Address, u64)>,
}

impl Seat {
    /// Of a connection that arrived with this version of its side.
    pub(super) fn taken(version: u64) -> Self {
        Self {
            version,
            newer: Vec::new(),
        }
    }

    /// The version with which this connection arrived; 0 while that is not known.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The newest version heard of.
    pub(super) fn newest(&self) -> u64 {
        let newer = self.newer.iter().map(|(_, version)| *version);
        newer.fold(self.version, u64::max)
    }

    /// A newer connection speaks.
    pub(super) fn replaced(&self) -> bool {
        !self.newer.is_empty()
    }

    /// How many newer connections are open.
    pub(super) fn newer(&self) -> usize {
        self.newer.len()
    }

    /// This connection arrived (again). True: it speaks now and did not before.
    pub(super) fn arrived(&mut self, version: u64) -> bool {
        let before = self.replaced();
        self.version = self.version.max(version);
        let own = self.version;
        self.newer.retain(|(_, newer)| *newer > own);
        before && !self.replaced()
    }

    /// Another connection arrived. True: it is newer than this one, and was not known.
    pub(super) fn other_arrived(&mut self, connection: Address, version: u64) -> bool {
        if version <= self.version {
            return false;
        }
        match self.newer.iter_mut().find(|(it, _)| *it == connection) {
            Some((_, known)) => {
                *known = version.max(*known);
                false
            }
            None => {
                self.newer.push((connection, version));
                true
            }
        }
    }

    /// Another connection is no more, or not of this side. True: this one speaks now and did not
    /// before.
    pub(super) fn other_left(&mut self, connection: Address) -> bool {
        let before = self.replaced();
        self.newer.retain(|(it, _)| *it != connection);
        before && !self.replaced()
    }

    /// Nobody else is there. True: this one speaks now and did not before.
    pub(super) fn alone(&mut self) -> bool {
        let before = self.replaced();
        self.newer.clear();
        before
    }
}
