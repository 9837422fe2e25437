//! Envelopes that are sealed again for the remaining readers: what is kept, what is lost, and what is never copied.

use std::io::Write;

use encl::crypto::signing::SigningKey;
use encl::envelope::{
    Class, Envelope, LockRequest, Mail, Opened, ResealError, ResealRequest, Workers,
};
use encl::policy::Padding;

use crate::kit::{
    Forge, Keys, NOW, Person, open, opens, people, quorum, request, rng, sealed, time,
};

/// The envelope sealed again by `by` for these people.
fn resealed(
    envelope: &[u8],
    by: &Person,
    signer: Option<&SigningKey>,
    readers: &[&Person],
) -> Result<(Opened, Vec<u8>), ResealError> {
    let envelope = Envelope::read(envelope)?;
    let content = envelope.unlock(&mut Keys::of(&[by]), time(NOW))?;
    let request = ResealRequest {
        gate: None,
        locks: vec![LockRequest {
            recipients: readers.iter().map(|reader| reader.addressee()).collect(),
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
fn sealing_again_keeps_all_but_the_readers_and_the_signature() {
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
            wish.info.name = Some("report.pdf".to_owned());
            wish.info.media_type = Some("application/pdf".to_owned());
            wish.info.modified = Some(time("2025-05-05T05:05:05Z"));
            wish.info.mail = Some(Mail::Message {
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
                .into_metadata();
            assert_eq!(about.signer(), Some(bob.root.id()));
            assert_eq!(
                (about.created(), &about.private.info),
                (old.created(), &old.private.info)
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

/// Full chunks are copied where possible. Padding, signatures and chunk borders must not break this.
#[test]
fn contents_of_every_shape_are_copied_whole() {
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
fn a_changed_envelope_is_not_sealed_again() {
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
            gate: None,
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
    // Every chunk is genuine, but the author's signature is not.
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
        gate: None,
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

/// An envelope whose policy names Ann as author, with content that she did not sign.
fn signed_by_nobody(ann: &Person, bob: &Person) -> Vec<u8> {
    let signer = encl::json::to_b64(&ann.root.id().0);
    let mut forge = Forge::new(&[bob], &format!("\"signer\":\"{signer}\","));
    forge.policy = forge.policy.replace("\"signed\":false", "\"signed\":true");
    let plaintext = [b"{}\n".as_slice(), &vec![7; 40_000], &[1; 64]].concat();
    forge.envelope(&forge.slots(&[bob]), &plaintext)
}

/// A writer that fails like a full disk.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
