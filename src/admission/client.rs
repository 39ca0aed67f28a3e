//! The client of one connection, as everything that is counted or held for it needs to know it.

use std::net::IpAddr;
use std::sync::Arc;

use super::Caller;
use crate::admission::memory_budget::{Class, MemoryAccount, MemoryBudget};
use crate::domain::id::{SessionId, Timestamp};

/// A connection's browser and network.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The browser.
    pub session: SessionId,
    /// The real client's address.
    pub address: IpAddr,
    /// Both, as rates count them.
    pub caller: Caller,
    /// When the cookie that it came with is honoured no more; `None`: a room's token brought it.
    pub until: Option<Timestamp>,
    /// From which part of the budget its bytes are.
    pub class: Class,
}

impl Client {
    /// What it reserves with.
    pub fn account(self, budget: &Arc<MemoryBudget>) -> MemoryAccount<'_> {
        MemoryAccount {
            budget,
            address: self.address,
            class: self.class,
        }
    }
}
