//! Reporting where no operator is there to read reports: not offered, not taken, and said so. And what is no report
//! at all.

use serde_json::{Value, json};

use crate::support::client::Browser;
use crate::support::people::{Chatting, chat};
use crate::support::reporting::{about, post, post_report, refusal};
use crate::support::server::TestServer;

#[tokio::test]
async fn what_is_no_report_is_refused_and_says_why() {
    let server = TestServer::start(|_| {}).await;
    let room = chat(&server).await;
    let me = &room.ming.browser;
    let with = |field: &str, value: Value| {
        let mut body = about(&room.ming);
        body[field] = value;
        body
    };
    let cases = [
        (with("reason", json!("rude")), "invalid_field"),
        (with("note", json!("x".repeat(1001))), "too_long"),
        (with("messages", json!(["m-1"])), "invalid_field"),
        (with("claims", json!({})), "invalid_field"),
        (with("block", json!(1)), "invalid_field"),
        (with("room", json!("x")), "not_a_uuid"),
        (with("room", json!(7)), "bad_json"),
        (json!([]), "bad_json"),
        (json!({"reason": "spam"}), "bad_json"),
    ];
    for (body, code) in cases {
        let answer = post_report(me, &body).await;
        assert_eq!(refusal(&answer), (400, code.to_owned()), "{body}");
    }
    for bytes in [&b""[..], b"{", b"\xff"] {
        assert_eq!(
            refusal(&post(me, bytes, &[]).await),
            (400, "bad_json".to_owned())
        );
    }
    let large = vec![b' '; 64 * 1024 + 1];
    assert_eq!(
        refusal(&post(me, &large, &[]).await),
        (413, "body_too_large".to_owned())
    );
    let body = about(&room.ming).to_string();
    let foreign = [("Origin", "https://evil.example")];
    let answer = post(me, body.as_bytes(), &foreign).await;
    assert_eq!(refusal(&answer), (403, "foreign_origin".to_owned()));
}

#[tokio::test]
async fn where_no_operator_reads_them_no_reports_are_taken() {
    let server = TestServer::start(|_| {}).await;
    let site = Browser::new(&server).get("/api/site").await.json();
    assert_eq!(site["options"]["reports"], false);
    let Chatting { ming, mut a, .. } = chat(&server).await;
    a.send(json!({"action": "report", "reason": "spam"})).await;
    a.expect_error("reports_off").await;
    let answer = post_report(&ming.browser, &about(&ming)).await;
    assert_eq!(refusal(&answer), (403, "reports_off".to_owned()));
    let listed = ming.browser.get("/api/reports/").await;
    assert_eq!(
        (listed.status, listed.json()),
        (200, json!({"reports": []}))
    );
}
