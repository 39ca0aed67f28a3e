//! The operators' console on the real server: twenty cases by keyboard alone, what a case shows and hides, a session that
//! ends while words are written; and every view on a phone and a desktop.

use std::time::{Duration, Instant};

use fantoccini::key::Key;
use miyu::boot::backends::Backends;
use miyu::domain::id::Side;
use miyu::domain::safety::{Reason, Role};
use serde_json::json;

use crate::presses::press_quickly;
use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::console::{goes_to, log_in, look, moves_on, title, type_log_in};
use crate::support::desk::{at_rest, make_operator, reported};
use crate::support::person::Person;
use crate::support::stage::{Play, picture};

/// How many one evening brings.
const CASES: usize = 20;
/// How long they may take.
const EVENING: Duration = Duration::from_secs(5 * 60);
/// The case that a picture is taken of: an ordinary one, with a template chosen.
const PICTURED: usize = 3;
/// Keys are a case's own when it has been there for so long (`settling` of the page's keys).
const SETTLED: Duration = Duration::from_millis(420);

const RUDE: &[(Side, &str)] = &[
    (Side::B, "嗨，你好"),
    (Side::A, "哈囉，剛下班"),
    (Side::B, "怎麼這麼慢"),
    (Side::A, "抱歉"),
    (Side::B, "笨死了"),
];
const MINOR: &[(Side, &str)] = &[(Side::A, "我國二"), (Side::B, "那更好，我們加好友")];
/// Turned around from its middle on, with a letter that is not seen.
const TURNED: &[(Side, &str)] = &[(Side::A, "hi"), (Side::B, "photo\u{202E}gpj.exe\u{200B}!")];

/// An administrator, and so many cases beside the three that differ.
async fn an_evening(data: &Backends, cases: usize) {
    make_operator(data, "Mei", Role::Administrator).await;
    reported(data, Reason::Minor, "請看一下", MINOR).await;
    reported(data, Reason::Harassment, "對方傳奇怪的檔案\u{202E}", TURNED).await;
    for _ in 0..cases {
        reported(data, Reason::Harassment, "一直罵我", RUDE).await;
    }
}

/// How many cases wait.
async fn waiting(person: &Person) -> u64 {
    let count = "fetch('/admin/api/queue/').then((it) => it.json()).then((it) => it.cases.length)";
    let count = person.ask(count, json!([])).await;
    count.as_u64().expect("a number")
}

#[test]
fn twenty_cases_are_decided_by_keyboard_alone() {
    Play::new("console_twenty_cases").run(async |stage| {
        at_rest(stage, async |data| an_evening(data, CASES).await).await;
        let mei = stage.person("Mei").await;
        log_in(&mei, "Mei").await;
        mei.until(
            "document.querySelectorAll('[data-testid=\"case-row\"]').length > 20",
            json!([]),
        )
        .await;
        let begun = Instant::now();
        mei.keys("n").await;

        // The gravest is first, and covered: its words are not in the page before it is asked for.
        let mut open = title(&mei).await;
        assert!(open.contains("未成年"), "{open}");
        let hidden = "shown('cover') && !byTest('talk').textContent.includes('加好友')";
        assert_eq!(mei.ask(hidden, json!([])).await, true);
        tokio::time::sleep(SETTLED).await;
        mei.keys("v").await;
        mei.reads("talk", "加好友").await;

        for at in 0..CASES {
            tokio::time::sleep(SETTLED).await;
            mei.keys(["1", "6", "5"][at % 3]).await;
            mei.until("!byTest('decide').disabled", json!([])).await;
            if at == PICTURED {
                accessible(&mei, "a case on a desktop").await;
                picture(&mei, "console-desktop").await;
            }
            // The second of a double press belongs to the case before.
            let enter = char::from(Key::Enter);
            mei.keys(&format!("{enter}{enter}")).await;
            moves_on(&mei, &open).await;
            open = title(&mei).await;
        }
        let took = begun.elapsed();
        println!(
            "twenty cases by keyboard alone: {:.1} s",
            took.as_secs_f64()
        );
        assert!(took < EVENING, "{took:?}");
        assert_eq!(waiting(&mei).await, 2, "twenty were decided, and no other");

        // Put aside: the next is another one, and this one waits on.
        tokio::time::sleep(SETTLED).await;
        mei.keys("n").await;
        moves_on(&mei, &open).await;
        assert_eq!(waiting(&mei).await, 2);
        a_session_that_ends_loses_no_word(&mei).await;
    });
}

/// Words of one's own, a session that ends before they are sent, a reload, a log-in; then they are sent.
async fn a_session_that_ends_loses_no_word(mei: &Person) {
    let open = title(mei).await;
    tokio::time::sleep(SETTLED).await;
    let own = "Please be kind. 1 n e";
    mei.keys("1").await;
    mei.keys("t").await;
    mei.until("focusedTest() === 'text'", json!([])).await;
    mei.ask("byTest('text').select()", json!([])).await;
    mei.keys(own).await;
    let end = "fetch('/admin/api/session/', { method: 'DELETE' }).then((it) => it.status)";
    assert_eq!(mei.ask(end, json!([])).await, 204);
    let send = format!(
        "{}{}{}",
        char::from(Key::Control),
        char::from(Key::Enter),
        char::from(Key::Null)
    );
    tokio::time::sleep(SETTLED).await;
    mei.keys(&send).await;
    mei.sees("login-sheet").await;
    accessible(mei, "the log-in over a case").await;
    picture(mei, "console-again").await;
    mei.settled("[data-testid=sheet-close]").await;
    mei.key(Key::Escape).await;
    mei.reads("alert", "分頁").await;

    mei.reload().await;
    type_log_in(mei, "Mei").await;
    assert_eq!(title(mei).await, open);
    let kept = "byTest('text').value === args[0]";
    assert_eq!(
        mei.ask(kept, json!([own])).await,
        true,
        "the draft is there"
    );
    tokio::time::sleep(SETTLED).await;
    mei.key(Key::Enter).await;
    moves_on(mei, &open).await;
    // What the person is told stands in the closed case.
    mei.press("nav-closed").await;
    mei.sees("case-row").await;
    mei.press_css("[data-testid=case-row] a").await;
    mei.reads("history", own).await;
}

#[test]
fn the_console_is_used_with_a_thumb() {
    Play::new("console_thumb").run(async |stage| {
        at_rest(stage, async |data| an_evening(data, 3).await).await;
        let phone = stage.person_with("Mei", &Browser::phone()).await;
        log_in(&phone, "Mei").await;
        look(&phone, "queue").await;
        phone.press("next-case").await;
        let open = title(&phone).await;
        look(&phone, "covered").await;
        phone
            .press_css("[data-testid=talk] [data-testid=cover]")
            .await;
        phone.reads("talk", "我國二").await;
        let within = "(() => { const box = byTest('bar').getBoundingClientRect(); return box.bottom <= innerHeight && box.top > innerHeight * 0.8; })()";
        assert_eq!(phone.ask(within, json!([])).await, true, "at the thumb");
        phone.press("decide-open").await;
        phone.press("template-4").await;
        look(&phone, "decide").await;
        phone.press("decide").await;
        moves_on(&phone, &open).await;

        // What turns a text around is shown and not done.
        phone.reads("talk", "U+202E").await;
        let plain = "!document.body.textContent.includes('\\u202E') && !document.body.textContent.includes('\\u200B')";
        assert_eq!(phone.ask(plain, json!([])).await, true);
        look(&phone, "case").await;
        for view in ["closed", "sanctions", "site", "templates", "operators", "audit", "account"] {
            goes_to(&phone, view).await;
            look(&phone, view).await;
        }
        phone.press("logout").await;
        phone.sees("login").await;
        look(&phone, "login").await;
    });
}
#[test]
fn the_second_of_two_presses_belongs_to_the_case_before() {
    Play::new("console_double_press").run(async |stage| {
        at_rest(stage, async |data| an_evening(data, 3).await).await;
        let mei = stage.person_with("Mei", &Browser::phone()).await;
        log_in(&mei, "Mei").await;
        mei.press("next-case").await;
        let first = title(&mei).await;
        mei.press("next").await;
        moves_on(&mei, &first).await;
        let second = title(&mei).await;
        // At once, where the finger is: it would put the second case aside as well.
        press_quickly(&mei, "next", &[0]).await;
        tokio::time::sleep(SETTLED).await;
        assert_eq!(title(&mei).await, second);
        mei.press("next").await;
        moves_on(&mei, &second).await;
        assert_ne!(title(&mei).await, first);
    });
}

#[test]
fn an_operator_whose_browser_keeps_no_cookie_is_told_so() {
    Play::new("console_forgetful").run(async |stage| {
        at_rest(stage, async |data| {
            make_operator(data, "Mei", Role::Administrator).await;
        })
        .await;
        let forgetful = Browser {
            forgetful: true,
            ..Browser::default()
        };
        let mei = stage.person_with("Mei", &forgetful).await;
        mei.expect_console("401");
        mei.goto("/admin/").await;
        type_log_in(&mei, "Mei").await;
        mei.reads("login-wrong", "沒有留下本站的 Cookie").await;
    });
}
