//! Mboxes: what stays, what comes back, and who else writes to them.

use super::*;

fn mbox(bytes: &[u8]) -> Scene {
    let scene = Scene::new();
    scene.write("box", bytes);
    scene
}

#[test]
fn from_lines_stay_and_everything_comes_back() {
    let table: [(&[u8], u64, u64); 11] = [
        (b"", 0, 0),
        (b"From a\n", 0, 1),
        (b"From a\nx\n\nFrom b\ny\n\n", 2, 0),
        (b"From a\r\nx\r\n\r\nFrom b\r\ny\r\n", 2, 0),
        (b"From a\nno end", 1, 0),
        (b"From a\nx\n\n\n\nFrom b\n", 1, 1),
        (b"From a\n\nFrom b\n\n\n", 2, 0),
        (b"From a\nx\nFrom b\n\n>From c\n", 1, 0),
        (b"From a\rTo: b\r\rhello\rFrom c\r", 1, 0),
        (
            b"\xEF\xBB\xBFFrom a\nContent-Length: 9\n\nx\n\nFrom Russia with love\n",
            1,
            1,
        ),
        (b"From a\nx\n\nFrom b", 1, 0),
    ];
    for (bytes, done, empty) in table {
        let scene = mbox(bytes);
        let before = scene.tree("");
        let ran = scene.run(&seal(), "box");
        assert_eq!(
            ran.counts(),
            [done, empty, 0, 0],
            "{}",
            bytes.escape_ascii()
        );
        assert_eq!(ran.messages, done + empty);
        let sealed_tree = scene.tree("");
        assert_eq!(sealed_tree["box"].1, 0o640);
        assert_eq!(scene.run(&seal(), "box").counts(), [0, done + empty, 0, 0]);
        assert_eq!(scene.tree(""), sealed_tree);
        assert_eq!(scene.run(&unseal(), "box").counts()[0], done);
        assert_eq!(scene.tree(""), before, "{}", bytes.escape_ascii());
    }
}

#[test]
fn between_from_lines_stands_the_sealed_form_and_an_empty_line() {
    let scene = mbox(b"From a\r\nx\r\n\r\nFrom b\r\ny");
    scene.run(&seal(), "box");
    // The second message has no line end of its own.
    let [one, two] = [&b"x\r\n\r\n"[..], b"y"].map(sealed);
    let expected = [b"From a\r\n", &one[..], b"\r\nFrom b\r\n", &two, b"\r\n"].concat();
    assert_eq!(
        scene.read("box").escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

#[test]
fn what_was_last_and_is_not_any_more_is_still_a_message() {
    let scene = mbox(b"From a\nno end");
    scene.run(&seal(), "box");
    let with_more = [&scene.read("box")[..], b"From b\nmore\n"].concat();
    scene.write("box", &with_more);
    assert_eq!(scene.run(&seal(), "box").counts(), [1, 1, 0, 0]);
    scene.run(&unseal(), "box");
    assert_eq!(scene.read("box"), b"From a\nno end\n\nFrom b\nmore\n");
}

#[test]
fn a_plain_form_that_would_be_two_messages_stays_sealed() {
    let scene = mbox(
        &[
            b"From a\n",
            &sealed(b"x\n\nFrom b\ny")[..],
            b"\nFrom c\nplain\n",
        ]
        .concat(),
    );
    let before = scene.tree("");
    let ran = scene.run(&unseal(), "box");
    assert!(matches!(
        ran.outcomes["box#1"],
        MessageOutcome::Failed(MessageError::FromLine)
    ));
    assert_eq!(ran.counts(), [0, 1, 0, 1]);
    assert_eq!(
        scene.tree("").get("box").map(|file| &file.0),
        before.get("box").map(|file| &file.0)
    );
}

#[test]
fn whatever_fails_leaves_the_message_between_the_others() {
    let bytes = b"From a\none\n\nFrom b\nfault\n\nFrom c\nthree\n";
    for fault in [Fault::Wants, Fault::Write, Fault::Verify, Fault::Garbles] {
        let scene = mbox(bytes);
        let ran = scene.run(&plainly(Direction::Seal, fault), "box");
        assert_eq!(ran.counts(), [2, 0, 0, 1], "{fault:?}");
        assert!(matches!(
            ran.outcomes["box#2"],
            MessageOutcome::Failed(MessageError::Transform(_))
        ));
        let [one, three] = [&b"one\n\n"[..], b"three\n"].map(sealed);
        let expected = [
            b"From a\n",
            &one[..],
            b"\nFrom b\nfault\n\nFrom c\n",
            &three,
            b"\n",
        ]
        .concat();
        assert_eq!(scene.read("box"), expected);
        scene.run(&unseal(), "box");
        assert_eq!(scene.read("box"), bytes);
        assert_eq!(scene.names(""), ["box"]);
    }
}

#[test]
fn a_panic_leaves_the_mbox_and_no_lock() {
    for fault in [Fault::PanicsWriting, Fault::PanicsVerifying] {
        let scene = mbox(b"From a\none\n\nFrom b\nfault\n");
        let before = scene.tree("");
        let transform = plainly(Direction::Seal, fault);
        let run = std::panic::AssertUnwindSafe(|| scene.run(&transform, "box"));
        std::panic::catch_unwind(run).unwrap_err();
        assert_eq!(scene.tree(""), before);
    }
}

#[test]
fn who_writes_in_spite_of_the_lock_loses_nothing() {
    let scene = mbox(b"From a\none\n");
    let path = scene.at("box");
    let transform = seal();
    let append = move || {
        let mut file = fs::File::options().append(true).open(path).unwrap();
        file.write_all(b"\nFrom b\ntwo\n").unwrap();
    };
    *transform.meanwhile.lock().unwrap() = Some(Box::new(append));
    let refused = scene.run_as(&real(&transform), "box").unwrap_err();
    assert!(matches!(refused, ArchiveError::Changed(_)));
    assert_eq!(scene.read("box"), b"From a\none\n\nFrom b\ntwo\n");
    assert_eq!(scene.names(""), ["box"]);
}

#[test]
fn a_link_is_not_replaced() {
    let scene = mbox(b"From a\none\n");
    std::os::unix::fs::symlink("box", scene.at("soft")).unwrap();
    fs::hard_link(scene.at("box"), scene.at("hard")).unwrap();
    for name in ["soft", "hard", "box"] {
        let refused = scene.run_as(&real(&seal()), name).unwrap_err();
        assert!(matches!(refused, ArchiveError::Link(_)), "{name}");
    }
    assert_eq!(scene.read("box"), b"From a\none\n");
}

#[test]
fn a_rehearsal_needs_no_lock_and_changes_nothing() {
    let scene = mbox(b"From a\none\n\nFrom b\nskip\n");
    scene.write("box.lock", b"somebody's");
    let before = scene.tree("");
    let transform = seal();
    let run = Run {
        mode: Mode::DryRun,
        ..real(&transform)
    };
    assert_eq!(scene.run_as(&run, "box").unwrap().counts(), [1, 0, 1, 0]);
    assert_eq!(scene.tree(""), before);
}

#[test]
fn the_original_is_kept_as_a_whole() {
    let scene = mbox(b"From a\none\n");
    let before = scene.tree("");
    let (transform, originals) = (seal(), scene.at("originals"));
    let run = Run {
        originals: Some(&originals),
        ..real(&transform)
    };
    scene.run_as(&run, "box").unwrap();
    assert_eq!(scene.tree("originals")["originals/box"], before["box"]);
    assert_ne!(scene.read("box"), before["box"].0);
    let grown = [&scene.read("box")[..], b"From b\ntwo\n"].concat();
    scene.write("box", &grown);
    for _ in 0..2 {
        scene.run_as(&run, "box").unwrap();
        assert_eq!(scene.read("originals/box.2"), grown);
        assert_eq!(scene.names("originals").len(), 2);
    }
    let here = scene.at("");
    let run = Run {
        originals: Some(&here),
        ..real(&transform)
    };
    let refused = scene.run_as(&run, "box").unwrap_err();
    assert!(matches!(refused, ArchiveError::OriginalsInside(_)));
}
