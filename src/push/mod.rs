//! Calling a person whose page is closed, by their browser's push service (RFC 8030, 8291, 8292). The only
//! room from which anything is sent out on its own account.
//!
//! A call says one of three things and nothing else: no text, no name, no room. When to call is the
//! business of the features.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub mod client;
pub mod endpoint;
pub mod payload;
pub mod queue;
pub mod recipient;
pub mod vapid;

/// The encoding of all that travels in headers and in a browser's subscription.
fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
