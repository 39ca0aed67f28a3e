//! A search whose person asked to be called: it goes on without its page.

use super::*;
use crate::lobby::Created;

/// A subscription at a push service, with the keys of appendix A of RFC 8291.
const CALL_ME: &str = r#"{"action":"call_me","subscription":{
    "endpoint":"https://fcm.googleapis.com/fcm/send/x",
    "expirationTime":null,
    "keys":{
        "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth":"BTBZMqHH6r4Tts7J_aSIgg"
    }}}"#;

impl Bench {
    /// Waiting, and to be called.
    fn callable() -> (Self, Ticket) {
        let (mut bench, ticket) = Self::waiting("");
        bench.input(CALL_ME);
        let told = bench.written();
        assert_eq!(
            (&told[0]["action"], &told[0]["on"]),
            (&"calling".into(), &true.into())
        );
        (bench, ticket)
    }

    fn page_closes(&mut self) -> bool {
        let now = self.now();
        self.lobby.on_alone(now)
    }

    fn found(&mut self, ticket: &Ticket) {
        let found = pairing(ticket, Side::B);
        self.frame(&Frame::Matched(found));
    }

    /// What is asked for at the next deadline.
    fn next_job(&mut self) -> Option<LobbyJob> {
        self.out.clear();
        self.ring();
        self.jobs().pop()
    }
}

fn is_call(job: Option<LobbyJob>) -> bool {
    matches!(job, Some(LobbyJob::Call { side: Side::B, .. }))
}

#[test]
fn a_search_outlives_its_page_for_so_long() {
    let (mut bench, ticket) = Bench::callable();
    assert!(bench.page_closes());
    while bench.at < CALL_FOR {
        assert!(bench.lobby.goes_on(), "{:?}", bench.at);
        bench.ring();
        for job in bench.jobs() {
            match job {
                LobbyJob::Renew(_) => {
                    bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Waiting), None));
                }
                LobbyJob::Enter(_) => {
                    let waiting = Entered::Waiting {
                        replaced: None,
                        resume: None,
                    };
                    bench.outcome(LobbyOutcome::Entered(Ok(waiting), None));
                }
                job => panic!("{job:?}"),
            }
        }
    }
    assert!(!bench.lobby.goes_on());
    let farewell = bench.lobby.farewell();
    assert!(
        matches!(farewell, Some(LobbyJob::Regret { abandon: Some(id), .. }) if id == ticket.id)
    );
}

#[test]
fn without_being_asked_for_nothing_outlives_a_page() {
    let (mut bench, _) = Bench::waiting("");
    assert!(!bench.page_closes());
}

#[test]
fn cancelling_another_search_and_taking_it_back_end_it() {
    let never = r#"{"action":"call_me","subscription":null}"#;
    for input in [CANCEL, &start(""), never] {
        let (mut bench, _) = Bench::callable();
        bench.input(input);
        assert!(!bench.page_closes(), "{input}");
    }
}

#[test]
fn a_foreign_address_is_not_taken() {
    let (mut bench, _) = Bench::waiting("");
    bench.input(&CALL_ME.replace("fcm.googleapis.com", "evil.example"));
    assert_eq!(bench.written()[0]["on"], false);
    assert!(!bench.page_closes());
}

#[test]
fn who_is_alone_is_called_at_once_and_that_is_the_end() {
    let (mut bench, ticket) = Bench::callable();
    assert!(bench.page_closes());
    bench.found(&ticket);
    assert!(is_call(bench.next_job()));
    assert_eq!(bench.at, Duration::ZERO);
    assert!(bench.lobby.goes_on());
    bench.outcome(LobbyOutcome::Called(true));
    assert!(!bench.lobby.goes_on());
    assert!(bench.lobby.farewell().is_none(), "the room is theirs");
}

#[test]
fn who_cannot_be_called_is_not_waited_for() {
    let (mut bench, ticket) = Bench::callable();
    assert!(bench.page_closes());
    bench.found(&ticket);
    assert!(is_call(bench.next_job()));
    bench.outcome(LobbyOutcome::Called(false));
    assert!(!bench.lobby.goes_on());
    let farewell = bench.lobby.farewell();
    assert!(matches!(
        farewell,
        Some(LobbyJob::Untold { side: Side::B, .. })
    ));
}

#[test]
fn a_page_that_takes_what_it_is_sent_and_does_not_come_is_called_for() {
    let (mut bench, ticket) = Bench::callable();
    bench.found(&ticket);
    bench.lobby.on_flushed();
    assert_eq!(bench.written()[0]["action"], "match_found");
    // On its way to the room it closes this socket.
    assert!(bench.page_closes());
    assert!(is_call(bench.next_job()));
    assert_eq!(bench.at, Duration::from_secs(6));
    bench.outcome(LobbyOutcome::Called(true));
    assert!(!bench.lobby.goes_on());
}

#[test]
fn a_silent_page_keeps_its_place_and_is_called_for_at_once() {
    let (mut bench, ticket) = Bench::callable();
    let now = bench.now();
    bench.lobby.on_silent(now, &mut bench.out);
    assert!(bench.jobs().is_empty(), "it was withdrawn");
    bench.found(&ticket);
    assert!(is_call(bench.next_job()));
    assert_eq!(bench.at, Duration::ZERO);
}

#[test]
fn a_room_that_is_being_made_is_seen_to_its_end() {
    let (mut bench, ticket) = Bench::callable();
    assert!(bench.page_closes());
    bench.ring();
    bench.out.clear();
    let found = pairing(&ticket, Side::A);
    bench.outcome(LobbyOutcome::Renewed(Ok(Renewed::Paired(found)), None));
    assert!(matches!(bench.jobs()[..], [LobbyJob::Create { .. }]));
    bench.at = CALL_FOR;
    let now = bench.now();
    bench.lobby.on_timer(now, &mut bench.out);
    assert!(bench.lobby.goes_on());
    bench.outcome(LobbyOutcome::Created(Created::Done));
    bench.ring();
    assert!(matches!(
        bench.jobs()[..],
        [LobbyJob::Call { side: Side::A, .. }]
    ));
}
