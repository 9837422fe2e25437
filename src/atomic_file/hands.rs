//! With whose rights names are made and removed: root does it with those of the person whose files they are.
//!
//! Only the calls that change names in a folder run so, each on a thread of its own, which ends with it. Its real user stays
//! root: whose rights it takes can neither signal nor trace it.

use std::sync::OnceLock;
use std::thread::Builder;

use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::folder::Folder;

/// Bits of a folder's mode by which others than its owner make and remove names. A list of further users counts as the group.
const OTHERS_WRITE: u32 = 0o022;

/// Why root leaves a file alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignFile {
    /// The file and its folder belong to two users: each could be led by the other.
    #[error("it belongs to another user than its folder")]
    OtherOwner,
    /// Root may not take the owner's rights here.
    #[error("this process cannot take on the rights of its owner: run it as that user (uid {0})")]
    NotPermitted(u32),
    /// The original would lie in a folder of root's, where its owner cannot reach it.
    #[error("root does not keep originals of another user's mail: run it as that user")]
    Original,
    /// The system does not say whose it is.
    #[error("its owner cannot be determined")]
    Unknown,
}

/// Whose rights are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hands {
    /// Those of this process.
    Mine,
    /// Those of this user and group, and no others.
    Of { user: u32, group: u32 },
}

impl Hands {
    /// The rights for a file in `folder` with this owner, or for a new one.
    pub(super) fn for_file(folder: &Folder, owner: Option<u32>) -> Result<Self, ForeignFile> {
        if !geteuid().is_root() {
            return Ok(Self::Mine);
        }
        let stat = rustix::fs::fstat(folder).map_err(|_| ForeignFile::Unknown)?;
        let others_write = stat.st_mode & OTHERS_WRITE != 0;
        let hands = Self::table(stat.st_uid, stat.st_gid, others_write, owner)?;
        match hands {
            Self::Of { user, .. } if !hands.can_be_taken() => Err(ForeignFile::NotPermitted(user)),
            hands => Ok(hands),
        }
    }

    fn table(
        user: u32,
        group: u32,
        others_write: bool,
        owner: Option<u32>,
    ) -> Result<Self, ForeignFile> {
        let of = |user| match user {
            0 => Self::Mine,
            user => Self::Of { user, group },
        };
        match (user, owner) {
            // Nobody else can change what a name in it stands for.
            (0, _) if !others_write => Ok(Self::Mine),
            // A spool: whose the file is can only do what that person could do anyway.
            (0, owner) => Ok(of(owner.unwrap_or(0))),
            (user, None) => Ok(of(user)),
            (user, Some(owner)) if user == owner => Ok(of(user)),
            _ => Err(ForeignFile::OtherOwner),
        }
    }

    /// Whether the system lets this process do so at all: in a container it may not.
    fn can_be_taken(self) -> bool {
        static CAN: OnceLock<bool> = OnceLock::new();
        *CAN.get_or_init(|| self.act(|| Ok(())).is_ok())
    }

    /// Does `work` with these rights.
    pub(super) fn act<T: Send>(
        self,
        work: impl FnOnce() -> Result<T, Errno> + Send,
    ) -> Result<T, Errno> {
        let Self::Of { user, group } = self else {
            return work();
        };
        std::thread::scope(|scope| {
            let acting = move || {
                take(user, group)?;
                work()
            };
            let thread = Builder::new().spawn_scoped(scope, acting);
            let ended = thread.map_err(|_| Errno::AGAIN)?.join();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Takes on the rights of a user, for this thread alone, until it ends.
fn take(user: u32, group: u32) -> Result<(), Errno> {
    set_thread_groups(&[])?;
    set_thread_res_gid(None, Gid::from_raw(group), None)?;
    set_thread_res_uid(None, Uid::from_raw(user), None)?;
    // A process can be set up so that capabilities outlive the change of user (SECBIT_NO_SETUID_FIXUP).
    match capabilities(None)?.effective == CapabilitySet::empty() {
        true => Ok(()),
        false => Err(Errno::PERM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_acts_as_whoever_could_do_it_anyway() {
        let of = |user| Ok(Hands::Of { user, group: 7 });
        let table = [
            // Folder's owner, whether others write, file's owner.
            (0, false, Some(0), Ok(Hands::Mine)),
            (0, false, Some(5), Ok(Hands::Mine)),
            (0, false, None, Ok(Hands::Mine)),
            (0, true, Some(5), of(5)),
            (0, true, Some(0), Ok(Hands::Mine)),
            (5, false, Some(5), of(5)),
            (5, true, Some(5), of(5)),
            (5, false, None, of(5)),
            (5, false, Some(0), Err(ForeignFile::OtherOwner)),
            (5, true, Some(6), Err(ForeignFile::OtherOwner)),
        ];
        for (user, others_write, owner, expected) in table {
            let hands = Hands::table(user, 7, others_write, owner);
            assert_eq!(hands, expected, "{user} {others_write} {owner:?}");
        }
    }
}
