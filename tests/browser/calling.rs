//! How a page calls a user who looks elsewhere: the tab's title, a sound, a notification. Each is
//! quiet unless it is wanted, and none shows a word of a message.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::{Play, Stage};

/// Notes every tone, every notification and every question for leave to notify.
const LISTEN: &str = "
window.tones = []; window.notices = []; window.questions = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  tones.push(`${Math.round(this.frequency.value)} ${this.context.state}`);
  return start.apply(this, when);
};
window.Notification = class extends window.Notification {
  constructor(title, options = {}) {
    super(title, options);
    notices.push([title, ...Object.keys(options).sort()]);
    this.addEventListener('close', () => notices.push('closed'));
  }
  static requestPermission() {
    questions += 1;
    return super.requestPermission();
  }
};";

const COUNTS: &str = "/^\\(\\d+\\)/.test(document.title)";

async fn has_tones(person: &Person, tones: Value) {
    let same = "JSON.stringify(tones) === JSON.stringify(args[0])";
    person.until(same, json!([tones])).await;
}

async fn notices(person: &Person) -> Value {
    person.ask("[questions, notices]", json!([])).await
}

/// Anna at a browser that has notifications, and Bao.
async fn who_notifies(stage: &Stage) -> (Person, Person) {
    let whole = Browser {
        whole: true,
        ..Browser::default()
    };
    tokio::join!(stage.person_with("Anna", &whole), stage.person("Bao"))
}

/// Presses an item of the room's menu that stays open, and closes the menu.
async fn switch(person: &Person, item: &str, on: bool) {
    person.room_menu(item).await;
    let state = "byTest(args[0]).getAttribute('aria-checked') === String(args[1])";
    person.until(state, json!([item, on])).await;
    person.key(Key::Escape).await;
    person.sees_no(item).await;
}

#[test]
fn the_title_counts_what_was_said_meanwhile() {
    Play::new("title_counts").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("看著").await;
        anna.hears("看著").await;
        anna.until("document.title.startsWith('Bao')", json!([]))
            .await;

        anna.looks_away().await;
        bao.says("一").await;
        bao.says("二").await;
        let two = "document.title.startsWith('(2) ') && document.title.includes('Bao')";
        anna.until(two, json!([])).await;
        // The sender is not told that it was read.
        bao.finds_state("二", "sent").await;
        anna.looks_back().await;
        anna.until(&format!("!{COUNTS}"), json!([])).await;
        bao.finds_state("二", "read").await;
        // It begins anew.
        anna.looks_away().await;
        bao.says("三").await;
        anna.until("document.title.startsWith('(1) ')", json!([]))
            .await;
        anna.looks_back().await;
        anna.until(&format!("!{COUNTS}"), json!([])).await;
    });
}

#[test]
fn sound_is_off_until_switched_on_and_stays_on() {
    let play = Play::new("sound").set("matching.tag_patience", "1s");
    play.set("matching.repeat_patience", "1s")
        .run(async |stage| {
            let (anna, bao) = stage.two().await;
            anna.before_each_page(LISTEN).await;
            meet(&anna, &bao).await;
            anna.looks_away().await;
            bao.says("安靜").await;
            anna.hears("安靜").await;
            anna.looks_back().await;
            has_tones(&anna, json!([])).await;

            // Switching it on lets one hear it.
            switch(&anna, "menu-sound", true).await;
            has_tones(&anna, json!(["587 running"])).await;
            anna.reload().await;
            anna.meets("Bao").await;
            anna.press("composer").await;
            anna.looks_away().await;
            bao.says("叮").await;
            has_tones(&anna, json!(["587 running"])).await;
            anna.looks_back().await;

            bao.press("next").await;
            anna.press("end-next").await;
            anna.meets("Bao").await;
            let all = json!(["587 running", "440 running", "659 running"]);
            has_tones(&anna, all.clone()).await;
            switch(&anna, "menu-sound", false).await;
            anna.looks_away().await;
            bao.says("又安靜了").await;
            anna.hears("又安靜了").await;
            has_tones(&anna, all).await;
        });
}

#[test]
fn a_notification_is_asked_for_by_the_person_and_says_only_that_somebody_came() {
    let play = Play::new("notification").set("matching.tag_patience", "1s");
    play.set("matching.repeat_patience", "1s")
        .run(async |stage| {
            let (anna, bao) = who_notifies(stage).await;
            anna.before_each_page(LISTEN).await;
            meet(&anna, &bao).await;
            assert_eq!(notices(&anna).await, json!([0, []]), "nobody was asked");
            anna.allows_notifications(true).await;
            switch(&anna, "menu-notify", true).await;
            assert_eq!(notices(&anna).await, json!([1, []]));

            // In view a meeting shows itself.
            let again = async |away: bool| {
                bao.press("next").await;
                anna.sees("end-card").await;
                anna.press("end-next").await;
                anna.sees("matching").await;
                if away {
                    anna.looks_away().await;
                }
                bao.meets("Anna").await;
                anna.meets("Bao").await;
            };
            again(false).await;
            assert_eq!(notices(&anna).await, json!([1, []]));
            // Far away it is told: these words, and neither a name nor a text.
            again(true).await;
            let one = json!(["有人來了", "silent", "tag"]);
            assert_eq!(notices(&anna).await, json!([1, [one]]));
            bao.says("秘密").await;
            anna.hears("秘密").await;
            // So is that something was said, once, and that they left.
            bao.says("還有").await;
            anna.hears("還有").await;
            let two = json!(["有新訊息", "silent", "tag"]);
            // Each takes the place of the one before, which closes by it.
            let said = "notices.filter((it) => it !== 'closed')";
            assert_eq!(anna.ask(said, json!([])).await, json!([one, two]));
            bao.room_menu("menu-leave").await;
            let left = format!("{said}.at(-1)[0] === '對方離開了'");
            anna.until(&left, json!([])).await;
            anna.looks_back().await;
            anna.until("notices.at(-1) === 'closed'", json!([])).await;
        });
}

#[test]
fn a_browser_that_refuses_notifications_is_told_of() {
    Play::new("notification_refused").run(async |stage| {
        let (anna, bao) = who_notifies(stage).await;
        anna.allows_notifications(false).await;
        meet(&anna, &bao).await;
        anna.room_menu("menu-notify").await;
        anna.reads("toast", "不讓這裡發通知").await;
        let off = "byTest('menu-notify').getAttribute('aria-checked') === 'false'";
        anna.until(off, json!([])).await;

        // Leave that is taken back later shows too.
        anna.allows_notifications(true).await;
        anna.key(Key::Escape).await;
        switch(&anna, "menu-notify", true).await;
        anna.allows_notifications(false).await;
        anna.press("menu").await;
        anna.sees("menu-notify").await;
        anna.until(off, json!([])).await;
    });
}
