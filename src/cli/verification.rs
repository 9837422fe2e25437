//! `encl contact verify`: the number that a pair compares, and what is recorded of it.

use clap::Args;
use encl::crypto::signing::RootId;
use encl::identity::Card;
use encl::keystore::{Compared, SafetyNumber, Trust, Verified};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::context::Context;
use super::people::{self, People};
use super::prompt::Prompt;
use super::report::{Exit, Failure};
use super::terminal::safe;
use super::{contact, key, store, who};

/// What `encl contact verify` was asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address, name or fingerprint
    who: String,
    /// Compare with the other side's number, in digits or words, instead of asking
    #[arg(long, value_name = "NUMBER")]
    code: Option<String>,
    /// Show words to be spoken instead of digits
    #[arg(long, conflicts_with = "qr")]
    words: bool,
    /// Show a QR code of the digits
    #[arg(long)]
    qr: bool,
    /// The identity of mine that they know [default: $ENCL_IDENTITY, else the default one]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let card = contact::find(&arguments.who, context)?;
    let people = store::people(context)?;
    let name = key::person(&card);
    let what = format!("cannot verify {name}");
    let me = me(arguments, &people, &what, context)?;
    refuse_stopped(&card, &people, &what)?;
    let number = SafetyNumber::new(&me.id(), &card.id())
        .map_err(|error| Failure::new(Exit::Failed, &*what).because(error.to_string()))?;
    let how = match &arguments.code {
        Some(code) if number.matches(code) => Compared::Code,
        Some(_) => return Err(another(what)),
        None => {
            ask(arguments, &number, (&name, me), &what, context)?;
            Compared::ByEye
        }
    };
    record(&card, me.id(), how, &what, context)?;
    context.terminal.status(&format!("{name}: verified"));
    Ok(())
}

fn me<'a>(
    arguments: &Arguments,
    people: &'a People,
    what: &str,
    context: &Context,
) -> Result<&'a Card, Failure> {
    if let Some(name) = context.identity_name(arguments.identity.as_deref()) {
        return who::mine(&name, people).map(|person| &person.card);
    }
    people
        .mine
        .first()
        .map(|person| &person.card)
        .ok_or_else(|| {
            Failure::new(Exit::Usage, what)
                .because("the number is made of both fingerprints, and you have no identity")
                .hint("`encl key new ADDRESS` makes one")
        })
}

/// A number that fits does not end everything.
fn refuse_stopped(card: &Card, people: &People, what: &str) -> Result<(), Failure> {
    let trust = who::person(people, card.id())?.trust;
    match trust {
        people::Trust::Blocked | people::Trust::Revoked => {
            let names = people::Names::of_card(card);
            Err(trust.explain(Failure::new(Exit::Recipient, what), &names))
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
        Failure::new(Exit::Usage, what).because(because).hint(
            "--code NUMBER compares with the number that the other side sees, without a question",
        )
    };
    if context.json {
        return Err(unasked("with --json nothing is asked".to_owned()));
    }
    context.terminal.status(&format!(
        "{name}, and you as {}, see the same if nobody stands between you:",
        safe(me.name())
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
        .because("the numbers differ: one of you has a card of somebody else")
        .because("nothing was recorded")
        .hint("compare once more; if they differ again, ask for the card by another way, and use neither until then")
}

fn record(
    card: &Card,
    by: RootId,
    how: Compared,
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let verified = Verified {
        at: context.now,
        how,
        by,
    };
    let recorded =
        store::keystore(context).verify_contact(&card.id(), verified, &mut context.rng());
    recorded.map_err(|error| store::failure(what, &error))?;
    if context.json {
        let nothing = contact::Added::default();
        contact::print_object(card, Trust::Verified(verified), nothing, context)?;
    }
    Ok(())
}
