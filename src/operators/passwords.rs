//! Passwords as argon2id hashes: made and compared by few threads, since each takes 19 MiB and a good part of a tenth
//! of a second. Which password fits is said here, too.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// What one takes, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// How often the memory is gone through.
const PASSES: u32 = 2;
/// Hashes that are made at once.
const AT_ONCE: usize = 2;
/// Those that wait for it; one more is refused.
const WAITING: usize = 32;
/// Shortest password, in characters.
pub const SHORTEST: usize = 12;
/// Longest one.
pub const LONGEST: usize = 256;

/// Of no password: what a name that is unknown is compared with, so that it takes as long as one that is known.
const OF_NO_PASSWORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$bWl5dSBubyBwYXNzd29yZA$\
    R0q2nDgB0xZl9bC6yT1mVfEo8sWkJpHuAaQ3L5cNd7I";

/// A password as it was typed, in the one form that all ways of typing it lead to.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// What was typed.
    pub fn typed(text: &str) -> Self {
        Self(text.nfkc().collect())
    }

    /// One that is to be: long enough, and not the name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn chosen(text: &str, name: &str) -> Result<Self, UnfitPassword> {
        let password = Self::typed(text);
        let chars = password.0.chars().count();
        let folded = password.0.to_lowercase();
        let name = name.to_lowercase();
        let first = folded.chars().next();
        if chars < SHORTEST {
            Err(UnfitPassword::Short)
        } else if chars > LONGEST {
            Err(UnfitPassword::Long)
        } else if folded.chars().all(|it| Some(it) == first)
            || folded.replace(&name, "").chars().count() < SHORTEST / 2
        {
            Err(UnfitPassword::Guessable)
        } else {
            Ok(password)
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password may not be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitPassword {
    /// Too short.
    #[error("a password has at least 12 characters")]
    Short,
    /// Too long.
    #[error("a password has at most 256 characters")]
    Long,
    /// The name, or one character again and again.
    #[error(
        "this password is too easy to guess: it is little more than the name, or one character"
    )]
    Guessable,
}

/// So many passwords wait to be compared that this one is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many log-ins at once; try again in a few seconds")]
pub struct TooBusy;

/// The threads that hash.
pub struct Passwords {
    waiting: Semaphore,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            waiting: Semaphore::new(WAITING),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// The hash to be kept, with its parameters.
    ///
    /// # Errors
    /// Too many wait.
    pub async fn hash(&self, password: Password) -> Result<String, TooBusy> {
        self.work(move || hash(&password)).await
    }

    /// Whether it is the password of this hash. Without a hash it is not, and that takes as long.
    ///
    /// # Errors
    /// Too many wait.
    pub async fn matches(&self, password: Password, kept: Option<String>) -> Result<bool, TooBusy> {
        self.work(move || matches(&password, kept.as_deref())).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TooBusy> {
        let waits = self.waiting.try_acquire().map_err(|_| TooBusy)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.expect("never closed");
        drop(waits);
        // The place is the thread's: a client that goes away frees none before the work is done.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        Ok(done.await.expect("hashing does not panic"))
    }
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("parameters within bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &Password) -> String {
    let salt: [u8; 16] = rand::random();
    let hash = argon().hash_password_with_salt(password.0.as_bytes(), &salt);
    hash.expect("a salt of 16 bytes").to_string()
}

fn matches(password: &Password, kept: Option<&str>) -> bool {
    let hash = kept.unwrap_or(OF_NO_PASSWORD);
    let right = argon().verify_password(password.0.as_bytes(), hash).is_ok();
    right && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_says_how_it_was_made_and_matches_one_password() {
        let kept = hash(&Password::typed("correct horse battery"));
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert_ne!(kept, hash(&Password::typed("correct horse battery")));
        assert!(matches(
            &Password::typed("correct horse battery"),
            Some(&kept)
        ));
        for wrong in ["correct horse batterY", "", "correct horse battery "] {
            assert!(!matches(&Password::typed(wrong), Some(&kept)), "{wrong}");
        }
        assert!(!matches(&Password::typed("x"), Some("not a hash")));
    }

    #[test]
    fn the_hash_of_no_password_is_made_like_the_others() {
        let of = |text: &str| {
            text.rsplit_once('$')
                .unwrap()
                .0
                .rsplit_once('$')
                .unwrap()
                .0
                .to_owned()
        };
        assert_eq!(of(OF_NO_PASSWORD), of(&hash(&Password::typed("x"))));
        // It is read and gone through: else an unknown name would be told at once.
        let parsed = argon2::password_hash::phc::PasswordHash::new(OF_NO_PASSWORD).unwrap();
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), 32);
        assert!(!matches(&Password::typed("x"), None));
    }

    #[test]
    fn one_password_may_be_typed_in_several_ways() {
        let kept = hash(&Password::typed("ｐａｓｓwordか\u{3099}"));
        assert!(matches(&Password::typed("passwordが"), Some(&kept)));
    }

    #[test]
    fn what_is_easily_guessed_is_not_taken() {
        let why = |text: &str| Password::chosen(text, "Mei Lin").err();
        assert_eq!(why("elevenchars"), Some(UnfitPassword::Short));
        assert_eq!(why(&"語".repeat(LONGEST + 1)), Some(UnfitPassword::Long));
        assert_eq!(why("aaaaaaaaaaaaAAAA"), Some(UnfitPassword::Guessable));
        assert_eq!(why("mei linMEI LIN12"), Some(UnfitPassword::Guessable));
        assert_eq!(why("twelve chars"), None);
        assert_eq!(why("妳好妳好朋友朋友山川草木"), None);
    }

    #[tokio::test]
    async fn few_at_once_and_few_that_wait() {
        let passwords = Arc::new(Passwords::default());
        let tries: Vec<_> = (0..WAITING + AT_ONCE + 8)
            .map(|_| passwords.matches(Password::typed("x"), None))
            .collect();
        let mut pending = futures_util::stream::FuturesUnordered::new();
        pending.extend(tries);
        let mut busy = 0;
        while let Some(done) = futures_util::StreamExt::next(&mut pending).await {
            busy += usize::from(done == Err(TooBusy));
        }
        assert!((1..=8 + AT_ONCE).contains(&busy), "{busy} were refused");
    }
}
