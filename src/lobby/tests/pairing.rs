//! From the pairing to being told: which side makes the room, and what becomes of what neither was told.

use super::*;

#[test]
fn who_finds_makes_the_room_before_anybody_is_told() {
    let (mut bench, ticket) = Bench::entered("");
    let paired = Entered::Paired {
        pairing: pairing(&ticket, Side::A),
        replaced: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(paired), None));
    assert!(matches!(
        bench.out[..],
        [Action::Queue(LobbyJob::Create { by: Side::A, .. })]
    ));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Created(Created::Done));
    let told = bench.written();
    assert_eq!(told[0]["action"], "match_found");
    assert_eq!(told[0]["token"], "token");
}

#[test]
fn a_room_that_could_not_be_made_sends_the_search_on_with_its_time() {
    let (mut bench, ticket) = Bench::entered("");
    bench.at = Duration::from_secs(3);
    let paired = Entered::Paired {
        pairing: pairing(&ticket, Side::A),
        replaced: None,
    };
    bench.outcome(LobbyOutcome::Entered(Ok(paired), None));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Created(Created::PartnerGone));
    let again = bench.entering();
    assert_eq!((again.id, again.since), (ticket.id, ticket.since));
    assert_ne!(again.room, ticket.room);
}

#[test]
fn a_found_side_that_nobody_tells_looks_for_itself() {
    let (mut bench, ticket) = Bench::waiting("");
    let found = pairing(&ticket, Side::B);
    for makes in [false, true] {
        bench.ring();
        bench.out.clear();
        let paired = Renewed::Paired(Arc::clone(&found));
        bench.outcome(LobbyOutcome::Renewed(Ok(paired), None));
        let creating = matches!(
            bench.out[..],
            [Action::Queue(LobbyJob::Create { by: Side::B, .. })]
        );
        assert_eq!(creating, makes);
    }
    // The finder lives after all: it is told once.
    bench.out.clear();
    bench.frame(&Frame::Matched(Arc::clone(&found)));
    bench.outcome(LobbyOutcome::Created(Created::Done));
    bench.frame(&Frame::Matched(found));
    assert_eq!(bench.written().len(), 1);
}

#[test]
fn leaving_gives_up_what_was_not_told() {
    let (bench, ticket) = Bench::waiting("");
    let start = bench.start;
    assert!(matches!(
        bench.lobby.farewell(),
        Some(LobbyJob::Regret { began, abandon: Some(id) }) if id == ticket.id && began == start
    ));

    let (mut bench, ticket) = Bench::waiting("");
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    assert!(matches!(
        bench.lobby.farewell(),
        Some(LobbyJob::Untold { side: Side::B, .. })
    ));

    let (mut bench, ticket) = Bench::waiting("");
    bench.frame(&Frame::Matched(pairing(&ticket, Side::B)));
    bench.lobby.on_flushed();
    assert!(bench.lobby.farewell().is_none());
}

#[test]
fn what_another_node_says_is_asked_of_the_store_first() {
    let (mut bench, ticket) = Bench::waiting("");
    let found = pairing(&ticket, Side::B);
    bench.frame(&Frame::MatchedElsewhere(Arc::clone(&found)));
    assert!(matches!(bench.jobs()[..], [LobbyJob::Confirm(_)]));
    // Not so: nothing is told, the search goes on, and gives up its own ticket at the end.
    bench.outcome(LobbyOutcome::Confirmed(None));
    assert!(bench.out.is_empty());
    bench.frame(&Frame::MatchedElsewhere(Arc::clone(&found)));
    bench.out.clear();
    bench.outcome(LobbyOutcome::Confirmed(Some(Arc::clone(&found))));
    assert_eq!(bench.written()[0]["action"], "match_found");
    // Known by now: not asked again.
    bench.frame(&Frame::MatchedElsewhere(found));
    assert!(bench.out.is_empty());
}

#[test]
fn a_pairing_of_another_session_is_nobodys() {
    let (mut bench, ticket) = Bench::waiting("");
    let mut invented = Pairing::clone(&pairing(&ticket, Side::B));
    invented.parties[1].session = SessionId([66; 16]);
    let invented = Arc::new(invented);
    bench.frame(&Frame::MatchedElsewhere(Arc::clone(&invented)));
    bench.frame(&Frame::Matched(Arc::clone(&invented)));
    assert!(bench.out.is_empty());
    for _ in 0..2 {
        bench.ring();
        bench.out.clear();
        let paired = Renewed::Paired(Arc::clone(&invented));
        bench.outcome(LobbyOutcome::Renewed(Ok(paired), None));
        assert!(bench.out.is_empty(), "no room is made and nothing is told");
    }
}
