//! `--with`: the approvals that were given, as files, standard input or pasted text.

pub(crate) mod parse;

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use encl::envelope::{Approval, ApprovalError, Unusable};
use encl::file_kind::FileKind;
use encl::identity::CARRIER_BYTES_MAX;
use encl::operations::approvals::{Approvals, Envelopes};

use crate::cli::args::open::With;
use crate::cli::context::Context;
use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::quorum::ApprovalNames;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, is_dash};
use crate::cli::terminal::{Terminal, safe, shown};

/// Bytes of a file in which approvals are looked for: more than a message with a few of them, less than a mistake.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Approvals, and where they came from.
#[derive(Default)]
pub(crate) struct LoadedApprovals {
    given: Vec<Approval>,
    names: ApprovalNames,
    envelopes: Envelopes,
}

impl LoadedApprovals {
    /// Reads all of them. `inputs` are the envelopes that they are for, of which [`Input::of`] has told whether one is
    /// standard input, for that is one thing only.
    pub(crate) fn load(with: &With, inputs: &[Input], context: &Context) -> Result<Self, Failure> {
        let mut all = Self {
            envelopes: match inputs.len() {
                0 | 1 => Envelopes::One,
                _ => Envelopes::Several,
            },
            ..Self::default()
        };
        let is_stdin = |given: &&OsString| is_dash(Path::new(given));
        let from_stdin = with.with.iter().filter(is_stdin).count();
        // Inputs, and lists of them, were taken from there before.
        if from_stdin + usize::from(context.passphrases.is_stdin_data()) > 1 {
            let twice = "cannot read standard input twice";
            return Err(Failure::new(Exit::Usage, twice));
        }
        if from_stdin > 0 {
            context.passphrases.stdin_is_data();
        }
        for given in &with.with {
            all.add(given)?;
        }
        Ok(all)
    }

    fn add(&mut self, given: &OsStr) -> Result<(), Failure> {
        let (approvals, name) = match given.to_str().filter(|text| Approval::is_text(text)) {
            Some(text) => {
                let name = "the pasted approval".to_owned();
                (approvals_in(text.as_bytes(), &name, None)?, name)
            }
            None => read(Path::new(given))?,
        };
        let many = approvals.len() > 1;
        for (number, approval) in (1..).zip(approvals) {
            self.given.push(approval);
            self.names.0.push(if many {
                format!("approval {number} in {name}")
            } else {
                name.clone()
            });
        }
        Ok(())
    }

    /// The approvals, which warn once of each that does not fit, and their names.
    pub(crate) fn into_parts(self, terminal: Terminal) -> (Approvals, Arc<ApprovalNames>) {
        let names = Arc::new(self.names);
        let warn = {
            let names = Arc::clone(&names);
            move |number: usize, unusable: &Unusable| {
                warn_of_unusable(&names, number, unusable, terminal);
            }
        };
        let approvals = Approvals::new(self.given, self.envelopes, Box::new(warn));
        (approvals, names)
    }
}

/// Warns of an approval that does not fit.
fn warn_of_unusable(names: &ApprovalNames, number: usize, unusable: &Unusable, terminal: Terminal) {
    let why = match unusable {
        Unusable::OtherEnvelope(id) => format!("it is for another envelope, {id}"),
        Unusable::NoSuchLock(lock) => {
            format!("it is for lock {lock}, which the envelope does not have")
        }
        Unusable::NotForYou => {
            "it is for somebody else: it is not encrypted for a key of yours".to_owned()
        }
    };
    terminal.warning(&format!("{} was not used: {why}", names.name(number)));
}

/// The approvals in a file or on standard input, and its name.
fn read(path: &Path) -> Result<(Vec<Approval>, String), Failure> {
    let (input, name) = if is_dash(path) {
        if std::io::stdin().is_terminal() {
            return Err(
                Failure::new(Exit::Usage, "cannot read an approval from standard input")
                    .reason("it is a terminal")
                    .hint("paste it as the value of --with, or name a file"),
            );
        }
        (Input::Stdin, "the approval from standard input".to_owned())
    } else {
        (Input::File(path.to_owned()), shown(path))
    };
    let cannot = |failure: Failure| Failure {
        what: format!("cannot read {name}"),
        ..failure
    };
    let source = input.open("read").map_err(cannot)?;
    let mut bytes = Vec::new();
    let read = source.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot(input.cannot("read", Exit::Failed)).reason(io_message(&error)))?;
    let approvals = approvals_in(&bytes, &name, input.path())?;
    Ok((approvals, name))
}

fn approvals_in(bytes: &[u8], name: &str, file: Option<&Path>) -> Result<Vec<Approval>, Failure> {
    let found = if bytes.len() as u64 > FILE_BYTES_MAX {
        // The library knows what to say about it.
        Approval::from_bytes(&bytes[..=CARRIER_BYTES_MAX]).map(|approval| vec![approval])
    } else {
        parse::approvals(bytes)
    };
    found.map_err(|error| unreadable(&error, name, file))
}

fn unreadable(error: &ApprovalError, name: &str, file: Option<&Path>) -> Failure {
    let class = error.class();
    let exit = match class {
        "newer" => Exit::Newer,
        _ => Exit::Damaged,
    };
    let failure = Failure::new(exit, format!("cannot use {name}"));
    let failure = match class {
        "not-an-approval" => failure
            .reason("there is no approval in it: none begins with `encl-approval1:`")
            .hint("`encl approve FILE --to WHO` makes one"),
        "newer" => failure.reason(format!(
            "made by a newer encl, or damaged: {}",
            safe(&error.to_string())
        )),
        _ => failure
            .reason(safe(&error.to_string()))
            .hint("ask for it again; as a file it comes through unchanged"),
    };
    let failure = Failure {
        class: Some(class),
        file: file.map(Path::to_owned),
        ..failure
    };
    match class {
        "not-an-approval" => recognised(failure, &[FileKind::Approval]),
        _ => failure,
    }
}
