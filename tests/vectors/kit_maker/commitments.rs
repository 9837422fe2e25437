//! What the policy says about the passphrase's slot: kept, replaced by a reader, left out by an older program.

use encl::json::to_b64;

use super::case::Case;
use super::edits::{Parts, changed, edited, loosened, member};
use super::forge::{Forge, Lock, Wish, commitment};
use super::people::{ANN, BOB};

const HELLO: &[u8] = b"hello, encl\n";
/// The author's.
const WORDS: &str = "the author's words";
/// Those of a reader who replaces the slot.
const OTHERS: &str = "a reader's words";

pub(super) fn cases() -> Vec<Case> {
    [
        replaced(),
        made_anew(),
        beside_others(),
        false_commitments(),
        older(),
        by_older_programs(),
        line_2_changed(),
        forms(),
        identities(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

fn opens(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).opens(HELLO)
}

fn unrecorded(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).opens_to(HELLO, "unrecorded")
}

fn lock() -> Lock {
    Lock::of(1, &[&BOB]).or(WORDS)
}

/// For Bob or the author's words, signed by Ann.
fn forge() -> Forge {
    Wish::locks(&[lock()]).signed(&ANN).forge("committed words")
}

fn old() -> Forge {
    let wish = Wish::locks(&[lock().old()]);
    wish.signed(&ANN).forge("words of old")
}

/// A reader, who knows the lock's secret, has put this slot in the place of the one for the passphrase.
fn with_slot(forge: &Forge, lock: u16, words: &str, salt: &[u8; 16]) -> Vec<u8> {
    let secret = forge.secrets[usize::from(lock)];
    let mut slots = forge.slots();
    let of_passphrase = slots.iter_mut().find(|slot| slot.contains("\"salt\""));
    *of_passphrase.unwrap() = forge.salted_slot(lock, (words, salt), &secret);
    forge.with_slots(&slots, HELLO)
}

fn replaced() -> Vec<Case> {
    let forge = forge();
    let (same, new) = (forge.salt(WORDS), forge.salt(OTHERS));
    let mut cases = Vec::new();
    for (name, salt) in [("same_salt", same), ("new_salt", new)] {
        let bytes = with_slot(&forge, 0, OTHERS, &salt);
        let name = |given: &str| format!("passphrase_replaced_{name}_{given}");
        let words = |given: &str, class: &str, comment: &str, words: &str| {
            refused(&name(given), class, comment, bytes.clone())
                .by(&[])
                .with_passphrase(words)
        };
        cases.extend([
            words(
                "others",
                "slot",
                "a reader's slot opens with that reader's words, and the policy commits to another",
                OTHERS,
            ),
            words(
                "authors",
                "passphrase",
                "the author's words do not open a reader's slot",
                WORDS,
            ),
            words(
                "wrong",
                "passphrase",
                "words of nobody do not open a reader's slot",
                "wrong",
            ),
            opens(
                &name("by_key"),
                "a key opens it, and the passphrase's slot is not looked at",
                bytes.clone(),
            )
            .with_passphrase(OTHERS),
        ]);
    }
    cases
}

fn made_anew() -> Vec<Case> {
    let forge = forge();
    let anew = |salt: &[u8; 16]| with_slot(&forge, 0, WORDS, salt);
    vec![
        opens(
            "passphrase_committed",
            "the author's words open the author's slot",
            forge.honest(HELLO),
        )
        .by(&[])
        .with_passphrase(WORDS),
        opens(
            "passphrase_made_anew_same_salt",
            "a slot made by a reader with the author's words and salt: the key is the same",
            {
                let mut slots = forge.slots();
                let maker = forge.drawing("made anew");
                let salted = (WORDS, &forge.salt(WORDS));
                let slot = maker.salted_slot(0, salted, &forge.secrets[0]);
                assert_ne!(slots[1], slot);
                slots[1] = slot;
                forge.with_slots(&slots, HELLO)
            },
        )
        .by(&[])
        .with_passphrase(WORDS),
        refused(
            "passphrase_made_anew_new_salt",
            "slot",
            "a slot made by a reader with the author's words and another salt",
            anew(&forge.salt(OTHERS)),
        )
        .by(&[])
        .with_passphrase(WORDS),
    ]
}

/// A second factor, a private envelope, the passphrase alone.
fn beside_others() -> Vec<Case> {
    let second = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[]).or(WORDS)]);
    let second = second.signed(&ANN).forge("committed second factor");
    let private = Wish::locks(&[lock()]).private().signed(&ANN);
    let private = private.forge("committed private words");
    let alone = Wish::locks(&[Lock::of(1, &[]).or(WORDS)]).forge("committed words alone");
    let replaced = |forge: &Forge, lock| with_slot(forge, lock, OTHERS, &forge.salt(OTHERS));
    vec![
        opens(
            "passphrase_committed_second_factor",
            "a key and the author's words",
            second.honest(HELLO),
        )
        .with_passphrase(WORDS),
        refused(
            "passphrase_replaced_second_factor",
            "slot",
            "the second factor's slot was made by a reader",
            replaced(&second, 1),
        )
        .with_passphrase(OTHERS),
        opens(
            "passphrase_committed_private",
            "private, opened by the author's words",
            private.honest(HELLO),
        )
        .by(&[])
        .with_passphrase(WORDS),
        refused(
            "passphrase_replaced_private",
            "slot",
            "private, and a reader has made the passphrase's slot",
            replaced(&private, 0),
        )
        .by(&["eve"])
        .with_passphrase(OTHERS),
        refused(
            "passphrase_replaced_alone",
            "slot",
            "no recipients, and somebody who knows the words has replaced them",
            replaced(&alone, 0),
        )
        .by(&[])
        .with_passphrase(OTHERS),
    ]
}

/// The author commits to something else.
fn false_commitments() -> Vec<Case> {
    let forge = forge();
    let commit = member(&forge.policy, "passphrase_commit");
    let with =
        |commitment: &[u8]| forge.with_policy(forge.policy.replace(&commit, &to_b64(commitment)));
    let (salt, secret) = (forge.salt(WORDS), forge.secrets[0]);
    let case = |name: &str, comment: &str, commitment: &[u8]| {
        let name = format!("passphrase_commit_{name}");
        refused(&name, "slot", comment, with(commitment).honest(HELLO))
            .by(&[])
            .with_passphrase(WORDS)
    };
    let committed = commitment(&salt, WORDS, &secret);
    let mut last_bit = committed;
    last_bit[31] ^= 0x80;
    let false_one = with(&[7; 32]);
    vec![
        case("last_bit", "the highest bit of the last byte", &last_bit),
        case(
            "of_another_salt",
            "of the right words and another salt",
            &commitment(&forge.salt(OTHERS), WORDS, &secret),
        ),
        case(
            "of_other_words",
            "of other words",
            &commitment(&salt, OTHERS, &secret),
        ),
        case(
            "of_another_secret",
            "of another lock's secret",
            &commitment(&salt, WORDS, &[7; 32]),
        ),
        opens(
            "passphrase_commit_false_by_key",
            "a commitment to nothing, and a key opens it",
            false_one.honest(HELLO),
        )
        .with_passphrase(WORDS),
        opens(
            "passphrase_commit_false_private_by_key",
            "private: a commitment to nothing, and a key opens it",
            {
                let private = Wish::locks(&[lock()]).private().forge("false private");
                let commit = member(&private.policy, "passphrase_commit");
                let policy = private.policy.replace(&commit, &to_b64(&[7; 32]));
                private.with_policy(policy).honest(HELLO)
            },
        )
        .with_passphrase(WORDS),
    ]
}

/// Without `passphrase_commit`.
fn older() -> Vec<Case> {
    let old = old();
    let replaced = with_slot(&old, 0, OTHERS, &old.salt(OTHERS));
    let private = Wish::locks(&[lock().old()]).private().forge("old private");
    let second = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[]).or(WORDS).old()]);
    vec![
        unrecorded(
            "old_passphrase",
            "no commitment: nothing tells whose slot it is",
            old.honest(HELLO),
        )
        .by(&[])
        .with_passphrase(WORDS),
        opens(
            "old_passphrase_by_key",
            "no commitment, and a key opens it",
            old.honest(HELLO),
        )
        .with_passphrase(WORDS),
        unrecorded(
            "old_passphrase_replaced",
            "no commitment: a reader's slot opens like the author's",
            replaced.clone(),
        )
        .by(&[])
        .with_passphrase(OTHERS),
        refused(
            "old_passphrase_replaced_authors",
            "passphrase",
            "no commitment: the author's words do not open a reader's slot",
            replaced,
        )
        .by(&[])
        .with_passphrase(WORDS),
        unrecorded(
            "old_passphrase_private",
            "private, no commitment",
            private.honest(HELLO),
        )
        .by(&["eve"])
        .with_passphrase(WORDS),
        unrecorded(
            "old_passphrase_second_factor",
            "named by a key in the first lock: the worst counts",
            second.forge("old second factor").honest(HELLO),
        )
        .with_passphrase(WORDS),
    ]
}

/// Envelopes that the program wrote before the policy committed to passphrases.
fn by_older_programs() -> Vec<Case> {
    let either = include_bytes!("../data/old_key_or_passphrase.encl");
    let alone = include_bytes!("../data/old_passphrase_alone.encl");
    let private = include_bytes!("../data/old_private_passphrase.encl");
    vec![
        unrecorded(
            "old_program_passphrase",
            "written by an older program for Bob or a passphrase, and signed",
            either.to_vec(),
        )
        .by(&[])
        .with_passphrase(WORDS),
        opens(
            "old_program_key",
            "written by an older program for Bob or a passphrase, and signed",
            either.to_vec(),
        ),
        unrecorded(
            "old_program_alone",
            "written by an older program, for a passphrase alone, not signed",
            alone.to_vec(),
        )
        .by(&[])
        .with_passphrase(WORDS),
        unrecorded(
            "old_program_private",
            "written by an older program, private",
            private.to_vec(),
        )
        .by(&[])
        .with_passphrase(WORDS),
    ]
}

/// Cut from line 2, by somebody who cannot open it and by a reader.
fn line_2_changed() -> Vec<Case> {
    let forge = forge();
    let commit = member(&forge.policy, "passphrase_commit");
    let whole = format!(",\"passphrase_commit\":\"{commit}\"");
    let cut = String::from_utf8(edited(forge.policy.as_bytes(), &whole, "")).unwrap();
    let other = forge.policy.replace(&commit, &changed(&commit));
    let parts = Parts::of(&forge.honest(HELLO));
    let by_words = |name: &str, comment: &str, policy: &str| {
        refused(name, "passphrase", comment, parts.with_policy(policy))
            .by(&[])
            .with_passphrase(WORDS)
    };
    let by_reader = forge.with_policy(cut.clone());
    let unsigned = forge.message(&forge.data(HELLO)); // its signature is for the author's policy
    vec![
        by_words(
            "passphrase_commit_cut_by_outsider",
            "cut from line 2: the slot is sealed for another P",
            &cut,
        ),
        by_words(
            "passphrase_commit_changed_by_outsider",
            "a byte of the commitment is another: so is P",
            &other,
        ),
        refused(
            "passphrase_commit_cut_by_outsider_key",
            "slot",
            "cut from line 2: a key's slot is sealed for another P",
            parts.with_policy(cut.as_str()),
        ),
        Case::envelope(
            "passphrase_commit_cut_by_reader",
            "cut from line 2 by a reader who made all else again, but for the author's signature",
            by_reader.envelope(&super::forge::access(&by_reader.slots()), &unsigned),
        )
        .refused_after("signature", HELLO)
        .by(&[])
        .with_passphrase(WORDS),
    ]
}

fn forms() -> Vec<Case> {
    let forge = forge();
    let parts = Parts::of(&forge.honest(HELLO));
    let commit = member(&forge.policy, "passphrase_commit");
    let whole = format!("\"passphrase_commit\":\"{commit}\"");
    let case = |name: &str, class: &str, comment: &str, from: &str, to: &str| {
        let policy = edited(forge.policy.as_bytes(), from, to);
        let name = format!("passphrase_commit_{name}");
        refused(&name, class, comment, parts.with_policy(policy)).with_passphrase(WORDS)
    };
    let quorum = Wish::locks(&[Lock::of(2, &[&ANN, &BOB])]).forge("committed quorum");
    vec![
        case(
            "alone",
            "malformed",
            "the lock has no passphrase",
            "\"passphrase\":16,",
            "",
        ),
        case(
            "alone_and_unknown",
            "newer",
            "no passphrase, which is a rule between members, and an unknown member",
            "\"passphrase\":16,",
            "\"x\":1,",
        ),
        case(
            "31_bytes",
            "malformed",
            "a byte too few",
            &commit,
            &to_b64(&[7; 31]),
        ),
        case(
            "33_bytes",
            "malformed",
            "a byte too many",
            &commit,
            &to_b64(&[7; 33]),
        ),
        case(
            "not_canonical",
            "malformed",
            "base64 with a bit too many",
            &commit,
            &loosened(&commit),
        ),
        case(
            "a_number",
            "malformed",
            "a number for base64",
            &whole,
            "\"passphrase_commit\":16",
        ),
        case("empty", "malformed", "an empty text", &commit, ""),
        case(
            "twice",
            "malformed",
            "the same member twice",
            &whole,
            &format!("{whole},{whole}"),
        ),
        case(
            "in_the_policy",
            "newer",
            "a member of a lock, among those of the policy",
            "\"signed\"",
            &format!("{whole},\"signed\""),
        ),
        refused(
            "passphrase_commit_in_another_lock",
            "malformed",
            "the first lock has the commitment, the second one the passphrase",
            {
                let locks = [Lock::of(1, &[&BOB]), Lock::of(1, &[]).or(WORDS).old()];
                let two = Wish::locks(&locks).forge("committed elsewhere");
                let to = format!("\"need\":1,{whole}");
                let policy = edited(two.policy.as_bytes(), "\"need\":1", to);
                Parts::of(&two.honest(HELLO)).with_policy(policy)
            },
        )
        .with_passphrase(WORDS),
        refused(
            "passphrase_commit_in_a_quorum",
            "malformed",
            "two are needed",
            {
                let to = format!("\"need\":2,{whole}");
                let policy = edited(quorum.policy.as_bytes(), "\"need\":2", to);
                Parts::of(&quorum.honest(HELLO)).with_policy(policy)
            },
        )
        .by(&["ann", "bob"]),
        refused(
            "passphrase_committed_in_a_quorum",
            "malformed",
            "two are needed, and there is a passphrase with its commitment",
            {
                let to = format!("\"need\":2,\"passphrase\":16,{whole}");
                let policy = edited(quorum.policy.as_bytes(), "\"need\":2", to);
                Parts::of(&quorum.honest(HELLO)).with_policy(policy)
            },
        )
        .by(&["ann", "bob"]),
    ]
}

/// Identity files; readers do not ask who let them in.
fn identities() -> Vec<Case> {
    let at_rest = Lock::of(1, &[]).or(WORDS);
    let line = BOB.identity() + "\n";
    let forge = Wish::locks(std::slice::from_ref(&at_rest)).forge("committed at rest");
    let replaced = {
        let salt = forge.salt(OTHERS);
        let slot = forge.salted_slot(0, (OTHERS, &salt), &forge.secrets[0]);
        forge.with_slots(&[slot], line.as_bytes())
    };
    let old = Wish::locks(&[at_rest.old()]).forge("old at rest");
    let bob = BOB.root.id().0;
    vec![
        Case::identity(
            "at_rest_replaced_slot",
            "the passphrase's slot was replaced by somebody who could open it",
            replaced,
        )
        .with_passphrase(OTHERS)
        .refused("slot"),
        Case::identity(
            "at_rest_old",
            "written before the policy committed to the passphrase",
            old.honest(line.as_bytes()),
        )
        .of(bob)
        .with_passphrase(WORDS),
        Case::identity(
            "at_rest_old_program",
            "written by an older program",
            include_bytes!("../data/old_identity.encl").to_vec(),
        )
        .of(bob)
        .with_passphrase(WORDS),
    ]
}
