//! The configuration for several nodes that we ship: understood as it is, and nothing in it is a
//! default said again.

use std::process::Command;

use tempfile::TempDir;

use crate::support::scene::MIYU;

const CLUSTER: &str = include_str!("../../config/cluster.toml");

/// Every key that it sets.
const KEYS: [&str; 4] = [
    "store.url",
    "store.password_file",
    "channel.url",
    "channel.password_file",
];

#[test]
fn the_file_for_several_nodes_is_understood_and_all_of_it_differs() {
    let home = TempDir::new().unwrap();
    let mut text = CLUSTER.to_owned();
    for name in ["postgres-password", "redis-password"] {
        let file = home.path().join(name);
        std::fs::write(&file, "a word for this test\n").unwrap();
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
    assert!(!said.contains("a word for this test"), "{said}");

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
