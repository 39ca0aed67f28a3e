//! One search for a partner: in which order those who wait are looked at, how many, and who of those
//! who fit is chosen. It changes nothing; what it noticed on the way is `state`'s to do.

use std::collections::HashSet;

use super::budgets::Budgets;
use super::queue::Lane;
use super::tags::TagMask;
use super::ticket_index::{QueuedTicket, TicketIndex};
use super::ticket_queue::{Merge, QueuePlace, Serial, TicketAge, class};
use crate::domain::id::{SessionId, Timestamp};
use crate::domain::wish::Phase;
use crate::matching::budget::BudgetStanding;
use crate::matching::dice::{Dice, weight};
use crate::matching::{PoolRules, Resume, Ticket, rule};

mod elders;
mod free_tags;

/// How many tickets that do not fit are looked at for each number of shared tags. Each number has
/// its own allowance, so that many blocked people with the searcher's tags hide no other ticket.
const SKIPS: usize = 64;
/// Among how many of the longest waiting a partner is drawn.
const WINDOW: usize = 8;
/// After so many sessions that are barred, their tickets are looked up once instead of one by one.
const BARRED: usize = 16;
/// About how many are taken out of their place by one search, because their network has spent its budget or
/// their lease is over. Each is moved once, but a hundred thousand may be due at once. Of each lane one window
/// is looked at all the same.
const MOVES: usize = 64;
/// How many other networks' crowds one search goes through.
const CROWDS: usize = 8;

/// What a search found.
#[derive(Default)]
pub(super) struct SearchResult {
    /// The partner, and which of the searcher's tags count between the two.
    pub(super) partner: Option<(Serial, TagMask)>,
    /// Waiting tickets whose lease is over.
    pub(super) expired: Vec<Serial>,
    /// Tickets in the front whose network has spent its budget.
    pub(super) crowded: Vec<Serial>,
    /// Where the next search goes on.
    pub(super) resume: Option<Box<Resume>>,
}

/// What visiting one ticket came to.
enum VisitOutcome {
    /// This one.
    Take,
    /// Not this one; one visit less.
    Skip,
    /// Not this one, and it costs no visit: it can never fit, or is not met again in this place.
    Pass,
    /// Not this one, and no other ticket of this lane.
    End,
}

/// One search: the pool as it is, and the ticket that looks for a partner.
pub(super) struct PartnerSearch<'a> {
    pub(super) index: &'a TicketIndex,
    pub(super) budgets: &'a Budgets,
    pub(super) rules: &'a PoolRules,
    pub(super) dice: &'a mut Dice,
    pub(super) me: &'a QueuedTicket,
    pub(super) now: Timestamp,
}

/// A search under way.
struct Walk<'a> {
    search: PartnerSearch<'a>,
    classes: Vec<u8>,
    /// My network has spent its budget at some length.
    spent: bool,
    /// I have waited long enough to meet also crowds.
    patient: bool,
    /// Half of my network's budget is gone; and who of it has waited longer than I, once that was asked.
    half_gone: bool,
    elders: Option<Vec<Serial>>,
    /// Which of my tags count between me and other networks, and within mine.
    counting: [TagMask; 2],
    barred: Option<HashSet<Serial>>,
    barred_seen: usize,
    /// A crowd was left because enough had been taken out of their place: the rest is for the next search.
    left_a_crowd: bool,
    found: SearchResult,
}

impl PartnerSearch<'_> {
    /// Looks for the best partner: most shared tags that count, then drawn by the time waited.
    pub(super) fn run(self) -> SearchResult {
        let me = &self.me.ticket;
        let classes = rule::classes(me.persona.profile.gender, me.wish.gender);
        let nowhere = crate::domain::PrefixHashes::default();
        let mut walk = Walk {
            classes: classes.map(|(g, w)| class(g, w)).collect(),
            spent: self.budgets.spent(me.prefixes, nowhere, self.now),
            patient: self.patient(me),
            half_gone: self.budgets.half_gone(me.prefixes, self.now),
            elders: None,
            counting: [self.me.keys.topics(); 2],
            barred: None,
            barred_seen: 0,
            left_a_crowd: false,
            found: SearchResult::default(),
            search: self,
        };
        walk.count_free_tags();
        let partner = walk.best().map(|found| walk.elder_instead(found));
        walk.found.partner = partner.map(|serial| (serial, walk.counting_with(serial)));
        if walk.left_a_crowd {
            walk.found.resume.get_or_insert_with(Resume::from_the_first);
        }
        walk.found
    }

    fn patient(&self, ticket: &Ticket) -> bool {
        rule::patient(ticket, self.rules.tag_patience, self.now)
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
            let network = own.filter(|network| !self.search.index.queues.no_crowd(*network))?;
            self.lane(Lane::Network(network))
        });
        let first = first.or_else(|| if self.spent { self.front() } else { None });
        if first.is_some() || !self.patient {
            return first;
        }
        self.crowds(own).or_else(|| self.just_crowded())
    }

    /// The tickets that this very search found in the front with a spent budget.
    fn just_crowded(&mut self) -> Option<Serial> {
        let all = self.found.crowded.clone();
        let fits = |serial: &Serial| {
            let lane = Lane::Network(0);
            matches!(self.visit(*serial, 0, lane), VisitOutcome::Take)
        };
        all.into_iter().find(fits)
    }

    fn front(&mut self) -> Option<Serial> {
        self.lane(Lane::Front)
    }

    /// All who may suit in a lane, most shared tags first.
    fn lane(&mut self, lane: Lane) -> Option<Serial> {
        let PartnerSearch { index, me, .. } = self.search;
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
                    index.queues.sharing(lane, &classes, tags, after),
                    size,
                    lane,
                )
            });
        if found.is_none() && rule::open_to_anyone(&me.ticket) {
            let after = behind(0).flatten();
            found = self.draw(index.queues.open(lane, &classes, after), 0, lane);
        }
        self.classes = classes;
        found
    }

    /// Draws among the first of these who fit, then among the next, within the allowance.
    fn draw(&mut self, mut queue: Merge<'_>, size: usize, lane: Lane) -> Option<Serial> {
        let mut skipped = 0;
        let mut window = Vec::with_capacity(WINDOW);
        loop {
            let last = self.fill(&mut window, &mut queue, lane)?;
            while let Some(serial) = self.search.dice.draw(&mut window) {
                match self.visit(serial, size, lane) {
                    VisitOutcome::Take => return Some(serial),
                    VisitOutcome::Skip => skipped += 1,
                    VisitOutcome::Pass => {}
                    VisitOutcome::End => return None,
                }
            }
            let moved_enough = self.moved_enough();
            if skipped >= SKIPS || moved_enough {
                match lane {
                    Lane::Front => self.go_on_behind(size, last),
                    Lane::Network(_) => self.left_a_crowd |= moved_enough,
                }
                return None;
            }
        }
    }

    /// The next search goes on there in the front; of several places, at the first.
    fn go_on_behind(&mut self, size: usize, (since, serial): TicketAge) {
        self.found.resume.get_or_insert_with(|| {
            Box::new(Resume {
                tags: u8::try_from(size).expect("three tags at most"),
                since,
                serial,
            })
        });
    }

    fn moved_enough(&self) -> bool {
        self.found.crowded.len() + self.found.expired.len() >= MOVES
    }

    /// The next of a line, with their weights, and how far that is. With a spent budget only those
    /// of the front who have waited long enough; they stand first.
    fn fill(
        &self,
        window: &mut Vec<(u64, Serial)>,
        queue: &mut Merge<'_>,
        lane: Lane,
    ) -> Option<TicketAge> {
        let only_patient = self.spent && lane == Lane::Front;
        let now = self.search.now;
        let latest = now.minus(self.search.rules.tag_patience).0;
        let within = |place: &QueuePlace| {
            !only_patient || i64::try_from(place.age().0).is_ok_and(|since| since <= latest)
        };
        let mut last = None;
        for place in queue.take_while(within).take(WINDOW) {
            let since = i64::try_from(place.age().0).unwrap_or(i64::MAX);
            window.push((weight(Timestamp(since), now), place.serial()));
            last = Some(place.age());
        }
        last
    }

    /// The few of one's own network who stand in the front.
    fn own_front(&mut self, network: u64) -> Option<Serial> {
        let index = self.search.index;
        let mut best = (0, Vec::new());
        for serial in index.front(network) {
            if !matches!(self.visit(serial, 0, Lane::Front), VisitOutcome::Take) {
                continue;
            }
            let Some(other) = index.get(serial) else {
                continue;
            };
            let shared = self.shared(&other.queued);
            let drawn = (weight(other.queued.ticket.since, self.search.now), serial);
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
        let index = self.search.index;
        let from = self.search.dice.next();
        let others = index.queues.crowds_from(from).filter(|it| Some(*it) != own);
        others
            .take(CROWDS)
            .find_map(|it| self.lane(Lane::Network(it)))
    }

    fn visit(&mut self, serial: Serial, size: usize, lane: Lane) -> VisitOutcome {
        if self
            .barred
            .as_ref()
            .is_some_and(|all| all.contains(&serial))
        {
            return VisitOutcome::Pass;
        }
        let PartnerSearch { index, me, .. } = self.search;
        let Some(leased) = index.get(serial) else {
            return VisitOutcome::Pass;
        };
        if leased.lease.over(self.search.now) {
            self.found.expired.push(serial);
            return VisitOutcome::Pass;
        }
        let other = &*leased.queued;
        if other.ticket.session == me.ticket.session {
            return VisitOutcome::Pass;
        }
        if bars(&me.ticket, other.ticket.session) {
            self.note_barred();
            return VisitOutcome::Pass;
        }
        if let Some(kept_apart) = self.kept_apart(other, lane) {
            return kept_apart;
        }
        let shared = self.shared(other);
        if shared < size {
            return VisitOutcome::Pass;
        }
        match rule::fits(&me.ticket, &other.ticket, shared, false) {
            Some(_) if !self.an_elder_fits(other) => VisitOutcome::Take,
            _ => VisitOutcome::Skip,
        }
    }

    /// Whether budgets keep the two apart.
    fn kept_apart(&mut self, other: &QueuedTicket, lane: Lane) -> Option<VisitOutcome> {
        let PartnerSearch {
            budgets, me, now, ..
        } = self.search;
        let (mine, theirs) = (me.ticket.prefixes, other.ticket.prefixes);
        match budgets.standing(theirs, mine, now) {
            BudgetStanding::Within => {}
            _ if lane == Lane::Front => {
                self.found.crowded.push(other.serial);
                return Some(VisitOutcome::Pass);
            }
            // All of this crowd are of the same networks.
            BudgetStanding::Exhausted => return Some(VisitOutcome::End),
            BudgetStanding::Spent if !self.patient => return Some(VisitOutcome::Skip),
            BudgetStanding::Spent => {}
        }
        let they_are_patient = self.search.patient(&other.ticket);
        let own = if self.spent {
            budgets.standing(mine, theirs, now)
        } else {
            BudgetStanding::Within
        };
        let affordable = match own {
            BudgetStanding::Within => true,
            BudgetStanding::Spent => they_are_patient,
            BudgetStanding::Exhausted => false,
        };
        let both_patient = self.patient && they_are_patient;
        let too_often = !both_patient && budgets.met_often(mine, theirs, now);
        (!affordable || too_often).then_some(VisitOutcome::Skip)
    }

    /// Once there are many, the tickets of all sessions that I know to be barred.
    fn note_barred(&mut self) {
        self.barred_seen += 1;
        if self.barred_seen == BARRED {
            let PartnerSearch { index, me, .. } = self.search;
            let listed = me.ticket.blocked.iter().chain(&me.ticket.recent);
            let listed = listed.filter(|session| bars(&me.ticket, **session));
            let tickets = listed.flat_map(|session| index.of_session(*session));
            self.barred = Some(tickets.copied().collect());
        }
    }

    fn shared(&self, other: &QueuedTicket) -> usize {
        let counting = self.counting_between(&other.ticket);
        self.search.me.keys.shared(counting, &other.keys)
    }
}

/// Whether this ticket alone says that it never meets that session, in this phase.
fn bars(ticket: &Ticket, session: SessionId) -> bool {
    ticket.blocked.contains(&session)
        || (ticket.phase < Phase::Repeats && ticket.recent.contains(&session))
}
