//! The exit codes of `mail send` and `mail deliver`, which mail programs act on: commands that provoke each, and what must not
//! have happened.

use crate::sending::{letter, sent};
use crate::session::{Answer, Session};

const TO_BOB: &str = "encl mail send -- sendmail -oi -- bob@example.org < letter.eml";

/// Exit code, person, command.
const CODES: &[(i32, &str, &str)] = &[
    (0, "alice", TO_BOB),
    (76, "alice", TO_BOB),
    (64, "alice", "encl mail send < letter.eml"),
    (64, "alice", "encl mail send -- < letter.eml"),
    (
        64,
        "alice",
        "encl mail send --bogus -- sendmail bob@example.org < letter.eml",
    ),
    (
        64,
        "alice",
        "encl mail --no-input send --bogus < letter.eml",
    ),
    (
        64,
        "alice",
        "encl --keystore send mail send --bogus < letter.eml",
    ),
    (
        64,
        "alice",
        "encl mail send sendmail bob@example.org < letter.eml",
    ),
    (64, "alice", "encl mail send -- sendmail < letter.eml"),
    (64, "alice", "encl mail send -- sendmail -bs < letter.eml"),
    (64, "alice", "encl mail send -- sendmail -q < letter.eml"),
    (64, "alice", "encl mail send -- sendmail -f < letter.eml"),
    (
        64,
        "alice",
        "encl mail send --expires yesterday -- sendmail bob@example.org < letter.eml",
    ),
    (
        64,
        "alice",
        "encl mail send --notice wide -- sendmail bob@example.org < letter.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail bob@example.org < /dev/null",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail bob@example.org < notes.txt",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail bob@example.org < two-from.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail bob@example.org < two-ids.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail bob@example.org < long.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail bob@example.org < malformed.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail -t < malformed-blind.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail 'bob@example.org eve@example.org' < letter.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail 'bob@example.org, carol@example.org' < letter.eml",
    ),
    (
        65,
        "alice",
        "encl mail send -- sendmail \"$(printf 'bob@example.org\\neve@example.org')\" < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail send -- sendmail eve@example.org < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail send -- sendmail bob@example.org a/b@x.card < letter.eml",
    ),
    (
        69,
        "alice",
        "encl mail send -- /no/such/sendmail bob@example.org < letter.eml",
    ),
    (
        69,
        "alice",
        "encl mail send -- ./letter.eml bob@example.org < letter.eml",
    ),
    (
        73,
        "alice",
        "encl mail send --fcc notes.txt -- sendmail bob@example.org < letter.eml",
    ),
    (
        74,
        "alice",
        "encl mail send --fcc /proc/x -- sendmail bob@example.org < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail send -- sendmail bob@example.org <&-",
    ),
    (
        75,
        "alice",
        "TMPDIR=/nowhere encl mail send -- sendmail bob@example.org < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail send --notice nothing -- sendmail bob@example.org < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail send --passphrase-fd 9 -- sendmail bob@example.org < letter.eml",
    ),
    (
        75,
        "dora",
        "encl mail send -- sendmail bob@example.org < dora.eml",
    ),
    (
        75,
        "dora",
        "encl mail send --passphrase-file notes.txt -- sendmail bob@example.org < dora.eml",
    ),
    (
        75,
        "eve",
        "encl mail send -- sendmail bob@example.org < eve.eml",
    ),
    (
        78,
        "bob",
        "encl mail send -- sendmail alice@example.org < letter.eml",
    ),
    (
        78,
        "bob",
        "encl mail send --as nobody -- sendmail alice@example.org < letter.eml",
    ),
    (
        78,
        "dora",
        "encl mail send --anonymous --no-self --fcc x -- sendmail bob@example.org < letter.eml",
    ),
];

/// Provokes each code of sysexits.h, with messages in words and as JSON.
#[test]
fn every_code_that_mail_programs_act_on() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl key new alice@work.example --no-passphrase > /dev/null",
    );
    session.quietly("dora", "encl key new dora@example.org --passphrase-file passphrase > dora.card; encl contact add bob.card --yes");
    session.quietly("eve", "encl key new eve@example.org --no-passphrase > eve.card; encl contact add bob.card --yes; find $ENCL_KEYSTORE -type f -exec sh -c 'echo broken > \"$1\"' - {} ';'");
    session.write(
        "dora.eml",
        letter("To: bob@example.org\n").replace("alice", "dora"),
    );
    session.write(
        "eve.eml",
        letter("To: bob@example.org\n").replace("alice", "eve"),
    );
    session.write("two-from.eml", letter("From: alice@work.example\n"));
    session.write(
        "two-ids.eml",
        letter("Message-ID: <1@x>\nmessage-id : <2@x>\n"),
    );
    session.write("long.eml", letter(&"X: y\n".repeat(1 << 18)));
    session.write(
        "malformed.eml",
        letter("To: bob@example.org carol@example.org\n"),
    );
    session.write("malformed-blind.eml", letter("Bcc: bob@\n"));
    session.write("wide", "x".repeat(79));
    session.write("exit-2", "76");
    for &(code, person, line) in CODES {
        let before = sent(&session).len();
        let answer = session.ask(person, line);
        assert_eq!(answer.exit, code, "{line}\n{}", answer.stderr);
        let expected = before + usize::from(matches!(code, 0 | 76));
        assert_eq!(sent(&session).len(), expected, "{line}");
        if matches!(code, 0 | 76) {
            continue;
        }
        let json = line.replace("mail ", "mail --json ");
        assert_eq!(
            exit_and_code(&session.ask(person, &json)),
            (code, code.into()),
            "{json}"
        );
    }
}

fn exit_and_code(answer: &Answer) -> (i32, i64) {
    let error: serde_json::Value =
        serde_json::from_str(answer.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["schema"], "encl.error/1");
    (answer.exit, error["exit"].as_i64().unwrap())
}

/// Exit code, person, command.
const DELIVERIES: &[(i32, &str, &str)] = &[
    (
        0,
        "alice",
        "encl mail deliver --for bob@example.org > out < letter.eml",
    ),
    (64, "alice", "encl mail deliver < letter.eml"),
    (
        64,
        "alice",
        "encl --no-input mail --quiet deliver --bogus < letter.eml",
    ),
    (
        64,
        "alice",
        "encl mail deliver --for bob@example.org --maildir x -- maildrop < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail deliver --for eve@example.org < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail deliver --for --bogus@example.org < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail deliver --for 'bob@example.org, carol@example.org' < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail deliver --for ./a..b@bob.card < letter.eml",
    ),
    (
        67,
        "alice",
        "encl mail deliver --for bob@bob.card < letter.eml",
    ),
    (67, "alice", "encl mail deliver --for @nobody < letter.eml"),
    (67, "alice", "encl mail deliver --for '' < letter.eml"),
    (
        73,
        "alice",
        "encl mail deliver --for bob@example.org -- sulky < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org -- ./nothing < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org --maildir inbox < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org --maildir /proc/x < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org --maildir full < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org > /dev/full < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org >&- < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org < /dev/null",
    ),
    (75, "alice", "encl mail deliver --for bob@example.org <&-"),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org < mailbox",
    ),
    (
        75,
        "alice",
        "TMPDIR=/nowhere encl mail deliver --for bob@example.org < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org --notice wide < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org --keystore /nowhere < letter.eml",
    ),
    (
        75,
        "alice",
        "encl mail deliver --for bob@example.org --passphrase-fd 9 < letter.eml",
    ),
    (
        75,
        "eve",
        "encl mail deliver --for bob@example.org < letter.eml",
    ),
    (75, "eve", "encl mail deliver --for @finance < letter.eml"),
    (
        75,
        "alice",
        // The reader ends before anything is written, even on a fast machine.
        "{ until [ -e gone ]; do :; done; encl mail deliver --for bob@example.org < report.pdf; echo $? > code; } | \
         { exec 0<&-; : > gone; }; exit $(cat code)",
    ),
];

/// A failure that is not certainly permanent gives 75 and no standard output.
#[test]
fn delivery_fails_closed() {
    let session = Session::with_people();
    session.quietly("alice", "cp -r ../keys/alice ../keys/eve && find ../keys/eve -type f -exec sh -c 'echo broken > \"$1\"' - {} ';'");
    session.program("sulky", "cat > /dev/null; exit 73");
    session.quietly(
        "alice",
        "mkdir full && ln -s /dev/full full/new; cp letter.eml inbox",
    );
    session.write("wide", "x".repeat(79));
    for &(code, person, line) in DELIVERIES {
        let answer = session.ask(person, line);
        assert_eq!(answer.exit, code, "{line}\n{}", answer.stderr);
        assert!(answer.stdout.is_empty(), "{line}");
        assert!(code == 0 || !answer.stderr.is_empty(), "{line}");
    }
}
