//! Who does what an operator may: one who is logged in, or a command on the machine.

use crate::domain::safety::{Actor, LoginHash, Operator, OperatorId, OperatorSession, Role};

/// The operator behind a request.
#[derive(Clone, Debug)]
pub struct OperatorPrincipal {
    /// The operator; `None`: a command on the machine, which may do what an administrator may.
    pub operator: Option<Operator>,
    session: Option<OperatorSession>,
}

impl OperatorPrincipal {
    /// A command on the machine, by the control socket.
    pub const LOCAL: Self = Self {
        operator: None,
        session: None,
    };

    /// An operator with their session.
    pub fn logged_in(operator: Operator, session: OperatorSession) -> Self {
        Self {
            operator: Some(operator),
            session: Some(session),
        }
    }

    /// As the store is told.
    pub fn actor(&self) -> Actor {
        self.id().map_or(Actor::Local, Actor::Operator)
    }

    /// The operator's number.
    pub fn id(&self) -> Option<OperatorId> {
        self.operator.as_ref().map(|it| it.id)
    }

    /// What they may do.
    pub fn role(&self) -> Role {
        let operator = self.operator.as_ref();
        operator.map_or(Role::Administrator, |it| it.role)
    }

    /// The session that the request came with.
    pub fn session(&self) -> Option<LoginHash> {
        self.session.as_ref().map(|it| it.hash)
    }
}
