//! What Miyu talks about: people's profiles and wishes, rooms and their entries.
//! Parsed once at the edge, valid from then on. No I/O, no clock.

pub mod block_mark;
pub mod call;
pub mod count;
pub mod entry;
pub mod id;
pub mod ip_prefix;
pub mod profile;
pub mod reaction;
pub mod reserved_names;
pub mod room;
pub mod safety;
pub mod text;
pub mod topics;
pub mod visible;
pub mod wish;
pub mod zero_width;

pub use block_mark::{Mark, Marks};
pub use call::{Call, Subscription};
pub use count::rounded;
pub use entry::{Entry, EntryKind, LeaveReason, MessageRef, Quote};
pub use ip_prefix::{Prefix, PrefixHashes};
pub use profile::{Gender, Mood, Persona, Profile, UserId};
pub use reaction::{REACTION_ENTRIES, Reaction};
pub use room::{Departure, Pairing, Party, Position, Presence, Room, RoomSide};
pub use wish::{Languages, PreferredGender, Tags, Wish};
