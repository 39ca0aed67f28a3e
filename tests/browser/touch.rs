//! What only a touch screen has: a long press, a swipe, and Enter that breaks the line.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::stage::Play;
use crate::support::touch::{middle, touch};

#[test]
fn a_long_press_opens_the_menu_and_a_swipe_replies() {
    Play::new("long_press_and_swipe").run(async |stage| {
        let phone = Browser::phone();
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &phone), stage.person("Bao"));
        meet(&anna, &bao).await;
        bao.says("按住我").await;

        let (x, y) = middle(&anna, "按住我").await;
        touch(&anna, "touchStart", Some((x, y))).await;
        anna.sees("message-menu").await;
        touch(&anna, "touchEnd", None).await;
        // Letting go neither closes the menu nor presses what came to lie under the finger.
        anna.sees("mm-copy").await;
        anna.press("mm-copy").await;
        anna.reads("toast", "複製好了").await;

        // Its words can be marked, and then a long press is the browser's.
        anna.message_menu_by_keyboard("按住我", "mm-mark").await;
        let marked = "getSelection().toString() === args[0] && \
             getComputedStyle(message(args[0]).querySelector('.bubble-text')).userSelect !== 'none'";
        anna.until(marked, json!(["按住我"])).await;
        anna.ask("getSelection().removeAllRanges()", json!([])).await;
        anna.until("!document.querySelector('.is-marking')", json!([]))
            .await;

        let (x, y) = middle(&anna, "按住我").await;
        touch(&anna, "touchStart", Some((x, y))).await;
        for step in 1..=8 {
            touch(&anna, "touchMove", Some((x + 10.0 * f64::from(step), y))).await;
        }
        touch(&anna, "touchEnd", None).await;
        anna.reads("reply-strip", "按住我").await;
        anna.says_by_button("這樣嗎").await;
        bao.until(
            "message('這樣嗎')?.querySelector('.quote-text')?.textContent",
            json!([]),
        )
        .await;
    });
}

#[test]
fn enter_breaks_the_line_and_the_button_sends() {
    Play::new("enter_on_a_phone").run(async |stage| {
        let phone = Browser::phone();
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &phone), stage.person("Bao"));
        meet(&anna, &bao).await;
        anna.press("composer").await;
        anna.keys(&format!("一{}二", char::from(Key::Enter))).await;
        assert_eq!(anna.log().await, json!([]));
        anna.press("send").await;
        bao.hears("一\n二").await;
        // The keyboard stays: the button took no focus.
        assert_eq!(anna.ask("focusedTest()", json!([])).await, "composer");
    });
}
