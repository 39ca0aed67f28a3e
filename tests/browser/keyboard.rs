//! The whole way with a keyboard alone, and that the focus is always somewhere sensible.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;

/// More presses than any page has stops.
const MANY: usize = 60;

/// Whether the focus can be seen: an outline of the element, of the bubble inside it, of a radio
/// button's visible half, or the border of a field.
const FOCUS_SHOWS: &str = "(() => {
    const node = document.activeElement;
    const parts = [node, node.parentElement.querySelector('input:focus-visible + span'), node.querySelector('.bubble')];
    const ring = (part) => part && getComputedStyle(part).outlineStyle !== 'none' && getComputedStyle(part).outlineWidth !== '0px';
    return node.matches(':focus-visible') && parts.some(ring);
})()";

/// Presses Tab (or Shift+Tab) until the focus is where `holds` says.
async fn tab_until(person: &Person, back: bool, holds: &str) {
    let tab = char::from(Key::Tab);
    let (shift, up) = (char::from(Key::Shift), char::from(Key::Null));
    let press = match back {
        true => format!("{shift}{tab}{up}"),
        false => tab.to_string(),
    };
    for _ in 0..MANY {
        if person.ask(holds, json!([])).await == true {
            let shows = person.ask(FOCUS_SHOWS, json!([])).await;
            assert_eq!(shows, true, "the focus shows: {holds}");
            return;
        }
        person.keys(&press).await;
    }
    panic!("Tab never reaches {holds}\n{}", person.describe().await);
}

#[test]
fn what_has_the_focus_is_never_covered() {
    // The middle of the focused thing, or of the label that stands for a radio button.
    let uncovered = "(() => {
        const node = document.activeElement;
        const seen = node.closest('label') ?? node;
        const box = seen.getBoundingClientRect();
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return node === document.body || Boolean(top) && (seen.contains(top) || top.contains(seen));
    })()";
    Play::new("focus_is_never_covered").run(async |stage| {
        let small = Browser {
            size: (320, 640),
            ..Browser::default()
        };
        let anna = stage.person_with("Anna", &small).await;
        anna.goto("/").await;
        anna.until("byTest('nickname').value", json!([])).await;
        // Once around the page and a little further.
        for _ in 0..MANY / 2 {
            anna.key(Key::Tab).await;
            let name = "document.activeElement.outerHTML.slice(0, 200)";
            let name = anna.ask(name, json!([])).await;
            let holds = anna.ask(uncovered, json!([])).await;
            assert_eq!(holds, true, "covered: {name}");
        }
    });
}

/// By the room's menu out of the room, and on to the next search.
async fn leaves_without_a_mouse(anna: &Person) {
    let arrow = |key: Key| char::from(key).to_string();
    tab_until(anna, true, "focusedTest() === 'menu'").await;
    anna.key(Key::Enter).await;
    anna.until("focusedTest() === 'menu-sound'", json!([]))
        .await;
    anna.keys(&arrow(Key::End)).await;
    anna.until("focusedTest() === 'menu-forget'", json!([]))
        .await;
    anna.keys(&arrow(Key::Up)).await;
    anna.keys(&arrow(Key::Up)).await;
    anna.until("focusedTest() === 'menu-leave'", json!([]))
        .await;
    anna.key(Key::Enter).await;
    anna.reads("ending", "正要離開").await;
    anna.sees("end-card").await;
    tab_until(anna, false, "focusedTest() === 'end-next'").await;
    anna.key(Key::Enter).await;
    anna.sees("matching").await;
}

#[test]
fn from_home_to_a_message_and_its_menu_without_a_mouse() {
    Play::new("keyboard_alone").run(async |stage| {
        let (anna, bao) = stage.two().await;
        let arrow = |key: Key| char::from(key).to_string();
        anna.goto("/").await;
        anna.until("byTest('nickname').value", json!([])).await;
        tab_until(
            &anna,
            false,
            "document.activeElement.classList.contains('skip')",
        )
        .await;
        tab_until(&anna, false, "focusedTest() === 'nickname'").await;
        anna.keys(&format!(
            "{}a{}Anna",
            char::from(Key::Control),
            char::from(Key::Null)
        ))
        .await;
        tab_until(&anna, false, "document.activeElement.name === 'gender'").await;
        anna.keys(&arrow(Key::Right)).await;
        anna.until(
            "document.querySelector('input[name=gender]:checked')",
            json!([]),
        )
        .await;
        tab_until(&anna, false, "focusedTest() === 'more'").await;
        anna.key(Key::Enter).await;
        anna.until("byTest('more').ariaExpanded === 'true'", json!([]))
            .await;
        tab_until(&anna, false, "focusedTest() === 'tag-音樂'").await;
        anna.keys(" ").await;
        anna.until(
            "focusedTest() === 'tag-音樂' && byTest('tag-音樂').ariaPressed === 'true'",
            json!([]),
        )
        .await;
        anna.keys(" ").await;
        tab_until(&anna, false, "document.activeElement.name === 'mood'").await;
        anna.keys(&arrow(Key::Left)).await;
        anna.until("byTest('mood-happy').checked", json!([])).await;
        tab_until(&anna, false, "focusedTest() === 'start'").await;
        anna.key(Key::Enter).await;
        anna.sees("consent-sheet").await;
        anna.until("focusedTest() === 'consent'", json!([])).await;
        anna.keys(" ").await;
        tab_until(&anna, false, "focusedTest() === 'consent-agree'").await;
        anna.key(Key::Enter).await;
        anna.sees("matching").await;

        bao.start().await;
        anna.meets("Bao").await;
        anna.until("focusedTest() === 'composer'", json!([])).await;
        anna.keys(&format!("一{}", char::from(Key::Enter))).await;
        anna.stored("一").await;
        bao.says("二").await;
        anna.hears("二").await;
        assert_eq!(anna.ask("focusedTest()", json!([])).await, "composer");

        // One Tab stop for the whole log; arrows walk in it.
        tab_until(&anna, true, "focusedTest() === 'message'").await;
        anna.until("words(document.activeElement) === '二'", json!([]))
            .await;
        anna.keys(&arrow(Key::Up)).await;
        anna.until("words(document.activeElement) === '一'", json!([]))
            .await;
        // Words that are typed there are meant for the field.
        anna.keys("o k").await;
        anna.until("byTest('composer').value === 'o k'", json!([]))
            .await;
        anna.ask("byTest('composer').value = ''", json!([])).await;
        tab_until(&anna, true, "focusedTest() === 'message'").await;
        anna.keys(&arrow(Key::End)).await;
        anna.key(Key::Enter).await;
        anna.until("focusedTest() === 'mm-reply'", json!([])).await;
        anna.keys(&arrow(Key::Down)).await;
        anna.until("focusedTest() === 'mm-copy'", json!([])).await;
        anna.key(Key::Escape).await;
        anna.sees_no("message-menu").await;
        anna.until("words(document.activeElement) === '二'", json!([]))
            .await;
        anna.key(Key::Enter).await;
        anna.until("focusedTest() === 'mm-reply'", json!([])).await;
        anna.key(Key::Enter).await;
        anna.until(
            "focusedTest() === 'composer' && shown('reply-strip')",
            json!([]),
        )
        .await;
        anna.key(Key::Escape).await;
        anna.sees_no("reply-strip").await;

        leaves_without_a_mouse(&anna).await;
    });
}

#[test]
fn what_is_typed_while_nothing_has_the_focus_goes_into_the_field() {
    Play::new("typed_without_focus").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.ask("document.activeElement.blur()", json!([])).await;
        anna.until("document.activeElement === document.body", json!([]))
            .await;
        anna.keys("hi there").await;
        anna.until("byTest('composer').value === 'hi there'", json!([]))
            .await;
        // What is no word is left to the browser, and a sheet keeps its keys.
        anna.ask(
            "[byTest('composer').value = '', document.activeElement.blur()]",
            json!([]),
        )
        .await;
        anna.key(Key::End).await;
        anna.room_menu("menu-forget").await;
        anna.sees("forget-sheet").await;
        anna.keys("x").await;
        assert_eq!(anna.ask("byTest('composer').value", json!([])).await, "");
    });
}
