//! Moments as people read them, in the time zone of this machine.

use std::sync::atomic::{AtomicBool, Ordering};

use encl::time::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::terminal::safe;

/// Whether a moment was shown in UTC since the zone of `$TZ` is unknown here: the name may be wrong, or there are no zone files.
static IS_ZONE_MISSED: AtomicBool = AtomicBool::new(false);

/// What to say about the times that were shown, if their zone was unknown.
pub(crate) fn warning_of_zone() -> Option<String> {
    let name = std::env::var("TZ").unwrap_or_default();
    let is_missed = IS_ZONE_MISSED.load(Ordering::Relaxed);
    is_missed.then(|| {
        format!(
            "this machine does not know the time zone `{}` ($TZ): times are shown in UTC",
            safe(&name)
        )
    })
}

fn zone() -> TimeZone {
    TimeZone::try_system().unwrap_or_else(|_| {
        IS_ZONE_MISSED.store(std::env::var_os("TZ").is_some(), Ordering::Relaxed);
        TimeZone::UTC
    })
}

/// A moment in local time, with its offset: `2026-12-31 18:00:00 +01:00`.
pub(crate) fn local(time: Time) -> String {
    local_in(time, zone())
}

/// Its day in local time: `2026-12-31`.
pub(crate) fn day(time: Time) -> String {
    shaped(time, "%Y-%m-%d", zone())
}

/// Its day with the name of that: `Thursday, 2026-12-31`.
pub(crate) fn named_day(time: Time) -> String {
    named_day_in(time, zone())
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
