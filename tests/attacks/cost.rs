//! What somebody else's bytes may cost, and what secrets may be taken for or left to: memory, passphrase files, descriptors, inputs
//! that change while they are read.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use encl::crypto::passphrase::{Cost, Passphrase};
use encl::envelope::{LockRequest, SealRequest, seal};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::people::Ground;

/// An envelope for whoever knows the words, at this cost.
fn costly(cost: u64) -> Vec<u8> {
    let words = Passphrase::new("words").unwrap();
    let request = SealRequest {
        locks: vec![LockRequest {
            passphrase: Some((&words, Cost::new(cost).unwrap())),
            ..LockRequest::default()
        }],
        ..SealRequest::default()
    };
    let mut out = Vec::new();
    seal(
        &request,
        &mut &b"content"[..],
        &mut out,
        &mut UnwrapErr(SysRng),
    )
    .unwrap();
    out
}

/// One GiB is the most that one envelope may ask for; a tenth more is the program.
const PEAK_KIB_MAX: u64 = 1_258_291;

#[test]
fn eight_envelopes_of_the_highest_cost_take_the_memory_of_one() {
    let ground = Ground::with(&["alice"]);
    ground.write("words", "words\n");
    let envelope = costly(20);
    let names: Vec<String> = (0..8).map(|number| format!("{number}.encl")).collect();
    for name in &names {
        ground.write(name, &envelope);
    }
    let line = format!(
        "exec encl verify --passphrase-file words --cost-max 20 -q {}",
        names.join(" ")
    );
    let mut child = ground.command("alice", &line).spawn().unwrap();
    let mut peak_kib = 0;
    let status = loop {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak_kib = peak_kib.max(peak.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
    assert!(
        (1 << 20..PEAK_KIB_MAX).contains(&peak_kib),
        "{peak_kib} KiB"
    );
}

#[test]
fn memory_is_not_spent_unasked() {
    let ground = Ground::with(&["alice"]);
    ground.write("words", "words\n");
    ground.write("17.encl", costly(17));
    let verify = "encl verify 17.encl --passphrase-file words --no-input";
    let told = ground.cannot("alice", verify, 6).stderr;
    assert!(
        told.contains("128 MiB") && told.contains("--cost-max 17"),
        "{told}"
    );
    ground.cannot("alice", &format!("{verify} --cost-max 16"), 6);
    ground.can("alice", &format!("{verify} --cost-max 17"));
    for command in [
        "unwrap 17.encl -o out",
        "grant 17.encl --to alice@example.org",
        "rewrap 17.encl --yes",
        "revoke 17.encl --from alice@example.org --yes",
    ] {
        ground.cannot(
            "alice",
            &format!("encl {command} --passphrase-file words --no-input"),
            6,
        );
    }
    // An own identity may be as costly as its owner made it; one in a file is somebody else's.
    ground.can("bob", "encl key new bob@example.org --cost 17 --passphrase-file words > bob.card && encl wrap words --to bob@example.org --passphrase-file words --no-input && encl key export -o bob.key");
    ground.can(
        "bob",
        "encl key rotate --passphrase-file words -q > later.card",
    );
    ground.can("carol", "encl key import bob.key --no-input");
    ground.can("bob", "encl key export -o later.key");
    let import = "encl key import later.key --passphrase-file words --no-input";
    let told = ground.cannot("carol", import, 6).stderr;
    assert!(told.contains("--cost-max 17"), "{told}");
    ground.can("carol", &format!("{import} --cost-max 17"));
}

/// Alice's identity has the passphrase in `one`; `two` has another in its second line.
fn with_a_locked_alice() -> Ground {
    let ground = Ground::with(&[]);
    ground.write("one", "of the identity\n");
    ground.write("two", "of the identity\nof the envelope\n");
    ground.write("new", "of the envelope\n");
    ground.write("plan", "At noon.\n");
    ground.can(
        "alice",
        "encl key new alice@example.org --passphrase-file one -q > alice.card",
    );
    ground
}

#[test]
fn the_passphrase_of_an_identity_becomes_that_of_nothing_else() {
    let ground = with_a_locked_alice();
    let wrap = "encl wrap plan --passphrase --no-input --force -q";
    for (how, exit) in [
        ("ENCL_PASSPHRASE_FILE=one", 6),
        ("ENCL_PASSPHRASE_FILE=two", 0),
    ] {
        ground.cannot("alice", &format!("{how} {wrap}"), exit);
    }
    let told = ground
        .cannot("alice", &format!("{wrap} --passphrase-file one"), 6)
        .stderr;
    assert!(
        told.contains("second line") && told.contains("--new-passphrase-file"),
        "{told}"
    );
    for how in [
        "--passphrase-file two",
        "--passphrase-file one --new-passphrase-file new",
    ] {
        ground.can("alice", &format!("{wrap} {how}"));
        ground.can(
            "carol",
            "encl verify plan.encl --passphrase-file new --no-input",
        );
    }
    // Nobody's identity is unlocked: one line that was typed for this answers.
    ground.can(
        "alice",
        &format!("{wrap} --anonymous --passphrase-file new"),
    );
    ground.can(
        "carol",
        "encl verify plan.encl --passphrase-file new --no-input",
    );
    ground.cannot(
        "alice",
        &format!("ENCL_PASSPHRASE_FILE=one {wrap} --anonymous"),
        6,
    );
    let backup = "encl backup -o keys.encl --force --no-input -q";
    ground.cannot("alice", &format!("ENCL_PASSPHRASE_FILE=one {backup}"), 6);
    ground.can("alice", &format!("{backup} --passphrase-file new"));
    // Also a new passphrase for those who remain.
    ground.can(
        "alice",
        &format!("{wrap} --passphrase-file two --to alice@example.org"),
    );
    let revoke = "encl rewrap plan.encl --to alice@example.org --no-self --resign --yes --no-input";
    ground.can(
        "bob",
        "encl key new bob@example.org --no-passphrase -q > bob.card",
    );
    ground.can(
        "alice",
        "encl grant plan.encl --to bob.card --passphrase-file one -q",
    );
    ground.cannot("alice", &format!("{revoke} --passphrase-file one"), 6);
    ground.can("alice", &format!("{revoke} --passphrase-file two"));
    // The first line is an identity's, so a new one may take it.
    ground.can(
        "dan",
        "ENCL_PASSPHRASE_FILE=one encl key new dan@example.org --no-input",
    );
}

#[test]
fn a_child_does_not_inherit_the_descriptor_of_the_passphrase() {
    let ground = with_a_locked_alice();
    ground.can("alice", "encl contact add alice.card --yes -q || true");
    ground.write(
        "letter.eml",
        "From: alice@example.org\nTo: alice@example.org\nSubject: x\n\nAt noon.\n",
    );
    ground.write("sendmail", "#!/bin/sh\nls /proc/self/fd > descriptors\ncat > stolen 2> told <&7\ncat > handed <&8\ncat > sent.eml\n");
    ground.can("alice", "chmod +x sendmail; echo mine > mine");
    ground.can("alice", "encl mail send --passphrase-fd 7 -- ./sendmail alice@example.org 7< one 8< mine < letter.eml");
    assert_eq!(ground.read("stolen"), b"");
    assert_eq!(ground.read("handed"), b"mine\n");
    assert!(!ground.read("sent.eml").is_empty());
    // One that is larger than a digit, in bash, which can open it.
    if ground.run("alice", "command -v bash").exit == 0 {
        ground.can("alice", "bash -c 'exec 23< one; encl mail send --passphrase-fd 23 -- ./sendmail alice@example.org 7< new 8< mine < letter.eml'");
        let descriptors = String::from_utf8(ground.read("descriptors")).unwrap();
        assert!(
            !descriptors.lines().any(|number| number == "23"),
            "{descriptors}"
        );
        assert_eq!(ground.read("stolen"), b"of the envelope\n");
    }
}

#[test]
fn an_input_that_is_swapped_after_it_was_checked_is_told() {
    let ground = Ground::with(&["alice"]);
    let content: Vec<u8> = (0..=255).cycle().take(8 << 20).collect();
    ground.write("content", &content);
    ground.can("alice", "encl wrap content --to alice@example.org -q");
    let mut command = ground.command("alice", "exec encl unwrap content.encl -o -");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut got = vec![0; 1];
    out.read_exact(&mut got).unwrap();
    // It was checked to its end, and waits for us.
    let mut sealed = ground.read("content.encl");
    let end = sealed.len() - (64 << 10);
    sealed[end..].fill(0);
    ground.write("content.encl", sealed);
    out.read_to_end(&mut got).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("it was changed while it was read"), "{told}");
    assert!(!output.status.success() && got.len() < content.len() && content.starts_with(&got));
}
