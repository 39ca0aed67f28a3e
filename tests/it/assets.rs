//! Files and pages: addresses with a hash, validators, encodings, an overlay that is edited live.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use miyu::config::origin::Origin;
use miyu::config::{Config, Given, load};
use serde_json::json;
use tempfile::TempDir;

use crate::support::http::{Answer, get, get_with, request};
use crate::support::server::TestServer;

mod pages;

/// An overlay with a page and two files.
fn overlay() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "html/index.html",
        &format!(
            "<html lang=\"{{{{lang}}}}\"><title>{{{{site.name}}}}</title>{{{{base}}}}|{}",
            " ".repeat(400)
        ),
    );
    write(
        dir.path(),
        "css/own.css",
        &format!("a{{color:red}}{}", " ".repeat(400)),
    );
    write(dir.path(), "images/own.bin", "\u{1}\u{2}");
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// What a file of this text configures.
fn config_of(text: &str) -> Config {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "miyu.toml", text);
    let given = Given {
        file: Some(dir.path().join("miyu.toml")),
        ..Given::default()
    };
    load(given).unwrap().config
}

async fn serve(dir: &TempDir) -> TestServer {
    let path = dir.path().to_owned();
    TestServer::start_dead(move |config| {
        config.assets.dir = Some(path);
        config.site.name = "A<B>\"&".into();
    })
    .await
}

/// `/static/HASH` as the page says it.
fn base(page: &Answer) -> String {
    let text = page.text();
    let start = text.find("/static/").unwrap();
    text[start..start + "/static/".len() + 16].to_owned()
}

#[tokio::test]
async fn pages_are_rendered_and_escaped() {
    let dir = overlay();
    let server = serve(&dir).await;
    let page = get(server.address, "/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("<title>A&lt;B&gt;&quot;&amp;</title>"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("lang=\"zh-TW\""));
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    let english = get_with(
        server.address,
        "/",
        &[("accept-language", "en-US,en;q=0.9")],
    )
    .await;
    assert!(english.text().contains("lang=\"en\""));
    assert_ne!(page.header("etag"), english.header("etag"));
    let tag = page.header("etag").unwrap();
    let known = get_with(server.address, "/", &[("if-none-match", tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    server.stop().await;
}

#[tokio::test]
async fn files_are_immutable_under_the_current_hash_only() {
    let dir = overlay();
    let server = serve(&dir).await;
    let base = base(&get(server.address, "/").await);
    let file = get(server.address, &format!("{base}/css/own.css")).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(
        file.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    for path in [
        "/static/css/own.css",
        "/static/0123456789abcdef/css/own.css",
    ] {
        let other = get(server.address, path).await;
        assert_eq!(other.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(other.body, file.body);
    }
    let tag = file.header("etag").unwrap();
    for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let path = format!("{base}/css/own.css");
        let answer = get_with(server.address, &path, &[("if-none-match", &known)]).await;
        assert_eq!(answer.status, 304, "{known}");
    }
    let head = request(server.address, "HEAD", &format!("{base}/css/own.css"), &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(&*file.body.len().to_string())
    );
    server.stop().await;
}

/// Files of an overlay and pages, which no build could compress.
#[tokio::test]
async fn the_client_chooses_the_encoding() {
    let dir = overlay();
    let server = serve(&dir).await;
    for path in ["/static/css/own.css", "/"] {
        let plain = get(server.address, path).await;
        assert_eq!(plain.header("content-encoding"), None);
        assert!(plain.header("vary").unwrap().contains("accept-encoding"));
        let mut tags = vec![plain.header("etag").unwrap().to_owned()];
        for (accept, encoding) in [
            ("gzip, deflate, br", "br"),
            ("gzip, deflate, br;q=0", "gzip"),
        ] {
            let accept = [("accept-encoding", accept)];
            let packed = get_with(server.address, path, &accept).await;
            assert_eq!(packed.header("content-encoding"), Some(encoding), "{path}");
            assert!(packed.body.len() < plain.body.len());
            assert_eq!(unpacked(encoding, &packed.body), plain.body);
            tags.push(packed.header("etag").unwrap().to_owned());
        }
        tags.dedup();
        assert_eq!(tags.len(), 3, "{tags:?}");
        let refused = [("accept-encoding", "gzip;q=0")];
        let refused = get_with(server.address, path, &refused).await;
        assert_eq!(refused.header("content-encoding"), None);
    }
    server.stop().await;
}

fn unpacked(encoding: &str, packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        "br" => brotli::BrotliDecompress(&mut &packed[..], &mut plain).unwrap(),
        _ => drop(GzDecoder::new(packed).read_to_end(&mut plain).unwrap()),
    }
    plain
}

#[tokio::test]
async fn an_edited_overlay_changes_the_hash_without_a_restart() {
    let dir = overlay();
    let server = serve(&dir).await;
    let before = base(&get(server.address, "/").await);
    write(dir.path(), "css/own.css", "a{color:green}");
    // The disk is looked at twice a second.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let after = base(&get(server.address, "/").await);
    assert_ne!(before, after);
    let file = get(server.address, &format!("{after}/css/own.css")).await;
    assert_eq!(file.text(), "a{color:green}");
    let old = get(server.address, &format!("{before}/css/own.css")).await;
    assert_eq!(old.header("cache-control"), Some("no-cache"));
    server.stop().await;
}

#[tokio::test]
async fn nothing_outside_the_folder_can_be_had() {
    let dir = overlay();
    let secret = tempfile::tempdir().unwrap();
    write(secret.path(), "key", "secret");
    std::os::unix::fs::symlink(secret.path(), dir.path().join("out")).unwrap();
    std::os::unix::fs::symlink(secret.path().join("key"), dir.path().join("key.txt")).unwrap();
    let server = serve(&dir).await;
    for path in [
        "/static/out/key",
        "/static/key.txt",
        "/static/../key",
        "/static/css/../../key",
        "/static/%2e%2e/key",
        "/static//etc/passwd",
        "/static/html/index.html",
    ] {
        assert_eq!(get(server.address, path).await.status, 404, "{path}");
    }
    server.stop().await;
}
