//! A site that has an operator, and what its store of people's safety says.

use std::sync::Arc;

use miyu::boot::backends::Backends;
use miyu::config::Config;
use miyu::domain::safety::{Actor, Case, Evidence, OperatorDraft, OperatorName, Report, Role};
use miyu::store::safety::{OperatorMade, SafetyStore};

use super::server::TestServer;

/// A server, and the safety store that it rests on.
pub struct Guarded {
    pub server: TestServer,
    pub safety: Arc<dyn SafetyStore>,
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
            safety.clone_from(&backends.safety);
            wrap(backends)
        });
        let server = server.await;
        let safety = safety.expect("this store keeps people safe");
        Self { server, safety }
    }

    /// With one.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let site = Self::without_operator(change).await;
        make_operator(&*site.safety).await;
        site
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
