//! What administrators set for all nodes.

use miyu::domain::safety::setting::SETTING_BYTES;
use miyu::domain::safety::{Actor, AuditAct, Role, Setting, SettingName};
use miyu::store::safety::ActRefusal;

use super::*;

super::for_each_backend! {
    a_setting_is_there_until_it_is_taken_back
    only_administrators_set_anything
    a_setting_may_be_any_text
    what_was_set_meanwhile_is_not_replaced_unseen
}

async fn put<X: Backend>(world: &World<X>, name: SettingName, value: &str, by: Actor) {
    let value = Some(value.to_owned());
    let done = world
        .safety()
        .put_setting(name, value, None, by)
        .await
        .unwrap();
    assert_eq!(done, Acted::Done(()));
}

async fn a_setting_is_there_until_it_is_taken_back<X: Backend>() {
    let mut world = World::<X>::new().await;
    assert_eq!(world.safety().settings().await.unwrap(), []);
    let mei = operator(&world, "Mei", Role::Administrator).await;
    put(&world, SettingName::Templates, "[]", Actor::Local).await;
    put(&world, SettingName::Broadcast, "1", Actor::Local).await;
    world.advance(MINUTE);
    put(&world, SettingName::Broadcast, "2", Actor::Operator(mei)).await;
    let later = world.setting.now.get();
    world.crash().await;
    let found = world.safety().settings().await.unwrap();
    let broadcast = Setting {
        name: SettingName::Broadcast,
        value: "2".into(),
        at: later,
        by: Some(mei),
        // After one row for her, and two for what was put before.
        version: 4,
    };
    assert_eq!(found[0], broadcast);
    assert_eq!((found.len(), found[1].name), (2, SettingName::Templates));
    assert_eq!((found[1].value.as_str(), found[1].by), ("[]", None));
    let back = world
        .safety()
        .put_setting(SettingName::Broadcast, None, None, Actor::Operator(mei));
    assert_eq!(back.await.unwrap(), Acted::Done(()));
    let left = world.safety().settings().await.unwrap();
    assert_eq!(left, found[1..]);
    let rows = world.safety().newest_audit().await.unwrap();
    let said = |no: usize| (rows[no].what.act, rows[no].what.details.as_str());
    let act = AuditAct::SettingChanged;
    assert_eq!(said(0), (act, "broadcast taken back"));
    assert_eq!(said(1), (act, "broadcast"));
    assert_eq!(rows[0].what.by, Some(mei));
}

async fn only_administrators_set_anything<X: Backend>() {
    let world = World::<X>::new().await;
    let lin = operator(&world, "Lin", Role::Moderator).await;
    let head = world.safety().audit_head().await.unwrap();
    let refused = async |by, why| {
        for value in [Some("{}".to_owned()), None] {
            let put = world
                .safety()
                .put_setting(SettingName::Maintenance, value, None, by);
            assert_eq!(put.await.unwrap(), Acted::Refused(why));
        }
    };
    refused(Actor::Operator(lin), ActRefusal::NotAllowed).await;
    refused(Actor::Operator(OperatorId(99)), ActRefusal::NoOperator).await;
    assert_eq!(world.safety().settings().await.unwrap(), []);
    assert_eq!(world.safety().audit_head().await.unwrap(), head);
}

async fn a_setting_may_be_any_text<X: Backend>() {
    let world = World::<X>::new().await;
    for value in ["", "\0'\";--", &"語".repeat(SETTING_BYTES / 3)] {
        put(&world, SettingName::Maintenance, value, Actor::Local).await;
        assert_eq!(world.safety().settings().await.unwrap()[0].value, value);
    }
}

async fn what_was_set_meanwhile_is_not_replaced_unseen<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let name = SettingName::Templates;
    let put = async |value: Option<&str>, over| {
        let value = value.map(str::to_owned);
        let put = safety.put_setting(name, value, over, Actor::Local);
        put.await.unwrap()
    };
    let standing = async || {
        let all = safety.settings().await.unwrap();
        let found = all.into_iter().find(|it| it.name == name);
        found.map(|it| (it.value, it.version))
    };
    let changed = Acted::Refused(ActRefusal::Changed);
    assert_eq!(put(Some("a"), Some(7)).await, changed);
    assert_eq!(put(Some("a"), Some(0)).await, Acted::Done(()));
    // Of one moment, and with the same words: it is another one all the same.
    let (_, first) = standing().await.unwrap();
    assert_eq!(put(Some("a"), Some(first)).await, Acted::Done(()));
    let head = safety.audit_head().await.unwrap();
    for value in [Some("b"), None] {
        for over in [0, first] {
            assert_eq!(put(value, Some(over)).await, changed);
        }
    }
    assert_eq!(safety.audit_head().await.unwrap(), head);
    let (value, second) = standing().await.unwrap();
    assert_eq!((value.as_str(), second), ("a", head.0));
    assert!(second > first);
    assert_eq!(put(None, Some(second)).await, Acted::Done(()));
    assert_eq!(put(Some("c"), Some(second)).await, changed, "taken back");
    assert_eq!(put(Some("c"), Some(0)).await, Acted::Done(()));
    // Who does not say what they saw replaces what stands.
    assert_eq!(put(Some("d"), None).await, Acted::Done(()));
}
