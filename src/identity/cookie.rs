//! The session cookie: 16 random bytes that name a browser, when they were signed, when the session
//! began, a signature. Nothing about it is stored on the server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue};

use crate::domain::id::{SessionId, Timestamp};
use crate::identity::jar::Jar;
use crate::identity::{MAC_BYTES, Signer, sign, verify};

/// A cookie older than this is signed anew when it is seen, so that a browser in use stays known.
const RENEW_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A signature is not renewed for being this far in the future: clocks of nodes differ.
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

/// The request's valid session cookie, if it has one: of those that we signed the one of this port, else
/// the first. All are looked at, for others may stand before it (planted by another site of this host,
/// left by another key), beside bytes that are not ASCII. A request head has room for fewer than two
/// hundred.
pub fn read(signer: &Signer, headers: &HeaderMap, jar: Jar) -> Option<Seen> {
    read_at(signer, headers, jar, crate::clock::now())
}

/// [`read`] at a given time.
pub fn read_at(signer: &Signer, headers: &HeaderMap, jar: Jar, now: Timestamp) -> Option<Seen> {
    let own = jar.name();
    let mut elsewhere = None;
    for (name, seen) in ours(signer, headers, jar, now) {
        if name == own {
            return Some(seen);
        }
        // By its own name it is found whatever the neighbours do.
        elsewhere = elsewhere.or(Some(Seen {
            needs_renewal: true,
            ..seen
        }));
    }
    elsewhere
}

/// The cookies of a request that we signed, with their names.
fn ours<'a>(
    signer: &'a Signer,
    headers: &'a HeaderMap,
    jar: Jar,
    now: Timestamp,
) -> impl Iterator<Item = (&'a str, Seen)> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='))
        .filter(move |(name, value)| jar.may_hold(name) && VALUE_CHARS.contains(&value.len()))
        .filter_map(move |(name, value)| Some((name, open(signer, value, now)?)))
}

/// The `Set-Cookie` that makes a browser be this session, which began then, from now on.
pub fn set_cookie(signer: &Signer, session: SessionId, born: Timestamp, jar: Jar) -> HeaderValue {
    set_cookie_at(signer, session, born, jar, crate::clock::now())
}

/// [`set_cookie`] at a given time.
pub fn set_cookie_at(
    signer: &Signer,
    session: SessionId,
    born: Timestamp,
    jar: Jar,
    now: Timestamp,
) -> HeaderValue {
    let left = signer.longest().saturating_sub(now.since(born));
    let value = seal(signer, session, born, now);
    written(&jar.name(), &value, jar, signer.lifetime().min(left))
}

/// The `Set-Cookie`s that take it away, by each name that it came under.
pub fn expired(signer: &Signer, headers: &HeaderMap, jar: Jar) -> Vec<HeaderValue> {
    let mut names = vec![jar.name()];
    for (name, _) in ours(signer, headers, jar, crate::clock::now()) {
        if names.iter().all(|other| other != name) {
            names.push(name.to_owned());
        }
    }
    let gone = names
        .iter()
        .map(|name| written(name, "", jar, Duration::ZERO));
    gone.collect()
}

/// When a cookie that is signed then is honoured no more, for a session that began at `born`.
pub fn until(signer: &Signer, born: Timestamp, issued: Timestamp) -> Timestamp {
    issued
        .plus(signer.lifetime())
        .min(born.plus(signer.longest()))
}

fn written(name: &str, value: &str, jar: Jar, age: Duration) -> HeaderValue {
    let text = format!(
        "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}",
        age.as_secs(),
        if jar.is_https() { "; Secure" } else { "" },
    );
    HeaderValue::from_str(&text).expect("base64 and digits are header characters")
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
    if age > signer.lifetime() || over {
        return None;
    }
    // One of the future was signed while a clock was wrong. It is ours all the same, and counts from now.
    let ahead = issued.since(now) > CLOCK_SKEW;
    let born = born.map(|born| born.min(now));
    Some(Seen {
        session,
        born: born.unwrap_or(now),
        needs_renewal: ahead || born.is_none() || age > RENEW_AFTER.min(signer.lifetime() / 2),
        until: until(signer, born.unwrap_or(now), issued.min(now)),
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
    use crate::identity::jar::NAME;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const PLAIN: Jar = Jar::PLAIN;
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn signer() -> Signer {
        Signer::new(&[7; 32], 30 * DAY)
    }

    fn at(port: u16) -> Jar {
        Jar::of(false, Some(&format!("localhost:{port}")))
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
        for host in ["chat.example", "chat.example:8443", "[::1]:8000"] {
            for https in [false, true] {
                let jar = Jar::of(https, Some(host));
                let headers = echo(&set_cookie_at(&signer, session, NOW, jar, NOW));
                let seen = read_at(&signer, &headers, jar, NOW.plus(DAY / 2)).unwrap();
                assert_eq!(seen.session, session);
                assert!(!seen.needs_renewal);
                let other = Jar::of(!https, Some(host));
                assert_eq!(read_at(&signer, &headers, other, NOW), None, "other name");
            }
        }
    }

    #[test]
    fn one_of_the_future_counts_from_when_it_is_seen() {
        let (signer, session) = (signer().ending(90 * DAY), SessionId::fresh());
        // A clock was wrong when it was made, and is right now.
        let ahead = NOW.plus(1000 * DAY);
        let headers = echo(&set_cookie_at(&signer, session, ahead, PLAIN, ahead));
        let seen = read_at(&signer, &headers, PLAIN, NOW).unwrap();
        assert_eq!((seen.session, seen.born), (session, NOW));
        assert!(seen.needs_renewal);
        assert_eq!(seen.until, NOW.plus(30 * DAY));
        // One of a node whose clock is a little ahead is left alone.
        let near = NOW.plus(Duration::from_secs(60));
        let headers = echo(&set_cookie_at(&signer, session, near, PLAIN, near));
        assert!(
            !read_at(&signer, &headers, PLAIN, NOW)
                .unwrap()
                .needs_renewal
        );
    }

    #[test]
    fn old_ones_are_renewed_then_refused() {
        let (signer, session) = (signer(), SessionId::fresh());
        let headers = echo(&set_cookie_at(&signer, session, NOW, PLAIN, NOW));
        let later = read_at(&signer, &headers, PLAIN, NOW.plus(2 * DAY)).unwrap();
        assert!(later.needs_renewal);
        assert_eq!(read_at(&signer, &headers, PLAIN, NOW.plus(31 * DAY)), None);
    }

    #[test]
    fn a_session_ends_however_often_it_is_renewed() {
        let (signer, session) = (signer().ending(90 * DAY), SessionId::fresh());
        let mut headers = echo(&set_cookie_at(&signer, session, NOW, PLAIN, NOW));
        for days in (10..=90).step_by(10) {
            let now = NOW.plus(days * DAY);
            let seen = read_at(&signer, &headers, PLAIN, now).unwrap();
            assert_eq!((seen.session, seen.born), (session, NOW), "day {days}");
            let set = set_cookie_at(&signer, session, seen.born, PLAIN, now);
            let age = Duration::from_secs(24 * 3600 * u64::from(90 - days)).min(30 * DAY);
            let told = format!("Max-Age={};", age.as_secs());
            assert!(set.to_str().unwrap().contains(&told), "day {days}");
            headers = echo(&set);
        }
        let over = NOW.plus(90 * DAY).plus(DAY);
        assert_eq!(read_at(&signer, &headers, PLAIN, over), None);
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
            read_at(&signer, &headers, PLAIN, NOW).unwrap().session,
            session
        );
        let beside = format!("名=值; {own}; 夜\u{301}=1");
        let mut raw = beside.into_bytes();
        raw.extend(b"; bad=\xff\xfe");
        headers.clear();
        headers.insert(COOKIE, HeaderValue::from_bytes(&raw).unwrap());
        assert_eq!(
            read_at(&signer, &headers, PLAIN, NOW).unwrap().session,
            session
        );
    }

    #[test]
    fn a_forged_one_before_the_true_one_does_not_hide_it() {
        let (signer, session) = (signer(), SessionId::fresh());
        let text = format!("{NAME}=AAAA; {NAME}={}", seal(&signer, session, NOW, NOW));
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&text).unwrap());
        let seen = read_at(&signer, &headers, PLAIN, NOW).unwrap();
        assert_eq!(seen.session, session);
    }

    #[test]
    fn a_neighbours_cookie_takes_no_place() {
        let (signer, session) = (signer(), SessionId::fresh());
        let other = Signer::new(&[8; 32], 30 * DAY);
        let (here, there) = (at(8000), at(8001));
        let pair = |set: HeaderValue| set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let own = pair(set_cookie_at(&signer, session, NOW, here, NOW));
        let theirs = pair(set_cookie_at(&other, SessionId::fresh(), NOW, there, NOW));
        let mut headers = HeaderMap::new();
        let both = HeaderValue::from_str(&format!("{theirs}; {own}")).unwrap();
        headers.insert(COOKIE, both);
        let seen = read_at(&signer, &headers, here, NOW).unwrap();
        assert_eq!((seen.session, seen.needs_renewal), (session, false));
        let taken: Vec<HeaderValue> = expired(&signer, &headers, here);
        assert_eq!(taken.len(), 1, "the neighbour's stays");
    }

    #[test]
    fn a_session_is_kept_when_its_site_moves_or_learns_its_port() {
        let (signer, session) = (signer(), SessionId::fresh());
        let (here, there) = (at(8000), at(8001));
        for before in [PLAIN, there] {
            let headers = echo(&set_cookie_at(&signer, session, NOW, before, NOW));
            let seen = read_at(&signer, &headers, here, NOW).unwrap();
            assert_eq!((seen.session, seen.born), (session, NOW));
            assert!(
                seen.needs_renewal,
                "so that it has its own name from now on"
            );
            let headers = echo(&set_cookie(&signer, session, crate::clock::now(), before));
            assert_eq!(expired(&signer, &headers, here).len(), 2, "by both names");
        }
        // What is set here counts for more than what is left from there.
        let newer = SessionId::fresh();
        let mut headers = echo(&set_cookie_at(&signer, session, NOW, there, NOW));
        let own = echo(&set_cookie_at(&signer, newer, NOW, here, NOW));
        headers.append(COOKIE, own[COOKIE].clone());
        let seen = read_at(&signer, &headers, here, NOW).unwrap();
        assert_eq!(seen.session, newer);
    }
}
