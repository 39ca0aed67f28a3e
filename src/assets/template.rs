//! The few words that pages take from the configuration: `{{base}}`, `{{lang}}`, `{{site.name}}`,
//! `{{site.tagline}}`, `{{site.own_tagline}}` (empty where the built-in one holds). Anything else in double braces is left as it is.

use crate::config::{DefaultLanguage, Site};

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese as written in Taiwan.
    ZhTw,
    /// English, for all other browsers.
    En,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::ZhTw, Language::En];

    /// The tag, as in `lang=`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::ZhTw => "zh-TW",
            Self::En => "en",
        }
    }

    /// Position in [`Language::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// What the operator chose, or else what the browser prefers, or else Chinese.
    pub fn choose(configured: DefaultLanguage, accept_language: Option<&str>) -> Self {
        match configured {
            DefaultLanguage::ZhTw => Self::ZhTw,
            DefaultLanguage::En => Self::En,
            DefaultLanguage::Auto => Self::preferred(accept_language.unwrap_or_default()),
        }
    }

    fn preferred(accept_language: &str) -> Self {
        let mut best = (0.0, Self::ZhTw);
        for part in accept_language.split(',').take(20) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim();
            let weight = pieces
                .find_map(|piece| piece.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if let Some(language) = Self::of_tag(tag)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?.to_ascii_lowercase();
        match primary.as_str() {
            "zh" => Some(Self::ZhTw),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// How a value is written into a file so that it stays a value.
#[derive(Clone, Copy)]
pub enum Escape {
    /// Text and quoted attributes.
    Html,
    /// Inside a JSON string.
    Json,
}

/// Fills in one template.
pub fn render(
    template: &str,
    site: &Site,
    base: &str,
    language: Language,
    escape: Escape,
) -> String {
    let mut out = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let after = &rest[start..];
        let known = after.find("}}").and_then(|end| {
            let value = match after[2..end].trim() {
                "base" => base,
                "lang" => language.tag(),
                "site.name" => &site.name,
                "site.tagline" => tagline(site, language),
                "site.own_tagline" => &site.tagline,
                _ => return None,
            };
            Some((value, end + 2))
        });
        match known {
            Some((value, end)) => {
                escape_into(&mut out, value, escape);
                rest = &after[end..];
            }
            None => {
                out.push_str("{{");
                rest = &after[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The operator's line, or the built-in one.
fn tagline(site: &Site, language: Language) -> &str {
    match (site.tagline.as_str(), language) {
        ("", Language::ZhTw) => "跟一個陌生人，小聲說說話。",
        ("", Language::En) => "Talk softly with a stranger.",
        (own, _) => own,
    }
}

fn escape_into(out: &mut String, value: &str, escape: Escape) {
    match escape {
        Escape::Html => {
            for c in value.chars() {
                match c {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&#39;"),
                    c => out.push(c),
                }
            }
        }
        Escape::Json => {
            let quoted = serde_json::to_string(value).expect("a string encodes");
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_unknown_braces_stay() {
        let site = Site {
            name: "<b>\"A&B\"</b>{{base}}".into(),
            ..Site::default()
        };
        let html = render(
            "{{site.name}} {{ lang }} {{x}} {{",
            &site,
            "/s",
            Language::En,
            Escape::Html,
        );
        assert_eq!(
            html,
            "&lt;b&gt;&quot;A&amp;B&quot;&lt;/b&gt;{{base}} en {{x}} {{"
        );
        let json = render("\"{{site.name}}\"", &site, "/s", Language::En, Escape::Json);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), site.name);
    }

    #[test]
    fn the_browser_chooses_unless_the_operator_did() {
        use DefaultLanguage::{Auto, En, ZhTw};
        let choose = Language::choose;
        assert_eq!(choose(Auto, None), Language::ZhTw);
        let several = Some("fr, en-GB;q=0.8, zh;q=0.5");
        assert_eq!(choose(Auto, several), Language::En);
        let fainter = Some("en;q=0.2, zh-Hant-TW");
        assert_eq!(choose(Auto, fainter), Language::ZhTw);
        assert_eq!(choose(ZhTw, Some("en")), Language::ZhTw);
        assert_eq!(choose(En, Some("zh-TW")), Language::En);
        assert_eq!(choose(Auto, Some("de")), Language::ZhTw);
    }
}
