//! Which address means what, and what is checked before anything is answered.

use std::sync::{Arc, LazyLock};

use hyper::body::{Body as _, Incoming};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, HeaderMap, HeaderValue, SET_COOKIE, TRANSFER_ENCODING,
};
use hyper::{Method, Request, Response, StatusCode};
use matchit::Router;

use super::api::{self, rooms, site};
use super::request::{Peer, origin_allowed};
use super::{Body, Door, health, response};
use crate::admission::Purpose;
use crate::admission::memory::Class;
use crate::assets::{self, bundle};
use crate::domain::id::{SessionId, Timestamp};
use crate::http::problem::Problem;
use crate::identity::cookie;
use crate::state::AppState;
use crate::ws;

/// What an address means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Page(&'static str),
    Manifest,
    Static,
    /// An address without its last slash.
    AddSlash,
    Site,
    Stats,
    Rooms,
    Room,
    Messages,
    Forget,
    Matching,
    Chat,
    Alive,
    Ready,
    Metrics,
}

/// No route takes a body yet; this much is ignored rather than refused.
const IGNORED_BODY: u64 = 4096;

const TABLE: [(&str, Route); 24] = [
    ("/", Route::Page("index")),
    ("/chat/", Route::Page("chat")),
    ("/chat", Route::AddSlash),
    ("/manifest.webmanifest", Route::Manifest),
    ("/static/{*path}", Route::Static),
    ("/api/site", Route::Site),
    ("/api/site/", Route::Site),
    ("/api/stats", Route::Stats),
    ("/api/stats/", Route::Stats),
    ("/api/rooms", Route::Rooms),
    ("/api/rooms/", Route::Rooms),
    ("/api/rooms/{room}", Route::Room),
    ("/api/rooms/{room}/", Route::Room),
    ("/api/rooms/{room}/messages", Route::Messages),
    ("/api/rooms/{room}/messages/", Route::Messages),
    ("/api/session/forget", Route::Forget),
    ("/api/session/forget/", Route::Forget),
    ("/ws/matching/", Route::Matching),
    ("/ws/chat/", Route::Chat),
    ("/ws/chat/{room}", Route::Chat),
    ("/ws/chat/{room}/", Route::Chat),
    ("/healthz", Route::Alive),
    ("/readyz", Route::Ready),
    ("/metrics", Route::Metrics),
];

static ROUTES: LazyLock<Router<Route>> = LazyLock::new(|| {
    let mut router = Router::new();
    for (path, route) in TABLE {
        router.insert(path, route).expect("routes differ");
    }
    router
});

impl Route {
    /// Sets or renews the session cookie on its answer.
    fn knows_sessions(self) -> bool {
        matches!(
            self,
            Self::Page(_) | Self::Site | Self::Stats | Self::Rooms | Self::Room | Self::Messages
        )
    }

    fn is_api(self) -> bool {
        self.knows_sessions() && !matches!(self, Self::Page(_))
    }

    fn is_socket(self) -> bool {
        matches!(self, Self::Matching | Self::Chat)
    }

    /// What it answers to, as `Allow` says it.
    fn methods(self) -> &'static str {
        match self {
            Self::Forget => "POST",
            _ => "GET, HEAD",
        }
    }

    fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|it| it == method.as_str())
    }

    /// What the last places are kept for. Of a handshake that is known only with its room.
    fn purpose(self) -> Purpose {
        match self {
            Self::Chat => Purpose::Kept,
            _ if self.is_operators() => Purpose::Kept,
            _ => Purpose::Other,
        }
    }

    fn is_operators(self) -> bool {
        matches!(self, Self::Alive | Self::Ready | Self::Metrics)
    }
}

/// Answers one request, with the headers that every answer but 101 carries.
pub async fn handle(
    app: &Arc<AppState>,
    door: Door,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let hsts = app.config.server.public_url.is_some() && peer.scheme_https;
    let told = peer.clone();
    let mut answer = match refuse_early(app, &peer, &request) {
        Some(refused) => refused,
        None => dispatch(app, door, peer, request).await,
    };
    // A handshake that succeeded is no page: nothing of it is shown, framed or kept.
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        response::secure(&mut answer, &told, hsts);
    }
    answer
}

/// Names that are not ours, bodies that no route takes, and changes ordered by pages of other sites.
fn refuse_early(
    app: &AppState,
    peer: &Peer,
    request: &Request<Incoming>,
) -> Option<Response<Body>> {
    if let Some(misnamed) = peer.misnamed {
        return Some(last_word(&misnamed.problem()));
    }
    let length = request.body().size_hint().exact();
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    if chunked || length.is_some_and(|length| length > IGNORED_BODY) {
        return Some(last_word(&Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "this address takes no body",
        )));
    }
    let changes = [Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
    let foreign =
        changes.contains(request.method()) && !origin_allowed(app, peer, request.headers());
    foreign.then(|| response::problem(&Problem::foreign_origin()))
}

/// A refusal of a request whose body, if it has one, is not read: the connection cannot be used for
/// another.
fn last_word(problem: &Problem) -> Response<Body> {
    let mut answer = response::problem(problem);
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

async fn dispatch(
    app: &Arc<AppState>,
    door: Door,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let found = ROUTES.at(&path).ok();
    let route = found.as_ref().map(|found| *found.value);
    let here = route.filter(|route| door.opens(route.is_operators()));
    if let Some(refused) = not_admitted(app, &peer, here) {
        return refused;
    }
    let Some(found) = found else {
        return not_found(app, request.headers()).await;
    };
    let route = *found.value;
    if !door.opens(route.is_operators()) {
        return not_found(app, request.headers()).await;
    }
    if route.is_socket() && request.method() != Method::GET {
        return response::method_not_allowed("GET");
    }
    if !route.takes(request.method()) {
        return refuse_method(app, route.methods(), request.headers()).await;
    }
    match route {
        Route::Alive => health::alive(),
        Route::Ready => health::ready(app).await,
        Route::Metrics => health::metrics(app),
        Route::Static => match found.params.get("path") {
            Some(path) => file(app, path, request.headers()).await,
            None => not_found(app, request.headers()).await,
        },
        Route::Manifest => page(app, bundle::MANIFEST, StatusCode::OK, request.headers()).await,
        Route::AddSlash => {
            let query = request.uri().query();
            let query = query.map(|it| format!("?{it}")).unwrap_or_default();
            response::moved(&format!("{path}/{query}"))
        }
        Route::Forget => api::forget::answer(app, &peer, request.headers()).await,
        Route::Matching => ws::upgrade::matching(Arc::clone(app), peer, request),
        Route::Chat => {
            let room = found.params.get("room");
            ws::upgrade::chat(Arc::clone(app), peer, request, room).await
        }
        _ => known(app, &peer, route, found.params.get("room"), &request).await,
    }
}

/// Counts a request under its client: the connection it came on, and what is no request of the API,
/// which is counted with its session. Operators' routes are not behind any rate.
fn not_admitted(app: &AppState, peer: &Peer, route: Option<Route>) -> Option<Response<Body>> {
    let purpose = route.map_or(Purpose::Other, Route::purpose);
    let placed = app.limits.request_on(&peer.slot, peer.address, purpose);
    if let Err(refused) = placed {
        return Some(response::no_place(refused));
    }
    let counted = match route {
        Some(route) if route.is_api() || route.is_operators() => Ok(()),
        _ => app.limits.files(peer.address),
    };
    let wait = counted.err()?;
    Some(response::problem(&Problem::rate_limited(wait)))
}

/// Routes of somebody whom we know or get to know by it.
async fn known(
    app: &Arc<AppState>,
    peer: &Peer,
    route: Route,
    room: Option<&str>,
    request: &Request<Incoming>,
) -> Response<Body> {
    debug_assert!(route.knows_sessions());
    let seen = app.session(request.headers(), peer.jar());
    let session = seen.map(|seen| seen.session);
    let limited = match route.is_api() {
        true => app.limits.requests(session, peer.address),
        false => Ok(()),
    };
    let mut answer = match (limited, route) {
        (Err(wait), _) => response::problem(&Problem::rate_limited(wait)),
        (Ok(()), Route::Page(name)) => page(app, name, StatusCode::OK, request.headers()).await,
        (Ok(()), _) => held_api(app, peer, route, room, session, request)
            .await
            .unwrap_or_else(|problem| response::problem(&problem)),
    };
    if let Some((session, born)) = to_be_set(app, peer, seen) {
        let cookie = cookie::set_cookie(&app.signer, session, born, peer.jar());
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// Answers of the API without a reservation are no larger than this.
const SMALL_ANSWER: u64 = 16 * 1024;

/// The API, within the budget: a page's memory is reserved before it is read, that of other answers when
/// it is known that they are large.
async fn held_api(
    app: &AppState,
    peer: &Peer,
    route: Route,
    room: Option<&str>,
    session: Option<SessionId>,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let reserve = |bytes| {
        let reserved = app.memory.reserve(peer.address, Class::Arriving, bytes);
        reserved.map_err(response::exhausted)
    };
    let page = match route {
        Route::Messages => Some(reserve(app.reach.page_memory())?),
        _ => None,
    };
    let mut answer = api_answer(app, route, room, session, request).await?;
    let size = answer.body().size_hint();
    let held = match page {
        // Only a page has no length.
        Some(page) if size.exact().is_none() => Some(page),
        _ if size.lower() > SMALL_ANSWER => {
            let bytes = usize::try_from(size.lower()).unwrap_or(usize::MAX);
            Some(reserve(bytes)?)
        }
        _ => None,
    };
    if let Some(held) = held {
        answer.body_mut().hold(held);
    }
    Ok(answer)
}

/// The session whose cookie is set by an answer, and when it began: a fresh one, unless too many were
/// made for this network. Then the answer comes without, and the handshake that follows is told to wait.
fn to_be_set(
    app: &AppState,
    peer: &Peer,
    seen: Option<cookie::Seen>,
) -> Option<(SessionId, Timestamp)> {
    match seen {
        Some(seen) => seen.needs_renewal.then_some((seen.session, seen.born)),
        None => {
            app.limits.newcomer(peer.address).ok()?;
            let fresh = SessionId::fresh();
            app.store.introduce(fresh);
            Some((fresh, crate::clock::now()))
        }
    }
}

async fn api_answer(
    app: &AppState,
    route: Route,
    room: Option<&str>,
    session: Option<SessionId>,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let asker = rooms::Asker {
        session,
        bearer: bearer(request.headers()),
        query: request.uri().query().unwrap_or_default(),
    };
    let room = room.unwrap_or_default();
    match route {
        Route::Site => Ok(site::site(app)),
        Route::Stats => Ok(site::stats(app)),
        Route::Rooms => rooms::list(app, session).await,
        Route::Room => rooms::one(app, room, &asker).await,
        Route::Messages => rooms::messages(app, room, &asker).await,
        _ => Err(Problem::no_such_page()),
    }
}

/// The token of `Authorization: Bearer TOKEN`; other schemes are a proxy's business.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// One file of the bundle.
async fn file(app: &AppState, path: &str, headers: &HeaderMap) -> Response<Body> {
    let bundle = app.assets.current().await;
    match assets::serve::file(&bundle, path, headers) {
        Some(answer) => answer,
        None => response::problem(&Problem::no_such_page()),
    }
}

async fn page(
    app: &AppState,
    name: &str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Response<Body> {
    let bundle = app.assets.current().await;
    match assets::serve::page(&bundle, &app.config.site, name, status, headers) {
        Some(answer) => answer,
        None => response::problem(&Problem::no_such_page()),
    }
}

/// A page for people, a problem for programs.
async fn not_found(app: &AppState, headers: &HeaderMap) -> Response<Body> {
    let problem = Problem::no_such_page();
    match wants_html(headers) {
        true => {
            response::count(&problem);
            page(app, "error", problem.status, headers).await
        }
        false => response::problem(&problem),
    }
}

async fn refuse_method(
    app: &AppState,
    allowed: &'static str,
    headers: &HeaderMap,
) -> Response<Body> {
    let plain = response::method_not_allowed(allowed);
    if !wants_html(headers) {
        return plain;
    }
    let mut answer = page(app, "error", StatusCode::METHOD_NOT_ALLOWED, headers).await;
    for (name, value) in plain.headers() {
        if name == hyper::header::ALLOW {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mean_what_the_contract_says() {
        let of = |path: &str| ROUTES.at(path).ok().map(|found| *found.value);
        assert_eq!(of("/"), Some(Route::Page("index")));
        assert_eq!(of("/static/css/a.css"), Some(Route::Static));
        assert_eq!(of("/api/rooms/x/messages/"), Some(Route::Messages));
        assert_eq!(of("/ws/chat/"), Some(Route::Chat));
        assert_eq!(of("/ws/chat/0190/"), Some(Route::Chat));
        assert_eq!(of("/ws/chat/0190/x/"), None);
        assert_eq!(of("/nothing"), None);
    }
}
