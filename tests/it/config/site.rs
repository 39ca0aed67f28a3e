//! What a site says of itself.

use super::*;

#[test]
fn words_of_the_site_that_show_nothing_are_refused() {
    for (key, blank) in [
        ("name", "\u{3164}"),
        ("name", " "),
        ("tagline", "\u{200B}\u{2800}"),
    ] {
        let text = refused(&format!("[site]\n{key} = \"{blank}\"\n"), &[]);
        assert!(text.contains(&format!("site.{key}")), "{text}");
        assert!(text.contains("must show something"), "{text}");
    }
    load("[site]\ntagline = \"\"\n", &[]).unwrap();
}

#[test]
fn first_sentences_are_few_and_short_and_may_be_for_one_language() {
    let config = load(
        "[site]\nstarters = [\"en: Cats, or dogs?\", \" 貓？ \", \"zh-TW:狗？\"]\n",
        &[],
    )
    .unwrap()
    .config;
    let starters: Vec<_> = config.site.starters().collect();
    assert_eq!(
        starters,
        [
            (Some("en"), "Cats, or dogs?"),
            (None, "貓？"),
            (Some("zh-TW"), "狗？")
        ]
    );
    let many = vec!["\"a\""; 25].join(",");
    let long = format!("\"{}\"", "長".repeat(81));
    for wrong in [&*many, &*long, "\"en: \"", "\"\u{200B}\"", "\"a\\nb\""] {
        let text = refused(&format!("[site]\nstarters = [{wrong}]\n"), &[]);
        assert!(text.contains("site.starters"), "{wrong}: {text}");
    }
    load(
        &format!("[site]\nstarters = [\"en: {}\"]\n", "長".repeat(80)),
        &[],
    )
    .unwrap();
}

#[test]
fn topics_are_few_and_each_word_means_one() {
    let config = load(
        "[site]\ntopics = [\"期末考 | en: Finals | 段考\", \"Music\"]\n",
        &[],
    );
    let topics = config.unwrap().config.site.topics;
    let words: Vec<Vec<_>> = topics.iter().map(|it| it.words().collect()).collect();
    assert_eq!(words, [vec!["期末考", "Finals", "段考"], vec!["音樂"]]);
    let by_variable = load("", &[("MIYU_SITE__TOPICS", "貓 | en: Cats, 狗")]);
    assert_eq!(by_variable.unwrap().config.site.topics.len(), 2);
    let many: Vec<_> = (0..13).map(|number| format!("\"t{number}\"")).collect();
    for (wrong, why) in [
        (&*many.join(","), "at most 12"),
        ("\"a\", \"b | A\"", "\"A\" stands there twice"),
        ("\"a |\"", "must be a topic"),
    ] {
        let text = refused(&format!("[site]\ntopics = [{wrong}]\n"), &[]);
        assert!(
            text.contains("site.topics") && text.contains(why),
            "{wrong}: {text}"
        );
    }
}

#[test]
fn what_visitors_read_of_a_site_is_refused_when_it_could_not_be_used() {
    for (key, wrong, why) in [
        ("contact", "Ask at the desk", "mail address"),
        ("accent", "green", "#0b655e"),
        ("hours", "Fry 19:00-21:00", "\\\"Fry\\\" is no day"),
        ("hours", "Fri 7-9", "is no time"),
    ] {
        let text = refused(&format!("[site]\n{key} = \"{wrong}\"\n"), &[]);
        let why = why.replace("\\\"", "\"");
        assert!(
            text.contains(&format!("site.{key}")) && text.contains(&why),
            "{text}"
        );
    }
}
