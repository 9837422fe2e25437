//! `encl contact verify`: the number that a pair compares, and what is recorded of it.

use clap::Args;
use encl::address::is_same_address;
use encl::directory::{Names, People, Trust};
use encl::identity::{Card, fingerprint};
use encl::keystore::{Compared, KeystoreError, SafetyNumber, Verified, VerifiedAs};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde::Serialize;

use super::describe;
use crate::cli::context::Context;
use crate::cli::display::cards::card::described;
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::Words;
use crate::cli::errors::directory::blocked;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::contacts::contact_report::{Added, report};
use crate::cli::operations::contacts::find;
use crate::cli::terminal::prompt::Prompt;
use crate::cli::terminal::{Stream, safe};

/// What `encl contact verify` was asked for.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
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
    /// Verify the contact for this address only; may be repeated [default: all on the card]
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
    /// The contact is verified already, and its card has another name or other addresses now: verify these for the same key
    #[arg(long, conflicts_with_all = ["code", "words", "qr", "identity"])]
    same_key: bool,
    /// Answer the questions about names and addresses with yes; the numbers still have to be compared
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let person = find(&arguments.who, context)?;
    let (name, card) = (person.display_name(), person.card);
    let people = context.people()?;
    let what = format!("cannot verify {name}");
    let verified_as = names_to_verify(&card, arguments, &what, context)?;
    if arguments.same_key {
        return verify_names(&card, &verified_as, arguments, context);
    }
    let me = me(arguments, &people, &what, context)?;
    refuse_stopped(&card, &people, &what)?;
    let number = SafetyNumber::new(&me.id(), &card.id())
        .map_err(|error| Failure::new(Exit::Failed, &*what).reason(error.to_string()))?;
    let how = match &arguments.code {
        Some(code) if number.matches(code) => Compared::Code,
        Some(_) => return Err(another(what)),
        None => {
            let pair = (&verified_as, me, &card);
            ask(arguments, &number, pair, &what, context)?;
            Compared::ByEye
        }
    };
    let verified = Verified {
        at: context.now,
        how,
        by: me.id(),
    };
    let recorded = context
        .keystore
        .verify_contact(&card.id(), verified, &verified_as);
    recorded.map_err(|error| keystore::failure(&what, &error))?;
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
                .hint(keystore::NO_IDENTITY)
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
    (verified_as, me, contact): (&VerifiedAs, &Card, &Card),
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let unasked = |because: String| {
        Failure::new(Exit::Usage, what).reason(because).hint(
            "--code NUMBER compares with the number that the other side sees, without a question",
        )
    };
    if context.json {
        let object = NumberObject {
            schema: "encl.safety-number/1",
            contact: contact.id().to_string(),
            me: me.id().to_string(),
            digits: number.digits().replace([' ', '\n'], ""),
            words: number
                .words()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        };
        context.terminal.print_object(&object, Stream::Stdout)?;
        return Err(unasked("with --json nothing is asked".to_owned()));
    }
    context.terminal.status(&format!(
        "{}, and you as {}, see the same number if no attacker is between you:",
        describe(verified_as),
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

/// `encl.safety-number/1`.
#[derive(Serialize)]
struct NumberObject {
    schema: &'static str,
    contact: String,
    me: String,
    /// Sixty digits.
    digits: String,
    words: Vec<String>,
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

/// The name and the addresses on the card, or those of them that were asked for. An address for which somebody else was verified is
/// left out; if that one is gone, the user decides.
fn names_to_verify(
    card: &Card,
    arguments: &Arguments,
    what: &str,
    context: &Context,
) -> Result<VerifiedAs, Failure> {
    let mut verified_as = VerifiedAs {
        name: card.name().to_owned(),
        addresses: addresses(card, &arguments.address, what)?,
    };
    let others = context.keystore.addresses_of_verified(card);
    let others = others.map_err(|error| keystore::failure(what, &error))?;
    for other in others {
        if !verified_as.has_address(&other.address) {
            continue;
        }
        let (address, owner) = (safe(&other.address), fingerprint(&other.known));
        if other.is_here {
            context.terminal.warning(&format!(
                "{address} is left out: you verified another contact for it, {owner}"
            ));
            let is_other = |known: &String| !is_same_address(known, &other.address);
            verified_as.addresses.retain(is_other);
        } else if !arguments.yes {
            let question = format!(
                "You verified the key {owner} for {address}, and its card is here no more. Does the address belong to this contact now?"
            );
            context.confirm(&question, what)?;
        }
    }
    Ok(verified_as)
}

fn addresses(card: &Card, wanted: &[String], what: &str) -> Result<Vec<String>, Failure> {
    if wanted.is_empty() {
        return Ok(card.addresses().to_vec());
    }
    let on_card = |wanted: &String| {
        let mut addresses = card.addresses().iter();
        let found = addresses.find(|address| is_same_address(address, wanted));
        found.cloned().ok_or_else(|| {
            Failure::new(Exit::Usage, what)
                .reason(format!("{} is not on the card", safe(wanted)))
                .hint("`encl contact show WHO` shows its addresses")
        })
    };
    wanted.iter().map(on_card).collect()
}

/// Verifies the names on a later card of a verified contact.
fn verify_names(
    card: &Card,
    verified_as: &VerifiedAs,
    arguments: &Arguments,
    context: &Context,
) -> Result<(), Failure> {
    let names = describe(verified_as);
    let what = format!("cannot verify {names}");
    if !arguments.yes {
        context.terminal.text(&described(card));
        let question = format!("Is {names} still the same person?");
        context.confirm(&question, &what)?;
    }
    let recorded = context.keystore.verify_names(&card.id(), verified_as);
    recorded.map_err(|error| match error {
        KeystoreError::NotVerified => keystore::failure(&what, &error)
            .hint("without --same-key, the safety number is compared first"),
        error => keystore::failure(&what, &error),
    })?;
    let words = Words::Status(format!("verified for: {names}"));
    report(card, Added::default(), words, context)
}
