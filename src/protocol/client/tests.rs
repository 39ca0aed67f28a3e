//! Decoding: what is taken, what is refused and with which words.

use super::*;

fn chat_error(text: &str) -> (ErrorCode, Option<&'static str>) {
    let error = chat(text).expect_err(text);
    (error.code, error.field)
}

#[test]
fn a_message_as_original_clients_send_it() {
    let frame = chat(
        r#"{"action":"send_message","user_id":"u1","message":{"content":" 嗨 ","replied_to":null,"client_id":"msg-1"}}"#,
    )
    .unwrap();
    assert_eq!(frame.user_id.as_deref(), Some("u1"));
    assert_eq!(
        frame.action,
        ChatAction::Send {
            content: "嗨".into(),
            reply_to: None,
            client_id: Some("msg-1".into())
        }
    );
}

#[test]
fn a_message_that_shows_nothing_is_empty() {
    for unseen in [
        "\u{200B}",
        "\u{3164}",
        "\u{FEFF}",
        "\u{2800}",
        "\u{AD}",
        "\u{E0041}",
        " \u{200D}\n\u{FE0F} ",
    ] {
        let text = serde_json::json!({
            "action": "send_message", "message": {"content": unseen, "client_id": "c"},
        });
        let error = chat(&text.to_string()).expect_err(unseen);
        assert_eq!(error.code, ErrorCode::Empty, "{unseen:?}");
        assert_eq!(error.client_id.as_deref(), Some("c"));
        assert!(!error.is_malformed());
        // Beside something that shows it is kept as it was written.
        let text = serde_json::json!({
            "action": "send_message", "message": {"content": format!("{unseen}a{unseen}b")},
        });
        let ChatAction::Send { content, .. } = chat(&text.to_string()).unwrap().action else {
            panic!("not a message")
        };
        assert_eq!(content, format!("{unseen}a{unseen}b").trim());
    }
}

#[test]
fn references_are_numbers_or_own_names() {
    for (given, wanted) in [
        (r#""7""#, MessageRef::Seq(Seq(7))),
        ("7", MessageRef::Seq(Seq(7))),
        (r#""msg-7""#, MessageRef::ClientId("msg-7".into())),
        (
            r#""99999999999999999999""#,
            MessageRef::ClientId("99999999999999999999".into()),
        ),
    ] {
        let text = format!(r#"{{"action":"recall_message","message_id":{given}}}"#);
        let ChatAction::Recall { target, .. } = chat(&text).unwrap().action else {
            panic!("not a recall")
        };
        assert_eq!(target, wanted);
    }
}

#[test]
fn what_is_wrong_is_named() {
    use ErrorCode::*;
    assert_eq!(chat_error("["), (BadJson, None));
    assert_eq!(chat_error("[]"), (BadJson, None));
    assert_eq!(chat_error("{}"), (UnknownAction, None));
    assert_eq!(chat_error(r#"{"action":5}"#), (UnknownAction, None));
    assert_eq!(
        chat_error(r#"{"action":"send_message"}"#),
        (InvalidField, Some("message"))
    );
    assert_eq!(
        chat_error(r#"{"action":"send_message","message":{"content":1}}"#),
        (InvalidField, Some("content"))
    );
    assert_eq!(
        chat_error(r#"{"action":"send_message","message":{"content":" \n "}}"#),
        (Empty, None)
    );
    assert_eq!(
        chat_error(r#"{"action":"typing","is_typing":"yes"}"#),
        (InvalidField, Some("is_typing"))
    );
    assert_eq!(
        chat_error(r#"{"action":"read","seq":-1}"#),
        (InvalidField, Some("seq"))
    );
    assert_eq!(
        chat_error(r#"{"action":"find_next","user_id":[]}"#),
        (InvalidField, Some("user_id"))
    );
}

#[test]
fn length_counts_characters_not_bytes() {
    let message = |n: usize| {
        format!(
            r#"{{"action":"send_message","message":{{"content":"{}","client_id":"c"}}}}"#,
            "語".repeat(n)
        )
    };
    assert!(chat(&message(2000)).is_ok());
    let error = chat(&message(2001)).unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLong);
    assert_eq!(error.client_id.as_deref(), Some("c"));
}

#[test]
fn what_only_the_other_socket_has_is_passed_over() {
    let said = r#"{"action":"find_next","user_data":{"tags":7,"nickname":"\ud800"},"x\n":1e999}"#;
    assert_eq!(chat(said).unwrap().action, ChatAction::FindNext);
    let said = r#"{"action":"cancel_matching","message":[],"seq":1e999,"client_id":{}}"#;
    assert_eq!(lobby(said).unwrap(), LobbyAction::Cancel);
    // Of its own fields, every one must be JSON that means something.
    let said = r#"{"action":"find_next","client_id":1e999}"#;
    assert_eq!(chat_error(said), (ErrorCode::BadJson, None));
    // A name may be written with escapes.
    let said = r#"{"\u0061ction":"find_next"}"#;
    assert_eq!(chat(said).unwrap().action, ChatAction::FindNext);
}

#[test]
fn deep_nesting_costs_no_stack() {
    let nested = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let ignored = format!(r#"{{"action":"find_next","x":{nested}}}"#);
    assert!(matches!(chat(&ignored), Ok(frame) if frame.action == ChatAction::FindNext));
    let known = format!(r#"{{"action":"typing","is_typing":{nested}}}"#);
    let error = chat(&known).err().map(|e| (e.code, e.field));
    assert_eq!(error, Some((ErrorCode::InvalidField, Some("is_typing"))));
}

#[test]
fn profiles_never_refuse() {
    let LobbyAction::Start {
        user_id,
        profile,
        wish,
    } = lobby(
        r#"{"action":"start_matching","user_data":{"nickname":7,"avatar":3,"mood":[],"gender":"x","preferredGender":{},"tags":["音樂",5,"音樂","a"]}}"#,
    )
    .unwrap()
    else {
        panic!("not a start")
    };
    assert_eq!(user_id, None);
    assert_eq!(profile.avatar, 3);
    assert_eq!(profile.nickname, "匿名用戶");
    assert_eq!(wish.tags.as_slice(), ["音樂", "a"]);
}

#[test]
fn a_bad_user_id_is_an_error() {
    let error = lobby(r#"{"action":"start_matching","user_data":{"user_id":"a b"}}"#).unwrap_err();
    assert_eq!(error.field, Some("user_id"));
}

#[test]
fn half_a_character_in_what_is_said_is_replaced() {
    let said = r#"{"action":"send_message","message":{"content":"cut \ud83d","client_id":"m-1"}}"#;
    let ChatAction::Send {
        content, client_id, ..
    } = chat(said).unwrap().action
    else {
        panic!("not a message")
    };
    assert_eq!(content, "cut \u{fffd}");
    assert_eq!(client_id.as_deref(), Some("m-1"));
    let said =
        r#"{"action":"start_matching","user_data":{"nickname":"月\udc00","tags":["a\ud83d"]}}"#;
    let LobbyAction::Start { profile, wish, .. } = lobby(said).unwrap() else {
        panic!("not a start")
    };
    assert_eq!(profile.nickname, "月\u{fffd}");
    assert_eq!(wish.tags.as_slice(), ["a\u{fffd}"]);
}

#[test]
fn halves_do_not_make_two_names_one() {
    for half in ["\\ud83d", "\\udc00"] {
        let said = format!(
            r#"{{"action":"send_message","message":{{"content":"a","client_id":"m{half}"}}}}"#
        );
        assert_eq!(chat_error(&said), (ErrorCode::BadJson, None));
    }
    // The sign itself is as good as any in a name.
    let said =
        "{\"action\":\"send_message\",\"message\":{\"content\":\"a\",\"client_id\":\"m\u{fffd}\"}}";
    assert!(chat(said).is_ok());
}

#[test]
fn an_unreadable_frame_says_which_message_it_was() {
    let said =
        r#"{"action":"send_message","message":{"content":"a","client_id":"m-7"},"seq":1e999}"#;
    let error = chat(said).unwrap_err();
    assert_eq!(error.code, ErrorCode::BadJson);
    assert_eq!(error.client_id.as_deref(), Some("m-7"));
}

#[test]
fn a_reaction_names_a_message_and_one_of_five_or_none() {
    let decoded = |reaction: &str| {
        let text = format!(r#"{{"action":"react","message_id":"3","reaction":{reaction}}}"#);
        chat(&text).map(|frame| frame.action)
    };
    let target = MessageRef::Seq(Seq(3));
    for reaction in Reaction::ALL {
        let word = format!("{:?}", reaction.as_str());
        let expected = ChatAction::React {
            target: target.clone(),
            reaction: Some(reaction),
        };
        assert_eq!(decoded(&word), Ok(expected));
    }
    let taken_back = ChatAction::React {
        target,
        reaction: None,
    };
    assert_eq!(decoded("null"), Ok(taken_back));
    for other in [r#""love""#, r#""""#, "1", "[]", "true"] {
        let error = decoded(other).expect_err(other);
        assert_eq!(
            (error.code, error.field),
            (ErrorCode::InvalidField, Some("reaction"))
        );
    }
    let unsaid = r#"{"action":"react","message_id":"3"}"#;
    assert_eq!(
        chat_error(unsaid),
        (ErrorCode::InvalidField, Some("reaction"))
    );
    let unnamed = r#"{"action":"react","reaction":"ok"}"#;
    assert_eq!(
        chat_error(unnamed),
        (ErrorCode::InvalidField, Some("message_id"))
    );
}
