//! A copy of the data is restored under pages that have more than is in it.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::cable::Cable;
use crate::support::chat::{expects_lost_connections, meet};
use crate::support::stage::Play;

#[test]
fn pages_begin_again_with_what_the_server_has() {
    Play::new("restored_copy").run(async |stage| {
        let (anna, bao) = stage.two().await;
        expects_lost_connections(&anna);
        expects_lost_connections(&bao);
        meet(&anna, &bao).await;
        anna.says("一").await;
        bao.says("二").await;
        anna.hears("二").await;
        stage.stop_server();
        let copy = stage.copy_data();
        stage.run_server();
        anna.says("三").await;
        bao.says("四").await;
        anna.hears("四").await;
        bao.finds_state("四", "read").await;

        stage.stop_server();
        stage.restore_data(&copy);
        stage.run_server();
        for person in [&anna, &bao] {
            person.reads("anew", "少了一截").await;
            person.has_log(json!(["一", "二"])).await;
        }
        // What follows is there for both, and read by the one who has read it.
        bao.says("五").await;
        anna.hears("五").await;
        bao.finds_state("五", "read").await;
        anna.says("六").await;
        for person in [&anna, &bao] {
            person.has_log(json!(["一", "二", "五", "六"])).await;
        }
    });
}

#[test]
fn a_page_that_comes_late_does_not_take_other_messages_for_its_own() {
    Play::new("restored_copy_late").run(async |stage| {
        let cable = Cable::to(stage.port());
        let base = format!("http://127.0.0.1:{}", cable.port);
        let ordinary = Browser::default();
        let (anna, bao) = tokio::join!(
            stage.person("Anna"),
            stage.person_at("Bao", &ordinary, base)
        );
        expects_lost_connections(&anna);
        expects_lost_connections(&bao);
        meet(&anna, &bao).await;
        anna.says("一").await;
        bao.hears("一").await;
        stage.stop_server();
        let copy = stage.copy_data();
        stage.run_server();
        anna.says("二").await;
        bao.says("三").await;
        anna.hears("三").await;

        // Bao's page hears nothing until the log has as many entries as before.
        cable.pull();
        stage.stop_server();
        stage.restore_data(&copy);
        stage.run_server();
        anna.reads("anew", "少了一截").await;
        for text in ["四", "五", "六"] {
            anna.says(text).await;
        }
        cable.plug_in();
        bao.has_log(json!(["一", "四", "五", "六"])).await;
        bao.reads("anew", "少了一截").await;
    });
}
