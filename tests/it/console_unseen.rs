//! A decision judges what its operator has seen: no report that came into the case since.

use serde_json::{Value, json};

use crate::support::client::Browser;
use crate::support::desk::{Office, no_violation, told};
use crate::support::operators::{Desk, refused, with};
use crate::support::people::{both_enter, pair};
use crate::support::safety::{Data, for_each_data};

for_each_data! {
    no_report_is_judged_that_was_not_seen
}

async fn file(desk: &mut Desk, case: u64) -> Value {
    told(&desk.get(&format!("cases/{case}/")).await)
}

async fn no_report_is_judged_that_was_not_seen(data: Data) {
    let mut office = Office::open_on(data, |_| {}).await;
    let (room, case) = office.reported("something rude").await;
    let seen = file(&mut office.mei, case).await;
    assert_eq!(seen["reports"].as_array().unwrap().len(), 1);
    // Another person meets the same one, and reports them.
    let other = Browser::new(&office.site.server);
    let (ming, mei) = pair((&other, json!({})), (&room.mei.browser, json!({}))).await;
    let _sockets = both_enter(&ming, &mei).await;
    assert_eq!(office.report(&ming, &json!({})).await, case);
    let path = |act: &str| format!("cases/{case}/{act}/");
    let mut order = no_violation();
    order["seen_reports"] = json!(1);
    let answer = office.mei.post(&path("decide"), &order).await;
    assert_eq!(refused(&answer), with(409, "new_reports"));
    let answer = office
        .mei
        .post(&path("skip"), &json!({"seen_reports": 1}))
        .await;
    assert_eq!(refused(&answer), with(409, "new_reports"));
    assert_eq!(file(&mut office.mei, case).await["case"]["state"], "open");
    order["seen_reports"] = json!(2);
    told(&office.mei.post(&path("decide"), &order).await);
    assert_eq!(
        file(&mut office.mei, case).await["case"]["state"],
        "decided"
    );
}
