//! Who may open a socket, and in which session: cookies, tokens, and what a handshake is refused with
//! (contract, sections 1 and 3). Origins are in [`origins`](super::origins).

use serde_json::json;

use crate::support::client::Browser;
use crate::support::http::{Answer, get_with};
use crate::support::people::{both_enter, chat, meet, session_of};
use crate::support::server::{TestServer, proxy_here};

/// The refusal, which must say the same over the API.
async fn refused(browser: &Browser, room: &str, query: &str) -> (u16, String) {
    let path = format!("/ws/chat/?room={room}{query}");
    let answer = browser.try_open(&path, &[]).await.err().expect("a refusal");
    let query = query.replacen('&', "?", 1);
    let api = browser.get(&format!("/api/rooms/{room}/{query}")).await;
    assert_eq!(
        (api.status, api.code()),
        (answer.status, answer.code()),
        "{room} {query}"
    );
    (answer.status, answer.code())
}

fn with_cookie(server: &TestServer, cookie: &str) -> Browser {
    let browser = Browser::new(server);
    browser.set_cookie(cookie);
    browser
}

#[tokio::test]
async fn the_handshake_gives_a_cookie_to_a_client_that_has_none() {
    let server = TestServer::start(proxy_here).await;
    let browser = Browser::new(&server);
    let first = browser.open("/ws/matching/").await;
    let set = first.answer().header("set-cookie").unwrap().to_owned();
    let name = format!("miyu_session_{}=", server.address.port());
    for part in [name.as_str(), "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let second = browser.open("/ws/matching/").await;
    assert_eq!(second.answer().header("set-cookie"), None, "known already");
    let https = [("X-Forwarded-Proto", "https")];
    let secure = Browser::new(&server)
        .try_open("/ws/matching/", &https)
        .await;
    let secure = secure.ok().unwrap();
    let set = secure.answer().header("set-cookie").unwrap();
    assert!(
        set.starts_with(&format!("__Host-{name}")) && set.contains("; Secure"),
        "{set}"
    );
    assert_eq!(server.app.online.count(), 2);
}

#[tokio::test]
async fn rooms_are_refused_before_the_upgrade() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let stranger = Browser::new(&server);
    stranger.get("/").await;
    for name in [
        "",
        "x",
        "1",
        "%2e%2e",
        "0190a0a0-0000-7000-8000-00000000000",
        "../../etc/passwd",
    ] {
        let path = format!("/ws/chat/?room={name}");
        let answer = stranger.try_open(&path, &[]).await.err().unwrap();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "not_a_uuid"),
            "{name}"
        );
    }
    let unnamed = stranger
        .try_open("/ws/chat/?room", &[])
        .await
        .err()
        .unwrap();
    assert_eq!(unnamed.status, 400);
    let bad = format!("{}&after=-1", ming.path());
    let answer = ming.browser.try_open(&bad, &[]).await.err().unwrap();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "invalid_after")
    );
    let refusal = refused(&Browser::forgetful(&server), ming.room(), "").await;
    assert_eq!(refusal, (401, "no_identity".into()));
    assert_eq!(
        refused(&stranger, ming.room(), "").await,
        (403, "not_a_member".into())
    );
}

#[tokio::test]
async fn another_clients_user_id_opens_nothing() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    let stranger = Browser::new(&server);
    stranger.get("/").await;
    let query = format!("&user_id={}", ming.user_id());
    assert_eq!(refused(&stranger, ming.room(), &query).await.0, 403);
    // The other side's name does not make anybody the other side.
    let mut socket = ming.enter(&format!("&user_id={}", mei.user_id())).await;
    assert_eq!(socket.expect("room_state").await["user_id"], ming.user_id());
}

#[tokio::test]
async fn a_token_is_enough_and_names_its_side() {
    let server = TestServer::start(|_| {}).await;
    let (ming, mei) = meet(&server).await;
    let anybody = Browser::forgetful(&server);
    let path = format!("/ws/chat/{}/?token={}", ming.room(), ming.token());
    let mut a = anybody.open(&path).await;
    assert_eq!(a.expect("room_state").await["user_id"], ming.user_id());
    // More than the cookie's side: it was handed out for that.
    let path = format!("{}&token={}", mei.path(), mei.token());
    let mut b = ming.browser.open(&path).await;
    assert_eq!(b.expect("room_state").await["user_id"], mei.user_id());
    a.expect("partner_status").await;
    let say = json!({"content": "x", "client_id": "c-1"});
    let frame = json!({"action": "send_message", "user_id": ming.user_id(), "message": say});
    b.send(frame).await;
    b.expect_error("not_a_member").await;
    b.say("as mei", "c-1").await;
    let heard = a.expect("new_message").await;
    assert_eq!(heard["message"]["sender_id"], mei.user_id());
}

#[tokio::test]
async fn forged_and_foreign_tokens_open_nothing() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let (elsewhere, _) = meet(&server).await;
    let token = ming.token();
    let cut = &token[..token.len() - 1];
    let mut changed = token.to_owned().into_bytes();
    changed[24] = if changed[24] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let cookie = ming.browser.cookie().unwrap();
    let (_, session) = cookie.split_once('=').unwrap();
    let nobody = Browser::forgetful(&server);
    let stranger = Browser::new(&server);
    stranger.get("/").await;
    for forged in [cut, &changed, session, "", "%00", "AAAA"] {
        let query = format!("&token={forged}");
        assert_eq!(
            refused(&nobody, ming.room(), &query).await.0,
            401,
            "{forged}"
        );
        assert_eq!(
            refused(&stranger, ming.room(), &query).await.0,
            403,
            "{forged}"
        );
        // A client that has the cookie needs no token, so a bad one does no harm.
        ming.enter(&query).await.expect("room_state").await;
    }
    let foreign = format!("&token={}", elsewhere.token());
    assert_eq!(refused(&nobody, ming.room(), &foreign).await.0, 403);
    assert_eq!(refused(&stranger, ming.room(), &foreign).await.0, 403);
    ming.enter(&foreign).await.expect("room_state").await;
}

#[tokio::test]
async fn forged_cookies_name_no_session() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let cookie = ming.browser.cookie().unwrap();
    let (name, value) = cookie.split_once('=').unwrap();
    let mut changed = value.to_owned().into_bytes();
    changed[3] = if changed[3] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let forged = [
        format!("{name}={}", &value[..value.len() - 2]),
        format!("{name}={changed}"),
        format!("{name}={}", ming.token()),
        format!("{name}={value}{value}"),
        format!("__Host-{cookie}"),
        format!("MIYU_SESSION={value}"),
        format!("{name}="),
    ];
    for forged in forged {
        let browser = with_cookie(&server, &forged);
        let answer = browser.try_open(&ming.path(), &[]).await.err().unwrap();
        assert_eq!(answer.status, 401, "{forged}");
        // On the matching socket it is a new session.
        let browser = with_cookie(&server, &forged);
        let socket = browser.open("/ws/matching/").await;
        assert!(socket.answer().cookie().is_some_and(|new| new != cookie));
    }
    // Between others, or twice, it is still found.
    for around in [
        format!("a=b; {cookie}; c=\"d\""),
        format!("{name}=AAAA; {cookie}"),
    ] {
        let browser = with_cookie(&server, &around);
        browser.open(&ming.path()).await.expect("room_state").await;
    }
}

#[tokio::test]
async fn another_servers_cookies_and_tokens_are_worth_nothing() {
    let server = TestServer::start(|_| {}).await;
    let other = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let (yan, _) = meet(&other).await;
    let browser = with_cookie(&server, &yan.browser.cookie().unwrap());
    let query = format!("&token={}", yan.token());
    assert_eq!(refused(&browser, ming.room(), &query).await.0, 401);
}

#[tokio::test]
async fn sockets_are_no_pages() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let cookie = ming.browser.cookie().unwrap();
    for path in ["/ws/matching/".to_owned(), ming.path()] {
        let answer = get_with(server.address, &path, &[("Cookie", &cookie)]).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (426, "not_a_handshake")
        );
    }
}

#[tokio::test]
async fn one_session_in_two_rooms_is_kept_apart() {
    let server = TestServer::start(|_| {}).await;
    let first = chat(&server).await;
    let (ming, yan) = {
        let yan = Browser::new(&server);
        let again = json!({"user_id": "ming-again"});
        crate::support::people::pair((&first.ming.browser, again), (&yan, json!({}))).await
    };
    let (mut a, mut b) = both_enter(&ming, &yan).await;
    a.say("in the second room", "c-1").await;
    assert_eq!(
        a.expect("new_message").await["message"]["sender_id"],
        "ming-again"
    );
    b.expect("new_message").await;
    let mut first = first;
    first.a.nothing_more().await;
    first.b.nothing_more().await;
    assert_eq!(refused(&yan.browser, first.ming.room(), "").await.0, 403);
    assert_ne!(first.ming.user_id(), ming.user_id());
}

/// What each way to ask makes of a request: the page and the API by the cookie that they set, or not; the
/// sockets by whose connection they count.
async fn known_everywhere(server: &TestServer, cookie: Option<&str>) -> [bool; 4] {
    let named = |headers: &mut Vec<(&'static str, String)>| {
        headers.extend(cookie.map(|cookie| ("Cookie", cookie.to_owned())));
    };
    let mut headers = Vec::new();
    named(&mut headers);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let page = get_with(server.address, "/", &headers).await;
    let api = get_with(server.address, "/api/rooms/", &headers).await;
    let browser = Browser::forgetful(server);
    let sets = |answer: &Answer| answer.header("set-cookie").is_some();
    let search = browser.try_open("/ws/matching/", &headers).await;
    let search = search.unwrap_or_else(|refused| panic!("{}", refused.text()));
    let chat = browser.try_open("/ws/chat/", &headers).await;
    let chat = chat.unwrap_or_else(|refused| panic!("{}", refused.text()));
    [
        !sets(&page),
        !sets(&api),
        search.answer().header("set-cookie").is_none(),
        chat.answer().header("set-cookie").is_none(),
    ]
}

#[tokio::test]
async fn pages_the_api_and_both_sockets_know_the_same_browsers() {
    let server = TestServer::start(|_| {}).await;
    let (ming, _) = meet(&server).await;
    let good = ming.browser.cookie().unwrap();
    let other = TestServer::start(|_| {}).await;
    let (stranger, _) = meet(&other).await;
    let foreign = stranger.browser.cookie().unwrap();
    let cut = &good[..good.len() - 1];
    let planted = format!("miyu_session=x; {good}");
    for (cookie, known) in [
        (None, false),
        (Some(good.as_str()), true),
        (Some(planted.as_str()), true),
        (Some(foreign.as_str()), false),
        (Some(cut), false),
        (Some("miyu_session="), false),
    ] {
        let told = known_everywhere(&server, cookie).await;
        assert_eq!(told, [known; 4], "{cookie:?}");
    }
    // A session that was revoked a moment ago is unknown to all of them, too.
    let session = session_of(&server, &ming);
    server.app.revoked.insert(session);
    assert_eq!(known_everywhere(&server, Some(&good)).await, [false; 4]);
}
