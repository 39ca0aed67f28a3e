//! The lobby machine of a client that does not answer: it is not paired, and nothing is lost when
//! it is heard again.

use super::*;
use crate::matching::PoolError;

impl Bench {
    fn silent(&mut self) {
        let now = self.now();
        self.lobby.on_silent(now, &mut self.out);
    }

    fn heard(&mut self) {
        let now = self.now();
        self.lobby.on_heard(now, &mut self.out);
    }

    /// Waiting until it did not answer, and out of the pool since.
    fn set_aside() -> (Self, Ticket) {
        let (mut bench, ticket) = Self::waiting("");
        bench.at += Duration::from_secs(3);
        bench.silent();
        assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(it)] if it == ticket.id));
        bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
        (bench, ticket)
    }
}

/// What a pairing with a silent client comes to.
fn is_declined(bench: &mut Bench, ticket: &Ticket) {
    let asked: Vec<_> = bench.out.drain(..).collect();
    let asked = &asked[..];
    assert!(
        matches!(asked, [Action::Queue(LobbyJob::Abandon(it))] if *it == ticket.id),
        "{asked:?}"
    );
}

#[test]
fn only_a_search_is_watched() {
    let (mut bench, ticket) = Bench::waiting("");
    assert!(bench.lobby.watches());
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    assert!(!bench.lobby.watches());
    assert!(!Bench::new().lobby.watches());
}

#[test]
fn a_silent_search_leaves_the_pool_until_it_is_heard() {
    let (mut bench, ticket) = Bench::set_aside();
    assert!(bench.out.is_empty(), "the client is told nothing");
    assert_eq!(
        bench.lobby.deadline(),
        None,
        "and nothing is asked of the pool"
    );
    bench.at += Duration::from_secs(4);
    bench.heard();
    let again = bench.entering();
    assert_eq!(
        (again.id, again.since),
        (ticket.id, ticket.since),
        "its time goes on"
    );
}

#[test]
fn who_is_heard_before_it_has_left_the_pool_enters_again() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.silent();
    bench.heard();
    assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(_)]));
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    assert_eq!(bench.entering().id, ticket.id);
}

#[test]
fn a_silent_search_leaves_when_the_pool_has_answered() {
    let (mut bench, _) = Bench::entered("");
    bench.silent();
    assert!(bench.jobs().is_empty(), "one job of a search at a time");
    let queued = Entered::Waiting {
        replaced: None,
        resume: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
    assert!(matches!(bench.jobs()[..], [LobbyJob::Withdraw(_)]));
}

#[test]
fn a_pairing_with_a_silent_client_is_given_back() {
    for side in Side::BOTH {
        let (mut bench, ticket) = Bench::waiting("");
        bench.silent();
        bench.out.clear();
        // Paired before it was withdrawn: the pool says so when asked again.
        bench.outcome(LobbyOutcome::Withdrawn(Ok(false)));
        assert!(matches!(bench.jobs()[..], [LobbyJob::Renew(_)]));
        let pairing = pairing(&ticket, side);
        bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Paired(pairing)), None));
        is_declined(&mut bench, &ticket);
        bench.outcome(LobbyOutcome::Done);
        assert_eq!(bench.lobby.deadline(), None);
        bench.heard();
        let again = bench.entering();
        assert_eq!((again.id, again.since), (ticket.id, ticket.since));
        assert_ne!(again.room, ticket.room, "that room is not met again");
    }
}

#[test]
fn a_match_that_a_silent_client_is_told_of_is_given_back() {
    let (mut bench, ticket) = Bench::set_aside();
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    is_declined(&mut bench, &ticket);
}

#[test]
fn a_match_stands_when_the_client_was_heard_again() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.silent();
    bench.heard();
    bench.out.clear();
    bench.outcome(LobbyOutcome::Withdrawn(Ok(false)));
    bench.out.clear();
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    assert_eq!(bench.written()[0]["action"], "match_found");
}

#[test]
fn a_cancel_and_another_wish_are_heard_and_answered() {
    let (mut bench, _) = Bench::set_aside();
    bench.heard();
    bench.out.clear();
    bench.input(CANCEL);
    let queued = Entered::Waiting {
        replaced: None,
        resume: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    let told = bench.written();
    assert_eq!(told.last().unwrap()["action"], "matching_cancelled");

    let (mut bench, ticket) = Bench::set_aside();
    bench.heard();
    bench.out.clear();
    bench.input(&start(r#""音樂""#));
    let queued = Entered::Waiting {
        replaced: None,
        resume: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(queued), None));
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
        RelationsOf::default(),
    )));
    assert_eq!(bench.entering().since, ticket.since);
}

#[test]
fn a_pool_that_does_not_answer_keeps_a_silent_client_no_longer_than_its_lease() {
    let (mut bench, ticket) = Bench::waiting("");
    bench.silent();
    bench.out.clear();
    let lost = PoolError::Unavailable("Redis does not answer in time".into());
    bench.outcome(LobbyOutcome::Withdrawn(Err(lost)));
    is_declined(&mut bench, &ticket);
    assert_eq!(bench.lobby.deadline(), None);
    bench.heard();
    assert_eq!(bench.entering().id, ticket.id);
}
