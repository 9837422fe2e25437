//! `encl gate add`: a gate becomes a contact, or its newer card is taken.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::gate::card::GateUrl;
use encl::gate::client::GatePlace;
use encl::identity::{fingerprint, parse_fingerprint};
use encl::keystore::{CA_BYTES_MAX, GateChange, GateOffer};
use encl::operations::gate::{FoundGate, find_gate, offered_gate};

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::Words;
use crate::cli::errors::{Exit, Failure, gate as errors, keystore};
use crate::cli::files::input::Input;
use crate::cli::operations::gate::report::report;
use crate::cli::operations::gate::transport::{Http, certificates};
use crate::cli::terminal::{safe, shown};

/// Add a gate to the contacts, or take its newer card
///
/// Only gates among the contacts are asked, at the address that their card has here. Compare the fingerprint with its operator: with
/// --fingerprint it is compared for you, and nothing is asked. A card with another address, or another root key under a known name
/// or address, is never taken without your word.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Locked, Exit::Recipient], "\
  $ encl gate add https://gate.example.org --yes"))]
pub(crate) struct Arguments {
    #[expect(clippy::doc_markdown, reason = "it is shown as help")]
    /// Its address, such as https://gate.example.org, or a file with its card (`-`: standard input)
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::FilePath)]
    gate: PathBuf,
    /// The fingerprint that its operator gave you; another one is refused
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,
    /// Call it so here [default: its host]
    #[arg(long)]
    name: Option<String>,
    /// Its TLS certificate must come from one of the authorities in FILE (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// Record that its operator has a copy of its keys elsewhere: `encl wrap --gate` warns without one. Again after new keys
    #[arg(long)]
    backed_up: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let ca = arguments.ca.as_deref().map(authority).transpose()?;
    let found = find(arguments, ca.as_deref(), context)?;
    let card = &found.card;
    let what = format!("cannot add the gate {}", card.url());
    let is_verified = compare(arguments.fingerprint.as_deref(), &found, &what)?;
    let offer = GateOffer {
        card,
        name: arguments.name.as_deref(),
        ca: ca.as_deref(),
        is_backed_up: arguments.backed_up,
    };
    let failed = |error| keystore::failure(&what, &error);
    let change = context.keystore.compare_gate(&offer).map_err(failed)?;
    let question = question(&found, &change);
    if let (Some(question), false, false) = (&question, arguments.yes, is_verified) {
        context.terminal.text(&described(&found));
        context.confirm(question, &what)?;
    }
    let accepted = context.keystore.accept_gate(&offer, &change, context.now);
    let gate = accepted.map_err(failed)?;
    if is_verified {
        let verified = context.keystore.verify_gate(&card.id(), context.now);
        verified.map_err(failed)?;
    }
    let word = accepted_word(&change);
    let words = Words::Status(format!(
        "{}: {word}, {}, fingerprint {}",
        safe(&gate.name),
        card.url(),
        fingerprint(&card.id())
    ));
    report(&gate, Some(word), Some(words), context)
}

/// From its address, or from a file.
fn find(arguments: &Arguments, ca: Option<&str>, context: &Context) -> Result<FoundGate, Failure> {
    let typed = arguments.gate.to_string_lossy();
    if !typed.contains("://") {
        let input = Input::parse(&arguments.gate);
        let source = input.open("add the gate in")?;
        let cannot = || input.cannot("add the gate in", Exit::Failed);
        return offered_gate(source).map_err(|error| errors::not_found(cannot(), &error));
    }
    let cannot = |exit| Failure::new(exit, format!("cannot add the gate {}", safe(&typed)));
    let url = GateUrl::typed(&typed);
    let url = url.map_err(|error| cannot(Exit::Usage).reason(error.to_string()))?;
    let known = context.keystore.gates();
    let known = known.map_err(|error| keystore::failure(&cannot(Exit::Failed).what, &error))?;
    let mut known = known.found.into_iter();
    let known = known.find(|gate| *gate.card.url() == url);
    let ca = ca
        .map(str::to_owned)
        .or_else(|| known.and_then(|gate| gate.ca));
    let found = find_gate(&GatePlace { url, ca }, &Http);
    found.map_err(|error| errors::not_found(cannot(Exit::Failed), &error))
}

fn authority(file: &Path) -> Result<String, Failure> {
    let cannot = |exit| {
        Failure::new(
            exit,
            format!("cannot use the certificates in {}", shown(file)),
        )
    };
    let bytes = std::fs::read(file);
    let bytes = bytes.map_err(|error| Failure::io(cannot(Exit::Failed).what, &error))?;
    if bytes.len() > CA_BYTES_MAX {
        return Err(cannot(Exit::Usage).reason("they are longer than 64 KiB"));
    }
    let text = String::from_utf8(bytes).ok();
    let text = text.filter(|text| certificates(text).is_ok());
    text.ok_or_else(|| cannot(Exit::Usage).reason("there are none in it (PEM)"))
}

/// Whether the fingerprint was given, and is that of the card.
fn compare(typed: Option<&str>, found: &FoundGate, what: &str) -> Result<bool, Failure> {
    let Some(typed) = typed else {
        return Ok(false);
    };
    let id = parse_fingerprint(typed).ok_or_else(|| {
        Failure::new(Exit::Usage, what).reason(format!(
            "`{}` is not a fingerprint: 64 hexadecimal digits",
            safe(typed)
        ))
    })?;
    match id == found.card.id() {
        true => Ok(true),
        false => Err(Failure::new(Exit::Recipient, what)
            .reason(format!(
                "its fingerprint is {}",
                fingerprint(&found.card.id())
            ))
            .hint("somebody may be in between: ask its operator by another way")),
    }
}

/// What has to be agreed to; nothing for a gate that is known, at the address that is known.
fn question(found: &FoundGate, change: &GateChange) -> Option<String> {
    let url = found.card.url();
    match change {
        GateChange::Moved(from) => Some(format!(
            "It was at {}. Ask it at {url} from now on?",
            safe(from)
        )),
        GateChange::New => Some(format!("Add the gate {url}?")),
        _ if found.names_another() => Some(format!("Its card says {url}. Take it?")),
        GateChange::Updated | GateChange::Known => None,
    }
}

fn described(found: &FoundGate) -> String {
    let card = &found.card;
    format!(
        "gate         {}\naddress      {}\nfingerprint  {}",
        safe(card.name()),
        card.url(),
        fingerprint(&card.id())
    )
}

fn accepted_word(change: &GateChange) -> &'static str {
    match change {
        GateChange::New => "added",
        GateChange::Updated => "updated",
        GateChange::Moved(_) => "moved",
        GateChange::Known => "known",
    }
}
