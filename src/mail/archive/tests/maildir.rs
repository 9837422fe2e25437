//! Maildirs: names, flags, subfolders, and mail programs that are at work at the same time.

use super::super::maildir::{Entry, Group, Sub, Subs};
use super::*;
use crate::atomic_file::{Folder, Name};

const LETTER: &[u8] = b"To: bob\n\nhello\n";

#[test]
fn sealed_and_unsealed_it_is_the_same_maildir() {
    let scene = Scene::maildir(&[
        ("cur/1.host:2,RS", LETTER),
        ("cur/2.host,S=99,W=101:2,Sab", b"To: bob\r\n\r\nhello\r\n"),
        ("cur/3.host", b""),
        ("new/4.host", b"\0\xFF"),
        ("cur/.hidden", b"no mail"),
        ("tmp/5.host", b"not delivered"),
        ("dovecot-uidlist", b"3 V1"),
        (".Sub/cur/1.host:2,", b"in a subfolder"),
        (".Sub/new/.keep", b""),
        ("nested/new/7.host", b"in a plain subfolder"),
        ("nested/cur/.keep", b""),
        (".notmuch/cur/8.host", b"no Maildir"),
    ]);
    let before = scene.tree("mail");
    let ran = scene.run(&seal(), "mail");
    assert_eq!((ran.counts(), ran.messages), ([6, 0, 1, 0], 6));
    let sealed_names = [
        "mail/.Sub/cur/1.host.encl:2,",
        "mail/.Sub/new/.keep",
        "mail/.notmuch/cur/8.host",
        "mail/cur/.hidden",
        "mail/cur/1.host.encl:2,RS",
        "mail/cur/2.host.encl:2,Sab",
        "mail/cur/3.host.encl",
        "mail/dovecot-uidlist",
        "mail/nested/cur/.keep",
        "mail/nested/new/7.host.encl",
        "mail/new/4.host.encl",
        "mail/tmp/5.host",
    ];
    assert_eq!(scene.names("mail"), sealed_names);
    let sealed = scene.tree("mail");
    let (bytes, mode, time) = &sealed["mail/cur/1.host.encl:2,RS"];
    assert_eq!(bytes, &super::sealed(LETTER));
    assert_eq!(
        (mode, time),
        (
            &before["mail/cur/1.host:2,RS"].1,
            &before["mail/cur/1.host:2,RS"].2
        )
    );
    assert_eq!(scene.run(&seal(), "mail").counts(), [0, 6, 1, 0]);
    assert_eq!(scene.tree("mail"), sealed);
    assert_eq!(scene.run(&unseal(), "mail").counts(), [6, 0, 1, 0]);
    let mut expected = before;
    let sized = expected.remove("mail/cur/2.host,S=99,W=101:2,Sab").unwrap();
    expected.insert("mail/cur/2.host:2,Sab".into(), sized);
    assert_eq!(
        for_the_owner_only(scene.tree("mail")),
        for_the_owner_only(expected)
    );
    assert_eq!(scene.tree("mail")["mail/new/4.host"].1, 0o600);
    assert_eq!(scene.run(&unseal(), "mail").counts(), [0, 6, 1, 0]);
}

#[test]
fn what_came_sealed_stays_until_it_is_unsealed() {
    let scene = Scene::maildir(&[("new/1.host,S=3", &sealed(LETTER))]);
    assert_eq!(scene.run(&seal(), "mail").counts(), [0, 1, 0, 0]);
    assert_eq!(scene.run(&unseal(), "mail").counts(), [1, 0, 0, 0]);
    assert_eq!(scene.names("mail"), ["mail/new/1.host.plain"]);
    assert_eq!(scene.read("mail/new/1.host.plain"), LETTER);
    scene.run(&seal(), "mail");
    assert_eq!(scene.names("mail"), ["mail/new/1.host.plain.encl"]);
    scene.run(&unseal(), "mail");
    assert_eq!(scene.names("mail"), ["mail/new/1.host.plain"]);
}

#[test]
fn a_rehearsal_changes_nothing() {
    let scene = Scene::maildir(&[("cur/1:2,", LETTER), ("cur/2.encl:2,", &sealed(LETTER))]);
    scene.write("mail/cur/.encl-0123456789abcdef.tmp", b"left behind");
    let before = scene.tree("mail");
    let (transform, originals) = (seal(), scene.at("originals"));
    let run = Run {
        mode: Mode::DryRun,
        originals: Some(&originals),
        ..real(&transform)
    };
    assert_eq!(scene.run_as(&run, "mail").unwrap().counts(), [1, 1, 0, 0]);
    assert_eq!(scene.tree("mail"), before);
    assert!(!scene.at("originals").exists());
}

#[test]
fn what_is_no_message_is_left_alone_with_a_reason() {
    let scene = Scene::maildir(&[("cur/1:2,", LETTER), ("cur/4:2,", b"skip this")]);
    let cur = scene.at("mail/cur");
    std::os::unix::fs::symlink("1:2,", cur.join("2:2,")).unwrap();
    fs::create_dir(cur.join("3:2,")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, cur.join("5:2,"), fifo, 0o600.into(), 0).unwrap();
    fs::hard_link(cur.join("1:2,"), scene.at("mail/new/6")).unwrap();
    let ran = scene.run(&seal(), "mail");
    assert_eq!(ran.counts(), [2, 0, 4, 0], "{ran:?}");
    let is_skipped = |name: &str, reason| matches!(&ran.outcomes[&format!("mail/cur/{name}")], MessageOutcome::Skipped(told) if *told == reason);
    assert!(is_skipped("2:2,", Skip::Link));
    assert!(is_skipped("3:2,", Skip::NotAFile));
    assert!(is_skipped("4:2,", Skip::Unwanted("not for you".into())));
    assert!(is_skipped("5:2,", Skip::NotAFile));
    // Two names that Dovecot gave one file are two messages.
    assert_eq!(
        scene.read("mail/new/6.encl"),
        scene.read("mail/cur/1.encl:2,")
    );
}

/// Seals a message while `meanwhile` happens to it.
fn sealed_while(meanwhile: impl FnOnce(&Path) + Send + 'static) -> (Scene, Ran) {
    let scene = Scene::maildir(&[("new/1.host", LETTER)]);
    let maildir = scene.at("mail");
    let transform = seal();
    *transform.meanwhile.lock().unwrap() = Some(Box::new(move || meanwhile(&maildir)));
    let ran = scene.run(&transform, "mail");
    (scene, ran)
}

#[test]
fn a_mail_program_may_rename_while_we_work() {
    let (scene, ran) = sealed_while(|maildir| {
        fs::rename(maildir.join("new/1.host"), maildir.join("cur/1.host:2,RS")).unwrap();
    });
    assert_eq!(ran.counts(), [1, 0, 0, 0]);
    assert_eq!(scene.names("mail"), ["mail/cur/1.host.encl:2,RS"]);
}

#[test]
fn what_is_deleted_while_we_work_does_not_come_back() {
    let (scene, ran) = sealed_while(|maildir| fs::remove_file(maildir.join("new/1.host")).unwrap());
    assert_eq!(ran.counts(), [0, 0, 1, 0]);
    assert!(matches!(
        ran.outcomes["mail/new/1.host"],
        MessageOutcome::Skipped(Skip::Gone)
    ));
    assert!(scene.names("mail").is_empty());
}

#[test]
fn what_is_deleted_in_the_last_moment_is_reported() {
    let scene = Scene::maildir(&[("new/1.host", LETTER)]);
    let (transform, maildir) = (seal(), scene.at("mail"));
    let archive = Archive::find(&maildir).unwrap();
    let run = real(&transform);
    let subs = Subs::open(&Folder::open_typed(&maildir).unwrap()).unwrap();
    let group = Group {
        task: &run.task(&archive).unwrap(),
        subs: &subs,
        entries: Vec::new(),
    };
    let entry = |name: &str| Entry {
        sub: Sub::New,
        name: Name::new(name).unwrap(),
    };
    let Ok(source) = form::Source::open(subs.of(Sub::New), &Name::new("1.host").unwrap()) else {
        panic!("it is there");
    };
    fs::remove_file(maildir.join("new/1.host")).unwrap();
    scene.write("mail/new/1.host.encl", &sealed(LETTER));
    let removed = group.remove_old(&entry("1.host"), &source, &entry("1.host.encl"), false);
    let Ok(MessageOutcome::SourceGone(path)) = removed else {
        panic!("{removed:?}");
    };
    assert_eq!(fs::read(path).unwrap(), sealed(LETTER));
}

#[test]
fn what_is_written_to_while_we_work_is_not_lost() {
    let (scene, ran) = sealed_while(|maildir| {
        fs::write(maildir.join("new/1.host"), b"something else, and longer").unwrap();
    });
    assert_eq!(ran.counts(), [0, 0, 0, 1], "{ran:?}");
    assert!(matches!(
        ran.outcomes["mail/new/1.host"],
        MessageOutcome::Failed(_)
    ));
    assert_eq!(scene.names("mail"), ["mail/new/1.host"]);
}

#[test]
fn a_name_that_appears_while_we_work_is_not_overwritten() {
    let (scene, ran) = sealed_while(|maildir| {
        fs::write(maildir.join("new/1.host.encl"), b"somebody else's").unwrap();
    });
    assert_eq!(ran.counts(), [0, 0, 0, 1]);
    assert_eq!(scene.read("mail/new/1.host"), LETTER);
    assert_eq!(scene.read("mail/new/1.host.encl"), b"somebody else's");
}

#[test]
fn two_messages_never_share_one_sealed_form() {
    let scene = Scene::maildir(&[("cur/1,S=5:2,", b"one"), ("cur/1,S=6:2,", b"two")]);
    let before = scene.tree("mail");
    assert_eq!(scene.run(&seal(), "mail").counts(), [0, 0, 0, 2]);
    assert_eq!(scene.tree("mail"), before);
}

#[test]
fn whatever_fails_leaves_the_message_and_does_not_stop_the_others() {
    for direction in [Direction::Seal, Direction::Unseal] {
        for fault in [Fault::Wants, Fault::Write, Fault::Verify, Fault::Garbles] {
            let scene = Scene::maildir(&[("cur/1:2,", b"fault"), ("new/2", LETTER)]);
            if direction == Direction::Unseal {
                scene.run(&seal(), "mail");
            }
            let before = scene.tree("mail");
            let ran = scene.run(&plainly(direction, fault), "mail");
            assert_eq!(ran.counts(), [1, 0, 0, 1], "{fault:?}");
            let failed = |tree: Tree| tree.into_iter().find(|(name, _)| name.contains("cur/"));
            assert_eq!(failed(scene.tree("mail")), failed(before));
            assert_eq!(scene.names("mail").len(), 2);
        }
    }
}

#[test]
fn a_panic_is_passed_on_and_leaves_the_message() {
    for fault in [Fault::PanicsWriting, Fault::PanicsVerifying] {
        let scene = Scene::maildir(&[("cur/1:2,", b"fault"), ("new/2", LETTER)]);
        let transform = plainly(Direction::Seal, fault);
        let run = std::panic::AssertUnwindSafe(|| scene.run(&transform, "mail"));
        std::panic::catch_unwind(run).unwrap_err();
        assert_eq!(scene.read("mail/cur/1:2,"), b"fault");
        assert_eq!(scene.run(&seal(), "mail").tally.failed, 0);
        assert_eq!(
            scene.names("mail"),
            ["mail/cur/1.encl:2,", "mail/new/2.encl"]
        );
    }
}

#[test]
fn two_runs_in_one_folder_do_not_meet() {
    let scene = Scene::maildir(&[("cur/1:2,", LETTER)]);
    let _other = lock::lock_folder(&Folder::open_typed(&scene.at("mail")).unwrap())
        .unwrap()
        .unwrap();
    let ran = scene.run(&seal(), "mail");
    assert!(matches!(
        ran.outcomes["mail"],
        MessageOutcome::Failed(MessageError::Busy)
    ));
    assert_eq!(scene.names("mail"), ["mail/cur/1:2,"]);
}

#[test]
fn originals_go_where_they_are_kept() {
    let scene = Scene::maildir(&[
        ("cur/1:2,S", LETTER),
        (".Sub/new/2", b"two"),
        (".Sub/cur/.keep", b""),
        ("new/3", b"three"),
    ]);
    scene.write("originals/new/3", b"another");
    let transform = seal();
    let originals = scene.at("originals");
    let run = Run {
        originals: Some(&originals),
        ..real(&transform)
    };
    let before = scene.tree("mail");
    let ran = scene.run_as(&run, "mail").unwrap();
    assert_eq!(ran.counts(), [2, 0, 0, 1]);
    assert!(matches!(
        &ran.outcomes["mail/new/3"],
        MessageOutcome::Failed(MessageError::OriginalDiffers(_))
    ));
    let kept = scene.tree("originals");
    assert_eq!(kept["originals/cur/1:2,S"], before["mail/cur/1:2,S"]);
    assert_eq!(kept["originals/.Sub/new/2"], before["mail/.Sub/new/2"]);
    assert_eq!(kept["originals/new/3"].0, b"another");
    assert_eq!(scene.read("mail/new/3"), b"three");
    let mode = fs::metadata(scene.at("originals/.Sub")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o700);
    for inside in ["mail", "mail/kept"] {
        let inside = scene.at(inside);
        let run = Run {
            originals: Some(&inside),
            ..real(&transform)
        };
        let refused = scene.run_as(&run, "mail").unwrap_err();
        assert!(matches!(refused, ArchiveError::OriginalsInside(_)));
    }
}

#[test]
fn caches_of_all_maildirs_are_removed() {
    let scene = Scene::maildir(&[
        ("dovecot.index.cache", b"Subject: secret"),
        (".Sub/dovecot.index.cache", b"Subject: secret"),
        (".Sub/cur/1:2,", LETTER),
        (".Sub/new/2", LETTER),
        ("other/dovecot.index.cache", b"no Maildir"),
    ]);
    let purged = Archive::find(&scene.at("mail"))
        .unwrap()
        .purge_caches()
        .unwrap();
    assert_eq!(purged.len(), 2);
    assert!(purged.iter().all(|purged| purged.removed.is_ok()));
    let left: Vec<_> = scene
        .names("mail")
        .into_iter()
        .filter(|name| name.ends_with("cache"))
        .collect();
    assert_eq!(left, ["mail/other/dovecot.index.cache"]);
}
