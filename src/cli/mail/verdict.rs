//! What is made of an opened message beside its signature: does it come from whom it says, and is it what stands outside?

use clap::Args;
use encl::envelope::{Mail, Opened};
use encl::mail::{Header, differences, parse_list};

use super::super::addressing;
use super::super::context::Context;
use super::super::files::Input;
use super::super::people::{People, Person};
use super::super::report::{Exit, Failure};
use super::super::terminal::safe;

/// Differences that are named one by one.
const DIFFERENCES_SHOWN: usize = 12;

/// What to do about a sender under another name.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct FromOption {
    /// Open it though it is signed by somebody whose card has not the address in From
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
    matches!(about.private.about.mail, Some(Mail::Message { .. }))
}

/// Refuses a message whose author writes under an address that is not on the card of whoever signed it.
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
    let Some(signer) = signer.filter(|_| rule == FromMismatch::Refuse && is_message(about)) else {
        return Ok(());
    };
    let is_signers = inner.all("From").all(|field| {
        let from = parse_list(&field.text());
        from.is_ok_and(|from| from.iter().all(|from| carries(&signer, &from.address)))
    });
    if is_signers {
        return Ok(());
    }
    let from: Vec<String> = inner.all("From").map(|field| safe(&field.text())).collect();
    Err(input
        .cannot(verb, Exit::Damaged)
        .because(format!("it is signed by {}", signer.words()))
        .because(format!("but says that it is from {}", from.join(", ")))
        .hint("--allow-from-mismatch opens it all the same"))
}

fn carries(person: &Person, address: &str) -> bool {
    let mut addresses = person.card.addresses().iter();
    addresses.any(|known| addressing::is_same(known, address))
}

/// Names what stands outside otherwise than it was written; what is inside is what counts.
pub(crate) fn tell_differences(about: &Opened, arrived: &Header, context: &Context) {
    let Some(Mail::Message { outer }) = &about.private.about.mail else {
        return;
    };
    let differences = differences(outer, arrived);
    let shown = |text: &Option<String>| {
        text.as_ref()
            .map_or("nothing".to_owned(), |text| format!("`{}`", safe(text)))
    };
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        context.terminal.warning(&format!(
            "{} was changed outside: sealed as {}, arrived as {}",
            difference.name,
            shown(&difference.inside),
            shown(&difference.outside)
        ));
    }
    if differences.len() > DIFFERENCES_SHOWN {
        let more = differences.len() - DIFFERENCES_SHOWN;
        context
            .terminal
            .warning(&format!("{more} fields more were changed outside"));
    }
}
