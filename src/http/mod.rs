//! The HTTP edge: accepting, routing, pages and the API. Sockets are handed over to `ws`.

pub use self::body::ResponseBody;

pub mod accept;
pub mod admin;
pub mod api;
mod body;
pub mod control;
pub mod dispatch;
pub mod files;
pub mod health;
pub mod hosts;
mod invitation;
pub mod pages;
pub mod problem;
pub mod query;
pub mod request;
pub mod response;
pub mod routes;
pub mod sessions;
pub mod upgrade;

use self::routes::Guard;

/// The listener that a request came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The site's: `server.listen`.
    Site,
    /// `server.operator_listen`: only programs of this machine reach it when it listens on a loopback
    /// address.
    Operator {
        /// It listens on a loopback address.
        loopback: bool,
    },
    /// The control socket: commands on the machine.
    Control,
}

impl Audience {
    /// The operators' audience with a listener at this address.
    pub fn of_operators(listens: std::net::SocketAddr) -> Self {
        Self::Operator {
            loopback: listens.ip().to_canonical().is_loopback(),
        }
    }

    /// Whether rows with this guard are behind it.
    pub fn sees(self, guard: Guard) -> bool {
        match guard {
            Guard::Public | Guard::Session | Guard::Console => self == Self::Site,
            Guard::Operator(_) => matches!(self, Self::Site | Self::Control),
            Guard::Local => matches!(self, Self::Operator { .. }),
            Guard::Control => self == Self::Control,
        }
    }
}
