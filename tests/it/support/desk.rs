//! A site with operators at their desks, and people who report each other.

use miyu::config::Config;
use miyu::domain::id::SessionId;
use miyu::domain::safety::{AuditAct, AuditRow, OperatorId, Role};
use serde_json::{Value, json};

use super::operators::{Desk, operator};
use super::people::{Chatting, Person, chat, session_of};
use super::reporting::post_report;
use super::safety::{Data, Guarded, soon};
use super::wire::Answer;

/// A site with two moderators and an administrator, each logged in.
pub struct Office {
    pub site: Guarded,
    pub mei: Desk,
    pub ken: Desk,
    pub admin: Desk,
    pub mei_id: OperatorId,
}

impl Office {
    /// Opens it.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// The same, of a site that is configured otherwise.
    pub async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::open_on(Data::Sqlite, change).await
    }

    /// The same, on data of this kind.
    pub async fn open_on(data: Data, change: impl FnOnce(&mut Config)) -> Self {
        let site = Guarded::without_operator_on(data, |config| {
            config.limits.messages_per_second = 0;
            config.limits.matches_per_minute = 0;
            change(config);
        })
        .await;
        let mei_id = operator(&*site.safety, "Mei", Role::Moderator).await;
        operator(&*site.safety, "Ken", Role::Moderator).await;
        operator(&*site.safety, "Ada", Role::Administrator).await;
        soon(async || site.server.app.reach.reporting.offered().await).await;
        let address = site.server.address;
        Self {
            mei: Desk::logged_in(address, "Mei").await,
            ken: Desk::logged_in(address, "Ken").await,
            admin: Desk::logged_in(address, "Ada").await,
            mei_id,
            site,
        }
    }

    /// Two people meet, the second says this, and the first reports it; answers them and the case's number.
    pub async fn reported(&self, said: &str) -> (Chatting, u64) {
        let mut room = chat(&self.site.server).await;
        room.b_says(said, "b-1").await;
        let case = self.report(&room.ming, &json!({"messages": ["1"]})).await;
        (room, case)
    }

    /// This person reports the other of their room; answers the case's number.
    pub async fn report(&self, by: &Person, more: &Value) -> u64 {
        let mut body = json!({"room": by.room(), "reason": "harassment", "note": "rude"});
        let more = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(more);
        let answer = post_report(&by.browser, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let cases = self.site.safety.queue().await.unwrap();
        let newest = cases.iter().max_by_key(|it| it.id).expect("a case");
        newest.id.0
    }

    /// The session of this person.
    pub fn session(&self, person: &Person) -> SessionId {
        session_of(&self.site.server, person)
    }

    /// The rows of the audit log of this act.
    pub async fn audited(&self, act: AuditAct) -> Vec<AuditRow> {
        let rows = self.site.safety.audit(0).await.unwrap();
        rows.into_iter().filter(|it| it.what.act == act).collect()
    }
}

/// 200, and what it says.
pub fn told(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// A decision that a rule was broken, with one sanction on the person.
pub fn violation(kind: &str, length_ms: Option<u64>) -> Value {
    let mut sanction = json!({"on": "person", "kind": kind});
    if let Some(length) = length_ms {
        sanction["length_ms"] = json!(length);
    }
    json!({"finding": "violation", "rule": "harassment", "note": "seen", "text": "Be kind.",
        "reporter_text": "Thank you.", "sanctions": [sanction]})
}

/// A decision that none was.
pub fn no_violation() -> Value {
    json!({"finding": "no_violation", "rule": "harassment"})
}
