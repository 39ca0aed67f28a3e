//! The first operator, from the link that the server writes down to an evening's end: the link works once, a second
//! factor is switched on, what is mistyped is said in words; then colleagues are made, changed and sent away.

use miyu::operators::totp;
use ring::hmac;
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::console::{agrees, goes_to, log_in, look, type_log_in, type_password};
use crate::support::desk::PASSWORD;
use crate::support::person::Person;
use crate::support::stage::{Play, Stage};

const ANOTHER: &str = "another lamp, another night";

/// What an authenticator shows so many steps of half a minute from now, by the standard.
fn code(secret: &str, steps: i64) -> String {
    let secret = totp::parse(secret).expect("a secret");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let step = miyu::clock::now().0 / 30_000 + steps;
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[from..from + 4].try_into().expect("four bytes"));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// The path of the link that the server has written down.
fn link(stage: &Stage) -> String {
    let link = std::fs::read_to_string(stage.data().join("setup-link")).expect("a link");
    let at = link.find("/admin/").expect("the console");
    link[at..].trim().to_owned()
}

async fn makes_themselves(person: &Person, password: &str, again: &str) {
    person.fill("setup-name", "Mei").await;
    person.fill("setup-password", password).await;
    person.fill("setup-again", again).await;
    person.press("setup-go").await;
}

#[test]
fn the_first_operator_comes_by_a_link_that_works_once() {
    Play::new("console_first").run(async |stage| {
        let mei = stage.person("Mei").await;
        // Each no is an answer that browsers write down.
        for status in ["401", "403", "409", "422", "429"] {
            mei.expect_console(status);
        }
        mei.goto("/admin/").await;
        mei.until(
            "/miyu admin link/.test(document.querySelector('main').textContent)",
            json!([]),
        )
        .await;
        look(&mei, "none").await;

        // A link of before the last start is over, also in a page that is open.
        mei.goto(&link(stage)).await;
        mei.sees("setup").await;
        look(&mei, "setup").await;
        stage.stop_server();
        stage.run_server();
        makes_themselves(&mei, PASSWORD, PASSWORD).await;
        mei.reads("setup-wrong", "過期").await;

        let first = link(stage);
        mei.goto("/").await;
        mei.goto(&first).await;
        makes_themselves(&mei, PASSWORD, "something else").await;
        mei.reads("setup-wrong", "不一樣").await;
        makes_themselves(&mei, "short", "short").await;
        mei.reads("setup-wrong", "至少要 12 個字").await;
        makes_themselves(&mei, PASSWORD, PASSWORD).await;
        let (secret, codes) = switches_totp_on(&mei).await;
        let gone =
            "!location.hash.includes('setup') && !document.body.textContent.includes('setup=')";
        assert_eq!(mei.ask(gone, json!([])).await, true, "the token is nowhere");

        // Used again, it is over.
        mei.goto("/").await;
        mei.goto(&first).await;
        makes_themselves(&mei, PASSWORD, PASSWORD).await;
        mei.reads("setup-wrong", "用過了").await;
        accessible(&mei, "a link that is over").await;

        logs_in_with_codes(&mei, &secret, &codes).await;
    });
}

/// What is offered to the first operator: answers the secret and the recovery codes.
async fn switches_totp_on(mei: &Person) -> (String, Vec<String>) {
    agrees(mei).await;
    mei.sees("totp-sheet").await;
    look(mei, "totp").await;
    let secret = mei
        .ask(
            "byTest('totp-secret').textContent.replaceAll(' ', '')",
            json!([]),
        )
        .await;
    let secret = secret.as_str().expect("a text").to_owned();
    mei.fill("totp-code", "000000").await;
    mei.fill("totp-password", PASSWORD).await;
    mei.press("totp-go").await;
    mei.reads("totp-wrong", "驗證碼不對").await;
    mei.fill("totp-code", &code(&secret, 0)).await;
    mei.press("totp-go").await;
    mei.sees("recovery-codes").await;
    look(mei, "codes").await;
    let codes = mei
        .ask(
            "[...byTest('recovery-codes').children].map((it) => it.textContent)",
            json!([]),
        )
        .await;
    let codes: Vec<String> = serde_json::from_value(codes).expect("texts");
    assert_eq!(codes.len(), 10);
    mei.press("codes-done").await;
    mei.sees_no("codes-sheet").await;
    mei.reads("totp", "還有 10 組").await;
    let shown = "document.body.textContent.includes(args[0])";
    assert_eq!(mei.ask(shown, json!([codes[0]])).await, false, "shown once");
    (secret, codes)
}

/// Out, and in again by the phone; out, and in by a code on paper, which works once.
async fn logs_in_with_codes(mei: &Person, secret: &str, codes: &[String]) {
    mei.goto("/admin/").await;
    mei.sees("queue-empty").await;
    look(mei, "queue-empty").await;
    goes_to(mei, "account").await;
    mei.press("logout").await;
    type_password(mei, "Mei", "not the lantern at all").await;
    mei.reads("login-wrong", "不對").await;
    look(mei, "login-wrong").await;
    mei.fill("login-password", PASSWORD).await;
    mei.press("login-go").await;
    mei.sees("login-code").await;
    mei.fill("login-code", "123456").await;
    mei.press("login-go").await;
    mei.reads("login-wrong", "不對").await;
    // The code of now was used when the factor was switched on.
    mei.fill("login-code", &code(secret, 1)).await;
    mei.press("login-go").await;
    mei.sees("queue-empty").await;
    for used in [false, true] {
        goes_to(mei, "account").await;
        mei.press("logout").await;
        type_log_in(mei, "Mei").await;
        mei.sees("login-code").await;
        mei.fill("login-code", &codes[0]).await;
        mei.press("login-go").await;
        if used {
            mei.reads("login-wrong", "不對").await;
            mei.fill("login-code", &codes[1]).await;
            mei.press("login-go").await;
        }
        mei.sees("queue-empty").await;
    }
    goes_to(mei, "account").await;
    mei.reads("totp", "還有 8 組").await;
}

#[test]
fn colleagues_are_made_changed_and_sent_away() {
    Play::new("console_colleagues").run(async |stage| {
        crate::support::desk::with_operator(stage).await;
        let small = Browser {
            size: (320, 640),
            language: "en",
            ..Browser::phone()
        };
        let (op, ken) = tokio::join!(stage.person("op"), stage.person_with("Ken", &small));
        for person in [&op, &ken] {
            for status in ["401", "403", "404", "409", "422"] {
                person.expect_console(status);
            }
        }
        log_in(&op, "op").await;
        goes_to(&op, "operators").await;
        op.press_css("[data-testid=new-operator] summary").await;
        op.fill("operator-name", "Ken").await;
        op.fill("operator-password", "too short").await;
        op.press("operator-go").await;
        op.reads("operator-wrong", "至少要 12 個字").await;
        op.fill("operator-password", PASSWORD).await;
        op.press("operator-go").await;
        op.reads("operators", "Ken").await;
        look(&op, "operators-two").await;

        // A moderator has fewer places, and reads what administrators set.
        log_in(&ken, "Ken").await;
        ken.sees_no("nav-operators").await;
        goes_to(&ken, "templates").await;
        ken.sees_no("templates-save").await;
        goes_to(&ken, "site").await;
        ken.sees_no("broadcast-go").await;
        look(&ken, "site-moderator").await;
        changes_password(&ken).await;

        // Another role and another session: what is open asks to log in again, and goes on.
        op.press("role").await;
        agrees(&op).await;
        op.reads("toast", "改好了").await;
        goes_to_asking(&ken, "sanctions").await;
        ken.fill("login-password", ANOTHER).await;
        ken.press("login-go").await;
        ken.sees("sanctions").await;
        ken.sees("nav-operators").await;
        op.press("disable").await;
        look(&op, "disable").await;
        agrees(&op).await;
        op.reads("operators", "再開").await;
        goes_to_asking(&ken, "account").await;
        ken.fill("login-password", ANOTHER).await;
        ken.press("login-go").await;
        ken.reads("login-wrong", "wrong").await;
        accessible(&ken, "the log-in of one who was sent away").await;

        goes_to(&op, "audit").await;
        op.reads("audit", "Ken").await;
        op.press("audit-verify").await;
        op.reads("audit-state", "完整").await;
        look(&op, "audit-checked").await;
    });
}

/// Goes to a view whose question the server answers with a log-in.
async fn goes_to_asking(person: &Person, view: &str) {
    person
        .ask("(location.hash = `#/${args[0]}`)", json!([view]))
        .await;
    person.sees("login-sheet").await;
}

/// Mistyped in three ways, then rightly; this browser stays logged in.
async fn changes_password(ken: &Person) {
    goes_to(ken, "account").await;
    for (current, new, again, says) in [
        (PASSWORD, ANOTHER, "not that", "not the same"),
        (PASSWORD, "short", "short", "at least 12"),
        ("a wrong one here", ANOTHER, ANOTHER, "password is wrong"),
    ] {
        ken.fill("password-current", current).await;
        ken.fill("password-new", new).await;
        ken.fill("password-again", again).await;
        ken.press("password-go").await;
        ken.reads("password-wrong", says).await;
    }
    look(ken, "password-wrong").await;
    ken.fill("password-current", PASSWORD).await;
    ken.press("password-go").await;
    ken.reads("toast", "Changed").await;
    ken.sees_no("password-wrong").await;
    let empty = "byTest('password-new').value === ''";
    assert_eq!(ken.ask(empty, json!([])).await, true);
    ken.speak("zh-TW").await;
    ken.until("byTest('logout').textContent === '登出'", json!([]))
        .await;
    ken.speak("en").await;
}
