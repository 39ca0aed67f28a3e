//! Reading a room's log page by page: bounds, order, what a page leaves out, and that it is one consistent read.

use miyu::domain::entry::{CONTENT_CHARS, QUOTE_CHARS};
use miyu::domain::id::{RoomId, Seq, Side};
use miyu::domain::{Entry, EntryKind, LeaveReason, MessageRef};
use miyu::protocol::size;
use miyu::store::{Appended, Draft, Hearing, Hidden, PageLimit, Recalled, Refusal};

use super::Sqlite;
use crate::support::store::{Backend, World, draft, rules, seqs};

const A: Side = Side::A;
const B: Side = Side::B;

super::for_each_backend! {
    pages_join_up
    pages_end_by_bytes_and_join_up
    a_page_of_what_is_hidden_goes_on
    a_quote_carries_the_beginning_of_what_it_quotes
    a_page_of_an_unknown_room_is_none
    a_page_is_one_consistent_read
    what_a_side_is_never_to_hear_of_is_not_there_for_it
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
            unheard: false,
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
                unheard: false,
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

async fn what_a_side_is_never_to_hear_of_is_not_there_for_it<X: Backend>() {
    let world = World::<X>::new().await;
    let room = world.room().await.room;
    let store = world.store();
    world.say(room, A, "a1", "heard").await;
    let unheard = Draft {
        unheard: true,
        reply_to: Some(MessageRef::Seq(Seq(1))),
        ..draft(room, A, "a2", "unheard")
    };
    for again in [false, true] {
        let made = store.append(unheard.clone()).await.unwrap();
        assert_eq!(matches!(made, Appended::Repeat(_)), again, "{made:?}");
    }
    // Neither side can lead the other one to it: not by a quote, nor by its place.
    let quoting = |side, name: &str| Draft {
        reply_to: Some(MessageRef::Seq(Seq(2))),
        ..draft(room, side, name, "and?")
    };
    store.append(quoting(A, "a3")).await.unwrap();
    store.append(quoting(B, "b1")).await.unwrap();
    let hidden = store.hide(room, B, MessageRef::Seq(Seq(2))).await.unwrap();
    assert_eq!(hidden, Hidden::Refused(Refusal::NoSuchMessage));
    let seen = async |side| world.replay_by(room, side, 10).await;
    let (all, last) = seen(A).await;
    assert_eq!((seqs(&all), last.upto), (vec![1, 2, 3, 4], Seq(4)));
    // Who said it sees what they answered, also when they are heard again.
    assert!(matches!(
        &all[2].kind,
        EntryKind::Message { reply: Some(quote), .. } if quote.seq == Seq(2)
    ));
    let (all, last) = seen(B).await;
    assert_eq!((seqs(&all), last.upto), (vec![1, 3, 4], Seq(4)));
    for entry in &all {
        assert!(matches!(
            &entry.kind,
            EntryKind::Message { reply: None, .. }
        ));
    }
    // Nor by taking it back.
    let recalled = store.recall(room, A, MessageRef::Seq(Seq(2)), None).await;
    assert!(matches!(recalled.unwrap(), Recalled::Done(_)));
    assert_eq!(seqs(&seen(A).await.0), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&seen(B).await.0), [1, 3, 4]);
    let told = world.sink().all_of(room);
    let told: Vec<_> = told.iter().map(|it| it.hearing).collect();
    let (whole, nothing) = (Hearing::Whole, Hearing::Nothing);
    assert_eq!(told, [whole, nothing, Hearing::Emptied, whole, nothing]);
}
