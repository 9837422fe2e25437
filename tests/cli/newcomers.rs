//! What people try who have not read the manual, and what they are told.

use crate::session::{PASSPHRASE, Session};
use crate::tell::skipped;

/// What a command said, which has to fail.
fn refused(session: &Session, person: &str, line: &str) -> String {
    let answer = session.ask(person, line);
    assert_ne!(answer.exit, 0, "{line}\n{}", answer.stderr);
    answer.stderr
}

fn hint(session: &Session, person: &str, line: &str) -> String {
    let said = refused(session, person, line);
    let hint = said
        .lines()
        .find_map(|line| line.strip_prefix("encl: hint: "));
    hint.unwrap_or_else(|| panic!("{line}: no hint\n{said}"))
        .to_owned()
}

/// Each kind of file that encl makes, given to commands that do not take it.
fn with_files() -> Session {
    let session = Session::with_a_board();
    session.quietly(
        "alice",
        "encl key export -o alice.identity && encl key paper -o page.html && encl key paper -o page.txt && \
         encl invite zoe@example.org -o invitation.txt && encl wrap notes.txt --to bob@example.org && \
         encl backup -o keystore.encl --passphrase-file passphrase && \
         encl unwrap keystore.encl --passphrase-file passphrase -o keystore.tar",
    );
    session.quietly("erin", "encl key revoke --yes > erin.revocation");
    session
}

#[test]
fn a_file_is_told_by_what_it_is_and_which_command_takes_it() {
    let session = with_files();
    for (line, takes) in [
        ("encl unwrap sealed.eml", "encl mail show sealed.eml"),
        ("encl inspect sealed.eml", "encl mail show sealed.eml"),
        ("encl verify bob.card", "encl contact add bob.card"),
        ("encl unwrap bob.card", "encl contact add bob.card"),
        (
            "encl unwrap page.html",
            "encl key paper --restore page.html",
        ),
        (
            "encl inspect invitation.txt",
            "encl contact add invitation.txt",
        ),
        (
            "encl inspect erin.revocation",
            "encl contact add erin.revocation",
        ),
        (
            "encl inspect bob.approval",
            "encl unwrap ENVELOPE --with bob.approval",
        ),
        ("encl inspect keystore.tar", "encl restore BACKUP"),
        (
            "encl grant page.txt --to carol@example.org",
            "encl key paper --restore page.txt",
        ),
        ("encl rewrap bob.card --yes", "encl contact add bob.card"),
        (
            "encl approve bob.card --to bob@example.org",
            "encl contact add bob.card",
        ),
        (
            "encl restore page.txt --dry-run",
            "encl key paper --restore page.txt",
        ),
        (
            "encl restore alice.identity --dry-run",
            "encl key import alice.identity",
        ),
        ("encl restore notes.txt.encl --dry-run", "encl unwrap"),
        (
            "encl key import keystore.encl",
            "encl restore keystore.encl",
        ),
        (
            "encl key import page.txt",
            "encl key paper --restore page.txt",
        ),
        ("encl key import bob.card", "encl contact add bob.card"),
        (
            "encl key paper --restore alice.identity",
            "encl key import alice.identity",
        ),
        (
            "encl key paper --restore keystore.encl",
            "encl restore keystore.encl",
        ),
        (
            "encl contact add page.txt",
            "encl key paper --restore page.txt",
        ),
        (
            "encl contact add notes.txt.encl",
            "encl unwrap notes.txt.encl",
        ),
        (
            "encl contact add bob.approval",
            "encl unwrap ENVELOPE --with bob.approval",
        ),
        ("encl mail unwrap bob.card", "encl contact add bob.card"),
        (
            "encl wrap notes.txt --to ./page.txt",
            "encl key paper --restore ./page.txt",
        ),
        (
            "encl wrap notes.txt --to ./notes.txt.encl",
            "encl unwrap ./notes.txt.encl",
        ),
        (
            "encl unwrap plan.txt.encl --with bob.card",
            "encl contact add bob.card",
        ),
    ] {
        let hint = hint(&session, "alice", line);
        assert!(hint.contains(&format!("`{takes}")), "{line}: {hint}");
    }
    // What is no file of encl, or is damaged, is told as before.
    let card = session.read("bob.card");
    session.write("damaged.card", &card[..card.len() / 2]);
    for line in ["encl inspect notes.txt", "encl contact add damaged.card"] {
        let said = refused(&session, "alice", line);
        assert!(!said.contains("hint:"), "{line}: {said}");
    }
}

/// Its content is the keystore: nobody should leave it behind without a word.
#[test]
fn a_backup_that_is_decrypted_like_a_file_is_told() {
    let session = with_files();
    let line = "encl unwrap keystore.encl --passphrase-file passphrase -o again.tar --quiet";
    let said = session.quietly("alice", line).stderr;
    assert!(
        said.contains("it was a backup") && said.contains("`encl restore`"),
        "{said}"
    );
    let line = "encl verify keystore.encl --passphrase-file passphrase --quiet";
    assert_eq!(session.quietly("alice", line).stderr, "");
}

/// Whoever gets such a file has somebody's private keys: nothing is added, and it is said.
#[test]
fn private_keys_are_not_taken_for_a_card() {
    let session = with_files();
    session.quietly(
        "paula",
        "(echo Hello; sed 's/^/> /' alice.identity) > forwarded.txt",
    );
    for file in ["alice.identity", "forwarded.txt"] {
        let answer = session.ask("paula", &format!("encl contact add {file} --yes"));
        assert_eq!(answer.exit, 7, "{}", answer.stderr);
        assert!(
            answer.stderr.contains("holds the private keys"),
            "{}",
            answer.stderr
        );
    }
    assert_eq!(session.quietly("paula", "encl contact list").text(), "");
}

#[test]
fn a_saved_page_is_restored_in_every_form() {
    let session = with_files();
    session.quietly(
        "alice",
        "sed 's/$/\\r/' page.html > crlf.html && sed 's/$/\\r/' page.txt > crlf.txt && \
         (printf '\\357\\273\\277'; cat page.html) > bom.html && (printf '\\357\\273\\277'; cat page.txt) > bom.txt && \
         (printf '\\357\\273\\277'; sed -n 's/^ *[0-9]*[.] //p' page.txt) > words.txt",
    );
    for page in [
        "page.html",
        "page.txt",
        "crlf.html",
        "crlf.txt",
        "bom.html",
        "bom.txt",
        "words.txt",
    ] {
        let line = format!(
            "rm -rf \"$ENCL_KEYSTORE\" \"$XDG_STATE_HOME\" && encl key paper --restore {page} --no-passphrase"
        );
        let said = session.quietly("laptop", &line).stderr;
        assert!(
            said.contains("complete and correct: Alice"),
            "{page}: {said}"
        );
    }
}

/// A new identity opens nothing that was encrypted for the lost one.
#[test]
fn a_lost_laptop_is_told_of_backups_first() {
    let session = Session::with_people();
    for line in [
        "encl unwrap letter.pdf.encl",
        "encl key card",
        "encl unlock",
    ] {
        let hint = hint(&session, "nobody", line);
        let restore = hint.find("`encl restore BACKUP`").expect(&hint);
        let new = hint.find("`encl key new ADDRESS`").expect(&hint);
        assert!(
            restore < new && hint.contains("key paper --restore"),
            "{hint}"
        );
    }
}

#[test]
fn words_of_other_programs_are_known() {
    let session = Session::with_people();
    for (line, takes) in [
        ("encl encrypt notes.txt", "encl wrap FILE --to WHO"),
        ("encl seal notes.txt", "encl wrap FILE --to WHO"),
        ("encl open letter.pdf.encl", "encl unwrap FILE"),
        ("encl decrypt letter.pdf.encl", "encl unwrap FILE"),
        ("encl decrpyt letter.pdf.encl", "encl unwrap FILE"),
        ("encl add bob.card", "encl contact add FILE"),
        ("encl list", "encl contact list"),
        ("encl init", "encl key new ADDRESS"),
        ("encl send", "encl mail send"),
        ("encl key create", "encl key new ADDRESS"),
        ("encl contact delete bob", "encl contact remove WHO"),
        ("encl group create pals", "encl group new NAME WHO"),
        ("encl mail decrypt x", "encl mail unwrap FILE"),
        ("encl -r bob notes.txt", "--to WHO"),
        ("encl wrap notes.txt --recipient bob", "--to WHO"),
        ("encl -d letter.pdf.encl", "encl unwrap FILE"),
        ("encl --encrypt notes.txt", "encl wrap FILE --to WHO"),
        ("encl wrap notes.txt -i key", "--as WHO"),
    ] {
        let answer = session.ask("alice", line);
        assert_eq!(answer.exit, 2, "{line}");
        assert!(answer.stderr.contains(takes), "{line}: {}", answer.stderr);
        assert!(
            !answer.stderr.contains("'drop'") && !answer.stderr.contains("-- -"),
            "{line}"
        );
        let answer = session.ask("alice", &format!("{line} --json"));
        let object: serde_json::Value = serde_json::from_str(&answer.stderr).unwrap();
        assert!(object["hint"].as_str().unwrap().contains(takes), "{line}");
    }
    // A command that is only mistyped is offered as before.
    let said = refused(&session, "alice", "encl inspct x");
    assert!(said.contains("'inspect'"), "{said}");
}

#[test]
fn people_and_groups_are_guessed_from_parts_of_their_names() {
    let session = Session::new();
    session.quietly(
        "lara",
        "encl key new lara@law.example --name 'Lara Lawyer' --no-passphrase -o lara.card && \
         encl key new lars@law.example --name 'Lars Lawyer' --no-passphrase -o lars.card",
    );
    session.write("a", "a\n");
    session.quietly(
        "alice",
        "encl key new alice@example.org --no-passphrase -o alice.card && \
         encl contact add lara.card lars.card --yes && encl group new pals lara@law.example",
    );
    for (who, meant) in [
        ("pals", "@pals"),
        ("Lara", "Lara Lawyer"),
        ("PALS", "@pals"),
    ] {
        let hint = hint(&session, "alice", &format!("encl wrap a --to {who}"));
        assert_eq!(hint, format!("did you mean `{meant}`?"));
    }
    // Two have this name.
    let hint = hint(&session, "alice", "encl wrap a --to Lawyer");
    assert!(!hint.contains("did you mean"), "{hint}");
    let hint = self::hint(&session, "alice", "encl wrap a --to a@x.org,b@x.org");
    assert!(hint.contains("--to A --to B"), "{hint}");
}

#[test]
fn several_cards_are_added_at_once() {
    let session = Session::with_people();
    let added = session.ask(
        "carol",
        "encl contact add alice.card notes.txt bob.card --yes",
    );
    assert_eq!(added.exit, 4, "{}", added.stderr);
    let listed = session.quietly("carol", "encl contact list").text();
    assert!(
        listed.contains("Alice") && listed.contains("Bob"),
        "{listed}"
    );
}

/// The width of a standard terminal.
const COLUMNS: usize = 80;

#[test]
fn no_line_of_a_topic_is_wider_than_a_terminal() {
    let session = Session::new();
    let topics = [
        "access",
        "exit-codes",
        "json",
        "keys",
        "scripting",
        "trust",
        "what-it-promises",
    ];
    for topic in topics {
        let text = session
            .quietly("alice", &format!("encl help {topic}"))
            .text();
        for line in text.lines() {
            assert!(line.chars().count() <= COLUMNS, "{topic}: {line}");
        }
    }
}

#[test]
fn fingerprints_and_passphrases_stay_whole_on_a_terminal() {
    let session = Session::with_people();
    if !session.has_terminal() {
        return;
    }
    for line in [
        "encl contact list",
        "encl contact show bob@example.org",
        "encl key list",
    ] {
        let line = format!("stty cols {COLUMNS} && {line}");
        let shown = session.ask_on_terminal("alice", &line, "").text();
        let widest = shown
            .lines()
            .map(|line| line.trim_end().chars().count())
            .max();
        assert!(widest.unwrap() <= COLUMNS, "{shown}");
        let groups = shown.split_whitespace().filter(|word| word.len() == 4);
        assert!(
            groups
                .filter(|word| u16::from_str_radix(word, 16).is_ok())
                .count()
                >= 16,
            "{shown}"
        );
    }
    let line = format!("stty cols {COLUMNS} && encl key new dora@example.org");
    let made = session.ask_on_terminal("dora", &line, "\n");
    assert_eq!(made.exit, 0, "{}", made.text());
    let is_passphrase = |line: &str| {
        let words = line.trim().split('-');
        words.clone().count() == 7 && words.flat_map(str::chars).all(|c| c.is_ascii_lowercase())
    };
    assert!(made.text().lines().any(is_passphrase), "{}", made.text());
}

#[test]
fn a_card_goes_to_a_file_and_never_empties_one() {
    let session = Session::new();
    session.quietly(
        "bob",
        "encl key new bob@example.org --no-passphrase -o bob.card",
    );
    let card = session.read("bob.card");
    assert!(card.starts_with(b"encl-card1:"));
    assert_eq!(
        session
            .ask(
                "bob",
                "encl key new bob@example.org --no-passphrase -o bob.card"
            )
            .exit,
        8
    );
    let again = session.ask(
        "bob",
        "encl key new bob@example.org --no-passphrase -o bob.card --force",
    );
    assert_eq!(again.exit, 8, "{}", again.stderr);
    assert_eq!(session.read("bob.card"), card);
    session.quietly("bob", "encl key rotate -o bob.card --force");
    assert_ne!(session.read("bob.card"), card);
    assert_eq!(
        session
            .ask("bob", "encl key renew --never -o bob.card")
            .exit,
        8
    );
    if !session.has_terminal() {
        return;
    }
    for (line, file) in [
        (
            "encl key new eve@example.org --no-passphrase",
            "eve@example.org.card",
        ),
        ("encl key rotate", "eve@example.org-2.card"),
    ] {
        let made = session.ask_on_terminal("eve", line, "");
        assert_eq!(made.exit, 0, "{}", made.text());
        assert!(
            made.text().contains(&format!("its card is in {file}")),
            "{}",
            made.text()
        );
        assert!(!made.text().contains("encl-card1:"));
        assert!(session.read(file).starts_with(b"encl-card1:"));
    }
}

/// The job that `encl help scripting` shows, as it stands there, with another folder.
#[test]
fn the_job_of_the_help_works_and_keeps_the_last_good_dump() {
    let session = Session::with_people();
    let help = session.quietly("alice", "encl help scripting").text();
    let job = help.split_once("  #!/bin/bash\n").expect("the job").1;
    let job = job.split_once("\n\n").unwrap().0;
    let job: Vec<&str> = job
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("export"))
        .collect();
    let job = job
        .join("\n")
        .replace("/backup/", "")
        .replace("backup@", "bob@");
    session.write("job", job);
    session.program("pg_dump", "echo \"dump of $1\"; exit \"$(cat code)\"");
    session.write("code", "0");
    let done = session.quietly("alice", "bash job");
    assert_eq!((&*done.text(), &*done.stderr), ("", ""));
    let opened = "encl unwrap shop.encl -o - --quiet";
    assert_eq!(session.quietly("bob", opened).text(), "dump of shop\n");
    let good = session.read("shop.encl");
    session.write("code", "1");
    assert_ne!(session.ask("alice", "bash job").exit, 0);
    assert_eq!(session.read("shop.encl"), good);
}

#[test]
fn a_restored_identity_keeps_its_own_passphrase_and_that_is_said() {
    let session = Session::with_a_locked_alice();
    session.write("of-backup", "a passphrase of the backup\n");
    session.quietly(
        "alice",
        "encl backup -o keystore.encl --new-passphrase-file of-backup",
    );
    let restored = session.quietly(
        "laptop",
        "encl restore keystore.encl --yes --passphrase-file of-backup",
    );
    assert!(
        restored
            .stderr
            .contains("a passphrase of their own: Alice <alice@example.org>"),
        "{}",
        restored.stderr
    );
    if session.has_terminal() {
        let typed = format!("{PASSPHRASE}\n{PASSPHRASE}\n");
        let made = session.ask_on_terminal("alice", "encl backup -o again.encl", &typed);
        assert!(
            made.text().contains("New passphrase of the backup"),
            "{}",
            made.text()
        );
    }
}

#[test]
fn a_short_passphrase_is_taken_with_a_warning() {
    let session = Session::with_people();
    session.write("short", "abcde\n");
    for line in [
        "encl wrap notes.txt --passphrase --anonymous --new-passphrase-file short --quiet",
        "encl backup -o short.encl --passphrase-file short",
        "encl key passphrase --new-passphrase-file short",
    ] {
        let said = session.quietly("alice", line).stderr;
        assert!(said.contains("has 5 characters"), "{line}: {said}");
    }
    let said = session
        .quietly(
            "bob",
            "encl backup -o bob.encl --passphrase-file passphrase",
        )
        .stderr;
    assert!(!said.contains("characters"), "{said}");
}

#[test]
fn outputs_that_cannot_be_made_are_told_with_the_way_out() {
    let session = Session::with_people();
    let line = "encl wrap notes.txt report.pdf --to bob@example.org -C out";
    let answer = session.ask("alice", line);
    assert_eq!(answer.exit, 1);
    assert_eq!(
        answer.stderr.matches("error:").count(),
        1,
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("`mkdir -p out`"),
        "{}",
        answer.stderr
    );
    let hint = hint(
        &session,
        "alice",
        "encl wrap notes.txt --to bob@example.org -o out/a.encl",
    );
    assert!(hint.contains("`mkdir -p out`"), "{hint}");
    session.quietly("alice", "mkdir out");
    session.quietly("alice", line);
    let hint = self::hint(&session, "alice", line);
    assert!(
        hint.contains("-C DIR") && !hint.contains("-o OUT"),
        "{hint}"
    );
    let one = "encl wrap notes.txt --to bob@example.org -C out";
    assert!(self::hint(&session, "alice", one).contains("-o OUT"));
}

/// The ids of line 2 and those of `--json` are the same bytes.
#[test]
fn an_id_on_line_2_is_the_one_in_json() {
    let session = Session::with_people();
    let of_line =
        "sed -n 2p letter.pdf.encl | jq -r .signer | base64 -d | od -An -v -tx1 | tr -d ' \\n'";
    let of_json = "encl inspect --json letter.pdf.encl | jq -j .signer";
    let of_line = session.quietly("alice", of_line).text();
    assert_eq!(of_line, session.quietly("alice", of_json).text());
    assert_eq!(of_line.len(), 64);
}

#[test]
fn the_doctor_looks_on_in_an_open_keystore() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "chmod 755 \"$ENCL_KEYSTORE\" && echo x > \"$ENCL_KEYSTORE\"/groups/broken && chmod 600 \"$ENCL_KEYSTORE\"/groups/broken",
    );
    let answer = session.ask("alice", "encl doctor");
    assert_eq!(answer.exit, 1);
    for due in ["mode 0755", "groups/broken", "identity Alice"] {
        assert!(answer.text().contains(due), "{due}: {}", answer.text());
    }
}

#[test]
fn invitations_can_be_seen() {
    let session = Session::with_people();
    let none = session.quietly("alice", "encl invite list");
    assert!(
        none.stderr.contains("you invited nobody"),
        "{}",
        none.stderr
    );
    session.quietly(
        "alice",
        "encl invite zoe@example.org -o zoe.txt && encl invite yan@example.org -o yan.txt",
    );
    session.quietly(
        "zoe",
        "encl key new zoe@example.org --no-passphrase -o zoe.card && \
         encl key card --invitation \"$(grep -o 'encl-invitation1:.*' zoe.txt)\" > answer.txt",
    );
    session.quietly("alice", "encl contact add answer.txt --yes");
    let listed = session.quietly("alice", "encl invite list").text();
    let of = |address: &str| {
        listed
            .lines()
            .find(|line| line.starts_with(address))
            .unwrap()
    };
    assert!(of("zoe@example.org").contains("  answered "), "{listed}");
    assert!(
        of("yan@example.org").ends_with("not answered yet"),
        "{listed}"
    );
}

#[test]
fn a_recipient_with_nothing_is_told_whom_to_ask_for_encl() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl mail wrap letter.eml -o to-bob.eml && encl invite zoe@example.org -o zoe.txt",
    );
    for file in ["to-bob.eml", "zoe.txt"] {
        let text = String::from_utf8_lossy(&session.read(file)).replace('\n', " ");
        assert!(text.contains("you where to get it"), "{file}: {text}");
    }
}

/// With the set-up of examples/mail, one message goes out as it is, and the next is sealed again.
#[test]
fn mutt_has_a_way_out_for_people_without_a_card() {
    let session = Session::with_people();
    if !session.has_terminal() || !session.has("mutt") {
        skipped("cli: the set-up for mutt: mutt is not installed");
        return;
    }
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mail/mutt/muttrc");
    let example = std::fs::read_to_string(example).unwrap();
    session.write(
        "muttrc",
        example.replace("/usr/sbin/sendmail", "sendmail")
            + "set from = alice@example.org\nset editor = true\nset autoedit = yes\nset confirmcreate = no\n\
               set abort_unmodified = no\nset folder = .\nset record = kept\nset tmpdir = .\n\
               push \"mbob@example.org\\none\\nymzoe@example.org\\ntwo\\n\\euymbob@example.org\\nthree\\nyq\"\n",
    );
    session.quietly(
        "alice",
        "mkdir -p ../Mail && TERM=xterm timeout 60 script -qec 'stty cols 80 rows 24; mutt -n -F muttrc -f /dev/null' \
         /dev/null < /dev/null",
    );
    let is_sealed = |number: usize| {
        let message = session.read(format!("sent-{number}.eml"));
        String::from_utf8_lossy(&message).contains("application/vnd.encl")
    };
    assert_eq!([1, 2, 3].map(is_sealed), [true, false, true]);
    let kept = String::from_utf8(session.read("kept")).unwrap();
    assert_eq!(kept.matches("\nSubject: ").count(), 1, "{kept}");
}
