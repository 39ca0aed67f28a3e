//! What may be done to the rooms, made up at random.

use miyu::domain::id::{Seq, Side};
use miyu::domain::{MessageRef, Reaction};
use proptest::prelude::*;

use super::ROOMS;

#[derive(Clone, Debug)]
pub(super) enum Op {
    Append {
        room: usize,
        side: Side,
        name: u8,
        text: u8,
        reply: Option<Target>,
    },
    Recall {
        room: usize,
        side: Side,
        target: Target,
        named: bool,
    },
    Hide {
        room: usize,
        side: Side,
        target: Target,
    },
    React {
        room: usize,
        side: Side,
        target: Target,
        reaction: Option<Reaction>,
    },
    Close {
        room: usize,
        side: Side,
    },
    Page {
        room: usize,
        side: Side,
        after: u64,
        limit: usize,
    },
    SaveReadState {
        room: usize,
        side: Side,
        cursor: u64,
    },
    /// Erases rooms closed until now.
    Sweep,
    Reopen,
    Crash,
}

#[derive(Clone, Debug)]
pub(super) enum Target {
    Seq(u64),
    Name(u8),
}

impl Target {
    pub(super) fn reference(&self) -> MessageRef {
        match self {
            Self::Seq(seq) => MessageRef::Seq(Seq(*seq)),
            Self::Name(name) => MessageRef::ClientId(client_id(*name)),
        }
    }
}

pub(super) fn client_id(name: u8) -> String {
    format!("c{name}")
}

/// Anything that may happen.
pub(super) fn op() -> impl Strategy<Value = Op> {
    let room = || 0..ROOMS;
    let side = || prop_oneof![Just(Side::A), Just(Side::B)];
    let target = || {
        prop_oneof![
            (0..12u64).prop_map(Target::Seq),
            (0..5u8).prop_map(Target::Name)
        ]
    };
    let reaction = || prop_oneof![Just(Reaction::Heart), Just(Reaction::Ok)];
    prop_oneof![
        12 => (room(), side(), 0..5u8, 0..2u8, proptest::option::of(target())).prop_map(
            |(room, side, name, text, reply)| Op::Append { room, side, name, text, reply }
        ),
        4 => (room(), side(), target(), any::<bool>())
            .prop_map(|(room, side, target, named)| Op::Recall { room, side, target, named }),
        3 => (room(), side(), target())
            .prop_map(|(room, side, target)| Op::Hide { room, side, target }),
        6 => (room(), side(), target(), proptest::option::of(reaction())).prop_map(
            |(room, side, target, reaction)| Op::React { room, side, target, reaction }
        ),
        1 => (room(), side()).prop_map(|(room, side)| Op::Close { room, side }),
        2 => (room(), side(), 0..12u64, 1..5usize)
            .prop_map(|(room, side, after, limit)| Op::Page { room, side, after, limit }),
        2 => (room(), side(), 0..12u64)
            .prop_map(|(room, side, cursor)| Op::SaveReadState { room, side, cursor }),
        1 => Just(Op::Sweep),
        1 => Just(Op::Reopen),
        2 => Just(Op::Crash),
    ]
}
