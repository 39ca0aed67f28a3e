//! `/admin/api/queue/`: what waits, and the next of it.

use hyper::StatusCode;
use serde::Serialize;

use super::desk;
use crate::console::Listed;
use crate::console::file::FileJson;
use crate::http::query;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};

#[derive(Serialize)]
struct NextJson<'a> {
    case: Option<FileJson<'a>>,
}

/// `GET /admin/api/queue/`, and with `?state=closed` what is done.
pub async fn list(call: Call) -> HandlerResult {
    let (console, asker) = desk::at(&call)?;
    let which = match query::parameter(call.query(), "state") {
        Some("closed") => Listed::Closed,
        _ => Listed::Waiting,
    };
    desk::answer(&console.cases(asker, which).await?)
}

/// `POST /admin/api/queue/next/`: claims what comes first.
pub async fn next(call: Call) -> HandlerResult {
    let (console, asker) = desk::at(&call)?;
    let read = console.next(asker).await?;
    let case = read.as_ref().map(|it| it.json());
    Ok(response::json(StatusCode::OK, &NextJson { case }))
}
