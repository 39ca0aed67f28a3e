//! The chat machine, event by event.
