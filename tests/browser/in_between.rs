//! What stands between a page and the server answers too: a proxy whose server is being replaced, a
//! portal that wants a name first. None of it is the server's word, and nothing is done because of it.

use serde_json::json;

use crate::support::chat::{meet, meet_by_cable};
use crate::support::stage::Play;

/// Answers the next requests of the page whose address begins so in the server's place.
const STRANGER: &str = "(() => {
    const real = globalThis.fetch;
    globalThis.stranger ??= { of: '/api/', left: Infinity, asked: 0 };
    globalThis.fetch = async (path, options) => {
        const it = globalThis.stranger;
        if (!String(path).startsWith(it.of) || it.left <= 0) return real(path, options);
        it.left -= 1;
        it.asked += 1;
        return new Response('Bad Gateway', { status: 502, headers: { 'content-type': 'text/html' } });
    };
})()";

#[test]
fn a_proxy_that_answers_in_the_servers_place_ends_nothing() {
    Play::new("proxy_in_the_servers_place").run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        // A handshake was refused: why, a page asks.
        anna.expect_console("api/notices/");
        anna.says("之前").await;
        bao.hears("之前").await;
        let statuses = ["404 Not Found", "403 Forbidden", "502 Bad Gateway"];
        for (round, status) in statuses.into_iter().enumerate() {
            let words = format!("代理說 {}", &status[..3]);
            cable.answers(status, "not here\n");
            anna.writes(&words).await;
            anna.reads("banner", "連線斷了").await;
            anna.finds_state(&words, "pending").await;
            assert_eq!(
                anna.ask("shown('gone')", json!([])).await,
                false,
                "{status}"
            );
            cable.plug_in();
            anna.stored(&words).await;
            bao.hears(&words).await;
            let said = "messages().length";
            assert_eq!(bao.ask(said, json!([])).await, json!(2 + round), "once");
        }
    });
}

#[test]
fn a_list_of_rooms_that_cannot_be_had_starts_no_search() {
    Play::new("list_that_cannot_be_had").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("我在").await;
        anna.hears("我在").await;
        // A tab that knows nothing of the room asks the server for it.
        anna.open_tab().await;
        let three = STRANGER.replace("'/api/', left: Infinity", "'/api/rooms/', left: 3");
        anna.before_each_page(&three).await;
        anna.goto("/chat/").await;
        anna.reads("reaching", "連上之後會自己繼續").await;
        assert_eq!(anna.ask("shown('matching')", json!([])).await, false);
        anna.meets("Bao").await;
        anna.has_log(json!(["我在"])).await;
        assert_eq!(anna.ask("stranger.asked", json!([])).await, 3);
        anna.says("接上了").await;
        bao.hears("接上了").await;
    });
}

#[test]
fn home_takes_no_proxys_word_for_how_many_are_here() {
    Play::new("home_behind_a_proxy").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.before_each_page(STRANGER).await;
        anna.goto("/").await;
        anna.reads("stats", "暫時連不上伺服器").await;
        anna.choose("gender-other").await;
        anna.press("start").await;
        anna.reads("start", "連不上").await;
        assert_eq!(anna.ask("location.pathname", json!([])).await, "/");
        assert_eq!(anna.ask("shown('consent-sheet')", json!([])).await, false);
        anna.ask("stranger.left = 0", json!([])).await;
        anna.press("start").await;
        anna.sees("consent-sheet").await;
    });
}

#[test]
pub fn what_was_written_in_a_room_that_is_no_more_is_shown() {
    let play = Play::new("unsent_words").set("store.retention", "1s");
    play.run(async |stage| {
        let (cable, anna, bao) = meet_by_cable(stage).await;
        cable.pull();
        anna.writes("最後一句").await;
        let composer = anna.find("composer").await;
        composer.send_keys("還沒寫完").await.expect("keys");
        anna.finds_state("最後一句", "pending").await;
        let room = bao.room().await;
        bao.press("next").await;
        bao.sees("matching").await;
        // Until the server has erased it.
        let erased = "fetch(`/api/rooms/${args[0]}/`).then((it) => it.status === 404)";
        bao.expect_console("api/rooms/");
        bao.until(erased, json!([room])).await;
        cable.plug_in();
        anna.reads("gone", "這段對話已經抹去了").await;
        anna.reads("unsent", "最後一句").await;
        anna.reads("unsent", "還沒寫完").await;
        // Language and theme are there as on every page.
        anna.speak("en").await;
        anna.reads("gone", "This conversation has been erased")
            .await;
        anna.press("calm-theme").await;
        anna.until(
            "document.documentElement.dataset.theme === 'light'",
            json!([]),
        )
        .await;
        anna.speak("zh-TW").await;
        anna.reload().await;
        anna.reads("unsent", "最後一句").await;
        anna.press_css("[data-testid=gone] .calm-go").await;
        anna.sees("start").await;
        let kept = "Object.keys(sessionStorage).filter((key) => /pending|draft/.test(key))";
        assert_eq!(anna.ask(kept, json!([])).await, json!([]));
    });
}

#[test]
fn what_stands_in_the_field_when_the_chat_ends_is_shown_as_not_sent() {
    Play::new("field_at_the_end").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        let composer = anna.find("composer").await;
        composer.send_keys("正要說的").await.expect("keys");
        bao.press("next").await;
        anna.reads("end-card", "Bao 離開了").await;
        anna.finds_state("正要說的", "failed").await;
        anna.reload().await;
        anna.finds_state("正要說的", "failed").await;
    });
}
