use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tempfile::TempDir;

use super::*;
use crate::crypto::Kem;
use crate::identity::Paper;
use crate::keystore::{Adoption, ImportOutcome, KeystoreError, Standing, StoredSecret};

pub(in crate::operations) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub(in crate::operations) fn now() -> Time {
    "2026-11-24T06:24:00Z".parse().unwrap()
}

/// Gives the passphrases that a test knows, and counts how often it was asked.
#[derive(Default)]
pub(in crate::operations) struct Answers {
    /// The keystore whose keys are unlocked; without one, unlocking fails.
    pub(in crate::operations) keystore: Option<Keystore>,
    pub(in crate::operations) passphrase: Option<&'static str>,
    pub(in crate::operations) asked: usize,
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

impl Unlock for Answers {
    fn unlock(&mut self, card: &Card) -> Result<UnlockedIdentity, UnlockError> {
        self.asked += 1;
        let keystore = self.keystore.as_ref().ok_or("nobody knows it")?;
        Ok(match keystore.secret(&card.id())? {
            StoredSecret::Plain(identity) => UnlockedIdentity {
                identity,
                lock: None,
            },
            StoredSecret::Locked(locked) => {
                let passphrase = passphrase(self.passphrase.ok_or("nobody knows it")?);
                UnlockedIdentity {
                    identity: locked.unlock(&passphrase)?,
                    lock: Some(IdentityLock {
                        passphrase,
                        cost: locked.cost(),
                    }),
                }
            }
        })
    }

    fn exported_passphrase(&mut self) -> Result<Passphrase, UnlockError> {
        self.asked += 1;
        Ok(passphrase(self.passphrase.ok_or("nobody knows it")?))
    }

    fn new_lock(&mut self, _: &Card) -> Result<Option<IdentityLock>, UnlockError> {
        self.asked += 1;
        let lock = |text| IdentityLock {
            passphrase: passphrase(text),
            cost: Cost::new(16).unwrap(),
        };
        Ok(self.passphrase.map(lock))
    }
}

/// A keystore, as long as its folder lives.
pub(in crate::operations) struct Place {
    pub(in crate::operations) keystore: Keystore,
    _folder: TempDir,
}

impl Place {
    pub(in crate::operations) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keystore =
            Keystore::at(folder.path().join("encl")).with_state(folder.path().join("state"));
        Self {
            keystore,
            _folder: folder,
        }
    }

    /// Answers with the keys of this place.
    pub(in crate::operations) fn answers(&self, passphrase: Option<&'static str>) -> Answers {
        Answers {
            keystore: Some(self.keystore.clone()),
            passphrase,
            asked: 0,
        }
    }

    pub(in crate::operations) fn with<T>(
        &self,
        unlock: &mut Answers,
        run: impl FnOnce(&mut Identities<'_>) -> T,
    ) -> T {
        let mut rng = rng();
        run(&mut Identities {
            keystore: &self.keystore,
            unlock,
            now: now(),
            rng: &mut rng,
        })
    }

    /// A new identity whose private keys stand in the clear.
    pub(in crate::operations) fn create(&self, address: &str) -> Card {
        let new = new_identity(address).unwrap();
        self.with(&mut self.answers(None), |all| all.create(new).unwrap())
    }

    fn card(&self, id: &crate::crypto::signing::RootId) -> Card {
        self.keystore.own_card(id).unwrap().unwrap()
    }
}

fn new_identity(address: &str) -> Result<NewIdentity, UpdateError> {
    let key = (Kem::X25519, None);
    NewIdentity::generate(
        "Alice".to_owned(),
        vec![address.to_owned()],
        key,
        now(),
        &mut rng(),
    )
}

#[test]
fn a_taken_address_is_refused_before_a_passphrase_is_asked_for() {
    let place = Place::new();
    place.create("alice@example.org");
    let mut answers = place.answers(Some("a passphrase"));
    let new = new_identity("ALICE@example.org").unwrap();
    let error = place.with(&mut answers, |all| all.create(new).map(drop).unwrap_err());
    let taken = matches!(
        error,
        UpdateError::Keystore(KeystoreError::AddressTaken { .. })
    );
    assert!(taken && answers.asked == 0, "{error}");
}

#[test]
fn what_cannot_be_on_a_card_is_a_wrong_request() {
    let error = new_identity("no address").map(drop).unwrap_err();
    assert!(matches!(error, UpdateError::Request(_)), "{error}");
}

#[test]
fn rotate_and_renew_sign_the_next_card() {
    let place = Place::new();
    let card = place.create("alice@example.org");
    let (id, end) = (card.id(), Some("2030-01-01T00:00:00Z".parse().unwrap()));
    let mut answers = place.answers(None);
    let card = place.with(&mut answers, |all| {
        all.rotate(card, Kem::X25519, None).unwrap()
    });
    assert_eq!((card.serial(), card.keys().len()), (2, 2));
    let card = place.with(&mut answers, |all| all.renew(card, end).unwrap());
    assert_eq!((card.serial(), card.keys().len()), (3, 2));
    assert_eq!(
        card.keys().iter().filter(|key| key.expires == end).count(),
        1
    );
    assert_eq!(place.card(&id).serial(), 3);
}

#[test]
fn a_replaced_identity_signs_for_its_successor() {
    let place = Place::new();
    let old = place.create("alice@example.org");
    let id = old.id();
    let mut answers = place.answers(None);
    let card = place.with(&mut answers, |all| {
        all.replace(old, Kem::X25519, None).unwrap()
    });
    assert!(card.is_successor_of(&id));
    let identities = place.keystore.identities().unwrap();
    let old = identities.iter().find(|one| one.card.id() == id).unwrap();
    assert_eq!(old.standing, Standing::Replaced(card.id()));
}

#[test]
fn keys_that_nobody_unlocks_stay_as_they_are() {
    let place = Place::new();
    let card = place.create("alice@example.org");
    let id = card.id();
    let error = place.with(&mut Answers::default(), |all| {
        all.rotate(card, Kem::X25519, None).map(drop).unwrap_err()
    });
    let UpdateError::Locked(source) = error else {
        panic!("{error}");
    };
    assert_eq!(source.to_string(), "nobody knows it");
    assert_eq!(place.card(&id).serial(), 1);
}

#[test]
fn an_import_gets_both_sides_keys() {
    let (here, there) = (Place::new(), Place::new());
    let card = here.create("alice@example.org");
    let id = card.id();
    let export = here.keystore.export_identity(&id).unwrap();
    let mut answers = there.answers(None);
    let import =
        |export: &_, answers: &mut _| there.with(answers, |all| all.import(export, Adoption::Own));
    let dry_run = |export: &_| dry_run_import(export, &there.keystore).unwrap();
    assert_eq!(dry_run(&export), ImportOutcome::New);
    assert_eq!(import(&export, &mut answers).unwrap(), ImportOutcome::New);
    assert_eq!(dry_run(&export), ImportOutcome::Known);
    assert_eq!(import(&export, &mut answers).unwrap(), ImportOutcome::Known);
    assert_eq!(answers.asked, 0);

    here.with(&mut here.answers(None), |all| {
        all.rotate(card, Kem::X25519, None).unwrap()
    });
    let export = here.keystore.export_identity(&id).unwrap();
    assert_eq!(dry_run(&export), ImportOutcome::KeysDiffer);
    assert_eq!(
        import(&export, &mut answers).unwrap(),
        ImportOutcome::Updated
    );
    let card = there.card(&id);
    assert_eq!((card.serial(), card.keys().len()), (2, 2));
}

#[test]
fn two_rotations_of_one_identity_cannot_be_merged() {
    let (here, there) = (Place::new(), Place::new());
    let card = here.create("alice@example.org");
    let export = here.keystore.export_identity(&card.id()).unwrap();
    let mut answers = there.answers(None);
    there.with(&mut answers, |all| {
        all.import(&export, Adoption::Own).unwrap()
    });
    for place in [&here, &there] {
        place.with(&mut place.answers(None), |all| {
            all.rotate(card.clone(), Kem::X25519, None).unwrap()
        });
    }
    let export = here.keystore.export_identity(&card.id()).unwrap();
    let error = there.with(&mut answers, |all| {
        all.import(&export, Adoption::Own).unwrap_err()
    });
    assert!(matches!(error, UpdateError::Merge(_)), "{error}");
}

#[test]
fn a_revoked_export_ends_the_identity_that_is_here() {
    let (here, there) = (Place::new(), Place::new());
    let id = here.create("alice@example.org").id();
    let export = here.keystore.export_identity(&id).unwrap();
    let mut answers = there.answers(Some("a passphrase"));
    there.with(&mut answers, |all| {
        all.import(&export, Adoption::Own).unwrap()
    });
    // From here on the two are protected differently.
    let card = there.card(&id);
    there.with(&mut answers, |all| {
        let update = all.begin(card).unwrap();
        let lock = IdentityLock {
            passphrase: passphrase("a passphrase"),
            cost: Cost::new(16).unwrap(),
        };
        all.change_lock(&update, Some(&lock)).unwrap();
    });
    here.keystore.mark_revoked(&id).unwrap();
    let export = here.keystore.export_identity(&id).unwrap();
    let dry_run = dry_run_import(&export, &there.keystore).unwrap();
    assert_eq!(dry_run, ImportOutcome::Updated);
    let imported = there.with(&mut answers, |all| {
        all.import(&export, Adoption::Own).unwrap()
    });
    assert_eq!(imported, ImportOutcome::Updated);
    let identities = there.keystore.identities().unwrap();
    assert_eq!(identities[0].standing, Standing::Revoked);
}

fn page(place: &Place) -> Paper {
    let stored = place.keystore.identities().unwrap().swap_remove(0);
    place.with(&mut place.answers(None), |all| all.paper(stored).unwrap())
}

#[test]
fn a_page_makes_the_identity_again_with_a_card_ahead_of_all_others() {
    let (here, there) = (Place::new(), Place::new());
    let id = here.create("alice@example.org").id();
    let mut answers = there.answers(Some("a passphrase"));
    let outcome = there.with(&mut answers, |all| all.restore_paper(page(&here)).unwrap());
    let restored = PaperOutcome {
        was_here: false,
        has_new_card: true,
    };
    assert_eq!(outcome, restored);
    assert!(there.card(&id).serial() > 1_000);
    let secret = there.keystore.secret(&id).unwrap();
    assert!(matches!(secret, StoredSecret::Locked(_)));
}

#[test]
fn a_page_adds_nothing_to_an_identity_that_has_everything() {
    let place = Place::new();
    let id = place.create("alice@example.org").id();
    let paper = page(&place);
    let outcome = place.with(&mut place.answers(None), |all| {
        all.restore_paper(paper).unwrap()
    });
    let restored = PaperOutcome {
        was_here: true,
        has_new_card: false,
    };
    assert_eq!(outcome, restored);
    assert_eq!(place.card(&id).serial(), 1);
}

#[test]
fn a_page_gives_back_the_keys_that_were_lost_here() {
    let (here, there) = (Place::new(), Place::new());
    let card = here.create("alice@example.org");
    let id = card.id();
    let before = here.keystore.export_identity(&id).unwrap();
    here.with(&mut here.answers(None), |all| {
        all.rotate(card, Kem::X25519, None).unwrap()
    });
    there.with(&mut there.answers(None), |all| {
        all.import(&before, Adoption::Own).unwrap()
    });
    let outcome = there.with(&mut there.answers(None), |all| {
        all.restore_paper(page(&here)).unwrap()
    });
    assert!(outcome.was_here && outcome.has_new_card);
    assert_eq!(there.card(&id).keys().len(), 2);
}

#[test]
fn a_page_cannot_be_added_to_keys_that_stay_locked() {
    let place = Place::new();
    place.create("alice@example.org");
    let paper = page(&place);
    let error = place.with(&mut Answers::default(), |all| {
        all.restore_paper(paper).unwrap_err()
    });
    assert!(matches!(error, UpdateError::Locked(_)), "{error}");
}
