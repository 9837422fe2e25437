use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

type Create = fn(&Path, FileMode, Existing) -> Result<AtomicFile>;
type Result<T = ()> = std::result::Result<T, AtomicFileError>;

/// The two ways in which a file can be begun.
fn ways() -> [Create; 2] {
    let hidden = |target: &Path, mode, existing| {
        let place = Place::new(target)?;
        place.check(existing)?;
        AtomicFile::create_hidden(place, mode, existing)
    };
    [AtomicFile::create, hidden]
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn nothing_has_the_name_before_commit_and_everything_after() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new file\n");
        let mut file = create(&target, FileMode::OwnerOnly, Existing::Keep).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!target.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(names(folder.path()), ["new file\n"]);
    }
}

#[test]
fn what_is_dropped_leaves_nothing() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let mut file =
            create(&folder.path().join("x"), FileMode::Umask, Existing::Replace).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn an_existing_file_is_kept_or_replaced_as_asked() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        fs::write(&target, b"old").unwrap();
        let refused = create(&target, FileMode::Umask, Existing::Keep).unwrap_err();
        assert!(matches!(refused, AtomicFileError::Exists(_)));
        let mut file = create(&target, FileMode::Umask, Existing::Replace).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["x"]);
    }
}

#[test]
fn a_file_that_appears_in_the_last_moment_is_kept() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        let file = create(&target, FileMode::Umask, Existing::Keep).unwrap();
        fs::write(&target, b"first").unwrap();
        assert!(matches!(
            file.commit().unwrap_err(),
            AtomicFileError::Exists(_)
        ));
        assert_eq!(fs::read(&target).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["x"]);
    }
}

#[test]
fn links_folders_and_names_that_are_none_are_refused() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        let link = folder.path().join("link");
        fs::write(&victim, b"precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let refusal = |path: &Path, existing| create(path, FileMode::Umask, existing).unwrap_err();
        assert!(matches!(
            refusal(&link, Existing::Keep),
            AtomicFileError::Exists(_)
        ));
        assert!(matches!(
            refusal(&link, Existing::Replace),
            AtomicFileError::Link(_)
        ));
        assert!(matches!(
            refusal(folder.path(), Existing::Replace),
            AtomicFileError::NotAFile(_)
        ));
        assert!(matches!(
            refusal(&folder.path().join("a/"), Existing::Keep),
            AtomicFileError::NoName(_)
        ));
        assert!(matches!(
            refusal(Path::new(".."), Existing::Keep),
            AtomicFileError::NoName(_)
        ));
        let nowhere = refusal(&folder.path().join("no/x"), Existing::Keep);
        assert!(matches!(nowhere, AtomicFileError::System { .. }));
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }
}

#[test]
fn hidden_names_cannot_be_foreseen() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(&folder.path().join("x")).unwrap();
    let begin = || {
        AtomicFile::create_hidden(
            Place::new(&place.path).unwrap(),
            FileMode::OwnerOnly,
            Existing::Keep,
        )
        .unwrap()
    };
    let _two = (begin(), begin());
    let names = names(folder.path());
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn what_is_overwritten_never_has_a_second_name() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        fs::write(&target, b"old").unwrap();
        let mut file = create(&target, FileMode::Umask, Existing::Overwrite).unwrap();
        file.write_all(b"new").unwrap();
        let mut read_back = [0; 3];
        std::os::unix::fs::FileExt::read_exact_at(file.file(), &mut read_back, 0).unwrap();
        assert_eq!(&read_back, b"new");
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["x"]);
    }
}

#[test]
fn leftovers_go_and_what_is_being_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let [_, hidden] = ways();
    let alive = hidden(&folder.path().join("x"), FileMode::Umask, Existing::Keep).unwrap();
    for name in [".encl-0123456789abcdef.tmp", ".encl-short.tmp", "other"] {
        fs::write(folder.path().join(name), b"left").unwrap();
    }
    assert_eq!(
        discard_leftovers(&Folder::open_typed(folder.path()).unwrap(), LeftBy::Anybody).unwrap(),
        1
    );
    assert_eq!(names(folder.path()).len(), 3);
    alive.commit().unwrap();
    assert_eq!(names(folder.path()), [".encl-short.tmp", "other", "x"]);
}

#[test]
fn without_a_lock_only_the_file_that_was_read_is_replaced() {
    for create in ways() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        for (meanwhile, is_replaced) in [(None, true), (Some(b"other"), false)] {
            fs::write(&target, b"old").unwrap();
            let read = fs::File::open(&target).unwrap();
            let old = FileId::from(&read.metadata().unwrap());
            let mut file = create(&target, FileMode::Umask, Existing::Overwrite).unwrap();
            file.write_all(b"new").unwrap();
            if let Some(other) = meanwhile {
                fs::write(folder.path().join("other"), other).unwrap();
                fs::rename(folder.path().join("other"), &target).unwrap();
            }
            let committed = file.commit_exchanging(|came_out| FileId::of(came_out) == old);
            assert_eq!(committed.unwrap(), is_replaced);
            let expected = if is_replaced { &b"new"[..] } else { b"other" };
            assert_eq!(fs::read(&target).unwrap(), expected);
            assert_eq!(names(folder.path()), ["x"]);
        }
    }
}

#[test]
fn names_are_one_component() {
    for name in ["", ".", "..", "a/b", "/", "a/", "\0"] {
        assert!(Name::new(name).is_none(), "{name:?}");
    }
    for name in ["a", "...", ".a", "a b", "\n"] {
        assert!(Name::new(name).is_some(), "{name:?}");
    }
}

#[test]
fn nothing_leads_out_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("in/deep")).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink("../out", folder.path().join("in/link")).unwrap();
    let inside = Folder::open_typed(&folder.path().join("in")).unwrap();
    for path in ["link", "link/x", "..", "deep/..", "../out", "/", "x"] {
        assert!(inside.descend(Path::new(path)).is_err(), "{path}");
        let made = inside.make_below(Path::new(path));
        assert_eq!(made.is_ok(), path == "x", "{path}");
    }
    let deep = inside.descend(Path::new("deep")).unwrap();
    let above = Folder::open_typed(folder.path()).unwrap();
    assert!(deep.is_inside(&inside).unwrap() && deep.is_inside(&above).unwrap());
    assert!(inside.is_inside(&inside).unwrap() && !inside.is_inside(&deep).unwrap());
    assert!(names(&folder.path().join("out")).is_empty());
}

#[test]
fn links_that_lead_in_a_circle_end() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [("a", "b"), ("b", "a"), ("self", "self/x")] {
        std::os::unix::fs::symlink(to, folder.path().join(from)).unwrap();
    }
    for name in ["a", "self", "a/b"] {
        let opened = Folder::open_typed(&folder.path().join(name));
        assert!(
            matches!(opened, Err(AtomicFileError::System { .. })),
            "{name}"
        );
    }
}
