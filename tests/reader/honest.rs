//! What the program seals opens in the reader in the browser, with the key files that the program exports.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::node::node;
use crate::succeeds;
use crate::support::process;

const WORDS: &str = "correct horse battery";
/// Around the ends of chunks, and of what is held back as a signature.
const SIZES: [usize; 9] = [0, 1, 100, 16_318, 16_383, 16_384, 16_385, 32_768, 50_000];

/// A keystore with three people, and a folder for what they seal.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, more) in [("ann", &[][..]), ("bob", &["--classic"]), ("carol", &[])] {
            let address = format!("{name}@example.org");
            let card = scene.encl(&[&["key", "new", &address, "--no-passphrase"], more].concat());
            fs::write(scene.at(&format!("{name}.card")), card).unwrap();
            let export = scene.at(&format!("{name}.export"));
            scene.encl(&["key", "export", &address, "-o", export.to_str().unwrap()]);
        }
        fs::write(scene.at("words"), format!("{WORDS}\n")).unwrap();
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn encl(&self, arguments: &[&str]) -> String {
        let mut run = process::command(env!("CARGO_BIN_EXE_encl"));
        run.current_dir(self.folder.path()).args(arguments);
        run.env("HOME", self.folder.path());
        run.env("ENCL_KEYSTORE", self.at("keystore"));
        succeeds(run.arg("--no-input"))
    }
}

/// An envelope and who opens it; `how` are options of `encl wrap`.
struct Sealed {
    how: Vec<&'static str>,
    readers: &'static [&'static str],
    passphrase: Option<&'static str>,
    content: Vec<u8>,
}

/// All options of `encl wrap` together, at all sizes.
fn sealed() -> Vec<Sealed> {
    let mut all = Vec::new();
    let audiences: [(&[&str], &[&str]); 3] = [
        (&["--to", "carol.card"], &["carol"]),
        (&["--to", "bob.card", "--to", "carol.card"], &["bob"]),
        (
            &["--no-self", "--quorum", "2:bob.card,carol.card,ann.card"],
            &["carol", "bob"],
        ),
    ];
    for (number, size) in (0..48).flat_map(|features| SIZES.map(|size| (features, size))) {
        let on = |bit: usize| number >> bit & 1 == 1;
        let (to, readers) = audiences[number / 16];
        // Half of them, so that the test stays short.
        if (number + size) % 2 == 1 {
            continue;
        }
        let mut how = to.to_vec();
        how.push(if on(0) {
            "--anonymous"
        } else {
            "--as=ann@example.org"
        });
        how.extend(on(1).then_some("--private"));
        how.extend(on(2).then_some("--pad"));
        how.extend(on(3).then_some("--armor"));
        all.push(Sealed {
            how,
            readers,
            passphrase: None,
            content: (0..=250).cycle().take(size).collect(),
        });
    }
    for more in [
        &["--anonymous", "--no-self"][..],
        &["--private", "--pad", "--as=ann@example.org"],
    ] {
        let words = ["--passphrase", "--new-passphrase-file", "words"];
        all.push(Sealed {
            how: [&words[..], more].concat(),
            readers: &[],
            passphrase: Some(WORDS),
            content: b"for whoever knows the words".to_vec(),
        });
    }
    all
}

#[test]
fn what_the_program_seals_opens_in_the_reader() {
    let Some(mut node) = node() else { return };
    let scene = Scene::new();
    let all = sealed();
    let list = scene.at("list");
    let mut lines = fs::File::create(&list).unwrap();
    for (number, one) in all.iter().enumerate() {
        writeln!(lines, "{}", question(&scene, number, one)).unwrap();
    }
    let told = succeeds(node.args(["test/run.mjs", "--batch"]).arg(&list));
    let answers: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), all.len());
    for (one, answer) in all.iter().zip(&answers) {
        let due = hex::encode(Sha256::digest(&one.content));
        let is_right = answer["class"] == "ok" && answer["sha256"] == due.as_str();
        assert!(
            is_right && answer["admission"] == "named",
            "{:?}, {} bytes: {answer}",
            one.how,
            one.content.len()
        );
    }
    println!("{} envelopes of the program opened", all.len());
    assert!(all.len() >= 200);
}

/// Seals it, and asks for it.
fn question(scene: &Scene, number: usize, one: &Sealed) -> Value {
    let (plain, envelope) = (
        scene.at(&format!("{number}")),
        scene.at(&format!("{number}.encl")),
    );
    fs::write(&plain, &one.content).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (plain, envelope) = (text(&plain), text(&envelope));
    scene.encl(&[&["wrap", &plain, "-o", &envelope], &one.how[..]].concat());
    let export = |name: &&str| scene.at(&format!("{name}.export"));
    json!({
        "file": envelope,
        "identities": one.readers.iter().map(export).collect::<Vec<_>>(),
        "passphrase": one.passphrase,
    })
}
