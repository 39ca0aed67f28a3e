//! Fingers on a message.

use serde_json::{Value, json};

use super::person::Person;

/// The middle of a message's bubble.
pub async fn middle(person: &Person, text: &str) -> (f64, f64) {
    person.hears(text).await;
    let middle = "(() => { const box = message(args[0]).querySelector('.bubble').getBoundingClientRect(); \
                  return [box.x + box.width / 2, box.y + box.height / 2]; })()";
    let middle = person.ask(middle, json!([text])).await;
    let at = |index: usize| middle[index].as_f64().expect("a place");
    (at(0), at(1))
}

/// A finger comes, moves or goes.
pub async fn touch(person: &Person, kind: &str, at: Option<(f64, f64)>) {
    let points: Vec<Value> = at.iter().map(|(x, y)| json!({ "x": x, "y": y })).collect();
    let event = json!({ "type": kind, "touchPoints": points });
    person.devtools("Input.dispatchTouchEvent", event).await;
}

/// A finger comes and goes.
pub async fn tap(person: &Person, at: (f64, f64)) {
    touch(person, "touchStart", Some(at)).await;
    touch(person, "touchEnd", None).await;
}
