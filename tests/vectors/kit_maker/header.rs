//! Steps 6 and 7: line 4, the times.

use super::case::Case;
use super::edits::{Parts, changed, edited, flipped, member};
use super::forge::{Forge, Wish, access};
use super::people::{BOB, CAROL, DAVE, EVE};

const HELLO: &[u8] = b"hello, encl\n";

pub(super) fn cases() -> Vec<Case> {
    [header(), times()].into_iter().flatten().collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

/// Step 6: changes of line 3 or 4 without the content key.
fn header() -> Vec<Case> {
    let forge = Wish::of(&[&BOB, &CAROL]).forge("header");
    let parts = Parts::of(&forge.honest(HELLO));
    let slots = forge.slots();
    let newcomer = forge.granted(0, &DAVE, &[7; 32], &EVE);
    let case = |name: &str, comment: &str, bytes: Vec<u8>| refused(name, "header", comment, bytes);
    let line = |slots: &[String]| parts.with_access(access(slots));
    let mac = String::from_utf8(parts.mac.clone()).unwrap();
    let granted = [
        slots.clone(),
        vec![forge.granted(0, &DAVE, &forge.parts[0][0], &BOB)],
    ]
    .concat();
    let grant_edited = Parts::of(&forge.with_slots(&granted, HELLO));
    let tampered_payload = flipped(&parts.payload, 60);
    vec![
        case(
            "mac_changed",
            "a byte of line 4 is another",
            parts.with_mac(changed(&mac)),
        ),
        case(
            "mac_of_another_envelope",
            "line 4 of another envelope for the same people",
            {
                let other = Wish::of(&[&BOB, &CAROL]).forge("header of another");
                parts.with_mac(Parts::of(&other.honest(HELLO)).mac)
            },
        ),
        case(
            "access_slot_of_another_removed",
            "Carol's slot is gone",
            line(&slots[..1]),
        ),
        case(
            "access_slot_added",
            "a slot for Dave by somebody who cannot open the envelope",
            line(&[slots.clone(), vec![newcomer]].concat()),
        ),
        case(
            "access_slots_reordered",
            "Carol's slot stands first",
            line(&[slots[1].clone(), slots[0].clone()]),
        ),
        case(
            "access_space_added",
            "a space at the end of line 3",
            parts.with_access([&parts.access[..], b" "].concat()),
        ),
        case(
            "access_slot_of_another_changed",
            "a byte of Carol's ct is another",
            {
                let ct = member(&slots[1], "ct");
                line(&[slots[0].clone(), slots[1].replace(&ct, &changed(&ct))])
            },
        ),
        case(
            "access_grant_edited",
            "the newcomer has another name",
            grant_edited.with_access(edited(&grant_edited.access, "\"Dave\"", "\"Boss\"")),
        ),
        case(
            "header_before_payload",
            "line 4 and the payload are wrong: line 4 comes first",
            [
                parts.clone().with_mac(changed(&mac))[..parts.head().len()].to_vec(),
                tampered_payload,
            ]
            .concat(),
        ),
        case(
            "header_before_times",
            "line 4 is wrong, and it is too late",
            {
                let late = Wish::of(&[&BOB])
                    .saying("\"expires\":\"2026-01-01T00:00:00Z\",")
                    .forge("late header");
                let parts = Parts::of(&late.honest(HELLO));
                let mac = String::from_utf8(parts.mac.clone()).unwrap();
                parts.with_mac(changed(&mac))
            },
        ),
    ]
}

/// Step 7.
fn times() -> Vec<Case> {
    let with = |members: &str| Wish::of(&[&BOB]).saying(members).forge("times");
    let until = with(r#""expires":"2026-11-24T12:00:00Z","#);
    let from = with(r#""not_before":"2026-11-24T12:00:00Z","#);
    let never = with(r#""not_before":"2027-01-01T00:00:00Z","expires":"2026-01-01T00:00:00Z","#);
    let case = |name: &str, comment: &str, forge: &Forge| {
        refused(name, "refused", comment, forge.honest(HELLO))
    };
    vec![
        case("second_before_not_before", "one second too early", &from).at("2026-11-24T11:59:59Z"),
        case("at_expires", "now is expires: it does not open", &until),
        case(
            "long_after_expires",
            "in the last year that there is",
            &until,
        )
        .at("9999-12-31T23:59:59Z"),
        case(
            "expires_before_not_before",
            "well-formed, and never opens",
            &never,
        )
        .at("2026-06-01T00:00:00Z"),
        refused(
            "times_before_payload",
            "refused",
            "too late, and the payload is cut off",
            until.head(&access(&until.slots())),
        ),
        refused(
            "no_key_before_times",
            "no-key",
            "too late, and not for Eve",
            until.honest(HELLO),
        )
        .by(&["eve"]),
    ]
}
