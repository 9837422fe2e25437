//! Signatures and names that an author never gave: content that nobody signed, and readers whom only other readers let in.

use crate::answer::Answer;
use crate::people::Ground;

/// Mallory, who has no identity, seals a letter for Alice that nobody signs.
fn unsigned(how: &str) -> Ground {
    let ground = Ground::with(&["alice", "bob"]);
    ground.write("letter", "pay Mallory\n");
    ground.can(
        "mallory",
        &format!("encl wrap letter --to alice.card --anonymous {how} -q"),
    );
    ground
}

fn signer(ground: &Ground, person: &str, file: &str) -> String {
    let line = format!("encl verify {file} --json | sed 's/.*\"signer\"://;s/,\"admission.*//'");
    ground.can(person, &line).stdout
}

#[test]
fn what_nobody_signed_is_signed_by_nobody_when_it_is_sealed_again() {
    for how in ["", "--private"] {
        let ground = unsigned(how);
        let rewrap = "encl rewrap letter.encl --to bob@example.org --no-self";
        let dry = ground.can("alice", &format!("{rewrap} --dry-run"));
        assert!(dry.stdout.contains("! was not signed"), "{}", dry.stdout);
        ground.can("alice", &format!("{rewrap} --yes"));
        assert!(
            signer(&ground, "bob", "letter.encl").starts_with("null"),
            "{how}"
        );
        ground.cannot(
            "bob",
            "encl verify letter.encl --signed-by alice@example.org",
            4,
        );
    }
}

#[test]
fn revoke_signs_nothing_that_nobody_signed() {
    let ground = unsigned("--to bob.card");
    let revoke = "encl revoke letter.encl --from bob@example.org";
    let dry = ground
        .can("alice", &format!("{revoke} --dry-run --json"))
        .stdout;
    assert!(
        dry.contains("\"was_signed\":false,\"signer\":null"),
        "{dry}"
    );
    ground.can("alice", &format!("{revoke} --yes"));
    assert!(signer(&ground, "alice", "letter.encl").starts_with("null"));
}

#[test]
fn resign_signs_and_says_so_first() {
    for command in [
        "rewrap letter.encl --to bob@example.org --no-self",
        "revoke letter.encl --from bob@example.org",
    ] {
        let ground = unsigned("--to bob.card --private");
        let dry = ground.can("alice", &format!("encl {command} --resign --dry-run"));
        let told = "! was not signed; it will be signed by Alice <alice@example.org> (you)";
        assert!(dry.stdout.contains(told), "{}", dry.stdout);
    }
    let ground = unsigned("--to bob.card");
    ground.can(
        "alice",
        "encl revoke letter.encl --from bob@example.org --resign --yes",
    );
    assert!(signer(&ground, "alice", "letter.encl").contains("Alice"));
}

/// Whoever takes somebody off does not take the author's signature off without a word.
#[test]
fn revoke_keeps_the_signature_of_others() {
    let ground = Ground::with(&["alice", "bob", "carol"]);
    ground.write("letter", "a letter\n");
    ground.can(
        "alice",
        "encl wrap letter --to bob@example.org --to carol@example.org -q",
    );
    let before = ground.read("letter.encl");
    let revoke = "encl revoke letter.encl --from carol@example.org";
    for options in ["--yes", "--yes --anonymous", "--yes --no-input --json"] {
        ground.cannot("bob", &format!("{revoke} {options}"), 5);
        assert!(before == ground.read("letter.encl"), "{options}");
    }
    ground.can("bob", &format!("{revoke} --yes --resign"));
    assert!(signer(&ground, "alice", "letter.encl").contains("Bob"));
}

#[test]
fn what_was_signed_stays_signed() {
    let ground = Ground::with(&["alice", "bob"]);
    ground.write("letter", "a letter\n");
    ground.can("alice", "encl wrap letter --to bob@example.org -q");
    ground.can(
        "alice",
        "encl revoke letter.encl --from bob@example.org --yes",
    );
    assert!(signer(&ground, "alice", "letter.encl").contains("Alice"));
}

/// Alice seals for Bob and Dan; Bob lets Carol in, with a record.
fn granted() -> Ground {
    let ground = Ground::with(&["alice", "bob", "carol", "dan"]);
    ground.write("plan", "the plan\n");
    ground.can(
        "alice",
        "encl wrap plan --to bob@example.org --to dan@example.org -q",
    );
    ground.can("bob", "encl grant plan.encl --to carol@example.org -q");
    ground
}

const REVOKE: &str = "encl revoke plan.encl --from bob@example.org";

#[test]
fn who_stays_without_the_authors_word_is_told_before_the_yes() {
    let ground = granted();
    let stays =
        "stays: Carol <carol@example.org>, let in by Bob <bob@example.org> (not verified yet)";
    let dry = ground.can("alice", &format!("{REVOKE} --dry-run"));
    assert!(dry.stdout.contains(stays), "{}", dry.stdout);
    let object = ground
        .can("alice", &format!("{REVOKE} --dry-run --json"))
        .stdout;
    assert!(
        object.contains("\"stays\":[{\"name\":\"Carol\""),
        "{object}"
    );
    assert!(object.contains("\"let_in_by\":\""), "{object}");
    let before = ground.read("plan.encl");
    let Answer { stderr, .. } = ground.cannot("alice", &format!("{REVOKE} --yes"), 5);
    assert!(
        stderr.contains(stays) && stderr.contains("--drop-granted"),
        "{stderr}"
    );
    ground.cannot("alice", &format!("{REVOKE} --yes --json"), 5);
    assert!(before == ground.read("plan.encl"), "nothing was changed");
}

#[test]
fn they_stay_or_go_as_the_command_line_says() {
    for (option, exit) in [("--keep-granted", 0), ("--drop-granted", 3)] {
        let ground = granted();
        ground.can("alice", &format!("{REVOKE} --yes {option}"));
        ground.cannot("carol", "encl verify plan.encl", exit);
        ground.cannot("dan", "encl verify plan.encl", 0);
        ground.cannot("bob", "encl verify plan.encl", 3);
    }
}

#[test]
fn whom_the_author_let_in_stays_without_a_question() {
    let ground = Ground::with(&["alice", "bob", "carol"]);
    ground.write("plan", "the plan\n");
    ground.can(
        "alice",
        "encl wrap plan --to bob@example.org -q && encl grant plan.encl --to carol@example.org -q",
    );
    ground.can("alice", &format!("{REVOKE} --yes --drop-granted"));
    ground.can("carol", "encl verify plan.encl");
}

#[test]
fn whoever_acts_keeps_their_own_access() {
    let ground = granted();
    ground.cannot("carol", &format!("{REVOKE} --yes --drop-granted"), 5);
    ground.can("carol", &format!("{REVOKE} --yes --drop-granted --resign"));
    ground.can("carol", "encl verify plan.encl");
}
