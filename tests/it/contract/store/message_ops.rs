//! What is done to messages that are there: replying, recalling, hiding.

use std::sync::Arc;

use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{Entry, EntryKind, LeaveReason, MessageRef, Quote};
use miyu::store::{Appended, Hidden, Recalled, Refusal};

use super::Sqlite;
use crate::support::store::{Backend, World, content, draft, seqs};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    a_reply_names_a_seq_or_an_own_client_id_or_nothing
    a_recall_erases_the_text_and_its_quotes
    a_recall_is_refused_for_many_reasons
    a_recall_works_in_a_closed_room_and_by_client_id
    a_hidden_message_is_gone_for_one_side_only
    hiding_needs_a_message
}

async fn a_reply_names_a_seq_or_an_own_client_id_or_nothing<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "first").await;
    recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    world.say(room, B, "b1", "third").await;
    let quote = |seq, side, content: Option<&str>| Some(Quote::of(Seq(seq), side, content));
    let cases = [
        (A, MessageRef::Seq(Seq(3)), quote(3, B, Some("third"))),
        (A, MessageRef::Seq(Seq(1)), quote(1, A, None)),
        (A, MessageRef::ClientId("a1".into()), quote(1, A, None)),
        (
            B,
            MessageRef::ClientId("b1".into()),
            quote(3, B, Some("third")),
        ),
        // A name of the other side, a recall, the future, nothing at all: no reply.
        (A, MessageRef::ClientId("b1".into()), None),
        (A, MessageRef::Seq(Seq(2)), None),
        (A, MessageRef::Seq(Seq(99)), None),
        (A, MessageRef::Seq(Seq(0)), None),
        (A, MessageRef::Seq(Seq(u64::MAX)), None),
        (A, MessageRef::ClientId(String::new()), None),
    ];
    for (n, (side, reference, expected)) in cases.into_iter().enumerate() {
        let mut draft = draft(room, side, &format!("c{n}"), "re");
        draft.reply_to = Some(reference);
        let Appended::Done(entry) = world.store().append(draft).await.unwrap() else {
            panic!("not appended");
        };
        let EntryKind::Message { reply, .. } = &entry.kind else {
            panic!("no message");
        };
        assert_eq!(*reply, expected, "case {n}");
        assert_eq!(world.replay(room, A).await.last(), Some(&*entry));
    }
}

async fn a_recall_erases_the_text_and_its_quotes<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "a-secret-that-goes").await;
    let mut reply = draft(room, B, "b1", "re");
    reply.reply_to = Some(MessageRef::Seq(Seq(1)));
    world.store().append(reply).await.unwrap();
    let entry = recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    assert_eq!(entry.seq, Seq(3));
    let expected = EntryKind::Recall {
        side: A,
        target: Seq(1),
        client_id: "a1".into(),
    };
    assert_eq!(entry.kind, expected);
    assert_eq!(world.sink().of(room).last(), Some(&entry));
    for side in Side::BOTH {
        let log = world.replay(room, side).await;
        assert_eq!(content(&log[0]), None);
        let EntryKind::Message { reply, .. } = &log[1].kind else {
            panic!("no message");
        };
        let reply = reply.as_ref().unwrap();
        assert_eq!((reply.seq, reply.side, &reply.content), (Seq(1), A, &None));
        assert_eq!(log[2], entry);
    }
    world.close().await;
    assert!(!world.backend.holds("a-secret-that-goes").await);
}

async fn a_recall_is_refused_for_many_reasons<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let store = world.store();
    let refused = async |room, side, target| match store.recall(room, side, target, None).await {
        Ok(Recalled::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    };
    let one = MessageRef::Seq(Seq(1));
    assert_eq!(refused(room, B, one.clone()).await, Refusal::NotYours);
    let named = MessageRef::ClientId("a1".into());
    assert_eq!(refused(room, B, named).await, Refusal::NoSuchMessage);
    let none = MessageRef::Seq(Seq(2));
    assert_eq!(refused(room, A, none).await, Refusal::NoSuchMessage);
    let lost = RoomId::fresh();
    assert_eq!(refused(lost, A, one.clone()).await, Refusal::RoomClosed);
    recall(&world, room, A, one.clone()).await;
    assert_eq!(refused(room, A, one).await, Refusal::AlreadyRecalled);
    let recall_entry = MessageRef::Seq(Seq(2));
    assert_eq!(refused(room, A, recall_entry).await, Refusal::NoSuchMessage);
    assert_eq!(world.sink().of(room).len(), 2);
}

async fn a_recall_works_in_a_closed_room_and_by_client_id<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let store = world.store();
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    let target = MessageRef::ClientId("a1".into());
    let recalled = store.recall(room, A, target, Some("r1".into())).await;
    let Recalled::Done(entry) = recalled.unwrap() else {
        panic!("refused");
    };
    let expected = EntryKind::Recall {
        side: A,
        target: Seq(1),
        client_id: "r1".into(),
    };
    assert_eq!((entry.seq, &entry.kind), (Seq(3), &expected));
}

async fn a_hidden_message_is_gone_for_one_side_only<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    world.say(room, B, "b1", "y").await;
    let published = world.sink().count();
    for _ in 0..2 {
        let hidden = world.store().hide(room, A, MessageRef::Seq(Seq(2))).await;
        assert_eq!(hidden.unwrap(), Hidden::Done(Seq(2)));
    }
    let own = MessageRef::ClientId("a1".into());
    assert_eq!(
        world.store().hide(room, A, own).await.unwrap(),
        Hidden::Done(Seq(1))
    );
    for _ in 0..2 {
        let (mine, page) = world.replay_by(room, A, 1).await;
        assert_eq!((mine.len(), page.last_seq), (0, Seq(2)));
        assert_eq!(seqs(&world.replay(room, B).await), [1, 2]);
        world.reopen().await;
    }
    assert_eq!(world.sink().count(), published);
    // In a closed room too, and then by the other side.
    let store = world.store();
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    let hidden = store.hide(room, B, MessageRef::Seq(Seq(2))).await;
    assert_eq!(hidden.unwrap(), Hidden::Done(Seq(2)));
    assert_eq!(seqs(&world.replay(room, B).await), [1, 3]);
}

async fn hiding_needs_a_message<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    let store = world.store();
    for target in [
        MessageRef::Seq(Seq(0)),
        MessageRef::Seq(Seq(2)),
        MessageRef::Seq(Seq(3)),
        MessageRef::ClientId("b1".into()),
    ] {
        let hidden = store.hide(room, A, target).await.unwrap();
        assert_eq!(hidden, Hidden::Refused(Refusal::NoSuchMessage));
    }
    let lost = store
        .hide(RoomId::fresh(), A, MessageRef::Seq(Seq(1)))
        .await;
    assert_eq!(lost.unwrap(), Hidden::Refused(Refusal::RoomClosed));
}

/// Takes a message back; it must work.
pub(super) async fn recall<X: Backend>(
    world: &World<X>,
    room: RoomId,
    side: Side,
    target: MessageRef,
) -> Entry {
    let recalled = world.store().recall(room, side, target, None).await;
    match recalled.unwrap() {
        Recalled::Done(entry) => Arc::unwrap_or_clone(entry),
        Recalled::Refused(why) => panic!("refused: {why:?}"),
    }
}
