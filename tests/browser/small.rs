//! The smallest phones, in the language with the longest words: what matters is in view without scrolling.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::person::Person;
use crate::support::stage::{Play, Stage, picture};

async fn on_small_phones(stage: &Stage) -> (Person, Person) {
    let english = Browser {
        language: "en",
        ..Browser::default()
    };
    let (anna, bao) = tokio::join!(
        stage.person_with("Anna", &english),
        stage.person_with("Quiet Street lamp", &english)
    );
    for person in [&anna, &bao] {
        person.resize(320, 568).await;
    }
    meet(&anna, &bao).await;
    (anna, bao)
}

#[test]
fn the_first_sentences_leave_the_scene_in_view() {
    Play::new("small_meeting").run(async |stage| {
        let (anna, _bao) = on_small_phones(stage).await;
        anna.sees("starters").await;
        let whole = "[...document.querySelectorAll('.opening-lamps img, .starter')].filter((it) => it.checkVisibility()).every((it) => { \
             const { top, bottom } = it.getBoundingClientRect(); \
             return top >= document.querySelector('.room-header').getBoundingClientRect().bottom && bottom <= innerHeight; }) \
             && [...document.querySelectorAll('.opening-lamps img')].length === 2 \
             && [...document.querySelectorAll('.starter')].filter((it) => it.checkVisibility()).length >= 2";
        anna.until(whole, json!([])).await;
        picture(&anna, "small_meeting").await;
    });
}

#[test]
fn all_ways_out_of_what_has_ended_are_in_view() {
    Play::new("small_end").run(async |stage| {
        let (anna, bao) = on_small_phones(stage).await;
        bao.says("Hello").await;
        anna.says("Hi").await;
        bao.hears("Hi").await;
        bao.goto("/").await;
        bao.sees("resume-waits").await;
        let low = "byTest('resume').getBoundingClientRect().height <= 110";
        bao.until(low, json!([])).await;
        picture(&bao, "small_way_back").await;
        bao.goto("/chat/").await;
        bao.press("next").await;
        anna.sees("end-forget").await;
        let whole = "(() => { const card = byTest('end-card'); const last = byTest('end-forget').getBoundingClientRect(); \
             return card.scrollHeight <= card.clientHeight + 1 && last.bottom <= innerHeight; })()";
        anna.until(whole, json!([])).await;
        picture(&anna, "small_end").await;
    });
}
