//! `encl gate compare`: whether two checkpoints of one gate can both be true.

use std::path::Path;

use encl::gate::client::{KeptCheckpoint, Receipt};
use encl::gate::log;
use encl::keystore::GateContact;
use encl::operations::gate::{CompareError, Compared, Unreached, read_short};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::{Exit, Failure, gate as errors, keystore};
use crate::cli::operations::gate::gates;
use crate::cli::terminal::{Stream, safe, shown};

/// Bytes of a checkpoint, or of a receipt with one.
const FILE_BYTES_MAX: u64 = 160 << 10;
const VERB: &str = "compare";

pub(super) fn run(one: &Path, other: &Path, context: &Context) -> Result<(), Failure> {
    let (gate, first) = checkpoint(one, context)?;
    let (other_gate, second) = checkpoint(other, context)?;
    let what = format!("cannot compare {} and {}", shown(one), shown(other));
    if gate.card.id() != other_gate.card.id() {
        return Err(Failure::new(Exit::Usage, what).reason("they are of two gates"));
    }
    let compared = gates(context)?.compare(&gate, (&first, &second));
    let name = safe(&gate.name);
    let (old, new) = (first.size.min(second.size), first.size.max(second.size));
    let (result, words) = match &compared {
        Ok(Compared::Same) => ("same", format!("{name}: the same log of {new} entries")),
        Ok(Compared::Continues) => (
            "continues",
            format!("{name}: its log of {new} entries continues that of {old}"),
        ),
        Ok(Compared::Forked(_)) if old == new => (
            "forked",
            format!("{name}: two logs of {new} entries that differ"),
        ),
        Ok(Compared::Forked(_)) => (
            "forked",
            format!(
                "{name}: its log does not continue both what it signed of {old} and of {new} entries"
            ),
        ),
        Err(_) => (
            "different-sizes",
            format!("{name}: {old} and {new} entries, not compared"),
        ),
    };
    let object = CompareObject {
        schema: "encl.gate-compare/1",
        id: gate.card.id().to_string(),
        name: &gate.name,
        sizes: [first.size, second.size],
        result,
    };
    let words = Words::Answer(words);
    context.report(&Outcome { object, words }, Stream::Stdout)?;
    match compared {
        Ok(Compared::Same | Compared::Continues) => Ok(()),
        Ok(Compared::Forked(lie)) => Err(errors::forked(
            Failure::new(Exit::Damaged, what),
            &gate.name,
            &lie.to_string(),
        )),
        Err(error) => Err(not_compared(&what, &gate, &error)),
    }
}

/// Checkpoints of different sizes are compared with the gate, or not at all.
fn not_compared(what: &str, gate: &GateContact, error: &CompareError) -> Failure {
    let failure = Failure::new(Exit::Failed, what);
    match error {
        CompareError::Keystore(error) => keystore::failure(what, error),
        CompareError::Transport(error) => {
            let (gate, why) = (gate.name.clone(), error.to_string());
            errors::unreachable(failure, &[Unreached { gate, why }])
        }
        CompareError::NotKnown => failure
            .exit(Exit::Recipient)
            .reason(error.to_string())
            .hint(format!(
                "`encl gate add {}` takes it as it is now",
                gate.card.url()
            )),
        CompareError::Unproved | CompareError::Earlier => failure
            .reason(format!("the gate {}: {error}", safe(&gate.name)))
            .hint("if that stays so, tell its operator"),
        CompareError::OtherLog => failure
            .reason(format!("the gate {}: {error}", safe(&gate.name)))
            .hint("`encl gate add URL` takes its newer card"),
    }
}

/// The checkpoint in a file, and the gate among the contacts that signed it.
fn checkpoint(file: &Path, context: &Context) -> Result<(GateContact, KeptCheckpoint), Failure> {
    let cannot = |exit| Failure::new(exit, format!("cannot {VERB} {}", shown(file))).file(file);
    let failed = |error| Failure::io(cannot(Exit::Failed).what, &error);
    let text = read_short(file, FILE_BYTES_MAX).map_err(failed)?;
    let text =
        text.ok_or_else(|| cannot(Exit::Damaged).reason("it is too long for a checkpoint"))?;
    let note = note_in(&text);
    let gates = context.keystore.gates();
    let gates = gates.map_err(|error| keystore::failure(&cannot(Exit::Failed).what, &error))?;
    for gate in gates.found {
        if let Ok(kept) = KeptCheckpoint::read(&note, gate.card.log_key()) {
            return Ok((gate, kept));
        }
    }
    Err(cannot(Exit::Recipient)
        .reason("there is no checkpoint in it that a gate among your contacts signed"))
}

/// The checkpoint of a receipt, or the bytes themselves.
fn note_in(bytes: &[u8]) -> Vec<u8> {
    let place = match Receipt::from_text(bytes) {
        Some(receipt) => Some(receipt.place),
        None => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| log::Receipt::read(text).ok()),
    };
    place.map_or_else(|| bytes.to_vec(), |place| place.checkpoint.into_bytes())
}

/// `encl.gate-compare/1`, in the documented order.
#[derive(Serialize)]
struct CompareObject<'a> {
    schema: &'static str,
    id: String,
    name: &'a str,
    sizes: [u64; 2],
    result: &'static str,
}
