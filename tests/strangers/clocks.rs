//! Clocks that are behind, keys of my own that have expired, and zones that nobody here knows.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use encl::time::Time;

use crate::letters::People;
use crate::scene::{code, people, said, shell};

/// The time now, later by so many seconds.
fn later(seconds: u64) -> Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_unix(now.as_secs() + seconds).unwrap()
}

const WRAP: [&str; 6] = ["wrap", "note", "--to", "bob@example.org", "-o", "-"];

#[test]
fn sealing_while_the_clock_is_behind_is_a_warning() {
    let people = people();
    let clock = people.path("state-alice/encl/clock");
    let message = b"From: alice@example.org\nTo: bob@example.org\nSubject: s\n\nhello\n";
    fs::write(people.path("message"), message).unwrap();
    let expires = [&WRAP[..], &["--expires", "30d"]].concat();
    for (behind, warns) in [(0, false), (60, false), (86_400, true)] {
        fs::write(&clock, format!("{}\n", later(behind))).unwrap();
        fs::set_permissions(&clock, Permissions::from_mode(0o600)).unwrap();
        for arguments in [
            &WRAP[..],
            &[&WRAP[..], &["--quiet"]].concat(),
            &expires,
            &["mail", "wrap", "message", "-o", "-"],
        ] {
            let output = people.run("alice", arguments, b"");
            assert_eq!(code(&output), 0, "{}", said(&output));
            let warned = said(&output).contains("warning: the envelope says that it was made at");
            assert_eq!(warned, warns, "{behind} {arguments:?}: {}", said(&output));
            let is_about_expiry = said(&output).contains("and it expires at");
            assert_eq!(is_about_expiry, warns && arguments == expires);
        }
    }
}

/// The command in the hint of a failure.
fn hinted(text: &str) -> String {
    let hint = text.split("hint: `").nth(1).unwrap();
    hint.split('`').next().unwrap().to_owned()
}

/// Alice with a key that has expired.
fn expired() -> People {
    let people = people();
    let end = later(2).to_string();
    let new = [
        "key",
        "new",
        "eve@example.org",
        "--no-passphrase",
        "--expires",
        &end,
    ];
    people.done("eve", &new, b"");
    people.done("eve", &["contact", "add", "bob.card", "--yes"], b"");
    sleep(Duration::from_secs(3));
    people
}

#[test]
fn the_remedies_for_my_own_expired_key_run_as_they_are_printed() {
    let people = expired();
    let output = people.run("eve", &WRAP, b"");
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(
        said(&output).contains("your own key expired"),
        "{}",
        said(&output)
    );
    let hint = hinted(&said(&output));
    let renewed = shell(&people, "eve", &hint);
    assert_eq!(code(&renewed), 0, "{hint}: {}", said(&renewed));
    assert!(renewed.stdout.starts_with(b"encl-card1:"));
    people.done("eve", &WRAP, b"");
}

#[test]
fn the_doctors_remedy_for_my_own_expired_key_runs_as_it_is_printed() {
    let people = expired();
    let no_self = [&WRAP[..], &["--no-self"]].concat();
    people.done("eve", &no_self, b"");
    let report = shell(&people, "eve", "encl doctor");
    let report = String::from_utf8(report.stdout).unwrap();
    let mut lines = report.lines();
    assert!(
        lines.any(|line| line.contains("its key has expired")),
        "{report}"
    );
    let remedy = lines
        .next()
        .unwrap()
        .split("to repair it: ")
        .nth(1)
        .unwrap();
    let renewed = shell(&people, "eve", remedy);
    assert_eq!(code(&renewed), 0, "{remedy}: {}", said(&renewed));
    people.done("eve", &WRAP, b"");
}

#[test]
fn a_zone_that_is_unknown_here_is_said_where_times_are_shown() {
    let people = people();
    let wrap = [
        &WRAP[..4],
        &["-o", "sealed", "--expires", "2027-06-01T00:00:00Z"],
    ]
    .concat();
    people.done("alice", &wrap, b"");
    let inspect = |zone: &str| shell(&people, "alice", &format!("{zone} encl inspect sealed"));
    for zone in ["TZ=Nowhere/Land", "TZ=Europe/Atlantis"] {
        let output = inspect(zone);
        assert_eq!(code(&output), 0);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("2027-06-01 00:00:00 +00:00"), "{shown}");
        assert!(
            said(&output).contains("warning: "),
            "{zone}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(&zone[3..]),
            "{zone}: {}",
            said(&output)
        );
    }
    for zone in ["TZ=UTC", "TZ=CET-1CEST,M3.5.0,M10.5.0/3", "TZ="] {
        let output = inspect(zone);
        assert!(
            !said(&output).contains("warning: "),
            "{zone}: {}",
            said(&output)
        );
    }
}
