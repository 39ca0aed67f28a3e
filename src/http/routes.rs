//! Every address of this server, one row each: how it is asked, who may, what may come with it, what it
//! counts as, and what answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};

use super::api::{blocks, forget, notices, reports, rooms, schema, site, transparency};
use super::problem::HttpProblem;
use super::request::Peer;
use super::{ResponseBody, health, invitation, pages, upgrade};
use crate::admission::Purpose;
use crate::domain::safety::Role;
use crate::identity::principal::Principal;
use crate::operators::OperatorPrincipal;
use crate::protocol::whole_characters;
use crate::state::AppState;

/// What a handler makes of a call.
pub type HandlerResult = Result<Response<ResponseBody>, HttpProblem>;

/// Answers the calls of one row.
pub type Handler = fn(Call) -> Pin<Box<dyn Future<Output = HandlerResult> + Send>>;

/// Who gets an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Any client; its session is not looked at.
    Public,
    /// Any client; its session is known to the handler, and its cookie is set when that is due.
    Session,
    /// Only what asks at the operators' own listener, which has no rate.
    Local,
    /// The console before one logs in: its pages' own requests, over a line that no one on the way reads. Who is logged in
    /// is known to the handler.
    Console,
    /// An operator who may do at least this: as `Console`, and logged in. Commands on the machine may, too.
    Operator(Role),
    /// Commands on the machine alone.
    Control,
}

/// What a call counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// A page or a file of the client's networks.
    File,
    /// A request of its session and networks.
    Request,
    /// As a file, and what else the handler counts.
    Own,
    /// It is not counted.
    Free,
}

/// Which addresses beside its own a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slash {
    /// Only its own address.
    Exact,
    /// The same without its last slash.
    Optional,
    /// The one without its last slash leads to it.
    Added,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// As `matchit` reads it, with at most one parameter.
    pub path: &'static str,
    /// The address without the last slash.
    pub slash: Slash,
    /// As `Allow` says them.
    pub methods: &'static str,
    /// Who gets an answer.
    pub guard: Guard,
    /// The largest body, in bytes; 0: it takes none.
    pub body: u64,
    /// What it counts as.
    pub rate: Rate,
    /// Whether the last places of the server are kept for it.
    pub purpose: Purpose,
    /// What answers.
    pub handler: Handler,
}

impl Route {
    /// A row of the API: asked by GET, in the client's session.
    pub const fn api(path: &'static str, handler: Handler) -> Self {
        Self {
            path,
            slash: Slash::Optional,
            methods: "GET, HEAD",
            guard: Guard::Session,
            body: 0,
            rate: Rate::Request,
            purpose: Purpose::Other,
            handler,
        }
    }

    /// A page: the first visit sets the session's cookie.
    const fn page(path: &'static str, handler: Handler) -> Self {
        Self {
            slash: Slash::Exact,
            rate: Rate::File,
            ..Self::api(path, handler)
        }
    }

    /// A file, the same for every client.
    const fn file(path: &'static str, handler: Handler) -> Self {
        Self {
            guard: Guard::Public,
            ..Self::page(path, handler)
        }
    }

    /// A row of the operators' API.
    pub const fn operator(path: &'static str, role: Role, handler: Handler) -> Self {
        Self {
            guard: Guard::Operator(role),
            purpose: Purpose::Kept,
            ..Self::api(path, handler)
        }
    }

    /// A WebSocket.
    const fn socket(path: &'static str, purpose: Purpose, handler: Handler) -> Self {
        Self {
            methods: "GET",
            rate: Rate::Own,
            purpose,
            ..Self::file(path, handler)
        }
    }

    /// For operators.
    const fn local(path: &'static str, handler: Handler) -> Self {
        Self {
            guard: Guard::Local,
            rate: Rate::Free,
            purpose: Purpose::Kept,
            ..Self::file(path, handler)
        }
    }

    /// Whether it answers to this method.
    pub fn takes(&self, method: &Method) -> bool {
        self.methods.split(", ").any(|it| it == method.as_str())
    }
}

/// The addresses of Miyu, but for those of the operators' API ([`super::admin::TABLE`]).
pub const TABLE: &[Route] = &[
    Route::page("/", |call| Box::pin(pages::index(call))),
    Route {
        slash: Slash::Added,
        ..Route::page("/chat/", |call| Box::pin(pages::chat(call)))
    },
    Route {
        slash: Slash::Added,
        ..Route::file("/privacy/", |call| Box::pin(pages::privacy(call)))
    },
    Route {
        slash: Slash::Added,
        ..Route::file("/admin/", |call| Box::pin(pages::console(call)))
    },
    Route {
        slash: Slash::Added,
        ..Route::file("/transparency/", |call| Box::pin(pages::transparency(call)))
    },
    Route::file("/offline/", |call| Box::pin(pages::offline(call))),
    Route::file("/sw.js", |call| Box::pin(pages::worker(call))),
    Route::file("/manifest.webmanifest", |call| {
        Box::pin(pages::manifest(call))
    }),
    Route::file("/invitation.svg", |call| Box::pin(invitation::image(call))),
    Route::file("/static/{*path}", |call| Box::pin(pages::file(call))),
    Route {
        slash: Slash::Optional,
        ..Route::file("/api/schema/", |call| Box::pin(schema::answer(call)))
    },
    Route::api("/api/site/", |call| Box::pin(site::site(call))),
    Route::api("/api/stats/", |call| Box::pin(site::stats(call))),
    Route {
        guard: Guard::Public,
        ..Route::api("/api/transparency/", |call| {
            Box::pin(transparency::answer(call))
        })
    },
    Route::api("/api/rooms/", |call| Box::pin(rooms::list(call))),
    Route::api("/api/rooms/{room}/", |call| Box::pin(rooms::one(call))),
    Route::api("/api/rooms/{room}/messages/", |call| {
        Box::pin(rooms::messages(call))
    }),
    Route::api("/api/blocks/", |call| Box::pin(blocks::list(call))),
    Route {
        methods: "DELETE",
        ..Route::api("/api/blocks/{room}/", |call| Box::pin(blocks::lift(call)))
    },
    Route {
        methods: "GET, HEAD, POST",
        body: reports::BODY,
        ..Route::api("/api/reports/", |call| Box::pin(reports::answer(call)))
    },
    Route {
        methods: "DELETE",
        ..Route::api("/api/reports/{report}/", |call| {
            Box::pin(reports::withdraw(call))
        })
    },
    Route::api("/api/notices/", |call| Box::pin(notices::list(call))),
    Route {
        methods: "POST",
        ..Route::api("/api/notices/{notice}/acknowledge/", |call| {
            Box::pin(notices::acknowledge(call))
        })
    },
    Route {
        methods: "POST",
        body: notices::APPEAL_BODY,
        ..Route::api("/api/appeals/", |call| Box::pin(notices::appeal(call)))
    },
    Route {
        methods: "POST",
        guard: Guard::Public,
        rate: Rate::Own,
        ..Route::api("/api/session/forget/", |call| {
            Box::pin(forget::answer(call))
        })
    },
    Route::socket("/ws/matching/", Purpose::Other, |call| {
        Box::pin(upgrade::matching(call))
    }),
    Route::socket("/ws/chat/", Purpose::Kept, |call| {
        Box::pin(upgrade::chat(call))
    }),
    Route {
        slash: Slash::Optional,
        ..Route::socket("/ws/chat/{room}/", Purpose::Kept, |call| {
            Box::pin(upgrade::chat(call))
        })
    },
    Route::local("/healthz", |call| Box::pin(health::alive(call))),
    Route::local("/readyz", |call| Box::pin(health::ready(call))),
    Route::local("/metrics", |call| Box::pin(health::metrics(call))),
];

/// One request of a row, admitted.
pub struct Call {
    /// What the server is made of.
    pub app: Arc<AppState>,
    /// The other end.
    pub peer: Peer,
    /// The browser, on rows with [`Guard::Session`].
    pub principal: Option<Principal>,
    /// Who is logged in, on rows with [`Guard::Operator`] and, if there is one, [`Guard::Console`].
    pub operator: Option<OperatorPrincipal>,
    /// What stands in the place of the row's parameter.
    pub parameter: Option<String>,
    /// The largest body of the row, in bytes.
    pub body: u64,
    /// The request.
    pub request: Request<Incoming>,
}

impl Call {
    /// The query string.
    pub fn query(&self) -> &str {
        self.request.uri().query().unwrap_or_default()
    }

    /// The body, whole, as large as the row allows.
    ///
    /// # Errors
    /// It is larger, or the client went away.
    pub async fn body(&mut self) -> Result<Bytes, HttpProblem> {
        let most = usize::try_from(self.body).unwrap_or(usize::MAX);
        let collected = Limited::new(self.request.body_mut(), most).collect().await;
        match collected {
            // All bodies are JSON. Half a character would keep the rest from being read, as often as it is sent.
            Ok(whole) => Ok(whole_characters(whole.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large(self.body)),
            Err(_) => Err(HttpProblem::new(
                StatusCode::BAD_REQUEST,
                "body_broken",
                "the body ended before it was whole; send it again",
            )),
        }
    }
}

/// 413 of a row that takes so many bytes.
pub fn too_large(most: u64) -> HttpProblem {
    let detail = match most {
        0 => "this address takes no body".into(),
        _ => format!("this address takes a body of at most {most} bytes"),
    };
    HttpProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}
