//! What the handlers of cases share: who asks at which desk, and what a refusal is over HTTP.

use hyper::StatusCode;
use serde::Serialize;

use super::{cases, guard, queue, sanctions, site};
use crate::console::{Asker, Console, Refused};
use crate::domain::safety::{CaseId, Role, SanctionId};
use crate::http::problem::HttpProblem;
use crate::http::response;
use crate::http::routes::{Call, Guard, Handler, HandlerResult, Route};

/// Largest body of an act, in bytes: two thousand characters three times, and what stands around them.
const BODY: u64 = 64 * 1024;

/// The handler of a row: this function, with its future in a box.
macro_rules! to {
    ($handler:path) => {
        |call| Box::pin($handler(call))
    };
}

/// The addresses of cases, sanctions and what is set for the site.
pub const TABLE: &[Route] = &[
    read("/admin/api/queue/", to!(queue::list)),
    act("/admin/api/queue/next/", to!(queue::next)),
    act("/admin/api/cases/", to!(cases::open)),
    read("/admin/api/cases/{id}/", to!(cases::file)),
    read("/admin/api/cases/{id}/evidence/", to!(cases::evidence)),
    Route::operator(
        "/admin/api/cases/{id}/export/",
        Role::Administrator,
        to!(cases::export),
    ),
    act("/admin/api/cases/{id}/claim/", to!(cases::claim)),
    act("/admin/api/cases/{id}/release/", to!(cases::release)),
    act("/admin/api/cases/{id}/skip/", to!(cases::skip)),
    act("/admin/api/cases/{id}/escalate/", to!(cases::escalate)),
    act("/admin/api/cases/{id}/reopen/", to!(cases::reopen)),
    act("/admin/api/cases/{id}/decide/", to!(cases::decide)),
    act("/admin/api/cases/{id}/appeal/", to!(cases::appeal)),
    act("/admin/api/cases/{id}/invalidate/", to!(cases::invalidate)),
    act("/admin/api/cases/{id}/revalidate/", to!(cases::revalidate)),
    by("PUT", act("/admin/api/cases/{id}/hold/", to!(cases::hold))),
    by(
        "GET, HEAD, POST",
        act("/admin/api/sanctions/", to!(sanctions::answer)),
    ),
    act("/admin/api/sanctions/{id}/lift/", to!(sanctions::lift)),
    by(
        "GET, HEAD, PUT",
        act("/admin/api/templates/", to!(site::templates)),
    ),
    by(
        "GET, HEAD, PUT, DELETE",
        act("/admin/api/broadcast/", to!(site::broadcast)),
    ),
    Route {
        guard: Guard::Operator(Role::Administrator),
        ..by(
            "PUT, DELETE",
            act("/admin/api/maintenance/", to!(site::maintenance)),
        )
    },
    read("/admin/api/live/", to!(site::live)),
];

/// What any operator may look at.
const fn read(path: &'static str, handler: Handler) -> Route {
    Route::operator(path, Role::Moderator, handler)
}

/// What any operator may do: a POST, with as large a body as an act can have.
const fn act(path: &'static str, handler: Handler) -> Route {
    Route {
        body: BODY,
        ..by("POST", read(path, handler))
    }
}

/// The same by other methods.
const fn by(methods: &'static str, route: Route) -> Route {
    Route { methods, ..route }
}

/// The desk, and who stands at it.
///
/// # Errors
/// No operator asks.
pub fn at(call: &Call) -> Result<(&Console, Asker), HttpProblem> {
    let operator = call.operator.as_ref().ok_or_else(guard::not_logged_in)?;
    let asker = Asker {
        actor: operator.actor(),
        role: operator.role(),
    };
    Ok((&call.app.console, asker))
}

/// The case that the address names.
///
/// # Errors
/// It names none.
pub fn case(call: &Call) -> Result<CaseId, HttpProblem> {
    number(call.parameter.as_deref())
        .map(CaseId)
        .ok_or_else(|| Refused::NotFound.into())
}

/// The sanction that the address names.
///
/// # Errors
/// It names none.
pub fn sanction(call: &Call) -> Result<SanctionId, HttpProblem> {
    number(call.parameter.as_deref())
        .map(SanctionId)
        .ok_or_else(|| Refused::NotFound.into())
}

/// A number that a store can have given.
pub fn number(text: Option<&str>) -> Option<u64> {
    let number: i64 = text?.parse().ok()?;
    u64::try_from(number).ok().filter(|it| *it > 0)
}

/// 200 with this.
pub fn answer(value: &impl Serialize) -> HandlerResult {
    Ok(response::json(StatusCode::OK, value))
}

impl From<Refused> for HttpProblem {
    fn from(why: Refused) -> Self {
        let conflict = |code, detail: &'static str| Self::new(StatusCode::CONFLICT, code, detail);
        let forbidden = |code, detail: &'static str| Self::new(StatusCode::FORBIDDEN, code, detail);
        match why {
            Refused::NoOperator => guard::not_logged_in(),
            Refused::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such case, report, room or sanction, or it is erased",
            ),
            Refused::OwnCase => forbidden(
                "own_case",
                "you have a part in this case: another operator decides about it",
            ),
            Refused::AboveYou => forbidden("above_you", "an administrator may do this; ask one"),
            Refused::AnotherMustDecide => forbidden(
                "another_must_decide",
                "the sanction is yours: another operator decides about the appeal",
            ),
            Refused::Claimed { by, until } => Self {
                detail: format!("{by} has this case until {} (ms since 1970)", until.0).into(),
                by: Some(by),
                ..conflict("claimed", "")
            },
            Refused::Closed => conflict("closed", "it is closed, or lifted, already"),
            Refused::NotOpen => conflict(
                "not_open",
                "this cannot be done to a case of this kind or state",
            ),
            Refused::NewReports => conflict(
                "new_reports",
                "reports came into this case that you have not seen: read it again",
            ),
            Refused::Changed => conflict(
                "changed",
                "it was set meanwhile, by another one or in another window: look at it again",
            ),
            Refused::NoNetwork => super::unfit_by_name(
                "no_network",
                "address is an IP address, alone or with /32 or /24 (IPv4), /64 or /48 (IPv6)"
                    .into(),
            ),
            Refused::Unfit(detail) => super::unfit(detail),
            Refused::Store(error) => super::store_problem(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_that_a_store_can_have_given() {
        assert_eq!(number(Some("7")), Some(7));
        for wrong in ["0", "-1", "", "x", "9223372036854775808", "1.5"] {
            assert_eq!(number(Some(wrong)), None, "{wrong}");
        }
    }
}
