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

/// A finger on the element with this test id, brought into view as a person scrolls.
pub async fn taps(person: &Person, test: &str) {
    person.sees(test).await;
    person.settled(&format!("[data-testid=\"{test}\"]")).await;
    let middle = "(() => { const node = byTest(args[0]); node.scrollIntoView({ block: 'center' }); \
                  const box = node.getBoundingClientRect(); const at = [box.x + box.width / 2, box.y + box.height / 2]; \
                  return node.contains(document.elementFromPoint(...at)) && at; })()";
    let middle = person.until(middle, json!([test])).await;
    let at = |index: usize| middle[index].as_f64().expect("a place");
    tap(person, (at(0), at(1))).await;
}

/// Whatever can be pressed is as large as a finger: 44 pixels each way.
pub async fn reachable(person: &Person, view: &str) {
    let small = "(() => {
        const pressed = 'a, button, select, textarea, summary, input:not([type=radio], [type=checkbox]), label:has(> :is([type=radio], [type=checkbox]))';
        const all = [...document.querySelectorAll(pressed)].filter((it) => visible(it) && !it.closest('.skip, .sr') && !it.closest('[inert]'));
        const area = (it) => (it.matches('.op-case-link') ? it.closest('li') : it).getBoundingClientRect();
        return all.filter((it) => { const { width, height } = area(it); return width < 43.5 || height < 43.5; })
            .map((it) => `${Math.round(area(it).width)}×${Math.round(area(it).height)} ${it.outerHTML.slice(0, 120)}`);
    })()";
    let small = person.ask(small, json!([])).await;
    assert_eq!(small, json!([]), "{view}: too small for a finger");
}
