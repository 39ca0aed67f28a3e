//! A socket and what is held for as long as it is open: whose it is, what counts it, here and in the metrics.

use std::time::Duration;

use super::socket::Socket;
use crate::admission::ConnectionGuard;
use crate::delivery::online::OnlineGuard;
use crate::telemetry;

/// A client's socket, counted for as long as this lives.
pub struct CountedSocket {
    /// The socket.
    pub socket: Socket,
    guards: Guards,
    _counted: SocketGauge,
}

impl CountedSocket {
    /// A socket that is open from now on; `kind` is what the metrics call it.
    pub fn new(socket: Socket, guards: Guards, kind: &'static str) -> Self {
        Self {
            socket,
            guards,
            _counted: SocketGauge::new(kind),
        }
    }

    /// The connection is lost: what counted it stays, for as long as its machine goes on alone.
    pub fn into_guards(self) -> Guards {
        self.guards
    }

    /// Whether it has one of the last places, which are for people in open rooms.
    pub fn is_kept(&self) -> bool {
        self.guards.connection.is_kept()
    }

    /// How long to wait for its first frame, where this is usual.
    pub fn first_frame_timeout(&self, usual: Duration) -> Duration {
        self.guards.connection.timeout(usual)
    }

    /// It is this browser's: known only now, by the token of its first frame.
    pub fn belongs_to(&mut self, online: OnlineGuard) {
        self.guards.online = online;
    }
}

/// What counts a connection as one of its address, and a browser as here.
pub struct Guards {
    connection: ConnectionGuard,
    online: OnlineGuard,
}

impl Guards {
    /// Held from the handshake on.
    pub fn new(connection: ConnectionGuard, online: OnlineGuard) -> Self {
        Self { connection, online }
    }
}

/// Counts an open socket in the metrics.
struct SocketGauge(&'static str);

impl SocketGauge {
    fn new(kind: &'static str) -> Self {
        metrics::gauge!(telemetry::CONNECTIONS, "kind" => kind).increment(1.0);
        Self(kind)
    }
}

impl Drop for SocketGauge {
    fn drop(&mut self) {
        metrics::gauge!(telemetry::CONNECTIONS, "kind" => self.0).decrement(1.0);
    }
}
