//! ChromeDriver as a child process, and what a Chromium of ours is started with. Not what is done
//! in a page: that is `person.rs`.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where Debian's packages put them.
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";

/// How long anything outside a page may take to come up.
pub const START_DEADLINE: Duration = Duration::from_secs(30);

/// The one ChromeDriver of this process, for as long as a test uses it.
static SHARED: Mutex<Weak<Driver>> = Mutex::new(Weak::new());

/// A running ChromeDriver; ended by its id when the last test lets go of it.
pub struct Driver {
    child: Child,
    port: u16,
    _folder: TempDir,
}

/// How a person's browser differs from an ordinary one: 1280×720, zh-TW, light.
#[derive(Clone)]
pub struct Browser {
    /// Width and height of the viewport in CSS pixels.
    pub size: (u32, u32),
    /// A touch screen with a phone's user agent.
    pub phone: bool,
    /// What the browser asks pages for.
    pub language: &'static str,
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
    /// `prefers-reduced-motion: reduce`.
    pub still: bool,
    /// `forced-colors: active`: the system's few colours instead of the page's.
    pub forced: bool,
    /// Cookies, and with them all that pages keep, are blocked.
    pub forgetful: bool,
    /// `--host-resolver-rules`, when names are not looked up as usual.
    pub resolver: Option<&'static str>,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            size: (1280, 720),
            phone: false,
            language: "zh-TW",
            dark: false,
            still: false,
            forced: false,
            forgetful: false,
            resolver: None,
        }
    }
}

impl Browser {
    /// A phone of 390×844.
    pub fn phone() -> Self {
        Self {
            size: (390, 844),
            phone: true,
            ..Self::default()
        }
    }
}

impl Driver {
    /// The shared ChromeDriver, started if no other test uses it.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock();
        if let Some(driver) = shared.upgrade() {
            return driver;
        }
        let driver = Arc::new(Self::start());
        *shared = Arc::downgrade(&driver);
        driver
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start() -> Self {
        require(CHROMEDRIVER, "chromium-driver");
        require(CHROMIUM, "chromium");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = File::create(folder.path().join("chromedriver.log")).expect("a log file");
        let port = free_port();
        let mut child = Command::new(CHROMEDRIVER)
            .arg(format!("--port={port}"))
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("chromedriver starts");
        until_listening(port, &mut child, "chromedriver");
        Self {
            child,
            port,
            _folder: folder,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fails, never skips: a suite that quietly did nothing would prove nothing.
fn require(path: &str, package: &str) {
    assert!(
        Path::new(path).exists(),
        "{path} is missing. The browser tests need Debian's packages `chromium` and \
         `chromium-driver`: apt-get install {package}"
    );
}

/// A port that no process listens on at this moment.
pub fn free_port() -> u16 {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(any).expect("a free port");
    listener.local_addr().expect("a bound address").port()
}

/// Waits until `child` accepts connections; panics when it ends before.
pub fn until_listening(port: u16, child: &mut Child, name: &str) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let begun = Instant::now();
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            panic!("{name} ended at once with {status}");
        }
        assert!(
            begun.elapsed() < START_DEADLINE,
            "{name} does not listen on {address}"
        );
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// WebDriver's description of a fresh Chromium that keeps its files in `profile`.
pub fn capabilities(browser: &Browser, profile: &Path) -> serde_json::Map<String, Value> {
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
    let mut options = json!({
        "binary": CHROMIUM,
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
