use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::*;
use crate::crypto::signing::RootId;
use crate::directory::{DirectoryError, People, Person, Trust};
use crate::envelope::KeyringError;
use crate::identity::{Card, Identity};
use crate::keystore::{AcceptOutcome, AddedBy, Group, Keystore, KeystoreError, StoredSecret};
use crate::operations::cards::{CardSourceError, CardsFound, find_card};
use crate::operations::identity::tests::{Place, now};
use crate::operations::{MyKeys, Unlock};
use crate::time::Time;

/// Unlocks identities whose private keys stand in the clear.
struct Plain<'a>(&'a Keystore);

impl Unlock for Plain<'_> {
    fn unlock_identity(&self, person: &Person) -> Result<Identity, KeyringError> {
        match self.0.secret(&person.card.id())? {
            StoredSecret::Plain(identity) => Ok(identity),
            StoredSecret::Locked(_) => Err("it is locked".into()),
        }
    }

    fn passphrase_of_envelope(&self, _: &str) -> Result<Zeroizing<String>, KeyringError> {
        Err("there is none".into())
    }
}

fn people(place: &Place) -> People {
    People::read(place.keystore.clone()).unwrap()
}

fn add(place: &Place, card: &Card) {
    let keystore = &place.keystore;
    keystore.accept(card, AddedBy::Added, now()).unwrap();
}

/// Somebody's own place, with a card.
fn somebody(name: &str) -> (Place, Card) {
    let place = Place::new();
    let card = place.create(&format!("{name}@example.org"));
    (place, card)
}

fn card(name: &str) -> Card {
    somebody(name).1
}

/// Ann, who keeps @team, with these members.
fn ann(members: &[&Card]) -> (Place, Card) {
    let (place, ann) = somebody("ann");
    for card in members {
        add(&place, card);
    }
    let group = Group {
        members: members.iter().map(|card| card.id()).collect(),
        ..Group::default()
    };
    place.keystore.new_group("team", &group).unwrap();
    (place, ann)
}

fn give_at(place: &Place, now: Time) -> Result<GivenGroup, GiveError> {
    let people = people(place);
    let unlock = Plain(&place.keystore);
    let keys = MyKeys::new(&unlock, &people.active);
    GivenGroup::make("team", None, &people, &keys, now)
}

fn give(place: &Place) -> String {
    give_at(place, now()).unwrap().to_text()
}

fn change(place: &Place, change: impl FnOnce(&mut BTreeSet<RootId>)) {
    place.keystore.change_group("team", change).unwrap();
}

fn found(text: &str, place: &Place) -> FoundGroup {
    match find_card(text.as_bytes(), &place.keystore).unwrap() {
        CardsFound::Group(found) => *found,
        _ => panic!("no group"),
    }
}

fn offered(text: &str, place: &Place) -> Result<OfferedGroup, TakeError> {
    OfferedGroup::compare(found(text, place), None, &people(place))
}

fn take(text: &str, place: &Place) -> Result<TakenGroup, TakeError> {
    offered(text, place)?.take(&people(place), now())
}

fn members(place: &Place) -> BTreeSet<RootId> {
    people(place).group("team").unwrap().members
}

fn ids(cards: &[&Card]) -> BTreeSet<RootId> {
    cards.iter().map(|card| card.id()).collect()
}

#[test]
fn a_group_comes_with_its_members_and_a_later_card_of_it_changes_them() {
    let (bob, eve, fay) = (card("bob"), card("eve"), card("fay"));
    let (ann, _) = ann(&[&bob, &eve]);
    let (ben, _) = somebody("ben");
    let first = give(&ann);
    let offer = offered(&first, &ben).unwrap();
    assert_eq!(offer.name(), "team");
    assert_eq!(offer.keeper().0.addresses, ["ann@example.org"]);
    assert_eq!(offer.keeper().1, Trust::Unverified);
    assert_eq!(offer.new_people().len(), 3, "Ann, Bob and Eve");
    let taken = offer.take(&people(&ben), now()).unwrap();
    assert_eq!(taken.outcome, AcceptOutcome::New);
    assert_eq!(members(&ben), ids(&[&bob, &eve]));
    assert!(offered(&first, &ben).unwrap().is_known());
    assert_eq!(give(&ann), first, "nothing changed");

    add(&ann, &fay);
    change(&ann, |members| {
        members.remove(&eve.id());
        members.insert(fay.id());
    });
    let second = give(&ann);
    let offer = offered(&second, &ben).unwrap();
    let change = offer.change();
    assert_eq!((change.came.len(), change.went.len()), (1, 1));
    let taken = offer.take(&people(&ben), now()).unwrap();
    assert_eq!(taken.outcome, AcceptOutcome::Updated);
    assert_eq!(members(&ben), ids(&[&bob, &fay]));
    let older = take(&first, &ben).err().unwrap();
    assert!(matches!(older, TakeError::Older { .. }), "{older}");

    // Ben passes on what Ann signed.
    assert_eq!(give(&ben).lines().next(), second.lines().next());
    let (dan, _) = somebody("dan");
    take(&give(&ben), &dan).unwrap();
    assert_eq!(members(&dan), ids(&[&bob, &fay]));
}

#[test]
fn a_group_of_somebody_else_is_changed_by_its_keeper_only() {
    let bob = card("bob");
    let (ann, _) = ann(&[&bob]);
    let (ben, _) = somebody("ben");
    take(&give(&ann), &ben).unwrap();
    let refused = ben.keystore.change_group("team", BTreeSet::clear);
    assert!(matches!(refused, Err(KeystoreError::GroupOfAnother(_))));
    ben.keystore.keep_group("team").unwrap();
    let fay = card("fay");
    add(&ben, &fay);
    change(&ben, |members| {
        members.insert(fay.id());
    });
    // Whoever has Ann's is not given another in its place.
    let (dan, _) = somebody("dan");
    take(&give(&ann), &dan).unwrap();
    let other = take(&give(&ben), &dan).err().unwrap();
    assert!(matches!(other, TakeError::OtherGroup(_)), "{other}");
    let found = found(&give(&ben), &dan);
    let offer = OfferedGroup::compare(found, Some("bens"), &people(&dan)).unwrap();
    offer.take(&people(&dan), now()).unwrap();
    let both = people(&dan).group("bens").unwrap().members;
    assert_eq!(both, ids(&[&bob, &fay]));
}

#[test]
fn what_i_changed_here_is_not_overwritten() {
    let (bob, eve) = (card("bob"), card("eve"));
    let (ann, _) = ann(&[&bob, &eve]);
    let text = give(&ann);
    change(&ann, |members| {
        members.remove(&eve.id());
    });
    let refused = take(&text, &ann).err().unwrap();
    assert!(matches!(refused, TakeError::ChangedHere(_)), "{refused}");
    let (ben, _) = somebody("ben");
    ben.keystore.new_group("team", &Group::default()).unwrap();
    let refused = take(&text, &ben).err().unwrap();
    assert!(matches!(refused, TakeError::OtherGroup(_)), "{refused}");
}

#[test]
fn nothing_is_stored_where_one_member_is_refused() {
    let (bob, eve) = (card("bob"), card("eve"));
    let (ann, _) = ann(&[&bob, &eve]);
    let text = give(&ann);
    let (ben, _) = somebody("ben");
    let nothing = || ben.keystore.contact_heads().unwrap().is_empty();
    // A card is missing.
    let cut = text.rfind("encl-card1:").unwrap();
    let refused = take(&text[..cut], &ben).err().unwrap();
    assert!(matches!(refused, TakeError::NoMember(_)), "{refused}");
    assert!(nothing());
    // So is the keeper's.
    let begin = text.find("encl-card1:").unwrap();
    let end = begin + text[begin..].find("\n\n").unwrap();
    let refused = take(&format!("{}{}", &text[..begin], &text[end..]), &ben);
    let refused = refused.err().unwrap();
    assert!(matches!(refused, TakeError::NoKeeper(_)), "{refused}");
    assert!(nothing());
    // Somebody else has a member's address.
    let other_bob = card("bob");
    add(&ben, &other_bob);
    let refused = take(&text, &ben).err().unwrap();
    assert!(matches!(refused, TakeError::Member { .. }), "{refused}");
    let heads = ben.keystore.contact_heads().unwrap();
    assert_eq!(heads.len(), 1, "and Bob is not marked as changed");
    let bob = ben.keystore.contact(&other_bob.id()).unwrap().unwrap();
    assert_eq!(Trust::from(bob.trust), Trust::Unverified);
    assert!(ben.keystore.groups().unwrap().is_empty());
}

#[test]
fn nothing_is_taken_from_a_keeper_who_was_blocked() {
    let bob = card("bob");
    let (ann, card) = ann(&[&bob]);
    let (ben, _) = somebody("ben");
    add(&ben, &card);
    ben.keystore.block_contact(&card.id(), now()).unwrap();
    let refused = take(&give(&ann), &ben).err().unwrap();
    assert!(matches!(refused, TakeError::Keeper { .. }), "{refused}");
    ben.keystore.remove_contact(&card.id()).unwrap();
    let refused = take(&give(&ann), &ben).err().unwrap();
    assert!(matches!(refused, TakeError::Keeper { .. }), "{refused}");
}

#[test]
fn a_mailing_list_with_somebodys_address_is_refused() {
    let bob = card("bob");
    for (taken, known) in [("Bob@example.org", false), ("dan@example.org", true)] {
        let (ann, _) = somebody("ann");
        add(&ann, &bob);
        let group = Group {
            address: Some(taken.to_owned()),
            members: ids(&[&bob]),
            card: None,
        };
        ann.keystore.new_group("team", &group).unwrap();
        let (ben, _) = somebody("ben");
        if known {
            add(&ben, &card("dan"));
        }
        let refused = take(&give(&ann), &ben).err().unwrap();
        assert!(matches!(refused, TakeError::AddressTaken { .. }));
    }
}

#[test]
fn whoever_came_in_the_place_of_a_member_is_the_member() {
    let (bobs, bob) = somebody("bob");
    let (ann, _) = ann(&[&bob]);
    let text = give(&ann);
    let (ben, _) = somebody("ben");
    add(&ben, &bob);
    let new = bobs.with(&mut bobs.answers(None), |all| {
        let key = crate::crypto::Kem::X25519;
        all.replace(bob.clone(), key, None).unwrap()
    });
    add(&ben, &new);
    take(&text, &ben).unwrap();
    assert_eq!(members(&ben), ids(&[&new]));
    assert!(offered(&text, &ben).unwrap().is_known());
}

/// Ann has a new key, and signs with that.
#[test]
fn whoever_came_in_the_place_of_the_keeper_keeps_the_group() {
    let bob = card("bob");
    let (ann, old) = ann(&[&bob]);
    let (ben, _) = somebody("ben");
    take(&give(&ann), &ben).unwrap();
    let new = ann.with(&mut ann.answers(None), |all| {
        let key = crate::crypto::Kem::X25519;
        all.replace(old.clone(), key, None).unwrap()
    });
    let later = "2026-11-25T06:24:00Z".parse().unwrap();
    let text = give_at(&ann, later).unwrap();
    assert_eq!(text.card.keeper(), new.id());
    let text = text.to_text();
    let taken = take(&text, &ben).unwrap();
    assert_eq!(taken.outcome, AcceptOutcome::Updated);
}

fn put(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn an_older_group_reaches_nobody_until_it_is_adopted() {
    let (bob, eve) = (card("bob"), card("eve"));
    let (ann, _) = ann(&[&bob, &eve]);
    let (ben, _) = somebody("ben");
    let first = give(&ann);
    take(&first, &ben).unwrap();
    let file = ben.keystore.root().join("groups/team");
    let older = fs::read(&file).unwrap();
    change(&ann, |members| {
        members.remove(&eve.id());
    });
    take(&give(&ann), &ben).unwrap();
    // Somebody puts the older one back.
    put(&file, &older);
    let error = people(&ben).group("team").unwrap_err();
    assert!(matches!(error, DirectoryError::GroupNotAdopted(_)));
    // After it was deleted, the older one is given once more.
    ben.keystore.delete_group("team").unwrap();
    let error = take(&first, &ben).err().unwrap();
    assert!(matches!(error, TakeError::Older { .. }));
    put(&file, &older);
    ben.keystore.adopt_group("team").unwrap();
    assert_eq!(members(&ben), ids(&[&bob, &eve]));
    take(&give(&ann), &ben).unwrap();
    assert_eq!(members(&ben), ids(&[&bob]));
}

/// Two keystores of one user: what one learned the other is told.
#[test]
fn another_keystore_of_mine_knows_of_a_later_card() {
    let (bob, eve) = (card("bob"), card("eve"));
    let (ann, _) = ann(&[&bob, &eve]);
    let (ben, _) = somebody("ben");
    take(&give(&ann), &ben).unwrap();
    let second = ben.keystore.root().with_file_name("second");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([ben.keystore.root(), &second])
        .status();
    assert!(copied.unwrap().success());
    change(&ann, |members| {
        members.remove(&eve.id());
    });
    let later = give(&ann);
    take(&later, &ben).unwrap();
    let state = ben.keystore.root().with_file_name("state");
    let second = Keystore::at(second).with_state(state);
    let error = People::read(second).unwrap().group("team").unwrap_err();
    assert!(
        matches!(
            error,
            DirectoryError::GroupNotAdopted(_) | DirectoryError::GroupOlder { .. }
        ),
        "{error}"
    );
}

#[test]
fn serials_rise_though_the_group_was_deleted_and_the_clock_stands() {
    let bob = card("bob");
    let (ann, _) = ann(&[&bob]);
    let first = give_at(&ann, now()).unwrap().card;
    ann.keystore.delete_group("team").unwrap();
    let group = Group {
        members: ids(&[&bob]),
        ..Group::default()
    };
    ann.keystore.new_group("team", &group).unwrap();
    let second = give_at(&ann, now()).unwrap().card;
    assert_eq!(second.serial(), first.serial() + 1);
}

#[test]
fn a_group_is_found_in_a_message_of_its_keeper_only() {
    let bob = card("bob");
    let (ann, _) = ann(&[&bob]);
    let (ben, _) = somebody("ben");
    let text = give(&ann);
    let message = |from: &str| format!("From: {from}\nDate: today\n\nour team:\n\n{text}\n");
    let group = found(&message("Ann <ann@example.org>"), &ben);
    assert_eq!(group.cards.len(), 2);
    let refused = find_card(message("bob@example.org").as_bytes(), &ben.keystore);
    assert!(matches!(refused, Err(CardSourceError::OtherSender { .. })));
    let twice = format!(
        "{text}\n{}",
        text.replacen("encl-group1:", "encl-group1:e", 1)
    );
    assert_eq!(
        found(&twice, &ben).cards.len(),
        2,
        "the broken one counts for nothing"
    );
    let broken = text.replacen("encl-group1:ey", "encl-group1:eY", 1);
    let refused = find_card(broken.as_bytes(), &ben.keystore);
    assert!(matches!(refused, Err(CardSourceError::Card(_))));
}

#[test]
fn a_large_group_travels_whole() {
    let cards: Vec<Card> = (0..40).map(|number| card(&format!("m{number}"))).collect();
    let (ann, _) = ann(&cards.iter().collect::<Vec<_>>());
    let (ben, _) = somebody("ben");
    take(&give(&ann), &ben).unwrap();
    assert_eq!(members(&ben).len(), 40);
    assert_eq!(ben.keystore.contact_heads().unwrap().len(), 41);
}
