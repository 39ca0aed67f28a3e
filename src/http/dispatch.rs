//! From a request to the row of the table that answers it, and what is checked on the way.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};
use matchit::Router;

use super::problem::HttpProblem;
use super::request::{Peer, origin_allowed};
use super::routes::{Call, Guard, HandlerResult, Rate, Route, Slash, TABLE, too_large};
use super::{Audience, ResponseBody, admin, pages, response, sessions};
use crate::admission::Purpose;
use crate::admission::door::{Act, AdmissionRefusal};
use crate::admission::memory_budget::Class;
use crate::identity::principal::Principal;
use crate::operators::OperatorPrincipal;
use crate::state::AppState;

/// Of a body that no row takes, this much is ignored rather than refused.
const IGNORED_BODY: u64 = 4096;

/// Answers of the API without a reservation are no larger than this.
const SMALL_ANSWER: u64 = 16 * 1024;

/// The rows, to be found by their address.
pub struct Routes(Router<RouteMatch>);

#[derive(Clone, Copy)]
struct RouteMatch {
    row: Route,
    /// The address lacks the last slash, and leads to the one that has it.
    add_slash: bool,
}

impl Routes {
    /// Of [`TABLE`], [`admin::TABLE`], [`admin::desk::TABLE`] and these.
    ///
    /// # Panics
    /// Two rows have the same address.
    pub fn new(more: &[Route]) -> Self {
        let mut router = Router::new();
        for row in TABLE
            .iter()
            .chain(admin::TABLE)
            .chain(admin::desk::TABLE)
            .chain(more)
        {
            let add_slash = row.slash == Slash::Added;
            let own = RouteMatch {
                row: *row,
                add_slash: false,
            };
            router.insert(row.path, own).expect("addresses differ");
            if row.slash != Slash::Exact {
                let short = row.path.trim_end_matches('/');
                let found = RouteMatch { add_slash, ..own };
                router.insert(short, found).expect("addresses differ");
            }
        }
        Self(router)
    }

    fn find(&self, path: &str) -> Option<(RouteMatch, Option<String>)> {
        let found = self.0.at(path).ok()?;
        let parameter = found
            .params
            .iter()
            .next()
            .map(|(_, value)| value.to_owned());
        Some((*found.value, parameter))
    }
}

/// Answers one request, with the headers that every answer but 101 carries.
pub async fn handle(
    app: &Arc<AppState>,
    routes: &Routes,
    audience: Audience,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let hsts = app.config.server.public_url.is_some() && peer.scheme_https;
    let told = peer.clone();
    let found = routes.find(request.uri().path());
    let most = found.as_ref().map_or(0, |(found, _)| found.row.body);
    let mut answer = match refuse_early(app, &peer, most, &request) {
        Some(refused) => refused,
        None => dispatch(app, found, audience, peer, request).await,
    };
    // A handshake that succeeded is no page: nothing of it is shown, framed or kept.
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        response::secure(&mut answer, &told, hsts);
    }
    answer
}

/// Names that are not ours, bodies that the row does not take, and changes ordered by pages of other
/// sites.
fn refuse_early(
    app: &AppState,
    peer: &Peer,
    most: u64,
    request: &Request<Incoming>,
) -> Option<Response<ResponseBody>> {
    if let Some(misnamed) = peer.misnamed {
        return Some(last_word(&misnamed.problem()));
    }
    let length = request.body().size_hint().exact();
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let unread = chunked && most == 0;
    if unread || length.is_some_and(|length| length > most.max(IGNORED_BODY)) {
        return Some(last_word(&too_large(most)));
    }
    let changes = [Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
    let foreign =
        changes.contains(request.method()) && !origin_allowed(app, peer, request.headers());
    foreign.then(|| response::problem(&HttpProblem::foreign_origin()))
}

/// A refusal of a request whose body, if it has one, is not read: the connection cannot be used for
/// another.
fn last_word(problem: &HttpProblem) -> Response<ResponseBody> {
    let mut answer = response::problem(problem);
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

async fn dispatch(
    app: &Arc<AppState>,
    found: Option<(RouteMatch, Option<String>)>,
    audience: Audience,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let here = found.filter(|(found, _)| audience.sees(found.row.guard));
    let row = here.as_ref().map(|(found, _)| found.row);
    if audience != Audience::Control
        && let Some(refused) = not_admitted(app, &peer, row.as_ref()).await
    {
        return refused;
    }
    let Some((RouteMatch { row, add_slash }, parameter)) = here else {
        return pages::not_found(app, request.headers()).await;
    };
    if !row.takes(request.method()) {
        return refuse_method(app, row.methods, request.headers()).await;
    }
    if add_slash {
        let query = request.uri().query();
        let query = query.map(|it| format!("?{it}")).unwrap_or_default();
        return response::moved(&format!("{}/{query}", request.uri().path()));
    }
    let principal =
        (row.guard == Guard::Session).then(|| sessions::principal(app, &peer, request.headers()));
    let mut answer = match admitted(app, audience, &peer, &row, principal.as_ref(), &request).await
    {
        Err(refusal) => response::problem(&refusal),
        Ok(operator) => {
            let call = Call {
                app: Arc::clone(app),
                peer: peer.clone(),
                principal,
                operator,
                parameter,
                body: row.body,
                request,
            };
            let made = (row.handler)(call).await;
            let held = made.and_then(|answer| hold(app, &peer, &row, answer));
            held.unwrap_or_else(|problem| response::problem(&problem))
        }
    };
    // Where too many sessions were made, the answer comes without one, and the handshake that follows
    // is told to wait.
    if let Some(principal) = principal
        && sessions::admit(app, &peer, &principal).await.is_ok()
    {
        sessions::set_cookie(app, &peer, &principal, &mut answer);
    }
    answer
}

/// Counts a request under its client: the connection it came on, and what is no request of the API,
/// which is counted with its session.
async fn not_admitted(
    app: &AppState,
    peer: &Peer,
    row: Option<&Route>,
) -> Option<Response<ResponseBody>> {
    let purpose = row.map_or(Purpose::Other, |row| row.purpose);
    let placed = app.limits.request_on(&peer.slot, peer.address, purpose);
    if let Err(refused) = placed {
        return Some(response::no_place(refused));
    }
    let rate = row.map_or(Rate::File, |row| row.rate);
    if matches!(rate, Rate::Request | Rate::Free) {
        return None;
    }
    let counted = app.door.ask(None, peer.address, Act::File).await;
    let refusal = counted.err()?;
    Some(response::problem(&refusal.into()))
}

/// Counts what is counted with its session, and looks who is logged in where that matters.
async fn admitted(
    app: &AppState,
    audience: Audience,
    peer: &Peer,
    row: &Route,
    principal: Option<&Principal>,
    request: &Request<Incoming>,
) -> Result<Option<OperatorPrincipal>, HttpProblem> {
    if audience == Audience::Control {
        // Who may open the socket may do everything, and is never told to wait.
        return Ok(Some(OperatorPrincipal::LOCAL));
    }
    limited(app, peer, row, principal).await?;
    match row.guard {
        Guard::Console => admin::guard::console(app, peer, request).await,
        Guard::Operator(role) => {
            Some(admin::guard::operator(app, peer, role, request).await).transpose()
        }
        Guard::Public | Guard::Session | Guard::Local | Guard::Control => Ok(None),
    }
}

async fn limited(
    app: &AppState,
    peer: &Peer,
    row: &Route,
    principal: Option<&Principal>,
) -> Result<(), AdmissionRefusal> {
    match row.rate {
        Rate::Request => {
            let session = principal.and_then(Principal::known);
            app.door.ask(session, peer.address, Act::Request).await
        }
        Rate::File | Rate::Own | Rate::Free => Ok(()),
    }
}

/// Reserves the memory of a large answer of the API. A page of a log has no length: it was reserved
/// before it was read.
fn hold(
    app: &AppState,
    peer: &Peer,
    row: &Route,
    mut answer: Response<ResponseBody>,
) -> HandlerResult {
    let size = answer.body().size_hint();
    if row.rate == Rate::Request && size.exact().is_some() && size.lower() > SMALL_ANSWER {
        let bytes = usize::try_from(size.lower()).unwrap_or(usize::MAX);
        let class = Class::Arriving;
        let held = app.memory.reserve(peer.address, class, bytes);
        answer.body_mut().hold(held.map_err(response::exhausted)?);
    }
    Ok(answer)
}

async fn refuse_method(
    app: &AppState,
    allowed: &'static str,
    headers: &HeaderMap,
) -> Response<ResponseBody> {
    let plain = response::method_not_allowed(allowed);
    if !pages::wants_html(headers) {
        return plain;
    }
    let mut answer = pages::page(app, "error", StatusCode::METHOD_NOT_ALLOWED, headers).await;
    for (name, value) in plain.headers() {
        if name == hyper::header::ALLOW {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mean_what_the_contract_says() {
        let routes = Routes::new(&[]);
        let of = |path: &str| routes.find(path).map(|(found, _)| found.row.path);
        assert_eq!(of("/"), Some("/"));
        assert_eq!(of("/static/css/a.css"), Some("/static/{*path}"));
        assert_eq!(
            of("/api/rooms/x/messages/"),
            Some("/api/rooms/{room}/messages/")
        );
        assert_eq!(
            of("/api/rooms/x/messages"),
            Some("/api/rooms/{room}/messages/")
        );
        assert_eq!(of("/ws/chat/"), Some("/ws/chat/"));
        assert_eq!(of("/ws/chat/0190/"), Some("/ws/chat/{room}/"));
        assert_eq!(of("/ws/chat/0190/x/"), None);
        assert_eq!(of("/nothing"), None);
        let (found, parameter) = routes.find("/chat").unwrap();
        assert!(found.add_slash && parameter.is_none());
        let (_, parameter) = routes.find("/api/rooms/0190").unwrap();
        assert_eq!(parameter.as_deref(), Some("0190"));
    }
}
