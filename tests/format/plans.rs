//! Plans: the changes that give exactly the right people access.

use encl::crypto::Secret;
use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::{RootId, SigningKey};
use encl::envelope::{
    Action, Addressee, Change, CurrentAccess, DesiredAccess, Envelope, KeyDirectory,
    Person as Contact, Removals,
};
use encl::policy::{Opens, Policy};

use crate::kit::{
    Keys, NOW, Person, cheap, people, quorum, request, rewriting, rng, sealed, time, written,
};

const CONTENT: &[u8] = b"for the team";

fn known(person: &Person, older: &[&Person]) -> Contact {
    let keys = older
        .iter()
        .chain([&person])
        .map(|person| person.key_id())
        .collect();
    Contact {
        current: person.addressee(),
        keys,
    }
}

fn all(people: &[Contact]) -> KeyDirectory {
    KeyDirectory::new(people.to_vec())
}

fn removal(id: RootId) -> Removals {
    Removals {
        people: [id].into(),
        ..Removals::default()
    }
}

/// The same person with a new key.
fn rotated(person: &Person) -> Person {
    let key = Person::classic("new key").key;
    Person {
        name: person.name.clone(),
        root: SigningKey::new(Secret::new(*person.root.seed().expose())),
        key,
    }
}

/// The plan in short form: `+` joins, `*` has a new key, `-` leaves, `?` a passphrase that is not recorded.
fn planned(
    envelope: &[u8],
    wish: DesiredAccess<'_>,
    people: &[Contact],
    me: &Person,
) -> (Action, Vec<String>) {
    let envelope = Envelope::read(envelope).unwrap();
    let content = envelope
        .unlock(&mut Keys::of(&[me]), time(NOW))
        .unwrap()
        .into_metadata();
    let present = CurrentAccess {
        policy: &content.manifest.policy,
        readers: &content.readers(),
        signer: content.signer(),
    };
    let plan = present.plan(wish, &all(people), Some(me.root.id()));
    let is_lost =
        plan.action == Action::Reseal && content.signer().is_some_and(|by| by != me.root.id());
    assert_eq!(plan.signature_lost.is_some(), is_lost);
    let name = |sign: &str, one: &Addressee| format!("{sign}{}", one.recipient.name);
    let change = |change: &Change| match change {
        Change::Added(_, one) => name("+", one),
        Change::NewKey(_, one) => name("*", one),
        Change::Passphrase(lock) => format!("?{lock}"),
        Change::Removed(_, reader) => {
            format!(
                "-{}",
                reader.person.as_ref().map_or("?", |person| &person.name)
            )
        }
    };
    (plan.action, plan.changes.iter().map(change).collect())
}

#[test]
fn a_plan_adds_slots_if_possible_and_seals_again_if_a_person_leaves() {
    let [ann, bob, carol, dave] = people();
    let new_bob = rotated(&bob);
    let envelope = sealed(&request(&[&ann, &bob, &carol], Some(&ann.root)), CONTENT);
    let team = [
        known(&ann, &[]),
        known(&new_bob, &[&bob]),
        known(&carol, &[]),
        known(&dave, &[]),
    ];
    let plan = |envelope: &[u8], wish: DesiredAccess<'_>, me: &Person| {
        let (action, changes) = planned(envelope, wish, &team, me);
        (action, changes.join(" "))
    };
    let is = |action: Action, changes: &str| (action, changes.to_owned());
    assert_eq!(
        plan(&envelope, DesiredAccess::CurrentKeys, &ann),
        is(Action::Add, "*P1")
    );
    assert_eq!(
        plan(&envelope, DesiredAccess::Exactly(0, &all(&team)), &ann),
        is(Action::Add, "*P1 +P3")
    );
    assert_eq!(
        plan(&envelope, DesiredAccess::Exactly(0, &all(&team[..2])), &ann),
        is(Action::Reseal, "-P2 *P1")
    );
    assert_eq!(
        plan(
            &envelope,
            DesiredAccess::Without(&removal(carol.root.id())),
            &ann
        ),
        is(Action::Reseal, "*P1 -P2")
    );
    assert_eq!(
        plan(
            &envelope,
            DesiredAccess::Without(&removal(dave.root.id())),
            &bob
        ),
        is(Action::Add, "*P1")
    );
    assert_eq!(
        plan(
            &envelope,
            DesiredAccess::Without(&removal(carol.root.id())),
            &bob
        )
        .0,
        Action::Reseal
    );

    // Named by a new policy: sealed again if one of them gets a slot, else nothing is done.
    let with = |people: &[Contact], me| plan(&envelope, DesiredAccess::With(0, &all(people)), me);
    assert_eq!(with(&team[3..], &ann), is(Action::Reseal, "*P1 +P3"));
    assert_eq!(with(&team[1..2], &ann), is(Action::Reseal, "*P1"));
    assert_eq!(with(&team[..1], &ann), is(Action::Nothing, ""));
    assert_eq!(with(&team[3..], &bob).0, Action::Reseal);

    // After the change nothing is left to do, and a person who rotated can use either key.
    let mut adding = rewriting(&envelope, &[&ann]);
    for reader in [&new_bob, &dave] {
        adding
            .grant(
                &reader.addressee(),
                None,
                (&ann.root, time(NOW)),
                &mut rng(),
            )
            .unwrap();
    }
    let added = written(adding);
    assert_eq!(
        plan(&added, DesiredAccess::Exactly(0, &all(&team)), &ann),
        is(Action::Nothing, "")
    );
    assert_eq!(
        plan(&added, DesiredAccess::CurrentKeys, &new_bob),
        is(Action::Nothing, "")
    );
    assert_eq!(
        plan(&added, DesiredAccess::Exactly(0, &all(&team[..3])), &ann),
        is(Action::Reseal, "-P3"),
        "who was let in leaves too"
    );
}

#[test]
fn a_dropped_reader_may_have_kept_the_key() {
    let [ann, bob, carol] = people();
    let envelope = sealed(&request(&[&ann, &bob, &carol], Some(&ann.root)), CONTENT);
    let mut dropping = rewriting(&envelope, &[&ann]);
    dropping.remove_slots(&[bob.key_id()].into(), None).unwrap();
    let dropped = written(dropping);
    let [ann_and_carol, everybody] = [&[&ann, &carol][..], &[&ann, &bob, &carol]].map(|team| {
        team.iter()
            .map(|person| known(person, &[]))
            .collect::<Vec<_>>()
    });
    let plan = |wish: DesiredAccess<'_>| {
        let (action, changes) = planned(&dropped, wish, &everybody, &ann);
        (action, changes.join(" "))
    };
    let leaves = (Action::Reseal, "-P1".to_owned());
    assert_eq!(
        plan(DesiredAccess::Without(&removal(bob.root.id()))),
        leaves
    );
    assert_eq!(
        plan(DesiredAccess::Exactly(0, &all(&ann_and_carol))),
        leaves
    );
    assert_eq!(
        plan(DesiredAccess::Exactly(0, &all(&everybody))),
        (Action::Add, "+P1".to_owned())
    );
    assert_eq!(
        plan(DesiredAccess::CurrentKeys),
        (Action::Nothing, String::new()),
        "he is not let in again"
    );
}

#[test]
fn in_private_envelopes_and_quorums_most_changes_seal_again() {
    let [ann, bob, carol] = people();
    let (new_ann, new_bob) = (rotated(&ann), rotated(&bob));
    let mut wish = request(&[&ann, &bob], None);
    wish.private = true;
    let private = sealed(&wish, CONTENT);
    let rotated_bob = [known(&ann, &[]), known(&new_bob, &[&bob])];
    let same = [known(&ann, &[]), known(&bob, &[])];
    assert_eq!(
        planned(&private, DesiredAccess::CurrentKeys, &rotated_bob, &ann).0,
        Action::Reseal
    );
    assert_eq!(
        planned(&private, DesiredAccess::CurrentKeys, &same, &ann).0,
        Action::Nothing
    );

    wish.private = false;
    wish.locks.push(quorum(2, &[&ann, &bob, &carol]));
    let with_quorum = sealed(&wish, CONTENT);
    let plan = |people: &[Contact]| {
        let manifest = Envelope::read(&*with_quorum).unwrap();
        let manifest = manifest.manifest();
        let present = CurrentAccess {
            policy: &manifest.policy,
            readers: &manifest.readers(),
            signer: None,
        };
        present.plan(
            DesiredAccess::CurrentKeys,
            &all(people),
            Some(ann.root.id()),
        )
    };
    let by_ann = plan(&[
        known(&new_ann, &[&ann]),
        known(&bob, &[]),
        known(&carol, &[]),
    ]);
    assert_eq!(
        (by_ann.action, by_ann.changes.len()),
        (Action::Add, 2),
        "her own share to her own new key"
    );
    let for_bob = plan(&[known(&ann, &[]), known(&new_bob, &[&bob])]);
    assert_eq!(
        for_bob.action,
        Action::Reseal,
        "nobody else has Bob's share"
    );
    assert_eq!(
        for_bob.remaining[1].unknown.len(),
        1,
        "and Carol is not known"
    );
    assert_eq!(
        (for_bob.remaining[1].need, for_bob.remaining[1].people.len()),
        (2, 2)
    );
}

#[test]
fn a_passphrase_of_an_older_program_is_recorded_by_its_author() {
    let [ann, bob, _] = people();
    let words = Passphrase::new("correct horse").unwrap();
    let both = [known(&ann, &[]), known(&bob, &[])];
    let nothing = || (Action::Nothing, 0);
    for signer in [Some(&ann.root), None] {
        let mut wish = request(&[&ann, &bob], signer);
        wish.locks[0].passphrase = Some(cheap(&words));
        let envelope = sealed(&wish, CONTENT);
        let manifest = Envelope::read(&*envelope).unwrap();
        let manifest = manifest.manifest();
        let mut policy = manifest.policy.clone();
        let plan = |policy: &Policy, wish: DesiredAccess<'_>, me: &Person| {
            let current = CurrentAccess {
                policy,
                readers: &manifest.readers(),
                signer: signer.map(SigningKey::id),
            };
            let plan = current.plan(wish, &all(&both), Some(me.root.id()));
            (plan.action, plan.changes.len())
        };
        let exactly = all(&both);
        let wishes = [
            DesiredAccess::CurrentKeys,
            DesiredAccess::Exactly(0, &exactly),
        ];
        for wish in wishes {
            assert_eq!(plan(&policy, wish, &ann), nothing(), "it is recorded");
        }
        if let Opens::Recipients {
            passphrase_commit, ..
        } = &mut policy.locks[0].opens
        {
            *passphrase_commit = None;
        }
        for wish in wishes {
            let due = (Action::Reseal, 1);
            assert_eq!(plan(&policy, wish, &ann), due);
            let by_another = plan(&policy, wish, &bob);
            let due = if signer.is_some() { nothing() } else { due };
            assert_eq!(by_another, due, "only Ann knows what she meant");
        }
    }
}
