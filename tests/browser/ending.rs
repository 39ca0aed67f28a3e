//! The end of a conversation: who was away is told so, how long it is kept is true, and home leads back to
//! it. And what an operator's own words change before it begins.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::audit::accessible;
use crate::support::chat::meet;
use crate::support::person::{DEADLINE, Person};
use crate::support::stage::Play;

#[test]
fn who_was_away_too_long_is_told_so() {
    Play::new("away_too_long")
        .set("chat.reconnect_grace", "2s")
        .set("chat.presence_settle", "0s")
        .run(async |stage| {
            let (anna, bao) = stage.two().await;
            meet(&anna, &bao).await;
            bao.says("在嗎").await;
            anna.hears("在嗎").await;
            anna.goto("/").await;
            bao.reads("end-card", "Anna 沒有再回來。").await;
            anna.goto("/chat/").await;
            anna.reads("end-card", "你離開太久，對話結束了。").await;
            anna.goto("/").await;
            anna.speak("en").await;
            anna.goto("/chat/").await;
            anna.reads("end-card", "You were away too long, so the chat ended.")
                .await;
            for person in [&anna, &bao] {
                person.reload().await;
                person.sees("end-card").await;
            }
            anna.reads("end-card", "You were away too long").await;
            bao.reads("end-card", "Anna 沒有再回來。").await;
        });
}

/// Saves the conversation from the end card, and reads the file that arrives in the browser's downloads.
async fn saved_chat(person: &Person) -> String {
    let downloads = tempfile::tempdir().expect("a folder");
    let into = json!({ "behavior": "allow", "downloadPath": downloads.path() });
    person.devtools("Browser.setDownloadBehavior", into).await;
    person.press("end-save").await;
    person.press("transcript-save").await;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let files = std::fs::read_dir(downloads.path()).expect("the folder");
        let mut paths = files.map(|file| file.expect("a file").path());
        // What is still on its way has another ending.
        if let Some(path) = paths.find(|path| path.extension().is_some_and(|it| it == "txt")) {
            return std::fs::read_to_string(path).expect("a text file");
        }
        assert!(Instant::now() < deadline, "no file has come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn home_leads_back_to_what_has_ended_until_it_is_erased() {
    Play::new("way_back")
        .set("store.retention", "80m")
        .run(async |stage| {
            let (anna, bao) = stage.two().await;
            anna.goto("/").await;
            anna.reads("start", "找個人聊聊").await;
            anna.until(
                "document.body.innerText.includes('對話結束 1 小時 20 分鐘後抹去')",
                json!([]),
            )
            .await;
            assert_eq!(anna.ask("shown('ended')", json!([])).await, false);
            meet(&anna, &bao).await;
            anna.says("後悔說了這句").await;
            bao.says("好").await;
            anna.hears("好").await;
            bao.room_menu("menu-leave").await;
            anna.reads("end-card", "1 小時 20 分鐘後抹去").await;
            let file = saved_chat(&anna).await;
            for words in ["Anna 和 Bao 的對話", "後悔說了這句", "Bao", "好"] {
                assert!(file.contains(words), "{words} in {file}");
            }
            anna.press("end-home").await;
            anna.reads("ended", "剛才和 Bao 的對話").await;
            anna.reads("ended", "分鐘後抹去").await;
            accessible(&anna, "home with a way back to what has ended").await;
            anna.press("ended").await;
            anna.has_log(json!(["後悔說了這句", "好"])).await;
            anna.message_menu("後悔說了這句", "mm-recall").await;
            anna.has_log(json!([null, "好"])).await;
            // The way stays when the next one is met, beside that of the newer one.
            let chloe = stage.person("Chloe").await;
            anna.goto("/").await;
            meet(&anna, &chloe).await;
            anna.says("你好").await;
            anna.goto("/").await;
            anna.reads("resume", "Chloe").await;
            anna.press("earlier-chats").await;
            anna.reads("earlier-sheet", "Bao").await;
            accessible(&anna, "the earlier conversations").await;
            anna.press("sheet-close").await;
            anna.press("resume").await;
            anna.meets("Chloe").await;
            chloe.room_menu("menu-leave").await;
            anna.press("end-home").await;
            anna.reads("ended", "剛才和 Chloe 的對話").await;
            anna.press("earlier-chats").await;
            anna.press("earlier-room").await;
            anna.has_log(json!([null, "好"])).await;
            // Another tab of this browser has no such way.
            anna.open_tab().await;
            anna.goto("/").await;
            anna.sees("start").await;
            assert_eq!(
                anna.ask("shown('ended') || shown('earlier-chats')", json!([]))
                    .await,
                false
            );
        });
}

#[test]
fn the_operators_words_are_on_the_pages_and_no_age_means_no_question() {
    Play::new("operators_words")
        .set("site.name", "Lantern House")
        .set("site.tagline", "星期五晚上，燈都亮著。")
        .set("site.minimum_age", "0")
        .run(async |stage| {
            let anna = stage.person("Anna").await;
            anna.goto("/").await;
            anna.until(
                "document.querySelector('.hero-title').textContent === args[0]",
                json!(["星期五晚上，燈都亮著。"]),
            )
            .await;
            anna.speak("en").await;
            let title = "document.querySelector('.hero-title').textContent";
            assert_eq!(anna.ask(title, json!([])).await, "星期五晚上，燈都亮著。");
            anna.speak("zh-TW").await;
            anna.press("guide").await;
            anna.press("guide-rules").await;
            anna.reads("rules", "不騷擾").await;
            let ages = "byTest('rules').textContent.includes('歲')";
            assert_eq!(anna.ask(ages, json!([])).await, false);
            anna.press_css("[data-testid=rules] [data-testid=sheet-close]")
                .await;
            anna.press_css("[data-testid=guide-sheet] [data-testid=sheet-close]")
                .await;
            anna.choose("gender-private").await;
            anna.press("start").await;
            anna.sees("matching").await;
            anna.until(
                "document.title === '正在霧裡找一盞燈 · Lantern House'",
                json!([]),
            )
            .await;
            anna.speak("en").await;
            anna.until(
                "document.title === 'Looking for a light in the fog · Lantern House'",
                json!([]),
            )
            .await;
        });
}
