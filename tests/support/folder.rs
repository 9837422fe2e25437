//! A folder that is prepared once and copied for every test that uses it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The contents of a folder, with modes and times. They are in memory, so that no files are left over.
pub(crate) struct Prepared {
    /// Entries by path below the folder; a folder comes before its contents.
    entries: Vec<(PathBuf, Entry)>,
}

enum Entry {
    Folder(Permissions),
    File(Contents),
    Link(PathBuf),
}

struct Contents {
    bytes: Vec<u8>,
    permissions: Permissions,
    modified: SystemTime,
}

impl Prepared {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut entries = Vec::new();
        gather(folder, Path::new(""), &mut entries);
        Self { entries }
    }

    /// Fills an empty folder.
    pub(crate) fn lay_out(&self, folder: &Path) {
        let whole = fs::canonicalize(folder).unwrap();
        for (path, entry) in &self.entries {
            let path = whole.join(path);
            match entry {
                Entry::Folder(permissions) => {
                    let mode = permissions.mode() & 0o7777;
                    DirBuilder::new().mode(mode).create(&path).unwrap();
                    fs::set_permissions(&path, permissions.clone()).unwrap();
                }
                Entry::File(contents) => contents.write(&path),
                Entry::Link(target) => symlink(target, &path).unwrap(),
            }
        }
    }
}

impl Contents {
    fn of(path: &Path) -> Self {
        let mut file = File::open(path).unwrap();
        let metadata = file.metadata().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        Self {
            bytes,
            permissions: metadata.permissions(),
            modified: metadata.modified().unwrap(),
        }
    }

    fn write(&self, path: &Path) {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(path).unwrap();
        file.write_all(&self.bytes).unwrap();
        file.set_permissions(self.permissions.clone()).unwrap();
        file.set_modified(self.modified).unwrap();
    }
}

fn gather(root: &Path, below: &Path, entries: &mut Vec<(PathBuf, Entry)>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            let permissions = entry.metadata().unwrap().permissions();
            entries.push((path.clone(), Entry::Folder(permissions)));
            gather(root, &path, entries);
        } else if kind.is_symlink() {
            entries.push((path, Entry::Link(fs::read_link(entry.path()).unwrap())));
        } else {
            entries.push((path, Entry::File(Contents::of(&entry.path()))));
        }
    }
}
