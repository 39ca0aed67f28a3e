//! Decoding what a client says, encoding what it is told.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use jiff::tz::TimeZone;
use miyu::domain::id::{RoomId, Seq, Side, Timestamp};
use miyu::domain::{Entry, EntryKind, Persona, Profile, Quote, UserId};
use miyu::protocol::client::{self, ChatAction};
use miyu::protocol::proof::Said;
use miyu::protocol::{Encoder, LobbyAction, ProofKey};

const CONTENT: &str = "1234567 I say what I have to say, which is not much: 秘語 89";

/// All of them.
pub fn all(criterion: &mut Criterion) {
    decode(criterion);
    encode(criterion);
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    let said = format!(
        "{{\"action\":\"send_message\",\"message\":{{\"content\":\"{CONTENT}\",\
        \"client_id\":\"c-89\",\"replied_to\":null}}}}"
    );
    let frame = client::chat(&said).expect("a frame of the protocol");
    let ChatAction::Send { content, .. } = frame.action else {
        panic!("another action: {:?}", frame.action);
    };
    assert_eq!(content, CONTENT);
    group.throughput(Throughput::Bytes(said.len() as u64));
    group.bench_function("send_message", |b| {
        b.iter(|| client::chat(black_box(&said)).is_ok());
    });
    let start = "{\"action\":\"start_matching\",\"user_data\":{\"nickname\":\"小明\",\"avatar\":\"3\",\
        \"mood\":\"happy\",\"gender\":\"female\",\"preferredGender\":\"all\",\
        \"tags\":[\"音樂\",\"電影\",\"旅行\"]}}";
    let decoded = client::lobby(start).expect("a frame of the protocol");
    assert!(matches!(decoded, LobbyAction::Start { .. }), "{decoded:?}");
    group.throughput(Throughput::Bytes(start.len() as u64));
    group.bench_function("start_matching", |b| {
        b.iter(|| client::lobby(black_box(start)).is_ok());
    });
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let encoder = Encoder::new(TimeZone::get("Asia/Taipei").expect("all zones are built in"));
    encoder.proofs().start(ProofKey::new(&[7; 32]));
    let room = RoomId::fresh();
    let personas = ["user-one", "user-two"].map(|user_id| Persona {
        user_id: UserId::parse(user_id).expect("plain and short"),
        profile: Profile::parse("小明", "3", "happy", "female"),
    });
    let said = Said {
        room,
        seq: Seq(89),
        side: Side::A,
        at: Timestamp(1_800_000_000_000),
        content: CONTENT,
    };
    let key = ProofKey::new(&[7; 32]);
    assert!(key.verify(&said, key.prove(&said).as_str()));
    group.bench_function("proof", |b| b.iter(|| key.prove(black_box(&said))));
    let quote = Quote::of(Seq(7), Side::B, Some(CONTENT));
    for (name, reply) in [("new_message", None), ("quoting", Some(quote))] {
        let entry = Entry {
            seq: Seq(89),
            at: Timestamp(1_800_000_000_000),
            kind: EntryKind::Message {
                side: Side::A,
                client_id: "c-89".to_owned(),
                content: Some(CONTENT.to_owned()),
                reply,
            },
        };
        let texts = encoder.entry_texts(room, &personas, &entry);
        assert_eq!(texts.for_side(Side::A), texts.for_side(Side::B));
        let text = texts.for_side(Side::A).as_str();
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(json["message"]["content"], CONTENT);
        assert_eq!(json["message"]["seq"], 89);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| encoder.entry_texts(room, &personas, black_box(&entry)));
        });
    }
    group.finish();
}
