//! Folders of .eml, and single ones.

use super::*;

const LETTER: &[u8] = b"To: bob\n\nhello\n";

#[test]
fn each_message_keeps_its_name_mode_and_time() {
    let scene = Scene::new();
    scene.write("folder/a.eml", LETTER);
    scene.write("folder/b/c.EML", b"From a\n\nlooks like an mbox");
    scene.write("folder/b/Maildir/cur/1:2,S", LETTER);
    scene.write("folder/b/Maildir/new/2", LETTER);
    for other in ["folder/.hidden.eml", "folder/.git/d.eml", "folder/e.txt"] {
        scene.write(other, b"no mail");
    }
    let before = scene.tree("folder");
    let ran = scene.run(&seal(), "folder");
    // The hidden folder is named.
    assert_eq!((ran.counts(), ran.messages), ([4, 0, 1, 0], 4));
    let sealed_tree = scene.tree("folder");
    let (bytes, mode, time) = &sealed_tree["folder/a.eml"];
    assert_eq!(
        (bytes, *mode, time),
        (&sealed(LETTER), 0o640, &before["folder/a.eml"].2)
    );
    assert_eq!(
        sealed_tree["folder/.git/d.eml"],
        before["folder/.git/d.eml"]
    );
    assert_eq!(scene.run(&seal(), "folder").counts(), [0, 4, 1, 0]);
    assert_eq!(scene.tree("folder"), sealed_tree);
    assert_eq!(scene.run(&unseal(), "folder").counts(), [4, 0, 1, 0]);
    assert_eq!(
        for_the_owner_only(scene.tree("folder")),
        for_the_owner_only(before)
    );
}

#[test]
fn a_single_message_is_an_archive() {
    let scene = Scene::new();
    scene.write("x.eml", b"From a\n\nb\n");
    assert_eq!(
        Archive::find(&scene.at("x.eml")).unwrap().kind(),
        Kind::Message
    );
    assert_eq!(scene.run(&seal(), "x.eml").counts(), [1, 0, 0, 0]);
    assert_eq!(scene.read("x.eml"), sealed(b"From a\n\nb\n"));
}

#[test]
fn links_are_not_broken_in_silence() {
    let scene = Scene::new();
    scene.write("folder/a.eml", LETTER);
    fs::hard_link(scene.at("folder/a.eml"), scene.at("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", scene.at("folder/b.eml")).unwrap();
    let ran = scene.run(&seal(), "folder");
    assert_eq!(ran.counts(), [0, 0, 2, 0]);
    assert!(matches!(
        ran.outcomes["folder/a.eml"],
        MessageOutcome::Skipped(Skip::HardLink)
    ));
    assert!(matches!(
        ran.outcomes["folder/b.eml"],
        MessageOutcome::Skipped(Skip::Link)
    ));
    assert_eq!(scene.read("elsewhere"), LETTER);
}

#[test]
fn whatever_fails_leaves_the_message() {
    let faults = [Fault::Wants, Fault::Write, Fault::Verify, Fault::Garbles];
    for fault in faults {
        let scene = Scene::new();
        scene.write("folder/a.eml", b"fault");
        scene.write("folder/b.eml", LETTER);
        let before = scene.tree("folder");
        assert_eq!(
            scene
                .run(&plainly(Direction::Seal, fault), "folder")
                .counts(),
            [1, 0, 0, 1]
        );
        assert_eq!(scene.tree("folder")["folder/a.eml"], before["folder/a.eml"]);
        assert_eq!(scene.names("folder").len(), 2);
    }
}

#[test]
fn what_is_replaced_while_we_work_is_not_lost() {
    let scene = Scene::new();
    scene.write("folder/a.eml", LETTER);
    scene.write("new version", b"another");
    let (from, to) = (scene.at("new version"), scene.at("folder/a.eml"));
    let transform = seal();
    let meanwhile = move || fs::rename(from, to).unwrap();
    *transform.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
    let ran = scene.run(&transform, "folder");
    assert!(matches!(
        ran.outcomes["folder/a.eml"],
        MessageOutcome::Failed(MessageError::Changed)
    ));
    assert_eq!(scene.read("folder/a.eml"), b"another");
}

#[test]
fn what_is_no_mail_is_an_error() {
    let scene = Scene::new();
    scene.write("x", b"To: bob\n");
    let refused = Archive::find(&scene.at("x")).unwrap_err();
    assert!(matches!(refused, ArchiveError::NotMail(_)));
    let absent = Archive::find(&scene.at("y")).unwrap_err();
    assert!(matches!(absent, ArchiveError::System { .. }));
}
