//! Readers that are not ours: in Python, and in TypeScript for the browser. Both were written from FORMAT.md, and answer the same
//! questions in the same form.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use encl::envelope::{Admission, Approval};
use encl::json::to_b64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kit::{Keys, NOW, Person, open_with};
use crate::node;
use crate::python::python;
use crate::support::process;

/// One envelope, honest or not, with the readers, passphrase and approvals that try to open it.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) readers: Vec<usize>,
    /// The bytes of approvals, which may be invalid.
    pub(crate) approvals: Vec<Vec<u8>>,
    pub(crate) passphrase: Option<&'static str>,
}

/// The identity line of a person, written by hand.
pub(crate) fn identity_file(folder: &Path, person: &Person) -> PathBuf {
    let path = folder.join(format!("{}.identity", person.name));
    let line = json!({
        "identity": "encl/1",
        "id": to_b64(&person.root.id().0),
        "seed": to_b64(person.root.seed().expose()),
        "keys": [{
            "kem": person.key.kem().name(),
            "secret": to_b64(person.key.secret().expose()),
            "serial": 1,
            "created": NOW,
        }],
    });
    fs::write(&path, format!("{line}\n")).unwrap();
    path
}

/// The answer of our reader: the class, the released content, and the admission if the envelope opened.
fn ours(case: &Case, people: &[Person]) -> (String, u64, String) {
    let nothing = || hex::encode(Sha256::digest([]));
    let approvals = case
        .approvals
        .iter()
        .map(|bytes| Approval::from_bytes(bytes));
    let approvals: Vec<_> = match approvals.collect::<Result<_, _>>() {
        Ok(approvals) => approvals,
        Err(error) => return (error.class().to_owned(), 0, nothing()),
    };
    let readers: Vec<_> = case.readers.iter().map(|at| &people[*at]).collect();
    let mut keys = Keys::of(&readers);
    keys.passphrase = case.passphrase;
    let outcome = open_with(&case.bytes, &mut keys, &approvals);
    let class = match (outcome.class, outcome.admission) {
        (Some(class), _) => class.name(),
        (None, Some(Admission::Named)) => "ok, named",
        (None, Some(Admission::Granted(_))) => "ok, granted",
        (None, _) => "ok, unrecorded",
    };
    let hash = hex::encode(Sha256::digest(&outcome.released));
    (class.to_owned(), outcome.released.len() as u64, hash)
}

/// The other readers that are there, with the arguments that make them read a list of cases.
fn others(list: &Path) -> Vec<(&'static str, Command)> {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader/reader.py");
    let mut second = python();
    second.arg(reader).arg("--batch").arg(list);
    let browser = node::node().map(|mut node| {
        node.args(["test/run.mjs", "--batch"]).arg(list);
        ("the reader in the browser", node)
    });
    [("the second reader", second)]
        .into_iter()
        .chain(browser)
        .collect()
}

/// Writes the cases to files, and a list of them.
fn write_cases(folder: &Path, cases: &[Case], identities: &[PathBuf]) -> PathBuf {
    let path = folder.join("cases");
    let mut list = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    for (number, case) in cases.iter().enumerate() {
        let file = folder.join(number.to_string());
        fs::write(&file, &case.bytes).unwrap();
        let approval = |(at, bytes): (usize, &Vec<u8>)| {
            let file = folder.join(format!("{number}.{at}"));
            fs::write(&file, bytes).unwrap();
            file
        };
        let approvals: Vec<_> = case.approvals.iter().enumerate().map(approval).collect();
        let line = json!({
            "file": file,
            "identities": case.readers.iter().map(|at| &identities[*at]).collect::<Vec<_>>(),
            "approvals": approvals,
            "passphrase": case.passphrase,
            "now": NOW,
        });
        writeln!(list, "{line}").unwrap();
    }
    list.flush().unwrap();
    path
}

fn answers(run: &mut Command) -> Vec<Value> {
    let output = process::output(run);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "tests/run installs what the other readers need: {errors}"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Their answer in the words of ours, which asks for a passphrase and gets none.
fn their_class(answer: &Value) -> String {
    let class = answer["class"].as_str().unwrap();
    let class = class.replace("locked", "passphrase");
    match answer["admission"].as_str() {
        Some(admission) => format!("{class}, {admission}"),
        None => class,
    }
}

/// Asks all readers about all cases. An answer that differs fails the test.
pub(crate) fn agree(cases: &[Case], people: &[Person]) {
    let folder = tempfile::tempdir().unwrap();
    let identity = |person: &Person| identity_file(folder.path(), person);
    let identities: Vec<_> = people.iter().map(identity).collect();
    let list = write_cases(folder.path(), cases, &identities);
    let due: Vec<_> = cases.iter().map(|case| ours(case, people)).collect();
    for (name, mut run) in others(&list) {
        let answers = answers(&mut run);
        assert_eq!(answers.len(), cases.len(), "{name}");
        let mut differences = Vec::new();
        for ((case, due), answer) in cases.iter().zip(&due).zip(&answers) {
            let (class, bytes, hash) = due;
            let is_same = their_class(answer) == *class
                && answer["bytes"] == json!(bytes)
                && answer["sha256"] == json!(hash);
            if !is_same {
                differences.push(format!(
                    "{}: ours {class}, {bytes} bytes; theirs {answer}",
                    case.what
                ));
            }
        }
        let count = differences.len();
        println!("{name}: {} cases, {count} differences", cases.len());
        assert!(
            differences.is_empty(),
            "{name}:\n{}",
            differences[..count.min(20)].join("\n")
        );
    }
}
