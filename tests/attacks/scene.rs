//! People with keystores of their own in one folder, who run the program; and cards that no program of ours would make.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use encl::crypto::Kem;
use encl::identity::{Card, CardRequest, Identity, Revocation};
use encl::keystore::{Keystore, Protection};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::answer::Answer;
use crate::support::process;

/// A folder in which people work; each has a home of their own.
pub(crate) struct Scene(tempfile::TempDir);

/// Somebody whose private keys the test has.
pub(crate) struct Author {
    pub(crate) identity: Identity,
    pub(crate) card: Card,
}

impl Author {
    /// Somebody new with any name and addresses that the format takes.
    pub(crate) fn new(name: &str, addresses: &[&str]) -> Self {
        let identity = Identity::generate(Kem::X25519, now(), None, &mut UnwrapErr(SysRng));
        let card = card_of(&identity, name, addresses, 1);
        Self { identity, card }
    }

    pub(crate) fn id(&self) -> String {
        self.card.id().to_string()
    }

    /// Puts the identity into a keystore.
    pub(crate) fn own(&self, keystore: &Keystore) {
        let Self { identity, card } = self;
        let revocation = Revocation::new(identity.root(), now());
        let rng = &mut UnwrapErr(SysRng);
        std::fs::create_dir_all(keystore.root().parent().unwrap()).unwrap();
        let added = keystore.add_identity(identity, card, &revocation, Protection::Plain, rng);
        added.unwrap();
    }

    /// A later card.
    pub(crate) fn later(&self, name: &str, addresses: &[&str]) -> Card {
        card_of(&self.identity, name, addresses, self.card.serial() + 1)
    }
}

fn card_of(identity: &Identity, name: &str, addresses: &[&str], serial: u32) -> Card {
    let request = CardRequest {
        name: name.to_owned(),
        addresses: addresses.iter().map(|one| (*one).to_owned()).collect(),
        serial,
        created: now(),
    };
    Card::new(identity, request).unwrap()
}

fn now() -> Time {
    "2026-11-24T06:24:00Z".parse().unwrap()
}

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(scene.work()).unwrap();
        scene
    }

    /// Alice, who has an identity, and a `note` to send.
    pub(crate) fn with_alice() -> Self {
        let scene = Self::new();
        scene.ok(
            "alice",
            &[
                "key",
                "new",
                "alice@example.org",
                "--name",
                "Alice",
                "--no-passphrase",
            ],
        );
        scene.write("note", "a note\n");
        scene
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.0.path().join("here")
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn keystore(&self, person: &str) -> Keystore {
        Keystore::at(self.0.path().join(person).join(".local/share/encl"))
    }

    /// Makes `person` the owner of an identity that was made by another program.
    pub(crate) fn own(&self, person: &str, author: &Author) {
        author.own(&self.keystore(person));
    }

    /// Adds a card as `encl contact add` does, which has to succeed.
    pub(crate) fn add(&self, person: &str, card: &Card) {
        self.write("added.card", card.to_text());
        self.ok(person, &["contact", "add", "added.card", "--yes"]);
    }

    /// Puts a contact into the keystore's folder as an older program left it there, whatever the card says.
    pub(crate) fn leave(&self, person: &str, card: &Card, how: &str) {
        let line = contact_file(card, how);
        let folder = self.keystore(person).root().join("contacts");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(card.id().to_string());
        std::fs::write(&path, line).unwrap();
        for (path, mode) in [(&path, 0o600), (&folder, 0o700)] {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(path, mode).unwrap();
        }
    }

    /// Runs the program without a terminal.
    pub(crate) fn run(&self, person: &str, words: &[&str]) -> Answer {
        self.run_with(person, words, "")
    }

    /// Runs the program with this on standard input.
    pub(crate) fn run_with(&self, person: &str, words: &[&str], input: &str) -> Answer {
        self.write("input", input);
        let input = std::fs::File::open(self.work().join("input")).unwrap();
        let mut command = process::command("setsid");
        command
            .args(["-w", env!("CARGO_BIN_EXE_encl")])
            .args(words)
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.0.path().join(person))
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::from(input));
        Answer::of(&mut command)
    }

    /// Runs the program, which has to succeed.
    pub(crate) fn ok(&self, person: &str, words: &[&str]) -> Answer {
        self.run(person, words).ended(0, &format!("{words:?}"))
    }

    /// Runs the program, which has to end with this code.
    pub(crate) fn fails(&self, person: &str, words: &[&str], exit: i32) -> Answer {
        self.run(person, words).ended(exit, &format!("{words:?}"))
    }
}

/// The file of a contact nobody verified; `how` is `added` or `first-use`.
pub(crate) fn contact_file(card: &Card, how: &str) -> String {
    let addresses: Vec<String> = card.addresses().iter().map(|one| quoted(one)).collect();
    format!(
        "{{\"contact\":\"encl/1\",\"id\":\"{}\",\"name\":{},\"addresses\":[{}],\"trust\":\"unverified\",\"how\":\"{how}\",\
         \"added\":\"2026-11-24T06:24:00Z\"}}\n{}\n",
        encoded(card.id().0),
        quoted(card.name()),
        addresses.join(","),
        card.to_text()
    )
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn encoded(id: [u8; 32]) -> String {
    encl::json::to_b64(&id)
}
