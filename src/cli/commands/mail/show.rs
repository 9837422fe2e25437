//! `encl mail show`: a sealed message as a text to be read, for pagers and mail programs.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::directory::{People, Signer};
use encl::envelope::Opened;
use encl::mail::Display;
use encl::operations::mail::incoming::open::{CheckedMessage, SealedMessage};
use encl::operations::mail::incoming::received::ReceivedMessage;
use encl::operations::mail::is_message;
use encl::operations::mail::spool::SpoolWriter;
use encl::time::Time;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::args::mail::message::FromOption;
use crate::cli::args::mail::message::OneMessage;
use crate::cli::args::open::RequirementArgs;
use crate::cli::context::Context;
use crate::cli::display::envelope::opened::describe_grants;
use crate::cli::display::mail::show_checked;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::spool::not_spooled;
use crate::cli::operations::mail::open::{choose, open, receive};
use crate::cli::operations::open::Opening;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::terminal::escape::spelled_out;
use crate::cli::terminal::{Stream, safe};

/// What begins a line of ours, so that it can be told from the message's.
const FRAME: &str = "[-- encl:";

/// Decrypt a message and show it as text
///
/// Says who signed it and whether that person's key is verified, then shows its fields and text. Control characters in the
/// message are made harmless. For a mailcap: application/vnd.encl; encl mail show %s; copiousoutput
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail show sealed.eml
  $ encl mail show --quiet < sealed.eml"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: OneMessage,

    #[command(flatten)]
    requirements: RequirementArgs,

    /// Which envelope to open, counted from 1, if there are several
    #[arg(long, value_name = "N")]
    part: Option<usize>,

    #[command(flatten)]
    from: FromOption,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let input = arguments.message.input("show", context)?;
    let people = context.people()?;
    let none = LoadedApprovals::default();
    let opening = Opening::new("show", &arguments.requirements, none, &people, context)?;
    let mut opening = opening.in_mail();
    let (source, contents) = receive(&input, "show", context)?;
    let received = ReceivedMessage::new(&source, &contents);
    let message = SealedMessage {
        received: &received,
        place: choose(&received, arguments.part, &input, "show")?,
        rule: arguments.from.rule(),
        people: &people,
    };
    let spool_failed = |error: &std::io::Error| not_spooled(&input, "show", error);
    let spool = SpoolWriter::new(&mut context.rng()).map_err(|error| spool_failed(&error))?;
    let checked = open(&message, &input, &mut opening, spool, spool_failed)?;
    show_checked(&checked, &received, context.terminal);
    let CheckedMessage { sink, opened, .. } = checked;
    let spool = sink.finish().map_err(|error| spool_failed(&error))?;
    let display = Display::of(&spool).map_err(|error| spool_failed(&error))?;
    Ok(print(&opened, &display, &people, context)?)
}

fn print(
    about: &Opened,
    display: &Display,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let signer = about.signer().map(|id| people.signer(id));
    let words = Words::Answer(text(about, display, signer.as_ref(), people));
    let object = Object::of(about, display, signer);
    context.report(&Outcome { object, words }, Stream::Stdout)
}

/// The message in its frame, or what is there instead of one.
fn text(about: &Opened, display: &Display, signer: Option<&Signer>, people: &People) -> String {
    let mut lines = vec![first_line(about, signer, people)];
    if !is_message(about) {
        lines.push(a_file(about));
        return lines.join("\n");
    }
    for name in Display::FIELDS {
        if let Some(value) = display.field(name) {
            // Encoded words can hold line ends.
            lines.push(line(&format!("{name}: {}", spelled_out(&value))));
        }
    }
    for text in &display.texts {
        lines.push(String::new());
        lines.extend(text.text.lines().map(line));
        if text.is_cut {
            lines.push(format!(
                "{FRAME} the text is longer; `encl mail unwrap` writes all of it --]"
            ));
        }
    }
    lines.push(String::new());
    for other in &display.others {
        let name = other.name.as_deref();
        let name = name.map_or_else(String::new, |name| format!(" `{}`", safe(name)));
        lines.push(format!(
            "{FRAME} also encrypted: part {}, {}{name}, {} bytes --]",
            other.number,
            safe(&other.media_type),
            other.bytes
        ));
    }
    if display.others_more > 0 {
        lines.push(format!(
            "{FRAME} and {} more parts --]",
            display.others_more
        ));
    }
    lines.push(format!("{FRAME} end of the encrypted message --]"));
    lines.join("\n")
}

fn first_line(about: &Opened, signer: Option<&Signer>, people: &People) -> String {
    let from = signer.map_or_else(
        || "not signed: the sender is not known".to_owned(),
        |signer| format!("signed by {}", signer.display_name()),
    );
    let created = about
        .created()
        .map_or_else(String::new, |created| format!(", {}", time::local(created)));
    let let_in = describe_grants(about, people);
    format!("{FRAME} {from}{created}{let_in} --]")
}

/// A file is no message, whatever it looks like.
fn a_file(about: &Opened) -> String {
    let about = &about.private.info;
    let name = about
        .name
        .as_deref()
        .map(|name| format!(" `{}`", safe(name)));
    let name = name.unwrap_or_default();
    format!(
        "{FRAME} it holds the file{name}, not a message; `encl mail unwrap -o FILE` writes it --]"
    )
}

/// One line of the message: tabs spread, and never like one of ours, also not with letters between that nobody sees.
fn line(text: &str) -> String {
    let text = text.trim_end_matches('\r').replace('\t', "        ");
    let visible = text.chars().filter(char::is_ascii_graphic);
    match visible.take(3).eq("[--".chars()) {
        true => format!("> {text}"),
        false => text,
    }
}

/// `encl.mail-show/1`
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    id: String,
    signer: Option<Signer>,
    created: Option<Time>,
    fields: Vec<(&'static str, String)>,
    texts: Vec<String>,
    parts: Vec<PartObject>,
}

#[derive(Serialize)]
struct PartObject {
    part: String,
    #[serde(rename = "type")]
    media_type: String,
    name: Option<String>,
    bytes: u64,
}

impl Object {
    fn of(about: &Opened, display: &Display, signer: Option<Signer>) -> Self {
        let field = |name| display.field(name).map(|value| (name, value));
        let part = |listed: &encl::mail::Listed| PartObject {
            part: listed.number.clone(),
            media_type: listed.media_type.clone(),
            name: listed.name.clone(),
            bytes: listed.bytes,
        };
        Self {
            schema: "encl.mail-show/1",
            id: about.manifest.id.to_string(),
            signer,
            created: about.created(),
            fields: Display::FIELDS.into_iter().filter_map(field).collect(),
            texts: display.texts.iter().map(|text| text.text.clone()).collect(),
            parts: display.others.iter().map(part).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_message_never_looks_like_one_of_ours() {
        assert_eq!(line("a\tb\r"), "a        b");
        assert!(!line("[-- encl: signed by the pope --]").starts_with(FRAME));
        for hidden in [
            "  [-- encl: x",
            "\u{200c}[-- encl: x",
            "[\u{2060}-\u{fe0f}- encl: x",
        ] {
            assert!(line(hidden).starts_with("> "), "{hidden:?}");
        }
    }
}
