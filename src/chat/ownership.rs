//! Whether this connection owns its side: the one that arrived last, by the store's count, does.

use crate::domain::id::Address;

/// This connection's arrival, and the later ones of its side that are still open.
#[derive(Debug)]
pub(super) struct Ownership {
    /// With which version of the side this connection arrived; 0 while that is not known.
    version: u64,
    standing: OwnerState,
    /// The side was guessed among two of one session.
    provisional: bool,
}

#[derive(Debug)]
enum OwnerState {
    Owner,
    /// Newer connections are open, each with its version; never none.
    Replaced(Vec<(Address, u64)>),
    /// It owns its side again, and the client is told the state of the room anew as soon as that was read.
    Returning,
}

impl Ownership {
    /// Of a connection that arrived with this version of its side.
    pub(super) fn new(version: u64, provisional: bool) -> Self {
        Self {
            version,
            standing: OwnerState::Owner,
            provisional,
        }
    }

    /// The version with which this connection arrived; 0 while that is not known.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The newest version heard of.
    pub(super) fn newest(&self) -> u64 {
        let newer = self.newer().iter().map(|(_, version)| *version);
        newer.fold(self.version, u64::max)
    }

    /// The side was guessed, and no `user_id` has said so far whether rightly.
    pub(super) fn is_provisional(&self) -> bool {
        self.provisional
    }

    /// The guess was right.
    pub(super) fn confirm(&mut self) {
        self.provisional = false;
    }

    /// The guess was wrong: this connection belongs to the other side, and is about to arrive there.
    pub(super) fn swap(&mut self) {
        let returning = matches!(self.standing, OwnerState::Returning);
        *self = Self::new(0, false);
        if returning {
            self.standing = OwnerState::Returning;
        }
    }

    /// A newer connection owns the side.
    pub(super) fn is_replaced(&self) -> bool {
        matches!(self.standing, OwnerState::Replaced(_))
    }

    /// The client takes this connection for the one that owns the side.
    pub(super) fn is_known_as_owner(&self) -> bool {
        matches!(self.standing, OwnerState::Owner)
    }

    /// The newer connections that are open.
    pub(super) fn newer(&self) -> &[(Address, u64)] {
        match &self.standing {
            OwnerState::Replaced(newer) => newer,
            OwnerState::Owner | OwnerState::Returning => &[],
        }
    }

    /// The client is to be told the state of the room anew.
    pub(super) fn start_anew(&mut self) {
        self.standing = OwnerState::Returning;
    }

    /// The client is being told the state of the room. True: it was to be told anew.
    pub(super) fn returned(&mut self) -> bool {
        let returning = matches!(self.standing, OwnerState::Returning);
        if returning {
            self.standing = OwnerState::Owner;
        }
        returning
    }

    /// This connection arrived (again). True: it owns the side now and did not before.
    pub(super) fn arrived(&mut self, version: u64) -> bool {
        self.version = self.version.max(version);
        let own = self.version;
        self.keep_newer(|(_, newer)| *newer > own)
    }

    /// Another connection arrived. True: it is newer than this one, and was not known.
    pub(super) fn other_arrived(&mut self, connection: Address, version: u64) -> bool {
        if version <= self.version {
            return false;
        }
        let OwnerState::Replaced(newer) = &mut self.standing else {
            self.standing = OwnerState::Replaced(vec![(connection, version)]);
            return true;
        };
        match newer.iter_mut().find(|(it, _)| *it == connection) {
            Some((_, known)) => {
                *known = version.max(*known);
                false
            }
            None => {
                newer.push((connection, version));
                true
            }
        }
    }

    /// Another connection is no more, or not of this side. True: this one owns the side now and did not
    /// before.
    pub(super) fn other_left(&mut self, connection: Address) -> bool {
        self.keep_newer(|(it, _)| *it != connection)
    }

    /// No other connection is there. True: this one owns the side now and did not before.
    pub(super) fn alone(&mut self) -> bool {
        self.keep_newer(|_| false)
    }

    /// Keeps these of the newer connections. True: none is left of some.
    fn keep_newer(&mut self, keep: impl FnMut(&(Address, u64)) -> bool) -> bool {
        let OwnerState::Replaced(newer) = &mut self.standing else {
            return false;
        };
        newer.retain(keep);
        let returns = newer.is_empty();
        if returns {
            self.standing = OwnerState::Returning;
        }
        returns
    }
}
