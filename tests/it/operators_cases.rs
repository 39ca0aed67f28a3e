//! `miyu cases`, `miyu sanctions`, `miyu maintenance`: the console's requests as commands on the machine.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::desk::{Office, told, violation};
use crate::support::scene::MIYU;

/// The executable with these words, asking the server that has this folder.
async fn miyu(dir: &PathBuf, words: &[&str]) -> Output {
    let mut command = Command::new(MIYU);
    command.args(words).arg("--data-dir").arg(dir);
    command.env_clear().current_dir("/");
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    run.await.unwrap()
}

async fn done(dir: &PathBuf, words: &[&str]) -> String {
    let output = miyu(dir, words).await;
    let said = String::from_utf8(output.stdout).unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {why}");
    said
}

#[tokio::test]
async fn cases_are_listed_shown_and_exported_and_sanctions_lifted() {
    let mut office = Office::open().await;
    let dir = office.site.server.app.config.admin_dir();
    assert_eq!(done(&dir, &["cases", "list"]).await, "There are none.\n");
    let (_room, case) = office.reported("rude \u{202E}indeed").await;
    let number = case.to_string();
    let listed = done(&dir, &["cases", "list"]).await;
    let wanted = format!("{case}  open  harassment  1 report  since ");
    assert!(listed.starts_with(&wanted), "{listed}");
    let shown = done(&dir, &["cases", "show", &number]).await;
    assert!(!shown.contains('\u{202E}'), "{shown}");
    let file: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(file["rooms"][0]["entries"][0]["reported"], true);
    let exported = done(&dir, &["cases", "export", &number]).await;
    let exported: Value = serde_json::from_str(&exported).unwrap();
    assert!(exported.to_string().contains("sha256"), "{exported}");
    let unknown = miyu(&dir, &["cases", "show", "999"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    assert!(!unknown.stderr.is_empty());

    told(&office.mei.post("queue/next/", &json!({})).await);
    let path = format!("cases/{case}/decide/");
    told(
        &office
            .mei
            .post(&path, &violation("mute", Some(3_600_000)))
            .await,
    );
    let listed = done(&dir, &["sanctions", "list"]).await;
    assert!(listed.contains("  mute  harassment  until 20"), "{listed}");
    let sanction = listed.split(' ').next().unwrap();
    let lifted = done(&dir, &["sanctions", "lift", sanction, "A mistake; sorry."]).await;
    assert_eq!(lifted, format!("Sanction {sanction} is lifted.\n"));
    let left = done(&dir, &["sanctions", "list"]).await;
    assert_eq!(left, "There are none.\n");
}

#[tokio::test]
async fn maintenance_is_switched_on_and_off() {
    let mut office = Office::open().await;
    let dir = office.site.server.app.config.admin_dir();
    let on = done(&dir, &["maintenance", "on", "30m"]).await;
    assert_eq!(on, "Maintenance for 30m.\n");
    let set = told(&office.admin.get("broadcast/").await);
    assert!(set["maintenance"]["until_ms"].is_i64(), "{set}");
    let off = done(&dir, &["maintenance", "off"]).await;
    assert_eq!(off, "Maintenance is over.\n");
    let set = told(&office.admin.get("broadcast/").await);
    assert!(set["maintenance"].is_null(), "{set}");
}
