//! Sanctions outside of decisions, what nodes read of them, and notices.

use miyu::domain::safety::{
    Actor, NoticeId, NoticeKind, Reason, Role, SanctionId, SanctionKind as Kind, SanctionTarget,
};
use miyu::store::safety::{ActRefusal, LISTED};

use super::*;

super::for_each_backend! {
    a_sanction_holds_until_it_ends_or_is_lifted
    lifting_is_a_row_of_its_own_and_told
    a_network_is_for_administrators
    rows_are_read_in_their_order_from_anywhere
    sanctions_in_force_come_in_stretches
    a_notice_is_confirmed_by_the_one_it_is_for
}

/// Imposes it; it must be allowed.
async fn imposed<X: Backend>(world: &World<X>, draft: SanctionDraft) -> Sanction {
    let imposing = world
        .safety()
        .impose(draft, Reason::Spam, "text".into(), Actor::Local);
    done(imposing.await)
}

async fn in_force<X: Backend>(world: &World<X>) -> Vec<Sanction> {
    let force = world
        .safety()
        .sanctions_in_force(SanctionId(0))
        .await
        .unwrap();
    assert!(!force.more);
    force.sanctions
}

async fn a_sanction_holds_until_it_ends_or_is_lifted<X: Backend>() {
    let mut world = World::<X>::new().await;
    let session = SessionId::fresh();
    let mute = imposed(&world, on(session, Kind::Mute, Some(MINUTE))).await;
    let ban = imposed(&world, on(session, Kind::Ban, None)).await;
    let note = imposed(&world, on(session, Kind::Note, None)).await;
    assert_eq!(mute.at, world.setting.now.get());
    assert!(mute.id < ban.id && ban.id < note.id);
    // Notes matter to operators alone.
    assert_eq!(in_force(&world).await, [mute, ban]);
    world.advance(MINUTE);
    assert_eq!(in_force(&world).await, [ban]);
    world.crash().await;
    assert_eq!(in_force(&world).await, [ban]);
    let lifted = world
        .safety()
        .lift_sanction(ban.id, String::new(), Actor::Local)
        .await;
    done(lifted);
    assert_eq!(in_force(&world).await, []);
    let target = SanctionTarget::Session(session);
    let on_them = world.safety().sanctions_on(target).await.unwrap();
    let ids: Vec<_> = on_them.iter().map(|it| it.id).collect();
    assert_eq!(ids, [note.id, ban.id, mute.id], "lifting rows are left out");
    let other = SanctionTarget::Session(SessionId::fresh());
    assert_eq!(world.safety().sanctions_on(other).await.unwrap(), []);
}

async fn lifting_is_a_row_of_its_own_and_told<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let session = SessionId::fresh();
    let by = operator(&world, "Mei", Role::Moderator).await;
    let ban = imposed(&world, on(session, Kind::Ban, Some(DAY))).await;
    world.advance(MINUTE);
    let lift = async |id| {
        safety
            .lift_sanction(id, "sorry".into(), Actor::Operator(by))
            .await
    };
    let lifting = done(lift(ban.id).await);
    assert_eq!(
        (lifting.lifts, lifting.target, lifting.kind),
        (Some(ban.id), ban.target, ban.kind)
    );
    assert_eq!(
        (lifting.by, lifting.at),
        (Some(by), world.setting.now.get())
    );
    let rows = safety.sanctions_since(SanctionId(0)).await.unwrap();
    let lifted = Sanction {
        lifted_by: Some(lifting.id),
        ..ban
    };
    assert_eq!(rows, [lifted, lifting]);
    for row in [ban.id, lifting.id] {
        assert_eq!(refused(lift(row).await), ActRefusal::Unfit);
    }
    assert_eq!(refused(lift(SanctionId(999)).await), ActRefusal::Unknown);
    let notices = safety.notices(session).await.unwrap();
    assert_eq!((notices.len(), notices[0].kind), (2, NoticeKind::Lifted));
    assert_eq!(
        (notices[0].text.as_str(), notices[0].sanction),
        ("sorry", Some(ban.id))
    );
    // What was not told is lifted in silence.
    let shadow = imposed(&world, on(session, Kind::ShadowMute, Some(DAY))).await;
    done(lift(shadow.id).await);
    assert_eq!(safety.notices(session).await.unwrap().len(), 2);
}

async fn a_network_is_for_administrators<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let moderator = Actor::Operator(operator(&world, "Mei", Role::Moderator).await);
    let administrator = Actor::Operator(operator(&world, "Ken", Role::Administrator).await);
    let draft = SanctionDraft {
        target: SanctionTarget::Network(networks("2001:db8::1").wide),
        kind: Kind::Ban,
        length: Some(DAY),
    };
    let impose = async |draft, by| safety.impose(draft, Reason::Spam, String::new(), by).await;
    assert_eq!(
        refused(impose(draft, moderator).await),
        ActRefusal::NotAllowed
    );
    let endless = SanctionDraft {
        length: None,
        ..draft
    };
    assert_eq!(
        refused(impose(endless, administrator).await),
        ActRefusal::NotAllowed
    );
    let ban = done(impose(draft, administrator).await);
    assert_eq!(safety.sanctions_on(draft.target).await.unwrap(), [ban]);
    let near = SanctionTarget::Network(networks("2001:db8::1").near);
    assert_eq!(safety.sanctions_on(near).await.unwrap(), []);
    let lifted = safety.lift_sanction(ban.id, String::new(), moderator).await;
    assert_eq!(refused(lifted), ActRefusal::NotAllowed);
    done(
        safety
            .lift_sanction(ban.id, String::new(), administrator)
            .await,
    );
}

async fn rows_are_read_in_their_order_from_anywhere<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(imposed(&world, on(SessionId::fresh(), Kind::Mute, None)).await);
    }
    for after in 0..=all.len() {
        let from = after.checked_sub(1).map_or(SanctionId(0), |at| all[at].id);
        assert_eq!(safety.sanctions_since(from).await.unwrap(), all[after..]);
    }
    let force = safety.sanctions_in_force(all[2].id).await.unwrap();
    assert_eq!(
        (force.sanctions.as_slice(), force.newest),
        (&all[3..], all[4].id)
    );
}

async fn sanctions_in_force_come_in_stretches<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let mut last = SanctionId(0);
    let writing: Vec<_> = (0..=LISTED)
        .map(|_| {
            let draft = on(SessionId::fresh(), Kind::Mute, None);
            safety.impose(draft, Reason::Spam, String::new(), Actor::Local)
        })
        .collect();
    for written in writing {
        last = last.max(done(written.await).id);
    }
    let first = safety.sanctions_in_force(SanctionId(0)).await.unwrap();
    assert_eq!(
        (first.sanctions.len(), first.more, first.newest),
        (LISTED, true, last)
    );
    let rest = safety
        .sanctions_in_force(first.sanctions[LISTED - 1].id)
        .await
        .unwrap();
    assert_eq!((rest.sanctions.len(), rest.more), (1, false));
    assert_eq!(safety.sanctions_since(last).await.unwrap(), []);
}

async fn a_notice_is_confirmed_by_the_one_it_is_for<X: Backend>() {
    let world = World::<X>::new().await;
    let safety = world.safety();
    let session = SessionId::fresh();
    imposed(&world, on(session, Kind::Warning, None)).await;
    let notice = safety.notices(session).await.unwrap().remove(0);
    assert_eq!((notice.to, notice.acknowledged), (session, None));
    assert!(
        !safety
            .acknowledge(SessionId::fresh(), notice.id)
            .await
            .unwrap()
    );
    assert!(
        !safety
            .acknowledge(session, NoticeId::fresh())
            .await
            .unwrap()
    );
    let first = world.setting.now.get();
    for _ in 0..2 {
        assert!(safety.acknowledge(session, notice.id).await.unwrap());
        world.advance(MINUTE);
        let notice = safety.notices(session).await.unwrap().remove(0);
        assert_eq!(notice.acknowledged, Some(first));
    }
}
