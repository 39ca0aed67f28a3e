//! What several reports add up to: a reporter counts once, and so does a wide network, however many
//! reporters it has. Else one person with a few browsers would be a crowd.

use std::collections::{BTreeMap, HashMap};

use super::network::NetworkHash;
use super::report::Standing;
use crate::domain::id::{SessionId, Timestamp};

/// What reports come to when each reporter and each network is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Groups of reporters that were counted.
    pub(super) groups: usize,
    /// What they add up to: the most that any report of each group is worth.
    pub(super) sum: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Network(NetworkHash),
    /// Nothing is known of the network: then only the reporter is counted once.
    Alone(SessionId),
}

/// Counts these reports, each worth so much. A reporter belongs to the network of their first one, so that a
/// report more never makes it less; and the order in which they are given does not matter.
pub(super) fn count<'a>(
    reports: impl Iterator<Item = &'a Standing> + Clone,
    worth: impl Fn(&Standing) -> u64,
) -> Counted {
    let mut homes: HashMap<SessionId, (Timestamp, Option<NetworkHash>)> = HashMap::new();
    for report in reports.clone() {
        let here = (report.at, report.network);
        let home = homes.entry(report.reporter).or_insert(here);
        *home = here.min(*home);
    }
    let mut groups: BTreeMap<Group, u64> = BTreeMap::new();
    for report in reports {
        let home = homes.get(&report.reporter).and_then(|home| home.1);
        let group = home.map_or(Group::Alone(report.reporter), Group::Network);
        let most = groups.entry(group).or_default();
        *most = worth(report).max(*most);
    }
    Counted {
        groups: groups.len(),
        sum: groups.values().copied().fold(0, u64::saturating_add),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::safety::network::NetworkLength;
    use crate::domain::safety::reason::Reason;
    use crate::domain::safety::report::Weight;

    pub(in super::super) fn network(number: u8) -> Option<NetworkHash> {
        (number != 0).then_some(NetworkHash {
            length: NetworkLength::V4Block,
            hash: [number; 16],
        })
    }

    fn report(reporter: u8, net: u8, at: i64, weight: u32) -> Standing {
        Standing {
            reporter: SessionId([reporter; 16]),
            network: network(net),
            weight: Weight(weight),
            reason: Reason::Spam,
            at: Timestamp(at),
            met: true,
            spent: false,
        }
    }

    fn count(reports: &[Standing]) -> (usize, u64) {
        let counted = super::count(reports.iter(), |it| it.weight.0.into());
        (counted.groups, counted.sum)
    }

    #[test]
    fn reporters_of_one_network_count_once_with_the_heaviest() {
        let crowd = [
            report(1, 7, 0, 10),
            report(2, 7, 1, 30),
            report(3, 7, 2, 20),
        ];
        assert_eq!(count(&crowd), (1, 30));
        let apart = [report(1, 7, 0, 10), report(2, 8, 1, 30)];
        assert_eq!(count(&apart), (2, 40));
        assert_eq!(count(&[]), (0, 0));
    }

    #[test]
    fn a_reporter_who_moves_counts_once() {
        let moving = [report(1, 7, 0, 10), report(1, 8, 1, 30), report(2, 8, 2, 5)];
        assert_eq!(count(&moving), (2, 35), "1 is of network 7, 2 of 8");
    }

    #[test]
    fn where_no_network_is_known_each_reporter_counts_alone() {
        let unknown = [report(1, 0, 0, 10), report(1, 0, 1, 11), report(2, 0, 2, 5)];
        assert_eq!(count(&unknown), (2, 16));
    }

    fn some_report() -> impl Strategy<Value = Standing> {
        (0..6_u8, 0..5_u8, 0..4_i64, 0..7_u32)
            .prop_map(|(reporter, net, at, weight)| report(reporter, net, at, weight))
    }

    proptest! {
        #[test]
        fn the_order_of_reports_does_not_matter(
            (given, shuffled) in proptest::collection::vec(some_report(), 0..24)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            prop_assert_eq!(count(&given), count(&shuffled));
        }

        #[test]
        fn a_later_report_never_makes_it_less(
            reports in proptest::collection::vec(some_report(), 0..24),
            more in some_report(),
        ) {
            let before = count(&reports);
            let more = Standing { at: Timestamp(100), ..more };
            let after = count(&[&reports[..], &[more]].concat());
            prop_assert!(after.1 >= before.1 && after.0 >= before.0);
            prop_assert!(after.1 <= before.1 + u64::from(more.weight.0));
        }
    }
}
