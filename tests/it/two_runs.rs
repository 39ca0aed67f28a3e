//! Nothing that a person is sent says who the partner is to them. A person's whole evening is lived
//! several times, each on a server of its own, with nothing changed but the session behind the partner:
//! a new one, one met before, one that blocked this person, one that this person blocked, one that reports
//! this person. Everything that the server sent to the person (each frame, each HTTP answer with its head)
//! is then the same, byte for byte, up to ids and times; and ids are named by their first use, so that
//! one that comes back from an earlier room is seen.
//!
//! What is compared, and why it can be equal:
//! * **Alone with the other.** A known partner waits; in the run with a new one nothing waits.
//!   They are told the same: that someone known is here is never told.
//! * **Waiting among others.** The other waits too, and a stranger that neither knows. Told is a
//!   number of strangers, in which one more or less is not seen.
//! * **The meeting.** A new partner and one met before are met; in the two runs with a block, which
//!   rules a meeting out, a stranger of the same name and profile is met instead. All four are told the
//!   same. The patience of both has ended before they meet, as it must for people who met lately; so
//!   it does for strangers, who insist on tags that they do not share until then.
//! * **The room**, with all that can happen in it, the second meeting (now both have met before), the
//!   block that ends it, and the search after it.

use self::evening::Evening;

mod diary;
mod evening;
mod unheard;
mod unheard_anew;

/// Who the partner is to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Partner {
    New,
    MetBefore,
    BlockedMe,
    Blocked,
    /// A new one who reports this person, by every way there is, and takes it back.
    ReportsMe,
}

const PARTNERS: [Partner; 5] = [
    Partner::New,
    Partner::MetBefore,
    Partner::BlockedMe,
    Partner::Blocked,
    Partner::ReportsMe,
];

async fn every_evening_is_the_same(in_redis: bool) {
    let mut running = tokio::task::JoinSet::new();
    for partner in PARTNERS {
        running.spawn(async move {
            let evening = Evening::begin(partner, in_redis).await;
            (partner, evening.live().await)
        });
    }
    let mut evenings = running.join_all().await;
    evenings.sort_by_key(|(partner, _)| *partner as u8);
    let (_, first) = &evenings[0];
    assert!(first.len() > 80, "suspiciously little was compared");
    for (partner, evening) in &evenings[1..] {
        for (line, expected) in evening.iter().zip(first) {
            assert_eq!(line, expected, "{partner:?}");
        }
        assert_eq!(evening.len(), first.len(), "{partner:?}");
    }
}

#[tokio::test]
async fn an_evening_does_not_say_who_the_partner_is() {
    every_evening_is_the_same(false).await;
}

#[tokio::test]
async fn an_evening_does_not_say_who_the_partner_is_in_redis() {
    every_evening_is_the_same(true).await;
}
