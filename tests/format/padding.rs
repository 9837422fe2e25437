//! Padding: the marker, the zeros, the lengths.

use encl::crypto::signing::SigningKey;
use encl::envelope::Class;
use encl::policy::Padding;

use crate::kit::{
    Forge, Keys, Parts, Person, open, opens, refused, request, rng, sealed, signature,
};

/// A second implementation of Padmé, from FORMAT.md.
fn padme(n: u64) -> u64 {
    let e = n.ilog2();
    let s = e.ilog2() + 1;
    let m = (1_u64 << (e - s)) - 1;
    (n + m) & !m
}

fn padded_forge(bob: &Person) -> Forge {
    let mut forge = Forge::new(&[bob], "");
    forge.policy = forge.policy.replace("\"none\"", "\"padme\"");
    forge
}

#[test]
fn content_that_looks_like_padding_comes_back_whole() {
    let bob = Person::classic("Bob");
    let author = SigningKey::generate(&mut rng());
    let zeros = vec![0; 16 << 20];
    let marker_and_zeros = |zeros: usize| [vec![0x80], vec![0; zeros]].concat();
    let contents = [
        vec![],
        vec![0],
        vec![0x80],
        vec![0x80, 0x80],
        vec![0, 0x80, 0],
        marker_and_zeros(1),
        marker_and_zeros(16_383),
        marker_and_zeros(16_384),
        marker_and_zeros(50_000),
        [marker_and_zeros(40_000), vec![1]].concat(),
        [marker_and_zeros(20_000), marker_and_zeros(20_000)].concat(),
        vec![0x80; 40_000],
        zeros,
    ];
    for signer in [None, Some(&author)] {
        for content in &contents {
            let mut request = request(&[&bob], signer);
            request.padding = Padding::Padme;
            let envelope = sealed(&request, content);
            opens(
                &envelope,
                &mut Keys::of(&[&bob]),
                content,
                "content like padding",
            );
            let plaintext = 3 + content.len() as u64 + 1 + if signer.is_some() { 64 } else { 0 };
            let chunks = padme(plaintext) / 16_384 + 1;
            let payload = 56 + padme(plaintext) + 16 * chunks;
            assert_eq!(
                Parts::of(&envelope).payload.len() as u64,
                payload,
                "{} bytes",
                content.len()
            );
        }
    }
}

#[test]
fn wrong_padding_is_damage() {
    let bob = Person::classic("Bob");
    let forge = padded_forge(&bob);
    let access = forge.slots(&[&bob]);
    let content = [b"{}\n".as_slice(), &[b'x'; 997]].concat(); // D of 1,000 bytes; 1,001 pad to 1,024
    let plaintext = |tail: &[u8]| forge.envelope(&access, &[&content, tail].concat());
    let padding = |zeros: usize| [vec![0x80], vec![0; zeros]].concat();
    opens(
        &plaintext(&padding(23)),
        &mut Keys::of(&[&bob]),
        &content[3..],
        "as required",
    );
    for (what, tail) in [
        ("one zero less", padding(22)),
        ("one zero more", padding(24)),
        ("no marker", vec![0; 24]),
        ("no padding", vec![]),
        ("another marker", [vec![0x81], vec![0; 23]].concat()),
        ("a marker and no zeros", padding(0)),
        (
            "a second marker, one zero less",
            [padding(10), padding(11)].concat(),
        ),
    ] {
        let outcome = open(&plaintext(&tail), &mut Keys::of(&[&bob]));
        assert_eq!(outcome.class, Some(Class::Damaged), "{what}");
    }
    let only_marker = forge.envelope(&access, &[b"{}\n".as_slice(), &[0; 21]].concat());
    assert_eq!(
        open(&only_marker, &mut Keys::of(&[&bob])).class,
        Some(Class::Damaged),
        "zeros only"
    );
}

#[test]
fn a_payload_shorter_than_its_signature_is_damaged() {
    let bob = Person::classic("Bob");
    let signer = format!(r#""signer":"{}","#, encl::json::to_b64(&bob.root.id().0));
    let mut forge = Forge::new(&[&bob], &signer);
    forge.policy = forge.policy.replace("\"signed\":false", "\"signed\":true");
    let access = forge.slots(&[&bob]);
    for bytes in [0, 1, 63] {
        let envelope = forge.envelope(&access, &vec![b'x'; bytes]);
        refused(
            &envelope,
            &mut Keys::of(&[&bob]),
            Class::Damaged,
            "shorter than a signature",
        );
    }
    let data = b"{}\nx";
    let signed = [data.as_slice(), &signature(&bob.root, &forge.p(), data)].concat();
    opens(
        &forge.envelope(&access, &signed),
        &mut Keys::of(&[&bob]),
        b"x",
        "forged as the author would",
    );
}

#[test]
fn a_signature_may_stand_anywhere_around_a_chunk_border() {
    let (bob, author) = (Person::classic("Bob"), SigningKey::generate(&mut rng()));
    // D has 3 bytes more than the content: the signature ends at, straddles or starts at a border of 16,384.
    for content in (16_384 - 64 - 3 - 2..=16_384 - 3 + 2).chain([
        2 * 16_384 - 67,
        257 * 16_384 - 67,
        257 * 16_384 - 3,
    ]) {
        let content: Vec<u8> = (0..=250).cycle().take(content).collect();
        let envelope = sealed(&request(&[&bob], Some(&author)), &content);
        opens(
            &envelope,
            &mut Keys::of(&[&bob]),
            &content,
            "around a border",
        );
    }
}
