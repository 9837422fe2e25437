//! Makes the test kit from FORMAT.md. All randomness is derived from names. `ENCL_KIT=write` writes the files.

mod accesses;
mod admissions;
mod approvals;
mod armor;
mod card_lines;
mod cards;
mod carriers;
mod case;
mod commitments;
mod edits;
mod forge;
mod forms;
mod front;
mod gates;
mod groups;
mod header;
mod identities;
mod mixed_order;
mod opened;
mod passphrases;
mod payloads;
mod people;
mod policies;
mod privates;
mod quorums;
mod signatures;
mod unlocking;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::kit::folder;

/// All files of the kit, by their paths in it.
fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let cases = [
        opened::cases(),
        forms::cases(),
        passphrases::cases(),
        commitments::cases(),
        front::cases(),
        armor::cases(),
        policies::cases(),
        accesses::cases(),
        unlocking::cases(),
        quorums::cases(),
        header::cases(),
        admissions::cases(),
        payloads::cases(),
        privates::cases(),
        mixed_order::cases(),
        signatures::cases(),
        cards::cases(),
        card_lines::cases(),
        groups::cases(),
        gates::cases(),
        approvals::cases(),
        identities::cases(),
    ];
    let mut files = BTreeMap::new();
    for case in cases.iter().flatten() {
        let path = PathBuf::from(case.folder).join(&case.name);
        let before = files.insert(path, case.to_file());
        assert!(
            before.is_none(),
            "two cases named {}/{}",
            case.folder,
            case.name
        );
    }
    for person in people::everybody() {
        let line = person.identity() + "\n";
        files.insert(PathBuf::from("keys").join(person.file()), line.into_bytes());
    }
    files
}

#[test]
fn the_files_are_what_the_kit_maker_makes() {
    let made = files();
    if std::env::var("ENCL_KIT").is_ok_and(|wish| wish == "write") {
        let _ = fs::remove_dir_all(folder());
        for (path, bytes) in &made {
            let path = folder().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        for file in fs::read_dir(entry.path()).unwrap() {
            let file = file.unwrap();
            let path = PathBuf::from(entry.file_name()).join(file.file_name());
            found.insert(path, fs::read(file.path()).unwrap());
        }
    }
    let differ: Vec<_> = made
        .keys()
        .chain(found.keys())
        .filter(|path| made.get(*path) != found.get(*path))
        .collect();
    assert!(
        differ.is_empty(),
        "ENCL_KIT=write cargo test --test vectors writes them anew: {differ:?}"
    );
}
