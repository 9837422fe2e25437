//! The corpora of mail: each mbox and Maildir is sealed and unsealed, and is then what it was.

use super::corpora::{Source, corpora, files};
use super::*;

/// The mboxes in which the program finds another number of messages than lines `From ` after an empty line, and why.
const OTHERWISE: [(&str, u64, &str); 4] = [
    ("outside/email-folder/mbox/testmbox.mac", 1, BARE_CR),
    ("outside/mimekit/mbox/unmunged.mbox.txt", 4, MARK_FIRST),
    ("own/mbox/bom", 4, MARK_FIRST),
    ("own/mbox/cr_only", 1, BARE_CR),
];
const BARE_CR: &str = "a bare CR ends no line";
const MARK_FIRST: &str = "a byte order mark stands before the first";

/// The Maildirs, and how many messages are in each.
const MAILDIRS: [(Source, &str, u64); 5] = [
    (Source::Own, "maildir/inbox", 10),
    (Source::Own, "maildir/subfolders", 0),
    (Source::Outside, "email-folder/maildir", 10),
    (Source::Outside, "maildir/maildir", 2),
    (Source::Outside, "maildir/submaildirs", 0),
];

/// Seals twice and unseals, and says how many messages there were.
fn there_and_back(scene: &Scene, name: &str) -> u64 {
    let before = scene.tree(name);
    let ran = scene.run(&seal(), name);
    assert_eq!(ran.tally.failed + ran.tally.skipped, 0, "{name}: {ran:?}");
    let sealed = scene.tree(name);
    let again = scene.run(&seal(), name);
    assert_eq!(again.counts(), [0, ran.messages, 0, 0], "{name}");
    assert_eq!(scene.tree(name), sealed, "{name}");
    scene.run(&unseal(), name);
    assert_eq!(
        for_the_owner_only(scene.tree(name)),
        for_the_owner_only(before),
        "{name}"
    );
    ran.messages
}

#[test]
fn every_mbox_comes_back() {
    let scene = Scene::new();
    for mbox in corpora().iter().flat_map(|corpus| &corpus.mboxes) {
        let name = &mbox.name;
        scene.write(name, &mbox.bytes);
        let archive = Archive::find(&scene.at(name)).unwrap();
        assert_eq!(archive.kind(), Kind::Mbox, "{name}");
        let ran = scene.run(&seal(), name);
        assert_eq!(ran.tally.failed + ran.tally.skipped, 0, "{name}: {ran:?}");
        let otherwise = OTHERWISE.iter().find(|(other, ..)| other == name);
        let expected = otherwise.map_or(mbox.pieces as u64, |(_, messages, _)| *messages);
        assert_eq!(ran.messages, expected, "{name}");
        let sealed = scene.read(name);
        assert_eq!(scene.run(&seal(), name).tally.done, 0, "{name}");
        assert_eq!(scene.read(name), sealed, "{name}");
        scene.run(&unseal(), name);
        assert_eq!(scene.read(name), mbox.bytes, "{name}");
    }
}

#[test]
fn every_maildir_comes_back() {
    for corpus in corpora() {
        let of_corpus = MAILDIRS
            .iter()
            .filter(|(source, ..)| *source == corpus.source);
        for (_, folder, messages) in of_corpus {
            let scene = Scene::new();
            let from = corpus.root.join(folder);
            for path in files(&from) {
                let name = path.strip_prefix(&from).unwrap().to_str().unwrap();
                let name = name.replace("%3A", ":").replace("%2C", ",");
                scene.write(&format!("mail/{name}"), &fs::read(&path).unwrap());
            }
            assert_eq!(there_and_back(&scene, "mail"), *messages, "{folder}");
        }
    }
}

#[test]
fn every_file_comes_back_from_a_maildir_and_a_folder() {
    for corpus in corpora() {
        let scene = Scene::maildir(&[]);
        let mut count = 0;
        for path in files(&corpus.root) {
            count += 1;
            let bytes = fs::read(&path).unwrap();
            scene.write(&format!("mail/cur/{count}.host:2,S"), &bytes);
            scene.write(&format!("folder/{count}.eml"), &bytes);
        }
        assert!(count > corpus.messages.len() as u64 / 2);
        assert_eq!(there_and_back(&scene, "mail"), count);
        assert_eq!(there_and_back(&scene, "folder"), count);
    }
}
