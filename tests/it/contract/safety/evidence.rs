//! Evidence: what is frozen, what extends it, what it outlives.

use miyu::domain::id::Seq;
use miyu::domain::safety::evidence::EVIDENCE_ENTRIES;
use miyu::domain::safety::{Actor, Evidence, Reason, ReportDraft, TextClaim};
use miyu::domain::{EntryKind, MessageRef, Reaction};
use miyu::store::safety::{About, HandDraft, Reported};
use miyu::store::{Draft, ReactionDraft};

use super::*;
use crate::support::store::{content, rules, seqs};

super::for_each_backend! {
    evidence_is_the_room_as_it_was
    a_recall_does_not_reach_evidence
    later_reports_extend_evidence_and_change_nothing_of_it
    at_most_so_many_entries_are_frozen
    both_sides_networks_are_kept_with_it
    evidence_outlives_its_room
    a_case_by_hand_freezes_a_room
}

async fn evidence<X: Backend>(world: &World<X>, room: RoomId) -> Evidence {
    let case = only_case(world).await.id;
    let evidence = world.safety().evidence(case, room).await.unwrap();
    evidence.expect("evidence")
}

async fn evidence_is_the_room_as_it_was<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    let room = pairing.room;
    world.say(room, A, "a", "one").await;
    let reply = Draft {
        unheard: false,
        reply_to: Some(MessageRef::Seq(Seq(1))),
        ..crate::support::store::draft(room, B, "b", "two")
    };
    world.store().append(reply).await.unwrap();
    let store = world.store();
    let to = MessageRef::Seq(Seq(2));
    let sad = ReactionDraft::heard(room, A, to, Some(Reaction::Sad));
    store.react(sad).await.unwrap();
    store
        .recall(room, A, MessageRef::Seq(Seq(1)), None)
        .await
        .unwrap();
    let claim = TextClaim {
        seq: Seq(1),
        content: "one".into(),
        verified: true,
    };
    let report_of_it = ReportDraft {
        claims: vec![claim.clone()],
        chosen: Chosen::Messages(vec![Seq(2)]),
        ..draft(&pairing, Reason::Harassment)
    };
    report(&world, &report_of_it).await;
    let kept = evidence(&world, room).await;
    assert_eq!(kept.entries, world.replay(room, A).await);
    assert_eq!(
        kept.sessions,
        pairing.parties.each_ref().map(|it| it.session)
    );
    assert_eq!(
        kept.personas,
        pairing.parties.each_ref().map(|it| it.persona.clone())
    );
    assert_eq!((kept.room, kept.at), (room, world.setting.now.get()));
    assert_eq!((kept.damaged, kept.networks), (false, [None, None]));
    let case = only_case(&world).await.id;
    let report = &file(&world, case).await.reports[0];
    assert_eq!(report.claims, [claim]);
    assert_eq!(report.chosen, report_of_it.chosen);
}

async fn a_recall_does_not_reach_evidence<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, B, "b", "what was said").await;
    report(&world, &draft(&pairing, Reason::Sexual)).await;
    let target = MessageRef::Seq(Seq(1));
    world
        .store()
        .recall(pairing.room, B, target, None)
        .await
        .unwrap();
    let kept = evidence(&world, pairing.room).await;
    assert_eq!(content(&kept.entries[0]), Some("what was said"));
    assert_eq!(content(&world.replay(pairing.room, A).await[0]), None);
    // Nor does what the report adds later.
    let again = draft(&pairing, Reason::Sexual);
    let already = world.safety().report(again).await.unwrap();
    assert!(matches!(already, Reported::Already(_)));
    let kept = evidence(&world, pairing.room).await;
    assert_eq!(content(&kept.entries[0]), Some("what was said"));
    assert!(matches!(kept.entries[1].kind, EntryKind::Recall { .. }));
}

async fn later_reports_extend_evidence_and_change_nothing_of_it<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, B, "1", "before").await;
    report(&world, &draft(&pairing, Reason::Sexual)).await;
    let first = evidence(&world, pairing.room).await;
    world.advance(MINUTE);
    world.say(pairing.room, B, "2", "after").await;
    world
        .safety()
        .report(draft(&pairing, Reason::Sexual))
        .await
        .unwrap();
    let extended = evidence(&world, pairing.room).await;
    assert_eq!(seqs(&extended.entries), [1, 2]);
    assert_eq!(extended.entries[..1], first.entries);
    assert_eq!(extended.at, first.at);
    // Another case has evidence of its own: the other side's view of the same room.
    let back = ReportDraft {
        reporter: pairing.parties[1].session,
        side: B,
        ..draft(&pairing, Reason::Other)
    };
    report(&world, &back).await;
    for case in queue(&world).await {
        let kept = world
            .safety()
            .evidence(case.id, pairing.room)
            .await
            .unwrap();
        assert_eq!(seqs(&kept.unwrap().entries), [1, 2]);
    }
}

async fn at_most_so_many_entries_are_frozen<X: Backend>() {
    let mut rules = rules();
    rules.room_entries = 1000;
    let world = World::<X>::with(rules).await;
    let pairing = world.room().await;
    let count = EVIDENCE_ENTRIES as u64 + 50;
    for number in 1..=count {
        world
            .say(pairing.room, A, &number.to_string(), "word")
            .await;
    }
    let around = ReportDraft {
        chosen: Chosen::Messages(vec![Seq(3)]),
        ..draft(&pairing, Reason::Spam)
    };
    report(&world, &around).await;
    let kept = seqs(&evidence(&world, pairing.room).await.entries);
    assert_eq!(kept, (1..=EVIDENCE_ENTRIES as u64).collect::<Vec<_>>());
    world
        .safety()
        .report(draft(&pairing, Reason::Spam))
        .await
        .unwrap();
    let kept = seqs(&evidence(&world, pairing.room).await.entries);
    assert_eq!(kept, (1..=count).collect::<Vec<_>>());
}

async fn both_sides_networks_are_kept_with_it<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    let safety = world.safety();
    let [first, newest, other] = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(networks);
    safety.note_networks(pairing.room, A, first).await.unwrap();
    safety.note_networks(pairing.room, A, newest).await.unwrap();
    // A room that is not there is no matter.
    safety
        .note_networks(RoomId::fresh(), A, first)
        .await
        .unwrap();
    report(&world, &draft(&pairing, Reason::Spam)).await;
    let kept = evidence(&world, pairing.room).await;
    assert_eq!(kept.networks, [Some(newest), None]);
    // What is known later is added, and nothing is replaced.
    safety.note_networks(pairing.room, A, first).await.unwrap();
    safety.note_networks(pairing.room, B, other).await.unwrap();
    safety.report(draft(&pairing, Reason::Spam)).await.unwrap();
    let kept = evidence(&world, pairing.room).await;
    assert_eq!(kept.networks, [Some(newest), Some(other)]);
}

async fn evidence_outlives_its_room<X: Backend>() {
    let mut world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, B, "b", "kept for the case").await;
    report(&world, &draft(&pairing, Reason::Sexual)).await;
    let before = evidence(&world, pairing.room).await;
    erase_room(&world, pairing.room).await;
    assert_eq!(evidence(&world, pairing.room).await, before);
    world.crash().await;
    assert_eq!(evidence(&world, pairing.room).await, before);
    // It has its own end, long after nothing was decided.
    world.advance(400 * DAY);
    while world.safety().sweep_safety().await.unwrap() {}
    assert_eq!(evidence(&world, pairing.room).await, before);
}

async fn a_case_by_hand_freezes_a_room<X: Backend>() {
    let world = World::<X>::new().await;
    let pairing = world.room().await;
    world.say(pairing.room, A, "a", "seen by a parent").await;
    let by_hand = HandDraft {
        by: Actor::Local,
        about: About::Side(pairing.room, A),
        reason: Reason::Minor,
        note: "a call".into(),
    };
    let id = done(world.safety().open_by_hand(by_hand).await);
    let case = only_case(&world).await;
    assert_eq!((case.id, case.subject), (id, pairing.parties[0].session));
    let kept = evidence(&world, pairing.room).await;
    assert_eq!(content(&kept.entries[0]), Some("seen by a parent"));
}
