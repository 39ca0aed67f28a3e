//! `[session]`.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

section! {
    /// Cookies and tokens.
    Session = "session" {
        /// Signs cookies and tokens: 64 hexadecimal digits (`openssl rand -hex 32`). Empty: a
        /// generated one is kept beside the data.
        key: Option<Secret<String>> = "";
        /// A file that holds the key instead. Only its owner may read it (mode 0600).
        key_file: Option<PathBuf> = "";
        /// How long an unused browser is remembered.
        lifetime: Duration = "30days" from "1s" to "400days";
        /// How long a browser stays the same one at most, however often it comes back: then it is a
        /// new one, without blocks and open rooms.
        longest: Duration = "90days" from "1s" to "4000days";
    }
}
