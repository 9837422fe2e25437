//! `encl help json` names every field that `--json` prints, with its type, and no other. Every object in every story is held
//! against it; the test here sees to it that each schema and each field was printed at least once.

mod page;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::{Map, Value};

use crate::help;
use crate::session::{Answer, Session};
use crate::tell::skipped;
use page::Page;

/// The objects that a command printed, on both streams.
fn objects(answer: &Answer) -> Vec<Map<String, Value>> {
    let lines = answer.text() + "\n" + &answer.stderr;
    let parsed = lines
        .lines()
        .filter(|line| line.starts_with(r#"{"schema":"encl."#));
    // A story may show the beginning of a line only.
    parsed
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Holds what a command printed against the page.
pub(crate) fn check(answer: &Answer) {
    for object in objects(answer) {
        if let Err(what) = Page::shown().check(&object, &mut BTreeSet::new()) {
            panic!("encl help json: {what}\n{}", Value::Object(object));
        }
    }
}

/// Commands that together print every field of the page, and nothing else: the exit code, the person, the line.
const STORY: &[(i32, &str, &str)] = &[
    (0, "alice", "encl reader -o reader.html --json"),
    (0, "alice", "encl reader --check reader.html --json"),
    (0, "alice", "encl version --json"),
    // Errors, warnings, notices.
    (4, "alice", "encl verify --json notes.txt"),
    (2, "alice", "encl wrap --json notes.txt --bogus"),
    (2, "alice", "encl contact add fay.card --json --no-input"),
    (0, "alice", "encl wrap --json notes.txt --to fay.card"),
    (
        0,
        "alice",
        "encl mail wrap letter.eml --attachments --if-any --json > plain.eml",
    ),
    // Files.
    (
        0,
        "alice",
        "encl wrap --json report.pdf --to bob@example.org --passphrase --passphrase-file passphrase \
         --quorum 2:dan,erin --expires 30d --not-before 2020-01-01 --label class=internal",
    ),
    (0, "alice", "encl inspect --json report.pdf.encl"),
    (
        0,
        "alice",
        "encl wrap --json report.pdf --to @finance --private --pad -o - > private.encl",
    ),
    (0, "bob", "encl inspect --json private.encl plan.txt.encl"),
    (
        0,
        "bob",
        "encl unwrap --json private.encl -o - > opened.pdf",
    ),
    (0, "alice", "encl unwrap --json letter.pdf.encl"),
    (0, "alice", "encl verify --json letter.pdf.encl"),
    (
        0,
        "alice",
        "encl wrap --json letter.eml --to @finance --dry-run",
    ),
    // Access.
    (
        0,
        "dan",
        "encl approve --json plan.txt.encl --to alice@example.org -o dan.approval",
    ),
    (
        0,
        "alice",
        "encl grant --json letter.pdf.encl --to carol@example.org --to alice@example.org",
    ),
    (0, "carol", "encl verify --json letter.pdf.encl"),
    (0, "carol", "encl inspect --json letter.pdf.encl"),
    (
        0,
        "alice",
        "encl rewrap --json letter.pdf.encl --dry-run --to bob@example.org --to dan@example.org",
    ),
    (0, "alice", "encl key rotate --json"),
    (0, "alice", "encl rewrap --json letter.pdf.encl --yes"),
    (
        0,
        "alice",
        "encl revoke --json letter.pdf.encl --from bob@example.org --dry-run",
    ),
    (
        0,
        "alice",
        "encl drop --json letter.pdf.encl --from carol@example.org --yes",
    ),
    (
        0,
        "alice",
        "encl revoke --json letter.pdf.encl --from bob@example.org --yes --resign",
    ),
    // My identities.
    (
        0,
        "gus",
        "encl key new gus@example.org --name Gus --no-passphrase --expires 30d --json",
    ),
    (0, "gus", "encl key list --json"),
    (0, "gus", "encl key show --json"),
    (0, "gus", "encl key default --json"),
    (0, "gus", "encl key renew --expires 60d --json"),
    (
        0,
        "gus",
        "encl key passphrase --json --new-passphrase-file passphrase",
    ),
    (
        0,
        "gus",
        "encl key replace --passphrase-file passphrase --json",
    ),
    (0, "gus", "encl key list --json"),
    // People.
    (0, "alice", "encl contact list --json"),
    (0, "alice", "encl contact show bob@example.org --json"),
    (
        0,
        "alice",
        "encl contact verify bob@example.org --json --code \"$(cat number-from-bob)\"",
    ),
    (2, "alice", "encl contact verify dan@example.org --json"),
    (0, "alice", "encl contact block carol@example.org --json"),
    (0, "alice", "encl contact unblock carol@example.org --json"),
    (0, "alice", "encl group list --json"),
    (0, "alice", "encl group show finance --json"),
    (
        0,
        "alice",
        "encl group card finance --json && encl group card finance -o finance.group",
    ),
    (0, "bob", "encl contact add finance.group --yes --json"),
    (0, "alice", "encl invite hal@example.org --json"),
    (0, "fay", "encl contact add invitation.txt --yes --json"),
    (
        0,
        "fay",
        "encl key card --json --invitation \"$(grep -o 'encl-invitation1:.*' invitation.txt)\"",
    ),
    (0, "alice", "encl contact add answer.txt --yes --json"),
    (0, "alice", "encl contact add answer.txt --yes --json"),
    (0, "fay", "encl key revoke --yes --json"),
    (0, "alice", "encl contact add fay.revocation --yes --json"),
    (0, "bob", "encl contact add fay.revocation --yes --json"),
    // The keystore.
    (0, "alice", "encl doctor --json"),
    (
        0,
        "alice",
        "encl backup -o keystore.encl --json --passphrase-file passphrase",
    ),
    (
        0,
        "alice",
        "encl backup -o signed.encl --json --to alice@example.org",
    ),
    (0, "alice", "encl restore signed.encl --dry-run --json"),
    (
        0,
        "alice",
        "encl restore keystore.encl --yes --json --passphrase-file passphrase --keystore elsewhere",
    ),
    // Mail.
    (
        0,
        "alice",
        "encl mail wrap attached.eml --to bob@example.org --json -o whole.eml",
    ),
    (
        0,
        "alice",
        "encl mail wrap attached.eml --to bob@example.org --json --attachments -o parts.eml",
    ),
    (0, "bob", "encl mail show whole.eml --json"),
    (0, "bob", "encl mail inspect parts.eml --json"),
    (0, "bob", "encl mail unwrap whole.eml --json > opened.eml"),
    (
        0,
        "bob",
        "encl mail unwrap parts.eml --json --extract opened",
    ),
    (
        0,
        "alice",
        "encl mail seal mailbox archive.mbox --for alice@example.org --dry-run --json",
    ),
    (
        0,
        "alice",
        "encl mail seal mailbox archive.mbox --for alice@example.org --json",
    ),
    (
        0,
        "alice",
        "encl mail seal mailbox --for alice@example.org --json",
    ),
    (
        0,
        "alice",
        "encl mail grep 4711 mailbox archive.mbox --json",
    ),
    (0, "bob", "encl mail unseal mailbox --json"),
    (0, "alice", "encl mail unseal mailbox archive.mbox --json"),
];

/// Every command once, in the order of `--help`: its name, the person, the line.
const EACH: &[(&str, &str, &str)] = &[
    (
        "wrap",
        "alice",
        "encl wrap notes.txt --to bob@example.org --json",
    ),
    (
        "unwrap",
        "bob",
        "encl unwrap notes.txt.encl -o opened.txt --json",
    ),
    ("inspect", "alice", "encl inspect notes.txt.encl --json"),
    ("verify", "alice", "encl verify notes.txt.encl --json"),
    (
        "grant",
        "alice",
        "encl grant notes.txt.encl --to carol@example.org --json",
    ),
    (
        "drop",
        "alice",
        "encl drop notes.txt.encl --from carol@example.org --yes --json",
    ),
    (
        "revoke",
        "alice",
        "encl revoke notes.txt.encl --from bob@example.org --yes --json",
    ),
    ("rewrap", "alice", "encl rewrap notes.txt.encl --yes --json"),
    (
        "approve",
        "dan",
        "encl approve plan.txt.encl --to alice@example.org -o dan.approval --json",
    ),
    (
        "key new",
        "gus",
        "encl key new gus@example.org --no-passphrase -o gus.card --json",
    ),
    ("key list", "gus", "encl key list --json"),
    ("key show", "gus", "encl key show --json"),
    ("key card", "gus", "encl key card -o again.card --json"),
    (
        "key default",
        "gus",
        "encl key default gus@example.org --json",
    ),
    (
        "key passphrase",
        "gus",
        "encl key passphrase --no-passphrase --yes --json",
    ),
    (
        "key rotate",
        "gus",
        "encl key rotate -o rotated.card --json",
    ),
    ("key renew", "gus", "encl key renew --never --json"),
    (
        "key export",
        "gus",
        "encl key export -o gus.identity --json",
    ),
    (
        "key export",
        "gus",
        "encl key export -o - --json > gus.identity",
    ),
    ("key import", "hal", "encl key import gus.identity --json"),
    ("key paper", "gus", "encl key paper -o gus.html --json"),
    ("key paper", "gus", "encl key paper --json > gus.txt"),
    (
        "key remove",
        "hal",
        "encl key remove gus@example.org --yes --json",
    ),
    (
        "key adopt",
        "alice",
        "cp -r \"$ENCL_KEYSTORE\"/../gus/identities/* \"$ENCL_KEYSTORE\"/identities && \
         encl key adopt \"$(ls \"$ENCL_KEYSTORE\"/../gus/identities)\" --json",
    ),
    (
        "key adopt",
        "alice",
        "cp \"$ENCL_KEYSTORE\"/groups/finance \"$ENCL_KEYSTORE\"/groups/copied && encl key adopt @copied --json",
    ),
    ("key replace", "gus", "encl key replace --json"),
    ("key revoke", "gus", "encl key revoke --yes --json"),
    (
        "contact add",
        "hal",
        "encl contact add alice.card bob.card --yes --json",
    ),
    ("contact list", "alice", "encl contact list --json"),
    (
        "contact show",
        "alice",
        "encl contact show bob@example.org --json",
    ),
    (
        "contact verify",
        "alice",
        "encl contact verify bob@example.org --code \"$(cat number-from-bob)\" --json",
    ),
    (
        "contact block",
        "alice",
        "encl contact block bob@example.org --json",
    ),
    (
        "contact unblock",
        "alice",
        "encl contact unblock bob@example.org --json",
    ),
    (
        "contact remove",
        "hal",
        "encl contact remove bob@example.org --yes --json",
    ),
    (
        "invite",
        "alice",
        "encl invite zoe@example.org -o zoe.txt --json",
    ),
    ("invite", "alice", "encl invite list --json"),
    (
        "group new",
        "alice",
        "encl group new pals bob@example.org --json",
    ),
    (
        "group add",
        "alice",
        "encl group add pals dan@example.org --json",
    ),
    (
        "group remove",
        "alice",
        "encl group remove pals dan@example.org --json",
    ),
    ("group list", "alice", "encl group list --json"),
    ("group show", "alice", "encl group show pals --json"),
    (
        "group card",
        "alice",
        "encl group card pals -o pals.group --json",
    ),
    ("group keep", "alice", "encl group keep pals --json"),
    ("group delete", "alice", "encl group delete pals --json"),
    (
        "mail wrap",
        "alice",
        "encl mail wrap letter.eml -o to-bob.eml --json",
    ),
    (
        "mail unwrap",
        "bob",
        "encl mail unwrap to-bob.eml -o opened.eml --json",
    ),
    ("mail show", "bob", "encl mail show to-bob.eml --json"),
    ("mail inspect", "bob", "encl mail inspect to-bob.eml --json"),
    (
        "mail send",
        "alice",
        "encl mail send --fcc sent --json -- sendmail -oi -- bob@example.org < letter.eml",
    ),
    (
        "mail deliver",
        "alice",
        "encl mail deliver --for bob@example.org --maildir inbox --json < letter.eml",
    ),
    (
        "mail deliver",
        "alice",
        "encl mail deliver --for bob@example.org --json < letter.eml > delivered.eml",
    ),
    (
        "mail seal",
        "alice",
        "encl mail seal archive.mbox --for alice@example.org --json",
    ),
    (
        "mail grep",
        "alice",
        "encl mail grep 4711 archive.mbox --json",
    ),
    (
        "mail unseal",
        "alice",
        "encl mail unseal archive.mbox --json",
    ),
    ("unlock", "alice", "encl unlock --json"),
    ("lock", "alice", "encl lock --json"),
    (
        "backup",
        "alice",
        "encl backup -o keystore.encl --passphrase-file passphrase --json",
    ),
    (
        "restore",
        "alice",
        "encl restore keystore.encl --passphrase-file passphrase --yes --json",
    ),
    ("doctor", "alice", "encl doctor --json"),
    ("completions", "alice", "encl completions bash --json"),
    ("man", "alice", "encl man pages --json"),
    ("reader", "alice", "encl reader -o reader.html --json"),
    ("help", "alice", "encl help trust --json"),
    ("help", "alice", "encl help key new --json"),
    ("version", "alice", "encl version --json"),
];

/// The same, where the kernel keeps keys.
const UNLOCK: &[(i32, &str, &str)] = &[
    (0, "gus", "encl unlock --json --passphrase-file passphrase"),
    (0, "gus", "encl lock --json"),
];

/// Fay, who is nobody's contact, was invited and has answered. A message with an attachment.
fn session() -> Session {
    let session = Session::with_a_board();
    session.quietly(
        "fay",
        "encl key new fay@example.org --name Fay --no-passphrase > fay.card",
    );
    session.quietly("alice", "encl invite fay@example.org -o invitation.txt");
    session.quietly(
        "fay",
        "encl key card --invitation \"$(grep -o 'encl-invitation1:.*' invitation.txt)\" > answer.txt && \
         cat \"$ENCL_KEYSTORE\"/identities/*/revocation > fay.revocation",
    );
    session.write(
        "attached.eml",
        "From: alice@example.org\nTo: bob@example.org\nSubject: a picture\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHere it is.\n--b\nContent-Type: image/png\n\
         Content-Disposition: attachment; filename=sea.png\nContent-Transfer-Encoding: base64\n\nc2Vh\n--b--\n",
    );
    session
}

#[test]
fn the_page_names_every_field_that_is_printed_and_no_other() {
    let (page, mut seen) = (Page::shown(), BTreeSet::new());
    let mut run_in = |session: &Session, (exit, person, line): &(i32, &str, &str)| {
        let answer = session.ask(person, line);
        assert_eq!(answer.exit, *exit, "{line}\n{}", answer.stderr);
        let (objects, lines) = (objects(&answer), answer.text() + &answer.stderr);
        assert!(!objects.is_empty(), "{line}: no object");
        assert_eq!(
            objects.len(),
            lines.lines().count(),
            "{line}: not only objects\n{lines}"
        );
        for object in objects {
            page.check(&object, &mut seen).unwrap();
        }
    };
    let others = self::session();
    for (_, person, line) in EACH {
        run_in(&others, &(0, person, line));
    }
    let session = self::session();
    let mut run = |step: &(i32, &str, &str)| run_in(&session, step);
    STORY.iter().for_each(&mut run);
    let tried = session.ask("gus", "encl unlock --passphrase-file passphrase");
    let kernel_keeps_keys = tried.exit == 0;
    if kernel_keeps_keys {
        UNLOCK.iter().for_each(&mut run);
    } else {
        skipped(&format!(
            "cli: json: the kernel keeps no keys: {}",
            tried.stderr.trim()
        ));
    }
    let unseen: Vec<_> = page
        .places()
        .into_iter()
        .filter(|place| !seen.contains(place))
        .filter(|place| kernel_keeps_keys || !place.contains("lock/1"))
        .filter(|place| !is_about_gates(place))
        .collect();
    assert!(unseen.is_empty(), "never printed: {unseen:#?}");
}

/// The places on the page that only commands about gates print: tests/gate.
fn is_about_gates(place: &str) -> bool {
    let words = ["gate", "encl.audit", "PERSON ", "GATESTATE "];
    words.iter().any(|word| place.contains(word))
}

/// No command ends well without an object, and none is forgotten here.
#[test]
fn every_command_prints_an_object() {
    let session = session();
    let all = help::commands(&session);
    let is_leaf = |command: &&String| {
        let below = format!("{command} ");
        !all.iter().any(|other| other.starts_with(&below))
    };
    let leaves: BTreeSet<&str> = all
        .iter()
        .filter(is_leaf)
        .filter(|command| !help::needs_a_gate(command))
        .map(|name| &name["encl ".len()..])
        .collect();
    let tried: BTreeSet<&str> = EACH.iter().map(|(name, ..)| *name).collect();
    assert_eq!(leaves, tried);
    for (name, person, line) in EACH {
        assert!(
            line.contains(&format!("encl {name} ")) && line.contains("--json"),
            "{line}"
        );
        let answer = session.quietly(person, line);
        let is_result = |object: &Map<String, Value>| {
            let schema = object["schema"].as_str().unwrap();
            !["encl.error/1", "encl.warning/1", "encl.notice/1"].contains(&schema)
        };
        assert!(
            objects(&answer).iter().any(is_result),
            "{line}: {}",
            answer.stderr
        );
    }
}

#[test]
fn the_page_names_every_schema_of_the_source_and_no_other() {
    let name = Regex::new(r#""(encl\.[a-z-]+/[0-9]+)""#).unwrap();
    let mut schemas = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let source = fs::read_to_string(path).unwrap();
                schemas.extend(name.captures_iter(&source).map(|found| found[1].to_owned()));
            }
        }
    }
    assert_eq!(Page::shown().schemas(), schemas);
}

#[test]
fn what_the_page_does_not_say_is_found() {
    let page = Page::of(
        "PERSON\n  id  id  x\n\nencl.a/1  encl a: the fields of PERSON, and\n  word  word  one, two\n  \
         people  list of PERSON or absent  x\n  other.at  time or null  x\n  other  object  x\n",
    );
    let id = "0".repeat(64);
    let right = format!(
        r#"{{"schema":"encl.a/1","id":"{id}","word":"one","people":[{{"id":"{id}"}}],"other":{{"at":null}}}}"#
    );
    let check = |text: &str| {
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        page.check(&object, &mut BTreeSet::new())
    };
    assert_eq!(check(&right), Ok(()));
    let people = format!(r#""people":[{{"id":"{id}"}}],"#);
    assert_eq!(check(&right.replace(&people, "")), Ok(()));
    for (from, to, what) in [
        ("encl.a/1", "encl.b/1", "encl.b/1 is not on the page"),
        ("\"id\":\"00", "\"id\":\"0", "encl.a/1: id is"),
        (
            "\"one\"",
            "\"three\"",
            "encl.a/1: the page does not list \"three\" for word",
        ),
        ("\"word\":\"one\",", "", "encl.a/1: word is missing"),
        (
            "[{\"id\"",
            "[{\"ib\"",
            "encl.a/1: people[].ib is not on the page",
        ),
        ("{\"at\":null}", "{}", "encl.a/1: other.at is missing"),
        (
            "{\"at\":null}",
            "{\"at\":1}",
            "encl.a/1: other.at is 1, and the page says time",
        ),
        (
            "{\"at\":null}",
            "null",
            "encl.a/1: other is null, and the page says object",
        ),
    ] {
        let found = check(&right.replace(from, to)).unwrap_err();
        assert!(found.starts_with(what), "{found}");
    }
}

/// The names of missing arguments stand below the first line of the message.
#[test]
fn a_wrong_command_line_is_told_whole() {
    let session = Session::new();
    for (line, what) in [
        (
            "encl key renew --json",
            "the following required arguments were not provided: --expires <WHEN>",
        ),
        (
            "encl wrap --json x --bogus",
            "unexpected argument '--bogus' found",
        ),
    ] {
        let answer = session.ask("alice", line);
        let [error] = &objects(&answer)[..] else {
            panic!("{line}: {}", answer.stderr);
        };
        assert_eq!(error["message"], what);
    }
}
