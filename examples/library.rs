//! The library in one page: seal for a name out of a keystore, open, and give a group access to a whole folder.
//! Run it with `cargo run --example library`.

use std::fs::{self, File};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Error, Result};
use encl::crypto::Kem;
use encl::directory::{DirectoryError, People, Person, Recipients, WhoUse, known_person, resolve};
use encl::envelope::{ContentInfo, KeyringError, Workers, seal};
use encl::identity::{Card, CardRequest, Identity, Revocation};
use encl::keystore::{AddedBy, Keystore, Protection, StoredSecret};
use encl::operations::approvals::Approvals;
use encl::operations::keys::TypedPassphrase;
use encl::operations::open::{Opener, Requirements};
use encl::operations::rewrite::{
    AccessUpdate, RequestedAccess, UpdateOptions, envelopes_below, update_file,
};
use encl::operations::seal::{SealTerms, Sealer};
use encl::operations::{MyKeys, Unlock};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

/// How a program gets at private keys. Here nothing is locked by a passphrase; a program would ask for it.
struct Unlocked(Keystore);

impl Unlock for Unlocked {
    fn unlock_identity(&self, person: &Person) -> Result<Identity, KeyringError> {
        match self.0.secret(&person.card.id())? {
            StoredSecret::Plain(identity) => Ok(identity),
            StoredSecret::Locked(_) => Err("it is locked by a passphrase".into()),
        }
    }

    fn passphrase_of_envelope(&self, _: &str) -> Result<Zeroizing<String>, KeyringError> {
        Err("there is nobody to ask".into())
    }
}

/// A keystore with a new identity in it, and its card.
fn newcomer(keystore: Keystore, name: &str, now: Time) -> Result<(Keystore, Card)> {
    let mut rng = UnwrapErr(SysRng);
    let identity = Identity::generate(Kem::XWing, now, None, &mut rng);
    let request = CardRequest {
        name: name.to_owned(),
        addresses: vec![format!("{}@example.org", name.to_lowercase())],
        serial: 1,
        created: now,
    };
    let card = Card::new(&identity, request)?;
    let revocation = Revocation::new(identity.root(), now);
    keystore.add_identity(&identity, &card, &revocation, Protection::Plain, &mut rng)?;
    Ok((keystore, card))
}

fn main() -> Result<()> {
    // The library never looks for folders, clock or randomness: all are given to it.
    let desk = tempfile::tempdir()?;
    let mut rng = UnwrapErr(SysRng);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = Time::from_unix(now).context("the clock is past the year 9999")?;
    let keystore = |name: &str| Keystore::at(desk.path().join(name));
    let (alice, _) = newcomer(keystore("alice"), "Alice", now)?;
    let (bob, bobs_card) = newcomer(keystore("bob"), "Bob", now)?;
    let (_, carols_card) = newcomer(keystore("carol"), "Carol", now)?;
    for card in [&bobs_card, &carols_card] {
        alice.accept(card, AddedBy::Added, now)?;
    }

    // Alice seals for Bob, by name, and signs.
    let people = People::read(alice.clone())?;
    let me = people.active.first().context("Alice has an identity")?;
    let recipients = Recipients::resolve(&["Bob".to_owned()], Some(me), &people, now)?;
    let unlocked = Unlocked(alice);
    let keys = MyKeys::new(&unlocked, people.readers());
    let sealer = Sealer {
        signer: Some(keys.signing_key(me.card.id()).map_err(Error::from_boxed)?),
        passphrase: None,
        terms: SealTerms::default(),
        now,
    };
    let folder = desk.path().join("sealed");
    fs::create_dir(&folder)?;
    let path = folder.join("plan.txt.encl");
    let request = sealer.request(&recipients, ContentInfo::default());
    let content = b"for Bob, and later for Carol";
    seal(
        &request,
        &mut content.as_slice(),
        &mut File::create(&path)?,
        &mut rng,
    )?;

    // Bob opens it.
    let bobs = People::read(bob.clone())?;
    let unlocked_bob = Unlocked(bob);
    let opener = |keys| Opener::new(keys, Approvals::none(), Requirements::default(), now);
    let bob = opener(MyKeys::new(&unlocked_bob, bobs.readers()));
    let opened = bob.open(
        "the plan",
        File::open(&path)?,
        &mut TypedPassphrase::default(),
    )?;
    let mut plan = Vec::new();
    let (opened, bytes) = opened.copy_to(&mut plan, Workers::Processors)?;
    anyhow::ensure!(plan == content && opened.signer() == Some(me.card.id()));
    writeln!(
        std::io::stdout(),
        "{bytes} bytes, signed by {}",
        me.card.name()
    )?;

    // Alice gives exactly Bob and Carol, and herself, access to everything in the folder.
    let both = resolve(&["Bob", "Carol"], WhoUse::Recipient, &people)?;
    let both = both.iter().map(|one| known_person(one, now));
    let requested = RequestedAccess::Exactly {
        people: both.collect::<Result<_, DirectoryError>>()?,
        no_self: false,
        groups: Vec::new(),
    };
    let update = AccessUpdate::new(&people, requested, UpdateOptions::default(), now)?;
    let alice = opener(keys);
    let mut unreadable = Vec::new();
    let found = envelopes_below(&folder, |error| unreadable.push(error))?;
    for path in found.paths {
        let planned = update_file(&found.root, &path, &update, &alice, &mut rng)?;
        let added = planned.changes.added.len();
        writeln!(
            std::io::stdout(),
            "{added} more can open {}",
            path.file_name().context("a file")?.display()
        )?;
    }
    anyhow::ensure!(unreadable.is_empty());
    Ok(())
}
