mod witness;

use std::collections::HashMap;
use std::convert::Infallible;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::*;
use crate::crypto::sha256;
use crate::crypto::signing::SigningKey;
use crate::json;

/// All that a log stores of its tree.
#[derive(Default)]
struct Stored {
    nodes: HashMap<(u32, u64), Hash>,
    size: u64,
}

impl Nodes for Stored {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.nodes[&(level, index)])
    }
}

impl Stored {
    fn with(size: u64) -> Self {
        let mut stored = Self::default();
        (0..size).for_each(|number| stored.append(&entry(number)));
        stored
    }

    fn append(&mut self, entry: &[u8]) {
        let Ok(added) = added_nodes(self, self.size, leaf_hash(entry));
        for Store { level, index, hash } in added {
            let before = self.nodes.insert((level, index), hash);
            assert_eq!(before, None, "a complete subtree is stored once");
        }
        self.size += 1;
    }

    fn root(&self, size: u64) -> Hash {
        let Ok(root) = root(self, size);
        root
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = inclusion_proof(self, index, size);
        proof
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        let Ok(proof) = consistency_proof(self, old, new);
        proof
    }
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// MTH as RFC 6962 §2.1 defines it, word for word.
fn mth(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [] => sha256(&[]),
        [one] => sha256(&[&[0], one]),
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            let (left, right) = many.split_at(k);
            sha256(&[&[1], &mth(left), &mth(right)])
        }
    }
}

/// The entries and roots that the implementations of Certificate Transparency test with.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut stored = Stored::default();
    assert_eq!(hex::encode(stored.root(0)), roots[0]);
    for (entry, expected) in entries.iter().zip(&roots[1..]) {
        stored.append(&hex::decode(entry).unwrap());
        assert_eq!(hex::encode(stored.root(stored.size)), *expected);
    }
}

#[test]
fn roots_are_as_defined() {
    let stored = Stored::with(70);
    let entries: Vec<_> = (0..70).map(entry).collect();
    for size in 0..=70 {
        let count = usize::try_from(size).unwrap();
        assert_eq!(stored.root(size), mth(&entries[..count]), "{size}");
    }
}

/// Every proof in every tree of at most 40 entries holds; with a hash changed, left out, added, or for another place, it does not.
#[test]
fn inclusion_is_proved_and_nothing_else() {
    let stored = Stored::with(40);
    for size in 1..=40 {
        let root = stored.root(size);
        for index in 0..size {
            let proof = stored.inclusion(index, size);
            let leaf = leaf_hash(&entry(index));
            let verify =
                |leaf: &Hash, place, proof: &[Hash]| verify_inclusion(leaf, place, proof, &root);
            assert_eq!(
                verify(&leaf, (index, size), &proof),
                Ok(()),
                "{index} of {size}"
            );
            for other in (0..=size).filter(|other| *other != index) {
                assert!(verify(&leaf, (other, size), &proof).is_err());
            }
            assert!(verify(&leaf_hash(b"other"), (index, size), &proof).is_err());
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][31] ^= 1;
                assert!(verify(&leaf, (index, size), &changed).is_err());
            }
            let longer = [&proof[..], &[root]].concat();
            assert!(verify(&leaf, (index, size), &longer).is_err());
            if let Some((_, shorter)) = proof.split_last() {
                assert!(verify(&leaf, (index, size), shorter).is_err());
            }
        }
    }
}

#[test]
fn consistency_is_proved_and_nothing_else() {
    let stored = Stored::with(40);
    for new in 0..=40 {
        let new_root = stored.root(new);
        for old in 0..=new {
            let old_root = stored.root(old);
            let proof = stored.consistency(old, new);
            let verify = |old_root: &Hash, proof: &[Hash]| {
                verify_consistency((old, old_root), (new, &new_root), proof)
            };
            assert_eq!(verify(&old_root, &proof), Ok(()), "{old} of {new}");
            let forked = sha256(&[b"another past", &old_root]);
            assert!(verify(&forked, &proof).is_err(), "{old} of {new}");
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][0] ^= 0x80;
                assert!(verify(&old_root, &changed).is_err(), "{old} of {new}");
            }
            let longer = [&proof[..], &[new_root]].concat();
            assert!(verify(&old_root, &longer).is_err(), "{old} of {new}");
            if let Some((_, shorter)) = proof.split_last() {
                assert!(verify(&old_root, shorter).is_err(), "{old} of {new}");
            }
        }
    }
    let (root, later) = (stored.root(7), stored.root(9));
    let shrunk = verify_consistency((9, &later), (7, &root), &[]);
    assert_eq!(shrunk, Err(ProofError::Size));
}

/// A second implementation has the same roots and proofs, and takes ours.
#[test]
fn another_program_agrees() {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    type Digest = sha2::Sha256;

    let stored = Stored::with(40);
    let mut tree = MemoryBackedTree::<Digest, Vec<u8>>::new();
    for size in 1..=40 {
        tree.push(entry(size - 1));
        let theirs = tree.root();
        assert_eq!(theirs.as_bytes()[..], stored.root(size));
        let theirs_of = |size| RootHash::<Digest>::new(stored.root(size).into(), size);
        for index in 0..size {
            let proof = stored.inclusion(index, size);
            let place = usize::try_from(index).unwrap();
            assert_eq!(tree.prove_inclusion(place).as_bytes(), proof.concat());
            let proof = InclusionProof::try_from_bytes(proof.concat()).unwrap();
            let verified = theirs.verify_inclusion(&entry(index), index, &proof);
            assert!(verified.is_ok(), "{index} of {size}");
        }
        for old in 1..=size {
            let proof = stored.consistency(old, size);
            let added = usize::try_from(size - old).unwrap();
            assert_eq!(tree.prove_consistency(added).as_bytes(), proof.concat());
            let proof = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
            let verified = theirs_of(size).verify_consistency(&theirs_of(old), &proof);
            assert!(verified.is_ok(), "{old} of {size}");
        }
    }
}

fn key() -> SigningKey {
    SigningKey::generate(&mut UnwrapErr(SysRng))
}

fn log_key(key: &SigningKey) -> NoteKey {
    NoteKey {
        name: "gate.example.org/1".to_owned(),
        key: key.id(),
    }
}

/// The note with which Go's implementation of signed notes is tested.
#[test]
fn a_note_of_another_program_is_read() {
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let key = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let key: [u8; 33] = json::from_b64(key.as_bytes()).unwrap();
    let (kind, key) = key.split_first().unwrap();
    assert_eq!(*kind, 1);
    let key = NoteKey {
        name: "PeterNeumann".to_owned(),
        key: crate::crypto::signing::RootId(key.try_into().unwrap()),
    };
    let read = SignedNote::read(note.as_bytes()).unwrap();
    assert_eq!(read.verify(&key), Ok(()));
    assert_eq!(read.to_text(), note);
    let other = note.replacen("cryptography", "Cryptography", 1);
    let other = SignedNote::read(other.as_bytes()).unwrap();
    assert_eq!(other.verify(&key), Err(NoteError::Signature));
}

#[test]
fn a_checkpoint_counts_only_as_its_log_signed_it() {
    let (key, other) = (key(), key());
    let log = log_key(&key);
    let checkpoint = Checkpoint {
        origin: log.name.clone(),
        size: 20_852_163,
        root: [7; 32],
    };
    let note = checkpoint.sign(&key);
    let read = |note: &str| Checkpoint::read(note.as_bytes(), &log);
    assert_eq!(read(&note), Ok(checkpoint.clone()));
    // A witness signed it as well.
    let witness = SignedNote::sign(
        &note[..=note.find("\n\n").unwrap()],
        "witness.example",
        &other,
    );
    let both = format!("{note}{}", witness.to_text().rsplit_once("\n\n").unwrap().1);
    assert_eq!(read(&both), Ok(checkpoint.clone()));
    assert!(read(&checkpoint.sign(&other)).is_err());
    for (from, to) in [
        ("163", "164"),
        ("gate", "Gate"),
        ("\n\n", "\nmore\n\n"),
        ("Bw", "Cw"),
    ] {
        assert!(read(&note.replacen(from, to, 1)).is_err(), "{from}");
    }
    let signed = |text: &str| read(&SignedNote::sign(text, &log.name, &key).to_text());
    let root = json::to_b64(&[7; 32]);
    let name = &log.name;
    assert!(signed(&format!("{name}\n1\n{root}\n")).is_ok());
    assert!(signed(&format!("{name}\n1\n{root}\nan extension\n")).is_ok());
    for text in [
        format!("{name}\n01\n{root}\n"),
        format!("{name}\n+1\n{root}\n"),
        format!("{name}\n\n{root}\n"),
        format!("{name}\n1\n{}\n", &root[1..]),
        format!("{name}\n1\n"),
        format!("other.example\n1\n{root}\n"),
        format!("{name}\n18446744073709551616\n{root}\n"),
    ] {
        assert!(signed(&text).is_err(), "{text}");
    }
}

#[test]
fn a_receipt_is_checked_without_asking_anybody() {
    let key = key();
    let log = log_key(&key);
    let stored = Stored::with(300);
    let checkpoint = Checkpoint {
        origin: log.name.clone(),
        size: 300,
        root: stored.root(300),
    };
    let receipt = Receipt {
        index: 255,
        proof: stored.inclusion(255, 300),
        checkpoint: checkpoint.sign(&key),
    };
    let text = receipt.to_text();
    assert_eq!(Receipt::read(&text), Ok(receipt.clone()));
    assert_eq!(receipt.verify(&entry(255), &log), Ok(checkpoint));
    assert!(receipt.verify(&entry(254), &log).is_err());
    let with_extra = text.replacen("index", "extra AAAA\nindex", 1);
    assert_eq!(Receipt::read(&with_extra), Ok(receipt));
    for (from, to) in [
        ("@v1", "@v2"),
        ("index 255", "index 0255"),
        ("index", "Index"),
        ("=\n", "\n"),
    ] {
        assert!(
            Receipt::read(&text.replacen(from, to, 1)).is_err(),
            "{from}"
        );
    }
    // Every byte counts.
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let read = Receipt::read(&changed).map_err(drop);
        let verified = read.and_then(|read| read.verify(&entry(255), &log).map_err(drop));
        assert!(verified.is_err(), "byte {at}");
    }
}

#[test]
fn notes_that_are_none_are_refused() {
    let key = key();
    let good = SignedNote::sign("text\n", "name", &key).to_text();
    let refused = |text: &str| SignedNote::read(text.as_bytes()).unwrap_err();
    for (from, to) in [
        ("\n\n", "\n"),
        ("\u{2014} ", "- "),
        ("name ", "na+me "),
        ("text", "te\tx"),
        ("name ", "name AAAA "),
    ] {
        assert_eq!(
            refused(&good.replacen(from, to, 1)),
            NoteError::Form,
            "{from}"
        );
    }
    assert_eq!(refused(good.trim_end()), NoteError::Form);
    assert_eq!(refused(&"a\n".repeat(70_000)), NoteError::TooLong);
    let line = good.lines().last().unwrap();
    assert_eq!(
        refused(&format!("text\n\n{}", format!("{line}\n").repeat(40))),
        NoteError::TooLong
    );
}
