//! `mail seal` and `mail unseal`, killed at a system call or on a failing disk: every message stays readable, and running the
//! command again completes the change.

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::failures::must_work;
use super::kills::{SIGKILL, spread};
use super::mailbox::{KEPT_LATER, Mailbox};
use super::strace::{self, Call, Thread};
use super::{complaints, judge};
use crate::support::sweep;

/// How many calls of a command the short form kills at.
const KILLS: usize = 28;
/// How many calls of a command the short form lets fail.
const FAILURES: usize = 8;

#[test]
fn a_mailbox_survives_kills_and_failing_disks() {
    strace::require();
    let mailboxes = Mailbox::all();
    kill(&mailboxes);
    fail(&mailboxes);
}

fn kill(mailboxes: &[Mailbox]) {
    let points = points(mailboxes, KILLS, Call::touches);
    let killed = AtomicUsize::new(0);
    let complaints = complaints(&points, |(mailbox, call)| {
        let (scene, output, _) = mailbox.run(call.thread, call.killing());
        if output.status.signal() == Some(SIGKILL) {
            killed.fetch_add(1, Ordering::Relaxed);
        }
        let check = mailbox.check(&scene).and_then(|()| mailbox.finish(&scene));
        let kept_twice = || Err(format!("{}: the original is kept twice", mailbox.name));
        let kept = || {
            scene
                .at(KEPT_LATER)
                .exists()
                .then(kept_twice)
                .unwrap_or(Ok(()))
        };
        check
            .and_then(|()| kept())
            .map_err(|complaint| at(&complaint, "killed", call))
    });
    let killed = killed.into_inner();
    judge(
        &format!("{killed} kill points of mail seal and unseal"),
        "bad",
        &complaints,
    );
    // Memory and threads vary the number of calls, so a few kill points may be missed.
    assert!(
        killed > mailboxes.len() * 12 && killed * 10 > points.len() * 9,
        "{killed} of {} reached",
        points.len()
    );
}

fn fail(mailboxes: &[Mailbox]) {
    let mut calls = points(mailboxes, FAILURES, must_work);
    calls.retain(|(_, call)| must_work(call));
    let errors = ["EIO", "ENOSPC"];
    let points: Vec<_> = match sweep::is_full() {
        true => calls
            .iter()
            .flat_map(|call| errors.map(|error| (call, error)))
            .collect(),
        false => calls.iter().zip(errors.into_iter().cycle()).collect(),
    };
    let complaints = complaints(&points, |((mailbox, call), error)| {
        let (scene, output, failed) = mailbox.run(call.thread, call.failing(error));
        let checked = match output.status.code() {
            Some(0) if call.name.starts_with("link") => mailbox.check_done(&scene), // copied instead
            Some(1) => mailbox.check(&scene),
            // The nth call of a worker was another one.
            Some(0) if !failed.iter().any(must_work) => mailbox.check_done(&scene),
            code => Err(format!("{}: exit {code:?}", mailbox.name)),
        };
        checked
            .and_then(|()| mailbox.finish(&scene))
            .map_err(|complaint| at(&complaint, error, call))
    });
    judge(
        &format!("{} failing calls of mail seal and unseal", points.len()),
        "bad",
        &complaints,
    );
    assert!(points.len() > 50, "only {} calls can fail", points.len());
}

/// All calls of each mailbox. The short form takes some of the calls that `matter` and a few of the others.
fn points(
    mailboxes: &[Mailbox],
    count: usize,
    matter: impl Fn(&Call) -> bool,
) -> Vec<(&Mailbox, &Call)> {
    let mut points = Vec::new();
    for mailbox in mailboxes {
        let reached = mailbox.calls.iter().filter(|call| !mailbox.hides(call));
        let (first, others): (Vec<_>, Vec<_>) = reached.partition(|call| matter(call));
        points.extend(spread(first, count).map(|call| (mailbox, call)));
        points.extend(spread(others, count / 4).map(|call| (mailbox, call)));
    }
    points
}

fn at(complaint: &str, what: &str, call: &Call) -> String {
    let Call {
        name,
        nth,
        thread,
        text,
    } = call;
    let thread = match thread {
        Thread::Main => "main thread",
        Thread::Other => "worker",
    };
    format!("{complaint} ({what} at {name} {nth}, {thread}: {text})")
}
