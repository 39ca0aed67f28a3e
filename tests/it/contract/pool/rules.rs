//! Which tickets may meet, in either order of arrival.

use miyu::domain::wish::Phase;
use miyu::domain::{Gender, Mark, Marks, Pairing, PreferredGender};
use miyu::matching::{PoolRules, Renewed, Ticket};

use super::{Factory, for_each_backend, usual};
use crate::support::pool::{Pool, With, rules, ticket};

for_each_backend! {
    strangers_meet
    side_a_is_who_arrived_and_brings_the_room
    common_tags_are_in_the_spelling_of_side_a
    gender_wishes_hold_on_both_sides
    blocked_either_way_never_meet
    equal_user_ids_are_told_apart
    a_free_tag_counts_when_three_others_wait_with_it
    one_household_learns_nothing_by_trying_words
    within_a_network_three_other_sessions_are_enough
    one_ticket_does_not_meet_itself
    tagged_people_wait_for_a_shared_tag
    relaxing_needs_both
    without_tags_the_first_phase_restricts_nothing
    languages_separate_until_both_relaxed
    who_names_no_language_of_the_pages_meets_all
    a_shared_tag_needs_no_relaxing
    recent_partners_meet_when_both_want_repeats
    a_pairing_does_not_say_that_they_met_before
    marks_that_are_held_keep_two_apart
    a_pairing_has_the_marks_of_the_tags_that_counted
    two_tabs_meet_whatever_they_remember
    two_tabs_keep_the_rules_of_tags_and_gender
    two_tabs_never_meet_where_that_is_off
}

async fn strangers_meet(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    pool.meet(&b, &a).await;
    pool.waiting_are(0).await;
}

async fn side_a_is_who_arrived_and_brings_the_room(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1), ticket(2));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    assert_eq!(pairing.room, b.room);
    for (party, ticket) in pairing.parties.iter().zip([&b, &a]) {
        assert_eq!(party.session, ticket.session);
        assert_eq!(party.persona, ticket.persona);
        assert_eq!(party.address, ticket.address);
    }
    assert!(!pairing.is_bot && !pairing.same_session());
}

async fn common_tags_are_in_the_spelling_of_side_a(factory: Factory) {
    let pool = usual(factory);
    let [third, fourth] = [3, 4].map(|n| ticket(n).tags(&["rust"]).phase(Phase::SharedTags));
    let a = ticket(1).tags(&["rust", "音樂", "Go"]);
    let b = ticket(2).tags(&["Music", "旅行", "RUST"]);
    pool.wait(&third).await;
    pool.wait(&fourth).await;
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    assert_eq!(pairing.common_tags, ["音樂", "RUST"]);
}

async fn gender_wishes_hold_on_both_sides(factory: Factory) {
    for mine in Gender::ALL {
        for theirs in Gender::ALL {
            for my_wish in PreferredGender::ALL {
                for their_wish in PreferredGender::ALL {
                    let a = ticket(1).gender(mine, my_wish);
                    let b = ticket(2).gender(theirs, their_wish);
                    let both = my_wish.accepts(theirs) && their_wish.accepts(mine);
                    assert_eq!(meet(factory, &a, &b).await, both);
                }
            }
        }
    }
}

async fn blocked_either_way_never_meet(factory: Factory) {
    let blocking = ticket(1).blocks(2).phase(Phase::Repeats);
    assert!(!meet(factory, &blocking, &ticket(2).phase(Phase::Repeats)).await);
    assert!(meet(factory, &blocking, &ticket(3)).await);
}

async fn equal_user_ids_are_told_apart(factory: Factory) {
    let pool = usual(factory);
    let (a, b) = (ticket(1).user("same"), ticket(2).user("same"));
    pool.wait(&a).await;
    let pairing = pool.meet(&b, &a).await;
    let [arrived, waited] = pairing.parties.each_ref().map(|it| &it.persona);
    assert_eq!(waited, &a.persona, "who waited keeps the name");
    assert_ne!(arrived.user_id, waited.user_id);
    assert_eq!(arrived.profile, b.persona.profile);
    // Asked again, also by the other side, it is the same name.
    assert_eq!(pool.renew_at(&a, 0).await, Renewed::Paired(pairing.clone()));
    pool.give_back(pairing.room, None).await;
    let again = pool.meet(&b.again(), &a).await;
    assert_eq!(again.parties, pairing.parties);
}

async fn a_free_tag_counts_when_three_others_wait_with_it(factory: Factory) {
    let pool = usual(factory);
    let strict = |n, tag| ticket(n).tags(&[tag]).phase(Phase::SharedTags);
    pool.wait(&strict(1, "Rust")).await;
    // A second ticket of a session, or of a network, is no other person.
    let tab = strict(3, "rust").tab_of(1);
    let tab = tab.gender(Gender::Male, PreferredGender::Female);
    pool.wait(&tab).await;
    pool.wait(&strict(2, "rust")).await;
    pool.wait(&strict(5, "rust")).await;
    let pairing = pool.enter(&strict(4, "RUST")).await.expect("three others");
    assert_eq!(pairing.common_tags, ["RUST"]);

    let pool = usual(factory);
    let from = |n, network: u64| strict(n, "rust").from([network, 100 + network, 0]);
    pool.wait(&from(1, 1)).await;
    pool.wait(&from(2, 1)).await;
    pool.wait(&from(3, 2)).await;
    pool.wait(&strict(5, "rust").from([9, 102, 0])).await;
    pool.wait(&from(6, 3)).await;
    let pairing = pool.enter(&from(4, 4)).await.expect("three others");
    assert_eq!(pairing.common_tags, ["rust"]);

    // Two who share what does not count meet as if they shared nothing, and are told so.
    let pool = usual(factory);
    let (a, b) = (ticket(1).tags(&["rust", "音樂"]), ticket(2).tags(&["rust"]));
    pool.wait(&a).await;
    assert!(pool.meet(&b, &a).await.common_tags.is_empty());
}

/// Two of one household who never meet each other wait with a word; whether a stranger does is not told.
async fn one_household_learns_nothing_by_trying_words(factory: Factory) {
    for (asker, helpers) in [
        ([1, 101, 0], [[1, 101, 0], [1, 101, 0]]),
        ([1, 101, 0], [[2, 101, 0], [3, 101, 0]]),
        ([1, 101, 201], [[2, 102, 201], [3, 103, 201]]),
    ] {
        let pool = usual(factory);
        let strict = |n| ticket(n).tags(&["secret"]).phase(Phase::SharedTags);
        let woman = |n| strict(n).gender(Gender::Female, PreferredGender::Female);
        for (n, helper) in (1..).zip(helpers) {
            pool.wait(
                &strict(n)
                    .from(helper)
                    .gender(Gender::Male, PreferredGender::Male)
                    .met(2),
            )
            .await;
        }
        pool.wait(&woman(10).from([50, 51, 0])).await;
        pool.wait(&woman(11).from(asker)).await;
    }
    // Nor by two of their own who would meet.
    let pool = usual(factory);
    let strict = |n| ticket(n).tags(&["secret"]).phase(Phase::SharedTags);
    let woman = |n| strict(n).gender(Gender::Female, PreferredGender::Female);
    let home = [1, 101, 0];
    pool.wait(&woman(1).from(home)).await;
    let helper = strict(2).gender(Gender::Male, PreferredGender::Male);
    pool.wait(&helper.from(home)).await;
    pool.wait(&woman(10).from([50, 51, 0])).await;
    pool.wait(&woman(11).from(home)).await;
}

async fn within_a_network_three_other_sessions_are_enough(factory: Factory) {
    let pool = usual(factory);
    let strict = |n| ticket(n).tags(&["rust"]).phase(Phase::SharedTags);
    let here = |n| strict(n).from([1, 2, 0]);
    pool.wait(&here(1)).await;
    pool.wait(&here(2)).await;
    pool.wait(&strict(3).from([7, 8, 0])).await;
    pool.wait(&here(5)).await;
    let pairing = pool.enter(&here(4)).await.expect("a neighbour");
    assert_eq!(pairing.common_tags, ["rust"]);
    let met = pairing.parties[1].session;
    assert!([1, 2, 5].map(|n| here(n).session).contains(&met));
}

async fn one_ticket_does_not_meet_itself(factory: Factory) {
    let pool = usual(factory);
    let a = ticket(1);
    pool.wait(&a).await;
    pool.wait(&a.again().user("other-name")).await;
    pool.waiting_are(1).await;
}

async fn tagged_people_wait_for_a_shared_tag(factory: Factory) {
    let tagged = |n, tag| ticket(n).tags(&[tag]).phase(Phase::SharedTags);
    assert!(!meet(factory, &tagged(1, "音樂"), &tagged(2, "電影")).await);
    assert!(meet(factory, &tagged(1, "音樂"), &tagged(2, "音樂")).await);
}

async fn relaxing_needs_both(factory: Factory) {
    let strict = ticket(1).tags(&["音樂"]).phase(Phase::SharedTags);
    let relaxed = strict.again().phase(Phase::Anyone);
    let others = [
        ticket(2),
        ticket(2).phase(Phase::SharedTags),
        ticket(2).tags(&["電影"]),
        ticket(2).phase(Phase::Repeats),
    ];
    for other in others {
        assert!(!meet(factory, &strict, &other).await);
        assert!(meet(factory, &relaxed, &other).await);
        let pool = usual(factory);
        pool.wait(&strict).await;
        pool.wait(&other).await;
        pool.meet(&relaxed, &other).await;
    }
}

async fn without_tags_the_first_phase_restricts_nothing(factory: Factory) {
    let (a, b) = (ticket(1), ticket(2));
    let (a, b) = (a.phase(Phase::SharedTags), b.phase(Phase::SharedTags));
    assert!(meet(factory, &a, &b).await);
}

async fn languages_separate_until_both_relaxed(factory: Factory) {
    let strict = Phase::SharedTags;
    let of = |n, languages: &[&str]| ticket(n).speaks(languages);
    for (mine, theirs, fit) in [
        (&["zh-TW"][..], &["zh"][..], true),
        (&["zh-TW", "en"], &["ja", "en-GB"], true),
        (&["zh-TW"], &["en"], false),
        (&["zh-TW", "ja"], &["en"], false),
    ] {
        for tags in [&[][..], &["音樂"]] {
            let (a, b) = (of(1, mine).tags(tags), of(2, theirs).tags(tags));
            for (one, other, meets) in [
                (strict, strict, fit),
                (Phase::Anyone, strict, fit),
                (strict, Phase::Anyone, fit),
                (Phase::Anyone, Phase::Repeats, true),
            ] {
                let meeting = (a.clone().phase(one), b.clone().phase(other));
                let met = meet(factory, &meeting.0, &meeting.1).await;
                assert_eq!(met, meets, "{mine:?} {one:?}, {theirs:?} {other:?}");
            }
        }
    }
    // Those of another language hide none of one's own, however many they are.
    let pool = usual(factory);
    for n in 0..50 {
        let man = of(1000 + n, &["en"]).gender(Gender::Male, PreferredGender::Female);
        pool.wait(&man).await;
    }
    let woman = |n| of(n, &["ja"]).gender(Gender::Female, PreferredGender::All);
    let own = woman(2).phase(strict).since(1);
    pool.wait(&own).await;
    pool.meet(&woman(3).phase(strict), &own).await;
}

async fn who_names_no_language_of_the_pages_meets_all(factory: Factory) {
    for nothing in [&[][..], &["kl"], &["de", "fr"]] {
        let a = ticket(1).speaks(nothing).phase(Phase::SharedTags);
        let b = ticket(2).speaks(&["zh-TW"]).phase(Phase::SharedTags);
        assert!(meet(factory, &a, &b).await, "{nothing:?}");
    }
}

async fn a_shared_tag_needs_no_relaxing(factory: Factory) {
    let strict = ticket(1).tags(&["音樂", "電影"]).phase(Phase::SharedTags);
    assert!(meet(factory, &strict, &ticket(2).tags(&["旅行", "電影"])).await);
}

async fn recent_partners_meet_when_both_want_repeats(factory: Factory) {
    for (mine, theirs) in [
        (Phase::Anyone, Phase::Anyone),
        (Phase::Repeats, Phase::Anyone),
        (Phase::Anyone, Phase::Repeats),
        (Phase::Repeats, Phase::Repeats),
    ] {
        let remembers = ticket(1).met(2).tags(&["音樂"]).phase(mine);
        let other = ticket(2).tags(&["音樂"]).phase(theirs);
        let both = mine == Phase::Repeats && theirs == Phase::Repeats;
        assert_eq!(meet(factory, &remembers, &other).await, both);
    }
}

async fn a_pairing_does_not_say_that_they_met_before(factory: Factory) {
    let (a, b) = (
        ticket(1).phase(Phase::Repeats),
        ticket(2).phase(Phase::Repeats),
    );
    let mut fresh = None;
    for (a, b) in [
        (a.clone(), b.clone()),
        (a.clone().met(2), b.clone()),
        (a, b.met(1)),
    ] {
        let pool = usual(factory);
        pool.wait(&a).await;
        let pairing = pool.meet(&b, &a).await;
        assert_eq!(pairing, *fresh.get_or_insert_with(|| pairing.clone()));
    }
}

async fn marks_that_are_held_keep_two_apart(factory: Factory) {
    let marked = |n, mark| {
        let mut ticket = ticket(n).phase(Phase::Repeats);
        ticket.marks = Marks([None, Some(Mark(mark)), None]);
        ticket
    };
    let mut holder = ticket(1).phase(Phase::Repeats);
    holder.held = vec![Mark(7), Mark(u64::MAX)];
    for mark in [7, u64::MAX] {
        assert!(!meet(factory, &holder, &marked(2, mark)).await);
        assert!(!meet(factory, &marked(2, mark), &holder).await);
    }
    assert!(meet(factory, &holder, &marked(2, 8)).await);
    assert!(meet(factory, &marked(2, 8), &holder).await);
    assert!(meet(factory, &holder, &ticket(3)).await, "without marks");
    // Two tabs of one browser meet all the same.
    assert!(meet(factory, &holder, &marked(2, 7).tab_of(1)).await);
}

async fn a_pairing_has_the_marks_of_the_tags_that_counted(factory: Factory) {
    let pool = usual(factory);
    let mut first = ticket(1).tags(&["one", "two", "音樂"]);
    first.marks = Marks([Some(Mark(1)), Some(Mark(2)), None]);
    let mut second = ticket(2).tags(&["TWO", "音樂", "three"]);
    second.marks = Marks([Some(Mark(4)), None, Some(Mark(5))]);
    second.held = vec![Mark(9)];
    pool.wait(&first).await;
    let pairing = pool.meet(&second, &first).await;
    let marks = |pairing: &Pairing| pairing.parties.each_ref().map(|party| party.marks.clone());
    // What did not count, and is not told, is not learnt by a mark either.
    assert_eq!(marks(&pairing), [vec![], vec![]]);
    pool.give_back(pairing.room, Some(&second)).await;
    for n in [3, 4] {
        let other = ticket(n).gender(Gender::Male, PreferredGender::Male);
        pool.wait(&other.tags(&["two"]).met(3).met(4)).await;
    }
    let pairing = pool.meet(&second.again(), &first).await;
    assert_eq!(marks(&pairing), [[Mark(4)], [Mark(2)]]);
    assert_eq!(
        pool.renew_at(&first, 0).await,
        Renewed::Paired(pairing.clone())
    );
}

async fn two_tabs_meet_whatever_they_remember(factory: Factory) {
    let other_tab = ticket(2).tab_of(1).blocks(1);
    assert!(meet(factory, &ticket(1).met(1), &other_tab).await);
}

async fn two_tabs_keep_the_rules_of_tags_and_gender(factory: Factory) {
    let strict = ticket(1).tags(&["音樂"]).phase(Phase::SharedTags);
    let other_tab = ticket(2).tab_of(1);
    assert!(!meet(factory, &strict, &other_tab).await);
    let woman = other_tab
        .again()
        .gender(Gender::Female, PreferredGender::Male);
    assert!(!meet(factory, &ticket(1), &woman).await);
    assert!(!meet(factory, &ticket(1), &ticket(1)).await);
}

async fn two_tabs_never_meet_where_that_is_off(factory: Factory) {
    let pool = Pool(factory(PoolRules {
        same_session: false,
        ..rules()
    }));
    pool.wait(&ticket(1)).await;
    pool.wait(&ticket(2).tab_of(1)).await;
}

/// Whether two people meet, which must not depend on who comes first.
async fn meet(factory: Factory, a: &Ticket, b: &Ticket) -> bool {
    let mut met = Vec::new();
    for (first, second) in [(a, b), (b, a)] {
        let pool = usual(factory);
        pool.wait(first).await;
        met.push(pool.enter(second).await.is_some());
    }
    assert_eq!(met[0], met[1], "the order of arrival decided");
    met[0]
}
