//! The fuzz target's promises on the stable toolchain: the seeds, and frames that are nearly right.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::frame_rules;

#[test]
fn the_seeds_hold() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/client_frame");
    let mut count = 0;
    for seed in std::fs::read_dir(seeds).unwrap() {
        let text = std::fs::read_to_string(seed.unwrap().path()).unwrap();
        frame_rules::check(&text);
        // And every beginning of it.
        for (end, _) in text.char_indices().take(400) {
            frame_rules::check(&text[..end]);
        }
        count += 1;
    }
    assert!(count > 10, "the seeds are gone");
}

/// Words that mean something, characters that hide or reorder, sizes about the limits.
fn texts() -> impl Strategy<Value = String> {
    let odd = "[a\u{301}\u{327} \t\u{200b}\u{202e}\u{2066}\u{feff}\u{3164}\u{1100}\u{1161}ｒ音é\u{e0041}]{0,60}";
    prop_oneof![
        4 => prop::sample::select(vec![
            "send_message", "recall_message", "delete_message", "react", "heart", "find_next", "typing", "read",
            "block", "start_matching", "cancel_matching", "", "12", "-1", "18446744073709551616",
            "msg-1", "happy", "male", "all", "20", "21", "音樂",
        ]).prop_map(str::to_owned),
        4 => odd,
        2 => any::<String>(),
        1 => (1990_usize..2010).prop_map(|n| "長".repeat(n)),
        1 => (95_usize..105).prop_map(|n| "c".repeat(n)),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => texts().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let keys = prop::sample::select(vec![
        "action",
        "user_id",
        "content",
        "client_id",
        "replied_to",
        "nickname",
        "avatar",
        "mood",
        "gender",
        "preferredGender",
        "tags",
        "message_id",
        "is_typing",
        "reaction",
        "seq",
        "other",
    ]);
    scalar.prop_recursive(3, 24, 6, move |inner| {
        let fields = prop::collection::vec((keys.clone(), inner.clone()), 0..6);
        let object = fields.prop_map(|fields| {
            let fields = fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value));
            Value::Object(fields.collect())
        });
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            object
        ]
    })
}

fn frames() -> impl Strategy<Value = Value> {
    let actions = prop::sample::select(vec![
        "send_message",
        "recall_message",
        "delete_message",
        "react",
        "find_next",
        "typing",
        "read",
        "block",
        "start_matching",
        "cancel_matching",
        "nothing",
    ]);
    let message = (values(), values(), values());
    let user = (values(), values(), values(), values());
    let rest = (values(), values(), values(), values());
    (actions, message, user, rest).prop_map(|(action, message, user, rest)| {
        json!({
            "action": action,
            "message": {"content": message.0, "client_id": message.1, "replied_to": message.2},
            "user_data": {
                "nickname": user.0, "tags": [user.1, user.2, rest.0, "音樂"], "user_id": user.3,
                "avatar": rest.1,
            },
            "message_id": rest.2, "reaction": rest.1, "client_id": rest.3, "is_typing": rest.0, "seq": rest.1,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn frames_that_are_nearly_right_hold(frame in frames()) {
        frame_rules::check(&frame.to_string());
    }

    #[test]
    fn any_json_holds(value in values()) {
        frame_rules::check(&value.to_string());
    }

    #[test]
    fn frames_that_are_broken_hold(frame in frames(), at in any::<prop::sample::Index>(), byte in any::<char>()) {
        let text = frame.to_string();
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars[at] = byte;
        frame_rules::check(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn any_text_holds(text in any::<String>()) {
        frame_rules::check(&text);
    }
}
