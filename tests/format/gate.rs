//! Gate locks: who opens them with slots, approvals and answers; and what a rewriter leaves of them.

use std::collections::HashSet;

use encl::crypto::kdf::gate::HolderSecret;
use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::{RootId, SigningKey};
use encl::crypto::{Kem, KeyId, PrivateKey};
use encl::envelope::{
    Admission, Approval, Class, Envelope, GateAddressee, GateFailure, GateLock, GateParts,
    GateQuestion, GateRequest, Keyring, KeyringError, LockRequest, OpenError, PUBLIC_BLIND,
    ReaderKey, ResealRequest, SealError, SealRequest, Workers, seal,
};
use encl::policy::{Conditions, GateKind};

use crate::kit::{Keys, NOW, Person, approved, cheap, quorum, request, rng, sealed, time, written};

const CONTENT: &[u8] = b"only while the gate says so";

/// A gate that answers whoever proves to have opened all other locks, and to be on the list.
struct Server {
    name: &'static str,
    root: SigningKey,
    key: PrivateKey,
}

impl Server {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            root: SigningKey::generate(&mut rng()),
            key: PrivateKey::generate(Kem::XWing, &mut rng()),
        }
    }

    fn addressee(&self) -> GateAddressee {
        GateAddressee {
            kind: GateKind::Server,
            id: self.root.id(),
            name: Some(self.name.to_owned()),
            url: Some(format!("https://{}.example.org", self.name)),
            public: self.key.public_key(),
        }
    }

    /// What it answers to `who`.
    fn answer(&self, question: &GateQuestion<'_>, who: RootId) -> Option<(u8, Vec<u8>)> {
        let lock = GateLock::parse(
            question.lock.envelope(),
            question.lock.number(),
            question.lock.bytes(),
        );
        let lock = lock.unwrap();
        assert_eq!(lock.ticket(), question.lock.ticket());
        assert_eq!(lock.terms().holder, question.holder.holder_key().id());
        let mut passes = question.passes.into_iter().flatten();
        let pass = passes.find_map(|pass| pass.open(who, question.holder));
        let is_listed = pass.is_some_and(|pass| lock.is_pass(who, &pass));
        if lock.terms().members.is_some() && !is_listed {
            return None;
        }
        let mut gates = (0..).zip(&lock.terms().gates);
        let (at, _) = gates.find(|(_, gate)| gate.id == self.root.id())?;
        let slot = question.slots[usize::from(at)];
        assert_eq!(slot.gate, at);
        let part = lock.open_slot(at, (&slot.enc, &slot.ct), &self.key)?;
        Some((at, part.to_vec()))
    }
}

fn helper(person: &Person) -> GateAddressee {
    GateAddressee {
        kind: GateKind::Person,
        id: person.root.id(),
        name: Some(person.name.clone()),
        url: None,
        public: person.key.public_key(),
    }
}

fn gates(need: u8, gates: Vec<GateAddressee>) -> GateRequest {
    GateRequest {
        need,
        gates,
        owners: Vec::new(),
        is_listed: true,
        conditions: Conditions::default(),
        lease: None,
        keeper: None,
    }
}

/// A reader's keys, and the gates that answer.
struct Reader<'a> {
    keys: Keys,
    who: RootId,
    servers: Vec<&'a Server>,
    asked: usize,
    /// Whether all that a gate answers has its last bit changed.
    is_lied_to: bool,
}

impl<'a> Reader<'a> {
    fn new(person: &Person, servers: &[&'a Server]) -> Self {
        Self {
            keys: Keys::of(&[person]),
            who: person.root.id(),
            servers: servers.to_vec(),
            asked: 0,
            is_lied_to: false,
        }
    }
}

impl Keyring for Reader<'_> {
    fn keys(&self) -> Vec<ReaderKey> {
        self.keys.keys()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.keys.private_key(key)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        self.keys.passphrase()
    }

    fn may_ask(&self, lock: &GateLock) -> bool {
        let known = |id: RootId| self.servers.iter().any(|one| one.root.id() == id);
        lock.terms().gates.iter().any(|gate| known(gate.id))
    }

    fn ask(&mut self, question: &GateQuestion<'_>) -> Result<GateParts, GateFailure> {
        let mut parts = GateParts::new();
        for server in &self.servers {
            self.asked += 1;
            if let Some((gate, mut part)) = server.answer(question, self.who) {
                *part.last_mut().unwrap() ^= u8::from(self.is_lied_to);
                parts.push((gate, part.into()));
            }
        }
        match parts.is_empty() {
            true => Err(GateFailure::Refused("unknown".into())),
            false => Ok(parts),
        }
    }
}

fn open(envelope: &[u8], reader: &mut Reader<'_>) -> Result<Admission, OpenError> {
    open_with(envelope, reader, &[])
}

fn open_with(
    envelope: &[u8],
    reader: &mut Reader<'_>,
    approvals: &[Approval],
) -> Result<Admission, OpenError> {
    let content = Envelope::read(envelope)?.unlock_with(approvals, reader, time(NOW))?;
    let mut released = Vec::new();
    let (opened, _) = content.copy_to(&mut released, Workers::Processors)?;
    assert_eq!(released, CONTENT);
    Ok(opened.admission)
}

#[track_caller]
fn refused(opened: Result<Admission, OpenError>, class: Class) -> OpenError {
    let error = opened.expect_err("it must not open");
    assert_eq!(error.class(), Some(class), "{error}");
    error
}

fn with_gate(wish: SealRequest<'_>, gate: GateRequest) -> SealRequest<'_> {
    SealRequest {
        gate: Some(gate),
        ..wish
    }
}

#[test]
fn who_is_on_the_list_opens_and_nobody_else() {
    let (ann, bob, eve) = (
        Person::classic("Ann"),
        Person::classic("Bob"),
        Person::classic("Eve"),
    );
    let server = Server::new("gate");
    for private in [false, true] {
        let wish = SealRequest {
            private,
            ..request(&[&ann, &bob], Some(&ann.root))
        };
        let envelope = sealed(
            &with_gate(wish, gates(1, vec![server.addressee()])),
            CONTENT,
        );
        for one in [&ann, &bob] {
            let mut reader = Reader::new(one, &[&server]);
            assert_eq!(open(&envelope, &mut reader).unwrap(), Admission::Named);
            assert_eq!(reader.asked, 1);
        }
        // A gate that is not a contact is not asked.
        refused(open(&envelope, &mut Reader::new(&bob, &[])), Class::Quorum);
        // Who opens no other lock asks nobody, and is told that it is not for him.
        let mut stranger = Reader::new(&eve, &[&server]);
        refused(open(&envelope, &mut stranger), Class::NoKey);
        assert_eq!(stranger.asked, 0);
        // Bob's keys in the hands of somebody who signs as Eve: she has no pass.
        let mut other = Reader::new(&bob, &[&server]);
        other.who = eve.root.id();
        refused(open(&envelope, &mut other), Class::Refused);
        // A lie is found.
        let mut reader = Reader::new(&bob, &[&server]);
        reader.is_lied_to = true;
        refused(open(&envelope, &mut reader), Class::Slot);
    }
}

#[test]
fn a_passphrase_or_a_quorum_comes_first() {
    let [ann, bob, carol, dave] = crate::kit::named_people();
    let server = Server::new("gate");
    let passphrase = Passphrase::new("correct horse").unwrap();
    let wish = SealRequest {
        locks: vec![
            LockRequest {
                passphrase: Some(cheap(&passphrase)),
                ..LockRequest::default()
            },
            quorum(2, &[&bob, &carol, &dave]),
        ],
        ..request(&[], None)
    };
    let mut gate = gates(1, vec![server.addressee()]);
    gate.owners = vec![ann.root.id()];
    let envelope = sealed(&with_gate(wish, gate), CONTENT);
    let mut reader = Reader::new(&bob, &[&server]);
    reader.keys.passphrase = Some("correct horse");
    refused(open(&envelope, &mut reader), Class::Quorum);
    assert_eq!(reader.asked, 0);
    let approvals = approved(&envelope, 1, &carol, &bob).unwrap();
    let admission = open_with(&envelope, &mut reader, &approvals).unwrap();
    assert_eq!((admission, reader.asked), (Admission::Named, 1));
    reader.keys.passphrase = Some("wrong horse");
    refused(
        open_with(&envelope, &mut reader, &approvals),
        Class::Passphrase,
    );
    assert_eq!(reader.asked, 1);

    let read = Envelope::read(&envelope[..]).unwrap();
    let lock = read.manifest().gate.as_ref().unwrap();
    assert!(lock.is_owner(ann.root.id(), &PUBLIC_BLIND));
    assert!(!lock.is_owner(bob.root.id(), &PUBLIC_BLIND));
    assert_eq!(lock.number(), 2);
}

#[test]
fn enough_gates_open_and_people_among_them_help() {
    let [ann, bob, dora] = crate::kit::named_people();
    let servers = [Server::new("one"), Server::new("two")];
    let mut list: Vec<_> = servers.iter().map(Server::addressee).collect();
    list.push(helper(&dora));
    let wish = with_gate(request(&[&bob], Some(&ann.root)), gates(2, list));
    let envelope = sealed(&wish, CONTENT);
    let [one, two] = &servers;

    assert!(open(&envelope, &mut Reader::new(&bob, &[one, two])).is_ok());
    let alone = refused(
        open(&envelope, &mut Reader::new(&bob, &[one])),
        Class::Quorum,
    );
    let OpenError::Quorum(missing) = alone else {
        panic!("{alone}")
    };
    assert!(missing.is_gate);
    assert_eq!((missing.need, missing.of, missing.missing()), (2, 3, 1));

    // Dora approves from her own slot: one server is enough then, and it alone is asked.
    let approvals = approved(&envelope, 1, &dora, &bob).unwrap();
    let mut reader = Reader::new(&bob, &[two]);
    assert!(open_with(&envelope, &mut reader, &approvals).is_ok());
    refused(
        open_with(&envelope, &mut Reader::new(&bob, &[]), &approvals),
        Class::Quorum,
    );
    // She is no recipient: her part opens nothing without the others' lock.
    refused(
        open(&envelope, &mut Reader::new(&dora, &[one, two])),
        Class::Quorum,
    );
    // Nobody makes an approval from what a gate answered.
    let from_answer = approved(&envelope, 1, &bob, &ann);
    assert_eq!(from_answer.unwrap_err().class(), Some(Class::NoKey));
}

#[test]
fn who_would_open_alone_is_refused_by_the_writer() {
    let [ann, bob] = crate::kit::named_people();
    let server = Server::new("gate");
    let both = gates(1, vec![server.addressee(), helper(&bob)]);
    let wish = with_gate(request(&[&bob], Some(&ann.root)), both);
    let sealed = seal(&wish, &mut &CONTENT[..], &mut Vec::new(), &mut rng());
    assert!(matches!(sealed, Err(SealError::Request(text)) if text.contains("Bob")));
    for (need, count) in [(2, 1), (1, 0), (0, 1), (1, 9)] {
        let list = (0..count).map(|_| Server::new("gate").addressee());
        let wish = with_gate(request(&[&bob], None), gates(need, list.collect()));
        let sealed = seal(&wish, &mut &CONTENT[..], &mut Vec::new(), &mut rng());
        assert!(
            matches!(sealed, Err(SealError::Request(_))),
            "{need} of {count}"
        );
    }
}

#[test]
fn slots_come_and_go_and_passes_only_go() {
    let [ann, bob, carol] = crate::kit::named_people();
    let server = Server::new("gate");
    let wish = request(&[&ann, &bob], Some(&ann.root));
    let envelope = sealed(
        &with_gate(wish, gates(1, vec![server.addressee()])),
        CONTENT,
    );
    let rewriting_of = |envelope: &[u8], who: &Person| {
        let mut keyring = Reader::new(who, &[&server]);
        let read = Envelope::read(envelope).unwrap();
        let opened = read.rewrite(&[], &mut keyring, time(NOW));
        opened.map(|_| keyring.asked)
    };
    // Whoever changes slots opens the envelope, so the gate is asked.
    assert_eq!(rewriting_of(&envelope, &bob).unwrap(), 1);

    let mut keyring = Reader::new(&bob, &[&server]);
    let read = Envelope::read(&envelope[..]).unwrap();
    let mut change = read.rewrite(&[], &mut keyring, time(NOW)).unwrap();
    assert!(change.needs_allowance());
    let by = (&bob.root, time(NOW));
    change
        .grant(&carol.addressee(), None, by, &mut rng())
        .unwrap();
    let more = written(change);
    // She has a slot, and no pass: the gate does not answer her before an owner allows it.
    refused(
        open(&more, &mut Reader::new(&carol, &[&server])),
        Class::Refused,
    );
    assert!(open(&more, &mut Reader::new(&bob, &[&server])).is_ok());

    let mut keyring = Reader::new(&ann, &[&server]);
    let read = Envelope::read(&more[..]).unwrap();
    let mut change = read.rewrite(&[], &mut keyring, time(NOW)).unwrap();
    let gone = HashSet::from([bob.key_id()]);
    assert_eq!(change.remove_slots(&gone, None).unwrap(), 1);
    let less = written(change);
    let manifest = |envelope: &[u8]| {
        let read = Envelope::read(envelope).unwrap();
        let access = &read.manifest().access;
        (access.slots.len(), access.passes.as_ref().unwrap().len())
    };
    assert_eq!(
        (manifest(&envelope), manifest(&more), manifest(&less)),
        ((3, 2), (4, 2), (3, 1))
    );
    refused(
        open(&less, &mut Reader::new(&bob, &[&server])),
        Class::NoKey,
    );
    assert!(open(&less, &mut Reader::new(&ann, &[&server])).is_ok());
}

#[test]
fn sealing_again_keeps_the_gate_with_a_new_ticket() {
    let [ann, bob, carol] = crate::kit::named_people();
    let server = Server::new("gate");
    for private in [false, true] {
        let mut gate = gates(1, vec![server.addressee()]);
        gate.conditions.expires = Some(time("2027-01-01T00:00:00Z"));
        gate.lease = Some(3_600);
        gate.owners = vec![ann.root.id()];
        let wish = SealRequest {
            private,
            ..request(&[&ann, &bob], Some(&ann.root))
        };
        let envelope = sealed(&with_gate(wish, gate), CONTENT);
        let read = Envelope::read(&envelope[..]).unwrap();
        let old = read.manifest().gate.clone().unwrap();
        assert!(old.blind_of(&ann.root).is_some());
        assert_eq!(old.blind_of(&ann.root) == Some(PUBLIC_BLIND), !private);
        assert!(old.blind_of(&bob.root).is_none());

        let content = read.unlock(&mut Reader::new(&bob, &[&server]), time(NOW));
        let again = ResealRequest {
            locks: request(&[&bob, &carol], None).locks,
            gate: Some(
                old.request(vec![bob.root.id()], |_| Some(server.key.public_key()))
                    .unwrap(),
            ),
            signer: Some(&bob.root),
            workers: Workers::Processors,
        };
        let mut out = Vec::new();
        content
            .unwrap()
            .reseal(&again, &mut out, &mut rng())
            .unwrap();
        let read = Envelope::read(&out[..]).unwrap();
        let new = read.manifest().gate.clone().unwrap();
        assert_ne!(new.ticket(), old.ticket());
        assert_ne!(new.terms().holder, old.terms().holder);
        assert_ne!(new.terms().members, old.terms().members);
        assert_eq!(new.terms().conditions, old.terms().conditions);
        assert_eq!(new.terms().lease, Some(3_600));
        assert!(new.blind_of(&bob.root).is_some() && new.blind_of(&ann.root).is_none());
        assert!(open(&out, &mut Reader::new(&carol, &[&server])).is_ok());
        refused(open(&out, &mut Reader::new(&ann, &[&server])), Class::NoKey);
        // A gate whose key is not known: nothing is made.
        assert!(old.request(Vec::new(), |_| None).is_err());
    }
}

#[test]
fn a_mask_is_of_one_person_and_of_one_envelope() {
    let [ann, bob] = crate::kit::named_people();
    let server = Server::new("gate");
    let make = || {
        let wish = request(&[&ann, &bob], None);
        sealed(
            &with_gate(wish, gates(1, vec![server.addressee()])),
            CONTENT,
        )
    };
    let passes = |envelope: &[u8]| {
        let read = Envelope::read(envelope).unwrap();
        read.manifest().access.passes.clone().unwrap()
    };
    let (one, two) = (make(), make());
    let other = HolderSecret::new(&[]);
    for who in [&ann, &bob] {
        assert!(
            passes(&one)
                .iter()
                .all(|pass| pass.open(who.root.id(), &other).is_none())
        );
    }
    assert!(passes(&one).iter().all(|pass| !passes(&two).contains(pass)));
    // No byte of the file tells whose they are.
    assert!(!one.windows(32).any(|bytes| bytes == ann.root.id().0));
}
