//! What operators see and do about reports, without HTTP: views of cases, evidence and sanctions as JSON, and acts
//! parsed from JSON. Who may do what is decided by the store, in the transaction of the act.
//!
//! Only what was reported can be read here: there is evidence where a report, or a case by hand, froze it, and no
//! call reaches any other conversation. Reading a case is written into the audit log before anything of it is given out.
//!
//! Reading order: `person`, `sanction`, `row`, `evidence`, `file`, `export`, `transparency` (views) · `drafts`, `templates`,
//! `site` (what is ordered) · `refusal` · `reading`, `acting`, `told` (calls of [`Console`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::domain::id::Timestamp;
use crate::domain::safety::{Actor, AuditAct, AuditDraft, CaseId, NetworkKey, OperatorId, Role};
use crate::store::StoreError;
use crate::store::safety::SafetyStore;

mod acting;
pub mod drafts;
pub mod evidence;
pub mod export;
pub mod file;
pub mod person;
mod reading;
pub mod refusal;
pub mod row;
pub mod sanction;
pub mod site;
pub mod templates;
mod told;
pub mod transparency;

pub use acting::Plain;
pub use reading::{Listed, Read};
pub use refusal::Refused;
pub use told::LiveJson;

/// An operator who reads a case again within this time is not written down again.
const READ_AGAIN: Duration = Duration::from_secs(20 * 60);
/// So many readings are remembered; beyond them some are written down twice.
const READINGS: usize = 4096;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// In whose name.
    pub actor: Actor,
    /// What they may do.
    pub role: Role,
}

impl Asker {
    /// The operator; `None`: a command on the machine.
    pub fn operator(&self) -> Option<OperatorId> {
        match self.actor {
            Actor::Operator(id) => Some(id),
            Actor::Local => None,
        }
    }
}

/// The operators' desk.
pub struct Console {
    safety: Arc<dyn SafetyStore>,
    networks: NetworkKey,
    /// Who read which case lately.
    readings: Mutex<HashMap<(Option<OperatorId>, CaseId), Instant>>,
    transparency: told::Transparency,
    live: told::Live,
    /// One at a time: an export is as large as a case.
    exporting: tokio::sync::Mutex<()>,
}

impl Console {
    /// On this store. Reads the key of networks, which the store keeps.
    ///
    /// # Errors
    /// The store does not give its key.
    pub async fn new(safety: Arc<dyn SafetyStore>) -> Result<Self, StoreError> {
        let networks = NetworkKey::new(&safety.installation_key().await?);
        Ok(Self {
            safety,
            networks,
            readings: Mutex::default(),
            transparency: told::Transparency::default(),
            live: told::Live::default(),
            exporting: tokio::sync::Mutex::default(),
        })
    }

    /// Writes into the audit log that this operator reads this case, unless that was done a moment ago. What cannot be
    /// written down is not read.
    async fn note_reading(&self, asker: Asker, case: CaseId) -> Result<(), Refused> {
        let key = (asker.operator(), case);
        let known = self.readings.lock().get(&key).copied();
        if known.is_some_and(|at| at.elapsed() < READ_AGAIN) {
            return Ok(());
        }
        self.record(asker, AuditAct::Read, case, String::new())
            .await?;
        let mut readings = self.readings.lock();
        if readings.len() >= READINGS {
            readings.retain(|_, at| at.elapsed() < READ_AGAIN);
        }
        if readings.len() >= READINGS {
            readings.clear();
        }
        readings.insert(key, Instant::now());
        Ok(())
    }

    async fn record(
        &self,
        asker: Asker,
        act: AuditAct,
        case: CaseId,
        details: String,
    ) -> Result<(), Refused> {
        let row = AuditDraft {
            by: asker.operator(),
            act,
            case: Some(case),
            sanction: None,
            took_ms: None,
            details,
        };
        Ok(self.safety.record(row).await?)
    }
}

/// The moment, as stores have it.
fn now() -> Timestamp {
    crate::clock::now()
}
