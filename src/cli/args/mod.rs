//! Options that many commands share.

pub(crate) mod conditions;
pub(crate) mod mailbox;
pub(crate) mod message;
pub(crate) mod open;
pub(crate) mod quorum;
pub(crate) mod rewrite;
pub(crate) mod seal;
pub(crate) mod sendmail;
pub(crate) mod time;

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    #[expect(clippy::doc_markdown, reason = "it is shown as help")]
    /// The keystore [default: $ENCL_KEYSTORE, else $XDG_DATA_HOME/encl, else ~/.local/share/encl]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) keystore: Option<PathBuf>,

    /// Read passphrases from the lines of FILE: one answers every question; of two the first is the identity's,
    /// the second the envelope's [default: $ENCL_PASSPHRASE_FILE]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Read passphrases from the open descriptor N
    #[arg(
        long,
        global = true,
        value_name = "N",
        conflicts_with = "passphrase_file"
    )]
    pub(crate) passphrase_fd: Option<u32>,

    /// Read passphrases from what the shell command CMD prints
    #[arg(long, global = true, value_name = "CMD", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    pub(crate) passphrase_command: Option<String>,

    /// Never ask anything
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Print one JSON object per input; failures as objects on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say nothing but warnings and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Which files a command reads.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct InputFiles {
    /// Files, or `-` for standard input (the default)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Also the files that LIST names, one a line (`-`: standard input)
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath)]
    pub(crate) files_from: Option<PathBuf>,

    /// LIST is separated by NUL bytes instead of line ends, as `find -print0` writes it
    #[arg(short = '0', long = "null", requires = "files_from")]
    pub(crate) null: bool,
}

/// Where a command writes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputFile {
    /// Write to OUT (`-`: standard output); with one input
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath, conflicts_with = "directory")]
    pub(crate) output: Option<PathBuf>,

    /// Write into the folder DIR
    #[arg(short = 'C', long = "directory", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,

    /// Replace a target that exists
    #[arg(long)]
    pub(crate) force: bool,
}
