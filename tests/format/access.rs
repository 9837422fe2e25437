//! Attacks on access, by recipients and by former recipients. Each test is named after its attack.

use encl::envelope::{
    Admission, Class, CurrentAccess, DesiredAccess, Envelope, KeyDirectory, LockRequest, NoRecord,
    Person as Contact, ResealRequest, Workers,
};
use encl::json::to_b64;
use encl::payload::open_message;
use serde_json::Value;

use crate::kit::{
    Forge, Keys, NOW, Parts, Person, access, error_with, granted, named_people, open, opens,
    refused, request, rewriting, rng, sealed, time, written,
};

const CONTENT: &[u8] = b"for the right people only";

const DATA: &[u8] = b"{}\nfor the right people only";

#[test]
fn a_recipient_removes_anothers_slot() {
    let [ann, bob, eve] = named_people();
    let envelope = sealed(&request(&[&ann, &bob, &eve], Some(&ann.root)), CONTENT);
    let mut by_eve = rewriting(&envelope, &[&eve]);
    by_eve.remove_slots(&[bob.key_id()].into(), None).unwrap();
    let after = written(by_eve);
    let error = error_with(&after, &bob, &[]);
    assert_eq!(
        error.to_string(),
        "you are named in its policy, but your slot was removed"
    );
    opens(
        &after,
        &mut Keys::of(&[&ann]),
        CONTENT,
        "the others read on",
    );
    // The remaining readers can see that Bob is missing, and can add him again.
    let readers = Envelope::read(&*after).unwrap().manifest().readers();
    assert!(readers.iter().all(|reader| reader.key != bob.key_id()));
    let repaired = granted(&after, &ann, &bob);
    let admission = opens(&repaired, &mut Keys::of(&[&bob]), CONTENT, "let in again");
    assert_eq!(admission, Admission::Named, "the author had named him");
    // An outsider cannot remove a slot.
    let slots = |parts: &Parts| serde_json::from_str::<Value>(&parts.access).unwrap();
    let mut parts = Parts::of(&envelope);
    let mut access = slots(&parts);
    access["slots"].as_array_mut().unwrap().remove(1);
    parts.access = access.to_string();
    refused(
        &parts.bytes(),
        &mut Keys::of(&[&ann]),
        Class::Header,
        "by an outsider",
    );
}

#[test]
fn a_recipient_grants_without_a_record() {
    let [ann, bob, eve] = named_people();
    let forge = Forge::new(&[&ann, &bob], "");
    let envelope = forge.envelope(
        &access(&[forge.slot(&ann), forge.slot(&bob), forge.slot(&eve)]),
        DATA,
    );
    assert_eq!(
        opens(&envelope, &mut Keys::of(&[&eve]), CONTENT, "let in"),
        Admission::Unrecorded(NoRecord::OfKey)
    );
    let readers = Envelope::read(&*envelope).unwrap().manifest().readers();
    let eves = readers
        .iter()
        .find(|reader| reader.key == eve.key_id())
        .unwrap();
    assert!(
        eves.person.is_none() && !eves.is_named,
        "a slot of nobody's"
    );
    // Updating the envelope's readers finds the slot and seals the envelope again.
    let team = [&ann, &bob].map(|person| Contact {
        current: person.addressee(),
        keys: vec![person.key_id()],
    });
    let team = KeyDirectory::new(team.to_vec());
    let manifest = Envelope::read(&*envelope).unwrap();
    let policy = &manifest.manifest().policy;
    let present = CurrentAccess {
        policy,
        readers: &readers,
        signer: None,
    };
    let plan = present.plan(DesiredAccess::Exactly(0, &team), &team, Some(ann.root.id()));
    assert_eq!(
        (plan.action, plan.changes.len()),
        (encl::envelope::Action::Reseal, 1)
    );
}

#[test]
fn a_recipient_hides_a_key_under_a_colleagues_name() {
    let [ann, bob, eve] = named_people();
    let envelope = sealed(&request(&[&ann, &bob], Some(&ann.root)), CONTENT);
    let mut disguised = eve.addressee();
    disguised.recipient.name.clone_from(&ann.name);
    disguised.recipient.id = ann.root.id();
    let mut by_bob = rewriting(&envelope, &[&bob]);
    by_bob
        .grant(&disguised, None, (&bob.root, time(NOW)), &mut rng())
        .unwrap();
    let after = written(by_bob);
    // Ann's card does not certify that key, so an update for exactly the team treats it as a stranger's.
    let team = [&ann, &bob].map(|person| Contact {
        current: person.addressee(),
        keys: vec![person.key_id()],
    });
    let team = KeyDirectory::new(team.to_vec());
    let manifest = Envelope::read(&*after).unwrap();
    let manifest = manifest.manifest();
    let present = CurrentAccess {
        policy: &manifest.policy,
        readers: &manifest.readers(),
        signer: None,
    };
    let plan = present.plan(DesiredAccess::Exactly(0, &team), &team, Some(ann.root.id()));
    assert_eq!(
        (plan.action, plan.remaining[0].people.len()),
        (encl::envelope::Action::Reseal, 2)
    );
}

#[test]
fn an_older_access_line_is_replayed() {
    let [ann, bob, eve] = named_people();
    let before = sealed(&request(&[&ann, &bob], Some(&ann.root)), CONTENT);
    let after = granted(&before, &ann, &eve);
    let (old, new) = (Parts::of(&before), Parts::of(&after));
    let line_3 = Parts {
        access: old.access.clone(),
        ..new.clone()
    };
    refused(
        &line_3.bytes(),
        &mut Keys::of(&[&ann]),
        Class::Header,
        "line 3 alone",
    );
    // With its mac this is the earlier envelope: genuine and without access for Eve. An attacker gains nothing.
    let both = Parts {
        access: old.access,
        mac: old.mac,
        ..new
    };
    opens(&both.bytes(), &mut Keys::of(&[&bob]), CONTENT, "as it was");
    refused(
        &both.bytes(),
        &mut Keys::of(&[&eve]),
        Class::NoKey,
        "as it was",
    );
    // After sealing again, the old line opens nothing.
    let resealed = reseal(&after, &ann, &[&ann]);
    let old_line = Parts {
        access: Parts::of(&after).access,
        mac: Parts::of(&after).mac,
        ..Parts::of(&resealed)
    };
    for reader in [&ann, &bob, &eve] {
        refused(
            &old_line.bytes(),
            &mut Keys::of(&[reader]),
            Class::Slot,
            "the slots of another policy",
        );
    }
}

fn reseal(envelope: &[u8], by: &Person, readers: &[&Person]) -> Vec<u8> {
    let content = Envelope::read(envelope)
        .unwrap()
        .unlock(&mut Keys::of(&[by]), time(NOW))
        .unwrap();
    let recipients = readers.iter().map(|reader| reader.addressee()).collect();
    let request = ResealRequest {
        gate: None,
        locks: vec![LockRequest {
            recipients,
            ..LockRequest::default()
        }],
        signer: Some(&by.root),
        workers: Workers::ONE,
    };
    let mut out = Vec::new();
    content.reseal(&request, &mut out, &mut rng()).unwrap();
    out
}

#[test]
fn a_revoked_recipient_kept_the_old_content_key() {
    let [ann, bob, eve] = named_people();
    let old = sealed(&request(&[&ann, &bob, &eve], Some(&ann.root)), CONTENT);
    // Eve keeps the old content key, which a rewriting holds.
    let kept = rewriting(&old, &[&eve]).finish().unwrap();
    let new = reseal(&old, &ann, &[&ann, &bob]);
    refused(&new, &mut Keys::of(&[&eve]), Class::NoKey, "no slot");
    let reopened = Envelope::read(&*new).unwrap().reopen(kept.key());
    assert_eq!(
        reopened.err().and_then(|error| error.class()),
        Some(Class::Header)
    );
    let manifest = Envelope::read(&*new).unwrap();
    let payload = Parts::of(&new).payload;
    assert!(
        open_message(
            &kept.key().payload_key(),
            &manifest.manifest().id.0,
            &payload
        )
        .is_err()
    );
    let old_id = Envelope::read(&*old).unwrap().manifest().id;
    assert!(open_message(&kept.key().payload_key(), &old_id.0, &payload).is_err());
    // Her old slot in the new file opens nothing, and the new file is then refused for all readers.
    let mut parts = Parts::of(&new);
    let slot = serde_json::from_str::<Value>(&Parts::of(&old).access).unwrap()["slots"][2].clone();
    let mut slots: Value = serde_json::from_str(&parts.access).unwrap();
    slots["slots"].as_array_mut().unwrap().push(slot);
    parts.access = slots.to_string();
    refused(
        &parts.bytes(),
        &mut Keys::of(&[&eve]),
        Class::Slot,
        "her old slot",
    );
    refused(
        &parts.bytes(),
        &mut Keys::of(&[&ann]),
        Class::Header,
        "and Ann sees that somebody was there",
    );
    // She can still open the old file.
    opens(
        &old,
        &mut Keys::of(&[&eve]),
        CONTENT,
        "the old file, which nobody can recall",
    );
}

#[test]
fn a_forwarder_pretends_that_the_author_chose_the_new_reader() {
    let [ann, bob, eve] = named_people();
    let author = sealed(&request(&[&ann, &bob], Some(&ann.root)), CONTENT);
    // Bob grants access: Eve learns that Bob did, and Ann's policy does not name her.
    let forwarded = granted(&author, &bob, &eve);
    let Admission::Granted(path) = opens(&forwarded, &mut Keys::of(&[&eve]), CONTENT, "let in")
    else {
        panic!("she was not named")
    };
    assert_eq!((path.len(), path[0].by), (1, bob.root.id()));
    // A grant in Ann's name is not valid, since Bob does not have her key.
    let mut in_anns_name = rewriting(&author, &[&bob]);
    in_anns_name
        .grant(&eve.addressee(), None, (&bob.root, time(NOW)), &mut rng())
        .unwrap();
    let parts = Parts::of(&written(in_anns_name));
    let [by_bob, by_ann] =
        [&bob, &ann].map(|person| format!("\"by\":\"{}\"", to_b64(&person.root.id().0)));
    let access = parts.access.replace(&by_bob, &by_ann);
    let hash = encl::crypto::sha256(&[
        b"encl/1\n",
        parts.policy.as_bytes(),
        b"\n",
        access.as_bytes(),
        b"\n",
    ]);
    let mac = rewriting(&author, &[&bob])
        .finish()
        .unwrap()
        .key()
        .mac(&hash);
    let forged = Parts {
        access,
        mac: to_b64(&mac),
        ..parts
    };
    assert_eq!(
        opens(&forged.bytes(), &mut Keys::of(&[&eve]), CONTENT, "forged"),
        Admission::Unrecorded(NoRecord::OfKey)
    );
    // A policy that names Eve is another policy, which Ann's signature does not cover.
    let resealed = reseal(&author, &bob, &[&bob, &eve]);
    let about = Envelope::read(&*resealed)
        .unwrap()
        .unlock(&mut Keys::of(&[&eve]), time(NOW))
        .unwrap()
        .into_metadata();
    assert_eq!(
        (about.admission.clone(), about.signer()),
        (Admission::Named, Some(bob.root.id()))
    );
    // Bob names Ann as signer and copies her signature.
    let content_key = rewriting(&author, &[&bob]).finish().unwrap();
    let id = Envelope::read(&*author).unwrap().manifest().id;
    let plaintext = open_message(
        &content_key.key().payload_key(),
        &id.0,
        &Parts::of(&author).payload,
    )
    .unwrap();
    let mut forge = Forge::new(
        &[&bob, &eve],
        &format!("\"signer\":\"{}\",", to_b64(&ann.root.id().0)),
    );
    forge.policy = forge.policy.replace("\"signed\":false", "\"signed\":true");
    let taken_along = forge.envelope(&forge.slots(&[&bob, &eve]), &plaintext);
    assert_eq!(
        open(&taken_along, &mut Keys::of(&[&eve])).class,
        Some(Class::Signature)
    );
}
