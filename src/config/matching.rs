//! `[matching]`.

use std::time::Duration;

section! {
    /// Who meets whom.
    Matching = "matching" {
        /// How long only somebody with a shared tag will do.
        tag_patience: Duration = "10s";
        /// After how long one of the last ten partners will do again.
        repeat_patience: Duration = "20s";
        /// Two tabs of one browser may meet when nobody else fits.
        same_session: bool = true;
        /// How long a ticket outlives its connection's node.
        lease: Duration = "30s";
    }
}
