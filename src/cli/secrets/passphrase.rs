//! Where passphrases come from: a file, a descriptor, a command, or the terminal. Never an argument, never stdin
//! when stdin is data.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use encl::crypto::passphrase::Passphrase;
use rand::RngExt as _;
use zeroize::Zeroizing;

use crate::cli::errors::{Exit, Failure, io_message};
pub(crate) use crate::cli::secrets::passphrase_source::PassphraseFor;
use crate::cli::secrets::passphrase_source::{FirstLine, Lines, bounded, inherited, is_stdin, run};
use crate::cli::terminal::prompt::{Prompt, PromptError};
use crate::cli::terminal::stdin::{StdinGuard, is_dash};
use crate::cli::terminal::{self, Terminal};

/// Seven words of 2,048: 77 bits.
const GENERATED_WORDS: usize = 7;
/// Fewer characters are too few for what somebody thinks up: NIST SP 800-63B-4 §3.1.1.2 asks for 15 where nothing else protects,
/// and for 8 at least; gpg warns below 8.
const LETTERS_MIN: usize = 12;

/// Where passphrases come from.
enum Source {
    Terminal,
    /// `--no-input`, and nothing else given.
    Nowhere,
    File(PathBuf),
    /// An inherited descriptor, opened before anything else could take its number.
    Open(File),
    Command(String),
}

impl Source {
    /// What the options name.
    fn named(
        file: Option<PathBuf>,
        descriptor: Option<u32>,
        command: Option<String>,
    ) -> Result<Option<Self>, Failure> {
        Ok(match (file, descriptor, command) {
            (Some(file), _, _) if is_dash(&file) => Some(Self::Open(inherited(0)?)),
            (Some(file), _, _) => Some(Self::File(file)),
            (_, Some(number), _) => Some(Self::Open(inherited(number)?)),
            (_, _, command) => command.map(Self::Command),
        })
    }

    /// The file that the user named, else the credential of a service (systemd.exec(5), `LoadCredential=`).
    fn from_environment() -> Option<Self> {
        let filled = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(file) = filled("ENCL_PASSPHRASE_FILE") {
            return Some(Self::File(file.into()));
        }
        let file = Path::new(&filled("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
        file.exists().then_some(Self::File(file))
    }

    fn asked(no_input: bool) -> Self {
        if no_input {
            Self::Nowhere
        } else {
            Self::Terminal
        }
    }
}

/// What the options name for the passphrase of something new; at most one of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewPassphraseSource {
    pub(crate) file: Option<PathBuf>,
    pub(crate) descriptor: Option<u32>,
    pub(crate) command: Option<String>,
}

/// The passphrases of one run: of what exists, and of what is new.
pub(crate) struct Passphrases {
    existing: Given,
    /// Whether the source was named on this command line.
    is_typed: bool,
    /// Whether the first line is the passphrase of an identity that was unlocked.
    is_identitys: AtomicBool,
    /// What `--new-passphrase-file` and its like name, else the terminal.
    new: Given,
    no_input: bool,
}

/// What one source gives. A file, descriptor or command is read once.
struct Given {
    source: Source,
    /// What to do when there is no source.
    ways: &'static str,
    terminal: Terminal,
    lines: OnceLock<Lines>,
    stdin: StdinGuard,
    /// Held while a source is read.
    reading: Mutex<()>,
}

impl Passphrases {
    /// From the options, else the file that `$ENCL_PASSPHRASE_FILE` names, else the service manager's credential, else the
    /// terminal.
    pub(crate) fn new(
        file: Option<PathBuf>,
        descriptor: Option<u32>,
        command: Option<String>,
        new: NewPassphraseSource,
        no_input: bool,
        (stdin, terminal): (StdinGuard, Terminal),
    ) -> Result<Self, Failure> {
        let typed = Source::named(file, descriptor, command)?;
        let is_typed = typed.is_some();
        let source = match typed {
            Some(source) => source,
            None => Source::from_environment().unwrap_or(Source::asked(no_input)),
        };
        let new = Source::named(new.file, new.descriptor, new.command)?;
        let new = new.unwrap_or(Source::asked(no_input));
        Ok(Self {
            existing: Given::of(source, WAYS, stdin.clone(), terminal),
            is_typed,
            is_identitys: AtomicBool::new(false),
            new: Given::of(new, WAYS_TO_REPLACE, stdin, terminal),
            no_input,
        })
    }

    /// From now on a source that is stdin itself is refused.
    pub(crate) fn stdin_is_data(&self) {
        let _ = self.existing.stdin.claim();
    }

    /// Whether stdin is data already.
    pub(crate) fn is_stdin_data(&self) -> bool {
        self.existing.stdin.is_claimed()
    }

    /// Whether a wrong answer can be given again.
    pub(crate) fn are_asked(&self) -> bool {
        matches!(self.existing.source, Source::Terminal)
    }

    /// An identity that has a passphrase was needed: from now on the first line answers for nothing new.
    pub(crate) fn first_is_identitys(&self) {
        self.is_identitys.store(true, Ordering::Relaxed);
    }

    /// The passphrase of something that exists. `what` ends the question: "identity bob@example.org".
    pub(crate) fn existing(&self, whose: PassphraseFor, what: &str) -> Result<Passphrase, Failure> {
        made(&self.existing_text(whose, what)?, what)
    }

    /// The passphrase of something that exists, as it was typed, for a caller that needs it twice.
    pub(crate) fn existing_text(
        &self,
        whose: PassphraseFor,
        what: &str,
    ) -> Result<Zeroizing<String>, Failure> {
        match &self.existing.source {
            Source::Terminal => ask(
                |prompt| prompt.secret(&format!("Passphrase of {what}")),
                what,
                self.existing.ways,
            ),
            _ => Ok(Zeroizing::new(
                self.existing.lines(what)?.of(whose).to_owned(),
            )),
        }
    }

    /// The passphrase of something new: what was named for it, else a line that is no identity's, else asked twice on a terminal,
    /// or seven generated words when left empty.
    pub(crate) fn new_one(&self, whose: PassphraseFor, what: &str) -> Result<Passphrase, Failure> {
        let is_given = !matches!(self.existing.source, Source::Terminal | Source::Nowhere);
        if self.new.is_asked() && is_given {
            let lines = self.existing.lines(what)?;
            let first = match (self.is_identitys.load(Ordering::Relaxed), self.is_typed) {
                (true, _) => FirstLine::Used,
                (false, true) => FirstLine::Typed,
                (false, false) => FirstLine::Ambient,
            };
            match lines.of_new(whose, first) {
                Some(line) => return self.new.made(line, what),
                None if self.no_input => {
                    return Err(missing(what)
                        .reason("the first line is the passphrase of an identity")
                        .hint(WAYS_FOR_NEW));
                }
                None => {}
            }
        }
        let ways = if is_given {
            WAYS_FOR_NEW
        } else {
            self.existing.ways
        };
        self.new.new_one(what, ways)
    }

    /// A passphrase in the place of another: what answers for the old one does not answer for the new one.
    pub(crate) fn replacing(&self, what: &str) -> Result<Passphrase, Failure> {
        self.new.new_one(what, self.new.ways)
    }
}

impl Given {
    fn of(source: Source, ways: &'static str, stdin: StdinGuard, terminal: Terminal) -> Self {
        Self {
            source,
            ways,
            terminal,
            lines: OnceLock::new(),
            stdin,
            reading: Mutex::new(()),
        }
    }

    fn is_asked(&self) -> bool {
        matches!(self.source, Source::Terminal | Source::Nowhere)
    }

    /// The first line of the source, or what is typed twice.
    fn new_one(&self, what: &str, ways: &str) -> Result<Passphrase, Failure> {
        match &self.source {
            Source::Terminal => {
                self.made(&ask(|prompt| ask_twice(prompt, what), what, ways)?, what)
            }
            Source::Nowhere => Err(missing(what)
                .reason("--no-input forbids questions")
                .hint(ways)),
            _ => self.made(self.lines(what)?.of(PassphraseFor::Identity), what),
        }
    }

    /// A passphrase for something new. A short one is taken, as by gpg and age, but not without a word.
    fn made(&self, text: &str, what: &str) -> Result<Passphrase, Failure> {
        let made = made_new(text, what)?;
        let letters = text.chars().count();
        if letters < LETTERS_MIN {
            self.terminal.warning(&format!(
                "the passphrase of {what} has {letters} characters: a computer can guess it; leave the question empty, and encl \
                 generates one that nobody can guess"
            ));
        }
        Ok(made)
    }

    fn lines(&self, what: &str) -> Result<&Lines, Failure> {
        // A second caller finds what the first has read.
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = if let Some(lines) = self.lines.get() {
            lines
        } else {
            let read = self.read(what)?;
            self.lines.get_or_init(|| read)
        };
        Ok(lines)
    }

    fn read(&self, what: &str) -> Result<Lines, Failure> {
        let text = match &self.source {
            Source::Nowhere | Source::Terminal => {
                return Err(missing(what)
                    .reason("--no-input forbids questions")
                    .hint(self.ways));
            }
            Source::File(path) => self.read_path(path),
            Source::Open(file) => self.read_file(file),
            Source::Command(command) => run(command),
        };
        let lines = text.and_then(|text| Lines::new(&text));
        lines.map_err(|reason| missing(what).reason(reason).hint(self.ways))
    }

    fn read_path(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
        let file = File::open(path).map_err(|error| {
            format!(
                "{}: {}",
                crate::cli::terminal::escape::shown(path),
                io_message(&error)
            )
        })?;
        self.read_file(&file)
    }

    fn read_file(&self, file: &File) -> Result<Zeroizing<Vec<u8>>, String> {
        if self.stdin.is_claimed() && is_stdin(file) {
            return Err(
                "standard input holds the data, so it cannot hold the passphrase too".into(),
            );
        }
        bounded(file)
    }
}

/// The name of the passphrase in a service's folder of credentials.
const CREDENTIAL: &str = "encl-passphrase";
const WAYS: &str =
    "give it by --passphrase-file, --passphrase-fd, --passphrase-command or $ENCL_PASSPHRASE_FILE";
const WAYS_FOR_NEW: &str = "give the new one in the second line, or by --new-passphrase-file, --new-passphrase-fd or --new-passphrase-command";
const WAYS_TO_REPLACE: &str =
    "give it by --new-passphrase-file, --new-passphrase-fd or --new-passphrase-command";

fn ask(
    question: impl FnOnce(&mut Prompt) -> Result<Zeroizing<String>, PromptError>,
    what: &str,
    ways: &str,
) -> Result<Zeroizing<String>, Failure> {
    let _screen = terminal::screen();
    let answer = Prompt::open().and_then(|mut prompt| question(&mut prompt));
    answer.map_err(|error| {
        let failure = missing(what).caused_by(&error);
        match error {
            PromptError::NoTerminal => failure.hint(ways),
            _ => failure,
        }
    })
}

fn missing(what: &str) -> Failure {
    Failure::new(Exit::Locked, format!("cannot get the passphrase of {what}"))
}

/// What was typed, as a passphrase.
pub(crate) fn made(text: &str, what: &str) -> Result<Passphrase, Failure> {
    Passphrase::new(text).map_err(|error| missing(what).caused_by(&error))
}

/// A passphrase for something new, which somebody has to be able to type some day.
fn made_new(text: &str, what: &str) -> Result<Passphrase, Failure> {
    let untypable = |letter: &char| letter.is_control() || *letter == '\u{feff}';
    match text.chars().find(untypable) {
        None => made(text, what),
        Some(letter) => Err(missing(what)
            .reason(format!(
                "it holds U+{:04X}, which nobody can type",
                u32::from(letter)
            ))
            .hint("write it with a plain text editor, in one line")),
    }
}

fn ask_twice(prompt: &mut Prompt, what: &str) -> Result<Zeroizing<String>, PromptError> {
    loop {
        let first = prompt.secret(&format!("New passphrase of {what} (empty: generate one)"))?;
        if first.is_empty() {
            let words = generated();
            prompt.say(&format!("The passphrase of {what}, shown only now:"))?;
            prompt.say(&format!("    {}", words.as_str()))?;
            return Ok(words);
        }
        if prompt.secret("Repeat the passphrase")? == first {
            return Ok(first);
        }
        prompt.say("They are not the same.")?;
    }
}

/// Seven words of the 2,048-word list, drawn evenly: 2,048 divides 2^32, so no remainder favours a word.
fn generated() -> Zeroizing<String> {
    let list = bip39::Language::English.word_list();
    let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
    let mut words = Zeroizing::new(String::with_capacity(GENERATED_WORDS * 9));
    for number in 0..GENERATED_WORDS {
        if number > 0 {
            words.push('-');
        }
        words.push_str(list[rng.random::<u32>() as usize % list.len()]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::OutputMode;

    #[test]
    fn seven_words_are_generated() {
        let words = generated();
        let list = bip39::Language::English.word_list();
        assert_eq!(words.split('-').count(), 7);
        assert!(words.split('-').all(|word| list.contains(&word)));
        assert_ne!(*words, *generated());
    }

    #[test]
    fn without_a_terminal_or_a_source_it_is_locked() {
        let nowhere = Given::of(
            Source::Nowhere,
            WAYS,
            StdinGuard::default(),
            Terminal::new(OutputMode::Words),
        );
        for failure in [
            nowhere.lines("identity bob").err().unwrap(),
            nowhere.new_one("identity bob", WAYS).err().unwrap(),
        ] {
            assert_eq!(failure.exit, Exit::Locked);
        }
    }
}
