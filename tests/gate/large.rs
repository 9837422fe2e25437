//! T15: a gate with a long log starts as fast as one without, and takes little memory. `ENCL_SWEEP=full` for 10^6 entries.

use std::fs;
use std::time::{Duration, Instant};

use encl::crypto::Secret;
use encl::crypto::signing::SigningKey;
use encl::gate::log::{Checkpoint, Hash, leaf_hash};
use encl::gate::protocol::{Entry, EntryOp};
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::office::{Office, ask, now};
use crate::server::Server;
use crate::support::sweep;

/// Writes a log of so many entries into the database of a gate that does not run, as the gate would have written it.
fn fill(server: &Server, count: u64) {
    let begin = now();
    let lines = (0..count).map(|seq| {
        let mut entry = Entry::new(EntryOp::Block, begin, [7; 16]);
        entry.seq = seq;
        entry.who = Some(server.card.id());
        entry.to_line()
    });
    let mut connection = Connection::open(server.dir.join("gate.db")).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction
        .execute_batch("DELETE FROM entry; DELETE FROM node")
        .unwrap();
    let mut level: Vec<Hash> = Vec::new();
    {
        let mut insert = transaction
            .prepare("INSERT INTO entry VALUES (?1, ?2, ?3, NULL, NULL)")
            .unwrap();
        for (seq, line) in (0_u64..).zip(lines) {
            let leaf = leaf_hash(&line);
            insert.execute(params![seq, leaf, line]).unwrap();
            level.push(leaf);
        }
        let mut insert = transaction
            .prepare("INSERT INTO node VALUES (?1, ?2, ?3)")
            .unwrap();
        for number in 1_u32.. {
            let pairs = level.chunks_exact(2);
            level = pairs.map(|pair| node(&pair[0], &pair[1])).collect();
            if level.is_empty() {
                break;
            }
            for (index, hash) in (0_u64..).zip(&level) {
                insert.execute(params![number, index, hash]).unwrap();
            }
        }
    }
    let root = root(&transaction, 0, count);
    let keys = fs::read_to_string(server.dir.join("keys")).unwrap();
    let line: serde_json::Value = serde_json::from_str(keys.lines().nth(1).unwrap()).unwrap();
    let seed = encl::json::from_b64(line["log"].as_str().unwrap().as_bytes()).unwrap();
    let checkpoint = Checkpoint {
        origin: server.card.log_key().name.clone(),
        size: count,
        root,
    };
    let note = checkpoint.sign(&SigningKey::new(Secret::new(seed)));
    let head = "UPDATE head SET size = ?1, root = ?2, note = ?3, at = ?4";
    transaction
        .execute(head, params![count, root, note, begin.unix()])
        .unwrap();
    transaction.commit().unwrap();
    fs::write(server.dir.join("head"), note).unwrap();
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root of the subtree of these entries, from what is stored.
fn root(connection: &Connection, begin: u64, end: u64) -> Hash {
    let count = end - begin;
    if count.is_power_of_two() {
        let (level, index) = (count.trailing_zeros(), begin / count);
        let sql = if level == 0 {
            "SELECT leaf FROM entry WHERE ?1 = 0 AND seq = ?2"
        } else {
            "SELECT hash FROM node WHERE level = ?1 AND i = ?2"
        };
        return connection
            .query_row(sql, params![level, index], |row| row.get(0))
            .unwrap();
    }
    let middle = begin + count.next_power_of_two() / 2;
    node(
        &root(connection, begin, middle),
        &root(connection, middle, end),
    )
}

#[test]
fn a_long_log_does_not_slow_the_start() {
    let count = if sweep::is_full() { 1_000_000 } else { 20_000 };
    let mut server = Server::stopped();
    fill(&server, count);
    let office = Office::new(&server);
    let begin = Instant::now();
    server.start(&[]);
    let started = begin.elapsed();
    assert_eq!(
        ask(&server, office.opening(0)),
        "open",
        "the log is as it would have written it"
    );
    let status = server.command("status", &[]);
    assert_eq!(
        (status["entries"].as_u64(), status["frozen"].as_str()),
        (Some(count + 1), Some("no"))
    );
    for _ in 0..20 {
        assert_eq!(ask(&server, office.opening(0)), "open");
    }
    let kilobytes = server.memory_kib();
    println!("{count} entries: listening after {started:?}, {kilobytes} KiB resident");
    // Machines that test are busy; the figure is for one that is not.
    assert!(
        started < Duration::from_millis(if sweep::is_full() { 100 } else { 1_000 }),
        "{started:?}"
    );
    assert!(kilobytes <= 30 << 10, "{kilobytes} KiB");
}
