//! What should be known about messages and addresses, said on stderr.

use encl::mail::outer::OuterWarning;
use encl::mail::trace::{has_travelled, trace_names};
use encl::mail::{Difference, Other};
use encl::operations::mail::from::{MisleadingName, misleading_authors};
use encl::operations::mail::incoming::open::CheckedMessage;
use encl::operations::mail::incoming::received::{Outside, ReceivedMessage};
use encl::operations::mail::incoming::sender_check::changed_outside;
use encl::operations::mail::is_message;
use encl::operations::mail::outgoing::recipients::AddressNotice;

use crate::cli::terminal::{Terminal, safe};

/// Fields changed outside that are named one by one.
const DIFFERENCES_SHOWN: usize = 12;
/// Things outside an envelope that are named one by one.
const OUTSIDE_SHOWN: usize = 20;

/// Says what should be known about an opened message, beside who sealed it.
pub(crate) fn show_checked<W>(
    checked: &CheckedMessage<W>,
    received: &ReceivedMessage<'_>,
    terminal: Terminal,
) {
    if let Some(arrived) = received.header() {
        show_differences(&changed_outside(&checked.opened, arrived), terminal);
    }
    for MisleadingName {
        address,
        looks_like,
    } in misleading_authors(&checked.header)
    {
        terminal.warning(&format!(
            "it is from {}, who is named `{}`, which looks like another address",
            safe(&address),
            safe(&looks_like),
        ));
    }
    show_outside(received, terminal);
    if !is_message(&checked.opened) {
        terminal.notice("it holds a file, not a message");
    }
    if checked.holds_envelope {
        terminal.notice("there is a further envelope inside, which was left as it is");
    }
}

/// Trace fields inside a whole message, as far as its sender may have written them.
pub(crate) struct InnerTrace {
    /// Their names; none where the message was encrypted at its delivery or later.
    pub(crate) names: Vec<String>,
    has_travelled: bool,
}

impl InnerTrace {
    pub(crate) fn of<W>(checked: &CheckedMessage<W>, received: &ReceivedMessage<'_>) -> Self {
        let outside = received.header();
        let has_travelled = outside.is_some_and(has_travelled);
        // Without a message around the envelope nobody can tell.
        let may_be_senders = is_message(&checked.opened) && (has_travelled || outside.is_none());
        Self {
            names: match may_be_senders {
                true => trace_names(&checked.header),
                false => Vec::new(),
            },
            has_travelled,
        }
    }

    /// "written by the sender, not by a server: Received, ARC-Seal"
    pub(crate) fn remark(&self) -> Option<String> {
        if self.names.is_empty() {
            return None;
        }
        let perhaps = if self.has_travelled { "" } else { "perhaps " };
        Some(format!(
            "{perhaps}written by the sender, not by a server: {}",
            safe(&self.names.join(", "))
        ))
    }
}

fn show_differences(differences: &[Difference], terminal: Terminal) {
    let quoted = |text: &Option<String>| match text {
        Some(text) => format!("`{}`", safe(text)),
        None => "nothing".to_owned(),
    };
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        terminal.warning(&format!(
            "{} was changed outside the envelope: encrypted as {}, arrived as {}",
            safe(&difference.name),
            quoted(&difference.inside),
            quoted(&difference.outside)
        ));
    }
    let more = differences.len().saturating_sub(DIFFERENCES_SHOWN);
    if more > 0 {
        terminal.warning(&format!(
            "{more} more fields were changed outside the envelope"
        ));
    }
}

/// Says what stands outside the envelopes of a message.
pub(crate) fn show_outside(received: &ReceivedMessage<'_>, terminal: Terminal) {
    let outside = received.outside();
    for one in outside.iter().take(OUTSIDE_SHOWN) {
        terminal.notice(&describe_outside(one));
    }
    let more = outside.len().saturating_sub(OUTSIDE_SHOWN);
    if more > 0 {
        terminal.notice(&format!("outside the envelope: {more} more parts"));
    }
}

fn describe_outside(outside: &Outside<'_>) -> String {
    match outside {
        Outside::Part(other) => {
            format!(
                "outside the envelope, not encrypted: {}",
                describe_part(other)
            )
        }
        Outside::Before { part, bytes } => {
            format!("before the envelope in part {part}, not encrypted: {bytes} bytes")
        }
        Outside::Behind { part, bytes } => {
            format!("after the envelope in part {part}, not encrypted: {bytes} bytes")
        }
        Outside::Between { bytes } => format!("between the parts, not encrypted: {bytes} bytes"),
    }
}

/// "part 2, text/plain `a.txt`, 12 bytes"
pub(crate) fn describe_part(other: &Other) -> String {
    let part = &other.part;
    let name = part.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" `{}`", safe(name)));
    let fake = match other.is_declared {
        true => ", labelled as an envelope, which it is not",
        false => "",
    };
    let (number, media_type) = (part_number(&part.number), safe(&part.media_type));
    format!(
        "part {number}, {media_type}{name}, {} bytes{fake}",
        part.body_bytes()
    )
}

/// A message that is not divided is its part 1.
pub(crate) fn part_number(number: &str) -> &str {
    match number {
        "" => "1",
        number => number,
    }
}

/// Says what should be known about an address for which something is sealed.
pub(crate) fn show_address_notice(notice: &AddressNotice, terminal: Terminal) {
    match notice {
        AddressNotice::MisleadingName(MisleadingName {
            address,
            looks_like,
        }) => {
            let address = safe(address);
            terminal.warning(&format!(
                "{address} is named `{}`, which looks like another address; the envelope is for {address}",
                safe(looks_like)
            ));
        }
        AddressNotice::WithoutDetail { address, base } => terminal.notice(&format!(
            "mail to {} is encrypted for {}",
            safe(address),
            safe(base.as_str())
        )),
    }
}

/// Warns of fields that could not be copied outside as they are.
pub(crate) fn show_outer_warnings(warnings: &[OuterWarning], terminal: Terminal) {
    for warning in warnings {
        terminal.warning(&safe(&warning.to_string()));
    }
}
