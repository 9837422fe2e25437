//! WHEN: a moment as people type it. RFC 3339 with an offset, a local date, or a span from now.

use encl::time::Time;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Which end of a day a date without a time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayEdge {
    /// not-before: the start of that day.
    Start,
    /// expires: the start of the next day, so that the day itself is good.
    End,
}

/// Why a WHEN is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimeError {
    #[error(
        "`{0}` is neither RFC 3339 with an offset (2026-12-31T18:00:00+01:00), nor a date (2026-12-31), nor a span \
         (90s, 30m, 12h, 30d, 2w)"
    )]
    Shape(String),
    #[error("`{0}` is not between 1970 and 9999")]
    Range(String),
    #[error(
        "`{0}` is a date, and this machine does not know the time zone `{1}` ($TZ): give a time with an offset, as 2026-12-31T18:00:00+01:00"
    )]
    Zone(String, String),
}

/// Reads a WHEN. Days are 86,400 seconds in spans, and calendar days of this machine's time zone in dates.
pub(crate) fn parse(text: &str, now: Time, edge: DayEdge) -> Result<Time, TimeError> {
    let zone = zone().map_err(|name| TimeError::Zone(text.to_owned(), name));
    let zone = match is_date(text) {
        true => zone?,
        false => TimeZone::UTC,
    };
    parse_in(text, now, edge, &zone)
}

/// The time zone of this machine, or the name of one that it does not know: an image may have no zone files.
fn zone() -> Result<TimeZone, String> {
    TimeZone::try_system().or_else(|_| match std::env::var("TZ") {
        Ok(name) if !name.is_empty() => Err(name),
        _ => Ok(TimeZone::UTC),
    })
}

fn parse_in(text: &str, now: Time, edge: DayEdge, zone: &TimeZone) -> Result<Time, TimeError> {
    let unix = match span_seconds(text) {
        Some(seconds) => seconds.checked_add(now.unix()),
        None if is_date(text) => edge_of_day(text, edge, zone)?,
        None => instant(text)?,
    };
    unix.and_then(Time::from_unix)
        .ok_or_else(|| TimeError::Range(text.to_owned()))
}

/// `90s 30m 12h 30d 2w`; an enormous number is still a span, one past every range.
pub(crate) fn span_seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(
        number
            .parse::<u64>()
            .unwrap_or(u64::MAX)
            .saturating_mul(unit),
    )
}

fn is_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| {
        if matches!(at, 4 | 7) {
            byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

fn edge_of_day(text: &str, edge: DayEdge, zone: &TimeZone) -> Result<Option<u64>, TimeError> {
    let shape = || TimeError::Shape(text.to_owned());
    let date: Date = text.parse().map_err(|_| shape())?;
    let date = match edge {
        DayEdge::Start => Ok(date),
        DayEdge::End => date.tomorrow(),
    };
    // Where a clock change leaves no midnight, a day starts at its first moment.
    let start = date
        .and_then(|date| date.to_zoned(zone.clone()))
        .and_then(|day| day.start_of_day());
    Ok(start
        .ok()
        .and_then(|start| u64::try_from(start.timestamp().as_second()).ok()))
}

fn instant(text: &str) -> Result<Option<u64>, TimeError> {
    let shape = || TimeError::Shape(text.to_owned());
    if text.len() < 20 || !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
        return Err(shape()); // jiff also reads shorter forms, which RFC 3339 does not have
    }
    let instant: Timestamp = text.parse().map_err(|_| shape())?;
    Ok(u64::try_from(instant.as_second()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz;

    fn now() -> Time {
        Time::from_unix(1_795_478_400).unwrap() // 2026-11-24T00:00:00Z
    }

    fn at(text: &str, edge: DayEdge) -> String {
        let zone = TimeZone::fixed(tz::offset(2));
        match parse_in(text, now(), edge, &zone) {
            Ok(time) => time.to_string(),
            Err(TimeError::Shape(_)) => "shape".into(),
            Err(TimeError::Range(_)) => "range".into(),
            Err(TimeError::Zone(..)) => "zone".into(),
        }
    }

    #[test]
    fn spans_count_from_now() {
        for (text, expected) in [
            ("90s", "2026-11-24T00:01:30Z"),
            ("30m", "2026-11-24T00:30:00Z"),
            ("12h", "2026-11-24T12:00:00Z"),
            ("30d", "2026-12-24T00:00:00Z"),
            ("2w", "2026-12-08T00:00:00Z"),
            ("0s", "2026-11-24T00:00:00Z"),
            ("99999999999999999999d", "range"),
            ("3000000d", "range"),
            ("d", "shape"),
            ("-1d", "shape"),
            ("1.5h", "shape"),
            ("1M", "shape"),
            ("", "shape"),
            ("1ä", "shape"),
        ] {
            assert_eq!(at(text, DayEdge::End), expected, "{text}");
        }
    }

    #[test]
    fn a_date_is_a_local_day() {
        assert_eq!(at("2026-12-31", DayEdge::Start), "2026-12-30T22:00:00Z");
        assert_eq!(at("2026-12-31", DayEdge::End), "2026-12-31T22:00:00Z");
        assert_eq!(at("2026-02-30", DayEdge::End), "shape");
        assert_eq!(at("1969-12-31", DayEdge::Start), "range");
        assert_eq!(at("9999-12-31", DayEdge::End), "range");
    }

    #[test]
    fn rfc_3339_needs_its_offset() {
        assert_eq!(
            at("2026-12-31T18:00:00+01:00", DayEdge::End),
            "2026-12-31T17:00:00Z"
        );
        assert_eq!(
            at("2026-12-31t18:00:00z", DayEdge::End),
            "2026-12-31T18:00:00Z"
        );
        for text in [
            "2026-12-31T18:00:00",
            "2026-12-31T18:00Z",
            "20261231T180000Z",
            "tomorrow",
        ] {
            assert_eq!(at(text, DayEdge::End), "shape", "{text}");
        }
    }
}
