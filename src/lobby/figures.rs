//! How many people are here: the figures that every client is told, the same for all of them.
//!
//! Which client asks does not matter: a number that left out those that a search knows (a former partner, one
//! who blocked it) would tell, beside the number of another browser, that they are here. And they are
//! sampled at moments that cannot be foreseen, so that a change is not the coming of this one person.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::channel::ChannelLayer;
use crate::delivery::online::Online;
use crate::domain::{Gender, PreferredGender, rounded};
use crate::matching::{PoolStats, WaitingPool};
use crate::store::Store;

/// The next sample is taken so long after the last one, at the earliest and at the latest.
const PERIOD: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

/// One sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Networks that people are here from.
    pub places: u64,
    /// Who waits.
    pub stats: PoolStats,
    /// Open rooms.
    pub rooms: u64,
}

impl Sample {
    /// People who are here, as is told.
    pub fn online(&self) -> u64 {
        rounded(self.places)
    }

    /// People who wait, the one who asks among them if they do, as is told: a crowd behind one address
    /// is no crowd.
    pub fn waiting(&self) -> u64 {
        rounded(self.stats.total().min(self.places))
    }
}

/// What a search is told of all who wait, itself among them. It goes by what the search is, never by
/// which others it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// How many wait, as everyone is told.
    pub waiting: u64,
    /// So many wait that it can be told, and the gender wishes let it meet hardly any of them.
    pub unfit: bool,
}

impl Company {
    /// For a search of this gender and wish.
    pub fn of(sample: &Sample, gender: Gender, wish: PreferredGender) -> Self {
        // With the one who looks, so that fewer than five are always "a few": with a number that can
        // be nought, being alone and being kept from the only other one would differ.
        let waiting = sample.waiting().max(1);
        let fitting = rounded(sample.stats.fitting(gender, wish));
        Self {
            waiting,
            unfit: waiting >= FEW && fitting < FEW,
        }
    }
}

/// Fewer than this are [rounded] to one.
const FEW: u64 = 5;

/// The figures of this site, sampled from where they are known.
pub struct Figures {
    online: Online,
    channel: Arc<dyn ChannelLayer>,
    pool: Arc<dyn WaitingPool>,
    store: Arc<dyn Store>,
    sampler: Sampler,
}

impl Figures {
    /// Of these backends and the connections of this node.
    pub fn new(
        online: Online,
        channel: Arc<dyn ChannelLayer>,
        pool: Arc<dyn WaitingPool>,
        store: Arc<dyn Store>,
    ) -> Self {
        Self {
            online,
            channel,
            pool,
            store,
            sampler: Sampler::default(),
        }
    }

    /// From how many networks people are here, over all nodes as far as known; a network at two nodes
    /// counts twice. Tells other nodes how many are at this one.
    pub fn places(&self) -> u64 {
        self.channel.online(self.online.places() as u64)
    }

    /// How many are here, as everyone is told at this moment.
    pub fn sample(&self) -> Sample {
        self.sampler.now(Instant::now(), || Sample {
            places: self.places(),
            stats: self.pool.stats(),
            rooms: self.store.count_open_rooms(),
        })
    }

    /// The next sample is one of its own moment.
    pub fn renew(&self) {
        *self.sampler.0.lock() = None;
    }
}

/// The last sample, and when the next one is due.
#[derive(Default)]
struct Sampler(Mutex<Option<(Instant, Sample)>>);

impl Sampler {
    /// The sample of this moment; taken anew only when it is due.
    fn now(&self, now: Instant, take: impl FnOnce() -> Sample) -> Sample {
        let mut last = self.0.lock();
        if let Some((due, sample)) = *last
            && now < due
        {
            return sample;
        }
        let sample = take();
        let [earliest, latest] = PERIOD;
        let period = earliest + (latest - earliest).mul_f64(rand::random());
        *last = Some((now + period, sample));
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: u64) -> Sample {
        Sample {
            places,
            ..Sample::default()
        }
    }

    #[test]
    fn a_sample_stands_for_a_while_and_not_for_long() {
        let (figures, begin) = (Sampler::default(), Instant::now());
        assert_eq!(figures.now(begin, || of(1)), of(1));
        let soon = begin + PERIOD[0] - Duration::from_millis(1);
        assert_eq!(figures.now(soon, || of(2)), of(1));
        assert_eq!(figures.now(begin + PERIOD[1], || of(3)), of(3));
    }

    #[test]
    fn a_search_is_told_the_same_whether_it_is_alone_or_one_of_a_few() {
        let (man, woman) = (Gender::Male.index(), Gender::Female.index());
        let wish = PreferredGender::Female;
        let mut sample = of(1_000);
        let told = |sample: &Sample| Company::of(sample, Gender::Male, wish);
        let few = Company {
            waiting: 1,
            unfit: false,
        };
        assert_eq!(told(&sample), few, "not sampled yet");
        sample.stats.waiting[man][wish.index()] = 1;
        assert_eq!(told(&sample), few, "alone");
        sample.stats.waiting[woman][PreferredGender::Male.index()] = 3;
        assert_eq!(told(&sample), few);
        sample.stats.waiting[man][wish.index()] = 7;
        // Three women, each of them perhaps known to this search: it is told as if there were none.
        let unfit = Company {
            waiting: 10,
            unfit: true,
        };
        assert_eq!(told(&sample), unfit);
        sample.stats.waiting[woman][PreferredGender::Male.index()] = 5;
        let fit = Company {
            waiting: 10,
            unfit: false,
        };
        assert_eq!(told(&sample), fit);
    }

    #[test]
    fn a_crowd_behind_one_address_is_no_crowd() {
        let mut sample = of(3);
        sample.stats.waiting[0][0] = 1_000;
        assert_eq!((sample.online(), sample.waiting()), (1, 1));
        sample.places = 700;
        assert_eq!((sample.online(), sample.waiting()), (700, 700));
    }
}
