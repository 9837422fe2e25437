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
    assert_eq!(typed("encl unwrap lett", 2), "");
    let last = typed("encl wrap --quorum 2:bob@example.org,car", 3);
    assert!(
        last.contains("2:bob@example.org,carol@example.org"),
        "{last}"
    );
    assert_eq!(typed("encl approve --to @f", 3), "@finance");
    assert_eq!(typed("encl insp", 1), "inspect");
    assert_eq!(typed("encl wrap --anon", 2), "--anonymous");
}

#[test]
fn fish_and_zsh_load_the_completions() {
    let session = Session::with_people();
    session.quietly(
        "alice",
        "encl completions fish > encl.fish && encl completions zsh > _encl",
    );
    for (shell, line) in [
        ("fish", "fish -c 'source encl.fish; complete -c encl'"),
        ("zsh", "zsh -n _encl"),
    ] {
        if session.has(shell) {
            session.quietly("alice", line);
        } else {
            skipped(&format!(
                "cli: the completions of {shell}, which is not installed"
            ));
        }
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
        for section in ["NAME", "SYNOPSIS", "EXIT STATUS", "EXAMPLES"] {
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
fn manual_pages_need_their_folder() {
    let session = Session::new();
    let answer = session.ask("alice", "encl man nowhere");
    assert_eq!(answer.exit, 1);
    assert!(
        answer.stderr.contains("no such file or directory"),
        "{}",
        answer.stderr
    );
}
