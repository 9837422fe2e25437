//! A gate in a few lines over the library's objects, which lies on demand, for clients that have to notice (PROTOCOL.md).

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use encl::crypto::signing::SigningKey;
use encl::crypto::{Kem, PrivateKey};
use encl::envelope::{GateLock, Ticket};
use encl::gate::card::{GateCard, GateCardRequest, GateUrl};
use encl::gate::log::{
    Checkpoint, Hash, Nodes, NoteKey, added_nodes, consistency_proof, inclusion_proof, leaf_hash,
    root,
};
use encl::gate::protocol::{
    Answer, Ask, Entry, EntryOp, ItemAnswer, LoggedEntry, Request, Said, SignedStatement,
};
use encl::gate::rules::{Refusal, Statement};
use encl::identity::CardKey;
use encl::time::Time;
use zeroize::Zeroizing;

use crate::kit::{NOW, rng, time};

/// What a gate does otherwise than it should.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Refuses for its clock until it is told its own time.
    Clock,
    /// An owner revoked the envelope.
    Revoked,
    /// It says so, and shows what another signed.
    RevokedByAStranger,
    /// Another part than the author's.
    Part,
    /// Another key signs answers.
    AnswerKey,
    /// Another key signs checkpoints.
    CheckpointKey,
    /// The checkpoint of another log.
    Origin,
    /// The answer to another request.
    OtherRequest,
    /// The entry is of another ticket, person, request, item or op.
    EntryTicket,
    EntryWho,
    EntryRequest,
    EntryMark,
    EntryOp,
    /// The entry is not the one in the log.
    NotInLog,
    /// The proof lacks a hash.
    ProofCut,
    /// A log with another beginning.
    Forked,
    /// The log has lost an entry.
    Shorter,
    /// A member that there is none of.
    Lease,
    Redirect,
    NotFound,
}

/// A log in memory.
#[derive(Default)]
pub(crate) struct Log {
    nodes: HashMap<(u32, u64), Hash>,
    size: u64,
}

impl Nodes for Log {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.nodes[&(level, index)])
    }
}

impl Log {
    fn append(&mut self, line: &[u8]) -> u64 {
        let Ok(added) = added_nodes(self, self.size, leaf_hash(line));
        for one in added {
            self.nodes.insert((one.level, one.index), one.hash);
        }
        self.size += 1;
        self.size - 1
    }

    /// With some entries that no client asked for.
    pub(crate) fn of(name: &str, size: u64) -> Self {
        let mut log = Self::default();
        for number in 0..size {
            log.append(format!("{name} {number}").as_bytes());
        }
        log
    }
}

/// A gate, and the one envelope that it is asked about.
pub(crate) struct Gate {
    pub(crate) root: SigningKey,
    log_key: SigningKey,
    pub(crate) kem: PrivateKey,
    origin: String,
    pub(crate) card: GateCard,
    owner: SigningKey,
    pub(crate) log: Log,
    pub(crate) fault: Fault,
    pub(crate) told: bool,
}

impl Gate {
    pub(crate) fn new(port: u16, owner: SigningKey) -> Self {
        let [root, log_key] = [0, 1].map(|_| SigningKey::generate(&mut rng()));
        let kem = PrivateKey::generate(Kem::XWing, &mut rng());
        let origin = "127.0.0.1/test".to_owned();
        let key = CardKey {
            public: kem.public_key(),
            serial: 1,
            created: time(NOW),
            expires: None,
        };
        let card = GateCardRequest {
            name: "Gate",
            url: &GateUrl::parse(&format!("http://127.0.0.1:{port}")).unwrap(),
            after: 0,
            created: time(NOW),
            log: &NoteKey {
                name: origin.clone(),
                key: log_key.id(),
            },
            keys: &[key],
        };
        let card = GateCard::new(&root, &card).unwrap();
        Self {
            root,
            log_key,
            kem,
            origin,
            card,
            owner,
            log: Log::of("before", 6),
            fault: Fault::None,
            told: false,
        }
    }

    /// The checks of PROTOCOL.md that have to do with the client, each of which it must have done right.
    fn answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        let request = Request::open(bytes, self.root.id(), &self.kem).unwrap();
        assert!(request.items.len() == 1 && request.items[0].commitment() == request.head.items[0]);
        let lock = request.items[0].lock().unwrap();
        if self.fault == Fault::Clock && request.head.told.is_none() {
            self.told = true;
            return self.seal(&request, Said::Refused(Refusal::Clock));
        }
        let seen = request.seen.as_ref().map(|seen| {
            let key = NoteKey {
                name: self.origin.clone(),
                key: self.log_key.id(),
            };
            Checkpoint::read(seen, &key).unwrap().size
        });
        let item = self.item(&request, &lock);
        let item = self.logged(&request, &lock, item);
        if self.fault == Fault::Forked {
            self.log = Log::of("other", self.log.size);
        }
        if self.fault == Fault::Shorter {
            self.log = Log::of("before", 5);
        }
        let Ok(root) = root(&self.log, self.log.size);
        let origin = match self.fault {
            Fault::Origin => "127.0.0.1/other",
            _ => &self.origin,
        };
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: self.log.size,
            root,
        };
        let key = match self.fault {
            Fault::CheckpointKey => &self.root,
            _ => &self.log_key,
        };
        let seen = seen.filter(|seen| *seen <= self.log.size);
        let consistency = seen.map_or(Vec::new(), |seen| {
            let Ok(proof) = consistency_proof(&self.log, seen, self.log.size);
            proof
        });
        let said = Said::Items {
            items: vec![item],
            checkpoint: checkpoint.sign(key).into_bytes(),
            consistency,
        };
        self.seal(&request, said)
    }

    /// What the rules say, or the fault.
    fn item(&self, request: &Request, lock: &GateLock) -> Outcome {
        let Ask::Open { enc, ct, pass } = &request.items[0].ask else {
            return Outcome::Stated;
        };
        assert!(
            request.is_proved(0, lock.terms().holder),
            "the holder's proof"
        );
        let has_pass = request.head.who.zip(*pass);
        if !has_pass.is_some_and(|(who, pass)| lock.is_pass(who, &pass)) {
            return Outcome::Refused(Refusal::Unknown, None);
        }
        let revoked = |by: &SigningKey| {
            let op = (lock.ticket(), Statement::Revoke);
            Box::new(SignedStatement::new(op, time(NOW), [0; 32], by))
        };
        match self.fault {
            Fault::Revoked => Outcome::Refused(Refusal::Revoked, Some(revoked(&self.owner))),
            Fault::RevokedByAStranger => {
                Outcome::Refused(Refusal::Revoked, Some(revoked(&self.root)))
            }
            Fault::Part => Outcome::Share(vec![7; 32].into()),
            _ => Outcome::Share(lock.open_slot(0, (enc, ct), &self.kem).unwrap()),
        }
    }

    fn logged(&mut self, request: &Request, lock: &GateLock, outcome: Outcome) -> ItemAnswer {
        let (op, reason) = match &outcome {
            Outcome::Share(_) => (EntryOp::Open, None),
            Outcome::Refused(Refusal::Unknown, _) => return ItemAnswer::refused(Refusal::Unknown),
            Outcome::Refused(reason, _) => (EntryOp::Refuse, Some(*reason)),
            Outcome::Stated => (EntryOp::Statement, None),
        };
        let mut entry = Entry {
            seq: self.log.size,
            ticket: Some(lock.ticket()),
            n: Some(1),
            who: request.head.who,
            request: Some(request.hash),
            item: Some(0),
            mark: Some(request.items[0].salt),
            reason,
            ..Entry::new(op, now(), [9; 16])
        };
        if let Ask::State { statement } = &request.items[0].ask {
            let statement = SignedStatement::parse(statement).unwrap();
            assert!(statement.is_of(lock), "by an owner of this lock");
            (entry.who, entry.statement) = (Some(statement.by()), Some(statement.hash()));
        }
        self.spoil(&mut entry);
        let line = entry.to_line();
        let seq = self.log.append(&line);
        let Ok(mut proof) = inclusion_proof(&self.log, seq, self.log.size);
        if self.fault == Fault::ProofCut {
            proof.pop();
        }
        let mut entry = LoggedEntry { line, proof };
        if self.fault == Fault::NotInLog {
            entry.line.push(b' ');
        }
        match outcome {
            Outcome::Share(part) => ItemAnswer::Share {
                part,
                keep: None,
                entry,
            },
            Outcome::Refused(reason, statement) => ItemAnswer::Refused {
                reason,
                statement: statement.map(|statement| statement.to_bytes()),
                entry: Some(entry),
            },
            Outcome::Stated => ItemAnswer::Stated(entry),
        }
    }

    fn spoil(&self, entry: &mut Entry) {
        match self.fault {
            Fault::EntryTicket => entry.ticket = Some(Ticket([7; 32])),
            Fault::EntryWho => entry.who = Some(self.root.id()),
            Fault::EntryRequest => entry.request = Some([7; 32]),
            Fault::EntryMark => entry.mark = Some([7; 16]),
            Fault::EntryOp => entry.op = EntryOp::Block,
            Fault::Lease => entry.lease = Some(time(NOW)),
            _ => {}
        }
    }

    fn seal(&self, request: &Request, said: Said) -> Vec<u8> {
        let hash = match self.fault {
            Fault::OtherRequest => [7; 32],
            _ => request.hash,
        };
        let answer = Answer {
            request: hash,
            at: now(),
            said,
        };
        let key = match self.fault {
            Fault::AnswerKey => &self.root,
            _ => &self.log_key,
        };
        answer.seal(key, &request.reply, &mut rng())
    }
}

enum Outcome {
    Share(Zeroizing<Vec<u8>>),
    Refused(Refusal, Option<Box<SignedStatement>>),
    Stated,
}

fn now() -> Time {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Time::from_unix(since.as_secs()).unwrap()
}

/// Answers one request after the other, for as long as the test runs.
pub(crate) fn serve(listener: &TcpListener, gate: &Mutex<Gate>) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let body = body(&mut stream);
        let mut gate = gate.lock().unwrap();
        let (status, more, answer) = match gate.fault {
            Fault::Redirect => ("307 Moved", "Location: /gate2\r\n", Vec::new()),
            Fault::NotFound => ("400 Bad Request", "", Vec::new()),
            _ => ("200 OK", "", gate.answer(&body)),
        };
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let whole = [head.as_bytes(), &answer].concat();
        stream.write_all(&whole).unwrap();
    }
}

fn body(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut some = [0; 4_096];
        let count = stream.read(&mut some).unwrap();
        bytes.extend_from_slice(&some[..count]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        assert!(count > 0, "the request ends in its header");
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    assert!(head.starts_with("POST /gate HTTP/1.1\r\n"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = bytes[end..].to_vec();
    let mut rest = vec![0; length.unwrap().parse::<usize>().unwrap() - body.len()];
    stream.read_exact(&mut rest).unwrap();
    body.extend(rest);
    body
}
