//! What a file tells of a case, and what it keeps back.

use super::super::evidence::tests::{REPORTER, SUBJECT, evidence, message, report as made};
use super::*;
use crate::domain::id::{SessionId, Side, Timestamp};
use crate::domain::safety::{CaseId, CaseState, NetworkKey, Priority, Reason};
use serde_json::Value;

fn file(reports: Vec<Report>) -> CaseFile {
    CaseFile {
        case: Case {
            id: CaseId(7),
            kind: CaseKind::Reports,
            subject: SUBJECT,
            state: CaseState::Open,
            reason: Reason::Harassment,
            priority: Priority(3000),
            reports: 1,
            claim: None,
            opened_at: Timestamp(4000),
            closed_at: None,
            reopened: false,
            held_until: None,
            text: String::new(),
        },
        rooms: reports.iter().map(|it| it.room).collect(),
        reports,
        decisions: Vec::new(),
        steps: Vec::new(),
        sanctions: Vec::new(),
    }
}

fn shown(file: &CaseFile, first: Option<&Evidence>) -> Value {
    let names = Names::default();
    let json = FileJson::of(FileParts {
        file,
        acts: &[Act::Claim, Act::Decide],
        revalidatable: &[],
        first,
        about: std::slice::from_ref(&file.case),
        history: &[(
            Accuracy {
                upheld: 3,
                decided: 5,
            },
            true,
        )],
        looking: Looking {
            names: &names,
            me: None,
            now: Timestamp(6000),
        },
    });
    serde_json::to_value(json).unwrap()
}

#[test]
fn a_file_names_no_session() {
    let first = evidence(vec![message(1, Side::B, Some("rude"))]);
    let file = file(vec![made(Chosen::All, Vec::new())]);
    let json = shown(&file, Some(&first));
    let text = json.to_string();
    for session in [SUBJECT, REPORTER] {
        let hex: String = session.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!text.contains(&hex), "{text}");
        assert!(!text.contains(&format!("{:?}", session.0)), "{text}");
    }
    assert_eq!(json["reports"][0]["reporter"], "1");
    assert_eq!(json["reporters"][0]["upheld"], 3);
    assert_eq!(json["reporters"][0]["muted"], true);
    assert_eq!(json["case"]["priority"], 1.5);
    assert_eq!(
        json["may"],
        serde_json::json!(["claim", "decide", "invalidate"])
    );
    assert_eq!(json["earlier"].as_array().unwrap().len(), 0);
}

#[test]
fn a_sanction_can_be_on_a_network_that_is_known() {
    let file = file(vec![made(Chosen::All, Vec::new())]);
    let mut first = evidence(Vec::new());
    let key = NetworkKey::new(&[1; 32]);
    let networks = key.networks("203.0.113.7".parse().unwrap());
    first.networks[0] = Some(networks);
    assert_eq!(
        shown(&file, Some(&first))["targets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    first.networks[1] = Some(networks);
    assert_eq!(
        shown(&file, Some(&first))["targets"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(shown(&file, None)["targets"].as_array().unwrap().len(), 1);
}

#[test]
fn reports_are_bounded_in_number_and_bytes() {
    let plain = made(Chosen::All, Vec::new());
    let of = |at: u16, note: &str| Report {
        reporter: SessionId([u8::try_from(at % 200).unwrap(); 16]),
        note: note.to_owned(),
        ..plain.clone()
    };
    let short = file((0..300).map(|at| of(at, "x")).collect());
    let json = shown(&short, None);
    assert_eq!(json["reports"].as_array().unwrap().len(), REPORTS);
    assert_eq!(json["reports_left_out"], 200);
    let claims = |at: u16| Report {
        claims: vec![TextClaim {
            seq: Seq(1),
            content: "x".repeat(40_000),
            verified: false,
        }],
        ..of(at, "x")
    };
    let json = shown(&file((0..300).map(claims).collect()), None);
    assert!(json.to_string().len() < TEXT_BYTES + 64 * 1024);
    assert_eq!(json["reports"].as_array().unwrap().len(), 13);
}
