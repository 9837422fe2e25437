//! The scanner on every message of the corpus, as it is and with LF and CRLF: its result is consistent, and Python's `email`
//! finds the same leaves.

use std::collections::BTreeMap;
use std::fs;

use encl::mail::{Nested, Part, Structure, scan};

use crate::corpus::{Source, corpora, messages, names_in_use};
use crate::forms::forms;
use crate::python::python;
use crate::support::process;

/// The messages in which Python 3.11 finds other leaves, and why.
const OTHERWISE: [(&str, &str); 25] = [
    ("outside/cpython/msg_15.txt", INNERMOST_FIRST),
    ("outside/james/imap/multipart-binary.mail", NO_FIELD),
    ("outside/james/imap/wild-alt-another-reply.mail", NO_FIELD),
    ("outside/james/jmap/mdn_complex.eml", NOTHING_IS_NO_PART),
    ("outside/james/mailbox/mailWithLongHeaders.eml", NO_FIELD),
    ("outside/mail-parser/malformed/005.eml", INNERMOST_FIRST),
    ("outside/mail-parser/malformed/014.eml", NOTHING_IS_NO_PART),
    (
        "outside/mail-parser/malformed/017.eml",
        "no semicolon before the boundary: one leaf for both, and what follows is in no media type of ours",
    ),
    ("outside/mail-parser/malformed/019.eml", NO_FIELD),
    ("outside/mimekit/mbox/simple.mbox.txt#1", INNERMOST_FIRST),
    ("outside/mimekit/messages/feedback-report.txt", NO_FIELD),
    ("own/boundary/blanks_only.eml", EMPTY_IS_NONE),
    (
        "own/boundary/eight_bit.eml",
        "a boundary with raw 8-bit letters: Python does not find it again",
    ),
    ("own/boundary/empty.eml", EMPTY_IS_NONE),
    ("own/boundary/in_comment.eml", COMMENTS),
    ("own/boundary/last_open.eml", NOTHING_IS_NO_PART),
    ("own/boundary/last_open_no_end.eml", NOTHING_IS_NO_PART),
    (
        "own/boundary/no_semicolon.eml",
        "no semicolon before the boundary: one leaf for both, and what follows is in no media type of ours",
    ),
    ("own/boundary/prefix_dashes.eml", INNERMOST_FIRST),
    (
        "own/boundary/quote_open.eml",
        "a quote that is not closed: ours goes to the end of the field, for Python it is part of the boundary",
    ),
    ("own/boundary/same_twice.eml", INNERMOST_FIRST),
    (
        "own/header/space_before_colon.eml",
        "a blank before the colon: a field for us, and none for Python",
    ),
    (
        "own/header/types_odd.eml",
        "media types that are none: all of them are text/plain for us",
    ),
    ("own/header/version_comment.eml", COMMENTS),
    (
        "own/report/read_receipt_unterminated.eml",
        NOTHING_IS_NO_PART,
    ),
];
const COMMENTS: &str = "a comment: no part of a value for us, but for Python";
const EMPTY_IS_NONE: &str = "a boundary of nothing, or of blanks: none for us";
const INNERMOST_FIRST: &str = "one boundary opened twice, or with another and two dashes: we look from the innermost out, Python from the outermost in";
const NO_FIELD: &str =
    "a first line that is no field: it ends no header for us, but all of it for Python";
const NOTHING_IS_NO_PART: &str =
    "the last line is a delimiter that closes nothing: Python makes an empty part of what follows";

fn scanned(bytes: &[u8], messages: Nested) -> Structure {
    scan(&mut &*bytes, messages, &mut ()).unwrap()
}

fn range(bytes: &[u8], from: u64, to: u64) -> &[u8] {
    &bytes[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]
}

fn leaves(structure: &Structure) -> impl Iterator<Item = &Part> {
    structure.parts.iter().filter(|part| part.is_leaf())
}

#[test]
fn parts_nest_and_nothing_is_lost() {
    for corpus in corpora() {
        let (mut scans, mut parts) = (0, 0);
        for message in &corpus.messages {
            for (variant, bytes) in forms(message) {
                for messages in [Nested::Leaf, Nested::Enter] {
                    let structure = scanned(&bytes, messages);
                    check(&structure, &bytes, &format!("{} {variant}", message.name));
                    scans += 1;
                    parts += structure.parts.len();
                }
            }
        }
        let expected = match corpus.source {
            Source::Own => (2_418, 9_549),
            Source::Outside => (1_494, 3_924),
        };
        assert_eq!((scans, parts), expected, "{:?}", corpus.source);
    }
}

fn check(structure: &Structure, bytes: &[u8], name: &str) {
    let parts = &structure.parts;
    assert_eq!(structure.bytes, bytes.len() as u64, "{name}");
    assert_eq!(
        (parts[0].start, parts[0].end),
        (0, structure.bytes),
        "{name}"
    );
    assert_eq!(
        [
            structure.header.bytes(),
            range(bytes, parts[0].body, parts[0].end)
        ]
        .concat(),
        bytes,
        "{name}"
    );
    for (at, part) in parts.iter().enumerate() {
        assert!(part.start <= part.body && part.body <= part.end, "{name}");
        let Some(parent) = part.parent else { continue };
        assert!(parent < at && !parts[parent].is_leaf(), "{name}");
        assert!(
            parts[parent].body <= part.start && part.end <= parts[parent].end,
            "{name}"
        );
    }
    let (mut whole, mut at) = (Vec::new(), 0);
    for leaf in leaves(structure) {
        whole.extend_from_slice(range(bytes, at, leaf.start)); // panics if leaves are not in order
        whole.extend_from_slice(range(bytes, leaf.start, leaf.end));
        at = leaf.end;
    }
    whole.extend_from_slice(range(bytes, at, structure.bytes));
    assert!(whole == bytes, "{name}");
}

/// The media types of all leaves, one after the other. A multipart without parts counts as one.
fn types(structure: &Structure) -> String {
    let has_none = |at| structure.parts.iter().all(|part| part.parent != Some(at));
    let parts = structure.parts.iter().enumerate();
    let leaves = parts.filter(|(at, _)| has_none(*at));
    leaves
        .map(|(_, part)| part.media_type.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

const PYTHON: &str = r#"
import email, os, sys
def leaves(part):
    if part.get_content_maintype() == "multipart" and part.is_multipart() and part.get_payload():
        return [leaf for child in part.get_payload() for leaf in leaves(child)]
    return [part.get_content_type()]
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), "rb") as file:
        print(name, *("_".join(kind.split()) for kind in leaves(email.message_from_binary_file(file))))
"#;

#[test]
fn python_finds_the_same_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let mut ours = Vec::new();
    for message in messages() {
        for (variant, bytes) in forms(message) {
            fs::write(folder.path().join(format!("{:04}", ours.len())), &bytes).unwrap();
            let types = types(&scanned(&bytes, Nested::Leaf));
            ours.push((message.name.clone(), variant, types));
        }
    }
    let mut command = python();
    command.args(["-c", PYTHON]).arg(folder.path());
    let output = process::output(&mut command);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let theirs = String::from_utf8(output.stdout).unwrap();
    let theirs: Vec<_> = theirs
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(theirs.len(), ours.len());
    let mut otherwise: BTreeMap<&str, String> = BTreeMap::new();
    for ((name, variant, ours), theirs) in ours.iter().zip(theirs) {
        if ours != theirs {
            otherwise.insert(
                name,
                format!("{variant}\n  ours:   {ours}\n  theirs: {theirs}"),
            );
        }
    }
    for (name, found) in &otherwise {
        println!("{name} {found}");
    }
    let names: Vec<_> = OTHERWISE.iter().map(|(name, _)| *name).collect();
    let expected: Vec<_> = names_in_use(&names).collect();
    assert_eq!(otherwise.keys().copied().collect::<Vec<_>>(), expected);
}
