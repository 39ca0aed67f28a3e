//! The names of the session cookie: one for http and one for https, and of each one for every port. What is
//! in the cookie is not its business.

/// The cookie's name over plain http, where the site has the port of its scheme.
pub const NAME: &str = "miyu_session";
/// Its name over https: a browser accepts this prefix only with Secure, from us, for the whole site.
pub const SECURE_NAME: &str = "__Host-miyu_session";
/// The name of an operator's cookie, likewise.
const OPERATOR_NAME: &str = "miyu_admin";
/// Its name over https.
const OPERATOR_SECURE_NAME: &str = "__Host-miyu_admin";

/// Under which names a site finds its cookie. Browsers share cookies among all ports of a host: a site
/// whose address has a port names it, so that a neighbour's cookie does not take the place of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jar {
    https: bool,
    port: Option<u16>,
}

impl Jar {
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self {
        https: false,
        port: None,
    };

    /// Of the site that browsers reach at `host`, which has a port if it is not the scheme's own.
    pub fn of(https: bool, host: Option<&str>) -> Self {
        let port = host.and_then(|host| host.rsplit_once(':')?.1.parse().ok());
        Self { https, port }
    }

    /// The name that it is set by.
    pub(super) fn name(self) -> String {
        self.at_port(self.plain())
    }

    /// The name that an operator's cookie is set by.
    pub fn operator_name(self) -> String {
        self.at_port(match self.https {
            true => OPERATOR_SECURE_NAME,
            false => OPERATOR_NAME,
        })
    }

    fn at_port(self, name: &str) -> String {
        match self.port {
            Some(port) => format!("{name}_{port}"),
            None => name.to_owned(),
        }
    }

    /// Whether its cookies are sent over https only.
    pub fn is_https(self) -> bool {
        self.https
    }

    /// The name without a port.
    fn plain(self) -> &'static str {
        if self.https { SECURE_NAME } else { NAME }
    }

    /// Whether a cookie of this name may be ours: set at this port, or at the one where we were before.
    pub(super) fn may_hold(self, name: &str) -> bool {
        let rest = name.strip_prefix(self.plain());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_port_where_the_address_does() {
        let named = |https, host| Jar::of(https, Some(host)).name();
        assert_eq!(named(false, "chat.example"), "miyu_session");
        assert_eq!(named(true, "chat.example"), "__Host-miyu_session");
        assert_eq!(named(false, "localhost:8000"), "miyu_session_8000");
        assert_eq!(named(true, "[::1]:8443"), "__Host-miyu_session_8443");
        assert_eq!(named(false, "[::1]"), "miyu_session");
        assert_eq!(Jar::of(false, None).name(), "miyu_session");
        let operators = |https, host| Jar::of(https, Some(host)).operator_name();
        assert_eq!(operators(true, "chat.example"), "__Host-miyu_admin");
        assert_eq!(operators(false, "localhost:8000"), "miyu_admin_8000");
    }
}
