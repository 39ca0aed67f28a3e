//! Presses that come again, or come down on what has just come up: each thing happens once, and only
//! what was meant.

use std::time::Duration;

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::chat::{meet, meet_by_cable};
use crate::support::person::Person;
use crate::support::stage::Play;

/// How long a person looks before pressing again on purpose.
const LOOK: Duration = Duration::from_secs(2);

/// Presses twice at one place, as fast as a hand that double-clicks.
async fn double_press(person: &Person, test: &str) {
    person.settled(&format!("[data-testid={test}]")).await;
    press_quickly(person, test, &[60, 0]).await;
}

/// Presses at one place, with these pauses after each press in milliseconds, whether it has come up just now or not.
pub async fn press_quickly(person: &Person, test: &str, pauses: &[u64]) {
    let middle = "(() => { const box = byTest(args[0]).getBoundingClientRect(); \
                  return [box.x + box.width / 2, box.y + box.height / 2]; })()";
    let middle = person.ask(middle, json!([test])).await;
    let at = |index: usize| middle[index].as_f64().expect("a place");
    let mut mouse = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveTo {
        duration: None,
        x: at(0),
        y: at(1),
    });
    for wait in pauses {
        let button = MOUSE_BUTTON_LEFT;
        let duration = Duration::from_millis(*wait);
        mouse = mouse
            .then(PointerAction::Down { button })
            .then(PointerAction::Up { button })
            .then(PointerAction::Pause { duration });
    }
    let done = person.client().perform_actions(mouse).await;
    done.unwrap_or_else(|error| panic!("{}: quick presses: {error}", person.name()));
}

#[test]
fn two_presses_on_next_are_one_departure() {
    let play = Play::new("two_presses_on_next");
    let play = play.set("matching.tag_patience", "1s");
    play.run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        let chloe = stage.person("Chloe").await;
        chloe.start().await;
        chloe.sees("matching").await;
        // Slow enough that the second press comes before the server's answer to the first.
        cable.delay(Duration::from_millis(150));
        double_press(&anna, "next").await;
        bao.reads("end-card", "Anna 離開了").await;
        anna.meets("Chloe").await;
        // Longer than the page waits for the server's word on the first departure.
        tokio::time::sleep(LOOK).await;
        cable.delay(Duration::ZERO);
        anna.says("嗨 Chloe").await;
        chloe.hears("嗨 Chloe").await;
        assert_eq!(chloe.ask("shown('end-card')", json!([])).await, false);
    });
}

#[test]
fn a_double_press_passes_no_question() {
    Play::new("double_press_and_questions").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("哈囉").await;
        bao.says("你好").await;
        anna.hears("你好").await;
        double_press(&anna, "next").await;
        anna.reads("undo", "正要離開「Bao」").await;
        // axe takes its time.
        let hold = "void (performance.now = ((at) => () => at)(performance.now()))";
        anna.ask(hold, json!([])).await;
        accessible(&anna, "a conversation that was just left").await;
        anna.press("undo-back").await;
        anna.ask("delete performance.now", json!([])).await;
        anna.meets("Bao").await;
        tokio::time::sleep(LOOK).await;
        assert_eq!(bao.ask("shown('end-card')", json!([])).await, false);
        assert_eq!(anna.ask("shown('chat')", json!([])).await, true);
        // The same in the menu: its way back is not what the second press hits, and leads back.
        anna.press("menu").await;
        double_press(&anna, "menu-leave").await;
        anna.press("ending-back").await;
        anna.sees_no("ending").await;
        tokio::time::sleep(LOOK).await;
        assert_eq!(bao.ask("shown('end-card')", json!([])).await, false);
        // Meant, it is heard.
        anna.room_menu("menu-leave").await;
        bao.reads("end-card", "Anna 離開了").await;
    });
}

#[test]
fn the_second_press_on_find_someone_new_cancels_nothing() {
    Play::new("double_press_at_the_end").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.press("next").await;
        anna.sees("end-card").await;
        double_press(&anna, "end-next").await;
        anna.sees("matching").await;
        tokio::time::sleep(LOOK).await;
        anna.sees("matching").await;
        assert_eq!(anna.ask("location.pathname", json!([])).await, "/chat/");
    });
}

#[test]
fn what_comes_up_by_itself_is_not_pressed_in_that_moment() {
    Play::new("end_under_the_finger").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        // The press arrives in the very frame in which the card takes the composer's place.
        let at_once = "(() => { const card = byTest('end-card'); globalThis.pressed = []; \
            card.addEventListener('click', () => pressed.push('card')); \
            new MutationObserver(() => { if (card.hidden) return; \
              const button = card.querySelector('[data-testid=end-next]'); if (!button || pressed.length > 0) return; \
              pressed.push('tried'); \
              for (const kind of ['pointerdown', 'pointerup', 'click']) button.dispatchEvent(new PointerEvent(kind, \
                { bubbles: true, cancelable: true, composed: true, detail: 1, clientX: 5, clientY: 5 })); \
            }).observe(card, { attributes: true, childList: true, subtree: true }); return 0; })()";
        anna.ask(at_once, json!([])).await;
        bao.press("next").await;
        anna.until("globalThis.pressed.length > 0", json!([])).await;
        anna.sees("end-card").await;
        assert_eq!(anna.ask("pressed", json!([])).await, json!(["tried"]));
        anna.press("end-next").await;
        anna.sees("matching").await;
    });
}
