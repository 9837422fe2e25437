//! Every bit and every cut of four small envelopes, asked of all readers: a spread of them, or all with `ENCL_SWEEP=full`.

use encl::crypto::Kem;
use encl::crypto::passphrase::Passphrase;
use encl::policy::Padding;

use crate::every_bit::step;
use crate::kit::{Person, cheap, flipped, quorum, request, sealed};
use crate::other_readers::{Case, agree};

const WORDS: &str = "correct horse";
const CONTENT: &[u8] = &[0x80, 0, 0, b'x', 0];

/// An envelope, who opens it, and the distance between the bits that the short form tries.
struct Base {
    what: &'static str,
    envelope: Vec<u8>,
    readers: &'static [usize],
    passphrase: Option<&'static str>,
    step: u64,
}

fn bases(people: &[Person; 3]) -> [Base; 4] {
    let [bob, hybrid, other] = people;
    let signed = request(&[bob], Some(&bob.root));
    let mut private = request(&[hybrid], Some(&bob.root));
    (private.private, private.padding) = (true, Padding::Padme);
    let words = Passphrase::new(WORDS).unwrap();
    let mut known = request(&[], None);
    known.locks[0].passphrase = Some(cheap(&words));
    let mut together = request(&[], None);
    together.locks = vec![quorum(2, &[bob, hybrid, other])];
    let base = |what, request, readers, passphrase, step| Base {
        what,
        envelope: sealed(request, CONTENT),
        readers,
        passphrase,
        step,
    };
    // A step that has no factor with 8 meets every bit of a byte. Argon2id takes a tenth of a second.
    [
        base("X25519, signed", &signed, &[0], None, 11),
        base("X-Wing, private", &private, &[1], None, 31),
        base("passphrase", &known, &[], Some(WORDS), 97),
        base("quorum", &together, &[2, 0], None, 11),
    ]
}

fn cases(base: &Base) -> Vec<Case> {
    let case = |what: String, bytes| Case {
        what: format!("{}: {what}", base.what),
        bytes,
        readers: base.readers.to_vec(),
        approvals: Vec::new(),
        passphrase: base.passphrase,
    };
    let envelope = &base.envelope;
    let step = step(base.step);
    let bits = (0..envelope.len() as u64 * 8).step_by(usize::try_from(step).unwrap());
    let cut_step = usize::try_from(step.min(7)).unwrap();
    let cuts = (0..envelope.len()).step_by(cut_step);
    let whole = case("whole".to_owned(), envelope.clone());
    [whole]
        .into_iter()
        .chain(bits.map(|bit| case(format!("bit {bit}"), flipped(envelope, bit))))
        .chain(cuts.map(|cut| case(format!("cut at {cut}"), envelope[..cut].to_vec())))
        .collect()
}

#[test]
fn all_readers_refuse_every_changed_envelope_alike() {
    let people = [
        Person::classic("Bob"),
        Person::new("Hybrid", Kem::XWing),
        Person::classic("Other"),
    ];
    let cases: Vec<_> = bases(&people).iter().flat_map(cases).collect();
    assert!(cases.len() > 3_000, "{} cases", cases.len());
    agree(&cases, &people);
}
