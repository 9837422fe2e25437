//! What is printed: results on standard output, as text or as JSON; everything else on standard error.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Stdout, Write};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// Where a command prints.
pub(crate) struct Output {
    json: bool,
    out: BufWriter<Stdout>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let out = BufWriter::new(io::stdout());
        Self { json, out }
    }

    /// Whether results are printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints facts: a line each, or all as one object.
    pub(crate) fn facts(&mut self, facts: &[(&str, Value)]) -> Result<(), Failure> {
        let mut text = String::new();
        if self.json {
            let object = facts.iter();
            let object = object.map(|(name, value)| ((*name).to_owned(), value.clone()));
            text = Value::Object(object.collect::<Map<_, _>>()).to_string();
            text.push('\n');
        } else {
            for (name, value) in facts {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                let name = name.replace('_', " ");
                writeln!(text, "{name:<12} {value}").expect("a String takes every write");
            }
        }
        done(self.out.write_all(text.as_bytes()))
    }

    /// Prints a line as it is.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        done(self.out.write_all(line))?;
        done(self.out.write_all(b"\n"))
    }

    /// What was printed has arrived.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        done(self.out.flush())
    }
}

fn done(written: io::Result<()>) -> Result<(), Failure> {
    written.map_err(|error| Failure::new("cannot write to standard output", error))
}

/// Writes to standard error; where that is closed, nobody reads it.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
