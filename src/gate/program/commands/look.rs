//! status, export: what there is to see.

use encl::identity::fingerprint;
use encl::json::to_b64;
use encl::time::Time;
use serde_json::Value;

use super::witness;
use crate::failure::Failure;
use crate::folder::Dir;
use crate::output::Output;
use crate::store::{Frozen, Store};

pub(super) fn status(dir: &Dir, output: &mut Output) -> Result<(), Failure> {
    let card = dir.card()?;
    let path = dir.database();
    let failure = |error| Failure::file("read", &path, error);
    let mut store = Store::open(&path).map_err(failure)?;
    let status = store.status().map_err(failure)?;
    let is_served = dir.try_serve_lock().is_err();
    let frozen = match status.frozen {
        Frozen::No => "no",
        Frozen::Operator => "by the operator",
        Frozen::Loss => "entries were lost",
        Frozen::Waiting => "until a witness answers",
    };
    let mut facts = vec![
        ("id", card.id().to_string().into()),
        ("fingerprint", fingerprint(&card.id()).into()),
        ("name", card.name().into()),
        ("url", card.url().as_str().into()),
        ("serial", card.serial().into()),
        ("keys", card.keys().len().into()),
        ("served", is_served.into()),
        ("origin", status.origin.into()),
        ("entries", status.size.into()),
        (
            "last",
            status
                .last
                .map_or(Value::Null, |last: Time| last.to_string().into()),
        ),
        ("frozen", frozen.into()),
        ("why", status.why.into()),
        ("tickets", status.tickets.into()),
        ("revoked", status.revoked.into()),
        ("blocked", status.blocked.into()),
        ("erased", status.erased.into()),
    ];
    facts.extend(witness::facts(&status.peers, output.is_json()));
    output.facts(&facts)
}

/// Every entry as it was hashed, a line each; of one that was erased the hash that is left.
pub(super) fn export(dir: &Dir, output: &mut Output) -> Result<(), Failure> {
    let path = dir.database();
    let failure = |error| Failure::file("read", &path, error);
    let mut store = Store::open(&path).map_err(failure)?;
    let transaction = store.look().map_err(failure)?;
    let exported = transaction.each_entry(|seq, entry| match entry {
        Ok(line) => output.line(&line),
        Err(leaf) => {
            let line = serde_json::json!({"erased": to_b64(&leaf), "seq": seq});
            output.line(line.to_string().as_bytes())
        }
    });
    exported.map_err(failure)?
}
