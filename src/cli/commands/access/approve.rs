//! `encl approve`: release my share of a quorum to a colleague.

use std::io::Write as _;
use std::path::PathBuf;

use crate::cli::display::names::{DisplayName, hex};
use crate::cli::operations::recipients::store_cards;
use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::atomic_file;
use encl::directory::{People, Recipients, WhoUse, resolve};
use encl::envelope::{
    Addressee, Approval, Envelope, Keyring, Manifest, NoKey, OpenError, ReaderKey, Slot,
};
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::{existing, one_input};
use crate::cli::context::Context;
use crate::cli::display::envelope::policy;
use crate::cli::display::report::Report;
use crate::cli::errors::envelope;
use crate::cli::errors::quorum::{ApprovalNames, Place, UnlockContext};
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::Output;
use crate::cli::files::target::Target;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Terminal, quoted};
use encl::operations::MyKeys;
use encl::operations::keys::TypedPassphrase;

/// Approve the opening of a quorum envelope: give my share to one colleague
///
/// The approval is encrypted for that colleague and useless to everybody else, so it can be sent by chat or mail. It cannot
/// be taken back. The colleague opens the envelope with `encl unwrap --with`. The envelope itself does not change.
#[derive(Debug, Args)]
#[command(after_help = closing(&[
    Exit::Failed, Exit::Usage, Exit::NotForYou, Exit::Damaged, Exit::Refused, Exit::Locked, Exit::Recipient,
    Exit::Exists, Exit::Newer,
], "\
  $ encl approve plan.txt.encl --to bob@example.org
  $ encl approve plan.txt.encl --to bob@example.org -o for-bob.approval
  $ encl approve - --to carol@example.org --yes < plan.txt.encl"))]
pub(crate) struct Arguments {
    /// The envelope, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The colleague who gets my share
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    to: String,

    /// Write the approval to OUT (`-`: standard output, the default)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,

    /// Which lock, counted from 0, if I hold shares of several
    #[arg(long, value_name = "N")]
    lock: Option<u16>,

    /// Do not ask, even if the policy does not name the colleague
    #[arg(long)]
    yes: bool,

    /// Approve with this one of my identities [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let input = input(arguments, context)?;
    context.warn_of_clock();
    let people = context.people()?;
    let colleague = Colleague::find(arguments, &input, &people, context)?;
    let source = input.open("approve")?;
    let same = source.twin(&input, "approve")?;
    let envelope = Envelope::read(source)
        .map_err(|error| envelope::failure(input.cannot("approve", Exit::Failed), error))?;
    let target = arguments
        .output
        .as_deref()
        .map_or(Target::Stdout, Target::parse);
    let output = Output {
        verb: "approve",
        input: &input,
        target: &target,
    };
    let existing = existing(arguments.force);
    // The target is opened first: nobody types a passphrase to hear that it exists.
    let mut sink = output.open(&same, atomic_file::FileMode::Umask, existing)?;
    let approving = Approving {
        arguments,
        context,
        people: &people,
        input: &input,
        manifest: envelope.manifest(),
        colleague: &colleague,
    };
    let released = approving.release(&envelope)?;
    approving.ask(&released)?;
    store_cards(&colleague.readers, &people, context)?;
    let lines = released.approvals.iter().map(|one| one.to_text() + "\n");
    let written = sink.write_all(lines.collect::<String>().as_bytes());
    written.map_err(|error| output.not_written(&error))?;
    output.commit(sink)?;
    let report = ReleaseReport {
        approving: &approving,
        released: &released,
        target: &target,
    };
    Ok(context.report(&report, target.objects())?)
}

fn input(arguments: &Arguments, context: &Context) -> Result<Input, Failure> {
    one_input(Some(&arguments.file), "approve", context)
}

/// The person who gets my share.
struct Colleague {
    readers: Recipients,
}

impl Colleague {
    fn find(
        arguments: &Arguments,
        input: &Input,
        people: &People,
        context: &Context,
    ) -> Result<Self, Failure> {
        let found = resolve(&[&arguments.to], WhoUse::Recipient, people)?;
        if found.len() != 1 {
            return Err(input.cannot("approve", Exit::Usage).reason(format!(
                "--to names {} people, but an approval is for one person",
                found.len()
            )));
        }
        let readers = Recipients::new(found, None, context.now).map_err(|error| Failure {
            what: input.cannot("approve", Exit::Recipient).what,
            ..error.into()
        })?;
        Ok(Self { readers })
    }

    fn addressee(&self) -> &Addressee {
        &self.readers.addressees[0]
    }

    /// "Bob <bob@example.org>"
    fn words(&self) -> String {
        let (found, _) = self.readers.everybody()[0];
        found.names.display_name()
    }
}

/// What was released.
struct Released {
    lock: u16,
    approvals: Vec<Approval>,
}

/// One approving, before and after it is done.
struct Approving<'a> {
    arguments: &'a Arguments,
    context: &'a Context,
    people: &'a People,
    input: &'a Input,
    manifest: &'a Manifest,
    colleague: &'a Colleague,
}

impl Approving<'_> {
    /// Opens what is mine in the lock that is meant, and seals it to the colleague. Nothing is written yet.
    fn release(&self, envelope: &Envelope<Source>) -> Result<Released, Failure> {
        let keys = match self
            .context
            .identity_name(self.arguments.identity.as_deref())
        {
            Some(name) => {
                let mine = self.people.my_identity(&name)?;
                MyKeys::new(self.context, std::slice::from_ref(mine))
            }
            None => MyKeys::new(self.context, self.people.readers()),
        };
        let mut typed = TypedPassphrase::default();
        let mut keyring = keys.keyring(&self.input.name(), &mut typed);
        let candidates = self.candidates(&keyring.keys())?;
        let mut released = Vec::new();
        for lock in candidates {
            match self.of_lock(envelope, lock, &mut keyring) {
                Ok(one) => released.push(one),
                // In a private envelope every lock is tried, unless one was named.
                Err(OpenError::NoKey(NoKey::Private)) if self.arguments.lock.is_none() => {}
                Err(error) => return Err(self.failure(error)),
            }
        }
        match released.len() {
            0 => Err(self.failure(OpenError::NoKey(NoKey::Private))),
            1 => Ok(released.remove(0)),
            _ => Err(self.ambiguous(released.iter().map(|one| one.lock))),
        }
    }

    fn of_lock(
        &self,
        envelope: &Envelope<Source>,
        lock: u16,
        keyring: &mut dyn Keyring,
    ) -> Result<Released, OpenError> {
        let to = &self.colleague.addressee().public;
        let mut rng = self.context.rng();
        let approvals = envelope.approve(lock, to, keyring, self.context.now, &mut rng)?;
        Ok(Released { lock, approvals })
    }

    /// The locks that may be meant: the one that was named, else those in which there is a slot for me; in a private envelope
    /// all.
    fn candidates(&self, keys: &[ReaderKey]) -> Result<Vec<u16>, Failure> {
        let locks = 0..u16::try_from(self.manifest.policy.locks.len()).unwrap_or(u16::MAX);
        if let Some(lock) = self.arguments.lock {
            if locks.contains(&lock) {
                return Ok(vec![lock]);
            }
            let failure = self.input.cannot("approve", Exit::Usage);
            return Err(failure.reason(match locks.end {
                1 => format!("there is no lock {lock}: it has one, lock 0"),
                end => format!(
                    "there is no lock {lock}: its locks are numbered from 0 to {}",
                    end - 1
                ),
            }));
        }
        if self.manifest.policy.private {
            return Ok(locks.collect());
        }
        let is_mine = |lock: u16| {
            self.manifest.access.slots.iter().any(|slot| match slot {
                Slot::Key(slot) => {
                    slot.lock == lock && keys.iter().any(|key| Some(key.id) == slot.key)
                }
                Slot::Gate(slot) => slot.lock == lock && self.is_my_gate(slot.gate, keys),
                Slot::Passphrase(_) => false,
            })
        };
        let mine: Vec<u16> = locks.filter(|lock| is_mine(*lock)).collect();
        match mine.len() {
            0 => {
                let mut named = self.manifest.policy.recipients();
                let is_named = named.any(|one| keys.iter().any(|key| key.id == one.key));
                let why = if is_named {
                    NoKey::SlotRemoved
                } else {
                    NoKey::NotNamed
                };
                Err(self.failure(OpenError::NoKey(why)))
            }
            1 => Ok(mine),
            _ => Err(self.ambiguous(mine.into_iter())),
        }
    }

    /// Whether I am that person among the gates of the gate lock.
    fn is_my_gate(&self, gate: u8, keys: &[ReaderKey]) -> bool {
        let gates = self.manifest.policy.gate().map(|(_, terms)| &terms.gates);
        let gate = gates.and_then(|gates| gates.get(usize::from(gate)));
        gate.is_some_and(|gate| keys.iter().any(|key| key.id == gate.key))
    }

    fn ambiguous(&self, locks: impl Iterator<Item = u16>) -> Failure {
        let mut failure = self
            .input
            .cannot("approve", Exit::Usage)
            .reason("you hold shares of several locks; the policy, not verified, says:");
        for lock in locks {
            let rule = policy::rule(&self.manifest.policy.locks[usize::from(lock)], self.people);
            failure = failure.reason(format!("lock {lock}: {rule}"));
        }
        failure.hint("--lock N says which one")
    }

    fn failure(&self, error: OpenError) -> Failure {
        let is_not_mine = matches!(error, OpenError::NoKey(NoKey::NotNamed));
        let context = UnlockContext {
            verb: "approve",
            place: Place::File(self.input.path()),
            people: self.people,
            policy: &self.manifest.policy,
            keys: &[],
            approvals: &ApprovalNames::default(),
        };
        let cannot = self.input.cannot("approve", Exit::Failed);
        let mut failure = context.failure(cannot, error);
        if let Some(lock) = self.arguments.lock.filter(|_| is_not_mine) {
            failure.reasons = vec![format!(
                "none of your identities holds a share of lock {lock}"
            )];
        }
        if is_not_mine {
            failure.hint(format!(
                "`encl inspect {}` lists who could approve, `encl key list` your identities",
                quoted(self.input.path())
            ))
        } else {
            failure
        }
    }

    /// Whether the policy names the colleague's key, as far as one can know.
    fn is_named(&self) -> bool {
        let key = self.colleague.addressee().recipient.key;
        let mut named = self.manifest.policy.recipients();
        named.any(|recipient| recipient.key == key)
    }

    /// Somebody whom the author did not name is helped only after a question.
    fn ask(&self, released: &Released) -> Result<(), Failure> {
        if self.is_named() || self.arguments.yes {
            return Ok(());
        }
        let colleague = self.colleague.words();
        let why = if self.manifest.policy.private {
            format!("The envelope does not show whether {colleague} is one of its people.")
        } else {
            format!("The policy does not name {colleague} with this key.")
        };
        let question = format!("{why} Release {} anyway?", self.part(released));
        let what = self.input.cannot("approve", Exit::Usage).what;
        self.context.confirm(&question, &what)
    }

    /// "your share", or what it is where one is enough.
    fn part(&self, released: &Released) -> String {
        let Released { lock, approvals } = released;
        let policy = &self.manifest.policy;
        let shares = match approvals.len() {
            1 => "your share".to_owned(),
            number => format!("your {number} shares"),
        };
        match (policy.locks[usize::from(*lock)].need, policy.locks.len()) {
            (1, 1) => "the complete secret, which opens it without anybody else,".to_owned(),
            (1, _) => format!(
                "the complete secret of lock {lock}, which opens that lock without anybody else,"
            ),
            (_, 1) => shares,
            _ => format!("{shares} of lock {lock}"),
        }
    }
}

/// What was released to whom, and what comes next.
struct ReleaseReport<'a> {
    approving: &'a Approving<'a>,
    released: &'a Released,
    target: &'a Target,
}

impl Report for ReleaseReport<'_> {
    type Object<'a>
        = Object<'a>
    where
        Self: 'a;

    fn object(&self) -> Object<'_> {
        let Released { lock, approvals } = self.released;
        let approving = self.approving;
        let manifest = &approving.manifest;
        let recipient = &approving.colleague.addressee().recipient;
        Object {
            schema: "encl.approve/1",
            file: approving.input.typed(),
            output: self.target.typed(),
            id: manifest.id.to_string(),
            lock: *lock,
            need: manifest.policy.locks[usize::from(*lock)].need,
            approvals: approvals.len(),
            to: ColleagueObject {
                name: &recipient.name,
                address: recipient.address.as_deref(),
                id: recipient.id.to_string(),
                key: hex(&recipient.key.0),
            },
            named: approving.is_named(),
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        let approving = self.approving;
        let colleague = approving.colleague.words();
        let part = approving.part(self.released);
        let name = approving.input.name();
        let part = part.trim_end_matches(',');
        terminal.status(&format!(
            "released to {colleague}, for {name}: {part}; it cannot be taken back"
        ));
        let with = match self.target {
            Target::Stdout => "APPROVAL".to_owned(),
            Target::File(path) => quoted(Some(path)),
        };
        let file = quoted(approving.input.path());
        terminal.status(&format!(
            "{colleague} runs: encl unwrap {file} --with {with}"
        ));
        Ok(())
    }
}

/// `encl.approve/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    /// The envelope's.
    id: String,
    lock: u16,
    need: u8,
    /// How many: one for each share.
    approvals: usize,
    to: ColleagueObject<'a>,
    /// Whether the policy names that key; in a private envelope nobody can tell.
    named: bool,
}

#[derive(Serialize)]
struct ColleagueObject<'a> {
    name: &'a str,
    address: Option<&'a str>,
    id: String,
    key: String,
}
