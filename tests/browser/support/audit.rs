//! What is checked of every page whatever the test is about: a quiet console, no request to another
//! origin, and no violation that axe-core can find.

use std::path::PathBuf;
use std::sync::OnceLock;

use fantoccini::error::CmdError;
use serde_json::{Value, json};

use super::person::Person;
use super::session::Protocol;

/// The rule sets of WCAG 2.2 AA.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// The one rule a colour scheme can break.
const COLOUR_RULES: [&str; 1] = ["color-contrast"];

/// How often axe is tried in a page that is just going elsewhere.
const TRIES: usize = 3;

/// Runs axe and answers what it found wrong, in words. Nothing is preloaded: no rule here reads
/// style sheets. Waits for what moves once; what is half faded in has no contrast yet. In a tab that is not
/// seen nothing moves, nor in what is folded away, so that there it is brought to its end.
const RUN_AXE: &str = "
const done = arguments[arguments.length - 1];
const [kind, values] = arguments;
const finite = document.getAnimations().filter((it) => it.playState === 'running' && it.effect?.getComputedTiming().endTime !== Infinity);
finite.filter((it) => document.hidden || !it.effect.target?.checkVisibility()).forEach((it) => it.finish());
Promise.allSettled(finite.map((it) => it.finished))
  .then(() => axe.run(document, { runOnly: { type: kind, values }, resultTypes: ['violations'], preload: false }))
  .then((result) => done(result.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${rule.help}\\n    ${node.html}\\n    ${node.failureSummary.replace(/\\s+/g, ' ')}`))))
  .catch((error) => done([`axe itself failed: ${error}`]));";

/// Fails on any violation in the page as it is now. `state` names it in the failure.
pub async fn accessible(person: &Person, state: &str) {
    refuse(person, state, violations(person, "tag", json!(RULES)).await);
}

/// Fails on any colour that is hard to see, which is all that another colour scheme can change.
pub async fn legible(person: &Person, state: &str) {
    refuse(
        person,
        state,
        violations(person, "rule", json!(COLOUR_RULES)).await,
    );
}

/// What axe finds in every page and tab this person left open.
pub async fn barriers(person: &Person) -> Vec<String> {
    let mut found = Vec::new();
    let windows = person.client().windows().await;
    for window in windows.unwrap_or_else(|error| panic!("{}: windows: {error}", person.name())) {
        person.switch_to(&window).await;
        if let Protocol::DevTools = person.protocol() {
            // A page shown without JavaScript stays as it is; axe itself needs it.
            let on = json!({ "value": false });
            person
                .devtools("Emulation.setScriptExecutionDisabled", on)
                .await;
        }
        let url = person.client().current_url().await;
        let url = url.unwrap_or_else(|error| panic!("{}: an address: {error}", person.name()));
        let wrong = violations(person, "tag", json!(RULES)).await;
        let wrong = wrong.iter();
        found.extend(wrong.map(|wrong| format!("{}: axe in {url}: {wrong}", person.name())));
    }
    found
}

fn refuse(person: &Person, state: &str, found: Vec<String>) {
    assert!(
        found.is_empty(),
        "{}: {state} is not accessible:\n  {}",
        person.name(),
        found.join("\n  ")
    );
}

/// Runs axe with the rules of a `kind` (`tag` or `rule`).
async fn violations(person: &Person, kind: &str, rules: Value) -> Vec<String> {
    let mut error = None;
    for _ in 0..TRIES {
        match try_axe(person, kind, &rules).await {
            Ok(found) => return found,
            Err(other) => error = Some(other),
        }
    }
    panic!("{}: axe does not run: {error:?}", person.name());
}

async fn try_axe(person: &Person, kind: &str, rules: &Value) -> Result<Vec<String>, CmdError> {
    let client = person.client();
    let there = client.execute("return 'axe' in window", vec![]).await?;
    if there != true {
        client.execute(axe_source(), vec![]).await?;
    }
    let found = client
        .execute_async(RUN_AXE, vec![json!(kind), rules.clone()])
        .await?;
    let found = found.as_array().expect("axe answers a list");
    let texts = found.iter().filter_map(Value::as_str);
    Ok(texts.map(str::to_owned).collect())
}

/// axe-core's source, fetched beforehand: no test needs the network.
fn axe_source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../axe/axe.min.js");
        std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}. Fetch it with scripts/lib/axe", path.display())
        })
    })
}

/// What the console and the network say against a person's pages since the last look.
pub async fn complaints(person: &Person) -> Vec<String> {
    let mut found = Vec::new();
    for said in person.take_console().await {
        if !person.is_expected(&said) {
            found.push(format!("{}: console {said}", person.name()));
        }
    }
    let own = person.url("");
    for url in person.take_requests().await {
        if !is_own(&url, &own) {
            found.push(format!("{}: a request elsewhere: {url}", person.name()));
        }
    }
    found
}

/// `own` is an origin such as `http://127.0.0.1:8000`.
fn is_own(url: &str, own: &str) -> bool {
    let within = |origin: &str| {
        let rest = url.strip_prefix(origin);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    };
    let socket = own.replacen("http", "ws", 1);
    // `chrome:` is the browser itself; no page can ask for it.
    let inside = ["data:", "blob:", "about:", "chrome:"];
    within(own) || within(&socket) || inside.iter().any(|scheme| url.starts_with(scheme))
}
