//! No new pairs are made for now: how each phase of a search ends by it.

use super::*;

const WAIT: Duration = Duration::from_secs(20);

fn assert_told(bench: &mut Bench) {
    let told = bench.written();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["code"], "site_full");
    assert_eq!(told[0]["retry_after_ms"], 20_000);
    assert!(bench.lobby.deadline().is_none(), "nothing goes on");
}

#[test]
fn a_search_that_begins_is_refused() {
    let mut bench = Bench::new();
    bench.input(&start(""));
    bench.outcome(LobbyOutcome::Prepared(Prepared::NoPairs(
        NoPairs::SiteFull(WAIT),
    )));
    assert_told(&mut bench);
    bench.input(&start(""));
    assert!(matches!(bench.jobs()[..], [LobbyJob::Prepare { .. }]));
}

#[test]
fn a_ticket_that_waits_leaves_the_pool() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.ring();
    bench.out.clear();
    bench.outcome(LobbyOutcome::NoPairs(NoPairs::SiteFull(WAIT)));
    let gives_up = |action: &Action<LobbyJob>| matches!(action, Action::Queue(LobbyJob::Abandon(id)) if *id == ticket.id);
    assert!(bench.out.iter().any(gives_up));
    assert_told(&mut bench);
    assert!(bench.lobby.farewell().is_none());
}

#[test]
fn a_ticket_that_never_entered_has_nothing_to_leave() {
    let (mut bench, _) = Bench::entered("");
    bench.outcome(LobbyOutcome::NoPairs(NoPairs::SiteFull(WAIT)));
    assert!(!bench.out.iter().any(|it| matches!(it, Action::Queue(_))));
    assert_told(&mut bench);
}

#[test]
fn a_pairing_whose_room_is_not_made_ends_both_searches() {
    let (mut bench, ticket) = Bench::entered("");
    let paired = Entered::Paired {
        pairing: pairing(&ticket, Side::A),
        replaced: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(paired), None));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Created(Created::NoPairs(NoPairs::SiteFull(
        WAIT,
    ))));
    assert_told(&mut bench);

    // The other side hears that it waits again, and asks.
    let (mut bench, _) = Bench::waiting("");
    bench.frame(&Frame::Released);
    bench.ring();
    bench.entering();
    bench.outcome(LobbyOutcome::NoPairs(NoPairs::SiteFull(WAIT)));
    assert_told(&mut bench);
}

#[test]
fn who_gave_up_meanwhile_is_told_that_and_nothing_else() {
    let (mut bench, _) = Bench::entered("");
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::NoPairs(NoPairs::SiteFull(WAIT)));
    let told = bench.written();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["action"], "matching_cancelled");
}
