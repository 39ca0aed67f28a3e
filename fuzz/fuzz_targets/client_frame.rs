//! Feeds arbitrary text to the decoders of both sockets and checks what they let through.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/support/frame_rules.rs"]
mod frame_rules;

fuzz_target!(|text: &str| frame_rules::check(text));
