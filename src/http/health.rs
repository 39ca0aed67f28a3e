//! For operators: is it alive, is it ready and why not, its numbers.

use hyper::StatusCode;
use serde::Serialize;

use super::routes::{Call, HandlerResult};
use super::{ResponseBody, response};
use crate::channel;
use crate::clock::{Clock as _, Steady};
use crate::state::AppState;
use crate::telemetry;
use crate::telemetry::lines::LINES;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// What keeps it from being ready.
    problems: Vec<Finding>,
    /// What works but is not as it should be.
    notices: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    part: &'static str,
    why: String,
}

/// `/healthz`: the process answers.
pub async fn alive(_: Call) -> HandlerResult {
    Ok(response::text(StatusCode::OK, "ok\n"))
}

/// `/readyz`: traffic may be sent here; the reasons when not.
pub async fn ready(call: Call) -> HandlerResult {
    let app = &*call.app;
    let problems = problems(app).await;
    let ready = problems.is_empty();
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = Readiness {
        ready,
        problems,
        notices: notices(app),
    };
    Ok(response::json(status, &body))
}

async fn problems(app: &AppState) -> Vec<Finding> {
    let mut problems = Vec::new();
    if !app.shutdown.ready() {
        problems.push(Finding {
            part: "server",
            why: "it is shutting down".into(),
        });
    }
    if let Err(error) = app.store.ready().await {
        problems.push(Finding {
            part: "store",
            why: error.to_string(),
        });
    }
    problems
}

fn notices(app: &AppState) -> Vec<Finding> {
    let channel = match app.channel.status() {
        channel::Status::Live => None,
        channel::Status::Degraded(why) => Some(why),
    };
    let (open, most) = (app.limits.open_connections(), app.limits.max_connections());
    let crowded = open.saturating_mul(10) >= most.saturating_mul(9);
    let crowded = crowded.then(|| format!("{open} of at most {most} connections are open"));
    let (used, limit) = (app.memory.used(), app.memory.limit());
    let scarce = app.memory.scarce();
    let scarce = scarce
        .then(|| format!("{used} of {limit} bytes are held for clients that do not take them"));
    let before = [("channel", channel)];
    let after = [
        ("limits.connections", crowded),
        ("limits.memory", scarce),
        ("clock", Steady.notice()),
        ("log", LINES.trouble()),
        ("store.max_size", app.capacity.hint()),
        ("sanctions", app.door.sanctions().hint()),
    ];
    let missing = app.notices.all().into_iter();
    let missing = missing.map(|(part, why)| (part, Some(why)));
    before
        .into_iter()
        .chain(missing)
        .chain(after)
        .filter_map(|(part, why)| Some(Finding { part, why: why? }))
        .collect()
}

/// `/metrics`: Prometheus text. Gauges that are cheap to read are read now.
pub async fn metrics(call: Call) -> HandlerResult {
    let app = &*call.app;
    let Some(handle) = telemetry::prometheus() else {
        let why = "metrics are not set up\n";
        return Ok(response::text(StatusCode::SERVICE_UNAVAILABLE, why));
    };
    metrics::gauge!(telemetry::WAITING).set(app.pool.stats().total() as f64);
    metrics::gauge!(telemetry::ROOMS).set(app.store.count_open_rooms() as f64);
    metrics::gauge!(telemetry::ONLINE).set(app.online.count() as f64);
    metrics::gauge!(telemetry::TCP).set(app.limits.open_connections() as f64);
    metrics::gauge!(telemetry::MEMORY_USED).set(app.memory.used() as f64);
    metrics::gauge!(telemetry::MEMORY_LIMIT).set(app.memory.limit() as f64);
    let [on_sessions, on_networks] = app.door.sanctions().counts();
    metrics::gauge!(telemetry::SANCTIONS, "on" => "session").set(on_sessions as f64);
    metrics::gauge!(telemetry::SANCTIONS, "on" => "network").set(on_networks as f64);
    metrics::counter!(telemetry::CLOCK_STEPS).absolute(Steady.steps());
    // Counted where no recorder may be asked: a panic is logged there too.
    metrics::counter!(telemetry::LOG_LOST).absolute(LINES.lost());
    Ok(response::with_type(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        ResponseBody::new(handle.render()),
    ))
}
