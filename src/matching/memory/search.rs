//! One look for a partner: in which order those who wait are looked at, how many, and who of those
//! who fit is chosen. It changes nothing; what it noticed on the way is `state`'s to do.

use std::collections::HashSet;

use super::budgets::Budgets;
use super::line::{Age, Merge, Place, Serial, class};
use super::queue::Lane;
use super::roster::{Entrant, Roster};
use super::tags::TagMask;
use crate::id::{SessionId, Timestamp};
use crate::matching::dice::{Dice, weight};
use crate::matching::{Phase, PoolRules, Resume, Ticket, rule};

/// How many tickets that do not fit are looked at for each number of shared tags. Each number has
/// its own allowance, so that a crowd of blocked people with one's own tags hides nobody else.
const SKIPS: usize = 64;
/// Among how many of the longest waiting a partner is drawn.
const WINDOW: usize = 8;
/// After so many sessions that are barred, their tickets are looked up once instead of one by one.
const BARRED: usize = 16;
/// How many tickets with a free tag are looked at to know whether it counts.
const WITH_TAG: usize = 32;
/// How many other networks' crowds one look goes through.
const CROWDS: usize = 8;

/// What a look brought.
#[derive(Default)]
pub(super) struct Found {
    /// The partner, and which of the searcher's tags count between the two.
    pub(super) partner: Option<(Serial, TagMask)>,
    /// Waiting tickets whose lease is over.
    pub(super) expired: Vec<Serial>,
    /// Tickets in the front whose network has spent its budget.
    pub(super) crowded: Vec<Serial>,
    /// Where the next look goes on.
    pub(super) resume: Option<Box<Resume>>,
}

/// What one ticket came to.
enum Look {
    /// This one.
    Take,
    /// Not this one; one look less.
    Skip,
    /// Not this one, and it costs no look: it can never fit, or is not met again in this place.
    Pass,
}

/// What is looked into, and for whom.
pub(super) struct Search<'a> {
    pub(super) roster: &'a Roster,
    pub(super) budgets: &'a Budgets,
    pub(super) rules: &'a PoolRules,
    pub(super) dice: &'a mut Dice,
    pub(super) me: &'a Entrant,
    pub(super) now: Timestamp,
}

/// A search under way.
struct Walk<'a> {
    search: Search<'a>,
    classes: Vec<u8>,
    /// My network has spent its budget at some length.
    spent: bool,
    /// I have waited long enough to meet also crowds.
    patient: bool,
    /// Which of my tags count between me and other networks, and within mine.
    counting: [TagMask; 2],
    barred: Option<HashSet<Serial>>,
    barred_seen: usize,
    found: Found,
}

impl Search<'_> {
    /// Looks for the best partner: most shared tags that count, then drawn by the time waited.
    pub(super) fn run(self) -> Found {
        let me = &self.me.ticket;
        let classes = rule::classes(me.persona.profile.gender, me.wish.gender);
        let nowhere = crate::model::PrefixHashes::default();
        let mut walk = Walk {
            classes: classes.map(|(g, w)| class(g, w)).collect(),
            spent: self.budgets.spent(me.prefixes, nowhere, self.now),
            patient: self.waited(me),
            counting: [self.me.keys.topics(); 2],
            barred: None,
            barred_seen: 0,
            found: Found::default(),
            search: self,
        };
        walk.count_free_tags();
        let partner = walk.best();
        walk.found.partner = partner.map(|serial| (serial, walk.counting_with(serial)));
        walk.found
    }

    fn waited(&self, ticket: &Ticket) -> bool {
        ticket.since.plus(self.rules.tag_patience) <= self.now
    }
}

impl Walk<'_> {
    fn best(&mut self) -> Option<Serial> {
        let own = self.search.me.ticket.prefixes.narrowest();
        // With a spent budget most of the front is out of reach: one's own people come first.
        let first = match own {
            Some(network) if self.spent => self.own_front(network),
            _ => self.front(),
        };
        let first = first.or_else(|| {
            let network = own.filter(|network| !self.search.roster.queues.no_crowd(*network))?;
            self.lane(Lane::Crowd(network))
        });
        let first = first.or_else(|| if self.spent { self.front() } else { None });
        if first.is_some() || !self.patient {
            return first;
        }
        self.crowds(own).or_else(|| self.just_crowded())
    }

    /// Those whom this very search found in the front with a spent budget.
    fn just_crowded(&mut self) -> Option<Serial> {
        let all = self.found.crowded.clone();
        let fits = |serial: &Serial| {
            let lane = Lane::Crowd(0);
            matches!(self.look(*serial, 0, lane), Look::Take)
        };
        all.into_iter().find(fits)
    }

    fn front(&mut self) -> Option<Serial> {
        self.lane(Lane::Front)
    }

    /// All who may suit in a lane, most shared tags first.
    fn lane(&mut self, lane: Lane) -> Option<Serial> {
        let Search { roster, me, .. } = self.search;
        let resume = me.ticket.resume.as_deref().filter(|_| lane == Lane::Front);
        let behind = |size: usize| match resume {
            Some(at) if usize::from(at.tags) < size => None,
            Some(at) if usize::from(at.tags) == size => Some(Some((at.since, at.serial))),
            _ => Some(None),
        };
        let counting = self.counting_in(lane);
        let classes = std::mem::take(&mut self.classes);
        let sizes = (1..=counting.count_ones() as usize).rev();
        let mut found = sizes
            .filter_map(|size| Some((size, behind(size)?)))
            .find_map(|it| {
                let (size, after) = it;
                let tags = (me.keys, counting, size);
                self.draw(
                    roster.queues.sharing(lane, &classes, tags, after),
                    size,
                    lane,
                )
            });
        if found.is_none() && rule::open_to_anyone(&me.ticket) {
            let after = behind(0).flatten();
            found = self.draw(roster.queues.open(lane, &classes, after), 0, lane);
        }
        self.classes = classes;
        found
    }

    /// Draws among the first of these who fit, then among the next, within the allowance.
    fn draw(&mut self, mut line: Merge<'_>, size: usize, lane: Lane) -> Option<Serial> {
        let mut skipped = 0;
        let mut window = Vec::with_capacity(WINDOW);
        while skipped < SKIPS {
            let last = self.fill(&mut window, &mut line, lane)?;
            while let Some(serial) = self.search.dice.draw(&mut window) {
                match self.look(serial, size, lane) {
                    Look::Take => return Some(serial),
                    Look::Skip => skipped += 1,
                    Look::Pass => {}
                }
            }
            if skipped >= SKIPS && lane == Lane::Front && self.found.resume.is_none() {
                let (since, serial) = last;
                self.found.resume = Some(Box::new(Resume {
                    tags: u8::try_from(size).expect("three tags at most"),
                    since,
                    serial,
                }));
            }
        }
        None
    }

    /// The next of a line, with their weights, and how far that is. With a spent budget only those
    /// of the front who have waited long enough; they stand first.
    fn fill(
        &self,
        window: &mut Vec<(u64, Serial)>,
        line: &mut Merge<'_>,
        lane: Lane,
    ) -> Option<Age> {
        let only_patient = self.spent && lane == Lane::Front;
        let now = self.search.now;
        let latest = now.minus(self.search.rules.tag_patience).0;
        let within = |place: &Place| {
            !only_patient || i64::try_from(place.age().0).is_ok_and(|since| since <= latest)
        };
        let mut last = None;
        for place in line.take_while(within).take(WINDOW) {
            let since = i64::try_from(place.age().0).unwrap_or(i64::MAX);
            window.push((weight(Timestamp(since), now), place.serial()));
            last = Some(place.age());
        }
        last
    }

    /// The few of one's own network who stand in the front.
    fn own_front(&mut self, network: u64) -> Option<Serial> {
        let roster = self.search.roster;
        let mut best = (0, Vec::new());
        for serial in roster.front(network) {
            if !matches!(self.look(serial, 0, Lane::Front), Look::Take) {
                continue;
            }
            let Some(other) = roster.get(serial) else {
                continue;
            };
            let shared = self.shared(&other.entrant);
            let drawn = (weight(other.entrant.ticket.since, self.search.now), serial);
            match shared.cmp(&best.0) {
                std::cmp::Ordering::Greater => best = (shared, vec![drawn]),
                std::cmp::Ordering::Equal => best.1.push(drawn),
                std::cmp::Ordering::Less => {}
            }
        }
        self.search.dice.draw(&mut best.1)
    }

    /// Crowds of other networks, from any of them on.
    fn crowds(&mut self, own: Option<u64>) -> Option<Serial> {
        let roster = self.search.roster;
        let from = self.search.dice.next();
        let others = roster
            .queues
            .crowds_from(from)
            .filter(|it| Some(*it) != own);
        others
            .take(CROWDS)
            .find_map(|it| self.lane(Lane::Crowd(it)))
    }

    fn look(&mut self, serial: Serial, size: usize, lane: Lane) -> Look {
        if self
            .barred
            .as_ref()
            .is_some_and(|all| all.contains(&serial))
        {
            return Look::Pass;
        }
        let Search { roster, me, .. } = self.search;
        let Some(waiter) = roster.get(serial) else {
            return Look::Pass;
        };
        if waiter.lease.over(self.search.now) {
            self.found.expired.push(serial);
            return Look::Pass;
        }
        let other = &*waiter.entrant;
        if other.ticket.session == me.ticket.session {
            return Look::Pass;
        }
        if bars(&me.ticket, other.ticket.session) {
            self.note_barred();
            return Look::Pass;
        }
        if let Some(kept_apart) = self.kept_apart(other, lane) {
            return kept_apart;
        }
        let shared = self.shared(other);
        if shared < size {
            return Look::Pass;
        }
        match rule::fits(&me.ticket, &other.ticket, shared, false) {
            Some(_) => Look::Take,
            None => Look::Skip,
        }
    }

    /// Whether budgets keep the two apart.
    fn kept_apart(&mut self, other: &Entrant, lane: Lane) -> Option<Look> {
        let Search {
            budgets, me, now, ..
        } = self.search;
        let (mine, theirs) = (me.ticket.prefixes, other.ticket.prefixes);
        if budgets.spent(theirs, mine, now) {
            if lane == Lane::Front {
                self.found.crowded.push(other.serial);
                return Some(Look::Pass);
            }
            if !self.patient {
                return Some(Look::Skip);
            }
        }
        let mine_spent = self.spent && budgets.spent(mine, theirs, now);
        (mine_spent && !self.search.waited(&other.ticket)).then_some(Look::Skip)
    }

    /// Once there are many, the tickets of all sessions that I know to be barred.
    fn note_barred(&mut self) {
        self.barred_seen += 1;
        if self.barred_seen == BARRED {
            let Search { roster, me, .. } = self.search;
            let listed = me.ticket.blocked.iter().chain(&me.ticket.recent);
            let listed = listed.filter(|session| bars(&me.ticket, **session));
            let tickets = listed.flat_map(|session| roster.of_session(*session));
            self.barred = Some(tickets.copied().collect());
        }
    }

    /// Finds out which of my free tags count.
    fn count_free_tags(&mut self) {
        let keys = self.search.me.keys;
        for tag in keys.free() {
            let [networks, sessions] = self.with_tag(tag);
            let counts = [networks, sessions].map(|others| others + 1 >= rule::FREE_TAG_CROWD);
            for (mask, counts) in self.counting.iter_mut().zip(counts) {
                *mask |= if counts { tag } else { 0 };
            }
        }
    }

    /// How many other networks and sessions wait with this tag, as far as it matters. A ticket of no
    /// known network stands for itself.
    fn with_tag(&self, tag: TagMask) -> [usize; 2] {
        let Search {
            roster, me, now, ..
        } = self.search;
        let own = me.ticket.prefixes.narrowest();
        let (mut networks, mut sessions) = (HashSet::new(), HashSet::new());
        let crowd = own.map(Lane::Crowd);
        let lanes = [Some(Lane::Front), crowd].into_iter().flatten();
        for lane in lanes {
            let all = roster.queues.with_tag(lane, me.keys, tag).take(WITH_TAG);
            for waiter in all.filter_map(|place| roster.get(place.serial())) {
                let other = &waiter.entrant.ticket;
                if waiter.lease.over(now) || other.session == me.ticket.session {
                    continue;
                }
                sessions.insert(other.session);
                let network = other.prefixes.narrowest();
                if network.is_none() || network != own {
                    networks.insert((network, network.is_none().then_some(other.session)));
                }
            }
        }
        [networks.len(), sessions.len()]
    }

    /// The tags that may count for somebody of this lane.
    fn counting_in(&self, lane: Lane) -> TagMask {
        let [networks, own] = self.counting;
        let mine = self.search.me.ticket.prefixes.narrowest();
        match lane {
            Lane::Crowd(network) if mine == Some(network) => own,
            Lane::Crowd(_) => networks,
            Lane::Front => networks | if mine.is_some() { own } else { 0 },
        }
    }

    fn counting_between(&self, other: &Ticket) -> TagMask {
        let mine = self.search.me.ticket.prefixes.narrowest();
        let one_network = mine.is_some() && mine == other.prefixes.narrowest();
        self.counting[usize::from(one_network)]
    }

    fn counting_with(&self, serial: Serial) -> TagMask {
        let other = self.search.roster.get(serial);
        other.map_or(0, |other| self.counting_between(&other.entrant.ticket))
    }

    fn shared(&self, other: &Entrant) -> usize {
        let counting = self.counting_between(&other.ticket);
        self.search.me.keys.shared(counting, &other.keys)
    }
}

/// Whether this ticket alone says that it never meets that session, in this phase.
fn bars(ticket: &Ticket, session: SessionId) -> bool {
    ticket.blocked.contains(&session)
        || (ticket.phase < Phase::Repeats && ticket.recent.contains(&session))
}
