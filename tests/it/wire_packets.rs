//! Packets between nodes: what is encoded is decoded again, and nothing else is, however it looks.

use std::sync::Arc;

use bytes::Bytes;
use miyu::channel::wire::{MOST_BYTES, MOST_COUNT, Packet, PacketDecodeError, VERSION};
use miyu::channel::{EntryRole, Frame, GroupClosing, GroupId};
use miyu::domain::id::{Address, NodeId, RoomId, Seq, SessionId, Side, TicketId, Timestamp};
use miyu::domain::{Gender, Mark, Mood, Pairing, Party, Persona, Position, Profile, UserId};
use miyu::protocol::CloseReason;
use miyu::protocol::server::EntryTexts;
use proptest::prelude::*;
use uuid::Uuid;

fn sides() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::A, Side::B])
}

fn addresses() -> impl Strategy<Value = Address> {
    any::<(u64, u64)>().prop_map(|(node, number)| Address {
        node: NodeId(node),
        number,
    })
}

fn texts() -> impl Strategy<Value = EntryTexts> {
    let text = prop_oneof![any::<String>(), "長{0,2000}"];
    (text.clone(), text, any::<bool>()).prop_map(|(first, second, same)| {
        let second = if same { first.clone() } else { second };
        EntryTexts::by_side([first.into(), second.into()])
    })
}

fn personas() -> impl Strategy<Value = Persona> {
    let moods = prop::sample::select(vec![Mood::Happy, Mood::Neutral, Mood::Sad]);
    let genders = prop::sample::select(Gender::ALL.to_vec());
    let names = (
        "[a-zA-Z0-9_-]{1,50}",
        any::<(String, Option<String>)>(),
        1_u8..=20,
    );
    (names, moods, genders).prop_map(
        |((user_id, (nickname, own_nickname), avatar), mood, gender)| Persona {
            user_id: UserId::parse(&user_id).unwrap(),
            profile: Profile {
                nickname,
                own_nickname,
                avatar,
                mood,
                gender,
            },
        },
    )
}

fn parties() -> impl Strategy<Value = Party> {
    (any::<(u128, [u8; 16], Vec<u64>)>(), personas(), addresses()).prop_map(
        |((ticket, session, marks), persona, address)| Party {
            marks: marks.into_iter().map(Mark).collect(),
            ticket: TicketId(Uuid::from_u128(ticket)),
            session: SessionId(session),
            persona,
            address,
        },
    )
}

fn pairings() -> impl Strategy<Value = Pairing> {
    let tags = prop::collection::vec(any::<String>(), 0..4);
    (any::<(u128, bool)>(), [parties(), parties()], tags).prop_map(
        |((room, is_bot), parties, common_tags)| Pairing {
            room: RoomId(Uuid::from_u128(room)),
            parties,
            common_tags,
            is_bot,
        },
    )
}

fn counts() -> impl Strategy<Value = u64> {
    0..=MOST_COUNT
}

fn frames() -> impl Strategy<Value = Frame> {
    let roles = vec![EntryRole::Word, EntryRole::Reaction, EntryRole::End];
    let role = prop::sample::select(roles);
    let entry = ((counts(), role), sides(), texts());
    prop_oneof![
        entry.prop_map(|((seq, role), by, texts)| Frame::Entry {
            seq: Seq(seq),
            by,
            role,
            texts,
        }),
        (sides(), addresses(), counts()).prop_map(|(side, connection, version)| {
            Frame::Opened {
                side,
                connection,
                version,
            }
        }),
        (sides(), addresses(), prop::option::of(counts())).prop_map(|(side, connection, away)| {
            Frame::Closed {
                side,
                connection,
                away,
            }
        }),
        (any::<[u8; 16]>(), addresses(), sides()).prop_map(|(session, by, to)| Frame::Swapped {
            session: SessionId(session),
            by,
            to,
        }),
        (sides(), any::<bool>()).prop_map(|(side, is_typing)| Frame::Typing { side, is_typing }),
        (sides(), any::<bool>()).prop_map(|(side, on)| Frame::Callable { side, on }),
        (sides(), any::<bool>()).prop_map(|(side, is_leaving)| Frame::Leaving { side, is_leaving }),
        (sides(), counts()).prop_map(|(side, seq)| Frame::Read {
            side,
            seq: Seq(seq),
        }),
        pairings().prop_map(|pairing| Frame::MatchedElsewhere(Arc::new(pairing))),
        any::<u128>().prop_map(|id| Frame::TicketReplaced(TicketId(Uuid::from_u128(id)))),
        Just(Frame::Released),
        any::<i64>().prop_map(|at| Frame::Closing { at: Timestamp(at) }),
    ]
}

fn groups() -> impl Strategy<Value = GroupId> {
    prop_oneof![
        any::<u128>().prop_map(|id| GroupId::Room(RoomId(Uuid::from_u128(id)))),
        any::<[u8; 16]>().prop_map(|id| GroupId::Session(SessionId(id))),
        Just(GroupId::Everybody),
    ]
}

fn closings() -> impl Strategy<Value = GroupClosing> {
    let reasons = vec![
        CloseReason::Policy,
        CloseReason::Forgotten,
        CloseReason::RoomGone,
        CloseReason::Banned,
    ];
    (groups(), prop::sample::select(reasons))
        .prop_map(|(group, reason)| GroupClosing { group, reason })
}

fn packets() -> impl Strategy<Value = Packet> {
    prop_oneof![
        6 => (groups(), frames()).prop_map(|(group, frame)| Packet::Group(group, frame)),
        3 => (any::<u64>(), frames()).prop_map(|(to, frame)| Packet::Direct(to, frame)),
        1 => any::<u64>().prop_map(Packet::Probe),
        1 => prop::sample::select(vec![Packet::Lost, Packet::Hello, Packet::Bye, Packet::Decided]),
        1 => closings().prop_map(Packet::Close),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(packet in packets(), node in any::<u64>()) {
        let bytes = packet.encode(NodeId(node)).unwrap();
        let decoded = Packet::decode(&Bytes::from(bytes)).unwrap();
        prop_assert_eq!(decoded, (NodeId(node), packet));
    }

    #[test]
    fn what_ends_too_early_or_goes_on_is_refused_or_another_packet_never_a_panic(
        packet in packets(),
        cut in any::<prop::sample::Index>(),
        more in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut bytes = packet.encode(NodeId(1)).unwrap();
        let short = Bytes::copy_from_slice(&bytes[..cut.index(bytes.len())]);
        // A text may end anywhere between two characters; nothing else may.
        if let Ok((_, cut)) = Packet::decode(&short) {
            prop_assert!(cut != packet);
        }
        bytes.extend(&more);
        let decoded = Packet::decode(&Bytes::from(bytes));
        prop_assert_eq!(decoded.is_ok_and(|it| it.1 == packet), more.is_empty());
    }

    #[test]
    fn a_changed_byte_never_panics(
        packet in packets(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = packet.encode(NodeId(1)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Packet::decode(&Bytes::from(bytes));
    }

    #[test]
    fn garbage_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..200), ours: bool) {
        if let (true, Some(first)) = (ours, bytes.first_mut()) {
            *first = VERSION;
        }
        let _ = Packet::decode(&Bytes::from(bytes));
    }
}

#[test]
fn another_version_is_named() {
    let mut bytes = Packet::Hello.encode(NodeId(1)).unwrap();
    bytes[0] = VERSION + 1;
    let refused = Packet::decode(&Bytes::from(bytes)).unwrap_err();
    assert_eq!(refused, PacketDecodeError::Version(VERSION + 1));
}

#[test]
fn what_is_too_long_is_neither_made_nor_read() {
    let long: &str = &"x".repeat(MOST_BYTES);
    let frame = Frame::Entry {
        seq: Seq(1),
        by: Side::A,
        role: EntryRole::Word,
        texts: EntryTexts::same(long.into()),
    };
    assert!(Packet::Direct(1, frame).encode(NodeId(1)).is_none());
    let mut bytes = Packet::Hello.encode(NodeId(1)).unwrap();
    bytes.resize(MOST_BYTES + 1, 0);
    assert!(Packet::decode(&Bytes::from(bytes)).is_err());
}

#[test]
fn a_place_or_version_that_cannot_be_is_refused() {
    let (side, room) = (Side::A, GroupId::Room(RoomId::fresh()));
    let connection = Address {
        node: NodeId(1),
        number: 1,
    };
    let frames = |count| {
        let seq = Seq(count);
        [
            Frame::Read { side, seq },
            Frame::Entry {
                seq,
                by: side,
                role: EntryRole::Word,
                texts: EntryTexts::same("x".into()),
            },
            Frame::Opened {
                side,
                connection,
                version: count,
            },
            Frame::Closed {
                side,
                connection,
                away: Some(count),
            },
        ]
    };
    for (count, taken) in [
        (MOST_COUNT, true),
        (MOST_COUNT + 1, false),
        (u64::MAX, false),
    ] {
        for frame in frames(count) {
            let bytes = Packet::Group(room, frame).encode(NodeId(1)).unwrap();
            assert_eq!(Packet::decode(&bytes.into()).is_ok(), taken, "{count}");
        }
    }
}

#[test]
fn positions_stay_on_their_node() {
    let room = RoomId::fresh();
    let position = Position {
        room,
        last_seq: Seq(1),
        presence: Default::default(),
    };
    let packet = Packet::Group(GroupId::Room(room), Frame::Position(position));
    assert!(packet.encode(NodeId(1)).is_none());
}

/// What the channel layer says to one side of a pairing is, heard, the word of another node.
#[test]
fn a_match_is_heard_as_one_of_elsewhere() {
    let pairing = Arc::new(Pairing {
        room: RoomId::fresh(),
        parties: [1, 2].map(|number| Party {
            marks: vec![Mark(1)],
            ticket: TicketId::fresh(),
            session: SessionId([number; 16]),
            persona: Persona {
                user_id: UserId::parse("u").unwrap(),
                profile: Profile::parse("", "1", "", ""),
            },
            address: Address {
                node: NodeId(1),
                number: 1,
            },
        }),
        common_tags: Vec::new(),
        is_bot: false,
    });
    let packet = Packet::Direct(1, Frame::Matched(Arc::clone(&pairing)));
    let bytes = packet.encode(NodeId(1)).unwrap();
    let (_, heard) = Packet::decode(&bytes.into()).unwrap();
    assert_eq!(heard, Packet::Direct(1, Frame::MatchedElsewhere(pairing)));
}
