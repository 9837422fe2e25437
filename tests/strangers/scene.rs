//! Two people with a note, and the program as a shell runs it.

use std::fs;
use std::process::Output;

use crate::letters::People;
use crate::support::process;

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Alice, Bob, and a note.
pub(crate) fn people() -> People {
    let people = People::new();
    fs::write(people.path("note"), "a note\n").unwrap();
    people
}

/// Runs a shell command as somebody; `encl` is the program.
pub(crate) fn shell(people: &People, who: &str, line: &str) -> Output {
    let line = format!("encl() {{ \"$ENCL\" \"$@\"; }}; {line}");
    let mut command = process::command("bash");
    people.at_home(command.args(["-c", &line]), who);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("ENCL", env!("CARGO_BIN_EXE_encl"));
    process::output(&mut command)
}
