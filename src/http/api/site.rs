//! `GET /api/site` and `GET /api/stats`: what this site is, and who is here.

use hyper::StatusCode;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use crate::assets::Language;
use crate::config::{OfferedTopic, Site, Words as _};
use crate::domain::entry::CONTENT_CHARS;
use crate::domain::rounded;
use crate::http::routes::{Call, HandlerResult};
use crate::http::{invitation, response};
use crate::protocol::schema;
use crate::state::AppState;

/// Longest nickname that our pages accept; the wire allows more.
const PAGE_NICKNAME_CHARS: usize = 12;

#[derive(JsonSchema, Serialize)]
pub(super) struct SiteJson<'a> {
    /// The version of the protocol, `/api/schema/` describes it.
    protocol: u32,
    name: &'a str,
    tagline: &'a str,
    rules: &'a str,
    contact: String,
    topics: Vec<OfferedTopic<'a>>,
    hours: Option<HoursJson>,
    address: Option<String>,
    starters: Vec<StarterJson<'a>>,
    minimum_age: u8,
    default_language: &'static str,
    languages: Vec<&'a str>,
    retention_ms: u64,
    reconnect_grace_ms: u64,
    tag_patience_ms: u64,
    repeat_patience_ms: u64,
    max_message_chars: usize,
    max_nickname_chars: usize,
    push: Option<PushJson<'a>>,
    maintenance: Option<MaintenanceJson>,
    options: Options,
}

/// How browsers let this site call people, and for how long a call is worth something.
#[derive(JsonSchema, Serialize)]
struct PushJson<'a> {
    key: &'a str,
    call_for_ms: u64,
}

/// No new pairs are made until then.
#[derive(JsonSchema, Serialize)]
struct MaintenanceJson {
    until_ms: i64,
}

/// The opening that is going on, or else the next one, as two moments.
#[derive(JsonSchema, Serialize)]
struct HoursJson {
    from_ms: i64,
    to_ms: i64,
}

/// A first sentence of the operator's own.
#[derive(JsonSchema, Serialize)]
struct StarterJson<'a> {
    language: Option<&'static str>,
    text: &'a str,
}

/// Parts that later versions may switch on; a page shows what is true.
#[derive(JsonSchema, Serialize)]
struct Options {
    companion: bool,
    accounts: bool,
    reports: bool,
}

#[derive(JsonSchema, Serialize)]
pub(super) struct StatsJson {
    online: u64,
    waiting: u64,
    rooms: u64,
}

/// Whether there is an operator who reads reports.
pub async fn takes_reports(app: &AppState) -> bool {
    app.reach.reporting.offered().await
}

/// `GET /api/site`.
pub async fn site(call: Call) -> HandlerResult {
    let (config, bundle) = (&call.app.config, call.app.assets.latest());
    let reports = takes_reports(&call.app).await;
    let site = bundle.site();
    let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let body = SiteJson {
        protocol: schema::VERSION,
        name: &site.name,
        tagline: &site.tagline,
        rules: &site.rules,
        contact: site
            .contact
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        topics: site.offered_topics(),
        hours: hours(site, &config.chat.time_zone),
        address: invitation::address(&config.server, &call.peer),
        starters: site
            .starters()
            .map(|(language, text)| StarterJson { language, text })
            .collect(),
        minimum_age: site.minimum_age,
        default_language: site.default_language.word(),
        languages: bundle.languages().iter().map(Language::tag).collect(),
        retention_ms: millis(config.store.retention),
        reconnect_grace_ms: millis(config.chat.reconnect_grace),
        tag_patience_ms: millis(config.matching.tag_patience),
        repeat_patience_ms: millis(config.matching.repeat_patience),
        max_message_chars: CONTENT_CHARS,
        max_nickname_chars: PAGE_NICKNAME_CHARS,
        push: call.app.push_key.as_deref().map(|key| PushJson {
            key,
            call_for_ms: millis(config.matching.call_for),
        }),
        maintenance: maintenance(&call),
        options: Options {
            companion: false,
            accounts: false,
            reports,
        },
    };
    Ok(response::json(StatusCode::OK, &body))
}

fn maintenance(call: &Call) -> Option<MaintenanceJson> {
    call.app.board.maintenance()?;
    let set = call.app.board.announcements();
    let until_ms = set.maintenance.as_ref()?.until_ms;
    Some(MaintenanceJson { until_ms })
}

fn hours(site: &Site, zone: &TimeZone) -> Option<HoursJson> {
    let opening = site.hours.as_ref()?.at(crate::clock::now(), zone)?;
    Some(HoursJson {
        from_ms: opening.from.0,
        to_ms: opening.to.0,
    })
}

/// `GET /api/stats`: coarse, the same for all who ask, and a crowd behind one address counts once.
pub async fn stats(call: Call) -> HandlerResult {
    let figures = call.app.figures.sample();
    let body = StatsJson {
        online: figures.online(),
        waiting: figures.waiting(),
        rooms: rounded(figures.rooms),
    };
    Ok(response::json(StatusCode::OK, &body))
}
