//! The windows and tabs of one person: opening, going between them, looking away.

use std::time::Instant;

use fantoccini::wd::WindowHandle;
use serde_json::json;

use super::person::{DEADLINE, POLL, Person};
use super::session::Protocol;

impl Person {
    /// Opens a second tab and goes there.
    pub async fn open_tab(&self) -> WindowHandle {
        let tab = match self.protocol() {
            Protocol::DevTools => {
                let tab = self.client().new_window(true).await;
                tab.unwrap_or_else(|error| panic!("{}: a tab: {error}", self.name()))
                    .handle
            }
            Protocol::Bidi(bidi) => {
                let tab = bidi.open("tab").await;
                WindowHandle::try_from(tab).expect("a tab has a name")
            }
        };
        self.switch_to(&tab).await;
        tab
    }

    /// Waits for a window that the page opened beside `first`.
    pub async fn other_window(&self, first: &WindowHandle) -> WindowHandle {
        let begun = Instant::now();
        loop {
            let all = self.client().windows().await;
            let all = all.unwrap_or_else(|error| panic!("{}: windows: {error}", self.name()));
            if let Some(other) = all.into_iter().find(|window| window != first) {
                return other;
            }
            assert!(
                begun.elapsed() < DEADLINE,
                "{}: no second window",
                self.name()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Goes to a window or tab of this browser.
    pub async fn switch_to(&self, window: &WindowHandle) {
        let done = self.client().switch_to_window(window.clone()).await;
        done.unwrap_or_else(|error| panic!("{}: another tab: {error}", self.name()));
    }

    /// The window or tab that is looked at.
    pub async fn window(&self) -> WindowHandle {
        let window = self.client().window().await;
        window.unwrap_or_else(|error| panic!("{}: which tab: {error}", self.name()))
    }

    /// Puts the window away: its page is hidden until [`Person::looks_back`].
    pub async fn looks_away(&self) {
        let done = self.client().minimize_window().await;
        done.unwrap_or_else(|error| panic!("{}: a small window: {error}", self.name()));
        self.until("document.hidden", json!([])).await;
    }

    /// Takes the window out again.
    pub async fn looks_back(&self) {
        let done = self.client().set_window_size(1280, 720).await;
        done.unwrap_or_else(|error| panic!("{}: a window again: {error}", self.name()));
        self.until("!document.hidden", json!([])).await;
    }
}
