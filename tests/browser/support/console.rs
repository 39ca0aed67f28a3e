//! What operators do at the console: log in, go from view to view, take cases; and how each view is looked at.

use fantoccini::key::Key;
use serde_json::json;

use super::audit::{accessible, legible};
use super::desk::PASSWORD;
use super::person::Person;
use super::stage::picture;

/// Opens the console and logs in.
pub async fn log_in(person: &Person, name: &str) {
    // Who is not logged in yet is told by an answer that browsers write down.
    person.expect_console("401");
    person.goto("/admin/").await;
    type_log_in(person, name).await;
    person.sees("nav-queue").await;
}

/// Types name and password where they are asked for.
pub async fn type_log_in(person: &Person, name: &str) {
    type_password(person, name, PASSWORD).await;
}

/// The same with this password.
pub async fn type_password(person: &Person, name: &str, password: &str) {
    person
        .until("focusedTest() === 'login-name'", json!([]))
        .await;
    let (tab, enter) = (char::from(Key::Tab), char::from(Key::Enter));
    person.keys(&format!("{name}{tab}")).await;
    person.keys(&format!("{password}{enter}")).await;
}

/// Goes to a view by its address, and waits until it is there.
pub async fn goes_to(person: &Person, view: &str) {
    let go = "(location.hash = `#/${args[0]}`)";
    person.ask(go, json!([view])).await;
    let there = "document.body.dataset.view === args[0] && document.querySelector(`.op-view-${args[0]} h1`) && \
                 document.querySelectorAll('main :is(.op-row, .op-card, .op-empty)').length > 0";
    person.until(there, json!([view])).await;
}

/// Opens a case by its number.
pub async fn opens_case(person: &Person, number: u64) {
    let go = "(location.hash = `#/case/${args[0]}`)";
    person.ask(go, json!([number])).await;
    let there = "shown('case-title') && location.hash === `#/case/${args[0]}` && document.title.includes(` ${args[0]} `)";
    person.until(there, json!([number])).await;
}

/// The case that is open, by its title.
pub async fn title(person: &Person) -> String {
    person.sees("case-title").await;
    let title = person
        .ask("byTest('case-title').textContent", json!([]))
        .await;
    title.as_str().expect("a text").to_owned()
}

/// Waits until another case than this one is open.
pub async fn moves_on(person: &Person, from: &str) {
    let another = "shown('case-title') && byTest('case-title').textContent !== args[0]";
    person.until(another, json!([from])).await;
}

/// Says yes in the sheet that asks.
pub async fn agrees(person: &Person) {
    person.press("ask-go").await;
    person.sees_no("ask-sheet").await;
}

/// Chooses an option of a list.
pub async fn selects(person: &Person, test: &str, value: &str) {
    let list = person.find(test).await;
    let chosen = list.select_by_value(value).await;
    chosen.unwrap_or_else(|error| panic!("{}: {test} has no {value}: {error}", person.name()));
}

/// axe, nothing wider than the window, and a picture; in both schemes.
pub async fn look(person: &Person, view: &str) {
    accessible(person, view).await;
    fits(person, view).await;
    picture(person, &format!("console-{view}-light")).await;
    person.color_scheme(true).await;
    legible(person, &format!("{view} in the dark")).await;
    picture(person, &format!("console-{view}-dark")).await;
    person.color_scheme(false).await;
}

/// Nothing is wider than the window, or than what it stands in, but for what is made to be scrolled.
pub async fn fits(person: &Person, view: &str) {
    let wide = "document.documentElement.scrollWidth - innerWidth";
    let wide = person.ask(wide, json!([])).await;
    assert_eq!(wide, 0, "{view} is wider than the window");
    let outside = "[...document.querySelectorAll('main *, dialog *')].filter((it) => visible(it) && !it.closest('.sr') && \
                   it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 200))";
    let outside = person.ask(outside, json!([])).await;
    assert_eq!(outside, json!([]), "{view} has more than can be seen");
}

/// Decides the case that is open, with these fields chosen by hand, and waits for what comes next.
pub async fn decides(person: &Person, fields: &[(&str, &str)]) {
    let from = title(person).await;
    for (test, value) in fields {
        selects(person, test, value).await;
    }
    person.press("decide").await;
    let gone = "!shown('case-title') || byTest('case-title').textContent !== args[0]";
    person.until(gone, json!([from])).await;
}
