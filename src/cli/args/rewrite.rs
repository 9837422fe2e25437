//! How an envelope is rewritten: options as they are typed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::atomic_file::{LeftBy, discard_leftovers};
use encl::operations::rewrite::{LetInPolicy, SigningPolicy};

use crate::cli::args::gate::AskOptions;
use crate::cli::args::open::With;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::{Input, is_dash};
use crate::cli::files::roots::Roots;
use crate::cli::files::target::Target;

/// How an envelope is rewritten.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct RewriteOptions {
    /// If FILE is a folder, change all envelopes below it
    #[arg(long, short)]
    pub(crate) recursive: bool,

    /// Encrypt again under my signature, also what another author signed, whose signature is lost, and what nobody had signed
    #[arg(long)]
    pub(crate) resign: bool,

    /// Write to OUT (`-`: standard output) and leave FILE as it is; for one FILE only
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace OUT if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    /// Which lock, counted from 0, if there are several: `encl inspect` shows them
    #[arg(long, value_name = "N")]
    pub(crate) lock: Option<u16>,

    /// Dry run: show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Which of my identities acts, and signs [default: $ENCL_IDENTITY, else the author's if that is me, else the default identity]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) identity: Option<String>,

    #[command(flatten)]
    pub(crate) with: With,

    #[command(flatten)]
    pub(crate) gates: AskOptions,
}

/// How an envelope is encrypted again for those who remain.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct ResealOptions {
    /// Do not sign envelopes that are encrypted again
    #[arg(long)]
    pub(crate) anonymous: bool,

    /// Keep readers whom not the author but another reader let in; you name them from now on
    #[arg(long, conflicts_with = "drop_granted")]
    pub(crate) keep_granted: bool,

    /// Remove readers whom not the author but another reader let in
    #[arg(long)]
    pub(crate) drop_granted: bool,

    /// Encrypt again also where its gates do not say from whom access was taken: who lost it by another machine gets it back
    #[arg(long)]
    pub(crate) unasked: bool,

    /// Do not ask. Where readers stay whom not the author let in, this needs --keep-granted or --drop-granted
    #[arg(long)]
    pub(crate) yes: bool,
}

impl ResealOptions {
    /// Refuses options about encrypting again where that is not asked for. `verb` is what is done then.
    pub(crate) fn refuse_without_resign(&self, resign: bool, verb: &str) -> Result<(), Failure> {
        let given = [
            (self.anonymous, "--anonymous"),
            (self.keep_granted, "--keep-granted"),
            (self.drop_granted, "--drop-granted"),
            (self.unasked, "--unasked"),
        ];
        match given.iter().find(|(is_given, _)| *is_given && !resign) {
            Some((_, option)) => Err(Failure::new(
                Exit::Usage,
                format!("cannot {verb} with {option} alone"),
            )
            .reason("it is about envelopes that are encrypted again, and only slots are changed")
            .hint("--resign encrypts them again")),
            None => Ok(()),
        }
    }

    /// Which envelopes are signed; `resign` if also those that nobody had signed.
    pub(crate) fn signing(&self, resign: bool) -> SigningPolicy {
        match (self.anonymous, resign) {
            (true, _) => SigningPolicy::Never,
            (false, true) => SigningPolicy::Always,
            (false, false) => SigningPolicy::WhereSigned,
        }
    }

    /// What is done about readers whom others let in.
    pub(crate) fn let_in(&self) -> LetInPolicy {
        match self.drop_granted {
            true => LetInPolicy::Remove,
            false => LetInPolicy::Keep,
        }
    }
}

impl RewriteOptions {
    /// Whether the new envelope is another file than the old one.
    pub(crate) fn goes_elsewhere(&self, input: &Input) -> bool {
        self.output.is_some() || *input == Input::Stdin
    }

    /// Where the new envelope goes.
    pub(crate) fn target(&self, input: &Input) -> Target {
        match (&self.output, input) {
            (Some(output), _) if is_dash(output) => Target::Stdout,
            (Some(output), _) => Target::File(output.clone()),
            (None, Input::Stdin) => Target::Stdout,
            (None, Input::File(path)) => Target::File(path.clone()),
        }
    }

    /// Checks what can be known before the first envelope is opened, and cleans up where a killed run left something.
    pub(crate) fn remove_leftovers(&self, inputs: &[Input], roots: &Roots) -> Result<(), Failure> {
        if self.output.is_some() && inputs.len() > 1 {
            return Err(
                Failure::new(Exit::Usage, "cannot write several outputs to one -o OUT")
                    .hint("without -o each file is changed in place"),
            );
        }
        if !self.dry_run {
            let mut cleaned = HashSet::new();
            for target in inputs.iter().map(|input| self.target(input)) {
                let Some(path) = target.into_path() else {
                    continue;
                };
                if cleaned.insert(path.parent().map(Path::to_owned))
                    && let Ok(folder) = roots.folder_of(&path)
                {
                    let _ = discard_leftovers(&folder, LeftBy::Anybody); // whoever cannot be cleaned up after is told by its own error
                }
            }
        }
        Ok(())
    }
}
