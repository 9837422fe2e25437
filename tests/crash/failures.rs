//! A failing disk: every call that touches it fails once with EIO or ENOSPC. The program must report the error and leave
//! nothing behind.

use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scenario::{Rehearsal, Scenario};
use super::scene::said;
use super::strace::{self, Call};
use super::{complaints, judge};

/// Calls whose failure must be an error. Others may fail, such as making an existing folder or trying a lock.
const MUST_WORK: [&str; 11] = [
    "write",
    "pwrite64",
    "writev",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "link",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
];

#[test]
fn a_failing_disk_is_an_error_that_names_the_file() {
    strace::require();
    let scenarios = Scenario::all();
    let strict = scenarios.iter().filter(|scenario| !scenario.forgives());
    let rehearsals: Vec<_> = strict.map(Scenario::calls).collect();
    let mut points = Vec::new();
    for rehearsal in &rehearsals {
        for call in rehearsal.calls.iter().filter(|call| must_work(call)) {
            points.extend(["EIO", "ENOSPC"].map(|error| (rehearsal, call, error)));
        }
    }
    let complaints = complaints(&points, |(rehearsal, call, error)| {
        let (scene, output) = rehearsal.run(call.thread, call.failing(error));
        let scenario = rehearsal.scenario;
        judged(rehearsal, &output)
            .and_then(|()| scenario.check_untouched(&scene))
            .and_then(|()| scenario.check(&scene))
            .map_err(|complaint| {
                format!(
                    "{complaint} ({error} from {} {}: {})",
                    call.name, call.nth, call.text
                )
            })
    });
    judge(
        &format!("{} failing calls", points.len()),
        "not reported or not clean",
        &complaints,
    );
    assert!(points.len() > 50, "only {} calls can fail", points.len());
}

#[test]
fn a_time_that_cannot_be_saved_stops_nothing() {
    strace::require();
    let mut scenarios = Scenario::all();
    scenarios.retain(Scenario::forgives);
    let rehearsal = scenarios[0].calls();
    let points: Vec<_> = (rehearsal.calls.iter())
        .filter(|call| must_work(call))
        .collect();
    let done = AtomicUsize::new(0);
    let complaints = complaints(&points, |call| {
        let (scene, output) = rehearsal.run(call.thread, call.failing("ENOSPC"));
        if output.status.success() {
            done.fetch_add(1, Ordering::Relaxed);
            rehearsal.scenario.check_untouched(&scene).unwrap_err();
        } else {
            judged(&rehearsal, &output)?;
        }
        rehearsal.scenario.check(&scene)
    });
    let done = done.into_inner();
    judge(
        &format!("{done} of {} failing calls forgiven", points.len()),
        "not clean",
        &complaints,
    );
    // The file of the time is created, written, synchronised and named; so is the output.
    assert!(done >= 4 && points.len() >= done + 4, "{done}");
}

pub(crate) fn must_work(call: &Call) -> bool {
    !call.is_message() && (MUST_WORK.contains(&&*call.name) || call.opens_for_writing())
}

/// Checks for exit code 1 and a message that names the target, a file of the keystore or its state, or standard output.
fn judged(rehearsal: &Rehearsal, output: &Output) -> Result<(), String> {
    let scenario = rehearsal.scenario;
    let said = said(output);
    let names = ["out", scenario.keystore, ".local/state", "standard output"];
    let named = names.iter().any(|name| said.contains(name));
    match output.status.code() {
        Some(1) if named => Ok(()),
        Some(1) => Err(format!("{}: names no file: {said}", scenario.name)),
        code => Err(format!("{}: exit {code:?}: {said}", scenario.name)),
    }
}
