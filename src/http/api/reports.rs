//! `POST`·`GET /api/reports/` and `DELETE /api/reports/ID`: reporting without a socket, and what a browser has
//! reported. The same as `report` on the chat socket, which may be gone when a person wants to report.

use hyper::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::rooms;
use crate::admission::memory_budget::Class;
use crate::domain::LeaveReason;
use crate::domain::Room;
use crate::domain::id::{SessionId, Side};
use crate::domain::safety::{OwnReport, OwnReportState, ReportId};
use crate::http::problem::HttpProblem;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::identity::principal::Principal;
use crate::protocol::client;
use crate::protocol::{DecodeError, ErrorCode};
use crate::safety::{NotReported, Reporter};
use crate::state::AppState;
use crate::store::StoreError;
use crate::store::safety::Withdrawn;

/// Largest body of a report, in bytes: as large as a frame of the socket.
pub const BODY: u64 = 64 * 1024;

/// What one takes while it is read and stored.
const HELD: usize = 2 * 64 * 1024;

/// Which side of which room is meant; the report itself stands beside it.
#[derive(Deserialize)]
struct About {
    room: String,
    #[serde(default)]
    user_id: Option<String>,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ReportedJson {
    report_id: String,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ReportsJson {
    reports: Vec<ReportJson>,
}

#[derive(JsonSchema, Serialize)]
struct ReportJson {
    report_id: String,
    room_id: String,
    reason: &'static str,
    at_ms: i64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    acted: Option<bool>,
}

impl From<OwnReport> for ReportJson {
    fn from(report: OwnReport) -> Self {
        let (state, acted) = match report.state {
            OwnReportState::Open => ("open", None),
            OwnReportState::Withdrawn => ("withdrawn", None),
            OwnReportState::Decided { acted } => ("decided", Some(acted)),
        };
        Self {
            report_id: report.id.to_string(),
            room_id: report.room.to_string(),
            reason: report.reason.as_str(),
            at_ms: report.at.0,
            state,
            acted,
        }
    }
}

/// By method: the list, or a report.
pub async fn answer(call: Call) -> HandlerResult {
    match *call.request.method() {
        Method::POST => report(call).await,
        _ => list(call).await,
    }
}

/// `GET /api/reports/`: what this session has reported, newest first.
async fn list(call: Call) -> HandlerResult {
    let reporting = &call.app.reach.reporting;
    let own = match known(&call) {
        Some(session) => reporting.own(session).await.map_err(store_problem)?,
        None => Vec::new(),
    };
    let reports = own.into_iter().map(ReportJson::from).collect();
    Ok(response::json(StatusCode::OK, &ReportsJson { reports }))
}

/// `POST /api/reports/`: 201 with the report's name. Works until the room is erased, and for a browser that is
/// neither banned nor forgotten.
async fn report(mut call: Call) -> HandlerResult {
    // Before it is read: the body, and what is made of it.
    let memory = call
        .app
        .memory
        .reserve(call.peer.address, Class::Arriving, HELD);
    let _held = memory.map_err(response::exhausted)?;
    let body = call.body().await?;
    let text = std::str::from_utf8(&body).map_err(|_| not_json())?;
    let about: About = serde_json::from_str(text).map_err(|_| not_json())?;
    let request = client::report(text).map_err(HttpProblem::from)?;
    let (room, side) = rooms::find_named(&call, &about.room, about.user_id.as_deref()).await?;
    // The token of a room outlives the cookie that it was given to.
    let session = room.side(side).session;
    if call.app.revoked.contains(session) {
        return Err(HttpProblem::no_identity());
    }
    if let Some(ban) = call.app.door.ban_of(session) {
        return Err(HttpProblem::banned(&ban));
    }
    let reporter = Reporter {
        session,
        room: room.id,
        side,
        address: call.peer.address,
    };
    let block = request.block;
    let reported = call.app.reach.reporting.report(reporter, request).await;
    let stands = reported.as_ref().map_or_else(NotReported::stands, |_| true);
    if block && stands {
        // The report is kept whatever becomes of the block; asked again, it is answered that it stands.
        block_too(&call.app, &room, side)
            .await
            .map_err(store_problem)?;
    }
    let report_id = reported?.to_string();
    Ok(response::json(
        StatusCode::CREATED,
        &ReportedJson { report_id },
    ))
}

/// As `block` on the socket: the reporter leaves, and the two do not meet again.
async fn block_too(app: &AppState, room: &Room, side: Side) -> Result<(), StoreError> {
    let (by, whom) = (room.side(side).session, room.side(side.other()).session);
    let blocking = app.store.block(by, whom, room.id);
    let closing = app.store.close_room(room.id, side, LeaveReason::Left);
    closing.await?;
    blocking.await
}

/// `DELETE /api/reports/ID`: 204 when it is withdrawn, now or before.
pub async fn withdraw(call: Call) -> HandlerResult {
    let named = call.parameter.as_deref().unwrap_or_default();
    let report = ReportId::parse(named).ok_or_else(no_such_report)?;
    let session = known(&call).ok_or_else(HttpProblem::no_identity)?;
    let withdrawn = call.app.reach.reporting.withdraw(session, report).await;
    match withdrawn.map_err(store_problem)? {
        Withdrawn::Done => Ok(response::text(StatusCode::NO_CONTENT, "")),
        Withdrawn::Decided => Err(HttpProblem::new(
            StatusCode::CONFLICT,
            "already_decided",
            "this report was looked at; it cannot be withdrawn any more",
        )),
        Withdrawn::Unknown => Err(no_such_report()),
    }
}

fn known(call: &Call) -> Option<SessionId> {
    call.principal.as_ref().and_then(Principal::known)
}

fn no_such_report() -> HttpProblem {
    HttpProblem::new(
        StatusCode::NOT_FOUND,
        "no_such_report",
        "this browser has made no such report",
    )
}

fn not_json() -> HttpProblem {
    HttpProblem::new(
        StatusCode::BAD_REQUEST,
        ErrorCode::BadJson.as_str(),
        "the body must be a JSON object with room and reason",
    )
}

impl From<DecodeError> for HttpProblem {
    fn from(error: DecodeError) -> Self {
        let detail = match error.field {
            Some(field) => format!("{field}: {}", error.code.message()).into(),
            None => std::borrow::Cow::Borrowed(error.code.message()),
        };
        Self::new(StatusCode::BAD_REQUEST, error.code.as_str(), detail)
    }
}

impl From<NotReported> for HttpProblem {
    fn from(why: NotReported) -> Self {
        let told = |status, code: ErrorCode| Self::new(status, code.as_str(), code.message());
        match why {
            NotReported::Off => told(StatusCode::FORBIDDEN, ErrorCode::ReportsOff),
            NotReported::Already => told(StatusCode::CONFLICT, ErrorCode::AlreadyReported),
            NotReported::SameSession => told(StatusCode::CONFLICT, ErrorCode::SameSession),
            NotReported::NoSuchRoom => Self::no_such_room(),
            NotReported::NotAMember => Self::not_a_side(),
            NotReported::TooMany => told(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyReports),
            NotReported::RateLimited(wait) => Self::rate_limited(wait),
            NotReported::Unavailable => Self::unavailable("the store does not answer; try again"),
        }
    }
}

/// Logs why the store failed, once, here where it is handled.
fn store_problem(error: StoreError) -> HttpProblem {
    warn!(%error, "reports could not be read or changed");
    error.into()
}
