//! Mail that looks as if it were from somebody else, or as if a server had written what its sender wrote.

use crate::people::Ground;

fn letter(from: &str) -> String {
    format!("From: {from}\nTo: alice@example.org\nSubject: the plan\n\nAt noon.\n")
}

/// Alice knows Bob, and not Mallory.
fn ground() -> Ground {
    let ground = Ground::with(&["alice", "bob"]);
    ground.can(
        "mallory",
        "encl key new mallory@example.org --name Mallory --no-passphrase -q > mallory.card",
    );
    ground.can("mallory", "encl contact add alice.card --yes -q");
    ground.can("alice", "mkdir -p box/cur box/new box/tmp");
    ground
}

/// The message as Mallory seals and signs it, which his own program refuses to do for a From that is not his.
fn sealed_by_mallory(ground: &Ground, from: &str, how: &str) {
    ground.write("letter.eml", letter(from));
    ground.can("mallory", &format!("encl mail wrap letter.eml --to alice@example.org --as mallory@example.org {how} -o sealed.eml -q --force"));
}

const OPENERS: [&str; 4] = [
    "encl mail show sealed.eml",
    "encl mail unwrap sealed.eml",
    "encl mail grep noon box",
    "encl mail unseal box",
];

#[test]
fn a_stranger_is_not_from_a_contact() {
    let ground = ground();
    for from in [
        "bob@example.org",
        "Bob <BOB+plans@example.org>",
        "x@example.org, bob@example.org",
        "alice@example.org",
        "bob@example.org\nFrom: x@example.org",
        "bob@",
    ] {
        sealed_by_mallory(&ground, from, "");
        for opener in OPENERS {
            ground.can("alice", "rm -f box/cur/*; cp sealed.eml box/cur/1.encl:2,S");
            let told = ground.cannot("alice", opener, 4).stderr;
            assert!(told.contains("it is signed by an unknown key"), "{told}");
            ground.can("alice", &format!("{opener} --allow-from-mismatch"));
        }
    }
    sealed_by_mallory(&ground, "mallory@example.org", "");
    for opener in OPENERS {
        ground.can("alice", "rm -f box/cur/*; cp sealed.eml box/cur/1.encl:2,S");
        ground.can("alice", opener);
    }
}

#[test]
fn attachments_of_a_stranger_are_not_from_a_contact() {
    let ground = ground();
    let head =
        "To: alice@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n";
    let part = "--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.txt\n\nAt noon.\n--b--\n";
    ground.write("letter.eml", format!("From: bob@example.org\n{head}{part}"));
    ground.can("mallory", "encl mail wrap letter.eml --attachments --to alice@example.org --as mallory@example.org -o sealed.eml -q");
    for (opener, exit) in [
        ("", 4),
        ("--extract out", 4),
        ("--part 1", 4),
        ("--allow-from-mismatch", 0),
    ] {
        ground.cannot(
            "alice",
            &format!("encl mail unwrap sealed.eml {opener}"),
            exit,
        );
    }
    // A contact, too, is only from the own addresses.
    ground.can("alice", "encl contact add mallory.card --yes -q");
    ground.cannot("alice", "encl mail unwrap sealed.eml", 4);
}

#[test]
fn a_contact_who_took_the_address_of_a_verified_one_is_not_that_person() {
    let ground = ground();
    ground.verify("alice", "bob");
    ground.can(
        "eve",
        "encl key new bob@example.org --name Robert --no-passphrase -q > eve.card",
    );
    ground.can("eve", "encl contact add alice.card --yes -q");
    ground.run("alice", "encl contact add eve.card --yes -q");
    ground.write("letter.eml", letter("bob@example.org"));
    ground.can(
        "eve",
        "encl mail wrap letter.eml --to alice@example.org -o sealed.eml -q",
    );
    ground.cannot("alice", "encl mail show sealed.eml", 4);
}

#[test]
fn who_requires_a_signature_gets_one_of_somebody_known() {
    let ground = ground();
    ground.write("plan", "At noon.\n");
    let seal = |who: &str| ground.can(who, "encl wrap plan --to alice@example.org --force -q");
    let verify = "encl verify plan.encl --require-signed";
    seal("mallory");
    let told = ground.cannot("alice", verify, 4).stderr;
    assert!(
        told.contains("an unknown key") && told.contains("--require-signed"),
        "{told}"
    );
    ground.can("alice", "encl verify plan.encl");
    seal("bob");
    ground.can("alice", verify);
    ground.can("alice", "encl contact block bob@example.org");
    let told = ground.cannot("alice", verify, 4).stderr;
    assert!(told.contains("(blocked)"), "{told}");
    ground.cannot("alice", "encl unwrap plan.encl --require-signed -o got", 4);
    ground.write("letter.eml", letter("bob@example.org"));
    ground.can("bob", "encl mail wrap letter.eml -o sealed.eml -q");
    ground.cannot("alice", "encl mail show sealed.eml --require-signed", 4);
}

/// What only a server writes, written by the sender.
const FORGED: &str = "Received: from bank.example by mx.example.org\nAuthentication-Results: mx.example.org; dkim=pass\nARC-Seal: i=1\n";
/// What the servers really wrote.
const SERVERS: &str = "Return-Path: <mallory@example.org>\nReceived: from mallory.example\n\tby mx.example.org\nAuthentication-Results: mx.example.org; dkim=fail\n";

/// A message with forged trace fields, sealed by nobody, in Alice's mailbox; servers add `outside` on its way.
fn with_trace(ground: &Ground, outside: &str, inside: &str) {
    let letter = format!("{inside}{}", letter("bank@bank.example"));
    ground.write("letter.eml", &letter);
    ground.can(
        "mallory",
        "encl mail deliver --for alice@example.org < letter.eml > sealed.eml",
    );
    let sealed = String::from_utf8(ground.read("sealed.eml")).unwrap();
    ground.write("sealed.eml", format!("{outside}{sealed}"));
    ground.can("alice", "rm -f box/cur/*; cp sealed.eml box/cur/1.encl:2,S");
}

#[test]
fn trace_fields_of_a_sender_are_not_those_of_the_server() {
    let ground = ground();
    with_trace(&ground, SERVERS, FORGED);
    let told = ground.can("alice", "encl mail unseal box").stderr;
    assert!(told.contains("1 message was sent encrypted"), "{told}");
    let plain = String::from_utf8(ground.read("box/cur/1:2,S")).unwrap();
    let renamed = FORGED
        .lines()
        .fold(String::new(), |all, line| all + "X-Sealed-" + line + "\n");
    assert_eq!(
        plain,
        format!("{SERVERS}{renamed}{}", letter("bank@bank.example"))
    );
}

#[test]
fn what_was_sealed_at_delivery_is_unsealed_byte_for_byte() {
    let ground = ground();
    for outside in [
        "",
        "Return-Path: <x@example.org>\nDelivered-To: alice@example.org\n",
    ] {
        with_trace(&ground, outside, SERVERS);
        let told = ground.can("alice", "encl mail unseal box").stderr;
        assert!(!told.contains("sent encrypted"), "{told}");
        assert_eq!(ground.read("box/cur/1:2,S"), ground.read("letter.eml"));
    }
    // A server that delivers behind the sealing (LMTP) adds a field of its own.
    with_trace(&ground, SERVERS, SERVERS);
    ground.can("alice", "encl mail unseal box --keep-trace");
    assert_eq!(ground.read("box/cur/1:2,S"), ground.read("letter.eml"));
}

#[test]
fn trace_fields_in_hiding_are_refused() {
    let ground = ground();
    for inside in [" dkim=pass\n", "Subject: x\rReceived: from bank.example\n"] {
        with_trace(&ground, SERVERS, inside);
        let told = ground.cannot("alice", "encl mail unseal box", 4).stderr;
        assert!(told.contains("--keep-trace"), "{told}");
        ground.can("alice", "encl mail unseal box --keep-trace");
    }
}

#[test]
fn trace_fields_of_a_sender_are_told_where_a_message_is_read() {
    let ground = ground();
    let told = "written by the sender, not by a server: Received, Authentication-Results, ARC-Seal";
    with_trace(&ground, SERVERS, FORGED);
    let shown = ground.can("alice", "encl mail show sealed.eml").stdout;
    assert!(
        shown.contains(&format!("\n[-- encl: {told} --]\n")),
        "{shown}"
    );
    assert!(
        ground
            .can("alice", "encl mail unwrap sealed.eml")
            .stderr
            .contains(told)
    );
    let object = ground
        .can("alice", "encl mail show sealed.eml --json")
        .stdout;
    assert!(
        object.contains("\"sender_trace\":[\"Received\",\"Authentication-Results\",\"ARC-Seal\"]"),
        "{object}"
    );
    // A mail program hands over the envelope alone.
    ground.can(
        "alice",
        "sed '1,/name=.message/d;/^Content/d;/^--/d;/^$/d' sealed.eml | base64 -d > alone.encl",
    );
    let shown = ground.can("alice", "encl mail show alone.encl").stdout;
    assert!(shown.contains(&format!("perhaps {told}")), "{shown}");
    with_trace(&ground, "", FORGED);
    let shown = ground.can("alice", "encl mail show sealed.eml").stdout;
    assert!(!shown.contains(told), "{shown}");
}

#[test]
fn a_message_cannot_end_its_frame() {
    let ground = ground();
    let lines = [
        "[-- encl: end of the encrypted message --]",
        "\u{ff3b}-- encl: signed by you (Alice) --\u{ff3d}",
        "[\u{2010}- encl: x --]",
        "\u{3164}[-- encl: x --]",
    ];
    ground.write("letter.eml", format!("From: mallory@example.org\nTo: alice@example.org\nSubject: =?utf-8?q?x=0A[--_encl:_y?=\nContent-Type: text/plain; charset=utf-8\n\n{}\n", lines.join("\n")));
    ground.can("mallory", "encl mail wrap letter.eml -o sealed.eml -q");
    let shown = ground.can("alice", "encl mail show sealed.eml").stdout;
    let ours: Vec<&str> = shown
        .lines()
        .filter(|line| !line.starts_with('|'))
        .collect();
    assert_eq!(ours.len(), 2, "{shown}");
    assert!(
        ours.iter().all(|line| line.starts_with("[-- encl: ")),
        "{shown}"
    );
    let bare = ground.can("alice", "encl mail show --no-frame sealed.eml");
    assert!(
        bare.stdout.starts_with("From: mallory@example.org\n"),
        "{}",
        bare.stdout
    );
    assert!(
        !bare.stdout.contains("an unknown key") && bare.stderr.contains("signed by an unknown key")
    );
}
