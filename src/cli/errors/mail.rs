//! Errors of mail as failures.

use std::error::Error;
use std::io;
use std::path::Path;

use encl::atomic_file::AtomicFileError;
use encl::envelope::OpenError;
use encl::file_kind::FileKind;
use encl::mail::archive::{ArchiveError, MessageError, Skip};
use encl::mail::{NotOneAddress, ScanError};
use encl::operations::keys::PassphraseOnly;
use encl::operations::mail::incoming::received::PlaceError;
use encl::operations::mail::incoming::sender_check::{FromFault, SenderMismatch};
use encl::operations::mail::mailbox::{ConversionError, ReadBackError};
use encl::operations::mail::outgoing::author::AuthorError;
use encl::operations::mail::outgoing::draft::DraftError;
use encl::operations::mail::outgoing::maildir::MaildirError;
use encl::operations::mail::outgoing::recipients::RecipientsError;
use encl::operations::mail::outgoing::send::SendError;

use crate::cli::display::mail::{describe_part, part_number};
use crate::cli::display::names::DisplayName;
use crate::cli::errors::directory::retired;
use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::seal;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{Exit, Failure, envelope, io_message, keystore};
use crate::cli::terminal::{safe, shown};

/// Parts that are listed before "and N more".
const PARTS_SHOWN: usize = 20;

/// "cannot …", with the exit that is given.
pub(crate) type Cannot<'c> = &'c dyn Fn(Exit) -> Failure;

/// Why a message cannot be scanned.
pub(crate) fn not_scanned(error: ScanError, cannot: Cannot<'_>) -> Failure {
    match error {
        ScanError::Read(error) => cannot(Exit::Failed).reason(io_message(&error)),
        limit @ ScanError::OverLimit { .. } => {
            let mut failure = cannot(Exit::Damaged).reason(limit.to_string());
            failure.class = Some("over-limit");
            failure
        }
    }
}

/// Why no envelope of a message was chosen.
pub(crate) fn not_chosen(error: &PlaceError, cannot: Cannot<'_>) -> Failure {
    match error {
        PlaceError::None { others, fault } => {
            let mut failure = cannot(Exit::Damaged).reason(error.to_string());
            failure.reasons.extend(fault.map(|fault| fault.to_string()));
            failure.class = Some("not-an-envelope");
            let failure = with_lines(failure, others.iter().map(describe_part).collect());
            recognised(failure, &[FileKind::Envelope, FileKind::SealedMail])
        }
        PlaceError::Several(parts) => {
            let failure = cannot(Exit::Damaged)
                .reason(error.to_string())
                .hint("--part N opens one of them");
            let line = |(n, part): (usize, &String)| format!("{n}: in part {}", part_number(part));
            with_lines(failure, (1..).zip(parts).map(line).collect())
        }
        PlaceError::NoSuchPart { .. } => cannot(Exit::Usage).reason(error.to_string()),
    }
}

/// The failure with the first of the lines as reasons.
fn with_lines(mut failure: Failure, mut lines: Vec<String>) -> Failure {
    let more = lines.len().saturating_sub(PARTS_SHOWN);
    lines.truncate(PARTS_SHOWN);
    failure.reasons.extend(lines);
    match more {
        0 => failure,
        more => failure.reason(format!("and {more} more")),
    }
}

/// A message that is not from its signer.
pub(crate) fn not_from_signer(mismatch: &SenderMismatch, cannot: Cannot<'_>) -> Failure {
    let reason = match &mismatch.fault {
        FromFault::Others(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| safe(text)).collect();
            format!("but says that it is from {}", texts.join(", "))
        }
        FromFault::Keystore(error) => return keystore::unreadable(error),
        fault => format!("but {fault}"),
    };
    cannot(Exit::Damaged)
        .reason(format!(
            "it is signed by {}",
            mismatch.signer.display_name()
        ))
        .reason(reason)
        .hint("--allow-from-mismatch opens it anyway")
}

/// Why a message of a mailbox is as it was.
pub(crate) fn not_converted(
    verb: &str,
    name: &str,
    path: &Path,
    error: MessageError<ConversionError>,
) -> Failure {
    let what = format!("cannot {verb} {name}");
    let cannot = |exit| Failure::new(exit, what.clone()).file(path);
    match error {
        MessageError::Transform(error) => conversion(error, &cannot),
        error @ (MessageError::Occupied(_) | MessageError::OriginalDiffers(_)) => {
            with_causes(cannot(Exit::Exists), &error)
        }
        MessageError::Mbox(error) => with_causes(cannot(exit_of(&error)), &*error),
        error => with_causes(cannot(Exit::Failed), &error),
    }
}

/// What was left in the clear, though it is mail or may be.
pub(crate) fn left_in_clear(name: &str, path: &Path, skip: &Skip) -> Failure {
    let failure = Failure::new(Exit::Failed, format!("cannot seal {name}")).file(path);
    failure.reason(safe(&skip.to_string()))
}

fn conversion(error: ConversionError, cannot: Cannot<'_>) -> Failure {
    let failed = || cannot(Exit::Failed);
    match error {
        ConversionError::Read(error) => unreadable(failed(), &error),
        ConversionError::Write(error) | ConversionError::Spool(error) => {
            failed().reason(io_message(&error))
        }
        ConversionError::Open(OpenError::Keyring(error)) if error.is::<PassphraseOnly>() => {
            failed().reason(format!("{error}; `encl mail unwrap` asks for it"))
        }
        ConversionError::Open(error) => envelope::failure(failed(), error),
        ConversionError::Sender(mismatch) => not_from_signer(&mismatch, cannot),
        ConversionError::Trace(fault) => cannot(Exit::Damaged)
            .reason(fault.to_string())
            .hint("--keep-trace unseals it all the same"),
        ConversionError::NotForMe => cannot(Exit::Damaged).reason(error.to_string()),
        ConversionError::ReadBack(ref how) => {
            let how = match how {
                ReadBackError::Scan(error) => error.to_string(),
                how => safe(&how.to_string()),
            };
            failed().reason(error.to_string()).reason(how)
        }
        error => failed().reason(safe(&error.to_string())),
    }
}

/// Why a mailbox was not worked on.
pub(crate) fn mailbox(verb: &str, path: &Path, error: &ArchiveError) -> Failure {
    let failure = Failure::new(exit_of(error), format!("cannot {verb} {}", shown(path)));
    with_causes(failure.file(path), error)
}

fn exit_of(error: &ArchiveError) -> Exit {
    match error {
        ArchiveError::NotMail(_)
        | ArchiveError::NothingFound(_)
        | ArchiveError::OriginalsInside(_) => Exit::Usage,
        ArchiveError::OriginalDiffers(_) | ArchiveError::File(AtomicFileError::ForeignLink(_)) => {
            Exit::Exists
        }
        _ => Exit::Failed,
    }
}

fn with_causes(failure: Failure, error: &(dyn Error + 'static)) -> Failure {
    let mut failure = failure.reason(safe(&error.to_string()));
    let mut next = error.source();
    while let Some(source) = next {
        failure = match source.downcast_ref::<io::Error>() {
            Some(error) => failure.reason(io_message(error)),
            None => failure.reason(safe(&source.to_string())),
        };
        next = source.source();
    }
    failure.reasons.dedup();
    failure
}

/// The failure with the reason that a message cannot be read.
pub(crate) fn unreadable(cannot: Failure, error: &io::Error) -> Failure {
    cannot.reason(format!("it cannot be read: {}", io_message(error)))
}

/// Why a message can have no author.
pub(crate) fn no_author(error: AuthorError) -> Failure {
    match error {
        AuthorError::Identity(error) => error.into(),
        AuthorError::OnlyRetired => retired("cannot wrap as you"),
    }
}

/// Why it is not clear who can read a message.
pub(crate) fn no_recipients(error: RecipientsError, cannot: Cannot<'_>) -> Failure {
    let reason = error.to_string();
    match error {
        RecipientsError::Directory(error) => error.into(),
        RecipientsError::HeaderTooLong
        | RecipientsError::Doubtful { .. }
        | RecipientsError::NobodyInHeader => cannot(Exit::Recipient)
            .reason(reason)
            .hint("--to WHO names the recipients"),
        RecipientsError::Nobody => cannot(Exit::Usage).reason(reason),
        RecipientsError::Field { source, .. } => cannot(Exit::Recipient)
            .reason(reason)
            .reason(safe(&source.to_string())),
        RecipientsError::Word { word, source } => cannot(Exit::Recipient)
            .reason(format!("`{}` cannot be read", safe(&word)))
            .reason(match source {
                NotOneAddress::Malformed(error) => safe(&error.to_string()),
                _ => "it is not one address".to_owned(),
            }),
    }
}

/// An error of recipients for `mail send`, where addresses that cannot be read are a fault of the message.
pub(crate) fn no_recipients_to_send(error: RecipientsError, cannot: Cannot<'_>) -> Failure {
    let is_malformed = matches!(
        error,
        RecipientsError::Field { .. } | RecipientsError::Word { .. }
    );
    let failure = no_recipients(error, cannot);
    match is_malformed {
        true => failure.sysexit(Sysexit::DataErr),
        false => failure,
    }
}

/// Why a message cannot be sent.
pub(crate) fn not_a_draft(error: &DraftError, cannot: Cannot<'_>) -> Failure {
    match error {
        DraftError::Read(error) => cannot(Exit::Failed)
            .reason(io_message(error))
            .sysexit(Sysexit::IoErr),
        error => cannot(Exit::Damaged)
            .reason(error.to_string())
            .sysexit(Sysexit::DataErr),
    }
}

/// Why a message that is to be sent was not sealed.
pub(crate) fn not_sealed(error: SendError, cannot: Cannot<'_>) -> Failure {
    match error {
        SendError::Seal(error) => seal::not_sealed(cannot, error),
        SendError::NoCopyReader => cannot(Exit::Usage)
            .reason(error.to_string())
            .hint(keystore::NO_IDENTITY)
            .sysexit(Sysexit::Config),
        SendError::Directory(error) => error.into(),
    }
}

/// Why a message was not stored in a Maildir.
pub(crate) fn not_stored(maildir: &Path, error: &MaildirError) -> Failure {
    let what = format!("cannot store the message in {}", shown(maildir));
    let cannot = Failure::new(Exit::Failed, what).file(maildir);
    match error {
        MaildirError::NotAFolder => cannot
            .reason(error.to_string())
            .sysexit(Sysexit::CantCreate),
        MaildirError::Foreign(error) => cannot.caused_by(error).sysexit(Sysexit::CantCreate),
        MaildirError::Copy(error) => cannot.reason(io_message(error)).sysexit(Sysexit::IoErr),
        MaildirError::File(error) => cannot.caused_by(error).sysexit(Sysexit::IoErr),
    }
}
