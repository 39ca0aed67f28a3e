//! Which pages may open a socket: those of this site, of origins that the configuration names, and of
//! apps; and whose word about the origin counts (contract, section 1).

use miyu::config::origin::Origin;

use crate::support::client::{Browser, Socket};
use crate::support::http::{Answer, exchange, parse};
use crate::support::people::meet;
use crate::support::server::{TestServer, proxy_here};

fn status(opened: Result<Socket, Answer>) -> (u16, String) {
    match opened {
        Ok(socket) => (socket.answer().status, String::new()),
        Err(answer) => (answer.status, answer.code()),
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_not_connect() {
    let server = TestServer::start(|config| {
        config.server.allowed_origins = vec![Origin::parse("https://friend.example").unwrap()];
    })
    .await;
    let (ming, _) = meet(&server).await;
    let own = format!("http://{}", server.address);
    let refused = (403, "foreign_origin".to_owned());
    for path in ["/ws/matching/".to_owned(), ming.path()] {
        for origin in [
            own.as_str(),
            "https://friend.example",
            "https://FRIEND.example:443",
        ] {
            let opened = ming.browser.try_open(&path, &[("Origin", origin)]).await;
            assert_eq!(status(opened).0, 101, "{origin}");
        }
        let secure = own.replace("http:", "https:");
        let longer = format!("{own}.evil.example");
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://friend.example",
            "https://friend.example.evil",
            "https://friend.example@evil",
            "file://",
            "http://127.0.0.1",
            &secure,
            &longer,
        ] {
            let opened = ming.browser.try_open(&path, &[("Origin", origin)]).await;
            assert_eq!(status(opened), refused, "{origin}");
        }
        let two = [("Origin", own.as_str()), ("Origin", "https://evil.example")];
        let opened = ming.browser.try_open(&path, &two).await;
        assert_eq!(status(opened), refused, "two of them");
    }
}

#[tokio::test]
async fn an_app_with_pages_of_its_own_may_be_let_in() {
    let apps = [
        "capacitor://localhost",
        "ionic://localhost",
        "app://lantern.example",
    ];
    let server = TestServer::start(|config| {
        let origins = apps.iter().map(|it| Origin::parse(it).unwrap());
        config.server.allowed_origins = origins.collect();
    })
    .await;
    let (ming, _) = meet(&server).await;
    for path in ["/ws/matching/".to_owned(), ming.path()] {
        for origin in apps {
            let opened = ming.browser.try_open(&path, &[("Origin", origin)]).await;
            assert_eq!(status(opened).0, 101, "{origin}");
        }
        for origin in [
            "capacitor://elsewhere",
            "capacitor://localhost.evil",
            "http://lantern.example",
            "https://lantern.example",
            "tauri://localhost",
            "null",
        ] {
            let opened = ming.browser.try_open(&path, &[("Origin", origin)]).await;
            assert_eq!(status(opened).0, 403, "{origin}");
        }
    }
    // What an app calls its pages is no name of this site.
    let asked = b"GET / HTTP/1.1\r\nhost: lantern.example\r\nconnection: close\r\n\r\n";
    assert_eq!(parse(&exchange(server.address, asked).await).status, 421);
}

#[tokio::test]
async fn only_trusted_proxies_forward() {
    let evil = [
        ("Origin", "https://other.lan"),
        ("X-Forwarded-Host", "other.lan"),
        ("X-Forwarded-Proto", "https"),
    ];
    // Not even a neighbour on this machine, unless the configuration says that it is a proxy.
    let server = TestServer::start(|_| {}).await;
    let opened = Browser::new(&server).try_open("/ws/matching/", &evil).await;
    assert_eq!(status(opened).0, 403, "the client can make up both");
    let server = TestServer::start(proxy_here).await;
    let opened = Browser::new(&server).try_open("/ws/matching/", &evil).await;
    assert_eq!(status(opened).0, 101);
}
