//! What operators change about themselves: password and second factor. Each time the password is asked once more, so that
//! a browser that was left open gives nothing of it away.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::passwords::{Password, UnfitPassword};
use super::{Operating, Secret, TooBusy, totp};
use crate::domain::id::SessionId;
use crate::domain::safety::{Actor, LoginHash, Operator};
use crate::store::StoreError;
use crate::store::safety::{OperatorChange, OperatorChanged};

/// Who changes something about themselves, and proves it.
#[derive(Debug)]
pub struct Proof {
    /// The password of now, as typed.
    pub password: String,
    /// The client's address.
    pub address: IpAddr,
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum NotChanged {
    /// It is not the password of now.
    Wrong,
    /// Too often; so long nothing is tried.
    TooManyTries(Duration),
    /// The new password does not fit.
    Password(UnfitPassword),
    /// It is not a secret that this server offered.
    Secret,
    /// The code is not the one of the secret.
    Code,
    /// The operator is not one any more.
    Gone,
    /// Too many passwords wait.
    Busy,
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for NotChanged {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TooBusy> for NotChanged {
    fn from(_: TooBusy) -> Self {
        Self::Busy
    }
}

impl From<UnfitPassword> for NotChanged {
    fn from(why: UnfitPassword) -> Self {
        Self::Password(why)
    }
}

impl Operating {
    /// Changes an operator's own password. All of their sessions end; this browser goes on by a new one.
    ///
    /// # Errors
    /// See [`NotChanged`].
    pub async fn change_password(
        &self,
        operator: &Operator,
        proof: Proof,
        new: &str,
        visitor: Option<SessionId>,
    ) -> Result<Secret, NotChanged> {
        let new = Password::chosen(new, operator.name.as_str())?;
        self.prove(operator, proof).await?;
        let hash = self.passwords.hash(new).await?;
        self.change(operator, OperatorChange::Password(hash))
            .await?;
        let session = self.begin(operator.id, visitor).await?;
        session.ok_or(NotChanged::Gone)
    }

    /// Turns the second factor on, by a secret that was offered and a code that shows that the phone has it. Answers the
    /// recovery codes, which are kept as hashes alone.
    ///
    /// # Errors
    /// See [`NotChanged`].
    pub async fn turn_totp_on(
        &self,
        operator: &Operator,
        proof: Proof,
        secret: &str,
        code: &str,
    ) -> Result<Vec<String>, NotChanged> {
        let secret = totp::parse(secret).ok_or(NotChanged::Secret)?;
        self.prove(operator, proof).await?;
        let step = totp::matched(&secret, code, crate::clock::now()).ok_or(NotChanged::Code)?;
        let codes: Vec<String> = (0..totp::RECOVERY_CODES)
            .map(|_| totp::recovery_code())
            .collect();
        let hashes: Vec<LoginHash> = codes
            .iter()
            .filter_map(|it| totp::recovery_hash(it))
            .collect();
        let factor = Some((secret.to_vec(), hashes));
        self.change(operator, OperatorChange::Totp(factor)).await?;
        // What was typed now opens no session.
        self.safety.use_totp_step(operator.id, step).await?;
        Ok(codes)
    }

    /// Turns the second factor off.
    ///
    /// # Errors
    /// See [`NotChanged`].
    pub async fn turn_totp_off(&self, operator: &Operator, proof: Proof) -> Result<(), NotChanged> {
        self.prove(operator, proof).await?;
        self.change(operator, OperatorChange::Totp(None)).await
    }

    async fn prove(&self, operator: &Operator, proof: Proof) -> Result<(), NotChanged> {
        let this = self.tries.of_name(&operator.name.key(), proof.address);
        let begun = self.tries.begin(&this, Instant::now());
        begun.map_err(NotChanged::TooManyTries)?;
        let kept = Some(operator.password.clone());
        let typed = Password::typed(&proof.password);
        if !self.passwords.matches(typed, kept).await? {
            return Err(NotChanged::Wrong);
        }
        self.tries.succeeded(&this);
        Ok(())
    }

    async fn change(&self, of: &Operator, change: OperatorChange) -> Result<(), NotChanged> {
        let by = Actor::Operator(of.id);
        match self.safety.change_operator(of.id, vec![change], by).await? {
            OperatorChanged::Done => Ok(()),
            OperatorChanged::Unknown
            | OperatorChanged::NotAllowed
            | OperatorChanged::LastAdministrator => Err(NotChanged::Gone),
        }
    }
}
