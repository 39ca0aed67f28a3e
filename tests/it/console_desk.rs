//! What else operators have at their desks: large and damaged cases, texts as they were written, bad faith, raids, exports,
//! texts, notices and numbers.

use std::time::Duration;

use miyu::domain::id::{RoomId, Side};
use miyu::domain::safety::{AuditAct, CaseState};
use miyu::store::{Appended, Draft};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::client::Browser;
use crate::support::desk::{Office, no_violation, told, violation};
use crate::support::operators::{refused, with};
use crate::support::people::{both_enter, chat, pair};

/// Answers are no longer than this, whatever is in a case.
const MOST: usize = 2 * 1024 * 1024;

#[tokio::test]
async fn a_case_of_a_very_long_conversation_is_read_in_bounded_answers() {
    let mut office = Office::open_with(|config| config.limits.room_bytes = 64 << 20).await;
    let room = chat(&office.site.server).await;
    let id = RoomId::parse(room.ming.room()).unwrap();
    let store = &office.site.server.app.store;
    let long = "字".repeat(1000);
    for batch in (1..=20_000_u32).collect::<Vec<_>>().chunks(200) {
        let said = batch.iter().map(|at| Draft {
            unheard: false,
            room: id,
            side: Side::B,
            client_id: format!("c-{at}"),
            content: if at % 2 == 0 {
                long.clone()
            } else {
                format!("{at}")
            },
            reply_to: None,
        });
        let said: Vec<_> = said.map(|draft| store.append(draft)).collect();
        for said in said {
            assert!(matches!(said.await.unwrap(), Appended::Done(_)));
        }
    }
    // Chosen one after the other, each report of the same room extends what is kept.
    let case = office
        .report(&room.ming, &json!({"messages": ["10000"]}))
        .await;
    for at in [2000, 5000, 15_000, 19_000, 300] {
        let body =
            json!({"room": room.ming.room(), "reason": "spam", "messages": [at.to_string()]});
        let again = crate::support::reporting::post_report(&room.ming.browser, &body).await;
        assert_eq!(again.status, 409);
    }
    let answer = office.mei.get(&format!("cases/{case}/")).await;
    assert!(answer.body.len() < MOST, "{}", answer.body.len());
    let file = told(&answer);
    let mut seen = seqs(&file["rooms"][0]);
    let mut next = file["rooms"][0]["next"].clone();
    while let Some(after) = next.as_u64() {
        let path = format!("cases/{case}/evidence/?room={id}&after={after}", id = id.0);
        let answer = office.mei.get(&path).await;
        assert!(answer.body.len() < MOST, "{}", answer.body.len());
        let room = told(&answer);
        seen.extend(seqs(&room));
        next = room["next"].clone();
    }
    assert_eq!(seen.len(), 1000);
    assert!(seen.is_sorted(), "each once, in order");
    for chosen in [2000, 5000, 10_000, 15_000] {
        assert!(seen.contains(&chosen), "{chosen}");
    }
}

fn seqs(room: &Value) -> Vec<u64> {
    let entries = room["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|it| it["seq"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_case_whose_evidence_is_damaged_says_so_and_can_be_closed() {
    let mut office = Office::open().await;
    let (mut room, _) = office.reported("something rude").await;
    room.b_says("and more", "b-2").await;
    let (other, case) = office.reported("something else").await;
    let url = &office.site.server.app.config.store.url;
    let database = rusqlite::Connection::open(url.trim_start_matches("sqlite:")).unwrap();
    let damaged = database
        .execute(
            "UPDATE evidence_entries SET kind = 99 WHERE evidence = (SELECT max(no) FROM evidence)",
            [],
        )
        .unwrap();
    assert_eq!(damaged, 1);
    let file = told(&office.mei.get(&format!("cases/{case}/")).await);
    assert_eq!(file["rooms"][0]["damaged"], true);
    assert_eq!(file["rooms"][0]["entries"], json!([]));
    let row = told(
        &office
            .mei
            .post(&format!("cases/{case}/skip/"), &json!({}))
            .await,
    );
    assert_eq!(row["case"]["state"], "skipped");
    let row = told(
        &office
            .mei
            .post(&format!("cases/{case}/reopen/"), &json!({}))
            .await,
    );
    assert_eq!(
        (&row["case"]["state"], &row["case"]["reopened"]),
        (&json!("open"), &json!(true))
    );
    let decide = office
        .mei
        .post(&format!("cases/{case}/decide/?stay=1"), &no_violation())
        .await;
    told(&decide);
    drop(other);
}

#[tokio::test]
async fn texts_come_as_they_were_written_and_only_as_json() {
    const EVIL: &str = "</script><img src=x onerror=alert(1)>\u{202e}\u{2066}x\u{200d}";
    let mut office = Office::open().await;
    let (ming, mei) = (
        Browser::new(&office.site.server),
        Browser::new(&office.site.server),
    );
    let named = json!({"nickname": "<b>\"n&m\"</b>"});
    let (ming, mei) = pair((&ming, json!({})), (&mei, named)).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    b.said(EVIL, "b-1").await;
    a.until("new_message").await;
    let claims = json!([{"seq": 1, "content": EVIL.repeat(2), "proof": ""}]);
    let more = json!({"note": EVIL, "messages": ["1"], "claims": claims});
    let case = office.report(&ming, &more).await;
    let answer = office.mei.get(&format!("cases/{case}/")).await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    let file = told(&answer);
    let room = &file["rooms"][0];
    let side = room["subject"].as_str().unwrap();
    assert_eq!(room["sides"][side]["name"], "<b>\"n&m\"</b>");
    assert_eq!(file["reports"][0]["note"], EVIL);
    assert_eq!(room["entries"][0]["content"], EVIL);
    // What was kept needs no claim, and no lie about it stands beside it.
    let claim = json!({"seq": 1, "content": EVIL.repeat(2), "verified": false});
    assert_eq!(file["reports"][0]["claims"], json!([claim]));
    assert!(room["entries"][0].get("claim").is_none());
    let mut order = violation("note", None);
    order["note"] = json!(EVIL);
    told(
        &office
            .mei
            .post(&format!("cases/{case}/decide/?stay=1"), &order)
            .await,
    );
    let file = told(&office.mei.get(&format!("cases/{case}/")).await);
    assert_eq!(file["decisions"][0]["note"], EVIL);
}

#[tokio::test]
async fn all_reports_of_one_in_bad_faith_become_invalid_at_once() {
    let mut office = Office::open().await;
    let liar = Browser::new(&office.site.server);
    let mut cases = Vec::new();
    for _ in 0..2 {
        let other = Browser::new(&office.site.server);
        let (ming, mei) = pair((&liar, json!({})), (&other, json!({}))).await;
        let _sockets = both_enter(&ming, &mei).await;
        cases.push(office.report(&ming, &json!({})).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let file = told(&office.mei.get(&format!("cases/{}/", cases[0])).await);
    let path = format!("cases/{}/invalidate/", cases[0]);
    let unknown = json!({"report": uuid::Uuid::new_v4().to_string()});
    let answer = office.mei.post(&path, &unknown).await;
    assert_eq!(refused(&answer), with(404, "not_found"));
    let order = json!({"report": file["reports"][0]["id"], "mute_ms": 86_400_000});
    let done = told(&office.mei.post(&path, &order).await);
    assert_eq!(done["invalidated"], 2);
    for case in &cases {
        let file = told(&office.ken.get(&format!("cases/{case}/")).await);
        assert_eq!(file["case"]["state"], "skipped");
        assert_eq!(file["reports"][0]["state"], "invalid");
        assert_eq!(file["reporters"][0]["muted"], true);
        assert_eq!(file["may"], json!(["reopen", "hold", "revalidate"]));
    }
    let again = office.mei.post(&path, &order).await;
    assert_eq!(refused(&again), with(409, "closed"));
}

#[tokio::test]
async fn evidence_is_held_and_let_go() {
    let mut office = Office::open().await;
    let (_room, case) = office.reported("something rude").await;
    let path = format!("cases/{case}/hold/");
    let put = |hold: Value| Some(json!({ "hold": hold }).to_string());
    let held = told(&office.mei.ask("PUT", &path, put(json!("year"))).await);
    let until = held["case"]["held_until_ms"].as_i64().unwrap();
    let days = (until - held["case"]["opened_at_ms"].as_i64().unwrap()) / 86_400_000;
    assert!((364..=366).contains(&days), "{days}");
    let held = told(&office.mei.ask("PUT", &path, put(json!("half_year"))).await);
    assert!(
        held["case"]["held_until_ms"].as_i64().unwrap() >= until,
        "not shortened"
    );
    let free = told(&office.mei.ask("PUT", &path, put(Value::Null)).await);
    assert!(free["case"].get("held_until_ms").is_none());
    let wrong = office.mei.ask("PUT", &path, put(json!("forever"))).await;
    assert_eq!(refused(&wrong), with(422, "unfit"));
    let none = office.mei.post("cases/999/reopen/", &json!({})).await;
    assert_eq!(refused(&none), with(404, "not_found"));
    let open = office
        .mei
        .post(&format!("cases/{case}/reopen/"), &json!({}))
        .await;
    assert_eq!(refused(&open), with(409, "not_open"));
    for wrong in ["0", "x", "-1", "99999999999999999999"] {
        let answer = office.mei.get(&format!("cases/{wrong}/")).await;
        assert_eq!(refused(&answer), with(404, "not_found"), "{wrong}");
    }
}

#[tokio::test]
async fn an_administrator_bans_a_network_for_a_day_at_most() {
    let mut office = Office::open().await;
    let raid = |address: &str, length_ms: u64| json!({"address": address, "kind": "ban", "length_ms": length_ms, "rule": "spam", "text": ""});
    let hour = 3_600_000;
    let answer = office
        .mei
        .post("sanctions/", &raid("203.0.113.7", hour))
        .await;
    assert_eq!(refused(&answer), with(403, "not_allowed"));
    for (wrong, why) in [
        (raid("203.0.113.7", 25 * hour), "unfit"),
        (raid("203.0.113.7/8", hour), "no_network"),
        (raid("x", hour), "no_network"),
    ] {
        let answer = office.admin.post("sanctions/", &wrong).await;
        assert_eq!(refused(&answer), with(422, why), "{wrong}");
    }
    for address in ["203.0.113.7", "2001:db8::1/48"] {
        let answer = office.admin.post("sanctions/", &raid(address, hour)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let listed = told(&office.mei.get("sanctions/").await);
    let targets: Vec<&Value> = listed["sanctions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["target"])
        .collect();
    assert_eq!(targets, ["network", "address"], "newest first");
    assert!(
        !listed.to_string().contains("203.0.113"),
        "no address is kept"
    );
    let id = listed["sanctions"][0]["id"].as_u64().unwrap();
    let path = format!("sanctions/{id}/lift/");
    assert_eq!(
        refused(&office.mei.post(&path, &json!({})).await),
        with(403, "above_you")
    );
    assert_eq!(office.admin.post(&path, &json!({})).await.status, 204);
    let left = told(&office.mei.get("sanctions/").await);
    assert_eq!(left["sanctions"].as_array().unwrap().len(), 1);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_export_has_all_of_a_case_and_proves_itself() {
    let mut office = Office::open().await;
    let (room, case) = office.reported("something rude").await;
    let path = format!("cases/{case}/export/");
    assert_eq!(
        refused(&office.mei.get(&path).await),
        with(403, "not_allowed")
    );
    let answer = office.admin.get(&path).await;
    let named = format!("attachment; filename=\"miyu-case-{case}.json\"");
    assert_eq!(answer.header("content-disposition"), Some(named.as_str()));
    let file = told(&answer);
    assert_eq!(file["manifest"]["algorithm"], "SHA-256");
    let lines = file["manifest"]["parts"].as_array().unwrap();
    let names: Vec<&str> = lines
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let evidence = format!("evidence/{}-1.json", room.ming.room());
    assert_eq!(names, ["case.json", "reports.json", &evidence]);
    for line in lines {
        let text = file["parts"][line["name"].as_str().unwrap()]
            .as_str()
            .unwrap();
        assert_eq!(line["sha256"], hex(&Sha256::digest(text)));
        assert_eq!(line["bytes"], text.len());
    }
    let part = |name: &str| -> Value {
        serde_json::from_str(file["parts"][name].as_str().unwrap()).unwrap()
    };
    assert_eq!(part(&evidence)["entries"][0]["content"], "something rude");
    let session = hex(&office.session(&room.mei).0);
    assert_eq!(part("case.json")["subject"]["session"], session);
    assert_eq!(part("reports.json")[0]["note"], "rude");
    let exported = office.audited(AuditAct::Exported).await;
    assert_eq!(exported.len(), 1);
    let whole = format!("sha256 {}", hex(&Sha256::digest(&answer.body)));
    assert_eq!(exported[0].what.details, whole);
    // What the export names can be asked for.
    let on = told(
        &office
            .admin
            .get(&format!("sanctions/?session={session}"))
            .await,
    );
    assert_eq!(on["sanctions"], json!([]));
    let hand = json!({"session": session, "reason": "minor", "note": "the police"});
    assert_eq!(office.admin.post("cases/", &hand).await.status, 201);
    assert_eq!(office.site.queue().await[0].state, CaseState::Open);
}

#[tokio::test]
async fn administrators_set_texts_notices_and_maintenance() {
    let mut office = Office::open().await;
    let delivered = told(&office.mei.get("templates/").await);
    assert_eq!(delivered["templates"].as_array().unwrap().len(), 7);
    let mut own = delivered.clone();
    own["templates"][0]["texts"]["en"] = json!("Please be kind.");
    let body = || Some(own.to_string());
    let answer = office.mei.ask("PUT", "templates/", body()).await;
    assert_eq!(refused(&answer), with(403, "not_allowed"));
    assert_eq!(
        office.admin.ask("PUT", "templates/", body()).await.status,
        204
    );
    let set = told(&office.mei.get("templates/").await);
    assert_eq!(set["templates"], own["templates"]);
    assert!(set["version"].as_u64() > own["version"].as_u64());
    // The other administrator has not seen that.
    let answer = office.admin.ask("PUT", "templates/", body()).await;
    assert_eq!(refused(&answer), with(409, "changed"));
    assert_eq!(told(&office.mei.get("templates/").await), set);
    let answer = office
        .admin
        .ask(
            "PUT",
            "templates/",
            Some(json!({"templates": []}).to_string()),
        )
        .await;
    assert_eq!(refused(&answer), with(422, "unfit"));

    let none = told(&office.mei.get("broadcast/").await);
    let versions = json!({"broadcast": 0, "maintenance": 0});
    let nothing = json!({"broadcast": null, "maintenance": null, "versions": versions});
    assert_eq!(none, nothing);
    let notice = || Some(json!({"texts": {"en": "Back at nine"}, "length_ms": 60_000}).to_string());
    for path in ["broadcast/", "maintenance/"] {
        let answer = office.mei.ask("PUT", path, notice()).await;
        assert_eq!(refused(&answer), with(403, "not_allowed"), "{path}");
        assert_eq!(
            office.admin.ask("PUT", path, notice()).await.status,
            204,
            "{path}"
        );
    }
    let set = told(&office.mei.get("broadcast/").await);
    assert_eq!(set["broadcast"]["texts"]["en"], "Back at nine");
    assert!(set["maintenance"]["until_ms"].as_i64() > set["broadcast"]["from_ms"].as_i64());
    for kind in ["broadcast", "maintenance"] {
        let stale = json!({"texts": {"en": "Back at ten"}, "length_ms": 60_000, "version": 0});
        let path = format!("{kind}/");
        let answer = office
            .admin
            .ask("PUT", &path, Some(stale.to_string()))
            .await;
        assert_eq!(refused(&answer), with(409, "changed"), "{kind}");
        let end = |version: &str| format!("{kind}/?version={version}");
        let answer = office.admin.ask("DELETE", &end("0"), None).await;
        assert_eq!(refused(&answer), with(409, "changed"), "{kind}");
        let answer = office.admin.ask("DELETE", &end("x"), None).await;
        assert_eq!(refused(&answer), with(422, "unfit"), "{kind}");
        let ends = end(&set["versions"][kind].to_string());
        let answer = office.admin.ask("DELETE", &ends, None).await;
        assert_eq!(answer.status, 204, "{kind}");
    }
    assert_eq!(told(&office.mei.get("broadcast/").await), none);
}

#[tokio::test]
async fn operators_see_the_work_in_numbers() {
    let mut office = Office::open().await;
    let (_room, _) = office.reported("something rude").await;
    let live = told(&office.mei.get("live/").await);
    assert_eq!(
        (&live["cases_open"], &live["appeals_open"]),
        (&json!(1), &json!(0))
    );
    assert!(live["oldest_open_ms"].as_u64().unwrap() < 60_000, "{live}");
    assert_eq!(
        (&live["sanctions_in_force"], &live["automatic_today"]),
        (&json!(0), &json!(0))
    );
    assert!(live["online"].as_u64().is_some() && live["rooms"].as_u64().is_some());
}
