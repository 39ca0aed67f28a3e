//! A running browser with its WebDriver session: opened, made as new, closed. Nothing here knows what
//! is on the pages.

use std::time::Instant;

use fantoccini::error::CmdError;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bidi::Bidi;
use super::browser::{Browser, Engine};
use super::commands::{devtools, take_log};
use super::driver::{Driver, START_DEADLINE};
use super::{chromium, firefox};

/// A browser that is ours.
pub struct Session {
    /// How it was started.
    pub kind: Browser,
    /// By WebDriver's own commands.
    pub client: Client,
    /// By those of its make.
    pub protocol: Protocol,
    // In this order, so that processes are gone before their folders are.
    _process: Process,
    _driver: Option<Driver>,
    _profile: TempDir,
}

/// What a browser is asked by for what WebDriver's own commands cannot.
pub enum Protocol {
    /// Chromium's DevTools protocol, which ChromeDriver passes on.
    DevTools,
    /// A line of its own, which Firefox opens.
    Bidi(Box<Bidi>),
}

/// A browser to be ended by its id, whatever became of its driver.
struct Process(Option<Pid>);

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Usually gone: the session was closed.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Session {
    /// Starts a browser of this kind. ChromeDriver is shared; of geckodriver each has its own.
    pub async fn open(kind: Browser, chromedriver: &Driver) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let (own, wanted) = match kind.engine {
            Engine::Chromium => (None, chromium::capabilities(&kind, profile.path())),
            Engine::Firefox => (Some(Driver::gecko()), firefox::capabilities(&kind)),
        };
        let url = own.as_ref().unwrap_or(chromedriver).url();
        let client = connect(kind.engine, &url, &wanted).await;
        let told = |key| client.capabilities().and_then(|it| it.get(key));
        let (pid, protocol) = match told("webSocketUrl").and_then(Value::as_str) {
            Some(url) => (
                told("moz:processID"),
                Protocol::Bidi(Box::new(Bidi::connect(url).await)),
            ),
            None => (told("goog:processID"), Protocol::DevTools),
        };
        let pid = pid.and_then(Value::as_i64);
        let pid = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let session = Self {
            kind,
            client,
            protocol,
            _process: Process(pid),
            _driver: own,
            _profile: profile,
        };
        // A browser's own first page is not ours.
        let blank = session.client.goto("about:blank").await;
        blank.unwrap_or_else(|error| panic!("an empty page: {error}"));
        if let Protocol::Bidi(_) = session.protocol {
            let fresh = session.only_fresh_window().await;
            fresh.unwrap_or_else(|error| panic!("a fresh window: {error}"));
        }
        session.forget_what_was_heard().await;
        session
    }

    /// Makes it like one just started: one empty window, nothing kept of `origin` or elsewhere, no
    /// permission given, nothing put before pages.
    pub async fn renew(&self, origin: &str) -> Result<(), CmdError> {
        self.only_fresh_window().await?;
        if let Protocol::DevTools = self.protocol {
            let everything = json!({ "origin": origin, "storageTypes": "all" });
            for (command, parameters) in [
                ("Network.clearBrowserCookies", json!({})),
                ("Network.clearBrowserCache", json!({})),
                ("Storage.clearDataForOrigin", everything),
                ("Browser.resetPermissions", json!({})),
            ] {
                devtools(&self.client, command, parameters).await;
            }
        }
        self.forget_what_was_heard().await;
        Ok(())
    }

    /// Closes it.
    pub async fn close(&self) {
        // Should it fail, the process is ended by its id.
        let _ = self.client.clone().close().await;
    }

    /// What else was said to a page or done to a window goes with that window: there is a new one.
    async fn only_fresh_window(&self) -> Result<(), CmdError> {
        let former = self.client.windows().await?;
        let fresh = match &self.protocol {
            Protocol::DevTools => self.client.new_window(false).await?.handle,
            Protocol::Bidi(bidi) => {
                let window = bidi.fresh_window().await;
                WindowHandle::try_from(window).expect("a window has a name")
            }
        };
        for window in former {
            self.client.switch_to_window(window).await?;
            self.client.close_window().await?;
        }
        self.client.switch_to_window(fresh).await
    }

    async fn forget_what_was_heard(&self) {
        match &self.protocol {
            Protocol::DevTools => {
                take_log(&self.client, "browser").await;
                take_log(&self.client, "performance").await;
            }
            Protocol::Bidi(bidi) => bidi.forget().await,
        }
    }
}

async fn connect(engine: Engine, url: &str, wanted: &serde_json::Map<String, Value>) -> Client {
    let begun = Instant::now();
    loop {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        match builder.capabilities(wanted.clone()).connect(url).await {
            Ok(client) => return client,
            // On a machine under load a browser is sometimes too slow for its driver.
            Err(_) if begun.elapsed() < START_DEADLINE => {}
            Err(error) => panic!("{engine:?} does not start: {error}"),
        }
    }
}
