//! The log: what is said of what happens, and in which form. Where its lines go is [`super::lines`].

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use super::lines::{LINES, ToLines};

/// What may be changed of it later.
static FILTER: OnceLock<Handle<EnvFilter, Registry>> = OnceLock::new();

/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people on a terminal, else JSON.
    Auto,
    /// For people.
    Pretty,
    /// An object a line.
    Json,
}

/// Why a filter is not in effect.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// It cannot be understood.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The log does not take another one any more.
    #[error(transparent)]
    Replace(#[from] reload::Error),
}

/// Starts logging to stderr. A second call in one process changes nothing.
///
/// # Errors
/// When `log.filter` cannot be understood.
pub fn start(format: Format, filter: &str) -> Result<(), FilterError> {
    let (filter, handle) = reload::Layer::new(parsed(filter)?);
    let pretty = match format {
        Format::Pretty => true,
        Format::Json => false,
        Format::Auto => std::io::stderr().is_terminal(),
    };
    // What cannot be written is the lines' affair; the formatter's own complaint would go to stderr, and
    // panic when there is none.
    let quiet = fmt::layer().with_writer(ToLines).log_internal_errors(false);
    let lines = match pretty {
        true => {
            let compact = quiet.with_target(false).compact();
            tracing_subscriber::Layer::boxed(compact)
        }
        false => tracing_subscriber::Layer::boxed(quiet.json().flatten_event(true)),
    };
    // The only possible error is that a subscriber is there already: then it stays.
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    if subscriber.try_init().is_ok() {
        let _ = FILTER.set(handle);
        LINES.serve(!pretty);
    }
    log_panics();
    Ok(())
}

/// Changes what is logged from now on.
///
/// # Errors
/// When the filter cannot be understood.
pub fn set_filter(filter: &str) -> Result<(), FilterError> {
    let parsed = parsed(filter)?;
    if let Some(handle) = FILTER.get() {
        handle.reload(parsed)?;
    }
    Ok(())
}

fn parsed(filter: &str) -> Result<EnvFilter, ParseError> {
    // The migrator narrates every step at info; what it is told to show comes after this.
    let filter = format!("refinery_core=warn,{filter}");
    EnvFilter::try_new(filter)
}

/// Says something to the person at the terminal, between the lines of the log and as safely as they.
pub fn say(text: &str) {
    LINES.say(text.as_bytes());
}

/// Gives the last lines a moment, before the process ends.
pub fn finish() {
    LINES.flush(LAST_LINES);
}

/// Sends panics through the log, so that JSON stays JSON. A panic in here would end the process, so
/// nothing in here may fail: see [`super::lines`].
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(
            at = at.as_deref().unwrap_or("?"),
            thread = std::thread::current().name().unwrap_or("?"),
            "panic: {}",
            text.unwrap_or("?")
        );
    }));
}
