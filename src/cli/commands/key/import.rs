//! `encl key import`: an identity comes from a file that `encl key export` wrote.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::identity::{CardKey, Identity};
use encl::keystore::{
    IdentityExport, ImportOutcome, Keystore, KeystoreError, Standing, StoredIdentity, StoredSecret,
};
use zeroize::Zeroizing;

use crate::cli::commands::key::show;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::is_dash;
use crate::cli::operations::identity::update::IdentityUpdate;
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::terminal::{safe, shown};

/// Add an identity from a file that `encl key export` wrote
///
/// If the identity is already in the keystore, it keeps all its keys, and keys that only the file has are added. An older card
/// never replaces a newer one.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Locked, Exit::Exists], "\
  $ encl key export -o alice.identity && encl key import alice.identity --keystore elsewhere"))]
pub(crate) struct Arguments {
    /// The file (`-`: standard input)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let what = format!("cannot import {}", shown(&arguments.file));
    let text = read(&arguments.file, IdentityExport::BYTES_MAX, &what, context)?;
    let transfer = IdentityExport::from_text(&text).map_err(|error| {
        Failure::new(Exit::Damaged, &*what)
            .reason(safe(&error.to_string()))
            .file(&arguments.file)
    })?;
    let imported = take_in(&transfer, &what, context)?;
    let who = transfer.card().display_name();
    context.terminal.status(&match imported {
        ImportOutcome::New => format!("{who} is one of your identities now"),
        ImportOutcome::Updated => format!("{who} is up to date now; no key was lost"),
        ImportOutcome::Known | ImportOutcome::KeysDiffer => {
            format!("{who} is already here, with all its keys")
        }
    });
    show::told(transfer.card().id(), context)
}

/// Takes an identity in; one that is here with other keys, or locked differently, gets those that only the file has.
pub(crate) fn take_in(
    transfer: &IdentityExport,
    what: &str,
    context: &Context,
) -> Result<ImportOutcome, Failure> {
    let failed = |error: KeystoreError| keystore::failure(what, &error);
    // Keys that stand in the clear have to be this identity's.
    let secret = transfer.secret().map_err(failed)?;
    let keystore = &context.keystore;
    let imported = keystore.import_identity(transfer).map_err(failed)?;
    if imported != ImportOutcome::KeysDiffer {
        return Ok(imported);
    }
    let imported = match has_all_keys(transfer, keystore).map_err(failed)? {
        true => ImportOutcome::Known,
        false => merge(transfer, secret, what, context)?,
    };
    if ends(transfer, keystore).map_err(failed)? {
        keystore
            .mark_revoked(&transfer.card().id())
            .map_err(failed)?;
        return Ok(ImportOutcome::Updated);
    }
    Ok(imported)
}

/// What [`take_in`] would do: [`ImportOutcome::KeysDiffer`] where it needs passphrases.
pub(crate) fn foresee(
    transfer: &IdentityExport,
    keystore: &Keystore,
) -> Result<ImportOutcome, KeystoreError> {
    match keystore.dry_run_import(transfer)? {
        ImportOutcome::KeysDiffer if !has_all_keys(transfer, keystore)? => {
            Ok(ImportOutcome::KeysDiffer)
        }
        ImportOutcome::KeysDiffer if ends(transfer, keystore)? => Ok(ImportOutcome::Updated),
        ImportOutcome::KeysDiffer => Ok(ImportOutcome::Known),
        other => Ok(other),
    }
}

/// Whether an identity that is here has all keys of another form of it, locked differently or made before: the card that is here
/// is no earlier one, and names them all.
fn has_all_keys(transfer: &IdentityExport, keystore: &Keystore) -> Result<bool, KeystoreError> {
    let id = transfer.card().id();
    // A file that is damaged has no keys.
    if let StoredSecret::Locked(locked) = keystore.secret(&id)? {
        locked.envelope()?;
    }
    let there = transfer.card();
    Ok(keystore.own_card(&id)?.is_some_and(|here| {
        let has = |key: &CardKey| here.keys().iter().any(|known| known.public == key.public);
        here.serial() >= there.serial() && there.keys().iter().all(has)
    }))
}

/// Whether it is used here, and was revoked there.
fn ends(transfer: &IdentityExport, keystore: &Keystore) -> Result<bool, KeystoreError> {
    let id = transfer.card().id();
    let identities = keystore.identities()?;
    let is_active = |one: &StoredIdentity| one.card.id() == id && one.standing == Standing::Active;
    Ok(transfer.has_ended() && identities.iter().any(is_active))
}

/// The identity that is here gets the keys that only the file has, and a card with all of them; it stays locked as it is.
fn merge(
    transfer: &IdentityExport,
    secret: StoredSecret,
    what: &str,
    context: &Context,
) -> Result<ImportOutcome, Failure> {
    let keystore = &context.keystore;
    let here = keystore.own_card(&transfer.card().id());
    let here = here.map_err(|error| keystore::failure(what, &error))?;
    let here =
        here.ok_or_else(|| Failure::new(Exit::Failed, what).reason("it was just removed"))?;
    let is_later = transfer.card().serial() > here.serial();
    let mut changing = IdentityUpdate::begin(here, what, context)?;
    let (ours, theirs) = (changing.identity, unlocked(secret, what, context)?);
    // What the later card says about a key, such as its end, is what holds.
    let (mut identity, earlier) = if is_later {
        (theirs, ours)
    } else {
        (ours, theirs)
    };
    let merged = identity.merge(earlier);
    let has_grown =
        merged.map_err(|error| Failure::new(Exit::Exists, what).reason(error.to_string()))?;
    changing.identity = identity;
    let card = match (is_later, has_grown) {
        (false, false) => return Ok(ImportOutcome::Known),
        (true, false) => transfer.card().clone(),
        (_, true) => {
            if is_later {
                changing.card = transfer.card().clone();
            }
            changing.next_card(what, context)?
        }
    };
    changing.end(Some(&card), what, context)?;
    Ok(ImportOutcome::Updated)
}

fn unlocked(secret: StoredSecret, what: &str, context: &Context) -> Result<Identity, Failure> {
    match secret {
        StoredSecret::Plain(identity) => Ok(identity),
        StoredSecret::Locked(locked) => {
            let words = "the identity in the file";
            let passphrase = context
                .passphrases
                .existing(PassphraseFor::Identity, words)?;
            let unlocked = locked.unlock(&passphrase);
            unlocked.map_err(|error| keystore::failure(what, &error))
        }
    }
}

/// A file with secrets; at most one byte more than it can have, so that longer ones are refused as too long.
pub(crate) fn read(
    path: &Path,
    max: usize,
    what: &str,
    context: &Context,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::io(what, &error).file(path);
    // Room for all: a buffer that grows leaves copies of secrets behind.
    let most = max + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(most));
    let read = if is_dash(path) {
        context.passphrases.stdin_is_data();
        std::io::stdin().take(most as u64).read_to_end(&mut text)
    } else {
        let file = File::open(path).map_err(failed)?;
        file.take(most as u64).read_to_end(&mut text)
    };
    read.map_err(failed)?;
    Ok(text)
}
