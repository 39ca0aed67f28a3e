//! The operators' API under `/admin/api/`: what the pages of the console ask for, and by the control socket the commands
//! on the machine. The only place that knows the shapes of its JSON.

pub mod desk;
pub mod guard;

mod audit;
mod cases;
mod cookie;
mod operators;
mod own;
mod queue;
mod sanctions;
mod session;
mod setup;
mod site;

use std::time::Duration;

use hyper::StatusCode;
use serde::de::DeserializeOwned;

use super::problem::HttpProblem;
use super::response;
use super::routes::{Call, Guard, Handler, HandlerResult, Route};
use crate::domain::safety::Role;
use crate::operators::passwords::UnfitPassword;
use crate::operators::{NotLoggedIn, Operating};
use crate::store::StoreError;

/// Largest body of a small request, in bytes.
pub const BODY: u64 = 4096;

/// The addresses of the operators' API, but for those of cases ([`desk::TABLE`]).
pub const TABLE: &[Route] = &[
    Route {
        guard: Guard::Console,
        methods: "GET, HEAD, POST, DELETE",
        body: BODY,
        ..Route::operator("/admin/api/session/", Role::Moderator, |call| {
            Box::pin(session::answer(call))
        })
    },
    Route {
        guard: Guard::Console,
        ..post("/admin/api/setup/", |call| Box::pin(setup::set_up(call)))
    },
    Route {
        guard: Guard::Control,
        ..post("/admin/api/link/", |call| Box::pin(setup::link(call)))
    },
    Route::operator("/admin/api/sessions/", Role::Moderator, |call| {
        Box::pin(own::sessions(call))
    }),
    Route {
        methods: "DELETE",
        ..Route::operator("/admin/api/sessions/{id}/", Role::Moderator, |call| {
            Box::pin(own::end_session(call))
        })
    },
    post("/admin/api/password/", |call| Box::pin(own::password(call))),
    Route {
        methods: "POST, PUT, DELETE",
        ..post("/admin/api/totp/", |call| Box::pin(own::totp(call)))
    },
    Route {
        methods: "GET, HEAD, POST",
        body: BODY,
        ..Route::operator("/admin/api/operators/", Role::Administrator, |call| {
            Box::pin(operators::answer(call))
        })
    },
    Route {
        methods: "PUT",
        body: BODY,
        ..Route::operator("/admin/api/operators/{id}/", Role::Administrator, |call| {
            Box::pin(operators::change(call))
        })
    },
    Route::operator("/admin/api/audit/", Role::Administrator, |call| {
        Box::pin(audit::list(call))
    }),
    Route::operator("/admin/api/audit/verify/", Role::Administrator, |call| {
        Box::pin(audit::verify(call))
    }),
];

/// What any operator may send.
const fn post(path: &'static str, handler: Handler) -> Route {
    Route {
        methods: "POST",
        body: BODY,
        ..Route::operator(path, Role::Moderator, handler)
    }
}

/// What operators' log-ins reach.
pub fn operating(call: &Call) -> &Operating {
    &call.app.operating
}

/// The body, read as JSON.
///
/// # Errors
/// It is larger than the row allows, or not what is asked for.
pub async fn read<T: DeserializeOwned>(call: &mut Call) -> Result<T, HttpProblem> {
    let body = call.body().await?;
    // What serde says names fields and types, and may name what was sent: it is not told.
    serde_json::from_slice(&body).map_err(|_| {
        HttpProblem::new(
            StatusCode::BAD_REQUEST,
            "bad_json",
            "the body must be a JSON object with the fields that this address takes",
        )
    })
}

/// 204.
pub fn done() -> HandlerResult {
    Ok(response::text(StatusCode::NO_CONTENT, ""))
}

/// 422: something that was sent cannot be taken; `detail` says what.
pub fn unfit(detail: impl Into<std::borrow::Cow<'static, str>>) -> HttpProblem {
    HttpProblem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit", detail)
}

/// 422: the same, by a name of its own: the console has words for it in each of its languages.
fn unfit_by_name(code: &'static str, detail: String) -> HttpProblem {
    HttpProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

/// 422: a password that may not be chosen.
fn unfit_password(why: UnfitPassword) -> HttpProblem {
    let code = match why {
        UnfitPassword::Short => "password_short",
        UnfitPassword::Long => "password_long",
        UnfitPassword::Guessable => "password_guessable",
    };
    unfit_by_name(code, why.to_string())
}

/// Logs why the store failed, once, here where it is handled.
pub fn store_problem(error: StoreError) -> HttpProblem {
    tracing::warn!(%error, "what an operator asked for could not be read or changed");
    error.into()
}

/// 429: a name, password or code was tried too often.
fn too_many_tries(wait: Duration) -> HttpProblem {
    HttpProblem {
        retry_after: Some(wait),
        ..HttpProblem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_tries",
            "too many tries; wait as long as retry_after_ms says. The commands on the machine always work.",
        )
    }
}

impl From<NotLoggedIn> for HttpProblem {
    fn from(why: NotLoggedIn) -> Self {
        let unauthorized =
            |code, detail: &'static str| Self::new(StatusCode::UNAUTHORIZED, code, detail);
        match why {
            NotLoggedIn::Wrong => unauthorized(
                "wrong_login",
                "name, password or code are not right; `miyu admin reset-password NAME` on the machine makes a new password",
            ),
            NotLoggedIn::CodeNeeded => unauthorized(
                "code_needed",
                "send the code of your second factor, or a recovery code, as code",
            ),
            NotLoggedIn::TooManyTries(wait) => too_many_tries(wait),
            NotLoggedIn::Busy => Self::unavailable("too many log-ins at once; try again"),
            NotLoggedIn::Store(error) => store_problem(error),
        }
    }
}
