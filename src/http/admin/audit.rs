//! `/admin/api/audit/`: what operators did, and whether the log of it is whole.

use hyper::StatusCode;
use serde::Serialize;

use super::{operating, store_problem, unfit};
use crate::domain::safety::chain::Fault;
use crate::domain::safety::{AuditRow, RowHash};
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};

/// Most rows of one answer.
const ROWS: u64 = 100;

#[derive(Serialize)]
struct AuditJson {
    rows: Vec<RowJson>,
    head: HeadJson,
}

#[derive(Serialize)]
struct RowJson {
    no: u64,
    at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    act: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanction: Option<u64>,
    details: String,
}

#[derive(Serialize)]
struct HeadJson {
    no: u64,
    hash: String,
}

#[derive(Serialize)]
struct VerdictJson {
    intact: bool,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<u64>,
    faults: Vec<String>,
    head: HeadJson,
}

impl From<AuditRow> for RowJson {
    fn from(row: AuditRow) -> Self {
        Self {
            no: row.no,
            at_ms: row.at.0,
            name: row.name,
            act: row.what.act.as_str(),
            case: row.what.case.map(|it| it.0),
            sanction: row.what.sanction.map(|it| it.0),
            details: row.what.details,
        }
    }
}

/// `GET /admin/api/audit/`: newest first, `before` a number of a row.
pub(super) async fn list(call: Call) -> HandlerResult {
    let safety = operating(&call).safety();
    let mut query = call.query().split('&');
    let before = query.find_map(|it| it.strip_prefix("before="));
    let rows = match before.map(str::parse::<u64>) {
        None => safety.newest_audit().await,
        Some(Ok(before)) => {
            let after = before.saturating_sub(ROWS + 1);
            let rows = safety.audit(after).await;
            rows.map(|mut rows| {
                rows.retain(|row| row.no < before);
                rows.reverse();
                rows
            })
        }
        Some(Err(_)) => return Err(unfit("before is the number of a row")),
    };
    let rows = rows.map_err(store_problem)?.into_iter();
    let rows = rows.take(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let rows = rows.map(RowJson::from).collect();
    let (no, hash) = safety.audit_head().await.map_err(store_problem)?;
    let head = head(no, hash);
    Ok(response::json(StatusCode::OK, &AuditJson { rows, head }))
}

/// `GET /admin/api/audit/verify/`.
pub(super) async fn verify(call: Call) -> HandlerResult {
    let verdict = operating(&call).verify_audit().await;
    let verdict = verdict.map_err(store_problem)?;
    let told = VerdictJson {
        intact: verdict.faults.is_empty(),
        rows: verdict.rows,
        broken_at: verdict.faults.first().map(|fault| match *fault {
            Fault::Changed(no)
            | Fault::Removed(no, _)
            | Fault::Inserted(no)
            | Fault::Unlinked(no) => no,
        }),
        faults: verdict.faults.iter().map(Fault::to_string).collect(),
        head: head(verdict.head.no, verdict.head.hash),
    };
    Ok(response::json(StatusCode::OK, &told))
}

fn head(no: u64, hash: RowHash) -> HeadJson {
    let hash = hash.iter().map(|it| format!("{it:02x}")).collect();
    HeadJson { no, hash }
}
