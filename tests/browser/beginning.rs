//! The first sentence: what is offered to people who do not know how to begin, and when it goes.

use std::time::Duration;

use serde_json::json;

use crate::support::chat::meet;
use crate::support::stage::Play;

/// What the page's clock is ahead by, which the test moves.
const CLOCK: &str = "globalThis.ahead = 0; const real = performance.now.bind(performance); \
                     performance.now = () => real() + globalThis.ahead;";

/// A conversation looks at the time once a second.
const A_TICK: Duration = Duration::from_millis(1500);

const OFFERED: &str = "[0, 1, 2].map((at) => byTest(`starter-${at}`)?.textContent)";

#[test]
fn a_first_sentence_is_put_into_the_field_and_never_sent() {
    Play::new("first_sentence")
        .set("site.starters", "今天上了什麼課？")
        .run(async |stage| {
            let (anna, bao) = stage.two().await;
            anna.before_each_page(CLOCK).await;
            meet(&anna, &bao).await;
            anna.sees("starters").await;
            let offered = anna.ask(OFFERED, json!([])).await;
            assert_eq!(offered[0], "今天上了什麼課？", "one is the operator's");
            anna.press("starter-1").await;
            let field = "byTest('composer').value";
            assert_eq!(anna.ask(field, json!([])).await, offered[1]);
            assert_eq!(anna.ask("focusedTest()", json!([])).await, "composer");
            // Another one takes its place; what is one's own is not replaced.
            anna.press("starter-2").await;
            assert_eq!(anna.ask(field, json!([])).await, offered[2]);
            anna.find("composer")
                .await
                .send_keys("呢")
                .await
                .expect("keys");
            anna.sees_no("starters").await;
            bao.has_log(json!([])).await;
            anna.press("send").await;
            let own = format!("{}呢", offered[2].as_str().expect("a text"));
            bao.has_log(json!([own])).await;
            anna.sees_no("starters").await;
            // Who was spoken to has something to answer, and finds them folded.
            bao.sees_no("starter-0").await;
            bao.press("starters-title").await;
            bao.sees("starter-0").await;
            bao.press("starters-title").await;
            bao.sees_no("starter-0").await;
            bao.sees("starters-title").await;

            // After three silent minutes there are others, once.
            anna.ask("void (globalThis.ahead += 170_000)", json!([]))
                .await;
            tokio::time::sleep(A_TICK).await;
            anna.sees_no("starters").await;
            anna.ask("void (globalThis.ahead += 20_000)", json!([]))
                .await;
            anna.sees("starters").await;
            let others = anna.ask(OFFERED, json!([])).await;
            assert_ne!(others[1], offered[1]);
            bao.says("還好").await;
            for person in [&anna, &bao] {
                person.sees_no("starters").await;
            }
            anna.ask("void (globalThis.ahead += 400_000)", json!([]))
                .await;
            tokio::time::sleep(A_TICK).await;
            anna.sees_no("starters").await;
        });
}

#[test]
fn a_shared_topic_is_what_they_are_about_in_the_readers_language() {
    Play::new("first_sentence_of_a_topic").run(async |stage| {
        let (anna, bao) = stage.two().await;
        for person in [&anna, &bao] {
            person.goto("/").await;
            person.fill("nickname", person.name()).await;
            person.choose("gender-other").await;
            person.press("tag-攝影").await;
            person.find_someone().await;
        }
        anna.meets("Bao").await;
        let about = "[0, 1, 2].every((at) => new RegExp(args[0]).test(byTest(`starter-${at}`)?.textContent))";
        anna.until(about, json!(["拍|光|張|黑白"])).await;
        let chinese = anna.ask(OFFERED, json!([])).await;
        anna.reload().await;
        anna.until(about, json!(["拍|光|張|黑白"])).await;
        assert_eq!(anna.ask(OFFERED, json!([])).await, chinese, "the same again");
        anna.ask("localStorage.setItem('miyu.lang', '\"en\"')", json!([]))
            .await;
        anna.reload().await;
        anna.reads("starters", "Not sure how to begin?").await;
        let photos = json!(["photo|camera|light|film|picture|colour"]);
        anna.until(about, photos).await;
    });
}
