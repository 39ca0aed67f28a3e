//! Serving, and the way out.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::time::{interval, timeout};
use tracing::{error, info, warn};

use super::Server;
use crate::admission::FORGET_EVERY;
use crate::delivery::positions;
use crate::http::accept;
use crate::http::control::{self, ControlSocket};
use crate::http::dispatch::Routes;
use crate::release_memory;
use crate::safety::Follower;
use crate::state::AppState;
use crate::store::{capacity, sweeper};
use crate::telemetry;

/// Bound sockets. Bound before [`Server::serve`] is called, so that no caller has to wait for readiness.
pub struct Listeners {
    /// The site.
    pub site: TcpListener,
    /// Operators' own, unless it is off or its port was taken.
    pub operator: Option<TcpListener>,
    /// For commands on the machine, unless it cannot be had.
    pub control: Option<ControlSocket>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As asked.
    Drained,
    /// The store's writer is gone; what was acknowledged is safe.
    StoreDied,
}

impl Server {
    /// Serves until `shutdown` resolves or the store dies, then drains: readiness off, no new
    /// connections, every socket closed, every task and clean-up finished, backends closed.
    pub async fn serve(self, listeners: Listeners, shutdown: impl Future<Output = ()>) -> Ended {
        let Self {
            state: app,
            safety,
            store_died,
            routes,
            calling,
            follower,
        } = self;
        let routes = Arc::new(Routes::new(&routes));
        app.shutdown.spawn(accept::run(
            Arc::clone(&app),
            Arc::clone(&routes),
            listeners.site,
        ));
        if let Some(socket) = listeners.control {
            let (app, routes) = (Arc::clone(&app), Arc::clone(&routes));
            let control = control::run(Arc::clone(&app), routes, socket);
            app.shutdown.spawn(control);
        }
        let operators = async {
            match listeners.operator {
                Some(listener) => accept::run_to_the_end(Arc::clone(&app), routes, listener).await,
                None => std::future::pending().await,
            }
        };
        app.shutdown.spawn(housekeeping(Arc::clone(&app)));
        let stop = app.shutdown.token().clone();
        app.shutdown
            .spawn(sweeper::run(Arc::clone(&app.store), stop));
        let stop = app.shutdown.token().clone();
        app.shutdown.spawn(sweeper::run_safety(safety, stop));
        let stop = app.shutdown.token().clone();
        let (store, capacity) = (Arc::clone(&app.store), Arc::clone(&app.capacity));
        app.shutdown.spawn(capacity::run(store, capacity, stop));
        app.shutdown.spawn(compare_positions(Arc::clone(&app)));
        app.shutdown.spawn(follow(Arc::clone(&app), follower));
        let stop = app.shutdown.token().clone();
        app.shutdown.spawn(app.closer.clone().run(stop));
        if let Some((ready, due)) = calling {
            let stop = app.shutdown.token().clone();
            app.shutdown.spawn(ready.calling.run(due, stop));
        }
        let serving = async {
            let ended = tokio::select! {
                () = shutdown => Ended::Drained,
                why = store_died => {
                    error!(why, "the store is gone; leaving");
                    Ended::StoreDied
                }
            };
            drain(&app).await;
            ended
        };
        tokio::select! {
            ended = serving => ended,
            never = operators => never,
        }
    }
}

impl Server {
    /// Closes one that did not serve: what was done is kept, and its lock is given back.
    pub async fn close(self) {
        drain(&self.state).await;
    }
}

async fn drain(app: &AppState) {
    let wait = app.config.server.drain_timeout;
    let left = app.shutdown.finish(wait).await;
    if left > 0 {
        warn!(left, "connections did not close in time");
    }
    if timeout(wait, app.pool.close()).await.is_err() {
        warn!("the waiting pool did not close in time");
    }
    if timeout(wait, app.channel.close()).await.is_err() {
        warn!("the channel layer did not close in time");
    }
    match timeout(wait, app.store.close()).await {
        Ok(Ok(())) => info!("closed"),
        Ok(Err(error)) => warn!(%error, "the store did not close cleanly"),
        Err(_) => warn!("the store did not close in time"),
    }
}

/// Takes decisions into effect as they come, and by the rhythm of the position check.
async fn follow(app: Arc<AppState>, follower: Follower) {
    let every = app.config.limits.heartbeat;
    let stop = app.shutdown.token();
    follower.run(&*app.channel, every, stop).await;
}

async fn compare_positions(app: Arc<AppState>) {
    let every = app.config.limits.heartbeat;
    positions::run(&*app.store, &*app.channel, every, app.shutdown.token()).await;
}

/// Folds metrics, tells other nodes how many are here, and lets limiters and the pool forget.
async fn housekeeping(app: Arc<AppState>) {
    let mut upkeep = interval(telemetry::UPKEEP_EVERY);
    let mut forget = interval(FORGET_EVERY);
    let mut trimming = interval(release_memory::EVERY);
    let stop = app.shutdown.token();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = upkeep.tick() => {
                telemetry::upkeep();
                app.figures.places();
            }
            _ = trimming.tick() => wake_to_trim(&app),
            _ = forget.tick() => {
                app.limits.forget();
                // Of many that came up the runtime's other tasks wait for a few alone.
                while app.pool.tidy(crate::clock::now()) {
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// Lets every thread of the runtime give back what it does not need. One that sleeps would go on sleeping:
/// a few tasks with nothing to do wake it.
fn wake_to_trim(app: &AppState) {
    release_memory::begin();
    for _ in 0..2 * tokio::runtime::Handle::current().metrics().num_workers() {
        app.shutdown.spawn(async { release_memory::if_due() });
    }
}
