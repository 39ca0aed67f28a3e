//! The configuration as text: the sample file with every key, and what is in effect now.

use std::fmt::Write as _;

use super::load::Loaded;
use super::{Rgb, SECTIONS};

const HEAD: &str = "\
# Miyu's configuration: every key with its meaning and its default.
#
# Made by `miyu default-config`. Nothing here has to be set; remove the `# ` before a key to change
# it. A variable MIYU_SECTION__KEY (two underscores) overrides the file, a flag overrides both.
# Durations and sizes carry units. `miyu check-config` shows what is in effect and where from.
";

/// Every key, commented out, with its documentation and default.
pub fn sample() -> String {
    let mut out = HEAD.to_owned();
    for section in &SECTIONS {
        out.push('\n');
        for line in section.about {
            let _ = writeln!(out, "#{line}");
        }
        let _ = writeln!(out, "[{}]", section.name);
        for key in section.keys {
            out.push('\n');
            for line in key.doc {
                let _ = writeln!(out, "#{line}");
            }
            let _ = writeln!(out, "# {} = {}", key.name, key.default);
        }
    }
    out
}

/// Every key with its value in effect and where it was set; secrets are hidden.
pub fn effective(loaded: &Loaded) -> String {
    let mut out = String::new();
    for section in &SECTIONS {
        let _ = writeln!(out, "[{}]", section.name);
        for key in section.keys {
            let (value, source) = loaded.effective(section.name, key);
            let value = hide_password(&value);
            let _ = writeln!(out, "{} = {value}  # {source}", key.name);
        }
        let accent = loaded.config.site.accent.filter(|_| section.name == "site");
        if let Some(changed) = accent.and_then(Rgb::changed) {
            let _ = writeln!(out, "# site.accent {changed}.");
        }
        out.push('\n');
    }
    out
}

/// A URL may carry a password; it is as secret as any other. So may each of several.
fn hide_password(value: &str) -> String {
    let mut urls: Vec<String> = Vec::new();
    for part in value.split(',') {
        match urls.last_mut() {
            // No URL begins here: the comma belongs to the one before.
            Some(last) if !part.contains("://") => {
                last.push(',');
                last.push_str(part);
            }
            _ => urls.push(part.to_owned()),
        }
    }
    let hidden: Vec<String> = urls.iter().map(|url| hide_one_password(url)).collect();
    hidden.join(",")
}

fn hide_one_password(value: &str) -> String {
    let hidden = || {
        let (scheme, rest) = value.split_once("://")?;
        let (user, host) = rest.rsplit_once('@')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:…@{host}"))
    };
    hidden().unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        assert_eq!(
            hide_password("\"postgres://miyu:p@ss@db/miyu\""),
            "\"postgres://miyu:…@db/miyu\""
        );
        assert_eq!(hide_password("\"sqlite:a.db\""), "\"sqlite:a.db\"");
        assert_eq!(
            hide_password("\"redis://:a,b@one,rediss://u:c@two/1\""),
            "\"redis://:…@one,rediss://u:…@two/1\""
        );
        assert_eq!(hide_password("[\"a\", \"b\"]"), "[\"a\", \"b\"]");
    }
}
