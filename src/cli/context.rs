//! What a command is given: the keystore's place, the clock, randomness, the terminal, passphrases.

pub(crate) mod asking;

use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use encl::crypto::passphrase::Cost;
use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::identity::fingerprint;
use encl::keystore::{Acquaintance, CLOCK_TOLERANCE, Keystore, KeystoreError};
use encl::time::Time;
use etcetera::BaseStrategy as _;
use rand::TryRng as _;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::process::geteuid;

use crate::cli::context::asking::Asking;
use crate::cli::display::names::{DisplayName, list};
use crate::cli::display::report::{self, Report};
use crate::cli::display::time;
use crate::cli::errors::keystore::unreadable;
use crate::cli::errors::{Exit, Failure};
use crate::cli::secrets::cost_gate::CostGate;
use crate::cli::secrets::passphrase::{NewPassphraseSource, Passphrases};
use crate::cli::terminal::prompt::{Prompt, PromptError};
use crate::cli::terminal::stdin::StdinGuard;
use crate::cli::terminal::{Stream, Terminal, safe, shown};

/// The values of the options that every command takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) keystore: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) passphrase_fd: Option<u32>,
    pub(crate) passphrase_command: Option<String>,
    pub(crate) new_passphrase: NewPassphraseSource,
    pub(crate) cost_max: Option<Cost>,
    pub(crate) no_input: bool,
    pub(crate) json: bool,
}

/// How the keystore was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeystoreChoice {
    /// Somebody named it.
    Named,
    /// It is in its usual place.
    Usual,
    /// The one in the usual place is left out, see [`Context::do_without_closed_keystore`].
    LeftOut,
}

/// Everything that comes from outside the command line of one command.
pub(crate) struct Context {
    /// The only keystore of this run, so that what it has read is read once; nothing says that its folder exists.
    pub(crate) keystore: Keystore,
    pub(crate) keystore_choice: KeystoreChoice,
    /// The folder for what this machine keeps to itself, if there is a place for one.
    pub(crate) state: Option<PathBuf>,
    /// When this run began.
    pub(crate) now: Time,
    pub(crate) terminal: Terminal,
    /// `--json`: one object per input.
    pub(crate) json: bool,
    /// `--no-input`: ask nothing.
    pub(crate) no_input: bool,
    /// Claimed by the part of the program that reads it as data.
    pub(crate) stdin: StdinGuard,
    pub(crate) passphrases: Passphrases,
    /// Asked before a passphrase of somebody else's takes much memory.
    pub(crate) cost_gate: CostGate,
    /// Whether gates are asked, and how.
    pub(crate) asking: Asking,
    /// Whether [`Context::tell_of_identities`] has told everything.
    told_of_identities: AtomicBool,
    /// The warnings about parts of the keystore that cannot be read.
    told_of_faults: Arc<Mutex<HashSet<String>>>,
}

#[expect(
    clippy::unused_self,
    reason = "whoever has a context may ask for what comes from outside"
)]
impl Context {
    pub(crate) fn new(settings: Settings, terminal: Terminal) -> Result<Self, Failure> {
        try_randomness()?;
        let stdin = StdinGuard::default();
        let state = state();
        let keystore_choice = match named_keystore(settings.keystore.clone()) {
            Some(_) => KeystoreChoice::Named,
            None => KeystoreChoice::Usual,
        };
        let keystore = Keystore::at(keystore(settings.keystore)?);
        Ok(Self {
            keystore: with_state(keystore, state.as_ref()),
            keystore_choice,
            state,
            now: now()?,
            terminal,
            json: settings.json,
            no_input: settings.no_input,
            passphrases: Passphrases::new(
                settings.passphrase_file,
                settings.passphrase_fd,
                settings.passphrase_command,
                settings.new_passphrase,
                settings.no_input,
                (stdin.clone(), terminal),
            )?,
            cost_gate: CostGate::new(settings.cost_max, settings.no_input),
            stdin,
            asking: Asking::default(),
            told_of_identities: AtomicBool::new(false),
            told_of_faults: Arc::default(),
        })
    }

    /// Shows an outcome: as an object on `stream` with `--json`, else in words.
    pub(crate) fn report(&self, report: &impl Report, stream: Stream) -> Result<(), Failure> {
        Ok(report::show(report, stream, self.terminal)?)
    }

    /// Everybody in the keystore. One that does not exist yet is empty.
    pub(crate) fn people(&self) -> Result<People, Failure> {
        self.tell_of_identities()?;
        let people =
            People::read(self.keystore.clone()).map_err(|error| self.unreadable(&error))?;
        let (terminal, told) = (self.terminal, Arc::clone(&self.told_of_faults));
        Ok(people.telling(move |fault| {
            let warning = format!(
                "{}; whoever it is about is left out: `encl doctor` says what to do",
                safe(&fault.to_string())
            );
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.insert(warning.clone()) {
                terminal.warning(&warning);
            }
        }))
    }

    /// Whether nobody named the keystore, and its place is closed to this user and somebody else's.
    fn is_keystore_of_others(&self) -> bool {
        self.keystore_choice == KeystoreChoice::Usual && is_closed_by_others(self.keystore.root())
    }

    fn unreadable(&self, error: &KeystoreError) -> Failure {
        let failure = unreadable(error);
        match self.is_keystore_of_others() {
            true => failure.hint(
                "it is somebody else's ($HOME): --keystore DIR or $ENCL_KEYSTORE names yours",
            ),
            false => failure,
        }
    }

    /// Goes on without a keystore that nobody named and that another user has closed, as when a service runs with the HOME of somebody
    /// else. For commands that need no keystore if they are given cards.
    pub(crate) fn do_without_closed_keystore(&mut self) {
        if !self.is_keystore_of_others() {
            return;
        }
        self.keystore_choice = KeystoreChoice::LeftOut;
        self.terminal.warning(&format!(
            "{} is closed to you and somebody else's: it is left out, so that no identity and no contact is known ($ENCL_KEYSTORE \
             names another)",
            shown(self.keystore.root())
        ));
        // What this machine remembers still counts.
        self.keystore = with_state(Keystore::none(), self.state.as_ref());
    }

    /// Says, once per run, which identities are taken as mine without my word, and which are not.
    pub(crate) fn tell_of_identities(&self) -> Result<(), Failure> {
        if self.told_of_identities.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let notices = identity_notices(&self.keystore);
        for notice in notices.map_err(|error| self.unreadable(&error))? {
            self.terminal.notice(&notice);
        }
        Ok(())
    }

    /// Whether an identity in the keystore is mine.
    pub(crate) fn is_mine(&self, id: RootId) -> Result<bool, Failure> {
        let card = self.keystore.own_card(&id);
        Ok(card.map_err(|error| unreadable(&error))?.is_some())
    }

    /// Warns when this machine's clock runs backwards. For commands that judge dates, once per run.
    pub(crate) fn warn_of_clock(&self) {
        if let Some(latest) = self.keystore.record_time(self.now) {
            self.terminal.warning(&format!(
                "this machine's clock says {}, but this keystore was used at {}: dates cannot be checked (if that time was \
                 the wrong one, remove {})",
                time::local(self.now),
                time::local(latest),
                shown(&self.keystore.clock_path().unwrap_or_default())
            ));
        }
    }

    /// Warns when this machine's clock is behind what is known here, `known` too. For commands that write dates.
    pub(crate) fn warn_of_dates(&self, known: Option<Time>, expires: Option<Time>) {
        let went_back = self.keystore.clock_went_back(self.now);
        let card_is_newer =
            |known: &Time| self.now.unix() + CLOCK_TOLERANCE.as_secs() < known.unix();
        let why = match (went_back, known.filter(card_is_newer)) {
            (Some(latest), _) => format!(
                "this keystore was used at {} (if that time was the wrong one, remove {})",
                time::local(latest),
                shown(&self.keystore.clock_path().unwrap_or_default())
            ),
            (None, Some(made)) => format!("your card was made at {}", time::local(made)),
            (None, None) => return,
        };
        let expires = expires.map_or_else(String::new, |end| {
            format!(", and it expires at {}", time::local(end))
        });
        self.terminal.warning(&format!(
            "the envelope says that it was made at {}{expires}: this machine's clock says so, but {why}",
            time::local(self.now)
        ));
    }

    /// The operating system's randomness, which this program has seen at work; should it fail later, the program ends.
    pub(crate) fn rng(&self) -> UnwrapErr<SysRng> {
        UnwrapErr(SysRng)
    }

    /// One of my identities, as `--as` or else `$ENCL_IDENTITY` names it.
    pub(crate) fn identity_name(&self, option: Option<&str>) -> Option<String> {
        let from_environment = || {
            std::env::var("ENCL_IDENTITY")
                .ok()
                .filter(|name| !name.is_empty())
        };
        option.map(str::to_owned).or_else(from_environment)
    }

    /// Asks an ordinary question on the terminal. `what` is what cannot be done without a yes.
    pub(crate) fn confirm(&self, question: &str, what: &str) -> Result<(), Failure> {
        let failed = |error: &PromptError| {
            Failure::new(Exit::Usage, what)
                .caused_by(error)
                .hint("--yes answers the question")
        };
        if self.no_input {
            return Err(failed(&PromptError::NoTerminal));
        }
        match Prompt::open().and_then(|mut prompt| prompt.yes(question)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::new(Exit::Locked, what).reason("the answer was no")),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn identity_notices(keystore: &Keystore) -> Result<Vec<String>, KeystoreError> {
    let mut notices = Vec::new();
    let acquaintance = keystore.acquaintance()?;
    if acquaintance != Acquaintance::Known && !keystore.readable_identities()?.found.is_empty() {
        notices.push(match acquaintance {
            Acquaintance::First => "this machine met the keystore for the first time: the identities in it are yours \
                 from now on, as they stand (`encl help trust`)"
                .to_owned(),
            _ => "this machine has no place to remember your identities in: those in the keystore are taken as yours, as \
                 they stand (`encl help trust`)"
                .to_owned(),
        });
    }
    let contested = keystore.contested_addresses()?;
    if !contested.is_empty() {
        let addresses: Vec<String> = contested.iter().map(|address| safe(address)).collect();
        notices.push(format!(
            "these addresses of contacts whom you verified belong to somebody else as well, and count as verified for nobody: {}; \
             `encl contact verify WHO` decides",
            list(&addresses)
        ));
    }
    for card in keystore.set_aside()? {
        notices.push(format!(
            "not adopted: the identity {}; it only decrypts what was encrypted for it; if you made it, run `encl key adopt {}`",
            card.display_name(),
            card.id()
        ));
    }
    if let Some(id) = keystore.unchosen_default()? {
        let others = keystore.readable_identities()?.found;
        let used = others.iter().find(|identity| identity.is_default);
        let used = used.map_or_else(|| "nobody".to_owned(), |one| one.card.display_name());
        notices.push(format!(
            "the keystore names {} as the default identity, and you did not choose it: {used} is used; `encl key default WHO` \
             chooses",
            fingerprint(&id)
        ));
    }
    Ok(notices)
}

/// `--keystore`, `$ENCL_KEYSTORE`, `$XDG_DATA_HOME/encl`, `~/.local/share/encl`: the first that is set.
pub(crate) fn keystore(option: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named_keystore(option) {
        return Ok(folder);
    }
    let folders = etcetera::base_strategy::Xdg::new().map_err(|_| {
        Failure::new(Exit::Failed, "cannot find the keystore")
            .reason("there is no home folder")
            .hint("name it by --keystore DIR or $ENCL_KEYSTORE")
    })?;
    Ok(folders.data_dir().join("encl"))
}

fn with_state(keystore: Keystore, state: Option<&PathBuf>) -> Keystore {
    match state {
        Some(folder) => keystore.with_state(folder),
        None => keystore,
    }
}

fn named_keystore(option: Option<PathBuf>) -> Option<PathBuf> {
    let named = option.or_else(|| std::env::var_os("ENCL_KEYSTORE").map(PathBuf::from));
    named.filter(|folder| !folder.as_os_str().is_empty())
}

/// Whether the way to a folder, or the folder, is closed to this user and belongs to another one.
fn is_closed_by_others(folder: &Path) -> bool {
    let closed = folder.ancestors().find_map(|path| {
        let metadata = std::fs::metadata(path).ok().filter(Metadata::is_dir)?;
        let wanted = match path == folder {
            true => Access::READ_OK | Access::EXEC_OK,
            false => Access::EXEC_OK,
        };
        let is_open = accessat(CWD, path, wanted, AtFlags::EACCESS).is_ok();
        Some((is_open, metadata.uid()))
    });
    closed.is_some_and(|(is_open, owner)| !is_open && owner != geteuid().as_raw())
}

/// `$XDG_STATE_HOME/encl`, `~/.local/state/encl`: the first that is set.
fn state() -> Option<PathBuf> {
    let folders = etcetera::base_strategy::Xdg::new().ok()?;
    Some(folders.state_dir()?.join("encl"))
}

/// Fails closed: without randomness no command begins.
fn try_randomness() -> Result<(), Failure> {
    SysRng.try_fill_bytes(&mut [0; 1]).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "cannot draw randomness from the operating system",
        )
        .reason(error.to_string())
    })
}

fn now() -> Result<Time, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = since
        .ok()
        .and_then(|since| Time::from_unix(since.as_secs()));
    time.ok_or_else(|| {
        Failure::new(Exit::Failed, "cannot tell the time")
            .reason("this machine's clock is before 1970 or after 9999")
    })
}
