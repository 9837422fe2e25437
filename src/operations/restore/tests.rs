use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::envelope::{
    ContentInfo, Envelope, Keyring, KeyringError, LockRequest, ReaderKey, SealRequest, seal,
};
use crate::keystore::{AddedBy, Adoption, BACKUP_TYPE};
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
    sealed(
        BACKUP_TYPE,
        &mut place.keystore.backup(now(), &mut rng()).unwrap(),
    )
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
            RestoredItem::WaitingIdentity(card) => format!("{} waits", card.addresses()[0]),
            RestoredItem::Contact(card, outcome) => format!("{} {outcome:?}", card.name()),
            RestoredItem::ForeignContact(card, lookalikes) => {
                format!("{} foreign {}", card.name(), lookalikes.len())
            }
            RestoredItem::Group(name, group, outcome) => {
                format!("@{name} {} {outcome:?}", group.members.len())
            }
            RestoredItem::Gate(gate, outcome) => format!("{} {outcome:?}", gate.name),
        });
    }
}

fn dry_run(
    place: &Place,
    envelope: &[u8],
    foreign: ForeignIdentities,
) -> Result<(MergeOutcome, Vec<String>), MergeError> {
    let mut heard = Heard::default();
    let (seen, _) = SeenBackup::read(&place.keystore, opened(envelope), Workers::ONE)?;
    let mut merge = Merge::dry_run(&place.keystore, seen, foreign, now(), &mut heard);
    merge.read(opened(envelope), Workers::ONE)?;
    Ok((merge.finish()?, heard.0))
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
    (merge.finish().unwrap(), heard.0)
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
    assert_eq!(report.origin, Origin::Unclaimed);
    assert!(report.changes_anything());
    assert_eq!((report.identities.new, report.contacts.new), (1, 1));
    assert_eq!(report.made, Some(now()));

    let (done, heard) = apply(&there, &envelope, plan);
    assert_eq!((done.report, heard), (report, planned));
    assert!(done.failures.is_empty());
    assert_eq!(there.keystore.identities().unwrap().len(), 1);

    let (again, _) = dry_run(&there, &envelope, foreign).unwrap();
    assert_eq!(again.report.origin, Origin::Mine(Proof::Claim));
    assert!(!again.report.changes_anything());
    assert_eq!(again.report.identities.known, 1);
}

#[test]
fn the_identities_of_somebody_elses_backup_stay_away() {
    let (here, there) = (place_with_contact(), Place::new());
    let envelope = backup_of(&here);
    there.create("carol@example.org");
    let (plan, heard) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
    assert_eq!(plan.report.origin, Origin::Unknown);
    assert_eq!(plan.report.identities.refused, 1);
    assert_eq!(heard[0], "alice@example.org foreign");
    let (plan, planned) = dry_run(&there, &envelope, ForeignIdentities::Accept).unwrap();
    assert_eq!(plan.report.origin, Origin::Unknown);
    assert_eq!(plan.report.identities.new, 1);
    assert_eq!(planned[0], "alice@example.org waits");
    let (_, heard) = apply(&there, &envelope, plan);
    assert_eq!(heard, planned);
    // It is there, and no identity of mine: it neither signs nor shows that a backup is mine.
    assert_eq!(there.keystore.identities().unwrap().len(), 1);
    assert_eq!(there.keystore.set_aside().unwrap().len(), 1);
    let (again, _) = dry_run(&there, &envelope, ForeignIdentities::Accept).unwrap();
    assert_eq!(again.report.origin, Origin::Unknown);
    assert_eq!(again.report.identities.known, 1);
}

#[test]
fn an_identity_of_anybodys_backup_is_not_the_default_of_an_empty_keystore() {
    let (here, there) = (place_with_contact(), Place::new());
    let envelope = backup_of(&here);
    // One of mine that has ended: this machine is not new.
    let old = there.create("carol@example.org");
    there.keystore.mark_revoked(&old.id()).unwrap();
    let (plan, _) = dry_run(&there, &envelope, ForeignIdentities::Accept).unwrap();
    assert_eq!(plan.report.origin, Origin::Unknown);
    apply(&there, &envelope, plan);
    let identities = there.keystore.identities().unwrap();
    assert!(!identities.iter().any(|one| one.is_default));
    there.keystore.remove_identity(&old.id()).unwrap();
    assert!(there.keystore.identities().unwrap().is_empty());
}

#[test]
fn where_nothing_can_be_remembered_an_identity_of_anybodys_backup_stays_away() {
    let (here, folder) = (place_with_contact(), tempfile::tempdir().unwrap());
    let envelope = backup_of(&here);
    let keystore = Keystore::at(folder.path().join("encl"));
    let (mut heard, content) = (Heard::default(), || opened(&envelope));
    let (seen, _) = SeenBackup::read(&keystore, content(), Workers::ONE).unwrap();
    assert_eq!(seen.origin, Origin::Unclaimed);
    let seen = SeenBackup {
        origin: Origin::Unknown,
        ..seen
    };
    let foreign = ForeignIdentities::Accept;
    let mut merge = Merge::dry_run(&keystore, seen, foreign, now(), &mut heard);
    merge.read(content(), Workers::ONE).unwrap();
    let plan = merge.finish().unwrap();
    assert_eq!(plan.report.identities.refused, 1);
    let error = &plan.failures[0].error;
    assert!(
        matches!(error, UpdateError::Keystore(KeystoreError::NoState)),
        "{error}"
    );
}

#[test]
fn private_keys_in_the_clear_show_that_a_backup_is_mine() {
    let here = place_with_contact();
    let id = here.keystore.identities().unwrap()[0].card.id();
    let export = here.keystore.export_identity(&id).unwrap();
    let there = Place::new();
    there
        .keystore
        .import_identity(&export, Adoption::Own)
        .unwrap();
    let envelope = backup_of(&here);
    let origin = |place: &Place| {
        let plan = dry_run(place, &envelope, ForeignIdentities::Refuse).unwrap();
        plan.0.report.origin
    };
    assert_eq!(origin(&here), Origin::Mine(Proof::Machine));
    assert_eq!(origin(&there), Origin::Mine(Proof::Keys));
    there.keystore.mark_revoked(&id).unwrap();
    assert_eq!(origin(&there), Origin::Unknown, "revoked");
}

#[test]
fn an_invitation_of_anybodys_backup_is_not_restored() {
    let (here, there) = (place_with_contact(), Place::new());
    let alice = here.keystore.identities().unwrap()[0].card.id();
    let invited = (here.keystore).invite("dave@example.org", alice, now(), &mut rng());
    assert!(invited.is_ok());
    let envelope = backup_of(&here);
    there.create("carol@example.org");
    let (plan, _) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
    assert_eq!(plan.report.invitations.refused, 1);
    let (done, _) = apply(&there, &envelope, plan);
    assert_eq!(done.report.invitations.refused, 1);
    let new = Place::new();
    let (plan, _) = dry_run(&new, &envelope, ForeignIdentities::Refuse).unwrap();
    assert_eq!(plan.report.invitations.new, 1);
}

#[test]
fn the_default_identity_is_that_of_the_backup_and_no_other() {
    let here = place_with_contact();
    let other = here.create("other@example.org");
    here.keystore.set_default(&other.id()).unwrap();
    let (envelope, there) = (backup_of(&here), Place::new());
    let (plan, heard) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
    assert!(
        heard.contains(&"alice@example.org New".to_owned()),
        "{heard:?}"
    );
    apply(&there, &envelope, plan);
    assert!(there.keystore.identities().unwrap()[0].card == other);
    // Where one was chosen it stays.
    let alice = there.keystore.identities().unwrap()[1].card.clone();
    there.keystore.set_default(&alice.id()).unwrap();
    there.keystore.remove_identity(&other.id()).unwrap();
    let (plan, _) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
    apply(&there, &envelope, plan);
    let identities = there.keystore.identities().unwrap();
    assert!(identities[0].card == alice && identities.len() == 2);
}

#[test]
fn a_revocation_comes_from_anybodys_backup_as_it_would_alone() {
    let (here, there) = (place_with_contact(), Place::new());
    there.create("carol@example.org");
    let alice = here.keystore.identities().unwrap()[0].card.clone();
    there
        .keystore
        .accept(&alice, AddedBy::Added, now())
        .unwrap();
    let trust = || {
        let contact = there.keystore.contact(&alice.id()).unwrap();
        contact.unwrap().trust.word()
    };
    let restore = || {
        let envelope = backup_of(&here);
        let (plan, _) = dry_run(&there, &envelope, ForeignIdentities::Refuse).unwrap();
        let stricter = plan.report.stricter;
        apply(&there, &envelope, plan);
        stricter
    };
    // Everybody's revocation lies beside the card; that it holds is what its owner says by `ended`.
    assert_eq!((restore(), trust()), (0, "unverified"));
    here.keystore.mark_revoked(&alice.id()).unwrap();
    assert_eq!((restore(), trust()), (1, "revoked"));
    assert_eq!((restore(), trust()), (0, "revoked"));
}

#[test]
fn an_identity_that_cannot_be_merged_leaves_the_others_alone() {
    let (here, there) = (place_with_contact(), Place::new());
    let id = here.keystore.identities().unwrap()[0].card.id();
    let export = here.keystore.export_identity(&id).unwrap();
    there
        .keystore
        .import_identity(&export, Adoption::Own)
        .unwrap();
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
