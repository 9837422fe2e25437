//! A small mailbox that is sealed or unsealed, and checks that hold whatever went wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use super::scene::{MARK, Scene, said};
use super::strace::{self, Call, Thread};
use crate::support::process::finish;

/// Files below the scene, by their path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

const SEAL: &[&str] = &[
    "mail",
    "seal",
    "mail",
    "--for",
    "alice@example.org",
    "--jobs",
    "1",
    "--keystore",
    "alice",
];
const UNSEAL: &[&str] = &[
    "mail",
    "unseal",
    "mail",
    "--jobs",
    "1",
    "--keystore",
    "alice",
];
const KEEP: &[&str] = &["--keep-original", "kept"];
/// The folder in which originals are kept.
const KEPT: &str = "kept/";

/// The kept original of an mbox in which a failing disk left one message unchanged. The later run that sealed that message
/// keeps it.
pub(crate) const KEPT_LATER: &str = "kept/mail.2";

/// The format of the mailbox `mail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Maildir,
    Eml,
    Mbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Sealed,
}

/// One command on one mailbox, which was run once without failures.
pub(crate) struct Mailbox {
    pub(crate) name: String,
    arguments: Vec<&'static str>,
    kind: Kind,
    becomes: Form,
    before: Files,
    /// The plain messages.
    messages: BTreeSet<Vec<u8>>,
    /// Sealed messages that were opened before, each with its plain message.
    opened: HashMap<Vec<u8>, Vec<u8>>,
    /// The paths of all files after the command.
    paths_after: Vec<String>,
    /// The originals that are kept.
    kept: Files,
    /// The mailbox after sealing and unsealing.
    unsealed: Files,
    pub(crate) calls: Vec<Call>,
}

impl Mailbox {
    /// Each kind sealed and unsealed, with and without kept originals.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for kind in [Kind::Maildir, Kind::Eml, Kind::Mbox] {
            let plain = plain(kind);
            let sealed = sealed(&plain);
            for keep in [&[], KEEP] {
                all.push(Self::rehearsed(kind, Form::Sealed, keep, plain.clone()));
                all.push(Self::rehearsed(kind, Form::Plain, keep, sealed.clone()));
            }
        }
        all
    }

    fn rehearsed(kind: Kind, becomes: Form, keep: &[&'static str], before: Files) -> Self {
        let command = match becomes {
            Form::Sealed => SEAL,
            Form::Plain => UNSEAL,
        };
        let arguments = [command, keep].concat();
        let scene = scene_with(&before);
        let (output, calls) = strace::record(&scene, &arguments, &[]);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        let mut mailbox = Self {
            name: format!("{kind:?} {}", arguments.join(" ")),
            arguments,
            kind,
            becomes,
            before,
            messages: plain(kind)
                .iter()
                .flat_map(|(path, bytes)| kind.messages(path, bytes))
                .collect(),
            opened: HashMap::new(),
            paths_after: files(&scene).into_keys().collect(),
            kept: Files::new(),
            unsealed: Files::new(),
            calls,
        };
        if !keep.is_empty() {
            let original = |(path, bytes): (&String, &Vec<u8>)| {
                let below = path.strip_prefix("mail/").unwrap_or(path);
                (format!("{KEPT}{below}"), bytes.clone())
            };
            mailbox.kept = mailbox.before.iter().map(original).collect();
        }
        mailbox.open_all_once(&scene);
        scene.done(UNSEAL);
        mailbox.unsealed = mail(&scene);
        assert!(mailbox.forms(&scene).unwrap() == BTreeSet::from([Form::Plain as u8]));
        mailbox.check(&scene).unwrap();
        mailbox
    }

    /// Opens all messages from before and after the command once, so that later checks do not open them again.
    fn open_all_once(&mut self, scene: &Scene) {
        for (path, bytes) in &self.before {
            for piece in self.kind.messages(path, bytes) {
                if !self.messages.contains(&piece) {
                    let message = open(scene, &piece).unwrap();
                    self.opened.insert(piece, message);
                }
            }
        }
    }

    /// Runs the command in a new scene with one injected failure. Returns the failed calls last.
    pub(crate) fn run(&self, thread: Thread, injection: String) -> (Scene, Output, Vec<Call>) {
        let scene = scene_with(&self.before);
        let (output, failed) = strace::inject(&scene, &self.arguments, thread, &[injection]);
        (scene, output, failed)
    }

    /// Whether a failure cannot be injected into a call: another thread makes it, and the main thread makes as many calls of
    /// its name.
    pub(crate) fn hides(&self, call: &Call) -> bool {
        let same = |other: &&Call| other.thread == Thread::Main && other.name == call.name;
        call.thread == Thread::Other && self.calls.iter().filter(same).count() >= call.nth
    }

    /// Checks what must be true at every moment: every message is there, complete, in at least one form; no partial file has
    /// the name of a message; other users can read nothing plain.
    pub(crate) fn check(&self, scene: &Scene) -> Result<(), String> {
        self.forms(scene)?;
        for (path, bytes) in files(scene) {
            if path == KEPT_LATER {
                self.forms_in(scene, &Files::from([(path, bytes)]))?;
            } else if path.starts_with(KEPT)
                && !is_hidden(&path)
                && self.kept.get(&path) != Some(&bytes)
            {
                return self.complain(&format!("{path} is not an original"));
            }
        }
        match scene.readable_secrets(&["in"]).as_slice() {
            [] => Ok(()),
            files => self.complain(&format!("others can read {files:?}")),
        }
    }

    /// Which forms the messages have; an error if a message is missing.
    fn forms(&self, scene: &Scene) -> Result<BTreeSet<u8>, String> {
        let mail = mail(scene);
        self.forms_in(scene, &mail)
    }

    fn forms_in(&self, scene: &Scene, files: &Files) -> Result<BTreeSet<u8>, String> {
        let mut forms = BTreeSet::new();
        let mut found = BTreeSet::new();
        for (path, bytes) in files {
            for piece in self.kind.messages(path, bytes) {
                if self.messages.contains(&piece) {
                    forms.insert(Form::Plain as u8);
                    found.insert(piece);
                    continue;
                }
                let opened = self.opened.get(&piece).cloned();
                match opened.or_else(|| open(scene, &piece)) {
                    Some(message) if self.messages.contains(&message) => found.insert(message),
                    _ => return Err(self.complaint(&format!("{path} is partial"))),
                };
                forms.insert(Form::Sealed as u8);
            }
        }
        match found == self.messages {
            true => Ok(forms),
            false => Err(self.complaint("a message is gone")),
        }
    }

    /// Runs the command again, which must complete the change.
    pub(crate) fn finish(&self, scene: &Scene) -> Result<(), String> {
        let again = scene.run(&self.arguments);
        if !again.status.success() {
            return self.complain(&format!("it cannot be done again: {}", said(&again)));
        }
        self.check_done(scene)?;
        if self.becomes == Form::Sealed {
            let back = scene.run(UNSEAL);
            if !back.status.success() || mail(scene) != self.unsealed {
                return self.complain(&format!("the bytes do not come back: {}", said(&back)));
            }
        }
        Ok(())
    }

    /// Checks that every message has its new form, originals are kept, and no other file is left.
    pub(crate) fn check_done(&self, scene: &Scene) -> Result<(), String> {
        self.check(scene)?;
        if self.forms(scene)? != BTreeSet::from([self.becomes as u8]) {
            return self.complain("it is not done");
        }
        let mut files = files(scene);
        files.remove(KEPT_LATER);
        if !files.keys().eq(&self.paths_after) {
            return self.complain(&format!("these files are left: {:?}", files.keys()));
        }
        files.retain(|path, _| path.starts_with(KEPT));
        match files == self.kept {
            true => Ok(()),
            false => self.complain("an original is not kept"),
        }
    }

    fn complain(&self, what: &str) -> Result<(), String> {
        Err(self.complaint(what))
    }

    fn complaint(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }
}

impl Kind {
    /// The messages in a file of the mailbox.
    fn messages(self, path: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
        let is_message = match self {
            Self::Maildir => path.starts_with("mail/cur/") || path.starts_with("mail/new/"),
            Self::Eml => path.to_lowercase().ends_with(".eml"),
            Self::Mbox => return pieces(bytes),
        };
        match is_message && !is_hidden(path) {
            true => vec![bytes.to_vec()],
            false => Vec::new(),
        }
    }
}

/// The texts between the `From ` lines of an mbox. The text before the first such line is a piece of its own.
fn pieces(mbox: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut after_empty = true;
    for line in mbox.split_inclusive(|byte| *byte == b'\n') {
        if after_empty && line.starts_with(b"From ") {
            pieces.push(Vec::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.extend_from_slice(line);
        } else {
            pieces.push(line.to_vec());
        }
        after_empty = matches!(line, b"\n" | b"\r\n");
    }
    pieces
}

fn is_hidden(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.')
}

fn plain(kind: Kind) -> Files {
    let message = |number: usize, end: &str| {
        let lines = [
            "From: bob@example.org",
            "To: alice@example.org",
            &format!("Message-ID: <{number}@example.org>"),
            &format!("Subject: {MARK}"),
            "",
            MARK,
            &MARK.repeat(20 * number),
            "",
        ];
        lines.join(end)
    };
    let (one, two, crlf) = (message(1, "\n"), message(2, "\n"), message(3, "\r\n"));
    let of = |files: &[(&str, &str)]| {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        files.iter().map(owned).collect()
    };
    match kind {
        Kind::Maildir => {
            let sized = format!(
                "mail/cur/1000000001.M1P1.host,S={},W={}:2,FS",
                one.len(),
                one.len() + one.lines().count()
            );
            of(&[
                (&sized, &one),
                ("mail/new/1000000002.M2P1.host", &two),
                ("mail/cur/1000000003.M3P1.host:2,", &crlf),
            ])
        }
        Kind::Eml => of(&[
            ("mail/one.eml", &one),
            ("mail/two.eml", &two),
            ("mail/three.eml", &crlf),
        ]),
        Kind::Mbox => {
            let line = "From bob@example.org Thu Jan  1 00:00:00 2026\n";
            of(&[("mail", &format!("{line}{one}\n{line}{two}\n"))])
        }
    }
}

fn sealed(plain: &Files) -> Files {
    let scene = scene_with(plain);
    scene.done(SEAL);
    mail(&scene)
}

/// A scene with a mailbox, whose files are readable by their owner only and have different times.
fn scene_with(mail: &Files) -> Scene {
    let scene = Scene::new();
    for (number, (path, bytes)) in (1..).zip(mail) {
        let path = scene.at(path);
        let folder = path.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        if folder.ends_with("cur") || folder.ends_with("new") {
            fs::create_dir_all(folder.with_file_name("cur")).unwrap();
            fs::create_dir_all(folder.with_file_name("new")).unwrap();
            fs::create_dir_all(folder.with_file_name("tmp")).unwrap();
        }
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000 + number, 5);
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
    }
    scene
}

/// Every file of a scene.
fn files(scene: &Scene) -> Files {
    let named = |path: std::path::PathBuf| {
        let name = path.strip_prefix(scene.path()).unwrap();
        (
            name.to_str().unwrap().to_owned(),
            fs::read(&path).unwrap_or_default(),
        )
    };
    scene.files().into_iter().map(named).collect()
}

fn mail(scene: &Scene) -> Files {
    let mut files = files(scene);
    files.retain(|path, _| path == "mail" || path.starts_with("mail/"));
    files
}

/// The plain message in a sealed one, opened by its owner.
fn open(scene: &Scene, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut unwrapping = scene.program(&["mail", "unwrap", "--keystore", "alice"]);
    unwrapping.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut unwrapping = unwrapping.stderr(Stdio::null()).spawn().unwrap();
    // A program that refuses the message early does not read all of it.
    let _ = unwrapping.stdin.take().unwrap().write_all(sealed);
    let output = finish(&mut unwrapping, &"mail unwrap");
    output.status.success().then_some(output.stdout)
}
