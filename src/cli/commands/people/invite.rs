//! `encl invite`: a text to be mailed to somebody whose card is not here.

use std::path::PathBuf;

use crate::cli::display::names::DisplayName;
use clap::{Args, ValueHint};
use encl::address::is_same_address;
use encl::atomic_file::FileMode;
use encl::directory::People;
use encl::identity::{Card, InvitationToken};
use encl::keystore::INVITATION_SECONDS_MAX;
use encl::time::Time;
use serde::Serialize;

use crate::cli::commands::key;
use crate::cli::commands::key::card::{OutFile, begin};
use crate::cli::commands::people::group::one_address;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure};
use crate::cli::files::input::is_dash;
use crate::cli::terminal;
use crate::cli::terminal::escape::typed;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{safe, shown};

/// Characters of a line, as mail programs like them.
const LINE_CHARS_MAX: usize = 72;

/// Print an invitation for a person who has no card yet; mail it to them
///
/// The invitation says who asks and what to do. It holds my card and a one-time token. The token comes back beside their card,
/// so `encl contact add` can say which invitation was answered. It works once, within 90 days, and proves no identity: anybody
/// who reads the mail has it.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl invite frank@example.org > invitation.txt
  $ encl invite frank@example.org --from alice@example.org -o to-frank.txt"))]
pub(crate) struct Arguments {
    /// The mail address of the person to invite
    address: String,
    /// Which of my identities sends its card [default: $ENCL_IDENTITY, else the default identity]
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
    /// Write to OUT (`-`: standard output)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

/// Where the text goes. It is opened before anything is noted, so that what cannot be written leaves no invitation.
enum Output {
    Stdout(Stdout),
    File(OutFile),
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> CommandResult {
    let address = one_address(&arguments.address)?;
    let what = format!("cannot invite {}", safe(&address));
    let me = key::find_active(arguments.from.as_deref(), context)?.card;
    let people = context.people()?;
    refuse_myself(&address, &people, &what)?;
    let output = match arguments.output.as_deref().filter(|path| !is_dash(path)) {
        Some(path) => Output::File(begin(path, FileMode::Umask, arguments.force)?),
        None => Output::Stdout(Stdout::open()?),
    };
    tell_of_contact(&address, &people, context)?;
    let token = context
        .keystore
        .invite(&address, me.id(), context.now, &mut context.rng());
    let token = token.map_err(|error| keystore::failure(&what, &error))?;
    let ends = context.now.unix().saturating_add(INVITATION_SECONDS_MAX);
    let ends = Time::from_unix(ends).unwrap_or(context.now);
    let text = text(&me, &address, &token, ends);
    match output {
        Output::File(file) => {
            file.finish(text.as_bytes())?;
            let path = arguments.output.as_deref().map(shown).unwrap_or_default();
            let address = safe(&address);
            let said = format!(
                "mail {path} to {address}, from {}",
                safe(&me.addresses()[0])
            );
            context.terminal.status(&said);
            if context.json {
                print_object(&mut Stdout::open()?, &me, &address, &token, ends, None)?;
            }
        }
        Output::Stdout(mut out) if context.json => {
            print_object(&mut out, &me, &address, &token, ends, Some(&text))?;
        }
        Output::Stdout(mut out) => out.put(text.as_bytes())?,
    }
    Ok(())
}

fn refuse_myself(address: &str, people: &People, what: &str) -> Result<(), Failure> {
    let mut addresses = people.readers().flat_map(|me| me.card.addresses());
    match addresses.any(|mine| is_same_address(mine, address)) {
        true => Err(Failure::new(Exit::Usage, what).reason("that is your own address")),
        false => Ok(()),
    }
}

fn tell_of_contact(address: &str, people: &People, context: &Context) -> Result<(), Failure> {
    let names = people.contact_names();
    let mut names = names.map_err(|error| keystore::unreadable(&error))?.iter();
    let has = |known: &String| is_same_address(known, address);
    if let Some(known) = names.find(|names| names.addresses.iter().any(has)) {
        context
            .terminal
            .notice(&format!("{} is a contact already", known.display_name()));
    }
    Ok(())
}

/// What is mailed.
fn text(me: &Card, address: &str, token: &InvitationToken, ends: Time) -> String {
    let (name, my_address) = (me.display_name(), &me.addresses()[0]);
    let card = me.to_wrapped_text();
    let you = typed(address, "ADDRESS");
    let verify = typed(my_address, "ADDRESS");
    let token = token.to_invitation();
    [
        filled(&format!("{name} asks for your card, to encrypt files and mail for you.")),
        filled(
            "encl is a command-line program that encrypts files and mail for named people. A card is what people give \
             each other for that: name, addresses and public keys. Nobody can decrypt anything with a card.",
        ),
        filled("1. Create an identity, unless you have one. You are asked for a passphrase; tell it to nobody:"),
        format!("    encl key new {you} > my.card"),
        filled(&format!("2. Save this message as invitation.txt, and add the card of {name} from it:")),
        "    encl contact add invitation.txt".to_owned(),
        filled(&format!(
            "3. Print your card with the token of this invitation, and mail both to {}:",
            safe(my_address)
        )),
        format!("    encl key card --invitation {token}"),
        filled(&format!(
            "The token works for one answer, until {}. It says which invitation is answered, not who you are. This \
             message, too, can be from anybody: when each of you has the other's card, compare the safety number by \
             telephone or in person:",
            time::day(ends)
        )),
        format!("    encl contact verify {verify}"),
        filled(&format!("The card of {name}:")),
        card,
    ]
    .join("\n\n")
        + "\n"
}

/// Words in lines that mail programs do not wrap.
fn filled(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE_CHARS_MAX => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn print_object(
    out: &mut Stdout,
    me: &Card,
    address: &str,
    token: &InvitationToken,
    ends: Time,
    text: Option<&str>,
) -> Result<(), Failure> {
    let object = InviteObject {
        schema: "encl.invite/1",
        address,
        from: me.id().to_string(),
        token: token.to_invitation(),
        ends,
        text,
    };
    out.put(format!("{}\n", terminal::object(&object)).as_bytes())
}

#[derive(Serialize)]
struct InviteObject<'a> {
    schema: &'static str,
    address: &'a str,
    from: String,
    token: String,
    ends: Time,
    /// The text, if it is not in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}
