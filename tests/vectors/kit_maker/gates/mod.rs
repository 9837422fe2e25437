//! Gate locks (FORMAT.md, "Gate locks"), opened by people who help: no case asks a server.

mod accesses;
mod approvals;
mod cards;
mod forge;
mod locks;
mod members;
mod opened;
mod unlocking;

use super::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let cases = [
        opened::cases(),
        members::cases(),
        locks::cases(),
        accesses::cases(),
        unlocking::cases(),
        approvals::cases(),
        cards::cases(),
    ];
    cases.into_iter().flatten().collect()
}
