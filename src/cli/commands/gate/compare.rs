//! `encl gate compare`: whether two checkpoints of one gate can both be true.

use std::path::Path;

use encl::gate::client::{KeptCheckpoint, Receipt, contradict};
use encl::gate::log;
use encl::keystore::{Evidence, GateContact};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::{Exit, Failure, gate as errors, keystore};
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
    let is_forked = contradict(&first, &second);
    if is_forked {
        let kept = context.keystore.keep_evidence(&Evidence {
            gate: gate.card.id(),
            at: context.now,
            what: "two logs of the same length differ".to_owned(),
            request: [0; 32],
            entry: None,
            checkpoints: vec![first.note.clone(), second.note.clone()],
            answer: None,
        });
        kept.map_err(|error| keystore::failure(&what, &error))?;
    }
    let result = match (first.size == second.size, is_forked) {
        (_, true) => "forked",
        (true, false) => "same",
        (false, false) => "different-sizes",
    };
    let words = match result {
        "same" => format!(
            "{}: the same log of {} entries",
            safe(&gate.name),
            first.size
        ),
        "forked" => format!(
            "{}: two logs of {} entries that differ",
            safe(&gate.name),
            first.size
        ),
        _ => format!(
            "{}: {} and {} entries; only checkpoints of the same size can be compared without the gate",
            safe(&gate.name),
            first.size,
            second.size
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
    match is_forked {
        true => Err(errors::forked(
            Failure::new(Exit::Damaged, what),
            &gate.name,
            "it signed two logs of the same length that differ",
        )),
        false => Ok(()),
    }
}

/// The checkpoint in a file, and the gate among the contacts that signed it.
fn checkpoint(file: &Path, context: &Context) -> Result<(GateContact, KeptCheckpoint), Failure> {
    let cannot = |exit| Failure::new(exit, format!("cannot {VERB} {}", shown(file))).file(file);
    let failed = |error| Failure::io(cannot(Exit::Failed).what, &error);
    let metadata = std::fs::metadata(file).map_err(failed)?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(cannot(Exit::Damaged).reason("it is too long for a checkpoint"));
    }
    let note = note_in(&std::fs::read(file).map_err(failed)?);
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
