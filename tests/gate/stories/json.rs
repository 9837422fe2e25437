//! `encl help json` names every field that commands about gates print, and no other. The other commands are in tests/cli.

#[path = "../../cli/json/page.rs"]
mod page;

use std::collections::BTreeSet;

use super::stage::Stage;
use page::Page;

/// Commands that together print every field that is about gates: the exit code, the person, the line.
const STORY: &[(i32, &str, &str)] = &[
    (0, "alice", "gate list"),
    (0, "alice", "gate show work"),
    (
        0,
        "alice",
        "wrap plan.txt --to bob@example.org --gates 1:work,spare --lease 1h",
    ),
    (0, "alice", "inspect plan.txt.encl"),
    (0, "bob", "unwrap plan.txt.encl -o opened.txt"),
    (
        0,
        "alice",
        "gate allow plan.txt.encl --to carol@example.org",
    ),
    (0, "alice", "gate expire plan.txt.encl --on 30d --yes"),
    (
        0,
        "alice",
        "gate revoke plan.txt.encl --who bob@example.org --yes",
    ),
    (0, "alice", "gate revoke plan.txt.encl --yes"),
    // Bob has a lease; the author has not.
    (5, "alice", "unwrap plan.txt.encl -o again.txt"),
    (0, "alice", "gate status plan.txt.encl"),
    (0, "alice", "audit plan.txt.encl"),
    (0, "alice", "gate remove spare --yes"),
];

/// The places on the page that only commands about gates print.
pub(super) fn is_about_gates(place: &str) -> bool {
    let words = ["gate", "encl.audit", "PERSON ", "GATESTATE "];
    words.iter().any(|word| place.contains(word))
}

#[test]
fn the_page_names_every_field_about_gates() {
    let mut stage = Stage::with_gates(&["work", "spare"]);
    let (page, mut seen) = (Page::shown(), BTreeSet::new());
    let mut step = |stage: &Stage, (exit, person, line): (i32, &str, &str)| {
        let answer = stage.ends(person, &format!("{line} --json"), exit);
        let objects = answer.objects();
        let lines = answer.out.lines().chain(answer.err.lines()).count();
        assert_eq!(objects.len(), lines, "{line}: not only objects");
        assert!(!objects.is_empty(), "{line}: no object");
        for object in objects {
            page.check(&object, &mut seen).unwrap();
        }
    };
    for one in STORY {
        step(&stage, *one);
    }
    // A receipt whose entry the gate does not show: of a log that was put back.
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work -o w.encl",
    );
    stage.good("bob", "unwrap w.encl -o o.txt --receipts receipts");
    let receipt = std::fs::read_dir(stage.path("receipts")).unwrap();
    let receipt = receipt.last().unwrap().unwrap().path();
    let compare = format!("gate compare {0} {0}", receipt.to_str().unwrap());
    step(&stage, (0, "alice", &compare));
    let url = stage.url("spare");
    step(&stage, (0, "alice", &format!("gate add {url} --yes")));
    stage.stop("work");
    step(&stage, (1, "alice", "gate revoke w.encl --yes"));
    step(&stage, (1, "alice", "gate status w.encl"));
    stage.write("passphrase", "correct horse battery\n");
    let backup = "backup -o b.encl --passphrase-file passphrase --new-passphrase-file passphrase";
    step(&stage, (0, "alice", backup));
    let restore = "restore b.encl --yes --passphrase-file passphrase";
    step(&stage, (0, "alice", restore));
    let unseen: Vec<_> = page
        .places()
        .into_iter()
        .filter(|place| is_about_gates(place) && !seen.contains(place))
        // Only a gate that lies makes one; beside the code.
        .filter(|place| !place.contains("withheld[]."))
        .collect();
    assert!(unseen.is_empty(), "never printed: {unseen:#?}");
}
