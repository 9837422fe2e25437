//! Attacks by a recipient, who knows the content key.

use encl::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use encl::crypto::{KeyId, aead::AeadKey};
use encl::envelope::{Admission, Class, EnvelopeId, Grant, NoRecord, grant_message};
use encl::json::to_b64;

use crate::kit::{
    Forge, Keys, NOW, Outcome, Person, access, lock, open, opens, refused, rng, signature, time,
};

const DATA: &[u8] = b"{}\ncontent";

fn signed_by(author: &SigningKey, readers: &[&Person]) -> Forge {
    let mut forge = Forge::new(
        readers,
        &format!(r#""signer":"{}","#, to_b64(&author.id().0)),
    );
    forge.policy = forge.policy.replace("\"signed\":false", "\"signed\":true");
    forge
}

#[test]
fn the_content_cannot_be_replaced_under_the_authors_signature() {
    let (author, bob, eve) = (
        SigningKey::generate(&mut rng()),
        Person::classic("Bob"),
        Person::classic("Eve"),
    );
    let forge = signed_by(&author, &[&bob, &eve]);
    let access = forge.slots(&[&bob, &eve]);
    let honest = signature(&author, &forge.p(), DATA);
    let by_eve = signature(&eve.root, &forge.p(), DATA);
    let other = b"{}\nforgery".as_slice();
    let (envelope, keys) = (
        |m: &[&[u8]]| forge.envelope(&access, &m.concat()),
        || Keys::of(&[&bob]),
    );
    opens(
        &envelope(&[DATA, &honest]),
        &mut keys(),
        b"content",
        "the same content encrypted anew",
    );
    for (what, plaintext) in [
        ("other content", vec![other, &honest]),
        ("the private line changed", vec![b"{ }\ncontent", &honest]),
        ("signed by a reader", vec![DATA, &by_eve]),
        ("content cut", vec![&DATA[..DATA.len() - 1], &honest]),
        ("no signature, content long enough", vec![DATA, &[b'x'; 64]]),
    ] {
        assert_eq!(
            open(&envelope(&plaintext), &mut keys()).class,
            Some(Class::Signature),
            "{what}"
        );
    }
    assert_eq!(
        open(&envelope(&[DATA]), &mut keys()).class,
        Some(Class::Damaged),
        "the signature cut off"
    );
    // A signature by the author, but for another envelope.
    let elsewhere = signature(&author, &[7; 32], DATA);
    assert_eq!(
        open(&envelope(&[DATA, &elsewhere]), &mut keys()).class,
        Some(Class::Signature)
    );
}

/// GCM does not commit: with the key, another chunk with the same tag can be computed (Dodis and others, CRYPTO 2018).
#[test]
fn a_chunk_with_the_same_tag_is_caught_by_the_signature() {
    let (author, bob) = (SigningKey::generate(&mut rng()), Person::classic("Bob"));
    let forge = signed_by(&author, &[&bob]);
    let signed = [DATA, &signature(&author, &forge.p(), DATA)].concat();
    let mut envelope = forge.envelope(&forge.slots(&[&bob]), &signed);
    let chunk_at = envelope.len() - 16 - signed.len();
    let (salt_at, input_key) = (chunk_at - 56, forge.content_key().payload_key());
    let salt: [u8; 24] = envelope[salt_at..salt_at + 24].try_into().unwrap();
    let info = [
        b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0".as_slice(),
        &salt,
        &forge.p(),
    ]
    .concat();
    let prk = [input_key.expose().as_slice(), &[0; 32]].concat();
    let mut okm = [0; 76];
    hkdf::Hkdf::<sha2::Sha512>::from_prk(&prk)
        .unwrap()
        .expand(&info, &mut okm)
        .unwrap();
    let h = ghash_key(&okm[..32].try_into().unwrap());
    // Change block 0, and compensate in block 1, so that X1·H^n + X2·H^(n-1) is unchanged.
    let change: u128 = 0xDEAD_BEEF << 64;
    let (first, second) = (chunk_at, chunk_at + 16);
    xor(&mut envelope[first..first + 16], change);
    xor(&mut envelope[second..second + 16], multiply(change, h));
    let outcome = open(&envelope, &mut Keys::of(&[&bob]));
    assert_eq!(
        outcome.class,
        Some(Class::Signature),
        "the tag is the same, the signature is not"
    );
}

/// H of GCM: the zero block encrypted. It is computed without a block cipher, from the tags of two messages that differ in one
/// block.
fn ghash_key(key: &[u8; 32]) -> u128 {
    // tag(A) xor tag(B) = (A xor B)·H² for one-block messages of one nonce; take the square root by squaring 127 times.
    let key = AeadKey::new(key);
    let tag = |block: &mut [u8; 16]| u128::from_be_bytes(key.seal(&[0; 12], &[], block));
    let (mut a, mut b) = ([0; 16], [0; 16]);
    b[0] = 0x80; // the polynomial 1 in GCM's bit order
    let mut root = tag(&mut a) ^ tag(&mut b);
    for _ in 0..127 {
        root = multiply(root, root);
    }
    root
}

fn xor(bytes: &mut [u8], with: u128) {
    bytes
        .iter_mut()
        .zip(with.to_be_bytes())
        .for_each(|(byte, other)| *byte ^= other);
}

/// Multiplication in GF(2^128), NIST SP 800-38D §6.3.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut z, mut v) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            z ^= v;
        }
        v = if v & 1 == 1 {
            v >> 1 ^ 0xE1 << 120
        } else {
            v >> 1
        };
    }
    z
}

#[test]
fn removing_or_changing_slots_of_others_is_visible() {
    let (bob, eve) = (Person::classic("Bob"), Person::classic("Eve"));
    let forge = Forge::new(&[&bob, &eve], "");
    let envelope = |slots: &[String]| forge.envelope(&access(slots), DATA);
    let (of_bob, of_eve) = (forge.slot(&bob), forge.slot(&eve));
    let keys = || Keys::of(&[&bob]);
    opens(
        &envelope(&[of_bob.clone(), of_eve.clone()]),
        &mut keys(),
        b"content",
        "honest",
    );
    refused(
        &envelope(std::slice::from_ref(&of_eve)),
        &mut keys(),
        Class::NoKey,
        "Bob's slot removed",
    );
    refused(
        &envelope(&[]),
        &mut keys(),
        Class::NoKey,
        "all slots removed",
    );
    let wrong_secret = forge.slot_with(&bob, 0, &[9; 32], "");
    refused(
        &envelope(&[wrong_secret, of_eve.clone()]),
        &mut keys(),
        Class::Slot,
        "another secret in Bob's slot",
    );
    let key = |person: &Person| to_b64(&person.key_id().0);
    let relabelled = of_eve.replace(&key(&eve), &key(&bob));
    refused(
        &envelope(&[relabelled]),
        &mut keys(),
        Class::Slot,
        "Eve's slot under Bob's key",
    );
    let stranger = Person::classic("Stranger");
    refused(
        &envelope(&[of_bob]),
        &mut Keys::of(&[&stranger]),
        Class::NoKey,
        "a stranger",
    );
}

#[test]
fn a_wrong_secret_under_an_honest_policy_is_a_changed_slot() {
    let bob = Person::classic("Bob");
    let honest = Forge::new(&[&bob], "");
    let other = Forge {
        policy: honest.policy.clone(),
        secrets: vec![[0x66; 32]],
    };
    refused(
        &other.envelope(&other.slots(&[&bob]), DATA),
        &mut Keys::of(&[&bob]),
        Class::Slot,
        "two envelopes in one",
    );
}

#[test]
fn shares_are_checked_before_they_count() {
    let people = ["Bob", "Carol", "Dave"].map(Person::classic);
    let readers: Vec<_> = people.iter().collect();
    let share = |x: u8| [[x].as_slice(), &[x ^ 0x55; 32]].concat();
    let hashes: Vec<_> = (1..=3)
        .map(|x| format!("\"{}\"", to_b64(&encl::crypto::kdf::share_hash(&share(x)))))
        .collect();
    let mut forge = Forge::new(&readers, "");
    let shares = format!(r#""need":2,"shares":[{}]"#, hashes.join(","));
    forge.policy = forge.policy.replace("\"need\":1", &shares);
    let envelope = |first: &[u8]| {
        let slots = [
            forge.slot_with(&people[0], 0, first, ""),
            forge.slot_with(&people[1], 0, &share(2), ""),
        ];
        forge.envelope(&access(&slots), DATA)
    };
    let keys = || Keys::of(&[&people[0]]);
    refused(
        &envelope(&share(1)),
        &mut keys(),
        Class::Quorum,
        "one good share of two",
    );
    refused(&envelope(&share(0)), &mut keys(), Class::Slot, "share 0");
    refused(
        &envelope(&share(4)),
        &mut keys(),
        Class::Slot,
        "share 4 of 3",
    );
    refused(
        &envelope(&[[1].as_slice(), &[9; 32]].concat()),
        &mut keys(),
        Class::Slot,
        "a forged share",
    );
}

/// A grant to `who`, signed by `by`, for a key in lock 0.
fn grant(forge: &Forge, by: &SigningKey, who: &Person, key: KeyId) -> String {
    let mut grant = Grant {
        name: who.name.clone(),
        address: None,
        id: who.root.id(),
        by: by.id(),
        at: time(NOW),
        sig: Signature([0; 64]),
    };
    grant.sig = by.sign(
        Purpose::Grant,
        &[&grant_message(&grant, 0, key, &EnvelopeId(forge.p()))],
    );
    format!(r#","grant":{}"#, serde_json::to_string(&grant).unwrap())
}

fn granted(forge: &Forge, by: &SigningKey, who: &Person) -> String {
    forge.slot_with(
        who,
        0,
        &forge.secrets[0],
        &grant(forge, by, who, who.key_id()),
    )
}

fn admission(forge: &Forge, slots: &[String], who: &Person) -> Admission {
    opens(
        &forge.envelope(&access(slots), DATA),
        &mut Keys::of(&[who]),
        b"content",
        "an admission",
    )
}

#[test]
fn chains_of_grants_are_reported_or_unrecorded() {
    let (bob, eve) = (Person::classic("Bob"), Person::classic("Eve"));
    let stranger = SigningKey::generate(&mut rng());
    let chain: Vec<_> = (0..17).map(|i| Person::classic(&format!("P{i}"))).collect();
    let forge = Forge::new(&[&bob], "");
    assert_eq!(
        admission(&forge, &[forge.slot(&bob)], &bob),
        Admission::Named
    );
    assert_eq!(
        admission(&forge, &[forge.slot(&eve)], &eve),
        Admission::Unrecorded(NoRecord::OfKey),
        "no grant"
    );
    for by in [&eve.root, &stranger] {
        assert_eq!(
            admission(&forge, &[granted(&forge, by, &eve)], &eve),
            Admission::Unrecorded(NoRecord::OfKey),
            "not by a reader"
        );
    }
    let by_bob = admission(&forge, &[granted(&forge, &bob.root, &eve)], &eve);
    let Admission::Granted(path) = by_bob else {
        panic!("{by_bob:?}")
    };
    assert_eq!((path.len(), path[0].by), (1, bob.root.id()));

    // Bob grants access to P0, P0 to P1, and so on.
    let by = |number: usize| {
        if number == 0 {
            &bob.root
        } else {
            &chain[number - 1].root
        }
    };
    let slots: Vec<_> = chain
        .iter()
        .enumerate()
        .map(|(i, person)| granted(&forge, by(i), person))
        .collect();
    let path_of = |number: usize, slots: &[String]| match admission(&forge, slots, &chain[number]) {
        Admission::Granted(path) => Some(path.len()),
        _ => None,
    };
    assert_eq!(path_of(2, &slots), Some(3));
    assert_eq!(path_of(15, &slots), Some(16));
    assert_eq!(path_of(16, &slots), None, "a path of 17");
    let broken: Vec<_> = slots
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != 1)
        .map(|(_, slot)| slot.clone())
        .collect();
    assert_eq!(path_of(2, &broken), None, "a path with a gap");
    let cycle = [
        granted(&forge, &chain[1].root, &chain[0]),
        granted(&forge, &chain[0].root, &chain[1]),
    ];
    assert_eq!(path_of(0, &cycle), None, "two who let each other in");
}

#[test]
fn a_grant_holds_for_its_key_lock_and_envelope_only() {
    let (bob, eve) = (Person::classic("Bob"), Person::classic("Eve"));
    let forge = Forge::new(&[&bob], "");
    let other = Forge::new(&[&bob], r#""created":"2026-01-01T00:00:00Z","#);
    let with = |grant: &str| [forge.slot_with(&eve, 0, &forge.secrets[0], grant)];
    for (what, grant) in [
        (
            "of another envelope",
            grant(&other, &bob.root, &eve, eve.key_id()),
        ),
        (
            "for another key",
            grant(&forge, &bob.root, &eve, bob.key_id()),
        ),
        (
            "another name",
            grant(&forge, &bob.root, &eve, eve.key_id()).replace("\"Eve\"", "\"Mallory\""),
        ),
        (
            "another time",
            grant(&forge, &bob.root, &eve, eve.key_id()).replace("06:24", "06:25"),
        ),
        ("another granter", {
            let by = to_b64(&bob.root.id().0);
            grant(&forge, &eve.root, &eve, eve.key_id()).replace(
                &format!("\"by\":\"{}\"", to_b64(&eve.root.id().0)),
                &format!("\"by\":\"{by}\""),
            )
        }),
    ] {
        assert_eq!(
            admission(&forge, &with(&grant), &eve),
            Admission::Unrecorded(NoRecord::OfKey),
            "{what}"
        );
    }
}

#[test]
fn a_hostile_list_of_grants_costs_one_check_each() {
    // All people are granted access by all others: a naive search would try every path.
    let (bob, ids) = (Person::classic("Bob"), 2_000);
    let forge = Forge::new(&[&bob], "");
    let eve = Person::classic("Eve");
    let (shared, stranger) = (
        SigningKey::generate(&mut rng()),
        SigningKey::generate(&mut rng()),
    );
    let filler: Vec<String> = (0..ids)
        .map(|number: u32| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            let by = if number.is_multiple_of(2) {
                &shared
            } else {
                &stranger
            };
            let id = if number.is_multiple_of(2) {
                stranger.id()
            } else {
                shared.id()
            };
            let mut grant = Grant {
                name: "x".into(),
                address: None,
                id,
                by: by.id(),
                at: time(NOW),
                sig: Signature([0; 64]),
            };
            grant.sig = by.sign(
                Purpose::Grant,
                &[&grant_message(
                    &grant,
                    0,
                    KeyId(key),
                    &EnvelopeId(forge.p()),
                )],
            );
            let (enc, ct) = (to_b64(&[1; 32]), to_b64(&[2; 48]));
            let (key, grant) = (to_b64(&key), serde_json::to_string(&grant).unwrap());
            format!(r#"{{"lock":0,"key":"{key}","enc":"{enc}","ct":"{ct}","grant":{grant}}}"#)
        })
        .collect();
    let mut slots = vec![granted(&forge, &shared, &eve)];
    slots.extend(filler);
    assert_eq!(
        admission(&forge, &slots, &eve),
        Admission::Unrecorded(NoRecord::OfKey)
    );
}

#[test]
fn with_several_locks_the_worst_admission_counts() {
    let (bob, eve) = (Person::classic("Bob"), Person::classic("Eve"));
    let secrets = vec![[1; 32], [2; 32]];
    let locks = [lock(&secrets[0], &[&bob, &eve]), lock(&secrets[1], &[&bob])].join(",");
    let policy =
        format!(r#"{{"signed":false,"private":false,"padding":"none","locks":[{locks}]}}"#);
    let forge = Forge { policy, secrets };
    let slots = |person: &Person| {
        [0, 1]
            .map(|lock: u16| forge.slot_with(person, lock, &forge.secrets[usize::from(lock)], ""))
            .to_vec()
    };
    assert_eq!(admission(&forge, &slots(&bob), &bob), Admission::Named);
    assert_eq!(
        admission(&forge, &slots(&eve), &eve),
        Admission::Unrecorded(NoRecord::OfKey)
    );
    let only_first = forge.envelope(&access(&slots(&bob)[..1]), DATA);
    let Outcome { class, .. } = open(&only_first, &mut Keys::of(&[&bob]));
    assert_eq!(
        class,
        Some(Class::Quorum),
        "one lock opens, the other has nothing for Bob"
    );
    let signer: RootId = bob.root.id();
    assert!(signer.is_acceptable());
}
