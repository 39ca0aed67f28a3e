//! What a release is made with is named by what it is: actions by their commit, images by their digest,
//! tools by the hashes of their files. A tag can be given to something else.

use std::path::PathBuf;

fn file(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn actions_are_named_by_their_commit() {
    let workflows = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let mut used = 0;
    for entry in std::fs::read_dir(workflows).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| line.contains("uses:")) {
            let (_, named) = line
                .split_once('@')
                .unwrap_or_else(|| panic!("no version: {line}"));
            let (commit, version) = named.split_once(" # ").unwrap_or((named, ""));
            assert!(is_hex(commit, 40), "{line}");
            assert!(
                version.starts_with('v'),
                "say which version that is: {line}"
            );
            used += 1;
        }
        assert!(
            text.contains("\npermissions: {}\n"),
            "each job says what it may"
        );
    }
    assert!(used > 5);
}

#[test]
fn images_are_named_by_their_digest() {
    let mut named = 0;
    for path in [
        "Dockerfile",
        "docker-compose.yml",
        "docker-compose.cluster.yml",
    ] {
        for line in file(path).lines().map(str::trim_start) {
            let image = match line
                .split_once("_IMAGE:-")
                .or_else(|| line.split_once("_IMAGE="))
            {
                // Our own is built here.
                Some((before, image)) if !before.ends_with("MIYU") => image.trim_end_matches('}'),
                _ => continue,
            };
            let digest = image
                .split_once("@sha256:")
                .map_or("", |(_, digest)| digest);
            assert!(is_hex(digest, 64), "{path}: {line}");
            named += 1;
        }
    }
    assert!(named > 8, "{named}");
}

#[test]
fn tools_are_named_by_the_hashes_of_their_files() {
    let tools = file("scripts/lib/release-tools.txt");
    let tools = tools.replace("\\\n", " ");
    let lines = tools.lines().filter(|line| !line.starts_with('#'));
    for line in lines.clone() {
        let hashes: Vec<_> = line
            .split("--hash=sha256:")
            .skip(1)
            .map(str::trim)
            .collect();
        assert!(
            line.contains("==") && hashes.len() == 2,
            "one for each processor: {line}"
        );
        assert!(hashes.iter().all(|hash| is_hex(hash, 64)), "{line}");
    }
    assert_eq!(lines.count(), 2);
    assert!(file("scripts/release").contains("--require-hashes"));
}

#[test]
fn a_release_asks_for_advisories_and_says_where_it_was_built() {
    let workflow = file(".github/workflows/release.yml");
    assert!(workflow.contains("cargo deny --all-features check advisories"));
    let publish = &workflow[workflow.find("\n  publish:").unwrap()..];
    assert!(
        publish.contains("advisories"),
        "nothing is published without them"
    );
    assert_eq!(
        publish.matches("attest-build-provenance@").count(),
        2,
        "files and image"
    );
}
