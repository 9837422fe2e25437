//! Address lists: the table, and a comparison with CPython over the table, the corpus and generated lists.

use encl::mail::address::{Mailbox, parse_list};

use crate::address_table::{REFUSED, UNDERSTOOD};
use crate::fed;
use crate::forms::headers;
use crate::python::python;

fn printed(list: &[Mailbox]) -> Vec<String> {
    list.iter().map(Mailbox::to_string).collect()
}

#[test]
fn lists_are_read_whole() {
    for (text, expected) in UNDERSTOOD {
        let found = parse_list(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(printed(&found), expected, "{text:?}");
        assert_eq!(
            parse_list(&printed(&found).join(", ")).unwrap(),
            found,
            "{text:?}"
        );
    }
}

#[test]
fn lists_that_are_not_understood_are_refused_and_say_where() {
    for (text, fault, at) in REFUSED {
        let error = parse_list(text).expect_err(text);
        assert_eq!((error.fault, error.at), (fault, at), "{text:?}: {error}");
        assert!(text[at..].starts_with(&error.text), "{text:?}");
    }
}

/// The addresses that CPython finds in each list.
const GETADDRESSES: &str = "
import json, sys
from email.utils import getaddresses
for line in sys.stdin:
    try:
        found = [address for _, address in getaddresses([json.loads(line)])]
    except RecursionError:  # a header of 135 KB in the corpus
        found = []
    # The hosts of an obsolete route `<@a,@b:c@d>` are not recipients, although CPython lists the last of them.
    print(json.dumps([address for address in found if address and not address.startswith('@')]))
";

fn getaddresses(lists: &[String]) -> Vec<Vec<String>> {
    let lines: Vec<String> = lists
        .iter()
        .map(|list| serde_json::to_string(list).unwrap() + "\n")
        .collect();
    let answers = asked(GETADDRESSES, lines.concat().as_bytes());
    let answers: Vec<Vec<String>> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), lists.len());
    answers
}

/// Runs a Python program on `input` and returns its output.
pub(crate) fn asked(program: &str, input: &[u8]) -> String {
    let mut command = python();
    command.args(["-c", program]);
    let output = fed::output(&mut command, |stdin| stdin.write_all(input));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Fails if our parser reads a list with fewer addresses than CPython. Returns how many lists were understood and how many
/// refused.
fn compare(lists: &[String]) -> (usize, usize) {
    let mut understood = 0;
    for (list, theirs) in lists.iter().zip(getaddresses(lists)) {
        let Ok(ours) = parse_list(list) else { continue };
        understood += 1;
        assert!(
            ours.len() >= theirs.len(),
            "{list:?}\n  ours   {:?}\n  theirs {theirs:?}",
            printed(&ours)
        );
    }
    (understood, lists.len() - understood)
}

#[test]
fn the_table_is_never_shorter_than_what_cpython_reads() {
    let understood = UNDERSTOOD.iter().map(|row| row.0);
    let refused = REFUSED.iter().map(|row| row.0);
    let lists: Vec<String> = understood.chain(refused).map(str::to_owned).collect();
    assert_eq!(compare(&lists), (UNDERSTOOD.len(), REFUSED.len()));
}

/// The address fields of all messages. The few lists that are refused are counted.
#[test]
fn the_corpus_is_never_shorter_than_what_cpython_reads() {
    let headers = headers();
    let mut lists = Vec::new();
    for header in &headers {
        for name in ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"] {
            lists.extend(header.all(name).map(|field| field.text()));
        }
    }
    let (understood, refused) = compare(&lists);
    for list in lists.iter().filter(|list| parse_list(list).is_err()) {
        println!("refused: {}: {list}", parse_list(list).unwrap_err());
    }
    println!("{understood} understood, {refused} refused");
    assert!(understood > 400 && refused < 60);
}

/// Pieces of lists, which are combined in every order.
const PIECES: [&str; 28] = [
    "bob@x.org",
    "eve@y",
    "<bob@x.org>",
    "Bob <bob@x.org>",
    "\"Bob, Eve\" <b@x>",
    "\"a b\"@x",
    "Bob",
    "\"Bob\"",
    "(c)",
    "(c, d@e (f))",
    "(",
    ")",
    "<",
    ">",
    ",",
    ";",
    ":",
    "g:",
    "@",
    ".",
    "\"",
    "\\",
    " ",
    "[1.2.3.4]",
    "<@a,@b:c@d>",
    "=?utf-8?q?a=40b?=",
    "ä@ö",
    "bob@x.org,",
];

/// Whole elements.
const GOOD: [&str; 10] = [
    "bob@x.org",
    "<eve@y>",
    "Bob <bob@x.org>",
    "\"Bob, Eve\" <b@x>",
    "\"a, b\"@x (c, d@e)",
    "g: a@b, c@d;",
    "none:;",
    "<@a,@b:c@d>",
    "a.b(c) @ [1.2.3.4]",
    "(, (a@b)) J. Q. Public(;) <j@x>",
];

#[test]
fn generated_lists_are_never_shorter_than_what_cpython_reads() {
    let mut lists = Vec::new();
    for a in PIECES {
        for b in PIECES {
            lists.push([a, b].concat());
            for c in PIECES {
                lists.push([a, b, c].concat());
                lists.push([a, b, c].join(" "));
            }
        }
    }
    // Longer lists, most of them valid, from a fixed pseudorandom sequence.
    let mut state = 1_u64;
    let mut below = |end: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % end
    };
    for _ in 0..20_000 {
        let mut list: Vec<&str> = (0..=below(6))
            .flat_map(|_| [GOOD[below(GOOD.len())], ", "])
            .collect();
        if below(2) == 1 {
            list.insert(below(list.len()), PIECES[below(PIECES.len())]);
        }
        lists.push(list.concat());
    }
    let (understood, refused) = compare(&lists);
    println!("{understood} understood, {refused} refused");
    assert!(understood > 10_000 && refused > 10_000);
}
