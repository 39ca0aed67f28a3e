//! Browser tests: people at headless Chromium on the real executable, driven by ChromeDriver; some
//! scenes are played in Firefox too, driven by geckodriver (`firefox.rs`).
//!
//! They need Debian's `chromium`, `chromium-headless-shell`, `chromium-driver` and `firefox-esr`, geckodriver, which
//! `scripts/test` builds, and axe-core from `scripts/lib/axe`; without these they fail. Every test ends
//! with a look at the console, at where requests went, and with axe in each page that is still open:
//! `support/stage.rs`, without which there are no people to test with.

mod admin;
mod alone;
mod beginning;
mod calling;
mod clock;
mod console_acts;
mod console_appeal;
mod console_claims;
mod console_first;
mod console_queue;
mod console_told;
mod console_turns;
mod dark_line;
mod dropping;
mod ending;
mod firefox;
mod flat;
mod forced_colours;
mod forgetting;
mod in_between;
mod keyboard;
mod meeting;
mod menus;
mod mirrored;
mod names;
mod notices;
mod offline;
mod owed;
mod presses;
mod reacting;
mod reading;
mod reporting;
mod restored;
mod returning;
mod small;
mod starting;
mod support;
mod talking;
mod touch;
mod tour;
mod translated;
