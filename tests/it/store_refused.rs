//! Data that the executable cannot use: one message that names what to do, the store's exit code,
//! and nothing touched.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::support::binary::{Setup, get};
use crate::support::driver::meet;
use crate::support::scene::MIYU;

/// "The store cannot be opened", as `miyu --help` says.
const STORE: Option<i32> = Some(4);

/// It ends at once with the store's code; the one line for the person contains all of these.
async fn assert_refused(setup: &Setup, words: &[&str]) {
    let (code, said) = setup.refused().await;
    assert_eq!(code, STORE, "{said}");
    let told: Vec<&str> = said.lines().filter(|it| it.starts_with("miyu:")).collect();
    assert_eq!(told.len(), 1, "{said}");
    for word in words {
        assert!(told[0].contains(word), "{word:?} is not in {said}");
    }
    let quiet = !said.contains("ERROR") && !said.contains("panic");
    assert!(quiet, "{said}");
}

fn database(setup: &Setup) -> std::path::PathBuf {
    setup.data.join("miyu.db")
}

#[tokio::test]
async fn a_folder_that_cannot_be_written() {
    let home = TempDir::new().unwrap();
    let mut setup = Setup::new(MIYU, home.path());
    std::fs::create_dir(&setup.data).unwrap();
    let rights = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(&setup.data, rights).unwrap();
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere; without its capabilities it is a user like any other.
        setup.through = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
            .map(str::to_owned)
            .into();
    }
    let folder = setup.data.display().to_string();
    assert_refused(&setup, &["cannot write to", &folder, "store.url"]).await;
    // And where a folder cannot even be made.
    std::fs::write(home.path().join("file"), "").unwrap();
    setup.data = home.path().join("file/data");
    assert_refused(&setup, &["cannot write to", "file", "store.url"]).await;
}

#[tokio::test]
async fn a_file_of_another_program() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    std::fs::create_dir(&setup.data).unwrap();
    let words = ["no Miyu database", "miyu.db", "store.url"];
    let note = b"shopping list: milk, bread, and a great deal more than that".repeat(200);
    std::fs::write(database(&setup), &note).unwrap();
    assert_refused(&setup, &words).await;
    assert_eq!(std::fs::read(database(&setup)).unwrap(), note);

    std::fs::remove_file(database(&setup)).unwrap();
    let theirs = rusqlite::Connection::open(database(&setup)).unwrap();
    theirs
        .execute_batch("CREATE TABLE milk (litres); INSERT INTO milk VALUES (2);")
        .unwrap();
    drop(theirs);
    let before = std::fs::read(database(&setup)).unwrap();
    assert_refused(&setup, &words).await;
    assert_eq!(std::fs::read(database(&setup)).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_damaged() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.start().await;
    meet(server.ready().await, "once").await.unwrap();
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    let good = std::fs::read(database(&setup)).unwrap();
    let words = ["damaged", "miyu.db", "restore a backup"];

    // The list of tables, overwritten.
    let mut bad = good.clone();
    bad[100..4096].fill(0xA5);
    assert_damaged(&setup, &bad, &words).await;
    // Everything after it, overwritten.
    let mut bad = good.clone();
    bad[4096..].fill(0xA5);
    assert_damaged(&setup, &bad, &words).await;
    // Cut off in the middle.
    assert_damaged(&setup, &good[..good.len() / 2], &words).await;

    std::fs::write(database(&setup), &good).unwrap();
    let mut server = setup.start().await;
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
}

async fn assert_damaged(setup: &Setup, bad: &[u8], words: &[&str]) {
    std::fs::write(database(setup), bad).unwrap();
    assert_refused(setup, words).await;
    let after = std::fs::read(database(setup)).unwrap();
    assert!(after == bad, "what is damaged is evidence: leave it");
    remove_if_there(&setup.data.join("miyu.db-wal"));
    remove_if_there(&setup.data.join("miyu.db-shm"));
}

fn remove_if_there(path: &Path) {
    let _ = std::fs::remove_file(path);
}

#[tokio::test]
async fn a_second_process_on_the_same_data() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut first = setup.start().await;
    let address = first.ready().await;
    assert_refused(&setup, &["another process uses this store", "miyu.db.lock"]).await;
    let operators = first.operators().unwrap();
    assert_eq!(get(operators, "/readyz").await.unwrap().0, 200);
    meet(address, "undisturbed").await.unwrap();
    // A lock dies with its process, however that died.
    first.kill();
    let mut second = setup.start().await;
    assert_eq!(second.stop().await.code(), Some(0), "{}", second.said());
}
