//! The only thing that happens to a person without an operator: a mute of one hour, when people who have nothing
//! to do with each other and have all met them say so within a day. Reports alone never ban.

use std::time::Duration;

use super::counted::count;
use super::report::{Standing, Weight};
use crate::domain::id::Timestamp;

/// How long the mute lasts.
pub const MUTE: Duration = Duration::from_secs(3600);
/// Only reports that arrived within this time are looked at.
pub const WITHIN: Duration = Duration::from_secs(24 * 3600);
/// So many reporters, each from a network of their own, are needed.
const REPORTERS: usize = 3;
/// What they must weigh together.
const NEEDED: Weight = Weight(3000);

/// Whether these reports, all about one person, mute them now.
pub fn automatic(reports: &[Standing], now: Timestamp) -> bool {
    let counts = |it: &Standing| {
        it.met
            && !it.spent
            && it.network.is_some()
            && it.weight > Weight(0)
            && now.since(it.at) < WITHIN
    };
    // Where nothing is known of the network, nothing says that two reporters are two people.
    let fresh = reports.iter().filter(|it| counts(it));
    let counted = count(fresh, |it| it.weight.0.into());
    // A group is a network of its own with at least one reporter, so as many groups are as many of both.
    counted.groups >= REPORTERS && counted.sum >= u64::from(NEEDED.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::SessionId;
    use crate::domain::safety::counted::tests::network;
    use crate::domain::safety::reason::Reason;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    /// A report of this reporter from a network of their own, an hour ago.
    fn standing(reporter: u8) -> Standing {
        Standing {
            reporter: SessionId([reporter; 16]),
            network: network(reporter),
            weight: Weight::ONE,
            reason: Reason::Harassment,
            at: NOW.minus(Duration::from_secs(3600)),
            met: true,
            spent: false,
        }
    }

    fn mutes(reports: &[Standing]) -> bool {
        automatic(reports, NOW)
    }

    #[test]
    fn three_people_who_have_nothing_in_common_are_enough() {
        let three = [1, 2, 3].map(standing);
        assert!(mutes(&three));
        assert!(!mutes(&three[..2]));
        assert!(!mutes(&[]));
    }

    #[test]
    fn two_reporters_never_are_however_good() {
        let good = [1, 2].map(|it| Standing {
            weight: Weight(1500),
            ..standing(it)
        });
        assert!(!mutes(&good), "3 together, but two people");
        let elsewhere = Standing {
            network: network(9),
            ..good[1]
        };
        assert!(!mutes(&[good[0], good[1], elsewhere]), "one of them twice");
    }

    #[test]
    fn each_must_be_in_a_network_of_their_own() {
        let mut three = [1, 2, 3].map(standing);
        three[2].network = three[1].network;
        assert!(!mutes(&three));
        three[2].network = None;
        assert!(!mutes(&three), "nothing is known of it");
    }

    #[test]
    fn each_must_have_met_them() {
        let mut three = [1, 2, 3].map(standing);
        three[0].met = false;
        assert!(!mutes(&three));
    }

    #[test]
    fn their_weights_must_be_enough() {
        let mut three = [1, 2, 3].map(standing);
        three[0].weight = Weight(250);
        three[1].weight = Weight(1500);
        assert!(!mutes(&three), "2.75");
        three[2].weight = Weight(1250);
        assert!(mutes(&three), "3.0");
        let mut four = [1, 2, 3, 4].map(standing);
        four[0].weight = Weight(0);
        assert!(mutes(&four));
        four[1].weight = Weight(0);
        assert!(!mutes(&four));
    }

    #[test]
    fn only_the_last_day_counts() {
        let mut three = [1, 2, 3].map(standing);
        three[0].at = NOW.minus(WITHIN);
        assert!(!mutes(&three));
        three[0].at = NOW.minus(WITHIN - Duration::from_millis(1));
        assert!(mutes(&three));
        three[0].at = NOW.plus(WITHIN);
        assert!(mutes(&three), "the clock was set back");
    }

    #[test]
    fn the_same_evidence_mutes_once() {
        let spent = [1, 2, 3].map(|it| Standing {
            spent: true,
            ..standing(it)
        });
        let with = |more: &[u8]| {
            let more = more.iter().map(|it| standing(*it));
            mutes(&spent.into_iter().chain(more).collect::<Vec<_>>())
        };
        assert!(!with(&[]));
        assert!(!with(&[4, 5]));
        assert!(with(&[4, 5, 6]), "other evidence");
    }

    fn some_report() -> impl Strategy<Value = Standing> {
        (0..6_u8, 0..6_u8, 0..4_u64, 0..4_usize).prop_map(|(reporter, net, age, weight)| Standing {
            network: network(net),
            weight: [0, 250, 1000, 1500].map(Weight)[weight],
            at: NOW.minus(Duration::from_secs(age)),
            ..standing(reporter)
        })
    }

    proptest! {
        #[test]
        fn the_order_of_reports_does_not_matter(
            (given, shuffled) in proptest::collection::vec(some_report(), 0..12)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            prop_assert_eq!(mutes(&given), mutes(&shuffled));
        }

        #[test]
        fn a_later_report_never_makes_it_less(
            reports in proptest::collection::vec(some_report(), 0..12),
            more in some_report(),
        ) {
            let more = Standing { at: NOW.plus(Duration::from_secs(1)), ..more };
            let after = [&reports[..], &[more]].concat();
            prop_assert!(!mutes(&reports) || mutes(&after));
        }

        #[test]
        fn fewer_than_three_reporters_or_networks_never_mute(
            reports in proptest::collection::vec(some_report(), 0..12),
        ) {
            let mut reporters: Vec<_> = reports.iter().map(|it| it.reporter).collect();
            reporters.sort();
            reporters.dedup();
            let mut networks: Vec<_> = reports.iter().filter_map(|it| it.network).collect();
            networks.sort();
            networks.dedup();
            prop_assert!(!mutes(&reports) || (reporters.len() >= 3 && networks.len() >= 3));
        }
    }
}
