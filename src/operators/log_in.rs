//! Logging in: name, password, and where there is one the second factor.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::passwords::Password;
use super::{Operating, OperatorPrincipal, Secret, TooBusy};
use crate::domain::id::SessionId;
use crate::domain::safety::{Operator, OperatorName};
use crate::store::StoreError;

/// What is typed to log in, and from where.
#[derive(Debug)]
pub struct LogIn {
    /// The name, as typed.
    pub name: String,
    /// The password.
    pub password: Password,
    /// A one-time code or a recovery code.
    pub code: Option<String>,
    /// The client's address.
    pub address: IpAddr,
    /// The visitor's session of this browser.
    pub visitor: Option<SessionId>,
}

/// What one who logged in is given.
#[derive(Debug)]
pub struct LoggedIn {
    /// What the cookie is to carry.
    pub secret: Secret,
    /// Who it is.
    pub operator: Operator,
}

/// Why not.
#[derive(Debug)]
pub enum NotLoggedIn {
    /// No such name, another password, a wrong code, or an operator who is disabled: which, is not told.
    Wrong,
    /// Name and password are right; this operator has a second factor.
    CodeNeeded,
    /// Too often. So long nothing is tried.
    TooManyTries(Duration),
    /// Too many at once.
    Busy,
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for NotLoggedIn {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TooBusy> for NotLoggedIn {
    fn from(_: TooBusy) -> Self {
        Self::Busy
    }
}

impl Operating {
    /// Logs in: always by a new session. One that the browser had before (`before`) is ended, whosever it was.
    ///
    /// # Errors
    /// See [`NotLoggedIn`].
    pub async fn log_in(
        &self,
        asked: LogIn,
        before: Option<OperatorPrincipal>,
    ) -> Result<LoggedIn, NotLoggedIn> {
        let name = OperatorName::parse(&asked.name);
        let key = name.as_ref().map_or_else(String::new, OperatorName::key);
        let this = self.tries.of_name(&key, asked.address);
        let begun = self.tries.begin(&this, Instant::now());
        begun.map_err(NotLoggedIn::TooManyTries)?;
        let named = match name {
            Some(name) => self.safety.operator_named(name).await?,
            None => None,
        };
        let kept = named.as_ref().map(|it| it.password.clone());
        let right = self.passwords.matches(asked.password, kept).await;
        if right == Err(TooBusy) {
            self.tries.give_back(&this);
        }
        let operator = named.filter(|it| right == Ok(true) && it.disabled.is_none());
        let (Some(operator), true) = (operator, right?) else {
            // Of a name that is none of ours nothing is said: it may be a password in the wrong field.
            warn!("an operator's log-in was refused");
            return Err(NotLoggedIn::Wrong);
        };
        if let Some(secret) = &operator.totp {
            let Some(code) = &asked.code else {
                self.tries.give_back(&this);
                return Err(NotLoggedIn::CodeNeeded);
            };
            self.second_factor(&operator, secret, code).await?;
        }
        if let (Some(id), Some(session)) =
            before.map(|it| (it.id(), it.session())).unwrap_or_default()
        {
            self.log_out(id, session).await?;
        }
        let Some(secret) = self.begin(operator.id, asked.visitor).await? else {
            return Err(NotLoggedIn::Wrong);
        };
        self.tries.succeeded(&this);
        info!(operator = operator.id.0, "an operator logged in");
        Ok(LoggedIn { secret, operator })
    }
}
