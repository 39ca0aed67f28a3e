//! Pages and files, and what a person is shown where there is none.

use hyper::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::api::site::takes_reports;
use super::problem::HttpProblem;
use super::routes::{Call, HandlerResult};
use super::{ResponseBody, files, response};
use crate::assets::bundle;
use crate::state::AppState;

/// `GET /`
pub async fn index(call: Call) -> HandlerResult {
    Ok(page(&call.app, "index", StatusCode::OK, call.request.headers()).await)
}

/// `GET /chat/`
pub async fn chat(call: Call) -> HandlerResult {
    Ok(page(&call.app, "chat", StatusCode::OK, call.request.headers()).await)
}

/// `GET /privacy/`: what is kept about people, by reports too where the site takes them. It keeps nothing itself, not even a cookie.
pub async fn privacy(call: Call) -> HandlerResult {
    let name = match takes_reports(&call.app).await {
        true => bundle::PRIVACY_PAGE,
        false => bundle::PRIVACY_WITHOUT_REPORTS,
    };
    Ok(page(&call.app, name, StatusCode::OK, call.request.headers()).await)
}

/// `GET /admin/`: the console of the operators. No cache keeps it and no search engine lists it; a visitor's cookie is not set.
pub async fn console(call: Call) -> HandlerResult {
    let headers = call.request.headers();
    let mut answer = page(&call.app, bundle::CONSOLE, StatusCode::OK, headers).await;
    let headers = answer.headers_mut();
    headers.remove(ETAG);
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// `GET /transparency/`: how reports are worked on, in numbers. It keeps nothing, either.
pub async fn transparency(call: Call) -> HandlerResult {
    let headers = call.request.headers();
    Ok(page(&call.app, "transparency", StatusCode::OK, headers).await)
}

/// `GET /manifest.webmanifest`
pub async fn manifest(call: Call) -> HandlerResult {
    let headers = call.request.headers();
    Ok(page(&call.app, bundle::MANIFEST, StatusCode::OK, headers).await)
}

/// `GET /offline/`: what a browser keeps for when no server answers.
pub async fn offline(call: Call) -> HandlerResult {
    Ok(page(&call.app, "offline", StatusCode::OK, call.request.headers()).await)
}

/// `GET /sw.js`
pub async fn worker(call: Call) -> HandlerResult {
    let bundle = call.app.assets.current().await;
    files::worker(&bundle, call.request.headers()).ok_or_else(HttpProblem::no_such_page)
}

/// `GET /static/…`: one file of the bundle.
pub async fn file(call: Call) -> HandlerResult {
    let headers = call.request.headers();
    let Some(path) = &call.parameter else {
        return Ok(not_found(&call.app, headers).await);
    };
    let bundle = call.app.assets.current().await;
    files::file(&bundle, path, headers).ok_or_else(HttpProblem::no_such_page)
}

/// A page of the bundle.
pub async fn page(
    app: &AppState,
    name: &str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Response<ResponseBody> {
    let bundle = app.assets.current().await;
    match files::page(&bundle, name, status, headers) {
        Some(answer) => answer,
        None => response::problem(&HttpProblem::no_such_page()),
    }
}

/// A page for people, a problem for programs.
pub async fn not_found(app: &AppState, headers: &HeaderMap) -> Response<ResponseBody> {
    let problem = HttpProblem::no_such_page();
    match wants_html(headers) {
        true => {
            response::count(&problem);
            page(app, "error", problem.status, headers).await
        }
        false => response::problem(&problem),
    }
}

/// Whether what asks shows pages.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}
