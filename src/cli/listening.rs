//! The ports and the socket that a server is asked at.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::{Exit, Failure};
use crate::boot::Listeners;
use crate::config::{self, Config, OperatorListen};
use crate::http::accept;
use crate::http::control::ControlSocket;

pub(super) fn bind(config: &Config) -> Result<Listeners, Exit> {
    let server = &config.server;
    let site = bind_one(server.listen, "--listen ADDRESS:PORT or server.listen")?;
    let operator = bind_operator(server)?;
    Ok(Listeners {
        site,
        operator,
        control: None,
    })
}

/// After the store was opened: who has its lock has the socket beside it. The site serves without one all the same.
pub(super) fn control_socket(config: &Config) -> Option<ControlSocket> {
    match ControlSocket::bind(&config.admin_dir()) {
        Ok(socket) => Some(socket),
        Err(why) => {
            tracing::warn!("the commands `miyu admin …` do not reach this server: {why}");
            None
        }
    }
}

/// A port that was asked for must be had; without the usual one the site serves all the same.
fn bind_operator(server: &config::Server) -> Result<Option<TcpListener>, Exit> {
    if server.operator_listen == OperatorListen::Off {
        return Ok(None);
    }
    let bound = match server.operator_address() {
        Some(address) => bind_one(address, "server.operator_listen"),
        None => Err(Exit(
            Failure::Bind,
            "there is no port after the site's. Choose one with server.operator_listen.".to_owned(),
        )),
    };
    match bound {
        Ok(listener) => Ok(Some(listener)),
        Err(Exit(_, why)) if server.operator_listen == OperatorListen::Beside => {
            tracing::warn!("/healthz, /readyz and /metrics are served nowhere: {why}");
            Ok(None)
        }
        Err(refused) => Err(refused),
    }
}

fn bind_one(address: SocketAddr, setting: &str) -> Result<TcpListener, Exit> {
    accept::listen(address).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program uses this port".to_owned(),
            std::io::ErrorKind::PermissionDenied => {
                "this port needs more rights; choose one from 1024 up".to_owned()
            }
            _ => error.to_string(),
        };
        let text = format!("cannot listen on {address}: {why}. Choose another with {setting}.");
        Exit(Failure::Bind, text)
    })
}
