//! What the public is told of how reports are worked on, by month. Adding it up walks the audit log, so it is done seldom.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::safety::MonthFigures;

/// From how many decisions on the middle of their times is told: of fewer it would be the time of one case.
const MEDIAN_FROM: u64 = 5;

/// `GET /api/transparency/`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TransparencyJson {
    /// Whether this site has an operator who reads reports.
    reports_taken: bool,
    months: Vec<MonthJson>,
}

#[derive(Clone, Debug, JsonSchema, Serialize)]
struct MonthJson {
    /// As `2026-11`.
    month: String,
    reports: u64,
    decisions: u64,
    violations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    median_ms: Option<u64>,
    appeals: u64,
    overturned: u64,
    automatic: u64,
}

impl TransparencyJson {
    /// Of these months, oldest first; told newest first.
    pub fn of(months: &[MonthFigures], reports_taken: bool) -> Self {
        Self {
            reports_taken,
            months: months.iter().rev().map(MonthJson::of).collect(),
        }
    }
}

impl MonthJson {
    fn of(figures: &MonthFigures) -> Self {
        Self {
            month: format!("{:04}-{:02}", figures.year, figures.month),
            reports: figures.reports,
            decisions: figures.decisions,
            violations: figures.violations,
            median_ms: figures
                .median_ms
                .filter(|_| figures.decisions >= MEDIAN_FROM),
            appeals: figures.appeals,
            overturned: figures.overturned,
            automatic: figures.automatic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_month_comes_first_and_small_numbers_are_honest() {
        let month = |month: i8, decisions: u64| MonthFigures {
            year: 2026,
            month,
            reports: 1,
            decisions,
            median_ms: Some(60_000),
            ..MonthFigures::default()
        };
        let told = TransparencyJson::of(&[month(9, 4), month(10, 5)], true);
        let json = serde_json::to_value(told).unwrap();
        assert_eq!(json["months"][0]["month"], "2026-10");
        assert_eq!(json["months"][0]["median_ms"], 60_000);
        assert_eq!(json["months"][1]["decisions"], 4, "as it is");
        assert!(
            json["months"][1].get("median_ms").is_none(),
            "one case's time"
        );
    }
}
