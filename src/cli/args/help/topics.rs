//! The texts of `encl help TOPIC`.

use crate::cli::args::help::exit_codes;
use crate::cli::errors::{Exit, sysexits};

/// Every topic.
pub(crate) const NAMES: [&str; 9] = [
    "access",
    "exit-codes",
    "gates",
    "json",
    "keys",
    "recipients",
    "scripting",
    "trust",
    "what-it-promises",
];

/// The text of a topic, in lines of at most 80 characters. Every field that `--json` prints is in `json.txt`; what it promises
/// is in the words of FORMAT.md, as far as they are about what this version does.
pub(crate) fn text(topic: &str) -> Option<String> {
    let text = match topic {
        "access" => include_str!("topics/access.txt"),
        "exit-codes" => return Some(codes()),
        "gates" => include_str!("topics/gates.txt"),
        "json" => include_str!("topics/json.txt"),
        "keys" => include_str!("topics/keys.txt"),
        "recipients" => include_str!("topics/recipients.txt"),
        "scripting" => include_str!("topics/scripting.txt"),
        "trust" => include_str!("topics/trust.txt"),
        "what-it-promises" => include_str!("topics/what-it-promises.txt"),
        _ => return None,
    };
    Some(text.to_owned())
}

fn codes() -> String {
    let table = exit_codes(&Exit::ALL);
    let name = |exit: &Exit| format!("  {}  {}\n", exit.code(), exit.name());
    let names = Exit::ALL.iter().map(name).collect::<Vec<_>>().concat();
    let sysexits = sysexits::TABLE;
    format!(
        "\
EXIT CODES

{table}  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM; no half-written file is left

Treat an unknown code as failure. With several inputs all are tried; if all
failures have the same exit code, that is the exit code, else 1.

`encl mail send` and `encl mail deliver` return the codes that mail programs
expect (sysexits.h):

{sysexits}

With --json a failure is one object on stderr. Its `code` is one of these names:

{names}
Examples:
  $ encl verify letter.pdf.encl && echo good
"
    )
}
