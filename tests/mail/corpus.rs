//! The corpora of mail: our own, beside this file, and an outside one if it is installed. The files of each are counted against
//! its `counts.json`.
//!
//! `ENCL_CORPUS=FOLDER` names the outside corpus, which must then be there; `ENCL_CORPUS=none` leaves it out. Without the
//! variable, the folder `shared/corpus` next to the project's folder is used if it exists. Tests of the library and of the
//! program include this file.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// Where a corpus comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Written for these tests.
    Own,
    /// Collected from other projects, whose licences do not allow copies in this one.
    Outside,
}

/// One corpus, read whole.
pub(crate) struct Corpus {
    pub(crate) source: Source,
    pub(crate) root: PathBuf,
    /// Each single message, and the messages of all mboxes, cut at `From ` lines that are first or follow an empty line.
    pub(crate) messages: Vec<Message>,
    pub(crate) mboxes: Vec<Mbox>,
}

/// A message of a corpus.
pub(crate) struct Message {
    /// `own/` or `outside/`, its path in the corpus, and for one from an mbox `#` and its number.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// An mbox of a corpus.
pub(crate) struct Mbox {
    /// `own/` or `outside/`, and its path in the corpus.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The number of messages for a reader that starts a message at every `From ` line after an empty line.
    pub(crate) pieces: usize,
}

/// The corpora that these tests use: always our own, and after it the outside one if there is one.
pub(crate) fn corpora() -> &'static [Corpus] {
    static CORPORA: LazyLock<Vec<Corpus>> = LazyLock::new(|| {
        let mut corpora = vec![Corpus::read(
            Source::Own,
            &project().join("tests/mail/corpus"),
        )];
        let outside = outside();
        corpora.extend(outside.map(|folder| Corpus::read(Source::Outside, &folder)));
        tell(&corpora);
        corpora
    });
    &CORPORA
}

/// The messages of all corpora.
pub(crate) fn messages() -> impl Iterator<Item = &'static Message> {
    corpora().iter().flat_map(|corpus| &corpus.messages)
}

/// The names in a table that belong to the corpora in use.
pub(crate) fn names_in_use<'a>(names: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let is_used = |name: &&str| {
        let source = name.split('/').next();
        corpora()
            .iter()
            .any(|corpus| Some(corpus.source.name()) == source)
    };
    names.iter().copied().filter(is_used)
}

/// All files in a folder and its subfolders, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn outside() -> Option<PathBuf> {
    let named = std::env::var_os("ENCL_CORPUS").filter(|name| !name.is_empty());
    match named {
        Some(name) if name == OsStr::new("none") => None,
        Some(name) => {
            let folder = PathBuf::from(name);
            let is_corpus = folder.join("counts.json").is_file();
            assert!(is_corpus, "ENCL_CORPUS={} is no corpus", folder.display());
            Some(folder)
        }
        None => {
            let folder = project().join("../shared/corpus");
            folder.is_dir().then_some(folder)
        }
    }
}

/// Writes one line to the log of the tests; the test runner would capture `println!`.
fn tell(corpora: &[Corpus]) {
    let counts = corpora.iter().map(|corpus| {
        let source = corpus.source.name();
        format!("{source} {} messages", corpus.messages.len())
    });
    let mut counts: Vec<String> = counts.collect();
    if corpora.len() == 1 {
        counts.push("outside not used (ENCL_CORPUS names no folder)".to_owned());
    }
    let line = format!("corpus: {}\n", counts.join(", "));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Outside => "outside",
        }
    }
}

impl Corpus {
    /// Reads a corpus. It is an error if the corpus is empty or its numbers differ from `counts.json`.
    pub(crate) fn read(source: Source, root: &Path) -> Self {
        let counts = fs::read(root.join("counts.json"))
            .unwrap_or_else(|error| panic!("no corpus at {}: {error}", root.display()));
        let counts: Value = serde_json::from_slice(&counts).unwrap();
        let mut corpus = Self {
            source,
            root: root.to_path_buf(),
            messages: Vec::new(),
            mboxes: Vec::new(),
        };
        let mut total = Tally::default();
        let folders = counts["folders"].as_object().unwrap();
        let names: BTreeSet<String> = folders.keys().cloned().collect();
        assert_eq!(folder_names(root), names, "folders in counts.json");
        for (folder, expected) in folders {
            let found = corpus.read_folder(folder, expected);
            found.check(folder, expected);
            total.add(&found);
        }
        total.check("total", &counts["total"]);
        assert_eq!(counts["total"]["mbox_files"], corpus.mboxes.len());
        assert!(!corpus.messages.is_empty(), "an empty corpus");
        corpus
    }

    fn read_folder(&mut self, folder: &str, expected: &Value) -> Tally {
        let root = self.root.join(folder);
        let (none, no_mboxes) = (Vec::new(), Map::new());
        let not_messages = expected["not_messages"].as_array().unwrap_or(&none);
        let mboxes = expected["mbox"].as_object().unwrap_or(&no_mboxes);
        let holds_mail = expected["messages"] != 0;
        let mut tally = Tally::default();
        let mut mboxes_found = 0;
        for path in files(&root) {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            let bytes = fs::read(&path).unwrap();
            tally.files += 1;
            tally.bytes += bytes.len();
            let full_name = format!("{}/{folder}/{name}", self.source.name());
            if let Some(expected) = mboxes.get(name) {
                mboxes_found += 1;
                tally.messages += usize::try_from(expected["messages"].as_u64().unwrap()).unwrap();
                self.read_mbox(full_name, bytes, expected);
            } else if holds_mail && !not_messages.contains(&json!(name)) {
                tally.messages += 1;
                tally.single_messages += 1;
                self.messages.push(Message {
                    name: full_name,
                    bytes,
                });
            }
        }
        assert_eq!(mboxes_found, mboxes.len(), "mboxes in {folder}");
        tally
    }

    fn read_mbox(&mut self, name: String, bytes: Vec<u8>, expected: &Value) {
        let lines = lines(&bytes);
        let from_lines = lines.iter().filter(|line| line.starts_with(b"From "));
        assert_eq!(expected["from_lines"], from_lines.count(), "{name}");
        let pieces = cut(&lines);
        let count = pieces.len();
        assert_eq!(expected["from_lines_after_blank"], count, "{name}");
        let numbered = pieces.into_iter().zip(1..);
        self.messages
            .extend(numbered.map(|(bytes, number)| Message {
                name: format!("{name}#{number}"),
                bytes,
            }));
        self.mboxes.push(Mbox {
            name,
            bytes,
            pieces: count,
        });
    }
}

/// The numbers in `counts.json`, of a folder and of the whole corpus.
#[derive(Default)]
struct Tally {
    files: usize,
    messages: usize,
    single_messages: usize,
    bytes: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.messages += other.messages;
        self.single_messages += other.single_messages;
        self.bytes += other.bytes;
    }

    fn check(&self, what: &str, expected: &Value) {
        let found = [
            ("files", self.files),
            ("messages", self.messages),
            ("single_messages", self.single_messages),
            ("bytes", self.bytes),
        ];
        for (name, count) in found {
            assert_eq!(expected[name], count, "{name} of {what} in counts.json");
        }
    }
}

/// The folders of a corpus that hold test data.
fn folder_names(root: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name != "LICENSES").collect()
}

fn cut(lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut after_empty = true;
    for line in lines {
        if after_empty && line.starts_with(b"From ") {
            pieces.push(Vec::new());
        }
        after_empty = line.iter().all(|byte| matches!(byte, b'\n' | b'\r'));
        if let Some(piece) = pieces.last_mut() {
            piece.extend_from_slice(line);
        }
    }
    pieces
}

/// Lines with their ends: LF, CRLF, or a bare CR, since some mboxes have no other.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let is_bare_cr = *byte == b'\r' && bytes.get(at + 1).is_some_and(|next| *next != b'\n');
        if *byte == b'\n' || is_bare_cr {
            lines.push(&bytes[from..=at]);
            from = at + 1;
        }
    }
    if from < bytes.len() {
        lines.push(&bytes[from..]);
    }
    lines
}
