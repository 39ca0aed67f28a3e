//! One person alone: what a fresh install is tried with, here and from another host.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::stage::Play;

/// A host that is neither this machine's name nor trusted by the browser.
const ELSEWHERE: &str = "MAP chat.lan 127.0.0.1";

#[test]
fn after_a_while_a_second_window_is_offered_and_both_meet() {
    Play::new("alone_second_window").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.goto("/").await;
        anna.fill("nickname", "Anna").await;
        anna.choose("gender-female").await;
        anna.choose("wish-male").await;
        anna.press("tag-電影").await;
        anna.find_someone().await;
        anna.is_searching().await;
        assert_eq!(
            anna.ask("shown('option-second')", json!([])).await,
            false,
            "not at once"
        );
        anna.sees("option-second").await;
        let rows = "[...document.querySelectorAll('.option-row')].map((row) => row.dataset.testid)";
        let wanted = json!(["option-widen", "option-second"]);
        assert_eq!(
            anna.ask(rows, json!([])).await,
            wanted,
            "the copy row is for other hosts"
        );
        anna.press("option-widen").await;
        anna.sees_no("option-widen").await;
        assert_eq!(anna.ask(rows, json!([])).await, json!(["option-second"]));

        let first = anna.window().await;
        anna.press("option-second").await;
        let second = anna.other_window(&first).await;
        anna.switch_to(&second).await;
        anna.meets("Anna").await;
        anna.reads("chat", "你自己的另一個視窗").await;
        anna.says("從第二個視窗").await;
        let guest = anna
            .ask(
                "document.querySelector('.side-card b')?.textContent",
                json!([]),
            )
            .await;
        anna.switch_to(&first).await;
        anna.meets(guest.as_str().expect("the guest has a name"))
            .await;
        anna.hears("從第二個視窗").await;
        anna.says("收到").await;
        // The guest's random profile stays in its window.
        anna.goto("/").await;
        anna.until("byTest('nickname').value === 'Anna'", json!([]))
            .await;
        anna.until(
            "byTest('gender-female').checked && byTest('wish-all').checked",
            json!([]),
        )
        .await;
    });
}

#[test]
fn a_guest_of_somebody_with_a_wish_fits_that_wish() {
    Play::new("guest_fits_the_wish").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.goto("/").await;
        anna.fill("nickname", "Anna").await;
        anna.choose("gender-female").await;
        anna.choose("wish-male").await;
        anna.find_someone().await;
        let first = anna.window().await;
        let second = anna.open_tab().await;
        anna.goto("/?guest=1").await;
        anna.meets("Anna").await;
        anna.says("嗨").await;
        anna.switch_to(&first).await;
        anna.hears("嗨").await;
        anna.switch_to(&second).await;
        anna.press("back").await;
        anna.until("byTest('gender-male').checked", json!([])).await;
        anna.reads("resume", "Anna").await;
    });
}

#[test]
fn on_plain_http_at_another_host_everything_works() {
    Play::new("plain_http_elsewhere").run(async |stage| {
        let browser = Browser {
            resolver: Some(ELSEWHERE),
            ..Browser::default()
        };
        let base = format!("http://chat.lan:{}", stage.port());
        let (anna, bao) = tokio::join!(
            stage.person_at("Anna", &browser, base.clone()),
            stage.person_at("Bao", &browser, base.clone())
        );
        anna.start().await;
        assert_eq!(anna.ask("window.isSecureContext", json!([])).await, false);
        anna.sees("option-share").await;
        assert_eq!(anna.ask("shown('option-second')", json!([])).await, false);
        // The code that others in the room can scan is there, and large when it is pressed.
        anna.reads("option-scan", &base).await;
        anna.until(
            "byTest('option-scan').querySelector('img').naturalWidth > 0",
            json!([]),
        )
        .await;
        anna.press("option-scan").await;
        anna.until(
            "byTest('code-sheet').querySelector('img').width >= 280",
            json!([]),
        )
        .await;
        anna.press("sheet-close").await;
        anna.press("option-share").await;
        anna.reads("toast", "網址複製好了").await;

        bao.start().await;
        anna.meets("Bao").await;
        bao.meets("Anna").await;
        // What was copied without the clipboard API is really there.
        anna.press("composer").await;
        let paste = format!("{}v{}", char::from(Key::Control), char::from(Key::Null));
        anna.keys(&paste).await;
        assert_eq!(
            anna.ask("byTest('composer').value", json!([])).await,
            json!(base)
        );
        anna.key(Key::Enter).await;
        bao.hears(&base).await;
        bao.message_menu(&base, "mm-copy").await;
        bao.reads("toast", "複製好了").await;
        bao.says("在").await;
        // Browsers let no page notify from such an address, so it is not offered.
        bao.press("menu").await;
        bao.sees("menu-sound").await;
        assert_eq!(bao.ask("shown('menu-notify')", json!([])).await, false);
        anna.reload().await;
        anna.has_log(json!([base, "在"])).await;
    });
}

#[test]
fn on_a_small_phone_the_way_out_stays_in_view_whatever_is_offered() {
    Play::new("cancel_in_view").run(async |stage| {
        let small = Browser {
            size: (360, 640),
            language: "en-US",
            ..Browser::default()
        };
        let anna = stage.person_with("Anna", &small).await;
        anna.goto("/").await;
        anna.choose("gender-female").await;
        anna.choose("wish-male").await;
        anna.find_someone().await;
        anna.sees("option-second").await;
        let in_view = "(() => { const box = byTest('cancel').getBoundingClientRect(); \
                       return box.top >= 0 && box.bottom <= innerHeight; })()";
        anna.until(in_view, json!([])).await;
        // Nothing that can be pressed lies under it once it is scrolled to.
        let free = "(() => { const row = byTest('option-second'); row.scrollIntoView({ block: 'center' }); \
                    const box = row.getBoundingClientRect(); \
                    return row.contains(document.elementFromPoint(box.x + 20, box.y + box.height / 2)); })()";
        anna.until(free, json!([])).await;
        anna.press("cancel").await;
        anna.sees("start").await;
    });
}
