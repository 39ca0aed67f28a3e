//! Reactions: set in the menu and by a double tap, seen by both, kept over a reload, gone with the message.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::{Play, picture};
use crate::support::touch::{middle, tap};

impl Person {
    /// Waits until a message shows exactly these reactions, said by the server.
    async fn finds_reactions(&self, text: &str, label: Option<&str>) {
        let shown = "((chip) => (args[1] === null ? !chip : chip?.getAttribute('aria-label') === args[1] \
             && !chip.classList.contains('is-waiting')))(message(args[0])?.querySelector('.reactions') ?? null)";
        self.until(shown, json!([text, label])).await;
    }
}

#[test]
fn a_reaction_is_seen_by_both_until_its_message_goes() {
    Play::new("reactions").run(async |stage| {
        let phone = Browser::phone();
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &phone), stage.person("Bao"));
        meet(&anna, &bao).await;
        bao.says("我站在最後面拍了一整晚").await;
        bao.says("手都麻了").await;

        // Two taps on a touch screen are a heart; two taps apart, or on two messages, are nothing.
        let first = middle(&anna, "我站在最後面拍了一整晚").await;
        let second = middle(&anna, "手都麻了").await;
        tap(&anna, first).await;
        tap(&anna, second).await;
        tap(&anna, first).await;
        tap(&anna, first).await;
        anna.finds_reactions("我站在最後面拍了一整晚", Some("我：愛心")).await;
        bao.finds_reactions("我站在最後面拍了一整晚", Some("Anna：愛心")).await;
        bao.finds_reactions("手都麻了", None).await;
        let said = "document.querySelector('[data-slot=status]').textContent";
        bao.until(&format!("{said} === args[0]"), json!(["Anna 對「我站在最後面拍了一整晚」回應了愛心"]))
            .await;
        assert_eq!(anna.ask("getSelection().isCollapsed", json!([])).await, true);

        // The menu has all five, by mouse and by keyboard, and says which one holds.
        bao.open_message_menu("我站在最後面拍了一整晚").await;
        picture(&bao, "reactions-menu").await;
        accessible(&bao, "the menu with its reactions").await;
        bao.press("react-wow").await;
        bao.sees_no("message-menu").await;
        anna.finds_reactions("我站在最後面拍了一整晚", Some("我：愛心，Bao：驚訝")).await;
        bao.open_menu_by_keyboard("手都麻了").await;
        let up = char::from(Key::Up).to_string();
        bao.keys(&up).await;
        bao.until("focusedTest() === 'react-heart'", json!([])).await;
        bao.key(Key::Right).await;
        bao.until("focusedTest() === 'react-laugh'", json!([])).await;
        bao.key(Key::Enter).await;
        anna.finds_reactions("手都麻了", Some("Bao：大笑")).await;
        anna.open_menu_by_keyboard("我站在最後面拍了一整晚").await;
        let pressed = "[...document.querySelectorAll('.menu-choice[aria-pressed=true]')].map((it) => it.dataset.testid)";
        assert_eq!(anna.ask(pressed, json!([])).await, json!(["react-heart"]));
        picture(&anna, "reactions-menu-phone").await;
        // The same again takes it back.
        anna.press("react-heart").await;
        bao.finds_reactions("我站在最後面拍了一整晚", Some("我：驚訝")).await;
        anna.message_menu_by_keyboard("我站在最後面拍了一整晚", "react-wow").await;

        for person in [&anna, &bao] {
            person.reload().await;
        }
        anna.finds_reactions("我站在最後面拍了一整晚", Some("我：驚訝，Bao：驚訝")).await;
        bao.finds_reactions("手都麻了", Some("我：大笑")).await;
        picture(&anna, "reactions-phone").await;
        picture(&bao, "reactions").await;

        // A recall takes them with it, for who opens the page later, too.
        bao.message_menu("我站在最後面拍了一整晚", "mm-recall").await;
        for person in [&anna, &bao] {
            person.has_log(json!([null, "手都麻了"])).await;
            person.until("document.querySelectorAll('.reactions').length === 1", json!([])).await;
        }
        anna.reload().await;
        anna.has_log(json!([null, "手都麻了"])).await;
        anna.finds_reactions("手都麻了", Some("Bao：大笑")).await;
        anna.until("document.querySelectorAll('.reactions').length === 1", json!([])).await;
    });
}
