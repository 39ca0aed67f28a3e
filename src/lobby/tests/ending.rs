//! How a search ends without a match: cancelled, or followed by another one.

use super::*;

#[test]
fn a_cancel_is_answered_by_cancelled_or_found_never_both() {
    let (mut bench, _) = Bench::waiting("");
    bench.input(CANCEL);
    assert!(matches!(
        bench.out[..],
        [Action::Queue(LobbyJob::Withdraw(_))]
    ));
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    assert_eq!(bench.written()[0]["action"], "matching_cancelled");

    let (mut bench, ticket) = Bench::waiting("");
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Withdrawn(Ok(false)));
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    let told = bench.written();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["action"], "match_found");
}

#[test]
fn a_cancel_before_the_pool_was_entered_enters_nothing() {
    let mut bench = Bench::new();
    bench.input(&start(""));
    bench.input(CANCEL);
    bench.out.clear();
    bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
        RelationsOf::default(),
    )));
    assert!(bench.lobby.deadline().is_none());
    assert_eq!(bench.written()[0]["action"], "matching_cancelled");
}

#[test]
fn a_second_start_withdraws_the_first() {
    let (mut bench, _) = Bench::waiting("");
    bench.input(&start(r#""電影""#));
    assert!(matches!(
        bench.out[..],
        [Action::Queue(LobbyJob::Withdraw(_))]
    ));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    assert!(matches!(
        bench.jobs()[..],
        [
            LobbyJob::Regret { abandon: None, .. },
            LobbyJob::Prepare { again: false, .. }
        ]
    ));
}

/// When the search was asked for that a client is said to have withdrawn.
fn regretted(jobs: &[LobbyJob]) -> Vec<Instant> {
    let began = jobs.iter().filter_map(|job| match job {
        LobbyJob::Regret { began, .. } => Some(*began),
        _ => None,
    });
    began.collect()
}

#[test]
fn each_search_that_its_client_withdraws_is_told_of_once() {
    // Cancelled while it waits.
    let (mut bench, _) = Bench::waiting("");
    bench.at = Duration::from_secs(7);
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    assert_eq!(regretted(&bench.jobs()), [bench.start]);
    assert!(bench.lobby.farewell().is_none());

    // Cancelled before it was in the pool.
    let mut bench = Bench::new();
    bench.input(&start(""));
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
        RelationsOf::default(),
    )));
    assert_eq!(regretted(&bench.jobs()), [bench.start]);

    // Taken over by another connection.
    let (mut bench, ticket) = Bench::waiting("");
    bench.frame(&Frame::TicketReplaced(ticket.id));
    assert_eq!(regretted(&bench.jobs()), [bench.start]);

    // The connection is gone before anything was found.
    let mut bench = Bench::new();
    bench.input(&start(""));
    let farewell = bench.lobby.farewell();
    assert!(matches!(
        farewell,
        Some(LobbyJob::Regret { abandon: None, .. })
    ));

    // It found a partner, or was refused: there is nothing to regret.
    let (mut bench, ticket) = Bench::waiting("");
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Withdrawn(Ok(false)));
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    assert!(regretted(&bench.jobs()).is_empty());
    let mut bench = Bench::new();
    bench.input(&start(""));
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Prepared(Prepared::Limited(
        Duration::from_secs(3),
    )));
    assert!(regretted(&bench.jobs()).is_empty());
}

#[test]
fn a_changed_wish_keeps_the_time_waited() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.at = Duration::from_secs(15);
    bench.input(&start(r#""電影""#));
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
        RelationsOf::default(),
    )));
    let next = bench.entering();
    assert_ne!(next.id, ticket.id);
    assert_eq!((next.since, next.phase), (ticket.since, Phase::Anyone));
}

#[test]
fn a_cancel_is_answered_also_when_another_search_follows() {
    for waiting in [false, true] {
        let mut bench = match waiting {
            true => Bench::waiting("").0,
            false => {
                let mut bench = Bench::new();
                bench.input(&start(""));
                bench
            }
        };
        bench.input(CANCEL);
        bench.input(&start(""));
        bench.out.clear();
        bench.outcome(match waiting {
            true => LobbyOutcome::Withdrawn(Ok(true)),
            false => LobbyOutcome::Prepared(Prepared::Ready(RelationsOf::default())),
        });
        let prepares = |action: &Action<LobbyJob>| {
            matches!(
                action,
                Action::Queue(LobbyJob::Prepare { again: false, .. })
            )
        };
        assert!(bench.out.iter().any(prepares));
        assert_eq!(bench.written()[0]["action"], "matching_cancelled");
    }
}
