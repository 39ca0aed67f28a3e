//! The schema and the decoder agree, and each frame has its place.

use jsonschema::Validator;

use super::*;
use crate::protocol::client as decoder;

fn validator(name: &str) -> Validator {
    let mut schema = document(&[]);
    schema["oneOf"] = json!([{ "$ref": format!("#/$defs/{name}") }]);
    jsonschema::validator_for(&schema).unwrap()
}

/// Client frames with as little and with as much as there can be.
fn client_frames() -> Vec<(&'static str, Value)> {
    let room = "01a204d3-f626-7656-87d2-151453164fe2";
    let keys = json!({ "p256dh": "BA", "auth": "AA" });
    let subscription = json!({ "endpoint": "https://push.example/1", "keys": keys });
    let claim =
        json!({ "seq": 3, "content": "no", "proof": "X7FnnghnQFm3LicdiQLBGg", "sent_at_ms": 1 });
    let profile = json!({ "user_id": "u-1", "nickname": "Mei", "avatar": "7", "mood": "happy", "gender": "female",
        "preferredGender": "all", "tags": ["音樂"], "languages": ["zh-TW"] });
    vec![
        ("matching", json!({ "action": "are_you_there" })),
        ("matching", json!({ "action": "cancel_matching" })),
        (
            "matching",
            json!({ "action": "start_matching", "user_data": {} }),
        ),
        (
            "matching",
            json!({ "action": "start_matching", "user_data": profile }),
        ),
        (
            "matching",
            json!({ "action": "call_me", "subscription": null }),
        ),
        (
            "matching",
            json!({ "action": "call_me", "subscription": subscription }),
        ),
        (
            "matching",
            json!({ "action": "acknowledge_notice", "id": room }),
        ),
        ("enter", json!({ "action": "enter", "room": room })),
        (
            "enter",
            json!({ "action": "enter", "room": room, "token": "t", "after": 3, "after_sent_at_ms": 9, "together": true, "user_id": "u-1" }),
        ),
        (
            "chat",
            json!({ "action": "acknowledge_notice", "id": room, "user_id": "u-1" }),
        ),
        ("chat", json!({ "action": "are_you_there" })),
        ("chat", json!({ "action": "block" })),
        (
            "chat",
            json!({ "action": "call_me", "subscription": subscription }),
        ),
        (
            "chat",
            json!({ "action": "delete_message", "message_id": "3", "user_id": "u-1" }),
        ),
        ("chat", json!({ "action": "find_next" })),
        ("chat", json!({ "action": "leaving", "is_leaving": true })),
        (
            "chat",
            json!({ "action": "react", "message_id": "3", "reaction": "heart" }),
        ),
        (
            "chat",
            json!({ "action": "react", "message_id": "3", "reaction": null }),
        ),
        ("chat", json!({ "action": "read", "seq": 3 })),
        (
            "chat",
            json!({ "action": "recall_message", "message_id": "c-1", "client_id": "c-2" }),
        ),
        ("chat", json!({ "action": "report", "reason": "self_harm" })),
        (
            "chat",
            json!({ "action": "report", "reason": "spam", "note": "…", "messages": ["3"], "claims": [claim], "block": true }),
        ),
        (
            "chat",
            json!({ "action": "send_message", "message": { "content": "hi" } }),
        ),
        (
            "chat",
            json!({ "action": "send_message", "message": { "content": "hi", "replied_to": "1", "client_id": "c-1" } }),
        ),
        (
            "chat",
            json!({ "action": "typing", "is_typing": false, "user_id": "u-1" }),
        ),
    ]
}

#[test]
fn what_the_schema_describes_is_understood() {
    let [matching, chat] = ["matching.client", "chat.client"].map(validator);
    let mut seen = std::collections::BTreeSet::new();
    for (socket, frame) in client_frames() {
        let text = frame.to_string();
        let (schema, understood) = match socket {
            "matching" => (&matching, decoder::lobby(&text).is_ok()),
            "enter" => (&chat, decoder::enter(&text).is_ok()),
            _ => (&chat, decoder::chat(&text).is_ok()),
        };
        assert!(understood, "{text}");
        let fault = schema.validate(&frame).err().map(|it| it.to_string());
        assert_eq!(fault, None, "{text}");
        seen.insert(frame["action"].as_str().unwrap().to_owned());
    }
    let described = client::FRAMES
        .iter()
        .map(|(action, _)| (*action).to_owned());
    assert_eq!(seen, described.collect());
}

#[test]
fn what_the_decoder_refuses_is_not_described() {
    let chat = validator("chat.client");
    for frame in [
        json!({ "action": "fly" }),
        json!({ "action": "typing" }),
        json!({ "action": "typing", "is_typing": "yes" }),
        json!({ "action": "read", "seq": -1 }),
        json!({ "action": "react", "message_id": "3", "reaction": "angry" }),
        json!({ "action": "delete_message" }),
        json!({ "action": "send_message", "message": { "content": "hi", "client_id": "x".repeat(101) } }),
        json!({ "action": "report", "reason": "rude" }),
        json!({ "action": "call_me", "subscription": { "endpoint": "https://push.example/1" } }),
    ] {
        assert!(decoder::chat(&frame.to_string()).is_err(), "{frame}");
        assert!(!chat.is_valid(&frame), "{frame}");
    }
}

#[test]
fn each_socket_says_frames_that_are_described() {
    for (names, frames) in [
        ([server::MATCHING, server::CHAT], server::FRAMES),
        ([client::MATCHING, client::CHAT], client::FRAMES),
    ] {
        let described: Vec<&str> = frames.iter().map(|(action, _)| *action).collect();
        let mut used: Vec<&str> = names.concat();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used, described, "sorted, each once");
    }
}

#[test]
fn no_name_means_two_things() {
    let newest = SchemaSettings::draft2020_12;
    let mut both =
        [newest().for_serialize(), newest().for_deserialize()].map(SchemaSettings::into_generator);
    frames("server", server::FRAMES, &mut both[0]);
    frames("client", client::FRAMES, &mut both[1]);
    let [says, takes] = both.map(|mut it| it.take_definitions(true));
    for (name, schema) in &says {
        assert!(
            takes.get(name).is_none_or(|other| other == schema),
            "{name}"
        );
    }
}

#[test]
fn the_document_is_itself_a_schema() {
    let document = document(&[]);
    assert!(jsonschema::meta::is_valid(&document));
    assert_eq!(document["protocol"], VERSION);
}
