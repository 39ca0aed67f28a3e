//! `[matching]`.

use std::time::Duration;

use super::value::ServiceUrl;

section! {
    /// Which searches are paired.
    Matching = "matching" {
        /// The Redis where people of all nodes wait for each other, with the password and certificates of
        /// `[channel]`. Empty: the first one of `channel.url`.
        url: String as ServiceUrl = "";
        /// How long only a partner with a shared tag, and of the languages of the pages a shared one, will do.
        tag_patience: Duration = "10s" to "1day";
        /// After how long one of the last ten partners will do again.
        repeat_patience: Duration = "20s" to "1day";
        /// Two tabs of one browser may meet when no other search fits.
        same_session: bool = true;
        /// How often the people of one network (an IPv4 address, an IPv6 /64) meet people of other
        /// networks, a minute and at once; four times as often for a /24 and a /56, sixteen times
        /// for a /48; two networks meet a fifth as often. Beyond it they meet each other, and up to
        /// as often again people who have waited for long without another partner. 0: no bound.
        prefix_pairings_per_minute: u32 = 10;
        /// How long a person who asked to be called (`push.enabled`) is waited for: so long their search goes on
        /// after its page was closed, and so long at least their place in a room is kept while they are away.
        call_for: Duration = "15m" from "1m" to "1h";
        /// How long a ticket outlives its connection's node. A waiting one is renewed every 5 to 8 s.
        lease: Duration = "30s" from "10s" to "1h";
    }
}
