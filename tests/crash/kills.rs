//! Killed at every system call.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::scene::{SCENARIOS, Scenario, Scene};
use crate::trace::{Call, calls, full};

/// In the short form every writing call and one in this many of the others.
const SPREAD: usize = 6;

fn kill(prepared: &Scene, scenario: &Scenario, call: &Call) {
    let scene = prepared.copy(scenario);
    let inject = format!("inject={}:signal=KILL:when={}", call.name, call.number);
    let output = scene.traced(scenario, &["-f", "-qq", "-o", "/dev/null", "-e", &inject]);
    let what = format!(
        "{}, killed at {} number {}",
        scenario.name, call.name, call.number
    );
    scene.check(scenario, output.status.success(), &what);
}

#[test]
fn a_kill_at_any_system_call_leaves_nothing_partial() {
    let prepared = Scene::prepared();
    let mut points: Vec<(&Scenario, Call)> = Vec::new();
    for scenario in &SCENARIOS {
        let calls = calls(&prepared, scenario);
        assert!(
            calls.len() > 50,
            "{}: only {} system calls",
            scenario.name,
            calls.len()
        );
        assert!(
            calls.iter().filter(|call| call.writes()).count() > 3
                || scenario.name.contains("exists")
        );
        let chosen = calls
            .into_iter()
            .enumerate()
            .filter(|(at, call)| full() || call.writes() || at % SPREAD == 0);
        points.extend(chosen.map(|(_, call)| (scenario, call)));
    }
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((scenario, call)) = points.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    kill(&prepared, scenario, call);
                }
            });
        }
    });
    assert!(points.len() > 300);
    println!(
        "{} crash points in {} scenarios, 0 partial",
        points.len(),
        SCENARIOS.len()
    );
}
