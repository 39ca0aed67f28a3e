//! The examples for reverse proxies, in front of the real executable: TLS ends there, people meet and
//! talk through it, silence breaks nothing, operators' routes stay closed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::support::binary::{Server, Setup, get_json};
use crate::support::client::Browser;
use crate::support::people::{both_enter, pair};
use crate::support::proxy::{NAME, Proxy};
use crate::support::scene::MIYU;
use crate::support::wire;

/// A server behind a proxy that ends TLS for [`NAME`].
async fn behind(home: &Path) -> (Server, SocketAddr) {
    let site = format!("[server]\npublic_url = \"https://{NAME}\"\n");
    let mut setup = Setup::new(MIYU, home).with(&site);
    setup.config += "heartbeat = \"1500ms\"\n";
    let mut server = setup.spawn();
    let address = server.ready().await;
    (server, address)
}

/// Longer than the proxy takes for silence, were there no heartbeat.
const SILENCE: Duration = Duration::from_millis(4500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_talk_through_nginx() {
    let home = TempDir::new().unwrap();
    let (mut server, address) = behind(home.path()).await;
    let proxy = Proxy::nginx(home.path(), address).await;
    pages_and_sockets_pass(&proxy, &server).await;
    restart_with_people(&proxy, &mut server).await;
    logs_name_no_client(home.path(), &["access.log", "error.log", "proxy.log"]);

    let plain = proxy.plain.unwrap();
    let host = [("Host", NAME), ("Connection", "close")];
    let moved = wire::get(plain, "/chat/?room=secret", &host).await;
    let to = format!("https://{NAME}/chat/?room=secret");
    assert_eq!((moved.status, moved.header("location")), (301, Some(&*to)));
    let log = std::fs::read_to_string(home.path().join("access.log")).unwrap();
    assert!(log.contains("GET /ws/chat/"), "{log}");
    assert!(!log.contains("room="), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_talk_through_caddy() {
    let home = TempDir::new().unwrap();
    let (mut server, address) = behind(home.path()).await;
    let proxy = Proxy::caddy(home.path(), address).await;
    pages_and_sockets_pass(&proxy, &server).await;
    restart_with_people(&proxy, &mut server).await;
    logs_name_no_client(home.path(), &["proxy.log"]);
}

/// The server is killed under people who are connected as clients of the original are, with a room and
/// a token in the address; they and others come back to nothing.
async fn restart_with_people(proxy: &Proxy, server: &mut Server) {
    let (ming, mei) = (Browser::at(proxy.address), Browser::at(proxy.address));
    let (ming, mei) = pair((&ming, json!({})), (&mei, json!({}))).await;
    let path = format!("{}&token={}&{SECRET}", ming.path(), ming.token());
    let mut a = ming.browser.open(&path).await;
    let mut b = mei.enter(&format!("&token={}&{SECRET}", mei.token())).await;
    a.expect("room_state").await;
    b.expect("room_state").await;
    server.kill();
    a.read_to_end().await;
    b.read_to_end().await;
    for path in [path, format!("/api/rooms/{}/?{SECRET}", ming.room())] {
        let headers = [("Host", NAME), ("Connection", "close")];
        let answer = wire::get(proxy.address, &path, &headers).await;
        assert!(matches!(answer.status, 502..=504), "{}", answer.status);
    }
}

/// Stands in every address with a secret.
const SECRET: &str = "secret=in-the-query";

/// Neither what stands in queries nor who asked.
fn logs_name_no_client(home: &Path, logs: &[&str]) {
    for log in logs {
        let text = std::fs::read_to_string(home.join(log)).unwrap();
        for word in [
            SECRET,
            "room=",
            "token=",
            "client: ",
            "remote_ip",
            "client_ip",
        ] {
            assert!(!text.contains(word), "{word} in {log}: {text}");
        }
    }
}

async fn pages_and_sockets_pass(proxy: &Proxy, server: &Server) {
    let browser = Browser::at(proxy.address);
    let page = browser.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("strict-transport-security").is_some());
    assert!(
        browser
            .cookie()
            .unwrap()
            .starts_with("__Host-miyu_session=")
    );
    origins_are_told_apart(&browser).await;
    people_meet_and_survive_silence(proxy.address).await;

    // Nothing of theirs is on the site's port, whatever the visitor says.
    for route in ["/readyz", "/metrics"] {
        let headers = [("Host", "localhost"), ("Connection", "close")];
        let answer = wire::get(proxy.address, route, &headers).await;
        assert_eq!(answer.status, 404, "{route}");
    }
    for name in ["evil.example", "pi.local"] {
        let headers = [("Host", name), ("Connection", "close")];
        let answer = wire::get(proxy.address, "/api/site", &headers).await;
        assert_eq!(answer.status, 421, "{name}");
    }
    let (status, ready) = get_json(server.operators().unwrap(), "/readyz").await;
    let fine = json!({"ready": true, "problems": [], "notices": []});
    assert_eq!((status, ready), (200, fine), "the proxy is trusted");
    // A proxy that passes the body on while it counts may find that Miyu has hung up already.
    let refused = too_large(proxy.address).await;
    assert!(matches!(refused, None | Some(413 | 502)), "{refused:?}");
}

async fn origins_are_told_apart(browser: &Browser) {
    let own = format!("https://{NAME}");
    let own = browser.try_open("/ws/matching/", &[("Origin", &own)]).await;
    assert!(own.is_ok(), "our own pages may connect");
    let foreign = [("Origin", "https://elsewhere.example")];
    let foreign = browser.try_open("/ws/matching/", &foreign).await;
    assert_eq!(foreign.err().map(|answer| answer.status), Some(403));
}

async fn people_meet_and_survive_silence(address: SocketAddr) {
    let (ming, mei) = (Browser::at(address), Browser::at(address));
    let (ming, mei) = pair((&ming, json!({})), (&mei, json!({}))).await;
    let (mut a, mut b) = both_enter(&ming, &mei).await;
    a.said("you there?", "a1").await;
    assert_eq!(
        b.expect("new_message").await["message"]["content"],
        "you there?"
    );
    // Both listen, since who does not answer a ping is taken for gone.
    let silence = timeout(SILENCE, async {
        tokio::select! {
            arrived = a.arrived() => arrived,
            arrived = b.arrived() => arrived,
        }
    });
    let silence = silence.await;
    assert!(
        silence.is_err(),
        "nothing comes, no end either: {silence:?}"
    );
    b.said("here", "b1").await;
    assert_eq!(a.expect("new_message").await["message"]["content"], "here");
    b.send(json!({"action": "find_next"})).await;
    a.expect("user_left").await;
}

/// The status of a request with more of a body than anybody needs; `None` when the connection was reset
/// with the rest of the body on its way, which may overtake the answer.
async fn too_large(address: SocketAddr) -> Option<u16> {
    let length = 100_000;
    let mut request = format!(
        "POST /api/stats HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    request.resize(request.len() + length, b'x');
    let mut stream = wire::dial(address).await;
    let _ = stream.write_all(&request).await;
    let answer = wire::answer(&mut stream).await;
    answer.map(|(answer, _)| answer.status)
}
