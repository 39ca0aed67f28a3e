//! The contract of every channel layer, one case per behaviour. A case gets a factory that makes a
//! layer whose mailboxes hold a given number of frames. How fast it is, is not its concern.

mod mail;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use miyu::channel::memory::MemoryLayer;
use miyu::channel::{ChannelLayer, Counts, Frame, GroupId, Mailbox, Received, SendError, Status};
use miyu::domain::id::{Address, NodeId};

use self::mail::{fresh_group, member, next, next_number, numbered, poll, saying};
use crate::support::redis::Site;

/// Makes a layer whose mailboxes hold this many frames.
type Factory = fn(usize) -> BoxFuture<'static, Arc<dyn ChannelLayer>>;

fn memory(capacity: usize) -> BoxFuture<'static, Arc<dyn ChannelLayer>> {
    let layer = MemoryLayer::new(NodeId::fresh(), capacity);
    Box::pin(std::future::ready(layer as Arc<dyn ChannelLayer>))
}

fn redis(capacity: usize) -> BoxFuture<'static, Arc<dyn ChannelLayer>> {
    Box::pin(async move { Site::fresh().mailbox(capacity).node().await as Arc<dyn ChannelLayer> })
}

macro_rules! contract {
    (@backend $backend:ident $($case:ident)*) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(super::$backend).await;
                }
            )*
        }
    };
    ($($case:ident)*) => {
        contract! { @backend memory $($case)* }
        contract! { @backend redis $($case)* }
    };
}

contract! {
    a_frame_reaches_the_address_it_was_sent_to
    addresses_are_unique
    an_address_of_another_incarnation_is_gone
    members_hear_what_is_published_the_publisher_included
    groups_are_apart
    one_mailbox_may_be_in_many_groups
    a_mailbox_keeps_the_order_of_sends_and_publications
    all_members_see_one_order
    each_thread_keeps_its_order
    what_is_published_after_join_resolves_arrives
    a_full_mailbox_refuses_keeps_what_it_has_and_is_told_once
    a_mailbox_is_full_also_when_its_texts_are_long
    a_full_mailbox_delays_no_sender
    lagging_ends_when_it_was_told
    a_sender_wakes_the_owner
    receiving_may_be_given_up_without_loss
    dropping_the_membership_ends_it
    a_second_membership_of_one_mailbox_is_its_own
    dropping_the_mailbox_forgets_the_address
    a_member_without_a_mailbox_harms_no_other
    counts_say_what_is_there
    it_is_live
    closing_twice_is_harmless
}

async fn a_frame_reaches_the_address_it_was_sent_to(factory: Factory) {
    let layer = factory(4).await;
    let (outbox, mut mine) = layer.open();
    let (_, mut yours) = layer.open();
    assert_eq!(outbox.address(), mine.address());
    layer.send(&mine.address(), numbered(7)).unwrap();
    assert_eq!(next_number(&mut mine).await, 7);
    assert!(poll(&mut yours).is_none());
}

async fn addresses_are_unique(factory: Factory) {
    let (layer, other) = (factory(1).await, factory(1).await);
    let mut seen = std::collections::HashSet::new();
    for layer in [&layer, &other] {
        for _ in 0..100 {
            let (_, mailbox) = layer.open();
            let fresh = seen.insert(mailbox.address());
            assert!(fresh, "never again, also when free");
        }
    }
}

async fn an_address_of_another_incarnation_is_gone(factory: Factory) {
    let layer = factory(1).await;
    let (_, mailbox) = layer.open();
    let before = Address {
        node: NodeId(mailbox.address().node.0 ^ 1),
        ..mailbox.address()
    };
    let sent = layer.send(&before, numbered(1));
    assert!(matches!(sent, Err(SendError::Gone)));
}

async fn members_hear_what_is_published_the_publisher_included(factory: Factory) {
    let layer = factory(4).await;
    let group = fresh_group();
    let (_a, mut mine) = member(&layer, group).await;
    let (_b, mut yours) = member(&layer, group).await;
    layer.publish(group, numbered(3));
    assert_eq!(next_number(&mut mine).await, 3);
    assert_eq!(next_number(&mut yours).await, 3);
    layer.publish(fresh_group(), numbered(4));
    assert!(poll(&mut mine).is_none(), "nobody's group reaches nobody");
}

async fn groups_are_apart(factory: Factory) {
    let layer = factory(4).await;
    let (here, there) = (fresh_group(), fresh_group());
    let (_a, mut mine) = member(&layer, here).await;
    let (_b, mut yours) = member(&layer, there).await;
    layer.publish(here, numbered(1));
    layer.publish(there, numbered(2));
    assert_eq!(next_number(&mut mine).await, 1);
    assert_eq!(next_number(&mut yours).await, 2);
    assert!(poll(&mut mine).is_none());
    assert!(poll(&mut yours).is_none());
}

async fn one_mailbox_may_be_in_many_groups(factory: Factory) {
    let layer = factory(4).await;
    let (outbox, mut mailbox) = layer.open();
    let (here, there) = (fresh_group(), fresh_group());
    let first = layer.join(here, &outbox).await;
    let _second = layer.join(there, &outbox).await;
    drop(first);
    layer.publish(here, numbered(1));
    layer.publish(there, numbered(2));
    assert_eq!(next_number(&mut mailbox).await, 2);
}

async fn a_mailbox_keeps_the_order_of_sends_and_publications(factory: Factory) {
    let layer = factory(1000).await;
    let group = fresh_group();
    let (_member, mut mailbox) = member(&layer, group).await;
    for n in 0..500 {
        match n % 2 {
            0 => layer.publish(group, numbered(n)),
            _ => layer.send(&mailbox.address(), numbered(n)).unwrap(),
        }
    }
    for n in 0..500 {
        assert_eq!(next_number(&mut mailbox).await, n);
    }
}

/// Publishes 4 × 500 numbered frames from four threads at once, then drains these mailboxes.
async fn storm(
    layer: &Arc<dyn ChannelLayer>,
    group: GroupId,
    from: [&mut Mailbox; 2],
) -> [Vec<u64>; 2] {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let layer = Arc::clone(layer);
            scope.spawn(move || {
                for n in 0..500 {
                    layer.publish(group, numbered(thread * 1000 + n));
                }
            });
        }
    });
    let mut seen = [Vec::new(), Vec::new()];
    for (mailbox, seen) in from.into_iter().zip(&mut seen) {
        for _ in 0..2000 {
            seen.push(next_number(mailbox).await);
        }
    }
    seen
}

async fn all_members_see_one_order(factory: Factory) {
    let layer = factory(2000).await;
    let group = fresh_group();
    let (_a, mut mine) = member(&layer, group).await;
    let (_b, mut yours) = member(&layer, group).await;
    let [left, right] = storm(&layer, group, [&mut mine, &mut yours]).await;
    assert_eq!(left, right);
}

async fn each_thread_keeps_its_order(factory: Factory) {
    let layer = factory(2000).await;
    let group = fresh_group();
    let (_a, mut mine) = member(&layer, group).await;
    let (_b, mut yours) = member(&layer, group).await;
    for seen in storm(&layer, group, [&mut mine, &mut yours]).await {
        for thread in 0..4 {
            let of_thread = seen.iter().copied().filter(|n| n / 1000 == thread);
            let of_thread: Vec<u64> = of_thread.collect();
            let expected: Vec<u64> = (0..500).map(|n| thread * 1000 + n).collect();
            assert_eq!(of_thread, expected);
        }
    }
}

async fn what_is_published_after_join_resolves_arrives(factory: Factory) {
    let layer = factory(4).await;
    for n in 0..100 {
        let group = fresh_group();
        let (outbox, mut mailbox) = layer.open();
        layer.publish(group, numbered(1000));
        let _member = layer.join(group, &outbox).await;
        layer.publish(group, numbered(n));
        let first = next_number(&mut mailbox).await;
        assert_eq!(first, n, "and nothing from before");
    }
}

async fn a_full_mailbox_refuses_keeps_what_it_has_and_is_told_once(factory: Factory) {
    let layer = factory(2).await;
    let (_, mut mailbox) = layer.open();
    let address = mailbox.address();
    layer.send(&address, numbered(1)).unwrap();
    layer.send(&address, numbered(2)).unwrap();
    for n in 3..6 {
        let refused = layer.send(&address, numbered(n));
        assert!(matches!(refused, Err(SendError::Full)));
    }
    assert_eq!(next_number(&mut mailbox).await, 1);
    assert_eq!(next_number(&mut mailbox).await, 2);
    assert!(matches!(next(&mut mailbox).await, Received::Lagged));
    assert!(poll(&mut mailbox).is_none());
}

async fn a_mailbox_is_full_also_when_its_texts_are_long(factory: Factory) {
    let layer = factory(100).await;
    let (_, mut mailbox) = layer.open();
    let address = mailbox.address();
    // Twice, for what was taken out must not be counted any more.
    for _ in 0..2 {
        for seq in 1..=2 {
            layer.send(&address, saying(seq, 100_000)).unwrap();
        }
        let refused = layer.send(&address, saying(3, 100_000));
        assert!(matches!(refused, Err(SendError::Full)));
        for seq in 1..=2 {
            let received = next(&mut mailbox).await;
            assert!(matches!(received, Received::Frame(frame)
                if matches!(&*frame, Frame::Entry { seq: it, .. } if it.0 == seq)));
        }
        assert!(matches!(next(&mut mailbox).await, Received::Lagged));
    }
}

async fn a_full_mailbox_delays_no_sender(factory: Factory) {
    let layer = factory(2).await;
    let group = fresh_group();
    let (_a, mut lazy) = member(&layer, group).await;
    let (_b, mut eager) = member(&layer, group).await;
    for n in 0..1000 {
        // Would hang here if publishing waited for the one that does not read.
        layer.publish(group, numbered(n));
        assert_eq!(next_number(&mut eager).await, n);
    }
    assert_eq!(next_number(&mut lazy).await, 0);
    assert_eq!(next_number(&mut lazy).await, 1);
    assert!(matches!(next(&mut lazy).await, Received::Lagged));
}

async fn lagging_ends_when_it_was_told(factory: Factory) {
    let layer = factory(1).await;
    let (_, mut mailbox) = layer.open();
    let address = mailbox.address();
    layer.send(&address, numbered(1)).unwrap();
    layer.send(&address, numbered(2)).unwrap_err();
    assert_eq!(next_number(&mut mailbox).await, 1);
    assert!(matches!(next(&mut mailbox).await, Received::Lagged));
    layer.send(&address, numbered(3)).unwrap();
    assert_eq!(next_number(&mut mailbox).await, 3);
    assert!(poll(&mut mailbox).is_none());
}

async fn a_sender_wakes_the_owner(factory: Factory) {
    let layer = factory(1).await;
    let (_, mut mailbox) = layer.open();
    let address = mailbox.address();
    let sending = async {
        tokio::task::yield_now().await;
        layer.send(&address, numbered(5)).unwrap();
    };
    let (got, ()) = tokio::join!(next_number(&mut mailbox), sending);
    assert_eq!(got, 5);
}

async fn receiving_may_be_given_up_without_loss(factory: Factory) {
    let layer = factory(8).await;
    let (_, mut mailbox) = layer.open();
    let address = mailbox.address();
    for n in 0..8 {
        assert!(poll(&mut mailbox).is_none());
        {
            let mut given_up = std::pin::pin!(mailbox.recv());
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(given_up.as_mut().poll(&mut cx).is_pending());
            layer.send(&address, numbered(n)).unwrap();
        }
        assert_eq!(next_number(&mut mailbox).await, n);
    }
}

async fn dropping_the_membership_ends_it(factory: Factory) {
    let layer = factory(4).await;
    let group = fresh_group();
    let (membership, mut mailbox) = member(&layer, group).await;
    drop(membership);
    layer.publish(group, numbered(1));
    assert!(poll(&mut mailbox).is_none());
    layer.send(&mailbox.address(), numbered(2)).unwrap();
    assert_eq!(
        next_number(&mut mailbox).await,
        2,
        "the mailbox itself stays"
    );
}

async fn a_second_membership_of_one_mailbox_is_its_own(factory: Factory) {
    let layer = factory(4).await;
    let (group, other) = (fresh_group(), fresh_group());
    let (outbox, mut mailbox) = layer.open();
    let first = layer.join(group, &outbox).await;
    drop(first);
    let _again = layer.join(group, &outbox).await;
    let _other = layer.join(other, &outbox).await;
    layer.publish(group, numbered(1));
    assert_eq!(next_number(&mut mailbox).await, 1);
    assert!(poll(&mut mailbox).is_none());
}

async fn dropping_the_mailbox_forgets_the_address(factory: Factory) {
    let layer = factory(4).await;
    let (outbox, mailbox) = layer.open();
    let address = mailbox.address();
    drop(mailbox);
    let to_nobody = layer.send(&address, numbered(1));
    assert!(matches!(to_nobody, Err(SendError::Gone)));
    let pushed = outbox.push(Arc::new(numbered(1)));
    assert!(matches!(pushed, Err(SendError::Gone)));
}

async fn a_member_without_a_mailbox_harms_no_other(factory: Factory) {
    let layer = factory(4).await;
    let group = fresh_group();
    let (_a, gone) = member(&layer, group).await;
    drop(gone);
    let (_b, mut mine) = member(&layer, group).await;
    layer.publish(group, numbered(1));
    assert_eq!(next_number(&mut mine).await, 1);
}

async fn counts_say_what_is_there(factory: Factory) {
    let layer = factory(4).await;
    assert_eq!(layer.counts(), Counts::default());
    let group = fresh_group();
    let (a, mine) = member(&layer, group).await;
    let (b, yours) = member(&layer, group).await;
    let counts = |mailboxes, groups| Counts { mailboxes, groups };
    assert_eq!(layer.counts(), counts(2, 1));
    drop(a);
    assert_eq!(layer.counts(), counts(2, 1));
    drop(b);
    assert_eq!(layer.counts(), counts(2, 0));
    drop(mine);
    drop(yours);
    assert_eq!(layer.counts(), Counts::default());
}

async fn it_is_live(factory: Factory) {
    assert_eq!(factory(1).await.status(), Status::Live);
}

async fn closing_twice_is_harmless(factory: Factory) {
    let layer = factory(1).await;
    layer.close().await;
    layer.close().await;
}
