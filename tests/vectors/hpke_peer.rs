//! Comparison with crate `hpke` (rust-hpke), in both directions and for both mechanisms. The crate has its own HPKE, but its
//! X25519, X-Wing and AES-GCM are from crates that `encl` uses too: those are tested by the published vectors.

use encl::crypto::{Kem, PrivateKey, PublicKey, hpke as ours};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem as PeerKem, X25519HkdfSha256, XWing};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable};
use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

const ROUNDS: usize = 50;

#[test]
fn x25519() {
    assert_eq!(both_ways::<X25519HkdfSha256>(Kem::X25519), 2 * ROUNDS);
}

#[test]
fn x_wing() {
    assert_eq!(both_ways::<XWing>(Kem::XWing), 2 * ROUNDS);
}

/// Compares plaintexts of 0 to 98 bytes with an `info` of every length up to 49.
fn both_ways<K: PeerKem>(kem: Kem) -> usize {
    let mut rng = UnwrapErr(SysRng);
    let mut messages = 0;
    for round in 0..ROUNDS {
        let mut plaintext = vec![0; 2 * round];
        rng.fill_bytes(&mut plaintext);
        let mut info = vec![0; round];
        rng.fill_bytes(&mut info);
        let reader = PrivateKey::generate(kem, &mut rng);
        ours_to_theirs::<K>(&reader, &info, &plaintext);
        theirs_to_ours::<K>(&reader, &info, &plaintext);
        messages += 2;
    }
    messages
}

fn ours_to_theirs<K: PeerKem>(reader: &PrivateKey, info: &[u8], plaintext: &[u8]) {
    let mut rng = UnwrapErr(SysRng);
    let sealed = ours::seal(&reader.public_key(), info, plaintext, &mut rng).unwrap();
    let key = K::PrivateKey::from_bytes(reader.secret().expose()).unwrap();
    let public = K::sk_to_pk(&key);
    assert_eq!(public.to_bytes()[..], *reader.public_key().as_bytes());
    let enc = K::EncappedKey::from_bytes(&sealed.enc).unwrap();
    let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(
        &OpModeR::Base,
        &key,
        &enc,
        info,
        &sealed.ct,
        b"",
    );
    assert_eq!(opened.unwrap(), plaintext);
}

fn theirs_to_ours<K: PeerKem>(reader: &PrivateKey, info: &[u8], plaintext: &[u8]) {
    let public: PublicKey = reader.public_key();
    let public = K::PublicKey::from_bytes(public.as_bytes()).unwrap();
    let (enc, ct) = hpke::single_shot_seal::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        b"",
    )
    .unwrap();
    let opened = ours::open(reader, &enc.to_bytes(), info, &ct).unwrap();
    assert_eq!(opened[..], *plaintext);
}
