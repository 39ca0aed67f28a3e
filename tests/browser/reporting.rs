//! Reporting: from a message, from the menu and when it is over; three presses, help before anything is sent, and
//! what was reported is listed and taken back. The other one's page does not change.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::desk::with_operator;
use crate::support::stage::{Play, picture};

#[test]
fn a_person_is_reported_in_three_presses_and_sees_nothing_of_it() {
    Play::new("reporting").run(async |stage| {
        with_operator(stage).await;
        let phone = Browser::phone();
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &phone), stage.person("Bao"));
        meet(&anna, &bao).await;
        anna.says_by_button("你好").await;
        bao.says("說了難聽的話").await;
        anna.hears("說了難聽的話").await;

        // From a message: it stands in the dialog, and the keyboard begins at the first reason.
        anna.message_menu_by_keyboard("說了難聽的話", "mm-report")
            .await;
        anna.sees("report-sheet").await;
        anna.reads("report-chosen", "說了難聽的話").await;
        anna.until("focusedTest() === 'report-harassment'", json!([]))
            .await;
        let can_send = "!byTest('report-send').disabled";
        assert_eq!(
            anna.ask(can_send, json!([])).await,
            false,
            "a reason is missing"
        );
        picture(&anna, "report").await;
        accessible(&anna, "the report dialog").await;
        // Help comes before anything is sent, and goes with another reason.
        anna.press("report-self_harm").await;
        anna.sees("report-help").await;
        picture(&anna, "report-help").await;
        accessible(&anna, "the lines of help").await;
        anna.key(Key::Up).await;
        anna.until(
            "byTest('report-minor').checked && byTest('report-help').hidden",
            json!([]),
        )
        .await;
        anna.press("report-harassment").await;
        anna.press("report-send").await;
        anna.sees_no("report-sheet").await;
        anna.reads("toast", "謝謝你告訴我們").await;

        // Again, from the menu: it stands already, and the person is thanked as well.
        anna.expect_console("409");
        anna.room_menu("menu-report").await;
        anna.press("report-other").await;
        anna.press("report-send").await;
        anna.sees_no("report-sheet").await;
        bao.has_log(json!(["你好", "說了難聽的話"])).await;
        bao.sees_no("toast").await;

        bao.press("next").await;
        anna.sees("end-card").await;
        anna.press("end-report").await;
        anna.sees("report-sheet").await;
        anna.press("report-cancel").await;
        anna.press("end-home").await;
        anna.press("guide").await;
        anna.press("guide-reports").await;
        anna.reads("reports-sheet", "Bao").await;
        anna.reads("reports-sheet", "還在等").await;
        picture(&anna, "reports").await;
        accessible(&anna, "the list of own reports").await;
        anna.press("report-withdraw").await;
        anna.reads("reports-sheet", "已收回").await;
        anna.sees_no("report-withdraw").await;
    });
}
