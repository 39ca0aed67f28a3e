//! A person who may not speak, and one who speaks into the void.

use super::*;
use crate::domain::safety::{AppealState, Notice, NoticeId, NoticeKind};
use crate::protocol::NoticeView;
use crate::state_machine::Voice;

const MUTED: Voice = Voice::Muted(Some(Timestamp(60_000)));

impl Bench {
    fn hushed(&mut self, voice: Voice, json: &str) {
        let frame = Chat::decode(json).unwrap();
        let now = self.now(Duration::ZERO);
        self.chat.on_hushed(frame, voice, now, &mut self.out);
    }

    fn json(&mut self) -> Vec<serde_json::Value> {
        let texts = self.frames().into_iter();
        texts.map(|it| serde_json::from_str(&it).unwrap()).collect()
    }
}

const SEND: &str = r#"{"action":"send_message","message":{"content":"hi","client_id":"c"}}"#;
const REACT: &str = r#"{"action":"react","message_id":"1","reaction":"heart"}"#;
const TYPING: &str = r#"{"action":"typing","is_typing":true}"#;
const LEAVING: &str = r#"{"action":"leaving","is_leaving":true}"#;
const READ: &str = r#"{"action":"read","seq":1}"#;
/// What goes on for both of them.
const OTHERS: [&str; 6] = [
    r#"{"action":"recall_message","message_id":"1"}"#,
    r#"{"action":"delete_message","message_id":"1"}"#,
    r#"{"action":"find_next"}"#,
    r#"{"action":"block"}"#,
    r#"{"action":"report","reason":"spam"}"#,
    r#"{"action":"acknowledge_notice","id":"67e55044-10b1-426f-9247-bb680e5fe0c8"}"#,
];

/// The same frame in the name of the other side.
fn of_the_other(frame: &str) -> String {
    let mut frame: serde_json::Value = serde_json::from_str(frame).unwrap();
    let partner = &room([1, 2]).sides[1].persona.user_id;
    frame["user_id"] = partner.as_str().into();
    frame.to_string()
}

fn bench() -> Bench {
    let mut bench = Bench::live(room([1, 2]), false);
    bench.frame(&live(1), Duration::ZERO);
    bench.out.clear();
    bench
}

#[test]
fn who_is_muted_is_told_so_and_asks_for_nothing_that_others_see() {
    let mut bench = bench();
    bench.hushed(MUTED, SEND);
    bench.hushed(MUTED, REACT);
    let told = bench.json();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        (&told[0]["code"], &told[0]["client_id"]),
        (&"muted".into(), &"c".into())
    );
    assert_eq!(told[0]["retry_after_ms"], 60_000);
    assert_eq!(
        (&told[1]["code"], &told[1]["message_id"]),
        (&"muted".into(), &"1".into())
    );
    for sign in [TYPING, LEAVING] {
        bench.hushed(MUTED, sign);
        assert!(bench.out.is_empty(), "{sign}");
    }
    bench.hushed(Voice::Muted(None), SEND);
    assert!(bench.json()[0].get("retry_after_ms").is_none());
    bench.hushed(MUTED, READ);
    assert_eq!(bench.jobs().len(), 2, "kept, and passed on");
    for other in OTHERS {
        bench.hushed(MUTED, other);
        assert_eq!(bench.jobs().len(), 1, "{other}");
    }
}

#[test]
fn who_is_not_heard_says_it_for_themselves_and_passes_nothing_on() {
    let mut bench = bench();
    bench.hushed(Voice::Unheard, SEND);
    let jobs = bench.jobs();
    assert!(
        matches!(&jobs[..], [ChatJob::Append(draft)] if draft.unheard),
        "{jobs:?}"
    );
    bench.hushed(Voice::Unheard, REACT);
    let jobs = bench.jobs();
    assert!(
        matches!(&jobs[..], [ChatJob::React(draft)] if draft.unheard),
        "{jobs:?}"
    );
    for passing in [TYPING, READ, LEAVING] {
        bench.hushed(Voice::Unheard, passing);
        assert!(bench.out.is_empty(), "{passing}");
    }
    for other in OTHERS {
        bench.hushed(Voice::Unheard, other);
        assert_eq!(bench.jobs().len(), 1, "{other}");
    }
    // What is refused is refused as it always is.
    for asked in [SEND, REACT, TYPING, READ, LEAVING] {
        bench.hushed(Voice::Unheard, &of_the_other(asked));
        assert_eq!(bench.json()[0]["code"], "not_a_member", "{asked}");
    }
    // Only what was said meanwhile.
    bench.input(REACT);
    let jobs = bench.jobs();
    assert!(
        matches!(&jobs[..], [ChatJob::React(draft)] if !draft.unheard),
        "{jobs:?}"
    );
    bench.input(SEND);
    let jobs = bench.jobs();
    assert!(
        matches!(&jobs[..], [ChatJob::Append(draft)] if !draft.unheard),
        "{jobs:?}"
    );
}

#[test]
fn a_notice_is_told_once_a_connection() {
    let notice = Notice {
        id: NoticeId::fresh(),
        to: SessionId([1; 16]),
        kind: NoticeKind::Mute,
        rule: None,
        text: "stop".into(),
        from: Timestamp(0),
        until: None,
        automatic: false,
        acted: None,
        sanction: None,
        acknowledged: None,
        appeal: AppealState::None,
    };
    let mut bench = bench();
    for told in [1, 0] {
        let now = bench.now(Duration::ZERO);
        bench.chat.on_news(now, &mut bench.out);
        assert!(matches!(bench.jobs()[..], [ChatJob::Notices(_)]));
        let views = vec![NoticeView::of(&notice).into_owned()];
        bench.outcome(ChatOutcome::Notices(views));
        assert_eq!(bench.written().len(), told);
    }
}
