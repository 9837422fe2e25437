//! What is made of an opened message beside its signature: does it come from whom it says, and is it what stands outside?

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::address::is_same_address;
use encl::directory::{People, Person};
use encl::envelope::{Mail, Opened};
use encl::mail::{Field, Header, HeaderEnd, differences, parse_list};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::terminal::safe;

/// Differences that are named one by one.
const DIFFERENCES_SHOWN: usize = 12;

/// What to do about a sender under another name.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct FromOption {
    /// Open the message even if the signer's card does not list the From address
    #[arg(long)]
    allow_from_mismatch: bool,
}

impl FromOption {
    pub(crate) fn rule(self) -> FromMismatch {
        if self.allow_from_mismatch {
            FromMismatch::Allow
        } else {
            FromMismatch::Refuse
        }
    }
}

/// Whether a sender may write under a name that is not on his card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FromMismatch {
    Refuse,
    Allow,
}

/// Whether the content is a whole message.
pub(crate) fn is_message(about: &Opened) -> bool {
    matches!(about.private.info.mail, Some(Mail::Message { .. }))
}

/// Refuses a message whose author writes under an address that is not on the card of whoever signed it. What was sealed as a file
/// is held to that too: it goes on as a message all the same.
pub(crate) fn check_from(
    (verb, input): (&str, &Input),
    about: &Opened,
    inner: &Header,
    rule: FromMismatch,
    people: &People,
) -> Result<(), Failure> {
    let signer = about
        .signer()
        .and_then(|id| people.with_id(id).ok().flatten());
    let Some(signer) = signer.filter(|_| rule == FromMismatch::Refuse) else {
        return Ok(());
    };
    let Err(because) = from_fits(&signer, inner, is_message(about)) else {
        return Ok(());
    };
    Err(input
        .cannot(verb, Exit::Damaged)
        .reason(format!("it is signed by {}", signer.display_name()))
        .reason(because)
        .hint("--allow-from-mismatch opens it anyway"))
}

/// Whether everybody whom the header may be from is the signer, by whatever way a mail program reads it; else why not.
fn from_fits(signer: &Person, inner: &Header, is_message: bool) -> Result<(), String> {
    if inner.end() == HeaderEnd::OverLimit && is_message {
        return Err("but its header is too long to find the sender".to_owned());
    }
    if has_from_behind_cr(inner.bytes()) {
        return Err("but it hides another From behind a carriage return".to_owned());
    }
    let is_signers = |field: &Field<'_>| {
        let from = parse_list(&field.text());
        from.is_ok_and(|from| {
            !from.is_empty() && from.iter().all(|from| carries(signer, &from.address))
        })
    };
    let others: Vec<String> = (inner.all("From").filter(|field| !is_signers(field)))
        .take(DIFFERENCES_SHOWN)
        .map(|field| safe(&field.text()))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(format!("but says that it is from {}", others.join(", ")))
}

/// A bare CR ends a line for some readers, such as Python's, and of two fields From they take the first.
fn has_from_behind_cr(header: &[u8]) -> bool {
    let mut lines = header.split(|byte| *byte == b'\r').skip(1);
    lines.any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.len() < line.len() && name.trim_ascii_end().eq_ignore_ascii_case(b"from")
    })
}

/// Warns of an author whose name looks like another address: many programs show the name alone.
pub(crate) fn warn_of_names(inner: &Header, context: &Context) {
    let from = inner.first("From").map(|field| field.text());
    let from = from
        .and_then(|from| parse_list(&from).ok())
        .unwrap_or_default();
    for mailbox in from.iter().take(DIFFERENCES_SHOWN) {
        if let Some(other) = mailbox.poses_as() {
            context.terminal.warning(&format!(
                "it is from {}, who is named `{}`, which looks like another address",
                safe(&mailbox.address),
                safe(&other),
            ));
        }
    }
}

fn carries(person: &Person, address: &str) -> bool {
    let mut addresses = person.card.addresses().iter();
    addresses.any(|known| is_same_address(known, address))
}

/// Names what stands outside otherwise than it was written; what is inside is what counts.
pub(crate) fn tell_differences(about: &Opened, arrived: &Header, context: &Context) {
    let Some(Mail::Message { outer }) = &about.private.info.mail else {
        return;
    };
    let differences = differences(outer, arrived);
    let shown = |text: &Option<String>| {
        text.as_ref()
            .map_or("nothing".to_owned(), |text| format!("`{}`", safe(text)))
    };
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        context.terminal.warning(&format!(
            "{} was changed outside the envelope: encrypted as {}, arrived as {}",
            safe(&difference.name),
            shown(&difference.inside),
            shown(&difference.outside)
        ));
    }
    if differences.len() > DIFFERENCES_SHOWN {
        let more = differences.len() - DIFFERENCES_SHOWN;
        context.terminal.warning(&format!(
            "{more} more fields were changed outside the envelope"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_from_is_hidden_only_behind_a_bare_cr() {
        for hidden in ["Subject: x\rFrom: a@b\n", "\rfrom \t: a@b", "X: y\n\rFROM:"] {
            assert!(has_from_behind_cr(hidden.as_bytes()), "{hidden:?}");
        }
        for plain in [
            "From: a@b\r\nFrom: b\r\n",
            "Subject: x\rFrom a",
            "x\rFromage: y",
            "x\rfrom",
        ] {
            assert!(!has_from_behind_cr(plain.as_bytes()), "{plain:?}");
        }
    }
}
