//! The three shells: what they load, and what they are answered while somebody types.
//!
//! A shell types what is offered as it stands. So only words are offered that no shell takes for more, and never files: those are
//! completed by the shell itself, which knows how to quote them. Where only envelopes are meant, the answer is `/.encl`, which
//! the scripts know.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap_complete::engine::complete;
use clap_complete::env::{EnvCompleter, Shells};

use crate::cli::args::help::completion::ENVELOPES;

/// A shell, and the script that it loads.
struct Shell {
    name: &'static str,
    /// `ENCL` stands for the program.
    script: &'static str,
}

/// All of them.
pub(crate) const SHELLS: Shells<'static> = Shells(&[
    &Shell {
        name: "bash",
        script: include_str!("shells/encl.bash"),
    },
    &Shell {
        name: "zsh",
        script: include_str!("shells/encl.zsh"),
    },
    &Shell {
        name: "fish",
        script: include_str!("shells/encl.fish"),
    },
]);

impl EnvCompleter for Shell {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is(&self, name: &str) -> bool {
        name == self.name
    }

    fn write_registration(
        &self,
        _: &str,
        _: &str,
        _: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        out.write_all(self.script.replace("ENCL", completer).as_bytes())
    }

    fn write_complete(
        &self,
        tree: &mut clap::Command,
        mut words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let index = std::env::var("_CLAP_COMPLETE_INDEX").ok();
        let index = index.and_then(|index| index.parse().ok());
        let index = index.unwrap_or(words.len().saturating_sub(1));
        if words.len() == index {
            words.push(OsString::new());
        }
        let between = std::env::var("_CLAP_IFS").unwrap_or_else(|_| "\n".to_owned());
        let is_option = words
            .get(index)
            .is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
        let mut is_first = true;
        for candidate in complete(tree, words, index, folder)? {
            let word = candidate.get_value().to_string_lossy();
            // Options stay away until a hyphen is typed: where anything is offered, some shells complete no files.
            let is_offered = is_safe(&word) || word == ENVELOPES;
            if !is_offered || (word.starts_with('-') && !is_option) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.write_all(between.as_bytes())?;
            }
            let help = candidate.get_help().map(ToString::to_string);
            let help = help.as_deref().and_then(|help| help.lines().next());
            match (self.name, help) {
                ("zsh", help) => {
                    write!(out, "{}", word.replace(':', "\\:"))?;
                    if let Some(help) = help {
                        write!(out, ":{help}")?;
                    }
                }
                ("fish", Some(help)) => write!(out, "{word}\t{help}")?,
                _ => write!(out, "{word}")?,
            }
        }
        Ok(())
    }
}

/// Whether no shell takes it for more than a word.
fn is_safe(word: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-:,=".contains(&byte);
    word.bytes().all(safe)
}
