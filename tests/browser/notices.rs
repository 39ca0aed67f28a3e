//! What a person is told of decisions about them, on a phone: a mute that ends, a warning before the next search, a ban
//! and an appeal against it; what the one who reported is told, and what all are told.

use std::time::{Duration, Instant};

use fantoccini::key::Key;
use miyu::domain::safety::{
    Actor, AppealDecision, AppealOutcome, CaseKind, DecisionDraft, Finding, Reason, SanctionDraft,
    SanctionKind, SanctionTarget, SettingName,
};
use miyu::store::safety::{Acted, SafetyStore};
use serde_json::json;
use uuid::Uuid;

use crate::support::audit::accessible;
use crate::support::browser::Browser;
use crate::support::chat::{expects_lost_connections, meet, reads_at, sees_no_at};
use crate::support::desk::{on_the_data, with_operator};
use crate::support::person::Person;
use crate::support::stage::{Play, Stage, picture};

const MUTED_FOR: Duration = Duration::from_secs(25);
const A_WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

fn took_effect<T>(acted: Acted<T>) {
    assert!(matches!(acted, Acted::Done(_)), "refused");
}

/// Decides the one case there is: these sanctions on its subject, with these words.
async fn decide(stage: &Stage, sanctions: &[(SanctionKind, Option<Duration>)], text: &str) {
    on_the_data(stage, async |safety| {
        let case = safety.queue().await.expect("an answer").remove(0);
        let sanction = |&(kind, length)| SanctionDraft {
            target: SanctionTarget::Session(case.subject),
            kind,
            length,
        };
        let decision = DecisionDraft {
            case: case.id,
            by: Actor::Local,
            finding: Finding::Violation,
            rule: Reason::Spam,
            note: String::new(),
            text: text.to_owned(),
            reporter_text: String::new(),
            seen_reports: None,
            sanctions: sanctions.iter().map(sanction).collect(),
        };
        took_effect(safety.decide(decision).await.expect("an answer"));
    })
    .await;
}

/// Answers the one appeal there is: what was decided is over.
async fn overturn(stage: &Stage, text: &str) {
    on_the_data(stage, async |safety| {
        let queue = safety.queue().await.expect("an answer");
        let appeal = queue
            .iter()
            .find(|it| matches!(it.kind, CaseKind::Appeal(_)));
        let decision = AppealDecision {
            case: appeal.expect("an appeal").id,
            by: Actor::Local,
            outcome: AppealOutcome::Overturn,
            note: String::new(),
            text: text.to_owned(),
        };
        took_effect(safety.decide_appeal(decision).await.expect("an answer"));
    })
    .await;
}

/// The site says something to all, and makes no new pairs.
async fn announce(stage: &Stage, text: &str) {
    let now = miyu::clock::now().0;
    let until = now + 3_600_000;
    let broadcast =
        json!({"id": Uuid::new_v4(), "texts": {"zh-TW": text}, "from_ms": now, "until_ms": until});
    let maintenance = json!({"until_ms": until, "texts": {}});
    on_the_data(stage, async |safety| {
        for (name, value) in [
            (SettingName::Broadcast, broadcast),
            (SettingName::Maintenance, maintenance),
        ] {
            let put = safety.put_setting(name, Some(value.to_string()), None, Actor::Local);
            took_effect(put.await.expect("an answer"));
        }
    })
    .await;
}

async fn reports(reporter: &Person) {
    reporter.room_menu("menu-report").await;
    reporter.press("report-spam").await;
    reporter.press("report-send").await;
    reporter.sees_no("report-sheet").await;
}

#[test]
fn a_person_is_told_what_was_decided_and_appeals() {
    Play::new("notices").run(async |stage| {
        with_operator(stage).await;
        let phone = Browser::phone();
        let (anna, bao) = tokio::join!(stage.person("Anna"), stage.person_with("Bao", &phone));
        for person in [&anna, &bao] {
            expects_lost_connections(person);
        }
        meet(&anna, &bao).await;
        bao.says_by_button("便宜賣").await;
        anna.hears("便宜賣").await;
        reports(&anna).await;
        bao.fill("composer", "打到一半").await;
        bao.ask("(window.samePage = true)", json!([])).await;

        // Muted and warned: what was written stays, and one may read.
        let both = [
            (SanctionKind::Mute, Some(MUTED_FOR)),
            (SanctionKind::Warning, None),
        ];
        let decided = Instant::now();
        decide(stage, &both, "這裡不是賣東西的地方。").await;
        reads_at(&bao, ".room [data-testid=notice-mute]", "不能說話").await;
        reads_at(&bao, ".room [data-testid=notice-mute]", "不貼廣告").await;
        reads_at(&bao, ".room [data-testid=notice-warning]", "提醒").await;
        bao.sees_no("composer").await;
        bao.hears("便宜賣").await;
        accessible(&bao, "muted").await;
        picture(&bao, "notice-mute").await;
        bao.open_menu_by_keyboard("便宜賣").await;
        bao.sees_no("mm-reply").await;
        bao.key(Key::Escape).await;
        bao.press_css(".room [data-testid=notice-mute] [data-testid=notice-look]")
            .await;
        bao.reads("notice-sheet", "一位管理員").await;
        bao.reads("notice-text", "這裡不是賣東西的地方。").await;
        accessible(&bao, "the sheet of a mute").await;
        picture(&bao, "notice-sheet").await;
        bao.press("notice-confirm").await;
        // The one who reported learns that it was looked at, and puts it away.
        reads_at(&anna, ".room [data-testid=notice-outcome]", "也處理了").await;
        anna.press_css(".room [data-testid=notice-away]").await;
        sees_no_at(&anna, "[data-testid=notice-outcome]").await;

        // It ends by itself, and what was written is still there.
        tokio::time::sleep(MUTED_FOR.saturating_sub(decided.elapsed())).await;
        bao.sees("composer").await;
        let same = "window.samePage === true && byTest('composer').value === '打到一半'";
        bao.until(same, json!([])).await;
        sees_no_at(&bao, "[data-testid=notice-mute]").await;

        // The warning comes before the next search, which waits for it.
        bao.fill("composer", "").await;
        anna.press("next").await;
        bao.sees("end-card").await;
        bao.press("end-next").await;
        bao.sees("notice-sheet").await;
        accessible(&bao, "a warning").await;
        bao.press("sheet-close").await;
        bao.reads("match-status", "看過就繼續找").await;
        bao.press("match-again").await;
        bao.press("notice-confirm").await;
        bao.is_searching().await;

        // Banned: the search leads to a page that says why.
        on_the_data(stage, ban_the_subject).await;
        bao.sees("ban").await;
        bao.reads("ban", "不貼廣告").await;
        accessible(&bao, "the page of a ban").await;
        picture(&bao, "ban").await;
        bao.press("appeal-open").await;
        bao.fill("appeal-text", "那是我自己的樂團").await;
        // The draft is the tab's own.
        bao.reload().await;
        let draft = "byTest('appeal-text')?.value === '那是我自己的樂團'";
        bao.until(draft, json!([])).await;
        accessible(&bao, "an appeal").await;
        bao.press("appeal-send").await;
        bao.sees("appeal-pending").await;
        bao.goto("/chat/?match=1").await;
        bao.sees("appeal-pending").await;

        overturn(stage, "你說得對，是我們看錯了。").await;
        announce(stage, "今晚換機器").await;
        bao.reload().await;
        // Where the ban was told stands what became of it.
        bao.reads("notices-sheet", "有回覆").await;
        bao.press("sheet-close").await;
        bao.sees("start").await;
        bao.sees_no("ban").await;
        reads_at(&bao, "[data-testid=notice-appealed]", "有回覆").await;
        bao.press("notice-look").await;
        bao.reads("notice-sheet", "是我們看錯了").await;
        bao.press("notice-confirm").await;

        // What is said to all, and that no new pairs are made.
        bao.reads("notice-broadcast", "今晚換機器").await;
        bao.reads("start", "維護中").await;
        bao.reads("maintenance", "進行中的對話照常").await;
        accessible(&bao, "home in maintenance").await;
        // One who has chosen nothing yet is asked for nothing either.
        let chloe = stage.person("Chloe").await;
        chloe.goto("/").await;
        chloe.reads("maintenance", "進行中的對話照常").await;
        chloe.press("start").await;
        chloe.sees_no("gender-error").await;
        bao.press("notice-away").await;
        bao.sees_no("notice-broadcast").await;
        bao.goto("/").await;
        bao.reads("start", "維護中").await;
        bao.press("guide").await;
        bao.press("guide-notices").await;
        bao.reads("notices-sheet", "已經結束").await;
        accessible(&bao, "the list of notices").await;
        picture(&bao, "notices").await;
    });
}

/// A ban of a week for the subject of the closed case.
async fn ban_the_subject(safety: &dyn SafetyStore) {
    let closed = safety.closed_cases().await.expect("an answer");
    let subject = closed.first().expect("a case").subject;
    let ban = SanctionDraft {
        target: SanctionTarget::Session(subject),
        kind: SanctionKind::Ban,
        length: Some(A_WEEK),
    };
    let text = "又貼了一次。".to_owned();
    let done = safety.impose(ban, Reason::Spam, text, Actor::Local).await;
    took_effect(done.expect("an answer"));
}
