//! How long something took, and the processor time of both ends meanwhile.

use std::time::Instant;

use super::process::Usage;
use super::target::Target;

/// Runs from when it was made.
pub struct Meter {
    servers: Option<Usage>,
    client: Option<Usage>,
    begun: Instant,
}

/// What a [`Meter`] took, in seconds; processor time where it can be known.
pub struct Spent {
    /// By the clock.
    pub seconds: f64,
    /// Processor time of the servers.
    pub server: Option<f64>,
    /// Processor time of this program.
    pub client: Option<f64>,
}

impl Meter {
    /// Begins to count.
    pub fn start(target: &Target) -> Self {
        Self {
            servers: target.usage(),
            client: Usage::of(std::process::id()),
            begun: Instant::now(),
        }
    }

    /// When it began.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// Ends; answers what was used up meanwhile.
    pub fn stop(self, target: &Target) -> Spent {
        let seconds = self.begun.elapsed().as_secs_f64();
        let since =
            |then: Option<Usage>, now: Option<Usage>| Some(now?.cpu_since(&then?).as_secs_f64());
        Spent {
            seconds,
            server: since(self.servers, target.usage()),
            client: since(self.client, Usage::of(std::process::id())),
        }
    }
}
