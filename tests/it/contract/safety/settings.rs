//! What administrators set for all nodes.

use miyu::domain::safety::setting::SETTING_BYTES;
use miyu::domain::safety::{Actor, AuditAct, Role, Setting, SettingName};
use miyu::store::safety::ActRefusal;

use super::*;

super::for_each_backend! {
    a_setting_is_there_until_it_is_taken_back
    only_administrators_set_anything
    a_setting_may_be_any_text
}

async fn put<X: Backend>(world: &World<X>, name: SettingName, value: &str, by: Actor) {
    let value = Some(value.to_owned());
    let done = world.safety().put_setting(name, value, by).await.unwrap();
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
    };
    assert_eq!(found[0], broadcast);
    assert_eq!((found.len(), found[1].name), (2, SettingName::Templates));
    assert_eq!((found[1].value.as_str(), found[1].by), ("[]", None));
    let back = world
        .safety()
        .put_setting(SettingName::Broadcast, None, Actor::Operator(mei));
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
                .put_setting(SettingName::Maintenance, value, by);
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
