//! `/admin/api/setup/`: the first operator, by a link; and, for commands on the machine, a new link.

use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use super::{operating, read, session, store_problem, unfit_by_name, unfit_password};
use crate::http::problem::HttpProblem;
use crate::http::routes::{Call, HandlerResult};
use crate::http::{response, sessions};
use crate::operators::{NotMade, SetUp};

#[derive(Deserialize)]
struct SetUpJson {
    token: String,
    name: String,
    password: String,
}

#[derive(Serialize)]
struct LinkJson {
    url: String,
    until_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// `POST /admin/api/setup/`.
pub(super) async fn set_up(mut call: Call) -> HandlerResult {
    let typed: SetUpJson = read(&mut call).await?;
    let asked = SetUp {
        token: typed.token,
        name: typed.name,
        password: typed.password,
        visitor: sessions::principal(&call.app, &call.peer, call.request.headers()).known(),
    };
    let made = operating(&call).set_up(asked).await?;
    Ok(session::begun(&made.operator, &made.secret, &call.peer))
}

/// `POST /admin/api/link/`, by the control socket alone.
pub(super) async fn link(call: Call) -> HandlerResult {
    let operating = operating(&call);
    let there = operating.safety().operator_exists().await;
    if there.map_err(store_problem)? {
        return Err(HttpProblem::new(
            StatusCode::CONFLICT,
            "operator_exists",
            "there is an operator already: `miyu admin create NAME` makes another, `miyu admin reset-password NAME` \
             gives one a new password",
        ));
    }
    let link = operating.make_link().await.map_err(store_problem)?;
    let link = LinkJson {
        url: link.url,
        until_ms: link.until.0,
        file: link.file.map(|it| it.display().to_string()),
    };
    Ok(response::json(StatusCode::CREATED, &link))
}

impl From<NotMade> for HttpProblem {
    fn from(why: NotMade) -> Self {
        let detail = why.to_string();
        match why {
            NotMade::LinkOver => Self::new(StatusCode::FORBIDDEN, "link_over", detail),
            NotMade::Name => unfit_by_name("operator_name", detail),
            NotMade::Password(why) => unfit_password(why),
            NotMade::NameTaken => Self::new(StatusCode::CONFLICT, "name_taken", detail),
            NotMade::TooMany => Self::new(StatusCode::CONFLICT, "too_many_operators", detail),
            NotMade::NotAllowed => Self::new(StatusCode::FORBIDDEN, "not_allowed", detail),
            NotMade::Busy(_) => Self::unavailable(detail),
            NotMade::Store(error) => store_problem(error),
        }
    }
}
