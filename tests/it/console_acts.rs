//! Acts besides decisions, over HTTP: with their notes, seen by the next operator; what a moderator is refused and not offered.

use miyu::domain::safety::AuditAct;
use serde_json::{Value, json};

use crate::support::desk::{Office, no_violation, told, violation};
use crate::support::operators::{refused, with};

#[tokio::test]
async fn a_note_goes_with_what_is_done_and_an_administrator_reads_it() {
    let mut office = Office::open().await;
    let (_room, case) = office.reported("something rude").await;
    let path = |act: &str| format!("cases/{case}/{act}/");
    let hold = json!({"hold": "year", "note": "the police asked"}).to_string();
    told(&office.mei.ask("PUT", &path("hold"), Some(hold)).await);
    let long = json!({"note": "x".repeat(2001)});
    let answer = office.mei.post(&path("escalate"), &long).await;
    assert_eq!(refused(&answer), with(422, "unfit"));
    let note = json!({"note": "she says that she is 13"});
    told(&office.mei.post(&path("escalate"), &note).await);
    let file = told(&office.admin.get(&format!("cases/{case}/")).await);
    let steps = file["steps"].as_array().unwrap();
    let said: Vec<Value> = steps
        .iter()
        .map(|it| json!([it["kind"], it["by"], it["note"]]))
        .collect();
    let expected = [
        json!(["escalated", "Mei", "she says that she is 13"]),
        json!(["held", "Mei", "the police asked"]),
    ];
    assert_eq!(said, expected);
    assert!(steps[0]["at_ms"].as_i64().unwrap() > 0);
    // An act without a word is one, too.
    let answer = office.admin.ask("POST", &path("skip"), None).await;
    told(&answer);
    let export = told(&office.admin.get(&path("export")).await);
    let text = export["parts"]["case.json"].as_str().unwrap();
    let kept: Value = serde_json::from_str(text).unwrap();
    assert_eq!(kept["steps"].as_array().unwrap().len(), 3);
    assert_eq!(kept["steps"][1]["note"], "she says that she is 13");
}

#[tokio::test]
async fn a_moderator_undoes_nothing_that_an_administrator_decided() {
    let mut office = Office::open().await;
    let (_room, case) = office.reported("something rude").await;
    let path = |act: &str| format!("cases/{case}/{act}/");
    told(&office.mei.post(&path("escalate"), &json!({})).await);
    told(
        &office
            .admin
            .post(&path("decide"), &violation("ban", None))
            .await,
    );
    let seen = told(&office.mei.get(&format!("cases/{case}/")).await);
    let may = seen["may"].as_array().unwrap();
    assert!(!may.contains(&json!("reopen")), "{may:?}");
    let answer = office.mei.post(&path("reopen"), &json!({})).await;
    assert_eq!(refused(&answer), with(403, "above_you"));
    let row = told(&office.admin.post(&path("reopen"), &json!({})).await);
    assert_eq!(row["case"]["state"], "escalated");
    let answer = office.mei.post(&path("decide"), &no_violation()).await;
    assert_eq!(refused(&answer), with(403, "above_you"));
}

#[tokio::test]
async fn what_can_be_lifted_is_said_of_each_sanction() {
    let mut office = Office::open().await;
    for by_admin in [true, false] {
        let (_room, case) = office.reported("something rude").await;
        let path = format!("cases/{case}/decide/");
        let order = violation("mute", Some(3_600_000));
        match by_admin {
            true => told(&office.admin.post(&path, &order).await),
            false => told(&office.mei.post(&path, &order).await),
        };
        let of_case = format!("sanctions/?case={case}");
        let seen = told(&office.ken.get(&of_case).await);
        assert_eq!(seen["sanctions"][0]["may_lift"] == true, !by_admin);
        let seen = told(&office.admin.get(&of_case).await);
        assert_eq!(seen["sanctions"][0]["may_lift"], true);
        let id = seen["sanctions"][0]["id"].as_u64().unwrap();
        let lift = format!("sanctions/{id}/lift/");
        let silent = office.admin.post(&lift, &json!({"text": " "})).await;
        assert_eq!(refused(&silent), with(422, "unfit"));
        let text = json!({"text": "we were wrong"});
        assert_eq!(office.admin.post(&lift, &text).await.status, 204);
        let seen = told(&office.admin.get(&of_case).await);
        assert_eq!(seen["sanctions"][0]["may_lift"], Value::Null);
        let file = told(&office.ken.get(&format!("cases/{case}/")).await);
        let steps = &file["steps"];
        assert_eq!(
            json!([steps[0]["kind"], steps[0]["by"], steps[0]["text"]]),
            json!(["lifted", "Ada", "we were wrong"])
        );
        assert_eq!(
            json!([steps[1]["kind"], steps[1]["text"]]),
            json!(["told", "Thank you."])
        );
    }
}

#[tokio::test]
async fn a_moderator_learns_nothing_of_rooms_and_sessions() {
    let mut office = Office::open().await;
    let (room, case) = office.reported("something rude").await;
    let session = office.session(&room.mei);
    let hex: String = session.0.iter().map(|it| format!("{it:02x}")).collect();
    let none = "01900000-0000-7000-8000-000000000001";
    for about in [
        json!({"room": room.ming.room(), "side": "a"}),
        json!({"room": none, "side": "a"}),
        json!({"room": "no room", "side": "c"}),
        json!({"session": hex}),
        json!({"session": "none"}),
    ] {
        let mut order = about.clone();
        order["reason"] = json!("minor");
        order["note"] = json!("to look");
        let answer = office.mei.post("cases/", &order).await;
        assert_eq!(refused(&answer), with(403, "above_you"), "{about}");
    }
    assert_eq!(office.audited(AuditAct::Opened).await.len(), 0);
    // Bad faith is written down with the case where it was seen.
    let file = told(&office.mei.get(&format!("cases/{case}/")).await);
    let order = json!({"report": file["reports"][0]["id"]});
    let path = format!("cases/{case}/invalidate/");
    told(&office.mei.post(&path, &order).await);
    let rows = office.audited(AuditAct::Invalidated).await;
    assert_eq!(rows[0].what.case.map(|it| it.0), Some(case));
    assert_eq!(rows[0].what.details, "1 report");
}
