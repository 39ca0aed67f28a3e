//! What an operator sees of a room, entry by entry.

use super::*;
use crate::domain::id::Timestamp;
use crate::domain::profile::{Profile, UserId};
use crate::domain::safety::{CaseId, Reason, ReportId, Weight};
use serde_json::{Value, json};

pub(in crate::console) const SUBJECT: SessionId = SessionId([2; 16]);
pub(in crate::console) const REPORTER: SessionId = SessionId([1; 16]);

fn persona(name: &str) -> Persona {
    Persona {
        user_id: UserId::parse("u-1").unwrap(),
        profile: Profile::parse(name, "3", "sad", "female"),
    }
}

pub(in crate::console) fn message(seq: u64, side: Side, content: Option<&str>) -> Entry {
    Entry {
        seq: Seq(seq),
        at: Timestamp(1000),
        kind: EntryKind::Message {
            side,
            client_id: "c".into(),
            content: content.map(str::to_owned),
            reply: None,
        },
    }
}

pub(in crate::console) fn evidence(entries: Vec<Entry>) -> Evidence {
    Evidence {
        case: CaseId(1),
        room: RoomId::parse("01900000-0000-7000-8000-000000000001").unwrap(),
        at: Timestamp(5000),
        opened_at: Timestamp(900),
        sessions: [REPORTER, SUBJECT],
        personas: [persona("Mei"), persona("<b>\u{202e}x</b>")],
        networks: [None, None],
        entries,
        damaged: false,
    }
}

pub(in crate::console) fn report(chosen: Chosen, claims: Vec<TextClaim>) -> Report {
    Report {
        id: ReportId::fresh(),
        case: CaseId(1),
        reporter: REPORTER,
        reported: SUBJECT,
        room: evidence(Vec::new()).room,
        side: Side::B,
        reason: Reason::Harassment,
        note: String::new(),
        chosen,
        claims,
        weight: Weight::ONE,
        met: true,
        at: Timestamp(4000),
        withdrawn: None,
        verdict: None,
    }
}

fn claim(seq: u64, content: &str, verified: bool) -> TextClaim {
    TextClaim {
        seq: Seq(seq),
        content: content.into(),
        verified,
    }
}

fn shown(evidence: &Evidence, reports: &[Report], after: u64) -> Value {
    let room = RoomJson::of(evidence, SUBJECT, reports, Seq(after));
    serde_json::to_value(room).unwrap()
}

#[test]
fn what_was_reported_is_marked_and_claims_stand_where_they_belong() {
    let evidence = evidence(vec![
        message(1, Side::A, Some("hello")),
        message(2, Side::B, None),
        message(3, Side::B, Some("unsent later")),
        Entry {
            seq: Seq(4),
            at: Timestamp(2000),
            kind: EntryKind::Recall {
                side: Side::B,
                target: Seq(3),
                client_id: "r".into(),
            },
        },
    ]);
    let reports = [
        report(
            Chosen::Messages(vec![Seq(3), Seq(2)]),
            vec![claim(2, "a lie", false), claim(3, "unsent later", true)],
        ),
        report(
            Chosen::All,
            vec![claim(2, "rude", true), claim(1, "never said", false)],
        ),
    ];
    let room = shown(&evidence, &reports, 0);
    let of = |key: &str| -> Vec<Value> {
        let entries = room["entries"].as_array().unwrap();
        entries.iter().map(|it| it[key].clone()).collect()
    };
    assert_eq!(of("reported"), [false, true, true, false].map(Value::from));
    assert_eq!(of("recalled"), [false, true, true, false].map(Value::from));
    let proved = json!({"content": "rude", "verified": true});
    assert_eq!(of("claim"), [Value::Null, proved, Value::Null, Value::Null]);
    assert_eq!(of("kind")[3], "recall");
    assert_eq!(of("target")[3], 3);
    assert_eq!(room["subject"], "b");
    assert_eq!(room["sides"]["a"]["name"], "Mei");
    assert_eq!(room["next"], Value::Null);
}

#[test]
fn what_was_withdrawn_marks_nothing_and_what_is_invalid_does() {
    let evidence = evidence(vec![message(1, Side::B, Some("x"))]);
    let withdrawn = Report {
        withdrawn: Some(Timestamp(1)),
        ..report(Chosen::Messages(vec![Seq(1)]), Vec::new())
    };
    let room = shown(&evidence, &[withdrawn], 0);
    assert_eq!(room["entries"][0]["reported"], false);
    let invalid = Report {
        verdict: Some(crate::domain::safety::Verdict::Invalid),
        ..report(Chosen::Messages(vec![Seq(1)]), Vec::new())
    };
    let room = shown(&evidence, &[invalid], 0);
    assert_eq!(room["entries"][0]["reported"], true);
}

#[test]
fn texts_are_as_they_were_written() {
    let evil = "<img src=x onerror=alert(1)>\u{202e}\u{200b}\u{0}";
    let evidence = evidence(vec![message(1, Side::B, Some(evil))]);
    let room = shown(&evidence, &[], 0);
    assert_eq!(room["entries"][0]["content"], evil);
}

#[test]
fn an_answer_is_bounded_in_bytes_and_nothing_is_left_out() {
    let long = "字".repeat(2000);
    let entries = (1..=500).map(|seq| message(seq, Side::B, Some(&long)));
    let evidence = evidence(entries.collect());
    let (mut after, mut seen, mut answers) = (0, Vec::new(), 0);
    loop {
        let room = shown(&evidence, &[], after);
        assert!(room.to_string().len() < TEXT_BYTES + 64 * 1024);
        let entries = room["entries"].as_array().unwrap();
        seen.extend(entries.iter().map(|it| it["seq"].as_u64().unwrap()));
        answers += 1;
        match room["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, (1..=500).collect::<Vec<u64>>());
    assert!(answers > 1);
}

#[test]
fn the_newest_report_that_stands_says_which_room_is_read_first() {
    let rooms = [RoomId::fresh(), RoomId::fresh(), RoomId::fresh()];
    let of = |room: RoomId, withdrawn: bool| Report {
        room,
        withdrawn: withdrawn.then_some(Timestamp(1)),
        ..report(Chosen::All, Vec::new())
    };
    let reports = [
        of(RoomId::fresh(), false),
        of(rooms[2], true),
        of(rooms[1], false),
    ];
    assert_eq!(first_room(&reports, &rooms), Some(rooms[1]));
    assert_eq!(first_room(&reports[..2], &rooms), Some(rooms[2]));
    assert_eq!(first_room(&[], &rooms), Some(rooms[0]));
    assert_eq!(first_room(&reports, &[]), None);
}
