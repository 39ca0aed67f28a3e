//! `GET /api/schema/`: the protocol of the sockets and the answers of the API as JSON Schema.

use std::sync::OnceLock;

use hyper::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{blocks, notices, reports, rooms, site};
use crate::console::transparency::TransparencyJson;
use crate::domain::id::Seq;
use crate::http::problem::ProblemJson;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::protocol::schema::{self, Define, of};
use crate::protocol::server::RoomView;

/// What each address answers when it answers with JSON.
const ANSWERS: &[(&str, Define)] = &[
    ("GET /api/site/", of::<site::SiteJson>),
    ("GET /api/stats/", of::<site::StatsJson>),
    ("GET /api/rooms/", of::<rooms::RoomsJson>),
    ("GET /api/rooms/{room}/", of::<RoomView>),
    ("GET /api/rooms/{room}/messages/", of::<MessagesJson>),
    ("GET /api/blocks/", of::<blocks::BlocksJson>),
    ("GET /api/reports/", of::<reports::ReportsJson>),
    ("POST /api/reports/", of::<reports::ReportedJson>),
    ("GET /api/transparency/", of::<TransparencyJson>),
    ("GET /api/notices/", of::<notices::NoticesJson>),
    ("POST /api/appeals/", of::<notices::AppealedJson>),
    ("problem", of::<ProblemJson>),
];

/// A page of a log, as [`response::json_page`] writes it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is made")]
struct MessagesJson {
    /// The frames that the socket would send.
    #[schemars(schema_with = "frames")]
    entries: Vec<()>,
    last_seq: Seq,
    /// Go on after it.
    upto: Seq,
    /// What was asked for is not in this log any more: it begins again.
    #[schemars(skip_serializing_if = "Option::is_none")]
    anew: Option<bool>,
}

fn frames(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "$ref": "#/$defs/chat.server" } })
}

/// The whole document, made once.
pub fn document() -> &'static serde_json::Value {
    static DOCUMENT: OnceLock<serde_json::Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| schema::document(ANSWERS))
}

/// `GET /api/schema/`.
pub async fn answer(_: Call) -> HandlerResult {
    Ok(response::json(StatusCode::OK, document()))
}
