//! The README is run: every console block, in order, by the people whose prompts it shows.
//!
//! `[..]` stands for anything; `? 8` is the exit code of the command above it, 0 if it is not written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::path::Path;

#[path = "support/mod.rs"]
mod support;

use support::process;

const README: &str = include_str!("../README.md");

/// One command, and what the README says that it prints.
struct Step {
    person: String,
    line: String,
    exit: i32,
    printed: Vec<String>,
}

fn steps() -> Vec<Step> {
    let blocks = README
        .split("```console\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        if let Some((person, command)) = line
            .split_once("$ ")
            .filter(|(person, _)| person.chars().all(char::is_alphabetic))
        {
            steps.push(Step {
                person: person.to_owned(),
                line: command.to_owned(),
                exit: 0,
                printed: Vec::new(),
            });
        } else if let Some(code) = line.strip_prefix("? ") {
            steps.last_mut().unwrap().exit = code.parse().unwrap();
        } else {
            steps.last_mut().unwrap().printed.push(line.to_owned());
        }
    }
    steps
}

/// Runs a command as a person types it, and gives back its exit code and both its outputs as a terminal shows them.
fn run(folder: &Path, step: &Step) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_encl")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = process::output(
        process::command("bash")
            .args(["-c", &format!("exec 2>&1; {}", step.line)])
            .current_dir(folder)
            .env("PATH", path)
            .env("TZ", "UTC")
            .env(
                "ENCL_KEYSTORE",
                folder.join(format!(".keys-of-{}", step.person)),
            )
            .env("ENCL_PASSPHRASE_FILE", folder.join(".passphrase"))
            .env_remove("ENCL_IDENTITY"),
    );
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// Whether a line is what the README shows, `[..]` standing for anything.
fn fits(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split("[..]");
    let Some(mut rest) = printed.strip_prefix(parts.next().unwrap()) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn every_block_of_the_readme_works_as_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report.pdf"),
        folder.path().join("report.pdf"),
    )
    .unwrap();
    fs::write(
        folder.path().join(".passphrase"),
        "a passphrase for the README\n",
    )
    .unwrap();
    let steps = steps();
    assert!(steps.len() >= 20, "only {} commands found", steps.len());
    for step in &steps {
        let (exit, printed) = run(folder.path(), step);
        let what = format!("{}$ {}\n{printed}", step.person, step.line);
        assert_eq!(exit, step.exit, "{what}");
        let printed: Vec<_> = printed.lines().collect();
        assert_eq!(printed.len(), step.printed.len(), "{what}");
        for (shown, printed) in step.printed.iter().zip(printed) {
            assert!(fits(shown, printed), "the README shows: {shown}\n{what}");
        }
    }
    println!("{} commands of the README", steps.len());
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_program() {
    let output =
        process::output(process::command(env!("CARGO_BIN_EXE_encl")).args(["help", "exit-codes"]));
    let help = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = README
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .collect();
    assert_eq!(rows.len(), 10);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert!(
            help.contains(&format!("{}  {}", cells[1], cells[3])),
            "{row}"
        );
    }
}

#[test]
fn the_readme_is_short_and_begins_with_the_commands() {
    assert!(README.lines().count() <= 250);
    let prose = README
        .split("```")
        .next()
        .unwrap()
        .lines()
        .skip(1)
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        prose.split_whitespace().count() <= 40,
        "{} words before the commands",
        prose.split_whitespace().count()
    );
}

/// The picture is the story that the tests of the command line hold, drawn as a terminal shows it.
#[test]
fn the_picture_is_made_from_the_story_that_is_tested() {
    let snapshot =
        include_str!("cli/snapshots/cli__strangers__three_commands_and_one_exchange.snap");
    let story = snapshot.splitn(3, "---\n").nth(2).unwrap();
    let mut screen = String::new();
    for line in story.lines() {
        let prompt = |person: &&str| person.chars().all(char::is_alphabetic);
        let drawn = match line.split_once("$ ").filter(|(person, _)| prompt(person)) {
            Some((person, command)) => {
                format!("\u{1b}[32m{person}$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m\n")
            }
            None => format!("{}\n", line.strip_prefix("! ").unwrap_or(line)),
        };
        screen.push_str(&drawn);
    }
    let picture = anstyle_svg::Term::new().render_svg(&screen);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first-minute.svg");
    if std::env::var_os("ENCL_BLESS").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == picture,
        "ENCL_BLESS=1 cargo test --test docs draws it anew"
    );
}
