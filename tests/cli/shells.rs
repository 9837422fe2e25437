//! Completions load in shells, and formatters read manual pages without warnings.

use crate::session::Session;
use crate::tell::skipped;

#[test]
fn bash_loads_the_completions_and_offers_contacts_and_groups() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "bash -c 'set -e; eval \"$(encl completions bash)\"; complete -p encl'",
    );
    let typed = |words: &str, index: usize| {
        let line = format!(
            "_CLAP_COMPLETE_INDEX={index} _CLAP_COMPLETE_IFS='\n' COMPLETE=bash encl -- {words}"
        );
        session.quietly("alice", &line).text()
    };
    let offered = typed("encl wrap --to ''", 3);
    for word in ["bob@example.org", "carol@example.org", "@finance"] {
        assert!(offered.contains(word), "{offered}");
    }
    assert_eq!(typed("encl wrap --to @f", 3), "@finance");
    // Files are the shell's.
    assert_eq!(typed("encl wrap --to bob.", 3), "");
    assert_eq!(typed("encl unwrap lett", 2), "/.encl");
    let last = typed("encl wrap --quorum 2:bob@example.org,car", 3);
    assert!(
        last.contains("2:bob@example.org,carol@example.org"),
        "{last}"
    );
    assert_eq!(typed("encl approve --to @f", 3), "@finance");
    assert_eq!(typed("encl insp", 1), "inspect");
    assert_eq!(typed("encl wrap --anon", 2), "--anonymous");
}

/// What bash makes of a line that is typed up to a tab: the line that it would run.
fn completed_in_bash(session: &Session, typed: &str) -> String {
    session.write("bashrc", "PS1='> '\n. ./encl.bash\n");
    session.write("keys", format!("{typed}\t\u{1}echo '[\u{5}]'\nexit\n"));
    let line = "cat keys | timeout 20 script -qec 'bash --noprofile --rcfile bashrc -i' /dev/null";
    let screen = session.quietly("alice", line).text();
    let line = screen.lines().find_map(|line| {
        let begin = line.find("[encl ")? + 1;
        line.get(begin..)?.trim_end().strip_suffix(']')
    });
    line.unwrap_or_else(|| panic!("{typed}: {screen}"))
        .to_owned()
}

/// bash breaks words at `@`, `=` and `:`; what it types is a whole word nevertheless.
#[test]
fn bash_completes_words_with_signs_in_them() {
    let session = Session::with_people();
    if !session.has_terminal() {
        return;
    }
    session.quietly(
        "alice",
        "encl completions bash > encl.bash && encl wrap notes.txt --to bob@example.org && mkdir empty nothing",
    );
    for (typed, due) in [
        ("encl wrap --to @fin", "encl wrap --to @finance "),
        ("encl wrap --to @", "encl wrap --to @finance "),
        ("encl wrap --to bo", "encl wrap --to bob@example.org "),
        ("encl wrap --to bob@", "encl wrap --to bob@example.org "),
        ("encl wrap --to bob@ex", "encl wrap --to bob@example.org "),
        ("encl wrap --to=bo", "encl wrap --to=bob@example.org "),
        ("encl wrap --to=bob@", "encl wrap --to=bob@example.org "),
        ("encl wrap --to=@fi", "encl wrap --to=@finance "),
        (
            "encl wrap --quorum 1:bob@ex",
            "encl wrap --quorum 1:bob@example.org ",
        ),
        (
            "encl wrap \"a b\" --to @fin",
            "encl wrap \"a b\" --to @finance ",
        ),
        (
            "encl contact show bob@",
            "encl contact show bob@example.org ",
        ),
        (
            "encl contact block ca",
            "encl contact block carol@example.org ",
        ),
        ("encl group show fi", "encl group show finance "),
        ("encl key show al", "encl key show alice@example.org "),
        ("encl wrap --as al", "encl wrap --as alice@example.org "),
        ("encl unwrap not", "encl unwrap not"),
        ("encl unwrap notes", "encl unwrap notes.txt.encl "),
        ("encl inspect emp", "encl inspect empty/"),
        ("encl wrap notes.txt.", "encl wrap notes.txt.encl "),
        ("encl help what", "encl help what-it-promises "),
        ("encl insp", "encl inspect "),
    ] {
        let line = completed_in_bash(&session, typed);
        assert_eq!(line.trim_end(), due.trim_end(), "{typed}");
    }
}

/// The name of a file is typed so that it is a word, whatever is in it.
#[test]
fn bash_quotes_the_names_of_envelopes() {
    let session = Session::with_people();
    if !session.has_terminal() {
        return;
    }
    session.quietly(
        "alice",
        "encl completions bash > encl.bash && mkdir only && touch 'only/$(touch hit) *.encl'",
    );
    let line = completed_in_bash(&session, "encl unwrap only/");
    assert_eq!(
        line.trim_end(),
        r"encl unwrap only/\$\(touch\ hit\)\ \*.encl"
    );
    assert!(!session.work().join("hit").exists());
}

#[test]
fn fish_completes_them_too() {
    let session = Session::with_people();
    if !session.has("fish") {
        skipped("cli: the completions of fish, which is not installed");
        return;
    }
    session.quietly(
        "alice",
        "encl completions fish > encl.fish && encl wrap notes.txt --to bob@example.org",
    );
    for (typed, due) in [
        ("encl wrap --to @fin", "@finance"),
        ("encl wrap --to bob@", "bob@example.org"),
        ("encl wrap --to=bo", "--to=bob@example.org"),
        ("encl contact show bob@", "bob@example.org"),
        ("encl key show al", "alice@example.org"),
        ("encl wrap --as al", "alice@example.org"),
        ("encl unwrap notes", "notes.txt.encl"),
        ("encl wrap notes", "notes.txt"),
    ] {
        let line = format!("fish -c 'source encl.fish; complete -C \"{typed}\"'");
        let offered = session.quietly("alice", &line).text();
        let mut words = offered.lines().map(|line| line.split('\t').next().unwrap());
        assert!(words.any(|word| word == due), "{typed}: {offered}");
    }
}

#[test]
fn zsh_loads_the_completions() {
    let session = Session::with_people();
    session.quietly("alice", "encl completions zsh > _encl");
    if session.has("zsh") {
        let line = "zsh -fc 'fpath=($PWD $fpath); autoload -U compinit && compinit -u -D && echo $_comps[encl]'";
        assert_eq!(session.quietly("alice", line).text(), "_encl\n");
    } else {
        skipped("cli: the completions of zsh, which is not installed");
    }
}

/// What the help says about where they go is run as it stands: `every_example_of_every_help_runs`.
#[test]
fn the_help_names_a_place_for_each_shell() {
    let session = Session::new();
    let help = session.quietly("alice", "encl completions --help").text();
    for place in [
        "~/.local/share/bash-completion/completions",
        "~/.zfunc/_encl",
        "~/.config/fish/completions",
    ] {
        assert!(help.contains(place), "{help}");
    }
}

#[test]
fn an_unknown_shell_is_a_wrong_command_line() {
    let session = Session::new();
    assert_eq!(session.ask("alice", "encl completions tcsh").exit, 2);
    assert_eq!(
        session
            .ask("alice", "encl completions bash > /dev/full")
            .exit,
        1
    );
}

#[test]
fn manual_pages_render_without_warnings() {
    let session = Session::new();
    session.quietly("alice", "mkdir man && encl man man");
    let pages = session.quietly("alice", "ls man").text();
    assert!(pages.lines().count() > 25, "{pages}");
    if !session.has("groff") {
        skipped("cli: the look of the manual: groff is not installed");
        return;
    }
    for page in pages.lines() {
        let groff = session.quietly("alice", &format!("groff -man -ww -Tutf8 -z man/{page}"));
        assert_eq!(groff.stderr, "", "{page}");
        let text = String::from_utf8(session.read(format!("man/{page}"))).unwrap();
        let due: &[&str] = match page.starts_with("encl-help-") {
            true => &["NAME", "DESCRIPTION", "EXAMPLES"],
            false => &["NAME", "SYNOPSIS", "EXIT STATUS", "EXAMPLES"],
        };
        for section in due {
            assert!(
                text.contains(&format!(".SH \"{section}\""))
                    || text.contains(&format!(".SH {section}")),
                "{page}"
            );
        }
        assert!(!text.contains(".SH EXTRA"), "{page}");
    }
    if session.has("man") {
        let line =
            "for page in man/*; do man --warnings -E UTF-8 -l -Tutf8 -Z $page > /dev/null; done";
        assert_eq!(session.quietly("alice", line).stderr, "");
    }
}

#[test]
fn the_manual_has_values_environment_files_and_topics() {
    let session = Session::new();
    session.quietly("alice", "encl man share/man/man1");
    let page =
        |name: &str| String::from_utf8(session.read(format!("share/man/man1/{name}.1"))).unwrap();
    let (encl, wrap, trust) = (page("encl"), page("encl-wrap"), page("encl-help-trust"));
    for due in [
        ".SH \"ENVIRONMENT\"",
        "ENCL_KEYSTORE",
        ".SH \"FILES\"",
        "~/.local/state/encl",
    ] {
        assert!(encl.contains(due), "{due}\n{encl}");
    }
    let synopsis = wrap
        .split(".SH")
        .find(|part| part.starts_with(" SYNOPSIS"))
        .unwrap();
    for due in ["\\fB\\-\\-to\\fR\\ \\fIWHO\\fR", "\\fIFILE\\fR"] {
        assert!(synopsis.contains(due), "{synopsis}");
    }
    assert!(trust.contains("safety number"), "{trust}");
    assert_eq!(
        session
            .ask("alice", "touch file && encl man file/man1")
            .exit,
        1
    );
}
