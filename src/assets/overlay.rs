//! Reading a folder that an operator laid over the embedded files. Bounded, and it never leaves the
//! folder: symbolic links are not followed, so nothing outside can be served by accident.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

/// Most files of a folder.
const FILES: usize = 2_000;
/// Largest file.
const FILE_BYTES: u64 = 8 * 1024 * 1024;
/// All files together.
const TOTAL_BYTES: u64 = 64 * 1024 * 1024;
/// Deepest nesting.
const DEPTH: usize = 8;

/// Every regular file below `dir`, by its path with `/` between the parts. Hidden files, links and
/// anything that is no file are left out.
pub fn read(dir: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut total = 0;
    walk(dir, &mut |name, path, meta| {
        total += meta.len();
        if meta.len() > FILE_BYTES || total > TOTAL_BYTES || files.len() >= FILES {
            return Err(io::Error::other(format!(
                "{} is too much: at most {FILES} files, {} MiB each, {} MiB altogether",
                path.display(),
                FILE_BYTES >> 20,
                TOTAL_BYTES >> 20
            )));
        }
        files.push((name, unmarked(fs::read(path)?)));
        Ok(())
    })?;
    Ok(files)
}

/// Editors of another system begin a text with an invisible mark (U+FEFF) that is no part of it.
fn unmarked(mut bytes: Vec<u8>) -> Vec<u8> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    bytes
}

/// A number that changes when a file below `dir` is added, removed, resized or written.
pub fn fingerprint(dir: &Path) -> u64 {
    let mut print = 0_u64;
    let mut count = 0;
    let walked = walk(dir, &mut |name, _, meta| {
        let mut hasher = DefaultHasher::new();
        (name, meta.len(), meta.modified().ok()).hash(&mut hasher);
        // Added up, because folders are listed in no particular order.
        print = print.wrapping_add(hasher.finish());
        count += 1;
        if count > FILES {
            return Err(io::Error::other("too many files"));
        }
        Ok(())
    });
    print ^ u64::from(walked.is_err())
}

type Visit<'a> = &'a mut dyn FnMut(String, &Path, &fs::Metadata) -> io::Result<()>;

fn walk(dir: &Path, visit: Visit<'_>) -> io::Result<()> {
    walk_below(dir, "", DEPTH, visit)
}

fn walk_below(dir: &Path, prefix: &str, depth: usize, visit: Visit<'_>) -> io::Result<()> {
    let entries = fs::read_dir(dir)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", dir.display())))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        // Of the entry itself, not of what a link points to.
        let meta = fs::symlink_metadata(entry.path())?;
        let name = format!("{prefix}{name}");
        if meta.is_file() {
            visit(name, &entry.path(), &meta)?;
        } else if meta.is_dir() && depth > 0 {
            walk_below(&entry.path(), &format!("{name}/"), depth - 1, visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_hidden_files_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::create_dir(dir.path().join("css")).unwrap();
        fs::write(dir.path().join("css/a.css"), "a{}").unwrap();
        fs::write(dir.path().join(".secret"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("leak.txt")).unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("etc")).unwrap();
        let files = read(dir.path()).unwrap();
        assert_eq!(files, [("css/a.css".to_owned(), b"a{}".to_vec())]);
    }

    #[test]
    fn the_mark_of_another_system_is_no_part_of_a_text() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("en.json"), "\u{feff}{}").unwrap();
        let files = read(dir.path()).unwrap();
        assert_eq!(files, [("en.json".to_owned(), b"{}".to_vec())]);
    }

    #[test]
    fn an_edit_changes_the_fingerprint() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.css"), "a{}").unwrap();
        let before = fingerprint(dir.path());
        assert_eq!(before, fingerprint(dir.path()));
        fs::write(dir.path().join("a.css"), "a{color:red}").unwrap();
        assert_ne!(before, fingerprint(dir.path()));
    }
}
