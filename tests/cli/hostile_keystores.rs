//! Keystores and cards that an attacker changed: each is clearly refused, and no existing data is lost.

use std::path::PathBuf;

use crate::session::Session;

/// The only file in Alice's keystore whose path ends with `end`.
fn find(session: &Session, end: &str) -> PathBuf {
    let (folder, name) = end.split_once('/').unwrap();
    let folder = session.keystore("alice").join(folder);
    let mut entries = std::fs::read_dir(folder).unwrap();
    entries.next().unwrap().unwrap().path().join(name)
}

fn refused(session: &Session, line: &str, exit: i32, words: &str) {
    let answer = session.ask("alice", line);
    assert_eq!(answer.exit, exit, "{line}: {}", answer.stderr);
    assert!(answer.stderr.contains(words), "{line}: {}", answer.stderr);
    assert!(
        answer.stderr.len() < 4_000,
        "{line}: {} bytes",
        answer.stderr.len()
    );
}

#[test]
fn files_in_the_wrong_place_are_reported() {
    let session = Session::with_people();
    let open = "encl unwrap letter.pdf.encl -o -";
    // Replace my private keys with those of another identity.
    let secret = find(&session, "identities/secret");
    let mine = std::fs::read(&secret).unwrap();
    session.quietly("bob", "cat \"$ENCL_KEYSTORE\"/identities/*/secret > theirs");
    std::fs::write(&secret, session.read("theirs")).unwrap();
    refused(&session, open, 1, "it belongs to another identity");
    assert_eq!(session.ask("alice", "encl doctor").exit, 1);
    std::fs::write(&secret, &mine).unwrap();
    // Move a whole identity to another name, and swap two contacts.
    session.quietly("alice", "cp -a \"$ENCL_KEYSTORE\" safe");
    session.quietly(
        "alice",
        "cd \"$ENCL_KEYSTORE\"/identities && mv * $(printf '%064d' 7)",
    );
    refused(&session, open, 1, "somebody else's card");
    session.quietly(
        "alice",
        "rm -r \"$ENCL_KEYSTORE\" && cp -a safe \"$ENCL_KEYSTORE\"",
    );
    session.quietly(
        "alice",
        "cd \"$ENCL_KEYSTORE\"/contacts && set -- * && mv $1 x && mv $2 $1 && mv x $2",
    );
    refused(
        &session,
        "encl wrap notes.txt --to bob@example.org",
        7,
        "it belongs to another contact",
    );
    session.quietly(
        "alice",
        "rm -r \"$ENCL_KEYSTORE\" && cp -a safe \"$ENCL_KEYSTORE\"",
    );
    session.quietly("alice", open);
}

/// A file that requires 4 TiB of memory before the passphrase can be checked.
#[test]
fn excessive_passphrase_costs_are_refused() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl key passphrase --new-passphrase-file passphrase",
    );
    let secret = find(&session, "identities/secret");
    let text = String::from_utf8_lossy(&std::fs::read(&secret).unwrap()).into_owned();
    assert!(text.contains("\"passphrase\":16"), "{text}");
    for cost in ["32", "21", "15", "0", "99999999999"] {
        std::fs::write(
            &secret,
            text.replace("\"passphrase\":16", &format!("\"passphrase\":{cost}")),
        )
        .unwrap();
        let answer = session.ask(
            "alice",
            "encl unwrap letter.pdf.encl -o - --passphrase-file passphrase",
        );
        assert!(
            [1, 9].contains(&answer.exit),
            "{cost}: {} {}",
            answer.exit,
            answer.stderr
        );
    }
}

#[test]
fn cards_of_any_size_and_kind_are_refused() {
    let session = Session::with_people();
    let before = session.quietly("alice", "encl contact list").text();
    let card = String::from_utf8(session.read("bob.card")).unwrap();
    let long = "a".repeat(1 << 20);
    let addresses: Vec<String> = (0..10_000)
        .map(|n| format!("\"a{n}@example.org\""))
        .collect();
    let line = |name: &str, addresses: &str| {
        format!(
            "encl-card1:{{\"card\":\"encl/1\",\"name\":\"{name}\",\"addresses\":[{addresses}]}}\n"
        )
    };
    let many = line("Mallory", &addresses.join(","));
    session.write("name.card", line(&long, "\"m@example.org\""));
    session.write("many.card", many);
    session.write(
        "controls.card",
        line("M\u{1b}[2J\u{202e}", "\"m@example.org\""),
    );
    session.write("truncated.card", &card[..card.len() / 2]);
    session.write("swapped.card", card.replacen(['a', 'b'], "c", 3));
    session.write("nothing.card", "");
    session.write("zeros.card", vec![0; 1 << 20]);
    for name in [
        "name",
        "many",
        "controls",
        "truncated",
        "swapped",
        "nothing",
        "zeros",
    ] {
        for line in [
            format!("encl contact add {name}.card --yes"),
            format!("encl wrap notes.txt --to {name}.card -o x.encl"),
        ] {
            let answer = session.ask("alice", &line);
            assert!(
                [4, 7, 9].contains(&answer.exit),
                "{line}: {} {}",
                answer.exit,
                answer.stderr
            );
            assert!(
                answer.stderr.len() < 4_000,
                "{line}: {} bytes",
                answer.stderr.len()
            );
            let raw = answer
                .stderr
                .chars()
                .any(|c| c.is_control() && c != '\n' || c == '\u{202e}');
            assert!(!raw, "{line}: {:?}", answer.stderr);
        }
    }
    assert_eq!(session.quietly("alice", "encl contact list").text(), before);
}
