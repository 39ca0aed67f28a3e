//! The first operator: by a link that only the machine's owner sees, once, in time, and on whichever node.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use miyu::domain::id::Timestamp;
use miyu::domain::safety::{AuditAct, Role};
use miyu::operators::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::binary::Setup;
use crate::support::operators::{Desk, PASSWORD, operator, refused, with};
use crate::support::safety::Guarded;
use crate::support::scene::MIYU;
use crate::support::server::TestServer;
use crate::support::{postgres, wire};

fn asked(token: &str) -> Value {
    json!({"token": token, "name": "Mei", "password": PASSWORD})
}

/// What stands behind `#setup=`.
fn token(url: &str) -> String {
    let (page, token) = url.trim().split_once("#setup=").expect("a link");
    assert!(page.ends_with("/admin/"), "{url}");
    token.to_owned()
}

async fn link(site: &Guarded, until: Timestamp) -> String {
    let secret = Secret::fresh();
    let put = site.safety.put_setup_link(secret.hash(), until);
    put.await.unwrap();
    secret.written()
}

fn in_a_while() -> Timestamp {
    miyu::clock::now().plus(std::time::Duration::from_secs(60))
}

#[tokio::test]
async fn a_start_without_an_operator_writes_a_link_that_works_once() {
    let home = TempDir::new().unwrap();
    let setup =
        Setup::new(MIYU, home.path()).with("[log]\nfilter = \"trace\"\nformat = \"json\"\n");
    let mut server = setup.start().await;
    let address = server.ready().await;
    server.says("setup-link").await;
    let file = home.path().join("data/setup-link");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "its owner's alone");
    let url = std::fs::read_to_string(&file).unwrap();
    assert!(
        url.starts_with(&format!("http://{address}/admin/#")),
        "{url}"
    );
    let token = token(&url);

    let mut desk = Desk::at(address);
    let made = desk.post("setup/", &asked(&token)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(made.json()["operator"]["role"], "administrator");
    assert_eq!(desk.get("session/").await.json()["operator"]["name"], "Mei");
    assert!(!file.exists(), "what is used does not lie about");
    let again = Desk::at(address).post("setup/", &asked(&token)).await;
    assert_eq!(refused(&again), with(403, "link_over"));
    // It is their password from now on, and it survives.
    assert_eq!(server.stop().await.code(), Some(0));
    let cookie = desk.cookie.clone().unwrap();
    let said = server.said();
    for secret in [token.as_str(), PASSWORD, cookie.split_once('=').unwrap().1] {
        assert!(!said.contains(secret), "{secret} is in the log");
    }
    let mut server = setup.start().await;
    let address = server.ready().await;
    Desk::logged_in(address, "mei").await;
    assert!(!file.exists(), "there is an operator: no link is made");
    assert_eq!(server.stop().await.code(), Some(0));
    assert!(kept_nowhere(&home.path().join("data"), token.as_bytes()));
}

/// Whether no file of the folder has these bytes.
fn kept_nowhere(folder: &Path, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    let mut files = files.map(|it| std::fs::read(it.unwrap().path()).unwrap_or_default());
    files.all(|kept| !kept.windows(bytes.len()).any(|it| it == bytes))
}

#[tokio::test]
async fn a_link_that_is_old_or_not_the_newest_or_made_up_is_over() {
    let site = Guarded::without_operator(|_| {}).await;
    let mut desk = Desk::at(site.server.address);
    let over = with(403, "link_over");
    let none = desk.post("setup/", &asked(&"A".repeat(43))).await;
    assert_eq!(refused(&none), over, "no link was made");
    let late = link(&site, Timestamp(1)).await;
    assert_eq!(refused(&desk.post("setup/", &asked(&late)).await), over);
    let first = link(&site, in_a_while()).await;
    let newest = link(&site, in_a_while()).await;
    for token in ["", "x", first.as_str(), "<script>", "\u{202E}"] {
        let answer = desk.post("setup/", &asked(token)).await;
        assert_eq!(refused(&answer), over, "{token}");
    }
    let foreign = desk.with("Origin", "https://evil.example");
    let answer = foreign.clone().post("setup/", &asked(&newest)).await;
    assert_eq!(answer.code(), "foreign_origin");
    assert_eq!(desk.post("setup/", &asked(&newest)).await.status, 200);
}

#[tokio::test]
async fn what_does_not_fit_uses_no_link_up() {
    let site = Guarded::without_operator(|_| {}).await;
    let token = link(&site, in_a_while()).await;
    let mut desk = Desk::at(site.server.address);
    let long = "語".repeat(41);
    for (name, password, why) in [
        ("", PASSWORD, "operator_name"),
        ("\u{200B}\u{202E}", PASSWORD, "operator_name"),
        (long.as_str(), PASSWORD, "operator_name"),
        ("Mei", "too short", "password_short"),
        ("Mei Lin Chen", "mei lin chen", "password_guessable"),
        ("Mei", "            ", "password_guessable"),
        ("Mei", &"long ".repeat(60), "password_long"),
    ] {
        let body = json!({"token": token, "name": name, "password": password});
        let answer = desk.post("setup/", &body).await;
        assert_eq!(refused(&answer), with(422, why), "{name}");
    }
    let marked = json!({"token": token, "name": "<b>M\u{202E}ei</b>\n", "password": PASSWORD});
    let made = desk.post("setup/", &marked).await;
    assert_eq!(
        made.json()["operator"]["name"],
        "<b>Mei</b>",
        "text, not turned round"
    );
}

#[tokio::test]
async fn of_two_at_once_one_is_the_first_operator() {
    let site = Guarded::without_operator(|_| {}).await;
    let token = link(&site, in_a_while()).await;
    let body = |name: &str| json!({"token": token, "name": name, "password": PASSWORD});
    let (mei, ming) = (body("Mei"), body("Ming"));
    let (mut one, mut other) = (Desk::at(site.server.address), Desk::at(site.server.address));
    let (one, other) = tokio::join!(one.post("setup/", &mei), other.post("setup/", &ming));
    let mut told = [one.status, other.status];
    told.sort_unstable();
    assert_eq!(told, [200, 403]);
    assert_eq!(site.safety.operators().await.unwrap().len(), 1);
}

#[tokio::test]
async fn with_postgresql_any_node_takes_the_link() {
    let database = postgres::fresh_name("set_up");
    let admin = postgres::connect("postgres").await;
    let make = format!("CREATE DATABASE {database}");
    admin.batch_execute(&make).await.unwrap();
    let homes = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let url = format!("{}{database}", postgres::server());
    let node = |home: &TempDir| {
        let (url, dir) = (url.clone(), home.path().display().to_string());
        TestServer::start(move |config| {
            config.store.url = url;
            config.admin.dir = dir;
        })
    };
    let first = node(&homes[0]).await;
    let second = node(&homes[1]).await;
    let link = first.app.operating.make_link().await.unwrap();
    let token = token(&link.url);
    let mut desk = Desk::at(second.address);
    let made = desk.post("setup/", &asked(&token)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let again = Desk::at(first.address).post("setup/", &asked(&token)).await;
    assert_eq!(
        refused(&again),
        with(403, "link_over"),
        "once for all nodes"
    );
    // A session is one everywhere, and ends everywhere.
    let mut there = Desk::at(first.address);
    let value = desk.cookie.as_ref().unwrap().split_once('=').unwrap().1;
    there.cookie = Some(format!("miyu_admin_{}={value}", first.address.port()));
    assert_eq!(there.get("session/").await.status, 200);
    assert_eq!(desk.ask("DELETE", "session/", None).await.status, 204);
    assert_eq!(there.get("session/").await.code(), "not_logged_in");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn the_link_is_made_by_commands_of_the_machine_alone() {
    let site = Guarded::without_operator(|_| {}).await;
    operator(&*site.safety, "Mei", Role::Administrator).await;
    let mut desk = Desk::logged_in(site.server.address, "Mei").await;
    let answer = desk.post("link/", &json!({})).await;
    assert_eq!(answer.status, 404, "not by the site");
    let head = wire::request("POST", "/admin/api/link/", site.server.operator, &[]);
    let answer = wire::exchange(site.server.operator, head.as_bytes()).await;
    assert_eq!(answer.status, 404, "nor by the operators' port");
    let log = site.safety.newest_audit().await.unwrap();
    let links = log.iter().filter(|it| it.what.act == AuditAct::LinkMade);
    assert_eq!(links.count(), 0);
}
