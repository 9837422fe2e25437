//! Invitations: a person is invited by mail and answers with a card, which does not verify the person.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::folder::Prepared;
use crate::session::Session;

/// Alice has invited Dora, whose answer is `answer.txt`.
fn invited() -> Session {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Session::made_once(&MADE, || {
        let session = Session::with_people();
        session.quietly("alice", "encl invite dora@example.org > invitation.txt");
        session.quietly(
            "dora",
            "encl key new dora@example.org --name Dora --no-passphrase > dora.card",
        );
        session.quietly("dora", &answer("invitation.txt", "answer.txt"));
        session
    })
}

/// The command in the third step of an invitation.
fn answer(invitation: &str, answer: &str) -> String {
    format!("sh -c \"$(grep -e --invitation {invitation})\" > {answer}")
}

fn text(session: &Session, name: &str) -> String {
    String::from_utf8(session.read(name)).unwrap()
}

#[test]
fn a_newcomer_is_invited_and_answers() {
    let mut session = Session::with_people();
    session.type_("alice", "encl invite dora@example.org > invitation.txt");
    session.type_("alice", "cat invitation.txt");
    session.type_("dora", "encl contact add invitation.txt --yes");
    session.type_(
        "dora",
        "encl key new dora@example.org --name Dora --no-passphrase > dora.card",
    );
    session.type_("dora", "encl contact add invitation.txt --yes");
    session.type_("dora", &answer("invitation.txt", "answer.txt"));
    session.type_("dora", "cat answer.txt");
    session.type_("alice", "encl contact add answer.txt");
    session.type_("alice", "encl contact add answer.txt --yes");
    session.type_("alice", "encl contact add - --yes < answer.txt");
    session.type_("alice", "encl contact list | grep Dora");
    session.type_(
        "alice",
        "encl contact add answer.txt --json | jq -c '.accepted, .trust, .invitation.state, .invitation.address'",
    );
    session.type_("alice", "encl invite dora@example.org | head -1");
    insta::assert_snapshot!(session.transcript());
    let lines = text(&session, "invitation.txt");
    assert!(lines.lines().all(|line| line.len() <= 76), "{lines}");
}

#[test]
fn tokens_that_answer_no_invitation() {
    let mut session = invited();
    session.quietly(
        "eve",
        "encl key new eve@example.org --name Eve --no-passphrase > eve.card",
    );
    session.quietly("eve", &answer("invitation.txt", "from-eve.txt"));
    session.quietly("carol", &answer("invitation.txt", "from-carol.txt"));
    session.type_("alice", "encl contact add from-eve.txt --yes");
    session.type_("alice", "encl contact add answer.txt --yes");
    session.type_("alice", "encl contact add from-carol.txt --yes");
    session.type_("bob", "encl contact add answer.txt --yes");
    session.type_(
        "alice",
        "encl invite erin@example.org > invitation.txt && sed -i 's/\"made\":\"20../\"made\":\"2020/' $ENCL_KEYSTORE/invitations/*",
    );
    session.quietly(
        "erin",
        "encl key new erin@example.org --name Erin --no-passphrase > erin.card",
    );
    session.quietly("erin", &answer("invitation.txt", "from-erin.txt"));
    session.type_("alice", "encl contact add from-erin.txt --yes");
    session.type_(
        "dora",
        "encl key card --invitation encl-invitation1:nonsense",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn addresses_that_cannot_be_invited() {
    let mut session = Session::with_people();
    session.type_("alice", "encl invite Alice@EXAMPLE.org");
    session.type_("alice", "encl invite 'nobody'");
    session.type_("alice", "encl invite 'a@example.org, b@example.org'");
    session.type_("nobody", "encl invite dora@example.org");
    session.type_("alice", "encl invite bob@example.org -o to-bob.txt");
    session.type_("alice", "encl invite bob@example.org -o to-bob.txt");
    session.type_("alice", "ls $ENCL_KEYSTORE/invitations | wc -l");
    session.type_(
        "alice",
        "encl invite dora@example.org --json | jq -c '.schema, .address, (.text | length > 2000)'",
    );
    insta::assert_snapshot!(session.transcript());
}

/// A message with these header fields and this body.
fn message(from: &str, fields: &str, body: &str) -> String {
    format!("{from}To: alice@example.org\nSubject: my card\n{fields}\n{body}\n")
}

/// All ways in which mail programs send a card.
fn shapes(answer: &str, card: &str, invitation: &str) -> Vec<(&'static str, String)> {
    let from = "From: Dora <DORA@example.org>\n";
    let encoded = |text: &str| STANDARD.encode(text);
    let parts = |parts: &[String]| {
        let body: Vec<String> = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
        let body = body.concat();
        let mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n";
        message(from, mixed, &format!("{body}--b--"))
    };
    let quoted = invitation.replace('\n', "\n> ");
    let soft = answer.replace('_', "=5F").replace("ab", "a=\nb");
    let html = answer.replace('\n', "<br>\n");
    let token = answer.lines().next().unwrap();
    let attached = format!(
        "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=dora.card\n\
         Content-Transfer-Encoding: base64\n\n{}",
        encoded(card)
    );
    let said = format!("Content-Type: text/plain\n\nHello: here.\n{token}\n");
    vec![
        ("text", answer.to_owned()),
        ("plain", message(from, "", answer)),
        ("crlf", message(from, "", answer).replace('\n', "\r\n")),
        (
            "quoting",
            message(from, "", &format!("{answer}\n> {quoted}")),
        ),
        (
            "no answer line",
            message(from, "", &format!("{card}\n> {quoted}")),
        ),
        (
            "mbox",
            format!(
                "From dora@example.org Tue Nov 24 06:24:00 2026\n{}",
                message(from, "", answer)
            ),
        ),
        (
            "quoted-printable",
            message(from, "Content-Transfer-Encoding: quoted-printable\n", &soft),
        ),
        (
            "base64",
            message(
                from,
                "Content-Transfer-Encoding: base64\n",
                &encoded(answer),
            ),
        ),
        (
            "html",
            message(from, "Content-Type: text/html\n", &format!("<p>{html}</p>")),
        ),
        ("attachment", parts(&[said.clone(), attached.clone()])),
        ("twice", parts(&[format!("{said}\n{card}"), attached])),
    ]
}

#[test]
fn an_answer_comes_in_any_message() {
    let session = invited();
    let [answer, card, invitation] =
        ["answer.txt", "dora.card", "invitation.txt"].map(|name| text(&session, name));
    for (name, shape) in shapes(&answer, &card, &invitation) {
        let again = session.again();
        again.write("mail", shape);
        let added = again.ask("alice", "encl contact add mail --yes --json");
        assert_eq!(added.exit, 0, "{name}: {}", added.stderr);
        let object = added.text();
        assert!(object.contains("\"state\":\"answers\""), "{name}: {object}");
        assert!(
            object.contains("\"trust\":\"unverified\""),
            "{name}: {object}"
        );
    }
}

#[test]
fn a_message_brings_the_card_of_its_sender() {
    let mut session = invited();
    let answer = text(&session, "answer.txt");
    let [bob, dora] = ["bob.card", "dora.card"].map(|name| text(&session, name));
    let from = "From: Dora <dora@example.org>\n";
    let eve = "From: \"dora@example.org\" <eve@example.org>\n";
    session.write("from-eve.eml", message(eve, "", &answer));
    session.write("from-nobody.eml", message("", "Date: today\n", &answer));
    session.write(
        "two-fields.eml",
        message(&format!("{from}{eve}"), "", &answer),
    );
    let both = "From: dora@example.org, eve@example.org\n";
    session.write("two-people.eml", message(both, "", &answer));
    session.write("two-cards.eml", message(from, "", &format!("{bob}{dora}")));
    session.write(
        "not-understood.eml",
        message("From: Dora dora@example.org\n", "", &answer),
    );
    session.write("no-card.eml", message(from, "", "see encl-card1: later"));
    session.write(
        "mangled.eml",
        message(from, "", &dora.replacen("eyJ", "eyK", 1)),
    );
    session.write("words", "Dear Alice,\n\u{1b}[31mhere is no card: really\n");
    for name in [
        "from-eve.eml",
        "from-nobody.eml",
        "two-fields.eml",
        "two-people.eml",
        "not-understood.eml",
        "two-cards.eml",
        "no-card.eml",
        "words",
    ] {
        session.type_("alice", &format!("encl contact add {name} --yes"));
    }
    insta::assert_snapshot!(session.transcript());
    let mangled = session.ask("alice", "encl contact add mangled.eml --yes");
    assert_eq!(mangled.exit, 4);
    assert!(mangled.stderr.contains("group 1 of "), "{}", mangled.stderr);
}

#[test]
fn an_address_that_looks_like_another_one_is_reported() {
    let session = Session::with_people();
    session.quietly(
        "eve",
        "encl key new b\u{43e}b@example.org --name Bob --no-passphrase > other.card",
    );
    let added = session.quietly("alice", "encl contact add other.card --yes");
    assert!(
        added
            .stderr
            .contains("warning: b\u{43e}b@example.org looks like bob@example.org of Bob"),
        "{}",
        added.stderr
    );
    let again = session.quietly("alice", "encl contact add other.card --yes");
    assert!(!again.stderr.contains("warning"), "{}", again.stderr);
}

#[test]
fn hostile_messages_are_refused_in_time() {
    let session = invited();
    let answer = text(&session, "answer.txt");
    let from = "From: dora@example.org\n";
    let long = "x".repeat(70_000) + "\n";
    session.write("long.eml", message(from, "", &long.repeat(1_000)));
    session.write(
        "many.eml",
        message(from, "", &"encl-card1:eyJ\n".repeat(100_000)),
    );
    session.write(
        "tokens",
        "encl-answer1:BwcHBwcHBwcHBwcHBwcHBwO6\n".repeat(100_000) + &answer,
    );
    for name in ["long.eml", "many.eml", "tokens"] {
        let began = std::time::Instant::now();
        let refused = session.ask("alice", &format!("encl contact add {name} --yes --json"));
        assert_eq!(refused.exit, 4, "{name}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("over-limit"),
            "{name}: {}",
            refused.stderr
        );
        assert!(
            began.elapsed().as_secs() < 5,
            "{name}: {:?}",
            began.elapsed()
        );
    }
    let line = "x".repeat(997) + "\n";
    let large = message(from, "", &(line.repeat(20_000) + &answer));
    session.write("large.eml", large);
    session.quietly("alice", "encl contact add large.eml --yes");
}
