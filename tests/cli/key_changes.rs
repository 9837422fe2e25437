//! Changes of an identity: another passphrase, another key, revocation, and a move to another machine.

use std::os::unix::fs::PermissionsExt as _;

use crate::session::Session;

/// Alice has a passphrase, and the file `other` holds another one.
fn with_a_locked_alice() -> Session {
    let session = Session::with_a_locked_alice();
    session.write("other", "another passphrase\n");
    session
}

#[test]
fn a_passphrase_is_changed_taken_off_and_put_on() {
    let mut session = with_a_locked_alice();
    session.type_(
        "alice",
        "encl key passphrase --passphrase-file other --new-passphrase-file other",
    );
    session.type_("alice", "encl key passphrase --passphrase-file passphrase");
    session.type_(
        "alice",
        "encl key passphrase --passphrase-file passphrase --new-passphrase-file other",
    );
    session.type_(
        "alice",
        "encl unwrap a.encl -o - --passphrase-file passphrase",
    );
    session.type_("alice", "encl unwrap a.encl -o - --passphrase-file other");
    session.type_(
        "alice",
        "encl key passphrase --no-passphrase --passphrase-file other",
    );
    session.type_(
        "alice",
        "encl key passphrase --no-passphrase --yes --passphrase-file other",
    );
    session.type_("alice", "encl unwrap a.encl -o -");
    session.type_(
        "alice",
        "encl key passphrase alice --new-passphrase-command 'cat passphrase' --json",
    );
    session.type_(
        "alice",
        "encl unwrap a.encl -o - --passphrase-file passphrase",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_new_passphrase_is_asked_twice_on_the_terminal() {
    let session = with_a_locked_alice();
    if !session.has_terminal() {
        return;
    }
    let typed = "correct horse\nanother passphrase\nanother passphrase\n";
    let answer = session.ask_on_terminal("alice", "encl key passphrase", typed);
    assert_eq!(answer.exit, 0, "{}", answer.text());
    session.quietly("alice", "encl unwrap a.encl -o b --passphrase-file other");
}

/// systemd.exec(5): `LoadCredential=encl-passphrase:FILE`. A passphrase file that the user names takes precedence.
#[test]
fn a_service_manager_gives_the_passphrase() {
    let session = with_a_locked_alice();
    session.quietly(
        "alice",
        "mkdir credentials && cp passphrase credentials/encl-passphrase",
    );
    let given = "CREDENTIALS_DIRECTORY=$PWD/credentials encl unwrap a.encl -o - --no-input";
    assert_eq!(session.quietly("alice", given).text(), "a\n");
    let named = session.ask("alice", &format!("{given} --passphrase-file other"));
    assert_eq!(named.exit, 6, "{}", named.stderr);
    let named = session.ask(
        "alice",
        &format!("export ENCL_PASSPHRASE_FILE=other; {given}"),
    );
    assert_eq!(named.exit, 6, "{}", named.stderr);
    session.quietly("alice", "rm credentials/encl-passphrase");
    assert_eq!(session.ask("alice", given).exit, 6);
}

#[test]
fn a_key_is_rotated_and_the_old_one_still_opens() {
    let mut session = with_a_locked_alice();
    session.quietly("alice", "cp passphrase p; encl contact add bob.card --yes");
    session.type_(
        "alice",
        "encl key rotate --passphrase-file other > later.card",
    );
    session.type_(
        "alice",
        "encl key rotate --passphrase-file p > later.card && encl key card | cmp - later.card",
    );
    session.type_("alice", "encl key show");
    session.type_("bob", "encl contact add later.card --yes");
    session.type_("bob", "encl contact add alice.card --yes");
    session.type_("bob", "encl rewrap a.encl --yes");
    session.type_("bob", "echo b > b && encl wrap b --to alice@example.org");
    session.type_(
        "alice",
        "encl unwrap a.encl b.encl -C . --force --passphrase-file p",
    );
    session.type_("alice", "encl key rotate nobody");
    session.type_("alice", "encl key rotate --expires 2020-01-01");
    for _ in 0..14 {
        session.quietly(
            "alice",
            "encl key rotate --classic --passphrase-file p > later.card",
        );
    }
    session.type_("alice", "encl key rotate --passphrase-file p");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_expiring_key_is_renewed() {
    let mut session = Session::new();
    session.write("a", "a\n");
    session.quietly(
        "alice",
        "encl key new alice@example.org --no-passphrase --expires 1s > alice.card; sleep 1.1",
    );
    session.quietly(
        "bob",
        "encl key new bob@example.org --no-passphrase > bob.card",
    );
    session.quietly("bob", "encl contact add alice.card --yes");
    session.type_("bob", "encl wrap a --to alice@example.org");
    session.type_("alice", "encl key renew");
    session.type_("alice", "encl key renew --expires 2020-01-01");
    session.type_("alice", "encl key renew --never > later.card");
    session.type_(
        "bob",
        "encl contact add later.card --yes && encl wrap a --to alice@example.org",
    );
    session.type_(
        "alice",
        "encl key renew --expires 730d --json | cut -c 1-22",
    );
    session.type_("alice", "encl unwrap a.encl -o -");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_identity_is_revoked_without_its_keys_and_still_opens() {
    let mut session = with_a_locked_alice();
    session.type_("alice", "encl key revoke");
    session.type_(
        "alice",
        "encl key revoke --yes > alice.revocation && cut -c 1-17 alice.revocation",
    );
    session.type_("alice", "encl key list");
    session.type_("alice", "encl wrap a --to bob.card");
    session.type_("alice", "encl wrap a --to bob.card --as Alice");
    session.type_(
        "alice",
        "encl wrap a --to bob.card --anonymous --no-self -o for-bob.encl",
    );
    session.type_("alice", "encl key rotate alice@example.org");
    session.type_("alice", "encl key default alice@example.org");
    session.type_(
        "alice",
        "encl unwrap a.encl -o - --passphrase-file passphrase",
    );
    session.type_(
        "alice",
        "encl key new alice@example.org --name Alice --no-passphrase > new.card && encl key list",
    );
    session.type_(
        "alice",
        "encl wrap a --to bob.card -o again.encl && encl verify again.encl",
    );
    session.type_(
        "alice",
        "encl unwrap a.encl -o - --passphrase-file passphrase",
    );
    session.quietly("alice", "rm \"$ENCL_KEYSTORE\"/identities/*/secret");
    session.type_("alice", "encl key revoke --yes --json | cut -c 1-28");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_identity_is_replaced_and_contacts_follow() {
    let mut session = with_a_locked_alice();
    session.quietly("alice", "encl contact add bob.card --yes");
    session.quietly("bob", "encl group new friends alice@example.org");
    session.quietly(
        "mallory",
        "encl key new alice@example.org --name Alice --no-passphrase > mallory.card",
    );
    session.type_(
        "alice",
        "encl key replace --passphrase-file passphrase > new.card && encl key card | cmp - new.card",
    );
    session.type_("alice", "encl key list");
    session.type_(
        "alice",
        "encl key list --json --quiet | grep -c replaced_by",
    );
    session.type_("alice", "encl key replace nobody");
    session.type_(
        "alice",
        "encl wrap a --to bob.card -o from-alice.encl --passphrase-file passphrase",
    );
    session.type_("bob", "encl contact add mallory.card --yes");
    session.type_(
        "bob",
        "encl contact add new.card --yes && encl contact list",
    );
    session.type_("bob", "encl contact add alice.card --yes");
    session.type_("bob", "encl contact add new.card --yes");
    session.type_("bob", "encl verify from-alice.encl");
    session.type_(
        "bob",
        "encl group show friends && encl wrap a --to @friends -o friends.encl",
    );
    session.type_(
        "alice",
        "encl unwrap a.encl friends.encl -C . --force --passphrase-file passphrase",
    );
    // Later cards keep the predecessor's signature.
    session.type_(
        "alice",
        "encl key rotate --passphrase-file passphrase > later.card",
    );
    session.type_(
        "carol",
        "encl contact add alice.card --yes && encl wrap a --to later.card -o from-carol.encl",
    );
    session.type_("carol", "encl contact list");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_identity_goes_to_another_machine() {
    let mut session = with_a_locked_alice();
    session.type_("alice", "encl key export -o alice.identity");
    session.type_("alice", "encl key export -o alice.identity");
    session.type_("alice", "encl key export -o - | cut -c 1-21");
    session.type_("laptop", "encl key import alice.identity && encl key list");
    session.type_(
        "laptop",
        "encl unwrap a.encl -o - --passphrase-file passphrase",
    );
    session.type_("laptop", "encl key import alice.identity");
    // Each machine makes a key of its own, and learns of the other machine's.
    session.type_("alice", "encl key rotate --passphrase-file passphrase > later.card && encl key export -o later.identity");
    session.type_("laptop", "encl key import later.identity");
    session.type_(
        "laptop",
        "encl key import later.identity --passphrase-file passphrase",
    );
    session.type_(
        "laptop",
        "encl key import alice.identity --passphrase-file passphrase",
    );
    session.type_(
        "laptop",
        "encl key show && encl key card | cmp - later.card",
    );
    session.type_("bob", "encl key import bob.card");
    session.type_(
        "bob",
        "sed s/encl-card1:e/encl-card1:f/ alice.identity | encl key import -",
    );
    session.type_(
        "robot",
        "encl key new alice@example.org --no-passphrase > robot.card",
    );
    session.type_("robot", "encl key import alice.identity");
    insta::assert_snapshot!(session.transcript());
    let mode = std::fs::metadata(session.work().join("alice.identity")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
}

/// Two machines each made a key with the same serial: neither key replaces the other.
#[test]
fn two_keys_with_one_serial_are_a_failure_and_no_loss() {
    let session = Session::new();
    session.quietly(
        "alice",
        "encl key new alice@example.org --no-passphrase > alice.card",
    );
    session.quietly("alice", "encl key export -o first.identity");
    session.quietly(
        "laptop",
        "encl key import first.identity && encl key rotate > laptop.card",
    );
    session.quietly(
        "alice",
        "encl key rotate > later.card && encl key export -o later.identity",
    );
    let answer = session.ask("laptop", "encl key import later.identity");
    assert_eq!(answer.exit, 8, "{}", answer.stderr);
    session.quietly("laptop", "encl key card | cmp - laptop.card");
}
