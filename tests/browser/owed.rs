//! What was asked while the network was away is done afterwards: a block, and leaving for the next person.

use serde_json::json;

use crate::support::cable::Cable;
use crate::support::chat::meet_by_cable;
use crate::support::person::Person;
use crate::support::stage::{Play, Stage};

/// Two people: the first, behind the cable, has just blocked the other without being heard.
async fn blocks_unheard(stage: &Stage, cut: impl Fn(&Cable)) -> (Cable, Person, Person) {
    let (cable, anna, bao) = meet_by_cable(stage).await;
    cut(&cable);
    anna.room_menu("menu-block").await;
    anna.press("block-confirm").await;
    anna.sees_no("block-sheet").await;
    (cable, anna, bao)
}

#[test]
fn a_block_without_a_network_is_kept_and_said_until_it_is_done() {
    let play = Play::new("block_without_a_network");
    let play = play.set("matching.tag_patience", "1s");
    play.set("matching.repeat_patience", "1s")
        .run(async |stage| {
            let (cable, anna, bao) = blocks_unheard(stage, Cable::pull).await;
            anna.reads("banner", "剛才做的先記著，接上就送出").await;
            // Neither offered again nor called done.
            anna.press("menu").await;
            anna.sees("menu-leave").await;
            assert_eq!(anna.ask("shown('menu-block')", json!([])).await, false);
            anna.press_css(".menu-veil").await;
            assert_eq!(anna.ask("shown('end-card')", json!([])).await, false);

            cable.plug_in();
            anna.reads("end-card", "已封鎖").await;
            anna.sees_no("banner").await;
            bao.reads("end-card", "Anna 離開了").await;
            for person in [&anna, &bao] {
                person.press("end-next").await;
            }
            // Longer than the patience after which two people who just met would meet again.
            for person in [&anna, &bao] {
                let waited = "/已等 0:0[5-9]/.test(byTest('match-status').textContent)";
                person.until(waited, json!([])).await;
                person.sees("matching").await;
            }
        });
}

#[test]
fn a_block_that_gets_no_answer_is_said_to_be_kept() {
    Play::new("block_without_an_answer").run(async |stage| {
        let silence = |cable: &Cable| cable.silence(true);
        let (cable, anna, bao) = blocks_unheard(stage, silence).await;
        anna.reads("banner", "剛才做的先記著，會自動再試").await;
        cable.silence(false);
        anna.reads("end-card", "已封鎖").await;
        anna.sees_no("banner").await;
        bao.reads("end-card", "Anna 離開了").await;
    });
}

#[test]
fn a_block_goes_on_when_its_page_is_closed() {
    Play::new("block_and_close").run(async |stage| {
        let (cable, anna, bao) = blocks_unheard(stage, Cable::pull).await;
        anna.client()
            .goto("about:blank")
            .await
            .expect("an empty page");
        cable.plug_in();
        anna.goto("/").await;
        anna.reads("toast", "已封鎖").await;
        bao.reads("end-card", "Anna 離開了").await;
    });
}

#[test]
fn next_without_a_network_is_said_afterwards() {
    Play::new("next_without_a_network").run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        anna.says("哈囉").await;
        bao.hears("哈囉").await;
        cable.pull();
        anna.reads("banner", "連線斷了").await;
        // Of the partner nothing is known then.
        anna.reads("partner-status", "你斷線了").await;
        anna.writes("先走了").await;
        anna.press("next").await;
        anna.sees("matching").await;
        cable.plug_in();
        // In the order in which it was meant.
        bao.hears("先走了").await;
        bao.reads("end-card", "Anna 離開了").await;
        anna.sees("matching").await;
    });
}

#[test]
fn next_over_a_dead_line_is_said_until_it_is_heard() {
    Play::new("next_over_a_dead_line").run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        // The connection looks open, and what is said on it arrives nowhere.
        cable.forget();
        anna.press("next").await;
        anna.sees("matching").await;
        bao.reads("end-card", "Anna 離開了").await;
    });
}

#[test]
fn next_is_said_by_the_next_page_when_the_tab_is_closed() {
    Play::new("next_and_close").run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        cable.pull();
        anna.reads("banner", "連線斷了").await;
        anna.press("next").await;
        anna.sees("matching").await;
        let first = anna.window().await;
        let second = anna.open_tab().await;
        anna.switch_to(&first).await;
        anna.client().close_window().await.expect("a closed tab");
        anna.switch_to(&second).await;
        cable.plug_in();
        anna.goto("/").await;
        bao.reads("end-card", "Anna 離開了").await;
        let kept = "localStorage.getItem('miyu.owed')";
        assert_eq!(anna.ask(kept, json!([])).await, json!(null));
    });
}
