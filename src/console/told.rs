//! Figures, for operators and for the public, and what administrators set for the site.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Mutex;

use super::refusal::Refused;
use super::site::{Broadcast, Maintenance, OrderJson, SiteJson, SiteVersions};
use super::templates::{StandingTemplates, Templates};
use super::transparency::TransparencyJson;
use super::{Asker, Console, now};
use crate::domain::safety::setting::SETTING_BYTES;
use crate::domain::safety::{CaseKind, Setting, SettingName};
use crate::store::StoreError;

/// Adding up what the public is told walks the audit log: as seldom as this.
const TRANSPARENCY: Duration = Duration::from_secs(600);
/// How far back the public is told.
const MONTHS: Duration = Duration::from_secs(24 * 31 * 24 * 3600);
/// Figures for operators are so old at most.
const LIVE: Duration = Duration::from_secs(5);
/// What counts as today.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What the public was told last. One who asks while it is added up waits for that.
#[derive(Default)]
pub(super) struct Transparency(Mutex<Option<(Instant, TransparencyJson)>>);

/// What operators were told last.
#[derive(Default)]
pub(super) struct Live(Mutex<Option<(Instant, LiveJson)>>);

/// The work, in numbers.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LiveJson {
    cases_open: usize,
    /// How long the oldest of them has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_open_ms: Option<u64>,
    appeals_open: usize,
    sanctions_in_force: usize,
    automatic_today: u64,
}

impl Console {
    /// What the public is told, at most ten minutes old. What was told before holds while the store does not answer.
    ///
    /// # Errors
    /// The store does not answer, and nothing was told before.
    pub async fn transparency(&self) -> Result<TransparencyJson, Refused> {
        let mut told = self.transparency.0.lock().await;
        let fresh = told.as_ref().filter(|(at, _)| at.elapsed() < TRANSPARENCY);
        if let Some((_, known)) = fresh {
            return Ok(known.clone());
        }
        match self.add_up().await {
            Ok(figures) => {
                *told = Some((Instant::now(), figures.clone()));
                Ok(figures)
            }
            Err(error) => {
                let before = told.as_ref().map(|(_, before)| before.clone());
                before.ok_or(Refused::Store(error))
            }
        }
    }

    async fn add_up(&self) -> Result<TransparencyJson, StoreError> {
        let months = self.safety.figures(now().minus(MONTHS)).await?;
        let taken = self.safety.operator_exists().await?;
        Ok(TransparencyJson::of(&months, taken))
    }

    /// The work in numbers, a few seconds old at most.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn live(&self) -> Result<LiveJson, Refused> {
        let mut told = self.live.0.lock().await;
        if let Some((at, known)) = *told
            && at.elapsed() < LIVE
        {
            return Ok(known);
        }
        let queue = self.safety.queue().await?;
        let (_, sanctions_in_force) = self.all_in_force(1).await?;
        let is_appeal = |kind| matches!(kind, CaseKind::Appeal(_));
        let waits = queue.iter().map(|it| now().since(it.opened_at)).max();
        let figures = LiveJson {
            cases_open: queue.len(),
            oldest_open_ms: waits.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
            appeals_open: queue.iter().filter(|it| is_appeal(it.kind)).count(),
            sanctions_in_force,
            automatic_today: self.safety.automatic_since(now().minus(DAY)).await?,
        };
        *told = Some((Instant::now(), figures));
        Ok(figures)
    }

    /// The texts that decisions begin with.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn templates(&self) -> Result<StandingTemplates, Refused> {
        let set = self.setting(SettingName::Templates).await?;
        let version = set.as_ref().map_or(0, |it| it.version);
        let set = set.and_then(|it| Templates::parse(&it.value));
        Ok(StandingTemplates {
            version,
            templates: set.unwrap_or_else(Templates::delivered),
        })
    }

    /// Puts other texts in their place.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn put_templates(
        &self,
        asker: Asker,
        templates: &Templates,
        over: Option<u64>,
    ) -> Result<(), Refused> {
        templates.check()?;
        self.put(asker, SettingName::Templates, Some(templates), over)
            .await
    }

    /// What is set for all people now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn site(&self) -> Result<SiteJson, Refused> {
        let broadcast = self.setting(SettingName::Broadcast).await?;
        let maintenance = self.setting(SettingName::Maintenance).await?;
        let version = |of: &Option<Setting>| of.as_ref().map_or(0, |it| it.version);
        Ok(SiteJson {
            versions: SiteVersions {
                broadcast: version(&broadcast),
                maintenance: version(&maintenance),
            },
            broadcast: broadcast.and_then(|it| Broadcast::standing(&it.value, now())),
            maintenance: maintenance.and_then(|it| Maintenance::standing(&it.value, now())),
        })
    }

    /// Tells all people something, or nothing more.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn broadcast(
        &self,
        asker: Asker,
        order: Option<OrderJson>,
        over: Option<u64>,
    ) -> Result<(), Refused> {
        let notice = order.map(|it| Broadcast::order(it, now())).transpose()?;
        self.put(asker, SettingName::Broadcast, notice.as_ref(), over)
            .await
    }

    /// Pairs no one for a time, or pairs people again.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn maintenance(
        &self,
        asker: Asker,
        order: Option<OrderJson>,
        over: Option<u64>,
    ) -> Result<(), Refused> {
        let pause = order.map(|it| Maintenance::order(it, now())).transpose()?;
        self.put(asker, SettingName::Maintenance, pause.as_ref(), over)
            .await
    }

    async fn setting(&self, name: SettingName) -> Result<Option<Setting>, StoreError> {
        let all = self.safety.settings().await?;
        Ok(all.into_iter().find(|it| it.name == name))
    }

    async fn put(
        &self,
        asker: Asker,
        name: SettingName,
        value: Option<&impl Serialize>,
        over: Option<u64>,
    ) -> Result<(), Refused> {
        let value = value.map(|it| serde_json::to_string(it).expect("our types encode"));
        if value.as_ref().is_some_and(|it| it.len() > SETTING_BYTES) {
            return Err(Refused::Unfit(format!(
                "together it is longer than {SETTING_BYTES} bytes"
            )));
        }
        let acted = self
            .safety
            .put_setting(name, value, over, asker.actor)
            .await?;
        self.outcome(acted, None).await
    }
}
