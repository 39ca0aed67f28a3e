//! What cases and reports should be, in the plainest words. Reports have no networks here, and the rooms' sides
//! never came, though the reported one has spoken: so each reporter counts alone, and there is no automatic step.

use miyu::domain::id::{SessionId, Timestamp};
use miyu::domain::safety::case::CLAIM;
use miyu::domain::safety::{
    Accuracy, CaseId, CaseState, Reason, ReportId, Verdict, WeightFacts, weight,
};

pub(super) const ROOMS: usize = 6;
pub(super) const SUBJECTS: usize = 3;

/// What became of a report: its verdict, and whether it was withdrawn.
pub(super) type ReportEnd = (ReportId, Option<Verdict>, bool);

pub(super) struct Model {
    pub(super) subjects: Vec<SessionId>,
    /// Rows of sanctions: each decision that found something made one.
    pub(super) muted: u64,
    /// In the order of their opening.
    cases: Vec<Case>,
    /// In the order of their arrival.
    reports: Vec<Report>,
    /// Counts decisions, so that the last are known.
    decisions: u64,
}

struct Case {
    id: CaseId,
    subject: usize,
    state: CaseState,
    /// It was left to the administrators once.
    escalated: bool,
    /// The operator and until when.
    claim: Option<(usize, Timestamp)>,
}

struct Report {
    id: ReportId,
    case: CaseId,
    room: usize,
    weight: u32,
    reason: Reason,
    withdrawn: bool,
    verdict: Option<Verdict>,
    decided: u64,
}

impl Report {
    fn stands(&self) -> bool {
        !self.withdrawn && self.verdict != Some(Verdict::Invalid)
    }
}

impl Model {
    pub(super) fn new(subjects: Vec<SessionId>) -> Self {
        Self {
            subjects,
            muted: 0,
            cases: Vec::new(),
            reports: Vec::new(),
            decisions: 0,
        }
    }

    fn case(&mut self, id: CaseId) -> &mut Case {
        self.cases
            .iter_mut()
            .find(|it| it.id == id)
            .expect("a case")
    }

    fn is_open(&self, id: CaseId) -> bool {
        self.cases
            .iter()
            .any(|it| it.id == id && !it.state.closed())
    }

    pub(super) fn subject(&self, id: CaseId) -> SessionId {
        let case = self.cases.iter().find(|it| it.id == id).expect("a case");
        self.subjects[case.subject]
    }

    fn priority(&self, id: CaseId) -> u64 {
        let standing = self
            .reports
            .iter()
            .filter(|it| it.case == id && it.stands());
        // A reporter has one room: one that reported again after a reopening counts by the heaviest.
        let mut by_room = [0; ROOMS];
        for report in standing {
            let worth = u64::from(report.weight) * u64::from(report.reason.severity_halves());
            by_room[report.room] = worth.max(by_room[report.room]);
        }
        by_room.iter().sum()
    }

    /// What waits, in the order of the queue.
    pub(super) fn queue(&self) -> Vec<(CaseId, CaseState, u64, usize)> {
        let open = self.cases.iter().filter(|it| !it.state.closed());
        let mut queue: Vec<_> = open
            .map(|case| {
                let standing = self
                    .reports
                    .iter()
                    .filter(|it| it.case == case.id && it.stands());
                (
                    case.id,
                    case.state,
                    self.priority(case.id),
                    standing.count(),
                )
            })
            .collect();
        // Numbers are given in the order of opening.
        queue.sort_by_key(|(id, _, priority, _)| (std::cmp::Reverse(*priority), *id));
        queue
    }

    pub(super) fn waiting(&self, at: usize) -> Option<CaseId> {
        self.queue().get(at).map(|it| it.0)
    }

    pub(super) fn closed(&self, at: usize) -> Option<CaseId> {
        let mut closed = self.cases.iter().filter(|it| it.state.closed());
        closed.nth(at).map(|it| it.id)
    }

    pub(super) fn newest_of(&self, room: usize) -> Option<ReportId> {
        let mut reports = self.reports.iter().rev();
        reports.find(|it| it.room == room).map(|it| it.id)
    }

    /// The report of this room that stands in a case that is not closed: the first case's, if there are two.
    pub(super) fn standing(&self, room: usize) -> Option<ReportId> {
        let mut open = self.cases.iter().filter(|it| !it.state.closed());
        open.find_map(|case| {
            let mut reports = self.reports.iter();
            let found = reports.find(|it| it.room == room && it.case == case.id && it.stands());
            found.map(|it| it.id)
        })
    }

    pub(super) fn accuracy(&self, room: usize) -> (u32, u32) {
        let decided = self
            .reports
            .iter()
            .filter(|it| it.room == room && !it.withdrawn);
        let mut decided: Vec<_> = decided.filter(|it| it.verdict.is_some()).collect();
        decided.sort_by_key(|it| std::cmp::Reverse(it.decided));
        decided.truncate(20);
        let upheld = decided
            .iter()
            .filter(|it| it.verdict == Some(Verdict::Upheld));
        let count = |number: usize| u32::try_from(number).unwrap();
        (count(upheld.count()), count(decided.len()))
    }

    pub(super) fn report(&mut self, room: usize, id: ReportId, reason: Reason, case: CaseId) {
        let (upheld, decided) = self.accuracy(room);
        let facts = WeightFacts {
            accuracy: Accuracy { upheld, decided },
            ..WeightFacts::default()
        };
        let subject = room % SUBJECTS;
        if self.cases.iter().all(|it| it.id != case) {
            assert!(self.cases.iter().all(|it| it.id < case), "numbers count up");
            assert!(
                self.cases
                    .iter()
                    .all(|it| it.subject != subject || it.state.closed())
            );
            self.cases.push(Case {
                id: case,
                subject,
                state: CaseState::Open,
                escalated: false,
                claim: None,
            });
        }
        self.reports.push(Report {
            id,
            case,
            room,
            weight: weight(&facts).0,
            reason,
            withdrawn: false,
            verdict: None,
            decided: 0,
        });
    }

    /// Whether it was taken back, now or before.
    pub(super) fn withdraw(&mut self, id: ReportId) -> bool {
        let at = self
            .reports
            .iter()
            .position(|it| it.id == id)
            .expect("a report");
        if self.reports[at].withdrawn {
            return true;
        }
        let case = self.reports[at].case;
        if !self.is_open(case) || !self.reports[at].stands() {
            return false;
        }
        self.reports[at].withdrawn = true;
        self.close_if_empty(case);
        true
    }

    fn close_if_empty(&mut self, case: CaseId) -> bool {
        let empty = !self.reports.iter().any(|it| it.case == case && it.stands());
        if empty {
            self.close(case, CaseState::Skipped, None);
        }
        empty
    }

    pub(super) fn claimed(&self, id: CaseId, now: Timestamp) -> Option<usize> {
        let case = self.cases.iter().find(|it| it.id == id).expect("a case");
        case.claim.filter(|(_, until)| now < *until).map(|it| it.0)
    }

    /// The second operator alone is an administrator.
    pub(super) fn may_act(&self, id: CaseId, by: usize, now: Timestamp) -> bool {
        let case = self.cases.iter().find(|it| it.id == id).expect("a case");
        let allowed = case.state == CaseState::Open || by == 1;
        allowed && self.claimed(id, now).is_none_or(|of| of == by)
    }

    pub(super) fn claim(&mut self, id: CaseId, by: usize, now: Timestamp) -> bool {
        let may = self.may_act(id, by, now);
        if may {
            self.case(id).claim = Some((by, now.plus(CLAIM)));
        }
        may
    }

    pub(super) fn claim_next(&mut self, by: usize, now: Timestamp) -> Option<CaseId> {
        let mut queue = self.queue();
        queue.sort_by_key(|it| self.claimed(it.0, now) != Some(by));
        let next = queue.into_iter().find(|it| self.may_act(it.0, by, now))?.0;
        self.claim(next, by, now);
        Some(next)
    }

    pub(super) fn escalate(&mut self, id: CaseId, by: usize, now: Timestamp) -> bool {
        let may = self.may_act(id, by, now) && self.case(id).state == CaseState::Open;
        if may {
            self.case(id).state = CaseState::Escalated;
            self.case(id).escalated = true;
            self.case(id).claim = None;
        }
        may
    }

    pub(super) fn close(&mut self, id: CaseId, state: CaseState, found: Option<bool>) {
        self.decisions += 1;
        let decisions = self.decisions;
        let case = self.case(id);
        case.state = state;
        case.claim = None;
        let verdict = found.map(|found| match found {
            true => Verdict::Upheld,
            false => Verdict::NotUpheld,
        });
        if verdict.is_some() {
            let standing = self
                .reports
                .iter_mut()
                .filter(|it| it.case == id && it.stands());
            for report in standing {
                report.verdict = verdict;
                report.decided = decisions;
            }
        }
    }

    pub(super) fn reopen(&mut self, id: CaseId) {
        let case = self.case(id);
        case.state = match case.escalated {
            true => CaseState::Escalated,
            false => CaseState::Open,
        };
    }

    /// How many reports became invalid, and how many cases closed by it.
    pub(super) fn invalidate(&mut self, room: usize) -> (u64, u64) {
        self.decisions += 1;
        let decisions = self.decisions;
        let open: Vec<CaseId> = self
            .cases
            .iter()
            .filter(|it| !it.state.closed())
            .map(|it| it.id)
            .collect();
        let mut touched = Vec::new();
        let mut count = 0;
        for report in &mut self.reports {
            let undecided = report.verdict.is_none() && !report.withdrawn;
            if report.room == room && undecided && open.contains(&report.case) {
                report.verdict = Some(Verdict::Invalid);
                report.decided = decisions;
                report.weight = 0;
                count += 1;
                touched.push(report.case);
            }
        }
        touched.dedup();
        let closed = touched
            .into_iter()
            .filter(|case| self.close_if_empty(*case));
        (count, closed.count() as u64)
    }

    /// Of each case what its reports are, oldest first.
    pub(super) fn verdicts(&self) -> Vec<(CaseId, Vec<ReportEnd>)> {
        let of = |case: &Case| {
            let reports = self.reports.iter().filter(|it| it.case == case.id);
            let verdicts = reports.map(|it| (it.id, it.verdict, it.withdrawn));
            (case.id, verdicts.collect())
        };
        self.cases.iter().map(of).collect()
    }
}
