//! What an envelope says about itself, read without a key.

use std::io::Read;

use encl::directory::People;
use encl::envelope::{Envelope, OpenError};

use crate::cli::context::Context;
use crate::cli::display::envelope::inspection::Inspection;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::envelope;
use crate::cli::files::input::Input;
use crate::cli::terminal::Stream;

/// Shows what one envelope says; `part` is where in a message it was found.
pub(crate) fn inspect(
    (input, part): (&Input, Option<&str>),
    source: impl Read,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let failed = |error: OpenError| envelope::failure(input.cannot("inspect", Exit::Failed), error);
    let mut envelope = Envelope::read(source).map_err(failed)?;
    let payload_bytes = envelope.payload_bytes().map_err(failed)?;
    let inspection = Inspection {
        name: input.name(),
        file: input.typed(),
        part,
        manifest: envelope.manifest(),
        payload_bytes,
        people,
    };
    context.report(&inspection, Stream::Stdout)
}
