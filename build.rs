//! Prepares what the executable embeds.
fn main() {}
