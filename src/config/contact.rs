//! `site.contact`: how visitors reach the operator, as a link that every browser can follow.

use std::fmt;
use std::str::FromStr;

use figment::value::Value;

use super::problem::ValueError;
use super::value::{Setting, must_be, quote};

/// Longest one, in bytes: it stands on the first page.
const LONGEST: usize = 200;

/// A mail address or an https address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact(String);

impl Contact {
    /// What a link leads to.
    pub fn link(&self) -> String {
        match self.0.starts_with("https://") {
            true => self.0.clone(),
            false => format!("mailto:{}", self.0),
        }
    }

    /// As people read it: an address of the web without its scheme.
    pub fn words(&self) -> &str {
        let words = self.0.strip_prefix("https://").unwrap_or(&self.0);
        words.trim_end_matches('/')
    }
}

fn is_mail(text: &str) -> bool {
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
            && !text.starts_with('.')
            && !text.ends_with('.')
    };
    text.split_once('@').is_some_and(|(name, host)| {
        plain(name, b".!#$&'*+/=^_{|}~-") && plain(host, b".-") && host.contains('.')
    })
}

fn is_address(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.contains(|c: char| c.is_alphanumeric())
            && !host.contains('@')
            && !rest.contains(|c: char| {
                c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c)
            })
    })
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Contact {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let text = text.strip_prefix("mailto:").unwrap_or(text);
        let fits = text.len() <= LONGEST && (is_mail(text) || is_address(text));
        match fits {
            true => Ok(Self(text.to_owned())),
            false => Err(must_be::<Self>()),
        }
    }
}

impl Setting for Contact {
    const KIND: &'static str =
        "a mail address such as \"mail@chat.example\", or an address that begins with https://";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        value.as_str().ok_or_else(must_be::<Self>)?.parse()
    }

    fn show(&self) -> String {
        quote(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_something_that_can_be_followed() {
        let link = |text: &str| {
            let contact = Contact::parse(&Value::from(text)).ok()?;
            Some((contact.link(), contact.words().to_owned()))
        };
        let both = |link: &str, words: &str| Some((link.to_owned(), words.to_owned()));
        let mail = both("mailto:a.b+c@chat.example", "a.b+c@chat.example");
        assert_eq!(link("a.b+c@chat.example"), mail);
        assert_eq!(link("mailto:a.b+c@chat.example"), mail);
        let web = both("https://chat.example/about/", "chat.example/about");
        assert_eq!(link("https://chat.example/about/"), web);
        assert!(link("https://例.example/聯絡").is_some());
        for wrong in [
            "Ask at the desk",
            "http://chat.example",
            "javascript:alert(1)",
            "https://",
            "https://a b",
            "https://me@chat.example",
            "a@b",
            "@chat.example",
            "a@b@chat.example",
            "a?subject=x@chat.example",
        ] {
            assert_eq!(link(wrong), None, "{wrong}");
        }
    }
}
