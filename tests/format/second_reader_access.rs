//! Access cases for the other readers: quorums, approvals and grants.

use crate::kit::{Person, approved, flipped, granted, quorum, request, sealed};
use crate::other_readers::Case;

pub(crate) fn cases(people: &[Person; 3]) -> Vec<Case> {
    let mut cases = quorums(people);
    cases.extend(approvals(people));
    cases.extend(grants(people));
    cases
}

fn case(what: &str, bytes: &[u8], readers: &[usize], approvals: &[&[u8]]) -> Case {
    Case {
        what: what.to_owned(),
        bytes: bytes.to_vec(),
        readers: readers.to_vec(),
        approvals: approvals.iter().map(|bytes| bytes.to_vec()).collect(),
        passphrase: None,
    }
}

/// A lock that either of two people opens, and a lock that two of three open together, tried by several sets of readers.
fn quorums(people: &[Person; 3]) -> Vec<Case> {
    let mut cases = Vec::new();
    for private in [false, true] {
        let everybody: Vec<_> = people.iter().collect();
        let mut wish = request(&[&people[0], &people[1]], None);
        wish.locks.push(quorum(2, &everybody));
        wish.private = private;
        let envelope = sealed(&wish, b"for two");
        for readers in [&[0][..], &[1], &[2], &[0, 1], &[2, 1], &[0, 2], &[2, 0, 1]] {
            let what = format!("quorum, private {private}, {readers:?}");
            cases.push(case(&what, &envelope, readers, &[]));
        }
        for bit in (0..envelope.len() as u64 * 8).step_by(31) {
            let what = format!("quorum, private {private}, bit {bit}");
            cases.push(case(&what, &flipped(&envelope, bit), &[2, 0], &[]));
        }
    }
    cases
}

/// Approvals for a lock that one person opens and a lock that two open together: correct, repeated, for another envelope,
/// changed at every place.
fn approvals(people: &[Person; 3]) -> Vec<Case> {
    let mut cases = Vec::new();
    let [bob, hybrid, stranger] = people;
    for private in [false, true] {
        let mut wish = request(&[hybrid], None);
        wish.locks.push(quorum(2, &[bob, hybrid]));
        wish.private = private;
        let [envelope, other] = [0; 2].map(|_| sealed(&wish, b"with help"));
        let approve = |envelope: &[u8], lock, holder: &Person, to: &Person| {
            approved(envelope, lock, holder, to).unwrap().remove(0)
        };
        let mut add = |what: &str, reader: usize, approvals: &[&[u8]]| {
            let what = format!("approvals, private {private}, {what}");
            cases.push(case(&what, &envelope, &[reader], approvals));
        };
        let of_0 = approve(&envelope, 0, hybrid, bob);
        let of_1 = approve(&envelope, 1, hybrid, bob);
        let (line, text) = (of_0.to_line() + "\n", of_1.to_text());
        let (line, text) = (line.as_bytes(), text.as_bytes());
        let elsewhere = approve(&other, 0, hybrid, bob).to_line();
        let second = approve(&envelope, 1, bob, hybrid).to_text();
        add("none", 0, &[]);
        add("one of two", 0, &[line]);
        add("the other of two", 0, &[text]);
        add("both", 0, &[text, line]);
        add("one twice", 0, &[line, line]);
        add("of another envelope", 0, &[elsewhere.as_bytes(), text]);
        add("for another", 1, &[line, text]);
        add("all that was missing", 1, &[second.as_bytes()]);
        add("not an approval", 0, &[b"encl-card1:AAAA", text]);
        let for_stranger = [
            approve(&envelope, 0, hybrid, stranger),
            approve(&envelope, 1, hybrid, stranger),
            approve(&envelope, 1, bob, stranger),
        ];
        let for_stranger = for_stranger.map(|approval| approval.to_line());
        let [a, b, c] = for_stranger.each_ref().map(String::as_bytes);
        add("to somebody outside", 2, &[a, b, c]);
        add("to somebody outside, too few", 2, &[a, c]);
        for (what, approval) in [("line", line), ("text", text)] {
            let beside = if what == "line" { text } else { line };
            for bit in (0..approval.len() as u64 * 8).step_by(3) {
                add(
                    &format!("{what}, bit {bit}"),
                    0,
                    &[&flipped(approval, bit), beside],
                );
            }
            for cut in (0..approval.len()).step_by(5) {
                add(
                    &format!("{what}, cut at {cut}"),
                    0,
                    &[&approval[..cut], beside],
                );
            }
        }
        for (from, to) in [
            ("\"lock\":0", "\"lock\":1"),
            ("\"lock\":0", "\"lock\":2"),
            ("\"lock\":0", "\"lock\":8"),
            ("{", "{ "),
            ("encl/1", "encl/2"),
            ("\"lock\"", "\"lokk\""),
        ] {
            let changed = of_0.to_line().replacen(from, to, 1);
            add(&format!("{from} for {to}"), 0, &[changed.as_bytes(), text]);
        }
    }
    cases
}

/// A chain of two grants.
fn grants(people: &[Person; 3]) -> Vec<Case> {
    let [bob, hybrid, stranger] = people;
    let envelope = sealed(&request(&[bob], Some(&bob.root)), b"passed on");
    let once = granted(&envelope, bob, hybrid);
    let twice = granted(&once, hybrid, stranger);
    let mut cases: Vec<_> = (0..3)
        .map(|reader| case("granted", &twice, &[reader], &[]))
        .collect();
    for bit in (0..twice.len() as u64 * 8).step_by(67) {
        cases.push(case(
            &format!("granted, bit {bit}"),
            &flipped(&twice, bit),
            &[2],
            &[],
        ));
    }
    cases
}
