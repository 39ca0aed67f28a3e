//! What a browser keeps of conversations, and how it is made to forget: no address names a room, and
//! "Clear and start over" leaves nothing.

use serde_json::json;

use crate::support::audit::{accessible, legible};
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::{Play, picture};

/// What these pages have stored, in both storages.
const STORED: &str = "[localStorage, sessionStorage].flatMap((area) => Object.keys(area)).filter((key) => key.startsWith('miyu.'))";

/// Ends a conversation in which both have spoken.
async fn leaves(person: &Person) {
    person.room_menu("menu-leave").await;
    person.sees("end-card").await;
}

#[test]
fn no_address_names_a_room_and_what_ended_opens_only_where_it_was() {
    Play::new("addresses").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("在這裡").await;
        bao.says("好").await;
        anna.hears("好").await;
        let room = anna.room().await;
        let named = "location.href.includes(arguments[0])";
        assert_eq!(
            anna.ask("location.pathname + location.search", json!([]))
                .await,
            "/chat/"
        );
        // Away and back, by the history and by home's own list.
        anna.goto("/").await;
        anna.press("resume").await;
        anna.has_log(json!(["在這裡", "好"])).await;
        assert_eq!(anna.ask(named, json!([room])).await, false);
        anna.go_back().await;
        anna.sees("start").await;
        anna.go_forward().await;
        anna.has_log(json!(["在這裡", "好"])).await;
        // An address as they once were works while the room is open, and is gone at once.
        let first = anna.window().await;
        anna.open_tab().await;
        anna.goto(&format!("/chat/?room={room}")).await;
        anna.has_log(json!(["在這裡", "好"])).await;
        assert_eq!(anna.ask(named, json!([room])).await, false);
        leaves(&bao).await;
        anna.sees("end-card").await;
        anna.reload().await;
        anna.has_log(json!(["在這裡", "好"])).await;
        // It has ended: another tab of the same browser does not open it.
        anna.open_tab().await;
        anna.goto(&format!("/chat/?room={room}")).await;
        anna.sees("gone").await;
        anna.switch_to(&first).await;
        anna.sees("end-card").await;
    });
}

#[test]
fn a_draft_goes_with_the_end() {
    Play::new("draft_ends").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("一").await;
        bao.says("二").await;
        anna.hears("二").await;
        let draft = "Object.keys(sessionStorage).some((key) => key.startsWith('miyu.draft.'))";
        anna.fill("composer", "沒說出口的").await;
        anna.until(draft, json!([])).await;
        leaves(&bao).await;
        anna.sees("end-card").await;
        assert_eq!(anna.ask(draft, json!([])).await, false);
    });
}

#[test]
fn a_browser_that_is_forgotten_begins_as_new() {
    Play::new("forgotten").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("再見").await;
        let other = anna.window().await;
        anna.open_tab().await;
        anna.goto("/chat/").await;
        anna.has_log(json!(["再見"])).await;
        anna.room_menu("menu-forget").await;
        anna.reads("forget-sheet", "封鎖").await;
        accessible(&anna, "forget-sheet").await;
        legible(&anna, "forget-sheet").await;
        picture(&anna, "forget-sheet").await;
        anna.press("forget-cancel").await;
        anna.sees_no("forget-sheet").await;
        anna.room_menu("menu-forget").await;
        anna.press("forget-confirm").await;
        anna.reads("toast", "都清除了").await;
        anna.sees("start").await;
        bao.sees("end-card").await;
        picture(&bao, "end-card-forget").await;
        assert_eq!(anna.ask("shown('resume')", json!([])).await, false);
        let consent = "localStorage.getItem('miyu.consent')";
        assert_eq!(anna.ask(consent, json!([])).await, json!(null));
        // Her other tab is sent home too, and finds nothing of the room.
        anna.switch_to(&other).await;
        anna.sees("start").await;
        assert_eq!(anna.ask("shown('resume')", json!([])).await, false);

        bao.press("end-forget").await;
        bao.press("forget-confirm").await;
        bao.sees("start").await;
        let kept = bao.ask(STORED, json!([])).await;
        let kept: Vec<&str> = kept
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it.as_str())
            .collect();
        assert!(
            kept.iter().all(|key| *key == "miyu.profile"),
            "only a new profile: {kept:?}"
        );
    });
}

#[test]
fn a_forgetting_whose_answer_is_lost_is_done_all_the_same() {
    Play::new("lost_answer_of_forgetting").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        // The server does it; what it answers does not arrive, and a proxy says something instead.
        let lost = "(() => { const real = globalThis.fetch; globalThis.fetch = async (path, options) => { \
            const answer = await real(path, options); \
            if (!String(path).includes('forget')) return answer; \
            return new Response('Bad Gateway', { status: 502, headers: { 'content-type': 'text/html' } }); \
            }; return 0; })()";
        anna.ask(lost, json!([])).await;
        anna.room_menu("menu-forget").await;
        anna.press("forget-confirm").await;
        anna.sees("start").await;
        let consent = "localStorage.getItem('miyu.consent')";
        assert_eq!(anna.ask(consent, json!([])).await, json!(null));
        bao.sees("end-card").await;
    });
}
