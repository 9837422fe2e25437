//! Two rounds over all envelopes of a command: each is looked at and shown; then, after a yes, each is done.

use crate::cli::display::names::DisplayName;
use encl::crypto::passphrase::Passphrase;
use encl::envelope::{Action, EnvelopeId};
use serde::Serialize;

use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::parallel;
use crate::cli::files::parallel::Parallelism;
use crate::cli::operations::rewrite::changes::Differences;
use crate::cli::operations::rewrite::envelope_file::said;
use crate::cli::operations::rewrite::session::RewriteSession;
use crate::cli::operations::rewrite::update::{AccessUpdate, Look};
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::terminal::Terminal;

/// What to do about an envelope whose author's signature would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignaturePolicy {
    /// It is left as it is, and that is a failure.
    Preserve,
    /// It goes.
    Drop,
}

/// How a command goes about its envelopes.
pub(crate) struct Batch<'a> {
    pub(crate) renewal: &'a AccessUpdate<'a>,
    pub(crate) schema: &'static str,
    /// The question was answered on the command line.
    pub(crate) yes: bool,
    pub(crate) signature: SignaturePolicy,
    /// What is said of an envelope that needs nothing.
    pub(crate) idle: String,
    /// What sealing anew cannot do, in one line.
    pub(crate) limits: &'static str,
}

/// What became of the envelopes.
#[derive(Debug, Default)]
struct Counts {
    right: usize,
    added: usize,
    sealed_anew: usize,
    skipped: usize,
    failed: usize,
}

impl Batch<'_> {
    pub(crate) fn run(&self, inputs: &[Input], mut tally: Tally) -> CommandResult {
        let renewal = self.renewal;
        let (options, context) = (renewal.access.options, renewal.access.context);
        let mut counts = Counts {
            failed: tally.failures(),
            ..Counts::default()
        };
        let mut looks = Vec::new();
        parallel::each(
            inputs,
            |_| None,
            |input: &Input, parallelism| renewal.look(input, parallelism),
            |_, look| match look.and_then(|look| self.show(&look).map(|()| look)) {
                Ok(look) => looks.push(look),
                Err(failure) => {
                    counts.failed += 1;
                    tally.add(context.terminal, Err(failure));
                }
            },
        );
        let mut to_do = Vec::new();
        for look in looks {
            if look.action == Action::Nothing {
                counts.right += 1;
            }
            if self.is_skipped(&look) {
                counts.skipped += 1;
                if !options.dry_run {
                    tally.add(context.terminal, Err(self.skipped(&look)));
                }
            } else if look.action != Action::Nothing || options.goes_elsewhere(&look.input) {
                to_do.push(look);
            }
        }
        if options.dry_run {
            counts.count(&to_do);
        } else if !to_do.is_empty() {
            self.ask(&to_do)?;
            let passphrase = self.passphrase(&to_do)?;
            self.act(&to_do, passphrase.as_ref(), &mut counts, &mut tally);
        }
        renewal.access.warn_of_unused_approvals();
        if inputs.len() != 1 {
            counts.show(context.terminal, options.dry_run);
        }
        tally.end()
    }

    fn is_skipped(&self, look: &Look) -> bool {
        self.signature == SignaturePolicy::Preserve && look.signature_lost.is_some()
    }

    /// What would be done, in one line; for programs only when it stays at that.
    fn show(&self, look: &Look) -> Result<(), Failure> {
        let RewriteSession {
            context, options, ..
        } = self.renewal.access;
        let (target, name) = (options.target(&look.input), look.input.name());
        if context.json {
            let is_all = options.dry_run || self.is_skipped(look) || self.is_idle(look);
            return if is_all {
                self.print_object(look, None)
            } else {
                Ok(())
            };
        }
        if look.action == Action::Nothing {
            context.terminal.status(&format!("{name}: {}", self.idle));
            return Ok(());
        }
        let mut line = format!("{name}: {}", look.differences.line());
        if let Some(author) = look.signature_lost {
            let author = self.renewal.access.people.signer(author).display_name();
            line = format!("{line}  ! the signature of {author} is lost");
        }
        said(&line, &target, options.dry_run, context)
    }

    fn is_idle(&self, look: &Look) -> bool {
        look.action == Action::Nothing && !self.renewal.access.options.goes_elsewhere(&look.input)
    }

    fn skipped(&self, look: &Look) -> Failure {
        let author = look
            .signature_lost
            .map(|id| self.renewal.access.people.signer(id));
        let author = author.map_or_else(String::new, |author| author.display_name());
        look.input
            .cannot(self.renewal.verb, Exit::Refused)
            .reason(format!(
                "it must be encrypted again, and the signature of {author} would be lost"
            ))
            .hint("--resign accepts that and signs as you; only adding people keeps the signature")
    }

    fn ask(&self, to_do: &[Look]) -> Result<(), Failure> {
        let mut counts = Counts::default();
        counts.count(to_do);
        if self.yes || counts.added + counts.sealed_anew == 0 {
            return Ok(());
        }
        let limits = if counts.sealed_anew == 0 {
            String::new()
        } else {
            format!(" ({})", self.limits)
        };
        let question = format!("Make these changes: {}?{limits}", counts.words());
        self.renewal
            .access
            .context
            .confirm(&question, &format!("cannot {} anything", self.renewal.verb))
    }

    /// One new passphrase for all that have one: whoever leaves may know the old one.
    fn passphrase(&self, to_do: &[Look]) -> Result<Option<Passphrase>, Failure> {
        let passphrases = &self.renewal.access.context.passphrases;
        to_do
            .iter()
            .any(|look| look.asks_passphrase)
            .then(|| passphrases.new_one(PassphraseFor::Envelope, "the new envelopes"))
            .transpose()
    }

    fn act(
        &self,
        to_do: &[Look],
        passphrase: Option<&Passphrase>,
        counts: &mut Counts,
        tally: &mut Tally,
    ) {
        let (renewal, context) = (self.renewal, self.renewal.access.context);
        parallel::each(
            to_do,
            |_| None,
            |look: &Look, parallelism: Parallelism| renewal.act(look, passphrase, parallelism),
            |look, done| {
                let told = done.and_then(|id| {
                    counts.add(look.action);
                    self.tell(look, id)
                });
                counts.failed += usize::from(told.is_err());
                tally.add(context.terminal, told);
            },
        );
        if counts.sealed_anew > 0 {
            context.terminal.notice(self.limits);
        }
    }

    fn tell(&self, look: &Look, id: EnvelopeId) -> Result<(), Failure> {
        let RewriteSession {
            context, options, ..
        } = self.renewal.access;
        if context.json {
            return self.print_object(look, Some(id));
        }
        let name = options.target(&look.input).name();
        context.terminal.status(&match look.action {
            Action::Nothing => format!("{name}: written unchanged"),
            Action::Add => format!("{name}: slots added; the author's signature stays"),
            Action::Reseal if self.renewal.is_signed() => {
                format!("{name}: encrypted again, and signed")
            }
            Action::Reseal => format!("{name}: encrypted again, not signed"),
        });
        Ok(())
    }

    fn print_object(&self, look: &Look, done: Option<EnvelopeId>) -> Result<(), Failure> {
        let target = self.renewal.access.options.target(&look.input);
        let object = Object {
            schema: self.schema,
            file: look.input.typed(),
            output: target.typed(),
            id: look.id.to_string(),
            new_id: done.filter(|id| *id != look.id).map(|id| id.to_string()),
            action: match look.action {
                Action::Nothing => "nothing",
                Action::Add => "add",
                Action::Reseal => "reseal",
            },
            differences: &look.differences,
            signature_lost: look.signature_lost.map(|id| id.to_string()),
            done: done.is_some(),
        };
        let terminal = self.renewal.access.context.terminal;
        terminal.print_object(&object, target.objects())
    }
}

/// `encl.revoke/1` and `encl.rewrap/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    id: String,
    /// After it was sealed anew.
    new_id: Option<String>,
    action: &'static str,
    #[serde(flatten)]
    differences: &'a Differences,
    /// The author whose signature does not come along.
    signature_lost: Option<String>,
    done: bool,
}

impl Counts {
    fn add(&mut self, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Add => self.added += 1,
            Action::Reseal => self.sealed_anew += 1,
        }
    }

    fn count(&mut self, looks: &[Look]) {
        for look in looks {
            self.add(look.action);
        }
    }

    /// "3 envelopes get slots, 1 is sealed anew"
    fn words(&self) -> String {
        let envelopes = |number: usize, one: &str, many: &str| match number {
            0 => None,
            1 => Some(format!("1 envelope {one}")),
            _ => Some(format!("{number} envelopes {many}")),
        };
        let parts = [
            envelopes(self.added, "gets slots", "get slots"),
            envelopes(
                self.sealed_anew,
                "is encrypted again",
                "are encrypted again",
            ),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The table at the end.
    fn show(&self, terminal: Terminal, dry_run: bool) {
        let rows = [
            ("already up to date", self.right),
            (
                if dry_run { "to get slots" } else { "got slots" },
                self.added,
            ),
            (
                if dry_run {
                    "to be encrypted again"
                } else {
                    "encrypted again"
                },
                self.sealed_anew,
            ),
            ("skipped, to keep the signature", self.skipped),
            ("failed", self.failed),
        ];
        for (words, number) in rows {
            terminal.status(&format!("{number:>8}  {words}"));
        }
    }
}
