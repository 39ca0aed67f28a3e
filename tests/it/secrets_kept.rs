//! What the executable keeps from the machine around it: keys that others can read are refused, and its
//! memory is no core file's and no other process's.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::binary::Setup;
use crate::support::scene::{MIYU, until};

/// A user without rights, who exists everywhere by number.
const UNPRIVILEGED: u32 = 65534;
const KEY: &str = "8e2f0c4b7d19a3658e2f0c4b7d19a3658e2f0c4b7d19a36500aa11bb22cc33dd";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn keys_that_others_can_read_are_refused() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("secret");
    fs::write(&file, KEY).unwrap();
    let named = |section: &str, key: &str| format!("[{section}]\n{key} = \"{}\"\n", file.display());
    let redis = "url = \"redis://127.0.0.1:1\"\n";
    let postgres = "url = \"postgres://miyu@127.0.0.1:1/miyu?sslmode=disable\"\n";
    for (key, config, store_elsewhere) in [
        ("session.key_file", named("session", "key_file"), false),
        (
            "channel.password_file",
            named("channel", "password_file") + redis,
            false,
        ),
        (
            "store.password_file",
            named("store", "password_file") + postgres,
            true,
        ),
    ] {
        let mut setup = Setup::new(MIYU, home.path()).with(&config);
        setup.store_elsewhere = store_elsewhere;
        for open in [0o644, 0o640, 0o620, 0o604, 0o444] {
            mode(&file, open);
            let (code, said) = setup.refused().await;
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains(&format!("{key} (")), "{said}");
            assert!(
                said.contains(&format!("chmod 600 {}", file.display())),
                "{said}"
            );
            assert!(!said.contains(KEY), "{said}");
        }
    }
    mode(&file, 0o400);
    let setup = Setup::new(MIYU, home.path()).with(&named("session", "key_file"));
    assert!(setup.start().await.stop().await.success());
}

#[tokio::test]
async fn a_generated_key_that_others_can_read_is_refused() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    assert!(setup.start().await.stop().await.success());
    let key = home.path().join("data/session.key");
    let made = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(made & 0o7777, 0o600);
    // As a backup that was put back may leave it.
    mode(&key, 0o644);
    let (code, said) = setup.refused().await;
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("chmod 600") && said.contains("session.key"),
        "{said}"
    );
    mode(&key, 0o600);
    assert!(setup.start().await.stop().await.success());
}

/// Who may look into a process: its files under /proc are root's once it has said so.
fn owner_of_memory(pid: u32) -> u32 {
    fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid()
}

/// This program as a user without rights, though its folder may be closed to that user.
fn as_unprivileged_user(program: &File, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.args(arguments).env_clear().current_dir(folder);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if rustix::process::geteuid().is_root() {
        chown(folder, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
    command
}

#[tokio::test]
async fn memory_is_closed_from_the_first_line() {
    let folder = TempDir::new().unwrap();
    let ours = match rustix::process::geteuid().is_root() {
        true => UNPRIVILEGED,
        false => rustix::process::geteuid().as_raw(),
    };
    // Any other program's belongs to its user: the test can tell.
    let cat = File::open("/bin/cat").unwrap();
    let mut plain = as_unprivileged_user(&cat, &[], folder.path())
        .spawn()
        .unwrap();
    let told = async || owner_of_memory(plain.id()) == ours;
    until("a plain process is its user's", told, String::new).await;
    let _ = plain.kill();
    let _ = plain.wait();

    let miyu = File::open(MIYU).unwrap();
    let arguments = ["--listen", "127.0.0.1:0"];
    let mut serving = as_unprivileged_user(&miyu, &arguments, folder.path())
        .spawn()
        .unwrap();
    let pid = serving.id();
    let closed = async || {
        let name = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
        let core = name
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let limits = core.map(|line| line.split_whitespace().skip(4).take(2).collect::<Vec<_>>());
        limits == Some(vec!["0", "0"]) && owner_of_memory(pid) == 0
    };
    until("its memory is closed", closed, String::new).await;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    assert!(user.unwrap().contains(&ours.to_string()), "{status}");
    // And it serves: nothing of ours needs what was given up.
    let made = async || folder.path().join("data/miyu.db").exists();
    until("it opens its store", made, String::new).await;
    let _ = serving.kill();
    let _ = serving.wait();
}
