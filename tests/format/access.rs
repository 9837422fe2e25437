//! Attacks on who may read: by recipients, by holders of shares, by those who are out. One test each, named after the attack.

use encl::crypto::hpke;
use encl::crypto::kdf;
use encl::envelope::{
    Admission, Approval, Class, Envelope, Holder, LockRequest, OpenError, Person as Known, Present,
    ResealRequest, Source, Wish, Workers,
};
use encl::json::to_b64;
use encl::payload::open_message;
use serde_json::Value;

use crate::kit::{
    Forge, Keys, NOW, Parts, Person, access, approved, granted, open, open_with, opens, quorum,
    refused, request, rewriting, rng, sealed, time, written,
};

const CONTENT: &[u8] = b"for the right people only";
const DATA: &[u8] = b"{}\nfor the right people only";

fn people<const N: usize>() -> [Person; N] {
    ["Ann", "Bob", "Carol", "Dave", "Eve"][..N]
        .iter()
        .map(|name| Person::classic(name))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| panic!("as many as names"))
}

/// A 2-of-3 for these people, and its policy line.
fn two_of_three(people: [&Person; 3]) -> Vec<u8> {
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(2, &people)];
    sealed(&wish, CONTENT)
}

/// An approval put together by hand, as somebody who has `plaintext` and no conscience can.
fn forged_approval(envelope: &[u8], lock: u16, to: &Person, plaintext: &[u8]) -> Approval {
    let id = Envelope::read(envelope).unwrap().manifest().id;
    let sealed = hpke::seal(
        &to.key.public_key(),
        &kdf::approval_info(&id.0, lock),
        plaintext,
        &mut rng(),
    )
    .unwrap();
    let line = format!(
        r#"{{"approval":"encl/1","policy":"{}","lock":{lock},"key":"{}","enc":"{}","ct":"{}"}}"#,
        to_b64(&id.0),
        to_b64(&to.key_id().0),
        to_b64(&sealed.enc),
        to_b64(&sealed.ct)
    );
    Approval::from_bytes(line.as_bytes()).unwrap()
}

fn error_with(envelope: &[u8], who: &Person, approvals: &[Approval]) -> OpenError {
    let opened =
        Envelope::read(envelope)
            .unwrap()
            .unlock_with(approvals, &mut Keys::of(&[who]), time(NOW));
    opened.err().expect("it must not open")
}

#[test]
fn a_recipient_removes_anothers_slot() {
    let [ann, bob, eve] = people();
    let envelope = sealed(&request(&[&ann, &bob, &eve], Some(&ann.root)), CONTENT);
    let mut by_eve = rewriting(&envelope, &[&eve]);
    by_eve.leave_out(&[bob.key_id()].into(), None).unwrap();
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
    // Who is left can see it, and put it right.
    let readers = Envelope::read(&*after).unwrap().manifest().readers();
    assert!(readers.iter().all(|reader| reader.key != bob.key_id()));
    let repaired = granted(&after, &ann, &bob);
    let admission = opens(&repaired, &mut Keys::of(&[&bob]), CONTENT, "let in again");
    assert_eq!(admission, Admission::Named, "the author had named him");
    // An outsider cannot even do that much.
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
    let [ann, bob, eve] = people();
    let forge = Forge::new(&[&ann, &bob], "");
    let envelope = forge.envelope(
        &access(&[forge.slot(&ann), forge.slot(&bob), forge.slot(&eve)]),
        DATA,
    );
    assert_eq!(
        opens(&envelope, &mut Keys::of(&[&eve]), CONTENT, "let in"),
        Admission::Unrecorded
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
    // Who brings the envelope in line finds the slot, and seals it anew.
    let team = [&ann, &bob].map(|one| Known {
        current: one.addressee(),
        keys: vec![one.key_id()],
    });
    let manifest = Envelope::read(&*envelope).unwrap();
    let policy = &manifest.manifest().policy;
    let present = Present {
        policy,
        readers: &readers,
        signer: None,
    };
    let plan = present.plan(Wish::Exactly(0, &team), &team, ann.root.id());
    assert_eq!(
        (plan.action, plan.changes.len()),
        (encl::envelope::Action::Reseal, 1)
    );
}

#[test]
fn a_recipient_hides_a_key_under_a_colleagues_name() {
    let [ann, bob, eve] = people();
    let envelope = sealed(&request(&[&ann, &bob], Some(&ann.root)), CONTENT);
    let mut disguised = eve.addressee();
    disguised.recipient.name.clone_from(&ann.name);
    disguised.recipient.id = ann.root.id();
    let mut by_bob = rewriting(&envelope, &[&bob]);
    by_bob
        .grant(&disguised, None, (&bob.root, time(NOW)), &mut rng())
        .unwrap();
    let after = written(by_bob);
    // Ann's card does not certify that key: whoever seals for exactly the team takes it for nobody's.
    let team = [&ann, &bob].map(|one| Known {
        current: one.addressee(),
        keys: vec![one.key_id()],
    });
    let manifest = Envelope::read(&*after).unwrap();
    let manifest = manifest.manifest();
    let present = Present {
        policy: &manifest.policy,
        readers: &manifest.readers(),
        signer: None,
    };
    let plan = present.plan(Wish::Exactly(0, &team), &team, ann.root.id());
    assert_eq!(
        (plan.action, plan.remaining[0].people.len()),
        (encl::envelope::Action::Reseal, 2)
    );
}

#[test]
fn an_older_access_line_is_replayed() {
    let [ann, bob, eve] = people();
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
    // With its mac it is the envelope as it was: genuine, and Eve is out again. Nobody gains by it.
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
    // After sealing anew the old line opens nothing.
    let resealed = reseal(&after, &ann, &[&ann]);
    let old_line = Parts {
        access: Parts::of(&after).access,
        mac: Parts::of(&after).mac,
        ..Parts::of(&resealed)
    };
    for who in [&ann, &bob, &eve] {
        refused(
            &old_line.bytes(),
            &mut Keys::of(&[who]),
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
    let recipients = readers.iter().map(|one| one.addressee()).collect();
    let request = ResealRequest {
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
fn an_approval_is_moved_to_another_envelope() {
    let [ann, bob, carol] = people();
    let (this, other) = (
        two_of_three([&ann, &bob, &carol]),
        two_of_three([&ann, &bob, &carol]),
    );
    let approval = approved(&other, 0, &bob, &ann).unwrap().remove(0);
    let line = approval.to_line();
    // As it is it does not count; with the other id it does not open.
    assert_eq!(
        error_with(&this, &ann, &[approval]).class(),
        Some(Class::Quorum)
    );
    let [from, to] = [&other, &this]
        .map(|envelope| to_b64(&Envelope::read(&**envelope).unwrap().manifest().id.0));
    let moved = Approval::from_bytes(line.replace(&from, &to).as_bytes()).unwrap();
    let error = error_with(&this, &ann, &[moved]);
    assert!(
        matches!(
            error,
            OpenError::Approval {
                approval: 0,
                lock: 0
            }
        ),
        "{error}"
    );
    assert_eq!(error.class(), Some(Class::Slot));
}

#[test]
fn an_approval_is_moved_to_another_lock() {
    let [ann, bob, carol] = people();
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(1, &[&bob]), quorum(1, &[&ann, &carol])];
    let envelope = sealed(&wish, CONTENT);
    let line = approved(&envelope, 1, &carol, &bob).unwrap()[0].to_line();
    let moved = Approval::from_bytes(line.replace("\"lock\":1", "\"lock\":0").as_bytes()).unwrap();
    // Bob's own slot opens lock 0, so nobody looks at it; lock 1 stays shut.
    assert_eq!(
        error_with(&envelope, &bob, std::slice::from_ref(&moved)).class(),
        Some(Class::Quorum)
    );
    let line = approved(&envelope, 0, &bob, &ann).unwrap()[0].to_line();
    let moved = Approval::from_bytes(line.replace("\"lock\":0", "\"lock\":1").as_bytes()).unwrap();
    assert_eq!(
        error_with(&envelope, &ann, &[moved]).class(),
        Some(Class::Quorum)
    );
}

#[test]
fn need_is_changed_from_2_to_1() {
    let [ann, bob, carol] = people();
    let envelope = two_of_three([&ann, &bob, &carol]);
    let mut parts = Parts::of(&envelope);
    let at = parts.policy.find(",\"shares\"").unwrap();
    let end = parts.policy[at..].find(']').unwrap() + at + 1;
    let shares = parts.policy[at..end].to_owned();
    parts.policy = parts.policy.replace("\"need\":2", "\"need\":1");
    refused(
        &parts.bytes(),
        &mut Keys::of(&[&ann]),
        Class::Malformed,
        "the shares left in",
    );
    parts.policy = parts.policy.replace(&shares, "");
    refused(
        &parts.bytes(),
        &mut Keys::of(&[&ann]),
        Class::Malformed,
        "slots of 49 bytes",
    );
    // With slots of the right length there is no slot for that policy.
    let id = encl::crypto::sha256(&[b"encl/1\n", parts.policy.as_bytes(), b"\n"]);
    let sealed = hpke::seal(
        &ann.key.public_key(),
        &kdf::slot_info(&id, 0),
        &[7; 32],
        &mut rng(),
    )
    .unwrap();
    let (enc, ct, key) = (
        to_b64(&sealed.enc),
        to_b64(&sealed.ct),
        to_b64(&ann.key_id().0),
    );
    parts.access = access(&[format!(
        r#"{{"lock":0,"key":"{key}","enc":"{enc}","ct":"{ct}"}}"#
    )]);
    refused(
        &parts.bytes(),
        &mut Keys::of(&[&ann]),
        Class::Slot,
        "another secret",
    );
    // And a share is not the secret.
    let mut more = Parts::of(&envelope);
    more.policy = more.policy.replace("\"need\":2", "\"need\":3");
    refused(
        &more.bytes(),
        &mut Keys::of(&[&ann, &bob, &carol]),
        Class::Slot,
        "need 3",
    );
}

#[test]
fn somebody_outside_the_quorum_approves() {
    let [ann, bob, carol, dave, eve] = people();
    let envelope = two_of_three([&ann, &bob, &carol]);
    assert_eq!(
        approved(&envelope, 0, &eve, &ann).unwrap_err().class(),
        Some(Class::NoKey)
    );
    // What Eve makes up is told, and so is a share of hers that is nobody's.
    for (share, says) in [
        ([[2].as_slice(), &[9; 32]].concat(), Some("Bob")),
        ([[1].as_slice(), &[9; 32]].concat(), Some("Ann")),
        ([[4].as_slice(), &[9; 32]].concat(), None),
        ([[0].as_slice(), &[9; 32]].concat(), None),
    ] {
        let error = error_with(
            &envelope,
            &ann,
            &[forged_approval(&envelope, 0, &ann, &share)],
        );
        assert_eq!(error.class(), Some(Class::Slot));
        let OpenError::Share(wrong) = error else {
            panic!("{error}")
        };
        assert_eq!(wrong.source, Source::Approval(0));
        assert_eq!(wrong.says.as_ref().map(Holder::to_string).as_deref(), says);
    }
    let whole = forged_approval(&envelope, 0, &ann, &[9; 32]);
    assert_eq!(
        error_with(&envelope, &ann, &[whole]).class(),
        Some(Class::Slot),
        "a secret where a share is due"
    );
    // One real share is not enough for somebody outside, two are: a quorum may let in whom it likes, and it shows.
    let from = |holder: &Person| approved(&envelope, 0, holder, &dave).unwrap();
    assert_eq!(
        open_with(&envelope, &mut Keys::of(&[&dave]), &from(&bob)).class,
        Some(Class::Quorum)
    );
    let both = [from(&bob), from(&carol)].concat();
    let outcome = open_with(&envelope, &mut Keys::of(&[&dave]), &both);
    assert_eq!(
        (outcome.class, outcome.admission),
        (None, Some(Admission::Unrecorded))
    );
}

#[test]
fn a_holder_gives_a_malicious_share() {
    let [ann, bob, carol] = people();
    let envelope = two_of_three([&ann, &bob, &carol]);
    let good = approved(&envelope, 0, &carol, &ann).unwrap().remove(0);
    // Bob changes his share by one bit, or hands out what he had from Ann before, or gives himself out for Carol.
    let bad = forged_approval(&envelope, 0, &ann, &[[2].as_slice(), &[0x55; 32]].concat());
    let as_carol = forged_approval(&envelope, 0, &ann, &[[3].as_slice(), &[0x55; 32]].concat());
    for (bad, says) in [(bad, "Bob"), (as_carol, "Carol")] {
        let error = error_with(&envelope, &ann, &[bad, good.clone()]);
        let OpenError::Share(wrong) = error else {
            panic!("{error}")
        };
        assert_eq!((wrong.source, wrong.lock), (Source::Approval(0), 0));
        assert_eq!(
            wrong.says.unwrap().to_string(),
            says,
            "it says which to leave away, and whose it claims to be"
        );
    }
    let outcome = open_with(&envelope, &mut Keys::of(&[&ann]), &[good]);
    assert_eq!((outcome.class, outcome.released), (None, CONTENT.to_vec()));
}

#[test]
fn a_dealer_seals_a_share_into_a_slot_that_is_not_the_policys() {
    let [ann, bob, carol] = people();
    let envelope = two_of_three([&ann, &bob, &carol]);
    let parts = Parts::of(&envelope);
    let forge = Forge {
        policy: parts.policy.clone(),
        secrets: vec![[0; 32]],
    };
    let bad = forge.slot_with(&ann, 0, &[[1].as_slice(), &[3; 32]].concat(), "");
    let mut slots: Value = serde_json::from_str(&parts.access).unwrap();
    slots["slots"][0] = serde_json::from_str(&bad).unwrap();
    let changed = Parts {
        access: slots.to_string(),
        ..parts
    };
    let error = error_with(&changed.bytes(), &ann, &[]);
    let OpenError::Share(wrong) = error else {
        panic!("{error}")
    };
    assert_eq!(wrong.source, Source::Slot(0));
    assert_eq!(wrong.says.unwrap().to_string(), "Ann");
    assert_eq!(
        approved(&changed.bytes(), 0, &ann, &bob)
            .unwrap_err()
            .class(),
        Some(Class::Slot),
        "she passes nothing wrong on"
    );
}

#[test]
fn a_revoked_recipient_kept_the_old_content_key() {
    let [ann, bob, eve] = people();
    let old = sealed(&request(&[&ann, &bob, &eve], Some(&ann.root)), CONTENT);
    // Eve keeps all that she can: the rewriting holds the old content key.
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
    // Her old slot, put back, opens nothing, and makes the new file nobody's.
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
    // What she had, she has.
    opens(
        &old,
        &mut Keys::of(&[&eve]),
        CONTENT,
        "the old file, which nobody can recall",
    );
}

#[test]
fn a_forwarder_makes_it_look_as_if_the_author_had_written_to_the_new_reader() {
    let [ann, bob, eve] = people();
    let author = sealed(&request(&[&ann, &bob], Some(&ann.root)), CONTENT);
    // Let in: Eve is told that Bob did it, and Ann's policy does not name her.
    let forwarded = granted(&author, &bob, &eve);
    let Admission::Granted(path) = opens(&forwarded, &mut Keys::of(&[&eve]), CONTENT, "let in")
    else {
        panic!("she was not named")
    };
    assert_eq!((path.len(), path[0].by), (1, bob.root.id()));
    // A record in Ann's name does not hold: Bob has not her key.
    let mut in_anns_name = rewriting(&author, &[&bob]);
    in_anns_name
        .grant(&eve.addressee(), None, (&bob.root, time(NOW)), &mut rng())
        .unwrap();
    let parts = Parts::of(&written(in_anns_name));
    let [by_bob, by_ann] =
        [&bob, &ann].map(|one| format!("\"by\":\"{}\"", to_b64(&one.root.id().0)));
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
        Admission::Unrecorded
    );
    // Named in the policy, it is another policy, and Ann's signature does not cover it.
    let resealed = reseal(&author, &bob, &[&bob, &eve]);
    let about = Envelope::read(&*resealed)
        .unwrap()
        .unlock(&mut Keys::of(&[&eve]), time(NOW))
        .unwrap()
        .into_about();
    assert_eq!(
        (about.admission.clone(), about.signer()),
        (Admission::Named, Some(bob.root.id()))
    );
    // Bob names Ann as signer and takes her signature along.
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
