//! `encl doctor`: the keystore looked through, and what to do about what was found.

use clap::Args;
use encl::crypto::signing::RootId;
use encl::directory::{Person, Trust};
use encl::identity::Identity;
use encl::keystore::LockedIdentity;
use encl::operations::MyKeys;
use encl::operations::check_up::{Level, LockedIdentities, TestKeys, check_up};
use encl::operations::identity::UnlockError;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::envelope::unlock_failure;
use crate::cli::errors::{CommandError, CommandResult, Exit};
use crate::cli::operations::doctor::Scene;
use crate::cli::secrets::kernel_keyring::CachedSecret;
use crate::cli::terminal::Stream;

/// Check the keystore, and say how to repair what is wrong
///
/// Checks file permissions, unreadable files, expiring keys, the clock, duplicate addresses, a test encryption per identity,
/// and the last backup. Changes nothing. Exit 1 only if something cannot be opened.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Locked], "\
  $ encl doctor
  $ encl doctor --json | grep '\"bad\"' || echo nothing is broken"))]
pub(crate) struct Arguments {
    /// Also test identities protected by a passphrase, which you are asked for
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    context.keystore = context.keystore.clone().examined();
    let context = &*context;
    // What does not open is reported with the files.
    let identities = context.keystore.identities().unwrap_or_default();
    let people = identities.iter();
    let people = people.map(|one| Person::new(one.card.clone(), Trust::Me));
    let people: Vec<Person> = people.collect();
    let keys = AskedKeys {
        keys: MyKeys::new(context, &people),
        context,
    };
    let locked = match arguments.open {
        true => LockedIdentities::Test,
        false => LockedIdentities::Skip,
    };
    let findings = check_up(
        &context.keystore,
        &identities,
        (&keys, locked),
        context.now,
        &mut context.rng(),
    );
    let scene = Scene {
        keystore: &context.keystore,
        state: context.state.as_deref(),
        now: context.now,
    };
    let lines = scene.lines(&findings);
    for line in &lines {
        context.report(line, Stream::Stdout)?;
    }
    match lines.iter().any(|line| line.level == Level::Bad) {
        true => Err(CommandError::Reported(Exit::Failed)),
        false => Ok(()),
    }
}

/// My private keys, unlocked by a question where nothing else unlocks them.
struct AskedKeys<'a> {
    keys: MyKeys<'a>,
    context: &'a Context,
}

impl TestKeys for AskedKeys<'_> {
    fn is_unlocked(&self, locked: &LockedIdentity) -> bool {
        CachedSecret::find(locked, self.context.now).is_some()
    }

    fn identity(&self, id: RootId) -> Result<&Identity, UnlockError> {
        Ok(self.keys.identity(id).map_err(unlock_failure)?)
    }
}
