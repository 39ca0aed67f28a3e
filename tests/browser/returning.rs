//! A conversation outlives reload, Back, a lost network, a restarted server and a second tab.

use serde_json::json;

use crate::support::audit::accessible;
use crate::support::chat::{expects_lost_connections, meet, meet_by_cable};
use crate::support::stage::Play;

#[test]
fn a_reload_in_the_middle_keeps_everything() {
    Play::new("reload_in_the_middle").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("一").await;
        bao.says("二").await;
        anna.hears("二").await;
        let composer = anna.find("composer").await;
        composer.send_keys("還沒寫完").await.expect("keys");
        anna.reload().await;
        anna.meets("Bao").await;
        anna.has_log(json!(["一", "二"])).await;
        assert_eq!(
            anna.ask("byTest('composer').value", json!([])).await,
            "還沒寫完"
        );
        bao.says("三").await;
        anna.hears("三").await;
        anna.press("composer").await;
        anna.writes("四").await;
        bao.has_log(json!(["一", "二", "三", "還沒寫完四"])).await;
        bao.reload().await;
        bao.has_log(json!(["一", "二", "三", "還沒寫完四"])).await;
    });
}

#[test]
pub fn back_goes_home_and_the_bar_leads_back() {
    Play::new("back_and_resume").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("我在").await;
        anna.hears("我在").await;
        anna.go_back().await;
        anna.reads("resume", "Bao").await;
        // What home says of it: that one is missed, for how long, and what came.
        anna.reads("resume-waits", "對方看到你不在；4:").await;
        anna.looks_away().await;
        bao.says("你去哪了").await;
        bao.says("在嗎").await;
        anna.looks_back().await;
        anna.reads("resume-news", "2 則新訊息").await;
        anna.press("theme").await;
        anna.reads("start", "回去聊").await;
        anna.press("theme").await;
        anna.press("theme").await;
        anna.press("resume").await;
        anna.meets("Bao").await;
        anna.has_log(json!(["我在", "你去哪了", "在嗎"])).await;
        // The arrow in the header is the same way.
        anna.press("back").await;
        anna.reads("resume", "Bao").await;
        anna.press("resume").await;
        anna.has_log(json!(["我在", "你去哪了", "在嗎"])).await;
        anna.says("回來了").await;
        bao.has_log(json!(["我在", "你去哪了", "在嗎", "回來了"]))
            .await;
        // Forward shows the page as the browser kept it; it hears what was said meanwhile.
        anna.go_back().await;
        anna.sees("start").await;
        bao.says("又走了").await;
        anna.go_forward().await;
        let all = json!(["我在", "你去哪了", "在嗎", "回來了", "又走了"]);
        anna.has_log(all.clone()).await;
        // `/chat/` alone leads to the open conversation too.
        anna.goto("/chat/").await;
        anna.has_log(all).await;
    });
}

#[test]
pub fn what_is_written_without_a_network_arrives_once() {
    Play::new("lost_network")
        .set("chat.presence_settle", "200ms")
        .run(async |stage| {
            let (cable, anna, bao) = meet_by_cable(stage).await;
            anna.says("之前").await;
            bao.hears("之前").await;

            cable.pull();
            anna.writes("斷線時寫的").await;
            anna.finds_state("斷線時寫的", "pending").await;
            anna.reads("banner", "連線斷了").await;
            assert_eq!(anna.ask("shown('composer')", json!([])).await, true);
            bao.reads("partner-status", "暫時斷線").await;
            bao.says("你斷線了嗎").await;

            cable.plug_in();
            anna.stored("斷線時寫的").await;
            anna.sees_no("banner").await;
            bao.reads("partner-status", "在線").await;
            let all = json!(["之前", "你斷線了嗎", "斷線時寫的"]);
            anna.has_log(all.clone()).await;
            bao.has_log(all.clone()).await;
            anna.says("好了").await;
            bao.hears("好了").await;
            for person in [&anna, &bao] {
                person.reload().await;
                person
                    .has_log(json!(["之前", "你斷線了嗎", "斷線時寫的", "好了"]))
                    .await;
            }
        });
}

#[test]
fn a_message_survives_a_reload_while_the_network_is_away() {
    Play::new("reload_while_away").run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        let room = anna.room().await;
        cable.pull();
        anna.writes("還沒送出").await;
        anna.finds_state("還沒送出", "pending").await;
        cable.plug_in();
        anna.goto(&format!("/chat/?room={room}")).await;
        anna.stored("還沒送出").await;
        bao.has_log(json!(["還沒送出"])).await;
        anna.has_log(json!(["還沒送出"])).await;
    });
}

#[test]
fn a_search_from_home_asks_before_it_leaves_a_conversation() {
    Play::new("search_over_a_conversation").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("等一下").await;
        anna.goto("/").await;
        // The large button leads back.
        anna.reads("start", "回去聊").await;
        anna.press("start").await;
        anna.meets("Bao").await;
        anna.goto("/").await;
        anna.press("another").await;
        anna.reads("leave-sheet", "Bao 會看到你離開了").await;
        accessible(&anna, "home asking before it leaves").await;
        anna.press("leave-back").await;
        anna.meets("Bao").await;
        anna.has_log(json!(["等一下"])).await;
        assert_eq!(bao.ask("shown('end-card')", json!([])).await, false);

        anna.goto("/").await;
        anna.press("another").await;
        anna.press("leave-confirm").await;
        anna.sees("matching").await;
        bao.reads("end-card", "Anna 離開了").await;
        anna.goto("/").await;
        anna.until("byTest('stats').textContent.trim()", json!([]))
            .await;
        assert_eq!(anna.ask("shown('resume')", json!([])).await, false);
    });
}

#[test]
fn a_restarted_server_loses_nobody() {
    Play::new("restarted_server").run(async |stage| {
        let (anna, bao) = stage.two().await;
        expects_lost_connections(&anna);
        expects_lost_connections(&bao);
        meet(&anna, &bao).await;
        anna.says("重開之前").await;
        bao.hears("重開之前").await;
        stage.stop_server();
        anna.writes("伺服器不在").await;
        anna.reads("banner", "連線斷了").await;
        stage.run_server();
        anna.stored("伺服器不在").await;
        bao.has_log(json!(["重開之前", "伺服器不在"])).await;
        bao.says("收到").await;
        anna.has_log(json!(["重開之前", "伺服器不在", "收到"]))
            .await;
        anna.sees_no("banner").await;
    });
}

#[test]
fn who_does_not_come_back_ends_the_chat() {
    let play = Play::new("does_not_come_back");
    let play = play.set("chat.presence_settle", "200ms");
    play.set("chat.reconnect_grace", "4s").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("等我").await;
        anna.hears("等我").await;
        bao.goto("/").await;
        anna.reads("partner-status", "暫時斷線").await;
        bao.press("resume").await;
        bao.has_log(json!(["等我"])).await;
        anna.reads("partner-status", "在線").await;
        bao.goto("/").await;
        anna.reads("end-card", "Bao 沒有再回來").await;
        anna.has_log(json!(["等我"])).await;
        bao.reload().await;
        bao.until("byTest('stats').textContent.trim()", json!([]))
            .await;
        assert_eq!(bao.ask("shown('resume')", json!([])).await, false);
    });
}

#[test]
pub fn opened_elsewhere_and_continued_here() {
    Play::new("opened_elsewhere").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("第一個分頁").await;
        let room = anna.room().await;
        let first = anna.window().await;
        anna.open_tab().await;
        anna.goto(&format!("/chat/?room={room}")).await;
        anna.has_log(json!(["第一個分頁"])).await;
        anna.says("第二個分頁").await;

        anna.switch_to(&first).await;
        anna.reads("banner", "另一個分頁").await;
        anna.press("continue-here").await;
        anna.sees_no("banner").await;
        anna.has_log(json!(["第一個分頁", "第二個分頁"])).await;
        bao.says("看得到嗎").await;
        anna.hears("看得到嗎").await;
        anna.says("看得到").await;
        bao.has_log(json!(["第一個分頁", "第二個分頁", "看得到嗎", "看得到"]))
            .await;
    });
}

#[test]
fn two_tabs_of_one_browser_meet_when_nobody_else_is_there() {
    let play = Play::new("two_tabs_of_one_browser");
    let play = play.set("matching.tag_patience", "1s");
    play.set("matching.repeat_patience", "1s")
        .run(async |stage| {
            let anna = stage.person("Anna").await;
            anna.start().await;
            let first = anna.window().await;
            let second = anna.open_tab().await;
            anna.goto("/chat/?match=1").await;
            anna.meets("Anna").await;
            anna.reads("chat", "你自己的另一個視窗").await;
            anna.says("從第二個分頁").await;
            anna.switch_to(&first).await;
            anna.meets("Anna").await;
            anna.hears("從第二個分頁").await;
            anna.says("從第一個分頁").await;
            // Each tab knows which side it is, also after a reload.
            anna.reload().await;
            let mine = "messages().map((item) => [words(item), item.dataset.mine])";
            anna.has_log(json!(["從第二個分頁", "從第一個分頁"])).await;
            let here = json!([["從第二個分頁", "false"], ["從第一個分頁", "true"]]);
            assert_eq!(anna.ask(mine, json!([])).await, here);
            anna.switch_to(&second).await;
            anna.reload().await;
            anna.has_log(json!(["從第二個分頁", "從第一個分頁"])).await;
            let there = json!([["從第二個分頁", "true"], ["從第一個分頁", "false"]]);
            assert_eq!(anna.ask(mine, json!([])).await, there);
        });
}

#[test]
fn an_erased_room_and_somebody_elses_are_one_calm_page() {
    let play = Play::new("erased_room").set("store.retention", "1s");
    play.run(async |stage| {
        let (anna, bao) = stage.two().await;
        for person in [&anna, &bao] {
            // The API says 403 or 404, and the handshake is refused.
            person.expect_console("api/rooms/");
            person.expect_console("WebSocket connection to");
        }
        meet(&anna, &bao).await;
        let room = anna.room().await;
        let path = format!("/chat/?room={room}");
        let chloe = stage.person("Chloe").await;
        chloe.expect_console("api/rooms/");
        chloe.expect_console("WebSocket connection to");
        chloe.goto(&path).await;
        chloe.reads("gone", "這段對話已經抹去了").await;
        chloe
            .goto("/chat/?room=01890000-0000-7000-8000-000000000000")
            .await;
        chloe.reads("gone", "這段對話已經抹去了").await;
        chloe.goto("/chat/?room=nonsense").await;
        chloe.reads("gone", "這段對話已經抹去了").await;
        chloe.press_css(".calm-go").await;
        chloe.sees("start").await;

        anna.press("next").await;
        bao.sees("end-card").await;
        bao.until_after_reload(&path, "shown('gone')").await;
    });
}
