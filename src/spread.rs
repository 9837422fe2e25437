//! Work on many items of one kind, shared among the processors.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Items that a thread takes at a time: few, so that none waits long for another at the end, but more than one, so that
/// taking them costs nothing beside the work.
const RUN: usize = 8;

/// Turns each item into another and keeps their order. From `shared_from` items on the work is shared among as many threads
/// as there are processors; for fewer nothing is asked of the system, since even counting the processors reads files.
///
/// # Panics
/// When `work` does.
pub fn spread<T: Send, U: Send>(
    items: Vec<T>,
    shared_from: usize,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    let processors = || thread::available_parallelism().map_or(1, NonZero::get);
    let runs = items.len().div_ceil(RUN);
    if items.len() < shared_from || runs < 2 {
        return items.into_iter().map(work).collect();
    }
    let threads = processors().min(runs);
    let mut done: Vec<Vec<U>> = Vec::new();
    done.resize_with(runs, Vec::new);
    // Each run with the place for what it becomes.
    let mut items = items.into_iter();
    let taken = |place| (items.by_ref().take(RUN).collect::<Vec<T>>(), place);
    let runs: Vec<(Vec<T>, &mut Vec<U>)> = done.iter_mut().map(taken).collect();
    let queue = Mutex::new(runs.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        while let Some((run, place)) = next() {
            *place = run.into_iter().map(&work).collect();
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    done.into_iter().flatten().collect()
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
