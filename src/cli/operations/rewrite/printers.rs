//! A batch of rewritten envelopes as text and as objects.

use encl::directory::{People, Signer};
use encl::envelope::{Action, Addressee, EnvelopeId};
use encl::operations::rewrite::{Counts, LetIn, PlannedUpdate, SignaturePolicy};
use serde::Serialize;

use crate::cli::args::rewrite::RewriteOptions;
use crate::cli::display::envelope::access::{self, ChangesObject};
use crate::cli::display::names::DisplayName;
use crate::cli::errors::Failure;
use crate::cli::files::input::Input;
use crate::cli::files::target::Target;
use crate::cli::operations::seal::RecipientObject;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Stream, Terminal};

/// How a batch is shown.
pub(crate) trait Printer {
    /// What would be done with an envelope.
    fn planned(&mut self, input: &Input, planned: &PlannedUpdate) -> Result<(), Failure>;

    /// What was done with it.
    fn done(
        &mut self,
        input: &Input,
        planned: &PlannedUpdate,
        id: EnvelopeId,
    ) -> Result<(), Failure>;

    /// How many there were of each kind.
    fn finished(&mut self, counts: Counts);
}

/// Lines for a person.
pub(crate) struct TextPrinter<'a> {
    pub(crate) options: &'a RewriteOptions,
    pub(crate) people: &'a People,
    /// What is said of an envelope that needs no change.
    pub(crate) unchanged: String,
    pub(crate) terminal: Terminal,
}

impl Printer for TextPrinter<'_> {
    fn planned(&mut self, input: &Input, planned: &PlannedUpdate) -> Result<(), Failure> {
        let (target, name) = (self.options.target(input), input.name());
        if planned.action == Action::Nothing {
            self.terminal.status(&format!("{name}: {}", self.unchanged));
            return Ok(());
        }
        let mut line = format!("{name}: {}", access::line(&planned.changes));
        if let Some(author) = planned.signature_lost {
            let author = self.people.signer(author).display_name();
            line = format!("{line}  ! the signature of {author} is lost");
        }
        if let Some(remark) = self.unsigned(planned) {
            line = format!("{line}  ! {remark}");
        }
        let unmeant = match planned.unmeant.len() {
            0 => None,
            1 => Some("1 who would lose access may be newer than your list".to_owned()),
            number => Some(format!(
                "{number} who would lose access may be newer than your list"
            )),
        };
        if let Some(unmeant) = unmeant {
            line = format!("{line}  ! {unmeant}; that is asked, also with --yes");
        }
        for one in &planned.changes.stays {
            line = format!("{line}  stays: {}", self.let_in(one));
        }
        Ok(print_line(
            &line,
            &target,
            self.options.dry_run,
            self.terminal,
        )?)
    }

    fn done(
        &mut self,
        input: &Input,
        planned: &PlannedUpdate,
        _: EnvelopeId,
    ) -> Result<(), Failure> {
        let name = self.options.target(input).name();
        self.terminal.status(&match planned.action {
            Action::Nothing => format!("{name}: written unchanged"),
            Action::Add => format!("{name}: slots added; the author's signature stays"),
            Action::Drop => match planned.changes.removed.len() {
                1 => format!("{name}: 1 slot dropped"),
                slots => format!("{name}: {slots} slots dropped"),
            },
            Action::Reseal if planned.signer.is_some() => {
                format!("{name}: encrypted again, and signed")
            }
            Action::Reseal => format!("{name}: encrypted again, not signed"),
        });
        Ok(())
    }

    fn finished(&mut self, counts: Counts) {
        let (added, dropped, resealed) = match self.options.dry_run {
            true => ("to get slots", "to lose slots", "to be encrypted again"),
            false => ("got slots", "lost slots", "encrypted again"),
        };
        let unknown = "of these remove people who may be newer than your list";
        let rows = [
            Some(("already up to date", counts.unchanged)),
            Some((added, counts.added)),
            (counts.dropped > 0).then_some((dropped, counts.dropped)),
            Some((resealed, counts.resealed)),
            (self.options.dry_run && counts.with_unmeant > 0)
                .then_some((unknown, counts.with_unmeant)),
            Some(("skipped, to keep the signature", counts.skipped)),
            Some(("failed", counts.failed)),
        ];
        for (label, number) in rows.into_iter().flatten() {
            self.terminal.status(&format!("{number:>8}  {label}"));
        }
    }
}

impl TextPrinter<'_> {
    /// What is done about an envelope that nobody had signed.
    fn unsigned(&self, planned: &PlannedUpdate) -> Option<String> {
        if planned.was_signed || planned.action != Action::Reseal {
            return None;
        }
        Some(match planned.signer {
            None => "was not signed".to_owned(),
            Some(signer) => {
                let signer = self.people.signer(signer).display_name();
                format!("was not signed; it will be signed by {signer}")
            }
        })
    }

    /// "Carol <carol@example.org>, let in by Bob (verified)"
    fn let_in(&self, one: &LetIn) -> String {
        let holder = access::holder(&one.holder);
        match one.by {
            Some(by) => {
                let by = self.people.signer(by).display_name();
                format!("{holder}, let in by {by}")
            }
            None => format!("{holder}, let in without a record"),
        }
    }
}

/// A line of a dry run is data, and goes to standard output unless an envelope does; any other is a status line.
pub(crate) fn print_line(
    line: &str,
    target: &Target,
    dry_run: bool,
    terminal: Terminal,
) -> Result<(), StdoutError> {
    if dry_run && target.objects() == Stream::Stdout {
        return terminal.print(line);
    }
    terminal.status(line);
    Ok(())
}

/// Objects for a program: one for each envelope.
pub(crate) struct JsonPrinter<'a> {
    pub(crate) schema: &'static str,
    pub(crate) options: &'a RewriteOptions,
    pub(crate) signatures: SignaturePolicy,
    pub(crate) own: Own<'a>,
    pub(crate) people: &'a People,
    pub(crate) terminal: Terminal,
}

/// Members that the objects of one command have.
#[derive(Clone, Copy)]
pub(crate) enum Own<'a> {
    None,
    /// Those who were to get access.
    Grant(&'a [Addressee]),
    Drop,
}

impl JsonPrinter<'_> {
    fn print(
        &self,
        input: &Input,
        planned: &PlannedUpdate,
        done: Option<EnvelopeId>,
    ) -> Result<(), Failure> {
        let target = self.options.target(input);
        let object = Object {
            schema: self.schema,
            file: input.typed(),
            output: target.typed(),
            id: planned.id.to_string(),
            new_id: done.filter(|id| *id != planned.id).map(|id| id.to_string()),
            action: match planned.action {
                Action::Nothing => "nothing",
                Action::Add => "add",
                Action::Drop => "drop",
                Action::Reseal => "reseal",
            },
            changes: ChangesObject::of(&planned.changes, &planned.unmeant),
            signature_lost: planned.signature_lost.map(|id| id.to_string()),
            was_signed: planned.was_signed,
            signer: match planned.action {
                Action::Reseal => planned.signer.map(|id| id.to_string()),
                Action::Nothing | Action::Add | Action::Drop => None,
            },
            done: done.is_some(),
            own: self.own(planned),
        };
        Ok(self.terminal.print_object(&object, target.objects())?)
    }

    fn own(&self, planned: &PlannedUpdate) -> OwnObject<'_> {
        let dry_run = self.options.dry_run;
        let changes = &planned.changes;
        let newcomers = match self.own {
            Own::None => return OwnObject::None {},
            Own::Drop => {
                return OwnObject::Drop {
                    slots: changes.removed.len(),
                    dry_run,
                };
            }
            Own::Grant(newcomers) => newcomers.iter(),
        };
        let gains = |one: &&Addressee| {
            let mut gained = changes.added.iter().chain(&changes.new_keys);
            gained.any(|holder| holder.id == Some(one.recipient.id))
        };
        let (granted, had_access): (Vec<_>, Vec<_>) = newcomers.partition(gains);
        let signer = planned.signer.filter(|_| planned.action == Action::Reseal);
        let by = signer.or(planned.granter.map(|by| by.id));
        OwnObject::Grant {
            granted: granted.into_iter().map(RecipientObject::of).collect(),
            had_access: had_access.into_iter().map(RecipientObject::of).collect(),
            by: by.map(|by| self.people.signer(by)),
            dry_run,
        }
    }
}

impl Printer for JsonPrinter<'_> {
    /// Nothing, unless it stays at that: one object for each envelope.
    fn planned(&mut self, input: &Input, planned: &PlannedUpdate) -> Result<(), Failure> {
        let is_skipped =
            self.signatures == SignaturePolicy::Preserve && planned.signature_lost.is_some();
        let is_unchanged = planned.action == Action::Nothing && !self.options.goes_elsewhere(input);
        match self.options.dry_run || is_skipped || is_unchanged {
            true => self.print(input, planned, None),
            false => Ok(()),
        }
    }

    fn done(
        &mut self,
        input: &Input,
        planned: &PlannedUpdate,
        id: EnvelopeId,
    ) -> Result<(), Failure> {
        self.print(input, planned, Some(id))
    }

    /// Nothing: the objects can be counted.
    fn finished(&mut self, _: Counts) {}
}

/// `encl.grant/1`, `encl.drop/1`, `encl.revoke/1` and `encl.rewrap/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    id: String,
    /// Only if it was sealed again.
    new_id: Option<String>,
    action: &'static str,
    #[serde(flatten)]
    changes: ChangesObject<'a>,
    /// The author whose signature does not come along.
    signature_lost: Option<String>,
    was_signed: bool,
    /// Only if it is sealed again.
    signer: Option<String>,
    done: bool,
    #[serde(flatten)]
    own: OwnObject<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OwnObject<'a> {
    None {},
    Grant {
        granted: Vec<RecipientObject<'a>>,
        had_access: Vec<RecipientObject<'a>>,
        by: Option<Signer>,
        dry_run: bool,
    },
    Drop {
        /// How many were left out.
        slots: usize,
        dry_run: bool,
    },
}
