//! Envelopes that open.

use super::case::Case;
use super::edits::content;
use super::forge::{Lock, Wish, access, plain};
use super::people::{ANN, BOB, CAROL, DAVE, EVE, OLD_FRANK};

const HELLO: &[u8] = b"hello, encl\n";

pub(super) fn cases() -> Vec<Case> {
    [readers(), features(), sizes(), texts()]
        .into_iter()
        .flatten()
        .collect()
}

fn opens(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).opens(HELLO)
}

fn readers() -> Vec<Case> {
    let both = Wish::of(&[&BOB, &CAROL]).forge("both").honest(HELLO);
    let two = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&CAROL])]);
    let two = two.forge("two locks").honest(HELLO);
    let old = Wish::of(&[&OLD_FRANK]).forge("old key").honest(HELLO);
    let absent = Wish::of(&[&ANN, &BOB]).forge("no slot for Ann");
    let absent = absent.with_slots(&absent.slots()[1..], HELLO);
    let eight = Wish::locks(&vec![Lock::of(1, &[&BOB]); 8]);
    vec![
        opens(
            "one_recipient",
            "for Bob, not signed",
            plain().honest(HELLO),
        ),
        opens(
            "one_recipient_x_wing",
            "for Carol, whose key is X-Wing",
            Wish::of(&[&CAROL]).forge("carol").honest(HELLO),
        )
        .by(&["carol"]),
        opens(
            "two_recipients_first",
            "for Bob and Carol, opened by Bob",
            both.clone(),
        ),
        opens(
            "two_recipients_second",
            "for Bob and Carol, opened by Carol",
            both,
        )
        .by(&["carol"]),
        opens(
            "two_locks_one_reader",
            "two locks, and the reader has a key for each",
            two,
        )
        .by(&["carol", "bob"]),
        opens(
            "eight_locks",
            "as many locks as there may be, all for Bob",
            eight.forge("eight").honest(HELLO),
        ),
        opens(
            "second_identity_fits",
            "the first identity has no slot and is passed over",
            plain().honest(HELLO),
        )
        .by(&["eve", "bob"]),
        opens(
            "expired_key_still_opens",
            "sealed to Frank's old X25519 key, which his identity keeps",
            old,
        )
        .by(&["frank"]),
        opens(
            "recipient_without_slot",
            "Ann is named and has no slot; Bob's opens",
            absent,
        ),
    ]
}

fn features() -> Vec<Case> {
    let of_bob = || Wish::of(&[&BOB]);
    let make = |wish: Wish, seed| wish.forge(seed).honest(HELLO);
    let private = of_bob().private().forge("decoys");
    let mut decoys: Vec<_> = [&EVE, &CAROL, &DAVE]
        .iter()
        .map(|person| private.slot(0, person, &private.parts[0][0], ""))
        .collect();
    decoys.extend(private.slots());
    let marker = [b"x\x80\0\0".as_slice(), &[0x80, 0, 0, 0]].concat();
    let padded = of_bob().padded().forge("padded like padding");
    vec![
        opens(
            "signed",
            "signed by Ann",
            make(of_bob().signed(&ANN), "signed"),
        ),
        opens(
            "private",
            "private, not signed",
            make(of_bob().private(), "private"),
        ),
        opens(
            "private_x_wing",
            "private, for Carol",
            make(Wish::of(&[&CAROL]).private(), "private x-wing"),
        )
        .by(&["carol"]),
        opens(
            "private_signed",
            "private, signed by Ann",
            make(of_bob().private().signed(&ANN), "private signed"),
        ),
        opens(
            "private_with_decoys",
            "three slots for others stand before the reader's",
            private.with_slots(&decoys, HELLO),
        ),
        opens(
            "private_two_locks",
            "private, a lock for Bob and one for Carol",
            make(
                Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&CAROL])]).private(),
                "private two",
            ),
        )
        .by(&["bob", "carol"]),
        opens(
            "padded",
            "padme, not signed",
            make(of_bob().padded(), "padded"),
        ),
        opens(
            "padded_signed",
            "padme, signed",
            make(of_bob().padded().signed(&ANN), "padded signed"),
        ),
        opens(
            "private_padded_signed",
            "everything at once",
            make(of_bob().private().padded().signed(&ANN), "all"),
        ),
        Case::envelope(
            "padded_content_like_padding",
            "the content ends in 0x80 and zeros, twice",
            padded.honest(&marker),
        )
        .opens(&marker),
        Case::envelope(
            "padded_empty",
            "no content, padded and signed",
            of_bob()
                .padded()
                .signed(&ANN)
                .forge("padded empty")
                .honest(b""),
        )
        .opens(b""),
    ]
}

/// Sizes around the border of a chunk of M, which begins with `{}` and LF.
fn sizes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, comment, bytes) in [
        ("content_empty", "M has 3 bytes", 0),
        ("content_one_byte", "M has 4 bytes", 1),
        ("chunk_less_one", "M has 16,383 bytes: one chunk", 16_380),
        (
            "chunk_full",
            "M has 16,384 bytes: a full chunk and an empty one",
            16_381,
        ),
        (
            "chunk_and_one",
            "M has 16,385 bytes: a full chunk and one of 1 byte",
            16_382,
        ),
        (
            "chunks_two_full",
            "M has 32,768 bytes: two full chunks and an empty one",
            32_765,
        ),
    ] {
        let content = content(bytes);
        let envelope = Wish::of(&[&BOB]).forge("sizes").honest(&content);
        cases.push(Case::envelope(name, comment, envelope).opens(&content));
    }
    let short = content(16_384 - 3 - 20);
    let across = Wish::of(&[&BOB])
        .signed(&ANN)
        .forge("across")
        .honest(&short);
    cases.push(
        Case::envelope(
            "signature_across_chunks",
            "20 bytes of the signature in chunk 0, the rest in chunk 1",
            across,
        )
        .opens(&short),
    );
    let alone = content(16_384 - 3);
    let envelope = Wish::of(&[&BOB]).signed(&ANN).forge("alone").honest(&alone);
    cases.push(
        Case::envelope(
            "signature_alone_in_last_chunk",
            "chunk 1 is the signature and nothing else",
            envelope,
        )
        .opens(&alone),
    );
    let rest = &alone[1..];
    let of_bob = || Wish::of(&[&BOB]).padded();
    let ends = of_bob().forge("marker at border").honest(rest);
    let across = of_bob()
        .signed(&ANN)
        .forge("zeros behind border")
        .honest(rest);
    cases.extend([
        Case::envelope(
            "padding_ends_chunk",
            "the marker is the last byte of chunk 0, no zeros are due, chunk 1 is empty",
            ends,
        )
        .opens(rest),
        Case::envelope(
            "padding_across_chunks",
            "the marker is the last byte of chunk 0; zeros and signature are chunk 1",
            across,
        )
        .opens(rest),
    ]);
    cases
}

/// Lines 2 and 3 in other spellings, and with optional members.
fn texts() -> Vec<Case> {
    let with = |members: &str| {
        Wish::of(&[&BOB])
            .saying(members)
            .forge("members")
            .honest(HELLO)
    };
    let mut spaced = plain();
    spaced.policy = spaced.policy.replace(':', " : ").replace(',', " ,  ") + " ";
    spaced.policy = format!(" {}", spaced.policy.replace("T06 : 24 : 00Z", "T06:24:00Z"));
    let spaced_access = access(&spaced.slots()).replace(',', " , ") + "  ";
    let mut escaped = plain();
    escaped.policy = escaped
        .policy
        .replace("Bob\"", "B\\u006fb \\ud83d\\ude00 \\\"\\/\\\\\"");
    let mut reversed = plain();
    let (front, locks) = reversed.policy.split_once("\"locks\"").unwrap();
    let (front, locks) = (&front[1..front.len() - 1], &locks[..locks.len() - 1]);
    reversed.policy = format!("{{\"locks\"{locks},{front}}}");
    let mut bare = plain();
    bare.policy = bare.policy.replace(r#""address":"bob@example.org","#, "");
    let long = format!(
        r#""labels":{{"{}":"{}"}},"#,
        "n".repeat(64),
        "v".repeat(4_096)
    );
    let labels: Vec<_> = (0..64).map(|number| format!(r#""{number}":"x""#)).collect();
    let labels = format!(r#""labels":{{{}}},"#, labels.join(","));
    let mut wide = plain();
    wide.policy = wide
        .policy
        .replace("\"Bob\"", &format!("\"{}\"", "\u{e9}".repeat(128)));
    wide.policy = wide.policy.replace("bob@example.org", &"a".repeat(320));
    vec![
        opens(
            "labels_and_dates",
            "labels, not_before and expires, all fulfilled",
            with(
                r#""not_before":"2026-01-01T00:00:00Z","expires":"2027-01-01T00:00:00Z","labels":{"class":"internal","Häufigkeit":"täglich"},"#,
            ),
        ),
        opens(
            "label_as_long_as_may_be",
            "a name of 64 bytes, a value of 4,096",
            with(&long),
        ),
        opens("labels_as_many_as_may_be", "64 labels", with(&labels)),
        opens(
            "label_proto",
            "labels named as parts of every object of JavaScript",
            with(r#""labels":{"__proto__":"a","constructor":"b","toString":"c"},"#),
        ),
        opens(
            "name_as_long_as_may_be",
            "a name of 256 bytes, an address of 320 without an @",
            wide.honest(HELLO),
        ),
        opens(
            "no_address",
            "a recipient without an address",
            bare.honest(HELLO),
        ),
        opens(
            "spaces_between_tokens",
            "spaces in lines 2 and 3, in front and at the end too",
            spaced.envelope(&spaced_access, &spaced.message(&spaced.data(HELLO))),
        ),
        opens(
            "escapes_in_a_name",
            "JSON escapes, among them a surrogate pair",
            escaped.honest(HELLO),
        ),
        opens(
            "members_in_another_order",
            "locks first",
            reversed.honest(HELLO),
        ),
        opens(
            "at_not_before",
            "now is not_before: it opens",
            with(r#""not_before":"2026-11-24T12:00:00Z","#),
        ),
        opens(
            "second_before_expires",
            "one second is left",
            with(r#""expires":"2026-11-24T12:00:01Z","#),
        ),
        opens(
            "leap_day",
            "29 February of a leap year",
            with(r#""not_before":"2000-02-29T00:00:00Z","#),
        ),
    ]
}
