//! The control socket and `miyu admin`: for the machine's owner alone, with the server up and down.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use miyu::domain::safety::Role;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::support::binary::Setup;
use crate::support::http::{Answer, parse};
use crate::support::operators::{Desk, PASSWORD, operator};
use crate::support::safety::Guarded;
use crate::support::scene::MIYU;

/// `miyu admin …` on this data, with this typed at its standard input.
fn admin(data: &Path, words: &[&str], typed: &str) -> Output {
    let mut child = Command::new(MIYU)
        .args(["admin"])
        .args(words)
        .arg("--data-dir")
        .arg(data)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that needs none may be gone by now.
    let _ = stdin.write_all(typed.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

/// What it said, after it did what was asked.
fn done(data: &Path, words: &[&str], typed: &str) -> String {
    let output = admin(data, words, typed);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{words:?}: {}",
        said(&output)
    );
    said(&output)
}

fn refused(data: &Path, words: &[&str], typed: &str) -> String {
    let output = admin(data, words, typed);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{words:?}: {}",
        said(&output)
    );
    said(&output)
}

async fn ask(socket: &Path, method: &str, path: &str) -> Answer {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.unwrap();
    parse(&raw)
}

#[tokio::test]
async fn operators_are_made_and_helped_while_the_server_runs() {
    let home = TempDir::new().unwrap();
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.start().await;
    let address = server.ready().await;
    let data = home.path().join("data");
    let link = done(&data, &["link"], "");
    assert!(
        link.contains(&format!("http://{address}/admin/#setup=")),
        "{link}"
    );
    let made = done(&data, &["create", "Mei"], &format!("{PASSWORD}\n"));
    assert_eq!(made, "Mei is an operator now (administrator).\n");
    Desk::logged_in(address, "Mei").await;
    let second = refused(&data, &["link"], "");
    assert!(second.contains("miyu admin reset-password"), "{second}");
    let moderator = ["create", "--role", "moderator", "Ming\u{202E}\u{1b}[2J"];
    let made = done(&data, &moderator, PASSWORD);
    assert_eq!(made, "Ming[2J is an operator now (moderator).\n");
    let taken = refused(&data, &["create", "MEI"], PASSWORD);
    assert!(taken.contains("another operator has this name"), "{taken}");
    let short = refused(&data, &["create", "Short"], "short\n");
    assert!(short.contains("at least 12 characters"), "{short}");
    let empty = refused(&data, &["create", "Empty"], "");
    assert!(empty.contains("no password was given"), "{empty}");
    let all = done(&data, &["list"], "");
    assert_eq!(all, "Mei (administrator)\nMing[2J (moderator)\n");

    let reset = done(
        &data,
        &["reset-password", "mei"],
        "another lantern, another rain",
    );
    assert_eq!(reset, "mei has a new password.\n");
    let old = Desk::at(address).log_in("Mei", PASSWORD).await;
    assert_eq!(old.code(), "wrong_login");
    done(&data, &["disable-totp", "Mei"], "");
    let unknown = refused(&data, &["reset-password", "Nemo"], PASSWORD);
    assert!(unknown.contains("miyu admin list"), "{unknown}");
    let log = done(&data, &["audit"], "");
    assert!(log.contains("operator_made"), "{log}");
    let whole = done(&data, &["audit", "--verify"], "");
    assert!(whole.starts_with("The audit log is whole"), "{whole}");
    assert_eq!(server.stop().await.code(), Some(0), "{}", server.said());
    assert!(!data.join("miyu.sock").exists(), "it goes with its server");
    assert!(!server.said().contains("lantern"), "{}", server.said());
}

#[tokio::test]
async fn with_the_server_down_the_command_opens_the_data_itself() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    done(&data, &["create", "Mei"], PASSWORD);
    let all = done(&data, &["list"], "");
    assert_eq!(all, "Mei (administrator)\n");
    // What a killed server left behind is no server.
    std::os::unix::net::UnixListener::bind(data.join("miyu.sock")).unwrap();
    done(&data, &["create", "Ming"], PASSWORD);
    let setup = Setup::new(MIYU, home.path());
    let mut server = setup.start().await;
    let address = server.ready().await;
    Desk::logged_in(address, "Mei").await;
    server.says("serving").await;
    assert!(!data.join("setup-link").exists(), "there are operators");
    // One that has the lock, and no socket: the command says so and changes nothing.
    std::fs::remove_file(data.join("miyu.sock")).unwrap();
    let output = admin(&data, &["list"], "");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("No server answers at"),
        "{}",
        said(&output)
    );
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_command_waits_for_who_has_the_data_and_does_not_answer_yet() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    // Each of them has the data for itself for as long as hashing a password takes.
    std::thread::scope(|scope| {
        for name in ["Mei", "Ming"] {
            scope.spawn(|| done(&data, &["create", name], PASSWORD));
        }
    });
    assert_eq!(done(&data, &["list"], "").lines().count(), 2);
}

#[tokio::test]
async fn a_changed_audit_log_is_found() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    for name in ["Mei", "Ming", "Lan"] {
        done(&data, &["create", name], PASSWORD);
    }
    let database = rusqlite::Connection::open(data.join("miyu.db")).unwrap();
    let changed = database.execute("UPDATE audit SET details = 'nothing' WHERE no = 2", []);
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    let found = refused(&data, &["audit", "--verify"], "");
    assert!(found.contains("row 2 was changed"), "{found}");
}

#[tokio::test]
async fn the_socket_answers_its_owner_and_has_no_other_addresses() {
    let site = Guarded::without_operator(|_| {}).await;
    operator(&*site.safety, "Mei", Role::Administrator).await;
    let dir = site.server.app.config.admin_dir();
    let socket = dir.join("miyu.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let all = ask(&socket, "GET", "/admin/api/operators/").await;
    assert_eq!(all.json()["operators"][0]["name"], "Mei");
    // It is no operator that could log in, and no site.
    let own = ask(&socket, "GET", "/admin/api/sessions/").await;
    assert_eq!((own.status, own.code().as_str()), (401, "not_logged_in"));
    for path in [
        "/",
        "/api/rooms/",
        "/admin/api/session/",
        "/metrics",
        "/ws/chat/",
    ] {
        assert_eq!(ask(&socket, "GET", path).await.status, 404, "{path}");
    }
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Another user: by the file's mode, and without it by what the system says of the other end.
    let program = dir.join("miyu");
    std::fs::copy(MIYU, &program).unwrap();
    open(&dir, 0o755);
    let foreign = async || {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&program)
            .args(["admin", "list", "--data-dir"])
            .arg(&dir)
            .current_dir("/")
            .env_clear();
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = run.await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    let closed = foreign().await;
    assert!(
        closed.contains("as the user that the server runs as"),
        "{closed}"
    );
    open(&socket, 0o666);
    let unanswered = foreign().await;
    assert!(
        unanswered.contains("the server does not answer"),
        "{unanswered}"
    );
    let still = ask(&socket, "GET", "/admin/api/operators/").await;
    assert_eq!(still.status, 200);
}

fn open(path: &Path, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}
