//! Who may ask at the operators' API: pages of this site itself, over a line that is not read on the way, in the session of
//! an operator who may do what is asked.

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Request, StatusCode};

use super::{cookie, store_problem};
use crate::domain::safety::Role;
use crate::http::problem::HttpProblem;
use crate::http::request::{Peer, is_from_this_machine, origin_own};
use crate::http::sessions;
use crate::operators::OperatorPrincipal;
use crate::state::AppState;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks a request of the console; answers who is logged in, if one is.
///
/// # Errors
/// The line, the page or the type of the body are not right, or the store does not answer.
pub async fn console(
    app: &AppState,
    peer: &Peer,
    request: &Request<Incoming>,
) -> Result<Option<OperatorPrincipal>, HttpProblem> {
    let headers = request.headers();
    private_line(app, peer, headers)?;
    own_page(peer, request.method(), headers)?;
    let body = request.body();
    if !body.is_end_stream() || headers.contains_key(TRANSFER_ENCODING) {
        is_json(headers)?;
    }
    let visitor = sessions::principal(app, peer, headers).known();
    for secret in cookie::read(headers, peer.jar()) {
        let who = app.operating.who(&secret, visitor).await;
        if let Some(who) = who.map_err(store_problem)? {
            return Ok(Some(who));
        }
    }
    Ok(None)
}

/// The same for what only an operator may ask who may do at least this.
///
/// # Errors
/// As [`console`], or they are not logged in, or may not.
pub async fn operator(
    app: &AppState,
    peer: &Peer,
    role: Role,
    request: &Request<Incoming>,
) -> Result<OperatorPrincipal, HttpProblem> {
    let who = console(app, peer, request).await?;
    let who = who.ok_or_else(not_logged_in)?;
    if who.role() < role {
        return Err(not_allowed());
    }
    Ok(who)
}

/// 401.
pub fn not_logged_in() -> HttpProblem {
    HttpProblem::new(
        StatusCode::UNAUTHORIZED,
        "not_logged_in",
        "log in at /admin/; a session ends after 30 minutes without use, and when the role or the password is changed",
    )
}

/// 403: for administrators.
pub fn not_allowed() -> HttpProblem {
    HttpProblem::new(
        StatusCode::FORBIDDEN,
        "not_allowed",
        "an administrator may do this; ask one",
    )
}

/// Passwords and conversations go over https, or do not leave the machine.
fn private_line(app: &AppState, peer: &Peer, headers: &HeaderMap) -> Result<(), HttpProblem> {
    let private = peer.scheme_https
        || app.config.admin.allow_plain_http
        || is_from_this_machine(peer, headers);
    private.then_some(()).ok_or_else(|| {
        HttpProblem::new(
            StatusCode::FORBIDDEN,
            "plain_http",
            "over plain http this could be read on the way: use the https address of this site, or a browser on \
             the machine itself; admin.allow_plain_http lets you in all the same",
        )
    })
}

/// Pages of other sites may neither change nor read anything. What changes something says where it comes from;
/// the cookie is `SameSite=Strict` besides.
fn own_page(peer: &Peer, method: &Method, headers: &HeaderMap) -> Result<(), HttpProblem> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let mut sites = headers.get_all(&SEC_FETCH_SITE).iter();
    // `none`: typed into the address bar.
    let own_site = sites.all(|it| it == "same-origin" || (reads && it == "none"));
    let fits = own_site && (reads || origin_own(peer, headers));
    fits.then_some(()).ok_or_else(HttpProblem::foreign_origin)
}

/// A form of another page cannot send this type.
fn is_json(headers: &HeaderMap) -> Result<(), HttpProblem> {
    let said = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = said.map(|it| it.split(';').next().unwrap_or(it).trim());
    let json = kind.is_some_and(|it| it.eq_ignore_ascii_case("application/json"));
    json.then_some(()).ok_or_else(|| {
        HttpProblem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "send the body with Content-Type: application/json",
        )
    })
}
