//! Inside one conversation: replies, recalls, deletions, typing, marks, and text that stays text.

use fantoccini::key::Key;
use serde_json::json;

use crate::support::chat::meet;
use crate::support::stage::Play;

#[test]
pub fn a_reply_quotes_and_a_recall_erases_the_quote_too() {
    Play::new("reply_and_recall").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("我站在最後面拍了一整晚").await;
        bao.message_menu("我站在最後面拍了一整晚", "mm-reply").await;
        bao.reads("reply-strip", "我站在最後面拍了一整晚").await;
        assert_eq!(bao.ask("focusedTest()", json!([])).await, "composer");
        bao.says("有拍到鼓手嗎").await;
        bao.sees_no("reply-strip").await;
        let quote =
            "message('有拍到鼓手嗎')?.querySelector('.quote-text')?.textContent === args[0]";
        for person in [&anna, &bao] {
            person.until(quote, json!(["我站在最後面拍了一整晚"])).await;
        }
        // One's own words can be answered as well.
        anna.message_menu("我站在最後面拍了一整晚", "mm-reply")
            .await;
        anna.says("第二排").await;

        anna.message_menu("我站在最後面拍了一整晚", "mm-recall")
            .await;
        for person in [&anna, &bao] {
            person
                .has_log(json!([null, "有拍到鼓手嗎", "第二排"]))
                .await;
            person.until(quote, json!(["訊息已收回"])).await;
            let left = "!document.body.innerText.includes('我站在最後面')";
            person.until(left, json!([])).await;
            person.reload().await;
            person
                .has_log(json!([null, "有拍到鼓手嗎", "第二排"]))
                .await;
            person.until(quote, json!(["訊息已收回"])).await;
            person.until(left, json!([])).await;
        }
        bao.reads("log", "對方收回了一則訊息").await;
        anna.reads("log", "你收回了一則訊息").await;
    });
}

#[test]
fn deleting_for_oneself_leaves_the_other_side_alone() {
    Play::new("delete_for_oneself").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("第一句").await;
        bao.says("第二句").await;
        anna.hears("第二句").await;
        bao.message_menu("第一句", "mm-delete").await;
        bao.has_log(json!(["第二句"])).await;
        bao.message_menu("第二句", "mm-delete").await;
        bao.has_log(json!([])).await;
        // The third message comes after whatever a deletion might have told Anna.
        bao.says("第三句").await;
        anna.has_log(json!(["第一句", "第二句", "第三句"])).await;
        for person in [&anna, &bao] {
            person.reload().await;
        }
        bao.has_log(json!(["第三句"])).await;
        anna.has_log(json!(["第一句", "第二句", "第三句"])).await;
    });
}

#[test]
fn typing_shows_and_ends() {
    Play::new("typing_shows_and_ends").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.sees_no("typing").await;
        let composer = bao.find("composer").await;
        composer.send_keys("我想").await.expect("keys");
        anna.sees("typing").await;
        composer.clear().await.expect("an empty composer");
        anna.sees_no("typing").await;
        bao.says("算了").await;
        anna.hears("算了").await;
        anna.sees_no("typing").await;
    });
}

#[test]
fn read_marks_can_be_switched_off() {
    Play::new("read_marks").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        anna.says("看到了嗎").await;
        anna.finds_state("看到了嗎", "read").await;
        anna.reads("log", "已讀").await;

        bao.room_menu("menu-read").await;
        bao.until(
            "byTest('menu-read').getAttribute('aria-checked') === 'false'",
            json!([]),
        )
        .await;
        bao.key(Key::Escape).await;
        bao.sees_no("menu-read").await;
        anna.says("那這句呢").await;
        bao.hears("那這句呢").await;
        // Bao's answer is sent after any mark would have been.
        bao.says("嗯").await;
        anna.hears("嗯").await;
        anna.finds_state("那這句呢", "sent").await;
    });
}

#[test]
pub fn what_people_write_is_never_markup() {
    let name = "<b>Mal</b>";
    let hostile = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>&amp;";
    let bidi = "\u{202e}gnihton\u{202c} \u{5e9}\u{5dc}\u{5d5}\u{5dd} (a\u{200b}b)";
    Play::new("never_markup").run(async |stage| {
        let (anna, bao) = stage.two().await;
        bao.goto("/").await;
        bao.fill("nickname", name).await;
        bao.choose("gender-other").await;
        tokio::join!(anna.start(), bao.find_someone());
        anna.meets(name).await;
        anna.until("document.title.includes(args[0])", json!([name])).await;
        bao.says(hostile).await;
        anna.hears(hostile).await;
        bao.press("composer").await;
        bao.insert(bidi).await;
        bao.key(Key::Enter).await;
        anna.hears(bidi).await;
        bao.press("composer").await;
        bao.insert("https://example.org 😀👨‍👩‍👧").await;
        bao.key(Key::Enter).await;
        anna.hears("https://example.org 😀👨‍👩‍👧").await;
        anna.message_menu(hostile, "mm-reply").await;
        anna.says("?").await;
        for person in [&anna, &bao] {
            person.reload().await;
            person.hears("?").await;
            let inside = "document.querySelectorAll('.bubble :is(img, script, a, b)').length";
            assert_eq!(person.ask(inside, json!([])).await, 0);
            assert_eq!(person.ask("window.hacked ?? null", json!([])).await, json!(null));
            let isolated = "['isolate', 'plaintext', 'isolate-override'].includes(getComputedStyle(message(args[0]).querySelector('.bubble-text')).unicodeBidi)";
            assert_eq!(person.ask(isolated, json!([bidi])).await, true);
        }
    });
}

#[test]
fn enter_sends_but_not_while_an_input_method_composes() {
    Play::new("enter_and_composing").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        // A real composition: the browser itself says that keys belong to the input method.
        anna.press("composer").await;
        let composing = json!({ "text": "ㄋㄧˇ", "selectionStart": 3, "selectionEnd": 3 });
        anna.devtools("Input.imeSetComposition", composing).await;
        let enter = |kind: &str, code: u32| {
            json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": code })
        };
        anna.devtools("Input.dispatchKeyEvent", enter("rawKeyDown", 229)).await;
        anna.devtools("Input.dispatchKeyEvent", enter("keyUp", 229)).await;
        // And what other browsers send, which know only one of the two signs.
        let keydown = "['isComposing', 'keyCode'].map((sign) => byTest('composer').dispatchEvent(new KeyboardEvent('keydown', \
             { key: 'Enter', bubbles: true, cancelable: true, isComposing: sign === 'isComposing', keyCode: sign === 'keyCode' ? 229 : 13 })))";
        // Neither is taken away from the input method.
        assert_eq!(anna.ask(keydown, json!([])).await, json!([true, true]));
        anna.has_log(json!([])).await;
        anna.insert("你好").await;
        assert_eq!(anna.ask("byTest('composer').value", json!([])).await, "你好");
        anna.key(Key::Enter).await;
        anna.stored("你好").await;
        bao.has_log(json!(["你好"])).await;
    });
}

#[test]
fn shift_enter_breaks_the_line() {
    Play::new("shift_enter").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        let (shift, enter) = (char::from(Key::Shift), char::from(Key::Enter));
        let composer = anna.find("composer").await;
        let low = anna.ask("byTest('composer').offsetHeight", json!([])).await;
        // Shift stays down until it is pressed again.
        let keys = format!("一{shift}{enter}{shift}二");
        composer.send_keys(&keys).await.expect("keys");
        let high = anna.ask("byTest('composer').offsetHeight", json!([])).await;
        assert!(
            high.as_f64() > low.as_f64(),
            "the composer grows: {low} {high}"
        );
        assert_eq!(anna.log().await, json!([]));
        anna.key(Key::Enter).await;
        bao.hears("一\n二").await;
        let lines = "message(args[0]).querySelector('.bubble-text').getClientRects().length > 1 \
                     || message(args[0]).querySelector('.bubble-text').offsetHeight > 40";
        assert_eq!(
            bao.ask(lines, json!(["一\n二"])).await,
            true,
            "both lines show"
        );
        // White space alone is nothing to say.
        anna.keys(&format!("   {enter}")).await;
        anna.says("三").await;
        bao.has_log(json!(["一\n二", "三"])).await;
    });
}

#[test]
fn half_an_emoji_arrives_and_holds_up_nothing() {
    Play::new("half_an_emoji").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        // A text that another program has cut in the middle of an emoji.
        let cut = "(() => { const field = byTest('composer'); field.value = 'cut here \\ud83d'; \
                   field.dispatchEvent(new Event('input', { bubbles: true })); return 0; })()";
        anna.ask(cut, json!([])).await;
        anna.press("send").await;
        anna.says("and the next").await;
        let both = json!(["cut here \u{fffd}", "and the next"]);
        anna.has_log(both.clone()).await;
        bao.has_log(both).await;
    });
}

#[test]
fn emoji_alone_are_large_and_fenced_lines_are_code() {
    Play::new("emoji_and_code").run(async |stage| {
        let (anna, bao) = stage.two().await;
        meet(&anna, &bao).await;
        bao.says("普通的一句").await;
        bao.press("composer").await;
        bao.insert("😂👍🏽").await;
        bao.key(Key::Enter).await;
        let size = "parseFloat(getComputedStyle(message(args[0]).querySelector('.bubble-text')).fontSize)";
        anna.hears("😂👍🏽").await;
        let [plain, large] = [
            anna.ask(size, json!(["普通的一句"])).await,
            anna.ask(size, json!(["😂👍🏽"])).await,
        ];
        assert!(large.as_f64() >= plain.as_f64().map(|it| it * 2.0));

        let code = "看：\n```\nlet a = 1;\n```\n好嗎";
        bao.press("composer").await;
        bao.insert(code).await;
        bao.key(Key::Enter).await;
        let shown = "[...document.querySelectorAll('.bubble-code')].map((it) => [it.textContent, /mono/i.test(getComputedStyle(it).fontFamily), it.getAttribute('translate')])";
        anna.until("document.querySelector('.bubble-code')", json!([]))
            .await;
        assert_eq!(
            anna.ask(shown, json!([])).await,
            json!([["let a = 1;", true, "no"]])
        );
        // What is copied is what was written.
        anna.message_menu("看：let a = 1;好嗎", "mm-reply").await;
        anna.reads("reply-strip", "```").await;
    });
}
