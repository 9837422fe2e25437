//! The hostile set: messages that try to mislead, to inject or to exhaust, each with its expected answer. The program must use
//! little time and memory, must not panic, and must not write control sequences to a terminal.
//!
//! `ENCL_SWEEP=full` sends 2 GiB of blanks, more mutations, and prints what each message cost.

mod authors;
mod changed;
mod coding;
mod costly;
mod letter;
pub(crate) mod measured;
mod outside;
mod runs;
mod structure;
mod texts;

use serde_json::Value;

use crate::complaints::complaints;
use crate::letters::People;
use crate::tell::tell;
use measured::{Input, Run, measured};

/// The most memory for any message.
const PEAK_KIB_MAX: u64 = 64 << 10;

/// One hostile message, the command that is run on it, and the expected result.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) message: Input,
    /// The person who runs the command.
    pub(crate) who: &'static str,
    /// The command, without `--json`.
    pub(crate) command: Vec<&'static str>,
    pub(crate) exit: i32,
    /// The class in `encl.error/1`.
    pub(crate) class: Option<&'static str>,
    pub(crate) stdout: Stdout,
    /// Words that must occur in notices, warnings or errors.
    pub(crate) says: Vec<&'static str>,
}

/// The expected standard output.
pub(crate) enum Stdout {
    Nothing,
    Exactly(Vec<u8>),
    /// Anything that is harmless on a terminal.
    Something,
}

impl Case {
    /// A message that Bob unwraps.
    pub(crate) fn new(name: &'static str, message: impl Into<Input>) -> Self {
        Self {
            name,
            message: message.into(),
            who: "bob",
            command: vec!["mail", "unwrap"],
            exit: 0,
            class: None,
            stdout: Stdout::Something,
            says: Vec::new(),
        }
    }

    /// The message opens to this content.
    pub(crate) fn opens(self, content: impl Into<Vec<u8>>) -> Self {
        Self {
            stdout: Stdout::Exactly(content.into()),
            ..self
        }
    }

    /// The message is refused, and nothing is written to standard output.
    pub(crate) fn refused(self, exit: i32, class: Option<&'static str>) -> Self {
        Self {
            exit,
            class,
            stdout: Stdout::Nothing,
            ..self
        }
    }

    pub(crate) fn says(mut self, words: &'static str) -> Self {
        self.says.push(words);
        self
    }

    pub(crate) fn with(mut self, arguments: &[&'static str]) -> Self {
        self.command.extend(arguments);
        self
    }

    pub(crate) fn by(self, who: &'static str, command: &[&'static str]) -> Self {
        Self {
            who,
            command: command.to_vec(),
            ..self
        }
    }

    fn judge(&self, run: &Run) -> Result<(), String> {
        let complaint = |what: &str| {
            let said = run.stderr_text();
            let said: String = said.chars().take(2_000).collect();
            Err(format!("{} {:?}: {what}\n{said}", self.name, self.command))
        };
        if run.exit != self.exit {
            return complaint(&format!("exit {}, not {}", run.exit, self.exit));
        }
        match &self.stdout {
            Stdout::Nothing if !run.stdout.is_empty() => return complaint("something came out"),
            Stdout::Exactly(content) if run.stdout != *content => {
                return complaint("something else came out");
            }
            _ => {}
        }
        let said = run.objects();
        let class = said.iter().find_map(|object| object["class"].as_str());
        if class != self.class {
            return complaint(&format!("class {class:?}, not {:?}", self.class));
        }
        let says = |words: &&str| {
            let texts = said.iter().filter_map(|object| object["message"].as_str());
            texts.into_iter().any(|text| text.contains(*words))
        };
        match self.says.iter().find(|words| !says(words)) {
            Some(words) => complaint(&format!("does not say `{words}`")),
            None => run.bounded(self.name),
        }
    }
}

impl Run {
    /// The JSON objects on standard error, with those of signers.
    fn objects(&self) -> Vec<Value> {
        let text = self.stderr_text();
        let lines = text.lines().filter_map(|line| {
            let mut object: Value = serde_json::from_str(line).ok()?;
            if object["schema"] == "encl.unwrap/1" {
                let trust = &object["signer"]["trust"];
                object["message"] = format!("signer {}", trust.as_str().unwrap_or("none")).into();
            }
            Some(object)
        });
        lines.collect()
    }

    /// Checks any answer: no panic, bounded cost, and output that is harmless on a terminal.
    fn bounded(&self, name: &str) -> Result<(), String> {
        if !(0..=9).contains(&self.exit) && !(64..=78).contains(&self.exit) {
            let said = self.stderr_text();
            return Err(format!("{name}: ended with {}\n{said}", self.exit));
        }
        if self.peak_kib > PEAK_KIB_MAX {
            return Err(format!("{name}: {} KiB", self.peak_kib));
        }
        texts::harmless(name, &self.stderr)
    }
}

fn is_full() -> bool {
    std::env::var("ENCL_SWEEP").is_ok_and(|sweep| sweep == "full")
}

fn cases(people: &People) -> Vec<Case> {
    let mut cases = structure::cases(people);
    cases.extend(outside::cases(people));
    cases.extend(coding::cases(people));
    cases.extend(costly::cases(people));
    cases.extend(authors::cases(people));
    cases.extend(texts::cases(people));
    cases
}

#[test]
fn every_hostile_message_gets_its_answer() {
    let people = letter::people();
    let cases = cases(&people);
    assert!(cases.len() >= 80, "{}", cases.len());
    let costs = std::sync::Mutex::new(Vec::new());
    let complaints = complaints(&cases, |case| {
        let arguments = [&case.command[..], &["--json"]].concat();
        let run = measured(&people, case.who, &arguments, &case.message);
        let cost = (case.name, run.exit, run.cpu_seconds, run.peak_kib);
        costs.lock().unwrap().push(cost);
        case.judge(&run)
    });
    let costs = costs.into_inner().unwrap();
    let slowest = costs.iter().map(|cost| cost.2).fold(0.0, f64::max);
    let largest = costs.iter().map(|cost| cost.3).max().unwrap();
    if is_full() {
        for (name, exit, seconds, kib) in &costs {
            tell(&format!("hostile: {exit} {seconds:.2} s {kib} KiB: {name}"));
        }
    }
    tell(&format!(
        "hostile: {} messages, at most {slowest:.2} s of processor time and {largest} KiB, {} answers not as expected",
        cases.len(),
        complaints.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n---\n"));
}
