//! Locks that need several people: who opens them alone, together or with approvals, and the errors for all others.

use encl::envelope::{
    Admission, Class, Envelope, Holder, Keyring, NoRecord, OpenError, Quorum, Unusable,
};

use crate::kit::{
    Keys, NOW, Outcome, Person, approved, open, open_with, opens, quorum, refused, request, rng,
    sealed, time,
};

const CONTENT: &[u8] = b"for several pairs of eyes";

fn people(count: usize) -> Vec<Person> {
    (0..count)
        .map(|i| Person::classic(&format!("P{i}")))
        .collect()
}

/// An envelope for a quorum of these people, and no other reader.
fn of_quorum(need: u8, people: &[&Person], private: bool) -> Vec<u8> {
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(need, people)];
    wish.private = private;
    sealed(&wish, CONTENT)
}

fn error(envelope: &[u8], keys: &mut Keys) -> OpenError {
    let opened = Envelope::read(envelope).and_then(|envelope| envelope.unlock(keys, time(NOW)));
    opened.err().expect("it must not open")
}

fn missing(envelope: &[u8], keys: &mut Keys) -> Quorum {
    match error(envelope, keys) {
        OpenError::Quorum(quorum) => *quorum,
        other => panic!("{other}"),
    }
}

#[test]
fn exactly_the_qualified_sets_open_from_1_of_1_to_5_of_5() {
    let everybody = people(5);
    let mut sets = 0;
    for (need, of) in (1..=5_u8).flat_map(|of| (1..=of).map(move |need| (need, of))) {
        let holders: Vec<_> = everybody[..usize::from(of)].iter().collect();
        for private in [false, true] {
            let envelope = of_quorum(need, &holders, private);
            for set in 0_u32..1 << of {
                let chosen: Vec<_> = (0..holders.len())
                    .filter(|at| set >> at & 1 == 1)
                    .map(|at| holders[at])
                    .collect();
                let what = format!("{need} of {of}, set {set:b}, private {private}");
                let mut keys = Keys::of(&chosen);
                if chosen.len() >= usize::from(need) {
                    let admission = opens(&envelope, &mut keys, CONTENT, &what);
                    assert_eq!(admission, Admission::Named, "{what}");
                } else if chosen.is_empty() {
                    refused(&envelope, &mut keys, Class::NoKey, &what);
                } else {
                    refused(&envelope, &mut keys, Class::Quorum, &what);
                }
                sets += 1;
            }
        }
    }
    assert_eq!(sets, 2 * (2 + 2 * 4 + 3 * 8 + 4 * 16 + 5 * 32));
}

#[test]
fn any_2_of_100_open_and_no_1() {
    let everybody = people(100);
    let holders: Vec<_> = everybody.iter().collect();
    let envelope = of_quorum(2, &holders, false);
    for (at, one) in holders.iter().enumerate() {
        refused(&envelope, &mut Keys::of(&[one]), Class::Quorum, "one alone");
        for step in [1, 2, 37, 99] {
            let other = holders[(at + step) % 100];
            opens(&envelope, &mut Keys::of(&[one, other]), CONTENT, "two");
        }
    }
}

#[test]
fn approvals_count_as_slots_of_mine() {
    let everybody = people(5);
    let holders: Vec<_> = everybody.iter().collect();
    let outsider = Person::classic("Outsider");
    for private in [false, true] {
        let envelope = of_quorum(3, &holders, private);
        let to = |reader: &Person, from: &[usize]| -> Vec<_> {
            let each = |at: &usize| approved(&envelope, 0, holders[*at], reader).unwrap();
            from.iter().flat_map(each).collect()
        };
        let opens_with = |reader: &Person, from: &[usize]| {
            let outcome = open_with(&envelope, &mut Keys::of(&[reader]), &to(reader, from));
            assert!(outcome.class.is_some() || outcome.released == CONTENT);
            (outcome.class, outcome.admission)
        };
        let named = (None, Some(Admission::Named));
        assert_eq!(opens_with(holders[0], &[1, 4]), named);
        assert_eq!(opens_with(holders[0], &[4, 3, 2, 1]), named);
        assert_eq!(opens_with(holders[0], &[1]).0, Some(Class::Quorum));
        assert_eq!(
            opens_with(holders[0], &[1, 1]).0,
            Some(Class::Quorum),
            "one share twice"
        );
        assert_eq!(
            opens_with(holders[0], &[0, 1]).0,
            Some(Class::Quorum),
            "my own share again"
        );
        // No policy names the outsider: three holders admitted him.
        assert_eq!(
            opens_with(&outsider, &[0, 1, 2]),
            (None, Some(Admission::Unrecorded(NoRecord::OfKey)))
        );
        assert_eq!(opens_with(&outsider, &[0, 1]).0, Some(Class::Quorum));
        assert_eq!(opens_with(&outsider, &[]).0, Some(Class::NoKey));
    }
}

#[test]
fn finance_and_legal_need_each_other() {
    let everybody = people(4);
    let [ann, bob, carol, dave] = [0, 1, 2, 3].map(|at| &everybody[at]);
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(1, &[ann, bob]), quorum(2, &[bob, carol, dave])];
    for private in [false, true] {
        wish.private = private;
        let envelope = sealed(&wish, CONTENT);
        let class = |who: &[&Person]| open(&envelope, &mut Keys::of(who)).class;
        assert_eq!(class(&[ann]), Some(Class::Quorum), "legal is missing");
        assert_eq!(
            class(&[ann, carol]),
            Some(Class::Quorum),
            "half of legal is missing"
        );
        assert_eq!(
            class(&[carol, dave]),
            Some(Class::Quorum),
            "finance is missing"
        );
        assert_eq!(
            class(&[bob]),
            Some(Class::Quorum),
            "he is in both, and one of two"
        );
        assert_eq!(class(&[ann, carol, dave]), None);
        assert_eq!(class(&[bob, carol]), None);

        // Approvals with the whole secret of finance and with shares of legal.
        let approvals = [
            approved(&envelope, 0, bob, dave).unwrap(),
            approved(&envelope, 1, bob, dave).unwrap(),
        ]
        .concat();
        let Outcome {
            class, admission, ..
        } = open_with(&envelope, &mut Keys::of(&[dave]), &approvals);
        assert_eq!((class, admission), (None, Some(Admission::Named)));
        assert!(
            approved(&envelope, 0, carol, dave).is_err(),
            "Carol has nothing of finance"
        );
        assert!(
            approved(&envelope, 2, carol, dave).is_err(),
            "there is no third lock"
        );
    }
}

#[test]
fn the_error_names_given_shares_possible_holders_and_how_many_are_missing() {
    let everybody = people(4);
    let holders: Vec<_> = everybody.iter().collect();
    let names = |people: &[Holder]| people.iter().map(Holder::to_string).collect::<Vec<_>>();
    let one_share = missing(&of_quorum(3, &holders, false), &mut Keys::of(&[holders[2]]));
    assert_eq!(
        (one_share.need, one_share.of, one_share.missing()),
        (3, 4, 2)
    );
    assert_eq!(names(&one_share.given), ["P2"]);
    assert_eq!(names(&one_share.could), ["P0", "P1", "P3"]);
    assert_eq!(
        one_share.to_string(),
        "lock 0 needs 3 of 4 people together: P2 gave a share, 2 more needed: P0, P1, P3"
    );
    let hidden = missing(
        &of_quorum(3, &holders, true),
        &mut Keys::of(&[holders[2], holders[0]]),
    );
    assert_eq!((hidden.of, hidden.missing(), hidden.could.len()), (4, 1, 0));
    assert_eq!(hidden.given, [Holder::Share(3), Holder::Share(1)]);

    let mut wish = request(&[holders[0]], None);
    wish.locks.push(quorum(2, &holders[1..]));
    let none = missing(&sealed(&wish, CONTENT), &mut Keys::of(&[holders[0]]));
    assert_eq!(
        (none.lock, none.missing(), names(&none.given).len()),
        (1, 2, 0)
    );
    assert_eq!(names(&none.could), ["P1", "P2", "P3"]);
}

#[test]
fn useless_approvals_are_skipped_and_reported() {
    let everybody = people(3);
    let [ann, bob, carol] = [0, 1, 2].map(|at| &everybody[at]);
    let [this, other] = [0; 2].map(|_| of_quorum(2, &[ann, bob, carol], false));
    let useful = approved(&this, 0, bob, ann).unwrap().remove(0);
    let elsewhere = approved(&other, 0, bob, ann).unwrap().remove(0);
    let for_carol = approved(&this, 0, bob, carol).unwrap().remove(0);
    let envelope = Envelope::read(&*this).unwrap();
    let keys = Keys::of(&[ann]).keys();
    let usable = |approval: &encl::envelope::Approval| approval.usable(envelope.manifest(), &keys);
    assert_eq!(usable(&useful), Ok(()));
    assert_eq!(
        usable(&elsewhere),
        Err(Unusable::OtherEnvelope(elsewhere.envelope()))
    );
    assert_eq!(usable(&for_carol), Err(Unusable::NotForYou));
    let mut keys = Keys::of(&[ann]);
    let useless = [elsewhere, for_carol];
    assert_eq!(
        open_with(&this, &mut keys, &useless).class,
        Some(Class::Quorum)
    );
    let all = [&useless[..], &[useful]].concat();
    assert_eq!(open_with(&this, &mut keys, &all).class, None);
}

#[test]
fn the_dates_also_apply_to_approvals() {
    let everybody = people(2);
    let [ann, bob] = [0, 1].map(|at| &everybody[at]);
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(2, &[ann, bob])];
    wish.conditions.expires = Some(time("2026-11-24T00:00:00Z"));
    let envelope = sealed(&wish, CONTENT);
    let error = approved(&envelope, 0, ann, bob).unwrap_err();
    assert_eq!(error.class(), Some(Class::Refused));
}

#[test]
fn the_writer_refuses_impossible_quorums() {
    let everybody = people(3);
    let holders: Vec<_> = everybody.iter().collect();
    let passphrase = encl::crypto::passphrase::Passphrase::new("correct horse").unwrap();
    let refused = |lock: encl::envelope::LockRequest<'_>| {
        let mut wish = request(&[], None);
        wish.locks = vec![lock];
        let mut out = Vec::new();
        let error = encl::envelope::seal(&wish, &mut &*CONTENT, &mut out, &mut rng()).unwrap_err();
        assert!(
            matches!(error, encl::envelope::SealError::Request(_)),
            "{error}"
        );
        assert!(out.is_empty());
    };
    refused(quorum(4, &holders));
    refused(quorum(0, &holders));
    refused(quorum(2, &[]));
    refused(quorum(2, &[holders[0], holders[0]]));
    let mut twice = quorum(2, &holders);
    twice.recipients[0].recipient.id = twice.recipients[1].recipient.id;
    refused(twice);
    let mut with_passphrase = quorum(2, &holders);
    with_passphrase.passphrase = Some(crate::kit::cheap(&passphrase));
    refused(with_passphrase);
    let many = people(256);
    refused(quorum(2, &many.iter().collect::<Vec<_>>()));
}
