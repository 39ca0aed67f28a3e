//! What a person at the terminal, and the log, are told once the server serves.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::boot::{self, reachable};
use crate::channel::Status;
use crate::config::{self, Config, StorePlace};
use crate::invitation;
use crate::state::AppState;
use crate::telemetry::{causes, log};

/// Tells the log, and a person at a terminal in their own words.
pub(super) fn announce(app: &AppState, address: SocketAddr, operators: Option<SocketAddr>) {
    let config = &app.config;
    let url = boot::site_url(config, address);
    tracing::info!(
        %address,
        operators = operators.map(tracing::field::display),
        store = scheme(&config.store.url),
        channel = scheme(&config.channel.url),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    if !std::io::stderr().is_terminal() {
        return;
    }
    let data = data(&config.store);
    let health = operators.map_or(String::new(), |operators| {
        format!("  health    http://{}/readyz\n", reachable(operators))
    });
    let channel = match app.channel.status() {
        Status::Live => scheme(&config.channel.url).to_owned(),
        Status::Degraded(why) => why,
    };
    let invitation = for_phones(config, address);
    log::say(&format!(
        "\n  秘語 Miyu {version}\n\n  address   {url}\n{health}  data      {data}\n  store     {store}\n  \
         channel   {channel}\n\n{invitation}  Open it in two windows. Ctrl-C ends it.\n\n",
        version = env!("CARGO_PKG_VERSION"),
        store = scheme(&config.store.url),
    ));
}

/// What a phone can open, with its code to be scanned; nothing where only this machine reaches the server.
fn for_phones(config: &Config, address: SocketAddr) -> String {
    let public = config.server.public_url.as_ref().map(ToString::to_string);
    let Some(url) = public.or_else(|| invitation::in_this_network(address)) else {
        return String::new();
    };
    let code = invitation::for_terminal(&url).unwrap_or_default();
    let lines: String = code.lines().map(|line| format!("  {line}\n")).collect();
    format!("  for phones  {url}\n\n{lines}\n")
}

/// Where the data is, without a password: the database's folder in full, or the server's address.
fn data(store: &config::Store) -> String {
    let path = match store.place() {
        Ok(StorePlace::Sqlite(path)) => path,
        Ok(StorePlace::Postgres(target)) => return target.to_string(),
        Err(error) => return causes(&error),
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let full = std::path::absolute(folder);
    full.as_deref().unwrap_or(folder).display().to_string()
}

fn scheme(url: &str) -> &str {
    url.split_once(':').map_or(url, |(scheme, _)| scheme)
}

/// The way in for the first operator. It is shown at a terminal alone: what is written to a log stays there.
pub(super) async fn offer_link(app: &AppState, address: SocketAddr) {
    app.operating
        .serving_at(boot::site_url(&app.config, address));
    let link = match app.operating.link_at_start().await {
        Ok(Some(link)) => link,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "whether there is an operator could not be read");
            return;
        }
    };
    let file = link.file.as_ref().map(|it| it.display().to_string());
    tracing::info!(
        file,
        "there is no operator: the link by which the first is set up is in this file for 30 minutes; \
         `miyu admin link` makes another"
    );
    if std::io::stderr().is_terminal() {
        let text = format!(
            "  first operator  {}\n                  (30 minutes, once)\n\n",
            link.url
        );
        log::say(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_data_is_shows_no_password() {
        let at = |url: &str| {
            data(&config::Store {
                url: url.to_owned(),
                ..config::Store::default()
            })
        };
        let server = at("postgres://me:hunter2@db.example/talk");
        assert_eq!(server, "postgres://me@db.example:5432/talk");
        assert_eq!(at("sqlite:/srv/miyu/miyu.db"), "/srv/miyu");
        let here = std::env::current_dir().unwrap();
        assert_eq!(at("sqlite:miyu.db"), here.display().to_string());
    }
}
