//! `GET /api/notices/`, `POST /api/notices/ID/acknowledge/` and `POST /api/appeals/`: what a browser is told of decisions
//! about it, and its word against one. All of it answers to those who are banned, too.

use hyper::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::admission::sanctions::Holding;
use crate::domain::id::SessionId;
use crate::domain::safety::NoticeId;
use crate::domain::safety::notice::APPEAL_CHARS;
use crate::domain::visible;
use crate::http::problem::HttpProblem;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::http::upgrade;
use crate::identity::principal::Principal;
use crate::protocol::{ErrorCode, NoticeView};
use crate::store::StoreError;
use crate::store::safety::Appealed;

/// Largest body of an appeal, in bytes: its text may be escaped.
pub const APPEAL_BODY: u64 = 32 * 1024;

#[derive(JsonSchema, Serialize)]
pub(super) struct NoticesJson<'a> {
    notices: Vec<NoticeView<'a>>,
    standing: StandingJson,
}

/// What holds now against the one who asks, by session and by network.
#[derive(JsonSchema, Serialize)]
struct StandingJson {
    ban: Option<HoldingJson>,
    mute: Option<HoldingJson>,
}

#[derive(JsonSchema, Serialize)]
struct HoldingJson {
    rule: &'static str,
    until_ms: Option<i64>,
}

impl From<Holding> for HoldingJson {
    fn from(holding: Holding) -> Self {
        Self {
            rule: holding.rule.as_str(),
            until_ms: holding.until.map(|until| until.0),
        }
    }
}

#[derive(Deserialize)]
struct AppealBody {
    notice: String,
    text: String,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct AppealedJson {
    appeal: &'static str,
}

/// `GET /api/notices/`: what the site tells all first, then the newest of this session.
pub async fn list(call: Call) -> HandlerResult {
    let (app, session) = (&call.app, known(&call));
    let own = match session {
        Some(session) => app.board.notices(session).await.map_err(store_problem)?,
        None => Vec::new(),
    };
    let language = upgrade::language(app, &call.request);
    let mut notices = app.board.to_all(language);
    notices.extend(own.iter().map(|it| NoticeView::of(it).into_owned()));
    let against = app.door.against(session, call.peer.address);
    let standing = StandingJson {
        ban: against.ban.map(HoldingJson::from),
        mute: against.mute.map(HoldingJson::from),
    };
    let body = NoticesJson { notices, standing };
    Ok(response::json(StatusCode::OK, &body))
}

/// `POST /api/notices/ID/acknowledge/`: 204, also when it was confirmed before.
pub async fn acknowledge(call: Call) -> HandlerResult {
    let named = call.parameter.as_deref().unwrap_or_default();
    let notice = NoticeId::parse(named).ok_or_else(no_such_notice)?;
    let session = known(&call).ok_or_else(HttpProblem::no_identity)?;
    let confirmed = call.app.board.acknowledge(session, notice).await;
    match confirmed.map_err(store_problem)? {
        true => Ok(response::text(StatusCode::NO_CONTENT, "")),
        false => Err(no_such_notice()),
    }
}

/// `POST /api/appeals/`: 201 when it waits.
pub async fn appeal(mut call: Call) -> HandlerResult {
    let session = known(&call).ok_or_else(HttpProblem::no_identity)?;
    let body = call.body().await?;
    let AppealBody { notice, text } = serde_json::from_slice(&body).map_err(|_| not_json())?;
    let notice = NoticeId::parse(&notice).ok_or_else(no_such_notice)?;
    let text = text.trim();
    if !visible::shows(text) {
        return Err(unfit("text_empty", "say in a few words why it is wrong"));
    }
    if text.chars().count() > APPEAL_CHARS {
        return Err(unfit(
            "text_too_long",
            "an appeal has at most 2,000 characters",
        ));
    }
    let appealed = call.app.board.appeal(session, notice, text.to_owned());
    match appealed.await.map_err(store_problem)? {
        Appealed::Done(_) => Ok(response::json(
            StatusCode::CREATED,
            &AppealedJson { appeal: "pending" },
        )),
        Appealed::Already => Err(conflict(
            "already_appealed",
            "this was appealed before; a decision is appealed once",
        )),
        Appealed::NotPossible => Err(conflict(
            "nothing_to_appeal",
            "this notice tells of nothing that holds",
        )),
        Appealed::Unknown => Err(no_such_notice()),
    }
}

fn known(call: &Call) -> Option<SessionId> {
    call.principal.as_ref().and_then(Principal::known)
}

fn no_such_notice() -> HttpProblem {
    HttpProblem::new(
        StatusCode::NOT_FOUND,
        "no_such_notice",
        "this browser has no such notice",
    )
}

fn unfit(code: &'static str, detail: &'static str) -> HttpProblem {
    HttpProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

fn conflict(code: &'static str, detail: &'static str) -> HttpProblem {
    HttpProblem::new(StatusCode::CONFLICT, code, detail)
}

fn not_json() -> HttpProblem {
    HttpProblem::new(
        StatusCode::BAD_REQUEST,
        ErrorCode::BadJson.as_str(),
        "the body must be a JSON object with notice and text",
    )
}

/// Logs why the store failed, once, here where it is handled.
fn store_problem(error: StoreError) -> HttpProblem {
    warn!(%error, "notices could not be read or changed");
    error.into()
}
