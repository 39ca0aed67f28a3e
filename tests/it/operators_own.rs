//! What operators change about themselves and each other: second factors, passwords, sessions, roles; and that none gets
//! more than they were given.

use miyu::domain::id::Timestamp;
use miyu::domain::safety::{OperatorId, Role};
use miyu::operators::totp;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::http::Answer;
use crate::support::operators::{Desk, PASSWORD, operator, refused, with};
use crate::support::safety::Guarded;

async fn site() -> Guarded {
    let site = Guarded::without_operator(|_| {}).await;
    operator(&*site.safety, "Mei", Role::Administrator).await;
    operator(&*site.safety, "Ming", Role::Moderator).await;
    site
}

/// What the app on a phone shows at this time: computed here, by the standard.
fn code_at(secret: &str, at: Timestamp) -> String {
    let secret = totp::parse(secret).expect("a secret");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let step = u64::try_from(at.0 / 30_000).unwrap();
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[from..from + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn code(secret: &str) -> String {
    code_at(secret, miyu::clock::now())
}

/// Turns the second factor of an operator on: the secret, and the recovery codes.
async fn turned_on(desk: &mut Desk) -> (String, Vec<String>) {
    let offer = desk.post("totp/", &json!({})).await.json();
    let secret = offer["secret"].as_str().unwrap().to_owned();
    assert!(offer["svg"].as_str().unwrap().contains("<svg"));
    let uri = offer["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Miyu%20127.0.0.1"), "{uri}");
    assert!(uri.contains(&format!("?secret={secret}&issuer=")), "{uri}");
    let body = json!({"secret": secret, "code": code(&secret), "password": PASSWORD});
    let on = put(desk, "totp/", &body).await;
    assert_eq!(on.status, 200, "{}", on.text());
    let codes: Vec<String> = serde_json::from_value(on.json()["recovery_codes"].clone()).unwrap();
    (secret, codes)
}

async fn put(desk: &mut Desk, path: &str, body: &Value) -> Answer {
    desk.ask("PUT", path, Some(body.to_string())).await
}

async fn log_in(desk: &mut Desk, name: &str, code: &str) -> Answer {
    let body = json!({"name": name, "password": PASSWORD, "code": code});
    desk.post("session/", &body).await
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_used_once() {
    let site = site().await;
    let mut desk = Desk::logged_in(site.server.address, "Mei").await;
    let (secret, codes) = turned_on(&mut desk).await;
    assert_eq!(codes.len(), 10);
    let own = desk.get("session/").await.json();
    assert_eq!(own["operator"]["totp"], true);
    assert_eq!(own["operator"]["recovery_codes"], 10);

    let mut other = Desk::at(site.server.address);
    let asked = other.log_in("Mei", PASSWORD).await;
    assert_eq!(refused(&asked), with(401, "code_needed"));
    let guess = other.log_in("Mei", "not the password").await;
    assert_eq!(guess.code(), "wrong_login", "the password comes first");
    // What turned it on was used by that.
    let now = miyu::clock::now();
    let used = log_in(&mut other, "Mei", &code_at(&secret, now)).await;
    assert_eq!(refused(&used), with(401, "wrong_login"), "replayed");
    let next = Timestamp(now.0 + 30_000);
    let next = code_at(&secret, next);
    assert_eq!(log_in(&mut other, "Mei", &next).await.status, 200);
    let again = log_in(&mut Desk::at(site.server.address), "Mei", &next).await;
    assert_eq!(refused(&again), with(401, "wrong_login"), "replayed");

    // Each recovery code once, however it is typed.
    let mut lost = Desk::at(site.server.address);
    let typed = codes[3].to_uppercase().replace('-', " ");
    assert_eq!(log_in(&mut lost, "Mei", &typed).await.status, 200);
    let left = lost.get("session/").await.json();
    assert_eq!(left["operator"]["recovery_codes"], 9);
    let again = log_in(&mut Desk::at(site.server.address), "Mei", &codes[3]).await;
    assert_eq!(again.code(), "wrong_login");
    // Codes that are tried are slowed, whatever addresses they come from.
    let mut told = Vec::new();
    for n in 0..12 {
        let mut desk = Desk::at(site.server.address);
        desk.from = [127, 20, n, 1];
        told.push(log_in(&mut desk, "Mei", "000000").await.code());
    }
    assert!(told.contains(&"too_many_tries".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_second_factor_is_changed_with_the_password_alone() {
    let site = site().await;
    let mut desk = Desk::logged_in(site.server.address, "Mei").await;
    let secret = "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK";
    let right = code(secret);
    for (body, status, why) in [
        (
            json!({"secret": secret, "code": right, "password": "wrong one, really"}),
            403,
            "wrong_password",
        ),
        (
            json!({"secret": "short", "code": right, "password": PASSWORD}),
            422,
            "unfit",
        ),
        (
            json!({"secret": secret, "code": "x", "password": PASSWORD}),
            422,
            "wrong_code",
        ),
    ] {
        let answer = put(&mut desk, "totp/", &body).await;
        assert_eq!(refused(&answer), with(status, why));
    }
    turned_on(&mut desk).await;
    let off = |password: &str| Some(json!({"password": password}).to_string());
    let answer = desk.ask("DELETE", "totp/", off("wrong one, really")).await;
    assert_eq!(answer.code(), "wrong_password");
    assert_eq!(desk.ask("DELETE", "totp/", off(PASSWORD)).await.status, 204);
    Desk::logged_in(site.server.address, "Mei").await;
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_but_gives_this_browser_a_new_one() {
    let site = site().await;
    let mut desk = Desk::logged_in(site.server.address, "Ming").await;
    let mut copy = desk.clone();
    let mut elsewhere = Desk::logged_in(site.server.address, "Ming").await;
    let body = |current: &str, new: &str| json!({"current": current, "new": new});
    let wrong = desk
        .post("password/", &body("no", "a better one still"))
        .await;
    assert_eq!(refused(&wrong), with(403, "wrong_password"));
    let short = desk.post("password/", &body(PASSWORD, "short")).await;
    assert_eq!(refused(&short), with(422, "password_short"));
    let changed = desk
        .post("password/", &body(PASSWORD, "a better one still"))
        .await;
    assert_eq!(changed.status, 204, "{}", changed.text());
    assert_eq!(desk.get("session/").await.status, 200);
    assert_eq!(copy.get("session/").await.code(), "not_logged_in");
    assert_eq!(elsewhere.get("session/").await.code(), "not_logged_in");
    assert_eq!(copy.log_in("Ming", PASSWORD).await.code(), "wrong_login");
}

#[tokio::test]
async fn own_sessions_are_listed_and_ended_and_no_others() {
    let site = site().await;
    let mut desk = Desk::logged_in(site.server.address, "Ming").await;
    let mut other = Desk::logged_in(site.server.address, "Ming").await;
    let mut mei = Desk::logged_in(site.server.address, "Mei").await;
    let listed = |answer: Answer| answer.json()["sessions"].as_array().unwrap().clone();
    let own = listed(desk.get("sessions/").await);
    let current: Vec<bool> = own.iter().map(|it| it["current"] == true).collect();
    assert_eq!(current, [false, true], "newest first");
    let cookie = other.cookie.clone().unwrap();
    let id = own[0]["id"].as_str().unwrap();
    assert!(!cookie.contains(id));
    let path = format!("sessions/{id}/");
    let foreign = mei.ask("DELETE", &path, None).await;
    assert_eq!(refused(&foreign), with(404, "not_found"), "another's");
    assert_eq!(desk.ask("DELETE", &path, None).await.status, 204);
    assert_eq!(other.get("session/").await.code(), "not_logged_in");
    assert_eq!(listed(desk.get("sessions/").await).len(), 1);
}

#[tokio::test]
async fn a_moderator_gets_nothing_of_an_administrators() {
    let site = site().await;
    let mut ming = Desk::logged_in(site.server.address, "Ming").await;
    let new = json!({"name": "Evil", "role": "administrator", "password": PASSWORD});
    let not = with(403, "not_allowed");
    assert_eq!(refused(&ming.post("operators/", &new).await), not);
    for path in ["operators/", "audit/", "audit/verify/"] {
        assert_eq!(refused(&ming.get(path).await), not, "{path}");
    }
    for change in [
        json!({"role": "administrator"}),
        json!({"password": "mine from now on"}),
        json!({"disabled": true}),
        json!({"totp": false}),
    ] {
        for id in [1, 2] {
            let path = format!("operators/{id}/");
            let answer = put(&mut ming, &path, &change).await;
            assert_eq!(refused(&answer), not, "{id}: {change}");
        }
    }
    let operators = site.safety.operators().await.unwrap();
    let roles: Vec<Role> = operators.iter().map(|it| it.role).collect();
    assert_eq!(roles, [Role::Administrator, Role::Moderator]);
    // Nor one who is not logged in.
    let mut none = Desk::at(site.server.address);
    for path in ["operators/", "audit/", "sessions/"] {
        let answer = none.get(path).await;
        assert_eq!(refused(&answer), with(401, "not_logged_in"), "{path}");
    }
}

#[tokio::test]
async fn administrators_look_after_the_others_and_one_stays() {
    let site = site().await;
    let mut mei = Desk::logged_in(site.server.address, "Mei").await;
    let mut ming = Desk::logged_in(site.server.address, "Ming").await;
    let last = put(&mut mei, "operators/1/", &json!({"role": "moderator"})).await;
    assert_eq!(refused(&last), with(409, "last_administrator"));
    let last = put(&mut mei, "operators/1/", &json!({"disabled": true})).await;
    assert_eq!(refused(&last), with(409, "last_administrator"));
    let own = put(
        &mut mei,
        "operators/1/",
        &json!({"password": "without the old one"}),
    )
    .await;
    assert_eq!(
        refused(&own),
        with(422, "unfit"),
        "as one's own, with the old one"
    );
    let taken = json!({"name": "mING", "role": "moderator", "password": PASSWORD});
    assert_eq!(
        refused(&mei.post("operators/", &taken).await),
        with(409, "name_taken")
    );
    let odd = json!({"name": "X", "role": "owner", "password": PASSWORD});
    assert_eq!(mei.post("operators/", &odd).await.code(), "bad_json");
    let unknown = put(&mut mei, "operators/99/", &json!({"disabled": true})).await;
    assert_eq!(refused(&unknown), with(404, "not_found"));
    let misspelt = put(&mut mei, "operators/2/", &json!({"disable": true})).await;
    assert_eq!(misspelt.code(), "bad_json", "nothing is silently left out");

    // A new role is a new session; being disabled ends it at once.
    let done = put(&mut mei, "operators/2/", &json!({"role": "administrator"})).await;
    assert_eq!(done.status, 204);
    assert_eq!(ming.get("session/").await.code(), "not_logged_in");
    let mut ming = Desk::logged_in(site.server.address, "Ming").await;
    assert_eq!(ming.get("operators/").await.status, 200);
    let off = put(&mut mei, "operators/2/", &json!({"disabled": true})).await;
    assert_eq!(off.status, 204);
    assert_eq!(ming.get("session/").await.code(), "not_logged_in");
    assert_eq!(ming.log_in("Ming", PASSWORD).await.code(), "wrong_login");
    let all = mei.get("operators/").await.json();
    assert!(all["operators"][1]["disabled_ms"].is_i64(), "{all}");
    let back = json!({"disabled": false, "password": "a password of the day"});
    assert_eq!(put(&mut mei, "operators/2/", &back).await.status, 204);
    assert_eq!(
        ming.log_in("Ming", "a password of the day").await.status,
        200
    );
    assert!(!mei.get("operators/").await.text().contains("argon2"));
}

#[tokio::test]
async fn the_audit_log_is_read_page_by_page_and_verified() {
    let site = site().await;
    let mut mei = Desk::logged_in(site.server.address, "Mei").await;
    for n in 0..110 {
        let disabled = json!({"disabled": n % 2 == 0});
        assert_eq!(put(&mut mei, "operators/2/", &disabled).await.status, 204);
    }
    let first = mei.get("audit/").await.json();
    let numbers = |page: &Value| -> Vec<u64> {
        let rows = page["rows"].as_array().unwrap().iter();
        rows.map(|it| it["no"].as_u64().unwrap()).collect()
    };
    let head = first["head"]["no"].as_u64().unwrap();
    assert_eq!(
        numbers(&first),
        (head - 99..=head).rev().collect::<Vec<_>>()
    );
    assert_eq!(first["rows"][0]["act"], "operator_changed");
    assert_eq!(first["rows"][0]["name"], "Mei");
    let next = mei
        .get(&format!("audit/?before={}", head - 99))
        .await
        .json();
    assert_eq!(numbers(&next), (1..head - 99).rev().collect::<Vec<_>>());
    assert_eq!(mei.get("audit/?before=x").await.code(), "unfit");
    let verdict = mei.get("audit/verify/").await.json();
    assert_eq!(
        (&verdict["intact"], &verdict["rows"]),
        (&json!(true), &json!(head))
    );
    assert_eq!(verdict["head"], first["head"]);
    let last = site.safety.sessions(OperatorId(1)).await.unwrap();
    assert_eq!(last.len(), 1);
}
