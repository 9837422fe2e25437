//! A moment as the format writes it: `YYYY-MM-DDThh:mm:ssZ`, whole seconds, 1970 to 9999, no leap second.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Seconds since 1970-01-01T00:00:00Z, at most 9999-12-31T23:59:59Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// Text that is not a moment of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time like 2026-11-24T06:24:00Z from 1970 to 9999")]
pub struct NotATime;

const LAST: u64 = 253_402_300_799;
const DAY: u64 = 86_400;

impl Time {
    /// Takes seconds since 1970; `None` after the year 9999.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Option<Self> {
        (seconds <= LAST).then_some(Self(seconds))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }
}

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let [year, month, day, hour, minute, second] = fields(text.as_bytes()).ok_or(NotATime)?;
        let real = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if year < 1970 || !real || hour > 23 || minute > 59 || second > 59 {
            return Err(NotATime);
        }
        Ok(Self(
            days_before(year, month, day) * DAY + hour * 3_600 + minute * 60 + second,
        ))
    }
}

/// The six numbers of a text that has exactly the shape of a time.
fn fields(text: &[u8]) -> Option<[u64; 6]> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |(found, due): (&u8, &u8)| {
        if *due == b'0' {
            found.is_ascii_digit()
        } else {
            found == due
        }
    };
    if text.len() != SHAPE.len() || !text.iter().zip(SHAPE).all(fits) {
        return None;
    }
    let number = |at: usize, digits: usize| {
        text[at..at + digits]
            .iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    };
    Some([
        number(0, 4),
        number(5, 2),
        number(8, 2),
        number(11, 2),
        number(14, 2),
        number(17, 2),
    ])
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    years + (1..month).map(|month| days_in(year, month)).sum::<u64>() + day - 1
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut days, clock) = (self.0 / DAY, self.0 % DAY);
        let mut year = 1970 + days / 366; // at most the right year, less than seven years before it
        while days_before(year + 1, 1, 1) <= days {
            year += 1;
        }
        days -= days_before(year, 1, 1);
        let mut month = 1;
        while days >= days_in(year, month) {
            days -= days_in(year, month);
            month += 1;
        }
        let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
        write!(
            f,
            "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
            days + 1
        )
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_comes_back_and_agrees_with_the_calendar_of_jiff() {
        for day in (0..LAST / DAY - 2).step_by(97).chain([0, LAST / DAY - 2]) {
            let time = Time::from_unix(day * DAY + day % DAY).unwrap();
            let text = time.to_string();
            assert_eq!(text.parse(), Ok(time));
            let theirs = jiff::Timestamp::from_second(time.unix().try_into().unwrap()).unwrap();
            assert_eq!(text, theirs.to_string());
        }
        assert_eq!(
            Time::from_unix(LAST).unwrap().to_string(),
            "9999-12-31T23:59:59Z"
        );
        assert_eq!(Time::from_unix(LAST + 1), None);
    }

    #[test]
    fn only_real_moments_in_one_shape() {
        for text in [
            "1969-12-31T23:59:59Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2016-12-31T23:59:60Z",
            "2026-01-01T00:00:00z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01T00:00:00.0Z",
            "+026-01-01T00:00:00Z",
            "",
            "12026-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Time>(), Err(NotATime), "{text}");
        }
        assert!("2024-02-29T23:59:59Z".parse::<Time>().is_ok());
        assert!("2000-02-29T23:59:59Z".parse::<Time>().is_ok());
    }
}
