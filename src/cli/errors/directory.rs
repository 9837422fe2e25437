//! Who is meant, and who cannot be used: errors of the directory as failures.

use encl::crypto::signing::RootId;
use encl::directory::{
    AddressOwner, DirectoryError, GroupChange, Names, People, Trust, UnclearAddress, WhoForm,
    WhoUse,
};
use encl::file_kind::FileKind;
use encl::identity::fingerprint;
use encl::keystore::KeystoreError;
use encl::mail::NotOneAddress;
use encl::time::Time;

use crate::cli::display::cards::group::describe_change;
use crate::cli::display::names::{DisplayName, list_of, renewal};
use crate::cli::display::time;
use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::keystore::{self, unreadable};
use crate::cli::errors::{CommandError, Exit, Failure, io_message};
use crate::cli::terminal::{safe, shown, typed};

/// What to do about a person who is not here and was not named by an address.
const ASK_FOR_CARD: &str =
    "ask for their card, then `encl contact add FILE`; `encl contact list` shows your contacts";

impl From<DirectoryError> for CommandError {
    fn from(error: DirectoryError) -> Self {
        Failure::from(error).into()
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let reason = error.to_string();
        match error {
            DirectoryError::Unknown { name, similar } => unknown(&name, similar.as_deref()),
            DirectoryError::NotAFingerprint { who, .. } => cannot_tell(&who)
                .reason(reason)
                .hint("what has 16 hexadecimal digits or more, and no letters, is a fingerprint"),
            DirectoryError::NotAnAddress {
                who,
                reason: NotOneAddress::Several,
            } => cannot_tell(&who)
                .reason("it is more than one address")
                .hint("name each by an option of its own: --to A --to B"),
            DirectoryError::NotAnAddress { who, .. } => cannot_tell(&who)
                .reason("it is not one address")
                .reason(safe(&reason))
                .hint("what has an `@` is an address: local@domain, or Name <local@domain>"),
            DirectoryError::NotAccepted { who, form, wanted } => not_accepted(&who, &form, wanted),
            DirectoryError::Ambiguous { name, matches } => ambiguous(&name, &matches),
            DirectoryError::UnclearAddresses { addresses, similar } => {
                unclear(&addresses, similar.as_ref())
            }
            DirectoryError::NotMine {
                reason,
                has_identities,
            } => Self::from(*reason).hint(if has_identities {
                "`encl key list` shows your identities"
            } else {
                keystore::NO_IDENTITY
            }),
            DirectoryError::RetiredIdentity(name) => {
                retired(format!("cannot use your identity `{}`", safe(&name)))
            }
            DirectoryError::NoSuchGroup(name) => cannot_tell_group(&name)
                .reason(reason)
                .hint("`encl group list` shows the groups"),
            DirectoryError::Group { name, source } => {
                keystore::failure(&cannot_tell_group(&name).what, &source)
            }
            DirectoryError::GroupNotAdopted(change) => not_adopted(&change, reason),
            DirectoryError::GroupOlder { name, latest } => group_older(&name, latest),
            DirectoryError::VerifiedGone { who, id } => verified_gone(&who, &id),
            DirectoryError::EmptyGroup(name) => cannot_tell_group(&name).reason(reason),
            DirectoryError::MissingMember { group, id } => cannot_tell_group(&group)
                .reason(format!("{reason}: {}", fingerprint(&id)))
                .hint("add the card again, or `encl group remove` the member"),
            DirectoryError::CardFile { path, source } => {
                let what = format!("cannot read the card {}", shown(&path));
                let failure = Self::new(Exit::Recipient, what)
                    .reason(io_message(&source))
                    .file(&path);
                match path.to_string_lossy().contains('/') {
                    true => failure,
                    false => {
                        failure.hint("a WHO that ends in .card, or has a slash, is a card file")
                    }
                }
            }
            DirectoryError::Card { file, source } => not_a_card(file.as_deref(), &source),
            DirectoryError::CardConflict { names, source } => conflict(&names, &source),
            DirectoryError::Blocked { names, trust } => blocked(
                format!("cannot wrap for {}", names.display_name()),
                trust,
                &names,
            ),
            DirectoryError::Expired { names, is_mine, at } => expired(&names, is_mine, at),
            DirectoryError::NotVerified(names) => Self::new(
                Exit::Recipient,
                "cannot wrap for a contact that is not verified",
            )
            .reason(format!("not verified: {}", list_of(&names)))
            .hint("`encl contact verify WHO` compares the safety number with each of them"),
            DirectoryError::TwiceInQuorum(names) => Self::new(Exit::Usage, "cannot use a quorum")
                .reason(format!("it names {} twice", names.display_name()))
                .hint("each person counts once, also as a member of a group"),
            DirectoryError::QuorumTooSmall { .. } | DirectoryError::QuorumTooLarge { .. } => {
                Self::new(Exit::Usage, "cannot use a quorum").reason(reason)
            }
            DirectoryError::NotStored(source) => {
                keystore::failure("cannot store the cards of new recipients", &source)
            }
            DirectoryError::Keystore(source) => unreadable(&source),
            _ => Self::new(Exit::Failed, "cannot read a contact that was just there"),
        }
    }
}

/// Why a card file, or a card that was pasted, is none.
fn not_a_card(file: Option<&str>, error: &dyn std::error::Error) -> Failure {
    let card = file.map_or_else(|| "that was pasted".to_owned(), safe);
    let failure = Failure::new(Exit::Recipient, format!("cannot use the card {card}"));
    let failure = failure.reason(safe(&error.to_string()));
    match file {
        Some(file) => recognised(failure.file(file.as_ref()), &[FileKind::Card]),
        None => failure,
    }
}

fn expired(names: &Names, is_mine: bool, at: Option<Time>) -> Failure {
    let when = at.map_or_else(String::new, |at| format!(" at {}", time::local(at)));
    let who = names.display_name();
    let cannot = |who: &str| Failure::new(Exit::Recipient, format!("cannot wrap for {who}"));
    match is_mine {
        true => cannot("you")
            .reason(format!("your own key expired{when}"))
            .hint(format!(
                "`{}` renews it and prints the new card for others; --no-self leaves you out",
                renewal(&names.addresses)
            )),
        false => cannot(&who)
            .reason(format!("the key on the card of {who} expired{when}"))
            .hint("ask for a new card"),
    }
}

fn cannot_tell(who: &str) -> Failure {
    Failure::new(
        Exit::Recipient,
        format!("cannot tell who `{}` is", safe(who)),
    )
}

fn cannot_tell_group(name: &str) -> Failure {
    cannot_tell(&format!("@{name}"))
}

/// A group that somebody changed: who came and who went, and the command that takes it as it is.
fn not_adopted(change: &GroupChange, reason: String) -> Failure {
    let mut failure = cannot_tell_group(&change.name).reason(reason);
    failure.reasons.extend(describe_change(change));
    let name = safe(&change.name);
    failure.hint(format!(
        "if that is right, `encl key adopt @{name}` takes the group as it is; `encl group show {name}` shows it"
    ))
}

/// A group of which this machine knows a later card: it may still have people who were taken out.
fn group_older(name: &str, latest: encl::time::Time) -> Failure {
    let of = time::local(latest);
    cannot_tell_group(name)
        .reason(format!("this machine knows a later group card of it, of {of}"))
        .hint(format!(
            "`encl contact add` the newest group card; or `encl key adopt @{}` takes the group as it is",
            safe(name)
        ))
}

fn verified_gone(who: &str, id: &RootId) -> Failure {
    cannot_tell(who)
        .reason("you verified a contact for that, and its card is not in the keystore any more")
        .reason(format!("verified {}", fingerprint(id)))
        .reason("somebody may be impersonating them")
        .hint(format!(
            "`encl contact add` their card again; or `encl contact remove {id}` forgets that they were verified"
        ))
}

fn unknown(name: &str, similar: Option<&str>) -> Failure {
    let failure = cannot_tell(name).reason("nobody in the keystore has that address or name");
    if std::path::Path::new(name).is_file() {
        return failure.hint(format!(
            "there is a file of that name; write `./{}` if it is a card",
            safe(name)
        ));
    }
    match similar {
        Some(word) => failure.hint(format!("did you mean `{}`?", safe(word))),
        None => failure.hint(ask_for_cards(&[name])),
    }
}

/// A form of WHO that the option does not take.
fn not_accepted(who: &str, form: &WhoForm, wanted: WhoUse) -> Failure {
    let form = match form {
        WhoForm::Group(_) => "a group",
        WhoForm::Card | WhoForm::File(_) => "a card",
        _ => "a name",
    };
    let (exit, accepted) = match wanted {
        WhoUse::Recipient | WhoUse::Signer => (Exit::Usage, "an address, a name or a fingerprint"),
        WhoUse::Removal => (
            Exit::Usage,
            "an address, a name, a fingerprint or a @group; `encl contact add` stores a card",
        ),
        WhoUse::Own => (
            Exit::Usage,
            "an address, a name or the fingerprint of one of your identities",
        ),
        WhoUse::Contact => (
            Exit::Usage,
            "an address, a name or a fingerprint; `encl contact add` stores a card",
        ),
        // It may come from outside, so it is nobody rather than a wrong command line.
        WhoUse::Delivery => (
            Exit::Recipient,
            "an address, a fingerprint or a @group; --for-card FILE names a card",
        ),
    };
    Failure::new(exit, format!("cannot use `{}`", safe(who)))
        .reason(format!("it is {form}"))
        .hint(format!("WHO is {accepted} here"))
}

fn ambiguous(name: &str, matches: &[Names]) -> Failure {
    let mut failure = cannot_tell(name).reason(format!("it matches {} people:", matches.len()));
    failure.reasons.extend(matches.iter().map(with_fingerprint));
    failure.hint("use an address or the fingerprint, or remove one of them: `encl contact remove`")
}

fn with_fingerprint(names: &Names) -> String {
    format!("{}, {}", names.display_name(), fingerprint(&names.id))
}

/// What to do about people who are not here: an address gets an invitation by mail.
fn ask_for_cards(names: &[&str]) -> String {
    let is_address = |name: &&str| {
        let parts = name.rsplit_once('@');
        parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
    };
    let address = match names {
        _ if !names.iter().all(is_address) => return ASK_FOR_CARD.to_owned(),
        [one] => typed(one, "ADDRESS"),
        _ => "ADDRESS".to_owned(),
    };
    let whom = if names.len() == 1 { "them" } else { "each" };
    format!(
        "`encl invite {address}` prints an invitation to mail to {whom}; `encl contact list` shows your contacts"
    )
}

/// One failure for all addresses that do not mean one owner.
fn unclear(addresses: &[UnclearAddress], similar: Option<&(String, String)>) -> Failure {
    let mut failure = match addresses {
        [one] => cannot_tell(&one.address),
        _ => Failure::new(
            Exit::Recipient,
            format!("cannot tell who {} of the recipients are", addresses.len()),
        ),
    };
    for one in addresses {
        let address = safe(&one.address);
        if one.owners.is_empty() {
            failure = failure.reason(format!("nobody in the keystore has the address {address}"));
            continue;
        }
        failure = failure.reason(format!("{address} matches {}:", one.owners.len()));
        failure
            .reasons
            .extend(one.owners.iter().map(|owner| match owner {
                AddressOwner::Group(name) => format!("the group @{}", safe(name)),
                AddressOwner::Person(names) => with_fingerprint(names),
            }));
    }
    let unknown = addresses.iter().filter(|one| one.owners.is_empty());
    let unknown: Vec<&str> = unknown.map(|one| &*one.address).collect();
    failure.hint(match (&unknown[..], similar) {
        ([], _) => "remove one of them: `encl contact remove`, `encl group delete`".to_owned(),
        ([_], Some((_, word))) => format!("did you mean `{}`?", safe(word)),
        (_, Some((address, word))) => {
            format!("did you mean `{}` by {}?", safe(word), safe(address))
        }
        (unknown, None) => ask_for_cards(unknown),
    })
}

fn conflict(names: &Names, source: &KeystoreError) -> Failure {
    let what = format!("cannot use the card of {}", names.display_name());
    let failure = keystore::failure(&what, source);
    match source {
        KeystoreError::KeyChanged { known, offered, .. } => failure
            .reason(format!("known {}", fingerprint(known)))
            .reason(format!("given {}", fingerprint(offered))),
        _ => failure,
    }
}

/// An identity that is not used any more.
pub(crate) fn retired(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Recipient, what)
        .reason("it was revoked or replaced, and only decrypts what was encrypted for it")
        .hint("`encl key new ADDRESS` creates another; `encl key list` shows what you have")
}

/// Refuses a person who has only identities that are not used any more.
pub(crate) fn refuse_retired(what: &str, people: &People) -> Result<(), Failure> {
    match people.retired.is_empty() {
        true => Ok(()),
        false => Err(retired(what)),
    }
}

/// A contact whose state forbids what was wanted: why, and what ends that state.
pub(crate) fn blocked(what: String, trust: Trust, names: &Names) -> Failure {
    let failure = Failure::new(Exit::Recipient, what);
    let who = names.addresses.first().map_or("", String::as_str);
    let who = typed(who, "WHO");
    match trust {
        Trust::Changed => failure
            .reason("another key or card was offered for this contact, and you have not decided which one is right")
            .reason("somebody may be impersonating them")
            .hint(changed_hint(&who)),
        Trust::Older => failure
            .reason("its card is older than one that this machine has seen")
            .reason("its keys may be ones that were replaced")
            .hint(format!(
                "ask them for their newest card and add it; or `encl contact verify {who}` if they really use this one"
            )),
        Trust::Revoked => failure
            .reason("its owner revoked the key")
            .hint("ask for the card of their new identity, and add it after `encl contact remove`"),
        Trust::Blocked => failure
            .reason("you blocked this contact")
            .hint(format!("`encl contact unblock {who}` unblocks it")),
        _ => failure,
    }
}

/// What to do about a contact that is *changed*.
pub(crate) fn changed_hint(who: &str) -> String {
    format!(
        "ask them by another way than the card came: `encl contact verify {who}` if the known key is right; if it was \
         replaced, `encl contact remove {who}` and add the new card"
    )
}
