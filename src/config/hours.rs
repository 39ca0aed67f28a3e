//! `site.hours`: when the operator expects people, as ranges of a week.

use std::fmt;

use figment::value::Value;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::problem::ValueError;
use super::value::{Setting, must_be, quote};
use crate::domain::id::Timestamp;

/// Days as they are written, from Monday on.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// More ranges than these are no hours but a calendar.
const MOST: usize = 28;
/// How many days are looked at: a week, and a day at both ends, for ranges over midnight.
const LOOKED_AT: usize = 9;

/// Why a text is no opening hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// A part is no range.
    #[error("{0:?} is no range; write days and times, such as \"Fri 19:00-21:00\"")]
    Range(String),
    /// A word is no day.
    #[error(
        "{0:?} is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun, or a span such as Mon-Fri"
    )]
    Day(String),
    /// A word is no time of the day.
    #[error("{0:?} is no time; write hours and minutes from 00:00 to 24:00")]
    Time(String),
    /// A range begins when it ends.
    #[error("{0:?} ends when it begins; a whole day is 00:00-24:00")]
    Nothing(String),
    /// There are too many of them.
    #[error("are more than {MOST} ranges")]
    Many,
}

/// One range, on one day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WeekRange {
    /// From Monday, 0, on.
    day: usize,
    /// Minutes from midnight.
    from: u16,
    /// Minutes that it lasts, over midnight when it has to.
    minutes: u16,
}

/// Ranges of a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    text: String,
    ranges: Vec<WeekRange>,
}

/// One range on a certain day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
}

impl Hours {
    /// The opening that is going on at this moment, the one that goes on for longest; else the next one.
    /// `None` where the zone's rules give none within a week.
    pub fn at(&self, now: Timestamp, zone: &TimeZone) -> Option<Opening> {
        let moment = jiff::Timestamp::from_millisecond(now.0).ok()?;
        let mut day = moment.to_zoned(zone.clone()).date().yesterday().ok()?;
        let mut openings = Vec::new();
        for _ in 0..LOOKED_AT {
            let today = self.ranges.iter().filter(|it| it.day == number_of(day));
            openings.extend(today.filter_map(|it| it.on(day, zone)));
            day = day.tomorrow().ok()?;
        }
        let going_on = openings.iter().filter(|it| it.from <= now && now < it.to);
        let next = openings.iter().filter(|it| it.from > now);
        let opening = going_on.max_by_key(|it| it.to);
        opening.or_else(|| next.min_by_key(|it| it.from)).copied()
    }
}

impl WeekRange {
    fn on(self, day: Date, zone: &TimeZone) -> Option<Opening> {
        let clock = |minutes: u16| i8::try_from(minutes).ok();
        let from = day.at(clock(self.from / 60)?, clock(self.from % 60)?, 0, 0);
        let lasts = jiff::SignedDuration::from_mins(i64::from(self.minutes));
        let to = from.checked_add(lasts).ok()?;
        let moment = |civil: jiff::civil::DateTime| {
            let zoned = civil.to_zoned(zone.clone()).ok()?;
            Some(Timestamp(zoned.timestamp().as_millisecond()))
        };
        Some(Opening {
            from: moment(from)?,
            to: moment(to)?,
        })
    }
}

/// From Monday, 0, on.
fn number_of(day: Date) -> usize {
    let since = Weekday::Monday.until(day.weekday());
    usize::try_from(since).unwrap_or_default()
}

fn ranges(text: &str) -> Result<Vec<WeekRange>, HoursError> {
    let mut ranges = Vec::new();
    for part in text.split(',').map(str::trim) {
        let no_range = || HoursError::Range(part.to_owned());
        let (days, times) = match part.split_once(char::is_whitespace) {
            Some((days, times)) => (days_of(days)?, times.trim()),
            None => ((0..DAYS.len()).collect(), part),
        };
        let (from, to) = times.split_once(['-', '–']).ok_or_else(no_range)?;
        let (from, to) = (time(from.trim())?, time(to.trim())?);
        if from == to || from == DAY {
            return Err(HoursError::Nothing(part.to_owned()));
        }
        let minutes = if to > from {
            to - from
        } else {
            DAY - from + to
        };
        ranges.extend(days.into_iter().map(|day| WeekRange { day, from, minutes }));
    }
    match ranges.len() <= MOST {
        true => Ok(ranges),
        false => Err(HoursError::Many),
    }
}

/// One day, or a span of them: over the end of the week when it has to.
fn days_of(text: &str) -> Result<Vec<usize>, HoursError> {
    let day = |name: &str| {
        let mut days = DAYS.iter();
        let found = days.position(|day| day.eq_ignore_ascii_case(name));
        found.ok_or_else(|| HoursError::Day(name.to_owned()))
    };
    let (first, last) = text.split_once(['-', '–']).unwrap_or((text, text));
    let (first, last) = (day(first)?, day(last)?);
    let count = (last + DAYS.len() - first) % DAYS.len();
    Ok((0..=count).map(|at| (first + at) % DAYS.len()).collect())
}

/// Minutes from midnight.
fn time(text: &str) -> Result<u16, HoursError> {
    let number = |text: &str, most: u16| -> Option<u16> {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.filter(|it| *it <= most)
    };
    let parts = text.split_once(':');
    let minutes = parts.and_then(|(hour, minute)| {
        let minutes = number(hour, 24)? * 60 + number(minute, 59)?;
        (minute.len() == 2 && minutes <= DAY).then_some(minutes)
    });
    minutes.ok_or_else(|| HoursError::Time(text.to_owned()))
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Setting for Hours {
    const KIND: &'static str = "days and times such as \"Fri 19:00-21:00, Sat-Sun 14:00-18:00\"";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let text = value.as_str().ok_or_else(must_be::<Self>)?;
        Ok(Self {
            text: text.trim().to_owned(),
            ranges: ranges(text)?,
        })
    }

    fn show(&self) -> String {
        quote(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Hours, ValueError> {
        Hours::parse(&Value::from(text))
    }

    /// The opening of this moment in Taipei, or else in another zone, as minutes from the moment on.
    fn opening(hours: &str, moment: &str, zone: &str) -> (i64, i64) {
        let zone = TimeZone::get(zone).unwrap();
        let moment: jiff::civil::DateTime = moment.parse().unwrap();
        let now = moment.to_zoned(zone.clone()).unwrap().timestamp();
        let now = Timestamp(now.as_millisecond());
        let Opening { from, to } = parsed(hours).unwrap().at(now, &zone).unwrap();
        ((from.0 - now.0) / 60_000, (to.0 - now.0) / 60_000)
    }

    #[test]
    fn the_opening_is_the_present_one_or_the_next() {
        // 2026-11-30 is a Monday.
        let in_taipei = |hours, moment| opening(hours, moment, "Asia/Taipei");
        let friday = "Fri 19:00-21:00";
        assert_eq!(in_taipei(friday, "2026-12-04T18:00"), (60, 180));
        assert_eq!(in_taipei(friday, "2026-12-04T19:00"), (0, 120));
        assert_eq!(in_taipei(friday, "2026-12-04T20:59"), (-119, 1));
        let week = 7 * 24 * 60;
        assert_eq!(in_taipei(friday, "2026-12-04T21:00"), (week - 120, week));
        // Over midnight, and over the end of the week.
        let late = "sun 22:30–01:30";
        assert_eq!(in_taipei(late, "2026-11-30T00:30"), (-120, 60));
        // The nearest of several, and of two that overlap the one that goes on.
        let several = "Mon-Tue 08:00-09:00, 12:00-13:00, Mon 12:30-14:00";
        assert_eq!(in_taipei(several, "2026-11-30T07:00"), (60, 120));
        assert_eq!(in_taipei(several, "2026-11-30T12:45"), (-15, 75));
        assert_eq!(in_taipei("00:00-24:00", "2026-11-30T12:00"), (-720, 720));
        assert_eq!(
            in_taipei("Sat-Mon 00:00-24:00", "2026-11-30T12:00"),
            (-720, 720)
        );
    }

    #[test]
    fn a_clock_that_is_set_moves_the_opening_with_it() {
        // In Berlin the night of 2027-03-28 has no 02:00 to 03:00.
        let hours = "Sun 01:00-04:00";
        assert_eq!(
            opening(hours, "2027-03-28T00:00", "Europe/Berlin"),
            (60, 180)
        );
        assert_eq!(
            opening("Sun 19:00-21:00", "2027-03-28T00:00", "Europe/Berlin"),
            (18 * 60, 20 * 60)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("Fry 19:00-21:00", "\"Fry\" is no day"),
            ("Fri 25:00-26:00", "\"25:00\" is no time"),
            ("Fri 7-9", "\"7\" is no time"),
            ("Fri 24:30-01:00", "\"24:30\" is no time"),
            ("Fri 19:00", "\"Fri 19:00\" is no range"),
            ("Fri 19:00-19:00", "ends when it begins"),
            ("Fri 24:00-01:00", "ends when it begins"),
            ("Fri 19:00-21:00,", "\"\" is no range"),
        ] {
            let said = parsed(text).unwrap_err().to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
        let many = ["01:00-02:00"; 5].join(",");
        assert_eq!(
            parsed(&many).unwrap_err().to_string(),
            "are more than 28 ranges"
        );
        let shown = parsed(" Mon-Fri 19:00-21:00 ").unwrap().show();
        assert_eq!(shown, "\"Mon-Fri 19:00-21:00\"");
    }
}
