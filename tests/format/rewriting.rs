//! Who may read changes: slots added and left out, envelopes sealed anew, and the plan that tells which of it is needed.

use std::collections::HashSet;
use std::io::Write;

use encl::crypto::Kem;
use encl::crypto::signing::SigningKey;
use encl::envelope::{
    Action, Addressee, Admission, ArmorWriter, Change, Class, Envelope, Granted, LockRequest, Mail,
    Opened, Person as Known, Present, ResealError, ResealRequest, RewriteError, Wish, Workers,
};
use encl::policy::Padding;

use crate::kit::{
    Forge, Keys, NOW, Parts, Person, granted, open, opens, quorum, refused, request, rewriting,
    rng, sealed, time, written,
};

const CONTENT: &[u8] = b"lives as long as its file";

fn people<const N: usize>() -> [Person; N] {
    std::array::from_fn(|i| Person::classic(&format!("P{i}")))
}

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
        .map(|one| (one.person.as_ref().unwrap().name.as_str(), one.is_named))
        .collect();
    assert_eq!(
        names,
        [("P0", true), ("P1", true), ("P2", false), ("P3", false)]
    );
    let mut again = rewriting(&twice, &[&ann]);
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
    use encl::atomic_file::{AtomicFile, Existing, Readers};
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
    let mut target = AtomicFile::create(&new, Readers::Umask, Existing::Keep).unwrap();
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
fn grants_are_refused_where_they_cannot_be_or_the_dates_say_no() {
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
fn dropping_takes_slots_and_leaves_the_rest() {
    let [ann, bob, carol] = people();
    let before = sealed(&request(&[&ann, &bob, &carol], Some(&ann.root)), CONTENT);
    let drop = |keys: &[&Person]| {
        let mut rewriting = rewriting(&before, &[&ann]);
        let keys: HashSet<_> = keys.iter().map(|person| person.key_id()).collect();
        rewriting
            .leave_out(&keys, None)
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

/// Sealed anew by `by` for these people.
fn resealed(
    envelope: &[u8],
    by: &Person,
    signer: Option<&SigningKey>,
    readers: &[&Person],
) -> Result<(Opened, Vec<u8>), ResealError> {
    let envelope = Envelope::read(envelope)?;
    let content = envelope.unlock(&mut Keys::of(&[by]), time(NOW))?;
    let request = ResealRequest {
        locks: vec![LockRequest {
            recipients: readers.iter().map(|one| one.addressee()).collect(),
            ..LockRequest::default()
        }],
        signer,
        workers: Workers::Processors,
    };
    let mut out = Vec::new();
    let (opened, _) = content.reseal(&request, &mut out, &mut rng())?;
    Ok((opened, out))
}

#[test]
fn sealing_anew_keeps_all_but_the_readers_and_the_signature() {
    let [ann, bob, carol] = people();
    for private in [false, true] {
        for size in [0, 1, 16_384, 3 << 20] {
            let content: Vec<u8> = (0..=255).cycle().take(size).collect();
            let mut wish = request(&[&ann, &bob, &carol], Some(&ann.root));
            wish.private = private;
            wish.padding = Padding::Padme;
            wish.aligned = true;
            wish.conditions.not_before = Some(time("2026-01-01T00:00:00Z"));
            wish.conditions.expires = Some(time("2030-01-01T00:00:00Z"));
            wish.labels = [("class".to_owned(), "internal".to_owned())].into();
            wish.about.name = Some("report.pdf".to_owned());
            wish.about.media_type = Some("application/pdf".to_owned());
            wish.about.modified = Some(time("2025-05-05T05:05:05Z"));
            wish.about.mail = Some(Mail::Message {
                outer: vec![("Subject".to_owned(), "x".to_owned())],
            });
            let (old, new) = resealed(
                &sealed(&wish, &content),
                &bob,
                Some(&bob.root),
                &[&ann, &bob],
            )
            .unwrap();
            let content_of = |who: &Person| open(&new, &mut Keys::of(&[who]));
            assert_eq!(content_of(&carol).class, Some(Class::NoKey));
            assert!(content_of(&ann).released == content && content_of(&ann).class.is_none());
            let about = Envelope::read(&*new)
                .unwrap()
                .unlock(&mut Keys::of(&[&ann]), time(NOW))
                .unwrap()
                .into_about();
            assert_eq!(about.signer(), Some(bob.root.id()));
            assert_eq!(
                (about.created(), &about.private.about),
                (old.created(), &old.private.about)
            );
            let (a, b) = (&old.manifest.policy, &about.manifest.policy);
            assert_eq!(
                (a.private, a.padding, a.conditions, &a.labels),
                (b.private, b.padding, b.conditions, &b.labels)
            );
            assert!(
                about.manifest.bytes.is_multiple_of(4_096) && about.manifest.id != old.manifest.id
            );
            assert_eq!(about.readers().len(), 2);
        }
    }
}

/// Chunks go over as they are where they can; marker and zeros, the signature and the ends of chunks must not mislead that.
#[test]
fn contents_of_every_shape_come_over_whole() {
    let [ann, bob] = people();
    let mut zeros = vec![0; 3 << 20];
    for at in [0, 1, 16_383, 16_384, 100_000, (1 << 20) - 20, 2 << 20] {
        zeros[at] = 0x80;
    }
    let mut count = 0;
    for features in 0..16_u32 {
        let on = |bit: u32| features >> bit & 1 == 1;
        let mut wish = request(&[&ann], on(0).then_some(&ann.root));
        wish.padding = if on(1) { Padding::Padme } else { Padding::None };
        wish.private = on(2);
        let signer = on(3).then_some(&ann.root);
        for size in [0, 63, 16_317, 16_380, 16_384, 32_700, 524_288, zeros.len()] {
            let content = &zeros[..size];
            let (_, new) = resealed(&sealed(&wish, content), &ann, signer, &[&bob, &ann]).unwrap();
            let what = format!("features {features:b}, {size} bytes");
            opens(&new, &mut Keys::of(&[&bob]), content, &what);
            count += 1;
        }
    }
    assert_eq!(count, 128);
}

#[test]
fn what_was_tampered_with_is_not_sealed_anew() {
    let [ann, bob] = people();
    let content = vec![7; 3 << 20];
    let envelope = sealed(&request(&[&ann, &bob], Some(&ann.root)), &content);
    let keys = || Keys::of(&[&bob]);
    for (what, at) in [
        ("a chunk", envelope.len() / 2),
        ("the last byte", envelope.len() - 1),
    ] {
        let mut changed = envelope.clone();
        changed[at] ^= 1;
        let opened = Envelope::read(&*changed).unwrap();
        let opened = opened.unlock(&mut keys(), time(NOW)).unwrap();
        let request = ResealRequest {
            locks: vec![quorum(1, &[&bob])],
            signer: None,
            workers: Workers::Processors,
        };
        let mut out = Vec::new();
        let error = opened.reseal(&request, &mut out, &mut rng()).err().unwrap();
        assert_eq!(error.class(), Some(Class::Damaged), "{what}");
        let outcome = open(&out, &mut keys());
        assert!(
            outcome.class.is_some(),
            "{what}: what was written must have no end"
        );
    }
    // Every chunk is genuine, and the author's signature is not.
    let forge = signed_by_nobody(&ann, &bob);
    assert_eq!(
        resealed(&forge, &bob, None, &[&bob]).err().unwrap().class(),
        Some(Class::Signature)
    );
    let short = &envelope[..envelope.len() - 20_000];
    assert_eq!(
        resealed(short, &bob, None, &[&bob]).err().unwrap().class(),
        Some(Class::Damaged)
    );
    let full = Envelope::read(&*envelope)
        .unwrap()
        .unlock(&mut keys(), time(NOW))
        .unwrap();
    let request = ResealRequest {
        locks: vec![quorum(1, &[&bob])],
        signer: None,
        workers: Workers::Processors,
    };
    let error = full.reseal(&request, &mut Full, &mut rng()).err().unwrap();
    assert!(
        matches!(error, ResealError::Seal(_)),
        "a full disk is told as one: {error}"
    );
}

/// Under a policy that names Ann as its author, with content that she never saw.
fn signed_by_nobody(ann: &Person, bob: &Person) -> Vec<u8> {
    let signer = encl::json::to_b64(&ann.root.id().0);
    let mut forge = Forge::new(&[bob], &format!("\"signer\":\"{signer}\","));
    forge.policy = forge.policy.replace("\"signed\":false", "\"signed\":true");
    let plaintext = [b"{}\n".as_slice(), &vec![7; 40_000], &[1; 64]].concat();
    forge.envelope(&forge.slots(&[bob]), &plaintext)
}

/// A disk without room.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn known(person: &Person, older: &[&Person]) -> Known {
    let keys = older
        .iter()
        .chain([&person])
        .map(|one| one.key_id())
        .collect();
    Known {
        current: person.addressee(),
        keys,
    }
}

/// The same person with a new key.
fn rotated(person: &Person) -> Person {
    let key = Person::classic("new key").key;
    Person {
        name: person.name.clone(),
        root: SigningKey::new(encl::crypto::Secret::new(*person.root.seed().expose())),
        key,
    }
}

/// What the plan says, in short: `+` joins, `*` has a new key, `-` leaves.
fn told(envelope: &[u8], wish: Wish<'_>, people: &[Known], me: &Person) -> (Action, Vec<String>) {
    let envelope = Envelope::read(envelope).unwrap();
    let content = envelope
        .unlock(&mut Keys::of(&[me]), time(NOW))
        .unwrap()
        .into_about();
    let present = Present {
        policy: &content.manifest.policy,
        readers: &content.readers(),
        signer: content.signer(),
    };
    let plan = present.plan(wish, people, me.root.id());
    let is_lost =
        plan.action == Action::Reseal && content.signer().is_some_and(|by| by != me.root.id());
    assert_eq!(plan.signature_lost.is_some(), is_lost);
    let name = |sign: &str, one: &Addressee| format!("{sign}{}", one.recipient.name);
    let change = |change: &Change| match change {
        Change::Joins(_, one) => name("+", one),
        Change::NewKey(_, one) => name("*", one),
        Change::Leaves(_, reader) => {
            format!(
                "-{}",
                reader.person.as_ref().map_or("?", |person| &person.name)
            )
        }
    };
    (plan.action, plan.changes.iter().map(change).collect())
}

#[test]
fn a_plan_adds_where_slots_suffice_and_seals_anew_where_somebody_leaves() {
    let [ann, bob, carol, dave] = people();
    let new_bob = rotated(&bob);
    let envelope = sealed(&request(&[&ann, &bob, &carol], Some(&ann.root)), CONTENT);
    let team = [
        known(&ann, &[]),
        known(&new_bob, &[&bob]),
        known(&carol, &[]),
        known(&dave, &[]),
    ];
    let plan = |envelope: &[u8], wish: Wish<'_>, me: &Person| {
        let (action, changes) = told(envelope, wish, &team, me);
        (action, changes.join(" "))
    };
    let is = |action: Action, changes: &str| (action, changes.to_owned());
    assert_eq!(
        plan(&envelope, Wish::CurrentKeys, &ann),
        is(Action::Add, "*P1")
    );
    assert_eq!(
        plan(&envelope, Wish::Exactly(0, &team), &ann),
        is(Action::Add, "*P1 +P3")
    );
    assert_eq!(
        plan(&envelope, Wish::Exactly(0, &team[..2]), &ann),
        is(Action::Reseal, "-P2 *P1")
    );
    assert_eq!(
        plan(&envelope, Wish::Without(&[carol.root.id()]), &ann),
        is(Action::Reseal, "*P1 -P2")
    );
    assert_eq!(
        plan(&envelope, Wish::Without(&[dave.root.id()]), &bob),
        is(Action::Add, "*P1")
    );
    assert_eq!(
        plan(&envelope, Wish::Without(&[carol.root.id()]), &bob).0,
        Action::Reseal
    );

    // Done once, it is right, and whoever rotated can use either key.
    let mut adding = rewriting(&envelope, &[&ann]);
    for one in [&new_bob, &dave] {
        adding
            .grant(&one.addressee(), None, (&ann.root, time(NOW)), &mut rng())
            .unwrap();
    }
    let added = written(adding);
    assert_eq!(
        plan(&added, Wish::Exactly(0, &team), &ann),
        is(Action::Nothing, "")
    );
    assert_eq!(
        plan(&added, Wish::CurrentKeys, &new_bob),
        is(Action::Nothing, "")
    );
    assert_eq!(
        plan(&added, Wish::Exactly(0, &team[..3]), &ann),
        is(Action::Reseal, "-P3"),
        "who was let in leaves too"
    );
}

#[test]
fn in_private_envelopes_and_quorums_most_changes_seal_anew() {
    let [ann, bob, carol] = people();
    let (new_ann, new_bob) = (rotated(&ann), rotated(&bob));
    let mut wish = request(&[&ann, &bob], None);
    wish.private = true;
    let private = sealed(&wish, CONTENT);
    let rotated_bob = [known(&ann, &[]), known(&new_bob, &[&bob])];
    let same = [known(&ann, &[]), known(&bob, &[])];
    assert_eq!(
        told(&private, Wish::CurrentKeys, &rotated_bob, &ann).0,
        Action::Reseal
    );
    assert_eq!(
        told(&private, Wish::CurrentKeys, &same, &ann).0,
        Action::Nothing
    );

    wish.private = false;
    wish.locks.push(quorum(2, &[&ann, &bob, &carol]));
    let with_quorum = sealed(&wish, CONTENT);
    let plan = |people: &[Known]| {
        let manifest = Envelope::read(&*with_quorum).unwrap();
        let manifest = manifest.manifest();
        let present = Present {
            policy: &manifest.policy,
            readers: &manifest.readers(),
            signer: None,
        };
        present.plan(Wish::CurrentKeys, people, ann.root.id())
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
