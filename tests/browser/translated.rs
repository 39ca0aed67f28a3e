//! A browser's translator puts its words into elements of its own. They stay while nothing changes,
//! and what changes is shown all the same.

use serde_json::json;

use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;

/// Translates every text of the page that does not ask to be left alone; answers how many.
const TRANSLATE: &str = "(() => {
    const texts = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) texts.push(walk.currentNode);
    const left = (text) => text.parentElement.closest('[translate=no], script, noscript, textarea, font');
    const ours = texts.filter((text) => text.data.trim() && !left(text));
    for (const text of ours) {
        const [outer, inner] = [document.createElement('font'), document.createElement('font')];
        inner.append(`譯${text.data}`);
        outer.append(inner);
        text.replaceWith(outer);
    }
    return ours.length;
})()";

/// Lets some seconds pass, in which the page looks at itself each second.
async fn some_seconds(person: &Person) {
    let begun = person.ask("performance.now()", json!([])).await;
    person
        .until("performance.now() - args[0] > 3200", json!([begun]))
        .await;
}

#[test]
fn a_translated_conversation_is_left_alone_and_goes_on() {
    Play::new("translated_conversation").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("一").await;
        bao.says("二").await;
        anna.says("三").await;
        anna.hears("二").await;
        anna.finds_state("三", "read").await;
        some_seconds(&anna).await;
        let count = anna.ask(TRANSLATE, json!([])).await;
        assert!(count.as_u64().expect("a number") > 8, "{count} texts");
        some_seconds(&anna).await;
        assert_eq!(anna.log().await, json!(["譯一", "譯二", "譯三"]));
        for test in ["partner-status", "partner-name", "next"] {
            let text = anna.ask("byTest(args[0]).textContent", json!([test])).await;
            let text = text.as_str().expect("a text").to_owned();
            assert!(text.starts_with('譯'), "{test} is put back: {text}");
        }

        // What changes shows, in our words until they are translated too.
        bao.message_menu("一", "mm-recall").await;
        bao.says("四").await;
        anna.has_log(json!([null, "譯二", "譯三", "四"])).await;
        anna.until(
            "message('四') && !document.body.textContent.includes('譯一')",
            json!([]),
        )
        .await;
        anna.says("五").await;
        bao.goto("/").await;
        anna.reads("partner-status", "再等").await;

        // Of a status that counts the words stay translated, and the time runs.
        anna.ask(TRANSLATE, json!([])).await;
        let counts = "[...byTest('partner-status').textContent].join('')";
        let before = anna.ask(counts, json!([])).await;
        some_seconds(&anna).await;
        let after = anna.ask(counts, json!([])).await;
        assert_ne!(before, after);
        let after = after.as_str().expect("a text");
        assert!(after.starts_with('譯') && after.contains("4:"), "{after}");
        bao.press("resume").await;
        anna.reads("partner-status", "在線").await;
    });
}

#[test]
fn a_translated_search_is_left_alone_and_goes_on() {
    Play::new("translated_search").run(async |stage| {
        let (anna, bao) = stage.two().await;
        anna.start().await;
        anna.until(
            "byTest('match-status').querySelectorAll('p').length > 1",
            json!([]),
        )
        .await;
        some_seconds(&anna).await;
        anna.ask(TRANSLATE, json!([])).await;
        some_seconds(&anna).await;
        for test in ["match-title", "match-status", "cancel"] {
            let text = anna
                .ask("byTest(args[0]).textContent.trim()", json!([test]))
                .await;
            let text = text.as_str().expect("a text").to_owned();
            assert!(text.starts_with('譯'), "{test} is put back: {text}");
        }
        bao.start().await;
        anna.meets("Bao").await;
        bao.says("一").await;
        anna.hears("一").await;
    });
}
