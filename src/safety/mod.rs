//! The safety of people while the site runs. Here: reporting, from what a person says of another to the store; the chat
//! socket and the API come here alike. `follow` takes what was decided into effect, `notices` tells people of it,
//! `to_all` is what the site tells all. What a report counts, and what follows from it, is decided by the rules and the store; nothing of it
//! is ever told to the one who is reported.

mod follow;
mod notices;
pub mod to_all;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::{info, warn};

use crate::admission::door::{Act, AdmissionRefusal, Door};
use crate::domain::id::{RoomId, Seq, SessionId, Side, Timestamp};
use crate::domain::safety::network_key::NetworkKey;
use crate::domain::safety::{Chosen, OwnReport, ReportDraft, ReportId, TextClaim};
use crate::protocol::Proofs;
use crate::protocol::client::{ClaimRequest, ReportRequest};
use crate::protocol::proof::Said;
use crate::store::safety::{ReportRefusal, Reported, SafetyStore, Withdrawn};
use crate::store::{PageLimit, Store, StoreError};
use crate::tasks::Drain;
use crate::telemetry;

pub use follow::Follower;
pub use notices::{NoticeBoard, Told};

/// How long it may take until pages learn that there is an operator, or none any more.
const FRESH: Duration = Duration::from_secs(5);

/// Who reports, and from where: a side of a room, whose right to it was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reporter {
    /// The session that has the side.
    pub session: SessionId,
    /// The room.
    pub room: RoomId,
    /// The side; the other one is reported.
    pub side: Side,
    /// The client's address.
    pub address: IpAddr,
}

/// Why a report was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReported {
    /// This site has no operator who would read it.
    Off,
    /// This side of the room is reported already, by the same person, and not decided yet. What was chosen now is
    /// kept with it.
    Already,
    /// Both sides are one browser's.
    SameSession,
    /// The room is unknown or erased.
    NoSuchRoom,
    /// The room is of other people.
    NotAMember,
    /// So many of this person's reports wait that no more are taken.
    TooMany,
    /// Too many for now.
    RateLimited(Duration),
    /// The store did not answer.
    Unavailable,
}

impl NotReported {
    /// When to try again, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The report stands: it was made before.
    pub fn stands(&self) -> bool {
        matches!(self, Self::Already)
    }
}

/// What reporting reaches.
pub struct Reporting {
    safety: Arc<dyn SafetyStore>,
    store: Arc<dyn Store>,
    door: Door,
    proofs: Proofs,
    networks: NetworkKey,
    drain: Drain,
    offered: Mutex<Option<(Instant, bool)>>,
}

impl Reporting {
    /// On these stores. Reads the key of networks, which the safety store keeps.
    ///
    /// # Errors
    /// The store does not give its key.
    pub async fn new(
        safety: Arc<dyn SafetyStore>,
        store: Arc<dyn Store>,
        door: Door,
        proofs: Proofs,
        drain: Drain,
    ) -> Result<Self, StoreError> {
        let networks = NetworkKey::new(&safety.installation_key().await?);
        Ok(Self {
            safety,
            store,
            door,
            proofs,
            networks,
            drain,
            offered: Mutex::new(None),
        })
    }

    /// Whether there is an operator who would read a report. When the store does not say, what was known holds.
    pub async fn offered(&self) -> bool {
        if let Some(there) = self.known() {
            return there;
        }
        match self.safety.operator_exists().await {
            Ok(there) => {
                *self.offered.lock() = Some((Instant::now(), there));
                there
            }
            Err(error) => {
                warn!(%error, "whether there is an operator could not be read");
                self.offered.lock().is_some_and(|(_, there)| there)
            }
        }
    }

    /// The answer, if it was read a moment ago.
    fn known(&self) -> Option<bool> {
        let known = *self.offered.lock();
        let fresh = known.filter(|(at, _)| at.elapsed() < FRESH);
        fresh.map(|(_, there)| there)
    }

    /// A client of this address has come to this side of a room. Kept until the room is erased, and only where there is
    /// an operator: a report may have to say from where the other side came. The connection does not wait for it.
    pub fn arrived(self: &Arc<Self>, room: RoomId, side: Side, address: IpAddr) {
        if self.known() == Some(false) {
            return;
        }
        let reporting = Arc::clone(self);
        self.drain.spawn(async move {
            if !reporting.offered().await {
                return;
            }
            let networks = reporting.networks.networks(address);
            let noted = reporting.safety.note_networks(room, side, networks).await;
            if let Err(error) = noted {
                warn!(%error, "where a side of a room came from could not be noted");
            }
        });
    }

    /// Takes a report.
    ///
    /// # Errors
    /// See [`NotReported`].
    pub async fn report(
        &self,
        reporter: Reporter,
        request: ReportRequest,
    ) -> Result<ReportId, NotReported> {
        let asked = Some(reporter.session);
        let allowed = self.door.ask(asked, reporter.address, Act::Report).await;
        allowed.map_err(|refusal| match refusal {
            AdmissionRefusal::Rate(wait) | AdmissionRefusal::NewSessions(wait) => {
                NotReported::RateLimited(wait)
            }
            // Reports are asked of no ban: it was met before.
            AdmissionRefusal::Memory(_) | AdmissionRefusal::Banned(_) => NotReported::Unavailable,
        })?;
        // Asked anew: a report that is taken where no operator is any more would be promised for nothing.
        if !self.offered().await {
            return Err(NotReported::Off);
        }
        let reason = request.reason;
        let draft = self.draft(reporter, request).await;
        let reported = self.safety.report(draft).await;
        match reported {
            Ok(Reported::Done { report, automatic }) => {
                metrics::counter!(telemetry::REPORTS, "reason" => reason.as_str()).increment(1);
                info!(
                    reason = reason.as_str(),
                    automatic = automatic.is_some(),
                    "a report was taken"
                );
                Ok(report)
            }
            Ok(Reported::Already(_)) => Err(NotReported::Already),
            Ok(Reported::Refused(why)) => Err(match why {
                ReportRefusal::NoSuchRoom => NotReported::NoSuchRoom,
                ReportRefusal::NotYours => NotReported::NotAMember,
                ReportRefusal::Own => NotReported::SameSession,
                ReportRefusal::TooMany => NotReported::TooMany,
            }),
            Err(error) => {
                warn!(%error, "a report could not be stored");
                Err(NotReported::Unavailable)
            }
        }
    }

    async fn draft(&self, reporter: Reporter, request: ReportRequest) -> ReportDraft {
        let mut claims = Vec::with_capacity(request.claims.len());
        for claim in request.claims {
            let verified = self.is_true(&reporter, &claim).await;
            claims.push(TextClaim {
                seq: claim.seq,
                content: claim.content,
                verified,
            });
        }
        ReportDraft {
            id: ReportId::fresh(),
            reporter: reporter.session,
            room: reporter.room,
            side: reporter.side,
            reason: request.reason,
            note: request.note,
            chosen: match request.messages {
                messages if messages.is_empty() => Chosen::All,
                messages => Chosen::Messages(messages),
            },
            claims,
            networks: Some(self.networks.networks(reporter.address)),
        }
    }

    /// Whether a message really said so. What comes of it is told to operators alone: nothing can be found out by
    /// asking.
    async fn is_true(&self, reporter: &Reporter, claim: &ClaimRequest) -> bool {
        let Some(key) = self.proofs.key() else {
            return false;
        };
        let moment = match claim.sent_at {
            Some(at) => Some(at),
            None => self.sent_at(reporter, claim).await,
        };
        let Some(at) = moment else {
            return false;
        };
        Side::BOTH.into_iter().any(|side| {
            let said = Said {
                room: reporter.room,
                seq: claim.seq,
                side,
                at,
                content: &claim.content,
            };
            key.verify(&said, &claim.proof)
        })
    }

    /// When that message was sent, by the log. A side's own view leaves out what it deleted for itself, so both are
    /// looked at.
    async fn sent_at(&self, reporter: &Reporter, claim: &ClaimRequest) -> Option<Timestamp> {
        let before = Seq(claim.seq.0.checked_sub(1)?);
        for side in Side::BOTH {
            let one = PageLimit::entries(1);
            let page = self.store.page(reporter.room, side, before, one).await;
            let entry = page.ok().flatten()?.entries.into_iter().next();
            if let Some(entry) = entry.filter(|entry| entry.seq == claim.seq) {
                return Some(entry.at);
            }
        }
        None
    }

    /// What this session has reported, newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn own(&self, session: SessionId) -> Result<Vec<OwnReport>, StoreError> {
        self.safety.reports_by(session).await
    }

    /// Takes a report back.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn withdraw(
        &self,
        session: SessionId,
        report: ReportId,
    ) -> Result<Withdrawn, StoreError> {
        self.safety.withdraw(session, report).await
    }
}
