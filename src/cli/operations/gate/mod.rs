//! Gates as commands use them: found by name, asked over the network, told of in words.

pub(crate) mod entries;
pub(crate) mod opening;
pub(crate) mod receipts;
pub(crate) mod report;
pub(crate) mod rewriting;
pub(crate) mod sealing;
pub(crate) mod target;
pub(crate) mod transport;

use std::path::Path;
use std::sync::Arc;

use encl::identity::{fingerprint, parse_fingerprint};
use encl::keystore::{GateContact, GateStanding};
use encl::operations::gate::{GateNotice, Gates};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::terminal::{Terminal, safe, shown};
use transport::Http;

/// The gates among the contacts, ready to be asked. What a person should know of one is told as it happens.
pub(crate) fn gates(context: &Context) -> Result<Gates<'_>, Failure> {
    let terminal = context.terminal;
    let tell = move |notice: &GateNotice| tell(notice, terminal);
    let gates = Gates::read(&context.keystore, Arc::new(Http), context.now, tell);
    gates.map_err(|error| keystore::failure("cannot read the gates", &error))
}

fn tell(notice: &GateNotice, terminal: Terminal) {
    match notice {
        GateNotice::Forgot { gate } => terminal.warning(&format!(
            "the gate {} forgot: it has begun a new log, and knows none of the revocations that it knew; `encl gate status` tells it again",
            safe(gate)
        )),
        GateNotice::NewCard { gate } => {
            terminal.notice(&format!("the gate {} has a newer card", safe(gate)));
        }
        GateNotice::RecordDamaged { aside } => terminal.warning(&format!(
            "what this machine kept about it was damaged; what can be read of that stays, and the damaged file is {} now",
            shown(aside)
        )),
        GateNotice::Unreadable { file, why } => terminal.warning(&format!(
            "{} cannot be read, and is left out: {}",
            shown(file),
            safe(why)
        )),
        GateNotice::NoExportFits { gate, export } => terminal.warning(&format!(
            "no exported log fits what the gate {0} has signed, as far as it is known here, so {0} is asked; not fitting: {1}",
            safe(gate),
            shown(export)
        )),
        GateNotice::Lied(deceit) => {
            let evidence = deceit.evidence.as_deref().map(Path::new);
            let evidence = evidence.map_or_else(String::new, |path| {
                format!("; what shows it is kept in {}", shown(path))
            });
            terminal.warning(&format!(
                "the gate {} cannot be trusted: {}{evidence}",
                safe(&deceit.gate),
                deceit.what
            ));
        }
    }
}

/// A gate by its name, its address or its fingerprint, whatever its standing.
pub(crate) fn any_gate(name: &str, context: &Context) -> Result<GateContact, Failure> {
    let gates = context.keystore.gates();
    let gates = gates.map_err(|error| keystore::failure("cannot read the gates", &error))?;
    let id = parse_fingerprint(name);
    let is_it = |gate: &GateContact| gate.is_called(name) || Some(gate.card.id()) == id;
    gates.found.into_iter().find(is_it).ok_or_else(|| {
        Failure::new(Exit::Recipient, format!("there is no gate {}", safe(name)))
            .reason("it is not among your contacts")
            .hint("`encl gate add URL` adds one, `encl gate list` shows all")
    })
}

/// A gate that may be asked, by its name, its address or its fingerprint.
pub(crate) fn known_gate(name: &str, context: &Context) -> Result<GateContact, Failure> {
    let gate = any_gate(name, context)?;
    let standing = context.keystore.gate_standing(&gate);
    let standing = standing.map_err(|error| keystore::failure("cannot read the gates", &error))?;
    if standing.is_known() {
        return Ok(gate);
    }
    let what = format!("cannot use the gate {}", safe(&gate.name));
    Err(Failure::new(Exit::Recipient, what)
        .reason(describe_standing(&standing))
        .hint(format!(
            "`encl gate add {}` takes it as it is now",
            gate.card.url()
        )))
}

/// Why a gate is asked, or not.
pub(crate) fn describe_standing(standing: &GateStanding) -> String {
    match standing {
        GateStanding::Known(Some(_)) => "verified".to_owned(),
        GateStanding::Known(None) => "not verified".to_owned(),
        GateStanding::Unknown => "this machine did not add it, so it is not asked".to_owned(),
        GateStanding::Older(_) => {
            "this machine knows a later card of it, so it is not asked".to_owned()
        }
        GateStanding::Moved(url) => {
            format!("this machine knows it at {}, so it is not asked", safe(url))
        }
    }
}

/// The word of a standing in objects.
pub(crate) fn standing_word(standing: &GateStanding) -> &'static str {
    match standing {
        GateStanding::Known(_) => "known",
        GateStanding::Unknown => "unknown",
        GateStanding::Older(_) => "older",
        GateStanding::Moved(_) => "moved",
    }
}

/// `work  https://gate.example.org  1234 …`
pub(crate) fn one_line(gate: &GateContact) -> String {
    let id = fingerprint(&gate.card.id());
    format!("{}  {}  {id}", safe(&gate.name), gate.card.url())
}
