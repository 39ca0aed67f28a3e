//! The first operator: a link that is printed and written down where only the machine's owner reads it, works for half an
//! hour and once, and makes an administrator.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{info, warn};

use super::passwords::{Password, UnfitPassword};
use super::{LoggedIn, Operating, Secret, TooBusy};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::safety::{OperatorDraft, OperatorName, Role};
use crate::store::StoreError;
use crate::store::safety::OperatorMade;

/// How long a link works.
pub const LINK: Duration = Duration::from_secs(30 * 60);
/// The file that it is written to.
pub const FILE: &str = "setup-link";

/// A link that was made.
#[derive(Debug)]
pub struct Link {
    /// The page with the link behind it; what follows `#` reaches no log of any server.
    pub url: String,
    /// Until when it works.
    pub until: Timestamp,
    /// The file that has it, too.
    pub file: Option<PathBuf>,
}

/// Who the first operator is to be.
#[derive(Debug)]
pub struct SetUp {
    /// What the link carries.
    pub token: String,
    /// The name, as typed.
    pub name: String,
    /// The password, as typed.
    pub password: String,
    /// The visitor's session of this browser.
    pub visitor: Option<SessionId>,
}

/// Why there is no new operator.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The link is not the newest, was used, is old, or there is an operator.
    #[error(
        "this link is over: it works for 30 minutes and once, and only the newest; `miyu admin link` on the machine makes another"
    )]
    LinkOver,
    /// The name is none.
    #[error("a name has 1 to 40 characters that can be seen")]
    Name,
    /// The password does not fit.
    #[error(transparent)]
    Password(#[from] UnfitPassword),
    /// Another operator has this name.
    #[error("another operator has this name; choose another")]
    NameTaken,
    /// There are as many as there may be.
    #[error("there are as many operators as there may be (200)")]
    TooMany,
    /// The one who asks may not.
    #[error("only an administrator makes operators")]
    NotAllowed,
    /// Too many passwords wait.
    #[error(transparent)]
    Busy(#[from] TooBusy),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Operating {
    /// Makes a link in place of any before.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn make_link(&self) -> Result<Link, StoreError> {
        let secret = Secret::fresh();
        let until = crate::clock::now().plus(LINK);
        self.safety.put_setup_link(secret.hash(), until).await?;
        let url = format!("{}/admin/#setup={}", self.site_url(), secret.written());
        let file = self.dir.join(FILE);
        let written = write(&file, &url);
        if let Err(error) = &written {
            let file = file.display();
            warn!(%file, %error, "the link for the first operator could not be written down");
        }
        let file = written.is_ok().then_some(file);
        Ok(Link { url, until, file })
    }

    /// At a start: a link where there is no operator. Where there is one, a link of before is taken away.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn link_at_start(&self) -> Result<Option<Link>, StoreError> {
        if self.safety.operator_exists().await? {
            self.forget_link();
            return Ok(None);
        }
        self.make_link().await.map(Some)
    }

    /// Uses a link: the first operator is made and logged in.
    ///
    /// # Errors
    /// See [`NotMade`].
    pub async fn set_up(&self, asked: SetUp) -> Result<LoggedIn, NotMade> {
        let secret = Secret::parse(&asked.token).ok_or(NotMade::LinkOver)?;
        // Before a password is hashed: where there is an operator, no link works.
        if self.safety.operator_exists().await? {
            return Err(NotMade::LinkOver);
        }
        let draft = self.draft(&asked.name, &asked.password, Role::Administrator);
        let draft = draft.await?;
        let name = draft.name.clone();
        let id = match self.safety.set_up(secret.hash(), draft).await? {
            OperatorMade::NotAllowed => return Err(NotMade::LinkOver),
            made => made_or_why(made)?,
        };
        self.forget_link();
        info!(operator = id.0, "the first operator was made");
        let operator = self.safety.operator_named(name).await?;
        let session = self.begin(id, asked.visitor).await?;
        let (operator, secret) = operator.zip(session).ok_or(NotMade::LinkOver)?;
        Ok(LoggedIn { secret, operator })
    }

    /// An operator that is to be, from what was typed.
    ///
    /// # Errors
    /// Name or password do not fit, or too many passwords wait.
    pub async fn draft(
        &self,
        name: &str,
        password: &str,
        role: Role,
    ) -> Result<OperatorDraft, NotMade> {
        let name = OperatorName::parse(name).ok_or(NotMade::Name)?;
        let password = Password::chosen(password, name.as_str())?;
        let password = self.passwords.hash(password).await?;
        Ok(OperatorDraft {
            name,
            role,
            password,
        })
    }

    /// A link that was used, or can be used no more, need not lie about.
    fn forget_link(&self) {
        let file = self.dir.join(FILE);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            warn!(file = %file.display(), %error, "a used link could not be removed");
        }
    }
}

/// Of an operator who was to be made.
///
/// # Errors
/// They were not.
pub fn made_or_why(made: OperatorMade) -> Result<crate::domain::safety::OperatorId, NotMade> {
    match made {
        OperatorMade::Done(id) => Ok(id),
        OperatorMade::NameTaken => Err(NotMade::NameTaken),
        OperatorMade::TooMany => Err(NotMade::TooMany),
        OperatorMade::NotAllowed => Err(NotMade::NotAllowed),
    }
}

/// Only its owner reads it, from the first moment; whole or not at all.
fn write(file: &Path, url: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        let mut made = std::fs::DirBuilder::new();
        made.recursive(true).mode(0o700).create(folder)?;
    }
    let beside = file.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut open = options.open(&beside)?;
    writeln!(open, "{url}")?;
    std::fs::rename(&beside, file)
}
