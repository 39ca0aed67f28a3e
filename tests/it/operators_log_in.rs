//! Operators log in: from pages of the site itself, over a private line, by a new session each time; and cannot be
//! guessed, imitated or followed.

use futures_util::StreamExt as _;
use miyu::config::origin::Origin;
use miyu::domain::safety::{Actor, Role};
use miyu::store::safety::{OperatorChange, OperatorChanged};
use serde_json::json;

use crate::support::client::Browser;
use crate::support::operators::{Desk, PASSWORD, operator, refused, with};
use crate::support::safety::Guarded;
use crate::support::wire;

async fn site() -> Guarded {
    let site = Guarded::without_operator(|_| {}).await;
    operator(&*site.safety, "Mei", Role::Administrator).await;
    site
}

#[tokio::test]
async fn an_operator_logs_in_and_out() {
    let site = Guarded::without_operator(|_| {}).await;
    let mut desk = Desk::at(site.server.address);
    let none = desk.get("session/").await;
    assert_eq!(refused(&none), with(401, "no_operator"));
    operator(&*site.safety, "Mei", Role::Moderator).await;
    let out = desk.get("session/").await;
    assert_eq!(refused(&out), with(401, "not_logged_in"));

    let answer = desk.log_in("mEI", PASSWORD).await;
    let wanted = json!({"operator": {"id": 1, "name": "Mei", "role": "moderator", "totp": false, "recovery_codes": 0},
        "idle_ms": 1_800_000, "longest_ms": 43_200_000});
    assert_eq!((answer.status, answer.json()), (200, wanted.clone()));
    let set = answer.header("set-cookie").unwrap();
    let port = site.server.address.port();
    assert!(set.starts_with(&format!("miyu_admin_{port}=")), "{set}");
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    let policy = answer.header("cache-control").unwrap();
    assert!(policy.contains("no-store"), "{policy}");
    assert_eq!(desk.get("session/").await.json(), wanted);

    let mut copy = desk.clone();
    let gone = desk.ask("DELETE", "session/", None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(desk.cookie, None, "the browser's cookie is taken away");
    let ended = copy.get("session/").await;
    assert_eq!(refused(&ended), with(401, "not_logged_in"), "a copy, too");
    assert_eq!(copy.ask("DELETE", "session/", None).await.status, 204);
}

#[tokio::test]
async fn what_is_wrong_is_not_told_apart() {
    let site = site().await;
    let id = operator(&*site.safety, "Away", Role::Moderator).await;
    let off = OperatorChange::Disabled(true);
    let done = site
        .safety
        .change_operator(id, vec![off], Actor::Local)
        .await;
    assert_eq!(done.unwrap(), OperatorChanged::Done);
    let mut told = Vec::new();
    let long = "語".repeat(300);
    for (name, password) in [
        ("Mei", "a lantern in the raiN"),
        ("Ming", PASSWORD),
        ("Away", PASSWORD),
        ("", ""),
        (long.as_str(), "<script>\u{202E}"),
    ] {
        let mut desk = Desk::at(site.server.address);
        let answer = desk.log_in(name, password).await;
        assert_eq!(refused(&answer), with(401, "wrong_login"), "{name}");
        assert_eq!(answer.header("set-cookie"), None);
        told.push(answer.text().to_owned());
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    for body in ["", "{}", "[]", "nonsense", r#"{"name":"Mei","password":1}"#] {
        let mut desk = Desk::at(site.server.address);
        let answer = desk.ask("POST", "session/", Some(body.to_owned())).await;
        let wanted = with(400, "bad_json");
        assert_eq!(refused(&answer), wanted, "{body}");
    }
}

#[tokio::test]
async fn only_pages_of_the_site_itself_change_anything() {
    let site = Guarded::without_operator(|config| {
        config.server.allowed_origins = vec![Origin::parse("https://app.example").unwrap()];
    });
    let site = site.await;
    operator(&*site.safety, "Mei", Role::Administrator).await;
    let mut desk = Desk::logged_in(site.server.address, "Mei").await;
    let log_in = json!({"name": "Mei", "password": PASSWORD});
    for (name, value) in [
        ("Origin", ""),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Origin", "https://app.example"),
        ("Origin", "http://127.0.0.1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "none"),
    ] {
        let mut other = desk.with(name, value);
        let answer = other.post("session/", &log_in).await;
        let wanted = with(403, "foreign_origin");
        assert_eq!(refused(&answer), wanted, "{name}: {value}");
        let answer = other.ask("DELETE", "session/", None).await;
        assert_eq!(refused(&answer), wanted, "{name}: {value}");
    }
    let mut read = desk.with("Sec-Fetch-Site", "cross-site");
    assert_eq!(read.get("session/").await.code(), "foreign_origin");
    let mut typed = desk.with("Sec-Fetch-Site", "none");
    assert_eq!(typed.get("session/").await.status, 200);
    for kind in ["", "text/plain", "application/x-www-form-urlencoded"] {
        let answer = desk
            .with("Content-Type", kind)
            .post("session/", &log_in)
            .await;
        assert_eq!(refused(&answer), with(415, "not_json"), "{kind}");
    }
    assert_eq!(
        desk.get("session/").await.status,
        200,
        "nothing was changed"
    );
}

#[tokio::test]
async fn over_plain_http_only_on_the_machine_itself() {
    let site = site().await;
    let mut desk = Desk::logged_in(site.server.address, "Mei").await;
    // By a proxy that nothing is known of, or by a name that others reach.
    let host = format!("pi.local:{}", site.server.address.port());
    for (name, value) in [
        ("X-Forwarded-For", "192.0.2.7"),
        ("Via", "1.1 proxy"),
        ("Host", host.as_str()),
    ] {
        let answer = desk.with(name, value).get("session/").await;
        assert_eq!(refused(&answer), with(403, "plain_http"), "{name}");
    }
    assert_eq!(desk.get("session/").await.status, 200);

    let open = Guarded::without_operator(|config| {
        crate::support::server::proxy_here(config);
        config.admin.allow_plain_http = true;
    });
    let open = open.await;
    operator(&*open.safety, "Mei", Role::Administrator).await;
    let far = Desk::at(open.server.address).with("X-Forwarded-For", "192.0.2.7");
    let refused_there = far.clone().get("session/").await;
    assert_eq!(
        refused_there.code(),
        "not_logged_in",
        "as the operator chose"
    );
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host() {
    let site = Guarded::without_operator(|config| {
        config.server.public_url = Origin::parse("https://chat.example").ok();
    });
    let site = site.await;
    operator(&*site.safety, "Mei", Role::Administrator).await;
    let mut desk = Desk::at(site.server.address)
        .with("Host", "chat.example")
        .with("Origin", "https://chat.example")
        .with("X-Forwarded-For", "192.0.2.7");
    let answer = desk.log_in("Mei", PASSWORD).await;
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-miyu_admin="), "{set}");
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"),
        "{set}"
    );
    assert_eq!(desk.get("session/").await.status, 200);
    // The name without the prefix, which another site of the domain could plant, is none.
    let value = desk.cookie.take().unwrap();
    desk.cookie = Some(value.replace("__Host-", ""));
    assert_eq!(desk.get("session/").await.code(), "not_logged_in");
}

#[tokio::test]
async fn each_log_in_is_a_new_session_and_ends_the_one_before() {
    let site = site().await;
    let mut desk = Desk::at(site.server.address);
    let port = site.server.address.port();
    let planted = format!("miyu_admin_{port}={}", "A".repeat(43));
    desk.cookie = Some(planted.clone());
    assert_eq!(desk.log_in("Mei", PASSWORD).await.status, 200);
    let first = desk.clone();
    assert_ne!(first.cookie.as_ref(), Some(&planted), "nobody chose it");
    assert_eq!(desk.log_in("Mei", PASSWORD).await.status, 200);
    assert_ne!(desk.cookie, first.cookie);
    assert_eq!(first.clone().get("session/").await.code(), "not_logged_in");
    assert_eq!(desk.get("session/").await.status, 200);
    // Beside planted ones the right one is found.
    let own = desk.cookie.clone().unwrap();
    desk.cookie = Some(format!("{planted}; {own}"));
    assert_eq!(desk.get("session/").await.status, 200);
    // A failed one ends nothing.
    let mut other = desk.clone();
    assert_eq!(
        other.log_in("Mei", "another one entirely").await.status,
        401
    );
    assert_eq!(desk.get("session/").await.status, 200);
}

#[tokio::test]
async fn guessing_is_slowed_by_name_and_place_and_locks_nobody_else_out() {
    let site = site().await;
    operator(&*site.safety, "Ming", Role::Moderator).await;
    let mut guesser = Desk::at(site.server.address);
    guesser.from = [127, 9, 9, 9];
    for _ in 0..5 {
        let answer = guesser.log_in("mei", "a guess or another").await;
        assert_eq!(answer.code(), "wrong_login");
    }
    let slowed = guesser.log_in("MEI", PASSWORD).await;
    assert_eq!(refused(&slowed), with(429, "too_many_tries"));
    let wait = slowed.json()["retry_after_ms"].as_u64().unwrap();
    assert!((500..=2000).contains(&wait), "{wait}");
    // From elsewhere, and with another name, one gets in.
    Desk::logged_in(site.server.address, "Mei").await;
    assert_eq!(guesser.log_in("Ming", PASSWORD).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
    assert_eq!(guesser.log_in("Mei", PASSWORD).await.status, 200, "waited");
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_all_the_same() {
    let site = site().await;
    let address = site.server.address;
    let tries = (0..12).map(|_| async move {
        let mut desk = Desk::at(address);
        desk.log_in("Mei", "wrong as can be").await.status
    });
    let told = futures_util::stream::iter(tries).buffer_unordered(12);
    let told: Vec<u16> = told.collect().await;
    let compared = told.iter().filter(|it| **it == 401).count();
    assert_eq!(compared, 5, "{told:?}");
}

#[tokio::test]
async fn what_the_operator_said_as_a_visitor_is_theirs() {
    let site = site().await;
    let visitor = Browser::new(&site.server);
    visitor.get("/").await;
    let mut desk = Desk::at(site.server.address);
    desk.cookie = visitor.cookie();
    let body = json!({"name": "Mei", "password": PASSWORD});
    let answer = desk.post("session/", &body).await;
    assert_eq!(answer.status, 200);
    let id = miyu::domain::safety::OperatorId(1);
    let sessions = site.safety.sessions(id).await.unwrap();
    assert!(sessions[0].visitor.is_some());
    let plain = wire::get(site.server.address, "/admin/api/session/", &[]).await;
    assert_eq!(
        plain.header("set-cookie"),
        None,
        "no visitor's session begins here"
    );
}
