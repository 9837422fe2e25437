//! Names of messages in a Maildir: a base that says which message it is, and `:2,` with its flags.
//!
//! The sealed form of base `b` is `b.encl`. The fields `,S=` and `,W=` go, for they state the size of the other form, and
//! Dovecot drops the connection when they are wrong. A message that came sealed, without `.encl`, becomes `b.plain`.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use memchr::memchr;

use super::Direction;
use crate::atomic_file::Name;

const SEALED: &[u8] = b".encl";
const PLAIN: &[u8] = b".plain";
/// What stands before the flags.
const FLAGS: &[u8] = b":2,";
/// What stands before flags that a mail program tries out.
const EXPERIMENTAL: &[u8] = b":1,";
/// The flag of a message that is to be deleted.
const TRASHED: u8 = b'T';

/// A name taken apart. The two parts, one after the other, are the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageName<'a> {
    pub(super) base: &'a [u8],
    /// From the colon on, or nothing.
    pub(super) info: &'a [u8],
}

impl<'a> MessageName<'a> {
    pub(super) fn of(name: &'a OsStr) -> Self {
        let name = name.as_bytes();
        let (base, info) = name.split_at(memchr(b':', name).unwrap_or(name.len()));
        Self { base, info }
    }

    /// Whether flags, or none of them, are written there.
    pub(super) fn has_flags(self) -> bool {
        [FLAGS, EXPERIMENTAL]
            .iter()
            .any(|kind| self.info.starts_with(kind))
    }

    /// What follows the base of the other form: the flags, which are letters, and nothing else. Whoever may write in the folder
    /// chooses what stands there.
    pub(super) fn flags(self) -> Vec<u8> {
        let kinds = [FLAGS, EXPERIMENTAL];
        let kind = kinds.into_iter().find(|kind| self.info.starts_with(kind));
        let Some(kind) = kind else {
            return Vec::new();
        };
        let letters = self.info[kind.len()..]
            .iter()
            .take_while(|flag| flag.is_ascii_alphabetic());
        kind.iter().chain(letters).copied().collect()
    }

    /// The base of the other form.
    pub(super) fn other_base(self, direction: Direction) -> Vec<u8> {
        match (direction, self.base.strip_suffix(SEALED)) {
            (Direction::Unseal, Some(base)) => base.to_vec(),
            (Direction::Unseal, None) => [&without_sizes(self.base), PLAIN].concat(),
            (Direction::Seal, _) => [&without_sizes(self.base), SEALED].concat(),
        }
    }

    /// A key that is equal for all forms of one message.
    pub(super) fn key(self) -> Cow<'a, [u8]> {
        let base = self.base.strip_suffix(SEALED).unwrap_or(self.base);
        without_sizes(base.strip_suffix(PLAIN).unwrap_or(base))
    }
}

/// Puts a name together.
pub(super) fn joined(base: &[u8], info: &[u8]) -> Name {
    let name = OsString::from_vec([base, info].concat());
    Name::new(name).expect("a base is part of a name that begins with no dot")
}

/// The flags of a message that stood there under two names. Only what is to be deleted under both is to be deleted.
pub(super) fn merged(one: &[u8], two: &[u8]) -> Vec<u8> {
    let (Some(ones), Some(twos)) = (one.strip_prefix(FLAGS), two.strip_prefix(FLAGS)) else {
        return [one, two].into_iter().max().unwrap_or_default().to_vec();
    };
    let mut flags: Vec<u8> = [ones, twos].concat();
    flags.retain(|flag| *flag != TRASHED || (ones.contains(&TRASHED) && twos.contains(&TRASHED)));
    flags.sort_unstable();
    flags.dedup();
    [FLAGS, &flags].concat()
}

fn without_sizes(base: &[u8]) -> Cow<'_, [u8]> {
    let states_size = |field: &[u8]| field.starts_with(b"S=") || field.starts_with(b"W=");
    let mut fields = base.split(|byte| *byte == b',');
    if !fields.clone().skip(1).any(states_size) {
        return Cow::Borrowed(base);
    }
    let mut left = fields.next().unwrap_or_default().to_vec();
    for field in fields.filter(|field| !states_size(field)) {
        left.push(b',');
        left.extend_from_slice(field);
    }
    Cow::Owned(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(name: &str, direction: Direction) -> String {
        let base = MessageName::of(OsStr::new(name)).other_base(direction);
        String::from_utf8(base).unwrap()
    }

    #[test]
    fn sizes_go_and_everything_else_comes_back() {
        let table = [
            ("1.M2P3.host", "1.M2P3.host.encl", "1.M2P3.host"),
            ("1.host,S=12,W=13:2,RS", "1.host.encl", "1.host"),
            (
                "1.host,U=7,S=12,FMD5=ab",
                "1.host,U=7,FMD5=ab.encl",
                "1.host,U=7,FMD5=ab",
            ),
            ("1.host,:2,ab", "1.host,.encl", "1.host,"),
            ("S=1:2,", "S=1.encl", "S=1"),
        ];
        for (plain, sealed, back) in table {
            assert_eq!(other(plain, Direction::Seal), sealed);
            assert_eq!(other(sealed, Direction::Unseal), back);
            let key = |name| MessageName::of(OsStr::new(name)).key();
            assert_eq!(key(plain), key(sealed), "{plain}");
        }
    }

    #[test]
    fn what_came_sealed_gets_a_name_of_its_own() {
        assert_eq!(other("1.host,S=9:2,S", Direction::Unseal), "1.host.plain");
        let key = |name| MessageName::of(OsStr::new(name)).key();
        assert_eq!(key("1.host,S=9:2,S"), key("1.host.plain"));
        assert_eq!(key("1.host.plain.encl"), key("1.host.plain"));
    }

    #[test]
    fn behind_the_colon_only_flags_stay() {
        let table = [
            ("1", ""),
            ("1:2,", ":2,"),
            ("1:2,RSa", ":2,RSa"),
            ("1:2,S.service", ":2,S"),
            ("1:2,.conf", ":2,"),
            ("1:1,x", ":1,x"),
            ("1:1,x.service", ":1,x"),
            ("1:3,S", ""),
            ("1:.sh", ""),
        ];
        for (name, flags) in table {
            let found = MessageName::of(OsStr::new(name)).flags();
            assert_eq!(found, flags.as_bytes(), "{name}");
        }
    }

    #[test]
    fn of_two_sets_of_flags_nothing_is_lost_and_nothing_deleted() {
        let table = [
            (":2,", ":2,S", ":2,S"),
            (":2,RSa", ":2,Fb", ":2,FRSab"),
            (":2,ST", ":2,S", ":2,S"),
            (":2,T", ":2,ST", ":2,ST"),
            ("", ":2,S", ":2,S"),
            ("", "", ""),
        ];
        for (one, two, both) in table {
            assert_eq!(merged(one.as_bytes(), two.as_bytes()), both.as_bytes());
        }
    }
}
