//! Runs the README: every console block, in order, each command as the person whose prompt it has. Also runs the story of the
//! picture.
//!
//! Fingerprints, ids, times and sizes differ from run to run: they are replaced on both sides before they are compared.
//! Every command must end with 0.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::path::Path;

#[path = "support/mod.rs"]
mod support;

use support::process;

use clap::builder::styling::{Color, RgbColor, Style};
use regex::Regex;

const README: &str = include_str!("../README.md");
const STORY: &str = include_str!("../examples/first-minute.txt");

/// One command, with its output on the page.
struct Step {
    person: String,
    line: String,
    exit: i32,
    printed: Vec<String>,
}

/// The commands in the console blocks of a page.
fn blocks(page: &str) -> Vec<Step> {
    let blocks = page
        .split("```console\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    steps(&blocks.collect::<String>())
}

fn steps(lines: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in lines.lines() {
        match prompt(line) {
            Some((person, command)) => steps.push(Step {
                person: person.to_owned(),
                line: command.to_owned(),
                exit: 0,
                printed: Vec::new(),
            }),
            None => steps.last_mut().unwrap().printed.push(line.to_owned()),
        }
    }
    steps
}

/// The person and the command, if a line begins with a prompt.
fn prompt(line: &str) -> Option<(&str, &str)> {
    line.split_once("$ ")
        .filter(|(person, _)| !person.is_empty() && person.chars().all(char::is_alphabetic))
}

/// A line without the parts that differ between two runs.
fn scrub(line: &str) -> String {
    let mut text = line.to_owned();
    for (pattern, word) in [
        (r"(?:[0-9a-f]{4} ){15}[0-9a-f]{4}", "FINGERPRINT"),
        (r"[0-9a-f]{64}", "ID"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [+]00:00", "TIME"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "DAY"),
        (r"[A-Z][a-z]+day, DAY", "DAY"),
        (r"[0-9]+ bytes", "SIZE"),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, word).into_owned();
    }
    text
}

/// Runs a command as a person types it. Returns its exit code and both outputs as a terminal shows them.
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
            .env(
                "XDG_STATE_HOME",
                folder.join(format!(".state-of-{}", step.person)),
            )
            .env("ENCL_PASSPHRASE_FILE", folder.join(".passphrase"))
            .env_remove("ENCL_IDENTITY"),
    );
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// A folder with a report, and with the passphrase of all people.
fn desk() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report.pdf");
    fs::copy(report, folder.path().join("report.pdf")).unwrap();
    let passphrase = folder.path().join(".passphrase");
    fs::write(passphrase, "a passphrase for the README\n").unwrap();
    folder
}

fn check(folder: &Path, steps: &[Step]) {
    for step in steps {
        let (exit, printed) = run(folder, step);
        let transcript = format!("{}$ {}\n{printed}", step.person, step.line);
        assert_eq!(exit, step.exit, "{transcript}");
        let shown: Vec<_> = step.printed.iter().map(|line| scrub(line)).collect();
        let printed: Vec<_> = printed.lines().map(scrub).collect();
        assert_eq!(shown, printed, "{transcript}");
    }
}

#[test]
fn every_block_of_the_readme_works_as_shown() {
    let steps = blocks(README);
    assert!(steps.len() >= 15, "only {} commands found", steps.len());
    check(desk().path(), &steps);
    println!("{} commands of the README", steps.len());
}

/// Sizes in bytes may differ; everything else must be equal.
#[test]
fn only_differing_parts_are_scrubbed() {
    let id = "0123456789abcdef".repeat(4);
    assert_eq!(scrub(&format!("  id          {id}")), "  id          ID");
    assert_eq!(scrub("2 slots, 17 bytes"), "2 slots, SIZE");
    assert_eq!(scrub("on 2026-11-24 06:24:00 +00:00"), "on TIME");
    assert_eq!(scrub("signed by Alice"), "signed by Alice");
}

/// What `encl` prints with these words.
fn help(words: &[&str]) -> String {
    let output = process::output(process::command(env!("CARGO_BIN_EXE_encl")).args(words));
    assert!(output.status.success(), "encl {}", words.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// Commands outside the blocks, in text and tables: they exist, and have these options.
#[test]
fn every_command_that_the_readme_names_exists() {
    let prose = README.split("```").step_by(2).collect::<String>();
    let code = Regex::new("`[^`]+`|\n    [^\n]+").unwrap();
    let command = Regex::new(r"encl ((?:[a-z][a-z-]*(?: |$))+)([^|]*)").unwrap();
    let option = Regex::new("--[a-z-]+").unwrap();
    let mut commands = 0;
    for code in code.find_iter(&prose) {
        let code = code.as_str().trim_matches('`');
        let code = code.split(" # ").next().unwrap().trim_end();
        for found in command.captures_iter(code) {
            commands += 1;
            let words: Vec<_> = found[1].split_whitespace().collect();
            if words[0] == "help" {
                help(&words);
                continue;
            }
            // Words below a command are values, such as the name of a group.
            let depth = if ["key", "contact", "group", "mail"].contains(&words[0]) {
                2
            } else {
                1
            };
            let text = help(&[&words[..depth.min(words.len())], &["--help"]].concat());
            for option in option.find_iter(&found[2]) {
                assert!(
                    text.contains(option.as_str()),
                    "{code}: {}",
                    option.as_str()
                );
            }
        }
    }
    assert!(commands > 40, "only {commands} commands found");
}

#[test]
fn the_readme_is_short_and_says_at_once_what_encl_does() {
    assert!(README.lines().count() <= 216);
    let first = README.lines().nth(2).unwrap();
    assert!(first.starts_with("encl encrypts files and mail"), "{first}");
    assert!(!README.contains("[..]") && !README.contains("\n? "));
}

/// The commands before the picture: three people have identities, and Alice and Bob have compared their safety number.
const BEFORE: [(&str, &str); 8] = [
    ("bob", "encl key new bob@example.org --name Bob -o bob.card"),
    (
        "alice",
        "encl key new alice@example.org --name Alice -o alice.card",
    ),
    (
        "carol",
        "encl key new carol@example.org --name Carol -o carol.card",
    ),
    ("bob", "encl contact add alice.card --yes"),
    ("alice", "encl contact add bob.card --yes"),
    (
        "bob",
        "encl contact verify alice@example.org --no-input 2> .asked > .number || true",
    ),
    (
        "alice",
        "encl contact verify bob@example.org --code \"$(cat .number)\"",
    ),
    (
        "bob",
        "encl contact verify alice@example.org --code \"$(cat .number)\"",
    ),
];

/// The picture is drawn from a story that is run here: its commands, and their output.
#[test]
fn the_picture_is_made_from_a_story_that_is_tested() {
    let folder = desk();
    for (person, line) in BEFORE {
        let step = Step {
            person: person.to_owned(),
            line: line.to_owned(),
            exit: 0,
            printed: Vec::new(),
        };
        let (exit, printed) = run(folder.path(), &step);
        assert_eq!(exit, 0, "{line}\n{printed}");
    }
    let mut steps = steps(STORY);
    for step in &mut steps {
        step.exit = if step.person == "carol" { 3 } else { 0 };
    }
    check(folder.path(), &steps);
    for theme in [&DARK, &LIGHT] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(theme.file);
        let picture = picture(STORY, theme);
        if std::env::var_os("ENCL_BLESS").is_some() {
            fs::write(&path, &picture).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap() == picture,
            "ENCL_BLESS=1 cargo test --test docs draws {} again",
            theme.file
        );
    }
}

/// The colours of a picture.
struct Theme {
    file: &'static str,
    ground: &'static str,
    bar: &'static str,
    title: &'static str,
    text: RgbColor,
    prompt: RgbColor,
    error: RgbColor,
    hint: RgbColor,
}

const DARK: Theme = Theme {
    file: "first-minute-dark.svg",
    ground: "#22272e",
    bar: "#2d333b",
    title: "#909dab",
    text: RgbColor(0xcd, 0xd9, 0xe5),
    prompt: RgbColor(0x8d, 0xdb, 0x8c),
    error: RgbColor(0xff, 0x93, 0x8a),
    hint: RgbColor(0x76, 0xe3, 0xea),
};

const LIGHT: Theme = Theme {
    file: "first-minute-light.svg",
    ground: "#f6f8fa",
    bar: "#dfe3e8",
    title: "#57606a",
    text: RgbColor(0x24, 0x29, 0x2f),
    prompt: RgbColor(0x11, 0x63, 0x29),
    error: RgbColor(0xb3, 0x1d, 0x28),
    hint: RgbColor(0x0a, 0x5f, 0x66),
};

/// A terminal window with the story, in letters of 16 pixels.
fn picture(story: &str, theme: &Theme) -> String {
    let bold = |color: RgbColor, text: &str| {
        let style = Style::new().bold().fg_color(Some(Color::Rgb(color)));
        format!("{style}{text}{style:#}")
    };
    let mut screen = String::new();
    for line in story.lines() {
        let drawn = match prompt(line) {
            Some((person, command)) => {
                format!(
                    "{} {}",
                    bold(theme.prompt, &format!("{person}$")),
                    bold(theme.text, command)
                )
            }
            None => line
                .replace("error:", &bold(theme.error, "error:"))
                .replace("hint:", &bold(theme.hint, "hint:")),
        };
        screen.push_str(&drawn);
        screen.push('\n');
    }
    let inner = anstyle_svg::Term::new()
        .fg_color(Color::Rgb(theme.text))
        .background(false)
        .render_svg(&screen);
    // The crate draws letters of 14 pixels, which are enlarged here.
    let size = |name: &str| -> u32 {
        let (_, rest) = inner.split_once(&format!("{name}=\"")).unwrap();
        let pixels: u32 = rest.split_once("px").unwrap().0.parse().unwrap();
        (pixels * 16).div_ceil(14)
    };
    let (width, height) = (size("width") + 16, size("height") + 36);
    let (ground, bar, title) = (theme.ground, theme.bar, theme.title);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">
<rect width="{width}" height="{height}" rx="10" fill="{ground}"/>
<path d="M0 36V10a10 10 0 0 1 10-10h{across}a10 10 0 0 1 10 10v26z" fill="{bar}"/>
<circle cx="20" cy="18" r="6" fill="#ec6a5e"/><circle cx="40" cy="18" r="6" fill="#f4bf4f"/><circle cx="60" cy="18" r="6" fill="#61c554"/>
<text x="{middle}" y="23" text-anchor="middle" font-family="sans-serif" font-size="14" fill="{title}">one file, for Bob</text>
<g transform="translate(8 32) scale(1.142857)">
{inner}</g>
</svg>
"##,
        across = width - 20,
        middle = width / 2,
    )
}
