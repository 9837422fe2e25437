//! T13: a disk that is full or read-only, a database that is deleted: refused, nothing opened, and answered again without repair.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use encl::gate::protocol::EntryOp;
use encl::gate::rules::Statement;

use crate::office::{Office, ask};
use crate::server::{Server, path};
use crate::tell;

/// A file system of its own, which only root can make.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(place: &'a Path, size: &str) -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        let options = format!("size={size},mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "none", path(place)]);
        let mounted = is_root && mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(place))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").args(["-l", path(self.0)]).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Mounted::new(folder.path(), "3m") else {
        tell::skipped("a full disk: only root can make a small one");
        return;
    };
    let mut server = Server::in_folder(&folder.path().join("gate"));
    server.start(&[]);
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    // What the database has room for inside of its files may still be written, and its log gives back room when it is closed: so
    // the disk is filled again after each refusal.
    let mut filler = fs::File::create(folder.path().join("filler")).unwrap();
    let (mut answered, mut refused) = (0_u32, 0);
    while refused < 5 {
        let _ = filler.write_all(&vec![1; 8 << 20]);
        match ask(&server, office.opening(0)) {
            "open" => (answered, refused) = (answered + 1, 0),
            "full" => refused += 1,
            word => panic!("{word}"),
        }
        assert!(answered < 5_000, "the disk is never full");
    }
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "full");
    assert_eq!(server.client().get("/health").unwrap().status, 503);
    filler.set_len(0).unwrap();
    assert_eq!(ask(&server, office.opening(0)), "open");
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    assert_eq!(ask(&server, office.opening(0)), "revoked");
    assert_eq!(server.client().get("/health").unwrap().status, 200);
    let entries = server.entries();
    let opened = entries.iter().filter(|entry| entry.op == EntryOp::Open);
    assert_eq!(opened.count(), usize::try_from(answered).unwrap() + 2);
    let numbers = entries.iter().filter_map(|entry| entry.n);
    assert!(numbers.eq(1..=u64::from(answered) + 4), "no gap");
    server.stop();
}

#[test]
fn a_database_that_is_gone_and_comes_back() {
    let mut server = Server::new();
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    let (database, aside) = (server.dir.join("gate.db"), server.dir.join("aside"));
    fs::rename(&database, &aside).unwrap();
    assert_eq!(ask(&server, office.opening(0)), "full");
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "full");
    fs::rename(&aside, &database).unwrap();
    assert_eq!(ask(&server, office.opening(0)), "open");
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    assert_eq!(ask(&server, office.opening(0)), "revoked");
    server.stop();
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "revoked");
    // Deleted for good: nothing is begun anew.
    fs::remove_file(&database).unwrap();
    assert_eq!(ask(&server, office.opening(0)), "full");
    assert!(!database.exists());
    server.stop();
    assert!(!server.try_start(&[], &[]));
}

/// An older database in the place of the one that runs.
#[test]
fn an_older_database_in_its_place_is_frozen() {
    let server = Server::new();
    let office = Office::new(&server);
    assert_eq!(ask(&server, office.opening(0)), "open");
    let copy = server.dir.join("copy");
    server.command("backup", &[path(&copy)]);
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(server.dir.join(format!("gate.db{end}")));
    }
    fs::rename(&copy, server.dir.join("gate.db")).unwrap();
    let said = [(); 3].map(|()| ask(&server, office.opening(0)));
    assert!(
        said.iter().all(|said| ["full", "frozen"].contains(said)),
        "{said:?}"
    );
    assert_eq!(said[2], "frozen");
}

#[test]
fn a_read_only_folder() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Mounted::new(folder.path(), "8m") else {
        tell::skipped("a read-only folder: only root can mount");
        return;
    };
    let mut server = Server::in_folder(&folder.path().join("gate"));
    let office = Office::new(&server);
    let remount = |how: &str| {
        let options = format!("remount,{how}");
        let mut mount = Command::new("mount");
        let done = mount
            .args(["-o", &options, path(folder.path())])
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    remount("ro");
    assert!(!server.try_start(&[], &[]));
    remount("rw");
    server.start(&[]);
    assert_eq!(ask(&server, office.opening(0)), "open");
    server.stop();
}
