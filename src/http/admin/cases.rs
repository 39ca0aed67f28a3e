//! `/admin/api/cases/`: a case, what was kept for it, and what is done to it.

use hyper::StatusCode;
use hyper::header::{CONTENT_DISPOSITION, HeaderValue};
use serde::Serialize;

use super::desk;
use crate::console::file::FileJson;
use crate::console::row::CaseRow;
use crate::console::{Asker, Console, Plain, Refused, drafts};
use crate::domain::id::{RoomId, Seq};
use crate::domain::safety::CaseId;
use crate::http::problem::HttpProblem;
use crate::http::routes::{Call, HandlerResult};
use crate::http::{ResponseBody, query, response};

#[derive(Serialize)]
struct RowJson {
    case: CaseRow,
}

#[derive(Serialize)]
struct NextJson<'a> {
    next: Option<FileJson<'a>>,
}

#[derive(Serialize)]
struct InvalidatedJson {
    invalidated: u64,
}

#[derive(Serialize)]
struct RevalidatedJson {
    revalidated: u64,
}

#[derive(Serialize)]
struct OpenedJson {
    id: u64,
}

/// `GET /admin/api/cases/{id}/`.
pub async fn file(call: Call) -> HandlerResult {
    let (console, asker) = desk::at(&call)?;
    let read = console.read(asker, desk::case(&call)?).await?;
    desk::answer(&read.json())
}

/// `GET /admin/api/cases/{id}/evidence/?room=ROOM&after=SEQ`.
pub async fn evidence(call: Call) -> HandlerResult {
    let (console, asker) = desk::at(&call)?;
    let room = query::parameter(call.query(), "room").and_then(RoomId::parse);
    let room = room.ok_or_else(HttpProblem::not_a_room_id)?;
    let after = desk::number(query::parameter(call.query(), "after")).unwrap_or(0);
    let case = desk::case(&call)?;
    let text = console.room(asker, case, room, Seq(after)).await?;
    let body = ResponseBody::new(text);
    Ok(response::with_type(
        StatusCode::OK,
        "application/json",
        body,
    ))
}

/// `GET /admin/api/cases/{id}/export/`, and with `?room=ROOM` one room of it.
pub async fn export(call: Call) -> HandlerResult {
    let (console, asker) = desk::at(&call)?;
    let case = desk::case(&call)?;
    let room = query::parameter(call.query(), "room");
    let only = room
        .map(|it| RoomId::parse(it).ok_or_else(HttpProblem::not_a_room_id))
        .transpose()?;
    let bytes = console.export(asker, case, only).await?;
    let body = ResponseBody::new(bytes);
    let mut answer = response::with_type(StatusCode::OK, "application/json", body);
    let named = format!("attachment; filename=\"miyu-case-{case}.json\"");
    let named = HeaderValue::from_str(&named).expect("a number in plain words");
    answer.headers_mut().insert(CONTENT_DISPOSITION, named);
    Ok(answer)
}

/// `POST /admin/api/cases/{id}/claim/`.
pub async fn claim(call: Call) -> HandlerResult {
    plain(call, Plain::Claim).await
}

/// `POST /admin/api/cases/{id}/release/`.
pub async fn release(call: Call) -> HandlerResult {
    plain(call, Plain::Release).await
}

/// `POST /admin/api/cases/{id}/skip/`.
pub async fn skip(call: Call) -> HandlerResult {
    plain(call, Plain::Skip).await
}

/// `POST /admin/api/cases/{id}/escalate/`.
pub async fn escalate(call: Call) -> HandlerResult {
    plain(call, Plain::Escalate).await
}

/// `POST /admin/api/cases/{id}/reopen/`.
pub async fn reopen(call: Call) -> HandlerResult {
    plain(call, Plain::Reopen).await
}

/// An act that needs no words, with the note that may come with it.
async fn plain(mut call: Call, act: Plain) -> HandlerResult {
    let body = call.body().await?;
    let words = match body.is_empty() {
        true => drafts::NoteJson::default(),
        false => drafts::read(&body)?,
    };
    let (console, asker) = desk::at(&call)?;
    let case = desk::case(&call)?;
    console.act(asker, case, act, words).await?;
    row(console, asker, case).await
}

/// `PUT /admin/api/cases/{id}/hold/`.
pub async fn hold(mut call: Call) -> HandlerResult {
    let order: drafts::HoldJson = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    let case = desk::case(&call)?;
    console.hold(asker, case, order).await?;
    row(console, asker, case).await
}

/// `POST /admin/api/cases/{id}/decide/`: the next case at once, but with `?stay=1`.
pub async fn decide(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    console.decide(asker, desk::case(&call)?, order).await?;
    next(&call).await
}

/// `POST /admin/api/cases/{id}/appeal/`: as deciding.
pub async fn appeal(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    console.appeal(asker, desk::case(&call)?, order).await?;
    next(&call).await
}

/// `POST /admin/api/cases/{id}/invalidate/`.
pub async fn invalidate(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    let case = desk::case(&call)?;
    let invalidated = console.invalidate(asker, case, &order).await?;
    desk::answer(&InvalidatedJson { invalidated })
}

/// `POST /admin/api/cases/{id}/revalidate/`: takes that back.
pub async fn revalidate(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    let case = desk::case(&call)?;
    let revalidated = console.revalidate(asker, case, &order).await?;
    desk::answer(&RevalidatedJson { revalidated })
}

/// `POST /admin/api/cases/`: a case without a report.
pub async fn open(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    let CaseId(id) = console.open(asker, order).await?;
    Ok(response::json(StatusCode::CREATED, &OpenedJson { id }))
}

async fn row(console: &Console, asker: Asker, case: CaseId) -> HandlerResult {
    let case = console.row(asker, case).await?;
    desk::answer(&RowJson { case })
}

/// What is decided stays decided, whether or not the next case can be told: then there is none.
async fn next(call: &Call) -> HandlerResult {
    let (console, asker) = desk::at(call)?;
    let stays = query::parameter(call.query(), "stay") == Some("1");
    let read = match stays || asker.operator().is_none() {
        true => None,
        false => match console.next(asker).await {
            Ok(read) => read,
            Err(Refused::Store(error)) => {
                tracing::warn!(%error, "the next case could not be read");
                None
            }
            Err(_) => None,
        },
    };
    let next = read.as_ref().map(|it| it.json());
    desk::answer(&NextJson { next })
}
