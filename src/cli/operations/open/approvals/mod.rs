//! `--with`: the approvals that were given, as files, standard input or pasted text, and which of them fit an envelope.

pub(crate) mod parse;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueHint};
use encl::envelope::{Approval, ApprovalError, Manifest, ReaderKey, Unusable};
use encl::identity::CARRIER_BYTES_MAX;

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, is_dash};
use crate::cli::terminal::{Terminal, safe, shown};

/// Bytes of a file in which approvals are looked for: more than a message with a few of them, less than a mistake.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Approvals to open with.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct With {
    /// Also use a colleague's approval: a file, `-` for standard input, or the pasted text
    #[arg(long = "with", value_name = "APPROVAL", value_hint = ValueHint::FilePath)]
    pub(crate) with: Vec<OsString>,
}

/// All approvals that were given, in their order.
#[derive(Default)]
pub(crate) struct Approvals {
    given: Vec<Approval>,
    /// Where each came from, for people.
    names: Vec<String>,
    terminal: Option<Terminal>,
    /// With several envelopes most approvals are for another one, which is no news.
    are_for_several: bool,
    told: Mutex<HashSet<usize>>,
    /// Those that an envelope could use.
    fitted: Mutex<HashSet<usize>>,
}

impl Approvals {
    /// Reads all of them. `inputs` are the envelopes that they are for, of which [`Input::of`] has told whether one is
    /// standard input, for that is one thing only.
    pub(crate) fn load(with: &With, inputs: &[Input], context: &Context) -> Result<Self, Failure> {
        let mut all = Self {
            terminal: Some(context.terminal),
            are_for_several: inputs.len() > 1,
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
            self.names.push(if many {
                format!("approval {number} in {name}")
            } else {
                name.clone()
            });
        }
        Ok(())
    }

    /// What to open an envelope with: all of them, in their order. The library passes over those that do not fit, and here
    /// each is warned about, once.
    pub(crate) fn for_envelope(&self, manifest: &Manifest, keys: &[ReaderKey]) -> &[Approval] {
        for (number, approval) in self.given.iter().enumerate() {
            match approval.usable(manifest, keys) {
                Ok(()) => {
                    once(&self.fitted, number);
                }
                Err(Unusable::OtherEnvelope(_)) if self.are_for_several => {}
                Err(unusable) => self.warn(number, unusable),
            }
        }
        &self.given
    }

    /// Of several envelopes: warns of the approvals that were for none of them.
    pub(crate) fn warn_of_unused(&self) {
        let fitted = self.fitted.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, approval) in self.given.iter().enumerate() {
            if self.are_for_several && !fitted.contains(&number) {
                self.warn(number, Unusable::OtherEnvelope(approval.envelope()));
            }
        }
    }

    /// Where an approval came from, by its position in [`Approvals::for_envelope`].
    pub(crate) fn name(&self, approval: usize) -> &str {
        self.names.get(approval).map_or("an approval", |name| name)
    }

    fn warn(&self, number: usize, unusable: Unusable) {
        let Some(terminal) = self.terminal.filter(|_| once(&self.told, number)) else {
            return;
        };
        let why = match unusable {
            Unusable::OtherEnvelope(id) => format!("it is for another envelope, {id}"),
            Unusable::NoSuchLock(lock) => {
                format!("it is for lock {lock}, which the envelope does not have")
            }
            Unusable::NotForYou => {
                "it is for somebody else: it is not encrypted for a key of yours".to_owned()
            }
        };
        terminal.warning(&format!("{} was not used: {why}", self.name(number)));
    }
}

/// Whether a number is new to the set; then it is in it.
fn once(set: &Mutex<HashSet<usize>>, number: usize) -> bool {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    set.insert(number)
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
    Failure {
        class: Some(class),
        file: file.map(Path::to_owned),
        ..failure
    }
}
