//! `[push]`.

use std::str::FromStr;

use figment::value::Value;

use super::contact::Contact;
use super::problem::ValueError;
use super::value::{Setting, must_be, quote};
use super::{Config, origin};

section! {
    /// Calling people whose page is closed, by the push service of their browser's vendor (Google, Mozilla,
    /// Apple, Microsoft). For that, and for nothing else, this server connects to the internet by itself.
    /// docs/PRIVACY.md says what the vendors learn.
    Push = "push" {
        /// Offer people to be called. Each of them switches it on. Over plain http browsers have no push.
        enabled: bool = false;
        /// Where the people of a push service can write when the calls of this site trouble them: a mail address,
        /// or an address that begins with https://. Empty: `site.contact`, else `server.public_url`.
        contact: Option<Contact> = "";
        /// Push services besides those of the vendors, as a host or host:port.
        allowed_hosts: Vec<PushHost> = [];
    }
}

/// Longest name of a host, with a port.
const LONGEST: usize = 260;

/// A host that may be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushHost(String);

impl PushHost {
    /// `host` or `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PushHost {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let named: Option<hyper::http::uri::Authority> = text.parse().ok();
        let fits = named.is_some_and(|it| {
            let rest = it.as_str().strip_prefix(it.host());
            // A port that no address has would never be met.
            let port = rest == Some("") || it.port_u16().is_some_and(|port| port > 0);
            !it.host().is_empty() && !it.as_str().contains('@') && port
        });
        match fits && text.len() <= LONGEST {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(must_be::<Self>()),
        }
    }
}

impl Setting for PushHost {
    const KIND: &'static str = "a host such as \"push.example\" or \"push.example:8443\"";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        value.as_str().ok_or_else(must_be::<Self>)?.parse()
    }

    fn show(&self) -> String {
        quote(&self.0)
    }
}

/// Where the people of a push service can write; `None` when nothing says so.
pub fn contact(config: &Config) -> Option<String> {
    let contact = config.push.contact.as_ref();
    let contact = contact.or(config.site.contact.as_ref());
    let site = || {
        let url = config.server.public_url.as_ref()?.to_string();
        origin::split(&url)?.0.then_some(url)
    };
    contact.map(Contact::link).or_else(site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_host_is_a_host_with_a_port_perhaps() {
        let read = |text: &str| PushHost::parse(&Value::from(text)).ok().map(|it| it.0);
        assert_eq!(
            read(" Push.example:8443 "),
            Some("push.example:8443".to_owned())
        );
        assert_eq!(read("127.0.0.1:9000"), Some("127.0.0.1:9000".to_owned()));
        for wrong in [
            "",
            "https://push.example",
            "a@push.example",
            "push.example/x",
            "a b",
            "push.example:",
            "push.example:0",
            "push.example:99999",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
