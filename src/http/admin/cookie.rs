//! The cookie of an operator's session: a secret, until the browser is closed.

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue};

use crate::identity::jar::Jar;
use crate::operators::Secret;

/// Most cookies of its name that are looked up: over plain http another port of this host can plant some.
const LOOKED_UP: usize = 4;

/// The secrets that a request's cookies carry.
pub(super) fn read(headers: &HeaderMap, jar: Jar) -> Vec<Secret> {
    let own = jar.operator_name();
    let cookies = headers.get_all(COOKIE).iter();
    let pairs = cookies.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    let secrets = pairs.filter_map(|(name, value)| (name == own).then(|| Secret::parse(value))?);
    secrets.take(LOOKED_UP).collect()
}

/// The `Set-Cookie` that logs a browser in, or out again.
pub(super) fn written(secret: Option<&Secret>, jar: Jar) -> HeaderValue {
    let value = secret.map(Secret::written).unwrap_or_default();
    let age = if secret.is_none() { "; Max-Age=0" } else { "" };
    let secure = if jar.is_https() { "; Secure" } else { "" };
    let name = jar.operator_name();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}");
    HeaderValue::from_str(&text).expect("base64 and names are header characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_beside_any_others() {
        let (jar, secret) = (Jar::of(false, Some("localhost:8000")), Secret::fresh());
        let set = written(Some(&secret), jar);
        let set = set.to_str().unwrap();
        assert!(
            set.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
            "{set}"
        );
        let pair = set.split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        let all = format!("miyu_admin_8000=planted; miyu_admin=x; {pair}; other=1");
        headers.append(COOKIE, HeaderValue::from_str(&all).unwrap());
        assert_eq!(read(&headers, jar), [secret]);
        assert_eq!(read(&headers, Jar::of(true, Some("localhost:8000"))), []);
        let https = Jar::of(true, Some("chat.example"));
        let gone = written(None, https);
        assert_eq!(
            gone.to_str().unwrap(),
            "__Host-miyu_admin=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure"
        );
    }
}
