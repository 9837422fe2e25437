use super::*;
use crate::identity::{Card, Identity};
use crate::keystore::tests::{card, now, on_card, person, rng};
use crate::keystore::trust::{Compared, Verified};
use crate::keystore::{AddedBy, Part, read_parts};

/// A keystore on a machine of its own.
struct Machine {
    keystore: Keystore,
    _folder: tempfile::TempDir,
}

impl Machine {
    fn new(cards: &[&Card]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keystore =
            Keystore::at(folder.path().join("encl")).with_state(folder.path().join("state"));
        for card in cards {
            keystore.accept(card, AddedBy::Added, now()).unwrap();
        }
        Self {
            keystore,
            _folder: folder,
        }
    }

    fn verify(&self, id: &RootId) {
        let verified = Verified {
            at: now(),
            how: Compared::Code,
            by: *id,
        };
        let verified_as = on_card(&self.keystore, id);
        let recorded = self.keystore.verify_contact(id, verified, &verified_as);
        recorded.unwrap();
    }

    fn trust(&self, id: &RootId) -> &'static str {
        self.keystore
            .contact(id)
            .unwrap()
            .map_or("gone", |contact| contact.trust.word())
    }

    /// Restores the other's backup after looking at it, and says what became of each contact and group.
    fn restore(&self, other: &Self, is_mine: bool) -> Vec<RestoreOutcome> {
        let verified = self.pass(other, RestoreMode::DryRun, is_mine).1;
        let restoring = RestoreMode::Apply(verified);
        self.pass(other, restoring, is_mine).0
    }

    fn pass(
        &self,
        other: &Self,
        restoring: RestoreMode,
        is_mine: bool,
    ) -> (Vec<RestoreOutcome>, Verifications) {
        let owner = match is_mine {
            true => BackupOwner::Me,
            false => BackupOwner::Unknown(later()),
        };
        let mut restore = self.keystore.restore(restoring, owner).unwrap();
        let mut fates = Vec::new();
        let backup = other.keystore.backup(now(), &mut rng()).unwrap();
        read_parts(backup, |part| {
            match part {
                Part::Decisions(decisions) => drop(restore.decisions(decisions).unwrap()),
                Part::Contact(contact) => fates.push(restore.contact(&contact).unwrap()),
                Part::Group(name, group) => fates.push(restore.group(&name, &group).unwrap()),
                _ => {}
            }
            Ok::<(), crate::keystore::BackupError>(())
        })
        .unwrap();
        (fates, restore.into_verified())
    }
}

/// A time at which of a first use the first address counts.
fn later() -> Time {
    "2026-12-24T00:00:00Z".parse().unwrap()
}

fn bob() -> (Identity, Card) {
    person("bob@example.org")
}

#[test]
fn a_verification_comes_back_with_a_backup_of_mine_only() {
    let (_, card) = bob();
    let old = Machine::new(&[&card]);
    old.verify(&card.id());
    for (is_mine, word) in [(true, "verified"), (false, "unverified")] {
        let new = Machine::new(&[]);
        assert!(matches!(
            new.restore(&old, is_mine)[..],
            [RestoreOutcome::New]
        ));
        assert_eq!(new.trust(&card.id()), word);
        // It holds without the decisions too: the file has a MAC of this machine.
        let known = Machine::new(&[&card]);
        let fates = known.restore(&old, is_mine);
        assert_eq!(
            matches!(fates[..], [RestoreOutcome::Updated]),
            is_mine,
            "{fates:?}"
        );
        assert_eq!(known.trust(&card.id()), word);
    }
}

#[test]
fn what_was_decided_here_stays_and_what_is_graver_comes() {
    let (_, card) = bob();
    let id = card.id();
    let (here, there) = (Machine::new(&[&card]), Machine::new(&[&card]));
    there.verify(&id);
    // Blocked and unblocked here: an old verification does not come back.
    here.keystore.block_contact(&id, now()).unwrap();
    assert!(matches!(
        here.restore(&there, true)[..],
        [RestoreOutcome::Known]
    ));
    assert_eq!(here.trust(&id), "blocked");
    here.keystore.unblock_contact(&id).unwrap();
    here.restore(&there, true);
    assert_eq!(here.trust(&id), "unverified");
    // Blocked there, whoever made the backup, and removed there too.
    here.verify(&id);
    there.keystore.block_contact(&id, now()).unwrap();
    there.keystore.remove_contact(&id).unwrap();
    here.restore(&there, false);
    assert_eq!(here.trust(&id), "verified", "anybody's word");
    here.restore(&there, true);
    assert_eq!(here.trust(&id), "blocked");
}

#[test]
fn nobody_is_blocked_by_anybodys_backup() {
    let (known, new) = (bob().1, person("carol@example.org").1);
    let (here, there) = (Machine::new(&[&known]), Machine::new(&[&known, &new]));
    for card in [&known, &new] {
        there.keystore.block_contact(&card.id(), now()).unwrap();
    }
    here.restore(&there, false);
    for card in [&known, &new] {
        assert_eq!(here.trust(&card.id()), "unverified");
        let decided = here.keystore.remembered_trust(&card.id()).unwrap();
        assert_eq!(decided, Trust::Unverified);
    }
}

#[test]
fn of_a_card_in_anybodys_backup_the_first_address_counts_whatever_is_said_of_its_age() {
    let (identity, first) = bob();
    let request = crate::identity::CardRequest {
        name: "Bob".to_owned(),
        addresses: vec!["bob@example.org".to_owned(), "boss@example.org".to_owned()],
        serial: 2,
        created: now(),
    };
    let card = Card::new(&identity, request).unwrap();
    let there = Machine::new(&[]);
    // Long ago all addresses counted.
    let long_ago = "2020-01-01T00:00:00Z".parse().unwrap();
    let accepted = there.keystore.accept(&card, AddedBy::Added, long_ago);
    accepted.unwrap();
    let counting = |machine: &Machine| {
        let contact = machine.keystore.contact(&card.id()).unwrap();
        contact.unwrap().known_as().counting
    };
    for (is_mine, count) in [(true, 2), (false, 1)] {
        let here = Machine::new(&[]);
        here.restore(&there, is_mine);
        assert_eq!(counting(&here), count, "{is_mine}");
        // Another restore changes nothing about it, nor does one over an earlier card.
        here.restore(&there, is_mine);
        assert_eq!(counting(&here), count, "{is_mine}");
    }
    let used_once = Machine::new(&[]);
    let accepted = used_once
        .keystore
        .accept(&first, AddedBy::FirstUse, later());
    accepted.unwrap();
    used_once.restore(&there, false);
    assert_eq!(counting(&used_once), 1);
}

#[test]
fn what_was_decided_after_the_dry_run_stays() {
    let (_, card) = bob();
    let id = card.id();
    let (here, there) = (Machine::new(&[&card]), Machine::new(&[&card]));
    there.verify(&id);
    let planned = here.pass(&there, RestoreMode::DryRun, true).1;
    assert_eq!(planned.0.len(), 1);
    here.keystore.block_contact(&id, now()).unwrap();
    here.pass(&there, RestoreMode::Apply(planned.clone()), true);
    assert_eq!(here.trust(&id), "blocked");
    here.keystore.unblock_contact(&id).unwrap();
    here.pass(&there, RestoreMode::Apply(planned), true);
    assert_eq!(here.trust(&id), "unverified");
}

#[test]
fn looking_changes_nothing() {
    let (_, card) = bob();
    let old = Machine::new(&[&card]);
    let new = Machine::new(&[]);
    assert!(matches!(
        new.pass(&old, RestoreMode::DryRun, true).0[..],
        [RestoreOutcome::New]
    ));
    assert!(!new.keystore.root().exists());
}

#[test]
fn later_cards_stay_and_come() {
    let (identity, first) = bob();
    let second = card(&identity, "bob@example.org", 2);
    let (early, late) = (Machine::new(&[&first]), Machine::new(&[&second]));
    assert!(matches!(
        late.restore(&early, true)[..],
        [RestoreOutcome::LocalKept]
    ));
    assert!(matches!(
        early.restore(&late, true)[..],
        [RestoreOutcome::Updated]
    ));
    for machine in [&early, &late] {
        let contact = machine.keystore.contact(&first.id()).unwrap().unwrap();
        assert_eq!(contact.card.serial(), 2);
    }
    // The same serial with other bytes: nobody can tell which is right.
    let other = Machine::new(&[&card(&identity, "robert@example.org", 2)]);
    assert!(matches!(
        early.restore(&other, true)[..],
        [RestoreOutcome::Refused(_)]
    ));
}

#[test]
fn another_key_for_a_known_address_does_not_come() {
    let (here, there) = (Machine::new(&[&bob().1]), Machine::new(&[&bob().1]));
    let fates = here.restore(&there, true);
    assert!(
        matches!(
            fates[..],
            [RestoreOutcome::Refused(KeystoreError::KeyChanged { .. })]
        ),
        "{fates:?}"
    );
    assert_eq!(here.keystore.contact_heads().unwrap().len(), 1);
}

#[test]
fn a_verified_contact_comes_back_whoever_stands_in_its_place() {
    let (verified, planted) = (bob().1, bob().1);
    let (here, other) = (Machine::new(&[&verified]), Machine::new(&[&planted]));
    here.verify(&verified.id());
    let backup = |machine: &Machine| {
        let mut text = Vec::new();
        let mut backup = machine.keystore.backup(now(), &mut rng()).unwrap();
        std::io::Read::read_to_end(&mut backup, &mut text).unwrap();
        text
    };
    let text = backup(&here);
    let path = |machine: &Machine, card: &Card| machine.keystore.contact_path(&card.id());
    std::fs::remove_file(path(&here, &verified)).unwrap();
    std::fs::copy(path(&other, &planted), path(&here, &planted)).unwrap();
    let restore = || {
        let mode = RestoreMode::Apply(Verifications::default());
        let mut restore = here.keystore.restore(mode, BackupOwner::Me).unwrap();
        let mut fates = Vec::new();
        read_parts(&text[..], |part| {
            if let Part::Contact(contact) = part {
                fates.push(restore.contact(&contact).unwrap());
            }
            Ok::<(), crate::keystore::BackupError>(())
        })
        .unwrap();
        fates
    };
    let fates = restore();
    assert!(matches!(fates[..], [RestoreOutcome::New]), "{fates:?}");
    assert_eq!(here.trust(&verified.id()), "verified");
    assert_eq!(here.trust(&planted.id()), "unverified");
    // One whom the user let go stays away.
    here.keystore.remove_contact(&verified.id()).unwrap();
    let fates = restore();
    assert!(
        matches!(
            fates[..],
            [RestoreOutcome::Refused(KeystoreError::KeyChanged { .. })]
        ),
        "{fates:?}"
    );
}

#[test]
fn whoever_was_replaced_does_not_come_back() {
    let (old, first) = bob();
    let (new, _) = person("bob@example.org");
    let request = crate::identity::CardRequest {
        name: "Bob".to_owned(),
        addresses: vec!["bob@example.org".to_owned()],
        serial: 1,
        created: now(),
    };
    let predecessor = crate::identity::Predecessor::new(&old, new.id());
    let second = Card::replacing(&new, request, &[predecessor]).unwrap();
    let (here, there) = (Machine::new(&[&first]), Machine::new(&[&first]));
    here.keystore
        .accept(&second, AddedBy::Added, now())
        .unwrap();
    assert!(matches!(
        here.restore(&there, true)[..],
        [RestoreOutcome::LocalKept]
    ));
    assert_eq!(here.trust(&first.id()), "gone");
}

#[test]
fn a_group_that_is_here_stays_as_it_is() {
    let (_, card) = bob();
    let (here, there) = (Machine::new(&[&card]), Machine::new(&[&card]));
    let full = Group {
        address: None,
        members: [card.id()].into(),
        ..Group::default()
    };
    here.keystore.new_group("board", &Group::default()).unwrap();
    there.keystore.new_group("board", &full).unwrap();
    there.keystore.new_group("team", &full).unwrap();
    let fates = here.restore(&there, true);
    assert!(
        matches!(
            fates[..],
            [
                RestoreOutcome::Known,
                RestoreOutcome::LocalKept,
                RestoreOutcome::New
            ]
        ),
        "{fates:?}"
    );
    assert!(
        here.keystore
            .group("board")
            .unwrap()
            .unwrap()
            .members
            .is_empty()
    );
    assert_eq!(here.keystore.group("team").unwrap(), Some(full));
}
