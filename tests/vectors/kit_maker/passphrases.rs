//! Passphrases, right and wrong.

use encl::json::to_b64;

use super::case::Case;
use super::edits::{changed, decoded, flipped, member};
use super::forge::{Lock, Wish};
use super::people::{ANN, BOB};

const HELLO: &[u8] = b"hello, encl\n";
/// "correct horse é" with a combining accent, which is not in normalisation form C.
const DECOMPOSED: &str = "correct horse e\u{301}";
pub(super) const COMPOSED: &str = "correct horse \u{e9}";

pub(super) fn cases() -> Vec<Case> {
    [opened(), refusals()].into_iter().flatten().collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

fn opens(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).opens(HELLO)
}

fn opened() -> Vec<Case> {
    let either = Wish::locks(&[Lock::of(1, &[&BOB]).or(COMPOSED)]).forge("either");
    let either = either.honest(HELLO);
    let alone = Wish::locks(&[Lock::of(1, &[]).or(COMPOSED)]).forge("words alone");
    let beside = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[]).or(COMPOSED)]);
    let private = Wish::locks(&[Lock::of(1, &[&BOB]).or(COMPOSED)]).private();
    vec![
        opens(
            "key_or_passphrase_by_key",
            "the key comes first, and the wrong passphrase is not tried",
            either.clone(),
        )
        .with_passphrase("wrong"),
        opens(
            "key_or_passphrase_by_passphrase",
            "no key fits, the passphrase does",
            either.clone(),
        )
        .by(&["eve"])
        .with_passphrase(COMPOSED),
        opens(
            "passphrase_not_normalised",
            "given as e and a combining accent: NFC makes it the right one",
            either,
        )
        .by(&[])
        .with_passphrase(DECOMPOSED),
        opens("passphrase_alone", "no recipients", alone.honest(HELLO))
            .by(&[])
            .with_passphrase(COMPOSED),
        opens(
            "passphrase_as_second_lock",
            "a key and a passphrase, both needed",
            beside.forge("words beside").honest(HELLO),
        )
        .with_passphrase(COMPOSED),
        opens(
            "private_passphrase",
            "private, opened by the passphrase",
            private.forge("private words").honest(HELLO),
        )
        .by(&["eve"])
        .with_passphrase(COMPOSED),
    ]
}

fn refusals() -> Vec<Case> {
    let forge = Wish::locks(&[Lock::of(1, &[&BOB]).or("words")]).forge("wrong words");
    let good = forge.honest(HELLO);
    let slots = forge.slots();
    let (salt, ct) = (member(&slots[1], "salt"), decoded(&member(&slots[1], "ct")));
    let with = |slot: String| forge.with_slots(&[slots[0].clone(), slot], HELLO);
    let with_ct = |at: usize| with(slots[1].replace(&to_b64(&ct), &to_b64(&flipped(&ct, at))));
    let case = |name: &str, comment: &str, bytes: Vec<u8>| {
        refused(&format!("passphrase_{name}"), "passphrase", comment, bytes)
            .by(&[])
            .with_passphrase("words")
    };
    vec![
        case("wrong", "another passphrase", good.clone()).with_passphrase("other words"),
        case("empty", "no character", good.clone()).with_passphrase(""),
        case("too_long", "1,025 bytes", good.clone()).with_passphrase(&"w".repeat(1_025)),
        case(
            "upper_case",
            "nothing but the normalisation form is made equal",
            good.clone(),
        )
        .with_passphrase("Words"),
        case(
            "salt_changed",
            "a byte of the salt is another",
            with(slots[1].replace(&salt, &changed(&salt))),
        ),
        case(
            "message_salt_changed",
            "a bit of the message's own salt is another",
            with_ct(0),
        ),
        case(
            "commitment_changed",
            "a bit of the commitment is another",
            with_ct(24),
        ),
        case("tag_changed", "a bit of the tag is another", with_ct(103)),
        case(
            "slot_of_another_envelope",
            "same passphrase, another policy: the context holds P",
            {
                let other = Wish::locks(&[Lock::of(1, &[&ANN]).or("words")]).forge("wrong words");
                with(other.slots()[1].clone())
            },
        ),
        case(
            "slot_with_another_secret",
            "it opens, and commit is not of what it holds",
            with(forge.passphrase_slot(0, "words", &[7; 32])),
        )
        .refused("slot"),
        refused(
            "broken_key_slot_beside_passphrase",
            "slot",
            "my key's slot has to open; the passphrase is not asked for",
            {
                let broken = slots[0].replace(&member(&slots[0], "ct"), &to_b64(&[7; 48]));
                forge.with_slots(&[broken, slots[1].clone()], HELLO)
            },
        )
        .with_passphrase("words"),
    ]
}
