//! Grants: a reader adds another person, with a signed record or without one.

use encl::crypto::kdf::{self, ContentKey};
use encl::crypto::signing::{Purpose, Signature};
use encl::crypto::{KeyId, Secret, hpke, sha256};
use encl::envelope::{Access, Envelope, EnvelopeId, Grant, KeySlot, Slot, grant_message};
use encl::identity::{Card, Identity};
use encl::keystore::{Keystore, StoredSecret};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::session::Session;

/// The keys and card of a person in the session, whose keys have no passphrase.
fn identity(session: &Session, person: &str) -> (Identity, Card) {
    let keystore = Keystore::at(session.keystore(person));
    let card = keystore.identities().unwrap().remove(0).card;
    let StoredSecret::Plain(identity) = keystore.secret(&card.id()).unwrap() else {
        panic!("{person} has no passphrase");
    };
    (identity, card)
}

/// Opens Bob's slot of an envelope, which is needed to rewrite its access line.
fn secret_of(envelope: &[u8], bob: &Identity) -> (Secret<32>, EnvelopeId, Access) {
    let read = Envelope::read(envelope).unwrap();
    let manifest = read.manifest();
    let secret = manifest.access.slots.iter().find_map(|slot| match slot {
        Slot::Key(slot) => {
            let key = bob.private_key(slot.key?)?;
            let info = kdf::slot_info(&manifest.id.0, 0);
            hpke::open(key, &slot.enc, &info, &slot.ct).ok()
        }
        Slot::Passphrase(_) | Slot::Gate(_) => None,
    });
    (
        Secret::from_slice(&secret.unwrap()).unwrap(),
        manifest.id,
        manifest.access.clone(),
    )
}

fn granted(by: &Identity, to: &Card, key: KeyId, id: &EnvelopeId) -> Grant {
    let mut grant = Grant {
        name: to.name().to_owned(),
        address: to.addresses().first().cloned(),
        id: to.id(),
        by: by.id(),
        at: "2026-11-24T06:24:00Z".parse().unwrap(),
        sig: Signature([0; 64]),
    };
    grant.sig = by
        .root()
        .sign(Purpose::Grant, &[&grant_message(&grant, 0, key, id)]);
    grant
}

/// The envelope with an additional slot for Carol, made by Bob.
fn with_carol(session: &Session, envelope: &[u8], recorded: bool) -> Vec<u8> {
    let ((bob, _), (_, carol)) = (identity(session, "bob"), identity(session, "carol"));
    let (secret, id, mut access) = secret_of(envelope, &bob);
    let public = &carol.keys()[0].public;
    let sealed = hpke::seal(
        public,
        &kdf::slot_info(&id.0, 0),
        secret.expose(),
        &mut UnwrapErr(SysRng),
    )
    .unwrap();
    access.slots.push(Slot::Key(KeySlot {
        lock: 0,
        key: Some(public.key_id()),
        enc: sealed.enc,
        ct: sealed.ct,
        grant: recorded.then(|| Box::new(granted(&bob, &carol, public.key_id(), &id))),
    }));
    let mut lines = envelope.splitn(5, |byte| *byte == b'\n');
    let (policy, payload) = (lines.nth(1).unwrap(), lines.nth(2).unwrap());
    let access = serde_json::to_vec(&access).unwrap();
    let hash = sha256(&[b"encl/1\n", policy, b"\n", &access, b"\n"]);
    let mac = encl::json::to_b64(&ContentKey::new(&id.0, [&secret]).mac(&hash));
    [b"encl/1", policy, &access, mac.as_bytes(), payload].join(&b'\n')
}

/// Written by a program before the policy committed to passphrases.
#[test]
fn a_passphrase_of_an_older_program_is_told_and_recorded() {
    let mut session = Session::with_people();
    session.write("words", "the author's words\n");
    let old = include_bytes!("../vectors/data/old_passphrase_alone.encl");
    session.write("old.encl", old);
    let of_ann = include_bytes!("../vectors/data/old_key_or_passphrase.encl");
    session.write("ann.encl", of_ann);
    let with_words = |line: &str| format!("ENCL_PASSPHRASE_FILE=words encl {line}");
    session.type_("carol", &with_words("unwrap old.encl -o plain"));
    session.type_("carol", &with_words("verify --json old.encl"));
    let strict = session.type_("carol", &with_words("verify --strict old.encl"));
    assert_eq!(strict.exit, 4);
    session.type_("carol", &with_words("rewrap old.encl --dry-run"));
    session.type_("carol", &with_words("rewrap old.encl --yes"));
    session.type_("carol", &with_words("verify --strict old.encl"));
    session.type_("carol", &with_words("rewrap old.encl"));
    session.type_("carol", &with_words("rewrap --json old.encl"));
    session.type_("carol", &with_words("verify --strict ann.encl"));
    session.type_("carol", &with_words("rewrap ann.encl"));
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_grant_is_reported_and_its_absence_too() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl wrap notes.txt --to bob@example.org");
    let envelope = session.read("notes.txt.encl");
    session.write("granted.encl", with_carol(&session, &envelope, true));
    session.write("unrecorded.encl", with_carol(&session, &envelope, false));
    session.type_("carol", "encl unwrap granted.encl");
    session.quietly("carol", "encl contact add bob.card --yes");
    session.type_("carol", "encl verify --strict granted.encl");
    session.type_("carol", "encl verify --json granted.encl");
    session.type_("carol", "encl inspect granted.encl");
    session.type_("carol", "encl unwrap unrecorded.encl");
    session.type_("carol", "encl verify --json unrecorded.encl");
    let strict = session.type_("carol", "encl unwrap --strict unrecorded.encl -o strict");
    assert_eq!(strict.exit, 4);
    insta::assert_snapshot!(session.transcript());
}
