//! `/admin/api/session/`: logging in and out, and who is logged in.

use hyper::header::SET_COOKIE;
use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::{cookie, guard, operating, read, store_problem};
use crate::domain::safety::{Operator, Role};
use crate::http::problem::HttpProblem;
use crate::http::request::Peer;
use crate::http::routes::{Call, HandlerResult};
use crate::http::{ResponseBody, response, sessions};
use crate::operators::passwords::Password;
use crate::operators::{IDLE, LONGEST, LogIn, Secret};

#[derive(Deserialize)]
struct LogInJson {
    name: String,
    password: String,
    #[serde(default)]
    code: Option<String>,
}

#[derive(Serialize)]
struct SessionJson<'a> {
    operator: OwnJson<'a>,
    idle_ms: u64,
    longest_ms: u64,
}

#[derive(Serialize)]
struct OwnJson<'a> {
    id: u64,
    name: &'a str,
    role: Role,
    totp: bool,
    recovery_codes: u32,
}

/// By method.
pub(super) async fn answer(call: Call) -> HandlerResult {
    match *call.request.method() {
        Method::POST => log_in(call).await,
        Method::DELETE => log_out(call).await,
        _ => who(call).await,
    }
}

async fn who(call: Call) -> HandlerResult {
    if let Some(operator) = call.operator.as_ref().and_then(|it| it.operator.as_ref()) {
        return Ok(response::json(StatusCode::OK, &session(operator)));
    }
    let safety = operating(&call).safety();
    match safety.operator_exists().await.map_err(store_problem)? {
        true => Err(guard::not_logged_in()),
        false => Err(HttpProblem::new(
            StatusCode::UNAUTHORIZED,
            "no_operator",
            "this site has no operator yet; `miyu admin link` on the machine makes a link for the first",
        )),
    }
}

async fn log_in(mut call: Call) -> HandlerResult {
    let typed: LogInJson = read(&mut call).await?;
    let asked = LogIn {
        name: typed.name,
        password: Password::typed(&typed.password),
        code: typed.code.filter(|it| !it.trim().is_empty()),
        address: call.peer.address,
        visitor: sessions::principal(&call.app, &call.peer, call.request.headers()).known(),
    };
    let before = call.operator.take();
    let logged_in = operating(&call).log_in(asked, before).await?;
    Ok(begun(&logged_in.operator, &logged_in.secret, &call.peer))
}

async fn log_out(call: Call) -> HandlerResult {
    let own = call.operator.as_ref();
    if let Some((operator, session)) = own.and_then(|it| it.id().zip(it.session())) {
        let ended = operating(&call).log_out(operator, session).await;
        ended.map_err(store_problem)?;
    }
    let mut answer = response::text(StatusCode::NO_CONTENT, "");
    let gone = cookie::written(None, call.peer.jar());
    answer.headers_mut().insert(SET_COOKIE, gone);
    Ok(answer)
}

/// The answer to one who is logged in from now on.
pub(super) fn begun(operator: &Operator, secret: &Secret, peer: &Peer) -> Response<ResponseBody> {
    let mut answer = response::json(StatusCode::OK, &session(operator));
    let set = cookie::written(Some(secret), peer.jar());
    answer.headers_mut().insert(SET_COOKIE, set);
    answer
}

fn session(operator: &Operator) -> SessionJson<'_> {
    let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    SessionJson {
        operator: OwnJson {
            id: operator.id.0,
            name: operator.name.as_str(),
            role: operator.role,
            totp: operator.totp.is_some(),
            recovery_codes: operator.recovery_codes,
        },
        idle_ms: millis(IDLE),
        longest_ms: millis(LONGEST),
    }
}
