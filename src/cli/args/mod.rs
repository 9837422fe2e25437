//! Options that many commands share.

pub(crate) mod address;
pub(crate) mod conditions;
pub(crate) mod gate;
pub(crate) mod help;
pub(crate) mod identity;
pub(crate) mod mail;
pub(crate) mod open;
pub(crate) mod quorum;
pub(crate) mod rewrite;
pub(crate) mod seal;
pub(crate) mod time;

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::atomic_file::Existing;

use encl::crypto::passphrase::Cost;

use crate::cli::args::identity::cost;
use crate::cli::context::{Context, Settings};
use crate::cli::errors::Failure;
use crate::cli::files::input::{FileList, Input};
use crate::cli::files::target::{Destination, Target};
use crate::cli::secrets::passphrase::NewPassphraseSource;
use crate::cli::terminal::OutputMode;

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    #[expect(clippy::doc_markdown, reason = "it is shown as help")]
    /// The keystore [default: $ENCL_KEYSTORE, else $XDG_DATA_HOME/encl, else ~/.local/share/encl]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) keystore: Option<PathBuf>,

    /// Read passphrases from FILE: the first line for my identity, the second for an envelope. One line is also for an envelope
    /// that exists, and for a new secret if no identity needs it [default: $ENCL_PASSPHRASE_FILE]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Read passphrases from the open file descriptor N, as from FILE
    #[arg(
        long,
        global = true,
        value_name = "N",
        conflicts_with = "passphrase_file"
    )]
    pub(crate) passphrase_fd: Option<u32>,

    /// Read passphrases from the output of the shell command CMD
    #[arg(long, global = true, value_name = "CMD", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    pub(crate) passphrase_command: Option<String>,

    #[command(flatten)]
    pub(crate) new_passphrase: NewPassphraseOptions,

    /// Also try passphrases of others that take 2^COST KiB of memory, 16 to 20 [default: 16, and more after a question]
    #[arg(long, global = true, value_name = "COST", value_parser = cost)]
    pub(crate) cost_max: Option<Cost>,

    /// Never ask a question: where one would be needed, fail
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Print one JSON object per input; errors are objects on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print only warnings and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Where the passphrase of something new comes from.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_field_names,
    reason = "the options are called after them"
)]
pub(crate) struct NewPassphraseOptions {
    /// Read the passphrase of something new from the first line of FILE [default: asked twice on the terminal]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) new_passphrase_file: Option<PathBuf>,

    /// Read the passphrase of something new from the open file descriptor N
    #[arg(
        long,
        global = true,
        value_name = "N",
        conflicts_with = "new_passphrase_file"
    )]
    pub(crate) new_passphrase_fd: Option<u32>,

    /// Read the passphrase of something new from the output of the shell command CMD
    #[arg(long, global = true, value_name = "CMD", conflicts_with_all = ["new_passphrase_file", "new_passphrase_fd"])]
    pub(crate) new_passphrase_command: Option<String>,
}

impl Global {
    /// How much is written to stderr.
    pub(crate) fn output_mode(&self) -> OutputMode {
        match (self.json, self.quiet) {
            (true, _) => OutputMode::Json,
            (false, true) => OutputMode::Quiet,
            (false, false) => OutputMode::Words,
        }
    }

    /// The values for a context.
    pub(crate) fn into_settings(self) -> Settings {
        Settings {
            keystore: self.keystore,
            passphrase_file: self.passphrase_file,
            passphrase_fd: self.passphrase_fd,
            passphrase_command: self.passphrase_command,
            new_passphrase: NewPassphraseSource {
                file: self.new_passphrase.new_passphrase_file,
                descriptor: self.new_passphrase.new_passphrase_fd,
                command: self.new_passphrase.new_passphrase_command,
            },
            cost_max: self.cost_max,
            no_input: self.no_input,
            json: self.json,
        }
    }
}

/// Which files a command reads.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct InputFiles {
    /// Files, or `-` for standard input (the default)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Also read the files named in LIST, one per line (`-`: standard input)
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub(crate) files_from: Option<PathBuf>,

    /// Names in LIST end with NUL bytes instead of line ends, as `find -print0` writes them
    #[arg(short = '0', long = "null", requires = "files_from")]
    pub(crate) null: bool,
}

impl InputFiles {
    /// The inputs, in the order given.
    pub(crate) fn all(&self, verb: &str, context: &Context) -> Result<Vec<Input>, Failure> {
        let list = self.files_from.as_deref().map(|path| FileList {
            path,
            separator: if self.null { 0 } else { b'\n' },
        });
        let inputs = Input::all(&self.files, list.as_ref(), verb, &context.stdin)?;
        context.cost_gate.expect(inputs.len());
        Ok(inputs)
    }
}

/// One input that was named by itself, or standard input.
pub(crate) fn one_input(
    file: Option<&Path>,
    verb: &str,
    context: &Context,
) -> Result<Input, Failure> {
    let files: Vec<_> = file.map(Path::to_owned).into_iter().collect();
    Ok(Input::all(&files, None, verb, &context.stdin)?.remove(0))
}

/// What becomes of a target that exists, by `--force`.
pub(crate) fn existing(force: bool) -> Existing {
    match force {
        true => Existing::Replace,
        false => Existing::Keep,
    }
}

/// Where a command writes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputFile {
    /// Write to OUT (`-`: standard output); for one input only
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath, conflicts_with = "directory")]
    pub(crate) output: Option<PathBuf>,

    /// Write into the folder DIR
    #[arg(short = 'C', long = "directory", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,

    /// Replace the output file if it exists; a pipe or device is written to
    #[arg(long)]
    pub(crate) force: bool,
}

impl OutputFile {
    /// Where each output goes.
    pub(crate) fn destination(&self) -> Destination {
        match (&self.output, &self.directory) {
            (Some(path), _) => Destination::One(Target::parse(path)),
            (None, Some(folder)) => Destination::Folder(folder.clone()),
            (None, None) => Destination::BesideInput,
        }
    }

    pub(crate) fn existing(&self) -> Existing {
        existing(self.force)
    }
}
