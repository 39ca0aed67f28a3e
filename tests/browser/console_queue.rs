//! The queue of a bad week: of more cases than a list has, the first are there, and it is said that there are more.

use miyu::domain::id::Side;
use miyu::domain::safety::{Reason, Role};
use serde_json::json;

use crate::support::console::{decides, goes_to, log_in, look, opens_case};
use crate::support::desk::{at_rest, make_operator, reported};
use crate::support::person::Person;
use crate::support::stage::Play;

/// So many a list has.
const LISTED: usize = 100;

async fn rows(mei: &Person) -> serde_json::Value {
    let state = "[document.querySelectorAll('[data-testid=case-row]').length, shown('queue-more')]";
    mei.ask(state, json!([])).await
}

#[test]
fn a_list_that_is_full_says_that_there_are_more() {
    Play::new("console_long_queue").run(async |stage| {
        at_rest(stage, async |data| {
            make_operator(data, "Mei", Role::Administrator).await;
            for _ in 0..=LISTED {
                reported(data, Reason::Spam, "", &[(Side::B, "buy")]).await;
            }
        })
        .await;
        let mei = stage.person("Mei").await;
        log_in(&mei, "Mei").await;
        mei.sees("case-row").await;
        assert_eq!(rows(&mei).await, json!([LISTED, true]));
        mei.reads("queue-more", "前 100 件").await;
        look(&mei, "queue-full").await;

        // A hundred are all there are: the list has them all, and says no more.
        opens_case(&mei, 1).await;
        mei.press("template-6").await;
        decides(&mei, &[]).await;
        goes_to(&mei, "queue").await;
        mei.sees("case-row").await;
        assert_eq!(rows(&mei).await, json!([LISTED, false]));
    });
}
