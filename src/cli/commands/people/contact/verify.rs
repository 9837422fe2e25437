//! `encl contact verify`: the number that a pair compares, and what is recorded of it.

use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Words;
use crate::cli::errors::directory::blocked;
use clap::Args;
use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::directory::{Names, Trust};
use encl::identity::Card;
use encl::keystore::{Compared, SafetyNumber, Verified};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::contacts::contact_report::{Added, report};
use crate::cli::operations::contacts::find;
use crate::cli::terminal::prompt::Prompt;

/// What `encl contact verify` was asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address, name or fingerprint
    who: String,
    /// Compare with the number that the contact sees, in digits or words, instead of asking
    #[arg(long, value_name = "NUMBER")]
    code: Option<String>,
    /// Show words instead of digits, to be read aloud
    #[arg(long, conflicts_with = "qr")]
    words: bool,
    /// Show a QR code of the digits
    #[arg(long)]
    qr: bool,
    /// Which of my identities the contact knows [default: $ENCL_IDENTITY, else the default identity]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = find(&arguments.who, context)?;
    let people = context.people()?;
    let name = card.display_name();
    let what = format!("cannot verify {name}");
    let me = me(arguments, &people, &what, context)?;
    refuse_stopped(&card, &people, &what)?;
    let number = SafetyNumber::new(&me.id(), &card.id())
        .map_err(|error| Failure::new(Exit::Failed, &*what).reason(error.to_string()))?;
    let how = match &arguments.code {
        Some(code) if number.matches(code) => Compared::Code,
        Some(_) => return Err(another(what)),
        None => {
            ask(arguments, &number, (&name, me), &what, context)?;
            Compared::ByEye
        }
    };
    record(&card, (me.id(), how), &what, context)?;
    let words = Words::Status(format!("{name}: verified"));
    report(&card, Added::default(), words, context)
}

fn me<'a>(
    arguments: &Arguments,
    people: &'a People,
    what: &str,
    context: &Context,
) -> Result<&'a Card, Failure> {
    if let Some(name) = context.identity_name(arguments.identity.as_deref()) {
        return Ok(&people.my_identity(&name)?.card);
    }
    people
        .active
        .first()
        .map(|person| &person.card)
        .ok_or_else(|| {
            Failure::new(Exit::Usage, what)
                .reason("the number is made of both fingerprints, and you have no identity")
                .hint("`encl key new ADDRESS` creates one")
        })
}

/// A number that fits does not end everything.
fn refuse_stopped(card: &Card, people: &People, what: &str) -> Result<(), Failure> {
    let trust = people.contact(card.id())?.trust;
    match trust {
        Trust::Blocked | Trust::Revoked => {
            Err(blocked(what.to_owned(), trust, &Names::of_card(card)))
        }
        _ => Ok(()),
    }
}

/// Shows the number and asks about it.
fn ask(
    arguments: &Arguments,
    number: &SafetyNumber,
    (name, me): (&str, &Card),
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let unasked = |because: String| {
        Failure::new(Exit::Usage, what).reason(because).hint(
            "--code NUMBER compares with the number that the other side sees, without a question",
        )
    };
    if context.json {
        return Err(unasked("with --json nothing is asked".to_owned()));
    }
    context.terminal.status(&format!(
        "{name}, and you as {}, see the same number if no attacker is between you:",
        me.display_name()
    ));
    context.terminal.print(&shown(arguments, number))?;
    if context.no_input {
        return Err(unasked("with --no-input nothing is asked".to_owned()));
    }
    let answer =
        Prompt::open().and_then(|mut prompt| prompt.yes("Do both of you see the same number?"));
    match answer {
        Ok(true) => Ok(()),
        Ok(false) => Err(another(what.to_owned())),
        Err(error) => Err(unasked(error.to_string())),
    }
}

fn shown(arguments: &Arguments, number: &SafetyNumber) -> String {
    if arguments.words {
        return number.words();
    }
    let digits = number.digits();
    if !arguments.qr {
        return digits;
    }
    let bare = digits.replace([' ', '\n'], "");
    let code = QrCode::with_error_correction_level(bare, EcLevel::M);
    let code = code.expect("60 digits are far from the most that a QR code holds");
    // Terminals are dark: what is printed is the light.
    let mut image = code.render::<Dense1x2>();
    let image = image
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark);
    format!("{}\n{digits}", image.build())
}

fn another(what: String) -> Failure {
    Failure::new(Exit::Recipient, what)
        .reason("the numbers differ: one of you has a wrong card")
        .reason("nothing was recorded")
        .hint("compare again; if they differ again, ask for the card in another way, and use neither card until then")
}

fn record(
    card: &Card,
    (by, how): (RootId, Compared),
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let verified = Verified {
        at: context.now,
        how,
        by,
    };
    let recorded = context.keystore.verify_contact(&card.id(), verified);
    recorded.map_err(|error| keystore::failure(what, &error))
}
