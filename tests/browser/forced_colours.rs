//! A system that forces its own few colours on every page: what colour told must be told by borders,
//! by outlines, and by the system's colour for what is selected.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::{Play, picture};

fn forced() -> Browser {
    Browser {
        forced: true,
        ..Browser::default()
    }
}

/// Every visible control of these kinds whose edge cannot be seen. Must be none.
async fn no_control_without_an_edge(person: &Person, selector: &str) {
    let without = "(() => {
        const ground = getComputedStyle(document.documentElement).backgroundColor;
        const found = [...document.querySelectorAll(args[0])].filter(visible);
        const edge = (style) => style.borderTopStyle !== 'none' && parseFloat(style.borderTopWidth) >= 1
            && style.borderTopColor !== ground && !/^rgba.*, 0\\)$/.test(style.borderTopColor);
        const bare = found.filter((node) => !edge(getComputedStyle(node)));
        return [found.length > 0, bare.map((node) => node.outerHTML.slice(0, 120))];
    })()";
    let answer = person.ask(without, json!([selector])).await;
    assert_eq!(answer, json!([true, []]), "{selector}");
}

/// Of these elements the chosen ones are filled with a colour of their own, and no others.
async fn only_filled(person: &Person, selector: &str, chosen: &str) {
    let wrong = "(() => {
        const ground = getComputedStyle(document.documentElement).backgroundColor;
        const filled = ({ backgroundColor: fill }) => fill !== ground && !/^rgba.*, 0\\)$/.test(fill);
        const all = [...document.querySelectorAll(args[0])];
        const wrong = all.filter((node) => filled(getComputedStyle(node)) !== node.matches(args[1]));
        return [all.some((node) => node.matches(args[1])), wrong.map((node) => node.outerHTML)];
    })()";
    let answer = person.ask(wrong, json!([selector, chosen])).await;
    assert_eq!(answer, json!([true, []]), "{selector}");
}

/// A property of the first element that a selector names.
async fn style(person: &Person, selector: &str, property: &str) -> Value {
    let style = "getComputedStyle(document.querySelector(args[0]))[args[1]]";
    person.ask(style, json!([selector, property])).await
}

async fn differ(person: &Person, property: &str, chosen: &str, other: &str) {
    let (one, two) = tokio::join!(
        style(person, chosen, property),
        style(person, other, property)
    );
    assert_ne!(one, two, "{property} of {chosen} and {other}");
}

/// The ring around what has the focus, or around the visible half of a radio button.
async fn focus_shows(person: &Person, ringed: &str) {
    person
        .until("document.querySelector(args[0])", json!([ringed]))
        .await;
    let ring = "(() => {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.querySelector(args[0]));
        return [outlineStyle, outlineWidth, outlineColor !== getComputedStyle(document.documentElement).backgroundColor];
    })()";
    let ring = person.ask(ring, json!([ringed])).await;
    assert_eq!(ring, json!(["solid", "2px", true]), "{ringed}");
}

#[test]
fn at_home_controls_choices_and_the_focus_can_be_told_apart() {
    Play::new("forced_colours_home").run(async |stage| {
        let anna = stage.person_with("Anna", &forced()).await;
        anna.goto("/").await;
        let holds = "matchMedia('(forced-colors: active)').matches";
        assert_eq!(anna.ask(holds, json!([])).await, true);
        anna.choose("gender-other").await;
        anna.press("tag-音樂").await;
        let controls = ".button-primary, .button-text, .button-icon, .chip, .segmented-track";
        no_control_without_an_edge(&anna, controls).await;
        let segments = ".segment input:checked + span, .segment input:not(:checked) + span";
        only_filled(&anna, segments, "input:checked + span").await;
        only_filled(&anna, ".chip", "[aria-pressed=true]").await;
        anna.key(Key::Tab).await;
        focus_shows(&anna, ".chip:focus-visible").await;
        picture(&anna, "home-forced-colours").await;

        anna.press("avatar").await;
        anna.sees("picker").await;
        let (on, off) = (
            ".picker-cell:has(:checked)",
            ".picker-cell:not(:has(:checked))",
        );
        differ(&anna, "borderTopColor", on, off).await;
        anna.keys(&char::from(Key::Right).to_string()).await;
        focus_shows(&anna, ".picker-cell:has(:focus-visible)").await;
        picture(&anna, "picker-forced-colours").await;
    });
}

#[test]
fn in_a_chat_both_sides_can_be_told_apart() {
    Play::new("forced_colours_chat").run(async |stage| {
        let forced = forced();
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &forced), stage.person("Bao"));
        meet(&anna, &bao).await;
        bao.says("我站在最後面拍了一整晚").await;
        anna.message_menu("我站在最後面拍了一整晚", "mm-reply")
            .await;
        anna.says("有拍到鼓手嗎").await;
        no_control_without_an_edge(&anna, ".button-ghost, .button-icon, textarea, .bubble").await;
        no_control_without_an_edge(&anna, ".send").await;
        let (mine, theirs) = (".is-mine .bubble", ".is-theirs .bubble");
        differ(&anna, "borderTopWidth", mine, theirs).await;
        assert_ne!(style(&anna, ".quote", "borderLeftWidth").await, "0px");

        bao.hears("有拍到鼓手嗎").await;
        bao.message_menu("有拍到鼓手嗎", "react-heart").await;
        anna.message_menu("我站在最後面拍了一整晚", "react-wow")
            .await;
        anna.until(
            "document.querySelectorAll('.reactions:not(.is-waiting)').length === 2",
            json!([]),
        )
        .await;
        no_control_without_an_edge(&anna, ".reactions").await;
        anna.open_menu_by_keyboard("我站在最後面拍了一整晚").await;
        only_filled(&anna, ".menu-choice", "[aria-pressed=true]").await;
        picture(&anna, "reactions-forced-colours").await;
        anna.key(Key::Escape).await;
        anna.open_menu_by_keyboard("有拍到鼓手嗎").await;
        no_control_without_an_edge(&anna, ".menu").await;
        focus_shows(&anna, ".menu-item:focus").await;
        picture(&anna, "message-menu-forced-colours").await;
        anna.key(Key::Escape).await;
        focus_shows(&anna, ".message:focus-visible .bubble").await;
        no_control_without_an_edge(&anna, ".room-next").await;
        picture(&anna, "chat-forced-colours").await;
        // The way back has an edge, too.
        anna.press("next").await;
        anna.sees("undo").await;
        no_control_without_an_edge(&anna, ".undo-back").await;
        picture(&anna, "undo-forced-colours").await;
    });
}
