//! The contract of operators and their log-ins.

use std::time::Duration;

use super::{OperatorChanged, OperatorMade};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{
    Actor, LoginHash, Operator, OperatorDraft, OperatorId, OperatorName, OperatorSession, Role,
};
use crate::store::Pending;

/// Operators and their log-ins. Passwords and codes are checked by the caller; the store only keeps them.
pub trait Operators: Send + Sync {
    /// Whether there is an operator who is not disabled. Asked by every page that may offer reporting: cheap.
    fn operator_exists(&self) -> Pending<bool>;

    /// All of them by number, disabled ones too.
    fn operators(&self) -> Pending<Vec<Operator>>;

    /// The one of this name.
    fn operator_named(&self, name: OperatorName) -> Pending<Option<Operator>>;

    /// Makes an operator. By an administrator or a command on the machine.
    fn make_operator(&self, operator: OperatorDraft, by: Actor) -> Pending<OperatorMade>;

    /// Keeps the hash of a link with which the first administrator can be made until then, in place of any before.
    fn put_setup_link(&self, link: LoginHash, until: Timestamp) -> Pending<()>;

    /// Uses a link: makes an administrator and ends the link, as one step. [`OperatorMade::NotAllowed`] for another link, an
    /// old one, or when an operator exists.
    fn set_up(&self, link: LoginHash, operator: OperatorDraft) -> Pending<OperatorMade>;

    /// Changes an operator: all of it or, when any is refused, nothing. Operators change their own password and second
    /// factor; administrators and commands on the machine change everything. A new password, role, or being disabled ends
    /// all of the operator's sessions and claims. The last administrator stays one.
    fn change_operator(
        &self,
        operator: OperatorId,
        changes: Vec<OperatorChange>,
        by: Actor,
    ) -> Pending<OperatorChanged>;

    /// Whether this step of time-based codes is later than any used before by this operator; it is used now.
    fn use_totp_step(&self, operator: OperatorId, step: u64) -> Pending<bool>;

    /// Whether this recovery code is one of the operator's; it is no more.
    fn use_recovery_code(&self, operator: OperatorId, code: LoginHash) -> Pending<bool>;

    /// Begins a session, with an audit row; the operator's oldest beyond `SESSIONS` end. False when the operator is not
    /// there or disabled.
    fn begin_session(&self, session: OperatorSession) -> Pending<bool>;

    /// The session with its operator, unless it was unused for `idle`, is older than `longest`, or the operator is
    /// disabled. Being asked for counts as use, to about a minute.
    fn session(
        &self,
        hash: LoginHash,
        idle: Duration,
        longest: Duration,
    ) -> Pending<Option<(OperatorSession, Operator)>>;

    /// This operator's sessions, newest first.
    fn sessions(&self, operator: OperatorId) -> Pending<Vec<OperatorSession>>;

    /// Ends sessions of an operator: this one, or all; with an audit row if there was any.
    fn end_sessions(&self, operator: OperatorId, which: Option<LoginHash>) -> Pending<()>;

    /// This operator uses the site with this session: what concerns it they may not judge. The newest `OWN_SESSIONS` are
    /// remembered.
    fn note_visitor(&self, operator: OperatorId, visitor: SessionId) -> Pending<()>;
}

/// What is changed about an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorChange {
    /// The password's hash.
    Password(String),
    /// What they may do.
    Role(Role),
    /// The second factor, with hashes of recovery codes in place of any before; `None`: it is off, and so are they.
    Totp(Option<(Vec<u8>, Vec<LoginHash>)>),
    /// Whether they may do anything.
    Disabled(bool),
}

impl OperatorChange {
    /// Operators may do this to themselves.
    pub(in crate::store) fn is_own(&self) -> bool {
        matches!(self, Self::Password(_) | Self::Totp(_))
    }

    /// Whether the operator that is changed is no administrator after it.
    pub(in crate::store) fn loses_administrator(&self) -> bool {
        matches!(self, Self::Role(Role::Moderator) | Self::Disabled(true))
    }
}

/// What the audit log says of an operator, who is named by number, and of a change. The console puts it in its language.
pub(in crate::store) fn details_of(
    operator: OperatorId,
    change: Option<&OperatorChange>,
) -> String {
    let Some(change) = change else {
        return format!("operator {operator}");
    };
    let what = match change {
        OperatorChange::Password(_) => "password",
        OperatorChange::Role(Role::Moderator) => "moderator",
        OperatorChange::Role(Role::Administrator) => "administrator",
        OperatorChange::Totp(Some(_)) => "second factor",
        OperatorChange::Totp(None) => "no second factor",
        OperatorChange::Disabled(true) => "disabled",
        OperatorChange::Disabled(false) => "enabled",
    };
    format!("operator {operator} {what}")
}
