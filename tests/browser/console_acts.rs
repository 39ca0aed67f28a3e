//! Everything that is done to a case but deciding it by a key, with the words that are read after each: held, exported,
//! released, reopened, escalated, skipped, made invalid, opened by hand; each kind of sanction, and how it is lifted.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use miyu::domain::id::Side;
use miyu::domain::safety::{Reason, Role};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::browser::Browser;
use crate::support::console::{agrees, decides, fits, goes_to, log_in, look, opens_case, selects};
use crate::support::desk::{at_rest, make_operator, reported};
use crate::support::person::{DEADLINE, Person};
use crate::support::stage::{Play, Stage};

const RUDE: &[(Side, &str)] = &[(Side::A, "hi"), (Side::B, "you are stupid")];
const OWN_WORDS: &str = "Words of this site alone.";

/// What an export is, as far as it says how it is checked.
#[derive(Deserialize)]
struct Export {
    manifest: Manifest,
    parts: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Manifest {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    name: String,
    sha256: String,
}

/// Six cases for an administrator who reads English.
async fn desk(stage: &Stage) -> Person {
    at_rest(stage, async |data| {
        make_operator(data, "Mei", Role::Administrator).await;
        for reason in [
            Reason::Harassment,
            Reason::Spam,
            Reason::Harassment,
            Reason::Other,
            Reason::Harassment,
            Reason::Spam,
        ] {
            reported(data, reason, "please look", RUDE).await;
        }
    })
    .await;
    let english = Browser {
        language: "en",
        ..Browser::default()
    };
    let mei = stage.person_with("Mei", &english).await;
    for status in ["404", "409", "422"] {
        mei.expect_console(status);
    }
    log_in(&mei, "Mei").await;
    mei
}

#[test]
fn a_case_goes_through_all_hands() {
    Play::new("console_acts").run(async |stage| {
        let mei = desk(stage).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let allowed = json!({ "behavior": "allow", "downloadPath": folder.path() });
        mei.devtools("Browser.setDownloadBehavior", allowed).await;

        opens_case(&mei, 1).await;
        mei.press("hold").await;
        look(&mei, "hold").await;
        agrees(&mei).await;
        mei.reads("case-facts", "held for").await;
        mei.press("export").await;
        let session = session_of(&exported(folder.path()).await);
        mei.press("release").await;
        mei.sees("queue").await;
        let free =
            "fetch('/admin/api/cases/1/').then((it) => it.json()).then((it) => !it.case.claim)";
        mei.until(free, json!([])).await;

        opens_case(&mei, 1).await;
        mei.press("template-6").await;
        decides(&mei, &[]).await;
        goes_to(&mei, "closed").await;
        look(&mei, "closed-one").await;
        opens_case(&mei, 1).await;
        look(&mei, "case-closed").await;
        mei.press("reopen").await;
        mei.sees("decide").await;
        mei.press("template-1").await;
        decides(&mei, &[("rule", "other")]).await;

        opens_case(&mei, 3).await;
        mei.press("escalate").await;
        agrees(&mei).await;
        mei.reads("toast", "escalated").await;
        opens_case(&mei, 3).await;
        mei.press("skip").await;
        agrees(&mei).await;
        mei.reads("toast", "closed").await;

        opens_case(&mei, 4).await;
        mei.press("invalidate").await;
        mei.press("choice-2592000000").await;
        look(&mei, "invalidate").await;
        agrees(&mei).await;
        mei.reads("toast", "1 report made invalid").await;
        mei.reads("reports", "invalid").await;
        look(&mei, "invalid").await;
        mei.press("revalidate").await;
        look(&mei, "revalidate").await;
        agrees(&mei).await;
        mei.reads("toast", "1 report counts again").await;
        mei.sees("invalidate").await;
        mei.press("invalidate").await;
        agrees(&mei).await;
        mei.sees("revalidate").await;
        by_hand(&mei, &session).await;

        goes_to(&mei, "audit").await;
        for act in [
            "exported",
            "escalated",
            "reopened",
            "opened by hand",
            "made invalid",
            "made valid again",
        ] {
            mei.reads("audit", act).await;
        }
    });
}

/// What was downloaded, once each part is what the manifest says it is.
async fn exported(folder: &Path) -> BTreeMap<String, String> {
    let begun = Instant::now();
    let text = loop {
        let file = folder.join("miyu-case-1.json");
        if let Ok(text) = std::fs::read_to_string(&file) {
            break text;
        }
        assert!(
            begun.elapsed() < DEADLINE,
            "no file in {}",
            folder.display()
        );
        tokio::time::sleep(Duration::from_millis(40)).await;
    };
    let export: Export = serde_json::from_str(&text).expect("an export");
    assert_eq!(export.manifest.parts.len(), export.parts.len());
    for part in &export.manifest.parts {
        let hash: String = Sha256::digest(export.parts[&part.name].as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hash, part.sha256, "{}", part.name);
    }
    assert!(
        export
            .parts
            .keys()
            .any(|name| name.starts_with("evidence/"))
    );
    export.parts
}

/// Of the person that the case is about.
fn session_of(parts: &BTreeMap<String, String>) -> String {
    let case: Value = serde_json::from_str(&parts["case.json"]).expect("JSON");
    case["subject"]["session"]
        .as_str()
        .expect("a text")
        .to_owned()
}

/// A case without a report: what is missing is said, and then it is decided like any other.
async fn by_hand(mei: &Person, session: &str) {
    goes_to(mei, "queue").await;
    mei.press("by-hand").await;
    mei.press("hand-go").await;
    mei.reads("hand-wrong", "id is missing").await;
    selects(mei, "hand-about", "session").await;
    mei.fill("hand-id", "not an id").await;
    mei.press("hand-go").await;
    mei.reads("hand-wrong", "who asked").await;
    mei.fill("hand-note", "the police, by letter").await;
    mei.press("hand-go").await;
    mei.reads("hand-wrong", "isn’t there").await;
    look(mei, "by-hand").await;
    mei.fill("hand-id", session).await;
    mei.press("hand-go").await;
    mei.reads("reports", "the police, by letter").await;
    look(mei, "case-by-hand").await;
    mei.press("template-6").await;
    decides(mei, &[]).await;
}

#[test]
fn each_kind_of_sanction_is_imposed_and_lifted() {
    Play::new("console_sanctions").run(async |stage| {
        let mei = desk(stage).await;
        templates_say(&mei, OWN_WORDS).await;
        opens_case(&mei, 1).await;
        mei.press("template-1").await;
        mei.until("byTest('text').value === args[0]", json!([OWN_WORDS]))
            .await;
        decides(&mei, &[("kind", "mute"), ("length", "604800000")]).await;
        opens_case(&mei, 2).await;
        decides(
            &mei,
            &[
                ("finding", "violation"),
                ("kind", "shadow_mute"),
                ("length", "21600000"),
            ],
        )
        .await;
        opens_case(&mei, 3).await;
        // A person who is told is told why.
        for (test, value) in [("finding", "violation"), ("kind", "ban"), ("length", "")] {
            selects(&mei, test, value).await;
        }
        mei.reads("decide-hint", "say why").await;
        mei.fill("text", "This is over.").await;
        mei.fill("reporter-text", "Thank you.").await;
        mei.fill("note", "for good").await;
        decides(&mei, &[]).await;
        opens_case(&mei, 4).await;
        decides(&mei, &[("finding", "no_violation"), ("kind", "note")]).await;

        goes_to(&mei, "sanctions").await;
        for kind in ["Mute", "Shadow mute", "Ban"] {
            mei.reads("sanctions", kind).await;
        }
        look(&mei, "sanctions-three").await;
        mei.fill("sanctions-case", "#3").await;
        mei.press("sanctions-find").await;
        let one = "document.querySelectorAll('[data-testid=sanction]').length === 1";
        mei.until(one, json!([])).await;
        mei.press("lift").await;
        mei.fill("lift-text", "Sorry, that was another person.")
            .await;
        look(&mei, "lift").await;
        agrees(&mei).await;
        mei.reads("sanctions", "lifted").await;
        mei.sees_no("lift").await;
        network(&mei).await;
    });
}

/// The first template, in words of the site's own.
async fn templates_say(mei: &Person, words: &str) {
    goes_to(mei, "templates").await;
    mei.fill("texts-en", words).await;
    look(mei, "templates-changed").await;
    mei.press("templates-save").await;
    mei.reads("toast", "Saved").await;
    let saved = "fetch('/admin/api/templates/').then((it) => it.json()).then((it) => it.templates[0].texts.en === args[0])";
    assert_eq!(mei.ask(saved, json!([words])).await, true);
}

/// A network in a raid, and no longer.
async fn network(mei: &Person) {
    goes_to(mei, "queue").await;
    goes_to(mei, "sanctions").await;
    mei.press_css("[data-testid=network] summary").await;
    mei.fill("network-address", "203.0.113.7/8").await;
    selects(mei, "network-kind", "ban").await;
    mei.press("network-go").await;
    mei.reads("network-wrong", "not an address").await;
    mei.fill("network-address", "203.0.113.7/24").await;
    mei.fill("network-text", "A raid.").await;
    mei.press("network-go").await;
    mei.reads("toast", "Applied").await;
    mei.reads("sanctions", "network").await;
    look(mei, "network").await;
    mei.press("lift").await;
    agrees(mei).await;
    mei.until(
        "!byTest('sanctions').textContent.includes('network')",
        json!([]),
    )
    .await;
    fits(mei, "sanctions after lifting").await;
}
