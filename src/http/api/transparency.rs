//! `GET /api/transparency`: how reports are worked on here, by month. The same for all who ask.

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};

use crate::console::Refused;
use crate::http::problem::HttpProblem;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};

/// As old as the figures may be.
const CACHED: &str = "public, max-age=600";

/// `GET /api/transparency`.
pub async fn answer(call: Call) -> HandlerResult {
    let figures = call.app.console.transparency().await.map_err(|why| {
        if let Refused::Store(error) = why {
            tracing::warn!(%error, "figures for the public could not be read");
        }
        HttpProblem::unavailable("the store does not answer; try again")
    })?;
    let mut answer = response::json(StatusCode::OK, &figures);
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHED));
    Ok(answer)
}
