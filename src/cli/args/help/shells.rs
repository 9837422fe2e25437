//! The three shells: what they load, and what they are answered while somebody types.
//!
//! A shell types what is offered as it stands. So only words are offered that no shell takes for more, and never files: those are
//! completed by the shell itself, which knows how to quote them.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap_complete::engine::complete;
use clap_complete::env::{Bash, EnvCompleter, Fish, Shells, Zsh};

/// A shell, and what it needs in the script that it loads.
struct Shell {
    name: &'static str,
    builtin: &'static dyn EnvCompleter,
    /// Words of the built-in script and what stands in their place.
    edits: &'static [(&'static str, &'static str)],
}

/// All of them.
pub(crate) const SHELLS: Shells<'static> = Shells(&[
    &Shell {
        name: "bash",
        builtin: &Bash,
        // Files, where nothing else is offered.
        edits: &[("-o bashdefault", "-o default")],
    },
    &Shell {
        name: "zsh",
        builtin: &Zsh,
        edits: &[(
            "other\n    fi\n",
            "other\n    else\n        _files\n    fi\n",
        )],
    },
    &Shell {
        name: "fish",
        builtin: &Fish,
        // "Exclusive" would leave out files.
        edits: &[("--exclusive ", "")],
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
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut script = Vec::new();
        self.builtin
            .write_registration(var, name, bin, completer, &mut script)?;
        let mut script = String::from_utf8(script).map_err(io::Error::other)?;
        for (from, to) in self.edits {
            debug_assert!(script.contains(from), "{}: {from}", self.name);
            script = script.replace(from, to);
        }
        out.write_all(script.as_bytes())
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
            if !is_safe(&word) || (word.starts_with('-') && !is_option) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_leaves_files_to_its_shell() {
        for (shell, due, gone) in [
            (
                SHELLS.0[0],
                "complete -o nospace -o default -o nosort",
                "bashdefault",
            ),
            (SHELLS.0[1], "else\n        _files\n    fi\n", "\0"),
            (
                SHELLS.0[2],
                "complete --keep-order --command encl",
                "--exclusive",
            ),
        ] {
            let mut script = Vec::new();
            let written = shell.write_registration("COMPLETE", "encl", "encl", "encl", &mut script);
            written.unwrap();
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains(due) && !script.contains(gone), "{script}");
        }
    }
}
