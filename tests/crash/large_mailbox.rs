//! Sealing a Maildir of 2,000 messages is killed ten times at random moments. Runs only with `ENCL_SWEEP=full`.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::corpus;
use super::scene::{Scene, said};
use crate::support::process::{self, limit, wait_with_limit};
use crate::support::sweep;
use crate::tell::tell;

const MESSAGES: usize = 2_000;
const KILLS: usize = 10;

/// The messages by the first part of their names.
type Messages = BTreeMap<String, Vec<u8>>;

#[test]
fn a_large_mailbox_survives_ten_kills() {
    if !sweep::is_full() {
        return;
    }
    let scene = Scene::new();
    let messages = lay_out(&scene);
    let sealing = [
        "mail",
        "seal",
        "mail",
        "--for",
        "alice@example.org",
        "--keystore",
        "alice",
    ];
    let mut seen = Vec::new();
    for kill in 0..KILLS {
        let mut command = scene.program(&sealing);
        let mut run = command.stderr(Stdio::null()).spawn().unwrap();
        // Each kill happens at a random place within its own share of the messages.
        let share = MESSAGES / KILLS;
        let enough = kill * share + random(share);
        let begun = Instant::now();
        while sealed(&scene) < enough
            && run.try_wait().unwrap().is_none()
            && begun.elapsed() < limit()
        {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_micros(random(5_000) as u64));
        run.kill().unwrap();
        wait_with_limit(&mut run, &sealing);
        seen.push(sealed(&scene));
        check(&scene, &messages);
    }
    scene.done(&sealing);
    assert_eq!(sealed(&scene), MESSAGES);
    assert_eq!(names(&scene).len(), MESSAGES, "no form is left behind");
    check(&scene, &messages);
    tell(&format!(
        "crash: sealing {MESSAGES} messages killed when {seen:?} were sealed, 0 lost"
    ));
}

/// The messages of the corpora, repeated until there are enough.
fn lay_out(scene: &Scene) -> Messages {
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(scene.at("mail").join(folder)).unwrap();
    }
    let corpus: Vec<_> = corpus::messages().collect();
    let some = corpus.iter().filter(|message| !message.bytes.is_empty());
    let named = |(number, message): (usize, &&corpus::Message)| {
        let base = format!("{}.M{number}P1.host", 1_000_000_000 + number);
        fs::write(scene.at(&format!("mail/cur/{base}:2,S")), &message.bytes).unwrap();
        (base, message.bytes.clone())
    };
    some.cycle().take(MESSAGES).enumerate().map(named).collect()
}

/// Checks that every message is there: plain ones are unchanged, sealed ones open to the same bytes, and a dry run reports
/// nothing unusual.
fn check(scene: &Scene, messages: &Messages) {
    let mut found = names(scene);
    for name in &mut found {
        name.truncate(name.find(".host").unwrap() + ".host".len());
    }
    found.dedup();
    assert!(found.iter().eq(messages.keys()), "{} names", found.len());
    let rehearsal = [
        "mail",
        "seal",
        "mail",
        "--for",
        "alice@example.org",
        "--dry-run",
        "--json",
        "--keystore",
        "alice",
    ];
    let report = String::from_utf8(scene.done(&rehearsal).stdout).unwrap();
    let is_known = |line: &str| {
        line.contains(r#""outcome":"already""#) || line.contains(r#""outcome":"to be done""#)
    };
    assert!(report.lines().count() >= MESSAGES, "{report}");
    assert!(report.lines().all(is_known), "{report}");
    let unsealing = "cp -a mail copy && \"$ENCL\" mail unseal copy --keystore alice";
    let unsealed = process::output(&mut scene.shell(unsealing, &[]));
    assert!(unsealed.status.success(), "{}", said(&unsealed));
    for (base, bytes) in messages {
        let plain = scene.read(&format!("copy/cur/{base}:2,S"));
        assert!(plain.as_ref() == Some(bytes), "{base} is another");
    }
    let copied = fs::read_dir(scene.at("copy/cur")).unwrap();
    let shown = copied.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        !name.as_encoded_bytes().starts_with(b".")
    });
    assert_eq!(shown.count(), MESSAGES);
    fs::remove_dir_all(scene.at("copy")).unwrap();
}

fn sealed(scene: &Scene) -> usize {
    let names = names(scene);
    names.iter().filter(|name| name.contains(".encl:")).count()
}

/// The names of messages in `cur`, in order.
fn names(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.at("mail/cur")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    names
}

fn random(below: usize) -> usize {
    let number = RandomState::new().hash_one(0_u8);
    usize::try_from(number % below as u64).unwrap()
}
