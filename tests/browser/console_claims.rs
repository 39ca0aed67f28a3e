//! Whose words they are: what a case shows of texts that were taken back before they were reported, as the reporter's page
//! claims them. A proof makes them words of a side of the conversation; without one they stay what the reporter says. And the
//! way to what was reported, in a long conversation.

use miyu::domain::id::Side;
use miyu::domain::safety::{Reason, Role};
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::chat::meet;
use crate::support::console::{log_in, look, opens_case, title};
use crate::support::desk::{at_rest, make_operator, reported};
use crate::support::person::Person;
use crate::support::stage::Play;
use crate::support::touch::taps;

/// What the page is told of messages, proofs and all, is noted.
const NOTES: &str = "globalThis.told = []; globalThis.WebSocket = class extends WebSocket { \
    constructor(...rest) { super(...rest); this.addEventListener('message', ({ data }) => told.push(JSON.parse(data))); } };";

/// Reports with these claims: the number of a message, the text it is said to have had, and whose proof comes with it.
async fn claims(anna: &Person, claims: Value) {
    let report = "(async () => { const { room_id, user_id } = { room_id: JSON.parse(sessionStorage.getItem('miyu.here')) }; \
        const said = (seq) => told.find((it) => it.action === 'new_message' && it.message.seq === seq).message; \
        const claims = args[0].map(([seq, content, proof]) => ({ seq, content, proof: said(proof).proof, sent_at_ms: said(seq).sent_at_ms })); \
        const side = Object.values(JSON.parse(sessionStorage.getItem('miyu.sides')))[0]; \
        const body = { room: room_id, user_id: side.user_id, token: side.token, reason: 'harassment', note: '', messages: [], claims }; \
        const answer = await fetch('/api/reports/', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }); \
        return answer.status; })()";
    assert_eq!(anna.ask(report, json!([claims])).await, 201);
}

/// Of an entry: who is named above it, what is said of it, its text, and whether that stands in the frame of what is not proved.
const ENTRY: &str = "(() => { const entry = [...document.querySelectorAll('[data-testid=entry][data-seq]')].find((it) => it.dataset.seq === String(args[0])); \
    return [entry.querySelector('.op-entry-who strong')?.textContent ?? null, [...entry.querySelectorAll('.op-flag')].map((it) => it.textContent), \
    entry.querySelector('.op-said:not(.op-entry-who *)')?.textContent ?? null, entry.querySelector('.op-claimed-text') !== null]; })()";

#[test]
fn a_claim_says_whose_words_they_are() {
    Play::new("console_claims").run(async |stage| {
        at_rest(stage, async |data| make_operator(data, "Mei", Role::Moderator).await).await;
        let english = Browser { language: "en", ..Browser::default() };
        let (anna, bao, mei) = tokio::join!(stage.person("Anna"), stage.person("Bao"), stage.person_with("Mei", &english));
        anna.before_each_page(NOTES).await;
        meet(&anna, &bao).await;
        for (who, other, text) in [(&bao, &anna, "you fool"), (&bao, &anna, "nice weather"), (&anna, &bao, "I know where you live")] {
            who.says(text).await;
            other.hears(text).await;
        }
        for (who, other, text) in [(&bao, &anna, "you fool"), (&bao, &anna, "nice weather"), (&anna, &bao, "I know where you live")] {
            who.message_menu(text, "mm-recall").await;
            other.until("!message(args[0])", json!([text])).await;
        }
        // What was said; words that were not, with the proof of others; and the reporter's own.
        claims(&anna, json!([[1, "you fool", 1], [2, "I will hurt you", 1], [3, "I know where you live", 3]])).await;

        log_in(&mei, "Mei").await;
        mei.press("next-case").await;
        title(&mei).await;
        let proved = "recalled since; verified: it was really sent";
        let unproved = "claimed by the reporter; not proved";
        for (seq, entry) in [
            (1, json!(["Reported", [proved], "you fool", false])),
            (2, json!([null, [unproved], "I will hurt you", true])),
            (3, json!(["The other", [proved], "I know where you live", false])),
        ] {
            assert_eq!(mei.ask(ENTRY, json!([seq])).await, entry);
        }
        let frame = "getComputedStyle(document.querySelector('.op-claimed-text')).borderTopStyle";
        assert_eq!(mei.ask(frame, json!([])).await, "dashed");
        // In the report the log says whose they are, not the one who claims them.
        let told = "[...document.querySelectorAll('[data-testid=report] .op-claimed')].map((it) => \
                    [it.querySelector('.op-flag').textContent, it.querySelector('strong').textContent.trim(), it.querySelector('.op-said').textContent])";
        let proved = "verified: it was really sent";
        assert_eq!(
            mei.ask(told, json!([])).await,
            json!([
                [proved, "Reported", "you fool"],
                [unproved, "Reported", "I will hurt you"],
                [proved, "The other", "I know where you live"],
            ])
        );
        look(&mei, "claims").await;
    });
}

#[test]
fn what_was_reported_is_found_with_a_thumb() {
    Play::new("console_to_reported").run(async |stage| {
        at_rest(stage, async |data| {
            make_operator(data, "Mei", Role::Moderator).await;
            for lines in [4, 60] {
                reported(data, Reason::Spam, "", &vec![(Side::B, "buy this"); lines]).await;
            }
        })
        .await;
        let mei = stage.person_with("Mei", &Browser::phone()).await;
        log_in(&mei, "Mei").await;
        // In a short one it is seen.
        opens_case(&mei, 1).await;
        mei.sees_no("to-reported").await;
        opens_case(&mei, 2).await;
        look(&mei, "case-long").await;
        taps(&mei, "to-reported").await;
        let there = "document.activeElement.matches('[data-testid=entry].is-reported') && \
            (({ top, bottom }) => top > 0 && bottom < byTest('bar').getBoundingClientRect().top)(document.activeElement.getBoundingClientRect())";
        mei.until(there, json!([])).await;
        // The keys go on from there.
        mei.keys("k").await;
        mei.until("document.activeElement.dataset.seq === '59'", json!([]))
            .await;
        mei.keys("j").await;
        mei.keys("j").await;
        mei.until(there, json!([])).await;
    });
}
