//! The lobby machine, event by event.
