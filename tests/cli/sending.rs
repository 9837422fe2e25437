//! `encl mail send`, which mail programs call instead of sendmail.

use crate::session::Session;

/// A letter of Alice's with these fields.
pub(crate) fn letter(fields: &str) -> String {
    format!(
        "From: Alice <alice@example.org>\n{fields}Subject: the secret plan\n\nThe code is 4711.\n"
    )
}

/// The text of a sent message, opened by `person`.
fn opened(session: &Session, person: &str, name: &str) -> String {
    session
        .quietly(person, &format!("encl mail unwrap {name} --quiet"))
        .text()
}

/// The arguments of each call of sendmail.
pub(crate) fn sent(session: &Session) -> Vec<String> {
    let words = |n: usize| std::fs::read_to_string(session.work().join(format!("sent-{n}")));
    (1..)
        .map_while(|n| words(n).ok())
        .map(|words| words.trim_end().to_owned())
        .collect()
}

#[test]
fn one_word_in_front_of_sendmail() {
    let mut session = Session::with_people();
    session.type_(
        "alice",
        "encl mail send -- sendmail -oem -oi -f alice@example.org -- bob@example.org < letter.eml",
    );
    session.type_("alice", "cat sent-1; sed -n '1,/^$/p' sent-1.eml");
    session.type_("bob", "encl mail unwrap sent-1.eml | cmp - letter.eml");
    session.type_(
        "alice",
        "cat letter.eml | encl mail send --quiet --subject news -- sendmail -ti; cat sent-2; grep -h ^Subject sent-2.eml",
    );
    session.type_("carol", "encl mail unwrap sent-2.eml");
    insta::assert_snapshot!(session.transcript());
}

/// Carol is in Bcc. No byte of Bob's message names her, sealed or not.
#[test]
fn blind_readers_get_a_message_of_their_own() {
    let session = Session::with_people();
    session.write(
        "blind.eml",
        letter("To: Bob <bob@example.org>\nBcc: Carol <carol@example.org>,\n alice@example.org\nBCC: carol@example.org\n"),
    );
    session.quietly("alice", "encl mail send -- sendmail -t -oi < blind.eml");
    assert_eq!(
        sent(&session),
        [
            "-oi -- bob@example.org",
            "-oi -- carol@example.org",
            "-oi -- alice@example.org"
        ]
    );
    let says = opened(&session, "bob", "sent-1.eml");
    assert_eq!(says, letter("To: Bob <bob@example.org>\n"));
    assert_eq!(opened(&session, "carol", "sent-2.eml"), says);
    assert_eq!(opened(&session, "alice", "sent-3.eml"), says);
    let names = |n: usize| {
        let inspected = session.quietly("dora", &format!("encl mail inspect --json sent-{n}.eml"));
        let object: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
        let locks = object["locks"].as_array().unwrap();
        let readers = locks
            .iter()
            .flat_map(|lock| lock["recipients"].as_array().unwrap());
        let names: Vec<String> = readers
            .map(|r| r["name"].as_str().unwrap().to_owned())
            .collect();
        names
    };
    assert_eq!(names(1), ["Bob", "Alice"]);
    assert_eq!(names(2), ["Carol", "Alice"]);
    assert_eq!(names(3), ["Alice"]);
    for name in ["sent-1.eml", "sent-3.eml"] {
        let line = format!(
            "{{ cat {name}; encl mail inspect --json {name}; encl mail unwrap {name} -o - ; sed '1,/^$/d' {name} | base64 -di; }} | grep -aci carol"
        );
        assert_eq!(session.ask("alice", &line).text(), "0\n", "{name}");
    }
    let carol = session
        .quietly("carol", "encl mail inspect sent-2.eml")
        .text();
    assert!(!carol.contains("Bob"), "{carol}");
}

#[test]
fn the_arguments_of_sendmail_and_the_header() {
    let cases: [(&str, &str, &[&str]); 9] = [
        // Mail goes to the addresses on the command line, and people in the header may see each other.
        (
            "To: bob@example.org\nCc: carol@example.org\n",
            "bob@example.org carol@example.org",
            &["-- bob@example.org carol@example.org"],
        ),
        (
            "To: bob@example.org\nCc: carol@example.org\n",
            "-f a@b carol@example.org",
            &["-f a@b -- carol@example.org"],
        ),
        (
            "To: bob@example.org\n",
            "carol@example.org bob@example.org",
            &["-- bob@example.org", "-- carol@example.org"],
        ),
        (
            "To: undisclosed-recipients:;\n",
            "-i bob@example.org",
            &["-i -- bob@example.org"],
        ),
        (
            "To: Team: Bob <BOB@example.org>, carol@example.org;\n",
            "-t",
            &["-- BOB@example.org carol@example.org"],
        ),
        (
            "To: bob@example.org, Bob <bob@EXAMPLE.org>\nCc: bob@example.org\n",
            "-t bob@example.org",
            &["-- bob@example.org"],
        ),
        (
            "To: bob@example.org\n",
            "--read-recipients -v 'Carol (a friend) <carol@example.org>'",
            &["-v -- bob@example.org", "-v -- carol@example.org"],
        ),
        // A message that is resent goes to the new recipients.
        (
            "Resent-To: carol@example.org\nTo: bob@example.org\nBcc: dora@example.org\n",
            "-t",
            &["-- carol@example.org"],
        ),
        (
            "Resent-To: carol@example.org\nResent-Bcc: bob@example.org\nReceived: x\nResent-Cc: dora@example.org\n",
            "-t",
            &["-- carol@example.org", "-- bob@example.org"],
        ),
    ];
    for (fields, words, expected) in cases {
        let session = Session::with_people();
        session.write("l.eml", letter(fields));
        session.quietly(
            "alice",
            &format!("encl mail send -- sendmail {words} < l.eml"),
        );
        assert_eq!(sent(&session), expected, "{fields}{words}");
        let says = opened(&session, "alice", "sent-1.eml");
        assert!(!says.to_lowercase().contains("bcc"), "{says}");
    }
}

/// All unknown recipients are named, and nothing is sent.
#[test]
fn one_unknown_recipient_stops_everything() {
    let mut session = Session::with_people();
    session.write(
        "l.eml",
        letter("To: bob@example.org, eve@example.org\nBcc: mallory@example.net\n"),
    );
    session.type_(
        "alice",
        "encl mail send --fcc copies -- sendmail -t < l.eml; ls sent-1 copies",
    );
    session.type_(
        "alice",
        "encl mail send --json -- sendmail bob@example.org bob@example.ogr < l.eml",
    );
    session.type_(
        "alice",
        "encl mail send --require-verified -- sendmail bob@example.org < l.eml",
    );
    insta::assert_snapshot!(session.transcript());
    assert!(sent(&session).is_empty());
}

#[test]
fn a_copy_for_me_alone() {
    let mut session = Session::with_people();
    session.write(
        "l.eml",
        letter("To: bob@example.org\nBcc: carol@example.org\n"),
    );
    session.type_(
        "alice",
        "encl mail send --fcc copies -- sendmail -t < l.eml",
    );
    session.type_(
        "alice",
        "ls copies copies/cur; stat -c %a copies copies/cur/*",
    );
    session.type_("alice", "encl mail inspect copies/cur/*");
    session.type_("bob", "encl mail unwrap copies/cur/*");
    session.type_("alice", "encl mail unwrap copies/cur/* | diff l.eml -");
    session.type_("alice", "encl mail send --fcc copies --passphrase --passphrase-file passphrase --no-self -- sendmail bob@example.org < l.eml; ls copies/cur | wc -l");
    session.type_("alice", "for m in copies/cur/*; do encl mail inspect --json $m | grep -c '\"passphrase\":true'; done");
    session.type_(
        "alice",
        "encl mail send --fcc notes.txt -- sendmail bob@example.org < l.eml",
    );
    session.type_(
        "alice",
        "encl mail send --fcc /proc/nowhere -- sendmail bob@example.org < l.eml",
    );
    session.type_(
        "alice",
        "encl mail send --fcc copies --anonymous --no-self -- sendmail bob@example.org < l.eml",
    );
    insta::assert_snapshot!(session.transcript());
    assert_eq!(sent(&session).len(), 3, "nothing was sent without its copy");
}

/// Messages that were already sent are reported.
#[test]
fn a_sendmail_that_fails() {
    let mut session = Session::with_people();
    session.write(
        "l.eml",
        letter("To: bob@example.org\nBcc: carol@example.org, alice@example.org\n"),
    );
    session.write("exit-1", "75");
    session.type_(
        "alice",
        "encl mail send --fcc copies -- sendmail -t < l.eml; ls copies/cur",
    );
    session.write("exit-3", "69");
    session.type_(
        "alice",
        "encl mail send --fcc copies -- sendmail -t < l.eml",
    );
    session.type_("alice", "ls sent-?; ls copies/cur | wc -l");
    session.write("exit-5", "1");
    session.type_("alice", "encl mail send --json -- sendmail -t < l.eml");
    session.type_(
        "alice",
        "encl mail send -- ./nothing bob@example.org < l.eml",
    );
    session.type_("alice", "encl mail send -- ./l.eml bob@example.org < l.eml");
    session.program("killed", "kill -9 $$");
    session.type_("alice", "encl mail send -- killed bob@example.org < l.eml");
    session.program("thief", "cat > /dev/null; rm -r copies");
    session.type_(
        "alice",
        "encl mail send --fcc copies -- thief bob@example.org < l.eml",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_message_is_sent_only_under_an_own_address() {
    let mut session = Session::with_people();
    session.quietly(
        "alice",
        "encl key new alice@work.example --name 'Alice at work' --no-passphrase",
    );
    session.write(
        "work.eml",
        letter("To: bob@example.org\n").replace("alice@example.org", "alice@WORK.example"),
    );
    session.write(
        "two.eml",
        letter("To: bob@example.org\n").replace(
            "<alice@example.org>",
            "<alice@example.org>, alice@work.example",
        ),
    );
    for (person, line) in [
        (
            "bob",
            "encl mail send -- sendmail alice@example.org < letter.eml",
        ),
        (
            "bob",
            "encl mail send --as bob@example.org -- sendmail alice@example.org < letter.eml",
        ),
        ("alice", "encl mail unwrap sent-1.eml"),
        (
            "bob",
            "encl mail send --anonymous --quiet -- sendmail alice@example.org < letter.eml",
        ),
        ("alice", "encl mail unwrap sent-2.eml | tail -n 1"),
        // The identity of the address in From signs, whatever the environment names.
        (
            "alice",
            "ENCL_IDENTITY=alice@example.org encl mail send -- sendmail -t < work.eml",
        ),
        ("bob", "encl mail unwrap sent-3.eml | head -n 1"),
        ("alice", "encl mail send -- sendmail -t < two.eml"),
        ("alice", "sed 1d letter.eml | encl mail send -- sendmail -t"),
    ] {
        session.type_(person, line);
    }
    insta::assert_snapshot!(session.transcript());
}
