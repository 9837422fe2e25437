//! Unlocked identities: the kernel keeps the key for a limited time.

use crate::session::Session;
use crate::tell::skipped;

/// Dora has a passphrase and a contact. `None` if the kernel of this machine keeps no keys.
fn with_dora() -> Option<Session> {
    let session = Session::with_people();
    session.quietly(
        "dora",
        "encl key new dora@example.org --name Dora --passphrase-file passphrase > dora.card; encl contact add bob.card --yes",
    );
    let tried = session.ask(
        "dora",
        "encl unlock --for 1h --passphrase-file passphrase && encl lock",
    );
    if tried.exit == 1 && tried.stderr.contains("keyring") {
        let why = tried.stderr.trim();
        skipped(&format!("cli: unlock: the kernel keeps no keys: {why}"));
        return None;
    }
    assert_eq!(tried.exit, 0, "{}", tried.stderr);
    Some(session)
}

#[test]
fn a_passphrase_is_asked_once_and_not_again_for_a_while() {
    let Some(mut session) = with_dora() else {
        return;
    };
    session.type_(
        "dora",
        "encl wrap notes.txt --to bob@example.org --no-input",
    );
    session.type_("dora", "encl unlock --for 3h --no-input");
    session.type_("dora", "encl unlock --for 3h --passphrase-file passphrase");
    session.type_("dora", "encl key list");
    session.type_(
        "dora",
        "encl wrap notes.txt --to bob@example.org --no-input",
    );
    session.type_("dora", "encl verify notes.txt.encl --no-input");
    session.type_(
        "dora",
        "encl unlock --json --for 3h --passphrase-file passphrase",
    );
    session.type_("dora", "encl lock");
    session.type_("dora", "encl lock");
    session.type_("dora", "encl verify notes.txt.encl --no-input");
    session.type_("alice", "encl unlock --for 1h");
    session.type_("dora", "encl unlock --for never");
    session.type_("dora", "encl unlock --for 60d");
    session.type_(
        "dora",
        "printf 'wrong\\n' | encl unlock --passphrase-file -",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_kept_key_expires_and_opens_one_file_only() {
    let Some(session) = with_dora() else {
        return;
    };
    let seal = "encl wrap notes.txt --to bob@example.org --no-input -o - > dora.encl";
    session.quietly(
        "dora",
        &format!("encl unlock --for 4s --passphrase-file passphrase && {seal}"),
    );
    let line = format!("sleep 4.2; {seal}");
    assert_eq!(session.ask("dora", &line).exit, 6);
    // Another file in its place, with the same passphrase, is not opened with the kept key.
    session.quietly("dora", "encl unlock --for 1h --passphrase-file passphrase");
    let id = session
        .quietly("dora", "ls \"$ENCL_KEYSTORE/identities\"")
        .text();
    let secret = session
        .keystore("dora")
        .join("identities")
        .join(id.trim())
        .join("secret");
    let mut bytes = std::fs::read(&secret).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&secret, &bytes).unwrap();
    assert_eq!(
        session.ask("dora", seal).exit,
        6,
        "a damaged file falls back to the question"
    );
    bytes[last] ^= 1;
    std::fs::write(&secret, &bytes).unwrap();
    session.quietly("dora", &format!("{seal} && encl lock"));
}
