//! Quorums: envelopes that several people open together, and everything that can be missing or wrong.

use encl::crypto::kdf;
use encl::crypto::{hpke, sha256};
use encl::envelope::Envelope;
use encl::json::to_b64;
use encl::keystore::Keystore;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::session::Session;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn two_of_three_come_together_without_meeting() {
    let mut session = Session::with_a_board();
    session.type_("alice", "encl inspect plan.txt.encl");
    session.type_("alice", "encl unwrap plan.txt.encl");
    session.type_(
        "dan",
        "encl approve plan.txt.encl --to alice@example.org -o dan.approval",
    );
    session.type_(
        "alice",
        "encl unwrap plan.txt.encl --with dan.approval && cat plan.txt",
    );
    session.type_("alice", "encl approve plan.txt.encl --to dan > for-dan");
    session.type_("dan", "encl verify plan.txt.encl --with - < for-dan");
    session.type_(
        "alice",
        "encl verify plan.txt.encl --with \"$(cat bob.approval)\"",
    );
    session.type_(
        "alice",
        "encl verify --json plan.txt.encl --with bob.approval",
    );
    let chat = format!(
        "Bob: here you are\n{}Bob: bye\n",
        text(&session.read("bob.approval"))
    );
    session.write("chat.txt", chat);
    session.type_("alice", "encl verify - --with chat.txt < plan.txt.encl");
    session.type_(
        "dan",
        "encl approve plan.txt.encl --to alice@example.org -o dan.approval",
    );
    session.type_(
        "dan",
        "encl approve --json plan.txt.encl --to alice@example.org -o dan.approval --force",
    );
    insta::assert_snapshot!(session.transcript());
}

/// Only the board can open it, not even its author. A stranger can, once two board members approve.
#[test]
fn a_quorum_without_other_readers() {
    let mut session = Session::with_a_board();
    session.quietly(
        "alice",
        "encl group new board bob@example.org dan@example.org erin@example.org",
    );
    session.type_("alice", "encl wrap notes.txt --quorum 2:@board");
    session.type_("alice", "encl unwrap notes.txt.encl -o -");
    session.type_("bob", "encl approve notes.txt.encl --to carol@example.org");
    session.quietly(
        "bob",
        "encl approve notes.txt.encl --to carol@example.org --yes -o bob.approval --force",
    );
    session.type_(
        "carol",
        "encl unwrap notes.txt.encl -o - --with bob.approval",
    );
    session.type_(
        "erin",
        "encl approve notes.txt.encl --to carol@example.org --yes -o erin.approval",
    );
    session.type_(
        "carol",
        "encl unwrap notes.txt.encl -o - --with bob.approval --with erin.approval",
    );
    let both = [session.read("bob.approval"), session.read("erin.approval")].concat();
    session.write("both", both);
    session.type_("carol", "encl verify notes.txt.encl --with both --strict");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn finance_and_legal() {
    let mut session = Session::with_a_board();
    session.type_(
        "alice",
        "encl wrap notes.txt --to bob@example.org --quorum 1:@finance --quorum 1:@legal",
    );
    session.type_("bob", "encl inspect notes.txt.encl");
    session.type_("bob", "encl verify notes.txt.encl");
    session.type_("bob", "encl verify --json notes.txt.encl");
    session.type_("bob", "encl approve notes.txt.encl --to dan@example.org");
    session.type_(
        "bob",
        "encl approve notes.txt.encl --to dan@example.org --lock 3",
    );
    session.type_(
        "carol",
        "encl approve notes.txt.encl --to dan@example.org --lock 2",
    );
    session.type_(
        "alice",
        "encl wrap notes.txt --to bob@example.org --quorum 2:dan,erin --json -o -  > notes.encl",
    );
    session.type_(
        "dan",
        "encl approve notes.txt.encl --to bob@example.org -o legal",
    );
    session.type_("bob", "encl unwrap notes.txt.encl -o - --with legal");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_private_quorum_names_nobody() {
    let mut session = Session::with_a_board();
    session.quietly(
        "alice",
        "encl wrap notes.txt --private --to carol@example.org --quorum 2:bob,carol,dan",
    );
    session.type_("alice", "encl inspect notes.txt.encl");
    session.type_("carol", "encl verify notes.txt.encl");
    session.type_(
        "carol",
        "encl approve notes.txt.encl --to bob@example.org --yes",
    );
    session.type_(
        "dan",
        "encl approve notes.txt.encl --to carol@example.org > dan.approval",
    );
    session.type_(
        "dan",
        "encl approve notes.txt.encl --to carol@example.org --yes > dan.approval",
    );
    session.type_(
        "carol",
        "encl unwrap notes.txt.encl -o - --with dan.approval",
    );
    session.type_(
        "erin",
        "encl approve notes.txt.encl --to carol@example.org --yes",
    );
    insta::assert_snapshot!(session.transcript());
}

/// One person has two identities, and a share for each.
#[test]
fn a_person_with_two_shares_gives_both() {
    let mut session = Session::with_a_board();
    session.quietly(
        "alice",
        "encl key new two@example.org --name Two --no-passphrase > two.card",
    );
    session.quietly(
        "bob",
        "encl wrap notes.txt --quorum 2:two.card,alice@example.org,dan@example.org",
    );
    session.type_("alice", "encl verify notes.txt.encl");
    session.type_("alice", "encl verify notes.txt.encl --as two@example.org");
    session.type_(
        "alice",
        "encl approve notes.txt.encl --to bob@example.org --yes > both",
    );
    session.type_("bob", "encl verify notes.txt.encl --with both");
    session.type_(
        "alice",
        "encl approve notes.txt.encl --to dan@example.org --as two@example.org > one",
    );
    session.type_("dan", "encl verify notes.txt.encl --with one");
    session.type_(
        "dan",
        "encl approve notes.txt.encl --to bob@example.org --lock 1",
    );
    insta::assert_snapshot!(session.transcript());
}

/// The people who are asked for an approval need the envelope as a file, not inside a message.
#[test]
fn an_envelope_in_a_message_is_saved_first() {
    let mut session = Session::with_a_board();
    session.quietly(
        "alice",
        "(printf 'From: bob@example.org\\nTo: alice@example.org\\nMIME-Version: 1.0\\nContent-Type: application/vnd.encl\\n\
         Content-Transfer-Encoding: base64\\n\\n'; base64 plan.txt.encl) > plan.eml",
    );
    session.type_("alice", "encl mail show plan.eml");
    insta::assert_snapshot!(session.transcript());
}

/// An approval of plan.txt.encl for Alice that holds `part`.
fn forged(session: &Session, part: &[u8]) -> String {
    let envelope = session.read("plan.txt.encl");
    let id = Envelope::read(&*envelope).unwrap().manifest().id;
    let mut alice = Keystore::at(session.keystore("alice"))
        .identities()
        .unwrap();
    let public = alice.remove(0).card.keys()[0].public.clone();
    let info = kdf::approval_info(&id.0, 0);
    let sealed = hpke::seal(&public, &info, part, &mut UnwrapErr(SysRng)).unwrap();
    let [id, key, enc, ct] = [&id.0[..], &public.key_id().0, &sealed.enc, &sealed.ct].map(to_b64);
    format!(
        r#"{{"approval":"encl/1","policy":"{id}","lock":0,"key":"{key}","enc":"{enc}","ct":"{ct}"}}"#
    )
}

#[test]
fn forged_approvals_are_named_by_their_files() {
    let mut session = Session::with_a_board();
    let share = |number: u8| [&[number][..], &sha256(&[b"no share"])].concat();
    session.write("forged", forged(&session, &share(2)));
    session.write("nobodys", forged(&session, &share(9)));
    let good = forged(&session, &share(2));
    let at = good.find("\"ct\":\"").unwrap() + 10;
    let other = if &good[at..=at] == "A" { "B" } else { "A" };
    session.write(
        "changed",
        format!("{}{other}{}", &good[..at], &good[at + 1..]),
    );
    for file in ["forged", "nobodys", "changed"] {
        session.type_("alice", &format!("encl verify plan.txt.encl --with {file}"));
    }
    session.type_("alice", "encl verify --json plan.txt.encl --with forged");
    let text = text(&session.read("bob.approval"));
    session.write("cut", &text[..300]);
    session.write("mistyped", text.replacen(":ey", ":Ey", 1));
    session.write("newer", good.replace("encl/1", "encl/2"));
    for file in [
        "cut",
        "mistyped",
        "newer",
        "bob.card",
        "/dev/null",
        "nothing",
        ".",
    ] {
        session.type_("alice", &format!("encl verify plan.txt.encl --with {file}"));
    }
    session.type_("alice", "encl verify --json plan.txt.encl --with bob.card");
    session.type_("alice", "encl verify - --with - < plan.txt.encl");
    session.type_(
        "alice",
        "echo plan.txt.encl | encl verify --files-from - --with -",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn approvals_for_other_envelopes_are_skipped() {
    let mut session = Session::with_a_board();
    session.quietly(
        "bob",
        "encl wrap notes.txt --quorum 2:alice,bob,dan --quorum 1:alice",
    );
    session.quietly(
        "bob",
        "encl approve notes.txt.encl --to alice@example.org -o other",
    );
    session.quietly("alice", "encl approve plan.txt.encl --to bob -o mine");
    session.type_(
        "alice",
        "encl verify plan.txt.encl --with other --with mine",
    );
    session.type_(
        "alice",
        "encl verify --json plan.txt.encl --with other --with bob.approval",
    );
    session.type_(
        "alice",
        "encl verify plan.txt.encl notes.txt.encl --with other --with bob.approval",
    );
    session.type_(
        "alice",
        "encl verify plan.txt.encl letter.pdf.encl --with other --with bob.approval",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn mistakes_in_a_quorum_are_reported() {
    let mut session = Session::with_a_board();
    session.quietly(
        "alice",
        "encl group new board bob@example.org dan@example.org",
    );
    for (quorum, exit) in [
        ("--quorum 2", 2),
        ("--quorum 0:bob", 2),
        ("--quorum x:bob", 2),
        ("--quorum 2:bob,,dan", 2),
        ("--quorum 3:bob,dan", 2),
        ("--quorum 2:@board,Bob", 2),
        ("--quorum 2:bob,bbo@example.org", 7),
        ("--quorum 1:bob --passphrase", 2),
        ("--quorum 1:bob --require-verified", 7),
    ] {
        let answer = session.type_("alice", &format!("encl wrap notes.txt {quorum}"));
        assert_eq!(answer.exit, exit, "{quorum}");
    }
    let many = "--quorum 1:bob ".repeat(8);
    let answer = session.type_("alice", &format!("encl wrap notes.txt --to bob {many}"));
    assert_eq!(answer.exit, 2);
    assert!(!session.work().join("notes.txt.encl").exists());
    for line in [
        "encl approve plan.txt.encl --to @board",
        "encl approve plan.txt.encl --to nobody",
        "encl approve letter.eml --to bob",
        "encl approve nothing --to bob",
        "encl approve plan.txt.encl --to bob -o bob.approval",
    ] {
        session.type_("alice", line);
    }
    session.type_("erin", "encl approve plan.txt.encl --to alice");
    insta::assert_snapshot!(session.transcript());
}

/// Cards given with the quorum become contacts, and a classic key among them is reported.
#[test]
fn the_people_of_a_quorum_are_recipients() {
    let mut session = Session::with_people();
    session.quietly(
        "dan",
        "encl key new dan@example.org --name Dan --classic --no-passphrase > dan.card",
    );
    session.type_("bob", "encl wrap notes.txt --to alice@example.org --quorum 2:dan.card,carol.card,alice@example.org");
    session.type_("bob", "encl contact list");
    session.type_(
        "bob",
        "encl wrap --json notes.txt --quorum 2:dan,carol --no-self -o two.encl",
    );
    session.type_(
        "carol",
        "encl wrap notes.txt --quorum 1:carol,bob.card --anonymous --no-self -o three.encl",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn approving_for_a_person_outside_the_policy_asks_first() {
    let session = Session::with_a_board();
    let line = "encl approve plan.txt.encl --to erin@example.org -o for-erin";
    let no = session.ask_on_terminal("alice", line, "\n");
    assert!(
        no.text().contains("does not name Erin <erin@example.org>"),
        "{}",
        no.text()
    );
    assert_eq!(no.exit, 6, "{}", no.text());
    assert!(!session.work().join("for-erin").exists());
    let yes = session.ask_on_terminal("alice", line, "y\n");
    assert_eq!(yes.exit, 0, "{}", yes.text());
    session.quietly(
        "erin",
        "encl verify plan.txt.encl --with for-erin || [ $? = 5 ]",
    );
    assert_eq!(
        session
            .ask("alice", &format!("{line} --no-input --force"))
            .exit,
        2
    );
}

#[test]
fn dates_also_apply_to_approvals() {
    let mut session = Session::with_a_board();
    session.quietly(
        "alice",
        "encl wrap notes.txt --quorum 2:alice,bob,dan --not-before 1d",
    );
    session.type_(
        "bob",
        "encl approve notes.txt.encl --to alice@example.org -o early",
    );
    assert!(!session.work().join("early").exists());
    session.quietly(
        "alice",
        "encl wrap letter.eml --quorum 2:alice,bob,dan --expires 1s && sleep 2",
    );
    session.type_("bob", "encl approve letter.eml.encl --to alice@example.org");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_clock_that_runs_backwards_is_reported() {
    let mut session = Session::with_a_board();
    let clock = session.state("alice").join("encl/clock");
    std::fs::remove_file(&clock).unwrap_or_default();
    session.quietly("alice", "encl inspect letter.pdf.encl");
    assert!(!clock.exists());
    session.quietly("alice", "encl verify letter.pdf.encl");
    assert!(clock.exists());
    std::fs::write(&clock, "2136-01-01T00:00:00Z\n").unwrap();
    session.type_("alice", "encl verify letter.pdf.encl");
    session.type_("alice", "encl verify --json letter.pdf.encl");
    session.type_(
        "alice",
        "encl approve plan.txt.encl --to bob@example.org -o for-bob --quiet",
    );
    session.type_(
        "alice",
        "rm ../state/alice/encl/clock; encl unwrap letter.pdf.encl",
    );
    insta::assert_snapshot!(session.transcript());
}
