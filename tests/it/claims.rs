//! A case is one operator's for a while: over HTTP, until its time is over, whatever became of the operator or of the node
//! that they claimed it at.

use std::time::Duration;

use miyu::domain::safety::Role;
use miyu::domain::safety::case::CLAIM;
use serde_json::{Value, json};

use crate::support::binary::{Setup, UNLIMITED};
use crate::support::desk::{Office, no_violation, told, violation};
use crate::support::operators::{Desk, operator, refused, with};
use crate::support::people::chat;
use crate::support::reporting::{about, post_report};
use crate::support::safety::{Data, Guarded, for_each_data, soon};
use crate::support::scene::MIYU;

/// What is left of a claim in the moment before it ends; longer than the requests in between.
const LAST: Duration = Duration::from_secs(60);

for_each_data! {
    a_claim_ends_by_its_time_and_then_it_is_anothers
    an_act_renews_a_claim
}

async fn office(data: Data) -> Office {
    Office::open_on(data, |_| {}).await
}

/// This desk does this to this case.
async fn act(desk: &mut Desk, case: u64, act: &str, body: &Value) -> crate::support::wire::Answer {
    desk.post(&format!("cases/{case}/{act}/"), body).await
}

/// Another has it, by this name.
async fn is_kept_from(desk: &mut Desk, case: u64, by: &str) {
    for (path, body) in [
        ("decide", violation("mute", Some(3_600_000))),
        ("skip", json!({})),
        ("claim", json!({})),
        ("escalate", json!({})),
    ] {
        let answer = act(desk, case, path, &body).await;
        assert_eq!(refused(&answer), with(409, "claimed"), "{path}");
        assert_eq!(answer.json()["by"], by, "{path}");
    }
}

async fn a_claim_ends_by_its_time_and_then_it_is_anothers(data: Data) {
    let mut office = office(data).await;
    let (_room, case) = office.reported("something rude").await;
    let next = told(&office.mei.post("queue/next/", &json!({})).await);
    assert_eq!(next["case"]["case"]["id"], case);
    office.site.claims_age(CLAIM - LAST).await;
    is_kept_from(&mut office.ken, case, "Mei").await;
    let next = told(&office.ken.post("queue/next/", &json!({})).await);
    assert_eq!(next["case"], Value::Null);
    office.site.claims_age(LAST).await;
    let queue = told(&office.ken.get("queue/").await);
    assert!(queue["cases"][0].get("claim").is_none(), "{queue}");
    let next = told(&office.ken.post("queue/next/", &json!({})).await);
    assert_eq!(next["case"]["case"]["claim"]["name"], "Ken");
    // The first one has it open still, and acts.
    is_kept_from(&mut office.mei, case, "Ken").await;
    let file = told(&office.mei.get(&format!("cases/{case}/")).await);
    assert_eq!(
        (&file["may"], &file["case"]["claim"]["name"]),
        (&json!([]), &json!("Ken"))
    );
    told(&act(&mut office.ken, case, "decide", &no_violation()).await);
}

async fn an_act_renews_a_claim(data: Data) {
    let mut office = office(data).await;
    let (_room, case) = office.reported("something rude").await;
    told(&act(&mut office.mei, case, "claim", &json!({})).await);
    office.site.claims_age(CLAIM - LAST).await;
    let hold = json!({"hold": "half_year"}).to_string();
    let path = format!("cases/{case}/hold/");
    told(&office.mei.ask("PUT", &path, Some(hold)).await);
    office.site.claims_age(CLAIM - LAST).await;
    is_kept_from(&mut office.ken, case, "Mei").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_at_a_node_that_died_is_free_after_its_time() {
    let site = Guarded::without_operator_on(Data::Postgres, |config| {
        config.limits.messages_per_second = 0;
    })
    .await;
    for name in ["Mei", "Ken"] {
        operator(&*site.safety, name, Role::Moderator).await;
    }
    soon(async || site.server.app.reach.reporting.offered().await).await;
    let room = chat(&site.server).await;
    let answer = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let case = site.queue().await[0].id.0;

    let home = tempfile::tempdir().unwrap();
    let mut setup = Setup::new(MIYU, home.path());
    setup.store_elsewhere = true;
    let store = &site.server.app.config.store.url;
    setup.config = format!("[store]\nurl = \"{store}\"\n{UNLIMITED}");
    let mut node = setup.spawn();
    let mut mei = Desk::logged_in(node.ready().await, "Mei").await;
    told(&act(&mut mei, case, "claim", &json!({})).await);
    node.kill();

    let here = site.server.address;
    let mut ken = Desk::logged_in(here, "Ken").await;
    is_kept_from(&mut ken, case, "Mei").await;
    site.claims_age(CLAIM).await;
    let row = told(&act(&mut ken, case, "claim", &json!({})).await);
    assert_eq!(row["case"]["claim"]["mine"], true);
    // She comes back at the other node.
    let mut mei = Desk::logged_in(here, "Mei").await;
    is_kept_from(&mut mei, case, "Ken").await;
    site.server.stop().await;
}
