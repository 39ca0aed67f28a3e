//! Little room: a phone on its side with its keyboard open, a split screen, a page at 400 %. One can
//! still read the last words, write, and leave.

use std::time::Duration;

use fantoccini::key::Key;
use miyu::domain::safety::{Actor, SettingName};
use miyu::store::safety::Acted;
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::desk::on_the_data;
use crate::support::person::Person;
use crate::support::stage::Play;

/// Flat ones, narrow ones, and 1280×720 at 400 %.
const SIZES: [(u32, u32); 6] = [
    (740, 150),
    (568, 200),
    (320, 180),
    (320, 640),
    (280, 653),
    (240, 400),
];

/// Which of these parts cannot be seen whole, or have something lying on them.
const UNSEEN: &str = "(() => {
    const seen = (node) => {
        const box = node.getBoundingClientRect();
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        const inside = box.width > 0 && box.left >= -1 && box.top >= -1 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
        return inside && Boolean(top) && (node.contains(top) || top.contains(node));
    };
    const last = messages().at(-1).querySelector('.bubble-text');
    const log = byTest('log').getBoundingClientRect();
    const box = last.getBoundingClientRect();
    const read = seen(last) && box.top >= log.top - 1 && box.bottom <= log.bottom + 1;
    const parts = ['composer', 'send', 'next', 'menu', 'back'].filter((id) => !seen(byTest(id)));
    if (byTest('partner-name').getBoundingClientRect().width < 20) parts.push('the name');
    return read ? parts : ['the last words', ...parts];
})()";

async fn sees_all(person: &Person, state: &str) {
    person
        .until(&format!("{UNSEEN}.length === 0"), json!([]))
        .await;
    let root = "[document.documentElement.scrollHeight - innerHeight, document.documentElement.scrollWidth - innerWidth]";
    let scrolls = person.ask(root, json!([])).await;
    assert_eq!(scrolls, json!([0, 0]), "{state}: the page scrolls");
}

#[test]
fn the_last_words_the_field_and_the_way_out_stay_in_view() {
    for language in ["zh-TW", "en-US"] {
        Play::new("flat_window").run(async |stage| {
            let browser = Browser {
                language,
                ..Browser::default()
            };
            let (anna, bao) = tokio::join!(
                stage.person_with("Anna", &browser),
                stage.person_with("Bao", &browser)
            );
            meet(&anna, &bao).await;
            for number in 0..5 {
                bao.says(&format!("words {number}")).await;
            }
            bao.says("words that fill more than a line of a small window")
                .await;
            anna.hears("words that fill more than a line of a small window")
                .await;
            anna.says("一").await;
            bao.says("words at last").await;
            anna.hears("words at last").await;
            for (width, height) in SIZES {
                anna.resize(width, height).await;
                sees_all(&anna, &format!("{width}×{height} {language}")).await;
            }
        });
    }
}

#[test]
fn what_the_site_says_to_all_leaves_room_for_the_last_words() {
    Play::new("flat_broadcast").run(async |stage| {
        let until = miyu::clock::now().plus(Duration::from_secs(3600)).0;
        let words = "今晚十點到十一點網站會停下來更新，已經開始的聊天在那之後可以繼續。";
        let told = json!({ "texts": { "zh-TW": words }, "until_ms": until }).to_string();
        on_the_data(stage, async |safety| {
            let put = safety.put_setting(SettingName::Broadcast, Some(told), None, Actor::Local);
            assert_eq!(put.await.expect("an answer"), Acted::Done(()));
        })
        .await;
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        for number in 0..5 {
            bao.says(&format!("words {number}")).await;
        }
        anna.hears("words 4").await;
        let shown = "[...document.querySelectorAll('.room-foot .notice-line')].filter(visible).length === 1";
        for (width, height) in SIZES {
            anna.resize(width, height).await;
            anna.until(shown, json!([])).await;
            sees_all(&anna, &format!("{width}×{height} with a notice")).await;
        }
    });
}

#[test]
fn a_flat_window_has_room_for_a_menu_and_for_the_end() {
    Play::new("flat_menu_and_end").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("一").await;
        anna.hears("一").await;
        // The item that the focus is on is in view, whatever has to be scrolled for it.
        let focused = "(() => {
            const box = document.activeElement.getBoundingClientRect();
            return box.top >= -1 && box.bottom <= innerHeight + 1;
        })()";
        for (width, height) in [(320, 180), (740, 150), (1280, 200)] {
            anna.resize(width, height).await;
            anna.press("menu").await;
            anna.sees("menu-leave").await;
            for key in [Key::End, Key::Up, Key::Home, Key::End] {
                anna.key(key).await;
                anna.until(focused, json!([])).await;
            }
            anna.until("focusedTest() === 'menu-forget'", json!([])).await;
            let whole = "(() => { const box = document.querySelector('.menu').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; })()";
            anna.until(whole, json!([])).await;
            anna.key(Key::Escape).await;
            anna.sees_no("room-menu").await;
        }
        for (width, height) in [(320, 180), (740, 150)] {
            anna.resize(width, height).await;
            anna.press("menu").await;
            anna.press("menu-forget").await;
            anna.sees("forget-sheet").await;
            anna.press("forget-cancel").await;
            anna.sees_no("forget-sheet").await;
        }
        bao.press("next").await;
        anna.sees("end-card").await;
        let read = "byTest('log').getBoundingClientRect().height > 40";
        assert_eq!(anna.ask(read, json!([])).await, true);
        anna.resize(320, 180).await;
        assert_eq!(anna.ask(read, json!([])).await, true);
        anna.press("end-next").await;
        anna.sees("matching").await;
    });
}
