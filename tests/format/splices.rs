//! Combined parts of two envelopes by one author for the same readers.

use encl::envelope::{Class, LockRequest};
use encl::json::to_b64;

use crate::kit::{Keys, Outcome, Parts, Person, open, opens, refused, request, sealed};

const SEALED_CHUNK: usize = 16_400;

fn pair() -> (Person, Parts, Parts) {
    let bob = Person::classic("Bob");
    let content: Vec<u8> = (0..=255).cycle().take(4 * 16_384).collect();
    let wish = request(&[&bob], Some(&bob.root));
    let [a, b] = [&content[..], &content[1..]].map(|content| Parts::of(&sealed(&wish, content)));
    (bob, a, b)
}

#[test]
fn lines_and_payloads_do_not_mix() {
    let (bob, a, b) = pair();
    let swap = |change: fn(&mut Parts, &Parts)| {
        let mut parts = a.clone();
        change(&mut parts, &b);
        parts.bytes()
    };
    for (what, envelope, class) in [
        (
            "line 2",
            swap(|a, b| a.policy.clone_from(&b.policy)),
            Class::Slot,
        ),
        (
            "line 3",
            swap(|a, b| a.access.clone_from(&b.access)),
            Class::Slot,
        ),
        (
            "line 4",
            swap(|a, b| a.mac.clone_from(&b.mac)),
            Class::Header,
        ),
        (
            "lines 2 and 3",
            swap(|a, b| (a.policy, a.access) = (b.policy.clone(), b.access.clone())),
            Class::Header,
        ),
        (
            "the payload",
            swap(|a, b| a.payload.clone_from(&b.payload)),
            Class::Damaged,
        ),
        (
            "the salt",
            swap(|a, b| a.payload[..24].copy_from_slice(&b.payload[..24])),
            Class::Damaged,
        ),
        (
            "the commitment",
            swap(|a, b| a.payload[24..56].copy_from_slice(&b.payload[24..56])),
            Class::Damaged,
        ),
        (
            "both",
            swap(|a, b| a.payload[..56].copy_from_slice(&b.payload[..56])),
            Class::Damaged,
        ),
        (
            "a space in line 3",
            swap(|a, _| a.access.push(' ')),
            Class::Header,
        ),
    ] {
        refused(&envelope, &mut Keys::of(&[&bob]), class, what);
    }
}

#[test]
fn chunks_stay_in_their_place() {
    let (bob, a, b) = pair();
    let chunk = |parts: &Parts, number: usize| {
        let at = 56 + number * SEALED_CHUNK;
        parts.payload[at..(at + SEALED_CHUNK).min(parts.payload.len())].to_vec()
    };
    let built = |chunks: &[Vec<u8>]| {
        let mut parts = a.clone();
        parts.payload.truncate(56);
        parts.payload.extend(chunks.concat());
        parts.bytes()
    };
    let all: Vec<_> = (0..5).map(|number| chunk(&a, number)).collect();
    opens(
        &built(&all),
        &mut Keys::of(&[&bob]),
        &(0..=255).cycle().take(4 * 16_384).collect::<Vec<u8>>(),
        "as it was",
    );
    let with = |order: &[usize]| {
        built(
            &order
                .iter()
                .map(|number| all[*number].clone())
                .collect::<Vec<_>>(),
        )
    };
    let foreign = built(&[
        all[0].clone(),
        chunk(&b, 1),
        all[2].clone(),
        all[3].clone(),
        all[4].clone(),
    ]);
    for (what, envelope, class, released) in [
        ("swapped", with(&[0, 2, 1, 3, 4]), Class::Damaged, 1),
        ("the first dropped", with(&[1, 2, 3, 4]), Class::Damaged, 0),
        ("one dropped", with(&[0, 1, 3, 4]), Class::Damaged, 2),
        ("doubled", with(&[0, 1, 1, 2, 3, 4]), Class::Damaged, 2),
        ("the last first", with(&[4, 0, 1, 2, 3]), Class::Damaged, 0),
        (
            "the last chunk cut off",
            with(&[0, 1, 2, 3]),
            Class::Truncated,
            4,
        ),
        ("no chunk at all", with(&[]), Class::Truncated, 0),
        ("one of another envelope", foreign, Class::Damaged, 1),
    ] {
        let Outcome {
            class: found,
            released: bytes,
            ..
        } = open(&envelope, &mut Keys::of(&[&bob]));
        assert_eq!(found, Some(class), "{what}");
        // The content released before the error is authentic and in order: the chunks before it, without private line and
        // signature.
        let honest: Vec<u8> = (0..=255).cycle().take(4 * 16_384).collect();
        assert!(
            honest.starts_with(&bytes) && bytes.len() <= released * 16_384,
            "{what}: {} bytes",
            bytes.len()
        );
    }
}

#[test]
fn slots_of_two_locks_do_not_mix() {
    let (bob, carol) = (Person::classic("Bob"), Person::classic("Carol"));
    let mut wish = request(&[&bob, &carol], None);
    wish.locks.push(LockRequest {
        recipients: vec![bob.addressee(), carol.addressee()],
        ..LockRequest::default()
    });
    let parts = Parts::of(&sealed(&wish, b"x"));
    let slots: serde_json::Value = serde_json::from_str(&parts.access).unwrap();
    let rebuilt = |change: &dyn Fn(&mut serde_json::Value)| {
        let (mut parts, mut slots) = (parts.clone(), slots.clone());
        change(&mut slots);
        parts.access = slots.to_string();
        parts.bytes()
    };
    let keys = || Keys::of(&[&bob]);
    opens(&parts.bytes(), &mut keys(), b"x", "honest");
    let swap_locks = rebuilt(&|slots| {
        slots["slots"][0]["lock"] = 1.into();
        slots["slots"][2]["lock"] = 0.into();
    });
    refused(
        &swap_locks,
        &mut keys(),
        Class::Slot,
        "Bob's two slots swapped",
    );
    let swap_people = rebuilt(&|slots| {
        slots["slots"][0]["key"] = to_b64(&carol.key_id().0).into();
        slots["slots"][1]["key"] = to_b64(&bob.key_id().0).into();
    });
    refused(
        &swap_people,
        &mut keys(),
        Class::Slot,
        "the slots of two people swapped",
    );
    let reordered = rebuilt(&|slots| slots["slots"].as_array_mut().unwrap().reverse());
    refused(
        &reordered,
        &mut keys(),
        Class::Header,
        "slots in another order",
    );
    let removed = rebuilt(&|slots| drop(slots["slots"].as_array_mut().unwrap().remove(1)));
    refused(
        &removed,
        &mut keys(),
        Class::Header,
        "somebody else's slot removed",
    );
}
