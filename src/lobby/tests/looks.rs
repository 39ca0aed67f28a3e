//! When a search looks again.

use super::*;
use crate::lobby::search::next_look;

#[test]
fn a_search_looks_again_when_it_counts_as_patient() {
    let rules = LobbyRules {
        tag_patience: TAGS,
        repeat_patience: Duration::from_secs(600),
        push_hosts: None,
        call_for: CALL_FOR,
        staff: Arc::new(StaffNames::of("Miyu")),
        topics: Arc::default(),
    };
    let seconds = |tags, waited| {
        let (_, ticket) = Bench::entered(tags);
        next_look(&rules, &ticket, Duration::from_secs(waited)).as_secs()
    };
    // Without tags patience begins at once, with tags when the search is open to anyone.
    assert_eq!(
        [0, 4, 10, 20, 599].map(|it| seconds("", it)),
        [10, 6, 10, 10, 1]
    );
    let tagged = [0, 4, 10, 13, 20].map(|it| seconds(r#""音樂""#, it));
    assert_eq!(tagged, [10, 6, 10, 7, 10]);
}
