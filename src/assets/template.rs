//! What templates are filled with: `{{base}}`; of the configuration `{{site.name}}`, `{{site.tagline}}`,
//! `{{site.own_tagline}}` (empty where the built-in one holds), `{{worker}}` ("on" or "off"); of the language
//! `{{lang}}`, `{{dir}}`, its `{{words}}` (with those of one page `{{words.PAGE}}`, or `{{words.all}}`) and `{{starters}}` as JSON, and `{{languages}}`, the options of a choice; for
//! the console its `{{console}}` words as JSON and `{{console.languages}}`, the options that have them;
//! `{{site.topics}}` as JSON; `{{site.contact}}` with `{{site.contact_link}}`, `{{site.imprint}}`,
//! `{{site.no_contact}}` (empty, where there is none) and `{{public_url}}`; and for the privacy text, which stands
//! where a page has `{{privacy}}`, `{{privacy.lang}}`, `{{privacy.dir}}` and how long things are kept:
//! `{{kept.retention}}`, `{{kept.longest}}`, `{{kept.grace}}`, `{{kept.session}}`, `{{kept.session_longest}}`, and
//! `{{kept.repeats}}`, in seconds. `{{site.reports}}` and `{{site.no_reports}}` are empty: each marks lines for a site that
//! takes reports, or takes none. A line that names what there is not is left out. Anything else in double braces is left as it is.

use super::bundle::Facts;
use super::kept::words;
use super::language::Language;
use crate::config::{Contact, Site};

/// How a value is written into a file so that it stays a value.
#[derive(Clone, Copy)]
pub enum Escape {
    /// Text and quoted attributes.
    Html,
    /// Inside a JSON string.
    Json,
}

/// What one rendering takes its values from.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The operator's words.
    pub site: &'a Site,
    /// What only a restart changes.
    pub facts: &'a Facts,
    /// Where the files are.
    pub base: &'a str,
    /// All languages.
    pub languages: &'a [Language],
    /// The one to write.
    pub language: &'a Language,
    /// Whether the site takes reports.
    pub reports: bool,
}

impl Values<'_> {
    /// The value of a name, written so that it stays a value.
    fn value(&self, name: &str, escape: Escape) -> Option<String> {
        let Self {
            site,
            language,
            facts,
            ..
        } = self;
        Some(match name {
            "base" => escape.write(self.base),
            "lang" => escape.write(language.tag()),
            "dir" => language.direction().to_owned(),
            "site.name" => escape.write(&site.name),
            "site.tagline" => escape.write(self.tagline()),
            "site.own_tagline" => escape.write(&site.tagline),
            "site.contact" => escape.write(site.contact.as_ref().map_or("", Contact::words)),
            "site.contact_link" => escape.write(&link(site.contact.as_ref())),
            "site.imprint" => escape.write(&link(site.imprint.as_ref())),
            "site.no_contact" | "site.reports" | "site.no_reports" => String::new(),
            "kept.repeats" => facts.kept.repeats.as_secs().to_string(),
            "site.topics" => {
                let topics = serde_json::to_string(&site.offered_topics()).expect("topics encode");
                escape.write(&topics)
            }
            "public_url" => escape.write(facts.public_url.as_deref().unwrap_or_default()),
            "words" => in_script(&language.words_json("")),
            "words.all" => in_script(&language.all_words_json()),
            "words.home" | "words.chat" | "words.offline" => {
                in_script(&language.words_json(name.trim_start_matches("words.")))
            }
            "starters" => in_script(language.starters_json()),
            "console" => in_script(language.console().unwrap_or("{}")),
            "languages" => self.options(|_| true),
            "console.languages" => self.options(|it| it.console().is_some()),
            "worker" => if facts.worker { "on" } else { "off" }.to_owned(),
            "privacy.lang" => escape.write(language.privacy_language().0),
            "privacy.dir" => language.privacy_language().1.to_owned(),
            _ => return self.kept(name).map(|it| escape.write(&it)),
        })
    }

    /// How long something is kept, in words.
    fn kept(&self, name: &str) -> Option<String> {
        let kept = &self.facts.kept;
        let duration = match name.strip_prefix("kept.")? {
            "retention" => kept.retention,
            "longest" => kept.longest.unwrap_or_default(),
            "grace" => kept.grace,
            "session" => kept.session,
            "session_longest" => kept.session_longest,
            _ => return None,
        };
        Some(words(duration, self.language))
    }

    /// The operator's line, or the built-in one.
    fn tagline(&self) -> &str {
        match self.site.tagline.as_str() {
            "" => self.language.word("site.tagline").unwrap_or_default(),
            own => own,
        }
    }

    /// Whether this line says what is not set.
    fn lacks(&self, line: &str) -> bool {
        let Self { site, facts, .. } = self;
        let lacking = [
            ("{{public_url}}", facts.public_url.is_none()),
            ("{{site.contact}}", site.contact.is_none()),
            ("{{site.no_contact}}", site.contact.is_some()),
            ("{{site.imprint}}", site.imprint.is_none()),
            ("{{kept.longest}}", facts.kept.longest.is_none()),
            ("{{site.reports}}", !self.reports),
            ("{{site.no_reports}}", self.reports),
        ];
        lacking
            .into_iter()
            .any(|(named, lacks)| lacks && line.contains(named))
    }

    fn options(&self, offered: impl Fn(&Language) -> bool) -> String {
        let option = |language: &Language| {
            let (tag, name) = (language.tag(), escape_html(language.name()));
            let selected = match tag == self.language.tag() {
                true => " selected",
                false => "",
            };
            format!("<option value=\"{tag}\" lang=\"{tag}\"{selected}>{name}</option>")
        };
        let offered = self.languages.iter().filter(|it| offered(it));
        offered.map(option).collect()
    }
}

fn link(contact: Option<&Contact>) -> String {
    contact.map(Contact::link).unwrap_or_default()
}

/// Fills in one template.
pub fn render(template: &str, values: &Values<'_>, escape: Escape) -> String {
    let lines = template.split_inclusive('\n');
    let kept: String = lines.filter(|line| !values.lacks(line)).collect();
    let mut out = String::with_capacity(kept.len() + 512);
    let mut rest = &*kept;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let after = &rest[start..];
        let known = after.find("}}").and_then(|end| {
            let value = values.value(after[2..end].trim(), escape)?;
            Some((value, end + 2))
        });
        match known {
            Some((value, end)) => {
                out.push_str(&value);
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

impl Escape {
    fn write(self, value: &str) -> String {
        match self {
            Self::Html => escape_html(value),
            Self::Json => {
                let quoted = serde_json::to_string(value).expect("a string encodes");
                quoted[1..quoted.len() - 1].to_owned()
            }
        }
    }
}

/// A value as text or in a quoted attribute of a page.
pub fn escape_html(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
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
    out
}

/// JSON inside a script element, which nothing in it ends.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::language::read_all;

    fn rendered(template: &str, site: &Site, escape: Escape) -> String {
        rendered_at(None, template, site, escape)
    }

    fn rendered_at(
        public_url: Option<&str>,
        template: &str,
        site: &Site,
        escape: Escape,
    ) -> String {
        let words = br#"{"site.tagline":"</script>","language.name":"E & n"}"#;
        let files = |name: &str| (name == "words/en.json").then_some(&words[..]);
        let languages = read_all(&files, std::iter::empty()).unwrap();
        let language = languages.iter().find(|it| it.tag() == "en").unwrap();
        let facts = Facts {
            public_url: public_url.map(ToOwned::to_owned),
            ..Facts::default()
        };
        let values = Values {
            site,
            facts: &facts,
            base: "/s",
            languages: &languages,
            language,
            reports: false,
        };
        render(template, &values, escape)
    }

    #[test]
    fn values_are_escaped_and_unknown_braces_stay() {
        let site = Site {
            name: "<b>\"A&B\"</b>{{base}}".into(),
            ..Site::default()
        };
        let html = rendered(
            "{{site.name}} {{ lang }} {{dir}} {{x}} {{",
            &site,
            Escape::Html,
        );
        assert_eq!(
            html,
            "&lt;b&gt;&quot;A&amp;B&quot;&lt;/b&gt;{{base}} en ltr {{x}} {{"
        );
        let json = rendered("\"{{site.name}}\"", &site, Escape::Json);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), site.name);
    }

    #[test]
    fn a_line_that_needs_the_public_address_goes_where_there_is_none() {
        let shown = |public_url| {
            let template = "a\n  {{public_url}}{{base}}/p\nb {{site.contact}}\n";
            rendered_at(public_url, template, &Site::default(), Escape::Html)
        };
        assert_eq!(shown(None), "a\n");
        let known = shown(Some("https://chat.example"));
        assert_eq!(known, "a\n  https://chat.example/s/p\n");
    }

    #[test]
    fn a_language_brings_its_words_and_the_names_of_all() {
        let site = Site::default();
        let words = rendered("{{words}}", &site, Escape::Html);
        assert!(!words.contains('<'), "{words}");
        let words: std::collections::BTreeMap<String, String> =
            serde_json::from_str(&words).unwrap();
        assert_eq!(words["site.tagline"], "</script>");
        let options = rendered("{{languages}}", &site, Escape::Html);
        let own = "<option value=\"en\" lang=\"en\" selected>E &amp; n</option>";
        assert!(options.contains(own), "{options}");
        assert!(options.starts_with("<option value=\"zh-TW\" lang=\"zh-TW\">zh-TW</option>"));
        let line = rendered("{{site.tagline}}|{{site.own_tagline}}", &site, Escape::Html);
        assert_eq!(line, "&lt;/script&gt;|");
    }
}
