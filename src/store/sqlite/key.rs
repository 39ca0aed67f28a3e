//! The generated session key: a file beside the database, so that a backup of the database alone
//! forges no cookie.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::keyfile;
use crate::store::StoreError;

const BYTES: usize = 32;

/// Reads the key, or makes it. Only the process that holds the store's lock calls this.
pub(super) fn read_or_make(path: &Path) -> Result<[u8; BYTES], StoreError> {
    match keyfile::read(path) {
        Ok(text) => parse(text.trim()).ok_or_else(|| {
            let what = format!("{} does not hold 64 hexadecimal digits", path.display());
            StoreError::Corrupt(what.into())
        }),
        Err(error) if error.is_missing() => {
            let key: [u8; BYTES] = rand::random();
            let written = write(path, &key);
            written.map_err(|error| trouble(format!("{}: {error}", path.display())))?;
            Ok(key)
        }
        Err(error) => Err(trouble(error.to_string())),
    }
}

fn trouble(why: String) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// All or nothing: written beside, synced, then renamed.
fn write(path: &Path, key: &[u8; BYTES]) -> std::io::Result<()> {
    let beside = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside)?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Option<[u8; BYTES]> {
    let mut key = [0; BYTES];
    if text.len() != 2 * BYTES || !text.is_ascii() {
        return None;
    }
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}
