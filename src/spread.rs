//! Work on many items of one kind, shared among the processors.

use std::num::NonZero;
use std::thread;

/// Items that one thread takes at a time at least; below twice as many there is one thread.
const RUN_MIN: usize = 4;

/// Turns each item into another and keeps their order. From `shared_from` items on the work is shared among as many threads
/// as there are processors; for fewer nothing is asked of the system, since even counting the processors reads files.
pub fn spread<T: Send, U: Send>(
    items: Vec<T>,
    shared_from: usize,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let threads = if items.len() < shared_from {
        1
    } else {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        processors.min(items.len() / RUN_MIN).max(1)
    };
    if threads == 1 {
        return items.into_iter().map(work).collect();
    }
    let run = items.len().div_ceil(threads);
    let mut items = items.into_iter();
    let mut runs = Vec::new();
    while items.len() > 0 {
        runs.push(items.by_ref().take(run).collect::<Vec<_>>());
    }
    let work = &work;
    let do_run = |run: Vec<T>| run.into_iter().map(work).collect::<Vec<U>>();
    thread::scope(|scope| {
        let others: Vec<_> = runs
            .split_off(1)
            .into_iter()
            .map(|run| scope.spawn(move || do_run(run)))
            .collect();
        let mut done: Vec<U> = runs.into_iter().flat_map(do_run).collect();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_number_the_order_stays() {
        for number in [0, 1, 2, 7, 8, 9, 63, 64, 1_000] {
            let items: Vec<usize> = (0..number).collect();
            for shared_from in [0, 8, 2_000] {
                let doubled = spread(items.clone(), shared_from, |item| 2 * item);
                let due: Vec<usize> = items.iter().map(|item| 2 * item).collect();
                assert_eq!(doubled, due, "{number} from {shared_from}");
            }
        }
    }
}
