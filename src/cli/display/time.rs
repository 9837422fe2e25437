//! Moments as people read them, in the time zone of this machine.

use encl::time::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A moment in local time, with its offset: `2026-12-31 18:00:00 +01:00`.
pub(crate) fn local(time: Time) -> String {
    local_in(time, TimeZone::system())
}

/// Its day in local time: `2026-12-31`.
pub(crate) fn day(time: Time) -> String {
    shaped(time, "%Y-%m-%d", TimeZone::system())
}

/// Its day with the name of that: `Thursday, 2026-12-31`.
pub(crate) fn named_day(time: Time) -> String {
    named_day_in(time, TimeZone::system())
}

fn named_day_in(time: Time, zone: TimeZone) -> String {
    shaped(time, "%A, %Y-%m-%d", zone)
}

fn local_in(time: Time, zone: TimeZone) -> String {
    shaped(time, "%Y-%m-%d %H:%M:%S %:z", zone)
}

fn shaped(time: Time, shape: &str, zone: TimeZone) -> String {
    let seconds = i64::try_from(time.unix()).expect("a Time ends with year 9999");
    match Timestamp::from_second(seconds) {
        Ok(instant) => instant.to_zoned(zone).strftime(shape).to_string(),
        Err(_) => time.to_string(), // the last hours of year 9999 are past jiff's end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz;

    fn now() -> Time {
        Time::from_unix(1_795_478_400).unwrap() // 2026-11-24T00:00:00Z
    }

    #[test]
    fn a_moment_is_shown_in_local_time_with_its_offset() {
        let zone = TimeZone::fixed(tz::offset(-5));
        assert_eq!(local_in(now(), zone), "2026-11-23 19:00:00 -05:00");
    }
    #[test]
    fn a_day_has_its_local_name() {
        for (hours, expected) in [(0, "Tuesday, 2026-11-24"), (-5, "Monday, 2026-11-23")] {
            assert_eq!(
                named_day_in(now(), TimeZone::fixed(tz::offset(hours))),
                expected
            );
        }
    }
}
