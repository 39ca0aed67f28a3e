//! Every act of an operator has its row in the audit log. Which acts there are is read from the table of routes: one that
//! is added, and does not stand here, fails.

use std::collections::BTreeSet;

use miyu::domain::id::Timestamp;
use miyu::domain::safety::AuditAct;
use miyu::http::admin::{self, desk};
use miyu::http::routes::Guard;
use miyu::operators::totp;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::desk::{Office, no_violation, violation};
use crate::support::operators::{Desk, PASSWORD};
use crate::support::safety::{Data, for_each_data};

for_each_data! {
    every_act_has_its_row
}

/// What changes nothing that stays, and what there is before there is an operator.
const WITHOUT: [(&str, &str); 2] = [
    ("POST", "/admin/api/totp/"),  // offers a secret
    ("POST", "/admin/api/setup/"), // `operators_set_up`
];

/// What operators can change, by method and address.
fn acts() -> BTreeSet<(String, &'static str)> {
    let mut acts = BTreeSet::new();
    for route in admin::TABLE.iter().chain(desk::TABLE) {
        if !matches!(route.guard, Guard::Operator(_) | Guard::Console) {
            continue;
        }
        for method in route.methods.split(", ") {
            let reads = matches!(method, "GET" | "HEAD");
            if !reads && !WITHOUT.contains(&(method, route.path)) {
                acts.insert((method.to_owned(), route.path));
            }
        }
    }
    acts
}

/// Does one after the other, and looks for the row of each.
struct Acting {
    office: Office,
    done: BTreeSet<(String, &'static str)>,
}

impl Acting {
    /// This one does it, of this case, sanction, operator or session; there are rows, and one of this act by them.
    async fn act(
        &mut self,
        desk: &mut Desk,
        (method, path): (&str, &'static str),
        of: impl ToString,
        body: Value,
        expected: AuditAct,
    ) -> Value {
        let (head, _) = self.office.site.safety.audit_head().await.unwrap();
        let asked = path.replace("{id}", &of.to_string());
        let asked = asked.strip_prefix("/admin/api/").unwrap();
        let answer = desk.ask(method, asked, Some(body.to_string())).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
        let rows = self.office.site.safety.audit(head).await.unwrap();
        let row = rows.iter().find(|it| it.what.act == expected);
        let row = row.unwrap_or_else(|| panic!("{method} {path} has no {expected:?} in {rows:?}"));
        assert!(row.what.by.is_some(), "{method} {path}");
        self.done.insert((method.to_owned(), path));
        match answer.body.is_empty() {
            true => Value::Null,
            false => answer.json(),
        }
    }
}

/// What the app on a phone shows now.
fn code(secret: &str) -> String {
    let key = totp::parse(secret).expect("a secret");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let Timestamp(now) = miyu::clock::now();
    let tag = hmac::sign(&key, &u64::try_from(now / 30_000).unwrap().to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[from..from + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// What is done to cases.
async fn on_cases(acting: &mut Acting) {
    let (mut mei, mut ken) = (acting.office.mei.clone(), acting.office.ken.clone());
    let mut admin = acting.office.admin.clone();
    let (room, case) = acting.office.reported("something rude").await;
    let none = || json!({});
    let post = |path| ("POST", path);
    let queue = post("/admin/api/queue/next/");
    let given = acting.act(&mut mei, queue, "", none(), AuditAct::Claimed);
    let report = given.await["case"]["reports"][0]["id"].clone();
    for (path, act) in [
        ("/admin/api/cases/{id}/release/", AuditAct::Released),
        ("/admin/api/cases/{id}/claim/", AuditAct::Claimed),
    ] {
        acting.act(&mut mei, post(path), case, none(), act).await;
    }
    let hold = ("PUT", "/admin/api/cases/{id}/hold/");
    let order = json!({"hold": "year"});
    acting
        .act(&mut mei, hold, case, order, AuditAct::Held)
        .await;
    let of_report = || json!({"report": report});
    for (path, body, act) in [
        (
            "/admin/api/cases/{id}/invalidate/",
            of_report(),
            AuditAct::Invalidated,
        ),
        (
            "/admin/api/cases/{id}/revalidate/",
            of_report(),
            AuditAct::Revalidated,
        ),
        ("/admin/api/cases/{id}/skip/", none(), AuditAct::Skipped),
        ("/admin/api/cases/{id}/reopen/", none(), AuditAct::Reopened),
        (
            "/admin/api/cases/{id}/decide/",
            violation("mute", Some(60_000)),
            AuditAct::DecidedViolation,
        ),
    ] {
        acting.act(&mut mei, post(path), case, body, act).await;
    }
    let session = acting.office.session(&room.mei);
    let safety = &acting.office.site.safety;
    let notice = safety.notices(session).await.unwrap().remove(0).id;
    safety
        .appeal(session, notice, "I was quoting".into())
        .await
        .unwrap();
    let appeal = safety.queue().await.unwrap().remove(0).id.0;
    let order = json!({"outcome": "overturn", "text": "You are right."});
    let path = post("/admin/api/cases/{id}/appeal/");
    acting
        .act(&mut ken, path, appeal, order, AuditAct::AppealOverturned)
        .await;
    let (_another, other) = acting.office.reported("rude again").await;
    let path = post("/admin/api/cases/{id}/escalate/");
    acting
        .act(&mut ken, path, other, none(), AuditAct::Escalated)
        .await;
    let decide = post("/admin/api/cases/{id}/decide/");
    acting
        .act(
            &mut admin,
            decide,
            other,
            no_violation(),
            AuditAct::DecidedNoViolation,
        )
        .await;
    let hand =
        json!({"room": room.ming.room(), "side": "b", "reason": "minor", "note": "a parent wrote"});
    let path = post("/admin/api/cases/");
    acting
        .act(&mut admin, path, "", hand, AuditAct::Opened)
        .await;
}

/// What administrators do about networks, and for all people.
async fn on_the_site(acting: &mut Acting) {
    let mut admin = acting.office.admin.clone();
    let raid = json!({"address": "203.0.113.7", "kind": "ban", "length_ms": 60_000, "rule": "spam", "text": ""});
    let path = ("POST", "/admin/api/sanctions/");
    let made = acting
        .act(&mut admin, path, "", raid, AuditAct::Imposed)
        .await;
    let path = ("POST", "/admin/api/sanctions/{id}/lift/");
    acting
        .act(&mut admin, path, &made["id"], json!({}), AuditAct::Lifted)
        .await;
    let templates = admin.get("templates/").await.json();
    let order = json!({"texts": {"en": "Back at nine"}, "length_ms": 60_000});
    for (method, path, body) in [
        ("PUT", "/admin/api/templates/", &templates),
        ("PUT", "/admin/api/broadcast/", &order),
        ("DELETE", "/admin/api/broadcast/", &json!({})),
        ("PUT", "/admin/api/maintenance/", &order),
        ("DELETE", "/admin/api/maintenance/", &json!({})),
    ] {
        let act = AuditAct::SettingChanged;
        acting
            .act(&mut admin, (method, path), "", body.clone(), act)
            .await;
    }
}

/// What is done about operators, and by them about themselves.
async fn on_operators(acting: &mut Acting) {
    let (mut mei, mut admin) = (acting.office.mei.clone(), acting.office.admin.clone());
    let new = json!({"name": "Lin", "role": "moderator", "password": "a kettle on the hill"});
    let path = ("POST", "/admin/api/operators/");
    let lin = acting
        .act(&mut admin, path, "", new, AuditAct::OperatorMade)
        .await;
    let path = ("PUT", "/admin/api/operators/{id}/");
    let disabled = json!({"disabled": true});
    acting
        .act(
            &mut admin,
            path,
            &lin["id"],
            disabled,
            AuditAct::OperatorChanged,
        )
        .await;
    let secret = mei.post("totp/", &json!({})).await.json()["secret"].clone();
    let code = code(secret.as_str().unwrap());
    let on = json!({"secret": secret, "code": code, "password": PASSWORD});
    let new = json!({"current": PASSWORD, "new": "a lantern in the snow"});
    for (method, path, body) in [
        ("PUT", "/admin/api/totp/", on),
        ("DELETE", "/admin/api/totp/", json!({"password": PASSWORD})),
        ("POST", "/admin/api/password/", new),
    ] {
        let act = AuditAct::OperatorChanged;
        acting.act(&mut mei, (method, path), "", body, act).await;
    }
    let log_in = ("POST", "/admin/api/session/");
    let as_ada = json!({"name": "Ada", "password": PASSWORD});
    let mut elsewhere = Desk::at(admin.address);
    acting
        .act(&mut elsewhere, log_in, "", as_ada, AuditAct::LoggedIn)
        .await;
    let sessions = admin.get("sessions/").await.json();
    let mut sessions = sessions["sessions"].as_array().unwrap().iter();
    let other = sessions.find(|it| it["current"] == false).expect("another");
    let path = ("DELETE", "/admin/api/sessions/{id}/");
    let named = other["id"].as_str().unwrap();
    let ended = AuditAct::SessionsEnded;
    acting.act(&mut admin, path, named, json!({}), ended).await;
    let path = ("DELETE", "/admin/api/session/");
    acting.act(&mut admin, path, "", json!({}), ended).await;
}

async fn every_act_has_its_row(data: Data) {
    let mut acting = Acting {
        office: Office::open_on(data, |_| {}).await,
        done: BTreeSet::new(),
    };
    on_cases(&mut acting).await;
    on_the_site(&mut acting).await;
    on_operators(&mut acting).await;
    let all = acts();
    let missing: Vec<_> = all.difference(&acting.done).collect();
    assert!(
        missing.is_empty(),
        "nothing says that these have a row: {missing:?}"
    );
    assert!(all.len() > 25, "suspiciously few acts: {all:?}");
}
