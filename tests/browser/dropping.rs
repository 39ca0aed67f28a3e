//! Something dropped on the page never takes the place of the conversation.

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;

/// Drags something over an element, and lets it go there.
async fn drop_on(person: &Person, test: &str, data: &Value) {
    let middle = "(() => { const box = byTest(args[0]).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()";
    let at = person.ask(middle, json!([test])).await;
    for kind in ["dragEnter", "dragOver", "drop"] {
        let event = json!({ "type": kind, "x": at[0], "y": at[1], "data": data });
        person.devtools("Input.dispatchDragEvent", event).await;
    }
}

fn dragged(item: Value, files: Value) -> Value {
    json!({ "items": item, "files": files, "dragOperationsMask": 1 })
}

#[test]
fn a_dropped_file_or_link_opens_nothing_and_words_go_into_the_field() {
    Play::new("dropped").run(async |stage| {
        let (anna, bao) = stage.two().await;
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(b"dropped").expect("a file that is written");
        let path = file.path().to_str().expect("a path in UTF-8");
        let a_file = dragged(json!([]), json!([path]));
        let link = json!([{ "mimeType": "text/uri-list", "data": anna.url("/nothing-here") }]);
        let a_link = dragged(link, json!([]));

        anna.goto("/").await;
        anna.sees("start").await;
        drop_on(&anna, "start", &a_file).await;
        anna.reads("toast", "檔案傳不出去").await;
        drop_on(&anna, "start", &a_link).await;
        anna.sees("start").await;

        meet(&anna, &bao).await;
        bao.says("一").await;
        anna.hears("一").await;
        for place in ["log", "composer", "partner-name"] {
            drop_on(&anna, place, &a_file).await;
            anna.reads("toast", "檔案傳不出去").await;
            drop_on(&anna, place, &a_link).await;
            anna.hears("一").await;
        }
        let windows = anna.client().windows().await.expect("windows");
        assert_eq!(windows.len(), 1, "a file is opened beside the page");

        anna.ask("byTest('composer').value = ''", json!([])).await;
        let words = json!([{ "mimeType": "text/plain", "data": "dragged words" }]);
        drop_on(&anna, "composer", &dragged(words, json!([]))).await;
        anna.until("byTest('composer').value === 'dragged words'", json!([]))
            .await;
        anna.press("send").await;
        bao.hears("dragged words").await;
    });
}
