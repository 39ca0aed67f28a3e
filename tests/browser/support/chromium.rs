//! What a Chromium of ours is started with.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::browser::Browser;
use super::driver::{CHROMIUM, HEADLESS_SHELL};

/// WebDriver's description of a fresh Chromium that keeps its files in `profile`.
pub fn capabilities(browser: &Browser, profile: &Path) -> Map<String, Value> {
    let (width, height) = browser.size;
    let mut arguments = vec![
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-extensions".to_owned(),
        // A site on plain http stays one, as it does for a phone in the same network.
        "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,Translate".to_owned(),
        "--hide-scrollbars".to_owned(),
        "--force-color-profile=srgb".to_owned(),
        format!("--lang={}", browser.language),
        format!("--accept-lang={}", browser.language),
        format!("--window-size={width},{height}"),
        format!("--user-data-dir={}", profile.display()),
    ];
    arguments.extend(
        browser
            .resolver
            .map(|rules| format!("--host-resolver-rules={rules}")),
    );
    // The shell knows no settings for sites.
    let whole = browser.whole || browser.forgetful;
    let mut options = json!({
        "binary": if whole { CHROMIUM } else { HEADLESS_SHELL },
        "args": arguments,
        "prefs": { "intl.accept_languages": browser.language },
        "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false },
    });
    if browser.forgetful {
        options["prefs"]["profile.default_content_setting_values.cookies"] = json!(2);
    }
    if browser.phone {
        options["mobileEmulation"] = json!({
            "deviceMetrics": { "width": width, "height": height, "pixelRatio": 2.0, "touch": true },
        });
    }
    let all = json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "timeouts": { "script": 60_000, "pageLoad": 30_000 },
    });
    match all {
        Value::Object(map) => map,
        _ => unreachable!("an object was written"),
    }
}
