use super::super::tests::{add, card, keystore, now, person};
use super::super::{
    AcceptOutcome, AddedBy, Adoption, IdentityExport, ImportOutcome, Standing, StoredSecret,
};
use super::*;
use crate::crypto::Kem;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::identity::{CardRequest, IdentityError, KEYS_MAX, Predecessor};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

const ALICE: &str = "alice@example.org";

/// What stands in the clear.
fn plain(keystore: &Keystore, id: &RootId) -> Identity {
    match keystore.secret(id).unwrap() {
        StoredSecret::Plain(identity) => identity,
        StoredSecret::Locked(_) => panic!("it is locked"),
    }
}

/// A copy of an identity.
fn again(identity: &Identity) -> Identity {
    Identity::from_line(&identity.to_line()).unwrap()
}

fn rotated(identity: &Identity) -> Identity {
    let mut identity = again(identity);
    identity
        .rotate(Kem::X25519, now(), None, &mut UnwrapErr(SysRng))
        .unwrap();
    identity
}

fn change(
    keystore: &Keystore,
    identity: &Identity,
    protection: Protection<'_>,
    card: Option<&Card>,
) -> Result<(), KeystoreError> {
    let before = keystore.secret_state(&identity.id())?;
    let change = IdentityChange {
        identity,
        protection,
        card,
    };
    keystore.change_identity(before, &change, &mut UnwrapErr(SysRng))
}

#[test]
fn a_passphrase_is_put_on_changed_and_taken_off() {
    let (_folder, keystore) = keystore();
    let alice = person(ALICE);
    add(&keystore, &alice, Protection::Plain).unwrap();
    let id = alice.0.id();
    let words = ["one", "two"].map(|text| Passphrase::new(text).unwrap());
    for passphrase in &words {
        let locked = Protection::Passphrase(passphrase, Cost::DEFAULT);
        change(&keystore, &alice.0, locked, None).unwrap();
        let StoredSecret::Locked(locked) = keystore.secret(&id).unwrap() else {
            panic!("it is not locked")
        };
        assert_eq!(locked.cost(), Cost::DEFAULT);
        for other in &words {
            let opened = locked.unlock(other).is_ok();
            assert_eq!(opened, std::ptr::eq(other, passphrase));
        }
    }
    change(&keystore, &alice.0, Protection::Plain, None).unwrap();
    assert_eq!(*plain(&keystore, &id).to_line(), *alice.0.to_line());
}

#[test]
fn a_change_of_what_another_run_changed_is_refused() {
    let (_folder, keystore) = keystore();
    let alice = person(ALICE);
    add(&keystore, &alice, Protection::Plain).unwrap();
    let before = keystore.secret_state(&alice.0.id()).unwrap();
    let later = rotated(&alice.0);
    let second = card(&later, ALICE, 2);
    change(&keystore, &later, Protection::Plain, Some(&second)).unwrap();
    let stale = IdentityChange {
        identity: &alice.0,
        protection: Protection::Plain,
        card: None,
    };
    let refused = keystore.change_identity(before, &stale, &mut UnwrapErr(SysRng));
    assert!(matches!(refused, Err(KeystoreError::Changed)));
    assert_eq!(plain(&keystore, &alice.0.id()).keys().len(), 2);
    let earlier = change(&keystore, &later, Protection::Plain, Some(&alice.1));
    assert!(matches!(earlier, Err(KeystoreError::OlderCard { .. })));
}

#[test]
fn keys_are_merged_by_serial_and_none_is_lost() {
    let (first, _) = person(ALICE);
    let (ours, theirs) = (rotated(&first), rotated(&first));
    let mut merged = again(&first);
    assert_eq!(merged.merge(again(&ours)), Ok(true));
    assert_eq!(merged.merge(again(&ours)), Ok(false));
    assert_eq!(merged.merge(again(&first)), Ok(false));
    assert_eq!(merged.merge(theirs), Err(IdentityError::Differs(2)));
    assert_eq!(merged.keys().len(), 2);
    assert_eq!(merged.merge(person(ALICE).0), Err(IdentityError::Id));
    while merged.keys().len() < KEYS_MAX {
        merged = rotated(&merged);
    }
    let full = merged.rotate(Kem::X25519, now(), None, &mut UnwrapErr(SysRng));
    assert_eq!(full, Err(IdentityError::Full));
}

#[test]
fn an_identity_that_was_revoked_signs_no_more_and_frees_its_address() {
    let (_folder, keystore) = keystore();
    let (old, new) = (person(ALICE), person(ALICE));
    add(&keystore, &old, Protection::Plain).unwrap();
    let revocation = keystore.revocation(&old.0.id()).unwrap();
    assert_eq!(revocation.id(), old.0.id());
    keystore.mark_revoked(&old.0.id()).unwrap();
    assert!(!keystore.identities().unwrap()[0].is_default);
    add(&keystore, &new, Protection::Plain).unwrap();
    let identities = keystore.identities().unwrap();
    let standings: Vec<_> = identities
        .iter()
        .map(|one| (one.card.id(), one.standing, one.is_default))
        .collect();
    assert_eq!(
        standings,
        [
            (new.0.id(), Standing::Active, true),
            (old.0.id(), Standing::Revoked, false)
        ]
    );
    assert_eq!(plain(&keystore, &old.0.id()).id(), old.0.id());
}

/// A new identity in the place of `old`.
fn successor(old: &Identity) -> (Identity, Card) {
    let (new, _) = person(ALICE);
    let request = CardRequest {
        name: ALICE.into(),
        addresses: vec![ALICE.into()],
        serial: 1,
        created: now(),
    };
    let card = Card::replacing(&new, request, &[Predecessor::new(old, new.id())]).unwrap();
    (new, card)
}

#[test]
fn a_successor_takes_the_place_in_one_step() {
    let (_folder, keystore) = keystore();
    let old = person(ALICE);
    add(&keystore, &old, Protection::Plain).unwrap();
    let (second, second_card) = successor(&old.0);
    add(&keystore, &(again(&second), second_card), Protection::Plain).unwrap();
    let third = successor(&second);
    add(&keystore, &third, Protection::Plain).unwrap();
    let identities = keystore.identities().unwrap();
    assert_eq!(identities[0].card.id(), third.0.id());
    assert!(identities[0].is_default);
    let mut former: Vec<_> = identities[1..].iter().map(|one| one.standing).collect();
    former.sort_by_key(|standing| *standing == Standing::Replaced(second.id()));
    let replaced = [third.0.id(), second.id()].map(Standing::Replaced);
    assert_eq!(former, replaced);
}

#[test]
fn contacts_and_groups_follow_a_successor_and_nobody_else() {
    let (_folder, keystore) = keystore();
    let old = person(ALICE);
    let accept = |card: &Card| keystore.accept(card, AddedBy::Added, now());
    accept(&old.1).unwrap();
    let members = super::super::Group {
        address: None,
        members: [old.0.id()].into(),
        ..Default::default()
    };
    keystore.new_group("friends", &members).unwrap();
    let stranger = accept(&person(ALICE).1);
    assert!(matches!(stranger, Err(KeystoreError::KeyChanged { .. })));
    let (new, new_card) = successor(&old.0);
    assert_eq!(accept(&new_card).unwrap(), AcceptOutcome::Successor);
    assert!(keystore.contact(&old.0.id()).unwrap().is_none());
    let group = keystore.group("friends").unwrap().unwrap();
    assert!(group.members.iter().eq([&new.id()]));
    assert_eq!(accept(&new_card).unwrap(), AcceptOutcome::Known);
    let back = accept(&old.1);
    assert!(matches!(back, Err(KeystoreError::KeyChanged { .. })));
}

#[test]
fn whoever_is_blocked_or_revoked_names_no_successor() {
    let (folder, keystore) = keystore();
    let keystore = keystore.with_state(folder.path().join("state"));
    let accept = |card: &Card| keystore.accept(card, AddedBy::Added, now());
    let old = person(ALICE);
    accept(&old.1).unwrap();
    keystore.block_contact(&old.0.id(), now()).unwrap();
    let (_, new_card) = successor(&old.0);
    for _ in 0..2 {
        let refused = accept(&new_card);
        assert!(matches!(refused, Err(KeystoreError::KeyChanged { .. })));
        // Nor after the card is gone.
        let _ = keystore.remove_contact(&old.0.id());
    }
}

#[test]
fn an_identity_is_exported_and_imported_as_it_is() {
    let ((_one, here), (_two, there)) = (keystore(), keystore());
    let alice = person(ALICE);
    let passphrase = Passphrase::new("one").unwrap();
    let locked = Protection::Passphrase(&passphrase, Cost::DEFAULT);
    add(&here, &alice, locked).unwrap();
    let text = here.export_identity(&alice.0.id()).unwrap().to_text();
    let transfer = IdentityExport::from_text(text.as_bytes()).unwrap();
    assert_eq!(*transfer.to_text(), *text);
    assert_eq!(
        there.import_identity(&transfer, Adoption::Own).unwrap(),
        ImportOutcome::New
    );
    assert_eq!(
        there.import_identity(&transfer, Adoption::Own).unwrap(),
        ImportOutcome::Known
    );
    let StoredSecret::Locked(opened) = there.secret(&alice.0.id()).unwrap() else {
        panic!("it is not locked")
    };
    assert!(opened.unlock(&passphrase).is_ok());
    change(&there, &alice.0, locked, None).unwrap();
    assert_eq!(
        there.import_identity(&transfer, Adoption::Own).unwrap(),
        ImportOutcome::KeysDiffer
    );
    for (from, to) in [
        ("encl-identity-export1", "encl-identity-export2"),
        ("revocation ", "revocations "),
        ("secret ", "secret -"),
        ("secret ", "ended perhaps\nsecret "),
        ("card encl-card1:", "card encl-card1:A"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert!(
            IdentityExport::from_text(changed.as_bytes()).is_err(),
            "{to}"
        );
    }
    assert!(IdentityExport::from_text(format!("{}\n", *text).as_bytes()).is_err());
}
