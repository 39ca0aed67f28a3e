//! The session cookie: 16 random bytes that name a browser, when they were signed, when the session
//! began, a signature. Nothing about it is stored on the server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue};

use super::{MAC_BYTES, Signer, sign, verify};
use crate::id::{SessionId, Timestamp};

/// The cookie's name over plain http.
pub const NAME: &str = "miyu_session";
/// Its name over https: a browser accepts this prefix only with Secure, from us, for the whole site.
pub const SECURE_NAME: &str = "__Host-miyu_session";

/// A cookie older than this is signed anew when it is seen, so that a browser in use stays known.
const RENEW_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A signature may be this far in the future: clocks of nodes differ.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);

const BODY_BYTES: usize = 16 + 8 + 8;
/// Of cookies that do not say when their session began: it counts from when they are seen.
const OLD_BODY_BYTES: usize = 16 + 8;
/// How long a cookie of ours is, in characters: with the beginning of its session, or without.
const VALUE_CHARS: [usize; 2] = [chars(BODY_BYTES), chars(OLD_BODY_BYTES)];

const fn chars(body: usize) -> usize {
    ((body + MAC_BYTES) * 8).div_ceil(6)
}

/// A cookie that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose it is.
    pub session: SessionId,
    /// When the session began: kept through every renewal, which ends after `session.longest`.
    pub born: Timestamp,
    /// It is worth setting again.
    pub needs_renewal: bool,
    /// When it is honoured no more.
    pub until: Timestamp,
}

/// The request's valid session cookie, if it has one: the first that we signed. All are looked at, for
/// others may stand before it (planted by another site of this host, left by another key), beside bytes
/// that are not ASCII. A request head has room for fewer than two hundred.
pub fn read(signer: &Signer, headers: &HeaderMap, https: bool) -> Option<Seen> {
    read_at(signer, headers, https, Timestamp::now())
}

/// [`read`] at a given time.
pub fn read_at(signer: &Signer, headers: &HeaderMap, https: bool, now: Timestamp) -> Option<Seen> {
    let wanted = name(https);
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .filter(|(name, value)| *name == wanted && VALUE_CHARS.contains(&value.len()))
        .find_map(|(_, value)| open(signer, value, now))
}

/// The `Set-Cookie` that makes a browser be this session, which began then, from now on.
pub fn set_cookie(
    signer: &Signer,
    session: SessionId,
    born: Timestamp,
    https: bool,
) -> HeaderValue {
    set_cookie_at(signer, session, born, https, Timestamp::now())
}

/// [`set_cookie`] at a given time.
pub fn set_cookie_at(
    signer: &Signer,
    session: SessionId,
    born: Timestamp,
    https: bool,
    now: Timestamp,
) -> HeaderValue {
    let left = signer.longest().saturating_sub(now.since(born));
    let value = seal(signer, session, born, now);
    written(&value, https, signer.lifetime().min(left))
}

/// The `Set-Cookie` that takes it away.
pub fn expired(https: bool) -> HeaderValue {
    written("", https, Duration::ZERO)
}

/// When a cookie that is signed then is honoured no more, for a session that began at `born`.
pub fn until(signer: &Signer, born: Timestamp, issued: Timestamp) -> Timestamp {
    issued
        .plus(signer.lifetime())
        .min(born.plus(signer.longest()))
}

fn written(value: &str, https: bool, age: Duration) -> HeaderValue {
    let text = format!(
        "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}",
        name(https),
        age.as_secs(),
        if https { "; Secure" } else { "" },
    );
    HeaderValue::from_str(&text).expect("base64 and digits are header characters")
}

fn name(https: bool) -> &'static str {
    if https { SECURE_NAME } else { NAME }
}

fn seal(signer: &Signer, session: SessionId, born: Timestamp, now: Timestamp) -> String {
    let mut bytes = Vec::with_capacity(BODY_BYTES + MAC_BYTES);
    bytes.extend_from_slice(&session.0);
    for moment in [now, born] {
        bytes.extend_from_slice(&(moment.0 / 1000).to_be_bytes());
    }
    let signature = sign(&signer.cookie, &bytes);
    bytes.extend_from_slice(&signature);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open(signer: &Signer, value: &str, now: Timestamp) -> Option<Seen> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    let length = bytes.len().checked_sub(MAC_BYTES)?;
    if ![BODY_BYTES, OLD_BODY_BYTES].contains(&length) {
        return None;
    }
    let (body, signature) = bytes.split_at(length);
    if !verify(&signer.cookie, body, signature) {
        return None;
    }
    let session = SessionId(body[..16].try_into().ok()?);
    let issued = moment(body, 16)?;
    let born = moment(body, 24);
    let age = now.since(issued);
    let over = born.is_some_and(|born| now.since(born) > signer.longest());
    if age > signer.lifetime() || over || issued.since(now) > CLOCK_SKEW {
        return None;
    }
    Some(Seen {
        session,
        born: born.unwrap_or(now),
        needs_renewal: born.is_none() || age > RENEW_AFTER.min(signer.lifetime() / 2),
        until: until(signer, born.unwrap_or(now), issued),
    })
}

/// The moment that stands there, in seconds.
fn moment(body: &[u8], at: usize) -> Option<Timestamp> {
    let seconds = i64::from_be_bytes(body.get(at..at + 8)?.try_into().ok()?);
    Some(Timestamp(seconds.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn signer() -> Signer {
        Signer::new(&[7; 32], 30 * DAY)
    }

    /// What a browser sends back after this `Set-Cookie`, with others around it.
    fn echo(set: &HeaderValue) -> HeaderMap {
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        let text = format!("theme=dark; {pair}; x=\"y\"");
        headers.insert(COOKIE, HeaderValue::from_str(&text).unwrap());
        headers
    }

    #[test]
    fn a_cookie_comes_back() {
        let (signer, session) = (signer(), SessionId::fresh());
        for https in [false, true] {
            let headers = echo(&set_cookie_at(&signer, session, NOW, https, NOW));
            let seen = read_at(&signer, &headers, https, NOW.plus(DAY / 2)).unwrap();
            assert_eq!(seen.session, session);
            assert!(!seen.needs_renewal);
            assert_eq!(read_at(&signer, &headers, !https, NOW), None, "other name");
        }
    }

    #[test]
    fn old_ones_are_renewed_then_refused() {
        let (signer, session) = (signer(), SessionId::fresh());
        let headers = echo(&set_cookie_at(&signer, session, NOW, false, NOW));
        let later = read_at(&signer, &headers, false, NOW.plus(2 * DAY)).unwrap();
        assert!(later.needs_renewal);
        assert_eq!(read_at(&signer, &headers, false, NOW.plus(31 * DAY)), None);
        assert_eq!(read_at(&signer, &headers, false, NOW.minus(DAY)), None);
    }

    #[test]
    fn a_session_ends_however_often_it_is_renewed() {
        let (signer, session) = (signer().ending(90 * DAY), SessionId::fresh());
        let mut headers = echo(&set_cookie_at(&signer, session, NOW, false, NOW));
        for days in (10..=90).step_by(10) {
            let now = NOW.plus(days * DAY);
            let seen = read_at(&signer, &headers, false, now).unwrap();
            assert_eq!((seen.session, seen.born), (session, NOW), "day {days}");
            let set = set_cookie_at(&signer, session, seen.born, false, now);
            let age = Duration::from_secs(24 * 3600 * u64::from(90 - days)).min(30 * DAY);
            let told = format!("Max-Age={};", age.as_secs());
            assert!(set.to_str().unwrap().contains(&told), "day {days}");
            headers = echo(&set);
        }
        let over = NOW.plus(90 * DAY).plus(DAY);
        assert_eq!(read_at(&signer, &headers, false, over), None);
    }

    #[test]
    fn a_cookie_that_does_not_say_when_it_began_begins_when_it_is_seen() {
        let (signer, session) = (signer(), SessionId::fresh());
        let mut bytes = session.0.to_vec();
        bytes.extend((NOW.0 / 1000).to_be_bytes());
        let signature = sign(&signer.cookie, &bytes);
        bytes.extend(signature);
        let value = URL_SAFE_NO_PAD.encode(bytes);
        let now = NOW.plus(DAY / 2);
        let seen = open(&signer, &value, now).unwrap();
        assert_eq!((seen.session, seen.born), (session, now));
        assert!(seen.needs_renewal, "so that it says so from now on");
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let signer = signer();
        let value = seal(&signer, SessionId::fresh(), NOW, NOW);
        for at in 0..value.len() {
            let mut bytes = value.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(open(&signer, &changed, NOW), None, "character {at}");
        }
        let other = Signer::new(&[8; 32], 30 * DAY);
        assert_eq!(open(&other, &value, NOW), None, "another key");
    }

    #[test]
    fn none_is_hidden_by_those_before_it() {
        let (signer, session) = (signer(), SessionId::fresh());
        let other = Signer::new(&[8; 32], 30 * DAY);
        let forged = |_| format!("{NAME}={}; ", seal(&other, SessionId::fresh(), NOW, NOW));
        let planted: String = (0..150).map(forged).collect();
        let own = format!("{NAME}={}", seal(&signer, session, NOW, NOW));
        let mut headers = HeaderMap::new();
        for line in ["theme=夜; x=\"", planted.as_str(), "名=值; a", &own] {
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        assert_eq!(
            read_at(&signer, &headers, false, NOW).unwrap().session,
            session
        );
        let beside = format!("名=值; {own}; 夜\u{301}=1");
        let mut raw = beside.into_bytes();
        raw.extend(b"; bad=\xff\xfe");
        headers.clear();
        headers.insert(COOKIE, HeaderValue::from_bytes(&raw).unwrap());
        assert_eq!(
            read_at(&signer, &headers, false, NOW).unwrap().session,
            session
        );
    }

    #[test]
    fn a_forged_one_before_the_true_one_does_not_hide_it() {
        let (signer, session) = (signer(), SessionId::fresh());
        let text = format!("{NAME}=AAAA; {NAME}={}", seal(&signer, session, NOW, NOW));
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&text).unwrap());
        let seen = read_at(&signer, &headers, false, NOW).unwrap();
        assert_eq!(seen.session, session);
    }
}
