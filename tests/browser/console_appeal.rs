//! From a report to the last word, between people at their pages and operators at phones: words that are made to break
//! the console, a decision by touch, what the person is told, an appeal and its answer; and what is said to all.

use miyu::domain::safety::Role;
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::{expects_lost_connections, meet, reads_at, sees_no_at};
use crate::support::console::{decides, fits, goes_to, log_in, look, opens_case, selects, title};
use crate::support::desk::{at_rest, make_operator};
use crate::support::person::Person;
use crate::support::stage::{Play, Stage, picture};
use crate::support::touch::{reachable, taps};

/// Markup, a turn of the direction, a letter that is not seen, and one word that is wider than any screen.
fn hostile(what: &str) -> String {
    let wide = "W".repeat(200);
    format!("{what} <img src=x onerror=document.title='gone'>\u{202E}gpj.exe\u{200B} {wide}")
}

/// What [`hostile`] must come to: text, its marks told, nothing of it done, each piece apart from what is around it.
async fn harmless(person: &Person, view: &str, what: &str) {
    let told =
        "document.querySelector('main').textContent.includes(`${args[0]} <img src=x onerror=`)";
    person.until(told, json!([what])).await;
    let nothing = "!document.querySelector('main img') && document.title !== 'gone' && \
                   !document.querySelector('main').textContent.includes('\\u202E')";
    assert_eq!(person.ask(nothing, json!([])).await, true, "{view}");
    let apart = "[...document.querySelectorAll('.op-said')].every((it) => getComputedStyle(it).unicodeBidi === 'isolate' && it.dir === 'auto')";
    assert_eq!(person.ask(apart, json!([])).await, true, "{view}");
    fits(person, view).await;
    reachable(person, view).await;
}

async fn types(person: &Person, test: &str, text: &str) {
    person.press(test).await;
    person.insert(text).await;
}

/// Two people, the second of whom is reported; and two operators at phones, the first at a small one.
async fn evening(stage: &Stage) -> [Person; 4] {
    at_rest(stage, async |data| {
        make_operator(data, "Mei", Role::Administrator).await;
        make_operator(data, "Ken", Role::Moderator).await;
    })
    .await;
    let phone = Browser::phone();
    let small = Browser {
        size: (320, 640),
        language: "en",
        ..Browser::phone()
    };
    let (anna, bao, mei, ken) = tokio::join!(
        stage.person("Anna"),
        stage.person_with("<i>Bao", &phone),
        stage.person_with("Mei", &small),
        stage.person_with("Ken", &phone),
    );
    for person in [&anna, &bao] {
        expects_lost_connections(person);
    }
    meet(&anna, &bao).await;
    types(&bao, "composer", &hostile("message")).await;
    bao.press("send").await;
    anna.until("messages().length === 1", json!([])).await;
    anna.room_menu("menu-report").await;
    anna.press("report-spam").await;
    types(&anna, "report-note", &hostile("note")).await;
    anna.press("report-send").await;
    anna.sees_no("report-sheet").await;
    tokio::join!(log_in(&mei, "Mei"), log_in(&ken, "Ken"));
    [anna, bao, mei, ken]
}

#[test]
fn a_report_is_decided_by_touch_and_appealed() {
    Play::new("console_appeal").run(async |stage| {
        let [anna, bao, mei, ken] = evening(stage).await;
        decides_by_touch(&mei).await;

        reads_at(&bao, ".room [data-testid=notice-mute]", "不貼廣告").await;
        bao.press_css(".room [data-testid=notice-mute] [data-testid=notice-look]")
            .await;
        bao.reads("notice-text", "不是打廣告的地方").await;
        picture(&bao, "notice-phone").await;
        bao.press("appeal-open").await;
        types(&bao, "appeal-text", &hostile("appeal")).await;
        fits_page(&bao, "an appeal").await;
        picture(&bao, "notice-appeal").await;
        bao.press("appeal-send").await;
        bao.sees("appeal-pending").await;
        bao.press("notice-confirm").await;
        // Not by the one who decided.
        opens_case(&mei, 2).await;
        mei.reads("decision", "Not yours").await;
        answers(&ken, "change", "我們改成提醒。").await;
        reads_of_it_in_the_list(&bao).await;

        says_to_all(&mei, &anna).await;
        // Decided anew: a ban, appealed as well, which stays.
        opens_case(&mei, 1).await;
        mei.press("reopen").await;
        mei.press("decide-open").await;
        mei.press("template-3").await;
        decides(&mei, &[("kind", "ban"), ("length", "604800000")]).await;
        bao.goto("/").await;
        bao.sees("ban").await;
        fits_page(&bao, "a ban").await;
        bao.press("appeal-open").await;
        types(&bao, "appeal-text", "拜託").await;
        bao.press("appeal-send").await;
        bao.sees("appeal-pending").await;
        answers(&ken, "uphold", "看過了，決定不變。").await;
        bao.reload().await;
        bao.reads("appeal-answer", "看過了，決定不變。").await;
        fits_page(&bao, "the answer to an appeal").await;
        accessible(&bao, "the answer to an appeal").await;
        picture(&bao, "ban-answer").await;
        bao.color_scheme(true).await;
        picture(&bao, "ban-answer-dark").await;
    });
}

/// One case from the queue to the last press with a finger alone.
async fn decides_by_touch(mei: &Person) {
    mei.sees("case-row").await;
    reachable(mei, "the queue").await;
    taps(mei, "next-case").await;
    title(mei).await;
    harmless(mei, "a case", "message").await;
    harmless(mei, "a case", "note").await;
    mei.reads("talk", "<i>Bao").await;
    look(mei, "hostile").await;
    taps(mei, "decide-open").await;
    let within = "byTest('decision').contains(document.activeElement)";
    mei.until(within, json!([])).await;
    taps(mei, "template-3").await;
    selects(mei, "text-language", "zh-TW").await;
    taps(mei, "watch").await;
    reachable(mei, "a decision").await;
    fits(mei, "a decision").await;
    look(mei, "decide-small").await;
    taps(mei, "decide").await;
    mei.reads("toast", "last one").await;
    goes_to(mei, "sanctions").await;
    mei.reads("sanctions", "Watch").await;
    reachable(mei, "the sanctions").await;
    look(mei, "sanctions-small").await;
}

/// The other operator answers the appeal that waits.
async fn answers(ken: &Person, outcome: &str, text: &str) {
    goes_to(ken, "queue").await;
    ken.until("byTest('queue').textContent.includes('申訴')", json!([]))
        .await;
    taps(ken, "next-case").await;
    ken.reads("case-facts", "申訴").await;
    if outcome == "change" {
        harmless(ken, "an appeal", "appeal").await;
        look(ken, "appeal").await;
    }
    taps(ken, "decide-open").await;
    taps(ken, &format!("outcome-{outcome}")).await;
    ken.reads("decide-hint", "一定要回覆").await;
    if outcome == "change" {
        selects(ken, "kind", "warning").await;
    }
    ken.fill("text", text).await;
    reachable(ken, "an answer").await;
    look(ken, &format!("appeal-{outcome}")).await;
    taps(ken, "decide").await;
    ken.reads("toast", "處理完了").await;
}

/// What is opened in the list is read: its line on the page goes, and the server knows.
async fn reads_of_it_in_the_list(bao: &Person) {
    bao.goto("/").await;
    bao.sees("notice-appealed").await;
    bao.sees("notice-warning").await;
    bao.press("guide").await;
    bao.press("guide-notices").await;
    bao.sees("notice-row").await;
    fits_page(bao, "the list of notices").await;
    picture(bao, "notice-list").await;
    for (title, line) in [
        ("申訴有回覆", "notice-appealed"),
        ("提醒", "notice-warning"),
    ] {
        let open = "[...document.querySelectorAll('[data-testid=notice-row]')].find((it) => it.textContent.includes(args[0])).click() ?? true";
        bao.ask(open, json!([title])).await;
        bao.press("notice-confirm").await;
        bao.sees_no("notice-sheet").await;
        bao.sees_no(line).await;
    }
    let confirmed = "fetch('/api/notices/').then((it) => it.json()).then(({ notices }) => \
                     notices.filter(({ kind }) => kind === 'outcome' || kind === 'warning').every((it) => it.confirmed))";
    bao.until(confirmed, json!([])).await;
    bao.press_css("[data-testid=notices-sheet] [data-testid=sheet-close]")
        .await;
}

/// A notice to all, and maintenance: set, seen where people are, and taken back.
async fn says_to_all(mei: &Person, anna: &Person) {
    goes_to(mei, "site").await;
    mei.press("broadcast-go").await;
    mei.reads("broadcast-wrong", "at least one language").await;
    types(mei, "broadcast-zh-TW", &hostile("今晚換機器")).await;
    mei.press("broadcast-go").await;
    mei.sees("broadcast-end").await;
    // What is said to one person comes before what is said to all.
    anna.press_css(".room [data-testid=notice-outcome] [data-testid=notice-away]")
        .await;
    let line = ".room [data-testid=notice-broadcast]";
    reads_at(anna, line, "今晚換機器 <img").await;
    fits_page(anna, "a notice to all").await;
    picture(anna, "notice-broadcast").await;
    reachable(mei, "notices to all").await;
    look(mei, "site-set").await;
    mei.press("broadcast-end").await;
    mei.reads("broadcast-state", "none").await;
    // An open page keeps what it was told; one that comes is not told it any more.
    anna.reload().await;
    anna.until("messages().length === 1", json!([])).await;
    sees_no_at(anna, line).await;

    mei.press("maintenance-go").await;
    mei.sees("maintenance-end").await;
    anna.goto("/").await;
    anna.reads("maintenance", "維護").await;
    mei.press("maintenance-end").await;
    mei.reads("maintenance-state", "off").await;
    anna.goto("/").await;
    anna.sees("start").await;
    anna.sees_no("maintenance").await;
}

async fn fits_page(person: &Person, what: &str) {
    let wide = "document.documentElement.scrollWidth - innerWidth";
    assert_eq!(
        person.ask(wide, json!([])).await,
        0,
        "{what} is wider than the window"
    );
}
