//! Somebody gives Alice a backup that she did not make, or reads her keystore's folder and puts together one that looks like hers.
//! What comes of it: no identity, nobody verified or blocked, no group changed. And her own backups bring everything back.

use encl::crypto::passphrase::{Cost, Passphrase};
use encl::envelope::{ContentInfo, LockRequest, SealRequest, seal};
use encl::keystore::BACKUP_TYPE;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::answer::Answer;
use crate::people::Ground;
use crate::scene::Author;

/// How the private keys of Alice lie in her keystore.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Sealed,
    Plain,
}

/// Alice has verified Bob, blocked Carol, and has a group; Mallory knows her and Bob. The file `pw` has a passphrase that both know.
fn ground(keys: Keys) -> Ground {
    let ground = Ground::with(&["alice", "bob", "carol", "mallory"]);
    ground.write("pw", "words that both of them know\n");
    ground.write("own", "words that only alice knows\n");
    ground.verify("alice", "bob");
    ground.can(
        "alice",
        "encl contact block carol@example.org && encl group new board bob@example.org && encl key export -o plain.identity",
    );
    if keys == Keys::Sealed {
        ground.can("alice", "encl key passphrase --new-passphrase-file own");
    }
    ground.can("alice", "encl key export -o alice.identity");
    ground
}

/// What `restore` says of a backup without restoring it.
fn seen(ground: &Ground, person: &str, backup: &str) -> String {
    let line = format!("encl restore {backup} --dry-run --json --passphrase-file pw");
    ground.can(person, &line).stdout
}

fn proof(ground: &Ground, person: &str, backup: &str) -> String {
    let seen = seen(ground, person, backup);
    let proof = seen.split("\"proof\":").nth(1).unwrap_or("");
    let proof = proof.split(',').next().unwrap_or_default();
    proof.trim_matches('"').to_owned()
}

/// Another machine of Alice's with her identity, and nothing else.
fn second_machine(ground: &Ground) {
    let import = "encl key import alice.identity";
    ground.can("laptop", import);
}

/// Alice's keys are Mallory's too: she read the keystore's folder, and calls what she found there her own.
fn copy_keystore(ground: &Ground) {
    ground.can(
        "thief",
        "mkdir -p -m 700 home/thief/.local/share/encl && cp -r home/alice/.local/share/encl/identities home/thief/.local/share/encl && \
         encl key list -q && for card in bob.card carol.card mallory.card; do encl contact add $card --yes -q; done",
    );
    // Whoever has copied an identity can compare numbers in its name; no key is needed for it.
    ground.verify("thief", "mallory");
    ground.can(
        "thief",
        "encl contact block bob@example.org && encl group new board mallory@example.org && encl group new all mallory@example.org",
    );
}

fn list(ground: &Ground, person: &str) -> String {
    ground.can(person, "encl contact list").stdout
}

/// What must not change by a backup of somebody else's: identities, decisions, and the group.
fn untouched(ground: &Ground) -> [String; 4] {
    [
        ground.can("alice", "encl key list").stdout,
        list(ground, "alice"),
        ground.can("alice", "encl group show board").stdout,
        ground
            .can(
                "alice",
                "cat home/alice/.local/share/encl/default; ls home/alice/.local/share/encl/identities",
            )
            .stdout,
    ]
}

/// The content of a backup.
fn content(ground: &Ground, person: &str, backup: &str) -> Vec<u8> {
    let line = format!("encl unwrap {backup} -o content.tar --force -q --passphrase-file pw");
    ground.can(person, &line);
    ground.read("content.tar")
}

/// Seals a content as a backup for the passphrase in `pw`.
fn reseal(ground: &Ground, name: &str, mut content: &[u8]) {
    let passphrase = Passphrase::new("words that both of them know").unwrap();
    let request = SealRequest {
        locks: vec![LockRequest {
            passphrase: Some((&passphrase, Cost::new(16).unwrap())),
            ..LockRequest::default()
        }],
        info: ContentInfo {
            media_type: Some(BACKUP_TYPE.to_owned()),
            ..ContentInfo::default()
        },
        ..SealRequest::default()
    };
    let mut envelope = Vec::new();
    let sealed = seal(
        &request,
        &mut content,
        &mut envelope,
        &mut UnwrapErr(SysRng),
    );
    sealed.unwrap();
    ground.write(name, envelope);
}

const BLOCK: usize = 512;

/// The entries of a tar archive with their blanks.
fn entries(archive: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = archive;
    let mut entries = Vec::new();
    while rest.first().is_some_and(|byte| *byte != 0) {
        let size = std::str::from_utf8(&rest[124..135]).unwrap();
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap();
        let (entry, after) = rest.split_at(BLOCK + size.next_multiple_of(BLOCK));
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

fn whole(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 2 * BLOCK]].concat()
}

fn is_proof(entry: &[u8]) -> bool {
    entry.starts_with(b"proof/")
}

// Each of the three proofs alone is enough.

#[test]
fn proofs_a_signature_of_mine_is_enough() {
    let ground = ground(Keys::Sealed);
    ground.can(
        "alice",
        "encl backup --to alice@example.org --passphrase-file own -o signed.encl",
    );
    second_machine(&ground);
    let restore = "encl restore signed.encl --passphrase-file own";
    let seen = ground.can("laptop", &format!("{restore} --dry-run --json"));
    assert!(
        seen.stdout.contains("\"proof\":\"signature\""),
        "{}",
        seen.stdout
    );
    ground.can("laptop", &format!("{restore} --yes"));
    let contacts = list(&ground, "laptop");
    assert!(
        contacts.contains("Bob <bob@example.org>  verified"),
        "{contacts}"
    );
    assert!(
        contacts.contains("Carol <carol@example.org>  blocked"),
        "{contacts}"
    );
}

#[test]
fn proofs_that_this_machine_made_it_is_enough() {
    let ground = ground(Keys::Sealed);
    ground.can("alice", "encl backup -o mine.encl --passphrase-file pw");
    assert_eq!(proof(&ground, "alice", "mine.encl"), "machine");
    // The keystore is lost, and what this machine remembers is not.
    ground.can("alice", "rm -r home/alice/.local/share/encl");
    assert_eq!(proof(&ground, "alice", "mine.encl"), "machine");
    ground.can(
        "alice",
        "encl restore mine.encl --yes --passphrase-file pw && encl wrap pw --to bob --require-verified --passphrase-file own",
    );
}

#[test]
fn proofs_my_private_keys_in_the_clear_are_enough() {
    let ground = ground(Keys::Plain);
    ground.can("alice", "encl backup -o mine.encl --passphrase-file pw");
    second_machine(&ground);
    assert_eq!(proof(&ground, "laptop", "mine.encl"), "keys");
    ground.can(
        "laptop",
        "encl restore mine.encl --yes --passphrase-file pw && encl wrap pw --to bob --require-verified",
    );
}

// Each broken one is none.

#[test]
fn proofs_a_signature_of_somebody_else_or_of_a_revoked_key_is_none() {
    let ground = ground(Keys::Plain);
    ground.can(
        "alice",
        "encl backup --to alice@example.org -o signed.encl && encl backup --to alice@example.org --anonymous -o anonymous.encl",
    );
    ground.can(
        "mallory",
        "encl backup --to alice@example.org -o theirs.encl",
    );
    // With its keys in the clear, the anonymous one is mine all the same.
    second_machine(&ground);
    assert_eq!(proof(&ground, "laptop", "signed.encl"), "signature");
    assert_eq!(proof(&ground, "laptop", "anonymous.encl"), "keys");
    assert_eq!(proof(&ground, "laptop", "theirs.encl"), "null");
    ground.can("laptop", "encl key revoke --yes");
    for backup in ["signed.encl", "anonymous.encl", "theirs.encl"] {
        assert_eq!(proof(&ground, "laptop", backup), "null", "{backup}");
    }
}

#[test]
fn proofs_a_machines_mac_that_is_wrong_is_none() {
    let ground = ground(Keys::Sealed);
    ground.can("alice", "encl backup -o mine.encl --passphrase-file pw");
    let text = content(&ground, "alice", "mine.encl");
    let all = entries(&text);
    let judge = |name: &str, content: &[u8]| {
        reseal(&ground, name, content);
        proof(&ground, "alice", name)
    };
    assert_eq!(judge("same.encl", &text), "machine");
    let mut without = all.clone();
    without.retain(|entry| !is_proof(entry));
    assert_eq!(without.len() + 1, all.len());
    assert_eq!(judge("without.encl", &whole(&without)), "null");
    // One decision, contact or group less; and a group of another backup.
    for part in [&b"trust"[..], b"contacts/", b"groups/"] {
        let mut less = all.clone();
        let place = less
            .iter()
            .position(|entry| entry.starts_with(part) && entry[156] != b'5');
        less.remove(place.unwrap());
        assert_eq!(judge("less.encl", &whole(&less)), "null");
    }
    ground.can("alice", "encl group add board mallory@example.org");
    ground.can("alice", "encl backup -o later.encl --passphrase-file pw");
    let later = entries(&content(&ground, "alice", "later.encl"));
    let exchanged: Vec<_> = (all.iter().zip(&later))
        .map(|(old, new)| match is_proof(old) {
            true => old.clone(),
            false => new.clone(),
        })
        .collect();
    assert_eq!(judge("exchanged.encl", &whole(&exchanged)), "null");
    // By another machine, and by this one with another key.
    ground.can("bob", "encl backup -o theirs.encl --passphrase-file pw");
    assert_eq!(proof(&ground, "alice", "theirs.encl"), "null");
    ground.can(
        "alice",
        "cp home/bob/.local/state/encl/key home/alice/.local/state/encl/key",
    );
    assert_eq!(proof(&ground, "alice", "mine.encl"), "null");
}

#[test]
fn proofs_private_keys_beside_a_slot_of_somebody_else_are_none() {
    let ground = ground(Keys::Plain);
    ground.can(
        "alice",
        "encl backup -o mine.encl --passphrase-file pw && encl backup --to bob@example.org --anonymous -o for-bob.encl",
    );
    ground.can(
        "bob",
        "encl grant for-bob.encl --to alice@example.org && \
         encl grant mine.encl --to bob@example.org --passphrase-file pw -o granted.encl",
    );
    second_machine(&ground);
    assert_eq!(proof(&ground, "laptop", "mine.encl"), "keys");
    for backup in ["granted.encl", "for-bob.encl"] {
        assert_eq!(proof(&ground, "laptop", backup), "null", "{backup}");
    }
}

// What a reader of the keystore's folder has is no proof.

#[test]
fn sealed_secret_proves_nothing() {
    let ground = ground(Keys::Sealed);
    copy_keystore(&ground);
    ground.can(
        "thief",
        "encl backup -o shared.encl --passphrase-file pw && encl backup --to alice.card --anonymous -o sealed.encl",
    );
    let before = untouched(&ground);
    for backup in ["shared.encl", "sealed.encl"] {
        let restore = format!("encl restore {backup} --yes");
        let restore = match backup {
            "shared.encl" => format!("{restore} --passphrase-file pw"),
            _ => format!("{restore} --passphrase-file own"),
        };
        let seen = ground.can("alice", &format!("{restore} --json")).stdout;
        assert!(seen.contains("\"mine\":false,\"proof\":null"), "{seen}");
        let after = untouched(&ground);
        assert_eq!(before[0], after[0], "identities: {backup}");
        assert_eq!(before[2..], after[2..], "{backup}");
        let contacts = &after[1];
        for expected in [
            "Bob <bob@example.org>  verified",
            "Carol <carol@example.org>  blocked",
            "Mallory <mallory@example.org>  not verified",
        ] {
            assert!(contacts.contains(expected), "{backup}: {contacts}");
        }
    }
    ground.cannot(
        "alice",
        "encl wrap pw --to mallory@example.org --require-verified -o x --passphrase-file own",
        7,
    );
}

#[test]
fn sealed_secret_with_a_mark_does_not_end_my_identity() {
    let ground = ground(Keys::Sealed);
    copy_keystore(&ground);
    ground.can(
        "thief",
        "(umask 077; echo revoked > $(echo home/thief/.local/share/encl/identities/*)/ended) && \
         encl backup -o ended.encl --passphrase-file pw",
    );
    ground.can(
        "alice",
        "encl restore ended.encl --yes --passphrase-file pw && encl wrap pw --to bob --passphrase-file own",
    );
}

#[test]
fn a_backup_of_another_user_with_a_shared_passphrase_brings_cards_only() {
    let ground = ground(Keys::Sealed);
    ground.verify("mallory", "carol");
    ground.can(
        "mallory",
        "encl contact block bob@example.org && encl group new board mallory@example.org && \
         encl group new all mallory@example.org --address all@example.org && encl invite dan@example.org -q -o invitation && \
         encl key new dan@example.org --name Dan --no-passphrase --keystore dan > dan.card && encl contact add dan.card --yes && \
         encl contact block dan@example.org && encl backup -o theirs.encl --passphrase-file pw",
    );
    let before = untouched(&ground);
    let restored = ground.can(
        "alice",
        "encl restore theirs.encl --yes --passphrase-file pw",
    );
    let after = untouched(&ground);
    assert_eq!((&before[0], &before[2..]), (&after[0], &after[2..]));
    assert_eq!(
        after[1]
            .replace("Dan <dan@example.org>  not verified  ", "")
            .lines()
            .count(),
        before[1].lines().count() + 1
    );
    assert!(after[1].starts_with(&before[1][..20]), "{}", after[1]);
    for expected in [
        "identity Mallory <mallory@example.org>: not added (--foreign adds it)",
        "contact Dan <dan@example.org>: added, not verified yet, fingerprint",
        "group @all: added, 1 in it, for mail to all@example.org",
        "group @board: not changed",
        "invitations: 1 not restored",
        "it is not certain that you made this backup",
    ] {
        assert!(
            restored.stderr.contains(expected),
            "{expected}: {}",
            restored.stderr
        );
    }
    // Dan is not blocked by what Mallory thinks of him.
    ground.can(
        "alice",
        "encl wrap pw --to dan@example.org --passphrase-file own",
    );
    let invited = ground.read("invitation");
    assert!(!invited.is_empty());
}

#[test]
fn of_a_card_that_comes_so_the_first_address_counts() {
    let ground = ground(Keys::Sealed);
    let two = Author::new("M", &["m@evil.example", "ceo@corp.example"]);
    ground.write("two.card", two.card.to_text());
    ground.can(
        "mallory",
        "encl contact add two.card --yes && encl backup -o theirs.encl --passphrase-file pw",
    );
    let restored = ground.can(
        "alice",
        "encl restore theirs.encl --yes --passphrase-file pw",
    );
    let said = "its other addresses count only after `encl contact add`: ceo@corp.example";
    assert!(restored.stderr.contains(said), "{}", restored.stderr);
    ground.cannot(
        "alice",
        "encl wrap pw --to ceo@corp.example -o x --passphrase-file own",
        7,
    );
}

#[test]
fn who_looks_like_somebody_known_is_told() {
    let ground = ground(Keys::Sealed);
    ground.can(
        "mallory",
        "encl key new bob@evil.example --name Bob --no-passphrase --keystore two > two.card && \
         encl contact add two.card --yes && encl backup -o theirs.encl --passphrase-file pw",
    );
    let seen = ground.can(
        "alice",
        "encl restore theirs.encl --dry-run --passphrase-file pw",
    );
    let said =
        "the name Bob is, or looks like, that of Bob <bob@example.org>, who is somebody else";
    assert!(seen.stdout.contains(said), "{}", seen.stdout);
}

#[test]
fn a_foreign_identity_is_added_on_demand_and_never_the_default() {
    let ground = ground(Keys::Sealed);
    ground.can("mallory", "encl backup -o theirs.encl --passphrase-file pw");
    let foreign = "encl restore theirs.encl --yes --foreign --passphrase-file pw";
    let restored = ground.can("alice", foreign);
    assert!(
        restored
            .stderr
            .contains("added, and not yours; if it is, run `encl key adopt "),
        "{}",
        restored.stderr
    );
    let keys = ground.can("alice", "encl key list").stdout;
    assert!(keys.starts_with("* Alice"), "{keys}");
    // It signs nothing, and what it signs proves nothing.
    ground.can(
        "mallory",
        "encl backup --to alice@example.org -o signed.encl",
    );
    let seen = ground.can(
        "alice",
        "encl restore signed.encl --dry-run --json --passphrase-file own",
    );
    assert!(seen.stdout.contains("\"proof\":null"), "{}", seen.stdout);
    ground.can("alice", foreign);
    // On a machine whose only identity has ended, it is not the default either.
    ground.can(
        "zoe",
        "encl key new zoe@example.org --name Zoe --no-passphrase -q > zoe.card && encl key revoke --yes -q > end",
    );
    ground.can("zoe", foreign);
    ground.cannot("zoe", "encl wrap pw --to bob.card -o x", 7);
    let defaults = ground.can("zoe", "encl key list --json").stdout;
    assert!(
        !defaults
            .lines()
            .any(|line| line.contains("mallory@") && line.contains("\"default\":true")),
        "{defaults}"
    );
}

// Own backups, on a new machine and after accidents.

#[test]
fn blank_a_new_machine_asks_before_it_takes_anything() {
    let ground = ground(Keys::Sealed);
    ground.can("alice", "encl backup -o mine.encl --passphrase-file pw");
    assert_eq!(proof(&ground, "new", "mine.encl"), "claim");
    let restore = "encl restore mine.encl --passphrase-file pw";
    for unanswered in [restore.to_owned(), format!("{restore} --no-input")] {
        let refused = ground.cannot("new", &unanswered, 2);
        assert!(
            refused.stderr.contains(
                "this machine knows no identity of yours: all of it is taken as your own"
            ),
            "{}",
            refused.stderr
        );
    }
    ground.can("new", "! ls home/new/.local/share/encl 2> none");
    ground.can("new", &format!("{restore} --yes --no-input"));
    let contacts = list(&ground, "new");
    assert!(
        contacts.contains("Bob <bob@example.org>  verified"),
        "{contacts}"
    );
    let keys = ground.can("new", "encl key list").stdout;
    assert!(keys.starts_with("* Alice"), "{keys}");
    // Once more: nothing is missing, and it is still the user's own.
    let again = ground.can("new", restore);
    assert!(
        again.stderr.contains("everything in it is already here")
            && !again.stderr.contains("not certain"),
        "{}",
        again.stderr
    );
    assert_eq!(proof(&ground, "new", "mine.encl"), "claim");
    // Another one is not taken by that answer.
    ground.can("mallory", "encl backup -o theirs.encl --passphrase-file pw");
    assert_eq!(proof(&ground, "new", "theirs.encl"), "null");
}

#[test]
fn blank_only_a_passphrase_makes_a_new_machine_ask() {
    let ground = ground(Keys::Sealed);
    ground.can("alice", "encl backup -o mine.encl --passphrase-file pw");
    ground.can(
        "bob",
        "encl grant mine.encl --to bob@example.org --passphrase-file pw -o granted.encl",
    );
    assert_eq!(proof(&ground, "new", "granted.encl"), "null");
    // Nor is a machine new whose keystore alone is gone.
    ground.can(
        "bob",
        "rm -r home/bob/.local/share/encl && encl key list; true",
    );
    assert_eq!(proof(&ground, "bob", "mine.encl"), "null");
}

#[test]
fn altered_backups_change_nothing() {
    let ground = ground(Keys::Sealed);
    ground.can("alice", "encl backup -o mine.encl --passphrase-file pw");
    let backup = ground.read("mine.encl");
    let header = backup
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    let header = header.map(|(place, _)| place).nth(3).unwrap();
    // Of the first lines the format's own tests flip every bit.
    for part in 1..=12 {
        let mut altered = backup.clone();
        let place = header + (backup.len() - header) * part / 13;
        altered[place] ^= 4;
        ground.write("altered.encl", &altered);
        ground.cannot(
            "new",
            "encl restore altered.encl --yes --passphrase-file pw",
            4,
        );
    }
    ground.write("altered.encl", &backup[..backup.len() - 1]);
    ground.cannot(
        "new",
        "encl restore altered.encl --yes --passphrase-file pw",
        4,
    );
    ground.can("new", "! ls home/new/.local/share/encl 2> none");
}

/// Killed at one moment after another. What was taken as the user's own is that when it is done again.
#[test]
fn a_restore_that_is_killed_loses_nothing() {
    let ground = ground(Keys::Sealed);
    ground.can(
        "alice",
        "encl key new second@example.org --name Second --no-passphrase -q > second.card && \
         encl key default second@example.org -q && encl backup -o mine.encl --passphrase-file pw",
    );
    let restore = "encl restore mine.encl --yes --passphrase-file pw";
    let state = |person: &str| format!("home/{person}/.local/state/encl");
    let mut killed = 0;
    // The command is killed as soon as so many files were made.
    for files in 1..=12 {
        let person = format!("new{files}");
        let count = format!(
            "find {} home/{person}/.local/share/encl -type f 2> none | wc -l",
            state(&person)
        );
        let line = format!(
            "encl restore mine.encl --yes --passphrase-file pw > none 2>&1 & pid=$!; \
             while kill -0 $pid 2> none; do if [ $({count}) -ge {files} ]; then kill -9 $pid 2> none; break; fi; done; \
             wait $pid; echo $?"
        );
        let ended = ground.can(&person, &line).stdout;
        killed += usize::from(ended.trim() == "137");
        // What was decided is remembered before there is a contact.
        let people = format!("ls {}/people 2> none | wc -l", state(&person));
        let contacts = format!("ls home/{person}/.local/share/encl/contacts 2> none | wc -l");
        let [people, contacts] = [people, contacts].map(|line| ground.can(&person, &line).stdout);
        assert!(
            contacts.trim() == "0" || people.trim() == "2",
            "{person}: {contacts} contacts, {people} decisions"
        );
        complete(&ground, &person, restore);
    }
    assert!(killed > 3, "only {killed} were killed");
}

/// Restores the rest, and checks that nothing is missing.
fn complete(ground: &Ground, person: &str, restore: &str) {
    let done = ground.can(person, restore);
    assert!(
        !done.stderr.contains("not certain"),
        "{person}: {}",
        done.stderr
    );
    let contacts = list(ground, person);
    for expected in [
        "Bob <bob@example.org>  verified",
        "Carol <carol@example.org>  blocked",
    ] {
        assert!(contacts.contains(expected), "{person}: {contacts}");
    }
    let keys = ground.can(person, "encl key list").stdout;
    assert!(keys.starts_with("* Second"), "{person}: {keys}");
    assert!(keys.contains("Alice <alice@example.org>"), "{keys}");
    let group = ground.can(person, "encl group show board").stdout;
    assert!(group.starts_with("Bob"), "{person}: {group}");
    let again: Answer = ground.can(person, restore);
    assert!(
        again.stderr.contains("everything in it is already here"),
        "{person}: {}",
        again.stderr
    );
}
