//! A pipeline: several threads read, process and write pieces. Pieces are processed in parallel and written in the order in
//! which they were read.
//!
//! There are two locks and a condition variable, and no queue: a thread holds its piece until it is that piece's turn to be
//! written, so there are never more pieces in memory than threads. The calling thread is one of them; the others are started
//! only when the first piece was not the last.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::available_parallelism;

/// The result of reading the next piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A piece, and there may be more.
    Piece,
    /// A piece, which is the last.
    Last,
    /// No piece: the input has ended.
    End,
}

/// The three stages of a pipeline. `P` is what a thread holds: it is filled by `read`, changed by `process` and emptied by
/// `write`.
pub struct Pipeline<R, W, O> {
    /// Fills the next piece; never called by two threads at once.
    pub read: R,
    /// Changes a piece; several threads call it at once.
    pub process: W,
    /// Writes a piece out; called in the order of `read`, never by two threads at once.
    pub write: O,
}

impl<R, W, O> Pipeline<R, W, O> {
    /// Runs until the input ends or a stage fails. `threads` is called once, and only if the first piece was not the last.
    /// `new_piece` makes the piece of each thread.
    ///
    /// # Errors
    /// The first error, in the order of the pieces: everything that was read before it has been written, and nothing after it.
    pub fn run<P, E>(
        self,
        threads: impl FnOnce() -> usize,
        new_piece: impl Fn() -> P + Sync,
    ) -> Result<(), E>
    where
        R: FnMut(&mut P) -> Result<Next, E> + Send,
        W: Fn(&mut P) -> Result<(), E> + Sync,
        O: FnMut(&mut P) -> Result<(), E> + Send,
        E: Send,
    {
        let shared = Shared {
            reader: Mutex::new(Reader {
                read: self.read,
                next: 0,
                has_ended: false,
            }),
            process: self.process,
            writer: Mutex::new(Writer {
                write: self.write,
                turn: 0,
                error: None,
            }),
            turn: Condvar::new(),
            has_stopped: AtomicBool::new(false),
            has_workers: AtomicBool::new(false),
        };
        let mut own_piece = new_piece();
        let first = shared.read(&mut own_piece);
        std::thread::scope(|scope| {
            let others = match first {
                Some((_, Ok(Next::Piece))) => threads().saturating_sub(1),
                _ => 0,
            };
            for _ in 0..others {
                shared.has_workers.store(true, Ordering::Relaxed);
                let work = || shared.run_worker(&mut new_piece());
                // If the system refuses a thread, fewer threads do the same work.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            if let Some((number, next)) = first {
                shared.process_and_write(number, next, &mut own_piece);
                shared.run_worker(&mut own_piece);
            }
        });
        let writer = shared.writer.into_inner();
        match writer.unwrap_or_else(PoisonError::into_inner).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// What the threads of a pipeline share.
struct Shared<R, W, O, E> {
    reader: Mutex<Reader<R>>,
    process: W,
    writer: Mutex<Writer<O, E>>,
    turn: Condvar,
    /// A stage failed: nothing more is read or written. Set under the lock of `writer`.
    has_stopped: AtomicBool,
    /// Whether other threads might wait: waking them is a system call.
    has_workers: AtomicBool,
}

struct Reader<R> {
    read: R,
    /// The number of the next piece.
    next: u64,
    has_ended: bool,
}

struct Writer<O, E> {
    write: O,
    /// The number of the piece that is written next.
    turn: u64,
    error: Option<E>,
}

impl<R, W, O, E> Shared<R, W, O, E> {
    fn run_worker<P>(&self, piece: &mut P)
    where
        R: FnMut(&mut P) -> Result<Next, E>,
        W: Fn(&mut P) -> Result<(), E>,
        O: FnMut(&mut P) -> Result<(), E>,
    {
        while let Some((number, next)) = self.read(piece) {
            self.process_and_write(number, next, piece);
        }
    }

    /// Reads the next piece and gives it a number. An error has a number too: it is reported when its turn comes.
    fn read<P>(&self, piece: &mut P) -> Option<(u64, Result<Next, E>)>
    where
        R: FnMut(&mut P) -> Result<Next, E>,
    {
        let _guard = PanicGuard { shared: self };
        // Poisoned: another thread panicked while reading, and nothing more can be read.
        let mut reader = self.reader.lock().ok()?;
        if reader.has_ended || self.has_stopped() {
            return None;
        }
        let next = (reader.read)(piece);
        reader.has_ended = !matches!(next, Ok(Next::Piece));
        if matches!(next, Ok(Next::End)) {
            return None;
        }
        let number = reader.next;
        reader.next += 1;
        Some((number, next))
    }

    fn process_and_write<P>(&self, number: u64, next: Result<Next, E>, piece: &mut P)
    where
        W: Fn(&mut P) -> Result<(), E>,
        O: FnMut(&mut P) -> Result<(), E>,
    {
        let _guard = PanicGuard { shared: self };
        let processed = next.and_then(|_| (self.process)(piece));
        // Poisoned: another thread panicked while writing, and the rest is lost.
        let Ok(writer) = self.writer.lock() else {
            return;
        };
        let is_early = |writer: &mut Writer<O, E>| writer.turn != number && !self.has_stopped();
        let Ok(mut writer) = self.turn.wait_while(writer, is_early) else {
            return;
        };
        if self.has_stopped() {
            return;
        }
        let written = processed.and_then(|()| (writer.write)(piece));
        writer.turn += 1;
        if let Err(error) = written {
            writer.error = Some(error);
            self.has_stopped.store(true, Ordering::Relaxed);
        }
        drop(writer);
        if self.has_workers.load(Ordering::Relaxed) {
            self.turn.notify_all();
        }
    }

    fn has_stopped(&self) -> bool {
        self.has_stopped.load(Ordering::Relaxed)
    }
}

/// Wakes the other threads when one panics, so that none waits for a turn that never comes.
struct PanicGuard<'a, R, W, O, E> {
    shared: &'a Shared<R, W, O, E>,
}

impl<R, W, O, E> Drop for PanicGuard<'_, R, W, O, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Under the lock: a thread that checks the flag before it waits cannot miss the notification.
            let _writer = self.shared.writer.lock();
            self.shared.has_stopped.store(true, Ordering::Relaxed);
            self.shared.turn.notify_all();
        }
    }
}

/// Runs two functions: in parallel if `in_parallel` is set and the system starts a thread, otherwise one after the other.
pub fn join<A: Send, B>(
    in_parallel: bool,
    a: impl Fn() -> A + Sync,
    b: impl FnOnce() -> B,
) -> (A, B) {
    if !in_parallel {
        return (a(), b());
    }
    std::thread::scope(|scope| {
        let begun = std::thread::Builder::new().spawn_scoped(scope, &a);
        let b_result = b();
        let a_result = begun.map_or_else(|_| Ok(a()), std::thread::ScopedJoinHandle::join);
        (
            a_result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            b_result,
        )
    })
}

/// Items that a thread reads at a time in [`parallel_map`]. They are few, so that no thread waits long for another at the end,
/// but more than one, so that reading costs little compared with the work.
const RUN_ITEMS: usize = 8;

/// Maps each item and keeps the order. From `parallel_from` items on, as many threads as there are processors share the work;
/// with fewer items the processors are not counted, since counting them reads files.
pub fn parallel_map<T: Send, U: Send>(
    items: Vec<T>,
    parallel_from: usize,
    map: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    if items.len() < parallel_from {
        return items.into_iter().map(map).collect();
    }
    let mut all_results = Vec::with_capacity(items.len());
    let mut items = items.into_iter();
    let pipeline = Pipeline {
        read: |(run, _): &mut (Vec<T>, Vec<U>)| {
            run.extend(items.by_ref().take(RUN_ITEMS));
            Ok(match run.len() {
                0 => Next::End,
                RUN_ITEMS => Next::Piece,
                _ => Next::Last,
            })
        },
        process: |(run, results): &mut (Vec<T>, Vec<U>)| {
            results.extend(run.drain(..).map(&map));
            Ok(())
        },
        write: |(_, results): &mut (Vec<T>, Vec<U>)| {
            all_results.append(results);
            Ok::<_, Infallible>(())
        },
    };
    let processors = || available_parallelism().map_or(1, usize::from);
    let ended = pipeline.run(processors, || (Vec::new(), Vec::new()));
    ended.unwrap_or_else(|never| match never {});
    all_results
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Runs a pipeline that reads the numbers below `end`, processes them with `work` and collects them.
    fn collected(
        threads: usize,
        end: u32,
        work: impl Fn(u32) -> Result<u32, String> + Sync,
    ) -> (Vec<u32>, Result<(), String>) {
        let mut next = 0;
        let mut collected = Vec::new();
        let pipeline = Pipeline {
            read: |piece: &mut u32| {
                *piece = next;
                next += 1;
                Ok(if *piece < end { Next::Piece } else { Next::End })
            },
            process: |piece: &mut u32| {
                *piece = work(*piece)?;
                Ok(())
            },
            write: |piece: &mut u32| {
                collected.push(*piece);
                Ok(())
            },
        };
        let ended = pipeline.run(|| threads, || 0);
        (collected, ended)
    }

    #[test]
    fn pieces_are_written_in_the_order_of_reading() {
        let slow_when_even = |number: u32| {
            if number.is_multiple_of(2) {
                std::thread::sleep(Duration::from_micros(200));
            }
            Ok(number)
        };
        for threads in [0, 1, 2, 3, 8] {
            for end in [0, 1, 2, 100] {
                let (collected, ended) = collected(threads, end, slow_when_even);
                assert_eq!(ended, Ok(()));
                assert_eq!(collected, (0..end).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn the_first_error_is_the_one_that_was_read_first() {
        let fail = |number: u32| match number {
            10 => {
                std::thread::sleep(Duration::from_millis(20));
                Err("ten".to_owned())
            }
            11.. => Err("later".to_owned()),
            _ => Ok(number),
        };
        for threads in [1, 2, 8] {
            let (collected, ended) = collected(threads, 1_000, fail);
            assert_eq!(ended, Err("ten".to_owned()));
            assert_eq!(collected, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_read_error_waits_for_its_turn() {
        let mut next = 0;
        let mut written = 0;
        let pipeline = Pipeline {
            read: |(): &mut ()| {
                next += 1;
                if next > 5 {
                    Err("no more")
                } else {
                    Ok(Next::Piece)
                }
            },
            process: |(): &mut ()| {
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            },
            write: |(): &mut ()| {
                written += 1;
                Ok(())
            },
        };
        assert_eq!(pipeline.run(|| 4, || ()), Err("no more"));
        assert_eq!(written, 5);
    }

    #[test]
    fn one_piece_needs_no_other_thread() {
        let pipeline = Pipeline {
            read: |(): &mut ()| Ok(Next::Last),
            process: |(): &mut ()| Ok(()),
            write: |(): &mut ()| Ok::<_, Infallible>(()),
        };
        pipeline
            .run(|| unreachable!("no thread is started"), || ())
            .unwrap();
    }

    #[test]
    fn parallel_map_keeps_the_order() {
        for number in [0, 1, 2, 7, 8, 9, 63, 64, 1_000] {
            let items: Vec<usize> = (0..number).collect();
            for parallel_from in [0, 8, 2_000] {
                let doubled = parallel_map(items.clone(), parallel_from, |item| 2 * item);
                let expected: Vec<usize> = items.iter().map(|item| 2 * item).collect();
                assert_eq!(doubled, expected, "{number} from {parallel_from}");
            }
        }
    }

    #[test]
    fn both_functions_run() {
        for in_parallel in [false, true] {
            assert_eq!(join(in_parallel, || 1, || 2), (1, 2));
        }
    }

    #[test]
    fn a_panic_leaves_no_thread_waiting() {
        let part = |at: u32, which: &'static str| {
            move |number: u32, stage: &str| assert!(number != at || which != stage, "on purpose")
        };
        for which in ["read", "process", "write"] {
            let trap = part(7, which);
            let run = std::panic::catch_unwind(|| {
                let mut next = 0;
                let pipeline = Pipeline {
                    read: |piece: &mut u32| {
                        next += 1;
                        *piece = next;
                        trap(next, "read");
                        Ok::<_, Infallible>(Next::Piece)
                    },
                    process: |piece: &mut u32| {
                        trap(*piece, "process");
                        Ok(())
                    },
                    write: |piece: &mut u32| {
                        trap(*piece, "write");
                        Ok(())
                    },
                };
                pipeline.run(|| 4, || 0)
            });
            assert!(run.is_err(), "{which}");
        }
    }
}
