//! Links on the way that were typed: followed by their owner's right only. Links below what was typed are never followed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;

use super::ground::{Ground, Kernel, OTHER, has_strace, names, said};
use crate::support::process;

/// A link with an owner.
fn link(ground: &Ground, to: &str, from: &str, owner: u32) {
    symlink(ground.at(to), ground.at(from)).unwrap();
    lchown(ground.at(from), Some(owner), Some(owner)).unwrap();
}

#[test]
fn a_link_of_another_user_leads_only_where_that_user_may_go() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    ground.folder_of_other("user");
    ground.folder_of_other("user/own");
    fs::create_dir(ground.at("outside/below")).unwrap();
    fs::copy(ground.at("mine.encl"), ground.at("outside/below/plan.encl")).unwrap();
    fs::create_dir(ground.at("sticky")).unwrap();
    fs::create_dir(ground.at("open")).unwrap();
    for (folder, mode) in [("sticky", 0o1777), ("open", 0o777)] {
        fs::set_permissions(ground.at(folder), Permissions::from_mode(mode)).unwrap();
    }
    let table = [
        // Where it stands and leads, whose it is, and whether it is followed.
        ("user", "outside/below", OTHER, false),
        ("user", "user/own", OTHER, true),
        ("user", "user/own", 0, true),
        ("user", "user/own", 12_345, false),
        // A link of mine that the other user can have moved there.
        ("user", "outside/below", 0, false),
        ("open", "outside/below", 0, false),
        ("sticky", "outside/below", 0, true),
        ("sticky", "outside/below", OTHER, false),
        ("sticky", "user/own", OTHER, true),
        ("outside", "outside/below", 0, true),
    ];
    for (at, to, owner, follows) in table {
        for kernel in [Kernel::Current, Kernel::Old] {
            if kernel == Kernel::Old && !has_strace() {
                continue;
            }
            let first = format!("{at}/link");
            link(&ground, to, &first, owner);
            // Another link on the way, whose own target is that link.
            link(&ground, &first, "outside/second", 0);
            for folder in [
                &first,
                "outside/second",
                &format!("./{at}/link/"),
                &format!("outside/../{at}/link"),
            ] {
                let wrap = ["wrap", "letter", "--to", "bob.card", "-q", "-C", folder];
                let output = process::output(&mut ground.command(kernel, &wrap));
                let exit = if follows { 0 } else { 8 };
                let case = format!("{folder} to {to} of {owner}, {kernel:?}: {}", said(&output));
                assert_eq!(output.status.code(), Some(exit), "{case}");
                let made = ground.at(to).join("letter.encl");
                assert_eq!(made.exists(), follows, "{case}");
                let _ = fs::remove_file(made);
            }
            for name in [&first, "outside/second"] {
                fs::remove_file(ground.at(name)).unwrap();
            }
        }
    }
}

#[test]
fn changes_in_place_do_not_follow_either() {
    let Some(ground) = Ground::as_root() else {
        return;
    };
    fs::create_dir(ground.at("outside/below")).unwrap();
    fs::copy(ground.at("both.encl"), ground.at("outside/below/plan.encl")).unwrap();
    for folder in ["box", "box/cur", "box/new", "box/tmp"] {
        fs::create_dir(ground.at("outside").join(folder)).unwrap();
    }
    fs::write(
        ground.at("outside/box/cur/1.host:2,S"),
        b"To: bob@example.org\n\nhello\n",
    )
    .unwrap();
    let before = (
        ground.state("outside/below"),
        ground.state("outside/box/cur"),
    );
    link(&ground, "outside", "user/link", OTHER);
    let plan = "user/link/below/plan.encl";
    ground.answers(&["grant", plan, "--to", "bob.card"], 8);
    ground.answers(&["drop", plan, "--from", "Bob", "--yes"], 8);
    ground.answers(&["revoke", plan, "--from", "Bob", "--yes"], 8);
    ground.answers(&["rewrap", plan, "--to", "home@example.org", "--yes"], 8);
    ground.answers(
        &[
            "rewrap",
            "-r",
            "user/link/below",
            "--to",
            "home@example.org",
            "--yes",
        ],
        8,
    );
    ground.answers(
        &["mail", "seal", "user/link/box", "--for", "bob@example.org"],
        8,
    );
    let delivered = "mail deliver --for bob@example.org --maildir user/link/box < letter";
    let mut shell = process::command("sh");
    let script = format!("\"$0\" {delivered}");
    shell
        .args(["-c", &script])
        .arg(env!("CARGO_BIN_EXE_encl"))
        .current_dir(ground.at(""));
    let delivered = process::output(shell.env("HOME", ground.at("home")));
    assert!(!delivered.status.success(), "{}", said(&delivered));
    assert_eq!(
        (
            ground.state("outside/below"),
            ground.state("outside/box/cur")
        ),
        before
    );
    assert!(names(&ground.at("outside/box/new")).is_empty());
}

#[test]
fn links_below_a_folder_that_is_searched_are_skipped() {
    let ground = Ground::new();
    for folder in ["tree", "tree/real"] {
        fs::create_dir(ground.at(folder)).unwrap();
    }
    fs::copy(ground.at("both.encl"), ground.at("tree/real/plan.encl")).unwrap();
    fs::copy(ground.at("both.encl"), ground.at("outside/plan.encl")).unwrap();
    symlink(ground.at("outside"), ground.at("tree/led")).unwrap();
    symlink(ground.at("outside/plan.encl"), ground.at("tree/plan.encl")).unwrap();
    let before = ground.state("outside");
    let told = ground.answers(
        &["rewrap", "-r", "tree", "--to", "home@example.org", "--yes"],
        0,
    );
    assert_eq!(ground.state("outside"), before, "{told}");
    // They are named, and that is all.
    for link in ["tree/led", "tree/plan.encl"] {
        let about: Vec<&str> = told.lines().filter(|line| line.contains(link)).collect();
        assert!(
            matches!(about[..], [line] if line.ends_with("which was not followed")),
            "{told}"
        );
    }
}

#[test]
fn links_in_mailboxes_are_skipped() {
    let ground = Ground::new();
    fs::create_dir(ground.at("outside/cur")).unwrap();
    fs::write(
        ground.at("outside/cur/2.host"),
        b"To: bob@example.org\n\nhello\n",
    )
    .unwrap();
    for folder in ["box", "box/new", "box/tmp"] {
        fs::create_dir(ground.at(folder)).unwrap();
    }
    symlink(ground.at("outside/cur"), ground.at("box/cur")).unwrap();
    let before = ground.state("outside/cur");
    ground.run(&["mail", "seal", "box", "--for", "bob@example.org"]);
    assert_eq!(ground.state("outside/cur"), before);
    assert!(Path::new(&ground.at("box/cur")).is_symlink());
}
