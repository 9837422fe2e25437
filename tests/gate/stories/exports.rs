//! Logs that operators exported, and receipts beside them: what they show of a gate, and what they do not.

use std::fs;
use std::os::unix::fs::symlink;

use encl::gate::log::leaf_hash;
use encl::json::to_b64;
use serde_json::Value;

use super::stage::Stage;

const SEAL: &str = "wrap plan.txt --to bob@example.org --gate work";
const OPEN: &str = "unwrap plan.txt.encl -o opened.txt --force";
const AUDIT: &str = "audit plan.txt.encl --from receipts";

/// What `encl audit` says of the gate.
fn audited(stage: &Stage) -> Value {
    let audit = stage.good("alice", &format!("{AUDIT} --json"));
    audit.object("encl.audit/1")["gates"][0].clone()
}

#[test]
fn neither_an_erased_entry_nor_a_later_receipt_accuses_a_gate() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("bob", &format!("{OPEN} --receipts receipts"));
    stage.good("alice", "audit plan.txt.encl");
    let exported = stage.operate("export", "work", &[]);
    // The export is older than this receipt.
    stage.good("bob", &format!("{OPEN} --receipts receipts"));
    stage.stop("work");
    stage.write("receipts/work.log", &exported);
    let gate = audited(&stage);
    assert_eq!((&gate["entries"], &gate["erased"]), (&1.into(), &0.into()));
    assert_eq!(gate["withheld"], Value::Array(Vec::new()));
    // The entry that a receipt proves was erased: its hash stays.
    let erase = |(seq, line): (usize, &str)| match line.contains("\"op\":\"open\"") {
        true => {
            let leaf = to_b64(&leaf_hash(line.as_bytes()));
            format!("{{\"erased\":\"{leaf}\",\"seq\":{seq}}}\n")
        }
        false => format!("{line}\n"),
    };
    let erased: String = exported.lines().enumerate().map(erase).collect();
    assert_ne!(erased, exported);
    stage.write("receipts/work.log", &erased);
    let gate = audited(&stage);
    assert_eq!((&gate["entries"], &gate["erased"]), (&0.into(), &1.into()));
    assert_eq!(gate["withheld"], Value::Array(Vec::new()));
    let text = stage.good("alice", AUDIT).out;
    assert!(text.contains("as far as it was not erased"), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_or_does_not_fit_is_named() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("bob", &format!("{OPEN} --receipts receipts"));
    // Reading its beginning fails for everybody.
    symlink("/proc/self/mem", stage.path("receipts/broken.log")).unwrap();
    let audit = stage.good("alice", AUDIT);
    assert!(
        audit.err.contains("broken.log cannot be read"),
        "{}",
        audit.err
    );
    // The log of another gate: this one is asked, and that is said.
    assert!(!audit.err.contains("no exported log fits"), "{}", audit.err);
    stage.write("receipts/other.log", "{\"entry\":\"encl/1\"}\n");
    let audit = stage.good("alice", AUDIT);
    assert!(audit.err.contains("no exported log fits"), "{}", audit.err);
    assert_eq!(audit.err.matches("other.log").count(), 1, "{}", audit.err);
    stage.stop("work");
    let audit = stage.ends("alice", AUDIT, 1);
    assert!(audit.err.contains("no exported log fits"), "{}", audit.err);
    // What is no file is not waited for.
    fs::remove_dir_all(stage.path("receipts")).unwrap();
    stage.ends("alice", "gate compare /dev/zero /dev/zero", 1);
}
