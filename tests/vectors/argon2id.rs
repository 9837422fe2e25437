//! Argon2id: RFC 9106's own vector, and passphrases at the parameters of the format.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use encl::crypto::passphrase::{Cost, Passphrase};

/// RFC 9106 §5.3. It has a secret and associated data, which our passphrases never have, so it is run through the crate.
#[test]
fn rfc_9106() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .output_len(32)
        .build()
        .unwrap();
    let argon2 =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(hex::encode(tag), expected);
}

/// Computed by the reference implementation in C, through argon2-cffi 25.1.0:
///
/// ```python
/// from argon2.low_level import Type, hash_secret_raw
/// hash_secret_raw(passphrase.encode(), salt, 3, 65536, 4, 32, Type.ID).hex()
/// ```
const COST_16: [(&str, [u8; 16], &str); 3] = [
    (
        "a",
        [0; 16],
        "c14b131f700ffff7084c7c810fe752314f8058f318ea5e66dd2e3d7c8482b392",
    ),
    (
        "correct horse battery staple",
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        "853b272a44db1421c02962669a55eb0994f3cab385ed1c4c79253eee19bab49e",
    ),
    (
        "café 漢字",
        [255; 16],
        "6fcbb97b5fbc6bbe90ec355fe5d62f9f0f504f432821ca6a7aa1ac0b4eb6c29c",
    ),
];

/// The second vector of `COST_16` with 131072 KiB instead of 65536: a cost is an exponent of two.
const COST_17: &str = "840be44f7b0aa36d163b5a5f88f411acd8af743f98f38d87079cd6f254dbfd7e";

#[test]
fn cost_17() {
    let (passphrase, salt, _) = COST_16[1];
    let passphrase = Passphrase::new(passphrase).unwrap();
    let key = passphrase.derive(&salt, Cost::new(17).unwrap()).unwrap();
    assert_eq!(hex::encode(key.expose()), COST_17);
}

#[test]
fn cost_16() {
    for (passphrase, salt, expected) in COST_16 {
        let passphrase = Passphrase::new(passphrase).unwrap();
        let key = passphrase.derive(&salt, Cost::DEFAULT).unwrap();
        assert_eq!(hex::encode(key.expose()), expected);
    }
}
