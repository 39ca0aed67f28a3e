//! For operators: is it alive, is it ready and why not, its numbers.

use hyper::StatusCode;
use serde::Serialize;

use super::routes::{Call, HandlerResult};
use super::{ResponseBody, response};
use crate::channel;
use crate::clock::{Clock as _, Steady};
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
    let mut problems = Vec::new();
    let mut notices = Vec::new();
    let mut problem = |part, why: String| problems.push(Finding { part, why });
    if !app.shutdown.ready() {
        problem("server", "it is shutting down".into());
    }
    if let Err(error) = app.store.ready().await {
        problem("store", error.to_string());
    }
    if let channel::Status::Degraded(why) = app.channel.status() {
        notices.push(Finding {
            part: "channel",
            why,
        });
    }
    let missing = app.notices.all().into_iter();
    notices.extend(missing.map(|(part, why)| Finding { part, why }));
    let (open, most) = (app.limits.open_connections(), app.limits.max_connections());
    if open.saturating_mul(10) >= most.saturating_mul(9) {
        notices.push(Finding {
            part: "limits.connections",
            why: format!("{open} of at most {most} connections are open"),
        });
    }
    if app.memory.scarce() {
        notices.push(Finding {
            part: "limits.memory",
            why: format!(
                "{} of {} bytes are held for clients that do not take them",
                app.memory.used(),
                app.memory.limit()
            ),
        });
    }
    if let Some(why) = Steady.notice() {
        notices.push(Finding { part: "clock", why });
    }
    if let Some(why) = LINES.trouble() {
        notices.push(Finding { part: "log", why });
    }
    if let Some(why) = app.capacity.hint() {
        notices.push(Finding {
            part: "store.max_size",
            why,
        });
    }
    let ready = problems.is_empty();
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = Readiness {
        ready,
        problems,
        notices,
    };
    Ok(response::json(status, &body))
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
    metrics::counter!(telemetry::CLOCK_STEPS).absolute(Steady.steps());
    // Counted where no recorder may be asked: a panic is logged there too.
    metrics::counter!(telemetry::LOG_LOST).absolute(LINES.lost());
    Ok(response::with_type(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        ResponseBody::new(handle.render()),
    ))
}
