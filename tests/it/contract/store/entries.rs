//! The log of a room: appending, repeating, paging, order. What is done to messages that are there is
//! in `deeds`.

use miyu::domain::entry::{CONTENT_CHARS, QUOTE_CHARS};
use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{Entry, EntryKind, LeaveReason, MessageRef};
use miyu::protocol::size;
use miyu::store::{Appended, Draft, Hidden, PageLimit, Refusal, StoreError};

use super::Sqlite;
use super::deeds::recall;
use crate::support::store::{Backend, World, content, draft, rules, seqs};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    seq_counts_without_a_gap_and_the_sink_sees_it
    a_repeat_with_the_same_content_answers_the_stored_entry
    a_repeat_with_other_content_is_refused
    client_ids_belong_to_a_side
    repeats_are_known_after_a_restart
    a_repeat_of_a_recalled_message_answers_it_empty
    a_repeat_is_known_in_a_closed_and_in_a_full_room
    nothing_is_added_to_a_closed_or_unknown_room
    a_full_room_takes_recalls_and_a_departure_only
    pages_join_up
    pages_end_by_bytes_and_join_up
    a_page_of_what_is_hidden_goes_on
    a_quote_carries_the_beginning_of_what_it_quotes
    a_page_of_an_unknown_room_is_none
    rooms_are_published_in_order_under_concurrent_writers
    calls_are_committed_in_the_order_of_the_calls
    dropping_the_future_takes_nothing_back
    a_late_answer_is_unavailable_and_the_repeat_tells_the_truth
    many_rooms_keep_their_logs_apart
    a_page_is_one_consistent_read
}

async fn seq_counts_without_a_gap_and_the_sink_sees_it<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await;
    let first = world.say(room.room, A, "a1", "一").await;
    let second = world.say(room.room, B, "b1", "二").await;
    assert_eq!((first.seq, second.seq), (Seq(1), Seq(2)));
    assert_eq!(first.at, world.setting.now.get());
    assert_eq!(content(&first), Some("一"));
    assert_eq!(world.sink().of(room.room), [first.clone(), second.clone()]);
    assert_eq!(world.replay(room.room, A).await, [first, second]);
}

async fn a_repeat_with_the_same_content_answers_the_stored_entry<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let first = world.say(room, A, "a1", "x").await;
    world.say(room, B, "b1", "y").await;
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
    assert_eq!(world.sink().of(room).len(), 2);
    assert_eq!(seqs(&world.replay(room, B).await), [1, 2]);
}

async fn a_repeat_with_other_content_is_refused<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    let again = world.append(room, A, "a1", "z").await;
    assert_eq!(again, Appended::Refused(Refusal::ClientIdReused));
    assert_eq!(world.say(room, A, "a2", "z").await.seq, Seq(2));
}

async fn client_ids_belong_to_a_side<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let other = world.room().await.room;
    world.say(room, A, "same", "x").await;
    assert_eq!(world.say(room, B, "same", "x").await.seq, Seq(2));
    assert_eq!(world.say(other, A, "same", "x").await.seq, Seq(1));
}

async fn repeats_are_known_after_a_restart<X: Backend>() {
    let mut world = World::<X>::new().await;
    let room = world.room().await.room;
    let first = world.say(room, A, "a1", "x").await;
    world.reopen().await;
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
    let second = world.say(room, A, "a2", "y").await;
    world.crash().await;
    let again = world.append(room, A, "a2", "y").await;
    assert_eq!(again, Appended::Repeat(second.into()));
    assert_eq!(world.say(room, B, "b1", "z").await.seq, Seq(3));
    assert_eq!(seqs(&world.replay(room, B).await), [1, 2, 3]);
}

async fn a_repeat_of_a_recalled_message_answers_it_empty<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    world.say(room, A, "a1", "x").await;
    recall(&world, room, A, MessageRef::Seq(Seq(1))).await;
    for text in ["x", "anything"] {
        let Appended::Repeat(entry) = world.append(room, A, "a1", text).await else {
            panic!("no repeat");
        };
        assert_eq!((entry.seq, content(&entry)), (Seq(1), None));
    }
}

async fn a_repeat_is_known_in_a_closed_and_in_a_full_room<X: Backend>() {
    let mut rules = rules();
    rules.room_entries = 2;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    let first = world.say(room, A, "a1", "x").await;
    world.say(room, A, "a2", "y").await;
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.clone().into()));
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    let again = world.append(room, A, "a1", "x").await;
    assert_eq!(again, Appended::Repeat(first.into()));
}

async fn nothing_is_added_to_a_closed_or_unknown_room<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    for room in [room, RoomId::fresh()] {
        let refused = world.append(room, A, "a1", "x").await;
        assert_eq!(refused, Appended::Refused(Refusal::RoomClosed));
    }
    assert_eq!(seqs(&world.replay(room, A).await), [1]);
}

async fn a_full_room_takes_recalls_and_a_departure_only<X: Backend>() {
    let mut rules = rules();
    rules.room_entries = 3;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    for n in 1..=3 {
        world.say(room, A, &format!("a{n}"), "x").await;
    }
    let refused = world.append(room, B, "b1", "x").await;
    assert_eq!(refused, Appended::Refused(Refusal::RoomFull));
    recall(&world, room, A, MessageRef::Seq(Seq(2))).await;
    let store = world.store();
    assert!(store.close_room(room, B, LeaveReason::Left).await.unwrap());
    assert_eq!(seqs(&world.replay(room, A).await), [1, 2, 3, 4, 5]);
}

async fn pages_join_up<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let empty = store
        .page(room, A, Seq::ZERO, PageLimit::entries(10))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((empty.entries.len(), empty.upto), (0, Seq(0)));
    assert!(!empty.closed);
    for n in 1..=10 {
        world.say(room, A, &format!("a{n}"), "x").await;
    }
    for limit in [1, 3, 10, 11] {
        let (all, last) = world.replay_by(room, B, limit).await;
        assert_eq!(seqs(&all), (1..=10).collect::<Vec<_>>());
        assert_eq!((last.upto, last.last_seq), (Seq(10), Seq(10)));
    }
    let page = store
        .page(room, A, Seq(4), PageLimit::entries(3))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seqs(&page.entries), [5, 6, 7]);
    assert_eq!((page.upto, page.last_seq), (Seq(7), Seq(10)));
    let beyond = store
        .page(room, A, Seq(99), PageLimit::entries(3))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((beyond.entries.len(), beyond.upto), (0, Seq(10)));
    assert!(store.close_room(room, A, LeaveReason::Left).await.unwrap());
    let page = store
        .page(room, A, Seq(10), PageLimit::entries(3))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((seqs(&page.entries), page.closed), (vec![11], true));
}

/// What a page of these entries counts.
fn weight(entries: &[Entry], limit: PageLimit) -> usize {
    let bytes = entries.iter().map(|entry| size::entry(entry, limit.names));
    bytes.sum()
}

async fn pages_end_by_bytes_and_join_up<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let mut log = Vec::new();
    // Short and long, plain and six times as long on the wire, with a long quote and without.
    for n in 0..45_usize {
        let letter = ["x", "\u{1}", "界", "\""][n % 4];
        let text = letter.repeat([1, 2000, 700, 40, 1500][n % 5]);
        let draft = Draft {
            reply_to: (n % 3 > 0).then_some(MessageRef::Seq(Seq(2))),
            ..draft(room, Side::BOTH[n % 2], &format!("c{n}"), &text)
        };
        match store.append(draft).await.unwrap() {
            Appended::Done(entry) => log.push((*entry).clone()),
            other => panic!("{other:?}"),
        }
    }
    for bytes in [0, 1, 600, 13_000, 20_000, 64 * 1024, usize::MAX] {
        let limit = PageLimit {
            bytes,
            names: 50,
            ..PageLimit::entries(25)
        };
        let mut read: Vec<Entry> = Vec::new();
        while read.len() < log.len() {
            let after = Seq(read.len() as u64);
            let page = store.page(room, B, after, limit).await.unwrap().unwrap();
            assert_eq!((page.last_seq, page.closed), (Seq(45), false));
            assert!(!page.entries.is_empty() && page.entries.len() <= 25);
            let weight_of = |entries: &[Entry]| weight(entries, limit);
            assert!(page.entries.len() == 1 || weight_of(&page.entries) <= bytes);
            read.extend(page.entries.iter().cloned());
            assert_eq!(page.upto, Seq(read.len() as u64));
            // It ends for a reason.
            if let Some(next) = log.get(read.len()) {
                let more = weight_of(&page.entries) + size::entry(next, limit.names);
                assert!(page.entries.len() == 25 || more > bytes);
            }
        }
        assert_eq!(read, log);
    }
}

async fn a_page_of_what_is_hidden_goes_on<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    for n in 1..=20 {
        world
            .say(room, A, &format!("c{n}"), &"x".repeat(1000))
            .await;
        if n != 13 {
            let hidden = store.hide(room, B, MessageRef::Seq(Seq(n))).await.unwrap();
            assert_eq!(hidden, Hidden::Done(Seq(n)));
        }
    }
    let limit = PageLimit {
        bytes: 3000,
        ..PageLimit::entries(50)
    };
    let (mut after, mut read) = (Seq::ZERO, Vec::new());
    while after < Seq(20) {
        let page = store.page(room, B, after, limit).await.unwrap().unwrap();
        assert!(page.upto > after, "a page that goes nowhere");
        after = page.upto;
        read.extend(seqs(&page.entries));
    }
    assert_eq!(read, [13]);
}

async fn a_quote_carries_the_beginning_of_what_it_quotes<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let texts = ["a", "é", "界", "\u{1f600}", "a\u{1f600}", "\0"];
    for (n, letter) in texts.into_iter().enumerate() {
        for (m, length) in [QUOTE_CHARS, QUOTE_CHARS + 1, CONTENT_CHARS]
            .into_iter()
            .enumerate()
        {
            let text: String = letter.chars().cycle().take(length).collect();
            let quoted = world.say(room, A, &format!("{n}-{m}"), &text).await;
            let quoting = Draft {
                reply_to: Some(MessageRef::Seq(quoted.seq)),
                ..draft(room, B, &format!("{n}-{m}"), "what?")
            };
            let Appended::Done(entry) = store.append(quoting).await.unwrap() else {
                panic!("not appended");
            };
            let EntryKind::Message {
                reply: Some(quote), ..
            } = &entry.kind
            else {
                panic!("no quote");
            };
            let beginning: String = text.chars().take(QUOTE_CHARS).collect();
            assert_eq!(quote.content, Some(beginning));
            assert_eq!(quote.cut, length > QUOTE_CHARS);
            let page = store.page(room, A, quoted.seq, PageLimit::entries(1)).await;
            assert_eq!(page.unwrap().unwrap().entries, [(*entry).clone()]);
        }
    }
}

async fn a_page_of_an_unknown_room_is_none<X: Backend>() {
    let world = World::<X>::new().await;
    let store = world.store();
    let page = store
        .page(RoomId::fresh(), A, Seq::ZERO, PageLimit::entries(10))
        .await;
    assert_eq!(page.unwrap(), None);
}

async fn rooms_are_published_in_order_under_concurrent_writers<X: Backend>() {
    const EACH: usize = 40;
    let mut rules = rules();
    rules.room_entries = 10_000;
    let world = World::<X>::with(rules).await;
    let rooms = [world.room().await.room, world.room().await.room];
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = world.store().clone();
        let (room, side) = (rooms[writer % 2], Side::BOTH[writer / 2 % 2]);
        tasks.spawn(async move {
            for n in 0..EACH {
                let draft = draft(room, side, &format!("w{writer}-{n}"), "x");
                let done = store.append(draft).await.unwrap();
                assert!(matches!(done, Appended::Done(_)));
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for room in rooms {
        let published = seqs(&world.sink().of(room));
        let expected: Vec<u64> = (1..=4 * EACH as u64).collect();
        assert_eq!(published, expected);
        assert_eq!(seqs(&world.replay(room, A).await), expected);
    }
}

async fn calls_are_committed_in_the_order_of_the_calls<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    let first = store.append(draft(room, A, "a1", "x"));
    let second = store.append(draft(room, A, "a2", "y"));
    let closing = store.close_room(room, A, LeaveReason::Left);
    let late = store.append(draft(room, A, "a3", "z"));
    // Polled the other way round.
    let refused = Appended::Refused(Refusal::RoomClosed);
    assert_eq!(late.await.unwrap(), refused);
    assert!(closing.await.unwrap());
    for (pending, seq) in [(second, 2), (first, 1)] {
        let Appended::Done(entry) = pending.await.unwrap() else {
            panic!("not appended");
        };
        assert_eq!(entry.seq, Seq(seq));
    }
}

async fn dropping_the_future_takes_nothing_back<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    drop(world.store().append(draft(room, A, "a1", "x")));
    let next = world.say(room, A, "a2", "y").await;
    assert_eq!(next.seq, Seq(2));
    assert_eq!(seqs(&world.sink().of(room)), [1, 2]);
}

async fn a_late_answer_is_unavailable_and_the_repeat_tells_the_truth<X: Backend>() {
    let mut rules = rules();
    rules.timeout = std::time::Duration::from_millis(300);
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    world.sink().hold();
    let late = world.store().append(draft(room, A, "a1", "x")).await;
    world.sink().release();
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    let again = world.append(room, A, "a1", "x").await;
    assert!(matches!(again, Appended::Repeat(entry) if entry.seq == Seq(1)));
}

async fn many_rooms_keep_their_logs_apart<X: Backend>() {
    let mut world = World::<X>::new().await;
    let mut rooms = Vec::new();
    for _ in 0..6 {
        rooms.push(world.room().await.room);
    }
    for turn in 0..5 {
        for (n, room) in rooms.iter().enumerate() {
            let side = Side::BOTH[(turn + n) % 2];
            let (name, text) = (format!("t{turn}"), format!("{n}/{turn}"));
            let said = world.say(*room, side, &name, &text).await;
            assert_eq!(said.seq, Seq(turn as u64 + 1));
        }
        match turn {
            1 => world.crash().await,
            3 => world.reopen().await,
            _ => {}
        }
    }
    for (n, room) in rooms.iter().enumerate() {
        let log = world.replay(*room, A).await;
        let texts: Vec<_> = log.iter().map(|entry| content(entry).unwrap()).collect();
        let expected: Vec<String> = (0..5).map(|turn| format!("{n}/{turn}")).collect();
        assert_eq!(texts, expected);
    }
}

async fn a_page_is_one_consistent_read<X: Backend>() {
    const MESSAGES: u64 = 300;
    let mut rules = rules();
    rules.room_entries = 10_000;
    let world = World::<X>::with(rules).await;
    let room = world.room().await.room;
    let store = world.store().clone();
    let mut writer = tokio::task::JoinSet::new();
    writer.spawn(async move {
        for n in 1..=MESSAGES {
            let mut draft = draft(room, A, &format!("a{n}"), "x");
            draft.reply_to = Some(MessageRef::Seq(Seq(n / 2)));
            store.append(draft).await.unwrap();
            if n % 5 == 0 {
                let target = MessageRef::ClientId(format!("a{n}"));
                store.recall(room, A, target, None).await.unwrap();
            }
        }
        store.close_room(room, A, LeaveReason::Left).await.unwrap();
    });
    let mut last = Seq::ZERO;
    loop {
        let (log, page) = world.replay_by(room, B, 40).await;
        assert!(page.last_seq >= last, "it never goes back");
        last = page.last_seq;
        assert_eq!(seqs(&log), (1..=last.0).collect::<Vec<_>>());
        let departed = matches!(
            log.last().map(|e| &e.kind),
            Some(EntryKind::Departure { .. })
        );
        assert_eq!(page.closed, departed);
        if page.closed {
            break;
        }
    }
    while let Some(done) = writer.join_next().await {
        done.unwrap();
    }
    assert_eq!(last.0, MESSAGES + MESSAGES / 5 + 1);
}
