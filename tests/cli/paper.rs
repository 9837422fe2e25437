//! Paper copies of an identity: printed, and restored from words or a scanned code, typed or in a file.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;

use crate::folder::Prepared;
use crate::session::{PASSPHRASE, Session};

/// Alice's keys are protected by a passphrase. Bob has her card and sealed `a` for her.
fn with_a_page() -> Session {
    static MADE: OnceLock<Prepared> = OnceLock::new();
    Session::made_once(&MADE, || {
        let session = Session::with_a_locked_alice();
        session.quietly(
            "alice",
            "encl key paper -o page --passphrase-file passphrase",
        );
        session
    })
}

/// The lines of words of a page, without their numbers.
fn words(session: &Session, page: &str) -> Vec<String> {
    let page = String::from_utf8(session.read(page)).unwrap();
    let line = |line: &str| {
        let (number, words) = line.trim_start().split_once(". ")?;
        number.parse::<u8>().ok().map(|_| words.to_owned())
    };
    page.lines().filter_map(line).collect()
}

/// The text that a scanner reads from the code of a page, computed from its words, which encode the same bytes.
fn code(words: &[String]) -> String {
    let list = bip39::Language::English.word_list();
    let number = |word: &str| list.iter().position(|known| *known == word).unwrap();
    let bare = words
        .iter()
        .flat_map(|line| line.split(' ').take(7).map(number));
    let bits: Vec<_> = bare.map(|number| format!("{number:011b}")).collect();
    let bits = bits.concat();
    let byte = |at: usize| usize::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap();
    let bytes = 3 + byte(1) * 256 + byte(2) + 8;
    let mut bits = bits[..bytes * 8].to_owned();
    while !bits.len().is_multiple_of(5) {
        bits.push('0');
    }
    let letter = |group: &[u8]| {
        let group = std::str::from_utf8(group).unwrap();
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from_str_radix(group, 2).unwrap()])
    };
    let letters: String = bits.as_bytes().chunks(5).map(letter).collect();
    format!("ENCL-PAPER1:{letters}\n")
}

#[test]
fn a_lost_keystore_comes_back_from_paper_and_opens_an_old_envelope() {
    let mut session = with_a_page();
    let lines = words(&session, "page");
    session.write("code", code(&lines));
    session.write("words", lines.join("\n"));
    session.type_(
        "alice",
        "rm -r \"$ENCL_KEYSTORE\" && encl unwrap a.encl -o -",
    );
    session.type_(
        "alice",
        "encl key paper --restore page --passphrase-file passphrase",
    );
    session.type_(
        "alice",
        "encl unwrap a.encl -o - --passphrase-file passphrase",
    );
    session.type_(
        "alice",
        "encl key paper --restore code --passphrase-file passphrase",
    );
    // For a contact with the old card, the new card is a later one, and the key does not count as changed.
    session.type_("alice", "encl key card > later.card && encl key list");
    session.type_("bob", "encl contact add later.card --yes");
    session.type_(
        "bob",
        "encl contact add alice.card --yes 2>&1 | sed 's/serial [0-9]\\{8,\\}/serial <minutes>/'",
    );
    session.type_("bob", "encl contact list");
    session.type_(
        "alice",
        "encl key rotate --passphrase-file passphrase > latest.card",
    );
    session.type_("bob", "encl contact add latest.card --yes");
    session.type_(
        "laptop",
        "cat code | encl key paper --restore - --no-passphrase && encl unwrap a.encl -o -",
    );
    session.type_(
        "phone",
        "encl key paper --restore words --no-passphrase --quiet --json | cut -c 1-22 && encl unwrap a.encl -o -",
    );
    session.type_("phone", "encl key revoke --yes | cut -c 1-17");
    insta::assert_snapshot!(session.transcript());
}

/// The page is older or newer than the keystore: keys are only added.
#[test]
fn a_page_adds_keys_and_removes_nothing() {
    let mut session = with_a_page();
    session.quietly("alice", "encl key export -o old.identity && encl key rotate --passphrase-file passphrase > later.card && encl key paper -o later-page --passphrase-file passphrase");
    session.quietly(
        "bob",
        "encl contact add later.card --yes && encl wrap a --to alice@example.org -o b.encl",
    );
    session.type_(
        "alice",
        "encl key paper --restore page --passphrase-file passphrase && encl key card | cmp - later.card",
    );
    session.quietly("laptop", "encl key import old.identity");
    session.type_("laptop", "encl key paper --restore later-page --no-input");
    session.type_(
        "laptop",
        "encl key paper --restore later-page --passphrase-file passphrase",
    );
    session.type_(
        "laptop",
        "encl unwrap a.encl b.encl -C . --force --passphrase-file passphrase && encl key show",
    );
    // Another key with the same serial is an error, and no key is lost.
    session.quietly(
        "robot",
        "encl key paper --restore page --no-passphrase && encl key rotate > robot.card",
    );
    session.type_("robot", "encl key paper --restore later-page && true");
    session.quietly("robot", "encl key card | cmp - robot.card");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_revoked_and_a_replaced_identity_come_back_as_they_were() {
    let mut session = with_a_page();
    session.quietly(
        "alice",
        "encl key replace --passphrase-file passphrase > new.card && encl key paper -o new-page --passphrase-file passphrase",
    );
    session.type_(
        "laptop",
        "encl key paper --restore new-page --no-passphrase",
    );
    session.type_(
        "laptop",
        "encl key paper --restore page --no-passphrase && encl key list",
    );
    session.type_("laptop", "encl unwrap a.encl -o -");
    session.type_(
        "laptop",
        "encl key revoke --yes > revocation && encl key paper -o revoked-page && encl key paper --restore revoked-page",
    );
    session.type_(
        "phone",
        "encl key paper --restore revoked-page --no-passphrase && encl key list",
    );
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn a_page_is_written_for_its_owner_alone() {
    let mut session = with_a_page();
    let page = String::from_utf8(session.read("page")).unwrap();
    let mode = std::fs::metadata(session.work().join("page")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    assert!(
        page.lines().count() <= 66 && page.contains("alice@example.org"),
        "{page}"
    );
    session.type_(
        "alice",
        "encl key paper -o page --passphrase-file passphrase",
    );
    session.type_("alice", "encl key paper -o page.html --no-input");
    session.type_(
        "alice",
        "encl key paper alice -o page.html --passphrase-file passphrase",
    );
    session.type_(
        "alice",
        "encl key paper --passphrase-file passphrase | grep -c abcdefgh; encl key paper --passphrase-file passphrase > open-page",
    );
    session.type_("alice", "encl key paper nobody -o other");
    session.type_("alice", "encl key paper --no-passphrase");
    session.type_("alice", "encl key paper alice --restore page");
    for _ in 0..3 {
        session.quietly("bob", "encl key rotate > bob.card");
    }
    session.type_("bob", "encl key paper -o - | wc -l");
    for _ in 0..8 {
        session.quietly("bob", "encl key rotate > bob.card");
    }
    session.type_("bob", "encl key paper -o bob.html");
    insta::assert_snapshot!(session.transcript());
    let html = String::from_utf8(session.read("page.html")).unwrap();
    assert!(html.contains("<svg") && html.ends_with("</html>\n"));
    for line in words(&session, "page") {
        assert!(html.contains(&line));
    }
}

#[test]
fn a_page_that_was_mistyped_is_refused_where_it_is_wrong() {
    let mut session = with_a_page();
    let lines = words(&session, "page");
    let numbered = |lines: &[String]| {
        let lines = lines
            .iter()
            .zip(1..)
            .map(|(line, n)| format!("{n}. {line}\n"));
        lines.collect::<Vec<_>>().concat()
    };
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    session.write("swapped", numbered(&swapped));
    session.write("short", numbered(&lines[..4]));
    let (_, rest) = lines[1].split_once(' ').unwrap();
    session.write(
        "unknown",
        numbered(&[lines[0].clone(), format!("abandn {rest}")]),
    );
    session.write("cut", &code(&lines)[..100]);
    session.write("newer", "ENCL-PAPER7:AAAA");
    session.write("long", "zoo ".repeat(20_000));
    session.write("bytes", b"\xff\xfe");
    for file in [
        "swapped", "short", "unknown", "cut", "newer", "long", "bytes", "a.encl", "nothing",
    ] {
        session.type_(
            "laptop",
            &format!("encl key paper --restore {file} --no-passphrase"),
        );
    }
    session.type_("laptop", "encl key paper --restore");
    session.type_("laptop", "encl key list");
    insta::assert_snapshot!(session.transcript());
}

#[test]
fn words_are_asked_for_a_line_at_a_time_and_a_wrong_line_once_more() {
    let session = with_a_page();
    if !session.has_terminal() {
        return;
    }
    let mut typed = String::new();
    for (at, line) in words(&session, "page").iter().enumerate() {
        if at == 1 {
            let (first, rest) = line.split_once(' ').unwrap();
            let wrong = if first == "zoo" { "abandon" } else { "zoo" };
            typed.extend([wrong, " ", rest, "\nabandn\n3. ", line, "\n"]);
        }
        let short = |word: &str| word.chars().take(4).collect::<String>();
        let words: Vec<_> = line.split(' ').map(short).collect();
        typed.extend([&words.join(" ")[..], "\n"]);
    }
    typed.extend([PASSPHRASE, "\n", PASSPHRASE, "\n"]);
    let answer = session.ask_on_terminal("laptop", "encl key paper --restore", &typed);
    let text = answer.text();
    assert_eq!(answer.exit, 0, "{text}");
    for part in [
        "Try again: line 2 is wrong",
        "did you mean abandon?",
        "this is line 3, and line 2 comes next",
        "Line 3 of ",
        "Alice <alice@example.org> is one of your identities again",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains(PASSPHRASE), "{text}");
    session.quietly(
        "laptop",
        "encl unwrap a.encl -o b --passphrase-file passphrase",
    );
    assert_eq!(session.read("b"), b"a\n");
}

#[test]
fn a_scanner_types_the_code_where_words_are_asked_for() {
    let session = with_a_page();
    if !session.has_terminal() {
        return;
    }
    let code = code(&words(&session, "page"));
    let typed = format!("{}\n{}", &code[..90], code.to_lowercase());
    let line = "encl key paper --restore --no-passphrase";
    let answer = session.ask_on_terminal("laptop", line, &typed);
    assert_eq!(answer.exit, 0, "{}", answer.text());
    session.quietly("laptop", "encl unwrap a.encl -o b");
    let answer = session.ask_on_terminal("phone", line, "\u{4}");
    assert_eq!(answer.exit, 6, "{}", answer.text());
    assert_eq!(session.quietly("phone", "encl key list").text(), "");
}

#[test]
fn a_terminal_shows_a_page_only_when_it_is_asked_to() {
    let session = with_a_page();
    if !session.has_terminal() {
        return;
    }
    let paper = "encl key paper --passphrase-file passphrase";
    let answer = session.ask_on_terminal("alice", paper, "");
    assert_eq!(answer.exit, 2, "{}", answer.text());
    let first = words(&session, "page").swap_remove(0);
    assert!(!answer.text().contains(&first));
    let answer = session.ask_on_terminal("alice", &format!("{paper} --show"), "");
    assert_eq!(answer.exit, 0, "{}", answer.text());
    assert!(answer.text().contains(&first), "{}", answer.text());
}
