//! Which browser a person sits at, how it differs from an ordinary one, and how a whole scene is
//! played in another. What each is started with is in `chromium.rs` and `firefox.rs`.

use std::cell::Cell;

thread_local! {
    // A test runs on one thread, with a runtime of its own.
    static ENGINE: Cell<Engine> = const { Cell::new(Engine::Chromium) };
}

/// The make of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// By ChromeDriver, and beside it by Chromium's own protocol.
    Chromium,
    /// By geckodriver, and beside it by WebDriver BiDi.
    Firefox,
}

/// Plays a scene that another file tells, with Firefox in Chromium's place.
pub fn in_firefox(scene: fn()) {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            ENGINE.set(Engine::Chromium);
        }
    }
    let _back = Back;
    ENGINE.set(Engine::Firefox);
    scene();
}

/// How a person's browser differs from an ordinary one: 1280×720, zh-TW, light.
#[derive(Clone, PartialEq)]
pub struct Browser {
    /// Its make: that of the scene.
    pub engine: Engine,
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
    /// The whole Chromium, which keeps windows: only it has notifications.
    pub whole: bool,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            engine: ENGINE.get(),
            size: (1280, 720),
            phone: false,
            language: "zh-TW",
            dark: false,
            still: false,
            forced: false,
            forgetful: false,
            resolver: None,
            whole: false,
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

    /// The same without what is set in a browser that runs.
    pub fn as_started(&self) -> Self {
        let ordinary = Self::default();
        let mut started = self.clone();
        started.forced = ordinary.forced;
        if !self.phone {
            started.size = ordinary.size;
        }
        // A Firefox knows these from its start.
        if self.engine == Engine::Chromium {
            (started.dark, started.still) = (ordinary.dark, ordinary.still);
        }
        started
    }
}
