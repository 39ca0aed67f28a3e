//! The configuration for several nodes that we ship: understood as it is, and nothing in it is a
//! default said again.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use tempfile::TempDir;

use crate::support::scene::MIYU;

const CLUSTER: &str = include_str!("../../config/cluster.toml");

/// Every key that it sets.
const KEYS: [&str; 5] = [
    "store.url",
    "store.password_file",
    "channel.url",
    "channel.password_file",
    "session.key_file",
];

#[test]
fn the_file_for_several_nodes_is_understood_and_all_of_it_differs() {
    let home = TempDir::new().unwrap();
    let mut text = CLUSTER.to_owned();
    let key = "5c0de1f2a3b49788".repeat(3) + "0123456789abcdee";
    for (name, secret) in [
        ("postgres-password", "a word for this test"),
        ("redis-password", "a word for this test"),
        ("session-key", &key),
    ] {
        let file = home.path().join(name);
        std::fs::write(&file, secret).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let shipped = format!("\"/secrets/{name}\"");
        assert!(text.contains(&shipped), "{shipped}");
        text = text.replace(&shipped, &format!("\"{}\"", file.display()));
    }
    let file = home.path().join("cluster.toml");
    std::fs::write(&file, text).unwrap();
    let checked = Command::new(MIYU)
        .args(["check-config", "--config"])
        .arg(&file)
        .current_dir(home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{errors}");
    assert!(
        !said.contains("a word for this test") && !said.contains(&key),
        "{said}"
    );

    let mut section = "";
    let mut set = Vec::new();
    for line in said.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if line.contains("cluster.toml") {
            let key = line.split(" = ").next().unwrap();
            set.push(format!("{section}.{key}"));
        }
    }
    assert_eq!(set, KEYS);
}
