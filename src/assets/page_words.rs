//! Which words of a language a page brings with it, by what their keys begin with.

/// What the keys begin with of words that a page does not bring: of what few people ever see. Its scripts fetch
/// the whole catalogue when they need them (`assets/js/ui/language.js`).
const LATE: [&str; 9] = [
    "blocked.", "call.", "earlier.", "figures.", "forget.", "guide.", "notices.", "report.",
    "reports.",
];
/// What the keys begin with of words that one page alone says: no other page brings them. That each page brings all
/// that its scripts say is tested (`tests/js/catalogue.test.mjs`).
const OWN: [(&str, &[&str]); 3] = [
    (
        "home",
        &[
            "consent.", "gender.", "home.", "leave.", "line.", "mood.", "picker.", "profile.",
            "rules.", "stats.",
        ],
    ),
    (
        "chat",
        &[
            "block.",
            "chat.",
            "end.",
            "err.",
            "found.",
            "gone.",
            "match.",
            "menu.",
            "mm.",
            "moodOf.",
            "msg.",
            "net.",
            "notify.",
            "partner.",
            "reach.",
            "react.",
            "scan.",
            "starters.",
            "tab",
            "title",
            "transcript.",
            "undo.",
        ],
    ),
    ("offline", &["offline."]),
];
/// Whether the page of this name brings the words of this key.
pub fn is_brought(key: &str, page: &str) -> bool {
    let begins = |with: &[&str]| with.iter().any(|it| key.starts_with(it));
    let mut others = OWN.iter().filter(|(owner, _)| *owner != page);
    !begins(&LATE) && !others.any(|(_, with)| begins(with))
}
