//! Figures for the public, by month: added up from the audit log and from a count of reports.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::audit::{AuditAct, MonthFigures};
use crate::domain::id::Timestamp;

/// Most months that are told at once.
pub const MONTHS: usize = 120;

/// A month by UTC as a number: twelve times the year, and 0 for January.
pub fn month(at: Timestamp) -> i32 {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let date = at.to_zoned(TimeZone::UTC).date();
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// What happened in each month, as it is added up.
#[derive(Debug, Default)]
pub struct FigureSum(BTreeMap<i32, Sum>);

#[derive(Debug, Default)]
struct Sum {
    figures: MonthFigures,
    took: Vec<u64>,
}

impl FigureSum {
    /// So many reports arrived in this month.
    pub fn reports(&mut self, month: i32, count: u64) {
        self.of(month).figures.reports += count;
    }

    /// A row of the audit log.
    pub fn act(&mut self, at: Timestamp, act: AuditAct, took_ms: Option<i64>) {
        if !Self::counts(act) {
            return;
        }
        let sum = self.of(month(at));
        let figures = &mut sum.figures;
        match act {
            AuditAct::DecidedViolation | AuditAct::DecidedNoViolation => {
                figures.decisions += 1;
                figures.violations += u64::from(act == AuditAct::DecidedViolation);
                sum.took
                    .extend(took_ms.map(|took| u64::try_from(took).unwrap_or(0)));
            }
            AuditAct::AppealUpheld => figures.appeals += 1,
            AuditAct::AppealChanged | AuditAct::AppealOverturned => {
                figures.appeals += 1;
                figures.overturned += 1;
            }
            _ => figures.automatic += 1,
        }
    }

    /// Whether rows of this act are counted.
    fn counts(act: AuditAct) -> bool {
        matches!(
            act,
            AuditAct::DecidedViolation
                | AuditAct::DecidedNoViolation
                | AuditAct::AppealUpheld
                | AuditAct::AppealChanged
                | AuditAct::AppealOverturned
                | AuditAct::Automatic
        )
    }

    fn of(&mut self, month: i32) -> &mut Sum {
        self.0.entry(month).or_default()
    }

    /// The months from this one on, oldest first, at most [`MONTHS`].
    pub fn months(self, from: i32) -> Vec<MonthFigures> {
        let months = self.0.into_iter().filter(|(month, _)| *month >= from);
        let figures = months.map(|(month, mut sum)| {
            sum.took.sort_unstable();
            let middle = sum.took.len().saturating_sub(1) / 2;
            MonthFigures {
                year: i16::try_from(month.div_euclid(12)).unwrap_or(i16::MAX),
                month: i8::try_from(month.rem_euclid(12) + 1).unwrap_or(1),
                median_ms: sum.took.get(middle).copied(),
                ..sum.figures
            }
        });
        figures.take(MONTHS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JANUARY: Timestamp = Timestamp(1_768_000_000_000); // 2026-01-09

    #[test]
    fn a_month_is_by_utc() {
        let last = Timestamp(1_769_903_999_999); // 2026-01-31 23:59:59.999
        assert_eq!(month(last), 2026 * 12);
        assert_eq!(month(Timestamp(last.0 + 1)), 2026 * 12 + 1);
        assert_eq!(month(Timestamp(0)), 1970 * 12);
    }

    #[test]
    fn acts_are_added_up_by_month() {
        let mut sum = FigureSum::default();
        for took in [40, 10, 30, 20] {
            sum.act(JANUARY, AuditAct::DecidedViolation, Some(took));
        }
        sum.act(JANUARY, AuditAct::DecidedNoViolation, Some(1));
        sum.act(JANUARY, AuditAct::Automatic, None);
        sum.act(JANUARY, AuditAct::AppealUpheld, Some(5));
        sum.act(JANUARY, AuditAct::AppealOverturned, Some(5));
        sum.act(JANUARY, AuditAct::LoggedIn, None);
        sum.reports(2026 * 12, 7);
        sum.reports(2026 * 12 + 11, 1);
        let months = sum.months(2026 * 12);
        let january = MonthFigures {
            year: 2026,
            month: 1,
            reports: 7,
            decisions: 5,
            violations: 4,
            median_ms: Some(20),
            appeals: 2,
            overturned: 1,
            automatic: 1,
        };
        assert_eq!(months[0], january);
        assert_eq!((months[1].month, months[1].reports), (12, 1));
        assert_eq!(months[1].median_ms, None);
        let mut later = FigureSum::default();
        later.reports(2026 * 12, 1);
        assert_eq!(later.months(2026 * 12 + 1), []);
    }
}
