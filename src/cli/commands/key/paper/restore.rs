//! `encl key paper --restore`: what is on a page becomes an identity again, or adds to the one that is here.

use std::path::Path;

use crate::cli::display::names::DisplayName;
use encl::crypto::passphrase::Cost;
use encl::identity::{
    Card, Identity, PAPER_BYTES_MAX, Paper, PaperError, PaperLines, fingerprint, is_code,
    serial_ahead,
};
use encl::keystore::{IdentityExport, ImportOutcome, Standing, StoredSecret, self_test};

use crate::cli::commands::key::import;
use crate::cli::commands::key::new::refuse_taken;
use crate::cli::commands::key::show;
use crate::cli::context::Context;
use crate::cli::display::time;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::update::{IdentityUpdate, later_card, protection};
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::terminal;
use crate::cli::terminal::prompt::{Prompt, PromptError};
use crate::cli::terminal::{safe, shown, typed};

const WHAT: &str = "cannot restore an identity from paper";

/// `cost` is that of the new passphrase, `None` for keys in the clear.
pub(crate) fn run(
    file: Option<&Path>,
    cost: Option<Cost>,
    context: &Context,
) -> Result<(), Failure> {
    let paper = match file {
        Some(file) => read(file, context)?,
        None => ask(context)?,
    };
    let card = paper.card().clone();
    let who = card.display_name();
    let others = card.addresses().iter().skip(1);
    let others: Vec<_> = others
        .map(|address| format!(", {}", safe(address)))
        .collect();
    let others = others.concat();
    context.terminal.status(&format!(
        "the page is complete and correct: {who}{others}, fingerprint {}",
        fingerprint(&card.id())
    ));
    let what = format!("cannot restore {who}");
    let here = context.keystore.own_card(&card.id());
    let here = here.map_err(|error| keystore::failure(&what, &error))?;
    let keys = match card.keys().len() {
        1 => "its key decrypts".to_owned(),
        keys => format!("its {keys} keys decrypt"),
    };
    let tried = format!("{keys} what is encrypted for it (tested)");
    let is_new = here.is_none();
    let changed = match here {
        None => place(paper, cost, &what, context)?,
        Some(here) => add(paper, here, &what, context)?,
    };
    context.terminal.status(&match (is_new, changed) {
        (true, _) => format!("{who} is one of your identities again; {tried}"),
        (false, true) => format!("{who} has everything that is on the page now; no key was lost"),
        (false, false) => format!("{who} is already here, with all its keys; {tried}"),
    });
    if changed {
        context.terminal.notice(&format!(
            "a new card was signed, newer than all others; send it (`encl key card {}`) to everybody who has a card made after {}",
            typed(&card.addresses()[0], "WHO"),
            time::local(card.created())
        ));
    }
    show::told(card.id(), context)
}

/// Makes the identity. It is locked, unlocked again and tried before it is placed.
fn place(paper: Paper, cost: Option<Cost>, what: &str, context: &Context) -> Result<bool, Failure> {
    let failed = |error| keystore::failure(what, &error);
    let mut rng = context.rng();
    let (standing, card) = match paper.is_revoked() {
        // There will be no later card.
        true => (Standing::Revoked, paper.card().clone()),
        false => (
            Standing::Active,
            ahead(paper.identity(), paper.card(), None, what, context)?,
        ),
    };
    if standing == Standing::Active {
        refuse_taken(&card, what, context)?;
    }
    let lock = match cost {
        Some(cost) => {
            let whose = format!("the identity {}", safe(&card.addresses()[0]));
            Some((
                context
                    .passphrases
                    .new_one(PassphraseFor::Identity, &whose)?,
                cost,
            ))
        }
        None => None,
    };
    let parts = (card, paper.revocation().clone());
    let protection = protection(lock.as_ref());
    let identity = paper.into_identity();
    let transfer =
        IdentityExport::new(&identity, parts, standing, protection, &mut rng).map_err(failed)?;
    let kept = match (transfer.secret().map_err(failed)?, &lock) {
        (StoredSecret::Locked(locked), Some((passphrase, _))) => {
            locked.unlock(passphrase).map_err(failed)?
        }
        (StoredSecret::Plain(identity), _) => identity,
        (StoredSecret::Locked(_), None) => unreachable!("nothing was locked"),
    };
    self_test(&kept, transfer.card(), &mut rng).map_err(failed)?;
    match context
        .keystore
        .import_identity(&transfer)
        .map_err(failed)?
    {
        ImportOutcome::New => Ok(standing == Standing::Active),
        _ => Err(failed(encl::keystore::KeystoreError::Changed)),
    }
}

/// The identity that is here gets what only the page has; it stays locked as it is. Says whether there was anything.
fn add(paper: Paper, here: Card, what: &str, context: &Context) -> Result<bool, Failure> {
    let is_later = paper.card().serial() > here.serial();
    let (on_paper, is_revoked) = (paper.card().clone(), paper.is_revoked());
    let changing = IdentityUpdate::begin(here, what, context);
    let mut changing = changing.map_err(without_the_one_here)?;
    // What the later card says about a key, such as its end, is what holds.
    let (mut identity, earlier) = match is_later {
        true => (paper.into_identity(), changing.identity),
        false => (changing.identity, paper.into_identity()),
    };
    let merged = identity.merge(earlier);
    let has_grown =
        merged.map_err(|error| Failure::new(Exit::Exists, what).reason(error.to_string()))?;
    changing.identity = identity;
    let failed = |error| keystore::failure(what, &error);
    let changed = is_later || has_grown;
    if changed {
        let (later, other) = match is_later {
            true => (&on_paper, &changing.card),
            false => (&changing.card, &on_paper),
        };
        let card = ahead(&changing.identity, later, Some(other), what, context)?;
        self_test(&changing.identity, &card, &mut context.rng()).map_err(failed)?;
        changing.end(Some(&card), what, context)?;
    } else {
        self_test(&changing.identity, &changing.card, &mut context.rng()).map_err(failed)?;
    }
    if is_revoked {
        let marked = context.keystore.mark_revoked(&on_paper.id());
        marked.map_err(failed)?;
    }
    Ok(changed)
}

/// A card that comes after all that may have been given out, also after the page was printed.
fn ahead(
    identity: &Identity,
    later: &Card,
    other: Option<&Card>,
    what: &str,
    context: &Context,
) -> Result<Card, Failure> {
    let known = later.serial().max(other.map_or(0, Card::serial));
    let serial = serial_ahead(known, context.now);
    later_card(identity, later, serial, what, context)
}

/// Whoever forgot the passphrase, or has a damaged file, has the page for that.
fn without_the_one_here(failure: Failure) -> Failure {
    match failure.hint {
        None => failure.hint(
            "if the identity in the keystore cannot be opened any more, --keystore DIR restores the page into another keystore; newer keys are not on the page",
        ),
        Some(_) => failure,
    }
}

fn refused(error: &PaperError) -> Failure {
    let exit = match error {
        PaperError::Newer(_) => Exit::Newer,
        _ => Exit::Damaged,
    };
    Failure::new(exit, WHAT).reason(safe(&error.to_string()))
}

/// Words or a code from a file.
fn read(path: &Path, context: &Context) -> Result<Paper, Failure> {
    let what = format!("cannot restore an identity from {}", shown(path));
    let about = |failure: Failure| Failure {
        what: what.clone(),
        ..failure.file(path)
    };
    let text = import::read(path, PAPER_BYTES_MAX, &what, context)?;
    if text.len() > PAPER_BYTES_MAX {
        return Err(about(
            Failure::new(Exit::Damaged, WHAT).reason("it is too long for a page"),
        ));
    }
    let text = std::str::from_utf8(&text);
    let text =
        text.map_err(|_| about(Failure::new(Exit::Damaged, WHAT).reason("it is not text")))?;
    Paper::from_text(text).map_err(|error| about(refused(&error)))
}

/// Words, a line at a time, or a code that a scanner types.
fn ask(context: &Context) -> Result<Paper, Failure> {
    let unasked = |error: &PromptError| {
        let exit = match error {
            PromptError::Cancelled => Exit::Locked,
            _ => Exit::Usage,
        };
        let failure = Failure::new(exit, WHAT).caused_by(error);
        failure.hint("--restore FILE reads the words or the code from a file")
    };
    if context.no_input {
        return Err(unasked(&PromptError::NoTerminal));
    }
    let _screen = terminal::screen();
    let paper = Prompt::open().and_then(|mut prompt| asked(&mut prompt));
    paper
        .map_err(|error| unasked(&error))?
        .map_err(|error| refused(&error))
}

fn asked(prompt: &mut Prompt) -> Result<Result<Paper, PaperError>, PromptError> {
    prompt.say(
        "Type the words of each line, or their first four letters; or let a scanner type the code.",
    )?;
    prompt.say("The words stay on the screen: clear it afterwards.")?;
    let mut lines = PaperLines::default();
    while !lines.are_whole() {
        let question = match lines.count() {
            Some(count) => format!("Line {} of {count}", lines.due()),
            None => format!("Line {}", lines.due()),
        };
        let line = prompt.seen(&question)?;
        let taken = match is_code(&line) {
            true => match Paper::from_text(&line) {
                Ok(paper) => return Ok(Ok(paper)),
                Err(error) => Err(error),
            },
            false => lines.push(&line),
        };
        match taken {
            Err(error @ PaperError::Newer(_)) => return Ok(Err(error)),
            Err(error) => prompt.say(&format!("Try again: {error}."))?,
            Ok(()) => {}
        }
    }
    Ok(lines.finish())
}
