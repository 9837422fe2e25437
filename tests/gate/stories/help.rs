//! The examples in the help texts of commands that need a gate. Those of the other commands are in tests/cli.

use super::stage::Stage;

/// Commands whose examples need a gate.
const COMMANDS: [&str; 11] = [
    "gate",
    "gate add",
    "gate list",
    "gate show",
    "gate remove",
    "gate status",
    "gate compare",
    "gate revoke",
    "gate allow",
    "gate expire",
    "audit",
];

/// The commands below "Examples:".
fn examples(text: &str) -> Vec<String> {
    let (_, examples) = text.split_once("Examples:\n").unwrap();
    let line = |line: &str| line.trim().strip_prefix("$ encl ").unwrap().to_owned();
    examples.trim_end().lines().map(line).collect()
}

#[test]
fn every_example_about_gates_runs() {
    let mut count = 0;
    for command in COMMANDS {
        let stage = Stage::with_gates(&["gate.example.org"]);
        let seal = "wrap plan.txt --to bob@example.org --gate gate.example.org -o guarded.pdf.encl";
        stage.good("alice", seal);
        stage.good(
            "bob",
            "unwrap guarded.pdf.encl -o o.txt --receipts receipts",
        );
        let receipt = std::fs::read_dir(stage.path("receipts")).unwrap();
        let receipt = receipt.last().unwrap().unwrap().path();
        for name in ["mine.receipt", "from-bob.receipt"] {
            std::fs::copy(&receipt, stage.path(name)).unwrap();
        }
        let text = stage.good("alice", &format!("{command} --help")).out;
        let url = stage.url("gate.example.org");
        for example in examples(&text) {
            stage.good("alice", &example.replace("https://gate.example.org", &url));
            count += 1;
        }
    }
    assert!(count >= COMMANDS.len(), "only {count} examples");
}
