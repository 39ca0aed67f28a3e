//! The menu of a message stands where the message it is about is still seen.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;

/// A phone's sizes and a desktop's.
const SIZES: [(u32, u32); 5] = [(390, 844), (360, 640), (320, 568), (1280, 720), (700, 600)];

/// How many of the message's pixels from top to bottom are seen, of how many, and whether the menu is whole inside
/// the window.
const SEEN: &str = "(() => { \
     const box = message(args[0]).querySelector('.bubble').getBoundingClientRect(); \
     const log = byTest('log').getBoundingClientRect(); \
     const menu = byTest('message-menu').getBoundingClientRect(); \
     const head = document.querySelector('.room-header').getBoundingClientRect().bottom; \
     const [top, bottom] = [Math.max(box.top, log.top, head), Math.min(box.bottom, log.bottom, innerHeight)]; \
     const aside = menu.left >= box.right || menu.right <= box.left; \
     const covered = aside ? 0 : Math.max(0, Math.min(bottom, menu.bottom) - Math.max(top, menu.top)); \
     const whole = menu.top >= 0 && menu.bottom <= innerHeight + 1 && menu.left >= 0 && menu.right <= innerWidth + 1; \
     return { seen: Math.round(bottom - top - covered), of: Math.round(box.height), whole }; })()";

/// Opens the menu by the keyboard, which brings the message into view, and looks when all of it has come to rest.
async fn is_seen(person: &Person, text: &str, view: &str) {
    person.open_menu_by_keyboard(text).await;
    let rests =
        "[byTest('log'), byTest('message-menu')].every((it) => it.getAnimations().length === 0)";
    person.until(rests, json!([])).await;
    let seen = person.ask(SEEN, json!([text])).await;
    let of = |key: &str| seen[key].as_f64().expect("a number");
    // All of a short one, and of a long one some lines.
    let least = if of("of") < 200.0 { of("of") } else { 100.0 };
    assert!(of("seen") >= least - 1.0, "{view}: {text:.12} {seen}");
    assert_eq!(seen["whole"], true, "{view}: {seen}");
    person.key(Key::Escape).await;
    person.sees_no("message-menu").await;
    let back = "getComputedStyle(byTest('log')).transform === 'none'";
    person.until(back, json!([])).await;
}

async fn all_are_seen(anna: &Person, texts: &[&str], view: &str) {
    for (width, height) in SIZES {
        anna.resize(width, height).await;
        // The log follows in the next frame.
        let frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0, true))))";
        anna.ask(frames, json!([])).await;
        for text in texts {
            is_seen(anna, text, &format!("{view} {width}×{height}")).await;
        }
    }
}

#[test]
fn the_message_that_a_menu_is_about_is_seen() {
    let long = "今天在海邊走了很久，風很大，一直走到天黑。".repeat(24);
    Play::new("menu_beside_its_message").run(async |stage| {
        let (anna, bao) = tokio::join!(stage.person("Anna"), stage.person("Bao"));
        meet(&anna, &bao).await;
        bao.says("第一句").await;
        for at in 0..8 {
            anna.says(&format!("第{at}句話，在中間")).await;
        }
        bao.says(&long).await;
        anna.says("最後一句").await;
        anna.hears(&long).await;
        all_are_seen(
            &anna,
            &["第一句", "第4句話，在中間", &long, "最後一句"],
            "ltr",
        )
        .await;
    });
}

#[test]
fn from_right_to_left_it_is_seen_as_well() {
    let words = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mirrored");
    Play::new("menu_mirrored")
        .set("assets.dir", words)
        .run(async |stage| {
            let arabic = Browser {
                language: "ar",
                ..Browser::default()
            };
            let (anna, bao) = tokio::join!(stage.person_with("Anna", &arabic), stage.person("Bao"));
            meet(&anna, &bao).await;
            bao.says("one").await;
            anna.says("two").await;
            anna.hears("one").await;
            all_are_seen(&anna, &["one", "two"], "rtl").await;
        });
}

/// It goes where its message goes: up, both where the log scrolls and where it grows from its bottom.
#[test]
fn on_a_desktop_a_menu_goes_with_its_message() {
    Play::new("menu_goes_along").run(async |stage| {
        let (anna, bao) = tokio::join!(stage.person("Anna"), stage.person("Bao"));
        meet(&anna, &bao).await;
        anna.resize(1280, 720).await;
        for (about, more) in [("這一句", "後來的一句"), ("那一句", "又來了一句")]
        {
            bao.says(about).await;
            anna.hears(about).await;
            anna.open_menu_by_keyboard(about).await;
            let top = "message(args[0]).querySelector('.bubble').getBoundingClientRect().top";
            let before = anna.ask(top, json!([about])).await;
            bao.says(more).await;
            let moved = format!("{top} < args[1] - 20");
            anna.until(&moved, json!([about, before])).await;
            let beside = "(() => { \
                 const box = message(args[0]).querySelector('.bubble').getBoundingClientRect(); \
                 const menu = byTest('message-menu').getBoundingClientRect(); \
                 const gaps = [menu.top - box.bottom, box.top - menu.bottom, menu.left - box.right, box.left - menu.right]; \
                 return gaps.some((gap) => Math.abs(gap - 8) < 1) && gaps.some((gap) => gap > 0); })()";
            anna.until(beside, json!([about])).await;
            anna.key(Key::Escape).await;
            anna.sees_no("message-menu").await;
            for at in 0..6 {
                bao.says(&format!("之間 {about} {at}")).await;
            }
            anna.hears(&format!("之間 {about} 5")).await;
        }
    });
}
