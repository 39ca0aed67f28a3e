//! A site that has an operator, and what its store of people's safety says.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{COOKIE, HeaderMap, HeaderValue};

use miyu::boot::backends::Backends;
use miyu::config::Config;
use miyu::domain::id::SessionId;
use miyu::domain::safety::{
    Actor, Case, CaseId, DecisionDraft, Evidence, Finding, NetworkKey, OperatorDraft, OperatorName,
    Reason, Report, Role, Sanction, SanctionDraft, SanctionKind, SanctionTarget,
};
use miyu::identity::Signer;
use miyu::identity::cookie;
use miyu::identity::jar::Jar;
use miyu::store::safety::{Acted, OperatorMade, SafetyStore};

use super::client::Browser;
use super::postgres::Postgres;
use super::server::TestServer;
use super::store::Backend as _;

/// What a site keeps its data in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    Sqlite,
    Postgres,
}

/// Runs each of these as a test on each kind of data.
macro_rules! for_each_data {
    ($($name:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::support::safety::Data::Sqlite).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::support::safety::Data::Postgres).await;
                }
            )*
        }
    };
}
pub(crate) use for_each_data;

/// A server, and the safety store that it rests on.
pub struct Guarded {
    pub server: TestServer,
    pub safety: Arc<dyn SafetyStore>,
    /// Where its data is, if that is no file.
    database: Option<Postgres>,
}

impl Guarded {
    /// Without an operator.
    pub async fn without_operator(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(change, |backends| backends).await
    }

    /// Without an operator, on backends that are changed first.
    pub async fn start_on(
        change: impl FnOnce(&mut Config),
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let mut safety = None;
        let server = TestServer::start_on(change, |backends| {
            safety = Some(Arc::clone(&backends.safety));
            wrap(backends)
        });
        let server = server.await;
        Self {
            server,
            safety: safety.expect("it has started"),
            database: None,
        }
    }

    /// Without an operator, on data of this kind.
    pub async fn without_operator_on(data: Data, change: impl FnOnce(&mut Config)) -> Self {
        let database = match data {
            Data::Sqlite => None,
            Data::Postgres => Some(Postgres::fresh().await),
        };
        let url = database.as_ref().map(Postgres::url);
        let site = Self::without_operator(|config| {
            if let Some(url) = url {
                config.store.url = url;
            }
            change(config);
        });
        let site = site.await;
        Self { database, ..site }
    }

    /// With one, on data of this kind.
    pub async fn start_with(data: Data, change: impl FnOnce(&mut Config)) -> Self {
        let site = Self::without_operator_on(data, change).await;
        make_operator(&*site.safety).await;
        site
    }

    /// With one.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let site = Self::without_operator(change).await;
        make_operator(&*site.safety).await;
        site
    }

    /// The same data under a process that starts anew.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same, configured otherwise.
    pub async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        let mut safety = None;
        let server = self.server.restart_on(change, |backends| {
            safety = Some(Arc::clone(&backends.safety));
            backends
        });
        Self {
            server: server.await,
            safety: safety.expect("it has started"),
            database: self.database,
        }
    }

    /// Waits until it is noted from where both sides of this room came: that is done beside their arrival, which does not
    /// wait for it.
    pub async fn both_are_noted(&self, room: &str) {
        let room: uuid::Uuid = room.parse().unwrap();
        soon(async || self.noted(room).await == 2).await;
    }

    /// So much time passes for the claims of operators on cases, for nothing else.
    pub async fn claims_age(&self, by: Duration) {
        let by = by.as_millis();
        let sql = |column: &str| format!("UPDATE cases SET {column} = {column} - {by}");
        match &self.database {
            Some(database) => {
                let client = database.client().await;
                client.batch_execute(&sql("claimed_until")).await.unwrap();
            }
            None => drop(self.file().execute(&sql("claim_until"), []).unwrap()),
        }
    }

    /// The file of its data.
    fn file(&self) -> rusqlite::Connection {
        let url = &self.server.app.config.store.url;
        rusqlite::Connection::open(url.trim_start_matches("sqlite:")).unwrap()
    }

    async fn noted(&self, room: uuid::Uuid) -> i64 {
        let of = |room: &str| {
            format!(
                "SELECT count(*) FROM room_networks n JOIN rooms r ON r.no = n.room WHERE r.id = {room}"
            )
        };
        match &self.database {
            Some(database) => {
                let sql = of(&format!("'{room}'"));
                database
                    .client()
                    .await
                    .query_one(&sql, &[])
                    .await
                    .unwrap()
                    .get(0)
            }
            None => {
                let sql = of(&format!("x'{}'", room.simple()));
                self.file().query_row(&sql, [], |row| row.get(0)).unwrap()
            }
        }
    }

    /// Imposes a sanction because of spam, as a command on the machine does.
    pub async fn impose(&self, draft: SanctionDraft) -> Sanction {
        impose(&*self.safety, draft).await
    }

    /// Lifts it.
    pub async fn lift(&self, sanction: Sanction) {
        let lifted = self
            .safety
            .lift_sanction(sanction.id, "it is over".to_owned(), Actor::Local);
        let lifted = lifted.await.unwrap();
        assert!(matches!(lifted, Acted::Done(_)), "{lifted:?}");
    }

    /// Waits, for as long as a decision may take, until this is so.
    pub async fn soon(&self, is_so: impl AsyncFn() -> bool) {
        soon(is_so).await;
    }

    /// The cases that wait.
    pub async fn queue(&self) -> Vec<Case> {
        self.safety.queue().await.unwrap()
    }

    /// The only case, its only report, and what was kept of its room.
    pub async fn only_case(&self) -> (Case, Report, Evidence) {
        let queue = self.queue().await;
        assert_eq!(queue.len(), 1, "{queue:?}");
        let file = self.safety.case(queue[0].id).await.unwrap().unwrap();
        assert_eq!(file.reports.len(), 1, "{:?}", file.reports);
        let report = file.reports[0].clone();
        let evidence = self.safety.evidence(file.case.id, report.room).await;
        (file.case, report, evidence.unwrap().unwrap())
    }
}

/// Makes an administrator.
pub async fn make_operator(safety: &dyn SafetyStore) {
    let draft = OperatorDraft {
        name: OperatorName::parse("op").unwrap(),
        role: Role::Administrator,
        password: "not a hash".to_owned(),
    };
    let made = safety.make_operator(draft, Actor::Local).await.unwrap();
    assert!(matches!(made, OperatorMade::Done(_)), "{made:?}");
}

/// Imposes a sanction because of spam, as a command on the machine does.
pub async fn impose(safety: &dyn SafetyStore, draft: SanctionDraft) -> Sanction {
    let text = "stop it".to_owned();
    let imposed = safety.impose(draft, Reason::Spam, text, Actor::Local).await;
    match imposed.unwrap() {
        Acted::Done(sanction) => sanction,
        Acted::Refused(why) => panic!("not imposed: {why:?}"),
    }
}

/// Waits until this is so: not as long as until the store is compared with (from 15 s on).
pub async fn soon(is_so: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(8);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "not in time");
        // Not so often that a handshake that is tried is refused for its rate.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The decision that nothing was found in this case.
pub fn no_violation(case: CaseId) -> DecisionDraft {
    DecisionDraft {
        case,
        by: Actor::Local,
        finding: Finding::NoViolation,
        rule: Reason::Other,
        note: String::new(),
        text: String::new(),
        reporter_text: String::new(),
        seen_reports: None,
        sanctions: Vec::new(),
    }
}

/// Of a browser.
pub fn on_session(
    session: SessionId,
    kind: SanctionKind,
    length: Option<Duration>,
) -> SanctionDraft {
    SanctionDraft {
        target: SanctionTarget::Session(session),
        kind,
        length,
    }
}

/// Of what counts as one place around this address.
pub async fn on_network(
    safety: &dyn SafetyStore,
    address: &str,
    kind: SanctionKind,
    length: Duration,
) -> SanctionDraft {
    let key = NetworkKey::new(&safety.installation_key().await.unwrap());
    let address: IpAddr = address.parse().unwrap();
    SanctionDraft {
        target: SanctionTarget::Network(key.networks(address).near),
        kind,
        length: Some(length),
    }
}

/// The session of this browser's cookie.
pub fn session_of_browser(server: &TestServer, browser: &Browser) -> SessionId {
    session_by(&server.app.signer, browser, browser.address().port())
}

/// The same by the key of a site on this port.
pub fn session_by(signer: &Signer, browser: &Browser, port: u16) -> SessionId {
    let mut headers = HeaderMap::new();
    let cookie = browser.cookie().expect("it was here");
    headers.insert(COOKIE, HeaderValue::from_str(&cookie).unwrap());
    let host = format!("127.0.0.1:{port}");
    let seen = cookie::read(signer, &headers, Jar::of(false, Some(&host)));
    seen.expect("ours").session
}
