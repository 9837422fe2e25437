//! T6: a gate whose clock is wrong, and steps while it answers. Its clock is that of a real process, changed by libfaketime.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use encl::gate::protocol::{Answer, RequestDraft, Said};
use encl::gate::rules::Refusal;
use encl::policy::Conditions;
use encl::time::Time;
use tempfile::TempDir;

use crate::office::{Office, now, sealed, word};
use crate::server::{Server, path};
use crate::support::sweep;

const HOUR: i64 = 3_600;
const TEN_YEARS: i64 = 10 * 365 * 24 * HOUR;

/// A gate, and the file that says how far its clock is from ours.
struct Clock {
    server: Server,
    folder: TempDir,
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap();
    let places = folders.map(|folder| folder.unwrap().path());
    let mut found = places.map(|place| place.join("faketime/libfaketimeMT.so.1"));
    let found = found.find(|library| library.is_file());
    found.expect("this test needs faketime")
}

impl Clock {
    fn new() -> Self {
        let clock = Self {
            server: Server::stopped(),
            folder: tempfile::tempdir().unwrap(),
        };
        clock.set(0);
        clock
    }

    /// So many seconds from the clock of the test.
    fn set(&self, seconds: i64) {
        // Replaced at once: a reader never sees half of it.
        let (file, next) = (
            self.folder.path().join("clock"),
            self.folder.path().join("next"),
        );
        fs::write(&next, format!("{seconds:+}s\n")).unwrap();
        fs::rename(next, file).unwrap();
    }

    fn start(&mut self) {
        let preload = format!("LD_PRELOAD={}", path(&library()));
        let file = self.folder.path().join("clock");
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", path(&file));
        let under = [
            "env",
            &preload,
            &file,
            "FAKETIME_NO_CACHE=1",
            "DONT_FAKE_MONOTONIC=1",
        ];
        self.server.start_under(&under, &[]);
    }

    /// Asks as clients do: once more with the gate's time, when it says that the clocks differ. The word, and the gate's time.
    fn ask(&self, office: &Office) -> (&'static str, Time) {
        let first = self.answer(office.opening(0));
        let Said::Refused(Refusal::Clock) = first.said else {
            return (word(&first.said), first.at);
        };
        let again = self.answer(RequestDraft {
            told: Some(first.at),
            ..office.opening(0)
        });
        (word(&again.said), again.at)
    }

    fn answer(&self, draft: RequestDraft<'_>) -> Answer {
        let (bytes, pending) = sealed(&self.server.card, draft);
        let answer = self.server.client().post(&bytes).unwrap();
        assert_eq!(answer.status, 200);
        Answer::open(&answer.body, &pending, self.server.card.log_key().key).unwrap()
    }

    /// An envelope that opens between two times, in seconds from now by the clock of the test.
    fn office(&self, from: Option<i64>, to: Option<i64>) -> Office {
        let mut office = Office::new(&self.server);
        let at = |seconds: i64| {
            Time::from_unix(now().unix().checked_add_signed(seconds).unwrap()).unwrap()
        };
        office.terms().conditions = Conditions {
            not_before: from.map(at),
            expires: to.map(at),
        };
        office
    }
}

/// Dates count by the gate's clock, however far it is from that of whoever asks.
#[test]
fn dates_by_the_clock_of_the_gate() {
    for (away, from, to, expected) in [
        (0, Some(-60), Some(600), "open"),
        (HOUR, None, Some(HOUR / 2), "expired"),
        (HOUR, Some(HOUR / 2), None, "open"),
        (-HOUR, Some(-HOUR / 2), None, "early"),
        (-HOUR, None, Some(-HOUR / 2), "open"),
        (TEN_YEARS, None, Some(TEN_YEARS - HOUR), "expired"),
        (TEN_YEARS, Some(TEN_YEARS - HOUR), None, "open"),
        (-TEN_YEARS, Some(HOUR - TEN_YEARS), None, "early"),
        (-TEN_YEARS, None, Some(HOUR - TEN_YEARS), "open"),
    ] {
        let mut clock = Clock::new();
        // Its log begins at a time that is past for this clock.
        clock.server.begin_at(away);
        clock.set(away);
        clock.start();
        let office = clock.office(from, to);
        let (said, at) = clock.ask(&office);
        assert_eq!(said, expected, "{away} s away");
        let apart = at.unix().cast_signed() - now().unix().cast_signed();
        assert!((apart - away).abs() < 60, "{apart} s apart, not {away}");
        // Set back: it answers nobody, since entries follow each other in time.
        if said == "open" {
            clock.set(away - 60);
            let refused = clock.answer(RequestDraft {
                told: Some(Time::from_unix(at.unix() - 60).unwrap()),
                ..office.opening(0)
            });
            assert_eq!(word(&refused.said), "clock", "{away} s away, set back");
            clock.set(away);
            assert_eq!(clock.ask(&office).0, "open");
        }
    }
}

/// The clock steps while four readers ask: nothing opens after its date, and the log's times never go back.
#[test]
fn a_clock_that_steps_under_load() {
    let mut clock = Clock::new();
    clock.start();
    let office = clock.office(None, Some(HOUR));
    let expires = office.lock().terms().conditions.expires.unwrap();
    let steps = if sweep::is_full() { 400 } else { 40 };
    let is_over = AtomicBool::new(false);
    let said: Vec<(&str, Time)> = thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut said = Vec::new();
                    while !is_over.load(Ordering::SeqCst) {
                        said.push(clock.ask(&office));
                    }
                    said
                })
            })
            .collect();
        for step in 0..steps {
            // Before and after the date, by turns, and a little back within a side.
            let side = if step % 2 == 0 { 0 } else { 2 * HOUR };
            clock.set(side + i64::from(step) % 7);
            thread::sleep(Duration::from_millis(50));
        }
        is_over.store(true, Ordering::SeqCst);
        let said = readers.into_iter().map(|one| one.join().unwrap());
        said.flatten().collect()
    });
    let count = |of| said.iter().filter(|(word, _)| *word == of).count();
    println!(
        "{} open, {} expired, {} clock",
        count("open"),
        count("expired"),
        count("clock")
    );
    assert!(count("open") > 0 && count("expired") + count("clock") > 0);
    assert_eq!(
        count("open") + count("expired") + count("clock"),
        said.len()
    );
    let open = said.iter().filter(|(word, _)| *word == "open");
    assert!(open.clone().all(|(_, at)| *at < expires));
    let entries = clock.server.entries();
    let times: Vec<Time> = entries.iter().map(|entry| entry.at).collect();
    assert!(times.is_sorted(), "the log's times go back");
}
