//! The address that is handed on: in `/api/site`, and as a code.

use miyu::config::Config;
use miyu::config::origin::Origin;

use crate::support::http::{Answer, get, get_with};
use crate::support::server::TestServer;

fn address(answer: &Answer) -> Option<String> {
    let site = answer.json();
    assert!(site.as_object().unwrap().contains_key("address"), "{site}");
    site["address"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_server_of_this_machine_alone_has_none() {
    let server = TestServer::start_dead(|_| {}).await;
    assert_eq!(address(&get(server.address, "/api/site").await), None);
    let image = get(server.address, "/invitation.svg").await;
    assert_eq!(image.status, 404);
    assert_eq!(image.code(), "no_address");
    server.stop().await;
}

#[tokio::test]
async fn the_name_that_is_asked_for_is_handed_on() {
    let server = TestServer::start_dead(|_| {}).await;
    let asked = [("host", "miyu.local:8000")];
    let site = get_with(server.address, "/api/site", &asked).await;
    assert_eq!(address(&site).as_deref(), Some("http://miyu.local:8000"));
    let image = get_with(server.address, "/invitation.svg", &asked).await;
    assert_eq!(image.status, 200);
    assert_eq!(image.header("content-type"), Some("image/svg+xml"));
    assert_eq!(image.header("cache-control"), Some("private, no-store"));
    assert_eq!(image.header("set-cookie"), None);
    let other = get_with(
        server.address,
        "/invitation.svg",
        &[("host", "other.local")],
    )
    .await;
    assert!(image.text().contains("<svg") && image.text() != other.text());
    server.stop().await;
}

#[tokio::test]
async fn a_public_address_is_the_one_for_all() {
    let public = |config: &mut Config| {
        config.server.public_url = Origin::parse("https://chat.example").ok();
    };
    let server = TestServer::start_dead(public).await;
    let site = get(server.address, "/api/site").await;
    assert_eq!(address(&site).as_deref(), Some("https://chat.example"));
    let code = get(server.address, "/invitation.svg").await;
    assert_eq!(code.status, 200, "{}", code.text());
    server.stop().await;
}
