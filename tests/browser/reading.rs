//! Reading: older text stays where it is, new text says that it is there, and nothing is lost in a
//! long conversation.

use serde_json::json;

use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;

/// More messages than one screen holds, fewer than the rate allows at once.
const MANY: usize = 18;

async fn fill_log(person: &Person) {
    for number in 0..MANY {
        person.writes(&format!("第 {number} 句")).await;
    }
    person.stored(&format!("第 {} 句", MANY - 1)).await;
}

#[test]
fn older_text_stays_put_and_a_pill_leads_down() {
    Play::new("older_text").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        fill_log(&bao).await;
        anna.hears(&format!("第 {} 句", MANY - 1)).await;
        let at_end = "(() => { const log = byTest('log'); return log.scrollHeight - log.scrollTop - log.clientHeight < 8; })()";
        anna.until(at_end, json!([])).await;
        anna.sees_no("latest").await;

        anna.ask("byTest('log').scrollTo(0, 40)", json!([])).await;
        anna.sees("latest").await;
        let before = anna.ask("byTest('log').scrollTop", json!([])).await;
        bao.says("新的").await;
        anna.reads("latest", "1").await;
        assert_eq!(anna.ask("byTest('log').scrollTop", json!([])).await, before);
        // Not seen yet, so not marked as read.
        bao.finds_state("新的", "sent").await;
        anna.press("latest").await;
        anna.until(at_end, json!([])).await;
        anna.sees_no("latest").await;
        bao.finds_state("新的", "read").await;

        anna.reload().await;
        let all: Vec<String> = (0..MANY).map(|number| format!("第 {number} 句")).collect();
        let mut all = json!(all);
        all.as_array_mut().expect("a list").push(json!("新的"));
        anna.has_log(all).await;
        anna.until(at_end, json!([])).await;
    });
}

#[test]
fn a_quote_leads_to_what_it_quotes() {
    Play::new("quote_leads_back").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("最早的一句").await;
        bao.message_menu("最早的一句", "mm-reply").await;
        bao.says("回覆它").await;
        fill_log(&bao).await;
        anna.hears(&format!("第 {} 句", MANY - 1)).await;
        let inside = "(() => { const box = message(args[0]).getBoundingClientRect(); const log = byTest('log').getBoundingClientRect(); \
                      return box.top >= log.top && box.bottom <= log.bottom; })()";
        anna.until(&format!("!{inside}"), json!(["最早的一句"])).await;
        anna.ask("message('回覆它').scrollIntoView()", json!([])).await;
        anna.press_css(".quote").await;
        anna.until(inside, json!(["最早的一句"])).await;
    });
}
