//! What operators see and change of themselves: their sessions, password and second factor.

use hyper::header::SET_COOKIE;
use hyper::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    cookie, done, guard, operating, read, store_problem, unfit, unfit_by_name, unfit_password,
};
use crate::domain::safety::{LoginHash, Operator};
use crate::http::problem::HttpProblem;
use crate::http::routes::{Call, HandlerResult};
use crate::http::{response, sessions};
use crate::invitation;
use crate::operators::{NotChanged, OperatorPrincipal, Proof, totp};

#[derive(Serialize)]
struct SessionsJson {
    sessions: Vec<SessionJson>,
}

#[derive(Serialize)]
struct SessionJson {
    id: String,
    since_ms: i64,
    used_ms: i64,
    current: bool,
}

#[derive(Deserialize)]
struct PasswordJson {
    current: String,
    new: String,
}

#[derive(Serialize)]
struct OfferJson {
    secret: String,
    uri: String,
    svg: String,
}

#[derive(Deserialize)]
struct TotpOnJson {
    secret: String,
    code: String,
    password: String,
}

#[derive(Deserialize)]
struct TotpOffJson {
    password: String,
}

#[derive(Serialize)]
struct CodesJson {
    recovery_codes: Vec<String>,
}

/// `GET /admin/api/sessions/`.
pub(super) async fn sessions(call: Call) -> HandlerResult {
    let operator = own(&call)?.id;
    let current = call.operator.as_ref().and_then(OperatorPrincipal::session);
    let all = operating(&call).safety().sessions(operator).await;
    let sessions = all.map_err(store_problem)?.into_iter();
    let sessions = sessions.map(|session| SessionJson {
        id: name(session.hash),
        since_ms: session.since.0,
        used_ms: session.used.0,
        current: Some(session.hash) == current,
    });
    let sessions = sessions.collect();
    Ok(response::json(StatusCode::OK, &SessionsJson { sessions }))
}

/// `DELETE /admin/api/sessions/{id}/`.
pub(super) async fn end_session(call: Call) -> HandlerResult {
    let operator = own(&call)?.id;
    let operating = operating(&call);
    let all = operating.safety().sessions(operator).await;
    let named = call.parameter.as_deref().unwrap_or_default();
    let all = all.map_err(store_problem)?;
    let Some(session) = all.iter().find(|it| name(it.hash) == named) else {
        return Err(HttpProblem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "this session is not one of yours, or is over",
        ));
    };
    let ended = operating.log_out(operator, session.hash).await;
    ended.map_err(store_problem)?;
    done()
}

/// By what a session is called: a part of its hash, from which no cookie can be made.
fn name(hash: LoginHash) -> String {
    hash.0[..8].iter().map(|it| format!("{it:02x}")).collect()
}

/// `POST /admin/api/password/`.
pub(super) async fn password(mut call: Call) -> HandlerResult {
    let typed: PasswordJson = read(&mut call).await?;
    let visitor = sessions::principal(&call.app, &call.peer, call.request.headers()).known();
    let proof = proof(&call, typed.current);
    let changed = operating(&call).change_password(own(&call)?, proof, &typed.new, visitor);
    let secret = changed.await?;
    let mut answer = response::text(StatusCode::NO_CONTENT, "");
    let set = cookie::written(Some(&secret), call.peer.jar());
    answer.headers_mut().insert(SET_COOKIE, set);
    Ok(answer)
}

/// `/admin/api/totp/`, by method: a secret is offered, taken, or given up.
pub(super) async fn totp(mut call: Call) -> HandlerResult {
    match *call.request.method() {
        Method::POST => offer(&call),
        Method::PUT => {
            let typed: TotpOnJson = read(&mut call).await?;
            let proof = proof(&call, typed.password);
            let (operating, own) = (operating(&call), own(&call)?);
            let codes = operating.turn_totp_on(own, proof, &typed.secret, &typed.code);
            let recovery_codes = codes.await?;
            Ok(response::json(
                StatusCode::OK,
                &CodesJson { recovery_codes },
            ))
        }
        _ => {
            let typed: TotpOffJson = read(&mut call).await?;
            let proof = proof(&call, typed.password);
            operating(&call).turn_totp_off(own(&call)?, proof).await?;
            done()
        }
    }
}

fn offer(call: &Call) -> HandlerResult {
    let operator = own(call)?;
    let secret = totp::written(&rand::random::<[u8; totp::SECRET_BYTES]>());
    let host = call.peer.host.as_deref().unwrap_or_default();
    let uri = totp::uri(&secret, host, operator.name.as_str());
    let svg = invitation::secret_as_svg(&uri).unwrap_or_default();
    let offer = OfferJson { secret, uri, svg };
    Ok(response::json(StatusCode::OK, &offer))
}

fn proof(call: &Call, password: String) -> Proof {
    Proof {
        password,
        address: call.peer.address,
    }
}

/// The operator themselves: a command on the machine is none.
fn own(call: &Call) -> Result<&Operator, HttpProblem> {
    let operator = call.operator.as_ref().and_then(|it| it.operator.as_ref());
    operator.ok_or_else(guard::not_logged_in)
}

impl From<NotChanged> for HttpProblem {
    fn from(why: NotChanged) -> Self {
        match why {
            NotChanged::Wrong => Self::new(
                StatusCode::FORBIDDEN,
                "wrong_password",
                "this is not your password of now",
            ),
            NotChanged::TooManyTries(wait) => super::too_many_tries(wait),
            NotChanged::Password(why) => unfit_password(why),
            NotChanged::Secret => unfit("send the secret as it was offered"),
            NotChanged::Code => unfit_by_name(
                "wrong_code",
                "this code is not the one of the secret; check the clock of your phone, and type the next one".into(),
            ),
            NotChanged::Gone => guard::not_logged_in(),
            NotChanged::Busy => Self::unavailable("too many log-ins at once; try again"),
            NotChanged::Store(error) => store_problem(error),
        }
    }
}
