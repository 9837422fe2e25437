//! Commands that manage identities, contacts and groups.

use crate::session::Session;

#[test]
fn my_identities() {
    let mut session = Session::new();
    session.type_("alice", "encl key list");
    session.type_("alice", "encl key card");
    session.type_(
        "alice",
        "encl key new alice@example.org --name Alice --no-passphrase > first.card",
    );
    session.type_("alice", "sleep 1.1; encl key new al@example.com --also-address a@example.com --classic --expires 730d --passphrase-file passphrase > second.card");
    session.type_("alice", "encl key list");
    session.type_("alice", "encl key show AL@example.com");
    session.type_(
        "alice",
        "encl key default al@example.com && encl key card | cmp - second.card",
    );
    session.type_(
        "alice",
        "encl key card Alice -o again.card && cmp first.card again.card",
    );
    session.type_("alice", "encl key card Alice -o again.card");
    session.type_("alice", "encl key list --json");
    session.type_("alice", "encl key remove alice@example.org");
    session.type_(
        "alice",
        "encl key remove alice@example.org --yes && encl key list",
    );
    session.type_("alice", "encl key new nobody");
    session.type_("alice", "encl key new a@example.com");
    insta::assert_snapshot!(session.transcript());
}

/// The identity is on disk before its card is printed, so a failed print loses nothing.
#[test]
fn an_identity_is_kept_when_its_card_cannot_be_printed() {
    let mut session = Session::new();
    let answer = session.type_(
        "alice",
        "encl key new alice@example.org --no-passphrase > /dev/full",
    );
    assert_eq!(answer.exit, 1);
    session.type_("alice", "encl key card | cut -c 1-11");
    let answer = session.type_("dora", "encl key new dora@example.org --no-passphrase >&-");
    assert_eq!(answer.exit, 1);
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn my_contacts() {
    let mut session = Session::with_people();
    session.quietly(
        "bob2",
        "encl key new bob@example.org --name Bob --no-passphrase > other.card",
    );
    session.write(
        "quoted",
        format!(
            "> {}\n",
            String::from_utf8(session.read("carol.card"))
                .unwrap()
                .trim()
        ),
    );
    session.type_("dora", "encl contact list");
    session.type_("dora", "encl contact add bob.card --yes");
    session.type_("dora", "encl contact add bob.card --yes");
    session.type_("dora", "encl contact add --yes < quoted");
    session.type_("dora", "encl contact list");
    session.type_("dora", "encl contact show carol");
    session.type_("dora", "encl contact add other.card --yes");
    session.type_("dora", "encl wrap notes.txt --to other.card");
    session.type_("dora", "tr a b < carol.card | encl contact add - --yes");
    session.type_("dora", "encl contact add notes.txt --yes");
    session.type_(
        "dora",
        "encl contact remove bob@example.org --yes && encl contact list",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn my_groups() {
    let mut session = Session::with_people();
    session.type_("alice", "encl group list");
    session.type_("alice", "encl group show finance");
    session.type_("alice", "encl group new board bob@example.org && encl group add board carol && encl group show board");
    session.type_("alice", "encl group new board");
    session.type_("alice", "encl group new 'No Good'");
    session.type_(
        "alice",
        "encl group remove board bob@example.org && encl group list --json",
    );
    session.type_(
        "alice",
        "encl group new list bob@example.org --address 'The list <List@Example.org>' && encl group add list carol",
    );
    session.type_("alice", "encl group list && encl group show list");
    session.type_(
        "alice",
        "encl group new other --address 'bob@example.org carol@example.org'",
    );
    session.type_("alice", "encl contact remove carol --yes");
    session.type_("alice", "encl wrap notes.txt --to @board");
    session.type_(
        "alice",
        "encl group delete board && encl group delete board",
    );
    insta::assert_snapshot!(session.transcript());
}

/// A keystore that other users can read is not used.
#[test]
fn a_keystore_that_others_can_read_is_refused() {
    let session = Session::with_people();
    session.quietly("alice", "chmod 755 \"$ENCL_KEYSTORE\"");
    let answer = session.ask("alice", "encl wrap notes.txt --to bob@example.org");
    assert_eq!(answer.exit, 1, "{}", answer.stderr);
    session.quietly(
        "alice",
        "chmod 700 \"$ENCL_KEYSTORE\"; chmod 644 \"$ENCL_KEYSTORE\"/identities/*/secret",
    );
    let answer = session.ask("alice", "encl wrap notes.txt --to bob@example.org");
    assert_eq!(answer.exit, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("chmod"), "{}", answer.stderr);
}

#[test]
fn the_keystore_is_found_by_option_environment_and_home() {
    let session = Session::with_people();
    let list = |line: &str| session.quietly("alice", line).text();
    assert!(list("encl key list --keystore \"$ENCL_KEYSTORE/../bob\"").contains("bob@example.org"));
    assert!(list("encl key list").contains("alice@example.org"));
    let other = "unset ENCL_KEYSTORE; export XDG_DATA_HOME=$PWD/data; encl key new x@example.org --no-passphrase > x; ls data";
    assert_eq!(list(other), "encl\n");
    let home = "unset ENCL_KEYSTORE; HOME=$PWD encl key new x@example.org --no-passphrase > x; ls .local/share";
    assert_eq!(list(home), "encl\n");
    assert_eq!(
        list("ENCL_IDENTITY=bob encl key list --keystore \"$ENCL_KEYSTORE/../nowhere\""),
        ""
    );
}
