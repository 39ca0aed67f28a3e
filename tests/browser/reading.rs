//! Reading: older text stays where it is, new text says that it is there, and nothing is lost in a
//! long conversation.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::Play;

/// More messages than one screen holds, fewer than the rate allows at once.
const MANY: usize = 18;

const AT_END: &str = "(() => { const log = byTest('log'); return log.scrollHeight - log.scrollTop - log.clientHeight < 8; })()";

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
        anna.until(AT_END, json!([])).await;
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
        anna.until(AT_END, json!([])).await;
        anna.sees_no("latest").await;
        bao.finds_state("新的", "read").await;

        anna.reload().await;
        let all: Vec<String> = (0..MANY).map(|number| format!("第 {number} 句")).collect();
        let mut all = json!(all);
        all.as_array_mut().expect("a list").push(json!("新的"));
        anna.has_log(all).await;
        anna.until(AT_END, json!([])).await;
    });
}

/// Says so many messages at once, over a connection of the person's own; the last one quotes the first.
async fn says_many(person: &Person, count: usize) {
    let socket = "(() => {
        const room = JSON.parse(sessionStorage.getItem('miyu.here'));
        const { token, user_id } = JSON.parse(sessionStorage.getItem('miyu.sides'))[room];
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws/chat/`);
        const say = (content, more) => socket.send(JSON.stringify({ action: 'send_message', message: { content, client_id: `m ${content}`, ...more } }));
        globalThis.stored = 0;
        socket.onopen = () => socket.send(JSON.stringify({ action: 'enter', room, token, user_id, after: 0 }));
        socket.onmessage = ({ data }) => {
            const { action } = JSON.parse(data);
            if (action === 'new_message') globalThis.stored += 1;
            if (action !== 'room_state') return;
            for (let at = 0; at < args[0] - 1; at += 1) say(`第 ${at} 句 ${'話'.repeat(at % 40)}`);
            say('回頭看', { replied_to: '1' });
        };
    })()";
    person.ask(socket, json!([count])).await;
    person
        .until("globalThis.stored >= args[0]", json!([count]))
        .await;
}

/// Whether a message that begins so can be seen in the log.
const IN_VIEW: &str = "(() => {
    const node = messages().find((item) => words(item)?.startsWith(args[0]));
    const box = node?.querySelector('.bubble').getBoundingClientRect();
    const log = byTest('log').getBoundingClientRect();
    return Boolean(box) && box.top >= log.top - 1 && box.bottom <= log.bottom + 1;
})()";

/// Scrolls up to the edge of what is there; answers by how far what was seen has moved then.
const UP: &str = "(() => {
    const log = byTest('log');
    log.scrollTop = 0;
    const seen = messages()[0];
    const before = seen.getBoundingClientRect().top;
    log.dispatchEvent(new Event('scroll'));
    return Math.abs(seen.getBoundingClientRect().top - before);
})()";

fn long(name: &'static str) -> Play {
    Play::new(name)
        .set("limits.messages_per_second", "0")
        .set("limits.message_bytes_per_second", "0B")
}

#[test]
fn of_a_long_conversation_the_page_holds_what_is_read() {
    long("long_conversation").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        says_many(&bao, 1500).await;
        // All of it is on the screen at least once: nothing of it is new after the reload.
        anna.until(IN_VIEW, json!(["回頭看"])).await;
        anna.reload().await;
        anna.until(IN_VIEW, json!(["回頭看"])).await;
        let held = anna.ask("messages().length", json!([])).await;
        assert!(held.as_u64().expect("a number") <= 360, "holds {held}");
        anna.sees_no("latest").await;

        // Upwards to the first, and nothing jumps on the way.
        let first = "messages().some((item) => words(item) === '第 0 句')";
        for _ in 0..40 {
            if anna.ask(first, json!([])).await == true {
                break;
            }
            let moved = anna.ask(UP, json!([])).await;
            assert!(moved.as_f64().expect("a number") < 1.0, "jumps by {moved}");
        }
        anna.ask("byTest('log').scrollTo(0, 0)", json!([])).await;
        anna.until(IN_VIEW, json!(["第 0 句"])).await;
        anna.until("visible(document.querySelector('.is-meeting'))", json!([]))
            .await;
        let held = anna.ask("messages().length", json!([])).await;
        assert!(held.as_u64().expect("a number") <= 600, "holds {held}");

        // What is said meanwhile is not read, and the pill leads to it.
        bao.reload().await;
        bao.says("還在嗎").await;
        anna.reads("latest", "1").await;
        bao.finds_state("還在嗎", "sent").await;
        anna.press("latest").await;
        anna.until(IN_VIEW, json!(["還在嗎"])).await;
        bao.finds_state("還在嗎", "read").await;
    });
}

#[test]
fn in_a_long_conversation_a_quote_and_the_keyboard_reach_the_first_message() {
    long("long_conversation_walked").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        says_many(&bao, 1000).await;
        anna.until(IN_VIEW, json!(["回頭看"])).await;
        anna.press_css(".quote").await;
        anna.until(IN_VIEW, json!(["第 0 句"])).await;
        anna.sees("latest").await;
        anna.press("latest").await;
        anna.until(IN_VIEW, json!(["回頭看"])).await;

        let focused = "words(document.activeElement)?.startsWith(args[0])";
        anna.ask("messages().at(-1).focus()", json!([])).await;
        anna.key(Key::Home).await;
        anna.until(focused, json!(["第 0 句"])).await;
        anna.until(IN_VIEW, json!(["第 0 句"])).await;
        anna.key(Key::Down).await;
        anna.until(focused, json!(["第 1 句"])).await;
        anna.key(Key::End).await;
        anna.until(focused, json!(["回頭看"])).await;
        anna.until(IN_VIEW, json!(["回頭看"])).await;
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

#[test]
fn a_line_says_where_the_reader_was_and_the_pill_leads_there_first() {
    long("where_was_i").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        fill_log(&bao).await;
        anna.hears(&format!("第 {} 句", MANY - 1)).await;
        anna.sees_no("new-line").await;
        // The log follows what comes; who scrolls before it has arrived is led down again.
        anna.until(AT_END, json!([])).await;

        // Further up nothing is read: what comes is below a line.
        anna.ask("byTest('log').scrollTo(0, 40)", json!([])).await;
        anna.sees("latest").await;
        for number in 0..MANY {
            bao.writes(&format!("後來的 {number}")).await;
        }
        anna.reads("latest", &MANY.to_string()).await;
        let after_line = "words(byTest('new-line').nextElementSibling)";
        anna.press("latest").await;
        anna.until(IN_VIEW, json!(["後來的 0"])).await;
        assert_eq!(anna.ask(after_line, json!([])).await, "後來的 0");
        anna.press("latest").await;
        anna.until(IN_VIEW, json!([format!("後來的 {}", MANY - 1)]))
            .await;
        assert_eq!(
            anna.ask(after_line, json!([])).await,
            "後來的 0",
            "it stays"
        );

        // Away, more came than fits: the reader goes on where they were, also after a reload.
        let icon = "document.querySelector('link[rel=icon]').href";
        assert_eq!(
            anna.ask(&format!("/favicon.svg$/.test({icon})"), json!([]))
                .await,
            true
        );
        anna.looks_away().await;
        for number in 0..MANY {
            bao.writes(&format!("離開時 {number}")).await;
        }
        let told =
            format!("document.title.startsWith('({MANY})') && /favicon-new.svg$/.test({icon})");
        anna.until(&told, json!([])).await;
        anna.looks_back().await;
        for _ in 0..2 {
            anna.until(IN_VIEW, json!(["離開時 0"])).await;
            assert_eq!(anna.ask(after_line, json!([])).await, "離開時 0");
            anna.sees("latest").await;
            anna.reload().await;
            anna.hears("離開時 0").await;
        }
        anna.until(&format!("/favicon.svg$/.test({icon})"), json!([]))
            .await;

        // To answer is to have read.
        anna.says("我回來了").await;
        anna.until("!byTest('new-line')", json!([])).await;
    });
}
