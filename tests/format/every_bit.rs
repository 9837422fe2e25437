//! Envelopes with each bit flipped, with each truncation, and with appended data.

use std::collections::BTreeMap;
use std::ops::Range;

use encl::crypto::passphrase::Passphrase;
use encl::envelope::Class;

use crate::kit::{Keys, Outcome, Parts, Person, cheap, flipped, listed, open, request, sealed};
use crate::support::sweep;

/// The number of cases of each class.
type Counts = BTreeMap<Class, u64>;

/// Opens every case on all processors and counts the classes. Success, or a released byte, fails the test.
fn refuse_all(
    cases: u64,
    keys: impl Fn() -> Keys + Sync,
    case: impl Fn(u64) -> Vec<u8> + Sync,
) -> Counts {
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let worker = |first: u64| {
        let (mut counts, mut keys) = (Counts::new(), keys());
        for number in (first..cases).step_by(usize::try_from(workers).unwrap()) {
            let Outcome { class, .. } = open(&case(number), &mut keys);
            let class = class.unwrap_or_else(|| panic!("case {number} was accepted"));
            *counts.entry(class).or_default() += 1;
        }
        counts
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|first| scope.spawn(move || worker(first)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .fold(Counts::new(), |mut all, counts| {
                for (class, count) in counts {
                    *all.entry(class).or_default() += count;
                }
                all
            })
    })
}

/// The bytes of lines 1 to 4 and of the payload.
fn regions(envelope: &[u8]) -> [Range<usize>; 5] {
    let parts = Parts::of(envelope);
    let mut start = 0;
    [
        6,
        parts.policy.len(),
        parts.access.len(),
        44,
        parts.payload.len(),
    ]
    .map(|length| {
        let end = (start + length + 1).min(envelope.len());
        std::mem::replace(&mut start, end)..end
    })
}

/// The classes that FORMAT.md allows for one flipped bit of each region.
fn allowed(region: usize) -> &'static [Class] {
    use Class::{
        Damaged, Header, Malformed, Mangled, Newer, NoKey, NotAnEnvelope, OverLimit, Passphrase,
        Quorum, Refused, Slot, Truncated,
    };
    match region {
        0 => &[Mangled, Newer, NotAnEnvelope, Malformed],
        // A changed policy has another P, so no slot opens; a changed `private` or `passphrase` requires other slots.
        1 => &[
            Malformed, Newer, OverLimit, Mangled, NoKey, Slot, Passphrase, Quorum, Refused,
        ],
        2 => &[
            Malformed, Newer, OverLimit, Mangled, NoKey, Slot, Header, Passphrase,
        ],
        3 => &[Malformed, Mangled, Header],
        _ => &[Damaged, Truncated],
    }
}

/// Flips every `step`th bit, region by region.
fn flip_all(name: &str, envelope: &[u8], step: u64, keys: impl Fn() -> Keys + Sync) {
    let mut total = 0;
    for (number, region) in regions(envelope).into_iter().enumerate() {
        let first = region.start as u64 * 8;
        let bits = (region.len() as u64 * 8).div_ceil(step);
        let counts = refuse_all(bits, &keys, |case| flipped(envelope, first + case * step));
        for (class, count) in &counts {
            assert!(
                allowed(number).contains(class),
                "{count} flips in region {number} give {class:?}"
            );
        }
        println!("{name}, region {number}: {}", listed(&counts));
        total += bits;
    }
    assert!(total >= envelope.len() as u64 * 8 / step);
    println!("{name}: {total} bits flipped, 0 accepted");
}

fn cut_all(name: &str, envelope: &[u8], step: u64, keys: impl Fn() -> Keys + Sync) {
    let cuts = (envelope.len() as u64).div_ceil(step);
    let counts = refuse_all(cuts, keys, |case| {
        envelope[..usize::try_from(case * step).unwrap()].to_vec()
    });
    // The empty file is not an envelope; a last chunk that is cut inside has a wrong tag.
    let allowed = [Class::NotAnEnvelope, Class::Truncated, Class::Damaged];
    assert!(
        counts.keys().all(|class| allowed.contains(class)),
        "{}",
        listed(&counts)
    );
    assert_eq!(counts.get(&Class::NotAnEnvelope), Some(&1));
    println!(
        "{name}: {cuts} truncations, 0 accepted: {}",
        listed(&counts)
    );
}

fn append_all(name: &str, envelope: &[u8], other: &[u8], keys: impl Fn() -> Keys) {
    let zeros = |count| vec![0; count];
    let tails = [
        zeros(1),
        zeros(16),
        zeros(16_384),
        zeros(16_400),
        zeros(65_536),
        envelope.to_vec(),
        other.to_vec(),
    ];
    for tail in tails {
        let outcome = open(&[envelope, &tail].concat(), &mut keys());
        assert_eq!(
            outcome.class,
            Some(Class::Damaged),
            "{name}: {} bytes appended",
            tail.len()
        );
    }
}

/// The distance between tested bits: `short` in the short form.
pub(crate) fn step(short: u64) -> u64 {
    if sweep::is_full() { 1 } else { short }
}

#[test]
fn four_readers_signed_three_chunks() {
    let people = ["Alice", "Bob", "Carol", "Dave"].map(Person::classic);
    let content: Vec<u8> = (0..=255).cycle().take(2 * 16_384 + 100).collect();
    let readers: Vec<_> = people.iter().collect();
    let envelope = sealed(&request(&readers, Some(&people[0].root)), &content);
    let other = sealed(&request(&readers, Some(&people[0].root)), b"another");
    let keys = || Keys::of(&[&people[2]]);
    // 5 and 8 have no common divisor: every bit of a byte has its turn.
    flip_all("signed", &envelope, step(5), keys);
    cut_all("signed", &envelope, step(3), keys);
    append_all("signed", &envelope, &other, keys);
}

#[test]
fn one_chunk_releases_nothing() {
    let bob = Person::classic("Bob");
    let envelope = sealed(&request(&[&bob], Some(&bob.root)), b"one chunk");
    for bit in 0..envelope.len() as u64 * 8 {
        assert!(
            open(&flipped(&envelope, bit), &mut Keys::of(&[&bob]))
                .released
                .is_empty()
        );
    }
    for cut in 0..envelope.len() {
        assert!(
            open(&envelope[..cut], &mut Keys::of(&[&bob]))
                .released
                .is_empty()
        );
    }
}

#[test]
fn a_passphrase_and_a_reader() {
    let bob = Person::classic("Bob");
    let words = Passphrase::new("correct horse").unwrap();
    let mut request = request(&[&bob], None);
    request.locks[0].passphrase = Some(cheap(&words));
    let (envelope, other) = (sealed(&request, b"for both"), sealed(&request, b"another"));
    let with_key = || Keys::of(&[&bob]);
    flip_all("passphrase envelope, by key", &envelope, 1, with_key);
    cut_all("passphrase envelope, by key", &envelope, 1, with_key);
    append_all("passphrase envelope, by key", &envelope, &other, with_key);
    // Argon2 is slow, and runs for each case that reaches it.
    let with_words = || Keys {
        keys: Vec::new(),
        passphrase: Some("correct horse"),
    };
    flip_all(
        "passphrase envelope, by passphrase",
        &envelope,
        step(101),
        with_words,
    );
    cut_all(
        "passphrase envelope, by passphrase",
        &envelope,
        step(61),
        with_words,
    );
}
