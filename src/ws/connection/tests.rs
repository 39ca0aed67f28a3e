//! What a quiet connection is made of stays within the allocator's sizes.

use std::mem::size_of;

use super::*;
use crate::chat::Chat;
use crate::chat::effects::ChatIo;

/// What the allocator gives for these is what most of an idle connection is: one byte more and it gives
/// an eighth more.
#[test]
fn a_quiet_connection_stays_within_its_size_classes() {
    let connection = size_of::<Connection<Chat, ChatIo>>();
    assert!(connection <= 768, "{connection}");
    let socket = size_of::<CountedSocket>();
    assert!(socket <= 512, "{socket}");
    // The runtime allocates a task in steps of 128 bytes: with what it and the tracker add, 512.
    let run = size_of_future(Connection::<Chat, ChatIo>::run);
    assert!(run <= 344, "{run}");
}

fn size_of_future<A, B, F: Future>(_: fn(A, B) -> F) -> usize {
    size_of::<F>()
}
