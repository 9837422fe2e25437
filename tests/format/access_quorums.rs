//! Attacks on locks that need several people, by holders of shares and by outsiders.

use encl::crypto::{hpke, kdf};
use encl::envelope::{Admission, Approval, Class, Envelope, Holder, NoRecord, OpenError, Source};
use encl::json::to_b64;
use serde_json::Value;

use crate::kit::{
    Forge, Keys, Parts, Person, access, approved, error_with, named_people, open_with, quorum,
    refused, request, rng, sealed, time,
};

const CONTENT: &[u8] = b"for the right people only";

/// An envelope that any two of these people can open.
fn two_of_three(people: [&Person; 3]) -> Vec<u8> {
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(2, &people)];
    sealed(&wish, CONTENT)
}

/// A hand-made approval that holds any `plaintext`.
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

#[test]
fn an_approval_is_moved_to_another_envelope() {
    let [ann, bob, carol] = named_people();
    let (envelope, source) = (
        two_of_three([&ann, &bob, &carol]),
        two_of_three([&ann, &bob, &carol]),
    );
    let approval = approved(&source, 0, &bob, &ann).unwrap().remove(0);
    let line = approval.to_line();
    // Unchanged, the approval does not count; with the id of this envelope, it does not open.
    assert_eq!(
        error_with(&envelope, &ann, &[approval]).class(),
        Some(Class::Quorum)
    );
    let [from, to] = [&source, &envelope]
        .map(|envelope| to_b64(&Envelope::read(&**envelope).unwrap().manifest().id.0));
    let moved = Approval::from_bytes(line.replace(&from, &to).as_bytes()).unwrap();
    let error = error_with(&envelope, &ann, &[moved]);
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
    let [ann, bob, carol] = named_people();
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(1, &[&bob]), quorum(1, &[&ann, &carol])];
    let envelope = sealed(&wish, CONTENT);
    let line = approved(&envelope, 1, &carol, &bob).unwrap()[0].to_line();
    let moved = Approval::from_bytes(line.replace("\"lock\":1", "\"lock\":0").as_bytes()).unwrap();
    // Bob's own slot opens lock 0, so the approval is not read; lock 1 stays closed.
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
    let [ann, bob, carol] = named_people();
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
    // With slots of the right length, no slot is sealed for that policy.
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
    // A share is not the secret.
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
fn an_outsider_approves() {
    let [ann, bob, carol, dave, eve] = named_people();
    let envelope = two_of_three([&ann, &bob, &carol]);
    assert_eq!(
        approved(&envelope, 0, &eve, &ann).unwrap_err().class(),
        Some(Class::NoKey)
    );
    // Forged shares of Eve's are reported, with or without a number that belongs to a holder.
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
        "a secret instead of a share"
    );
    // One real share is not enough for an outsider, but two are: a quorum may admit anybody, and the admission shows it.
    let from = |holder: &Person| approved(&envelope, 0, holder, &dave).unwrap();
    assert_eq!(
        open_with(&envelope, &mut Keys::of(&[&dave]), &from(&bob)).class,
        Some(Class::Quorum)
    );
    let both = [from(&bob), from(&carol)].concat();
    let outcome = open_with(&envelope, &mut Keys::of(&[&dave]), &both);
    assert_eq!(
        (outcome.class, outcome.admission),
        (None, Some(Admission::Unrecorded(NoRecord::OfKey)))
    );
}

#[test]
fn a_holder_gives_a_malicious_share() {
    let [ann, bob, carol] = named_people();
    let envelope = two_of_three([&ann, &bob, &carol]);
    let good = approved(&envelope, 0, &carol, &ann).unwrap().remove(0);
    // Bob gives a wrong share under his own number, or under Carol's.
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
    let [ann, bob, carol] = named_people();
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
fn shares_that_do_not_belong_together_are_the_dealers_fault() {
    let [ann, bob, carol] = named_people();
    let parts = Parts::of(&two_of_three([&ann, &bob, &carol]));
    let shares = [1, 2, 3].map(|x| [[x].as_slice(), &[7 * x; 32]].concat());
    let hashes = shares
        .each_ref()
        .map(|share| to_b64(&kdf::share_hash(share)));
    let at = parts.policy.find("\"shares\":[").unwrap();
    let end = at + parts.policy[at..].find(']').unwrap() + 1;
    let mut policy = parts.policy.clone();
    policy.replace_range(
        at..end,
        &format!("\"shares\":[\"{}\"]", hashes.join("\",\"")),
    );
    let forge = Forge {
        policy: policy.clone(),
        secrets: vec![[0; 32]],
    };
    let mut slots: Value = serde_json::from_str(&parts.access).unwrap();
    for (at, (person, share)) in [&ann, &bob, &carol].into_iter().zip(&shares).enumerate() {
        slots["slots"][at] = serde_json::from_str(&forge.slot_with(person, 0, share, "")).unwrap();
    }
    let dealt = Parts {
        policy,
        access: slots.to_string(),
        ..parts
    };
    let approval = approved(&dealt.bytes(), 0, &bob, &ann).unwrap();
    let error = error_with(&dealt.bytes(), &ann, &approval);
    assert!(matches!(error, OpenError::Shares { lock: 0 }), "{error}");
    assert!(
        error.to_string().starts_with("the author's shares"),
        "{error}"
    );
    assert_eq!(error.class(), Some(Class::Slot));
}

#[test]
fn the_policy_is_changed_so_that_a_holder_approves() {
    let [ann, bob, carol, _, eve] = named_people();
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(2, &[&ann, &bob, &carol])];
    wish.conditions.expires = Some(time("2026-01-01T00:00:00Z"));
    let envelope = sealed(&wish, CONTENT);
    let class = |policy: &dyn Fn(&str) -> String| {
        let mut parts = Parts::of(&envelope);
        parts.policy = policy(&parts.policy);
        let refused = approved(&parts.bytes(), 0, &bob, &eve);
        refused.err().and_then(|error| error.class())
    };
    assert_eq!(class(&str::to_owned), Some(Class::Refused), "as it is");
    let later = |policy: &str| policy.replace("2026-01-01T", "2027-01-01T");
    assert_eq!(class(&later), Some(Class::Slot), "it expires later");
    let carols = carol.json();
    let named = |policy: &str| later(&policy.replace(&carols, &eve.json()));
    assert_eq!(class(&named), Some(Class::Slot), "Eve stands in it");
}
