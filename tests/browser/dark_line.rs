//! Connections that are open and dead: nothing arrives, and neither end is told so. A page finds out by
//! itself, and at once when it wakes up.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::cable::Cable;
use crate::support::chat::{expects_lost_connections, meet};
use crate::support::person::Person;
use crate::support::stage::{Play, Stage};

/// How many sockets a page has opened is in `sockets` from then on.
const COUNT_SOCKETS: &str = "window.sockets = 0; const Made = WebSocket; \
    window.WebSocket = class extends Made { constructor(url) { super(url); window.sockets += 1; } };";

/// What a browser says when its network is another one.
const NEW_NETWORK: &str = "dispatchEvent(new Event('online'))";

/// A person whose connections can be forgotten.
async fn by_cable(stage: &Stage, name: &str) -> (Cable, Person) {
    let cable = Cable::to(stage.port());
    let base = format!("http://127.0.0.1:{}", cable.port);
    let person = stage.person_at(name, &Browser::default(), base).await;
    expects_lost_connections(&person);
    (cable, person)
}

#[test]
pub fn who_only_reads_is_connected_again() {
    let play = Play::new("dark_line_reading").set("limits.heartbeat", "2s");
    play.run(async |stage| {
        let ((cable, anna), bao) = tokio::join!(by_cable(stage, "Anna"), stage.person("Bao"));
        meet(&anna, &bao).await;
        bao.says("之前").await;
        anna.hears("之前").await;
        cable.forget();
        bao.says("之後").await;
        anna.hears("之後").await;
        anna.reads("partner-status", "在線").await;
        bao.reads("partner-status", "在線").await;
        anna.says("我在").await;
        bao.has_log(json!(["之前", "之後", "我在"])).await;
    });
}

#[test]
fn a_page_that_wakes_up_asks_at_once() {
    // With this heartbeat silence alone would tell after a quarter of an hour.
    let play = Play::new("dark_line_waking").set("limits.heartbeat", "10m");
    play.run(async |stage| {
        let ((cable, anna), bao) = tokio::join!(by_cable(stage, "Anna"), stage.person("Bao"));
        meet(&anna, &bao).await;
        bao.says("之前").await;
        anna.hears("之前").await;
        cable.forget();
        bao.says("之後").await;
        anna.ask("dispatchEvent(new Event('online'))", json!([]))
            .await;
        anna.hears("之後").await;
    });
}

#[test]
fn a_good_connection_stays_when_the_page_wakes_up() {
    Play::new("good_line_waking").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.before_each_page(COUNT_SOCKETS).await;
        anna.start().await;
        anna.is_searching().await;
        for event in ["online", "offline", "pageshow"] {
            anna.ask(&format!("dispatchEvent(new Event('{event}'))"), json!([]))
                .await;
        }
        let bao = stage.person("Bao").await;
        // Longer than an answer may take.
        anna.until(
            "/0:0[7-9]|0:1/.test(byTest('match-status').textContent)",
            json!([]),
        )
        .await;
        assert_eq!(anna.ask("window.sockets", json!([])).await, 1);
        bao.start().await;
        anna.meets("Bao").await;
    });
}

#[test]
fn a_search_whose_line_went_dark_goes_on_by_itself() {
    let play = Play::new("dark_line_searching").set("limits.heartbeat", "2s");
    play.run(async |stage| {
        let (cable, anna) = by_cable(stage, "Anna").await;
        anna.before_each_page(COUNT_SOCKETS).await;
        anna.start().await;
        anna.is_searching().await;
        cable.forget();
        anna.until("window.sockets === 2", json!([])).await;
        anna.is_searching().await;
        let bao = stage.person("Bao").await;
        bao.start().await;
        anna.meets("Bao").await;
        bao.meets("Anna").await;
    });
}

#[test]
fn who_is_led_to_a_partner_that_is_gone_looks_on_by_itself() {
    // With this heartbeat it is a while until the search is known to be gone.
    let play = Play::new("dark_line_met").set("limits.heartbeat", "3m");
    play.set("chat.arrival", "10s").run(async |stage| {
        let (cable, anna) = by_cable(stage, "Anna").await;
        anna.start().await;
        anna.is_searching().await;
        cable.close_door();
        cable.forget();
        let bao = stage.person("Bao").await;
        bao.start().await;
        bao.meets("Anna").await;
        bao.says("在嗎").await;
        bao.reads("toast", "Anna 沒有出現").await;
        bao.sees("matching").await;
        let chloe = stage.person("Chloe").await;
        chloe.start().await;
        bao.meets("Chloe").await;
        chloe.says("我在").await;
        bao.has_log(json!(["我在"])).await;
    });
}

#[test]
fn what_is_being_written_is_not_taken_away_with_a_room_that_nobody_came_to() {
    // With this heartbeat it is a while until the search is known to be gone.
    let play = Play::new("dark_line_writing").set("limits.heartbeat", "3m");
    play.set("chat.arrival", "10s").run(async |stage| {
        let (cable, anna) = by_cable(stage, "Anna").await;
        anna.start().await;
        anna.is_searching().await;
        cable.close_door();
        cable.forget();
        let bao = stage.person("Bao").await;
        bao.start().await;
        bao.meets("Anna").await;
        let composer = bao.find("composer").await;
        composer.send_keys("還在寫").await.expect("keys");
        bao.reads("end-card", "Anna 沒有出現").await;
    });
}

#[test]
pub fn a_way_that_lets_no_socket_through_is_named() {
    Play::new("no_upgrade").run(async |stage| {
        let (cable, anna) = by_cable(stage, "Anna").await;
        anna.expect_console("WebSockets to it cannot be opened");
        cable.downgrade(true);
        anna.start().await;
        anna.reads("match-status", "擋住了聊天用的連線").await;
        anna.reads("match-title", "先停在這裡").await;
        // It goes on trying, and at once when the network is another one.
        cable.downgrade(false);
        anna.ask(NEW_NETWORK, json!([])).await;
        anna.is_searching().await;
        let bao = stage.person("Bao").await;
        meet_waiting(&anna, &bao).await;
        // As much in a conversation that is opened behind such a proxy.
        cable.downgrade(true);
        anna.reload().await;
        anna.reads("banner", "擋住了聊天用的連線").await;
        cable.downgrade(false);
        anna.ask(NEW_NETWORK, json!([])).await;
        anna.sees_no("banner").await;
        bao.says("回來了").await;
        anna.hears("回來了").await;
    });
}

async fn meet_waiting(waits: &Person, comes: &Person) {
    comes.start().await;
    comes.meets(waits.name()).await;
    waits.meets(comes.name()).await;
}
