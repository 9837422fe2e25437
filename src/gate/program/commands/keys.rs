//! init, rotate, freeze, thaw: what changes keys, card and whether the gate answers.

use std::path::Path;

use encl::atomic_file::{Existing, FileMode};
use encl::crypto::sha256;
use encl::gate::card::{GateCard, GateUrl};
use encl::gate::protocol::EntryOp;
use encl::identity::fingerprint;

use super::{Gate, checkpoint_lines, copies};
use crate::failure::Failure;
use crate::folder::{self, Dir};
use crate::keys::{Keys, PassphraseSource};
use crate::output::{Output, tell};
use crate::store::{Frozen, Store, Tx, now, rng};

/// Makes a gate. The keys are written last: a folder without them is no gate.
pub(super) fn init(
    path: &Path,
    (url, name): (GateUrl, Option<String>),
    source: &PassphraseSource,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = name.unwrap_or_else(|| url.host().to_owned());
    let mut keys = Keys::generate((url, name), now(), &mut rng());
    let card = keys.new_card(now())?;
    let is_plain = source.passphrase()?.is_none();
    let dir = Dir::make(path)?;
    let answering = keys.to_answer();
    let failure = |error| Failure::file("make", &dir.database(), error);
    Store::create(&dir.database(), &keys.origin(), &keys.log).map_err(failure)?;
    let mut store = Store::open(&dir.database()).map_err(failure)?;
    let mut transaction = store.begin().map_err(failure)?;
    transaction
        .log(EntryOp::Start, now(), |_| {})
        .map_err(failure)?;
    log_card(&mut transaction, &card).map_err(failure)?;
    transaction.checkpoint(&answering).map_err(failure)?;
    let note = transaction.note().to_owned();
    transaction.commit().map_err(failure)?;
    folder::write(
        &dir.head(),
        note.as_bytes(),
        FileMode::Umask,
        Existing::Keep,
    )?;
    write_card(&dir, &card, Existing::Keep)?;
    keys.write(&dir, (source, Existing::Keep), &mut rng())?;
    if is_plain {
        tell(
            "encl-gate: warning: the keys are not under a passphrase: whoever reads the folder has them",
        );
    }
    show(&card, output)
}

fn show(card: &GateCard, output: &mut Output) -> Result<(), Failure> {
    output.facts(&[
        ("id", card.id().to_string().into()),
        ("fingerprint", fingerprint(&card.id()).into()),
        ("name", card.name().into()),
        ("url", card.url().as_str().into()),
        ("origin", card.log_key().name.as_str().into()),
        ("serial", card.serial().into()),
        ("card", card.to_text().into()),
    ])
}

fn write_card(dir: &Dir, card: &GateCard, existing: Existing) -> Result<(), Failure> {
    let text = format!("{}\n", card.to_text());
    folder::write(&dir.card_path(), text.as_bytes(), FileMode::Umask, existing)
}

/// That there is a new card, by the hash of its text.
fn log_card(transaction: &mut Tx<'_>, card: &GateCard) -> rusqlite::Result<()> {
    let hash = sha256(&[card.to_text().as_bytes()]);
    transaction.log(EntryOp::Card, now(), |entry| entry.card = Some(hash))
}

/// New keys. Whether they may change is asked before anything does.
pub(super) fn rotate(
    mut gate: Gate,
    (only_kem, only_log): (bool, bool),
    source: &PassphraseSource,
    output: &mut Output,
) -> Result<(), Failure> {
    gate.change("rotate the keys", |_, _| Ok(()))?;
    if !only_log {
        gate.keys.rotate_kem(now())?;
    }
    if !only_kem {
        gate.keys.rotate_log()?;
    }
    let card = certify(&mut gate, source)?;
    gate.change("log the new card", |transaction, _| {
        log_card(transaction, &card)
    })?;
    write_card(&gate.dir, &card, Existing::Replace)?;
    show(&card, output)
}

/// A new card for the keys. They are on disk before anybody can learn of them, and the card is the last thing that changes: a server
/// that runs takes both over then.
fn certify(gate: &mut Gate, source: &PassphraseSource) -> Result<GateCard, Failure> {
    let card = gate.keys.new_card(now())?;
    gate.keys
        .write(&gate.dir, (source, Existing::Replace), &mut rng())?;
    Ok(card)
}

/// Ends what was stopped between new keys and their card: nobody could check answers that no card certifies.
pub(crate) fn repair(dir: &Dir, source: &PassphraseSource) -> Result<(), Failure> {
    let mut gate = Gate::locked(dir.clone(), source)?;
    let is_whole = dir.card().is_ok_and(|card| gate.keys.fits(&card));
    if is_whole || !gate.has_own_log()? {
        return Ok(());
    }
    tell(
        "encl-gate: the card is not that of the keys, since a command was stopped: there is a new card",
    );
    let card = certify(&mut gate, source)?;
    let logged = gate.change("log the new card", |transaction, _| {
        log_card(transaction, &card)
    });
    if let Err(failure) = logged {
        tell(&failure.to_string());
    }
    write_card(dir, &card, Existing::Replace)
}

/// Answers nobody from the next request on.
pub(super) fn freeze(gate: &Gate, output: &mut Output) -> Result<(), Failure> {
    let was = gate.change("freeze the gate", |transaction, now| {
        let was = transaction.frozen();
        if was == Frozen::No {
            transaction.log(EntryOp::Freeze, now, |_| {})?;
            transaction.set_frozen(Frozen::Operator)?;
        }
        Ok(was)
    })?;
    let changed = was == Frozen::No;
    output.facts(&[("frozen", true.into()), ("changed", changed.into())])
}

/// Answers again: if nothing was lost the same log, else a new one.
pub(super) fn thaw(
    gate: Gate,
    (accept_loss, source): (bool, &PassphraseSource),
    output: &mut Output,
) -> Result<(), Failure> {
    if accept_loss {
        return begin_anew(gate, source, output);
    }
    let waits = gate.change("thaw the gate", |transaction, now| {
        if transaction.frozen() == Frozen::Operator {
            transaction.log(EntryOp::Thaw, now, |_| {})?;
            transaction.set_frozen(Frozen::No)?;
            transaction.wait_for_witness()?;
        }
        Ok(transaction.frozen() == Frozen::Waiting)
    })?;
    output.facts(&[
        ("frozen", waits.into()),
        ("waits_for_witness", waits.into()),
    ])
}

/// A new log. The old one is kept in a file beside it.
fn begin_anew(
    mut gate: Gate,
    source: &PassphraseSource,
    output: &mut Output,
) -> Result<(), Failure> {
    let path = gate.dir.database();
    let failure = |error| Failure::file("begin a new log in", &path, error);
    let mut store = Store::open(&path).map_err(failure)?;
    let (frozen, origin) = {
        let transaction = store.begin().map_err(failure)?;
        (transaction.frozen(), transaction.origin().to_owned())
    };
    if frozen == Frozen::No && origin == gate.keys.origin() {
        return Err(Failure::new(
            "cannot begin a new log",
            "the gate is not frozen",
        ));
    }
    let archive = copies::archive(&gate.dir, &origin).map_err(failure)??;
    // After a stop in the middle the keys name the new log already.
    if origin == gate.keys.origin() {
        gate.keys.number += 1;
    }
    let card = gate.keys.new_card(now())?;
    gate.keys
        .write(&gate.dir, (source, Existing::Replace), &mut rng())?;
    let keys = gate.keys.to_answer();
    let mut transaction = store.begin().map_err(failure)?;
    transaction.begin_log(&keys, now()).map_err(failure)?;
    log_card(&mut transaction, &card).map_err(failure)?;
    transaction.checkpoint(&keys).map_err(failure)?;
    let note = transaction.note().to_owned();
    transaction.commit().map_err(failure)?;
    folder::write(
        &gate.dir.head(),
        note.as_bytes(),
        FileMode::Umask,
        Existing::Replace,
    )?;
    write_card(&gate.dir, &card, Existing::Replace)?;
    let (origin, size, _) = checkpoint_lines(&note).unwrap_or_default();
    output.facts(&[
        ("frozen", false.into()),
        ("origin", origin.into()),
        ("entries", size.into()),
        ("old_log", archive.display().to_string().into()),
        ("card", card.to_text().into()),
    ])
}
