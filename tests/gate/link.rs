//! A bad link to a gate: it holds each request and each answer back for a while, and cuts some of them.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::client;

/// The longest that one direction is held back.
const DELAY_MICROS_MAX: u64 = 4_000;
/// One of so many requests is cut, and so is one of so many answers.
const CUT_ONE_OF: u32 = 8;

/// Listens on loopback, and passes one request a connection on to `gate`. It ends with the test program.
pub(crate) fn bad_link(gate: SocketAddr, seed: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut seeds = StdRng::seed_from_u64(seed);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let random = StdRng::seed_from_u64(seeds.random_range(0..u64::MAX));
            thread::spawn(move || pass(stream, gate, random));
        }
    });
    address
}

/// Carries one request and its answer. An error is a cut like any other.
fn pass(mut asker: TcpStream, gate: SocketAddr, mut random: StdRng) -> io::Result<()> {
    let request = whole_request(&mut asker)?;
    hold(&mut random);
    let is_cut = |random: &mut StdRng| random.random_range(0..CUT_ONE_OF) == 0;
    let mut behind = client::connect(gate)?;
    if is_cut(&mut random) {
        let half = random.random_range(0..request.len());
        behind.write_all(&request[..half])?;
        return asker.shutdown(Shutdown::Both);
    }
    behind.write_all(&request)?;
    let answer = client::response(&mut behind)?;
    hold(&mut random);
    let bytes = [answer.head.as_bytes(), &answer.body].concat();
    let end = match is_cut(&mut random) {
        true => random.random_range(0..bytes.len()),
        false => bytes.len(),
    };
    asker.write_all(&bytes[..end])?;
    asker.shutdown(Shutdown::Both)
}

fn hold(random: &mut StdRng) {
    thread::sleep(Duration::from_micros(
        random.random_range(0..DELAY_MICROS_MAX),
    ));
}

fn whole_request(asker: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16_384];
    loop {
        let count = asker.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if bytes.len() >= end + 4 + length {
            return Ok(bytes);
        }
    }
}
