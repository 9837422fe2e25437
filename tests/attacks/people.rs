//! People who type commands, each on a machine of their own; all share one folder.

use std::path::PathBuf;
use std::process::Command;

use crate::answer::Answer;
use crate::support::process;

/// A folder in which people work.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    /// These people, each with an identity without a passphrase and the cards of all others.
    pub(crate) fn with(people: &[&str]) -> Self {
        let ground = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in people {
            let title = name[..1].to_uppercase() + &name[1..];
            ground.can(name, &format!("encl key new {name}@example.org --name {title} --no-passphrase -q > {name}.card"));
        }
        for (one, other) in people
            .iter()
            .flat_map(|one| people.iter().map(move |other| (one, other)))
        {
            if one != other {
                ground.can(one, &format!("encl contact add {other}.card --yes -q"));
            }
        }
        ground
    }

    /// Somebody verifies somebody else.
    pub(crate) fn verify(&self, who: &str, whom: &str) {
        let line = format!(
            "n=$(encl --no-input contact verify {whom}@example.org); encl contact verify {whom}@example.org --code \"$n\""
        );
        self.can(who, &line);
    }

    /// A shell command as this person types it.
    pub(crate) fn command(&self, person: &str, line: &str) -> Command {
        let home = self.folder.path().join("home").join(person);
        std::fs::create_dir_all(&home).unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_encl"));
        let path = format!("{}:{}", program.parent().unwrap().display(), env!("PATH"));
        let mut command = process::command("sh");
        command
            .args(["-c", line])
            .current_dir(self.folder.path())
            .env_clear()
            .envs([
                ("PATH", path.as_str()),
                ("TZ", "UTC"),
                ("LC_ALL", "C.UTF-8"),
            ])
            .env("HOME", home);
        command
    }

    /// Runs a shell command as this person, without a terminal.
    pub(crate) fn run(&self, person: &str, line: &str) -> Answer {
        let quoted = line.replace('\'', "'\\''");
        Answer::of(&mut self.command(person, &format!("exec setsid -w sh -c '{quoted}'")))
    }

    /// Runs a shell command that has to succeed.
    pub(crate) fn can(&self, person: &str, line: &str) -> Answer {
        let answer = self.run(person, line);
        answer.ended(0, &format!("{person}: {line}"))
    }

    /// Runs a shell command that has to fail with this code.
    pub(crate) fn cannot(&self, person: &str, line: &str, exit: i32) -> Answer {
        let answer = self.run(person, line);
        answer.ended(exit, &format!("{person}: {line}"))
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }
}
