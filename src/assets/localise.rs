//! Writes the words of a language into a page, where its elements name them: `data-i18n` (what stands in the
//! element), `data-i18n-label` (`aria-label`) and `data-i18n-placeholder`. `assets/js/lib/i18n.js` does the
//! same when a person chooses another language.

use super::language::Language;
use super::template::escape_html;

/// What the attributes begin with.
const MARK: &str = "data-i18n";
/// Attributes that a name fills: by the end of the attribute that names the text.
const FILLED: [(&str, &str); 2] = [("-label", "aria-label"), ("-placeholder", "placeholder")];

/// The page in this language. `site`: the site's name. What the operator wrote instead (`data-own`) stays,
/// and so does a text that takes values which only the page's scripts know.
pub fn localise(html: &str, language: &Language, site: &str) -> String {
    let word = |key: &str| {
        let text = language.word(key)?.replace("{site}", site);
        (!text.contains('{')).then(|| escape_html(&text))
    };
    let mut out = String::with_capacity(html.len() * 2);
    let mut rest = html;
    while let Some((start, end)) = next_tag(rest) {
        let tag = &rest[start..end];
        out.push_str(&rest[..end]);
        for (kind, filled) in FILLED {
            if let Some(text) = attribute(tag, &format!("{MARK}{kind}")).and_then(word) {
                out.push_str(&format!(" {filled}=\"{text}\""));
            }
        }
        rest = &rest[end..];
        let own = attribute(tag, "data-own").is_some_and(|own| !own.is_empty());
        let named = attribute(tag, MARK).filter(|_| !own);
        if let Some(text) = named.and_then(word) {
            out.push('>');
            out.push_str(&text);
            rest = &rest[rest.find('<').unwrap_or(rest.len())..];
        }
    }
    out.push_str(rest);
    out
}

/// Where the next tag that names a text begins, and where the bracket is that ends it.
fn next_tag(html: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let mark = from + html[from..].find(MARK)?;
        let start = html[..mark].rfind('<');
        let tag = start.and_then(|start| Some((start, tag_end(html, start)?)));
        // Elsewhere they are words like others.
        if let Some((start, end)) = tag.filter(|(_, end)| *end > mark) {
            return Some((start, end));
        }
        from = mark + MARK.len();
    }
}

fn tag_end(html: &str, start: usize) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate().skip(start) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    after.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::language::read_all;

    fn localised(html: &str) -> String {
        let words = br#"{"a":"A & <B>","hi":"Hi, {site}","n":"{n} left","two":"1\n2"}"#;
        let files = |name: &str| (name == "words/en.json").then_some(&words[..]);
        let all = read_all(&files, std::iter::empty()).unwrap();
        let english = all.iter().find(|it| it.tag() == "en").unwrap();
        localise(html, english, "<Miyu>")
    }

    #[test]
    fn elements_get_the_words_they_name() {
        for (html, wanted) in [
            (
                r#"<p data-i18n="a">old</p>x"#,
                r#"<p data-i18n="a">A &amp; &lt;B&gt;</p>x"#,
            ),
            (
                r#"<b title="1 > 0" data-i18n-label="hi"></b>"#,
                r#"<b title="1 > 0" data-i18n-label="hi" aria-label="Hi, &lt;Miyu&gt;"></b>"#,
            ),
            (
                r#"<input data-i18n-placeholder="two" dir="auto">"#,
                "<input data-i18n-placeholder=\"two\" dir=\"auto\" placeholder=\"1\n2\">",
            ),
            (
                r#"<a data-i18n-label="a" data-i18n="two"></a>"#,
                "<a data-i18n-label=\"a\" data-i18n=\"two\" aria-label=\"A &amp; &lt;B&gt;\">1\n2</a>",
            ),
        ] {
            assert_eq!(localised(html), wanted);
        }
    }

    #[test]
    fn what_cannot_be_said_yet_is_left_as_it_is() {
        for html in [
            r#"<p data-i18n="n">old</p>"#,
            r#"<p data-i18n="unknown">old</p>"#,
            r#"<h1 data-i18n="a" data-own="Mine">Mine</h1>"#,
            "<p>data-i18n</p>",
            r#"<p data-i18n="a"#,
            "data-i18n",
            "",
        ] {
            assert_eq!(localised(html), html);
        }
        let empty = r#"<h1 data-i18n="two" data-own="">x</h1>"#;
        assert!(localised(empty).contains(">1\n2</h1>"));
    }
}
