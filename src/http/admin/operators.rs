//! `/admin/api/operators/`: who they are, and what administrators change about them.

use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{done, guard, operating, read, store_problem, unfit};
use crate::domain::safety::{Actor, OperatorId, Role};
use crate::http::problem::HttpProblem;
use crate::http::response;
use crate::http::routes::{Call, HandlerResult};
use crate::operators::OperatorPrincipal;
use crate::operators::set_up::made_or_why;
use crate::store::safety::{OperatorChange, OperatorChanged};

#[derive(Serialize)]
struct OperatorsJson {
    operators: Vec<OperatorJson>,
}

#[derive(Serialize)]
struct OperatorJson {
    id: u64,
    name: String,
    role: Role,
    totp: bool,
    since_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_ms: Option<i64>,
}

#[derive(Deserialize)]
struct NewJson {
    name: String,
    role: Role,
    password: String,
}

#[derive(Serialize)]
struct MadeJson {
    id: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeJson {
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    totp: Option<bool>,
}

/// By method: the list, or a new one.
pub(super) async fn answer(call: Call) -> HandlerResult {
    match *call.request.method() {
        Method::POST => make(call).await,
        _ => list(call).await,
    }
}

async fn list(call: Call) -> HandlerResult {
    let all = operating(&call).safety().operators().await;
    let operators = all.map_err(store_problem)?.into_iter();
    let operators = operators.map(|operator| OperatorJson {
        id: operator.id.0,
        name: operator.name.as_str().to_owned(),
        role: operator.role,
        totp: operator.totp.is_some(),
        since_ms: operator.since.0,
        disabled_ms: operator.disabled.map(|it| it.0),
    });
    let operators = operators.collect();
    Ok(response::json(StatusCode::OK, &OperatorsJson { operators }))
}

async fn make(mut call: Call) -> HandlerResult {
    let typed: NewJson = read(&mut call).await?;
    let operating = operating(&call);
    let draft = operating
        .draft(&typed.name, &typed.password, typed.role)
        .await?;
    let made = operating.safety().make_operator(draft, actor(&call)?).await;
    let id = made_or_why(made.map_err(store_problem)?)?.0;
    Ok(response::json(StatusCode::CREATED, &MadeJson { id }))
}

/// `PUT /admin/api/operators/{id}/`: all of the changes or, when one is refused, none.
pub(super) async fn change(mut call: Call) -> HandlerResult {
    let asked: ChangeJson = read(&mut call).await?;
    let named = call.parameter.as_deref().and_then(|it| it.parse().ok());
    let id = OperatorId(named.ok_or_else(no_such_operator)?);
    let by = actor(&call)?;
    if by == Actor::Operator(id) && (asked.password.is_some() || asked.totp.is_some()) {
        // Else a browser that was left open would do it without the password of now.
        return Err(unfit(
            "change your own password and second factor as your own",
        ));
    }
    let operating = operating(&call);
    let mut changes = Vec::new();
    if let Some(password) = &asked.password {
        let all = operating
            .safety()
            .operators()
            .await
            .map_err(store_problem)?;
        let operator = all.into_iter().find(|it| it.id == id);
        let operator = operator.ok_or_else(no_such_operator)?;
        let draft = operating.draft(operator.name.as_str(), password, operator.role);
        changes.push(OperatorChange::Password(draft.await?.password));
    }
    match asked.totp {
        Some(false) => changes.push(OperatorChange::Totp(None)),
        Some(true) => return Err(unfit("operators turn their second factor on themselves")),
        None => {}
    }
    changes.extend(asked.role.map(OperatorChange::Role));
    changes.extend(asked.disabled.map(OperatorChange::Disabled));
    let changed = operating.safety().change_operator(id, changes, by).await;
    refused(changed.map_err(store_problem)?)?;
    done()
}

fn actor(call: &Call) -> Result<Actor, HttpProblem> {
    let operator = call.operator.as_ref();
    operator
        .map(OperatorPrincipal::actor)
        .ok_or_else(guard::not_logged_in)
}

fn refused(changed: OperatorChanged) -> Result<(), HttpProblem> {
    match changed {
        OperatorChanged::Done => Ok(()),
        OperatorChanged::Unknown => Err(no_such_operator()),
        OperatorChanged::NotAllowed => Err(guard::not_allowed()),
        OperatorChanged::LastAdministrator => Err(HttpProblem::new(
            StatusCode::CONFLICT,
            "last_administrator",
            "no administrator would be left; make another operator one first",
        )),
    }
}

fn no_such_operator() -> HttpProblem {
    HttpProblem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such operator",
    )
}
