use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::envelope::{
    ContentInfo, Envelope, Keyring, KeyringError, LockRequest, ReaderKey, SealRequest, seal,
};
use crate::keystore::AddedBy;
use crate::operations::identity::tests::{Answers, Place, now, rng};

const PASSPHRASE: &str = "correct horse battery staple";

struct OnlyPassphrase;

impl Keyring for OnlyPassphrase {
    fn keys(&self) -> Vec<ReaderKey> {
        Vec::new()
    }

    fn private_key(
        &mut self,
        _: crate::crypto::KeyId,
    ) -> Result<&crate::crypto::PrivateKey, KeyringError> {
        Err("there is no key".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Ok(Passphrase::new(PASSPHRASE)?)
    }
}

/// Seals a content for a passphrase, as a backup is.
fn sealed(media_type: &str, content: &mut (dyn Read + Send)) -> Vec<u8> {
    let passphrase = Passphrase::new(PASSPHRASE).unwrap();
    let request = SealRequest {
        locks: vec![LockRequest {
            passphrase: Some((&passphrase, Cost::new(16).unwrap())),
            ..LockRequest::default()
        }],
        info: ContentInfo {
            media_type: Some(media_type.to_owned()),
            ..ContentInfo::default()
        },
        ..SealRequest::default()
    };
    let mut envelope = Vec::new();
    seal(&request, content, &mut envelope, &mut rng()).unwrap();
    envelope
}

fn backup_of(place: &Place) -> Vec<u8> {
    sealed(BACKUP_TYPE, &mut place.keystore.backup(now()).unwrap())
}

fn opened(envelope: &[u8]) -> Content<&[u8]> {
    let envelope = Envelope::read(envelope).unwrap();
    envelope.unlock(&mut OnlyPassphrase, now()).unwrap()
}

/// Hears of every item.
#[derive(Default)]
struct Heard(Vec<String>);

impl RestoreObserver for Heard {
    fn item(&mut self, item: &RestoredItem<'_>) {
        self.0.push(match item {
            RestoredItem::Identity(card, outcome) => {
                format!("{} {outcome:?}", card.addresses()[0])
            }
            RestoredItem::ForeignIdentity(card) => format!("{} foreign", card.addresses()[0]),
            RestoredItem::Contact(card, outcome) => format!("{} {outcome:?}", card.name()),
            RestoredItem::Group(name, members, outcome) => {
                format!("@{name} {members} {outcome:?}")
            }
        });
    }
}

fn dry_run(
    place: &Place,
    envelope: &[u8],
    foreign: ForeignIdentities,
) -> Result<(MergeOutcome, Vec<String>), MergeError> {
    let mut heard = Heard::default();
    let mut merge = Merge::dry_run(&place.keystore, foreign, &mut heard).unwrap();
    merge.read(opened(envelope), Workers::ONE)?;
    Ok((merge.finish(), heard.0))
}

fn apply(place: &Place, envelope: &[u8], plan: MergeOutcome) -> (MergeOutcome, Vec<String>) {
    let (mut heard, mut answers, mut rng) = (Heard::default(), Answers::default(), rng());
    let identities = Identities {
        keystore: &place.keystore,
        unlock: &mut answers,
        now: now(),
        rng: &mut rng,
    };
    let mut merge = Merge::apply(plan, identities, &mut heard);
    merge.read(opened(envelope), Workers::ONE).unwrap();
    (merge.finish(), heard.0)
}

fn place_with_contact() -> Place {
    let (place, other) = (Place::new(), Place::new());
    place.create("alice@example.org");
    let bob = other.create("bob@example.org");
    place.keystore.accept(&bob, AddedBy::Added, now()).unwrap();
    place
}

#[test]
fn a_dry_run_says_what_the_merge_does_and_changes_nothing() {
    let (here, there) = (place_with_contact(), Place::new());
    let envelope = backup_of(&here);
    let foreign = ForeignIdentities::Refuse;
    let (plan, planned) = dry_run(&there, &envelope, foreign).unwrap();
    assert!(there.keystore.identities().unwrap().is_empty());
    assert!(!there.keystore.root().exists());
    let report = plan.report.clone();
    assert!(report.is_mine && report.changes_anything());
    assert_eq!((report.identities.new, report.contacts.new), (1, 1));
    assert_eq!(report.made, Some(now()));

    let (done, heard) = apply(&there, &envelope, plan);
    assert_eq!((done.report, heard), (report, planned));
    assert!(done.failures.is_empty());
    assert_eq!(there.keystore.identities().unwrap().len(), 1);

    let (again, _) = dry_run(&there, &envelope, foreign).unwrap();
    assert!(!again.report.changes_anything());
    assert_eq!(again.report.identities.known, 1);
}

#[test]
fn the_identities_of_somebody_elses_backup_stay_away() {
    let (here, there) = (place_with_contact(), Place::new());
    let envelope = backup_of(&here);
    there.create("carol@example.org");
    let (plan, heard) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
    assert!(!plan.report.is_mine);
    assert_eq!(plan.report.identities.kept, 1);
    assert_eq!(heard[0], "alice@example.org foreign");
    let (plan, heard) = dry_run(&there, &envelope, ForeignIdentities::Accept).unwrap();
    assert!(!plan.report.is_mine);
    assert_eq!(plan.report.identities.new, 1);
    assert_eq!(heard[0], "alice@example.org New");
}

#[test]
fn an_identity_that_cannot_be_merged_leaves_the_others_alone() {
    let (here, there) = (place_with_contact(), Place::new());
    let id = here.keystore.identities().unwrap()[0].card.id();
    let export = here.keystore.export_identity(&id).unwrap();
    there.keystore.import_identity(&export).unwrap();
    let card = export.card().clone();
    let mut answers = here.answers(None);
    here.with(&mut answers, |all| {
        all.rotate(card, crate::crypto::Kem::X25519, None).unwrap()
    });
    let envelope = backup_of(&here);
    let (plan, _) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
    assert_eq!(plan.report.identities.updated, 1);
    // Nobody unlocks the identity that is there.
    let (done, _) = apply(&there, &envelope, plan);
    assert_eq!(done.report.identities.refused, 1);
    assert_eq!(done.report.contacts.new, 1);
    let error = &done.failures[0].error;
    assert!(matches!(error, UpdateError::Locked(_)), "{error}");
}

#[test]
fn what_is_no_backup_is_not_read() {
    let place = Place::new();
    let run = |envelope: &[u8]| dry_run(&place, envelope, ForeignIdentities::Refuse).map(drop);
    let error = run(&sealed("text/plain", &mut &b"hello"[..])).unwrap_err();
    assert!(matches!(error, MergeError::NotABackup), "{error}");
    let error = run(&sealed(BACKUP_TYPE, &mut &b"hello"[..])).unwrap_err();
    assert!(matches!(error, MergeError::Content(_)), "{error}");
}

#[test]
fn a_damaged_backup_is_a_damaged_envelope() {
    let place = Place::new();
    // Longer than one chunk, so that the damage is found behind the beginning; and no backup, which is found first.
    let content = vec![1; 300 << 10];
    let mut envelope = sealed(BACKUP_TYPE, &mut &content[..]);
    let last = envelope.len() - 1;
    envelope[last] ^= 1;
    let error = dry_run(&place, &envelope, ForeignIdentities::Refuse).map(drop);
    let error = error.unwrap_err();
    assert!(matches!(error, MergeError::Open(_)), "{error}");
}
