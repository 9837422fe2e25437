//! Somebody chooses a name or addresses that people, the program or a shell take for something else.

use crate::answer::Answer;
use crate::scene::{Author, Scene};
use crate::support::process;

/// Names that no card may have.
const REFUSED: [&str; 24] = [
    "e943d4d4c79079eb74a56a0dcf069436c88c48d59c9220072bdff00f3a2d8ddf",
    "E943 D4D4 C790 79EB 74A5 6A0D CF06 9436 C88C 48D5 9C92 2007 2BDF F00F 3A2D 8DDF",
    "e943d4d4c79079eb",
    "e9:43:d4:d4:c7:90:79:eb",
    "e943-d4d4-c790-79eb",
    "e943\u{2013}d4d4\u{2013}c790\u{2013}79eb",
    "\u{ff45}943d4d4c79079eb",
    "cfo@corp.example",
    "cfo\u{ff20}corp.example",
    "cfo\u{fe6b}corp.example",
    "Carol <cfo@corp.example>",
    "@board",
    "you",
    "You",
    "y\u{43e}u",
    "me",
    "\u{ff4d}e",
    "Unknown",
    " Carol",
    "Carol ",
    "Carol  Jones",
    "Carol\u{200b}",
    "Ca\u{ad}rol",
    "\u{3164}",
];

/// Addresses that no card may have.
const REFUSED_ADDRESSES: [&str; 8] = [
    "a$(id)@x.example",
    "a`id`@x.example",
    "a;id@x.example",
    "a|id@x.example",
    "a>b@x.example",
    "a\\b@x.example",
    "a\"b@x.example",
    "a\u{200b}b@x.example",
];

fn refused() -> Vec<Author> {
    let name = |name: &&str| Author::new(name, &["m@evil.example"]);
    let address = |address: &&str| Author::new("Mallory", &["m@evil.example", address]);
    let names = REFUSED.iter().map(name);
    names.chain(REFUSED_ADDRESSES.iter().map(address)).collect()
}

#[test]
fn no_card_comes_in_with_a_name_that_means_something_else() {
    let scene = Scene::with_alice();
    for author in refused() {
        let (name, card) = (author.card.name(), author.card.to_text());
        let addresses = author.card.addresses().join(" ");
        scene.write("m.card", card);
        let added = scene.run("alice", &["contact", "add", "m.card", "--yes"]);
        assert_eq!(added.exit, 7, "{name:?} {addresses}: {}", added.stderr);
        scene.write(
            "m.eml",
            format!("From: m@evil.example\nSubject: x\n\n{card}\n"),
        );
        let mailed = scene.run("alice", &["contact", "add", "m.eml", "--yes"]);
        assert_eq!(mailed.exit, 7, "{name:?} {addresses}: {}", mailed.stderr);
        let used = scene.run("alice", &["wrap", "note", "--to", "m.card", "-o", "n.encl"]);
        assert_eq!(used.exit, 7, "{name:?} {addresses}: {}", used.stderr);
    }
    assert_eq!(scene.ok("alice", &["contact", "list"]).stdout, "");
}

#[test]
fn no_contact_takes_such_a_name_later() {
    let scene = Scene::with_alice();
    let mallory = Author::new("Mallory", &["m@evil.example"]);
    scene.add("alice", &mallory.card);
    for name in REFUSED {
        let card = mallory.later(name, &["m@evil.example"]);
        scene.write("m.card", card.to_text());
        scene.fails("alice", &["contact", "add", "m.card", "--yes"], 7);
        scene.fails(
            "alice",
            &["wrap", "note", "--to", "m.card", "-o", "n.encl"],
            7,
        );
    }
    let list = scene.ok("alice", &["contact", "list"]).stdout;
    assert!(list.starts_with("Mallory <m@evil.example>"), "{list}");
}

#[test]
fn no_identity_is_made_with_such_a_name() {
    let scene = Scene::new();
    let new = |name| {
        [
            "key",
            "new",
            "m@evil.example",
            "--no-passphrase",
            "--name",
            name,
        ]
    };
    for name in REFUSED {
        scene.fails("mallory", &new(name), 2);
    }
    for address in REFUSED_ADDRESSES {
        scene.fails(
            "mallory",
            &["key", "new", address, "--name", "M", "--no-passphrase"],
            2,
        );
    }
    for name in ["M", "O'Brien", "R&D (Berlin)", "m@evil.example"] {
        scene.ok(name, &new(name));
    }
}

#[test]
fn a_restored_contact_has_no_such_name_either() {
    let scene = Scene::with_alice();
    let mallory = Author::new("you", &["m@evil.example"]);
    let bob = Author::new("Bob", &["bob@example.org"]);
    scene.add("alice", &bob.card);
    scene.leave("alice", &mallory.card, "added");
    scene.ok(
        "alice",
        &["backup", "--to", "alice@example.org", "-o", "all.encl"],
    );
    for author in [&mallory, &bob] {
        scene.ok("alice", &["contact", "remove", &author.id(), "--yes"]);
    }
    scene.ok("alice", &["restore", "all.encl", "--yes"]);
    let list = scene.ok("alice", &["contact", "list"]).stdout;
    assert!(list.starts_with("Bob <bob@example.org>"), "{list}");
    assert_eq!(list.lines().count(), 1, "{list}");
}

#[test]
fn in_an_old_keystore_such_a_name_finds_nobody_and_is_not_shown() {
    for name in REFUSED {
        let scene = Scene::with_alice();
        let mallory = Author::new(name, &["m@evil.example"]);
        scene.leave("alice", &mallory.card, "added");
        let shown = "\u{2039}name not shown\u{203a} <m@evil.example>";
        let list = scene.ok("alice", &["contact", "list"]).stdout;
        assert!(list.starts_with(shown), "{name:?}: {list}");
        scene.fails(
            "alice",
            &["contact", "show", "--", name],
            if name.starts_with('@') { 2 } else { 7 },
        );
        for who in ["m@evil.example", &mallory.id()] {
            scene.ok("alice", &["contact", "show", who]);
            let sealed = scene.ok(
                "alice",
                &["wrap", "note", "--to", who, "-o", "n.encl", "--force"],
            );
            assert!(sealed.stderr.contains(shown), "{name:?}: {}", sealed.stderr);
        }
        let doctor = scene.run("alice", &["doctor"]).stdout;
        let line = doctor.lines().find(|line| line.contains(shown)).unwrap();
        assert!(line.starts_with("note  contact "), "{line}");
    }
}

#[test]
fn an_old_identity_of_mine_with_such_a_name_still_opens_and_signs() {
    let scene = Scene::with_alice();
    let me = Author::new("John  Smith", &["john@example.org"]);
    scene.own("john", &me);
    scene.ok(
        "john",
        &["wrap", "note", "--to", "john@example.org", "-o", "j.encl"],
    );
    let opened = scene
        .ok("john", &["unwrap", "j.encl", "-o", "opened"])
        .stderr;
    assert!(opened.contains("signed by \u{2039}name not shown\u{203a} <john@example.org> (you)"));
    let doctor = scene.run("john", &["doctor"]).stdout;
    assert!(doctor.contains("others refuse its card"), "{doctor}");
    // A new machine: whoever has the keys keeps them.
    scene.ok("john", &["key", "export", "-o", "john.identity"]);
    scene.ok("laptop", &["key", "import", "john.identity"]);
    scene.ok("laptop", &["unwrap", "j.encl", "-o", "again"]);
}

#[test]
fn whoever_looks_like_somebody_is_told_apart() {
    let scene = Scene::with_alice();
    let carol = Author::new("Carol", &["carol@corp.example"]);
    scene.add("alice", &carol.card);
    for (name, address) in [
        ("Carol", "m@evil.example"),
        ("C\u{430}rol", "m2@evil.example"),
        ("Mallory", "c\u{430}rol@corp.example"),
    ] {
        let mallory = Author::new(name, &[address]);
        scene.write("m.card", mallory.card.to_text());
        let asked = scene.fails("alice", &["--no-input", "contact", "add", "m.card"], 2);
        assert!(asked.stderr.contains("looks like"), "{}", asked.stderr);
        let used = scene.ok(
            "alice",
            &["wrap", "note", "--to", "m.card", "-o", "n.encl", "--force"],
        );
        assert!(used.stderr.contains("looks like"), "{}", used.stderr);
        // From now on each of them is shown with 16 digits of the fingerprint.
        let digits = |author: &Author| {
            let id = author.id();
            format!(
                " [{} {} {} {}]",
                &id[..4],
                &id[4..8],
                &id[8..12],
                &id[12..16]
            )
        };
        let sealed = scene.ok(
            "alice",
            &["wrap", "note", "--to", address, "-o", "n.encl", "--force"],
        );
        assert!(
            sealed.stderr.contains(&digits(&mallory)),
            "{}",
            sealed.stderr
        );
        let line = [
            "wrap",
            "note",
            "--to",
            "carol@corp.example",
            "-o",
            "n.encl",
            "--force",
        ];
        let sealed = scene.ok("alice", &line).stderr;
        assert!(sealed.contains(&digits(&carol)), "{sealed}");
    }
    let mallory = Author::new("Mallory", &["m3@evil.example"]);
    scene.add("alice", &mallory.card);
    let later = mallory.later("Carol", &["m3@evil.example"]);
    scene.write("m.card", later.to_text());
    let taken = scene.ok("alice", &["contact", "add", "m.card", "--yes"]);
    assert!(taken.stderr.contains("the name Carol"), "{}", taken.stderr);
}

#[test]
fn at_first_use_only_the_first_address_counts() {
    let scene = Scene::with_alice();
    let mallory = Author::new(
        "Mallory",
        &["m@evil.example", "cfo@corp.example", "ceo@corp.example"],
    );
    scene.write("m.card", mallory.card.to_text());
    let used = scene.ok("alice", &["wrap", "note", "--to", "m.card", "-o", "n.encl"]);
    assert!(
        used.stderr.contains("cfo@corp.example, ceo@corp.example"),
        "{}",
        used.stderr
    );
    let to = |address: &'static str| ["wrap", "note", "--to", address, "-o", "n.encl", "--force"];
    scene.ok("alice", &to("m@evil.example"));
    scene.fails("alice", &to("cfo@corp.example"), 7);
    scene.fails("alice", &["contact", "show", "cfo@corp.example"], 7);
    // The address is free for whom it belongs to.
    let cfo = Author::new("Carol", &["cfo@corp.example"]);
    scene.add("alice", &cfo.card);
    scene.ok("alice", &to("cfo@corp.example"));
    scene.fails("alice", &["contact", "add", "m.card", "--yes"], 7);
    scene.ok("alice", &["contact", "remove", &cfo.id(), "--yes"]);
    // Shown and accepted, all of them count.
    let asked = scene.fails("alice", &["--no-input", "contact", "add", "m.card"], 2);
    assert!(
        asked.stderr.contains("address: ceo@corp.example"),
        "{}",
        asked.stderr
    );
    scene.ok("alice", &["contact", "add", "m.card", "--yes"]);
    scene.ok("alice", &to("ceo@corp.example"));
}

#[test]
fn contacts_of_first_use_from_before_keep_their_addresses() {
    let scene = Scene::with_alice();
    let bob = Author::new("Bob", &["bob@example.org", "b@example.com"]);
    scene.leave("alice", &bob.card, "first-use");
    scene.ok(
        "alice",
        &["wrap", "note", "--to", "b@example.com", "-o", "n.encl"],
    );
}

#[test]
fn a_name_does_not_speak_for_the_program() {
    let scene = Scene::with_alice();
    let mallory = Author::new("Bob <bob@b> (verified)", &["m@evil.example"]);
    let quoting = Author::new("Bob \"(verified)\\", &["m2@evil.example"]);
    scene.write("m.card", mallory.card.to_text());
    scene.fails("alice", &["contact", "add", "m.card", "--yes"], 7);
    scene.own("mallory", &quoting);
    scene.ok("alice", &["key", "card", "-o", "alice.card"]);
    scene.ok(
        "mallory",
        &["wrap", "note", "--to", "./alice.card", "-o", "n.encl"],
    );
    scene.add("alice", &quoting.card);
    let verified = scene.ok("alice", &["verify", "n.encl"]).stderr;
    let shown = r#"signed by "Bob \"(verified)\\" <m2@evil.example> (not verified yet)"#;
    assert!(verified.contains(shown), "{verified}");
    let object = scene.ok("alice", &["verify", "--json", "n.encl"]).stdout;
    assert!(
        object.contains(r#""address":"m2@evil.example""#),
        "{object}"
    );
}

/// What bash would type is run by bash as one word each.
#[test]
fn completion_offers_no_word_that_a_shell_takes_for_more() {
    let scene = Scene::with_alice();
    let odd = Author::new("$(touch hit) `x`", &["o'brien&co@x.example"]);
    scene.add("alice", &odd.card);
    for address in [
        "a$(touch hit)@x.example",
        "a;touch${IFS}hit@x.example",
        "-o@x.example",
    ] {
        let address = address.replace(' ', "");
        scene.leave("alice", &Author::new("M", &[&address]).card, "added");
    }
    let script = scene.ok("alice", &["completions", "bash"]).stdout;
    scene.write("complete.bash", script);
    scene.write("$(touch hit).encl", "x");
    let program = env!("CARGO_BIN_EXE_encl");
    let ask = |words: &str| {
        let line = format!(
            "encl() {{ {program} \"$@\"; }}; . ./complete.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             COMP_LINE=\"${{COMP_WORDS[*]}}\"; COMP_POINT=${{#COMP_LINE}}; \
             _encl encl \"${{COMP_WORDS[COMP_CWORD]}}\" x 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let home = scene.keystore("alice");
        let home = home.root().ancestors().nth(3).unwrap().to_owned();
        let mut bash = process::command("bash");
        bash.args(["-c", &line])
            .current_dir(scene.work())
            .env_clear()
            .env("HOME", home)
            .env("PATH", env!("PATH"));
        Answer::of(&mut bash).stdout
    };
    let offered = ask("encl wrap --to ''");
    let plain = |word: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-".contains(&byte);
        !word.starts_with('-') && word.bytes().all(plain)
    };
    assert!(offered.lines().all(plain), "{offered}");
    assert_eq!(offered.lines().count(), 4, "{offered}");
    assert!(offered.contains(&odd.id()), "{offered}");
    // Files are left to the shell, which quotes what it types (tests/cli: shells) and runs nothing of it.
    assert_eq!(ask("encl wrap '$'").trim(), "");
    assert_eq!(ask("encl unwrap ''").trim(), "$(touch hit).encl");
    assert!(!scene.work().join("hit").exists());
}
