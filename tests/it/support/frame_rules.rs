//! What a decoded client frame promises, whatever the client sent. Shared by the property test here
//! and the fuzz target in `fuzz/`; panics when a promise is broken.

use miyu::domain::entry::{CLIENT_ID_CHARS, CONTENT_CHARS};
use miyu::domain::profile::{AVATARS, NICKNAME_CHARS, USER_ID_BYTES};
use miyu::domain::safety::report::{CHOSEN, CLAIMS, NOTE_CHARS};
use miyu::domain::wish::{TAG_CHARS, TAGS};
use miyu::domain::{MessageRef, Profile, UserId, Wish};
use miyu::protocol::client::ReportRequest;
use miyu::protocol::{ChatAction, DecodeError, ErrorCode, LobbyAction, client};
use unicode_normalization::UnicodeNormalization as _;

/// Decodes this text as a frame of both sockets.
pub fn check(text: &str) {
    match client::lobby(text) {
        Ok(
            LobbyAction::Cancel
            | LobbyAction::CallMe(_)
            | LobbyAction::Acknowledge(_)
            | LobbyAction::AreYouThere,
        ) => {}
        Ok(LobbyAction::Start {
            user_id,
            profile,
            wish,
        }) => {
            user_id.iter().for_each(check_user_id);
            check_profile(&profile);
            check_wish(&wish);
        }
        Err(error) => check_error(&error, false),
    }
    match client::chat(text) {
        Ok(frame) => check_action(&frame.action),
        Err(error) => check_error(&error, true),
    }
    assert_eq!(
        client::chat(text),
        client::chat(text),
        "decoding is a function"
    );
}

fn check_user_id(user_id: &UserId) {
    let text = user_id.as_str();
    assert!((1..=USER_ID_BYTES).contains(&text.len()));
    assert_eq!(UserId::parse(text).as_ref(), Some(user_id));
}

fn check_profile(profile: &Profile) {
    check_visible(&profile.nickname, NICKNAME_CHARS);
    assert!(!profile.nickname.is_empty());
    assert!((1..=AVATARS).contains(&profile.avatar));
}

fn check_wish(wish: &Wish) {
    let tags = wish.tags.as_slice();
    assert!(tags.len() <= TAGS);
    for tag in tags {
        check_visible(tag, TAG_CHARS);
        assert!(!tag.is_empty());
    }
    let folded = wish.tags.folded();
    assert!(
        folded.windows(2).all(|pair| pair[0] != pair[1]),
        "{folded:?}"
    );
}

/// Nothing that hides, reorders or breaks the line; no white space to spare; not too long; NFC, or
/// names that look alike would differ. Joiners stand between what they join, one at a time.
fn check_visible(text: &str, most: usize) {
    assert!(text.chars().count() <= most, "{text:?}");
    assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), text);
    let hides = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{061C}' | '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{E0000}'..='\u{E002F}')
    };
    assert!(!text.chars().any(hides), "{text:?}");
    assert!(text.nfc().eq(text.chars()), "not composed: {text:?}");
    let joins = |c: char| {
        matches!(c,
            '\u{200C}'..='\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0030}'..='\u{E007F}')
    };
    let is_latin = |c: char| c.is_ascii_alphabetic() || c.is_whitespace();
    let chars: Vec<char> = text.chars().collect();
    assert!(!chars.first().is_some_and(|c| joins(*c)), "{text:?}");
    for pair in chars.windows(2) {
        assert!(!(is_latin(pair[0]) && joins(pair[1])), "{text:?}");
        let joiner = |c: char| matches!(c, '\u{200C}'..='\u{200D}');
        assert!(
            !(joiner(pair[0]) && (joins(pair[1]) || is_latin(pair[1]))),
            "{text:?}"
        );
    }
}

fn check_action(action: &ChatAction) {
    match action {
        ChatAction::Send {
            content,
            reply_to,
            client_id,
        } => {
            assert_eq!(content.trim(), content);
            assert!((1..=CONTENT_CHARS).contains(&content.chars().count()));
            let unseen = |c: char| matches!(c, '\u{200B}' | '\u{3164}' | '\u{FEFF}' | '\u{2800}');
            assert!(!content.chars().all(unseen), "{content:?}");
            reply_to.iter().for_each(check_reference);
            check_client_id(client_id.as_deref());
        }
        ChatAction::Recall { target, client_id } => {
            check_reference(target);
            check_client_id(client_id.as_deref());
        }
        ChatAction::Delete { target } | ChatAction::React { target, .. } => check_reference(target),
        ChatAction::FindNext
        | ChatAction::Typing(_)
        | ChatAction::Leaving(_)
        | ChatAction::Read(_)
        | ChatAction::Block
        | ChatAction::CallMe(_)
        | ChatAction::Acknowledge(_)
        | ChatAction::AreYouThere => {}
        ChatAction::Report(report) => check_report(report),
    }
}

fn check_report(report: &ReportRequest) {
    assert_eq!(report.note.trim(), report.note);
    assert!(report.note.chars().count() <= NOTE_CHARS);
    assert!(report.messages.len() <= CHOSEN && report.claims.len() <= CLAIMS);
    let claimed = report.claims.iter().map(|claim| claim.seq);
    for seq in report.messages.iter().copied().chain(claimed) {
        check_reference(&MessageRef::Seq(seq));
    }
    for claim in &report.claims {
        assert!(claim.content.chars().count() <= CONTENT_CHARS);
    }
}

fn check_reference(reference: &MessageRef) {
    match reference {
        // The store counts in signed 64 bits.
        MessageRef::Seq(seq) => assert!(i64::try_from(seq.0).is_ok()),
        MessageRef::ClientId(id) => check_client_id(Some(id)),
    }
}

fn check_client_id(client_id: Option<&str>) {
    let fits = |id: &str| (1..=CLIENT_ID_CHARS).contains(&id.chars().count());
    assert!(client_id.is_none_or(fits), "{client_id:?}");
}

fn check_error(error: &DecodeError, chat: bool) {
    check_client_id(error.client_id.as_deref());
    let invalid = error.code == ErrorCode::InvalidField;
    assert_eq!(invalid, error.field.is_some(), "{error:?}");
    let known = match error.code {
        ErrorCode::BadJson | ErrorCode::UnknownAction | ErrorCode::InvalidField => true,
        ErrorCode::TooLong | ErrorCode::Empty => chat,
        _ => false,
    };
    assert!(known, "{error:?}");
    assert_eq!(
        error.is_malformed(),
        !matches!(error.code, ErrorCode::TooLong | ErrorCode::Empty)
    );
}
