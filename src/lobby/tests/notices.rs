//! Warnings that wait to be confirmed, and bans: what a search is told, and how it goes on.

use super::*;
use crate::domain::safety::NoticeId;
use crate::protocol::CloseReason;

/// What the only preparation confirms.
fn confirms(bench: &mut Bench) -> Option<NoticeId> {
    match bench.jobs()[..] {
        [LobbyJob::Prepare { confirms, .. }] => confirms,
        ref jobs => panic!("{jobs:?}"),
    }
}

#[test]
fn a_second_search_confirms_the_warning_that_kept_the_first_from_beginning() {
    let (mut bench, warning) = (Bench::new(), NoticeId::fresh());
    bench.input(&start(""));
    assert_eq!(confirms(&mut bench), None);
    bench.outcome(LobbyOutcome::Prepared(Prepared::NoticePending(warning)));
    let told = bench.written();
    assert_eq!(told[0]["code"], "notice_pending");
    assert_eq!(told[0]["notice_id"], warning.to_string());
    assert!(bench.lobby.deadline().is_none(), "nothing goes on");
    bench.input(&start(""));
    assert_eq!(confirms(&mut bench), Some(warning));
    bench.outcome(LobbyOutcome::Prepared(Prepared::Ready(
        RelationsOf::default(),
    )));
    bench.entering();
    // Once: another warning is another matter.
    bench.input(CANCEL);
    bench.outcome(LobbyOutcome::Withdrawn(Ok(true)));
    bench.out.clear();
    bench.input(&start(""));
    assert_eq!(confirms(&mut bench), None);
}

#[test]
fn who_may_not_come_is_told_so_and_let_go() {
    let ban = NoPairs::Banned(Some(Duration::from_secs(60)));
    let mut begins = Bench::new();
    begins.input(&start(""));
    begins.out.clear();
    begins.outcome(LobbyOutcome::Prepared(Prepared::NoPairs(ban)));
    let (mut waits, ticket) = Bench::waiting("");
    waits.outcome(LobbyOutcome::NoPairs(ban));
    let leaves = |action: &Action<LobbyJob>| matches!(action, Action::Queue(LobbyJob::Abandon(id)) if *id == ticket.id);
    assert!(waits.out.iter().any(leaves), "{:?}", waits.out);
    for bench in [&mut begins, &mut waits] {
        let closes = |it: &Action<LobbyJob>| matches!(it, Action::Close(CloseReason::Banned));
        assert!(bench.out.iter().any(closes), "{:?}", bench.out);
        let told = bench.written();
        assert_eq!(told[0]["code"], "banned");
        assert_eq!(told[0]["retry_after_ms"], 60_000);
    }
}
