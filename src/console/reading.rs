//! What operators read: lists, a case with its evidence, sanctions, an export.

use std::collections::HashMap;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::evidence::{RoomJson, first_room};
use super::export::{self, Export};
use super::file::{FileJson, FileParts};
use super::person::{Names, Reporters};
use super::refusal::Refused;
use super::row::{CaseRow, Looking};
use super::sanction::SanctionJson;
use super::{Asker, Console, now};
use crate::domain::id::{RoomId, Seq, SessionId};
use crate::domain::safety::{
    Accuracy, AuditAct, Case, CaseId, Evidence, ReportId, Sanction, SanctionId, SanctionKind,
    SanctionTarget,
};
use crate::store::StoreError;
use crate::store::safety::{Act, Acted, CaseFile};

/// Most rows of a list of cases.
const ROWS: usize = 100;
/// Most sanctions of a list.
const SANCTIONS: usize = 200;
/// Most reporters of a case whose other reports are looked at: those who reported first.
const HISTORIES: usize = 20;
/// So many questions to the store are asked at a time.
const AT_ONCE: usize = 8;

/// Which cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those that wait, in the order of work.
    Waiting,
    /// Those that are closed, newest first.
    Closed,
}

/// A list of cases.
#[derive(Debug, Serialize)]
pub struct CasesJson {
    cases: Vec<CaseRow>,
    /// How many there are, as far as the store counts them.
    total: usize,
}

/// A list of sanctions.
#[derive(Debug, Serialize)]
pub struct SanctionsJson {
    sanctions: Vec<SanctionJson>,
}

/// A case that was read, with what its view is made of.
#[derive(Debug)]
pub struct Read {
    file: CaseFile,
    acts: Vec<Act>,
    revalidatable: Vec<ReportId>,
    first: Option<Evidence>,
    about: Vec<Case>,
    history: Vec<(Accuracy, bool)>,
    names: Names,
    asker: Asker,
}

impl Read {
    /// The file as JSON.
    pub fn json(&self) -> FileJson<'_> {
        FileJson::of(FileParts {
            file: &self.file,
            acts: &self.acts,
            revalidatable: &self.revalidatable,
            first: self.first.as_ref(),
            about: &self.about,
            history: &self.history,
            looking: Looking {
                names: &self.names,
                me: self.asker.operator(),
                now: now(),
            },
        })
    }
}

impl Console {
    /// A list of cases.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn cases(&self, asker: Asker, which: Listed) -> Result<CasesJson, Refused> {
        let mut cases = match which {
            Listed::Waiting => self.safety.queue().await?,
            Listed::Closed => self.safety.closed_cases().await?,
        };
        let total = cases.len();
        cases.truncate(ROWS);
        let names = self.names().await?;
        let on = self.sanctions_of(&cases).await?;
        let looking = Looking {
            names: &names,
            me: asker.operator(),
            now: now(),
        };
        let none = Vec::new();
        let row = |case: &Case| {
            let on_subject = on.get(&case.subject).unwrap_or(&none);
            CaseRow::of(case, on_subject, looking)
        };
        Ok(CasesJson {
            cases: cases.iter().map(row).collect(),
            total,
        })
    }

    /// One case as a line.
    ///
    /// # Errors
    /// There is none, or the store does not answer.
    pub async fn row(&self, asker: Asker, case: CaseId) -> Result<CaseRow, Refused> {
        let file = self.known(case).await?;
        let names = self.names().await?;
        let looking = Looking {
            names: &names,
            me: asker.operator(),
            now: now(),
        };
        Ok(CaseRow::of(&file.case, &file.sanctions, looking))
    }

    /// Claims the case that comes first; `None`: nothing waits for this operator.
    ///
    /// # Errors
    /// A command claims nothing; the store does not answer.
    pub async fn next(&self, asker: Asker) -> Result<Option<Read>, Refused> {
        let by = self.claimant(asker)?;
        match self.safety.claim_next(by).await? {
            Some(case) => self.read(asker, case.id).await.map(Some),
            None => Ok(None),
        }
    }

    /// A case with all that belongs to it, and that it was read.
    ///
    /// # Errors
    /// There is none, the operator has a part in it, or the store does not answer.
    pub async fn read(&self, asker: Asker, case: CaseId) -> Result<Read, Refused> {
        let acts = self.permitted(asker, case).await?;
        let file = self.known(case).await?;
        self.note_reading(asker, case).await?;
        let first = match first_room(&file.reports, &file.rooms) {
            Some(room) => self.safety.evidence(case, room).await?,
            None => None,
        };
        Ok(Read {
            acts,
            revalidatable: self.safety.revalidatable(case, asker.actor).await?,
            first,
            about: self.safety.cases_about(file.case.subject).await?,
            history: self.histories(&file).await?,
            names: self.names().await?,
            file,
            asker,
        })
    }

    /// What was kept of a room for a case, from after an entry on, as the text of a JSON object.
    ///
    /// # Errors
    /// There is none, the operator has a part in the case, or the store does not answer.
    pub async fn room(
        &self,
        asker: Asker,
        case: CaseId,
        room: RoomId,
        after: Seq,
    ) -> Result<String, Refused> {
        self.permitted(asker, case).await?;
        let file = self.known(case).await?;
        self.note_reading(asker, case).await?;
        let evidence = self.safety.evidence(case, room).await?;
        let evidence = evidence.ok_or(Refused::NotFound)?;
        let room = RoomJson::of(&evidence, file.case.subject, &file.reports, after);
        Ok(serde_json::to_string(&room).expect("our types encode"))
    }

    /// All of a case as a file, or one room of it. The audit log has the SHA-256 of the file before it is given out.
    ///
    /// # Errors
    /// There is none, the operator has a part in it, or the store does not answer.
    pub async fn export(
        &self,
        asker: Asker,
        case: CaseId,
        only: Option<RoomId>,
    ) -> Result<Vec<u8>, Refused> {
        self.permitted(asker, case).await?;
        let _one_at_a_time = self.exporting.lock().await;
        let file = self.known(case).await?;
        let mut export = Export::of(&file, &self.names().await?, now());
        for room in export::rooms(&file, only)? {
            if !export.has_space() {
                export.leave_out(room);
            } else if let Some(evidence) = self.safety.evidence(case, room).await? {
                export.room(&evidence, &file);
            }
        }
        let (bytes, hash) = export.finish();
        let details = format!("sha256 {hash}");
        self.record(asker, AuditAct::Exported, case, details)
            .await?;
        Ok(bytes)
    }

    /// What the person of a case was sanctioned with.
    ///
    /// # Errors
    /// There is no such case, or the store does not answer.
    pub async fn sanctions_of_case(
        &self,
        asker: Asker,
        case: CaseId,
    ) -> Result<SanctionsJson, Refused> {
        let file = self.known(case).await?;
        self.listed(asker, &file.sanctions).await
    }

    /// What this session was sanctioned with.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn sanctions_on(
        &self,
        asker: Asker,
        session: SessionId,
    ) -> Result<SanctionsJson, Refused> {
        let target = SanctionTarget::Session(session);
        let found = self.safety.sanctions_on(target).await?;
        self.listed(asker, &found).await
    }

    /// The newest sanctions that are in force.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn sanctions_in_force(&self, asker: Asker) -> Result<SanctionsJson, Refused> {
        let mut newest = self.all_in_force(SANCTIONS).await?.0;
        newest.reverse();
        self.listed(asker, &newest).await
    }

    /// The newest of the sanctions in force, oldest of them first, and how many there are in all.
    pub(super) async fn all_in_force(
        &self,
        most: usize,
    ) -> Result<(Vec<Sanction>, usize), StoreError> {
        let (mut newest, mut count, mut after) = (Vec::new(), 0, SanctionId(0));
        loop {
            let found = self.safety.sanctions_in_force(after).await?;
            count += found.sanctions.len();
            after = found.sanctions.last().map_or(after, |it| it.id);
            newest.extend(found.sanctions);
            newest.drain(..newest.len().saturating_sub(most));
            if !found.more {
                return Ok((newest, count));
            }
        }
    }

    async fn listed(&self, asker: Asker, sanctions: &[Sanction]) -> Result<SanctionsJson, Refused> {
        let names = self.names().await?;
        let seen = |it| SanctionJson::seen_by(it, asker.role, &names, now());
        Ok(SanctionsJson {
            sanctions: sanctions.iter().map(seen).collect(),
        })
    }

    /// The file of a case that is there.
    pub(super) async fn known(&self, case: CaseId) -> Result<CaseFile, Refused> {
        self.safety.case(case).await?.ok_or(Refused::NotFound)
    }

    pub(super) async fn names(&self) -> Result<Names, StoreError> {
        Ok(Names::of(&self.safety.operators().await?))
    }

    /// What this one may do to a case, unless they have a part in it: then they do not read it, either.
    pub(super) async fn permitted(&self, asker: Asker, case: CaseId) -> Result<Vec<Act>, Refused> {
        match self.safety.permitted_acts(case, asker.actor).await? {
            Acted::Done(acts) => Ok(acts),
            Acted::Refused(why) => Err(Refused::of(why, None, &self.names().await?)),
        }
    }

    async fn sanctions_of(
        &self,
        cases: &[Case],
    ) -> Result<HashMap<SessionId, Vec<Sanction>>, StoreError> {
        let mut subjects: Vec<SessionId> = cases.iter().map(|it| it.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let ask = |subject| async move {
            let on = self.safety.sanctions_on(SanctionTarget::Session(subject));
            Ok((subject, on.await?))
        };
        let mut asked = stream::iter(subjects).map(ask).buffer_unordered(AT_ONCE);
        let mut found = HashMap::new();
        while let Some(one) = asked.next().await {
            let (subject, sanctions) = one?;
            found.insert(subject, sanctions);
        }
        Ok(found)
    }

    /// How the other reports of those who reported were decided, and whether their reports count nothing now.
    async fn histories(&self, file: &CaseFile) -> Result<Vec<(Accuracy, bool)>, StoreError> {
        let mut histories = Vec::new();
        for reporter in Reporters::of(&file.reports).all().iter().take(HISTORIES) {
            let target = SanctionTarget::Session(*reporter);
            let on = self.safety.sanctions_on(target).await?;
            let muted = |it: &Sanction| it.kind == SanctionKind::ReporterMute && it.in_force(now());
            let besides = Some(file.case.id);
            let accuracy = self.safety.accuracy(*reporter, besides).await?;
            histories.push((accuracy, on.iter().any(muted)));
        }
        Ok(histories)
    }
}
