//! The lobby machine while the pool, or the side that makes the room, is away for a while.

use super::*;
use crate::matching::PoolError;

fn silence() -> PoolError {
    PoolError::Unavailable("Redis does not answer in time".into())
}

/// Started and prepared; the first attempt to enter the pool got no answer.
fn unanswered() -> (Bench, Ticket) {
    let (mut bench, ticket) = Bench::entered("");
    bench.outcome(LobbyOutcome::Entered(Err(silence()), None));
    (bench, ticket)
}

#[test]
fn a_pool_that_does_not_answer_is_asked_again_ever_less_often() {
    let (mut bench, ticket) = unanswered();
    assert_eq!(bench.written()[0]["action"], "waiting_for_match");
    let mut asked = vec![];
    for _ in 0..5 {
        bench.ring();
        let again = bench.entering();
        assert_eq!((again.id, again.since), (ticket.id, ticket.since));
        asked.push(bench.at.as_secs());
        bench.outcome(LobbyOutcome::Entered(Err(silence()), None));
    }
    assert_eq!(asked, [1, 3, 7, 12, 17]);
    assert!(
        bench.written().is_empty(),
        "the client only sees that it waits"
    );
    bench.ring();
    bench.out.clear();
    let queued = Entered::Waiting {
        replaced: None,
        resume: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
    bench.ring();
    assert!(matches!(
        bench.jobs()[..],
        [LobbyJob::Renew(_) | LobbyJob::Enter(_)]
    ));
}

#[test]
fn an_unanswered_renewal_ends_no_search() {
    let (mut bench, ticket) = Bench::waiting("");
    // Before its patience for tags ends, after which it enters.
    while bench.at + TICK + JITTER < TAGS {
        bench.ring();
        assert!(matches!(&bench.jobs()[..], [LobbyJob::Renew(it)] if it.id == ticket.id));
        bench.outcome(LobbyOutcome::Renewed(Err(silence()), None));
    }
    assert!(bench.at >= TICK, "it was renewed");
    assert!(bench.written().is_empty());
}

#[test]
fn a_cancel_is_answered_while_the_pool_does_not_answer() {
    let (mut bench, ticket) = unanswered();
    bench.out.clear();
    bench.input(CANCEL);
    assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(_)]));
    bench.outcome(LobbyOutcome::Withdrawn(Err(silence())));
    assert!(matches!(
        bench.out[..],
        [Action::Queue(LobbyJob::Regret { abandon: Some(id), .. }), Action::Write(_)]
            if id == ticket.id
    ));
    assert_eq!(bench.written()[0]["action"], "matching_cancelled");
    assert!(bench.lobby.deadline().is_none());
}

#[test]
fn a_match_that_an_unanswered_attempt_made_is_found_by_the_cancel() {
    let (mut bench, ticket) = unanswered();
    bench.out.clear();
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Withdrawn(Ok(false)));
    assert!(matches!(
        bench.jobs()[..],
        [LobbyJob::Withdraw(_), LobbyJob::Renew(_)]
    ));
    let paired = Renewed::Paired(pairing(&ticket, Side::A));
    bench.outcome(LobbyOutcome::Renewed(Ok(paired), None));
    bench.outcome(LobbyOutcome::Created(Created::Done));
    let told = bench.written();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["action"], "match_found");
}

#[test]
fn a_refusal_after_silence_is_told() {
    let (mut bench, _) = unanswered();
    bench.out.clear();
    bench.ring();
    bench.out.clear();
    let refused = Err(PoolError::TooManyTickets);
    bench.outcome(LobbyOutcome::Entered(refused, None));
    assert_eq!(bench.written()[0]["code"], "rate_limited");
    assert!(bench.lobby.deadline().is_none());
}

#[test]
fn a_cancel_during_an_unanswered_attempt_is_done_at_once() {
    let mut bench = Bench::new();
    bench.input(&start(""));
    bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
        RelationsOf::default(),
    )));
    bench.input(CANCEL);
    bench.out.clear();
    bench.outcome(LobbyOutcome::Entered(Err(silence()), None));
    assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(_)]));
}

#[test]
fn a_ticket_given_back_after_its_client_was_told_is_taken_out() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    bench.out.clear();
    bench.frame(&Frame::Released);
    assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(id)] if id == ticket.id));
}

#[test]
fn a_pairing_told_while_it_was_given_up_leaves_no_ticket_behind() {
    let (mut bench, ticket) = Bench::waiting("");
    let found = pairing(&ticket, Side::B);
    for _ in 0..2 {
        bench.ring();
        let paired = Renewed::Paired(Arc::clone(&found));
        bench.outcome(LobbyOutcome::Renewed(Ok(paired), None));
    }
    bench.frame(&Frame::Matched(found));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Created(Created::PartnerGone));
    assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(id)] if id == ticket.id));
}

#[test]
fn leaving_while_the_room_is_being_made_takes_the_pairing_back() {
    let (mut bench, ticket) = Bench::entered("");
    let paired = Entered::Paired {
        pairing: pairing(&ticket, Side::A),
        replaced: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(paired), None));
    assert!(matches!(
        bench.lobby.farewell(),
        Some(LobbyJob::Abandon(id)) if id == ticket.id
    ));
}
