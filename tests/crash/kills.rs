//! Kills at system calls: the target is complete or unchanged, and everything else still works.

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scenario::{Rehearsal, Scenario};
use super::strace::{self, Call};
use super::{complaints, judge};
use crate::support::sweep;

/// How many calls of a scenario the short form tries, besides those that touch a disk.
const SPREAD: usize = 48;
pub(crate) const SIGKILL: i32 = 9;

#[test]
fn a_kill_at_any_call_leaves_nothing_partial() {
    strace::require();
    let rehearsals: Vec<_> = Scenario::all().iter().map(Scenario::calls).collect();
    let points: Vec<_> = rehearsals
        .iter()
        .flat_map(|rehearsal| {
            chosen(rehearsal)
                .into_iter()
                .map(move |call| (rehearsal, call))
        })
        .collect();
    let killed = AtomicUsize::new(0);
    let complaints = complaints(&points, |(rehearsal, call)| {
        let (scene, output) = rehearsal.run(call.thread, call.killing());
        if output.status.signal() == Some(SIGKILL) {
            killed.fetch_add(1, Ordering::Relaxed);
        }
        let check = rehearsal.scenario.check(&scene);
        check.map_err(|complaint| {
            format!(
                "{complaint} (killed at {} {}: {})",
                call.name, call.nth, call.text
            )
        })
    });
    let killed = killed.into_inner();
    judge(&format!("{killed} crash points"), "partial", &complaints);
    // Memory and threads vary the number of calls, so a few kill points may be missed.
    assert!(
        killed > rehearsals.len() * 20 && killed * 10 > points.len() * 9,
        "{killed} of {} reached",
        points.len()
    );
}

/// All calls; in the short form, all that touch a disk and an even spread of the others.
fn chosen(rehearsal: &Rehearsal) -> Vec<&Call> {
    let calls = &rehearsal.calls;
    if sweep::is_full() {
        return calls.iter().collect();
    }
    let step = calls.len().div_ceil(SPREAD).max(1);
    let spread =
        |(place, call): (usize, _)| (place % step == 0 || Call::touches(call)).then_some(call);
    calls.iter().enumerate().filter_map(spread).collect()
}

/// All items; in the short form, about `count` of them, evenly spread.
pub(crate) fn spread<T>(all: Vec<T>, count: usize) -> impl Iterator<Item = T> {
    let step = match sweep::is_full() {
        true => 1,
        false => all.len().div_ceil(count).max(1),
    };
    all.into_iter().step_by(step)
}
