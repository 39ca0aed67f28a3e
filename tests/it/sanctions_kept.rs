//! A new session key forgets no one who is banned: who is banned is kept in the data, by a key that lies there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use miyu::domain::safety::SanctionKind;

use crate::support::client::Browser;
use crate::support::reporting::refusal;
use crate::support::safety::{
    Data, Guarded, for_each_data, on_network, on_session, session_of_browser,
};
use crate::support::server::proxy_here;

const HOUR: Duration = Duration::from_secs(3600);
const FIRST: &str = "b0d5ff0d1a3f2f83a4a0f0dbe0c1a9e26fcf11f2b8b9de0f0e4c5ac44b0a7d19";
const SECOND: &str = "4c27ab0f90d3b76ee11d2f5a05c3b1948d6a7fe2c09b35d81f42e6a3c7d05b8e";
const RAID: &str = "203.0.113.7";

for_each_data! {
    a_new_session_key_forgets_no_ban
}

/// Writes a session key of these digits.
fn put_key(file: &Path, digits: &str) {
    std::fs::write(file, digits).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn is_refused(browser: &Browser, headers: &[(&str, &str)]) {
    let opened = browser.try_open("/ws/matching/", headers).await;
    let refused = opened.err().map(|answer| refusal(&answer));
    assert_eq!(refused, Some((403, "banned".to_owned())));
}

async fn a_new_session_key_forgets_no_ban(data: Data) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("session.key");
    put_key(&file, FIRST);
    let site = Guarded::start_with(data, |config| {
        proxy_here(config);
        config.session.key_file = Some(file.clone());
    })
    .await;
    let browser = Browser::new(&site.server);
    browser.get("/").await;
    let cookie = browser.cookie().unwrap();
    let session = session_of_browser(&site.server, &browser);
    site.impose(on_session(session, SanctionKind::Ban, None))
        .await;
    let ban = on_network(&*site.safety, RAID, SanctionKind::Ban, HOUR).await;
    site.impose(ban).await;
    let raid = [("x-forwarded-for", RAID)];
    let fresh = |site: &Guarded| Browser::new(&site.server);
    site.soon(async || fresh(&site).try_open("/ws/matching/", &raid).await.is_err())
        .await;
    is_refused(&browser, &[]).await;

    put_key(&file, SECOND);
    let site = site.restart().await;
    is_refused(&fresh(&site), &raid).await;
    let there = RAID.parse().unwrap();
    let door = &site.server.app.door;
    assert!(
        door.against(Some(session), [127, 0, 0, 1].into())
            .ban
            .is_some()
    );
    assert!(door.against(None, there).ban.is_some());
    // What the other key has signed names no one here: a browser whose cookie was thrown away.
    let copy = fresh(&site);
    copy.set_cookie(&cookie);
    assert!(copy.try_open("/ws/matching/", &[]).await.is_ok());

    put_key(&file, FIRST);
    let site = site.restart().await;
    is_refused(&fresh(&site), &raid).await;
    let copy = fresh(&site);
    copy.set_cookie(&cookie);
    is_refused(&copy, &[]).await;
}
