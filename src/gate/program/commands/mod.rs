//! The commands of the operator, a file for those that belong together.

mod copies;
mod keys;
mod look;
mod people;
mod witness;

use std::fs::File;

use encl::atomic_file::{Existing, FileMode};
use encl::gate::answering::GateKeys;
use encl::gate::log::SignedNote;
use encl::time::Time;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::folder::{self, Dir};
use crate::keys::{Keys, PassphraseSource};
use crate::output::Output;
use crate::server;
use crate::store::{Frozen, NOT_CONTINUED, Store, Tx, now};

pub(crate) use keys::repair;

/// Runs a command.
pub(crate) fn run(args: Args, output: &mut Output) -> Result<(), Failure> {
    let source = PassphraseSource::new(args.passphrase_file);
    match args.command {
        Command::Init { dir, url, name } => keys::init(&dir, (url, name), &source, output),
        Command::Serve(serve) => server::serve(&serve, source, output),
        Command::Block { dir, id, sealed_by } => {
            people::block(&Gate::open(&dir, &source)?, id, sealed_by, output)
        }
        Command::Unblock { dir, id } => people::unblock(&Gate::open(&dir, &source)?, id, output),
        Command::Erase { dir, id } => people::erase(&Gate::open(&dir, &source)?, id, output),
        Command::Freeze { dir } => keys::freeze(&Gate::open(&dir, &source)?, output),
        Command::Thaw { dir, accept_loss } => {
            keys::thaw(Gate::open(&dir, &source)?, (accept_loss, &source), output)
        }
        Command::Rotate { dir, kem, log } => {
            keys::rotate(Gate::open(&dir, &source)?, (kem, log), &source, output)
        }
        Command::Backup { dir, file } => copies::backup(&Dir::open(&dir)?, &file, output),
        Command::Restore { dir, file } => {
            copies::restore(&Gate::open(&dir, &source)?, &file, output)
        }
        Command::Export { dir } => look::export(&Dir::open(&dir)?, output),
        Command::Witness { command } => witness::run(command, &source, output),
        Command::Status { dir } => look::status(&Dir::open(&dir)?, output),
    }
}

/// A gate whose keys are open.
pub(super) struct Gate {
    dir: Dir,
    keys: Keys,
    /// Until the command has ended.
    _lock: File,
}

impl Gate {
    fn open(path: &std::path::Path, source: &PassphraseSource) -> Result<Self, Failure> {
        Self::locked(Dir::open(path)?, source)
    }

    fn locked(dir: Dir, source: &PassphraseSource) -> Result<Self, Failure> {
        let lock = dir.change_lock()?;
        let keys = Keys::read(&dir, source)?;
        Ok(Self {
            dir,
            keys,
            _lock: lock,
        })
    }

    /// Whether the database holds the log that the keys name; not so while a new log is begun.
    fn has_own_log(&self) -> Result<bool, Failure> {
        let path = self.dir.database();
        let opened = Store::open(&path).and_then(|mut store| {
            let transaction = store.look()?;
            Ok(transaction.origin() == self.keys.origin())
        });
        opened.map_err(|error| Failure::file("read", &path, error))
    }

    /// Changes something in one transaction, whose entries get a checkpoint.
    fn change<T>(
        &self,
        what: &str,
        change: impl FnOnce(&mut Tx<'_>, Time) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        let failure = |error: rusqlite::Error| Failure::new(format!("cannot {what}"), error);
        let mut store = Store::open(&self.dir.database()).map_err(failure)?;
        let keys = self.keys.to_answer();
        let mut transaction = store.begin().map_err(failure)?;
        if transaction.origin() != keys.origin {
            let why = "a new log was begun and not finished";
            let failure = Failure::new(format!("cannot {what}"), why);
            return Err(failure.hint("run `encl-gate thaw --accept-loss` again"));
        }
        let head = folder::read(&self.dir.head()).unwrap_or_default();
        if let Some(why) = lost(&mut transaction, &head, &keys).map_err(failure)? {
            transaction.commit().map_err(failure)?;
            let why = format!("the log has lost entries, so nothing is signed any more: {why}");
            let failure = Failure::new(format!("cannot {what}"), why);
            return Err(failure.hint(
                "put the newest database back, or begin a new log with `encl-gate thaw --accept-loss`",
            ));
        }
        if transaction.frozen() == Frozen::Waiting {
            let why = "no witness has said yet that nothing was lost, and an entry in a log that lacks some would be a fork";
            let failure = Failure::new(format!("cannot {what}"), why);
            return Err(failure.hint(
                "nobody is answered meanwhile: run `encl-gate serve` until a witness answers, or `encl-gate witness remove`",
            ));
        }
        let changed = change(&mut transaction, now()).map_err(failure)?;
        transaction.checkpoint(&keys).map_err(failure)?;
        let note = transaction.note().to_owned();
        transaction.commit().map_err(failure)?;
        // A copy from before this change is told from one of after it.
        folder::write(
            &self.dir.head(),
            note.as_bytes(),
            FileMode::Umask,
            Existing::Replace,
        )?;
        Ok(changed)
    }
}

/// Why nothing may be signed, if so: it would be a fork of what was signed before.
fn lost(
    transaction: &mut Tx<'_>,
    head: &[u8],
    keys: &GateKeys,
) -> rusqlite::Result<Option<String>> {
    if transaction.frozen() != Frozen::Loss && !transaction.continues(head, keys)? {
        transaction.set_lost(NOT_CONTINUED)?;
    }
    let why = transaction.why().unwrap_or(NOT_CONTINUED);
    Ok((transaction.frozen() == Frozen::Loss).then(|| why.to_owned()))
}

/// The first lines of a checkpoint: which log, how many entries, which root.
pub(crate) fn checkpoint_lines(note: &str) -> Option<(String, u64, String)> {
    let note = SignedNote::read(note.as_bytes()).ok()?;
    let mut lines = note.text().lines().map(str::to_owned);
    Some((lines.next()?, lines.next()?.parse().ok()?, lines.next()?))
}
