//! What comes of the console on the page of the person: an appeal that is overturned ends what was decided in the open room,
//! without a reload, and says why; and a word of care on a small phone.

use miyu::domain::safety::Role;
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::{expects_lost_connections, meet, reads_at, sees_no_at};
use crate::support::console::{decides, log_in, look, title};
use crate::support::desk::{at_rest, make_operator};
use crate::support::person::Person;
use crate::support::stage::{Play, Stage, picture};

const SORRY: &str = "你說得對，是我們看錯了。";

/// Two people, the second of whom said this and is reported for it; and the one operator there is.
async fn reported(stage: &Stage, phone: &Browser, reason: &str) -> [Person; 3] {
    at_rest(stage, async |data| {
        make_operator(data, "Mei", Role::Administrator).await;
    })
    .await;
    let (anna, bao, mei) = tokio::join!(
        stage.person("Anna"),
        stage.person_with("Bao", phone),
        stage.person("Mei")
    );
    for person in [&anna, &bao] {
        expects_lost_connections(person);
    }
    meet(&anna, &bao).await;
    bao.says_by_button("便宜賣").await;
    anna.hears("便宜賣").await;
    anna.room_menu("menu-report").await;
    anna.press(&format!("report-{reason}")).await;
    anna.press("report-send").await;
    anna.sees_no("report-sheet").await;
    log_in(&mei, "Mei").await;
    [anna, bao, mei]
}

/// Decides the case that waits by this template, with these fields chosen by hand.
async fn sanctions(mei: &Person, template: &str, fields: &[(&str, &str)]) {
    mei.press("next-case").await;
    title(mei).await;
    mei.press(template).await;
    decides(mei, fields).await;
    mei.sees("queue-empty").await;
}

async fn appeals(bao: &Person) {
    bao.press("appeal-open").await;
    bao.fill("appeal-text", "我只是在說笑。").await;
    bao.press("appeal-send").await;
    bao.sees("appeal-pending").await;
}

/// The appeal that waits is answered: what was decided is lifted.
async fn overturns(mei: &Person, what: &str) {
    mei.until(
        "shown('case-row') && byTest('queue').textContent.includes('申訴')",
        json!([]),
    )
    .await;
    mei.press("next-case").await;
    mei.reads("case-facts", "申訴").await;
    mei.reads("reports", "我只是在說笑。").await;
    let heading = "byTest('reports').querySelector('h2').textContent";
    assert_eq!(mei.ask(heading, json!([])).await, "申訴的內容");
    mei.press("outcome-overturn").await;
    mei.reads("decide-hint", "一定要回覆").await;
    mei.fill("text", SORRY).await;
    look(mei, &format!("overturn-{what}")).await;
    mei.press("decide").await;
    mei.sees("queue-empty").await;
}

/// Asks for what waits at once: the page does so by itself now and then.
async fn looks_again(mei: &Person) {
    mei.press("nav-queue").await;
}

#[test]
fn a_mute_that_is_overturned_ends_in_the_open_room() {
    Play::new("console_overturned_mute").run(async |stage| {
        let [anna, bao, mei] = reported(stage, &Browser::phone(), "spam").await;
        bao.ask("(window.samePage = true)", json!([])).await;
        sanctions(&mei, "template-3", &[]).await;
        let line = ".room [data-testid=notice-mute]";
        reads_at(&bao, line, "不能說話").await;
        bao.sees_no("composer").await;
        bao.press_css(&format!("{line} [data-testid=notice-look]"))
            .await;
        appeals(&bao).await;
        bao.press("notice-confirm").await;
        looks_again(&mei).await;
        overturns(&mei, "mute").await;

        bao.sees("composer").await;
        sees_no_at(&bao, line).await;
        let answer = ".room [data-testid=notice-appealed]";
        reads_at(&bao, answer, "申訴").await;
        picture(&bao, "overturned-room").await;
        bao.press_css(&format!("{answer} [data-testid=notice-look]"))
            .await;
        bao.reads("notice-sheet", SORRY).await;
        bao.reads("notice-sheet", "不再算數").await;
        picture(&bao, "overturned-sheet").await;
        bao.press("notice-confirm").await;
        bao.sees_no("notice-sheet").await;
        bao.says_by_button("謝謝").await;
        anna.hears("謝謝").await;
        assert_eq!(bao.ask("window.samePage", json!([])).await, true);
    });
}

#[test]
fn a_ban_that_is_overturned_opens_the_site_again() {
    Play::new("console_overturned_ban").run(async |stage| {
        let [_anna, bao, mei] = reported(stage, &Browser::phone(), "spam").await;
        sanctions(
            &mei,
            "template-3",
            &[("kind", "ban"), ("length", "604800000")],
        )
        .await;
        bao.goto("/").await;
        bao.sees("ban").await;
        appeals(&bao).await;
        looks_again(&mei).await;
        overturns(&mei, "ban").await;

        // The page of a ban has no connection: it asks when a person comes back to it.
        bao.reload().await;
        bao.sees_no("ban").await;
        reads_at(&bao, "[data-testid=notice-appealed]", "申訴").await;
        picture(&bao, "overturned-home").await;
        bao.press_css("[data-testid=notice-appealed] [data-testid=notice-look]")
            .await;
        bao.reads("notice-sheet", SORRY).await;
        bao.press("notice-confirm").await;
        bao.press("start").await;
        bao.sees("matching").await;
    });
}

#[test]
fn a_word_of_care_is_read_from_its_beginning() {
    Play::new("console_care").run(async |stage| {
        let small = Browser {
            size: (320, 568),
            language: "ja",
            ..Browser::phone()
        };
        let [_anna, bao, mei] = reported(stage, &small, "self_harm").await;
        sanctions(&mei, "template-7", &[]).await;
        reads_at(&bao, ".room [data-testid=notice-warning]", "お知らせ").await;
        bao.press_css(".room [data-testid=notice-warning] [data-testid=notice-look]")
            .await;
        bao.sees("notice-help").await;
        let begins = "(({ scrollTop, scrollHeight, clientHeight }) => [scrollTop, scrollHeight > clientHeight])(byTest('notice-sheet'))";
        assert_eq!(bao.ask(begins, json!([])).await, json!([0, true]));
        let numbers = "[...byTest('notice-help').querySelectorAll('.unbroken')].map((it) => it.getClientRects().length)";
        assert_eq!(
            bao.ask(numbers, json!([])).await,
            json!([1, 1, 1, 1]),
            "a number that is dialled stands on one line"
        );
        accessible(&bao, "a word of care").await;
        picture(&bao, "care-small").await;
        bao.press("notice-confirm").await;
        bao.sees_no("notice-sheet").await;
    });
}
