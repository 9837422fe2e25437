//! Rewriting the access line: slots are added and removed, and nothing else changes.

use std::collections::HashSet;
use std::io::Write;

use encl::crypto::Kem;
use encl::envelope::{Admission, ArmorWriter, Class, Envelope, Granted, NoRecord, RewriteError};

use crate::kit::{
    Keys, NOW, Parts, Person, approved, granted, opens, people, quorum, refused, request,
    rewriting, rng, sealed, time, written,
};

const CONTENT: &[u8] = b"lives as long as its file";

fn rewrite_error(envelope: &[u8], who: &Person, now: &str) -> RewriteError {
    let rewriting =
        Envelope::read(envelope)
            .unwrap()
            .rewrite(&[], &mut Keys::of(&[who]), time(now));
    rewriting.err().expect("it must be refused")
}

fn path(admission: &Admission) -> Vec<encl::crypto::signing::RootId> {
    match admission {
        Admission::Granted(steps) => steps.iter().map(|step| step.by).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_grant_leaves_policy_payload_and_signature_alone() {
    let [ann, bob, carol, dave] = people();
    let content: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let before = sealed(&request(&[&ann, &bob], Some(&ann.root)), &content);
    let once = granted(&before, &bob, &carol);
    let twice = granted(&once, &carol, &dave);
    let [a, b, c] = [&before, &once, &twice].map(|envelope| Parts::of(envelope));
    for after in [&b, &c] {
        assert_eq!(a.policy, after.policy);
        assert!(a.payload == after.payload && a.access != after.access && a.mac != after.mac);
        assert!(
            after
                .access
                .starts_with(a.access.strip_suffix("]}").unwrap()),
            "the other slots stay"
        );
    }
    for reader in [&ann, &bob] {
        let admission = opens(&twice, &mut Keys::of(&[reader]), &content, "as before");
        assert_eq!(admission, Admission::Named);
    }
    let carols = opens(&twice, &mut Keys::of(&[&carol]), &content, "let in");
    assert_eq!(path(&carols), [bob.root.id()]);
    let daves = opens(
        &twice,
        &mut Keys::of(&[&dave]),
        &content,
        "let in by one who was let in",
    );
    assert_eq!(path(&daves), [carol.root.id(), bob.root.id()]);
    refused(
        &before,
        &mut Keys::of(&[&carol]),
        Class::NoKey,
        "not before",
    );

    let readers = Envelope::read(&*twice).unwrap().manifest().readers();
    let names: Vec<_> = readers
        .iter()
        .map(|reader| {
            (
                reader.person.as_ref().unwrap().name.as_str(),
                reader.is_named,
            )
        })
        .collect();
    assert_eq!(
        names,
        [("P0", true), ("P1", true), ("P2", false), ("P3", false)]
    );
    let mut again = rewriting(&twice, &[&ann]);
    assert_eq!(again.opened_with(), [ann.key_id()].into());
    for person in [&ann, &bob, &carol, &dave] {
        assert!(again.can_record(person.root.id()));
    }
    assert!(!again.can_record(Person::classic("Stranger").root.id()));
    let record = (&ann.root, time(NOW));
    assert_eq!(
        again
            .grant(&dave.addressee(), None, record, &mut rng())
            .unwrap(),
        Granted::HasSlot
    );
    assert!(
        written(again) == twice,
        "nothing was to be done, and nothing changed"
    );
}

#[test]
fn an_aligned_manifest_stays_aligned_and_armor_stays_armor() {
    let ann = Person::new("Ann", Kem::XWing);
    let newcomers: [Person; 3] = std::array::from_fn(|_| Person::new("New", Kem::XWing));
    let mut wish = request(&[&ann], Some(&ann.root));
    wish.aligned = true;
    let mut envelope = sealed(&wish, CONTENT);
    for newcomer in &newcomers {
        envelope = granted(&envelope, &ann, newcomer);
        let bytes = Envelope::read(&*envelope).unwrap().manifest().bytes;
        assert!(bytes.is_multiple_of(4_096), "{bytes}");
        opens(&envelope, &mut Keys::of(&[newcomer]), CONTENT, "let in");
    }
    let mut armor = ArmorWriter::new(Vec::new()).unwrap();
    armor
        .write_all(&sealed(&request(&[&ann], None), CONTENT))
        .unwrap();
    let text = armor.finish().unwrap();
    let after = granted(&text, &ann, &newcomers[0]);
    assert!(
        after.starts_with(b"-----BEGIN ENCL/1-----\n")
            && after.ends_with(b"-----END ENCL/1-----\n")
    );
    opens(&after, &mut Keys::of(&[&newcomers[0]]), CONTENT, "let in");
    let cut = rewriting(&text[..text.len() - 30], &[&ann])
        .finish()
        .unwrap();
    let error = cut.copy_to(&mut Vec::new()).unwrap_err();
    assert_eq!(error.class(), Some(Class::Truncated));
}

#[test]
fn the_payload_can_be_copied_from_file_to_file() {
    use encl::atomic_file::{AtomicFile, Existing, FileMode};
    let [ann, bob] = people();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let content: Vec<u8> = (0..=255).cycle().take(1_500_000).collect();
    let mut wish = request(&[&ann], Some(&ann.root));
    wish.aligned = true;
    std::fs::write(&old, sealed(&wish, &content)).unwrap();
    let source = std::fs::File::open(&old).unwrap();
    let mut rewriting = Envelope::read(&source)
        .unwrap()
        .rewrite(&[], &mut Keys::of(&[&ann]), time(NOW))
        .unwrap();
    let granted = rewriting.grant(&bob.addressee(), None, (&ann.root, time(NOW)), &mut rng());
    assert_eq!(granted.unwrap(), Granted::Added);
    let rewritten = rewriting.finish().unwrap();
    assert!(!rewritten.is_armored());
    let mut target = AtomicFile::create(&new, FileMode::Umask, Existing::Keep).unwrap();
    target.write_all(rewritten.manifest()).unwrap();
    target.append_rest(&source, rewritten.payload_at()).unwrap();
    target.commit().unwrap();
    let envelope = std::fs::read(&new).unwrap();
    opens(&envelope, &mut Keys::of(&[&bob]), &content, "copied");
    Envelope::read(&*envelope)
        .unwrap()
        .reopen(rewritten.key())
        .unwrap();
}

#[test]
fn impossible_or_expired_grants_are_refused() {
    let [ann, bob] = people();
    let mut wish = request(&[&ann], None);
    wish.private = true;
    let error = rewrite_error(&sealed(&wish, CONTENT), &ann, NOW);
    assert!(matches!(error, RewriteError::Private) && error.class().is_none());
    wish.private = false;
    wish.conditions.expires = Some(time("2027-01-01T00:00:00Z"));
    let envelope = sealed(&wish, CONTENT);
    assert_eq!(
        rewrite_error(&envelope, &ann, "2027-01-01T00:00:00Z").class(),
        Some(Class::Refused)
    );
    assert_eq!(
        rewrite_error(&envelope, &bob, NOW).class(),
        Some(Class::NoKey)
    );
    let mut parts = Parts::of(&envelope);
    parts.access.push(' ');
    assert_eq!(
        rewrite_error(&parts.bytes(), &ann, NOW).class(),
        Some(Class::Header)
    );

    wish.locks.push(quorum(1, &[&ann]));
    let two = sealed(&wish, CONTENT);
    let mut rewriting = rewriting(&two, &[&ann]);
    let mut grant =
        |lock| rewriting.grant(&bob.addressee(), lock, (&ann.root, time(NOW)), &mut rng());
    assert!(matches!(
        grant(None),
        Err(RewriteError::WhichLock { locks: 2 })
    ));
    assert!(matches!(
        grant(Some(2)),
        Err(RewriteError::NoSuchLock { lock: 2, locks: 2 })
    ));
    assert_eq!(grant(Some(0)).unwrap(), Granted::Added);
    assert_eq!(grant(Some(1)).unwrap(), Granted::Added);
    opens(
        &written(rewriting),
        &mut Keys::of(&[&bob]),
        CONTENT,
        "let into both locks",
    );
}

#[test]
fn in_a_quorum_a_grant_gives_the_granters_own_share() {
    let [ann, bob, carol, dave] = people();
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(2, &[&ann, &bob, &carol])];
    let envelope = sealed(&wish, CONTENT);
    let mut by_ann = rewriting(&envelope, &[&ann, &bob]);
    by_ann
        .grant(&dave.addressee(), None, (&ann.root, time(NOW)), &mut rng())
        .unwrap();
    let envelope = written(by_ann);
    refused(
        &envelope,
        &mut Keys::of(&[&ann, &dave]),
        Class::Quorum,
        "one share in two slots",
    );
    opens(
        &envelope,
        &mut Keys::of(&[&dave, &carol]),
        CONTENT,
        "Ann's share and Carol's",
    );
}

#[test]
fn a_reader_admitted_by_approvals_has_no_share_to_give() {
    let [ann, bob, carol, dave] = people();
    let mut wish = request(&[], None);
    wish.locks = vec![quorum(2, &[&ann, &bob])];
    let envelope = sealed(&wish, CONTENT);
    let approvals = [&ann, &bob].map(|holder| approved(&envelope, 0, holder, &carol).unwrap());
    let rewriting = Envelope::read(&*envelope).unwrap().rewrite(
        &approvals.concat(),
        &mut Keys::of(&[&carol]),
        time(NOW),
    );
    let mut rewriting = rewriting.unwrap();
    assert_eq!(
        rewriting.admission(),
        &Admission::Unrecorded(NoRecord::OfKey)
    );
    let record = (&carol.root, time(NOW));
    let refused = rewriting.grant(&dave.addressee(), None, record, &mut rng());
    assert!(matches!(refused, Err(RewriteError::NoShare { lock: 0 })));
}

#[test]
fn dropping_removes_slots_and_nothing_else() {
    let [ann, bob, carol] = people();
    let before = sealed(&request(&[&ann, &bob, &carol], Some(&ann.root)), CONTENT);
    let drop = |keys: &[&Person]| {
        let mut rewriting = rewriting(&before, &[&ann]);
        let keys: HashSet<_> = keys.iter().map(|person| person.key_id()).collect();
        rewriting
            .remove_slots(&keys, None)
            .map(|count| (count, written(rewriting)))
    };
    let (count, after) = drop(&[&bob]).unwrap();
    assert_eq!(count, 1);
    refused(
        &after,
        &mut Keys::of(&[&bob]),
        Class::NoKey,
        "his slot is gone",
    );
    opens(&after, &mut Keys::of(&[&carol]), CONTENT, "hers is there");
    assert_eq!(Parts::of(&before).payload, Parts::of(&after).payload);
    assert_eq!(drop(&[&Person::classic("Stranger")]).unwrap().0, 0);
    let nobody = drop(&[&ann, &bob, &carol]).unwrap_err();
    assert!(matches!(nobody, RewriteError::NobodyLeft { lock: 0 }));
}
