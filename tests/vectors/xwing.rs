//! X-Wing (draft-connolly-cfrg-xwing-kem, appendix C): keys, encapsulation and shared secret.

use encl::crypto::{Kem, PrivateKey, hpke};
use serde::Deserialize;

use super::{Scripted, reference, secret};

#[derive(Deserialize)]
struct Vector {
    #[serde(with = "hex::serde")]
    eseed: Vec<u8>,
    #[serde(with = "hex::serde")]
    ss: Vec<u8>,
    #[serde(with = "hex::serde")]
    sk: Vec<u8>,
    #[serde(with = "hex::serde")]
    pk: Vec<u8>,
    #[serde(with = "hex::serde")]
    ct: Vec<u8>,
}

#[test]
fn the_drafts_vectors() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("data/xwing.json")).unwrap();
    for vector in &vectors {
        let reader = PrivateKey::new(Kem::XWing, secret(&vector.sk));
        let public = reader.public_key();
        assert_eq!(public.as_bytes(), vector.pk);

        let mut rng = Scripted::new(&vector.eseed);
        let sealed = hpke::seal(&public, b"info", b"sealed", &mut rng).unwrap();
        assert!(rng.is_spent());
        assert_eq!(sealed.enc, vector.ct);
        let (key, nonce) = reference::key_schedule(Kem::XWing, &vector.ss, b"info");
        assert_eq!(sealed.ct, reference::seal(&key, &nonce, b"sealed"));
        let opened = hpke::open(&reader, &vector.ct, b"info", &sealed.ct).unwrap();
        assert_eq!(opened[..], *b"sealed");
    }
    assert_eq!(vectors.len(), 3);
}
