//! `GET /invitation.svg`: the address of this site as a QR code, for a phone that is held to the screen.

use std::net::SocketAddr;

use hyper::{StatusCode, Uri};

use super::ResponseBody;
use super::hosts;
use super::problem::HttpProblem;
use super::request::Peer;
use super::response;
use super::routes::{Call, HandlerResult};
use crate::config::Server;
use crate::invitation;

/// Answers with the image.
pub async fn image(call: Call) -> HandlerResult {
    let url = address(&call.app.config.server, &call.peer);
    let Some(image) = url.as_deref().and_then(invitation::as_svg) else {
        return Err(HttpProblem::new(
            StatusCode::NOT_FOUND,
            "no_address",
            "other devices do not reach this server; listen on 0.0.0.0 or set server.public_url",
        ));
    };
    // Another name leads to another code, so that no cache may keep it: the usual of `with_type`.
    let body = ResponseBody::new(image);
    Ok(response::with_type(StatusCode::OK, "image/svg+xml", body))
}

/// What other devices can open: `public_url`, or the name under which this client reached us, or where
/// this machine is in its network. `None` when only this machine reaches the server.
pub fn address(server: &Server, peer: &Peer) -> Option<String> {
    if let Some(url) = &server.public_url {
        return Some(url.to_string());
    }
    let host = peer.host.as_deref()?;
    if !hosts::is_this_machine(host) {
        return peer.origin();
    }
    let port = host.parse::<Uri>().ok()?.port_u16().unwrap_or(80);
    invitation::in_this_network(SocketAddr::new(server.listen.ip(), port))
}
