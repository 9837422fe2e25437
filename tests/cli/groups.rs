//! Groups that travel: given on as a group card, taken by others, changed by whoever keeps them.

use crate::session::Session;

/// Alice keeps @team; Bob takes it, and later the one without Carol.
#[test]
fn a_group_is_given_to_others_and_a_later_card_changes_it() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "encl group new team bob@example.org carol@example.org --address team@lists.example.org",
    );
    session.type_(
        "alice",
        "encl group card team -o team.group && encl group show team",
    );
    session.type_("alice", "encl group card team -o team.group");
    session.type_("bob", "encl contact add team.group --no-input");
    session.type_("bob", "encl contact add team.group --yes");
    session.type_(
        "bob",
        "encl contact add team.group --yes && encl group list",
    );
    session.type_("bob", "encl wrap notes.txt --to @team -o n.encl");
    session.type_("bob", "encl group remove team carol@example.org");
    session.type_("alice", "encl group remove team carol@example.org");
    session.type_(
        "alice",
        "encl group card team -o later.group && encl group list",
    );
    session.type_("bob", "encl contact add later.group --yes");
    session.type_("bob", "encl contact add team.group --yes");
    session.type_(
        "bob",
        "encl group delete team && encl contact add team.group --yes",
    );
    session.type_(
        "bob",
        "encl contact add later.group --yes --group alices && encl group show alices",
    );
    session.type_(
        "bob",
        "encl group keep alices && encl group add alices alice@example.org",
    );
    session.type_("bob", "encl group card alices -o alices.group");
    session.type_("alice", "encl contact add alices.group --yes --json");
    session.type_("alice", "encl contact add bob.card --group team");
    insta::assert_snapshot!(session.transcript());
}

/// In a message only its keeper's address may stand; a damaged one is told; one without a card is taken by nobody.
#[test]
fn a_group_in_a_message_or_damaged_or_incomplete() {
    let mut session = Session::with_people();
    session.quietly("alice", "encl group card finance -o finance.group");
    session.type_("bob", "(printf 'From: alice@example.org\\nSubject: finance\\n\\nHere it is:\\n\\n'; cat finance.group) > m.eml && encl contact add m.eml --yes");
    session.type_(
        "bob",
        "sed 's/^From: alice/From: eve/' m.eml > e.eml; encl contact add e.eml --yes",
    );
    session.type_(
        "bob",
        "sed '2s/^..../AAAA/' finance.group > damaged.group; encl contact add damaged.group --yes",
    );
    session.type_("erin", "awk 'BEGIN {RS=\"\"; ORS=\"\\n\\n\"} NR < 3' finance.group > cut.group; encl contact add cut.group --yes");
    session.type_(
        "alice",
        "encl contact block carol@example.org && encl group card finance -o f.group",
    );
    insta::assert_snapshot!(session.transcript());
}
