//! What a Firefox of ours is started with.

use serde_json::{Map, Value, json};

use super::browser::Browser;
use super::driver::FIREFOX;

/// WebDriver's description of a fresh Firefox; geckodriver makes its profile.
pub fn capabilities(browser: &Browser) -> Map<String, Value> {
    assert!(
        !browser.phone && !browser.forced && browser.resolver.is_none(),
        "only Chromium can be such a browser"
    );
    let mut preferences = json!({
        "intl.accept_languages": browser.language,
        "intl.locale.requested": browser.language,
        // 0 is dark, 1 is light.
        "layout.css.prefers-color-scheme.content-override": i32::from(!browser.dark),
        "ui.prefersReducedMotion": i32::from(browser.still),
        // A site on plain http stays one, as it does for a phone in the same network.
        "dom.security.https_first": false,
        // Nothing is asked of the browser's makers.
        "app.normandy.enabled": false,
        "messaging-system.rsexperimentloader.enabled": false,
        "services.settings.server": "data:,nothing",
    });
    if browser.forgetful {
        // Blocks all of them.
        preferences["network.cookie.cookieBehavior"] = json!(2);
    }
    let all = json!({
        "browserName": "firefox",
        "moz:firefoxOptions": { "binary": FIREFOX, "args": ["-headless"], "prefs": preferences },
        "timeouts": { "script": 60_000, "pageLoad": 30_000 },
        "webSocketUrl": true,
    });
    match all {
        Value::Object(map) => map,
        _ => unreachable!("an object was written"),
    }
}
