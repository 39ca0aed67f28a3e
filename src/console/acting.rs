//! What operators do: each act is one call of the store, which says whether it may be.

use super::drafts::{
    AppealJson, DecideJson, HandJson, HoldJson, InvalidateJson, LiftJson, NoteJson, On,
    OutcomeWord, RaidJson, RevalidateJson, SanctionOrder, Targets, fits, says,
};
use super::evidence::{first_room, subject_side};
use super::person::Reporters;
use super::refusal::Refused;
use super::sanction::may_lift;
use super::{Asker, Console};
use crate::domain::safety::{
    Actor, AppealDecision, AppealOutcome, Case, CaseId, DecisionDraft, Networks, OperatorId,
    Report, ReportId, Role, SanctionDraft, SanctionId, SanctionKind, SanctionTarget,
};
use crate::store::safety::{Act, ActRefusal, Acted, CaseFile, Claimed, HandDraft};

/// What is done to a case without more words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// To have it to oneself.
    Claim,
    /// To give it up.
    Release,
    /// To close it without a decision.
    Skip,
    /// To leave it to the administrators.
    Escalate,
    /// To open it again.
    Reopen,
}

impl Console {
    /// Does this to a case. The note is kept where a case is closed or escalated.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn act(
        &self,
        asker: Asker,
        case: CaseId,
        act: Plain,
        words: NoteJson,
    ) -> Result<(), Refused> {
        fits("note", &words.note)?;
        let (by, note, seen) = (asker.actor, words.note, words.seen_reports);
        let acted = match act {
            Plain::Claim => match self.safety.claim(case, self.claimant(asker)?).await? {
                Claimed::Done(_) => Acted::Done(()),
                Claimed::Refused(why) => Acted::Refused(why),
            },
            Plain::Release => Acted::Done(self.safety.release(case, self.claimant(asker)?).await?),
            Plain::Skip => self.safety.skip(case, by, note, seen).await?,
            Plain::Escalate => self.safety.escalate(case, by, note).await?,
            Plain::Reopen => self.safety.reopen(case, by).await?,
        };
        self.outcome(acted, Some(case)).await
    }

    /// Closes a case by a decision about its reports.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn decide(
        &self,
        asker: Asker,
        case: CaseId,
        order: DecideJson,
    ) -> Result<(), Refused> {
        order.fits()?;
        let file = self.known(case).await?;
        let decision = DecisionDraft {
            case,
            by: asker.actor,
            finding: order.finding,
            rule: order.rule,
            sanctions: self.drafts(&file, &order.sanctions).await?,
            note: order.note,
            text: order.text,
            reporter_text: order.reporter_text,
            seen_reports: order.seen_reports,
        };
        if !decision.allowed(Role::Administrator) {
            return Err(Refused::Unfit(
                "one of the sanctions cannot follow from this: without a violation there are only notes and reporter \
                 mutes; warnings and notes have no length; a shadow mute is for spam and ends within a day; a network \
                 is not banned for longer than a day"
                    .into(),
            ));
        }
        let acted = self.safety.decide(decision).await?;
        self.outcome(acted, Some(case)).await.map(drop)
    }

    /// Closes an appeal.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn appeal(
        &self,
        asker: Asker,
        case: CaseId,
        order: AppealJson,
    ) -> Result<(), Refused> {
        order.fits()?;
        let file = self.known(case).await?;
        let outcome = match (order.outcome, &order.sanction) {
            (OutcomeWord::Change, Some(instead)) => {
                if instead.on != On::Person {
                    return Err(Refused::Unfit(
                        "what takes the place of a sanction is on the person".into(),
                    ));
                }
                let drafts = self.drafts(&file, std::slice::from_ref(instead)).await?;
                let instead = drafts.into_iter().next().ok_or(Refused::NotFound)?;
                if !instead.allowed(Role::Administrator, file.case.reason) {
                    return Err(Refused::Unfit("there is no such sanction for this".into()));
                }
                AppealOutcome::Change(instead)
            }
            (OutcomeWord::Overturn, _) => AppealOutcome::Overturn,
            _ => AppealOutcome::Uphold,
        };
        let acted = self.safety.decide_appeal(AppealDecision {
            case,
            by: asker.actor,
            outcome,
            note: order.note,
            text: order.text,
        });
        self.outcome(acted.await?, Some(case)).await.map(drop)
    }

    /// Holds the evidence of a case, or no longer.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn hold(&self, asker: Asker, case: CaseId, order: HoldJson) -> Result<(), Refused> {
        fits("note", &order.note)?;
        let acted = self.safety.hold(case, order.hold, asker.actor, order.note);
        self.outcome(acted.await?, Some(case)).await
    }

    /// Makes all reports invalid that the one who made this report has undecided; answers how many.
    ///
    /// # Errors
    /// See [`Refused`]. Who may not decide about the case may not do this, either.
    pub async fn invalidate(
        &self,
        asker: Asker,
        case: CaseId,
        order: &InvalidateJson,
    ) -> Result<u64, Refused> {
        let (report, mute) = order.parse()?;
        let reporter = self
            .judged(asker, case, report, &[Act::Decide])
            .await?
            .reporter;
        let acted = self
            .safety
            .invalidate(reporter, mute, Some(case), asker.actor);
        Ok(self.outcome(acted.await?, Some(case)).await?.reports)
    }

    /// Takes the act back by which this report became invalid; answers how many stand again.
    ///
    /// # Errors
    /// See [`Refused`]. It may have closed the case: who may open that again may do this.
    pub async fn revalidate(
        &self,
        asker: Asker,
        case: CaseId,
        order: &RevalidateJson,
    ) -> Result<u64, Refused> {
        let report = order.parse()?;
        self.judged(asker, case, report, &[Act::Decide, Act::Reopen])
            .await?;
        let acted = self.safety.revalidate(report, Some(case), asker.actor);
        Ok(self.outcome(acted.await?, Some(case)).await?.reports)
    }

    /// A report of a case to which this one may do one of these.
    async fn judged(
        &self,
        asker: Asker,
        case: CaseId,
        report: ReportId,
        by: &[Act],
    ) -> Result<Report, Refused> {
        let acts = self.permitted(asker, case).await?;
        let file = self.known(case).await?;
        if !by.iter().any(|act| acts.contains(act)) {
            let why = match file.case.claim {
                Some(claim) if Some(claim.by) != asker.operator() => ActRefusal::Taken(claim),
                _ if file.case.state.closed() => ActRefusal::Unfit,
                _ => ActRefusal::NotAllowed,
            };
            return Err(Refused::of(why, Some(&file.case), &self.names().await?));
        }
        let found = file.reports.into_iter().find(|it| it.id == report);
        found.ok_or(Refused::NotFound)
    }

    /// Opens a case without a report. It makes evidence of a conversation that no one reported here, and its answers say which
    /// rooms there are, so it takes an administrator.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn open(&self, asker: Asker, order: HandJson) -> Result<CaseId, Refused> {
        if asker.role < Role::Administrator {
            return Err(Refused::AboveYou);
        }
        let about = order.about()?;
        let acted = self.safety.open_by_hand(HandDraft {
            by: asker.actor,
            about,
            reason: order.reason,
            note: order.note,
        });
        self.outcome(acted.await?, None).await
    }

    /// Lifts a sanction. What an administrator imposed, or a command on the machine, no moderator lifts: there is the appeal.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn lift(
        &self,
        asker: Asker,
        sanction: SanctionId,
        order: LiftJson,
    ) -> Result<(), Refused> {
        fits("text", &order.text)?;
        let before = SanctionId(sanction.0.saturating_sub(1));
        let rows = self.safety.sanctions_since(before).await?;
        let found = rows.into_iter().find(|it| it.id == sanction);
        let found = found.ok_or(Refused::NotFound)?;
        if !may_lift(&found, asker.role, &self.names().await?) {
            return Err(Refused::AboveYou);
        }
        if found.kind.is_told() && matches!(found.target, SanctionTarget::Session(_)) {
            says(&order.text)?;
        }
        let acted = self
            .safety
            .lift_sanction(sanction, order.text, asker.actor)
            .await?;
        match acted {
            Acted::Refused(ActRefusal::Unfit) => Err(Refused::Closed),
            other => self.outcome(other, None).await.map(drop),
        }
    }

    /// Sanctions a network, in a raid.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn raid(&self, asker: Asker, order: RaidJson) -> Result<SanctionId, Refused> {
        let draft = order.draft(&self.networks)?;
        if !draft.allowed(Role::Administrator, order.rule) {
            return Err(Refused::Unfit(
                "a network is banned for at most a day, or watched for a while that ends".into(),
            ));
        }
        let acted = self
            .safety
            .impose(draft, order.rule, order.text, asker.actor)
            .await?;
        Ok(self.outcome(acted, None).await?.id)
    }

    /// The operator in whose name something is claimed.
    pub(super) fn claimant(&self, asker: Asker) -> Result<OperatorId, Refused> {
        asker.operator().ok_or_else(|| {
            Refused::Unfit("a command on the machine claims nothing: it decides at once".into())
        })
    }

    /// What sanctions of a decision are on.
    async fn drafts(
        &self,
        file: &CaseFile,
        orders: &[SanctionOrder],
    ) -> Result<Vec<SanctionDraft>, Refused> {
        let on_network = |it: &SanctionOrder| matches!(it.on, On::Address | On::Network);
        let networks = match orders.iter().any(on_network) {
            true => self.networks_of(file).await?,
            false => None,
        };
        let reporters = Reporters::of(&file.reports);
        let targets = Targets {
            subject: file.case.subject,
            networks,
            reporter: &|name| reporters.find(name),
        };
        let quiet = |kind| matches!(kind, SanctionKind::Note | SanctionKind::ReporterMute);
        if orders
            .iter()
            .any(|it| it.on == On::Reporter && !quiet(it.kind))
        {
            return Err(Refused::Unfit(
                "on one who reported there are only notes and reporter mutes".into(),
            ));
        }
        orders.iter().map(|it| it.draft(&targets)).collect()
    }

    /// Where the person was when they were last reported, as the evidence has it.
    async fn networks_of(&self, file: &CaseFile) -> Result<Option<Networks>, Refused> {
        let Some(room) = first_room(&file.reports, &file.rooms) else {
            return Ok(None);
        };
        let kept = self.safety.evidence(file.case.id, room).await?;
        Ok(kept.and_then(|it| {
            let side = subject_side(&it, file.case.subject, &file.reports);
            it.networks[side.index()]
        }))
    }

    /// What an act came to.
    pub(super) async fn outcome<T>(
        &self,
        acted: Acted<T>,
        case: Option<CaseId>,
    ) -> Result<T, Refused> {
        let why = match acted {
            Acted::Done(done) => return Ok(done),
            Acted::Refused(why) => why,
        };
        // As it is now: it may have been decided between.
        let case: Option<Case> = match case {
            Some(case) => self.safety.case(case).await?.map(|it| it.case),
            None => None,
        };
        Err(Refused::of(why, case.as_ref(), &self.names().await?))
    }
}

impl Asker {
    /// A command on the machine.
    pub fn local() -> Self {
        Self {
            actor: Actor::Local,
            role: Role::Administrator,
        }
    }
}
