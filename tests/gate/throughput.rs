//! T3 and T4: how many openings a second, and how long one takes. Requests are made beforehand; answers are opened afterwards.

use std::thread;
use std::time::{Duration, Instant};

use encl::gate::protocol::{Answer, Op, Pending, RequestDraft, Said};

use crate::client::Client;
use crate::office::{Office, batch, key, post, sealed, word};
use crate::server::Server;
use crate::support::sweep;

/// Connections of one address have a limit, so all come through one that is known.
const PROXY: [&str; 2] = ["--proxy", "127.0.0.1"];

type Sent = (Vec<u8>, Pending);

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn rate(count: usize, passed: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / passed.as_secs_f64()
}

fn running() -> Server {
    let mut server = Server::stopped();
    server.start(&PROXY);
    server
}

/// 100 clients, each with an envelope and requests of its own.
#[test]
fn openings_of_100_clients() {
    let server = running();
    let each = if sweep::is_full() { 100 } else { 5 };
    let offices: Vec<Office> = (0..100).map(|_| Office::new(&server)).collect();
    let sent: Vec<Vec<Sent>> = offices
        .iter()
        .map(|office| {
            (0..each)
                .map(|_| sealed(&server.card, office.opening(0)))
                .collect()
        })
        .collect();
    let begin = Instant::now();
    let answered: Vec<(Duration, Vec<u8>)> = thread::scope(|scope| {
        let clients: Vec<_> = sent
            .iter()
            .map(|requests| scope.spawn(|| ask_all(server.client(), requests)))
            .collect();
        clients
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let passed = begin.elapsed();
    let log = server.card.log_key().key;
    for ((_, body), (_, pending)) in answered.iter().zip(sent.iter().flatten()) {
        let answer = Answer::open(body, pending, log).unwrap();
        assert_eq!(word(&answer.said), "open");
    }
    let mut times: Vec<Duration> = answered.iter().map(|(time, _)| *time).collect();
    let a_second = rate(times.len(), passed);
    let (half, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!(
        "{} openings, {a_second:.0} a second, p50 {half:?}, p99 {most:?}",
        times.len()
    );
    assert!(a_second >= 100.0, "{a_second:.0} a second");
}

fn ask_all(mut client: Client, requests: &[Sent]) -> Vec<(Duration, Vec<u8>)> {
    let asked = requests.iter().map(|(bytes, _)| {
        let begin = Instant::now();
        let answer = client.post(bytes).unwrap();
        assert_eq!(answer.status, 200);
        (begin.elapsed(), answer.body)
    });
    asked.collect()
}

/// Batches of 256, as a mailbox sends them.
#[test]
fn batches() {
    let server = running();
    let count = if sweep::is_full() { 40 } else { 2 };
    let (bob, holder) = (key(), key());
    let office = Office::new(&server);
    let request = || {
        let items = batch(&server, (&bob, &holder), 256);
        let draft = office.draft(Op::Open, items, Some(&holder));
        sealed(
            &server.card,
            RequestDraft {
                who: Some(&bob),
                ..draft
            },
        )
    };
    let sent: Vec<Sent> = (0..count).map(|_| request()).collect();
    let begin = Instant::now();
    let half = sent.len() / 2;
    let answered: Vec<(Duration, Vec<u8>)> = thread::scope(|scope| {
        let parts = [&sent[..half], &sent[half..]];
        let clients = parts.map(|part| scope.spawn(|| ask_all(server.client(), part)));
        clients
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let passed = begin.elapsed();
    for ((_, body), (_, pending)) in answered.iter().zip(&sent) {
        let answer = Answer::open(body, pending, server.card.log_key().key).unwrap();
        let Said::Items { items, .. } = answer.said else {
            panic!()
        };
        assert_eq!(items.len(), 256);
    }
    let a_second = rate(sent.len() * 256, passed);
    println!("{a_second:.0} items a second in batches of 256");
    assert!(a_second >= 200.0, "{a_second:.0} a second");
}

/// One opening at a time, while nobody else asks.
#[test]
fn one_at_a_time() {
    let server = running();
    let office = Office::new(&server);
    let mut client = server.client();
    let count = if sweep::is_full() { 500 } else { 30 };
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let sent = sealed(&server.card, office.opening(0));
            let begin = Instant::now();
            let said = post(&mut client, &server.card, &sent).unwrap();
            assert_eq!(word(&said), "open");
            begin.elapsed()
        })
        .collect();
    let (half, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!("one opening: p50 {half:?}, p99 {most:?}");
    assert!(half < Duration::from_millis(100), "{half:?}");
}
