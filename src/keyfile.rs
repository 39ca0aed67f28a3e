//! Files that hold a key or a password: read only while their owner alone may. Knows nothing of
//! what is in them.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Longer than any key or password; a path may be mistaken for another.
const MOST_BYTES: u64 = 64 * 1024;
/// What group and others may do.
const ANYONE_ELSE: u32 = 0o077;
/// What others may do.
const OTHERS: u32 = 0o007;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there, not ours, not text, or too long.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// More than its owner may read or change it.
    #[error(
        "{path} may be read or changed by others than its owner (mode {mode:04o}): run `chmod 600 {path}`; \
         a secret that is mounted needs mode 0400 and the owner {user}",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Who this process is.
        user: u32,
    },
}

impl KeyFileError {
    /// There is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound)
    }
}

/// The text of a file that only its owner may read and change. What systemd hands over
/// (`LoadCredential=`) may have group bits: there they are the mask of an access list, and the folder
/// keeps other users out.
///
/// # Errors
/// It cannot be read, or others could.
pub fn read(path: &Path) -> Result<String, KeyFileError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let forbidden = match credentials {
        Some(folder) if folder.is_absolute() && path.parent() == Some(&folder) => OTHERS,
        _ => ANYONE_ELSE,
    };
    read_unless(path, forbidden)
}

/// Looks at the open file, so that what is read is what was looked at.
fn read_unless(path: &Path, forbidden: u32) -> Result<String, KeyFileError> {
    let unreadable = |error| KeyFileError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
            mode,
            user: rustix::process::geteuid().as_raw(),
        });
    }
    let mut text = String::new();
    let mut first = file.by_ref().take(MOST_BYTES + 1);
    first.read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MOST_BYTES {
        let error = std::io::Error::other("it is longer than a key or a password");
        return Err(unreadable(error));
    }
    // Editors of another system begin a text with an invisible mark (U+FEFF) that is no part of it.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_group_and_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "a word").unwrap();
        let mode =
            |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for fine in [0o600, 0o400, 0o700] {
            mode(fine);
            assert_eq!(read(&path).unwrap(), "a word");
        }
        for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001, 0o044] {
            mode(0o600 | bit);
            let refused = read(&path).unwrap_err().to_string();
            let advice = format!("chmod 600 {}", path.display());
            assert!(refused.contains(&advice), "{refused}");
            assert!(
                refused.contains(&format!("mode {:04o}", 0o600 | bit)),
                "{refused}"
            );
        }
        // A link is as exposed as what it points to.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(read(&link).is_err());
        mode(0o600);
        assert!(read(&link).is_ok());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "\u{feff}a word\r\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&path).unwrap(), "a word\r\n");
    }

    #[test]
    fn what_systemd_hands_over_may_have_the_mask_of_an_access_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "a word").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(read_unless(&path, OTHERS).is_ok());
        assert!(read_unless(&path, ANYONE_ELSE).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
        assert!(read_unless(&path, OTHERS).is_err());
    }

    #[test]
    fn what_is_missing_or_endless_is_told() {
        let missing = read(Path::new("/nowhere/key")).unwrap_err();
        assert!(missing.is_missing(), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "x".repeat(usize::try_from(MOST_BYTES).unwrap() + 1)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let long = read(&path).unwrap_err();
        assert!(
            !long.is_missing() && long.to_string().contains("longer"),
            "{long}"
        );
    }
}
