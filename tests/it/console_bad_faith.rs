//! Bad faith and taking it back, over HTTP on both stores.

use miyu::domain::safety::AuditAct;
use serde_json::{Value, json};

use crate::support::desk::{Office, no_violation, told};
use crate::support::operators::{Desk, refused, with};
use crate::support::safety::{Data, for_each_data};

for_each_data! {
    reports_that_were_made_invalid_by_mistake_stand_again
}

async fn file(desk: &mut Desk, case: u64) -> Value {
    told(&desk.get(&format!("cases/{case}/")).await)
}

async fn reports_that_were_made_invalid_by_mistake_stand_again(data: Data) {
    let mut office = Office::open_on(data, |_| {}).await;
    let (_room, case) = office.reported("something rude").await;
    let before = file(&mut office.mei, case).await;
    let report = json!({"report": before["reports"][0]["id"]});
    let path = |act: &str| format!("cases/{case}/{act}/");
    let answer = office.mei.post(&path("revalidate"), &report).await;
    assert_eq!(refused(&answer), with(409, "not_open"), "it is valid");
    let order = json!({"report": report["report"], "mute_ms": 86_400_000});
    told(&office.mei.post(&path("invalidate"), &order).await);
    let invalid = file(&mut office.ken, case).await;
    assert_eq!(invalid["case"]["state"], "skipped");
    assert_eq!(invalid["reports"][0]["weight"], 0.0);
    assert_eq!(invalid["may"], json!(["reopen", "hold", "revalidate"]));

    let done = told(&office.ken.post(&path("revalidate"), &report).await);
    assert_eq!(done["revalidated"], 1);
    let after = file(&mut office.ken, case).await;
    assert_eq!(after["case"]["state"], "open");
    for part in ["state", "weight"] {
        assert_eq!(after["reports"][0][part], before["reports"][0][part]);
    }
    assert_eq!(after["reporters"][0]["muted"], false);
    assert_eq!(after["may"], before["may"]);
    let again = office.ken.post(&path("revalidate"), &report).await;
    assert_eq!(refused(&again), with(409, "not_open"));
    for act in [AuditAct::Invalidated, AuditAct::Revalidated] {
        let rows = office.audited(act).await;
        assert_eq!(rows.len(), 1, "{act:?}");
        assert_eq!(rows[0].what.case.map(|it| it.0), Some(case));
        assert_eq!(rows[0].what.details, "1 report");
    }

    // What an administrator made invalid is theirs to take back.
    told(&office.admin.post(&path("invalidate"), &report).await);
    let answer = office.mei.post(&path("revalidate"), &report).await;
    assert_eq!(refused(&answer), with(403, "above_you"));
    // Nor is it offered to others.
    let (theirs, above) = (
        file(&mut office.mei, case).await,
        file(&mut office.admin, case).await,
    );
    let offered = |file: &Value| {
        file["may"]
            .as_array()
            .unwrap()
            .contains(&json!("revalidate"))
    };
    assert!(!offered(&theirs) && offered(&above));
    assert_eq!(theirs["reports"][0].get("may_revalidate"), None);
    assert_eq!(above["reports"][0]["may_revalidate"], true);
    told(&office.admin.post(&path("revalidate"), &report).await);
    told(&office.mei.post(&path("decide"), &no_violation()).await);
    let answer = office.mei.post(&path("revalidate"), &report).await;
    assert_eq!(refused(&answer), with(409, "closed"));
}
