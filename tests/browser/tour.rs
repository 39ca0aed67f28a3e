//! A walk through every state of the pages, in every form they have: desktop and phone, light and
//! dark, both languages, 320 px and 200 %. At each stop: axe, nothing wider than the window, and
//! with `MIYU_SCREENSHOTS=FOLDER` a picture.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::support::audit::{accessible, legible};
use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::stage::{Play, Stage, picture};

/// Names and words of the two people in one language.
struct Words {
    names: [&'static str; 2],
    lines: [&'static str; 7],
}

const CHINESE: Words = Words {
    names: ["安靜的天燈", "想睡的月亮"],
    lines: [
        "嗨～你也在聽昨天那場嗎",
        "我站在最後面拍了一整晚，手都麻了",
        "在！安可那首我差點哭出來",
        "有拍到鼓手把鼓棒丟出來那一下嗎",
        "有，可是糊掉了",
        "等等，我打錯字了",
        "給我看嘛（好啦這裡只能打字）",
    ],
};

const ENGLISH: Words = Words {
    names: ["Calm Lantern", "Sleepy Moon"],
    lines: [
        "Hi, were you at the show last night too?",
        "I stood right at the back and took photos until my arms went numb",
        "I was! That encore nearly made me cry",
        "Did you catch the drummer throwing his sticks?",
        "I did, but it's all blurry",
        "Wait, typo",
        "Show me anyway (fine, words will do)",
    ],
};

/// How much is looked at at every stop.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    /// Everything in both schemes, with pictures when they are wanted.
    Schemes,
    /// In one scheme, without pictures.
    Fit,
}

struct Tour<'a> {
    person: &'a Person,
    form: &'a str,
    look: Look,
}

impl Tour<'_> {
    /// One stop: everything that is checked of a state.
    async fn stop(&self, state: &str) {
        let name = format!("{state} ({})", self.form);
        self.fits(&name).await;
        accessible(self.person, &name).await;
        if self.look == Look::Fit {
            return;
        }
        picture(self.person, &format!("{state}-{}-light", self.form)).await;
        self.person.color_scheme(true).await;
        legible(self.person, &format!("{name}, dark")).await;
        picture(self.person, &format!("{state}-{}-dark", self.form)).await;
        self.person.color_scheme(false).await;
    }

    /// A short word that comes up now lies in the middle of the conversation and on nothing of the end card,
    /// unless all is so flat that they share the height.
    async fn word_covers_nothing(&self) {
        let places = "(() => {
            const word = document.createElement('p');
            word.className = 'toast';
            word.style.animation = 'none';
            word.textContent = '…………';
            document.body.append(word);
            const [it, log, card] = [word, byTest('log'), byTest('end-card')].map((node) => node.getBoundingClientRect());
            word.remove();
            if (document.querySelector('.is-flat')) return [true, true];
            return [Math.abs(it.left + it.right - log.left - log.right) < 4, it.bottom <= card.top || it.top >= card.bottom];
        })()";
        let found = self.person.ask(places, json!([])).await;
        assert_eq!(found, json!([true, true]), "{}", self.form);
    }

    /// Nothing is wider than the window, so there is no scrolling sideways.
    async fn fits(&self, state: &str) {
        let wide = "(() => {
            const root = document.documentElement;
            const limit = root.clientWidth + 1;
            const inside = [...document.querySelectorAll('main *, header *, dialog *, .menu *')].filter((node) =>
              visible(node) && !node.closest('.scene, svg, .sr, .offscreen, .skip') && node.getBoundingClientRect().right > limit);
            const scrolls = root.scrollWidth > limit || [...document.querySelectorAll('.log, dialog, .menu')].some((node) => node.scrollWidth > node.clientWidth + 1);
            return [scrolls, inside.slice(0, 3).map((node) => node.outerHTML.slice(0, 160))];
        })()";
        let found = self.person.ask(wide, json!([])).await;
        assert_eq!(
            found,
            json!([false, []]),
            "{state} is wider than the window"
        );
    }
}

/// Everything before the search.
async fn before(tour: &Tour<'_>, words: &Words) {
    let person = tour.person;
    person.goto("/").await;
    person.fill("nickname", words.names[0]).await;
    person.press("avatar").await;
    person.sees("picker").await;
    tour.stop("picker").await;
    person.press_css("label:has([data-testid=avatar-2])").await;
    person.sees_no("picker").await;
    person.press("start").await;
    person.sees("gender-error").await;
    tour.stop("home-asks").await;
    person.choose("mood-happy").await;
    person.choose("gender-other").await;
    person.press("tag-音樂").await;
    person.press("tag-攝影").await;
    person
        .ask("document.activeElement.blur() ?? scrollTo(0, 0)", json!([]))
        .await;
    person
        .until("byTest('stats').textContent.trim()", json!([]))
        .await;
    tour.stop("home").await;
    person.press("guide").await;
    person.sees("guide-sheet").await;
    tour.stop("guide").await;
    person.press("guide-rules").await;
    person.sees("rules").await;
    tour.stop("rules").await;
    for sheet in ["rules", "guide-sheet"] {
        person.key(Key::Escape).await;
        person.sees_no(sheet).await;
    }
    if tour.look == Look::Schemes {
        person.press("privacy").await;
        person.sees("privacy-home").await;
        tour.stop("privacy").await;
        person.press("privacy-home").await;
        person.sees("start").await;
    }
    person.press("start").await;
    person.sees("consent-sheet").await;
    tour.stop("consent").await;
    person.press("consent").await;
    person.press("consent-agree").await;
}

/// The search, first young, then alone for long enough to be offered something.
async fn searching(tour: &Tour<'_>) {
    tour.person.sees("matching").await;
    let cancel = "(({ x, y }) => [x, y])(byTest('cancel').getBoundingClientRect())";
    let place = tour.person.ask(cancel, json!([])).await;
    tour.person
        .until(
            "/^(先找|First)/.test(document.querySelector('.matching-line').textContent)",
            json!([]),
        )
        .await;
    tour.stop("matching").await;
    tour.person.sees("option-second").await;
    if tour.look == Look::Schemes {
        let now = tour.person.ask(cancel, json!([])).await;
        assert_eq!(now, place, "{}: what is offered moves Cancel", tour.form);
    }
    tour.stop("alone").await;
}

/// The partner comes; both talk as in the picture of the design.
async fn talking(tour: &Tour<'_>, other: &Person, words: &Words) {
    let me = tour.person;
    let [calm, sleepy] = words.names;
    other.goto("/").await;
    other.fill("nickname", sleepy).await;
    other.press("avatar").await;
    other.press_css("label:has([data-testid=avatar-1])").await;
    other.sees_no("picker").await;
    other.choose("gender-other").await;
    other.press("tag-音樂").await;
    other.press("tag-攝影").await;
    other.find_someone().await;
    other.meets(calm).await;
    me.meets(sleepy).await;

    let lines = words.lines;
    other.says(lines[0]).await;
    other.says(lines[1]).await;
    me.hears(lines[1]).await;
    me.says_by_button(lines[2]).await;
    me.message_menu_by_keyboard(lines[1], "mm-reply").await;
    me.says_by_button(lines[3]).await;
    other.hears(lines[3]).await;
    other.says(lines[4]).await;
    other.says(lines[5]).await;
    other.message_menu(lines[5], "mm-recall").await;
    me.until("!message(args[0])", json!([lines[5]])).await;
    me.says_by_button(lines[6]).await;
    me.finds_state(lines[6], "read").await;
    other
        .find("composer")
        .await
        .send_keys("…")
        .await
        .expect("keys");
    me.sees("typing").await;
    me.ask("document.activeElement.blur()", json!([])).await;
    tour.stop("chat").await;
}

/// Menus and sheets over the conversation.
async fn menus(tour: &Tour<'_>, words: &Words) {
    let me = tour.person;
    me.open_menu_by_keyboard(words.lines[3]).await;
    tour.stop("message-menu").await;
    me.key(Key::Escape).await;
    me.sees_no("message-menu").await;
    me.press("menu").await;
    me.sees("menu-leave").await;
    tour.stop("room-menu").await;
    me.press("menu-block").await;
    me.sees("block-sheet").await;
    tour.stop("block").await;
    me.press("block-cancel").await;
    me.sees_no("block-sheet").await;
    me.room_menu("menu-forget").await;
    me.sees("forget-sheet").await;
    tour.stop("forget").await;
    me.press("forget-cancel").await;
    me.sees_no("forget-sheet").await;
}

/// The end, and a room that is no more.
async fn after(tour: &Tour<'_>, other: &Person) {
    other.goto("/").await;
    tour.person.goto("/").await;
    tour.person.sees("resume").await;
    tour.stop("resume").await;
    tour.person.press("resume").await;
    other.press("resume").await;
    other.press("next").await;
    tour.person.sees("end-card").await;
    tour.word_covers_nothing().await;
    tour.stop("end").await;
    tour.person.expect_console("WebSocket connection to");
    tour.person.expect_console("api/rooms/");
    tour.person
        .goto("/chat/?room=01890000-0000-7000-8000-000000000000")
        .await;
    tour.person.sees("gone").await;
    tour.stop("gone").await;
}

async fn walk(stage: &Stage, form: &str, browser: &Browser, look: Look) {
    let words = match browser.language {
        "zh-TW" => &CHINESE,
        _ => &ENGLISH,
    };
    let (person, other) =
        tokio::join!(stage.person_with("visitor", browser), stage.person("other"));
    if browser.language == "en-US" {
        // Two of one language meet at once.
        other.goto("/").await;
        other.speak("en").await;
    }
    let tour = Tour {
        person: &person,
        form,
        look,
    };
    before(&tour, words).await;
    searching(&tour).await;
    talking(&tour, &other, words).await;
    menus(&tour, words).await;
    after(&tour, &other).await;
}

fn english(browser: Browser) -> Browser {
    Browser {
        language: "en-US",
        ..browser
    }
}

fn of_size(width: u32, height: u32) -> Browser {
    Browser {
        size: (width, height),
        ..Browser::default()
    }
}

#[test]
fn desktop() {
    Play::new("tour_desktop").run(async |stage| {
        walk(stage, "desktop-zh", &Browser::default(), Look::Schemes).await;
    });
}

#[test]
fn desktop_in_english() {
    Play::new("tour_desktop_in_english").run(async |stage| {
        let browser = english(Browser::default());
        walk(stage, "desktop-en", &browser, Look::Schemes).await;
    });
}

#[test]
fn phone() {
    Play::new("tour_phone").run(async |stage| {
        walk(stage, "phone-zh", &Browser::phone(), Look::Schemes).await;
    });
}

#[test]
fn phone_in_english() {
    Play::new("tour_phone_in_english").run(async |stage| {
        let browser = english(Browser::phone());
        walk(stage, "phone-en", &browser, Look::Schemes).await;
    });
}

#[test]
fn narrow() {
    Play::new("tour_narrow").run(async |stage| {
        walk(stage, "320px", &english(of_size(320, 640)), Look::Fit).await;
    });
}

/// 1280×720 at 200 % is a viewport of 640×360.
#[test]
fn zoomed() {
    Play::new("tour_zoomed").run(async |stage| {
        walk(stage, "zoomed", &of_size(640, 360), Look::Fit).await;
    });
}

#[test]
fn text_of_double_size_fits_too() {
    Play::new("double_text").run(async |stage| {
        let anna = stage.person_with("Anna", &english(of_size(640, 720))).await;
        let tour = Tour {
            person: &anna,
            form: "double text",
            look: Look::Fit,
        };
        // Everything is in rem, so this is what a browser's own text size does.
        let double = "document.documentElement.style.setProperty('font-size', '200%')";
        anna.goto("/").await;
        anna.ask(double, json!([])).await;
        anna.choose("gender-other").await;
        tour.stop("home").await;
        anna.find_someone().await;
        anna.ask(double, json!([])).await;
        tour.stop("matching").await;
    });
}

#[test]
fn reduced_motion_moves_nothing() {
    Play::new("reduced_motion").run(async |stage| {
        let still = Browser {
            still: true,
            ..Browser::default()
        };
        let (anna, bao) = tokio::join!(stage.person_with("Anna", &still), stage.person("Bao"));
        let moving = "document.getAnimations().filter((it) => it.playState === 'running' && it.effect.getComputedTiming().activeDuration > 20 && \
             (it.effect.getTiming().iterations === Infinity || it.effect.getKeyframes().some((frame) => frame.transform && frame.transform !== 'none'))) \
             .map((it) => `${it.animationName} ${it.effect.target.className}`)";
        let nothing = Value::Array(Vec::new());
        anna.goto("/").await;
        anna.sees("start").await;
        assert_eq!(anna.ask(moving, json!([])).await, nothing);
        anna.start().await;
        assert_eq!(anna.ask(moving, json!([])).await, nothing);
        bao.start().await;
        anna.meets("Bao").await;
        anna.says("一").await;
        bao.hears("一").await;
        bao.find("composer").await.send_keys("…").await.expect("keys");
        anna.sees("typing").await;
        assert_eq!(anna.ask(moving, json!([])).await, nothing);
        anna.message_menu("一", "mm-recall").await;
        anna.has_log(json!([null])).await;
        assert_eq!(anna.ask(moving, json!([])).await, nothing);
        // The other side has motion; nothing is lost by it.
        bao.has_log(json!([null])).await;
    });
}
