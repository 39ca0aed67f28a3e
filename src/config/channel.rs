//! `[channel]`.

section! {
    /// How frames travel between connections.
    Channel = "channel" {
        /// "memory:", which reaches the connections of this process.
        url: String = "memory:";
    }
}
