//! `[store]`.

use std::time::Duration;

use super::Durability;

section! {
    /// Where rooms are kept.
    Store = "store" {
        /// "sqlite:PATH"; a relative path starts at the folder that miyu was started in.
        url: String = "sqlite:data/miyu.db";
        /// What an acknowledged message survives: "power" (a power cut) or "process" (a crash of
        /// miyu, not of the machine; faster on slow disks).
        durability: Durability = "power";
        /// How long an action waits for the store before it is answered `unavailable`.
        timeout: Duration = "5s";
        /// How long a closed room is kept before it is erased.
        retention: Duration = "24h";
    }
}
