//! What encl calls a command or an option that was typed as another program calls it.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use encl::directory::closest_match;

/// Words that are no command, in the group of commands where they are typed, and what encl calls it.
const COMMANDS: &[(&str, &[&str], &str)] = &[
    (
        "",
        &["encrypt", "enc", "seal", "lock-file"],
        "encl wrap FILE --to WHO",
    ),
    (
        "",
        &["decrypt", "dec", "open", "unseal"],
        "encl unwrap FILE",
    ),
    ("", &["show", "info", "cat"], "encl inspect FILE"),
    (
        "",
        &["init", "keygen", "generate", "identity"],
        "encl key new ADDRESS -o my.card",
    ),
    ("", &["add", "import"], "encl contact add FILE"),
    ("", &["list", "ls", "contacts"], "encl contact list"),
    ("", &["keys", "whoami"], "encl key list"),
    ("", &["export"], "encl key card -o my.card"),
    ("", &["sign"], "encl wrap FILE --to WHO"),
    ("", &["send"], "encl mail send -- SENDMAIL"),
    ("", &["share"], "encl grant FILE --to WHO"),
    (
        "",
        &["remove", "rm", "delete"],
        "encl revoke FILE --from WHO",
    ),
    ("", &["update", "rekey"], "encl rewrap FILE"),
    ("", &["paper"], "encl key paper -o page.html"),
    ("", &["card"], "encl key card -o my.card"),
    (
        "key",
        &["add", "create", "generate", "gen", "init"],
        "encl key new ADDRESS -o my.card",
    ),
    ("key", &["delete", "rm"], "encl key remove WHO"),
    ("key", &["ls"], "encl key list"),
    ("key", &["print"], "encl key paper -o page.html"),
    (
        "contact",
        &["new", "import", "create"],
        "encl contact add FILE",
    ),
    ("contact", &["delete", "rm"], "encl contact remove WHO"),
    ("contact", &["ls"], "encl contact list"),
    (
        "contact",
        &["trust", "check", "compare"],
        "encl contact verify WHO",
    ),
    ("contact", &["invite"], "encl invite ADDRESS"),
    ("group", &["create", "make"], "encl group new NAME WHO"),
    ("group", &["rm"], "encl group delete NAME"),
    ("group", &["ls"], "encl group list"),
    ("mail", &["encrypt"], "encl mail wrap FILE"),
    ("mail", &["decrypt", "open"], "encl mail unwrap FILE"),
    ("mail", &["read", "cat"], "encl mail show FILE"),
    ("mail", &["search", "find"], "encl mail grep WORD FOLDER"),
];

/// Options of other programs, and what encl calls them.
const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["-r", "-R", "--recipient", "--recipients", "--for", "-t"],
        "`--to WHO` names a recipient",
    ),
    (
        &["-e", "--encrypt", "-s", "--sign"],
        "`encl wrap FILE --to WHO` encrypts and signs",
    ),
    (&["-d", "--decrypt"], "`encl unwrap FILE` decrypts"),
    (
        &["-i", "-u", "--identity", "--local-user", "--default-key"],
        "`--as WHO` names one of your identities",
    ),
    (
        &["-p", "-c", "--symmetric"],
        "`encl wrap FILE --passphrase` allows a passphrase",
    ),
    (&["-a"], "`encl wrap --armor` writes text"),
    (&["--out", "--outfile"], "`-o OUT` names the output"),
];

/// What to type instead, where that is known. `names` are the names of the command as they were typed.
pub(crate) fn tip(error: &Error, names: &[OsString]) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand)?;
            let above = names.first().filter(|first| *first != word);
            command(
                above.and_then(|name| name.to_str()).unwrap_or_default(),
                word,
            )
        }
        ErrorKind::UnknownArgument => {
            let typed = context(ContextKind::InvalidArg)?;
            let name = typed.split(['=', ' ']).next()?;
            let option = OPTIONS.iter().find(|(words, _)| words.contains(&name));
            option.map(|(_, tip)| (*tip).to_owned())
        }
        _ => None,
    }
}

fn command(above: &str, word: &str) -> Option<String> {
    let here = COMMANDS.iter().filter(|(group, ..)| *group == above);
    let words = here.clone().flat_map(|(_, words, _)| words.iter().copied());
    // A word of three letters is not like another one.
    let word = closest_match(word, words)?;
    let found = here.clone().find(|(_, words, _)| words.contains(&word));
    found.map(|(.., tip)| format!("encl calls it `{tip}`"))
}

/// "unrecognized subcommand 'encrypt'"
pub(crate) fn first_line(error: &Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
