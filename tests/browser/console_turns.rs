//! What is typed and pressed at the console belongs to the case that it was meant for, also when the page has changed below
//! the hand: after a decision, while one is sent, when a list moves, when a question is open.

use fantoccini::key::Key;
use miyu::domain::id::Side;
use miyu::domain::safety::{Reason, Role};
use serde_json::json;

use crate::support::console::{goes_to, log_in, moves_on, opens_case, title};
use crate::support::desk::{at_rest, make_operator, reported};
use crate::support::person::Person;
use crate::support::stage::{Play, Stage};

const RUDE: &[(Side, &str)] = &[(Side::A, "hi"), (Side::B, "you are stupid")];
const OWN_WORDS: &str = "Please be kind.";
/// The page's rounds are asked for by the test, and what it sends waits until it is let go.
const HANDS: &str = "globalThis.setInterval = ((real) => (step, ms) => { if (ms === 15000) globalThis.round = step; return real(step, ms); })(setInterval); \
    globalThis.fetch = ((real) => async (path, options) => { \
      if (globalThis.blind && options?.body) options.body = options.body.replace('\"seen_reports\":1', '\"seen_reports\":0'); \
      if (globalThis.fails && String(path).includes(globalThis.fails)) throw new TypeError('no network'); \
      const answer = await real(path, options); \
      if (globalThis.holds && String(path).includes(globalThis.holds)) await new Promise((go) => { globalThis.letGo = go; }); \
      if (globalThis.breaks && String(path).includes(globalThis.breaks)) throw new TypeError('cut off'); \
      return answer; \
    })(fetch);";

/// An administrator before so many cases of one kind.
async fn desk(stage: &Stage, cases: usize) -> Person {
    at_rest(stage, async |data| {
        make_operator(data, "Mei", Role::Administrator).await;
        for _ in 0..cases {
            reported(data, Reason::Harassment, "please look", RUDE).await;
        }
    })
    .await;
    let mei = stage.person("Mei").await;
    mei.before_each_page(HANDS).await;
    log_in(&mei, "Mei").await;
    mei
}

/// Sets a variable of the page.
async fn sets(mei: &Person, name: &str, value: &str) {
    mei.ask("void (globalThis[args[0]] = args[1])", json!([name, value]))
        .await;
}

async fn sends(mei: &Person) {
    let (hold, enter, free) = (Key::Control, Key::Enter, Key::Null);
    mei.keys(
        &[hold, enter, free]
            .map(char::from)
            .iter()
            .collect::<String>(),
    )
    .await;
}

/// Opens the first case, chooses a template and writes words of one's own.
async fn writes_a_decision(mei: &Person) -> String {
    mei.keys("n").await;
    let open = title(mei).await;
    opens_eyes(mei).await;
    mei.keys("1").await;
    mei.keys("t").await;
    mei.until("focusedTest() === 'text'", json!([])).await;
    mei.ask("byTest('text').select()", json!([])).await;
    mei.keys(OWN_WORDS).await;
    open
}

/// As long as it takes until keys are meant for what has come up.
async fn opens_eyes(mei: &Person) {
    let now = "void (globalThis.looked = performance.now())";
    mei.ask(now, json!([])).await;
    mei.until("performance.now() - looked > 450", json!([]))
        .await;
}

/// Nothing was written, chosen or opened in this case, and it is still there.
async fn untouched(mei: &Person, case: &str) {
    let state = "[byTest('case-title').textContent, byTest('text').value, byTest('note').value, shown('ask-sheet'), focusedTest(), \
                 [...document.querySelectorAll('[name=template]')].some((it) => it.checked)]";
    assert_eq!(
        mei.ask(state, json!([])).await,
        json!([case, "", "", false, "case-title", false])
    );
}

#[test]
fn what_is_typed_after_a_decision_is_in_no_case() {
    Play::new("console_typed_after").run(async |stage| {
        let mei = desk(stage, 3).await;
        let first = writes_a_decision(&mei).await;
        sets(&mei, "holds", "/decide/").await;
        sends(&mei).await;
        mei.until("globalThis.letGo", json!([])).await;
        mei.keys(" then n 6 e").await;
        // The hand goes on in the very moment in which the next case stands there.
        let goes_on = "(() => { const before = byTest('case-title').textContent; \
            new MutationObserver((_, all) => { if ((byTest('case-title')?.textContent ?? before) === before) return; all.disconnect(); \
              for (const key of ['t', 'o', '1', 'n', 'e', 'v']) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })); \
              globalThis.wentOn = true; \
            }).observe(document.querySelector('main'), { childList: true, subtree: true }); letGo(); return true; })()";
        mei.ask(goes_on, json!([])).await;
        mei.until("globalThis.wentOn", json!([])).await;
        moves_on(&mei, &first).await;
        let second = title(&mei).await;
        mei.reads("toast", "沒有寫進任何案件").await;
        untouched(&mei, &second).await;
        let drafts = "sessionStorage.getItem('console.drafts') ?? '{}'";
        assert_eq!(mei.ask(drafts, json!([])).await, "{}", "a decided case has none");

        // A moment later keys are this case's own.
        opens_eyes(&mei).await;
        mei.keys("6").await;
        mei.until("!byTest('decide').disabled", json!([])).await;
        opens_case(&mei, 1).await;
        mei.reads("history", OWN_WORDS).await;
        mei.until("!byTest('history').textContent.includes('then')", json!([]))
            .await;
    });
}

#[test]
fn a_decision_that_does_not_arrive_keeps_its_words_and_takes_no_others() {
    Play::new("console_typed_in_vain").run(async |stage| {
        let mei = desk(stage, 1).await;
        let first = writes_a_decision(&mei).await;
        sets(&mei, "fails", "/decide/").await;
        sends(&mei).await;
        mei.reads("alert", "伺服器沒有回應").await;
        let as_before = "focusedTest() === 'text' && byTest('text').value === args[0]";
        mei.until(as_before, json!([OWN_WORDS])).await;
        sets(&mei, "fails", "").await;
        mei.keys(" And calm.").await;
        let both = format!("{OWN_WORDS} And calm.");
        assert_eq!(mei.ask(as_before, json!([both])).await, true);
        sets(&mei, "holds", "/decide/").await;
        sends(&mei).await;
        mei.until("globalThis.letGo", json!([])).await;
        mei.keys(" Or not.").await;
        assert_eq!(
            mei.ask("byTest('text').value", json!([])).await,
            both.as_str()
        );
        mei.ask("letGo()", json!([])).await;
        mei.sees("queue-empty").await;
        opens_case(&mei, 1).await;
        assert_eq!(title(&mei).await, first);
        mei.reads("history", &both).await;
    });
}

#[test]
fn what_came_meanwhile_is_shown_before_it_is_judged() {
    Play::new("console_new_reports").run(async |stage| {
        let mei = desk(stage, 1).await;
        mei.expect_console("409");
        let open = writes_a_decision(&mei).await;
        // As if the only report had come after the case was read.
        sets(&mei, "blind", "yes").await;
        sends(&mei).await;
        mei.reads("alert", "新的檢舉").await;
        let kept = "byTest('text').value === args[0] && focusedTest() === 'case-title' && \
                    document.querySelector('[name=template]:checked')";
        mei.until(kept, json!([OWN_WORDS])).await;
        assert_eq!(title(&mei).await, open);
        sets(&mei, "blind", "").await;
        opens_eyes(&mei).await;
        mei.key(Key::Enter).await;
        mei.sees("queue-empty").await;
        opens_case(&mei, 1).await;
        mei.reads("history", OWN_WORDS).await;
    });
}

#[test]
fn an_act_that_ends_late_moves_nothing_on_another_page() {
    Play::new("console_late_act").run(async |stage| {
        let mei = desk(stage, 3).await;
        writes_a_decision(&mei).await;
        sets(&mei, "holds", "/decide/").await;
        sends(&mei).await;
        mei.until("globalThis.letGo", json!([])).await;
        mei.press("nav-sanctions").await;
        mei.sees("sanctions-find").await;
        mei.ask("letGo()", json!([])).await;
        mei.reads("toast", "案件 1").await;
        opens_eyes(&mei).await;
        let here = "[location.hash, document.body.dataset.view, shown('case-title'), document.title.includes('案件')]";
        assert_eq!(
            mei.ask(here, json!([])).await,
            json!(["#/sanctions", "sanctions", false, false])
        );

        // What went wrong is told with the case that it is about.
        goes_to(&mei, "queue").await;
        sets(&mei, "letGo", "").await;
        writes_a_decision(&mei).await;
        sets(&mei, "breaks", "/decide/").await;
        sends(&mei).await;
        mei.until("globalThis.letGo", json!([])).await;
        mei.press("nav-sanctions").await;
        mei.sees("sanctions-find").await;
        mei.ask("letGo()", json!([])).await;
        mei.reads("alert", "案件 2：伺服器沒有回應").await;

        // A question about a case is not left over another page.
        goes_to(&mei, "queue").await;
        opens_case(&mei, 3).await;
        mei.press("hold").await;
        mei.sees("ask-sheet").await;
        mei.go_back().await;
        mei.sees("queue").await;
        mei.sees_no("ask-sheet").await;
        let held = "fetch('/admin/api/cases/3/').then((it) => it.json()).then((it) => it.case.held_until_ms ?? null)";
        assert_eq!(mei.ask(held, json!([])).await, json!(null));
    });
}

/// Closes a case from elsewhere, and brings the list up to it.
async fn closed_elsewhere(mei: &Person, case: u64) {
    let closes = "fetch(`/admin/api/cases/${args[0]}/skip/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then((it) => it.status)";
    assert_eq!(mei.ask(closes, json!([case])).await, 200);
    mei.ask("round()", json!([])).await;
    let gone = "!byTest('queue').querySelector(`[href='#/case/${args[0]}']`)";
    mei.until(gone, json!([case])).await;
}

#[test]
fn a_list_that_moves_leads_to_the_case_that_was_meant() {
    Play::new("console_list_moves").run(async |stage| {
        let mei = desk(stage, 4).await;
        mei.keys("j").await;
        mei.keys("j").await;
        mei.ask("document.activeElement.blur()", json!([])).await;
        // In the frame in which the list has moved a finger comes down on its first row.
        let comes_down = "(() => { globalThis.pressed = []; const list = byTest('queue'); \
            new MutationObserver(() => { if (pressed.length > 0) return; pressed.push(location.hash); \
              for (const kind of ['pointerdown', 'pointerup', 'click']) list.querySelector('a').dispatchEvent(new PointerEvent(kind, \
                { bubbles: true, cancelable: true, composed: true, detail: 1, clientX: 5, clientY: 5 })); \
              pressed.push(location.hash); \
            }).observe(list, { childList: true }); return true; })()";
        mei.ask(comes_down, json!([])).await;
        closed_elsewhere(&mei, 1).await;
        assert_eq!(mei.ask("pressed", json!([])).await, json!(["", ""]));
        let marked = "document.querySelector('[data-selected] a').getAttribute('href')";
        assert_eq!(mei.ask(marked, json!([])).await, "#/case/2");
        mei.key(Key::Enter).await;
        mei.until("shown('case-title') && location.hash === '#/case/2'", json!([]))
            .await;

        // What is not there any more is not replaced by another.
        goes_to(&mei, "queue").await;
        mei.keys("j").await;
        mei.ask("document.activeElement.blur()", json!([])).await;
        closed_elsewhere(&mei, 2).await;
        mei.key(Key::Enter).await;
        mei.reads("toast", "案件 2 已經不在").await;
        assert_eq!(mei.ask("location.hash", json!([])).await, "#/queue");
    });
}

#[test]
fn an_answer_that_is_overtaken_is_not_shown() {
    Play::new("console_overtaken").run(async |stage| {
        let mei = desk(stage, 2).await;
        let decides = "fetch(`/admin/api/cases/${args[0]}/decide/?stay=1`, { method: 'POST', headers: { 'content-type': 'application/json' }, \
            body: JSON.stringify({ finding: 'violation', rule: 'harassment', text: 'Be kind.', sanctions: [{ on: 'person', kind: args[1] }] }) }).then((it) => it.status)";
        for (case, kind) in [(1, "mute"), (2, "warning")] {
            assert_eq!(mei.ask(decides, json!([case, kind])).await, 200);
        }
        goes_to(&mei, "sanctions").await;
        sets(&mei, "holds", "sanctions/?case=1").await;
        mei.fill("sanctions-case", "1").await;
        mei.press("sanctions-find").await;
        mei.until("globalThis.letGo", json!([])).await;
        mei.fill("sanctions-case", "2").await;
        mei.press("sanctions-find").await;
        mei.reads("sanctions", "警告").await;
        mei.ask("letGo()", json!([])).await;
        // What is asked after it is answered after it.
        sets(&mei, "holds", "").await;
        mei.ask("fetch('/admin/api/live/').then((it) => it.status)", json!([]))
            .await;
        mei.until("byTest('sanctions').textContent.includes('警告')", json!([]))
            .await;
        assert_eq!(
            mei.ask("byTest('sanctions').textContent.includes('禁言')", json!([]))
                .await,
            false
        );
    });
}
