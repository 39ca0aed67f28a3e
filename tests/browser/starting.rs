//! Before the first chat: what Start asks for, what is remembered, and pages that hold nothing.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::stage::Play;

#[test]
fn start_asks_for_the_gender_and_nothing_else() {
    Play::new("start_asks_for_gender").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.goto("/").await;
        let chosen =
            "[...document.querySelectorAll('input:checked')].map((input) => input.dataset.testid)";
        anna.until("byTest('nickname').value", json!([])).await;
        assert_eq!(
            anna.ask(chosen, json!([])).await,
            json!(["wish-all", "mood-neutral"])
        );
        anna.press("start").await;
        anna.reads("gender-error", "我是").await;
        assert_eq!(
            anna.ask("document.activeElement.name", json!([])).await,
            "gender"
        );
        assert_eq!(anna.ask("shown('consent-sheet')", json!([])).await, false);
        accessible(&anna, "home asking for the gender").await;
        anna.choose("gender-female").await;
        anna.sees_no("gender-error").await;
        anna.press("start").await;
        anna.sees("consent-sheet").await;
    });
}

/// Name, "I am" and the button are one screen on phones, in both languages; the rest is a line that says what
/// is chosen, and opens in place.
#[test]
fn the_start_is_one_screen_on_a_phone() {
    Play::new("one_screen").run(async |stage| {
        for (size, language, said) in [
            ((390, 844), "zh-TW", ["遇見 男生", "音樂、電影"]),
            ((360, 640), "en-US", ["Meet Male", "Music, Films"]),
        ] {
            let phone = Browser {
                size,
                language,
                ..Browser::default()
            };
            let person = stage.person_with("Phone", &phone).await;
            person.goto("/").await;
            person.until("byTest('stats').textContent.trim()", json!([])).await;
            let fits = "document.documentElement.scrollHeight <= innerHeight \
                && ['nickname', 'more', 'start', 'stats'].every((test) => { \
                    const box = byTest(test).getBoundingClientRect(); \
                    return box.top >= 0 && box.bottom <= innerHeight; })";
            person.until(fits, json!([])).await;
            assert_eq!(person.ask("shown('wish-male')", json!([])).await, false);
            person.choose("wish-male").await;
            // A topic that is chosen moves none of its neighbours.
            let places = "JSON.stringify([...document.querySelectorAll('.chip')].map((chip) => { \
                const box = chip.getBoundingClientRect(); \
                return [box.left, box.top + scrollY, box.width].map(Math.round); }))";
            let before = person.ask(places, json!([])).await;
            person.press("tag-音樂").await;
            person.press("tag-電影").await;
            assert_eq!(person.ask(places, json!([])).await, before);
            accessible(&person, "home with its line open").await;
            person.press("more").await;
            person.sees_no("wish-male").await;
            for part in said {
                let line = "byTest('more').textContent.replaceAll(/[\\u2066-\\u2069]/g, '').includes(args[0])";
                person.until(line, json!([part])).await;
            }
            person.until(fits, json!([])).await;
        }
    });
}

/// What comes up on home moves down what is below it, and nothing that is above: on a desktop too, where all of it
/// stands in the middle of the window.
#[test]
fn what_comes_up_on_home_moves_nothing_upwards() {
    Play::new("home_grows_downwards").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.resize(1280, 800).await;
        anna.goto("/").await;
        anna.until("byTest('stats').textContent.trim()", json!([]))
            .await;
        let places = "['nickname', 'gender-other', 'more', 'start', 'privacy'].map((test) => \
             Math.round(byTest(test).getBoundingClientRect().top + scrollY))";
        let before: Vec<i64> =
            serde_json::from_value(anna.ask(places, json!([])).await).expect("places");
        let moved = async |what: &str, still: usize| {
            let now: Vec<i64> =
                serde_json::from_value(anna.ask(places, json!([])).await).expect("places");
            assert_eq!(now[..still], before[..still], "{what}");
            assert_eq!(now[4], before[4], "{what}");
            assert!(now[3] >= before[3], "{what}: {now:?}");
        };
        anna.press("start").await;
        anna.reads("gender-error", "我是").await;
        moved("the question", 2).await;
        anna.choose("gender-other").await;
        anna.sees_no("gender-error").await;
        moved("its answer", 4).await;
        let open = "document.getElementById('profile-more').hidden === args[0]";
        anna.press("more").await;
        anna.until(open, json!([false])).await;
        moved("what is folded", 3).await;
        // The button stays in view all the same.
        let seen = "byTest('start').getBoundingClientRect().bottom <= innerHeight";
        anna.until(seen, json!([])).await;
        anna.press("more").await;
        anna.until(open, json!([true])).await;
        for row in ["resume", "ended", "another", "hours"] {
            anna.ask("(byTest(args[0]).hidden = false)", json!([row]))
                .await;
            moved(row, 4).await;
        }
    });
}

#[test]
fn consent_is_asked_once() {
    Play::new("consent_is_asked_once").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.goto("/").await;
        anna.choose("gender-other").await;
        anna.press("start").await;
        // There is no way on without ticking, and Esc is a no.
        anna.press("consent-agree").await;
        anna.until(
            "visible(document.querySelector('#consent-need'))",
            json!([]),
        )
        .await;
        assert_eq!(anna.ask("focusedTest()", json!([])).await, "consent");
        anna.key(Key::Escape).await;
        anna.sees_no("consent-sheet").await;
        assert_eq!(anna.ask("focusedTest()", json!([])).await, "start");
        assert_eq!(anna.ask("location.pathname", json!([])).await, "/");

        anna.press("start").await;
        anna.press("consent-rules").await;
        anna.sees("rules").await;
        anna.press_css("[data-testid=rules] [data-testid=sheet-close]")
            .await;
        anna.sees_no("rules").await;
        anna.press("consent").await;
        anna.press("consent-agree").await;
        anna.sees("matching").await;
        anna.press("cancel").await;
        anna.press("start").await;
        anna.sees("matching").await;
    });
}

#[test]
fn nobody_searches_past_the_questions() {
    Play::new("nobody_searches_past_the_questions").run(async |stage| {
        let anna = stage.person("Anna").await;
        for path in ["/chat/?match=1", "/chat/", "/?guest=1"] {
            anna.goto(path).await;
            anna.sees("start").await;
            assert_eq!(
                anna.ask("location.pathname", json!([])).await,
                "/",
                "{path}"
            );
        }
    });
}

#[test]
pub fn a_browser_that_keeps_nothing_is_told_what_is_needed() {
    Play::new("blocked_cookies").run(async |stage| {
        let forgetful = Browser {
            forgetful: true,
            ..Browser::default()
        };
        let anna = stage.person_with("Anna", &forgetful).await;
        anna.goto("/").await;
        anna.reads("needs-storage", "請允許這個網站使用 Cookie")
            .await;
        anna.choose("gender-other").await;
        anna.press("start").await;
        anna.until("focusedTest() === 'needs-storage'", json!([]))
            .await;
        assert_eq!(
            anna.ask("shown('consent-sheet')", json!([])).await,
            false,
            "nothing is asked that is forgotten at once"
        );
        anna.speak("en").await;
        anna.reads("needs-storage", "allow cookies and site data")
            .await;
    });
}

#[test]
fn back_after_a_search_that_was_cancelled_shows_no_search() {
    Play::new("back_after_cancel").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.start().await;
        anna.sees("matching").await;
        anna.press("cancel").await;
        anna.sees("start").await;
        anna.go_back().await;
        anna.sees("start").await;
        assert_eq!(anna.ask("shown('matching')", json!([])).await, false);
        assert_eq!(anna.ask("location.pathname", json!([])).await, "/");
    });
}

#[test]
fn a_tab_that_is_not_looked_at_searches_nothing() {
    Play::new("restored_in_the_background").run(async |stage| {
        let (anna, bao) = stage.two().await;
        anna.start().await;
        anna.press("cancel").await;
        anna.sees("start").await;
        // As a browser opens the tabs of its last session.
        let behind = "globalThis.behind = true; \
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => globalThis.behind });";
        anna.before_each_page(behind).await;
        anna.goto("/chat/?match=1").await;
        bao.start().await;
        bao.until("/已等 0:0[3-9]/.test(byTest('match-status').textContent)", json!([]))
            .await;
        bao.sees("matching").await;
        let look = "(globalThis.behind = false, document.dispatchEvent(new Event('visibilitychange')))";
        anna.ask(look, json!([])).await;
        anna.meets("Bao").await;
    });
}

#[test]
fn the_profile_is_remembered() {
    Play::new("profile_is_remembered").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.goto("/").await;
        anna.fill("nickname", "想睡的月亮").await;
        anna.press("avatar").await;
        anna.press_css("label:has([data-testid=avatar-7])").await;
        anna.sees_no("picker").await;
        anna.choose("mood-sad").await;
        anna.choose("gender-male").await;
        anna.choose("wish-other").await;
        anna.press("tag-旅行").await;
        anna.press("tag-藝術").await;
        anna.press("tag-own").await;
        anna.keys(&format!("養貓{}", char::from(Key::Enter))).await;
        anna.press("tag-音樂").await;
        anna.reads("toast", "最多三個").await;
        anna.reload().await;
        anna.until("byTest('nickname').value === '想睡的月亮'", json!([])).await;
        let chosen = "[...document.querySelectorAll('input:checked')].map((input) => input.dataset.testid)";
        let wanted = json!(["gender-male", "wish-other", "mood-sad"]);
        assert_eq!(anna.ask(chosen, json!([])).await, wanted);
        let tags = "[...document.querySelectorAll('.chip[aria-pressed=true]')].map((chip) => chip.dataset.key)";
        assert_eq!(anna.ask(tags, json!([])).await, json!(["旅行", "藝術", "養貓"]));
        let avatar = "byTest('avatar').querySelector('img').src.endsWith('/7.svg')";
        assert_eq!(anna.ask(avatar, json!([])).await, true);
    });
}

#[test]
fn language_and_theme_follow_the_browser_and_then_the_person() {
    Play::new("language_and_theme").run(async |stage| {
        let english = Browser {
            language: "en-US",
            dark: true,
            ..Browser::default()
        };
        let anna = stage.person_with("Anna", &english).await;
        let ground = "getComputedStyle(document.documentElement).backgroundColor";
        anna.goto("/").await;
        anna.reads("start", "Find someone").await;
        assert_eq!(
            anna.ask("document.documentElement.lang", json!([])).await,
            "en"
        );
        let dark = anna.ask(ground, json!([])).await;
        anna.speak("zh-TW").await;
        anna.reads("start", "找個人聊聊").await;
        let written = "fetch('/').then((it) => it.headers.get('content-language'))";
        assert_eq!(anna.ask(written, json!([])).await, "zh-TW");
        assert_eq!(
            anna.ask("document.documentElement.lang", json!([])).await,
            "zh-TW"
        );
        anna.press("theme").await;
        anna.until(
            "document.documentElement.dataset.theme === 'light'",
            json!([]),
        )
        .await;
        assert_ne!(anna.ask(ground, json!([])).await, dark);

        // Both hold on every page and from the first paint.
        anna.choose("gender-other").await;
        anna.find_someone().await;
        anna.reads("match-title", "正在霧裡找一盞燈").await;
        assert_eq!(
            anna.ask("document.documentElement.dataset.theme", json!([]))
                .await,
            "light"
        );
        anna.speak("en").await;
        anna.reads("match-title", "Looking for a light in the fog")
            .await;
        anna.press("cancel").await;
        anna.reads("start", "Find someone").await;
        anna.press("theme").await;
        anna.press("theme").await;
        let automatic = "document.documentElement.dataset.theme === undefined";
        anna.until(automatic, json!([])).await;
        assert_eq!(anna.ask(ground, json!([])).await, dark);
    });
}

#[test]
fn an_unknown_page_is_calm_and_leads_home() {
    Play::new("unknown_page").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.expect_console("404");
        anna.goto("/no/such/page").await;
        anna.until(
            "document.querySelector('h1').textContent === '這裡什麼都沒有。'",
            json!([]),
        )
        .await;
        accessible(&anna, "the unknown page").await;
        anna.press_css(".calm-go").await;
        anna.sees("start").await;
    });
}

#[test]
fn a_server_that_is_away_keeps_what_was_chosen() {
    Play::new("server_away_at_home").run(async |stage| {
        let anna = stage.person("Anna").await;
        anna.expect_console("net::ERR_");
        anna.expect_console("WebSocket connection to");
        // The service worker, when it is asked for just then.
        anna.expect_console("when fetching the script");
        anna.goto("/").await;
        anna.fill("nickname", "Anna").await;
        anna.choose("gender-other").await;
        anna.until("byTest('stats').textContent.trim()", json!([]))
            .await;
        stage.stop_server();
        anna.reads("start", "連不上，再試一次").await;
        anna.press("start").await;
        anna.reads("stats", "暫時連不上").await;
        assert_eq!(anna.ask("location.pathname", json!([])).await, "/");
        stage.run_server();
        anna.find_someone().await;
        anna.reads("matching", "Anna").await;
        // The search, too, comes back by itself.
        stage.stop_server();
        anna.reads("match-status", "連線斷了").await;
        stage.run_server();
        anna.is_searching().await;
    });
}

#[test]
fn without_javascript_the_page_says_what_it_needs() {
    Play::new("without_javascript").run(async |stage| {
        let anna = stage.person("Anna").await;
        for path in ["/", "/chat/"] {
            let off = json!({ "value": true });
            if path != "/" {
                anna.open_tab().await;
            }
            anna.devtools("Emulation.setScriptExecutionDisabled", off)
                .await;
            anna.goto(path).await;
            let note = anna.find_css(".noscript").await;
            let text = note.text().await.expect("a text");
            assert!(text.contains("需要 JavaScript"), "{path}: {text}");
            assert!(
                !text.contains("needs JavaScript"),
                "in its language: {text}"
            );
            if path == "/" {
                let title = anna.find_css(".hero-title").await;
                let title = title.text().await.expect("a text");
                assert!(title.contains("跟一個陌生人"), "{title}");
            }
        }
    });
}
