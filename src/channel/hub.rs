//! The switchboard of one process: mailboxes by number, groups by room. Both backends use it.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::mailbox::{self, Mailbox, Outbox, Together};
use super::{Counts, Frame, GroupId, SendError, SharedFrame};
use crate::domain::id::{Address, IdMap, NodeId};

/// Locks are held for a map access; this many keep two cores from meeting often.
const SHARDS: usize = 16;

/// Who is told which groups have members here. Told in order for each group, under the hub's lock:
/// it must be quick and must not call the hub.
pub trait GroupWatch: Send + Sync {
    /// The group has its first member.
    fn appeared(&self, group: GroupId);

    /// The group has lost its last member.
    fn vanished(&self, group: GroupId);
}

/// Mailboxes and groups of this process.
pub struct Hub {
    node: NodeId,
    watch: Option<Box<dyn GroupWatch>>,
    capacity: usize,
    next: AtomicU64,
    together: Together,
    hasher: RandomState,
    mailboxes: [Mutex<IdMap<u64, Outbox>>; SHARDS],
    groups: [Mutex<IdMap<GroupId, Vec<Outbox>>>; SHARDS],
}

impl Hub {
    /// A hub whose mailboxes hold `capacity` frames.
    pub fn new(node: NodeId, capacity: usize) -> Arc<Self> {
        Self::build(node, capacity, None)
    }

    /// A hub that says which groups have members.
    pub fn watched(node: NodeId, capacity: usize, watch: impl GroupWatch + 'static) -> Arc<Self> {
        Self::build(node, capacity, Some(Box::new(watch)))
    }

    fn build(node: NodeId, capacity: usize, watch: Option<Box<dyn GroupWatch>>) -> Arc<Self> {
        Arc::new(Self {
            node,
            watch,
            capacity: capacity.max(1),
            next: AtomicU64::new(1),
            together: Together::default(),
            hasher: RandomState::default(),
            mailboxes: std::array::from_fn(|_| Mutex::default()),
            groups: std::array::from_fn(|_| Mutex::default()),
        })
    }

    /// A new address with its mailbox.
    pub fn open(self: &Arc<Self>) -> (Outbox, Mailbox) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let address = Address {
            node: self.node,
            number,
        };
        let (outbox, mailbox) = mailbox::channel(address, self.capacity, Arc::downgrade(self));
        self.mailboxes[self.shard(&number)]
            .lock()
            .insert(number, outbox.clone());
        (outbox, mailbox)
    }

    /// Puts a frame into a mailbox of this process.
    ///
    /// # Errors
    /// `Gone` also for an address of another process or incarnation.
    pub fn send(&self, to: &Address, frame: Frame) -> Result<(), SendError> {
        if to.node != self.node {
            return Err(SendError::Gone);
        }
        let outbox = self.mailboxes[self.shard(&to.number)]
            .lock()
            .get(&to.number)
            .cloned();
        outbox.ok_or(SendError::Gone)?.push(Arc::new(frame))
    }

    /// Adds a member; dropping the membership removes it.
    pub fn join(self: &Arc<Self>, group: GroupId, outbox: &Outbox) -> Membership {
        let mut groups = self.groups[self.shard(&group)].lock();
        // Nearly every room has two.
        let members = groups.entry(group).or_insert_with(|| Vec::with_capacity(2));
        if let (true, Some(watch)) = (members.is_empty(), &self.watch) {
            watch.appeared(group);
        }
        members.push(outbox.clone());
        drop(groups);
        Membership {
            hub: Arc::clone(self),
            group,
            address: outbox.address(),
        }
    }

    /// Gives a frame to every member of the group in this process.
    pub fn publish(&self, group: GroupId, frame: SharedFrame) {
        // The lock is kept while pushing: that makes one order for all members, and a push is short.
        let groups = self.groups[self.shard(&group)].lock();
        for member in groups.get(&group).into_iter().flatten() {
            // A full mailbox has marked itself lagged, a closed one is about to leave: both are
            // answered for already.
            let _ = member.push(Arc::clone(&frame));
        }
    }

    /// The groups with at least one member here.
    pub fn groups(&self) -> Vec<GroupId> {
        let shards = self.groups.iter();
        shards
            .flat_map(|shard| shard.lock().keys().copied().collect::<Vec<_>>())
            .collect()
    }

    /// What is there now.
    pub fn counts(&self) -> Counts {
        Counts {
            mailboxes: self.mailboxes.iter().map(|shard| shard.lock().len()).sum(),
            groups: self.groups.iter().map(|shard| shard.lock().len()).sum(),
        }
    }

    /// What the mailboxes hold together.
    pub(super) fn together(&self) -> &Together {
        &self.together
    }

    /// The mailbox is no more.
    pub(super) fn forget(&self, address: Address) {
        let number = address.number;
        self.mailboxes[self.shard(&number)].lock().remove(&number);
    }

    fn leave(&self, group: GroupId, address: Address) {
        let mut groups = self.groups[self.shard(&group)].lock();
        if let Some(members) = groups.get_mut(&group) {
            members.retain(|member| member.address() != address);
            if members.is_empty() {
                groups.remove(&group);
                if let Some(watch) = &self.watch {
                    watch.vanished(group);
                }
            }
        }
    }

    fn shard(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).expect("below SHARDS")
    }
}

/// Being heard by a group; dropping it leaves.
pub struct Membership {
    hub: Arc<Hub>,
    group: GroupId,
    address: Address,
}

impl Membership {
    /// The group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The member.
    pub fn address(&self) -> Address {
        self.address
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.hub.leave(self.group, self.address);
    }
}
