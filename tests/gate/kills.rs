//! T1: the gate is killed at every write and sync of an opening and of a revocation. Whatever was answered is in the log, whatever was
//! acknowledged counts.

use std::process::Command;

use encl::gate::protocol::EntryOp;
use encl::gate::rules::Statement;

use crate::office::{Office, ask, post, sealed, word};
use crate::server::Server;
use crate::support::sweep;

/// The calls of the writer's thread that change the disk, and those that send answers.
const CALLS: [&str; 5] = ["pwrite64", "fdatasync", "fsync", "writev", "sendto"];
/// No opening and revocation make more of one of them.
const NTH_MAX: usize = 60;

#[test]
fn killed_at_every_call() {
    let found = Command::new("strace").arg("-V").output();
    assert!(found.is_ok(), "these tests need strace");
    let (mut killed, mut answered) = (0, 0);
    for call in CALLS {
        let mut nth = 1;
        while nth <= NTH_MAX {
            let (was_killed, answers) = killed_at(call, nth);
            println!("{call} {nth}: killed: {was_killed}, answers: {answers}");
            killed += u32::from(was_killed);
            answered += answers;
            if !was_killed {
                break;
            }
            // The first calls are each another step; later ones repeat them.
            nth += if sweep::is_full() || nth < 6 { 1 } else { 5 };
        }
        assert!(nth <= NTH_MAX, "{call} has more calls");
    }
    assert!(
        killed >= 15 && answered >= 5,
        "{killed} kills, {answered} answers"
    );
}

/// Whether the gate came to this call, and how many answers arrived.
fn killed_at(call: &str, nth: usize) -> (bool, u32) {
    let mut server = Server::stopped();
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let trace = format!("trace={call}");
    let under = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    if !server.try_start(&under, &[]) {
        server.start(&[]);
        assert_eq!(ask(&server, Office::new(&server).opening(0)), "open");
        return (true, 0);
    }
    let office = Office::new(&server);
    let opening = sealed(&server.card, office.opening(0));
    let revoking = sealed(&server.card, office.stating(Statement::Revoke));
    let mut client = server.client();
    let opened = post(&mut client, &server.card, &opening);
    let revoked = opened
        .as_ref()
        .and_then(|_| post(&mut client, &server.card, &revoking));
    let was_killed = revoked.is_none();
    if was_killed {
        server.wait();
    } else {
        server.kill();
    }
    server.start(&[]);
    let entries = server.entries();
    let count = |op| entries.iter().filter(|entry| entry.op == op).count();
    if opened.is_some() {
        assert_eq!(
            count(EntryOp::Open),
            1,
            "{call} {nth}: an answer without an entry"
        );
    }
    assert_eq!(count(EntryOp::Freeze), 0, "{call} {nth}: frozen");
    // Sent again, as whoever got no answer does: one entry each.
    let mut client = server.client();
    if revoked.is_some() {
        assert_eq!(count(EntryOp::Statement), 1);
        let again = post(&mut client, &server.card, &opening).unwrap();
        assert_eq!(
            word(&again),
            "revoked",
            "{call} {nth}: an acknowledged revocation is lost"
        );
    } else {
        let again = post(&mut client, &server.card, &opening).unwrap();
        let is_revoked = count(EntryOp::Statement) == 1;
        assert_eq!(word(&again), if is_revoked { "revoked" } else { "open" });
    }
    assert_eq!(
        word(&post(&mut client, &server.card, &revoking).unwrap()),
        "stated"
    );
    assert_eq!(
        word(&post(&mut client, &server.card, &opening).unwrap()),
        "revoked"
    );
    let entries = server.entries();
    let count = |op| entries.iter().filter(|entry| entry.op == op).count();
    assert!(count(EntryOp::Open) <= 1 && count(EntryOp::Statement) == 1);
    server.stop();
    (
        was_killed,
        u32::from(opened.is_some()) + u32::from(revoked.is_some()),
    )
}

/// Killed at any moment while many ask.
#[test]
fn killed_under_load() {
    let mut server = Server::new();
    let rounds = if sweep::is_full() { 100 } else { 5 };
    for round in 0..rounds {
        let offices: Vec<Office> = (0..4).map(|_| Office::new(&server)).collect();
        let (address, card) = (server.address(), server.card.clone());
        let answered: u64 = std::thread::scope(|scope| {
            let asking = offices.iter().map(|office| {
                let card = card.clone();
                scope.spawn(move || {
                    let mut client = crate::client::Client::new(address);
                    let mut answered = 0;
                    loop {
                        let sent = sealed(&card, office.opening(0));
                        match post(&mut client, &card, &sent) {
                            Some(said) => assert_eq!(word(&said), "open"),
                            None => return answered,
                        }
                        answered += 1;
                    }
                })
            });
            let asking: Vec<_> = asking.collect();
            std::thread::sleep(std::time::Duration::from_millis(60 + 37 * round));
            server.kill();
            asking.into_iter().map(|one| one.join().unwrap()).sum()
        });
        server.start(&[]);
        let tickets: Vec<_> = offices
            .iter()
            .map(|office| office.lock().ticket())
            .collect();
        let entries = server.entries();
        let own = entries
            .iter()
            .filter(|entry| entry.ticket.is_some_and(|ticket| tickets.contains(&ticket)));
        let logged = own.count() as u64;
        assert!(
            logged >= answered && logged <= answered + 4,
            "{logged} entries, {answered} answers"
        );
        assert!(entries.iter().all(|entry| entry.op != EntryOp::Freeze));
    }
}
