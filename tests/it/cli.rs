//! The executable itself: what it prints, how it ends, that it says what to do.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process};
use tempfile::TempDir;

use crate::support::ports::{free_address, free_port_of};

/// The executable in an empty folder, without this machine's variables.
fn miyu(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miyu"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    miyu(folder.path(), arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A serving process, ended by its id when the test ends early.
struct Serving {
    child: Child,
    address: SocketAddr,
    operators: Option<SocketAddr>,
    /// What it said before it served.
    before: Vec<String>,
    folder: TempDir,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", arguments)
    }

    fn start_at(listen: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        Self::spawn(listen, &home, folder, arguments)
    }

    /// In a folder that outlives it.
    fn start_in(home: &Path, arguments: &[&str]) -> Self {
        Self::spawn("127.0.0.1:0", home, tempfile::tempdir().unwrap(), arguments)
    }

    fn spawn(listen: &str, home: &Path, folder: TempDir, arguments: &[&str]) -> Self {
        let mut all = vec!["--listen", listen];
        all.extend_from_slice(arguments);
        let mut child = miyu(home, &all).stderr(Stdio::piped()).spawn().unwrap();
        // The log says which port it became.
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let serving = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("it ended before it served: {before:?}"))
                .unwrap();
            if line.contains("\"serving\"") {
                break line;
            }
            before.push(line);
        };
        let line: serde_json::Value = serde_json::from_str(&serving).unwrap();
        let address = |what: &str| line[what].as_str().map(|it| it.parse().unwrap());
        // Keeps the pipe from filling up.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address("address").unwrap(),
            operators: address("operators"),
            before,
            folder,
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn wait(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn version_and_sample_are_printed() {
    let version = output(&["version"]);
    assert_eq!(version.status.code(), Some(0));
    assert!(text(&version.stdout).starts_with("miyu "));
    let sample = output(&["default-config"]);
    assert!(text(&sample.stdout).contains("[server]"));
    let help = text(&output(&["--help"]).stdout);
    assert!(help.contains("Exit codes"), "{help}");
}

#[test]
fn check_config_shows_what_is_in_effect() {
    let good = output(&["check-config", "--listen", "127.0.0.1:9"]);
    assert_eq!(good.status.code(), Some(0));
    assert!(text(&good.stdout).contains("listen = \"127.0.0.1:9\"  # flag"));
    let bad = output(&["check-config", "--listen", "nowhere"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("server.listen (flag)"));
    let missing = output(&["check-config", "--config", "/nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(2));
}

/// As a user who is not root: `miyu check-config` in this folder.
fn check_as_another(folder: &Path) -> Output {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    // The folder that the executable was built in may be closed to that user.
    let program = folder.join("miyu");
    if !program.exists() {
        // By a process of its own: one that another thread starts would inherit the open copy, and a file that
        // is open for writing cannot be run.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_miyu")).arg(&program);
        assert!(copy.status().unwrap().success());
        let readable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder, readable).unwrap();
    }
    let mut command = Command::new(program);
    command.arg("check-config").current_dir(folder).env_clear();
    if rustix::process::getuid().is_root() {
        command.uid(10_001).gid(10_001);
    }
    command.output().unwrap()
}

#[test]
fn a_configuration_that_may_not_be_looked_at_is_no_absent_one() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let file = config.join("miyu.toml");
    let close = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let absent = check_as_another(folder.path());
    assert_eq!(absent.status.code(), Some(0), "{}", text(&absent.stderr));
    std::fs::create_dir(&config).unwrap();
    std::fs::write(&file, "\u{feff}[site]\nname = \"Lantern\"\n").unwrap();
    close(&config, 0o755);
    close(&file, 0o644);
    let read = check_as_another(folder.path());
    assert!(
        text(&read.stdout).contains("Lantern"),
        "{}",
        text(&read.stderr)
    );
    let root = rustix::process::getuid().is_root();
    for (path, open, shut) in [(&config, 0o755, 0o700), (&file, 0o644, 0o600)] {
        close(path, if root { shut } else { 0 });
        let refused = check_as_another(folder.path());
        let why = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{why}");
        assert!(why.contains("may not be read by the user"), "{why}");
        close(path, open);
    }
    std::fs::remove_file(&file).unwrap();
    for link in [&file, &config] {
        symlink(folder.path().join("nowhere"), link).unwrap();
        let refused = check_as_another(folder.path());
        let why = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{why}");
        std::fs::remove_file(link).unwrap();
        if link == &file {
            std::fs::remove_dir(&config).unwrap();
        }
    }
}

#[test]
fn what_is_not_utf_8_is_refused_rather_than_taken_for_something_else() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let latin = OsStr::from_bytes(b"caf\xe9");
    let mut named = miyu(folder.path(), &["check-config"]);
    let named = named.env("MIYU_SITE__NAME", latin).output().unwrap();
    assert_eq!(named.status.code(), Some(2));
    assert!(
        text(&named.stderr).contains("MIYU_SITE__NAME"),
        "{}",
        text(&named.stderr)
    );
    let mut placed = miyu(folder.path(), &["check-config", "--data-dir"]);
    let placed = placed.arg(latin).output().unwrap();
    assert_eq!(placed.status.code(), Some(2));
    assert!(
        text(&placed.stderr).contains("UTF-8"),
        "{}",
        text(&placed.stderr)
    );
    // Where it was started does not matter.
    let home = folder.path().join(latin);
    std::fs::create_dir(&home).unwrap();
    let mut serving = Serving::start_in(&home, &["--data-dir", "data"]);
    assert!(home.join("data/miyu.db").exists());
    serving.signal(Signal::TERM);
    assert_eq!(serving.wait(), Some(0));
}

#[test]
fn a_busy_port_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = output(&["--listen", &address]);
    assert_eq!(refused.status.code(), Some(3));
    let why = text(&refused.stderr);
    assert!(why.contains("another program uses this port"), "{why}");
    assert!(why.contains("--listen"), "{why}");
}

#[test]
fn one_process_a_database_and_both_signals_end_it_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut serving = Serving::start(&["--data-dir", "data"]);
        let operators = serving.operators.unwrap().to_string();
        let folder = serving.folder.path().to_owned();
        let healthcheck = || {
            let mut asked = miyu(&folder, &["healthcheck"]);
            asked.env("MIYU_SERVER__OPERATOR_LISTEN", &operators);
            asked.output().unwrap()
        };
        let again = ["--listen", "127.0.0.1:0", "--data-dir", "data"];
        let second = miyu(serving.folder.path(), &again).output().unwrap();
        assert_eq!(second.status.code(), Some(4), "{}", text(&second.stderr));
        let healthy = healthcheck();
        assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));
        serving.signal(signal);
        assert_eq!(serving.wait(), Some(0));
        let gone = healthcheck();
        assert_eq!(gone.status.code(), Some(1));
    }
}

#[test]
fn the_health_check_finds_a_server_on_an_address_of_its_own() {
    for host in ["127.0.0.2", "::1", "127.0.0.3"] {
        // Its neighbour is where operators ask.
        let host: IpAddr = host.parse().unwrap();
        let listen = SocketAddr::new(host, free_port_of(host)).to_string();
        let serving = Serving::start_at(&listen, &[]);
        assert!(serving.operators.is_some(), "{:?}", serving.before);
        let ask = |folder: &Path| {
            let mut asked = miyu(folder, &["healthcheck"]);
            asked.env("MIYU_SERVER__LISTEN", &listen).output().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let healthy = ask(folder.path());
        assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));
        drop(serving);
        assert_eq!(ask(folder.path()).status.code(), Some(1), "{host}");
    }
}

#[test]
fn a_neighbour_on_the_operators_port_is_a_notice_and_on_a_chosen_one_an_end() {
    let site = free_address();
    let taken = SocketAddr::new(site.ip(), site.port() + 1);
    let _neighbour = TcpListener::bind(taken).unwrap();
    let mut serving = Serving::start_at(&site.to_string(), &[]);
    assert_eq!(serving.operators, None);
    let told = serving.before.join("\n");
    assert!(
        told.contains("/readyz and /metrics are served nowhere"),
        "{told}"
    );
    assert!(told.contains("server.operator_listen"), "{told}");
    serving.signal(Signal::TERM);
    assert_eq!(serving.wait(), Some(0));

    let folder = tempfile::tempdir().unwrap();
    let mut chosen = miyu(folder.path(), &["--listen", "127.0.0.1:0"]);
    let refused = chosen.env("MIYU_SERVER__OPERATOR_LISTEN", taken.to_string());
    let refused = refused.output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
}

#[test]
fn the_table_of_descriptors_is_made_before_anybody_comes() {
    let serving = Serving::start(&[]);
    let process = format!("/proc/{}", serving.child.id());
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
    let size = status.lines().find_map(|it| it.strip_prefix("FDSize:"));
    let size: u64 = size.unwrap().trim().parse().unwrap();
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    assert!(size >= limit.min(65_536), "{size} of {limit}");
    // Made, and not used.
    let open = std::fs::read_dir(format!("{process}/fd")).unwrap().count();
    assert!(open < 128, "{open}");
}

#[test]
fn a_second_signal_leaves_at_once() {
    use std::net::TcpStream;
    let mut serving = Serving::start(&[]);
    // A request that never ends holds the drain up.
    let mut held = TcpStream::connect(serving.address).unwrap();
    std::io::Write::write_all(&mut held, b"GET / HTTP/1.1\r\n").unwrap();
    serving.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(200));
    if serving.child.try_wait().unwrap().is_none() {
        serving.signal(Signal::TERM);
        assert_eq!(serving.wait(), Some(130));
    }
    let mut rest = Vec::new();
    let _ = held.read_to_end(&mut rest);
}

#[test]
fn damaged_data_is_refused_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(
        folder.path().join("data/miyu.db"),
        "this is no database".repeat(100),
    )
    .unwrap();
    let refused = miyu(folder.path(), &["--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        text(&refused.stderr).contains("miyu.db"),
        "{}",
        text(&refused.stderr)
    );
}
