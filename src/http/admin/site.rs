//! `/admin/api/{templates,broadcast,maintenance,live}/`: texts, what is set for all people, and the work in numbers.

use hyper::Method;
use serde::Serialize;

use super::{desk, done, guard, unfit};
use crate::console::site::OrderJson;
use crate::console::templates::TemplatesOrder;
use crate::console::{LiveJson, drafts};
use crate::domain::safety::Role;
use crate::http::problem::HttpProblem;
use crate::http::query;
use crate::http::routes::{Call, HandlerResult};

#[derive(Serialize)]
struct FiguresJson {
    online: u64,
    waiting: u64,
    rooms: u64,
    #[serde(flatten)]
    work: LiveJson,
}

/// `GET` and `PUT /admin/api/templates/`.
pub async fn templates(mut call: Call) -> HandlerResult {
    if !changes(&call)? {
        let (console, _) = desk::at(&call)?;
        return desk::answer(&console.templates().await?);
    }
    let TemplatesOrder { templates, version } = drafts::read(&call.body().await?)?;
    let (console, asker) = desk::at(&call)?;
    console.put_templates(asker, &templates, version).await?;
    done()
}

/// `GET`, `PUT` and `DELETE /admin/api/broadcast/`.
pub async fn broadcast(mut call: Call) -> HandlerResult {
    if !changes(&call)? {
        let (console, _) = desk::at(&call)?;
        return desk::answer(&console.site().await?);
    }
    let (order, over) = order(&mut call).await?;
    let (console, asker) = desk::at(&call)?;
    console.broadcast(asker, order, over).await?;
    done()
}

/// `PUT` and `DELETE /admin/api/maintenance/`.
pub async fn maintenance(mut call: Call) -> HandlerResult {
    changes(&call)?;
    let (order, over) = order(&mut call).await?;
    let (console, asker) = desk::at(&call)?;
    console.maintenance(asker, order, over).await?;
    done()
}

/// `GET /admin/api/live/`.
pub async fn live(call: Call) -> HandlerResult {
    let (console, _) = desk::at(&call)?;
    let figures = call.app.figures.sample();
    let work = console.live().await?;
    desk::answer(&FiguresJson {
        online: figures.online(),
        waiting: figures.waiting(),
        rooms: figures.rooms,
        work,
    })
}

/// Whether this is to change something, which is for administrators.
fn changes(call: &Call) -> Result<bool, HttpProblem> {
    let changes = !matches!(*call.request.method(), Method::GET | Method::HEAD);
    let (_, asker) = desk::at(call)?;
    match changes && asker.role < Role::Administrator {
        true => Err(guard::not_allowed()),
        false => Ok(changes),
    }
}

/// What is ordered (`None`: what stands is taken back), and which one that is to replace.
async fn order(call: &mut Call) -> Result<(Option<OrderJson>, Option<u64>), HttpProblem> {
    if *call.request.method() == Method::DELETE {
        let over = query::parameter(call.query(), "version").map(str::parse);
        let over = over.transpose();
        return Ok((None, over.map_err(|_| unfit("version is a number"))?));
    }
    let order: OrderJson = drafts::read(&call.body().await?)?;
    let over = order.version;
    Ok((Some(order), over))
}
