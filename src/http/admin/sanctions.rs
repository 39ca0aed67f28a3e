//! `/admin/api/sanctions/`: those in force or of a person, lifting one, and a network in a raid.

use hyper::{Method, StatusCode};
use serde::Serialize;

use super::{desk, done, guard};
use crate::console::{Refused, drafts};
use crate::domain::safety::{CaseId, Role, SanctionId};
use crate::http::problem::HttpProblem;
use crate::http::routes::{Call, HandlerResult};
use crate::http::{query, response};

#[derive(Serialize)]
struct ImposedJson {
    id: u64,
}

/// By method: the list, or a sanction on a network.
pub async fn answer(call: Call) -> HandlerResult {
    match *call.request.method() {
        Method::POST => raid(call).await,
        _ => list(call).await,
    }
}

/// `GET /admin/api/sanctions/`: of the person of a case (`?case=N`), of a session (`?session=…`), or those in force.
async fn list(call: Call) -> HandlerResult {
    let (console, asker) = desk::at(&call)?;
    let not_found = || HttpProblem::from(Refused::NotFound);
    let of = |name| query::parameter(call.query(), name);
    let found = match (of("case"), of("session")) {
        (Some(case), _) => {
            let case = desk::number(Some(case)).ok_or_else(not_found)?;
            console.sanctions_of_case(asker, CaseId(case)).await?
        }
        (None, Some(session)) => {
            let session = drafts::session_named(session).ok_or_else(not_found)?;
            console.sanctions_on(asker, session).await?
        }
        (None, None) => console.sanctions_in_force(asker).await?,
    };
    desk::answer(&found)
}

/// `POST /admin/api/sanctions/`: for administrators.
async fn raid(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    if asker.role < Role::Administrator {
        return Err(guard::not_allowed());
    }
    let SanctionId(id) = console.raid(asker, order).await?;
    Ok(response::json(StatusCode::CREATED, &ImposedJson { id }))
}

/// `POST /admin/api/sanctions/{id}/lift/`.
pub async fn lift(mut call: Call) -> HandlerResult {
    let order = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    console.lift(asker, desk::sanction(&call)?, order).await?;
    done()
}
