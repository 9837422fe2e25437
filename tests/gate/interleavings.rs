//! T2: openings and a revocation at once. Nothing opens after the last acknowledgement that is needed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use encl::gate::protocol::Pending;
use encl::gate::rules::Statement;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::client::Client;
use crate::link::bad_link;
use crate::office::{Office, post, sealed, word};
use crate::server::Server;
use crate::support::sweep;
use crate::tell::tell;

/// Each round is one revocation among openings of four readers.
fn rounds(short: u64) -> u64 {
    if sweep::is_full() { 2_500 } else { short }
}

#[test]
fn nothing_opens_after_the_acknowledgement() {
    let server = Server::new();
    let mut random = StdRng::seed_from_u64(2);
    let (mut before, mut after) = (0, 0);
    for _ in 0..rounds(40) {
        let office = Office::new(&server);
        let pause = Duration::from_micros(random.random_range(0..8_000));
        let acknowledged = AtomicU64::new(u64::MAX);
        let begin = Instant::now();
        let passed = || u64::try_from(begin.elapsed().as_micros()).unwrap();
        let seen: Vec<(u64, &str)> = thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|_| {
                    let (office, server) = (&office, &server);
                    scope.spawn(move || {
                        let mut client = server.client();
                        let mut seen = Vec::new();
                        for _ in 0..4 {
                            let sent = sealed(&server.card, office.opening(0));
                            let sent_at = passed();
                            let said = post(&mut client, &server.card, &sent).unwrap();
                            seen.push((sent_at, word(&said)));
                        }
                        seen
                    })
                })
                .collect();
            thread::sleep(pause);
            let sent = sealed(&server.card, office.stating(Statement::Revoke));
            let said = post(&mut server.client(), &server.card, &sent).unwrap();
            assert_eq!(word(&said), "stated");
            acknowledged.store(passed(), Ordering::SeqCst);
            asking
                .into_iter()
                .flat_map(|one| one.join().unwrap())
                .collect()
        });
        let acknowledged = acknowledged.load(Ordering::SeqCst);
        for (sent_at, said) in seen {
            assert!(["open", "revoked"].contains(&said));
            assert!(
                sent_at < acknowledged || said == "revoked",
                "opened after the acknowledgement"
            );
            before += u32::from(said == "open");
            after += u32::from(said == "revoked");
        }
    }
    assert!(
        before > 50 && after > 50,
        "{before} opened, {after} refused"
    );
}

/// Everybody asks over links that delay and cut, and asks again until an answer arrives. Who asks after the acknowledgement is refused,
/// and the first to do so says how soon it took effect.
#[test]
fn delayed_and_cut_links_change_nothing() {
    let server = Server::new();
    let link = bad_link(server.address(), 4);
    // The answer, when it was asked for that was answered at last, and how many were not.
    let insist = |draft: &dyn Fn() -> (Vec<u8>, Pending), since: Instant| {
        let mut lost = 0;
        loop {
            let sent = draft();
            let sent_at = since.elapsed();
            match post(&mut Client::new(link), &server.card, &sent) {
                Some(said) => return (sent_at, word(&said), lost),
                None => lost += 1,
            }
        }
    };
    let mut random = StdRng::seed_from_u64(5);
    let (mut lost, mut opened, mut effects) = (0, 0, Vec::new());
    for _ in 0..rounds(60) {
        let office = Office::new(&server);
        let pause = Duration::from_micros(random.random_range(0..20_000));
        let begin = Instant::now();
        let (seen, (acknowledged, effect)) = thread::scope(|scope| {
            let ask = || {
                let all =
                    (0..3).map(|_| insist(&|| sealed(&server.card, office.opening(0)), begin));
                all.collect::<Vec<_>>()
            };
            let asking = [scope.spawn(ask), scope.spawn(ask)];
            thread::sleep(pause);
            let stating = || sealed(&server.card, office.stating(Statement::Revoke));
            let (_, said, again) = insist(&stating, begin);
            assert_eq!(said, "stated");
            lost += again;
            let acknowledged = begin.elapsed();
            let opening = sealed(&server.card, office.opening(0));
            let said = post(&mut server.client(), &server.card, &opening).unwrap();
            assert_eq!(word(&said), "revoked");
            let effect = begin.elapsed().saturating_sub(acknowledged);
            let seen = asking.map(|one| one.join().unwrap()).concat();
            (seen, (acknowledged, effect))
        });
        for (sent_at, said, again) in seen {
            assert!(
                sent_at < acknowledged || said == "revoked",
                "opened after it"
            );
            lost += again;
            opened += u32::from(said == "open");
        }
        effects.push(effect);
    }
    assert!(lost > 10 && opened > 10, "{lost} cut, {opened} opened");
    effects.sort();
    let of = |part: usize| effects[(effects.len() - 1) * part / 100].as_micros();
    tell(&format!(
        "{lost} questions cut, {opened} opened before; from the acknowledgement to an answer of `revoked`: p50 {} us, p99 {} us",
        of(50),
        of(99)
    ));
}

/// 2 of 3, one of which may be down: a revocation is sure after two acknowledgements.
#[test]
fn two_of_three_are_revoked_by_two() {
    let mut servers = [Server::new(), Server::new(), Server::new()];
    let mut random = StdRng::seed_from_u64(3);
    for round in 0..=rounds(9) / 3 {
        let office = Office::with(&[&servers[0], &servers[1], &servers[2]], 2);
        let parts = |servers: &[Server; 3], down: Option<usize>| {
            let up = (0..3).filter(|gate| Some(*gate) != down);
            let opened = up.filter(|gate| {
                let server = &servers[*gate];
                let sent = sealed(&server.card, office.opening(*gate));
                word(&post(&mut server.client(), &server.card, &sent).unwrap()) == "open"
            });
            opened.count()
        };
        assert_eq!(parts(&servers, None), 3);
        let down = random.random_range(0..3);
        let is_down = round % 2 == 0;
        if is_down {
            servers[down].stop();
        }
        let mut acknowledged = 0;
        for (gate, server) in servers.iter().enumerate() {
            if gate != down {
                let sent = sealed(&server.card, office.stating(Statement::Revoke));
                let said = post(&mut server.client(), &server.card, &sent).unwrap();
                acknowledged += u32::from(word(&said) == "stated");
            }
        }
        assert_eq!(acknowledged, 2);
        if is_down {
            servers[down].start(&[]);
        }
        assert!(parts(&servers, None) < 2, "two acknowledgements of three");
    }
}
