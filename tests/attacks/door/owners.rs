//! Root works on another user's files with that user's rights, and leaves alone what belongs to two.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::ground::{Ground, Kernel, OTHER, has_strace, names, said};
use crate::support::process;

const MESSAGE: &[u8] = b"From: a@example.org\nTo: bob@example.org\n\nhello\n";
const SEAL: [&str; 5] = ["mail", "seal", "user/box", "--for", "bob@example.org"];
const THIRD: u32 = 65_533;

/// What makes a mailbox belong to two.
type Change = fn(&Ground);

/// The calls that change names, each with the user by whose rights it was made: by strace.
fn acting(ground: &Ground, arguments: &[&str]) -> Option<String> {
    let mut strace = process::command("strace");
    strace.args([
        "-f",
        "-qq",
        "-o",
        "trace",
        "-e",
        "trace=linkat,unlinkat,renameat2,openat,setresuid,setgroups,setresgid",
    ]);
    let command = ground.command(Kernel::Current, arguments);
    strace
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    strace
        .current_dir(ground.at(""))
        .env("HOME", ground.at("home"));
    if !has_strace() {
        crate::tell::skipped("the rights of single calls: it needs strace");
        return None;
    }
    let output = process::output(&mut strace);
    assert!(output.status.success(), "{}", said(&output));
    Some(fs::read_to_string(ground.at("trace")).unwrap())
}

#[test]
fn mail_of_another_user_is_sealed_as_that_user() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    ground.maildir_of_other("user/box", "cur/1.host:2,S", MESSAGE);
    ground.done(&SEAL);
    assert_eq!(names(&ground.at("user/box/cur")), ["1.host.encl:2,S"]);
    assert_eq!(ground.owner("user/box/cur/1.host.encl:2,S"), OTHER);
    let unseal = ["mail", "seal", "user/box", "--for", "bob@example.org", "-q"];
    ground.done(&unseal);
}

#[test]
fn only_the_thread_that_changes_names_takes_the_rights() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    ground.maildir_of_other("user/box", "cur/1.host:2,S", MESSAGE);
    let Some(trace) = acting(&ground, &SEAL) else {
        return;
    };
    let process = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let taken = format!("setresuid(-1, {OTHER}, -1)");
    let acting: Vec<String> = trace
        .lines()
        .filter(|line| line.contains(&taken))
        .map(process)
        .collect();
    assert!(!acting.is_empty(), "{trace}");
    let mut changes = 0;
    for line in trace.lines() {
        let is_change = ["linkat(", "unlinkat(", "renameat2(", "O_TMPFILE"]
            .iter()
            .any(|call| line.contains(call));
        // Temporary files of ours in /tmp are made by ourselves.
        if is_change && !line.contains("\"/tmp") && !line.contains("O_EXCL") {
            assert!(acting.contains(&process(line)), "{line}\n{trace}");
            changes += 1;
        }
    }
    assert!(changes >= 3, "{changes}: {trace}");
    // What takes the rights does nothing else with them.
    assert!(
        acting
            .iter()
            .all(|thread| *thread != process(trace.lines().next().unwrap()))
    );
}

#[test]
fn what_belongs_to_two_users_is_left_alone() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    let table: [(&str, Change, bool); 6] = [
        ("all of one user", |_| {}, true),
        (
            "a message of root's",
            |ground| give(ground, "user/box/cur/1.host:2,S", 0),
            false,
        ),
        (
            "a message of a third's",
            |ground| give(ground, "user/box/cur/1.host:2,S", THIRD),
            false,
        ),
        (
            "cur of a third's",
            |ground| give(ground, "user/box/cur", THIRD),
            false,
        ),
        (
            "cur of root's",
            |ground| give(ground, "user/box/cur", 0),
            false,
        ),
        (
            "a Maildir of root's",
            |ground| {
                for folder in ["user/box", "user/box/cur", "user/box/new"] {
                    give(ground, folder, 0);
                }
            },
            true,
        ),
    ];
    for (what, change, is_sealed) in table {
        let _ = fs::remove_dir_all(ground.at("user/box"));
        ground.maildir_of_other("user/box", "cur/1.host:2,S", MESSAGE);
        change(&ground);
        let before = ground.state("user/box/cur");
        let told = ground.answers(&SEAL, i32::from(!is_sealed));
        let is_unchanged = ground.state("user/box/cur") == before;
        assert_eq!(is_unchanged, !is_sealed, "{what}: {told}");
        if is_sealed {
            assert_eq!(
                ground.owner("user/box/cur/1.host.encl:2,S"),
                OTHER,
                "{what}"
            );
        }
    }
}

fn give(ground: &Ground, name: &str, owner: u32) {
    chown(ground.at(name), Some(owner), Some(owner)).unwrap();
}

#[test]
fn envelopes_of_other_users_follow_the_same_table() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    // The folder's owner and mode, the file's owner; the exit code.
    let table = [
        (OTHER, 0o755, OTHER, 0),
        (OTHER, 0o777, OTHER, 0),
        (OTHER, 0o755, 0, 1),
        (OTHER, 0o755, THIRD, 1),
        (0, 0o755, OTHER, 0),
        (0, 0o1777, OTHER, 0),
        (0, 0o1777, 0, 0),
    ];
    let changes: [&[&str]; 4] = [
        &["grant", "user/plans/plan.encl", "--to", "bob.card"],
        &["revoke", "user/plans/plan.encl", "--from", "Bob", "--yes"],
        &[
            "rewrap",
            "user/plans/plan.encl",
            "--to",
            "home@example.org",
            "--yes",
        ],
        &["rewrap", "-r", "user", "--to", "home@example.org", "--yes"],
    ];
    for (folder, mode, owner, exit) in table {
        for change in changes {
            let _ = fs::remove_dir_all(ground.at("user/plans"));
            fs::create_dir(ground.at("user/plans")).unwrap();
            let from = if change[0] == "grant" {
                "mine.encl"
            } else {
                "both.encl"
            };
            fs::copy(ground.at(from), ground.at("user/plans/plan.encl")).unwrap();
            let file = Permissions::from_mode(0o644);
            fs::set_permissions(ground.at("user/plans/plan.encl"), file).unwrap();
            give(&ground, "user/plans/plan.encl", owner);
            give(&ground, "user/plans", folder);
            fs::set_permissions(ground.at("user/plans"), Permissions::from_mode(mode)).unwrap();
            let before = ground.state("user/plans");
            let told = ground.answers(change, exit);
            let now = ground.state("user/plans");
            assert_eq!(
                now == before,
                exit != 0,
                "{folder} {mode:o} {owner} {change:?}: {told}"
            );
            assert_eq!(ground.owner("user/plans/plan.encl"), owner, "{change:?}");
            let mode = fs::metadata(ground.at("user/plans/plan.encl"))
                .unwrap()
                .mode();
            assert_eq!(mode & 0o7777, 0o644, "{change:?}");
        }
    }
}

#[test]
fn root_keeps_no_originals_of_others_and_delivers_as_the_owner() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    ground.maildir_of_other("user/box", "cur/1.host:2,S", MESSAGE);
    let before = ground.state("user/box/cur");
    let keep = [&SEAL[..], &["--keep-original", "originals"]].concat();
    let told = ground.answers(&keep, 1);
    assert!(told.contains("originals of another user"), "{told}");
    assert_eq!(ground.state("user/box/cur"), before);
    fs::write(ground.at("message"), MESSAGE).unwrap();
    let deliver = [
        "mail",
        "deliver",
        "--for",
        "bob@example.org",
        "--maildir",
        "user/box",
    ];
    let mut command = ground.command(Kernel::Current, &deliver);
    let message = fs::File::open(ground.at("message")).unwrap();
    let delivered = process::output(command.stdin(message));
    assert!(delivered.status.success(), "{}", said(&delivered));
    let new = names(&ground.at("user/box/new"));
    assert_eq!(new.len(), 1);
    assert_eq!(ground.owner(&format!("user/box/new/{}", new[0])), OTHER);
    give(&ground, "user/box/new", THIRD);
    let mut command = ground.command(Kernel::Current, &deliver);
    let message = fs::File::open(ground.at("message")).unwrap();
    let refused = process::output(command.stdin(message));
    assert_eq!(refused.status.code(), Some(75), "{}", said(&refused));
    assert_eq!(names(&ground.at("user/box/new")).len(), 1);
}

#[test]
fn a_spool_is_worked_in_as_whose_the_mail_is() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    let mbox = [b"From a@example.org Mon Jan  5 10:00:00 2026\n", MESSAGE].concat();
    for (folder, mode, owner) in [(0, 0o1777, OTHER), (0, 0o755, OTHER), (OTHER, 0o755, OTHER)] {
        for (name, bytes) in [("box", &mbox[..]), ("a.eml", MESSAGE)] {
            let _ = fs::remove_dir_all(ground.at("user/spool"));
            fs::create_dir(ground.at("user/spool")).unwrap();
            let path = format!("user/spool/{name}");
            ground.file_of_other(&path, bytes);
            give(&ground, &path, owner);
            give(&ground, "user/spool", folder);
            fs::set_permissions(ground.at("user/spool"), Permissions::from_mode(mode)).unwrap();
            ground.done(&["mail", "seal", &path, "--for", "bob@example.org", "-q"]);
            assert_eq!(names(&ground.at("user/spool")), [name], "{mode:o}");
            assert_eq!(ground.owner(&path), owner);
            assert_ne!(fs::read(ground.at(&path)).unwrap(), bytes);
        }
    }
}

#[test]
fn suffixes_of_another_users_choice_are_not_kept() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    for (name, sealed) in [
        ("1.host:2,S.service", "1.host.encl:2,S"),
        ("1.host:.sh", "1.host.encl"),
        ("1.host:2,;x", "1.host.encl:2,"),
    ] {
        let _ = fs::remove_dir_all(ground.at("user/box"));
        ground.maildir_of_other("user/box", &format!("cur/{name}"), MESSAGE);
        let mode = Permissions::from_mode(0o4755);
        fs::set_permissions(ground.at("user/box/cur").join(name), mode).unwrap();
        ground.done(&SEAL);
        assert_eq!(names(&ground.at("user/box/cur")), [sealed]);
        let made = fs::metadata(ground.at("user/box/cur").join(Path::new(sealed))).unwrap();
        assert_eq!(made.mode() & 0o7000, 0, "{name}");
    }
}
