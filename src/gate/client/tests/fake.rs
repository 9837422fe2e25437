//! Gates in memory: they keep a log, answer everybody, and lie where a test says so.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::world::World;
use crate::crypto::kdf::gate as kdf;
use crate::crypto::signing::{Purpose, SigningKey};
use crate::crypto::{Kem, PrivateKey, PublicKey, Secret, hpke};
use crate::gate::card::{GateCard, GateCardRequest, GateUrl};
use crate::gate::client::{GatePlace, Transport, TransportError};
use crate::gate::log::{
    Checkpoint, Hash as TreeHash, Nodes, NoteKey, added_nodes, consistency_proof, inclusion_proof,
    leaf_hash, root,
};
use crate::gate::protocol::{
    Answer, Ask, Entry, EntryOp, ItemAnswer, LogLine, LogPage, LoggedEntry, Request, Said,
    SignedStatement,
};
use crate::gate::rules::Refusal;
use crate::gate::scene::{key, rng, time};
use crate::identity::CardKey;
use crate::time::Time;

/// How a gate behaves.
#[derive(Clone)]
pub(crate) enum Manners {
    Honest,
    Down,
    Silent,
    Refuse(Refusal, Option<Vec<u8>>),
    /// Its clock says this.
    Clock(Time),
    Lie(&'static str),
    Bytes(Vec<u8>),
}

/// Entries of a page of a ticket's log.
const PAGE: usize = 2;

#[derive(Default)]
struct Tree(Vec<Vec<TreeHash>>);

impl Nodes for Tree {
    type Error = ();

    fn node(&self, level: u32, index: u64) -> Result<TreeHash, ()> {
        let level = self.0.get(usize::try_from(level).unwrap()).ok_or(())?;
        level
            .get(usize::try_from(index).unwrap())
            .copied()
            .ok_or(())
    }
}

impl Tree {
    fn size(&self) -> u64 {
        self.0.first().map_or(0, Vec::len) as u64
    }

    fn push(&mut self, line: &[u8]) {
        for node in added_nodes(self, self.size(), leaf_hash(line)).unwrap() {
            let level = usize::try_from(node.level).unwrap();
            self.0.resize_with(self.0.len().max(level + 1), Vec::new);
            self.0[level].push(node.hash);
        }
    }
}

/// What an entry came from: the ticket, the line, the request's head and signatures, or the statement.
struct Logged {
    ticket: crate::envelope::Ticket,
    line: Vec<u8>,
    page: LogLine,
}

pub(crate) struct Fake {
    pub(crate) card: GateCard,
    root: SigningKey,
    log: SigningKey,
    pub(crate) kem: PrivateKey,
    tree: Tree,
    entries: Vec<Logged>,
    pub(crate) manners: Manners,
    pub(crate) asked: usize,
}

fn card_of(
    root: &SigningKey,
    log: &NoteKey,
    kem: &PublicKey,
    (url, after): (&str, u64),
) -> GateCard {
    let keys = [CardKey {
        public: kem.clone(),
        serial: 1,
        created: time(1_700_000_000),
        expires: None,
    }];
    let request = GateCardRequest {
        name: "Fake",
        url: &GateUrl::parse(url).unwrap(),
        after,
        created: time(1_700_000_000),
        log,
        keys: &keys,
    };
    GateCard::new(root, &request).unwrap()
}

impl Fake {
    pub(crate) fn new(number: usize) -> Self {
        let (root, log) = (key(), key());
        let kem = PrivateKey::generate(Kem::XWing, &mut rng());
        let url = format!("http://127.0.0.1:77{number:02}");
        let origin = NoteKey {
            name: "fake.example.org/1".to_owned(),
            key: log.id(),
        };
        let card = card_of(&root, &origin, &kem.public_key(), (&url, 0));
        let mut fake = Self {
            card,
            root,
            log,
            kem,
            tree: Tree::default(),
            entries: Vec::new(),
            manners: Manners::Honest,
            asked: 0,
        };
        fake.tree.push(b"start");
        fake
    }

    /// The same gate with an empty log, as if an old copy had been put back.
    pub(crate) fn again(world: &World, number: usize) -> Self {
        let fakes = world.fakes.lock().unwrap();
        let fake = &fakes[number];
        let seed = |key: &SigningKey| SigningKey::new(Secret::new(*key.seed().expose()));
        let mut again = Self::new(number);
        again.card = fake.card.clone();
        again.root = seed(&fake.root);
        again.log = seed(&fake.log);
        again.kem = PrivateKey::new(Kem::XWing, Secret::new(*fake.kem.secret().expose()));
        again.tree = Tree::default();
        again.tree.push(b"another start");
        again
    }

    /// A new log key, and a card that says so.
    pub(crate) fn rotate(&mut self, url: &str) {
        self.log = key();
        self.renew(url, "fake.example.org/1");
    }

    /// A new log with the old key, and a card that says so.
    pub(crate) fn thaw(&mut self) {
        self.tree = Tree::default();
        self.tree.push(b"thaw");
        let url = self.card.url().to_string();
        self.renew(&url, "fake.example.org/2");
    }

    fn renew(&mut self, url: &str, origin: &str) {
        let after = self.card.serial();
        let kem = self.kem.public_key();
        let log = NoteKey {
            name: origin.to_owned(),
            key: self.log.id(),
        };
        self.card = card_of(&self.root, &log, &kem, (url, after));
    }

    fn answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.asked += 1;
        let request = Request::open(bytes, self.card.id(), &self.kem).unwrap();
        // One of a log that this is not says nothing.
        let before = request.seen.as_ref().and_then(|note| {
            let read = Checkpoint::read(note, self.card.log_key()).ok()?;
            Some(read.size)
        });
        if let (Manners::Clock(now), None) = (&self.manners, request.head.told) {
            let said = Said::Refused(Refusal::Clock);
            return self.sealed(&request, *now, said);
        }
        let mut lines: Vec<Option<Logged>> = Vec::new();
        for number in 0..request.items.len() {
            let logged = self.log_item(&request, number);
            lines.push(logged);
        }
        let size = self.tree.size();
        let items = lines.iter().enumerate();
        let items = items.map(|(number, _)| self.item(&request, number, &lines));
        let mut items: Vec<ItemAnswer> = items.collect();
        if self.lies("items") {
            items.push(ItemAnswer::refused(Refusal::Unknown));
        }
        let origin = match self.lies("origin") {
            true => "other/1".to_owned(),
            false => self.card.log_key().name.clone(),
        };
        let checkpoint = Checkpoint {
            origin,
            size,
            root: root(&self.tree, size).unwrap(),
        };
        let consistency = match before {
            Some(before) if before <= size => consistency_proof(&self.tree, before, size).unwrap(),
            _ => Vec::new(),
        };
        let said = Said::Items {
            items,
            checkpoint: checkpoint.sign(&self.log).into_bytes(),
            consistency,
        };
        self.entries.extend(lines.into_iter().flatten());
        self.sealed(&request, time(1_800_000_000), said)
    }

    /// Its checkpoint now.
    pub(crate) fn checkpoint(&self) -> String {
        let size = self.tree.size();
        let checkpoint = Checkpoint {
            origin: self.card.log_key().name.clone(),
            size,
            root: root(&self.tree, size).unwrap(),
        };
        checkpoint.sign(&self.log)
    }

    /// A tile of its log.
    fn tile(&self, path: &str) -> Option<Vec<u8>> {
        let (level, rest) = path.strip_prefix("/tile/")?.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, 256),
        };
        let level: usize = level.parse().ok()?;
        let begin = number.parse::<usize>().ok()? * 256;
        let hashes = self.tree.0.get(8 * level)?.get(begin..begin + width)?;
        let mut tile = hashes.concat();
        if self.lies("tiles") {
            tile[0] ^= 1;
        }
        Some(tile)
    }

    fn lies(&self, about: &str) -> bool {
        matches!(self.manners, Manners::Lie(what) if what == about)
    }

    fn sealed(&self, request: &Request, at: Time, said: Said) -> Vec<u8> {
        let mut hash = request.hash;
        let answer = |request| Answer { request, at, said };
        if self.lies("request hash") {
            // Sealed as it has to be, and about another request.
            let line = {
                hash[0] ^= 1;
                answer(hash).to_line()
            };
            let signature = self.log.sign(Purpose::GateAnswer, &[&line]);
            let text = [&line[..], b"\n", &signature.0].concat();
            let info = kdf::answer_info(&request.hash);
            let sealed = hpke::seal(&request.reply, &info, &text, &mut rng()).unwrap();
            return [sealed.enc, sealed.ct].concat();
        }
        answer(hash).seal(&self.log, &request.reply, &mut rng())
    }

    fn log_item(&mut self, request: &Request, number: usize) -> Option<Logged> {
        let item = &request.items[number];
        let ticket = item.ticket();
        let (op, statement) = match (&item.ask, &self.manners) {
            (Ask::Log { .. }, _) => return None,
            (Ask::Open { .. }, Manners::Refuse(..)) => (EntryOp::Refuse, None),
            (Ask::Open { .. }, _) => (EntryOp::Open, None),
            (Ask::State { statement }, _) => (EntryOp::Statement, Some(statement.clone())),
        };
        let earlier = self.entries.iter().filter(|one| one.ticket == ticket);
        let count = earlier.count() as u64 + 1;
        let signed = statement
            .as_ref()
            .map(|bytes| SignedStatement::parse(bytes).unwrap());
        let mut entry = Entry {
            seq: self.tree.size(),
            ticket: Some(ticket),
            n: Some(count),
            who: match &signed {
                Some(signed) => Some(signed.by()),
                None => request.head.who,
            },
            request: signed.is_none().then_some(request.hash),
            item: signed.is_none().then(|| u16::try_from(number).unwrap()),
            mark: signed.is_none().then_some(item.salt),
            statement: signed.as_ref().map(SignedStatement::hash),
            reason: match (&item.ask, &self.manners) {
                (Ask::Open { .. }, Manners::Refuse(reason, _)) => Some(*reason),
                _ => None,
            },
            ..Entry::new(op, time(1_800_000_000), [1; 16])
        };
        self.distort(&mut entry);
        let line = entry.to_line();
        self.tree.push(&line);
        let logged = LoggedEntry {
            line: line.clone(),
            proof: Vec::new(),
        };
        Some(Logged {
            ticket,
            line,
            page: LogLine::Kept {
                entry: logged,
                head: signed.is_none().then(|| request.head_bytes.clone()),
                who: request.signatures.who,
                proof: request.signatures.proofs.get(number).copied(),
                statement,
            },
        })
    }

    fn distort(&self, entry: &mut Entry) {
        match self.manners {
            Manners::Lie("op") => entry.op = EntryOp::Refuse,
            Manners::Lie("ticket") => entry.ticket = Some(crate::envelope::Ticket([1; 32])),
            Manners::Lie("request") => entry.request = Some([1; 32]),
            Manners::Lie("item") => entry.item = Some(7),
            Manners::Lie("mark") => entry.mark = Some([1; 16]),
            Manners::Lie("who") => entry.who = Some(self.root.id()),
            Manners::Lie("number") => entry.n = None,
            _ => {}
        }
    }

    fn logged(&self, line: &[u8]) -> LoggedEntry {
        let entry = Entry::parse(line).unwrap();
        let mut proof = inclusion_proof(&self.tree, entry.seq, self.tree.size()).unwrap();
        if self.lies("proof") {
            proof[0][0] ^= 1;
        }
        LoggedEntry {
            line: line.to_vec(),
            proof,
        }
    }

    fn item(&self, request: &Request, number: usize, lines: &[Option<Logged>]) -> ItemAnswer {
        let item = &request.items[number];
        let entry = || self.logged(&lines[number].as_ref().unwrap().line);
        match (&item.ask, &self.manners) {
            (Ask::Open { .. }, Manners::Refuse(reason, statement)) => ItemAnswer::Refused {
                reason: *reason,
                statement: statement.clone(),
                entry: Some(entry()),
            },
            (Ask::Open { enc, ct, pass }, _) => {
                let lock = item.lock().unwrap();
                let mut gates = lock.terms().gates.iter();
                let at = gates.position(|gate| gate.id == self.card.id()).unwrap();
                let at = u8::try_from(at).unwrap();
                assert!(request.is_proved(number, lock.terms().holder));
                if let Some(who) = request.head.who {
                    assert!(lock.terms().members.is_none() || lock.is_pass(who, &pass.unwrap()));
                }
                let mut part = lock.open_slot(at, (enc, ct), &self.kem).unwrap();
                if self.lies("part") {
                    part[0] ^= 1;
                }
                ItemAnswer::Share {
                    part,
                    keep: None,
                    entry: entry(),
                }
            }
            (Ask::State { .. }, _) => ItemAnswer::Stated(entry()),
            (Ask::Log { from, .. }, _) => self.page(item.ticket(), *from),
        }
    }

    fn page(&self, ticket: crate::envelope::Ticket, from: u64) -> ItemAnswer {
        let entries = self.entries.iter().filter(|one| one.ticket == ticket);
        let skipped = usize::try_from(from - 1).unwrap() + usize::from(self.lies("gap"));
        let with_proof = |one: &Logged| {
            let mut page = one.page.clone();
            if let LogLine::Kept { entry, .. } = &mut page {
                *entry = self.logged(&one.line);
            }
            page
        };
        let mut lines = entries.skip(skipped).map(with_proof);
        ItemAnswer::Log(LogPage {
            lines: lines.by_ref().take(PAGE).collect(),
            more: lines.next().is_some() || self.lies("more"),
        })
    }
}

pub(crate) struct Network(pub(crate) Arc<Mutex<Vec<Fake>>>);

impl Transport for Network {
    fn post(&self, gate: &GatePlace, request: &[u8]) -> Result<Vec<u8>, TransportError> {
        let port = usize::from(gate.url.port() - 7700);
        let mut fakes = self.0.lock().unwrap();
        let fake = &mut fakes[port];
        match fake.manners.clone() {
            Manners::Down => Err(TransportError::Unreachable("connection refused".to_owned())),
            Manners::Silent => {
                drop(fakes);
                thread::sleep(Duration::from_secs(20));
                Err(TransportError::TimedOut)
            }
            Manners::Bytes(bytes) => Ok(bytes),
            _ => Ok(fake.answer(request)),
        }
    }

    fn fetch(&self, gate: &GatePlace, path: &str, _: usize) -> Result<Vec<u8>, TransportError> {
        let port = usize::from(gate.url.port() - 7700);
        let fakes = self.0.lock().unwrap();
        let fake = &fakes[port];
        let found = match (&fake.manners, path) {
            (Manners::Down, _) => {
                let why = "connection refused".to_owned();
                return Err(TransportError::Unreachable(why));
            }
            (_, "/card") => Some(fake.card.to_text().as_bytes().to_vec()),
            (_, "/checkpoint") => Some(fake.checkpoint().into_bytes()),
            (_, path) => fake.tile(path),
        };
        found.ok_or(TransportError::Status(404))
    }
}
