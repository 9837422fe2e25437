//! The command line of a sendmail, as mail programs call it: which words are options, which are recipients.

use std::ffi::{OsStr, OsString};

/// Short options of which the rest of the word, or the next word, is the value (Postfix sendmail(1), Sendmail's, and
/// msmtp's `-a`, `-A` as their manuals list them).
const WITH_VALUE: &str = "ABCFNLORVXabefhopr";
/// Values that only ever stand in the same word, such as `-oi`, `-em` and `-bm`.
const ATTACHED_ONLY: &str = "Abeo";

/// `-q` runs the queue, `-I` makes the alias database: the message would be let go unseen, and all be well.
const OTHER_MODES: &[u8] = b"qI";

/// A call of a sendmail, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: OsString,
    /// Its options and their values in their order, without `-t` and `--`.
    pub options: Vec<OsString>,
    /// The recipients, as they were typed.
    pub recipients: Vec<String>,
    /// `-t`: the header names recipients too.
    pub from_header: bool,
}

/// Why a command line is none for a message that is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// Nothing stands behind `--`.
    #[error("no program is named")]
    NoProgram,
    /// `-bs`, `-bd`, `-q` and the like: no message on standard input, or one that would not be seen.
    #[error("`{0}` is another mode than sending the message on standard input")]
    Mode(String),
    /// An option at the end that needs a value.
    #[error("`{0}` needs a value")]
    NoValue(String),
    /// A recipient that is not UTF-8.
    #[error("a recipient is not UTF-8: {0}")]
    NotText(String),
}

impl Invocation {
    /// Takes the words behind `--` apart.
    ///
    /// Words that look like options but are not known pass through; whatever is then left over is a recipient, and an unknown
    /// recipient stops everything.
    ///
    /// # Errors
    /// [`InvocationError`].
    pub fn parse(words: &[OsString]) -> Result<Self, InvocationError> {
        let (program, words) = words.split_first().ok_or(InvocationError::NoProgram)?;
        let mut call = Self {
            program: program.clone(),
            options: Vec::new(),
            recipients: Vec::new(),
            from_header: false,
        };
        let mut words = words.iter();
        let mut only_recipients = false;
        while let Some(word) = words.next() {
            match word.as_encoded_bytes() {
                b"--" if !only_recipients => only_recipients = true,
                // msmtp's long form of `-t`.
                b"--read-recipients" if !only_recipients => call.from_header = true,
                [b'-', b'-', ..] if !only_recipients => call.options.push(word.clone()),
                [b'-', letters @ ..] if !only_recipients && !letters.is_empty() => {
                    call.short(word, letters, &mut words)?;
                }
                _ => call.recipients.push(text(word)?),
            }
        }
        Ok(call)
    }

    /// A word of short options: letters one after the other, until one takes the rest or the next word as its value.
    fn short<'a>(
        &mut self,
        word: &OsStr,
        letters: &[u8],
        words: &mut impl Iterator<Item = &'a OsString>,
    ) -> Result<(), InvocationError> {
        let shown = || word.to_string_lossy().into_owned();
        let takes_value = |letter: &u8| WITH_VALUE.as_bytes().contains(letter);
        let first_value = letters.iter().position(takes_value);
        let flags = &letters[..first_value.unwrap_or(letters.len())];
        if flags.iter().any(|flag| OTHER_MODES.contains(flag)) {
            return Err(InvocationError::Mode(shown()));
        }
        self.from_header |= flags.contains(&b't');
        let others: String = flags
            .iter()
            .filter(|flag| **flag != b't')
            .map(|flag| char::from(*flag))
            .collect();
        let Some(at) = first_value else {
            if !others.is_empty() {
                self.options.push(format!("-{others}").into());
            }
            return Ok(());
        };
        if letters[at] == b'b' && letters[at + 1..] != *b"m" {
            return Err(InvocationError::Mode(shown()));
        }
        // `-ot` is the old way to write `-t`, `-oq` a queueing mode that changes nothing here.
        if letters[at..] == *b"ot" {
            self.from_header = true;
            return Ok(());
        }
        self.options.push(without_t(
            word,
            others.is_empty(),
            flags.contains(&b't'),
            at,
        ));
        let is_alone = at + 1 == letters.len();
        if is_alone && !ATTACHED_ONLY.as_bytes().contains(&letters[at]) {
            let value = words
                .next()
                .ok_or_else(|| InvocationError::NoValue(shown()))?;
            self.options.push(value.clone());
        }
        Ok(())
    }
}

/// The word without the flag `t` in front of the option with a value.
fn without_t(word: &OsStr, no_flags_left: bool, has_t: bool, value_at: usize) -> OsString {
    let text = word.to_string_lossy();
    if !has_t {
        return word.to_owned();
    }
    // Flags are ASCII letters, so that their places are those of the text.
    let (flags, rest) = text.split_at(1 + value_at);
    let flags = if no_flags_left {
        "-".to_owned()
    } else {
        flags.replace('t', "")
    };
    format!("{flags}{rest}").into()
}

fn text(word: &OsStr) -> Result<String, InvocationError> {
    let text = word.to_str().map(str::to_owned);
    text.ok_or_else(|| InvocationError::NotText(word.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Invocation, InvocationError> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Invocation::parse(&words)
    }

    fn call(line: &str) -> (Vec<String>, Vec<String>, bool) {
        let call = parsed(line).unwrap();
        let options = call.options.iter().map(|o| o.to_str().unwrap().to_owned());
        (options.collect(), call.recipients, call.from_header)
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn calls_of_real_mail_programs() {
        // mutt, git send-email, s-nail, msmtp, with what each of them puts in front of the recipients.
        let cases = [
            (
                "sendmail -oem -oi -f a@b -- bob@c eve@d",
                "-oem -oi -f a@b",
                "bob@c eve@d",
                false,
            ),
            ("sendmail -i bob@c", "-i", "bob@c", false),
            (
                "sendmail -f a@b -i bob@c carol@d",
                "-f a@b -i",
                "bob@c carol@d",
                false,
            ),
            (
                "sendmail -fa@b -N success,failure -R hdrs bob@c",
                "-fa@b -N success,failure -R hdrs",
                "bob@c",
                false,
            ),
            (
                "sendmail -B 8BITMIME -F Alice -r a@b bob@c",
                "-B 8BITMIME -F Alice -r a@b",
                "bob@c",
                false,
            ),
            ("sendmail -t -oi", "-oi", "", true),
            ("sendmail -ti", "-i", "", true),
            ("sendmail -it", "-i", "", true),
            ("sendmail -toi bob@c", "-oi", "bob@c", true),
            ("sendmail -itfa@b", "-ifa@b", "", true),
            (
                "msmtp -a work --read-envelope-from -t",
                "-a work --read-envelope-from",
                "",
                true,
            ),
            (
                "msmtp --host=localhost -- bob@c",
                "--host=localhost",
                "bob@c",
                false,
            ),
            ("msmtp --read-recipients -a x bob@c", "-a x", "bob@c", true),
            ("sendmail -bm bob@c", "-bm", "bob@c", false),
            ("sendmail -v bob@c", "-v", "bob@c", false),
            ("sendmail -- -odd@c", "", "-odd@c", false),
            ("sendmail bob@c -i", "-i", "bob@c", false),
            (
                "sendmail -odb -oMrsmtp bob@c",
                "-odb -oMrsmtp",
                "bob@c",
                false,
            ),
        ];
        for (line, options, recipients, from_header) in cases {
            assert_eq!(
                call(line),
                (words(options), words(recipients), from_header),
                "{line}"
            );
        }
    }

    #[test]
    fn other_modes_are_refused() {
        for line in [
            "sendmail -bs",
            "sendmail -bd",
            "sendmail -q",
            "sendmail -q30m",
            "sendmail -bp",
            "sendmail -bi",
            "sendmail -I",
        ] {
            assert!(
                matches!(parsed(line), Err(InvocationError::Mode(_))),
                "{line}"
            );
        }
        assert_eq!(
            parsed("sendmail -f"),
            Err(InvocationError::NoValue("-f".into()))
        );
        assert_eq!(parsed(""), Err(InvocationError::NoProgram));
    }
}
