//! `GET /api/blocks/` and `DELETE /api/blocks/ROOM/`: what a browser blocked, by the rooms where it did.
//!
//! Neither who was blocked nor what they were called is told: the first is known to no client, the second
//! is kept by the browser that saw it.

use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use tracing::warn;

use crate::domain::id::{RoomId, SessionId};
use crate::http::problem::HttpProblem;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::identity::principal::Principal;
use crate::store::StoreError;

#[derive(JsonSchema, Serialize)]
pub(super) struct BlocksJson {
    blocks: Vec<BlockJson>,
}

#[derive(JsonSchema, Serialize)]
struct BlockJson {
    room_id: String,
    since_ms: i64,
}

/// `GET /api/blocks/`: those that hold, newest first.
pub async fn list(call: Call) -> HandlerResult {
    let blocks = match known(&call) {
        Some(session) => call
            .app
            .store
            .blocks(session)
            .await
            .map_err(store_problem)?,
        None => Vec::new(),
    };
    let blocks = blocks.into_iter().map(|block| BlockJson {
        room_id: block.room.to_string(),
        since_ms: block.since.0,
    });
    let body = BlocksJson {
        blocks: blocks.collect(),
    };
    Ok(response::json(StatusCode::OK, &body))
}

/// `DELETE /api/blocks/ROOM/`: 204 when no such block is there any more, whether or not there was one.
pub async fn lift(call: Call) -> HandlerResult {
    let room = call.parameter.as_deref().unwrap_or_default();
    let room = RoomId::parse(room).ok_or_else(HttpProblem::not_a_room_id)?;
    let session = known(&call).ok_or_else(HttpProblem::no_identity)?;
    call.app
        .store
        .lift(session, room)
        .await
        .map_err(store_problem)?;
    Ok(response::text(StatusCode::NO_CONTENT, ""))
}

fn known(call: &Call) -> Option<SessionId> {
    call.principal.as_ref().and_then(Principal::known)
}

/// Logs why the store failed, once, here where it is handled.
fn store_problem(error: StoreError) -> HttpProblem {
    warn!(%error, "blocks could not be read or lifted");
    error.into()
}
