//! What Miyu talks about: people's profiles and wishes, rooms and their entries.
//! Parsed once at the edge, valid from then on. No I/O, no clock.

pub mod count;
pub mod entry;
pub mod id;
pub mod ink;
pub mod joiner;
pub mod mark;
pub mod prefix;
pub mod profile;
pub mod room;
pub mod staff;
pub mod text;
pub mod wish;

pub use count::rounded;
pub use entry::{Entry, EntryKind, LeaveReason, MessageRef, Quote};
pub use mark::{Mark, Marks};
pub use prefix::{Prefix, PrefixHashes};
pub use profile::{Gender, Mood, Persona, Profile, UserId};
pub use room::{Departure, Pairing, Party, Position, Presence, Room, RoomSide};
pub use wish::{PreferredGender, Tags, Wish};
