//! `[safety]`.

use std::time::Duration;

section! {
    /// Reports about people, and what follows from them.
    Safety = "safety" {
        /// How long the conversation that was reported is kept after a decision, unless an operator holds it.
        evidence_retention: Duration = "30days" from "1h" to "365days";
        /// How long the record of a case that was decided, of a sanction that has ended and of a notice is kept.
        record_retention: Duration = "365days" from "1day" to "3650days";
    }
}
