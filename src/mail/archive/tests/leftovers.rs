//! What a killed run leaves at each of its steps, and how the next one finishes it.

use super::*;
use crate::atomic_file::Folder;

const LETTER: &[u8] = b"To: bob\n\nhello\n";

/// A Maildir with both forms of one message, as a run leaves it that was killed before it removed the old one.
fn both(plain: &str, sealed_name: &str) -> Scene {
    let scene = Scene::maildir(&[(plain, LETTER), (sealed_name, &sealed(LETTER))]);
    scene.date(&format!("mail/{plain}"), 1_111_111_111);
    scene.date(&format!("mail/{sealed_name}"), 1_111_111_111);
    scene
}

#[test]
fn two_forms_become_one() {
    let table = [
        ("cur/1:2,S", "cur/1.encl:2,S", "1.encl:2,S", "1:2,S"),
        ("cur/1,S=5:2,S", "cur/1.encl:2,S", "1.encl:2,S", "1:2,S"),
        ("cur/1:2,RT", "cur/1.encl:2,S", "1.encl:2,RS", "1:2,RS"),
        ("new/1", "cur/1.encl:2,", "1.encl:2,", "1:2,"),
        ("cur/1:2,F", "new/1.encl", "1.encl:2,F", "1:2,F"),
    ];
    for (plain, sealed_name, finished, _) in table {
        let scene = both(plain, sealed_name);
        let ran = scene.run(&seal(), "mail");
        assert_eq!(ran.counts(), [1, 0, 0, 0], "{plain}: {ran:?}");
        assert_eq!(scene.names("mail"), [format!("mail/cur/{finished}")]);
        assert_eq!(scene.read(&format!("mail/cur/{finished}")), sealed(LETTER));
    }
    for (plain, sealed_name, _, finished) in table.into_iter().filter(|row| !row.0.contains("S=")) {
        let scene = both(plain, sealed_name);
        let ran = scene.run(&unseal(), "mail");
        assert_eq!(ran.counts(), [1, 0, 0, 0], "{plain}: {ran:?}");
        assert_eq!(scene.names("mail"), [format!("mail/cur/{finished}")]);
        assert_eq!(scene.read(&format!("mail/cur/{finished}")), LETTER);
    }
}

#[test]
fn what_only_looks_like_the_sealed_form_is_not_replaced() {
    let others: [(&[u8], u64); 3] = [
        (b"something else", 1_111_111_111),
        (&sealed(b"another message"), 1_111_111_111),
        // Delivered at another time: another message.
        (&sealed(LETTER), 1_222_222_222),
    ];
    for (other, time) in others {
        let scene = both("cur/1:2,S", "cur/1.encl:2,S");
        scene.write("mail/cur/1.encl:2,S", other);
        scene.date("mail/cur/1.encl:2,S", time);
        let before = scene.tree("mail");
        let ran = scene.run(&seal(), "mail");
        let outcome = &ran.outcomes["mail/cur/1:2,S"];
        assert!(
            matches!(outcome, MessageOutcome::Failed(MessageError::Occupied(_))),
            "{ran:?}"
        );
        for name in ["mail/cur/1:2,S", "mail/cur/1.encl:2,S"] {
            let kept = before[name] == scene.tree("mail").get(name).cloned().unwrap_or_default();
            assert!(kept || other == b"something else", "{name}");
        }
    }
}

#[test]
fn hidden_files_are_removed() {
    let scene = Scene::maildir(&[
        ("cur/1:2,S", LETTER),
        ("new/.encl-0123456789abcdef.tmp", b"half"),
    ]);
    scene.write("mail/cur/.encl-fedcba9876543210.tmp", &sealed(LETTER));
    scene.run(&seal(), "mail");
    assert_eq!(scene.names("mail"), ["mail/cur/1.encl:2,S"]);
}

#[test]
fn an_original_that_was_kept_already_is_not_kept_twice() {
    let transform = seal();
    for linked in [true, false] {
        let scene = Scene::maildir(&[("cur/1:2,S", LETTER)]);
        scene.write("folder/x.eml", LETTER);
        scene.write("box", b"From a\nTo: bob\n\nhello\n");
        let kept = |from: &str, to: &str| {
            fs::create_dir_all(scene.at(to).parent().unwrap()).unwrap();
            match linked {
                true => fs::hard_link(scene.at(from), scene.at(to)).unwrap(),
                false => drop(fs::copy(scene.at(from), scene.at(to)).unwrap()),
            }
        };
        kept("mail/cur/1:2,S", "originals/cur/1:2,S");
        kept("folder/x.eml", "originals/x.eml");
        kept("box", "originals/box");
        let originals = scene.at("originals");
        let run = Run {
            originals: Some(&originals),
            ..real(&transform)
        };
        for archive in ["mail", "folder", "box"] {
            let ran = scene.run_as(&run, archive).unwrap();
            assert_eq!(ran.counts(), [1, 0, 0, 0], "{archive}: {ran:?}");
        }
        assert_eq!(scene.names("originals").len(), 3);
        assert_eq!(scene.read("originals/x.eml"), LETTER);
        assert_eq!(scene.read("folder/x.eml"), sealed(LETTER));
    }
}

#[test]
fn a_lock_of_a_killed_run_is_taken_over() {
    let scene = Scene::new();
    scene.write("box", b"From a\nhello\n");
    scene.write("box.lock", b"encl mail\n");
    assert_eq!(scene.run(&seal(), "box").counts(), [1, 0, 0, 0]);
    assert_eq!(scene.names(""), ["box"]);
}

#[test]
fn a_lock_of_somebody_else_is_not() {
    let scene = Scene::new();
    scene.write("box", b"From a\nhello\n");
    let refused = |scene: &Scene| scene.run_as(&real(&seal()), "box").unwrap_err();
    for foreign in [&b""[..], b"1234", b"encl mail\nmore"] {
        scene.write("box.lock", foreign);
        assert!(matches!(refused(&scene), ArchiveError::Locked(_)));
        assert_eq!(scene.read("box.lock"), foreign);
    }
    fs::remove_file(scene.at("box.lock")).unwrap();
    let ours = {
        let (folder, name) = Folder::of_typed(&scene.at("box")).unwrap();
        lock::DotLock::take(&folder, &name).unwrap()
    };
    assert_eq!(scene.read("box.lock"), b"encl mail\n");
    assert!(matches!(refused(&scene), ArchiveError::Locked(_)));
    drop(ours);
    assert_eq!(scene.names(""), ["box"]);
}
