//! Names in other scripts, and words that show nothing: what is typed on one page is what the other
//! shows, in its place.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::person::Person;
use crate::support::stage::Play;

/// Persian, with a half space that its spelling needs.
const ALIREZA: &str = "علی\u{200C}رضا";

/// Where a part of the text of an element is drawn: `[left, right]`.
const DRAWN: &str = "(() => {
  const walker = document.createTreeWalker(byTest(args[0]), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.data.indexOf(args[1]);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(walker.currentNode, at);
    range.setEnd(walker.currentNode, at + args[1].length);
    const box = range.getBoundingClientRect();
    return [box.left, box.right];
  }
  return null;
})()";

async fn drawn(person: &Person, test: &str, part: &str) -> (f64, f64) {
    let place = person.until(DRAWN, json!([test, part])).await;
    let edge = |at: usize| place[at].as_f64().expect("a place");
    (edge(0), edge(1))
}

#[test]
fn a_name_from_right_to_left_arrives_whole_and_stays_in_its_place() {
    Play::new("right_to_left").run(async |stage| {
        let (anna, bao) = stage.two().await;
        bao.goto("/").await;
        bao.fill("nickname", ALIREZA).await;
        bao.choose("gender-other").await;
        tokio::join!(anna.start(), bao.find_someone());
        anna.meets(ALIREZA).await;
        let name = "byTest('partner-name').textContent";
        assert_eq!(anna.ask(name, json!([])).await, ALIREZA);
        anna.until(
            "document.title.startsWith(`\\u2068${args[0]}\\u2069 · `)",
            json!([ALIREZA]),
        )
        .await;

        let words = ["مرحبا", "بك", "42"];
        bao.says(&words.join(" ")).await;
        anna.message_menu(&words.join(" "), "mm-reply").await;
        anna.reads("reply-strip", ALIREZA).await;
        let (_, end) = drawn(&anna, "reply-strip", ALIREZA).await;
        for word in words {
            let (start, _) = drawn(&anna, "reply-strip", word).await;
            assert!(
                end <= start + 1.0,
                "{word} begins at {start}, the name ends at {end}"
            );
        }
    });
}

#[test]
fn what_shows_nothing_is_not_sent() {
    Play::new("nothing_to_see").run(async |stage| {
        let (anna, bao) = stage.two().await;
        tokio::join!(anna.start(), bao.start());
        anna.meets("Bao").await;
        for unseen in ["\u{3164}", "\u{200B}\u{FEFF}"] {
            anna.press("composer").await;
            anna.insert(unseen).await;
            let refuses = "byTest('send').getAttribute('aria-disabled') === 'true'";
            anna.until(refuses, json!([])).await;
            anna.key(Key::Enter).await;
            assert_eq!(
                anna.ask("byTest('composer').value", json!([])).await,
                unseen
            );
            anna.find("composer")
                .await
                .clear()
                .await
                .expect("an empty composer");
        }
        anna.says("a\u{200B}b").await;
        bao.has_log(json!(["a\u{200B}b"])).await;
    });
}
