//! The outer part of every sealed message of the corpus, read by CPython with its strictest policy.

use encl::json::to_b64;
use encl::mail::outer::{Outer, differences};
use encl::mail::{Eol, Header, words};
use serde::Deserialize;

use crate::addresses::asked;
use crate::forms::headers;

const SUBJECT: &str = "[...]";

/// Lists each field that CPython finds: its name, its value on one line, and its defects.
const PARSE: &str = "
import base64, json, sys
from email import policy
from email.parser import BytesParser
for line in sys.stdin:
    message = BytesParser(policy=policy.strict).parsebytes(base64.b64decode(line))
    fields = []
    for name, value in message.raw_items():
        try:
            defects = [type(defect).__name__ for defect in policy.default.header_fetch_parse(name, value).defects]
        except Exception as error:  # CPython 3.11 gives up on some values that the corpus has
            defects = [repr(error)]
        fields.append([name, ''.join(value.splitlines()).strip(), defects])
    print(json.dumps([fields, len(message.defects), message.get_payload()]))
";

#[derive(Deserialize)]
struct Parsed(Vec<(String, String, Vec<String>)>, usize, String);

fn written(outer: &Outer, eol: Eol) -> Vec<u8> {
    let mut message = outer.rendered(eol);
    message.extend(format!("{0}body{0}", eol.text()).bytes());
    message
}

/// The number of places where a line could have been folded.
fn spaces(line: &str) -> usize {
    let inner = line.as_bytes().windows(3);
    inner
        .filter(|three| three[1] == b' ' && three[0] != b' ' && three[2] != b' ')
        .count()
}

#[test]
fn outer_parts_of_the_corpus_are_7bit_in_short_lines() {
    let (mut fields, mut long, mut warnings) = (0, 0, Vec::new());
    for header in headers() {
        let outer = Outer::of(&header, SUBJECT);
        for eol in [Eol::Lf, Eol::CrLf] {
            let message = written(&outer, eol);
            assert!(message.is_ascii());
            let text = String::from_utf8(message).unwrap();
            for line in text.split(eol.text()) {
                assert!(line.len() <= 998 && !line.contains(['\r', '\n']));
                if line.len() > 78 {
                    assert!(spaces(line) <= 1, "{line}");
                    long += 1;
                }
            }
            let arrived = Header::read(&mut text.as_bytes()).unwrap();
            let found: Vec<_> = arrived
                .fields()
                .map(|field| (field.name.to_owned(), field.text()))
                .collect();
            assert_eq!(found, outer.fields);
            assert_eq!(differences(&outer.fields, &arrived), []);
        }
        fields += outer.fields.len();
        warnings.extend(outer.warnings.iter().map(ToString::to_string));
    }
    println!(
        "{fields} fields, {long} long lines, {} warnings:\n{}",
        warnings.len(),
        warnings.join("\n")
    );
}

/// Checks that no word of the subject and no field outside the list is in the outer part.
#[test]
fn no_subject_of_the_corpus_is_in_the_outer_part() {
    let mut subjects = 0;
    for header in headers() {
        let outer = Outer::of(&header, SUBJECT);
        let values = outer.fields.iter().map(|field| words::decode(&field.1));
        let shown = values.collect::<Vec<_>>().join("\n").to_lowercase();
        // Words of the subject that the sender also wrote into other fields may appear.
        let copied: String = (header.fields())
            .filter(|field| !["subject", "thread-topic"].contains(&&*field.name.to_lowercase()))
            .filter(|field| outer.fields.iter().any(|(name, _)| name == field.name))
            .map(|field| words::decode(&field.text()).to_lowercase() + "\n")
            .collect();
        for subject in header.all("Subject") {
            subjects += 1;
            let subject = words::decode(&subject.text()).to_lowercase();
            if subject == SUBJECT {
                continue; // the same inside and outside
            }
            let words = subject.split(|letter: char| !letter.is_alphanumeric());
            for word in words.chain([&*subject]) {
                let secret = word.len() > 3 && !copied.contains(word);
                assert!(!secret || !shown.contains(word), "{word} of {subject}");
            }
        }
        for (name, value) in &outer.fields {
            assert!(name != "Subject" || value == SUBJECT);
        }
    }
    println!("{subjects} subjects");
}

#[test]
fn cpython_reads_the_outer_part_as_written() {
    let headers = headers();
    let outers: Vec<Outer> = headers
        .iter()
        .map(|header| Outer::of(header, SUBJECT))
        .collect();
    let messages = outers.iter().zip([Eol::Lf, Eol::CrLf].into_iter().cycle());
    let lines = messages.map(|(outer, eol)| to_b64(&written(outer, eol)) + "\n");
    let answers = asked(PARSE, lines.collect::<String>().as_bytes());
    assert_eq!(answers.lines().count(), outers.len());
    let mut rewritten = 0;
    for ((header, outer), answer) in headers.iter().zip(&outers).zip(answers.lines()) {
        let Parsed(fields, defects, body) = serde_json::from_str(answer).unwrap();
        assert_eq!((defects, body.trim_end()), (0, "body"));
        let values: Vec<_> = fields
            .iter()
            .map(|field| (field.0.clone(), field.1.clone()))
            .collect();
        assert_eq!(values, outer.fields);
        // Defects of a value may come from the sender. Values that we wrote ourselves must have none.
        for (name, value, defects) in &fields {
            let is_copy = header.all(name).any(|field| field.text() == *value);
            if !is_copy && name != "Subject" {
                rewritten += 1;
                assert_eq!(defects.len(), 0, "{name}: {value}: {defects:?}");
            }
        }
    }
    println!("{rewritten} values were written anew");
}
