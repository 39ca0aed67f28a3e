//! What a page is without a server: the shell that the service worker keeps, in which one can go on writing,
//! and how it makes way for the server when that is there again, also a newer one.

use serde_json::json;

use crate::support::audit::accessible;
use crate::support::chat::{expects_lost_connections, meet, meet_by_cable};
use crate::support::person::Person;
use crate::support::stage::{Play, picture};

/// Resolves once a worker serves this page and its shell is whole.
const SERVED: &str = "navigator.serviceWorker.controller?.state === 'activated' && caches.has(`miyu-shell-${args[0]}`)";

/// The hash in the addresses of the page's files.
const HASH: &str = "document.querySelector('link[rel=icon]').href.split('/')[4]";

/// What the worker keeps beside files that are named by their content.
const KEPT: &str = "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.keys()))))\
    .then((all) => all.flat().map((it) => new URL(it.url).pathname).filter((path) => !path.startsWith('/static/')).sort())";

async fn served(person: &Person) -> String {
    let hash = person.ask(HASH, json!([])).await;
    person.until(SERVED, json!([hash])).await;
    hash.as_str().expect("a hash").to_owned()
}

#[test]
fn without_a_server_one_can_write_and_it_is_sent_when_it_is_back() {
    Play::new("offline_shell").run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        anna.says("在嗎").await;
        bao.hears("在嗎").await;
        served(&anna).await;
        assert_eq!(
            anna.ask(KEPT, json!([])).await,
            json!(["/chat/", "/offline/"]),
            "no answer of the API and no room"
        );
        cable.pull();
        anna.reload().await;
        anna.writes("在霧裡寫的").await;
        anna.finds_state("在霧裡寫的", "pending").await;
        anna.reads("banner", "連線斷了").await;
        accessible(&anna, "the room without a server").await;
        picture(&anna, "offline-room").await;
        // Home leads back to it.
        anna.goto("/").await;
        anna.reads("offline", "現在連不上").await;
        accessible(&anna, "the offline page").await;
        picture(&anna, "offline").await;
        anna.press("offline-write").await;
        anna.finds_state("在霧裡寫的", "pending").await;
        anna.writes("接著寫").await;
        cable.plug_in();
        anna.stored("接著寫").await;
        bao.has_log(json!(["在嗎", "在霧裡寫的", "接著寫"])).await;
        anna.has_log(json!(["在嗎", "在霧裡寫的", "接著寫"])).await;
        // What a proxy says in the server's place is no page either, and the page goes on by itself.
        anna.expect_console("502");
        cable.answers("502 Bad Gateway", "not here\n");
        anna.goto("/").await;
        anna.reads("offline", "現在連不上").await;
        cable.plug_in();
        anna.reads("start", "回去聊").await;
    });
}

#[test]
fn a_newer_server_is_never_hidden_by_what_was_kept_and_none_is_kept_where_none_is_wanted() {
    Play::new("worker_versions").run(async |stage| {
        let (anna, bao) = stage.two().await;
        expects_lost_connections(&anna);
        expects_lost_connections(&bao);
        meet(&anna, &bao).await;
        anna.says("之前").await;
        let old = served(&anna).await;
        stage.stop_server();
        anna.reload().await;
        anna.writes("不在的時候").await;
        // The next server has other files: its page takes the place of the kept one by itself.
        stage.set("site.name", "Lantern");
        stage.run_server();
        anna.until(&format!("{HASH} !== args[0]"), json!([old])).await;
        anna.has_log(json!(["之前", "不在的時候"])).await;
        let new = served(&anna).await;
        let names = anna.ask("caches.keys()", json!([])).await;
        assert_eq!(names, json!([format!("miyu-shell-{new}")]));
        // Bao's page was open all the time and stays; what he opens next is new at once.
        bao.has_log(json!(["之前", "不在的時候"])).await;
        bao.goto("/").await;
        assert_eq!(bao.ask("document.title", json!([])).await, "Lantern");

        stage.stop_server();
        stage.set("assets.service_worker", "false");
        stage.run_server();
        anna.goto("/").await;
        let left = "navigator.serviceWorker.getRegistrations().then(async (all) => all.length + (await caches.keys()).length === 0)";
        anna.until(left, json!([])).await;
        anna.press("start").await;
        anna.has_log(json!(["之前", "不在的時候"])).await;
        assert_eq!(anna.ask("navigator.serviceWorker.controller", json!([])).await, json!(null));
    });
}
