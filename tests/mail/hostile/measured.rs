//! Runs the program on a message that may be endless, and measures its cost.

use std::fs;
use std::io::{self, Write};

use crate::fed;
use crate::letters::People;
use crate::python::python;

/// Waits for the program and records its resource usage. A program that hangs is ended: by a limit of processor time, which
/// other load does not affect, or much later by the clock.
const WAITING: &str = "
import os, resource, signal, sys
out, argv = sys.argv[1], sys.argv[2:]
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
child = os.posix_spawn(argv[0], argv, os.environ)
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
signal.alarm(300)
_, status, usage = os.wait4(child, 0)
with open(out, 'w') as file:
    file.write(f'{usage.ru_maxrss} {usage.ru_utime + usage.ru_stime}')
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 100 - code)
";

/// A message on standard input.
pub(crate) enum Input {
    Bytes(Vec<u8>),
    /// A beginning, followed by this number of blanks.
    Blanks {
        head: Vec<u8>,
        bytes: u64,
    },
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl Input {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => out.write_all(bytes),
            Self::Blanks { head, bytes } => {
                out.write_all(head)?;
                let line = [&[b' '; 4_095][..], b"\n"].concat().repeat(16);
                (0..bytes / line.len() as u64).try_for_each(|_| out.write_all(&line))
            }
        }
    }
}

/// The result of a run.
pub(crate) struct Run {
    /// The exit code; over 100 for a signal.
    pub(crate) exit: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) peak_kib: u64,
    pub(crate) cpu_seconds: f64,
}

impl Run {
    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Runs the program of `who` with `message` on standard input.
pub(crate) fn measured(people: &People, who: &str, arguments: &[&str], message: &Input) -> Run {
    let cost = tempfile::NamedTempFile::new().unwrap();
    let mut command = python();
    command.args(["-S", "-E", "-c", WAITING]);
    command.arg(cost.path()).arg(env!("CARGO_BIN_EXE_encl"));
    command.args(arguments);
    people.at_home(&mut command, who);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let output = fed::output(&mut command, |stdin| message.write(stdin));
    let cost = fs::read_to_string(cost.path()).unwrap();
    let (peak_kib, cpu_seconds) = cost.split_once(' ').unwrap();
    Run {
        exit: output.status.code().unwrap(),
        stdout: output.stdout,
        stderr: output.stderr,
        peak_kib: peak_kib.parse().unwrap(),
        cpu_seconds: cpu_seconds.parse().unwrap(),
    }
}
