//! The corpus of real mail: each mbox and Maildir is sealed and unsealed, and is then what it was.

use super::*;

/// The corpus lies beside the repository, for its licences; without it these tests say so and try nothing.
fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !corpus.is_dir() {
        println!("no corpus at {}", corpus.display());
        return None;
    }
    Some(corpus)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

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
    let Some(corpus) = corpus() else { return };
    let scene = Scene::new();
    let mut messages = BTreeMap::new();
    for path in files_below(&corpus) {
        if path.parent().is_some_and(|folder| folder.ends_with("mbox")) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let kept = format!("{}/{name}", messages.len());
            scene.write(&kept, &fs::read(&path).unwrap());
            let archive = Archive::find(&scene.at(&kept)).unwrap();
            assert_eq!(archive.kind(), Kind::Mbox, "{name}");
            let before = scene.read(&kept);
            let ran = scene.run(&seal(), &kept);
            assert_eq!(ran.tally.failed + ran.tally.skipped, 0, "{name}: {ran:?}");
            let sealed = scene.read(&kept);
            assert_eq!(scene.run(&seal(), &kept).tally.done, 0, "{name}");
            assert_eq!(scene.read(&kept), sealed, "{name}");
            scene.run(&unseal(), &kept);
            assert_eq!(scene.read(&kept), before, "{name}");
            messages.insert(name.to_owned(), ran.messages);
        }
    }
    assert_eq!(messages.len(), 21);
    let trap = |name: &str| messages[name];
    assert_eq!(trap("testmbox.mac"), 1);
    assert_eq!(trap("testmbox.empty"), 0);
    assert_eq!(trap("testmbox.dos"), 10);
    assert_eq!(trap("sample.mboxrd"), 2);
    assert_eq!(trap("mboxcl2.lies"), 4);
    assert_eq!(trap("simple.mbox.txt"), 1);
    assert_eq!(trap("unmunged.mbox.txt"), 4);
}

#[test]
fn every_maildir_comes_back() {
    let Some(corpus) = corpus() else { return };
    for (folder, maildirs) in [
        ("email-folder/maildir", 10),
        ("maildir/maildir", 2),
        ("maildir/submaildirs", 0),
    ] {
        let scene = Scene::new();
        let from = corpus.join(folder);
        for path in files_below(&from) {
            let name = path.strip_prefix(&from).unwrap().to_str().unwrap();
            let name = name.replace("%3A", ":").replace("%2C", ",");
            scene.write(&format!("mail/{name}"), &fs::read(&path).unwrap());
        }
        assert_eq!(there_and_back(&scene, "mail"), maildirs, "{folder}");
    }
}

#[test]
fn every_message_comes_back_from_a_maildir_and_a_folder() {
    let Some(corpus) = corpus() else { return };
    let scene = Scene::maildir(&[]);
    let mut count = 0;
    for path in files_below(&corpus) {
        count += 1;
        let bytes = fs::read(&path).unwrap();
        scene.write(&format!("mail/cur/{count}.host:2,S"), &bytes);
        scene.write(&format!("folder/{count}.eml"), &bytes);
    }
    assert!(count > 200);
    assert_eq!(there_and_back(&scene, "mail"), count);
    assert_eq!(there_and_back(&scene, "folder"), count);
}
