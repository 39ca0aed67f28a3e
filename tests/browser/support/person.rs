//! One person: a browser of their own, and how they look, press and type. What belongs to a chat
//! is in `chat.rs`; what is checked of every page in `audit.rs`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::browser::{Browser, Engine};
use super::commands::devtools;
use super::session::{Protocol, Session};

/// How long a page may take for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
pub(super) const POLL: Duration = Duration::from_millis(40);
const PRELUDE: &str = include_str!("prelude.js");

/// Holds still what moves for ever behind a search and means nothing: without a graphics card it takes
/// a third of a core for as long as a person waits.
const STILL_FOG: &str = "(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('.scene-matching :is(.bank, .lamp-mine) { animation-play-state: paused !important; }');
    document.adoptedStyleSheets = [sheet];
})()";

/// A person at a browser. Clones are the same person.
#[derive(Clone)]
pub struct Person(Arc<Inner>);

struct Inner {
    name: String,
    base: String,
    session: Arc<Session>,
    expected: Mutex<Vec<String>>,
}

/// What a browser of this make writes to its console without a fault of ours: a page that is left gives up what it
/// still fetches, and Firefox calls that an error of the worker that fetched it.
fn always_expected(engine: Engine) -> Vec<String> {
    match engine {
        Engine::Chromium => Vec::new(),
        Engine::Firefox => vec!["A ServiceWorker intercepted the request".to_owned()],
    }
}

impl Person {
    /// Sits down at a browser, with pages below `base`. Only a stage does, which looks at it in the end.
    pub(super) async fn at(
        session: Arc<Session>,
        name: &str,
        base: String,
        browser: &Browser,
    ) -> Self {
        let person = Self(Arc::new(Inner {
            name: name.to_owned(),
            base,
            session,
            expected: Mutex::new(always_expected(browser.engine)),
        }));
        person.dress(browser).await;
        if !browser.still {
            person.before_each_page(STILL_FOG).await;
        }
        person
    }

    /// Sets what the window looks like to pages.
    pub async fn dress(&self, browser: &Browser) {
        if !browser.phone {
            self.resize(browser.size.0, browser.size.1).await;
        }
        // A Firefox is started with the rest.
        if browser.engine == Engine::Chromium {
            self.media(browser.dark, browser.still, browser.forced)
                .await;
        }
    }

    /// Lets pages see a system that is light or dark.
    pub async fn color_scheme(&self, dark: bool) {
        self.media(dark, false, false).await;
    }

    async fn media(&self, dark: bool, still: bool, forced: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let motion = if still { "reduce" } else { "" };
        let colours = if forced { "active" } else { "" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": motion },
            { "name": "forced-colors", "value": colours },
        ]);
        let parameters = json!({ "features": features });
        self.devtools("Emulation.setEmulatedMedia", parameters)
            .await;
    }

    /// Gives the page a viewport of exactly this size.
    pub async fn resize(&self, width: u32, height: u32) {
        match self.protocol() {
            Protocol::DevTools => {
                let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                self.devtools("Emulation.setDeviceMetricsOverride", size)
                    .await;
            }
            Protocol::Bidi(bidi) => {
                let (window, size) = (
                    self.window().await,
                    json!({ "width": width, "height": height }),
                );
                let wanted = json!({ "context": String::from(window), "viewport": size });
                bidi.ask("browsingContext.setViewport", wanted).await;
            }
        }
    }

    /// Who this is, in messages of failed tests.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0.base)
    }

    /// The WebDriver session.
    pub fn client(&self) -> &Client {
        &self.0.session.client
    }

    /// The browser.
    pub(super) fn session(&self) -> &Arc<Session> {
        &self.0.session
    }

    /// What else it is asked by.
    pub(super) fn protocol(&self) -> &Protocol {
        &self.0.session.protocol
    }

    /// A console entry with this in it is part of what is tested.
    pub fn expect_console(&self, part: &str) {
        self.0.expected.lock().push(part.to_owned());
    }

    /// Whether a console entry was announced by [`Person::expect_console`].
    pub fn is_expected(&self, entry: &str) -> bool {
        let expected = self.0.expected.lock();
        expected.iter().any(|part| entry.contains(part))
    }

    /// Asks Chromium by its DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        devtools(self.client(), command, parameters).await
    }

    /// Opens a page of the site.
    pub async fn goto(&self, path: &str) {
        let url = self.url(path);
        let done = self.client().goto(&url).await;
        done.unwrap_or_else(|error| panic!("{} opens {url}: {error}", self.name()));
    }

    /// Presses the browser's reload button.
    pub async fn reload(&self) {
        let done = self.client().refresh().await;
        done.unwrap_or_else(|error| panic!("{} reloads: {error}", self.name()));
    }

    /// Opens a page again and again until it shows what is expected.
    pub async fn until_after_reload(&self, path: &str, expression: &str) {
        let begun = Instant::now();
        loop {
            self.goto(path).await;
            let tried = tokio::time::timeout(DEADLINE / 10, self.until(expression, json!([])));
            if tried.await.is_ok() {
                return;
            }
            assert!(
                begun.elapsed() < DEADLINE,
                "{}: never {expression}",
                self.name()
            );
        }
    }

    /// Runs a script in every page from now on, before the page's own.
    pub async fn before_each_page(&self, script: &str) {
        match self.protocol() {
            Protocol::DevTools => {
                let source = json!({ "source": script });
                self.devtools("Page.addScriptToEvaluateOnNewDocument", source)
                    .await;
            }
            Protocol::Bidi(bidi) => bidi.before_each_page(script).await,
        }
    }

    /// Answers for this person whether pages may send notifications.
    pub async fn allows_notifications(&self, allows: bool) {
        let setting = if allows { "granted" } else { "denied" };
        let permission = json!({ "permission": { "name": "notifications" }, "setting": setting });
        self.devtools("Browser.setPermission", permission).await;
    }

    /// Presses the browser's Back button.
    pub async fn go_back(&self) {
        let done = self.client().back().await;
        done.unwrap_or_else(|error| panic!("{} goes back: {error}", self.name()));
    }

    /// Presses the browser's Forward button.
    pub async fn go_forward(&self) {
        let done = self.client().forward().await;
        done.unwrap_or_else(|error| panic!("{} goes forward: {error}", self.name()));
    }

    /// The value of a JavaScript expression; `args` are its arguments.
    pub async fn ask(&self, expression: &str, args: Value) -> Value {
        let answer = self.try_ask(expression, args).await;
        answer.unwrap_or_else(|error| panic!("{}: {expression}: {error}", self.name()))
    }

    async fn try_ask(&self, expression: &str, args: Value) -> Result<Value, String> {
        let script = format!("{PRELUDE}\nreturn ({expression});");
        let Value::Array(args) = args else {
            panic!("arguments are a list: {args}");
        };
        let answer = self.client().execute(&script, args).await;
        answer.map_err(|error| error.to_string())
    }

    /// Waits until an expression is true (or anything but false, null, 0, "") and answers it.
    pub async fn until(&self, expression: &str, args: Value) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.try_ask(expression, args.clone()).await;
            let holds = answer.as_ref().is_ok_and(is_true);
            if holds {
                return answer.expect("it holds");
            }
            if begun.elapsed() > DEADLINE {
                let page = self.describe().await;
                panic!(
                    "{}: in {DEADLINE:?} never: {expression} with {args}; last: {answer:?}\n{page}",
                    self.name()
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Address, title and text of the page as it is now.
    pub async fn describe(&self) -> String {
        let text = self
            .try_ask(
                "document.title + '\\n' + document.body.innerText",
                json!([]),
            )
            .await;
        let url = self.client().current_url().await;
        format!("{url:?}\n{text:?}")
    }

    /// Waits until something is visible.
    pub async fn sees(&self, test: &str) {
        self.until("shown(args[0])", json!([test])).await;
    }

    /// Waits until something is not (or no longer) visible.
    pub async fn sees_no(&self, test: &str) {
        self.until("!shown(args[0])", json!([test])).await;
    }

    /// Waits until something shows a text in which `part` occurs.
    pub async fn reads(&self, test: &str, part: &str) {
        let holds = "shown(args[0]) && byTest(args[0]).textContent.includes(args[1])";
        self.until(holds, json!([test, part])).await;
    }

    /// The element with this test id.
    pub async fn find(&self, test: &str) -> Element {
        self.sees(test).await;
        self.find_css(&format!("[data-testid=\"{test}\"]")).await
    }

    /// The first element a selector names.
    pub async fn find_css(&self, selector: &str) -> Element {
        let found = self.client().find(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{}: {selector}: {error}", self.name()))
    }

    /// Clicks the element with this test id, once it is there and nothing lies on it.
    pub async fn press(&self, test: &str) {
        self.unfold(test).await;
        self.press_css(&format!("[data-testid=\"{test}\"]")).await;
    }

    /// Opens the line of home in which wish, topics and mood are folded, when this is one of them.
    async fn unfold(&self, test: &str) {
        if !["wish-", "mood-", "tag-"]
            .iter()
            .any(|it| test.starts_with(it))
        {
            return;
        }
        self.sees("more").await;
        let folded = "byTest('more').ariaExpanded === 'false'";
        if self.ask(folded, json!([])).await == true {
            self.press_css("[data-testid=more]").await;
        }
    }

    /// Clicks a radio button by its label: that is what one sees of it.
    pub async fn choose(&self, test: &str) {
        self.unfold(test).await;
        self.press_css(&format!("label:has(> [data-testid=\"{test}\"])"))
            .await;
    }

    /// Chooses another language in the list that lies on the bar, and waits until the page speaks it.
    pub async fn speak(&self, language: &str) {
        let shown = "[data-switch=\"lang\"]:not([hidden] *)";
        self.settled(shown).await;
        let list = self.client().find(Locator::Css(shown)).await;
        let list = list.unwrap_or_else(|error| panic!("{}: no languages: {error}", self.name()));
        let chosen = list.select_by_value(language).await;
        chosen.unwrap_or_else(|error| panic!("{}: no {language}: {error}", self.name()));
        let speaks = "document.documentElement.lang === args[0]";
        self.until(speaks, json!([language])).await;
    }

    /// Waits until what a selector names has been there for a moment: what has just come up, or means
    /// something else now, is not pressed by people, and does not let itself be pressed.
    pub async fn settled(&self, selector: &str) {
        // What is not there yet has not been there for a moment either.
        let settled = "(() => { const node = document.querySelector(args[0]); return node && !node.closest('[data-settling]'); })()";
        self.until(settled, json!([selector])).await;
    }

    /// Clicks the first element a selector names.
    pub async fn press_css(&self, selector: &str) {
        let begun = Instant::now();
        loop {
            self.settled(selector).await;
            let found = self.client().find(Locator::Css(selector)).await;
            let pressed = match found {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            let Err(error) = pressed else { return };
            // Something sticky may lie on it: do as people do and scroll.
            let scroll =
                "document.querySelector(args[0])?.scrollIntoView({ block: 'center' }) ?? 0";
            let _ = self.try_ask(scroll, json!([selector])).await;
            if begun.elapsed() > DEADLINE {
                let page = self.describe().await;
                panic!("{}: cannot press {selector}: {error}\n{page}", self.name());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Types into whatever has the focus, as a keyboard does.
    pub async fn keys(&self, text: &str) {
        let focused = self.client().active_element().await;
        let focused = focused.unwrap_or_else(|error| panic!("{}: focus: {error}", self.name()));
        let typed = focused.send_keys(text).await;
        typed.unwrap_or_else(|error| panic!("{}: types {text:?}: {error}", self.name()));
    }

    /// Presses one key that is not a letter.
    pub async fn key(&self, key: Key) {
        self.keys(&char::from(key).to_string()).await;
    }

    /// Replaces the text of a field.
    pub async fn fill(&self, test: &str, text: &str) {
        self.press(test).await;
        self.ask("byTest(args[0]).select()", json!([test])).await;
        self.keys(text).await;
    }

    /// Puts text in at the caret as an input method or a paste does; also beyond the BMP.
    pub async fn insert(&self, text: &str) {
        match self.protocol() {
            Protocol::DevTools => {
                self.devtools("Input.insertText", json!({ "text": text }))
                    .await;
            }
            // Its keys can be any character.
            Protocol::Bidi(_) => self.keys(text).await,
        }
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(held) => *held,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}
