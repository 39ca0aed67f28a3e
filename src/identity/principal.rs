//! Who asks: decided once for a request, from its cookie, for pages, the API and both sockets alike.

use hyper::HeaderMap;
use hyper::header::HeaderValue;

use super::Signer;
use super::cookie;
use super::jar::Jar;
use super::revoked::Revoked;
use crate::domain::id::{SessionId, Timestamp};

/// The browser behind a request.
#[derive(Clone, Copy, Debug)]
pub struct Principal {
    session: SessionId,
    born: Timestamp,
    until: Timestamp,
    cookie_status: CookieStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CookieStatus {
    /// Its cookie is good.
    Known,
    /// Its cookie is good, and old enough to be set again.
    Due,
    /// It has none: the session was made for this request.
    Fresh,
}

impl Principal {
    /// Of a request with these headers. Without a valid cookie, or with that of a session that was revoked a
    /// moment ago, it is a fresh one.
    pub fn of(signer: &Signer, revoked: &Revoked, headers: &HeaderMap, jar: Jar) -> Self {
        let now = crate::clock::now();
        let seen = cookie::read_at(signer, headers, jar, now);
        match seen.filter(|seen| !revoked.contains(seen.session)) {
            Some(seen) if seen.needs_renewal => Self {
                session: seen.session,
                born: seen.born,
                until: cookie::until(signer, seen.born, now),
                cookie_status: CookieStatus::Due,
            },
            Some(seen) => Self {
                session: seen.session,
                born: seen.born,
                until: seen.until,
                cookie_status: CookieStatus::Known,
            },
            None => Self {
                session: SessionId::fresh(),
                born: now,
                until: cookie::until(signer, now, now),
                cookie_status: CookieStatus::Fresh,
            },
        }
    }

    /// What is kept about this person is kept under it.
    pub fn subject(&self) -> SessionId {
        self.session
    }

    /// The session, if its cookie came with the request: a fresh one is not known before its cookie is set.
    pub fn known(&self) -> Option<SessionId> {
        (self.cookie_status != CookieStatus::Fresh).then_some(self.session)
    }

    /// When its cookie is honoured no more; of one that is to be set, that one.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// The value of `Set-Cookie` that makes the browser keep it, when that is due.
    pub fn cookie(&self, signer: &Signer, jar: Jar) -> Option<HeaderValue> {
        let due = self.cookie_status != CookieStatus::Known;
        due.then(|| cookie::set_cookie(signer, self.session, self.born, jar))
    }
}
