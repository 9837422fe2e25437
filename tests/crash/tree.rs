//! A tree of envelopes is updated by runs that are killed: nothing is lost, and at the end each envelope opens for exactly the
//! right people.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use encl::crypto::passphrase::Passphrase;
use encl::crypto::{Kem, KeyId, PrivateKey};
use encl::envelope::{Envelope, Keyring, KeyringError, ReaderKey, Workers};
use encl::identity::{Card, CardRequest, Identity, Revocation};
use encl::keystore::{Keystore, Protection, StoredSecret};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::scene::{Scene, said};
use crate::support::process::wait_with_limit;
use crate::support::sweep;
use crate::tell::tell;

const FOLDERS: usize = 100;
const KILLS: u64 = 10;
const REWRAP: [&str; 9] = [
    "rewrap",
    "-r",
    "tree",
    "--to",
    "@team",
    "--yes",
    "--resign",
    "--keystore",
    "ann",
];

/// The number of envelopes in the tree; the short form has a fifth.
fn envelopes() -> usize {
    if sweep::is_full() { 5_000 } else { 1_000 }
}

#[test]
fn a_tree_is_updated_by_runs_that_are_killed() {
    let scene = tree();
    let first = state(&scene);
    assert_eq!(first.len(), envelopes());

    // Ben leaves, Cat has a new key, Eve joins.
    rotate(&scene, "cat");
    scene.done(&["contact", "add", "cat.card", "--yes", "--keystore", "ann"]);
    scene.done(&[
        "group",
        "remove",
        "team",
        "ben@example.org",
        "--keystore",
        "ann",
    ]);
    scene.done(&[
        "group",
        "add",
        "team",
        "eve@example.org",
        "--keystore",
        "ann",
    ]);
    let shown = scene.done(&[
        "rewrap",
        "-r",
        "tree",
        "--to",
        "@team",
        "--dry-run",
        "--json",
        "--keystore",
        "ann",
    ]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let anew = shown.matches("\"action\":\"reseal\"").count();
    assert_eq!((shown.lines().count(), anew), (envelopes(), envelopes()));
    assert!(state(&scene) == first, "a dry run changes nothing");

    let people = ["ann", "ben", "cat", "dan", "eve"].map(|name| (name, identity(&scene, name)));
    let mut done = Vec::new();
    for number in 0..KILLS {
        killed(&scene, number, &first);
        // The remaining people can open all envelopes, old or new.
        for (name, content) in open_all(&scene, &people[3].1) {
            assert_eq!(
                content.as_deref(),
                Some(&*name),
                "{name} after kill {number}"
            );
        }
        let now = state(&scene);
        done.push(
            now.iter()
                .filter(|(path, ino)| first[*path] != **ino)
                .count(),
        );
    }
    let moments = done.iter().collect::<HashSet<_>>().len();
    let last = scene.done(&REWRAP);
    assert!(said(&last).contains("0  failed"), "{}", said(&last));

    for (name, identity) in &people {
        let opened = open_all(&scene, identity);
        let right = opened.iter().filter(|(path, content)| match *name {
            "ben" => content.is_none(),
            _ => content.as_deref() == Some(path),
        });
        assert_eq!(right.count(), envelopes(), "{name}");
    }
    let end = state(&scene);
    assert_eq!(end.len(), envelopes());
    let left = scene
        .files()
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("/.encl-"));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    let again = scene.done(&REWRAP);
    assert!(said(&again).contains(&format!("{}  already up to date", envelopes())));
    assert!(state(&scene) == end, "a second run changes nothing");
    tell(&format!(
        "crash: {} envelopes in {FOLDERS} folders, {KILLS} kills at {moments} different moments (done by then: {done:?}), 0 lost",
        envelopes()
    ));
}

/// Five people, and envelopes by Ann and by Cat for Ann, Ben, Cat and Dan. Some are private or armored.
fn tree() -> Scene {
    let scene = Scene::new();
    for name in ["ann", "ben", "cat", "dan", "eve"] {
        let address = format!("{name}@example.org");
        let made = scene.done(&[
            "key",
            "new",
            &address,
            "--no-passphrase",
            "--keystore",
            name,
        ]);
        scene.write(&format!("{name}.card"), &made.stdout);
    }
    for keystore in ["ann", "cat"] {
        for card in ["ann", "ben", "cat", "dan", "eve"]
            .iter()
            .filter(|name| **name != keystore)
        {
            let card = format!("{card}.card");
            scene.done(&["contact", "add", &card, "--yes", "--keystore", keystore]);
        }
        let members = [
            "ann@example.org",
            "ben@example.org",
            "cat@example.org",
            "dan@example.org",
        ];
        scene.done(
            &[
                &["group", "new", "team"],
                &members[..],
                &["--keystore", keystore],
            ]
            .concat(),
        );
    }
    let each = envelopes() / FOLDERS;
    for folder in 0..FOLDERS {
        let folder = format!("tree/{folder:03}");
        fs::create_dir_all(scene.at(&folder)).unwrap();
        for number in 0..each {
            let name = format!("{folder}/{number:02}.encl");
            scene.write(&format!("{folder}/{number:02}"), name.as_bytes());
        }
    }
    let how: [&[&str]; 4] = [&[], &["--private"], &["--armor"], &["--anonymous"]];
    let paths = scene
        .files()
        .into_iter()
        .filter(|path| path.starts_with(scene.at("tree")));
    let paths: Vec<PathBuf> = paths.collect();
    for (number, chunk) in paths.chunks(paths.len().div_ceil(8)).enumerate() {
        let list: Vec<String> = chunk
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        scene.write("list", list.join("\n").as_bytes());
        let author = if number % 3 == 2 { "cat" } else { "ann" };
        let arguments = [
            "wrap",
            "--files-from",
            "list",
            "--to",
            "@team",
            "--keystore",
            author,
        ];
        scene.done(&[&arguments[..], how[number % 4]].concat());
    }
    for path in paths {
        fs::remove_file(path).unwrap();
    }
    scene
}

/// Every file of the tree, with numbers that identify its version.
fn state(scene: &Scene) -> BTreeMap<String, (u64, i64, i64)> {
    let files = scene
        .files()
        .into_iter()
        .filter(|path| path.starts_with(scene.at("tree")));
    let files = files.filter(|path| !path.to_string_lossy().contains("/.encl-"));
    let state = |path: PathBuf| {
        let file = fs::metadata(&path).unwrap();
        (
            named(scene, &path),
            (file.ino(), file.mtime(), file.mtime_nsec()),
        )
    };
    files.map(state).collect()
}

fn named(scene: &Scene, path: &Path) -> String {
    path.strip_prefix(scene.path())
        .unwrap()
        .display()
        .to_string()
}

/// Starts a run and kills it at a random moment after its first change.
fn killed(scene: &Scene, number: u64, first: &BTreeMap<String, (u64, i64, i64)>) {
    let mut command = scene.program(&REWRAP);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    let chance = RandomState::new().hash_one(number);
    // Wait until this run has changed an envelope, if any is left to change.
    let before = changed(scene, first);
    while begun.elapsed() < Duration::from_secs(20) && changed(scene, first) == before {
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(chance % (envelopes() as u64 / 8)));
    child.kill().unwrap();
    wait_with_limit(&mut child, &REWRAP);
}

fn changed(scene: &Scene, first: &BTreeMap<String, (u64, i64, i64)>) -> usize {
    let ino = |path: &String| fs::metadata(scene.at(path)).map(|file| file.ino()).ok();
    let is_new = |(path, before): &(&String, &(u64, i64, i64))| ino(path) != Some(before.0);
    first.iter().filter(is_new).count()
}

fn identity(scene: &Scene, name: &str) -> Identity {
    let store = Keystore::at(scene.at(name));
    let card = store.identities().unwrap().remove(0).card;
    match store.secret(&card.id()).unwrap() {
        StoredSecret::Plain(identity) => identity,
        StoredSecret::Locked(_) => panic!("{name} has no passphrase"),
    }
}

/// Gives a person a new key, which is then in the keystore and in `NAME.card`; the old key is removed.
fn rotate(scene: &Scene, name: &str) {
    let mut identity = identity(scene, name);
    let now = identity.keys()[0].created;
    let mut rng = UnwrapErr(SysRng);
    identity.rotate(Kem::XWing, now, None, &mut rng).unwrap();
    let request = CardRequest {
        name: format!("{name}@example.org"),
        addresses: vec![format!("{name}@example.org")],
        serial: 2,
        created: now,
    };
    let card = Card::new(&identity, request).unwrap();
    fs::remove_dir_all(scene.at(name)).unwrap();
    let revocation = Revocation::new(identity.root(), now);
    Keystore::at(scene.at(name))
        .add_identity(&identity, &card, &revocation, Protection::Plain, &mut rng)
        .unwrap();
    scene.write(&format!("{name}.card"), card.to_text().as_bytes());
}

/// One person's private keys.
struct Keys<'a>(&'a Identity);

impl Keyring for Keys<'_> {
    fn keys(&self) -> Vec<ReaderKey> {
        let key = |private: &PrivateKey| ReaderKey {
            id: private.public_key().key_id(),
            kem: private.kem(),
        };
        self.0
            .keys()
            .iter()
            .rev()
            .map(|own| key(&own.private))
            .collect()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        Ok(self.0.private_key(key).ok_or("not mine")?)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err("there is none".into())
    }
}

/// The content of each envelope of the tree as a person opens it; `None` if it does not open.
fn open_all(scene: &Scene, identity: &Identity) -> Vec<(String, Option<String>)> {
    let now = identity.keys()[0].created;
    let files = scene
        .files()
        .into_iter()
        .filter(|path| path.starts_with(scene.at("tree")));
    let files = files.filter(|path| !path.to_string_lossy().contains("/.encl-"));
    let open = |path: &Path| {
        let envelope = Envelope::read(fs::File::open(path).unwrap()).unwrap();
        let content = envelope.unlock(&mut Keys(identity), now).ok()?;
        let mut bytes = Vec::new();
        content.copy_to(&mut bytes, Workers::ONE).unwrap();
        String::from_utf8(bytes).ok()
    };
    files
        .map(|path| (named(scene, &path), open(&path)))
        .collect()
}
