//! The only thing that happens to a person without an operator: a mute of one hour, when people who have nothing
//! to do with each other and have all heard something of them say so within a day. Reports alone never ban. It
//! happens once until an operator has decided about the person, and it ends with its ground.

use std::time::Duration;

use super::counted::count;
use super::network::NetworkLength;
use super::report::{Standing, Weight};
use crate::domain::id::Timestamp;

/// How long the mute lasts.
pub const MUTE: Duration = Duration::from_secs(3600);
/// Only reports that arrived within this time are looked at.
pub const WITHIN: Duration = Duration::from_secs(24 * 3600);
/// For how long the step mutes no session about which an operator decided that no rule was broken.
pub const REST: Duration = Duration::from_secs(7 * 24 * 3600);
/// So many reporters, each from a network of their own, are needed.
const REPORTERS: usize = 3;
/// What they must weigh together.
const NEEDED: Weight = Weight(3000);

/// What was done about a person before, as far as the store remembers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoneBefore {
    /// The newest mute of the automatic step.
    pub muted: Option<Timestamp>,
    /// When an operator decided last about reports on them.
    pub decided: Option<Timestamp>,
    /// When an operator last decided that no rule was broken, or lifted a mute of the automatic step.
    pub cleared: Option<Timestamp>,
}

impl DoneBefore {
    /// Whether the machine may act: not a second time before a person has looked, nor soon after one found nothing.
    fn allows(&self, now: Timestamp) -> bool {
        let looked = self.decided.max(self.cleared);
        let waits = self.muted.is_some_and(|muted| looked < Some(muted));
        let rests = self.cleared.is_some_and(|at| now.since(at) < REST);
        !waits && !rests
    }
}

/// Whether these reports, all about one person, mute them now.
pub fn automatic(reports: &[Standing], before: &DoneBefore, now: Timestamp) -> bool {
    let fresh = |it: &&Standing| !it.spent && now.since(it.at) < WITHIN;
    before.allows(now) && enough(reports.iter().filter(fresh))
}

/// Whether a mute that is in force has its ground still in the reports that stand, spent or not.
pub fn grounded(reports: &[Standing], now: Timestamp) -> bool {
    let looked_at = |it: &&Standing| now.since(it.at) < WITHIN + MUTE;
    enough(reports.iter().filter(looked_at))
}

fn enough<'a>(reports: impl Iterator<Item = &'a Standing> + Clone) -> bool {
    // Where nothing is known of the network, nothing says that two reporters are two people.
    let counts = |it: &&Standing| it.met && it.network.is_some() && it.weight > Weight::LEAST;
    let counted = reports.filter(counts);
    // Networks of IPv4 and of IPv6 are two views of the same people: a phone and a line at home that speak both are
    // two networks in each view, and would be four in the sum.
    [NetworkLength::V4Block, NetworkLength::V6Site]
        .into_iter()
        .any(|family| {
            let of = |it: &&Standing| it.network.is_some_and(|it| it.length == family);
            let counted = count(counted.clone().filter(of), |it| it.weight.0.into());
            // A group is a network of its own with at least one reporter, so as many groups are as many of both.
            counted.groups >= REPORTERS && counted.sum >= u64::from(NEEDED.0)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::SessionId;
    use crate::domain::safety::counted::tests::network;
    use crate::domain::safety::network::NetworkHash;
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
        automatic(reports, &DoneBefore::default(), NOW)
    }

    #[test]
    fn three_people_who_have_nothing_in_common_are_enough() {
        let three = [1, 2, 3].map(standing);
        assert!(mutes(&three));
        assert!(!mutes(&three[..2]));
        assert!(!mutes(&[]));
    }

    #[test]
    fn networks_of_two_families_are_not_added_up() {
        let by_six = |reporter| Standing {
            network: network(reporter).map(|it| NetworkHash {
                length: NetworkLength::V6Site,
                ..it
            }),
            ..standing(reporter)
        };
        // A phone and a line at home, each by both, and a café.
        assert!(!mutes(&[standing(1), by_six(2), standing(3), by_six(4)]));
        assert!(mutes(&[1, 2, 3].map(by_six)));
        assert!(mutes(&[standing(1), by_six(2), standing(3), standing(4)]));
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
        three[0].weight = Weight(500);
        three[1].weight = Weight(1250);
        assert!(!mutes(&three), "2.75");
        three[2].weight = Weight(1250);
        assert!(mutes(&three), "3.0");
        three = [1, 2, 3].map(|it| Standing {
            weight: Weight(1500),
            ..standing(it)
        });
        three[0].weight = Weight::LEAST;
        assert!(
            !mutes(&three),
            "3.25, but one of them asks nothing of a machine"
        );
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

    #[test]
    fn a_person_decides_before_the_machine_acts_again() {
        let hour = Duration::from_secs(3600);
        let three = [1, 2, 3].map(standing);
        let after = |before: DoneBefore| automatic(&three, &before, NOW);
        let muted = Some(NOW.minus(hour * 3));
        let once = DoneBefore {
            muted,
            ..DoneBefore::default()
        };
        assert!(!after(once), "it muted them, and a person has not looked");
        let looked = |ago| DoneBefore {
            decided: Some(NOW.minus(ago)),
            ..once
        };
        assert!(!after(looked(hour * 4)), "before it did");
        assert!(after(looked(hour * 2)));
        let cleared = |ago| DoneBefore {
            cleared: Some(NOW.minus(ago)),
            ..looked(ago)
        };
        assert!(!after(cleared(hour * 2)), "they had done nothing");
        let long_ago = |cleared| DoneBefore {
            muted: Some(NOW.minus(REST * 2)),
            cleared: Some(NOW.minus(cleared)),
            decided: None,
        };
        assert!(!after(long_ago(REST - hour)));
        assert!(after(long_ago(REST)));
    }

    #[test]
    fn a_mute_ends_with_its_ground() {
        let mut three = [1, 2, 3].map(|it| Standing {
            spent: true,
            at: NOW.minus(WITHIN),
            ..standing(it)
        });
        assert!(grounded(&three, NOW), "spent, and older than a day by now");
        assert!(!grounded(&three[1..], NOW), "one was taken back");
        three[0].weight = Weight(0);
        assert!(!grounded(&three, NOW));
        let later = [&three[1..], &[standing(4)]].concat();
        assert!(grounded(&later, NOW), "another came since");
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
