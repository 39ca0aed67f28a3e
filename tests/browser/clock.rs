//! A device whose own clock is a day off: days, order and times to wait are still right.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::cable::Cable;
use crate::support::chat::meet;
use crate::support::stage::Play;

/// Sets the clock that pages see wrong by so many hours.
fn wrong_by(hours: i32) -> String {
    format!(
        "(() => {{
            const Right = Date;
            const wrong = () => Right.now() + {hours} * 3600000;
            globalThis.Date = class extends Right {{
                constructor(...given) {{ super(...(given.length > 0 ? given : [wrong()])); }}
                static now() {{ return wrong(); }}
            }};
        }})()"
    )
}

#[test]
fn a_clock_that_is_a_day_off_changes_nothing() {
    for hours in [24, -24] {
        Play::new("wrong_clock").run(async |stage| {
            let cable = Cable::to(stage.port());
            let base = format!("http://127.0.0.1:{}", cable.port);
            let anna = stage.person_at("Anna", &Browser::default(), base).await;
            let bao = stage.person("Bao").await;
            // The cable goes before the page does.
            anna.expect_console("WebSocket connection to");
            anna.expect_console("api/notices/");
            meet(&anna, &bao).await;
            bao.says("before").await;
            anna.hears("before").await;

            anna.before_each_page(&wrong_by(hours)).await;
            anna.reload().await;
            anna.hears("before").await;
            let days =
                "[...document.querySelectorAll('.day-line')].map((line) => line.textContent)";
            anna.until(&format!("{days}.join() === '今天'"), json!([]))
                .await;

            // While a message is on its way only the page knows when that was.
            cable.silence(true);
            anna.writes("mine").await;
            anna.finds_state("mine", "pending").await;
            assert_eq!(anna.ask(days, json!([])).await, json!(["今天"]));
            assert_eq!(anna.log().await, json!(["before", "mine"]));
            cable.silence(false);
            anna.stored("mine").await;
            assert_eq!(anna.ask(days, json!([])).await, json!(["今天"]));

            bao.goto("/").await;
            let wait = "/4:[3-5]\\d/.test(byTest('partner-status').textContent)";
            anna.until(wait, json!([])).await;
            // And it runs.
            let left = anna
                .ask("byTest('partner-status').textContent", json!([]))
                .await;
            anna.until(
                "byTest('partner-status').textContent !== args[0]",
                json!([left]),
            )
            .await;
            anna.until(wait, json!([])).await;
        });
    }
}
