//! The scripts: what one call does to the pool, atomically and so that doing it twice changes
//! nothing more. Each is sent once and called by its digest from then on.

use ::redis::Script;

/// One script for each method.
pub(super) struct Scripts {
    pub(super) enter: Script,
    pub(super) withdraw: Script,
    pub(super) renew: Script,
    pub(super) give_back: Script,
    pub(super) stats: Script,
}

/// A script of these files behind what all of them share, as one text.
macro_rules! script {
    ($($file:literal),+) => {
        Script::new(concat!(
            include_str!("pool.lua"),
            include_str!("ticket.lua"),
            include_str!("budget.lua"),
            include_str!("lane.lua"),
            $(include_str!($file)),+
        ))
    };
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            enter: script!("queue.lua", "look.lua", "find.lua", "enter.lua"),
            withdraw: script!("withdraw.lua"),
            renew: script!("renew.lua"),
            give_back: script!("give_back.lua"),
            stats: script!("stats.lua"),
        }
    }
}
