//! A card that is given to others, of a person or of a group: on standard output, or in the file of -o.

use std::path::Path;

use encl::atomic_file::FileMode;

use crate::cli::args::existing;
use crate::cli::context::Context;
use crate::cli::display::report::Report;
use crate::cli::errors::Failure;
use crate::cli::files::out_file::write;
use crate::cli::files::target::Target;
use crate::cli::terminal::Stream;

/// Writes `text` to the file, or shows the report, whose words are that text. The object of `--json` comes in both cases.
pub(crate) fn put(
    report: &impl Report,
    text: &str,
    (output, force): (Option<&Path>, bool),
    context: &Context,
) -> Result<(), Failure> {
    if let Some(Target::File(path)) = output.map(Target::parse) {
        write(&path, FileMode::Umask, existing(force), text.as_bytes())?;
        if !context.json {
            return Ok(());
        }
    }
    context.report(report, Stream::Stdout)
}
