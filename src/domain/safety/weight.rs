//! What a report weighs, and what reports make of a case: more from a reporter whose reports were right before,
//! less from one whose were not. Whole numbers, so that a sum is the same in any order and in any store.

use super::counted::count;
use super::report::{Accuracy, Priority, Standing, Weight, WeightFacts};

/// The most that any report counts.
const MOST: Weight = Weight(1500);
/// With fewer decided reports than this nothing is concluded from them.
const KNOWN: u32 = 4;

/// What a report weighs of which this is known when it arrives.
pub fn weight(facts: &WeightFacts) -> Weight {
    if facts.muted {
        return Weight(0);
    }
    // A name may be a reason to report, but one who said nothing has not given three people in a day theirs.
    if facts.retaliation || facts.silent {
        return Weight::LEAST;
    }
    by_accuracy(facts.accuracy)
}

/// The priority of a case whose standing reports are these, of which each reporter and each network counts once.
pub fn priority(standing: &[Standing]) -> Priority {
    let worth = |it: &Standing| u64::from(it.weight.0) * u64::from(it.reason.severity_halves());
    Priority(count(standing.iter(), worth).sum)
}

/// Twice (upheld + 1) / (decided + 2), to the nearest thousandth, within its bounds. One who was right as often
/// as not counts one.
fn by_accuracy(Accuracy { upheld, decided }: Accuracy) -> Weight {
    if decided < KNOWN {
        return Weight::ONE;
    }
    let (above, below) = (2000 * (u64::from(upheld) + 1), u64::from(decided) + 2);
    let rounded = (above + below / 2) / below;
    Weight(u32::try_from(rounded).unwrap_or(u32::MAX)).clamp(Weight::LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{SessionId, Timestamp};
    use crate::domain::safety::counted::tests::network;
    use crate::domain::safety::reason::Reason;

    fn facts(upheld: u32, decided: u32) -> WeightFacts {
        WeightFacts {
            accuracy: Accuracy { upheld, decided },
            ..WeightFacts::default()
        }
    }

    fn of(upheld: u32, decided: u32) -> u32 {
        weight(&facts(upheld, decided)).0
    }

    #[test]
    fn nothing_is_concluded_from_fewer_than_four_decisions() {
        assert_eq!([of(0, 0), of(0, 3), of(3, 3)], [1000; 3]);
        assert_eq!(of(0, 4), 333);
        assert_eq!(of(4, 4), 1500);
    }

    #[test]
    fn a_weight_is_twice_the_accuracy_within_bounds() {
        assert_eq!(of(2, 4), 1000);
        assert_eq!(of(3, 5), 1143, "8/7 to the nearest thousandth");
        assert_eq!(of(2, 5), 857, "6/7");
        assert_eq!(of(0, 6), 250);
        assert_eq!(of(0, 20), 250, "not 1/11");
        assert_eq!(of(14, 20), 1364);
        assert_eq!(of(20, 20), 1500, "not 21/11");
    }

    #[test]
    fn a_retort_is_light_and_a_muted_reporter_is_nothing() {
        let good = facts(20, 20);
        let retort = WeightFacts {
            retaliation: true,
            ..good
        };
        assert_eq!(weight(&retort), Weight(250));
        let silent = WeightFacts {
            silent: true,
            ..good
        };
        assert_eq!(weight(&silent), Weight::LEAST, "nothing was said");
        let muted = WeightFacts {
            muted: true,
            ..retort
        };
        assert_eq!(weight(&muted), Weight(0));
    }

    fn standing(reporter: u8, weight: Weight, reason: Reason) -> Standing {
        Standing {
            reporter: SessionId([reporter; 16]),
            network: network(reporter),
            weight,
            reason,
            at: Timestamp(0),
            met: true,
            spent: false,
        }
    }

    #[test]
    fn a_priority_is_the_sum_of_weight_times_severity() {
        let reasons = [
            Reason::Minor,
            Reason::SelfHarm,
            Reason::Sexual,
            Reason::Harassment,
            Reason::Spam,
            Reason::Other,
        ];
        assert_eq!(
            reasons.map(|reason| priority(&[standing(1, Weight::ONE, reason)]).0),
            [8000, 6000, 4000, 3000, 2000, 2000],
            "4, 3, 2, 1.5, 1 and 1, in two-thousandths"
        );
        let three = [
            standing(1, Weight(1500), Reason::Harassment),
            standing(2, Weight(250), Reason::Minor),
            standing(3, Weight(0), Reason::Minor),
        ];
        assert_eq!(priority(&three), Priority(4500 + 2000));
        assert_eq!(priority(&[]), Priority(0));
    }

    #[test]
    fn a_crowd_of_one_network_is_as_urgent_as_its_gravest_report() {
        let crowd = [
            standing(1, Weight::ONE, Reason::Spam),
            standing(2, Weight(500), Reason::Minor),
            standing(3, Weight::ONE, Reason::Harassment),
        ];
        let crowd = crowd.map(|it| Standing {
            network: network(9),
            ..it
        });
        assert_eq!(priority(&crowd), Priority(4000));
    }

    proptest! {
        #[test]
        fn being_right_once_more_never_weighs_less(decided in 0..20_u32, upheld in 0..20_u32) {
            let upheld = upheld.min(decided);
            prop_assert!(of(upheld + 1, decided + 1) >= of(upheld, decided + 1));
            prop_assert!((250..=1500).contains(&of(upheld, decided)));
        }
    }
}
