//! Which searches are paired, over the socket: wishes, tags, patience, repeats, blocks, two tabs (contract,
//! section 2, rules 1 to 4). The pool's own suite has the finer cases.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Browser, Socket};
use crate::support::people::{Person, chat, pair, start};
use crate::support::server::TestServer;

/// Patience so long that no test lives to see its end.
const LONG: Duration = Duration::from_secs(600);

async fn patient() -> TestServer {
    TestServer::start(|config| {
        config.matching.tag_patience = LONG;
        config.matching.repeat_patience = LONG;
    })
    .await
}

/// Starts a search; the socket and the first answer.
async fn search(browser: &Browser, changes: Value) -> (Socket, Value) {
    let mut socket = browser.open("/ws/matching/").await;
    socket.send(start(changes)).await;
    let first = socket.next().await;
    (socket, first)
}

async fn waits(server: &TestServer, changes: Value) -> Socket {
    waits_in(&Browser::new(server), changes).await
}

async fn waits_in(browser: &Browser, changes: Value) -> Socket {
    let (socket, first) = search(browser, changes).await;
    assert_eq!(first["action"], "waiting_for_match", "{first}");
    socket
}

/// Comes and meets this one, who waited.
async fn meets(server: &TestServer, changes: Value, waiting: &mut Socket) -> (Value, Value) {
    meets_in(&Browser::new(server), changes, waiting).await
}

async fn meets_in(browser: &Browser, changes: Value, waiting: &mut Socket) -> (Value, Value) {
    let (_, came) = search(browser, changes).await;
    assert_eq!(came["action"], "match_found", "{came}");
    let waited = waiting.until("match_found").await;
    assert_eq!(came["room_id"], waited["room_id"], "met somebody else");
    (came, waited)
}

fn wish(gender: &str, wish: &str) -> Value {
    json!({"gender": gender, "preferredGender": wish})
}

#[tokio::test]
async fn gender_wishes_hold_on_both_sides() {
    let server = patient().await;
    let mut man = waits(&server, wish("male", "female")).await;
    let mut picky = waits(&server, wish("female", "other")).await;
    man.nothing_more().await;
    meets(&server, wish("female", "male"), &mut man).await;
    meets(&server, wish("other", "female"), &mut picky).await;
    let mut other = waits(&server, wish("male", "all")).await;
    meets(&server, wish("female", "all"), &mut other).await;
}

#[tokio::test]
async fn a_language_is_looked_for_first_and_hides_no_person_afterwards() {
    let speaks = |tags: &[&str]| json!({"languages": tags});
    let server = patient().await;
    let mut chinese = waits(&server, speaks(&["zh-TW"])).await;
    let _english = waits(&server, speaks(&["en-US", "de"])).await;
    chinese.nothing_more().await;
    let (came, waited) = meets(&server, speaks(&["ja", "zh-CN"]), &mut chinese).await;
    for told in [came, waited] {
        assert!(!told.to_string().contains("languages"), "{told}");
    }
    // Clients of the original name none, and one that is not of the pages is none.
    let server = patient().await;
    let mut japanese = waits(&server, speaks(&["ja"])).await;
    meets(&server, json!({"languages": "en"}), &mut japanese).await;
    let mut japanese = waits(&server, speaks(&["ja"])).await;
    meets(&server, speaks(&["kl"]), &mut japanese).await;

    let server = TestServer::start(|config| {
        config.matching.tag_patience = Duration::from_millis(300);
    })
    .await;
    let (mut one, told) = search(&Browser::new(&server), speaks(&["ja"])).await;
    assert_eq!(told["phase"], "shared_tags");
    let mut other = waits(&server, speaks(&["en"])).await;
    one.until("match_found").await;
    other.until("match_found").await;
}

#[tokio::test]
async fn a_name_arrives_with_the_joiners_it_needs_and_no_others() {
    let server = patient().await;
    for (typed, read) in [
        ("علی\u{200C}رضا", "علی\u{200C}رضا"),
        ("ශ්\u{200D}රී", "ශ්\u{200D}රී"),
        ("❤\u{FE0F}", "❤\u{FE0F}"),
        ("An\u{200D}n\u{200C}a\u{FE0F}", "Anna"),
        ("\u{200D}\u{FE0F}\u{3164}", "匿名用戶"),
    ] {
        let mut waiting = waits(&server, json!({})).await;
        let (_, waited) = meets(&server, json!({"nickname": typed}), &mut waiting).await;
        assert_eq!(waited["matched_user"]["nickname"], read, "{typed:?}");
    }
}

#[tokio::test]
async fn profiles_never_refuse_anybody() {
    let server = patient().await;
    let odd = json!({
        "nickname": {"a": 1}, "avatar": "21", "mood": 7, "gender": "robot", "tags": "音樂",
        "preferredGender": ["male"], "session_id": "s-1", "companion": "auto", "more": null,
    });
    let mut waiting = waits(&server, odd).await;
    let plain = json!({"avatar": 7, "nickname": "  a\tb\u{200B}\u{202E}  c ", "gender": "other"});
    let (came, waited) = meets(&server, plain, &mut waiting).await;
    let default =
        json!({"nickname": "匿名用戶", "avatar": "1", "mood": "neutral", "gender": "other"});
    assert_eq!(came["matched_user"], default);
    assert_eq!(waited["matched_user"]["avatar"], "7", "a number will do");
    assert_eq!(waited["matched_user"]["nickname"], "a b c");
}

#[tokio::test]
async fn neither_blank_names_nor_the_staffs_are_taken() {
    let server = TestServer::start(|config| config.site.name = "Lantern House".into()).await;
    for name in [
        "\u{2800}\u{3164}",
        "\u{301}\u{20DD}",
        "Admin",
        "Аdmіn",
        "線上客服",
        "lantern house",
        "m.o.d.e.r.a.t.o.r",
    ] {
        let (ming, mei) = (Browser::new(&server), Browser::new(&server));
        let played = json!({"nickname": name});
        let (mut waiting, _) = search(&ming, played).await;
        let (mut coming, first) = search(&mei, json!({"nickname": "Calm Lantern"})).await;
        let seen = match first["action"] == "match_found" {
            true => first,
            false => coming.until("match_found").await,
        };
        assert_eq!(seen["matched_user"]["nickname"], "匿名用戶", "{name}");
        let other = waiting.until("match_found").await;
        assert_eq!(other["matched_user"]["nickname"], "Calm Lantern");
    }
}

#[tokio::test]
async fn long_nicknames_are_cut_and_markup_is_only_text() {
    let server = patient().await;
    let long = "字".repeat(80);
    let mut waiting = waits(&server, json!({"nickname": long})).await;
    let html = "<img src=x onerror=alert(1)>&\"'";
    let (came, waited) = meets(&server, json!({"nickname": html}), &mut waiting).await;
    let kept = came["matched_user"]["nickname"].as_str().unwrap();
    assert_eq!(kept.chars().count(), 50);
    assert_eq!(waited["matched_user"]["nickname"], html);
}

#[tokio::test]
async fn a_shared_tag_is_found_whatever_its_spelling() {
    let server = patient().await;
    // A free tag counts when three others wait with it.
    let third = json!({"tags": ["rust"], "preferredGender": "female"});
    let _third = waits(&server, third.clone()).await;
    let _fourth = waits(&server, third).await;
    let mut waiting = waits(&server, json!({"tags": ["Rust", "音樂", "貓"]})).await;
    let spelled = json!({"tags": ["ＲＵＳＴ", " Music ", "狗", "貓"]});
    let (came, waited) = meets(&server, spelled, &mut waiting).await;
    let common = came["common_tags"].as_array().unwrap();
    assert_eq!(common.len(), 2, "a fourth tag does not count: {came}");
    assert_eq!(came["common_tags"], waited["common_tags"]);
}

#[tokio::test]
async fn tagged_people_meet_none_without_their_tags() {
    let server = patient().await;
    let mut music = waits(&server, json!({"tags": ["音樂"]})).await;
    let _film = waits(&server, json!({"tags": ["電影"]})).await;
    let _plain = waits(&server, json!({})).await;
    music.nothing_more().await;
    meets(&server, json!({"tags": ["旅行", "音樂"]}), &mut music).await;
}

#[tokio::test]
async fn most_shared_tags_win() {
    let server = patient().await;
    // Men who look for women do not meet each other meanwhile.
    let man = |tags| json!({"preferredGender": "female", "tags": tags});
    let woman = |tags| json!({"gender": "female", "tags": tags});
    let mut one = waits(&server, man(["音樂", "旅行"])).await;
    let mut two = waits(&server, man(["音樂", "電影"])).await;
    let _later = waits(&server, man(["音樂", "美食"])).await;
    meets(&server, woman(["電影", "音樂"]), &mut two).await;
    meets(&server, woman(["旅行", "音樂"]), &mut one).await;
}

#[tokio::test]
async fn an_untagged_arrival_waits_for_the_tagged_ones_patience() {
    let server = TestServer::start(|config| {
        config.matching.tag_patience = Duration::from_millis(400);
        config.matching.repeat_patience = LONG;
    })
    .await;
    let mut tagged = waits(&server, json!({"tags": ["音樂"]})).await;
    let mut plain = waits(&server, json!({})).await;
    // No new search comes: the one whose patience ends finds the other.
    let waited = tagged.until("match_found").await;
    let came = plain.until("match_found").await;
    assert_eq!(came["room_id"], waited["room_id"]);
    assert_eq!(came["common_tags"], json!([]));
}

#[tokio::test]
async fn equal_user_ids_are_told_apart() {
    let server = patient().await;
    let mut ming = waits(&server, json!({"user_id": "same"})).await;
    let (came, waited) = meets(&server, json!({"user_id": "same"}), &mut ming).await;
    assert_eq!(waited["user_id"], "same", "who waited keeps the name");
    assert_ne!(came["user_id"], "same");
}

#[tokio::test]
async fn two_tabs_meet_when_no_other_search_fits() {
    let server = patient().await;
    let browser = Browser::new(&server);
    let mut first = waits_in(&browser, json!({"user_id": "tab-1"})).await;
    let (came, waited) = meets_in(&browser, json!({"user_id": "tab-2"}), &mut first).await;
    assert_eq!(came["same_session"], true);
    assert_eq!(waited["same_session"], true);
    assert_eq!(came["user_id"], "tab-2");
    assert_ne!(came["token"], waited["token"]);
}

#[tokio::test]
async fn two_tabs_prefer_strangers() {
    let server = patient().await;
    let browser = Browser::new(&server);
    let mut tab = waits_in(&browser, json!({"gender": "male"})).await;
    let stranger = json!({"gender": "female", "preferredGender": "female"});
    let mut stranger = waits(&server, stranger).await;
    // The tab waits longer, but it is this browser's own.
    let second = json!({"gender": "female"});
    let (found, _) = meets_in(&browser, second, &mut stranger).await;
    assert_eq!(found["same_session"], false);
    tab.nothing_more().await;
}

#[tokio::test]
async fn two_tabs_never_meet_where_that_is_switched_off() {
    let server = TestServer::start(|config| config.matching.same_session = false).await;
    let browser = Browser::new(&server);
    let tab = |id: &str, gender| json!({"user_id": id, "gender": gender});
    let mut first = waits_in(&browser, tab("tab-1", "male")).await;
    let mut second = waits_in(&browser, tab("tab-2", "female")).await;
    first.nothing_more().await;
    meets(&server, wish("male", "male"), &mut first).await;
    meets(&server, wish("male", "female"), &mut second).await;
}

/// Both leave their room and search again.
async fn part(mut talking: crate::support::people::Chatting, how: &str) -> (Person, Person) {
    talking.a.send(json!({"action": how})).await;
    talking.a.until("user_left").await;
    let left = talking.b.until("user_left").await;
    assert_eq!(left["reason"], "left", "next and block look the same");
    talking.a.close().await;
    talking.b.close().await;
    (talking.ming, talking.mei)
}

#[tokio::test]
async fn recent_partners_meet_again_only_after_long_patience() {
    let server = TestServer::start(|config| {
        config.matching.repeat_patience = Duration::from_millis(700);
    })
    .await;
    let (ming, mei) = part(chat(&server).await, "find_next").await;
    let mut one = waits_in(&ming.browser, json!({})).await;
    let mut two = waits_in(&mei.browser, json!({})).await;
    let first = one.until("match_found").await;
    let second = two.until("match_found").await;
    assert_eq!(first["room_id"], second["room_id"]);
    assert_ne!(first["room_id"], ming.found["room_id"]);
    // Not even now: to tell that these two met before is to link two rooms.
    assert_eq!(first["met_before"], false);
    assert_eq!(second["met_before"], false);
}

#[tokio::test]
async fn a_partner_who_was_blocked_is_never_met_again() {
    let server = TestServer::start(|config| {
        config.matching.repeat_patience = Duration::ZERO;
    })
    .await;
    let (ming, mei) = part(chat(&server).await, "block").await;
    let mut one = waits_in(&ming.browser, json!({})).await;
    let mut two = waits_in(&mei.browser, json!({})).await;
    one.nothing_more().await;
    two.nothing_more().await;
    // Not after a restart either, in either order.
    let server = server.restart().await;
    let (ming, mei) = (ming.browser.moved(&server), mei.browser.moved(&server));
    let mut two = waits_in(&mei, wish("female", "all")).await;
    let mut one = waits_in(&ming, wish("male", "all")).await;
    let (found, _) = meets(&server, wish("male", "female"), &mut two).await;
    assert_eq!(found["met_before"], false);
    meets(&server, wish("male", "male"), &mut one).await;
}

#[tokio::test]
async fn between_two_tabs_neither_blocks_nor_recent_partners_count() {
    let server = patient().await;
    let browser = Browser::new(&server);
    let ids = [json!({"user_id": "tab-1"}), json!({"user_id": "tab-2"})];
    for _ in 0..2 {
        let [one, two] = ids.clone();
        let (first, _) = pair((&browser, one), (&browser, two)).await;
        let mut socket = first.enter("&user_id=tab-1").await;
        socket.send(json!({"action": "block"})).await;
        socket.until("user_left").await;
        socket.close().await;
    }
}
