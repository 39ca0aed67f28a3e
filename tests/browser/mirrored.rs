//! A language from right to left: the layout is the mirror of the others, and so are arrows and swipes. Its
//! words (`tests/data/mirrored`) are English in Arabic letters; what is asserted is geometry.

use serde_json::{Value, json};

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;
use crate::support::touch::{middle, touch};

/// Nothing that is to be seen reaches over the window's sides.
async fn is_within(person: &Person) {
    let beyond = "(() => { const root = document.documentElement; \
         const seen = [...document.querySelectorAll('body *')].filter((it) => it.checkVisibility() && \
             !it.closest('.scene, .skip, .sr, .status-region, .offscreen, option')); \
         const over = seen.filter((it) => { const box = it.getBoundingClientRect(); \
             return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1); }); \
         return [root.scrollWidth > innerWidth, ...over.map((it) => it.outerHTML.slice(0, 80))]; })()";
    assert_eq!(person.ask(beyond, json!([])).await, json!([false]));
}

/// Where these stand, from left to right.
async fn from_left(person: &Person, selectors: &[&str]) -> Vec<String> {
    let order = "args[0].map((it) => [it, document.querySelector(it).getBoundingClientRect().left]) \
         .sort((a, b) => a[1] - b[1]).map(([it]) => it)";
    let order = person.ask(order, json!([selectors])).await;
    serde_json::from_value(order).expect("selectors")
}

/// How far a bubble is from the window's left and right side.
async fn sides(person: &Person, text: &str) -> [f64; 2] {
    person.hears(text).await;
    let sides = "(() => { const box = message(args[0]).querySelector('.bubble').getBoundingClientRect(); \
         return [box.left, innerWidth - box.right]; })()";
    let sides: Value = person.ask(sides, json!([text])).await;
    serde_json::from_value(sides).expect("two numbers")
}

#[test]
fn a_language_from_right_to_left_is_the_mirror() {
    let words = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mirrored");
    Play::new("mirrored")
        .set("assets.dir", words)
        .run(async |stage| {
            let phone = Browser::phone();
            let (anna, bao) = tokio::join!(stage.person_with("Anna", &phone), stage.person("Bao"));
            anna.goto("/").await;
            anna.speak("ar").await;
            let written = "fetch('/').then((it) => it.text()) \
                 .then((it) => it.includes('<html lang=\"ar\" dir=\"rtl\">'))";
            assert_eq!(anna.ask(written, json!([])).await, true);
            anna.reload().await;
            anna.reads("start", "حذصث").await;
            is_within(&anna).await;
            let bar = [".appbar-tools", ".wordmark"];
            assert_eq!(from_left(&anna, &bar).await, bar);
            let segments =
                ["female", "male"].map(|it| format!("label:has([data-testid=gender-{it}])"));
            let segments = segments.each_ref().map(String::as_str);
            assert_eq!(from_left(&anna, &segments).await, segments);

            meet(&anna, &bao).await;
            bao.says("who is there").await;
            anna.says_by_button("me").await;
            is_within(&anna).await;
            let header = [
                "[data-testid=menu]",
                "[data-testid=next]",
                ".room-who",
                ".room-avatar",
                "[data-testid=back]",
            ];
            assert_eq!(from_left(&anna, &header).await, header);
            let foot = ["[data-testid=send]", "[data-testid=composer]"];
            assert_eq!(from_left(&anna, &foot).await, foot);
            let [left, right] = sides(&anna, "who is there").await;
            assert!(right < 20.0 && left > 60.0, "theirs: {left}, {right}");
            let [left, right] = sides(&anna, "me").await;
            assert!(left < 20.0 && right > 60.0, "mine: {left}, {right}");
            let arrow = "getComputedStyle(byTest('back').querySelector('svg')).transform";
            assert_eq!(
                anna.ask(arrow, json!([])).await,
                "matrix(-1, 0, 0, 1, 0, 0)"
            );

            // To the right nothing follows the finger; to the left the message does, and is replied to.
            for (step, replies) in [(10.0, false), (-10.0, true)] {
                let (x, y) = middle(&anna, "who is there").await;
                touch(&anna, "touchStart", Some((x, y))).await;
                for count in 1..=8 {
                    touch(&anna, "touchMove", Some((x + step * f64::from(count), y))).await;
                }
                touch(&anna, "touchEnd", None).await;
                match replies {
                    true => anna.sees("reply-strip").await,
                    false => anna.sees_no("reply-strip").await,
                }
            }
            accessible(&anna, "a conversation from right to left").await;
        });
}
