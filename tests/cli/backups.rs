//! Backups: a lost keystore is restored, and a restore never replaces newer data.

use std::sync::OnceLock;

use crate::folder::Prepared;
use crate::session::Session;

/// Alice has verified Bob and blocked Carol. The file `number` holds the safety number of Alice and Bob.
fn with_a_past() -> Session {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Session::made_once(&MADE, || {
        let session = Session::with_people();
        session.write("pw", "a passphrase for backups\n");
        session.quietly(
        "alice",
        "encl contact verify bob@example.org --no-input > number; \
         encl contact verify bob@example.org --code \"$(cat number)\" && encl contact block carol@example.org",
    );
        session
    })
}

#[test]
fn a_lost_laptop_is_an_inconvenience() {
    let mut session = with_a_past();
    session.type_("alice", "encl backup -o keys.encl --passphrase-file pw");
    session.type_("alice", "encl backup -o keys.encl --passphrase-file pw");
    session.type_("alice", "encl inspect keys.encl");
    session.type_(
        "alice",
        "encl unwrap keys.encl -o - --passphrase-file pw | tar t | sed 's/[0-9a-f]\\{64\\}/ID/' | uniq",
    );
    // Another machine has neither her keystore nor the state of the old machine.
    session.quietly("alice", "rm -r \"$ENCL_KEYSTORE\" \"$XDG_STATE_HOME\"");
    session.type_(
        "alice",
        "encl restore keys.encl --passphrase-file pw --dry-run",
    );
    session.type_("alice", "encl contact list");
    session.type_("alice", "encl restore keys.encl --passphrase-file pw");
    session.type_(
        "alice",
        "encl restore - --passphrase-file pw --yes < keys.encl",
    );
    session.type_(
        "alice",
        "encl contact list && encl key list && encl group show finance",
    );
    session.type_("alice", "encl unwrap letter.pdf.encl -o - --require-signed");
    session.type_("alice", "encl wrap notes.txt --to bob --require-verified");
    session.type_("alice", "encl wrap notes.txt --to carol");
    session.type_("alice", "encl restore keys.encl --passphrase-file pw");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn newer_local_data_stays() {
    let mut session = with_a_past();
    session.quietly("alice", "encl backup -o keys.encl --passphrase-file pw");
    session.quietly(
        "alice",
        "cp passphrase old && cp pw new && encl key passphrase --new-passphrase-file old && \
         encl key rotate --passphrase-file old > alice2.card && encl group remove finance carol@example.org && \
         encl contact block bob@example.org && encl contact remove carol@example.org --yes",
    );
    session.quietly(
        "bob",
        "encl contact add alice2.card --yes && encl wrap notes.txt --to alice",
    );
    session.type_("alice", "encl restore keys.encl --passphrase-file pw --yes");
    session.type_("alice", "printf '%s\\n' \"$(cat old)\" \"$(cat pw)\" > both && encl restore keys.encl --passphrase-file both --yes");
    session.type_("alice", "encl contact list && encl group show finance");
    session.type_(
        "alice",
        "encl unwrap notes.txt.encl -o - --passphrase-file old",
    );
    session.type_(
        "alice",
        "encl key card | cmp - alice2.card && encl key list --json | jq .standing",
    );
    // A revoked identity is revoked on every machine on which the backup is restored.
    session.quietly(
        "alice",
        "encl key revoke --yes > revocation && encl backup -o later.encl --passphrase-file both",
    );
    session.quietly(
        "alice",
        "encl restore keys.encl --passphrase-file pw --yes --keystore second",
    );
    session.type_(
        "alice",
        "encl restore later.encl --passphrase-file both --yes --keystore second",
    );
    session.type_("alice", "encl key list --keystore second");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_backup_from_a_stranger_verifies_nobody() {
    let mut session = with_a_past();
    // Mallory seals a backup to Alice in which many contacts are verified.
    session.quietly(
        "mallory",
        "encl key new m@example.org --no-passphrase > m.card && encl contact add alice.card --yes && encl contact add bob.card --yes && \
         encl contact verify bob@example.org --no-input > n; encl contact verify bob@example.org --code \"$(cat n)\" && \
         encl group new finance m@example.org && encl group new board m@example.org bob@example.org && \
         encl backup --to alice@example.org --anonymous -o gift.encl && encl backup --to alice@example.org -o signed.encl",
    );
    session.quietly("alice", "encl contact remove bob@example.org --yes");
    session.type_("alice", "encl restore gift.encl --dry-run");
    session.type_("alice", "encl restore signed.encl --dry-run --json");
    session.type_(
        "alice",
        "encl restore signed.encl --yes; encl contact show bob@example.org | grep trust",
    );
    session.type_("alice", "encl group show finance && encl key list");
    // Restore it once more, then a passphrase backup to which Mallory gave Alice access.
    session.type_(
        "alice",
        "encl restore signed.encl --yes 2>&1 | grep -c 'not certain'",
    );
    session.quietly(
        "mallory",
        "encl backup -o words.encl --passphrase-file passphrase && encl grant words.encl --to alice@example.org --passphrase-file passphrase",
    );
    session.type_(
        "alice",
        "encl restore words.encl --dry-run --json | jq -c '.mine, .identities'",
    );
    session.type_(
        "alice",
        "encl restore words.encl --yes --foreign 2>&1 | tail -2; encl key list; encl contact list",
    );
    // A signed backup of one's own is trusted like one with a passphrase.
    session.quietly("bob", "encl backup --to carol.card -o bobs.encl");
    session.quietly("carol", "encl contact add bob.card --yes");
    session.type_("carol", "encl restore bobs.encl --dry-run");
    insta::assert_snapshot!(session.transcript());
}

/// A revocation is permanent, in whatever way an identity is restored.
#[test]
fn a_revoked_identity_stays_revoked() {
    let mut session = with_a_past();
    session.quietly(
        "alice",
        "encl backup -o early.encl --passphrase-file pw && encl key paper -o page",
    );
    let second = "--keystore second --passphrase-file pw --yes";
    session.quietly("alice", &format!("encl restore early.encl {second}"));
    session.quietly(
        "alice",
        "encl key passphrase --keystore second --new-passphrase-file passphrase && encl key revoke --yes > end && \
         encl backup -o late.encl --passphrase-file pw",
    );
    session.type_(
        "alice",
        &format!("encl restore late.encl {second} && encl key list --keystore second"),
    );
    session.type_(
        "alice",
        &format!("encl restore late.encl {second} 2>&1 | tail -1"),
    );
    // On this machine the revocation was added before the keys.
    session.type_("alice", "encl contact add end --yes --keystore third");
    session.type_("alice", "encl restore early.encl --keystore third --passphrase-file pw --yes; encl key list --keystore third");
    session.quietly("alice", "encl contact add end --yes --keystore fourth");
    session.type_("alice", "encl key paper --restore page --no-passphrase --keystore fourth; encl key list --keystore fourth");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn broken_files_are_not_backed_up_and_are_restored() {
    let session = with_a_past();
    session.quietly("alice", "encl backup -o keys.encl --passphrase-file pw");
    for file in ["card", "secret", "revocation"] {
        let file = format!("\"$ENCL_KEYSTORE\"/identities/*/{file}");
        session.quietly("alice", &format!("echo junk > x && cat x > $(echo {file})"));
        assert_ne!(
            session
                .ask("alice", "encl backup -o b.encl --passphrase-file pw")
                .exit,
            0,
            "{file}"
        );
        assert_eq!(session.ask("alice", "encl doctor").exit, 1, "{file}");
        session.quietly("alice", &format!("rm {file}"));
        assert_ne!(
            session
                .ask("alice", "encl backup -o b.encl --passphrase-file pw")
                .exit,
            0,
            "{file}"
        );
        session.quietly(
            "alice",
            "encl restore keys.encl --passphrase-file pw --yes && encl doctor",
        );
    }
    // A file of 1 TiB is not read, and a folder is not taken for a file.
    session.quietly("alice", "cd \"$ENCL_KEYSTORE\" && truncate -s 1T lock");
    assert_eq!(session.ask("alice", "encl doctor").exit, 1);
    session.quietly(
        "alice",
        "cd \"$ENCL_KEYSTORE\" && rm lock && mkdir -m 700 lock",
    );
    assert_eq!(session.ask("alice", "encl doctor").exit, 1);
    session.quietly("alice", "ln -s /nowhere link");
    assert_eq!(session.ask("alice", "encl doctor --keystore link").exit, 1);
}

#[test]
fn mistakes_with_backups_are_reported() {
    let mut session = with_a_past();
    session.quietly("alice", "encl backup -o keys.encl --passphrase-file pw");
    session.type_("alice", "encl restore letter.pdf.encl");
    session.type_("alice", "encl restore notes.txt");
    session.type_(
        "alice",
        "encl restore keys.encl --passphrase-file passphrase --yes",
    );
    session.type_(
        "alice",
        "head -c -40 keys.encl > short.encl && encl restore short.encl --passphrase-file pw --yes --keystore second; ls second",
    );
    session.type_("nobody", "encl backup -o nothing.encl --passphrase-file pw");
    session.type_("alice", "encl backup -o none/keys.encl --passphrase-file pw; encl backup -o k.encl --no-input; ls k.encl");
    session.type_(
        "alice",
        "encl backup --to carol@example.org -o for-carol.encl",
    );
    session.type_(
        "alice",
        "encl backup --to bob@example.org -o for-bob.encl && encl restore for-bob.encl",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn the_doctor_says_what_is_wrong_and_how_to_mend_it() {
    let mut session = with_a_past();
    session.type_("nobody", "encl doctor");
    session.type_("alice", "encl doctor");
    session.quietly("alice", "encl backup -o keys.encl --passphrase-file pw && encl key passphrase --new-passphrase-file passphrase");
    session.type_("alice", "encl doctor");
    session.type_("alice", "encl doctor --open --passphrase-file pw");
    session.type_("alice", "encl doctor --open --passphrase-file passphrase");
    session.quietly(
        "alice",
        "cd \"$ENCL_KEYSTORE\" && chmod 644 default && echo x >> contacts/$(ls contacts | head -1) && touch notes && \
         truncate -s 9 identities/*/secret && ln -s / groups/link && echo 2040-01-01T00:00:00Z > \"$XDG_STATE_HOME/encl/clock\" && chmod 600 \"$XDG_STATE_HOME/encl/clock\"",
    );
    let broken = session.ask(
        "alice",
        "encl doctor; encl doctor --json | jq -r .level | sort | uniq -c",
    );
    assert_eq!(broken.exit, 0, "the exit code of the pipe");
    let text = broken.text();
    for expected in [
        "chmod go= ",
        "cannot be opened",
        "encl restore BACKUP",
        "not a file of a keystore",
        "dates cannot be checked",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(session.ask("alice", "encl doctor").exit, 1);
    // Do what the message said: remove the broken file and restore it from the backup.
    session.quietly(
        "alice",
        "cd \"$ENCL_KEYSTORE\" && chmod go= default && rm contacts/$(ls contacts | head -1) identities/*/secret \"$XDG_STATE_HOME/encl/clock\" groups/link notes",
    );
    session.quietly("alice", "encl restore keys.encl --passphrase-file pw --yes");
    session.quietly("alice", "encl doctor && encl unwrap letter.pdf.encl -o -");
    insta::assert_snapshot!(session.transcript());
}
