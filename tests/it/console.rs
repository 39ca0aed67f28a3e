//! The operators' desk over HTTP: a case from the queue to its decision, and who may do what to it.

use miyu::domain::safety::{AuditAct, NetworkLength, NoticeKind, SanctionId, SanctionTarget};
use miyu::store::safety::Appealed;
use serde_json::{Value, json};

use crate::support::desk::{Office, no_violation, told, violation};
use crate::support::operators::{refused, with};
use crate::support::people::chat;
use crate::support::safety::{Data, for_each_data};

for_each_data! {
    a_case_is_read_as_it_was_reported_and_reading_is_written_down
    a_decision_tells_all_who_have_a_part_and_claims_the_next_case
    two_moderators_never_have_one_case
    an_appeal_is_decided_by_another_operator
}

async fn a_case_is_read_as_it_was_reported_and_reading_is_written_down(data: Data) {
    let mut office = Office::open_on(data, |_| {}).await;
    let (room, case) = office.reported("something rude").await;
    let queue = told(&office.mei.get("queue/").await);
    assert_eq!(queue["total"], 1);
    let row = &queue["cases"][0];
    assert_eq!(
        (&row["id"], &row["kind"], &row["state"], &row["reason"]),
        (
            &json!(case),
            &json!("reports"),
            &json!("open"),
            &json!("harassment")
        )
    );
    assert_eq!((&row["reports"], &row["strikes"]), (&json!(1), &json!(0)));
    assert_eq!(row["priority"], 1.5);
    assert!(row.get("claim").is_none());

    let next = told(&office.mei.post("queue/next/", &json!({})).await);
    let file = &next["case"];
    assert_eq!(file["case"]["claim"]["mine"], true);
    assert_eq!(file["case"]["claim"]["name"], "Mei");
    let may = ["claim", "decide", "skip", "escalate", "hold", "invalidate"];
    assert_eq!(file["may"], json!(may));
    let report = &file["reports"][0];
    assert_eq!(
        (&report["reporter"], &report["note"]),
        (&json!("1"), &json!("rude"))
    );
    assert_eq!(
        (&report["messages"], &report["state"]),
        (&json!([1]), &json!("standing"))
    );
    let kept = &file["rooms"][0];
    assert_eq!(kept["room"], room.ming.room());
    assert_eq!(
        kept["sides"][kept["subject"].as_str().unwrap()]["name"],
        "小美"
    );
    assert_eq!(kept["entries"][0]["content"], "something rude");
    assert_eq!(kept["entries"][0]["reported"], true);
    // Reading it again and again is written down once.
    for _ in 0..3 {
        assert_eq!(
            told(&office.mei.get(&format!("cases/{case}/")).await),
            *file
        );
    }
    told(
        &office
            .mei
            .get(&format!("cases/{case}/evidence/?room={}", room.ming.room()))
            .await,
    );
    let read = office.audited(AuditAct::Read).await;
    assert_eq!(read.len(), 1, "{read:?}");
    assert_eq!(read[0].name.as_deref(), Some("Mei"));
    told(&office.ken.get(&format!("cases/{case}/")).await);
    assert_eq!(
        office.audited(AuditAct::Read).await.len(),
        2,
        "each who reads"
    );
}

async fn a_decision_tells_all_who_have_a_part_and_claims_the_next_case(data: Data) {
    let mut office = Office::open_on(data, |_| {}).await;
    let (room, case) = office.reported("something rude").await;
    let (other, second) = office.reported("something else").await;
    let decided = office
        .mei
        .post(
            &format!("cases/{case}/decide/"),
            &violation("warning", None),
        )
        .await;
    let decided = told(&decided);
    assert_eq!(decided["next"]["case"]["id"], second, "claimed at once");
    assert_eq!(decided["next"]["case"]["claim"]["mine"], true);
    let notices = office
        .site
        .safety
        .notices(office.session(&room.mei))
        .await
        .unwrap();
    assert_eq!((notices.len(), notices[0].kind), (1, NoticeKind::Warning));
    assert_eq!(notices[0].text, "Be kind.");
    let outcome = office
        .site
        .safety
        .notices(office.session(&room.ming))
        .await
        .unwrap();
    assert_eq!(
        (outcome[0].kind, &*outcome[0].text),
        (NoticeKind::Outcome, "Thank you.")
    );

    let stay = office
        .mei
        .post(&format!("cases/{second}/decide/?stay=1"), &no_violation())
        .await;
    assert_eq!(told(&stay)["next"], Value::Null);
    assert_eq!(told(&office.mei.get("queue/").await)["cases"], json!([]));
    let closed = told(&office.mei.get("queue/?state=closed").await);
    let ids: Vec<u64> = closed["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, [second, case]);
    let file = told(&office.ken.get(&format!("cases/{case}/")).await);
    assert_eq!(file["may"], json!(["reopen", "hold"]));
    assert_eq!(file["case"]["strikes"], 1);
    let decision = &file["decisions"][0];
    assert_eq!(
        (&decision["by"], &decision["note"]),
        (&json!("Mei"), &json!("seen"))
    );
    assert_eq!(file["reports"][0]["state"], "upheld");
    // What was decided in this case was not before it.
    let reporter = &file["reporters"][0];
    assert_eq!(
        (&reporter["upheld"], &reporter["decided"]),
        (&json!(0), &json!(0))
    );
    let listed = told(&office.ken.get(&format!("sanctions/?case={case}")).await);
    let sanction = &listed["sanctions"][0];
    assert_eq!(
        (&sanction["kind"], &sanction["target"], &sanction["by"]),
        (&json!("warning"), &json!("person"), &json!("Mei"))
    );
    drop(other);
}

async fn two_moderators_never_have_one_case(data: Data) {
    let office = Office::open_on(data, |_| {}).await;
    let (_room, case) = office.reported("something rude").await;
    let (mut mei, mut ken) = (office.mei.clone(), office.ken.clone());
    let nothing = json!({});
    let (one, two) = tokio::join!(
        mei.post("queue/next/", &nothing),
        ken.post("queue/next/", &nothing)
    );
    let cases = [told(&one)["case"].clone(), told(&two)["case"].clone()];
    let has: Vec<bool> = cases.iter().map(|it| !it.is_null()).collect();
    assert!(has == [true, false] || has == [false, true], "{cases:?}");
    let (mut owner, mut other, name) = match has[0] {
        true => (mei, ken, "Mei"),
        false => (ken, mei, "Ken"),
    };
    let file = told(&other.get(&format!("cases/{case}/")).await);
    assert_eq!(file["may"], json!([]));
    assert_eq!(
        (
            &file["case"]["claim"]["name"],
            &file["case"]["claim"]["mine"]
        ),
        (&json!(name), &json!(false))
    );
    for (path, body) in [
        ("decide", violation("mute", Some(3_600_000))),
        ("skip", json!({})),
        ("claim", json!({})),
        ("escalate", json!({})),
        ("invalidate", json!({"report": file["reports"][0]["id"]})),
    ] {
        let answer = other.post(&format!("cases/{case}/{path}/"), &body).await;
        assert_eq!(refused(&answer), with(409, "claimed"), "{path}");
        assert_eq!(answer.json()["by"], name);
    }
    // Giving up what is another's changes nothing; one's own is free for others.
    let row = told(
        &other
            .post(&format!("cases/{case}/release/"), &json!({}))
            .await,
    );
    assert_eq!(row["case"]["claim"]["name"], name);
    let row = told(
        &owner
            .post(&format!("cases/{case}/release/"), &json!({}))
            .await,
    );
    assert!(row["case"].get("claim").is_none());
    let row = told(
        &other
            .post(&format!("cases/{case}/claim/"), &json!({}))
            .await,
    );
    assert_eq!(row["case"]["claim"]["mine"], true);
    let decided = other
        .post(&format!("cases/{case}/decide/"), &no_violation())
        .await;
    assert_eq!(told(&decided)["next"], Value::Null);
    let late = owner
        .post(&format!("cases/{case}/decide/"), &no_violation())
        .await;
    assert_eq!(refused(&late), with(409, "closed"));
}

#[tokio::test]
async fn no_operator_reads_or_decides_a_case_that_they_have_a_part_in() {
    let mut office = Office::open().await;
    let (room, case) = office.reported("something rude").await;
    let own = office.session(&room.ming);
    office
        .site
        .safety
        .note_visitor(office.mei_id, own)
        .await
        .unwrap();
    let next = told(&office.mei.post("queue/next/", &json!({})).await);
    assert_eq!(next["case"], Value::Null);
    let own_case = with(403, "own_case");
    for path in [
        format!("cases/{case}/"),
        format!("cases/{case}/evidence/?room={}", room.ming.room()),
    ] {
        assert_eq!(refused(&office.mei.get(&path).await), own_case, "{path}");
    }
    for (act, body) in [
        ("decide", no_violation()),
        ("skip", json!({})),
        ("claim", json!({})),
    ] {
        let answer = office
            .mei
            .post(&format!("cases/{case}/{act}/"), &body)
            .await;
        assert_eq!(refused(&answer), own_case, "{act}");
    }
    assert!(
        office.audited(AuditAct::Read).await.is_empty(),
        "nothing was read"
    );
    told(
        &office
            .ken
            .post(&format!("cases/{case}/decide/"), &no_violation())
            .await,
    );
}

#[tokio::test]
async fn what_is_escalated_is_for_administrators() {
    let mut office = Office::open().await;
    let (_room, case) = office.reported("something rude").await;
    let row = told(
        &office
            .mei
            .post(&format!("cases/{case}/escalate/"), &json!({}))
            .await,
    );
    assert_eq!(row["case"]["state"], "escalated");
    let above = with(403, "above_you");
    for (act, body) in [
        ("decide", no_violation()),
        ("skip", json!({})),
        ("claim", json!({})),
    ] {
        let answer = office
            .ken
            .post(&format!("cases/{case}/{act}/"), &body)
            .await;
        assert_eq!(refused(&answer), above, "{act}");
    }
    assert_eq!(
        told(&office.ken.post("queue/next/", &json!({})).await)["case"],
        Value::Null
    );
    let next = told(&office.admin.post("queue/next/", &json!({})).await);
    assert_eq!(next["case"]["case"]["id"], case);
    told(
        &office
            .admin
            .post(&format!("cases/{case}/decide/"), &no_violation())
            .await,
    );
}

#[tokio::test]
async fn a_moderator_does_not_lift_what_an_administrator_imposed() {
    let mut office = Office::open().await;
    let mut lift = async |by_admin: bool| {
        let (_room, case) = office.reported("something rude").await;
        let order = violation("mute", Some(3_600_000));
        let path = format!("cases/{case}/decide/");
        match by_admin {
            true => told(&office.admin.post(&path, &order).await),
            false => told(&office.mei.post(&path, &order).await),
        };
        let listed = told(&office.ken.get(&format!("sanctions/?case={case}")).await);
        let id = listed["sanctions"][0]["id"].as_u64().unwrap();
        let text = json!({"text": "it is over"});
        let path = format!("sanctions/{id}/lift/");
        let by_moderator = office.ken.post(&path, &text).await;
        (by_moderator, office.admin.post(&path, &text).await)
    };
    let (moderator, admin) = lift(true).await;
    assert_eq!(refused(&moderator), with(403, "above_you"));
    assert_eq!(admin.status, 204);
    let (moderator, admin) = lift(false).await;
    assert_eq!(moderator.status, 204);
    assert_eq!(refused(&admin), with(409, "closed"), "it is lifted");
    let nothing = office.admin.post("sanctions/999/lift/", &json!({})).await;
    assert_eq!(refused(&nothing), with(404, "not_found"));
}

async fn an_appeal_is_decided_by_another_operator(data: Data) {
    let mut office = Office::open_on(data, |_| {}).await;
    let (room, case) = office.reported("something rude").await;
    let order = violation("mute", Some(3_600_000));
    told(
        &office
            .mei
            .post(&format!("cases/{case}/decide/"), &order)
            .await,
    );
    let person = office.session(&room.mei);
    let notice = office.site.safety.notices(person).await.unwrap()[0].id;
    let words = "It was a joke. <b>\u{202e}really</b>".to_owned();
    let appealed = office
        .site
        .safety
        .appeal(person, notice, words.clone())
        .await
        .unwrap();
    let Appealed::Done(appeal) = appealed else {
        panic!("{appealed:?}")
    };
    let path = format!("cases/{appeal}/appeal/");
    let queue = told(&office.ken.get("queue/").await);
    assert_eq!(queue["cases"][0]["kind"], "appeal");
    assert_eq!(queue["cases"][0]["sanction"]["kind"], "mute");
    let file = told(&office.ken.get(&format!("cases/{appeal}/")).await);
    assert_eq!(file["text"], words);
    assert_eq!(file["may"], json!(["claim", "appeal", "escalate", "hold"]));
    let overturn = json!({"outcome": "overturn", "text": "You were right."});
    let own = office.mei.post(&path, &overturn).await;
    assert_eq!(refused(&own), with(403, "another_must_decide"));
    let as_reports = office
        .ken
        .post(&format!("cases/{appeal}/decide/"), &no_violation())
        .await;
    assert_eq!(refused(&as_reports), with(409, "not_open"));
    for wrong in [
        json!({"outcome": "overturn", "text": " "}),
        json!({"outcome": "change", "text": "shorter"}),
        json!({"outcome": "uphold", "text": "no", "sanction": {"on": "person", "kind": "note"}}),
        json!({"outcome": "forgive", "text": "x"}),
    ] {
        let answer = office.ken.post(&path, &wrong).await;
        assert_eq!(refused(&answer), with(422, "unfit"), "{wrong}");
    }
    told(&office.ken.post(&path, &overturn).await);
    let target = SanctionTarget::Session(person);
    let on = office.site.safety.sanctions_on(target).await.unwrap();
    assert!(on.iter().all(|it| it.lifted_by.is_some()), "{on:?}");
    let late = office.admin.post(&path, &overturn).await;
    assert_eq!(refused(&late), with(409, "closed"));
}

#[tokio::test]
async fn a_decision_that_no_operator_may_make_says_what_is_wrong() {
    let mut office = Office::open().await;
    let mut room = chat(&office.site.server).await;
    office.site.both_are_noted(room.ming.room()).await;
    room.b_says("something rude", "b-1").await;
    let case = office.report(&room.ming, &json!({})).await;
    let with_sanction = |sanction: Value| {
        let mut order = violation("warning", None);
        order["sanctions"] = json!([sanction]);
        order
    };
    let path = format!("cases/{case}/decide/");
    let mut without_finding = no_violation();
    without_finding["sanctions"] = json!([{"on": "person", "kind": "ban"}]);
    for wrong in [
        violation("mute", Some(0)),
        violation("exile", None),
        violation("shadow_mute", Some(1000)),
        violation("warning", Some(1000)),
        with_sanction(json!({"on": "network", "kind": "mute", "length_ms": 1000})),
        with_sanction(json!({"on": "reporter", "reporter": "1", "kind": "ban"})),
        with_sanction(json!({"on": "reporter", "reporter": "2", "kind": "reporter_mute"})),
        without_finding,
        json!({"finding": "violation"}),
        json!([]),
    ] {
        let answer = office.admin.post(&path, &wrong).await;
        assert_eq!(refused(&answer), with(422, "unfit"), "{wrong}");
        assert!(answer.json()["detail"].as_str().unwrap().len() > 10);
    }
    // Of a network an administrator may ban a day, a moderator nothing.
    let network = with_sanction(json!({"on": "network", "kind": "ban", "length_ms": 1000}));
    let moderator = office.mei.post(&path, &network).await;
    assert_eq!(refused(&moderator), with(403, "above_you"));
    told(&office.admin.post(&path, &network).await);
    // It may have ended by now.
    let listed = office
        .site
        .safety
        .sanctions_since(SanctionId(0))
        .await
        .unwrap();
    let SanctionTarget::Network(banned) = listed[0].target else {
        panic!("{listed:?}")
    };
    assert_eq!((listed.len(), banned.length), (1, NetworkLength::V4Block));
}

#[tokio::test]
async fn nothing_that_was_not_reported_can_be_read() {
    let mut office = Office::open().await;
    let (_room, case) = office.reported("something rude").await;
    let mut private = chat(&office.site.server).await;
    private.a_says("a secret", "a-1").await;
    let room = private.ming.room();
    for mut desk in [office.mei.clone(), office.admin.clone()] {
        let path = format!("cases/{case}/evidence/?room={room}");
        assert_eq!(refused(&desk.get(&path).await), with(404, "not_found"));
        let export = desk.get(&format!("cases/{case}/export/?room={room}")).await;
        assert!([403, 404].contains(&export.status));
    }
    let hand = json!({"room": room, "side": "a", "reason": "minor", "note": "a parent wrote"});
    let answer = office.mei.post("cases/", &hand).await;
    assert_eq!(refused(&answer), with(403, "above_you"));
    let mut silent = hand.clone();
    silent["note"] = json!(" ");
    let answer = office.admin.post("cases/", &silent).await;
    assert_eq!(refused(&answer), with(422, "unfit"));
    // What comes from outside the site is opened by an administrator, with who asked, and it is written down.
    let answer = office.admin.post("cases/", &hand).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let opened = answer.json()["id"].as_u64().unwrap();
    let file = told(&office.mei.get(&format!("cases/{opened}/")).await);
    assert_eq!(
        (&file["case"]["kind"], &file["text"]),
        (&json!("by_hand"), &json!("a parent wrote"))
    );
    assert_eq!(file["rooms"][0]["entries"][0]["content"], "a secret");
    assert_eq!(office.audited(AuditAct::Opened).await.len(), 1);
}
