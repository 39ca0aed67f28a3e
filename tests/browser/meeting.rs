//! Two people meet, talk, and part: the site's purpose from beginning to end.

use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::stage::Play;

#[test]
pub fn two_people_meet_and_talk() {
    Play::new("two_people_meet_and_talk").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("嗨，今天過得好嗎").await;
        bao.hears("嗨，今天過得好嗎").await;
        bao.says("還不錯，你呢").await;
        anna.hears("還不錯，你呢").await;
        let both = json!(["嗨，今天過得好嗎", "還不錯，你呢"]);
        anna.has_log(both.clone()).await;
        bao.has_log(both).await;
        anna.finds_state("嗨，今天過得好嗎", "read").await;
    });
}

#[test]
fn shared_tags_are_named_and_gender_is_not() {
    Play::new("shared_tags_are_named_and_gender_is_not").run(async |stage| {
        let (anna, bao) = stage.two().await;
        for (person, gender) in [(&anna, "gender-female"), (&bao, "gender-male")] {
            person.goto("/").await;
            person.fill("nickname", person.name()).await;
            person.choose(gender).await;
            person.press("tag-音樂").await;
            person.find_someone().await;
        }
        anna.meets("Bao").await;
        bao.meets("Anna").await;
        anna.reads("partner-status", "音樂").await;
        anna.reads("chat", "你遇見了 Bao").await;
        anna.reads("chat", "都想聊 音樂").await;
        for person in [&anna, &bao] {
            // Beside the words that each page brings for its scripts, with both in them.
            let told = "(() => { const page = document.documentElement.cloneNode(true); \
                 page.querySelectorAll('script[data-texts]').forEach((it) => it.remove()); \
                 return /男生|女生|male/i.test(page.outerHTML.replaceAll(/<!--.*?-->/g, '')); })()";
            assert_eq!(
                person.ask(told, json!([])).await,
                false,
                "a gender is on the page"
            );
        }
    });
}

#[test]
fn next_can_be_taken_back_for_four_seconds_and_then_finds_another() {
    let play = Play::new("next_can_be_taken_back");
    let play = play.set("matching.tag_patience", "1s");
    play.set("matching.repeat_patience", "1s")
        .run(async |stage| {
            let (anna, bao) = stage.two().await;
            meet(&anna, &bao).await;
            let first = anna.room().await;
            anna.says("哈囉").await;
            bao.says("你好").await;
            anna.hears("你好").await;

            // Taken back: the partner saw that it was about to be left, and what was said meanwhile is there.
            anna.press("next").await;
            anna.reads("undo", "回去").await;
            bao.reads("partner-status", "正要離開").await;
            bao.says("你在嗎").await;
            anna.press("undo-back").await;
            bao.reads("partner-status", "在線").await;
            anna.meets("Bao").await;
            anna.has_log(json!(["哈囉", "你好", "你在嗎"])).await;
            assert_eq!(anna.room().await, first);
            tokio::time::sleep(std::time::Duration::from_millis(4500)).await;
            assert_eq!(bao.ask("shown('end-card')", json!([])).await, false);
            anna.says("我在").await;
            bao.hears("我在").await;

            // Not taken back: the search begins, and the partner sees it.
            anna.press("next").await;
            anna.sees("undo").await;
            assert_eq!(bao.ask("shown('end-card')", json!([])).await, false);
            anna.sees_no("undo").await;
            anna.sees("matching").await;

            bao.reads("end-card", "Anna 離開了").await;
            bao.sees_no("composer").await;
            bao.press("end-next").await;
            anna.meets("Bao").await;
            bao.meets("Anna").await;
            assert_ne!(
                anna.room().await,
                first,
                "a new conversation has a new room"
            );
            anna.reads("chat", "你遇見了 Bao").await;
            anna.has_log(json!([])).await;
            anna.says("又見面了").await;
            bao.hears("又見面了").await;
        });
}

#[test]
fn going_elsewhere_while_next_could_be_taken_back_is_leaving() {
    Play::new("next_and_home").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("哈囉").await;
        anna.hears("哈囉").await;
        anna.press("next").await;
        anna.sees("undo").await;
        anna.goto("/").await;
        bao.reads("end-card", "Anna 離開了").await;
        anna.reads("start", "找個人聊聊").await;
    });
}

#[test]
pub fn leaving_by_the_menu_ends_the_chat_but_keeps_it_readable() {
    Play::new("leaving_by_the_menu").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("先這樣").await;
        bao.says("好").await;
        anna.hears("好").await;

        // As Next, it can be taken back for a moment; the words stay in sight meanwhile.
        anna.room_menu("menu-leave").await;
        anna.reads("ending", "正要離開「Bao」").await;
        anna.sees_no("composer").await;
        anna.has_log(json!(["先這樣", "好"])).await;
        bao.reads("partner-status", "正要離開").await;
        anna.press("ending-back").await;
        anna.sees_no("ending").await;
        bao.reads("partner-status", "在線").await;
        anna.until("focusedTest() === 'composer'", json!([])).await;
        anna.room_menu("menu-leave").await;
        anna.sees("ending").await;
        anna.reads("end-card", "你結束了這段對話").await;
        anna.sees_no("ending").await;
        bao.reads("end-card", "Anna 離開了").await;

        // What I said can still be taken back after the end.
        anna.message_menu("先這樣", "mm-recall").await;
        bao.has_log(json!([null, "好"])).await;
        bao.reload().await;
        bao.has_log(json!([null, "好"])).await;
        bao.reads("end-card", "Anna 離開了").await;

        anna.press("end-home").await;
        anna.sees("start").await;
        anna.until("byTest('stats').textContent.trim()", json!([]))
            .await;
        assert_eq!(anna.ask("shown('resume')", json!([])).await, false);
    });
}

#[test]
pub fn blocked_people_do_not_meet_again_and_cannot_tell() {
    let play = Play::new("blocked_people_do_not_meet_again");
    let play = play.set("matching.tag_patience", "1s");
    play.set("matching.repeat_patience", "1s")
        .run(async |stage| {
            let (anna, bao) = stage.two().await;
            meet(&anna, &bao).await;
            bao.says("在嗎").await;
            anna.hears("在嗎").await;
            anna.room_menu("menu-block").await;
            anna.reads("block-sheet", "不會留在首頁").await;
            anna.press("block-cancel").await;
            anna.sees_no("block-sheet").await;
            anna.room_menu("menu-block").await;
            anna.press("block-confirm").await;
            anna.reads("end-card", "已封鎖").await;
            bao.reads("end-card", "Anna 離開了").await;
            let all = bao.ask("document.body.innerText", json!([])).await;
            let hints = all.as_str().unwrap_or_default().matches("封鎖").count();
            assert_eq!(
                hints, 1,
                "only the end card's own button speaks of blocking: {all}"
            );

            anna.press("end-next").await;
            bao.press("end-next").await;
            // Longer than the patience after which two people who just met would meet again.
            for person in [&anna, &bao] {
                let waited = "/已等 0:0[5-9]/.test(byTest('match-status').textContent)";
                person.until(waited, json!([])).await;
                person.sees("matching").await;
            }
            let chloe = stage.person("Chloe").await;
            chloe.start().await;
            chloe
                .until(
                    "/^(Anna|Bao)$/.test(byTest('partner-name').textContent)",
                    json!([]),
                )
                .await;
        });
}

#[test]
pub fn block_on_the_end_card_after_the_other_left() {
    Play::new("block_on_the_end_card").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.press("next").await;
        anna.press("end-block").await;
        anna.reads("block-sheet", "對方不會知道").await;
        anna.press("block-confirm").await;
        anna.reads("end-card", "已封鎖").await;
        anna.sees_no("end-block").await;
        // Listed by the name that was seen there, also after the page is loaded anew, and lifted.
        anna.press("end-home").await;
        anna.until("byTest('stats').textContent.trim()", json!([]))
            .await;
        let ways = "shown('ended') || shown('resume')";
        assert_eq!(
            anna.ask(ways, json!([])).await,
            false,
            "nothing leads back to who was blocked"
        );
        anna.press("guide").await;
        anna.press("guide-blocked").await;
        anna.reads("blocked-sheet", "你封鎖了 1 個人").await;
        anna.reads("blocked-sheet", "Bao").await;
        accessible(&anna, "the list of blocks").await;
        anna.press("blocked-lift").await;
        anna.reads("blocked-sheet", "你沒有封鎖任何人").await;
        // In the dialog that lies on top of the other: anywhere else it would be behind its veil.
        let said = "byTest('toast').closest('dialog').dataset.testid === 'blocked-sheet'";
        anna.until(said, json!([])).await;
        let kept = "localStorage.length > 0 && !JSON.stringify(localStorage).includes('Bao')";
        anna.until(kept, json!([])).await;
    });
}

#[test]
fn a_conversation_grows_from_the_bottom_below_its_opening_scene() {
    Play::new("grows_from_the_bottom").run(async |stage| {
        let phone = Browser::phone();
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &phone), stage.person("Bao"));
        meet(&anna, &bao).await;
        // Who is met, who one is here, the advice; the two lights overlap, the partner's in front.
        for words in ["你遇見了 Bao", "你在這裡是 Anna", "別急著給 LINE"] {
            anna.reads("log", words).await;
        }
        let overlap = "(() => {
            const [mine, theirs] = [...document.querySelectorAll('.opening-lamps img')].map((it) => it.getBoundingClientRect());
            return (mine.right - theirs.left) / mine.width;
        })()";
        let overlap = anna.ask(overlap, json!([])).await;
        let overlap = overlap.as_f64().expect("a number");
        assert!((0.25..0.4).contains(&overlap), "they overlap by {overlap}");
        bao.says("嗨").await;
        anna.hears("嗨").await;
        // The first words stand at the foot of the log, far from its head.
        let gap = "byTest('log').getBoundingClientRect().bottom - message('嗨').getBoundingClientRect().bottom";
        let gap = anna.ask(gap, json!([])).await;
        assert!(gap.as_f64().expect("a number") < 40.0, "{gap} below the words");
        // The side card says the same on a wide screen, so the scene does not.
        let said = "[...document.querySelectorAll('.opening-safety, .side-safety')].filter(visible).length";
        for person in [&anna, &bao] {
            assert_eq!(person.ask(said, json!([])).await, 1, "{}", person.name());
        }
    });
}
