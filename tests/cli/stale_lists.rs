//! A list of readers that is out of date: nobody whom only others know loses access in silence.

use std::sync::OnceLock;

use crate::folder::Prepared;
use crate::session::Session;

/// Ann and Ben sealed for their team, which is Ann, Ben and Eve. Then Ann let Fay in and took Eve off; Ben's group is of last week.
fn with_stale_group() -> Session {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Session::made_once(&MADE, || {
        let session = Session::new();
        for name in ["ann", "ben", "eve", "fay"] {
            let title = name[..1].to_uppercase() + &name[1..];
            session.quietly(
                name,
                &format!(
                    "encl key new {name}@example.org --name {title} --no-passphrase > {name}.card"
                ),
            );
        }
        for (person, other) in [("ann", "ben"), ("ben", "ann")] {
            session.quietly(
                person,
                &format!(
                    "encl contact add {other}.card --yes && encl contact add eve.card --yes && \
                     encl group new team {other}@example.org eve@example.org && mkdir -p folder && \
                     for n in 1 2; do echo $n > folder/{person}$n.txt && encl wrap folder/{person}$n.txt --to @team && rm folder/{person}$n.txt; done"
                ),
            );
        }
        session.quietly(
            "ann",
            "encl contact add fay.card --yes && encl group add team fay@example.org && encl rewrap -r folder --to @team --yes && \
             encl group remove team eve@example.org",
        );
        let removed = session.ask("ann", "encl rewrap -r folder --to @team --yes");
        assert_eq!(removed.exit, 5, "what Ben signed: {}", removed.stderr);
        session
    })
}

fn state(session: &Session) -> String {
    session.quietly("ann", "sha256sum folder/*").text()
}

fn fingerprint(session: &Session, person: &str) -> String {
    let list = session.quietly(person, "encl key list --json").text();
    let (_, rest) = list.split_once("\"id\":\"").unwrap();
    rest[..64].to_owned()
}

#[test]
fn a_stale_group_undoes_nothing_in_silence() {
    let mut session = with_stale_group();
    let before = state(&session);
    let rewrap = "encl rewrap -r folder --to @team";
    session.type_("ben", &format!("{rewrap} --dry-run"));
    for options in [
        "--yes",
        "",
        "--yes --no-input --json",
        "--yes --drop-granted -q",
    ] {
        let refused = session.type_("ben", &format!("{rewrap} {options}"));
        assert_eq!(refused.exit, 5, "{options}: {}", refused.stderr);
        assert!(state(&session) == before, "{options}: nothing is written");
    }
    session.quietly("fay", "encl verify folder/*.encl");
    session.type_(
        "ben",
        "encl rewrap folder/ben1.txt.encl --to @team --dry-run --json",
    );
    // Once Ben's list is Ann's, all goes on.
    session.quietly(
        "ben",
        "encl contact add fay.card --yes && encl group add team fay@example.org && encl group remove team eve@example.org",
    );
    session.type_("ben", &format!("{rewrap} --yes"));
    session.quietly("fay", "encl verify folder/*.encl");
    assert_eq!(session.ask("eve", "encl verify folder/*.encl").exit, 3);
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn an_unknown_reader_is_removed_when_named_or_after_a_yes() {
    let mut session = with_stale_group();
    let fay = fingerprint(&session, "fay");
    let rewrap = "encl rewrap folder/ben1.txt.encl --to @team --yes --drop-unknown";
    session.type_("ben", &format!("{rewrap} Fay"));
    session.type_("ben", &format!("{rewrap} {}", fingerprint(&session, "eve")));
    let named = session.ask("ben", &format!("{rewrap} {fay}"));
    assert_eq!(named.exit, 0, "{}", named.stderr);
    assert_eq!(
        session.ask("fay", "encl verify folder/ben1.txt.encl").exit,
        3
    );
    if session.has_terminal() {
        let before = state(&session);
        let line = "encl rewrap folder/ben2.txt.encl --to @team --yes";
        let no = session.ask_on_terminal("ben", line, "n\n");
        assert_eq!(no.exit, 6, "{}", no.text());
        assert!(state(&session) == before, "the answer was no");
        let yes = session.ask_on_terminal("ben", line, "y\n");
        assert_eq!(yes.exit, 0, "{}", yes.text());
        assert_eq!(yes.text().matches("[y/N]").count(), 1, "{}", yes.text());
        assert!(yes.text().contains("nobody here knows"), "{}", yes.text());
        assert_eq!(
            session.ask("fay", "encl verify folder/ben2.txt.encl").exit,
            3
        );
    }
    insta::assert_snapshot!(session.transcript());
}

/// Whoever has a new identity was known under the old one, and somebody whose key has expired still is.
#[test]
fn whoever_was_met_is_no_stranger() {
    let session = Session::with_people();
    session.quietly("alice", "encl wrap notes.txt --to bob@example.org");
    session.quietly("bob", "encl key replace > new.card");
    session.quietly("alice", "encl contact add new.card --yes");
    session.quietly(
        "alice",
        "encl rewrap notes.txt.encl --to bob@example.org --yes --no-input",
    );
    session.quietly("bob", "encl verify notes.txt.encl");
    session.quietly(
        "zoe",
        "encl key new zoe@example.org --no-passphrase --expires 2s > zoe.card",
    );
    session.quietly(
        "alice",
        "encl wrap letter.pdf.encl --to zoe.card -o z.encl; sleep 2.1; encl rewrap z.encl --to bob@example.org --yes --no-input",
    );
    assert_eq!(session.ask("zoe", "encl verify z.encl").exit, 3);
}

/// `--from` names people itself, and needs no card of them.
#[test]
fn revoke_and_drop_remove_whom_they_name() {
    let session = with_stale_group();
    let fay = fingerprint(&session, "fay");
    session.quietly(
        "ben",
        &format!("encl drop folder/ben1.txt.encl --from {fay} --yes"),
    );
    session.quietly(
        "ben",
        &format!("encl revoke folder/ben2.txt.encl --from {fay} --yes"),
    );
    for file in ["ben1", "ben2"] {
        let shut = session.ask("fay", &format!("encl verify folder/{file}.txt.encl"));
        assert_eq!(shut.exit, 3, "{file}");
    }
}

/// Carol is a contact of Bob's. Alice, who keeps @team, lets her in after the group card that Bob has: named in one envelope, by a
/// grant in another.
#[test]
fn whom_the_keeper_of_a_group_let_in_since_stays_until_somebody_says_otherwise() {
    let mut session = Session::with_people();
    session.quietly("bob", "encl contact add carol.card --yes");
    session.quietly(
        "alice",
        "encl group new team bob@example.org && encl group card team -o team.group && mkdir folder && \
         encl wrap notes.txt --to @team -o folder/before.encl",
    );
    session.quietly("bob", "encl contact add team.group --yes && encl wrap notes.txt --to @team --to alice@example.org -o folder/bobs.encl && sleep 2");
    session.quietly(
        "alice",
        "encl group add team carol@example.org && encl wrap notes.txt --to @team -o folder/after.encl && \
         encl grant folder/bobs.encl --to carol@example.org && encl group card team -o later.group",
    );
    let rewrap = "encl rewrap -r folder --to @team --to alice@example.org --resign";
    let refused = session.type_("bob", &format!("{rewrap} --yes --no-input"));
    assert_eq!(refused.exit, 5, "{}", refused.stderr);
    session.quietly("carol", "encl verify folder/after.encl folder/bobs.encl");
    session.type_("bob", &format!("{rewrap} --dry-run"));
    session.type_(
        "bob",
        &format!("encl contact add later.group --yes && {rewrap} --yes"),
    );
    session.quietly("carol", "encl verify folder/*.encl");
    insta::assert_snapshot!(session.transcript());
}
