//! Orders that fit, and those that are refused with words.

use super::*;
use crate::domain::id::Side;
use crate::domain::safety::NetworkLength;
use serde_json::{Value, json};

fn parse<T: DeserializeOwned>(json: &Value) -> Result<T, Refused> {
    read(json.to_string().as_bytes())
}

fn raid(address: &str) -> Result<SanctionDraft, Refused> {
    let json = json!({"address": address, "kind": "ban", "length_ms": 3_600_000, "rule": "spam"});
    parse::<RaidJson>(&json)?.draft(&NetworkKey::new(&[7; 32]))
}

#[test]
fn a_raid_names_one_of_the_networks_that_are_hashed() {
    let known = NetworkKey::new(&[7; 32]).networks("203.0.113.7".parse().unwrap());
    let of = |address: &str| raid(address).unwrap().target;
    assert_eq!(of("203.0.113.7"), SanctionTarget::Network(known.near));
    assert_eq!(of("203.0.113.7/32"), SanctionTarget::Network(known.near));
    assert_eq!(of(" 203.0.113.0/24 "), SanctionTarget::Network(known.wide));
    assert_eq!(
        of("::ffff:203.0.113.7"),
        SanctionTarget::Network(known.near)
    );
    let length = |address: &str| match of(address) {
        SanctionTarget::Network(network) => network.length,
        SanctionTarget::Session(_) => unreachable!("a network"),
    };
    assert_eq!(length("2001:db8::1"), NetworkLength::V6Link);
    assert_eq!(length("2001:db8::1/48"), NetworkLength::V6Site);
    for wrong in [
        "",
        "example",
        "203.0.113.7/16",
        "2001:db8::/32",
        "203.0.113.7/",
        "1.2.3/24",
    ] {
        assert!(matches!(raid(wrong), Err(Refused::NoNetwork)), "{wrong}");
    }
}

#[test]
fn lengths_are_not_nothing_and_not_for_ever() {
    assert!(length(0).is_err());
    assert!(length(u64::MAX).is_err());
    assert_eq!(length(1).unwrap(), Duration::from_millis(1));
}

#[test]
fn a_sanction_is_on_what_is_known() {
    let subject = SessionId([2; 16]);
    let networks = NetworkKey::new(&[7; 32]).networks("203.0.113.7".parse().unwrap());
    let order = |json: Value| -> SanctionOrder { serde_json::from_value(json).unwrap() };
    let draft = |json: Value, networks: Option<Networks>| {
        let reporter = |name: &str| (name == "1").then_some(SessionId([1; 16]));
        order(json).draft(&Targets {
            subject,
            networks,
            reporter: &reporter,
        })
    };
    let ban = draft(
        json!({"on": "person", "kind": "ban", "length_ms": 1000}),
        None,
    )
    .unwrap();
    assert_eq!(ban.target, SanctionTarget::Session(subject));
    assert_eq!(ban.length, Some(Duration::from_secs(1)));
    let wide = json!({"on": "network", "kind": "ban", "length_ms": 1000});
    assert!(matches!(draft(wide.clone(), None), Err(Refused::Unfit(_))));
    let wide = draft(wide, Some(networks)).unwrap();
    assert_eq!(wide.target, SanctionTarget::Network(networks.wide));
    let of = |name: &str| json!({"on": "reporter", "kind": "reporter_mute", "reporter": name});
    let mute = draft(of("1"), None).unwrap();
    assert_eq!(mute.target, SanctionTarget::Session(SessionId([1; 16])));
    assert!(draft(of("2"), None).is_err());
    let unknown = json!({"on": "person", "kind": "exile"});
    assert!(serde_json::from_value::<SanctionOrder>(unknown).is_err());
}

#[test]
fn texts_have_a_length_and_an_appeal_is_answered() {
    let long = "字".repeat(TEXT_CHARS + 1);
    let decide = |text: &str| {
        let json = json!({"finding": "violation", "rule": "spam", "text": text});
        parse::<DecideJson>(&json).unwrap().fits()
    };
    assert!(decide(&long).is_err());
    assert!(decide(&long[3..]).is_ok());
    let sanctioned = |on: &str, kind: &str| {
        let sanctions = [json!({"on": on, "kind": kind})];
        let json =
            json!({"finding": "violation", "rule": "spam", "text": " ", "sanctions": sanctions});
        parse::<DecideJson>(&json).unwrap().fits()
    };
    for told in ["warning", "mute", "ban"] {
        assert!(sanctioned("person", told).is_err(), "{told} without a word");
    }
    for untold in ["note", "shadow_mute"] {
        assert!(sanctioned("person", untold).is_ok(), "{untold}");
    }
    assert!(sanctioned("network", "ban").is_ok());
    let appeal = |outcome: &str, sanction: Value, text: &str| {
        let json = json!({"outcome": outcome, "sanction": sanction, "text": text});
        parse::<AppealJson>(&json).unwrap().fits()
    };
    let mute = json!({"on": "person", "kind": "mute", "length_ms": 1000});
    assert!(appeal("uphold", Value::Null, "because").is_ok());
    assert!(appeal("uphold", Value::Null, " ").is_err());
    assert!(appeal("uphold", mute.clone(), "because").is_err());
    assert!(appeal("change", mute, "because").is_ok());
    assert!(appeal("change", Value::Null, "because").is_err());
}

#[test]
fn a_case_by_hand_is_about_one_thing_and_says_who_asked() {
    let hand = |mut json: Value| {
        json["reason"] = json!("minor");
        parse::<HandJson>(&json).unwrap().about()
    };
    let session = "0123456789abcdef0123456789abcdef";
    let room = "01900000-0000-7000-8000-000000000001";
    let about = hand(json!({"session": session, "note": "the police"})).unwrap();
    assert!(matches!(about, About::Session(it) if it.0[0] == 1));
    let about = hand(json!({"room": room, "side": "b", "note": "a parent"})).unwrap();
    assert!(matches!(about, About::Side(_, Side::B)));
    for wrong in [
        json!({"session": session, "note": " "}),
        json!({"session": "x", "note": "n"}),
        json!({"session": "+123456789abcdef0123456789abcdef", "note": "n"}),
        json!({"room": room, "note": "n"}),
        json!({"room": room, "side": "c", "note": "n"}),
        json!({"room": "x", "side": "a", "note": "n"}),
        json!({"session": session, "room": room, "side": "a", "note": "n"}),
        json!({"note": "n"}),
    ] {
        assert!(hand(wrong.clone()).is_err(), "{wrong}");
    }
}
