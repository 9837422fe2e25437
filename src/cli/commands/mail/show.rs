//! `encl mail show`: a sealed message as a text to be read, for pagers and mail programs.

use crate::cli::args::gate::AskOptions;
use crate::cli::context::asking::AskPolicy;
use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::directory::{People, Signer};
use encl::envelope::Opened;
use encl::mail::{Display, Why};
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
use crate::cli::display::framed::FramedText;
use crate::cli::display::mail::{InnerTrace, show_checked};
use crate::cli::display::time;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::spool::not_spooled;
use crate::cli::operations::mail::open::{choose, open, receive};
use crate::cli::operations::open::Opening;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::terminal::{Stream, safe};

/// Decrypt a message and show it as text
///
/// Says who signed it and whether that person's key is verified, then shows its fields and text. Lines of the message begin with
/// `| `, lines of encl with `[-- encl:`. Control characters in the message are made harmless. For a mailcap: application/vnd.encl; encl mail show %s; copiousoutput
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

    #[command(flatten)]
    gates: AskOptions,

    /// Show the message alone, its lines not marked; what encl says about it goes to stderr
    #[arg(long)]
    no_frame: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    arguments.gates.apply(AskPolicy::KnownOwners, context);
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
    let trace = InnerTrace::of(&checked, &received);
    let CheckedMessage { sink, opened, .. } = checked;
    let spool = sink.finish().map_err(|error| spool_failed(&error))?;
    let display = Display::of(&spool).map_err(|error| spool_failed(&error))?;
    let shown = Shown {
        about: &opened,
        display: &display,
        trace,
    };
    Ok(print(&shown, arguments.no_frame, &people, context)?)
}

/// What is shown.
struct Shown<'a> {
    about: &'a Opened,
    display: &'a Display,
    trace: InnerTrace,
}

fn print(
    shown: &Shown<'_>,
    no_frame: bool,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let signer = shown.about.signer().map(|id| people.signer(id));
    if context.json {
        let object = Object::of(shown, signer);
        return Ok(context.terminal.print_object(&object, Stream::Stdout)?);
    }
    let text = text(shown, signer.as_ref(), people);
    let text = match no_frame {
        true => text.without_frame(context.terminal),
        false => text.framed(),
    };
    Ok(context.terminal.print(&text)?)
}

/// The message and what should be known about it, or what is there instead of one.
fn text(shown: &Shown<'_>, signer: Option<&Signer>, people: &People) -> FramedText {
    let (about, display) = (shown.about, shown.display);
    let mut text = FramedText::default();
    text.say(&first_line(about, signer, people));
    if !is_message(about) {
        text.say(&a_file(about));
        return text;
    }
    if let Some(remark) = shown.trace.remark() {
        text.say(&remark);
    }
    text.content(display);
    for other in &display.others {
        let name = other.name.as_deref();
        let name = name.map_or_else(String::new, |name| format!(" `{}`", safe(name)));
        text.say(&format!(
            "also encrypted: part {}, {}{name}, {} bytes",
            other.number,
            safe(&other.media_type),
            other.bytes
        ));
    }
    if display.others_more > 0 {
        text.say(&format!("and {} more parts", display.others_more));
    }
    if display.texts.iter().all(|text| text.text.trim().is_empty()) {
        text.say("there is no text in it");
    }
    for note in notes(display) {
        text.say(&safe(&note));
    }
    text.say("end of the encrypted message");
    text
}

/// What is not shown, or not as it was meant. Binaries are among the parts.
fn notes(display: &Display) -> Vec<String> {
    let unread = display.unread.iter();
    let unread = unread.filter(|unread| !matches!(unread.why, Why::Binary | Why::TooLong));
    unread.map(ToString::to_string).collect()
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
    format!("{from}{created}{let_in}")
}

/// A file is no message, whatever it looks like.
fn a_file(about: &Opened) -> String {
    let about = &about.private.info;
    let name = about
        .name
        .as_deref()
        .map(|name| format!(" `{}`", safe(name)));
    let name = name.unwrap_or_default();
    format!("it holds the file{name}, not a message; `encl mail unwrap -o FILE` writes it")
}

/// `encl.mail-show/1`
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    id: String,
    signer: Option<Signer>,
    created: Option<Time>,
    fields: Vec<(&'static str, String)>,
    sender_trace: Vec<String>,
    texts: Vec<String>,
    parts: Vec<PartObject>,
    notes: Vec<String>,
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
    fn of(shown: &Shown<'_>, signer: Option<Signer>) -> Self {
        let (about, display) = (shown.about, shown.display);
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
            sender_trace: shown.trace.names.clone(),
            texts: display.texts.iter().map(|text| text.text.clone()).collect(),
            parts: display.others.iter().map(part).collect(),
            notes: notes(display),
        }
    }
}
