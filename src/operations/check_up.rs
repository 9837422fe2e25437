//! A keystore is looked through: files, the clock, my identities, contacts, and the last backup. Nothing is changed.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::identity::UnlockError;
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::directory::{People, Trust};
use crate::identity::{Card, CardKey, Identity, NamingFault};
use crate::keystore::{
    Finding as FileFinding, Keystore, KeystoreError, LockedIdentity, Standing, StoredIdentity,
    StoredSecret, self_test,
};
use crate::time::Time;

/// An expiry is reported this long before it.
const SOON_SECONDS: u64 = 30 * 86_400;
/// A backup that is older may miss much.
const OLD_BACKUP_SECONDS: u64 = 180 * 86_400;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is as it should be.
    Fine,
    /// Somebody should look at it.
    Note,
    /// It does not open.
    Bad,
}

/// What was found about one thing.
pub enum Finding {
    /// The keystore's folder is not there yet.
    NoKeystore,
    /// The keystore's folder cannot be reached.
    Unreachable(io::Error),
    /// Every file opens, and is private.
    FilesFine,
    /// Something about a file.
    File(FileFinding),
    /// The clock runs forward.
    ClockFine,
    /// The keystore was used at a time that is still to come.
    ClockWentBack {
        /// That time.
        latest: Time,
        /// The file that records it.
        record: PathBuf,
    },
    /// There are no identities.
    NoIdentities,
    /// Something about one of my identities.
    Identity(Box<Card>, IdentityFinding),
    /// Something about contacts.
    Contacts(usize, ContactFinding),
    /// The name or an address of a contact could be taken for something else, and is not used.
    Unfit(Box<Card>, NamingFault),
    /// There was no backup yet.
    NoBackup,
    /// An identity was made or changed since the last backup.
    BackupMissesChanges(Time),
    /// The last backup is old.
    BackupOld(Time),
    /// The last backup has everything that matters.
    BackupFine(Time),
}

/// What was found about an identity.
pub enum IdentityFinding {
    /// Its name or an address could be taken for something else: others refuse its card.
    Unfit(NamingFault),
    /// No key can be encrypted to any more.
    Expired,
    /// Its last key expires soon.
    ExpiresSoon(Time),
    /// No passphrase protects the private keys.
    Unprotected,
    /// A passphrase protects the private keys, and they were not tested.
    NotTested,
    /// The private keys open what is encrypted to the card.
    Opens,
    /// The private keys cannot be unlocked.
    Locked(UnlockError),
    /// The private keys do not open what is encrypted to the card.
    DoesNotOpen(KeystoreError),
}

/// What was found about contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactFinding {
    /// Another key or card was offered.
    Changed,
    /// They were verified on another machine.
    Unproven,
    /// All of their keys expired.
    Expired,
    /// They were never verified.
    Unverified,
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::FilesFine
            | Self::ClockFine
            | Self::BackupFine(_)
            | Self::Identity(_, IdentityFinding::NotTested | IdentityFinding::Opens) => Level::Fine,
            Self::Unreachable(_)
            | Self::File(FileFinding::Fault(_))
            | Self::Identity(_, IdentityFinding::Locked(_) | IdentityFinding::DoesNotOpen(_)) => {
                Level::Bad
            }
            _ => Level::Note,
        }
    }
}

/// The private keys of my identities, for a test.
pub trait TestKeys {
    /// Whether an identity can be unlocked without a question.
    fn is_unlocked(&self, locked: &LockedIdentity) -> bool;

    /// Unlocks an identity.
    ///
    /// # Errors
    /// Whatever keeps it locked; it comes back in [`IdentityFinding::Locked`].
    fn identity(&self, id: RootId) -> Result<&Identity, UnlockError>;
}

/// Whether identities behind a passphrase are tested too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockedIdentities {
    /// Only those that can be unlocked without a question.
    Skip,
    /// All of them.
    Test,
}

/// Looks through a keystore. `identities` are those that can be read.
pub fn check_up(
    keystore: &Keystore,
    identities: &[StoredIdentity],
    (keys, locked): (&dyn TestKeys, LockedIdentities),
    now: Time,
    rng: &mut dyn CryptoRng,
) -> Vec<Finding> {
    let mut findings = files(keystore);
    findings.push(match keystore.clock_went_back(now) {
        None => Finding::ClockFine,
        Some(latest) => Finding::ClockWentBack {
            latest,
            record: keystore.clock_path().unwrap_or_default(),
        },
    });
    // A fault was reported with the files.
    if identities.is_empty() && keystore.identities().is_ok() {
        findings.push(Finding::NoIdentities);
    }
    for stored in identities {
        let found = |finding| Finding::Identity(Box::new(stored.card.clone()), finding);
        findings.extend(expiry(stored, now).map(found));
        let fault = stored.card.naming_fault();
        let fault = fault.filter(|_| stored.standing == Standing::Active);
        findings.extend(fault.map(IdentityFinding::Unfit).map(found));
        let Ok(secret) = keystore.secret(&stored.card.id()) else {
            continue; // reported with the files
        };
        match secret {
            StoredSecret::Plain(_) => findings.push(found(IdentityFinding::Unprotected)),
            StoredSecret::Locked(identity) => {
                if locked == LockedIdentities::Skip && !keys.is_unlocked(&identity) {
                    findings.push(found(IdentityFinding::NotTested));
                    continue;
                }
            }
        }
        findings.push(found(test(&stored.card, keys, rng)));
    }
    findings.extend(contacts(keystore, now));
    findings.extend(backup(keystore, identities, now));
    findings
}

fn files(keystore: &Keystore) -> Vec<Finding> {
    let root = keystore.root();
    match std::fs::metadata(root) {
        Ok(_) => {}
        // A link that leads nowhere is there.
        Err(error) if error.kind() == ErrorKind::NotFound && !root.is_symlink() => {
            return vec![Finding::NoKeystore];
        }
        Err(error) => return vec![Finding::Unreachable(error)],
    }
    let found = keystore.examine();
    let is_fault = |finding: &FileFinding| matches!(finding, FileFinding::Fault(_));
    let fine = (!found.iter().any(is_fault)).then_some(Finding::FilesFine);
    fine.into_iter()
        .chain(found.into_iter().map(Finding::File))
        .collect()
}

fn expiry(stored: &StoredIdentity, now: Time) -> Option<IdentityFinding> {
    if stored.standing != Standing::Active {
        return None;
    }
    let current = CardKey::current(stored.card.keys(), now);
    match current.map(|key| key.expires) {
        None => Some(IdentityFinding::Expired),
        Some(Some(end)) if end.unix() < now.unix() + SOON_SECONDS => {
            Some(IdentityFinding::ExpiresSoon(end))
        }
        Some(_) => None,
    }
}

/// Opens test envelopes to the identity's card.
fn test(card: &Card, keys: &dyn TestKeys, rng: &mut dyn CryptoRng) -> IdentityFinding {
    match keys.identity(card.id()) {
        Err(error) => IdentityFinding::Locked(error),
        Ok(identity) => match self_test(identity, card, rng) {
            Ok(()) => IdentityFinding::Opens,
            Err(error) => IdentityFinding::DoesNotOpen(error),
        },
    }
}

/// Counts the contacts that somebody should look at, and finds those with a name that is not used.
fn contacts(keystore: &Keystore, now: Time) -> Vec<Finding> {
    let Ok(people) = People::read(keystore.clone()) else {
        return Vec::new();
    };
    let Ok(names) = people.names() else {
        return Vec::new();
    };
    let ids = names.iter().map(|names| (names.id, ())).collect();
    let read = people.with_ids(ids, |found, ()| {
        let has_key = CardKey::current(found.card.keys(), now).is_some();
        let fault = found.card.naming_fault();
        let fault = fault.filter(|_| found.trust != Trust::Me);
        let unfit = fault.map(|fault| Finding::Unfit(Box::new(found.card), fault));
        let finding = match (found.trust, has_key) {
            (Trust::Changed | Trust::Older, _) => Some(ContactFinding::Changed),
            (Trust::Unproven, _) => Some(ContactFinding::Unproven),
            (Trust::Me, _) => None,
            (trust, false) if !trust.blocks_use() => Some(ContactFinding::Expired),
            (Trust::Unverified, _) => Some(ContactFinding::Unverified),
            _ => None,
        };
        (finding, unfit)
    });
    let (found, unfit): (Vec<_>, Vec<_>) = read.into_iter().flatten().flatten().unzip();
    let counted = [
        ContactFinding::Changed,
        ContactFinding::Unproven,
        ContactFinding::Expired,
        ContactFinding::Unverified,
    ]
    .into_iter()
    .map(|kind| (found.iter().filter(|one| **one == Some(kind)).count(), kind))
    .filter(|(count, _)| *count > 0)
    .map(|(count, kind)| Finding::Contacts(count, kind));
    counted.chain(unfit.into_iter().flatten()).collect()
}

fn backup(keystore: &Keystore, identities: &[StoredIdentity], now: Time) -> Option<Finding> {
    if identities.is_empty() {
        return None;
    }
    let Some(last) = keystore.last_backup().ok()? else {
        return Some(Finding::NoBackup);
    };
    let age = now.unix().saturating_sub(last.unix());
    Some(if identities.iter().any(|one| one.card.created() > last) {
        Finding::BackupMissesChanges(last)
    } else if age > OLD_BACKUP_SECONDS {
        Finding::BackupOld(last)
    } else {
        Finding::BackupFine(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Kem;
    use crate::keystore::AddedBy;
    use crate::operations::identity::NewIdentity;
    use crate::operations::identity::tests::{Place, now, rng};

    /// Keys that nobody unlocks.
    struct Nobody;

    impl TestKeys for Nobody {
        fn is_unlocked(&self, _: &LockedIdentity) -> bool {
            false
        }

        fn identity(&self, _: RootId) -> Result<&Identity, UnlockError> {
            Err("nobody knows it".into())
        }
    }

    fn findings(place: &Place) -> Vec<Finding> {
        let identities = place.keystore.identities().unwrap();
        let keys = (&Nobody as &dyn TestKeys, LockedIdentities::Skip);
        check_up(&place.keystore, &identities, keys, now(), &mut rng())
    }

    #[test]
    fn a_keystore_that_is_not_there_is_no_fault() {
        let found = findings(&Place::new());
        let [files, clock, identities] = &found[..] else {
            panic!("{} findings", found.len());
        };
        assert!(matches!(files, Finding::NoKeystore));
        assert!(matches!(clock, Finding::ClockFine));
        assert!(matches!(identities, Finding::NoIdentities));
        assert!(found.iter().all(|one| one.level() != Level::Bad));
    }

    #[test]
    fn keys_that_stay_locked_and_contacts_to_verify_are_found() {
        let place = Place::new();
        place.create("alice@example.org");
        let bob = Place::new().create("bob@example.org");
        place.keystore.accept(&bob, AddedBy::Added, now()).unwrap();
        let found = findings(&place);
        let has = |is: fn(&Finding) -> bool| found.iter().any(is);
        assert!(has(|one| matches!(one, Finding::FilesFine)));
        let unverified =
            |one: &Finding| matches!(one, Finding::Contacts(1, ContactFinding::Unverified));
        assert!(has(unverified));
        assert!(has(|one| matches!(one, Finding::NoBackup)));
        let bad: Vec<_> = found
            .iter()
            .filter(|one| one.level() == Level::Bad)
            .collect();
        let [Finding::Identity(_, IdentityFinding::Locked(error))] = bad[..] else {
            panic!("{} findings are bad", bad.len());
        };
        assert_eq!(error.to_string(), "nobody knows it");
    }

    #[test]
    fn a_key_that_expires_within_thirty_days_is_reported() {
        for (days, is_reported) in [(0, true), (29, true), (31, false)] {
            let place = Place::new();
            let end = Time::from_unix(now().unix() + days * 86_400);
            let address = vec!["alice@example.org".to_owned()];
            let key = (Kem::X25519, end);
            let new = NewIdentity::generate("Alice".into(), address, key, now(), &mut rng());
            let mut answers = place.answers(None);
            place.with(&mut answers, |all| {
                all.create(new.unwrap()).map(drop).unwrap();
            });
            let stored = place.keystore.identities().unwrap().swap_remove(0);
            assert_eq!(expiry(&stored, now()).is_some(), is_reported, "{days}");
        }
    }
}
