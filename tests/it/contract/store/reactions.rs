//! Reactions: one a side and message, entered, changed, taken back, and gone with the message.

use std::sync::Arc;

use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{
    Entry, EntryKind, LeaveReason, MessageRef, REACTION_ENTRIES, Reaction, Reaction as R,
};
use miyu::store::{
    Appended, Draft, Hearing, PageLimit, Reacted, ReactionDraft, Recalled, Refusal, StoreError,
};

use super::Sqlite;
use super::message_ops::recall;
use crate::support::store::{Backend, World, rules, seqs};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    a_reaction_is_an_entry_and_holds_alone
    setting_the_same_again_is_no_entry
    a_recall_erases_reactions_to_the_message
    reactions_to_a_hidden_message_are_left_out
    a_reaction_is_refused_for_many_reasons
    a_side_may_change_its_mind_so_often_and_take_back_always
    a_full_room_takes_no_reaction_but_gives_it_back
    data_at_its_greatest_size_takes_no_reaction_but_gives_it_back
    reactions_at_once_take_their_places_in_the_order_of_the_calls
    reactions_go_with_the_room
    a_page_ends_by_the_bytes_of_reactions_too
    of_a_reaction_that_is_not_heard_the_other_side_is_told_what_ended
    reactions_to_what_was_not_heard_are_not_heard
}

fn to(seq: u64) -> MessageRef {
    MessageRef::Seq(Seq(seq))
}

fn kind(side: Side, target: u64, reaction: Option<Reaction>) -> EntryKind {
    let target = Seq(target);
    EntryKind::Reaction {
        side,
        target,
        reaction,
    }
}

async fn react<X: Backend>(
    world: &World<X>,
    room: RoomId,
    side: Side,
    target: u64,
    reaction: impl Into<Option<Reaction>>,
) -> Reacted {
    let reacting = react_to(world, room, side, to(target), reaction.into());
    reacting.await.unwrap()
}

async fn react_to<X: Backend>(
    world: &World<X>,
    room: RoomId,
    side: Side,
    target: MessageRef,
    reaction: Option<Reaction>,
) -> Result<Reacted, StoreError> {
    let draft = ReactionDraft::heard(room, side, target, reaction);
    world.store().react(draft).await
}

/// The same; it must be entered.
async fn reacts<X: Backend>(
    world: &World<X>,
    room: RoomId,
    side: Side,
    target: u64,
    reaction: impl Into<Option<Reaction>>,
) -> Entry {
    match react(world, room, side, target, reaction).await {
        Reacted::Done(entry) => Arc::unwrap_or_clone(entry),
        other => panic!("not entered: {other:?}"),
    }
}

/// What the log of a room says from its `from`th entry on, which is the same for both sides.
async fn tail<X: Backend>(world: &World<X>, room: RoomId, from: usize) -> Vec<EntryKind> {
    let [ours, theirs] = [world.replay(room, A).await, world.replay(room, B).await];
    assert_eq!(ours, theirs);
    let kinds = ours.into_iter().skip(from - 1).map(|entry| entry.kind);
    kinds.collect()
}

async fn a_reaction_is_an_entry_and_holds_alone<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let entry = reacts(&world, room, B, 1, R::Heart).await;
    assert_eq!(entry.seq, Seq(2));
    assert_eq!(entry.kind, kind(B, 1, Some(R::Heart)));
    assert_eq!(world.sink().of(room).last(), Some(&entry));
    // One's own message can be reacted to as well, also under the name that its sender gave it.
    let named = MessageRef::ClientId("a1".into());
    let own = react_to(&world, room, A, named, Some(R::Laugh)).await;
    let Ok(Reacted::Done(own)) = own else {
        panic!("not entered: {own:?}");
    };
    assert_eq!(own.kind, kind(A, 1, Some(R::Laugh)));
    reacts(&world, room, B, 1, R::Wow).await;
    reacts(&world, room, A, 1, None).await;
    let expected = [
        kind(B, 1, None),
        kind(A, 1, None),
        kind(B, 1, Some(R::Wow)),
        kind(A, 1, None),
    ];
    for _ in 0..2 {
        assert_eq!(
            tail(&world, room, 2).await,
            expected,
            "what was before is erased"
        );
        world.crash().await;
    }
    let told: Vec<_> = world
        .sink()
        .of(room)
        .into_iter()
        .map(|it| it.kind)
        .collect();
    let as_it_came = [
        kind(B, 1, Some(R::Heart)),
        kind(A, 1, Some(R::Laugh)),
        kind(B, 1, Some(R::Wow)),
        kind(A, 1, None),
    ];
    assert_eq!(told[1..], as_it_came);
    // A reaction is no message.
    let again = world.append(room, A, "a1", "x").await;
    assert!(matches!(again, Appended::Repeat(it) if it.seq == Seq(1)));
    assert_eq!(
        react(&world, room, A, 2, R::Ok).await,
        Reacted::Refused(Refusal::NoSuchMessage)
    );
}

async fn setting_the_same_again_is_no_entry<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    assert_eq!(
        react(&world, room, B, 1, None).await,
        Reacted::Same(Seq(1), None)
    );
    reacts(&world, room, B, 1, R::Sad).await;
    for _ in 0..3 {
        let same = react(&world, room, B, 1, R::Sad).await;
        assert_eq!(same, Reacted::Same(Seq(1), Some(R::Sad)));
        world.reopen().await;
    }
    // Also in a room that has closed since: it asks what became of the first attempt.
    let store = world.store();
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    let same = react(&world, room, B, 1, R::Sad).await;
    assert_eq!(same, Reacted::Same(Seq(1), Some(R::Sad)));
    assert_eq!(world.sink().of(room).len(), 3);
}

async fn a_recall_erases_reactions_to_the_message<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    world.say(room, A, "a2", "y").await;
    reacts(&world, room, B, 1, R::Heart).await;
    reacts(&world, room, A, 1, R::Ok).await;
    reacts(&world, room, B, 2, R::Wow).await;
    recall(&world, room, A, to(1)).await;
    let expected = [kind(B, 1, None), kind(A, 1, None), kind(B, 2, Some(R::Wow))];
    for _ in 0..2 {
        // That they were there stays, as a recall does, so that no place of the log is missing.
        assert_eq!(tail(&world, room, 3).await[..3], expected);
        world.crash().await;
    }
    let refused = react(&world, room, B, 1, R::Heart).await;
    assert_eq!(refused, Reacted::Refused(Refusal::AlreadyRecalled));
    assert_eq!(
        react(&world, room, B, 1, None).await,
        Reacted::Same(Seq(1), None)
    );
    // One batch, one after the other.
    world.say(room, A, "a3", "z").await;
    let store = world.store();
    let (first, gone) = (
        store.react(ReactionDraft::heard(room, B, to(7), Some(R::Laugh))),
        store.recall(room, A, to(7), None),
    );
    let late = store.react(ReactionDraft::heard(room, B, to(7), Some(R::Sad)));
    assert!(matches!(first.await, Ok(Reacted::Done(_))));
    gone.await.unwrap();
    assert_eq!(
        late.await.unwrap(),
        Reacted::Refused(Refusal::AlreadyRecalled)
    );
    assert_eq!(tail(&world, room, 8).await[0], kind(B, 7, None));
}

async fn reactions_to_a_hidden_message_are_left_out<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    world.say(room, B, "b1", "y").await;
    reacts(&world, room, B, 1, R::Heart).await;
    reacts(&world, room, A, 2, R::Ok).await;
    world.store().hide(room, A, to(1)).await.unwrap();
    reacts(&world, room, B, 1, R::Wow).await;
    for _ in 0..2 {
        let (mine, page) = world.replay_by(room, A, 1).await;
        assert_eq!((seqs(&mine), page.last_seq), (vec![2, 4], Seq(5)));
        assert_eq!(seqs(&world.replay(room, B).await), [1, 2, 3, 4, 5]);
        world.reopen().await;
    }
}

async fn a_reaction_is_refused_for_many_reasons<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    reacts(&world, room, A, 1, R::Heart).await;
    let refused =
        async |room, side, target, reaction| match react_to(&world, room, side, target, reaction)
            .await
            .unwrap()
        {
            Reacted::Refused(why) => why,
            other => panic!("not refused: {other:?}"),
        };
    let nobody = RoomId::fresh();
    assert_eq!(
        refused(nobody, A, to(1), Some(R::Ok)).await,
        Refusal::RoomClosed
    );
    for target in [to(0), to(2), to(9), MessageRef::ClientId("b1".into())] {
        let why = refused(room, B, target, Some(R::Ok)).await;
        assert_eq!(why, Refusal::NoSuchMessage);
    }
    // The partner's name for a message is not this side's.
    let theirs = MessageRef::ClientId("a1".into());
    assert_eq!(refused(room, B, theirs, None).await, Refusal::NoSuchMessage);
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    assert_eq!(
        refused(room, B, to(1), Some(R::Ok)).await,
        Refusal::RoomClosed
    );
    assert_eq!(refused(room, A, to(1), None).await, Refusal::RoomClosed);
    assert_eq!(world.sink().of(room).len(), 3);
}

async fn a_side_may_change_its_mind_so_often_and_take_back_always<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    world.say(room, A, "a2", "y").await;
    for n in 0..REACTION_ENTRIES - 1 {
        reacts(&world, room, B, 1, R::ALL[n % 5]).await;
        if n == 3 {
            world.crash().await;
        }
    }
    let refused = react(&world, room, B, 1, R::ALL[(REACTION_ENTRIES - 1) % 5]).await;
    assert_eq!(refused, Reacted::Refused(Refusal::TooManyReactions));
    reacts(&world, room, B, 1, None).await;
    let refused = react(&world, room, B, 1, R::Heart).await;
    assert_eq!(refused, Reacted::Refused(Refusal::TooManyReactions));
    // The other message and the other side have their own.
    reacts(&world, room, B, 2, R::Heart).await;
    reacts(&world, room, A, 1, R::Heart).await;
    assert_eq!(world.sink().of(room).len(), REACTION_ENTRIES + 4);
}

async fn a_full_room_takes_no_reaction_but_gives_it_back<X: Backend>() {
    let mut rules = rules();
    rules.room_entries = 3;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    world.say(room, A, "a2", "y").await;
    reacts(&world, room, B, 1, R::Heart).await;
    for (target, reaction) in [(2, R::Heart), (1, R::Ok)] {
        let refused = react(&world, room, B, target, reaction).await;
        assert_eq!(refused, Reacted::Refused(Refusal::RoomFull));
    }
    assert_eq!(reacts(&world, room, B, 1, None).await.seq, Seq(4));
}

async fn data_at_its_greatest_size_takes_no_reaction_but_gives_it_back<X: Backend>() {
    let mut rules = rules();
    rules.max_size = 1;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    reacts(&world, room, B, 1, R::Heart).await;
    assert!(world.store().size().await.unwrap() > 1);
    let refused = react_to(&world, room, B, to(1), Some(R::Ok)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert_eq!(
        react(&world, room, B, 1, R::Heart).await,
        Reacted::Same(Seq(1), Some(R::Heart))
    );
    reacts(&world, room, B, 1, None).await;
}

async fn reactions_at_once_take_their_places_in_the_order_of_the_calls<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let store = world.store();
    let mut calls = Vec::new();
    for side in Side::BOTH {
        for reaction in [
            Some(R::Heart),
            Some(R::Heart),
            Some(R::Wow),
            None,
            Some(R::Ok),
        ] {
            calls.push(store.react(ReactionDraft::heard(room, side, to(1), reaction)));
        }
    }
    let mut seqs = Vec::new();
    for call in calls {
        match call.await.unwrap() {
            Reacted::Done(entry) => seqs.push(entry.seq.0),
            Reacted::Same(..) => seqs.push(0),
            Reacted::Refused(why) => panic!("refused: {why:?}"),
        }
    }
    assert_eq!(seqs, [2, 0, 3, 4, 5, 6, 0, 7, 8, 9]);
    let published: Vec<u64> = world.sink().of(room).iter().map(|it| it.seq.0).collect();
    assert_eq!(published, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let standing = tail(&world, room, 2).await.into_iter().filter(|it| {
        matches!(
            it,
            EntryKind::Reaction {
                reaction: Some(_),
                ..
            }
        )
    });
    let expected = [kind(A, 1, Some(R::Ok)), kind(B, 1, Some(R::Ok))];
    assert_eq!(standing.collect::<Vec<_>>(), expected);
}

async fn reactions_go_with_the_room<X: Backend>() {
    let world = World::<X>::new().await;
    let (room, other) = (world.room().await.room, world.room().await.room);
    for room in [room, other] {
        world.say(room, A, "a1", "x").await;
        reacts(&world, room, B, 1, R::Heart).await;
    }
    let store = world.store();
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    world.advance(rules().retention);
    while store.sweep().await.unwrap().more {}
    let page = store.page(room, A, Seq::ZERO, PageLimit::entries(9)).await;
    assert!(page.unwrap().is_none());
    let gone = react(&world, room, B, 1, None).await;
    assert_eq!(gone, Reacted::Refused(Refusal::RoomClosed));
    assert_eq!(tail(&world, other, 2).await, [kind(B, 1, Some(R::Heart))]);
}

async fn a_page_ends_by_the_bytes_of_reactions_too<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    for n in 1..=4 {
        world.say(room, A, &format!("a{n}"), "x").await;
        reacts(&world, room, B, 2 * n - 1, R::Heart).await;
    }
    let one = miyu::protocol::size::entry(&world.replay(room, A).await[1], 0);
    let limit = |bytes| PageLimit {
        bytes,
        ..PageLimit::entries(20)
    };
    let store = world.store();
    let page = store.page(room, A, Seq(1), limit(one)).await;
    let page = page.unwrap().unwrap();
    assert_eq!((seqs(&page.entries), page.upto), (vec![2], Seq(2)));
    let all = store.page(room, A, Seq::ZERO, limit(usize::MAX)).await;
    assert_eq!(
        seqs(&all.unwrap().unwrap().entries),
        [1, 2, 3, 4, 5, 6, 7, 8]
    );
}

/// What both sides' logs say of reactions, by seq.
async fn seen<X: Backend>(world: &World<X>, room: RoomId, side: Side) -> Vec<(u64, EntryKind)> {
    let log = world.replay_by(room, side, 10).await.0.into_iter();
    let reactions = log.filter(|it| matches!(it.kind, EntryKind::Reaction { .. }));
    reactions.map(|it| (it.seq.0, it.kind)).collect()
}

async fn reacts_unheard<X: Backend>(
    world: &World<X>,
    room: RoomId,
    target: u64,
    reaction: impl Into<Option<Reaction>>,
) -> Reacted {
    let draft = ReactionDraft {
        unheard: true,
        ..ReactionDraft::heard(room, A, to(target), reaction.into())
    };
    world.store().react(draft).await.unwrap()
}

async fn of_a_reaction_that_is_not_heard_the_other_side_is_told_what_ended<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, B, "b1", "x").await;
    let of = |reaction| kind(A, 1, reaction);
    let steps = [
        // Not heard of, in any way.
        (true, Some(R::Heart), Hearing::Nothing),
        (true, None, Hearing::Nothing),
        // Heard, then in its place one that is not: to the other side there is none any more.
        (false, Some(R::Wow), Hearing::Whole),
        (true, Some(R::Sad), Hearing::Emptied),
        (true, Some(R::Ok), Hearing::Nothing),
        // One who is heard again takes back what was not.
        (false, None, Hearing::Nothing),
        (false, Some(R::Laugh), Hearing::Whole),
    ];
    for (n, (unheard, reaction, hearing)) in steps.into_iter().enumerate() {
        let reacted = match unheard {
            true => reacts_unheard(&world, room, 1, reaction).await,
            false => react(&world, room, A, 1, reaction).await,
        };
        assert!(matches!(reacted, Reacted::Done(_)), "{n}: {reacted:?}");
        let told = world.sink().all_of(room).last().unwrap().hearing;
        assert_eq!(told, hearing, "{n}");
        if reaction.is_some() {
            // It stands, as far as its own side is told.
            let same = reacts_unheard(&world, room, 1, reaction).await;
            assert_eq!(same, Reacted::Same(Seq(1), reaction), "{n}");
            let own = seen(&world, room, A).await;
            assert_eq!(own.last().unwrap().1, of(reaction), "{n}");
        }
        if n == 3 {
            world.crash().await;
        }
    }
    let own: Vec<_> = (2..8).map(|seq| (seq, of(None))).collect();
    assert_eq!(seen(&world, room, A).await[..6], own);
    let theirs = [(4, of(None)), (5, of(None)), (8, of(Some(R::Laugh)))];
    assert_eq!(seen(&world, room, B).await, theirs);
    // What was heard of it goes for both.
    assert!(matches!(
        reacts_unheard(&world, room, 1, None).await,
        Reacted::Done(_)
    ));
    let theirs = [4, 5, 8, 9].map(|seq| (seq, of(None)));
    assert_eq!(seen(&world, room, B).await, theirs);
}

async fn reactions_to_what_was_not_heard_are_not_heard<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let unheard = Draft {
        unheard: true,
        ..crate::support::store::draft(room, A, "a1", "unheard")
    };
    world.store().append(unheard).await.unwrap();
    reacts(&world, room, A, 1, R::Heart).await;
    reacts_unheard(&world, room, 1, R::Ok).await;
    let refused = react(&world, room, B, 1, R::Ok).await;
    assert_eq!(refused, Reacted::Refused(Refusal::NoSuchMessage));
    let recalled = world.store().recall(room, A, to(1), None).await;
    assert!(matches!(recalled, Ok(Recalled::Done(_))));
    assert_eq!(seqs(&world.replay_by(room, B, 10).await.0), [0; 0]);
    let none = [2, 3].map(|seq| (seq, kind(A, 1, None)));
    assert_eq!(seen(&world, room, A).await, none);
    let told = world.sink().all_of(room);
    assert!(told.iter().all(|it| it.hearing == Hearing::Nothing));
}
