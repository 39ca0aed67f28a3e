//! What the site tells all people: a notice of its operators, and that it is being worked on. Each ends by its time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::admission::client::Tongue;
use crate::domain::id::Timestamp;
use crate::domain::safety::{Setting, SettingName};
use crate::protocol::NoticeView;

/// One notice to all, as a setting keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its name: a page that has shown it shows it no more. Left out, it follows from its end.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// By the tag of the language. Where one is missing the English one stands for it, or else any.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// Since when, by the store's clock.
    #[serde(default)]
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
}

/// What is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToAll {
    /// A notice.
    pub broadcast: Option<Announcement>,
    /// No new pairs are made.
    pub maintenance: Option<Announcement>,
}

impl Announcement {
    fn left(&self, now: Timestamp) -> Option<Duration> {
        let left = Timestamp(self.until_ms).since(now);
        (!left.is_zero()).then_some(left)
    }

    fn text(&self, language: Tongue) -> &str {
        let tags = language.tag().into_iter().chain(["en"]);
        let mut texts = tags.filter_map(|tag| self.texts.get(tag));
        let text = texts.next().or_else(|| self.texts.values().next());
        text.map_or("", String::as_str)
    }

    fn view(&self, kind: &'static str, language: Tongue) -> NoticeView<'static> {
        let text = Cow::Owned(self.text(language).to_owned());
        let (from, until) = (Timestamp(self.from_ms), Timestamp(self.until_ms));
        let end = u128::from(self.until_ms.cast_unsigned());
        let id = self.id.unwrap_or(Uuid::from_u128(end));
        NoticeView::to_all(id, kind, text, from, until)
    }
}

impl ToAll {
    /// What these settings say. One that cannot be read counts as not set: the site goes on.
    pub fn of(settings: &[Setting]) -> Self {
        let named = |name| {
            let set = settings.iter().find(|it| it.name == name)?;
            serde_json::from_str(&set.value).ok()
        };
        Self {
            broadcast: named(SettingName::Broadcast),
            maintenance: named(SettingName::Maintenance),
        }
    }

    /// How long no new pairs are made yet.
    pub fn maintenance_left(&self, now: impl FnOnce() -> Timestamp) -> Option<Duration> {
        self.maintenance.as_ref()?.left(now())
    }

    pub(super) fn any(&self, now: Timestamp) -> bool {
        self.standing().any(|(_, it)| it.left(now).is_some())
    }

    pub(super) fn views(&self, language: Tongue, now: Timestamp) -> Vec<NoticeView<'static>> {
        let standing = self.standing().filter(|(_, it)| it.left(now).is_some());
        standing.map(|(kind, it)| it.view(kind, language)).collect()
    }

    /// When the last of these ends that is not among those.
    pub(super) fn end_of_others(&self, those: &Self) -> Timestamp {
        let gone = self
            .standing()
            .filter(|it| those.standing().all(|other| other != *it));
        let ends = gone.map(|(_, it)| Timestamp(it.until_ms));
        ends.max().unwrap_or(Timestamp(0))
    }

    fn standing(&self) -> impl Iterator<Item = (&'static str, &Announcement)> {
        let broadcast = self.broadcast.iter().map(|it| ("broadcast", it));
        broadcast.chain(self.maintenance.iter().map(|it| ("maintenance", it)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn texts(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(of, text): &(&str, &str)| ((*of).to_owned(), (*text).to_owned());
        all.iter().map(owned).collect()
    }

    fn announcement(all: &[(&str, &str)]) -> Announcement {
        Announcement {
            id: Some(Uuid::new_v4()),
            texts: texts(all),
            from_ms: NOW.0,
            until_ms: NOW.plus(HOUR).0,
        }
    }

    #[test]
    fn it_ends_by_its_time() {
        let set = ToAll {
            maintenance: Some(announcement(&[])),
            broadcast: None,
        };
        assert_eq!(set.maintenance_left(|| NOW), Some(HOUR));
        let last = Timestamp(NOW.plus(HOUR).0 - 1);
        assert!(set.any(last) && set.maintenance_left(|| last).is_some());
        assert!(!set.any(NOW.plus(HOUR)));
        assert_eq!(set.maintenance_left(|| NOW.plus(HOUR)), None);
        assert!(set.views(Tongue::default(), NOW.plus(HOUR)).is_empty());
    }

    #[test]
    fn each_language_has_its_text_or_the_english_one() {
        let told = announcement(&[("en", "soon"), ("zh-TW", "快了")]);
        let said = |tag| told.text(Tongue::of(tag)).to_owned();
        assert_eq!(
            [said("zh-TW"), said("ja"), said("en")],
            ["快了", "soon", "soon"]
        );
        let only = announcement(&[("zh-TW", "快了")]);
        assert_eq!(only.text(Tongue::of("en")), "快了");
    }

    #[test]
    fn a_setting_is_read_as_it_was_put_and_nonsense_is_none() {
        let told = announcement(&[("en", "hi")]);
        let put = |name, value: String| Setting {
            name,
            value,
            at: NOW,
            by: None,
            version: 1,
        };
        let read = ToAll::of(&[
            put(
                SettingName::Broadcast,
                serde_json::to_string(&told).unwrap(),
            ),
            put(SettingName::Maintenance, "soon".into()),
        ]);
        assert_eq!(read.broadcast, Some(told));
        assert_eq!(read.maintenance, None);
        // No more than its end has to be there, and its name is the same on every node.
        let least = put(SettingName::Maintenance, r#"{"until_ms":2000000}"#.into());
        let named = || ToAll::of(std::slice::from_ref(&least)).views(Tongue::default(), NOW);
        assert_eq!(named()[0].until_ms, Some(2_000_000));
        assert_eq!(named()[0].id, named()[0].id);
    }
}
