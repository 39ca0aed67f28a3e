//! `miyu admin …`: operators made, helped and watched from the machine.

use clap::{Subcommand, ValueEnum};
use hyper::Method;
use serde_json::{Value, json};

use super::control::{Control, items, moment, text};
use super::{Exit, Failure, print, prompt, shown};
use crate::config::Config;

/// What `miyu admin` does.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Admin {
    /// Make an operator; the password is asked for, or read from standard input
    Create {
        /// By what they log in
        name: String,
        /// What they may do
        #[arg(long, value_enum, default_value = "administrator")]
        role: RoleName,
    },
    /// Make a link by which the first operator is set up in a browser
    Link,
    /// List the operators
    List,
    /// Give an operator a new password, which ends their sessions
    ResetPassword {
        /// By what they log in
        name: String,
    },
    /// Turn an operator's second factor off
    DisableTotp {
        /// By what they log in
        name: String,
    },
    /// Show the newest rows of the audit log
    Audit {
        /// Go through the whole log and say whether it is as it was written
        #[arg(long)]
        verify: bool,
    },
}

/// A role, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleName {
    /// The queue, evidence, sanctions up to the ban of a session
    Moderator,
    /// Everything
    Administrator,
}

impl RoleName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::Administrator => "administrator",
        }
    }
}

/// Does it.
pub(super) async fn run(what: Admin, config: Config) -> Result<(), Exit> {
    // Before the store is opened: typing takes as long as it takes.
    let password = match &what {
        Admin::Create { name, .. } | Admin::ResetPassword { name } => {
            Some(prompt::new_password(&shown(name))?)
        }
        _ => None,
    };
    let mut control = Control::connect(config).await?;
    let done = ask(&mut control, what, password).await;
    control.end().await;
    print(&done?)
}

async fn ask(control: &mut Control, what: Admin, password: Option<String>) -> Result<String, Exit> {
    match what {
        Admin::Create { name, role } => {
            let role = role.as_str();
            let new = json!({"name": name, "role": role, "password": password});
            control.get(Method::POST, "operators/", Some(new)).await?;
            Ok(format!("{} is an operator now ({role}).\n", shown(&name)))
        }
        Admin::Link => link(control).await,
        Admin::List => list(control).await,
        Admin::ResetPassword { name } => {
            change(control, &name, json!({"password": password})).await?;
            Ok(format!("{} has a new password.\n", shown(&name)))
        }
        Admin::DisableTotp { name } => {
            change(control, &name, json!({"totp": false})).await?;
            Ok(format!(
                "{} logs in without a second factor now.\n",
                shown(&name)
            ))
        }
        Admin::Audit { verify: true } => verify(control).await,
        Admin::Audit { verify: false } => audit(control).await,
    }
}

async fn link(control: &mut Control) -> Result<String, Exit> {
    let made = control.get(Method::POST, "link/", None).await?;
    let url = text(&made["url"]);
    Ok(format!(
        "Open this within 30 minutes to set up the first operator. It works once.\n\n  {url}\n\n"
    ))
}

async fn list(control: &mut Control) -> Result<String, Exit> {
    let all = control.get(Method::GET, "operators/", None).await?;
    let mut lines = String::new();
    for operator in items(&all["operators"]) {
        let name = shown(text(&operator["name"]));
        let role = text(&operator["role"]);
        let totp = if operator["totp"] == true {
            ", second factor"
        } else {
            ""
        };
        let off = if operator["disabled_ms"].is_i64() {
            ", disabled"
        } else {
            ""
        };
        lines += &format!("{name} ({role}{totp}{off})\n");
    }
    if lines.is_empty() {
        lines = "There is no operator yet: `miyu admin link`, or `miyu admin create NAME`.\n"
            .to_owned();
    }
    Ok(lines)
}

/// Changes the operator of this name.
async fn change(control: &mut Control, name: &str, change: Value) -> Result<(), Exit> {
    let all = control.get(Method::GET, "operators/", None).await?;
    let named = items(&all["operators"]).find(|it| {
        let known = text(&it["name"]);
        known.to_lowercase() == name.trim().to_lowercase()
    });
    let id = named.and_then(|it| it["id"].as_u64()).ok_or_else(|| {
        let why = format!(
            "there is no operator {}; `miyu admin list` shows all",
            shown(name)
        );
        Exit(Failure::Other, why)
    })?;
    let path = format!("operators/{id}/");
    control.get(Method::PUT, &path, Some(change)).await?;
    Ok(())
}

async fn audit(control: &mut Control) -> Result<String, Exit> {
    let log = control.get(Method::GET, "audit/", None).await?;
    let mut lines = String::new();
    for row in items(&log["rows"]) {
        let at = moment(&row["at_ms"]);
        let name = row["name"].as_str().map_or_else(|| "-".to_owned(), shown);
        lines += &format!("{}  {at}  {name}  {}", row["no"], text(&row["act"]));
        for (word, of) in [("case", &row["case"]), ("sanction", &row["sanction"])] {
            if let Some(number) = of.as_u64() {
                lines += &format!("  {word} {number}");
            }
        }
        lines += &format!("  {}\n", shown(text(&row["details"])));
    }
    let head = &log["head"];
    Ok(format!(
        "{lines}head {} {}\n",
        head["no"],
        text(&head["hash"])
    ))
}

async fn verify(control: &mut Control) -> Result<String, Exit> {
    let verdict = control.get(Method::GET, "audit/verify/", None).await?;
    let (rows, head) = (&verdict["rows"], &verdict["head"]);
    if verdict["intact"] == true {
        return Ok(format!(
            "The audit log is whole: {rows} rows.\nhead {} {}\n\
             Note the head elsewhere: a log that was written anew from the start has another.\n",
            head["no"],
            text(&head["hash"])
        ));
    }
    let faults = items(&verdict["faults"]).map(|it| format!("\n  {}", text(it)));
    let faults: String = faults.collect();
    let why = format!("the audit log is not as it was written:{faults}");
    Err(Exit(Failure::Other, why))
}
