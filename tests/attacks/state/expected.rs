//! How commands end on a machine that remembers a keystore, after what kind of change: the table in the trust model.

/// Exit codes after a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// `wrap` for Alice, by her address, her name and her fingerprint.
    pub(super) wrap: i32,
    /// `mail send` to Alice.
    pub(super) send: i32,
    /// The same with `--require-verified`.
    pub(super) verified: i32,
    /// `verify --signed-by` Alice: 0 if hers is accepted.
    pub(super) signed: i32,
    /// `mail deliver --for` Alice.
    pub(super) deliver: i32,
    /// `mail deliver --for` a group that Alice is in.
    pub(super) list: i32,
    /// `wrap` for that group.
    pub(super) group: i32,
    /// `group add`.
    pub(super) grow: i32,
    /// `restore` of Bob's own backup.
    pub(super) restore: i32,
    /// `wrap --require-verified` for Alice after that.
    pub(super) again: i32,
}

pub(super) const WORKS: Expected = Expected {
    wrap: 0,
    send: 0,
    verified: 0,
    signed: 0,
    deliver: 0,
    list: 0,
    group: 0,
    grow: 0,
    restore: 0,
    again: 0,
};

/// Nothing reaches Alice and nothing is from her; a backup brings her back.
pub(super) const ALICE_IS_STOPPED: Expected = Expected {
    wrap: 7,
    send: 67,
    verified: 7,
    signed: 7,
    deliver: 75,
    list: 75,
    group: 7,
    ..WORKS
};

/// What a file said once is noted, and only a decision ends it.
pub(super) const CHANGE_NOTED: Expected = Expected {
    again: 7,
    ..ALICE_IS_STOPPED
};

/// Nothing is signed, or encrypted for Bob; what is for others only works.
pub(super) const BOB_IS_STOPPED: Expected = Expected {
    wrap: 7,
    send: 78,
    verified: 7,
    group: 7,
    again: 7,
    ..WORKS
};

/// Nor does anything open.
pub(super) const BOB_IS_GONE: Expected = Expected {
    signed: 3,
    restore: 3,
    ..BOB_IS_STOPPED
};

pub(super) const GROUP_IS_STOPPED: Expected = Expected {
    list: 75,
    group: 7,
    grow: 7,
    ..WORKS
};

/// Who only reads needs no lock.
pub(super) const LOCK_LEADS_ELSEWHERE: Expected = Expected { grow: 1, ..WORKS };

/// Nothing in the folder is used.
pub(super) const REFUSED: Expected = Expected {
    wrap: 1,
    send: 75,
    verified: 1,
    signed: 1,
    deliver: 75,
    list: 75,
    group: 1,
    grow: 1,
    restore: 1,
    again: 1,
};

/// What needs no private key works.
pub(super) const SECRET_REFUSED: Expected = Expected {
    deliver: 0,
    list: 0,
    grow: 0,
    ..REFUSED
};

pub(super) const SECRET_SWAPPED: Expected = Expected {
    wrap: 1,
    send: 75,
    verified: 1,
    signed: 1,
    group: 1,
    restore: 1,
    again: 1,
    ..WORKS
};

/// Whose identity it is cannot be told.
pub(super) const ALL_IS_STOPPED: Expected = Expected {
    grow: 7,
    restore: 7,
    again: 7,
    ..ALICE_IS_STOPPED
};

pub(super) const ANOTHER: Expected = Expected {
    wrap: 7,
    send: 78,
    verified: 7,
    signed: 7,
    deliver: 75,
    list: 67,
    group: 7,
    grow: 7,
    restore: 3,
    again: 7,
};
