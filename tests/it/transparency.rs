//! What the public is told of how reports are looked at: over HTTP, seldom added up, and on a page of the site.

use std::time::Duration;

use miyu::domain::safety::{Actor, DecisionDraft, Finding, Reason};
use miyu::store::safety::Acted;
use serde_json::{Value, json};

use crate::support::http::{get, get_with};
use crate::support::people::chat;
use crate::support::reporting::{about, post_report};
use crate::support::safety::Guarded;

async fn figures(site: &Guarded) -> Value {
    let answer = get(site.server.address, "/api/transparency/").await;
    assert_eq!(answer.status, 200);
    let cached = answer.header("cache-control");
    assert_eq!(cached, Some("public, max-age=600"));
    assert_eq!(answer.cookie(), None, "it keeps nothing");
    answer.json()
}

#[tokio::test]
async fn the_public_is_told_what_became_of_reports_and_it_is_added_up_seldom() {
    let site = Guarded::start(|_| {}).await;
    let room = chat(&site.server).await;
    let answer = post_report(&room.ming.browser, &about(&room.ming)).await;
    assert_eq!(answer.status, 201);
    let told = figures(&site).await;
    assert_eq!(told["reports_taken"], true);
    let months = told["months"].as_array().unwrap();
    assert_eq!(months.len(), 1, "{told}");
    assert_eq!(months[0]["reports"], 1);
    assert_eq!(months[0]["decisions"], 0);
    let (case, ..) = site.only_case().await;
    let decided = site.safety.decide(DecisionDraft {
        case: case.id,
        by: Actor::Local,
        finding: Finding::Violation,
        rule: Reason::Harassment,
        note: "a note".into(),
        text: "a text".into(),
        reporter_text: String::new(),
        seen_reports: None,
        sanctions: Vec::new(),
    });
    assert!(matches!(decided.await.unwrap(), Acted::Done(_)));
    assert_eq!(
        figures(&site).await,
        told,
        "not walked again for each who asks"
    );
    // Another process of the site adds up for itself.
    let console = miyu::console::Console::new(site.safety.clone())
        .await
        .unwrap();
    let fresh = console.transparency().await.unwrap();
    let fresh = serde_json::to_value(fresh).unwrap();
    assert_eq!(fresh["months"][0]["decisions"], 1);
    assert_eq!(fresh["months"][0]["violations"], 1);
    assert!(fresh["months"][0].get("median_ms").is_none(), "{fresh}");
    let text = fresh.to_string();
    assert!(!text.contains("a note") && !text.contains("a text"));
}

#[tokio::test]
async fn a_site_without_an_operator_says_that_it_takes_no_reports() {
    let site = Guarded::without_operator(|_| {}).await;
    let told = figures(&site).await;
    assert_eq!(told, json!({"reports_taken": false, "months": []}));
}

#[tokio::test]
async fn the_page_of_numbers_is_in_three_languages_and_linked_from_privacy() {
    let site = Guarded::start(|config| config.session.lifetime = Duration::from_secs(3600)).await;
    for (tag, heading) in [
        ("zh-TW", "檢舉的數字"),
        ("en", "Reports, in numbers"),
        ("ja", "通報の数字"),
    ] {
        let headers = [("accept-language", tag), ("accept", "text/html")];
        let page = get_with(site.server.address, "/transparency/", &headers).await;
        assert_eq!(page.status, 200);
        let shown = page
            .text()
            .split("<script type=\"application/json\"")
            .next()
            .unwrap();
        assert!(shown.contains(&format!(">{heading}</h1>")), "{shown}");
        assert_eq!(page.cookie(), None);
        let privacy = get_with(site.server.address, "/privacy/", &headers).await;
        assert!(privacy.text().contains("href=\"/transparency/\""));
    }
    let bare = get(site.server.address, "/transparency").await;
    assert_eq!(bare.header("location"), Some("/transparency/"));
}

/// How the privacy page of this site reads, in a language.
async fn privacy(site: &Guarded, tag: &str) -> String {
    let headers = [("accept-language", tag), ("accept", "text/html")];
    let page = get_with(site.server.address, "/privacy/", &headers).await;
    let text = page.text();
    let shown = text.split("<script type=\"application/json\"").next();
    shown.unwrap().to_owned()
}

#[tokio::test]
async fn the_privacy_page_speaks_of_reports_only_where_they_are_taken() {
    let with = Guarded::start(|_| {}).await;
    let without = Guarded::without_operator(|_| {}).await;
    for (tag, taken, none) in [
        (
            "zh-TW",
            ["把這段對話交給管理員看", "href=\"/transparency/\""],
            "現在不收檢舉",
        ),
        (
            "en",
            [
                "Gives this conversation to the moderators",
                "a copy of that conversation",
            ],
            "takes none now",
        ),
        (
            "ja",
            ["この会話を管理者に渡します", "この写しは変わりません"],
            "いま通報を受けていません",
        ),
    ] {
        let (told, quiet) = (privacy(&with, tag).await, privacy(&without, tag).await);
        for words in taken {
            assert!(told.contains(words), "{words}: {told}");
            assert!(!quiet.contains(words), "{words}: {quiet}");
        }
        assert!(quiet.contains(none) && !told.contains(none), "{quiet}");
        assert!(!told.contains("{{") && !quiet.contains("{{"), "{quiet}");
    }
}
