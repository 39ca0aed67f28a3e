//! What people do on this site: start, meet, say something, open a message's menu.

use fantoccini::actions::{InputSource, MOUSE_BUTTON_RIGHT, MouseActions, PointerAction};
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::browser::Browser;
use super::cable::Cable;
use super::person::Person;
use super::stage::Stage;

impl Person {
    /// From home into the search, agreeing to the rules on the way when they are asked about.
    pub async fn start(&self) {
        self.goto("/").await;
        self.fill("nickname", self.name()).await;
        self.choose("gender-other").await;
        self.find_someone().await;
    }

    /// Presses Start on a home page that is filled in, and waits for the search.
    pub async fn find_someone(&self) {
        self.press("start").await;
        self.until("shown('consent-agree') || shown('matching')", json!([]))
            .await;
        if self.ask("shown('consent-agree')", json!([])).await == true {
            self.press("consent").await;
            self.press("consent-agree").await;
        }
        self.until("shown('matching') || shown('chat')", json!([]))
            .await;
    }

    /// Waits until the server has been heard about this search.
    pub async fn is_searching(&self) {
        let heard = "/先找也|現在在等的人不多/.test(byTest('match-status').textContent)";
        self.until(heard, json!([])).await;
    }

    /// Waits until a conversation with this partner is open and quiet.
    pub async fn meets(&self, partner: &str) {
        self.reads("partner-name", partner).await;
        self.until(
            "!document.querySelector('.traveller') && shown('composer')",
            json!([]),
        )
        .await;
    }

    /// The id of the room this page shows.
    pub async fn room(&self) -> String {
        let room = "JSON.parse(sessionStorage.getItem('miyu.here'))";
        let room = self.until(room, json!([])).await;
        room.as_str().expect("a room id is text").to_owned()
    }

    /// Writes a message and waits until the server has stored it.
    pub async fn says(&self, text: &str) {
        self.writes(text).await;
        self.stored(text).await;
    }

    /// Writes a message and presses Enter.
    pub async fn writes(&self, text: &str) {
        let composer = self.find("composer").await;
        let keys = format!("{text}{}", char::from(Key::Enter));
        let typed = composer.send_keys(&keys).await;
        typed.unwrap_or_else(|error| panic!("{} writes {text:?}: {error}", self.name()));
    }

    /// Waits until one's own message of this text is stored.
    pub async fn stored(&self, text: &str) {
        let stored = "['sent', 'read'].includes(message(args[0])?.dataset.state)";
        self.until(stored, json!([text])).await;
    }

    /// Waits until the log holds a message of this text.
    pub async fn hears(&self, text: &str) {
        self.until("visible(message(args[0]))", json!([text])).await;
    }

    /// Waits until a message of this text is in this state.
    pub async fn finds_state(&self, text: &str, state: &str) {
        self.until(
            "message(args[0])?.dataset.state === args[1]",
            json!([text, state]),
        )
        .await;
    }

    /// The texts of the log, in order; null for a recalled message.
    pub async fn log(&self) -> Value {
        self.ask("messages().map(words)", json!([])).await
    }

    /// Waits until the log holds exactly these texts.
    pub async fn has_log(&self, texts: Value) {
        let same = "JSON.stringify(messages().map(words)) === JSON.stringify(args[0])";
        self.until(same, json!([texts])).await;
    }

    /// Right-clicks a message and presses an item of its menu.
    pub async fn message_menu(&self, text: &str, item: &str) {
        self.open_message_menu(text).await;
        self.press(item).await;
        self.sees_no("message-menu").await;
    }

    /// Right-clicks a message.
    pub async fn open_message_menu(&self, text: &str) {
        self.hears(text).await;
        let middle = "(() => { const box = message(args[0]).querySelector('.bubble').getBoundingClientRect(); \
                      return [box.x + box.width / 2, box.y + box.height / 2]; })()";
        let middle = self.ask(middle, json!([text])).await;
        let at = |index: usize| middle[index].as_f64().expect("a place");
        let mouse = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveTo {
                duration: None,
                x: at(0),
                y: at(1),
            })
            .then(PointerAction::Down {
                button: MOUSE_BUTTON_RIGHT,
            })
            .then(PointerAction::Up {
                button: MOUSE_BUTTON_RIGHT,
            });
        let done = self.client().perform_actions(mouse).await;
        done.unwrap_or_else(|error| panic!("{}: a right click: {error}", self.name()));
        self.sees("message-menu").await;
    }

    /// Opens a message's menu by the keyboard, which phones and desktops both have.
    pub async fn open_menu_by_keyboard(&self, text: &str) {
        self.hears(text).await;
        self.ask("message(args[0]).focus()", json!([text])).await;
        self.key(Key::Enter).await;
        self.sees("message-menu").await;
    }

    /// Opens a message's menu by the keyboard and presses an item.
    pub async fn message_menu_by_keyboard(&self, text: &str, item: &str) {
        self.open_menu_by_keyboard(text).await;
        self.press(item).await;
        self.sees_no("message-menu").await;
    }

    /// Writes a message and presses the button: on a phone Enter breaks the line.
    pub async fn says_by_button(&self, text: &str) {
        let composer = self.find("composer").await;
        let typed = composer.send_keys(text).await;
        typed.unwrap_or_else(|error| panic!("{} writes {text:?}: {error}", self.name()));
        self.press("send").await;
        self.stored(text).await;
    }

    /// Opens the room's menu and presses an item.
    pub async fn room_menu(&self, item: &str) {
        self.press("menu").await;
        self.press(item).await;
    }
}

/// Both start and meet each other.
pub async fn meet(one: &Person, other: &Person) {
    tokio::join!(one.start(), other.start());
    tokio::join!(one.meets(other.name()), other.meets(one.name()));
}

/// Waits until something that this selector names is there to be seen, and says this: a page has places for a line that
/// are not seen.
pub async fn reads_at(person: &Person, selector: &str, part: &str) {
    let says = "[...document.querySelectorAll(args[0])].some((it) => visible(it) && it.textContent.includes(args[1]))";
    person.until(says, json!([selector, part])).await;
}

/// Waits until nothing that this selector names is there to be seen.
pub async fn sees_no_at(person: &Person, selector: &str) {
    let none = "![...document.querySelectorAll(args[0])].some(visible)";
    person.until(none, json!([selector])).await;
}

/// The browsers' own words about a connection that cannot be had.
pub fn expects_lost_connections(person: &Person) {
    for words in [
        "WebSocket connection to",
        "net::ERR_",
        "establish a connection to the server at",
        "was interrupted while the page was loading",
    ] {
        person.expect_console(words);
    }
}

/// Two people who have met, the first by a cable that can be pulled.
pub async fn meet_by_cable(stage: &Stage) -> (Cable, Person, Person) {
    let cable = Cable::to(stage.port());
    let base = format!("http://127.0.0.1:{}", cable.port);
    let ordinary = Browser::default();
    let (anna, bao) = tokio::join!(
        stage.person_at("Anna", &ordinary, base),
        stage.person("Bao")
    );
    expects_lost_connections(&anna);
    meet(&anna, &bao).await;
    (cable, anna, bao)
}
