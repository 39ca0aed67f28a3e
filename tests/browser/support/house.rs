//! What all tests of this process share for as long as one of them runs: ChromeDriver, and browsers that
//! a test has finished with. To start a browser takes longer than most tests.

use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use tokio::runtime::Runtime;

use super::browser::Browser;
use super::driver::Driver;
use super::session::Session;

/// More than two tests use at once; each takes some 200 MB.
const MOST_IDLE: usize = 6;

static SHARED: Mutex<Weak<House>> = Mutex::new(Weak::new());

/// The shared things; gone with the last test that uses them.
pub struct House {
    // Before the driver, which they need.
    idle: Mutex<Vec<Arc<Session>>>,
    chromedriver: Driver,
}

impl House {
    /// The house, which is opened when no test is in it.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock();
        if let Some(house) = shared.upgrade() {
            return house;
        }
        let house = Arc::new(Self {
            idle: Mutex::default(),
            chromedriver: Driver::chrome(),
        });
        *shared = Arc::downgrade(&house);
        house
    }

    /// A browser as new.
    pub async fn session(&self, browser: &Browser) -> Arc<Session> {
        let kind = browser.as_started();
        if let Some(idle) = self.take(&kind) {
            return idle;
        }
        Arc::new(Session::open(kind, &self.chromedriver).await)
    }

    fn take(&self, kind: &Browser) -> Option<Arc<Session>> {
        let mut idle = self.idle.lock();
        let at = idle.iter().position(|it| it.kind == *kind)?;
        Some(idle.remove(at))
    }

    /// Keeps a browser for the next test, once nothing is left of what was done at `origin`. One that
    /// cannot be made as new is closed, and so is the one that has waited longest when there are many.
    pub async fn keep(&self, session: Arc<Session>, origin: &str) {
        if session.renew(origin).await.is_err() {
            session.close().await;
            return;
        }
        let surplus = {
            let mut idle = self.idle.lock();
            idle.push(session);
            (idle.len() > MOST_IDLE).then(|| idle.remove(0))
        };
        if let Some(surplus) = surplus {
            surplus.close().await;
        }
    }
}

/// What sessions live in, longer than a test.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.expect("a runtime")
    })
}
