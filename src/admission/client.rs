//! The client of one connection, as everything that is counted or held for it needs to know it.

use std::net::IpAddr;
use std::sync::Arc;

use super::Caller;
use crate::admission::memory_budget::{Class, MemoryAccount, MemoryBudget};
use crate::config::LANGUAGES;
use crate::domain::id::{SessionId, Timestamp};

/// In which of the pages' languages a client is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tongue(Option<u8>);

impl Tongue {
    /// The one of this tag; of a language that only an operator's pages speak, none.
    pub fn of(tag: &str) -> Self {
        let at = LANGUAGES.iter().position(|it| *it == tag);
        Self(at.and_then(|at| u8::try_from(at).ok()))
    }

    /// Its tag.
    pub fn tag(self) -> Option<&'static str> {
        LANGUAGES.get(usize::from(self.0?)).copied()
    }
}

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
    /// In which language the site speaks to it.
    pub language: Tongue,
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
