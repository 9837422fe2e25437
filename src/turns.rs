//! Threads that share one line of work: each takes the next piece, all work side by side, and what they made goes out in the
//! order in which it was taken.
//!
//! Two locks and a condition, no queue: whoever has taken a piece holds on to it until its turn comes, so there are never more
//! pieces in memory than threads. The calling thread is one of them; the others are called in only when the first piece was not
//! the last.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::available_parallelism;

/// What became of an attempt to take a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// There is a piece, and there may be more.
    Piece,
    /// There is a piece, and it is the last.
    Last,
    /// There is none, and there will be none.
    Nothing,
}

/// One line of work. `P` is what a thread holds: it is filled by `take`, changed by `work` and emptied by `give`.
pub struct Turns<T, W, G> {
    /// Fills the next piece; never called by two threads at once.
    pub take: T,
    /// What can be done side by side.
    pub work: W,
    /// Gives a piece out; called in the order of `take`, never by two threads at once.
    pub give: G,
}

impl<T, W, G> Turns<T, W, G> {
    /// Works until there is nothing left to take, or until something fails. `threads` is asked once, and only when the first
    /// piece was not the last; `piece` makes what each thread holds.
    ///
    /// # Errors
    /// The first error, in the order of the pieces: all that was taken before it has been given out, and nothing after it.
    pub fn run<P, E>(
        self,
        threads: impl FnOnce() -> usize,
        piece: impl Fn() -> P + Sync,
    ) -> Result<(), E>
    where
        T: FnMut(&mut P) -> Result<Taken, E> + Send,
        W: Fn(&mut P) -> Result<(), E> + Sync,
        G: FnMut(&mut P) -> Result<(), E> + Send,
        E: Send,
    {
        let line = Line {
            taking: Mutex::new(Taking {
                take: self.take,
                next: 0,
                has_ended: false,
            }),
            work: self.work,
            giving: Mutex::new(Giving {
                give: self.give,
                turn: 0,
                error: None,
            }),
            turn: Condvar::new(),
            has_stopped: AtomicBool::new(false),
            is_shared: AtomicBool::new(false),
        };
        let mut mine = piece();
        let first = line.take(&mut mine);
        std::thread::scope(|scope| {
            let others = match first {
                Some((_, Ok(Taken::Piece))) => threads().saturating_sub(1),
                _ => 0,
            };
            for _ in 0..others {
                line.is_shared.store(true, Ordering::Relaxed);
                let work = || line.go_on(&mut piece());
                // Where the system has no more threads, fewer do the same.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            if let Some((number, taken)) = first {
                line.finish(number, taken, &mut mine);
                line.go_on(&mut mine);
            }
        });
        let giving = line.giving.into_inner();
        match giving.unwrap_or_else(PoisonError::into_inner).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

struct Line<T, W, G, E> {
    taking: Mutex<Taking<T>>,
    work: W,
    giving: Mutex<Giving<G, E>>,
    turn: Condvar,
    /// Something failed: nothing more is taken, and nothing more is given. Set under the lock of `giving`.
    has_stopped: AtomicBool,
    /// Whether anybody might wait: calling them is a system call.
    is_shared: AtomicBool,
}

struct Taking<T> {
    take: T,
    /// The number of the next piece.
    next: u64,
    has_ended: bool,
}

struct Giving<G, E> {
    give: G,
    /// The number of the piece that goes out next.
    turn: u64,
    error: Option<E>,
}

impl<T, W, G, E> Line<T, W, G, E> {
    fn go_on<P>(&self, piece: &mut P)
    where
        T: FnMut(&mut P) -> Result<Taken, E>,
        W: Fn(&mut P) -> Result<(), E>,
        G: FnMut(&mut P) -> Result<(), E>,
    {
        while let Some((number, taken)) = self.take(piece) {
            self.finish(number, taken, piece);
        }
    }

    /// Takes the next piece and its number. An error has a number too: it comes to light when its turn comes.
    fn take<P>(&self, piece: &mut P) -> Option<(u64, Result<Taken, E>)>
    where
        T: FnMut(&mut P) -> Result<Taken, E>,
    {
        let _alarm = Alarm { line: self };
        // Poisoned: somebody panicked while taking, and nothing more is to be had.
        let mut taking = self.taking.lock().ok()?;
        if taking.has_ended || self.has_stopped() {
            return None;
        }
        let taken = (taking.take)(piece);
        taking.has_ended = !matches!(taken, Ok(Taken::Piece));
        if matches!(taken, Ok(Taken::Nothing)) {
            return None;
        }
        let number = taking.next;
        taking.next += 1;
        Some((number, taken))
    }

    fn finish<P>(&self, number: u64, taken: Result<Taken, E>, piece: &mut P)
    where
        W: Fn(&mut P) -> Result<(), E>,
        G: FnMut(&mut P) -> Result<(), E>,
    {
        let _alarm = Alarm { line: self };
        let worked = taken.and_then(|_| (self.work)(piece));
        // Poisoned: somebody panicked while giving, and the rest is lost.
        let Ok(giving) = self.giving.lock() else {
            return;
        };
        let is_early = |giving: &mut Giving<G, E>| giving.turn != number && !self.has_stopped();
        let Ok(mut giving) = self.turn.wait_while(giving, is_early) else {
            return;
        };
        if self.has_stopped() {
            return;
        }
        let given = worked.and_then(|()| (giving.give)(piece));
        giving.turn += 1;
        if let Err(error) = given {
            giving.error = Some(error);
            self.has_stopped.store(true, Ordering::Relaxed);
        }
        drop(giving);
        if self.is_shared.load(Ordering::Relaxed) {
            self.turn.notify_all();
        }
    }

    fn has_stopped(&self) -> bool {
        self.has_stopped.load(Ordering::Relaxed)
    }
}

/// Wakes the others when a thread panics, so that nobody waits for a turn that never comes.
struct Alarm<'a, T, W, G, E> {
    line: &'a Line<T, W, G, E>,
}

impl<T, W, G, E> Drop for Alarm<'_, T, W, G, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Under the lock: whoever looks at the flag before waiting has not missed the call.
            let _giving = self.line.giving.lock();
            self.line.has_stopped.store(true, Ordering::Relaxed);
            self.line.turn.notify_all();
        }
    }
}

/// Does two things at the same time, or one after the other where that is not worth a thread or no thread is to be had.
pub fn both<A: Send, B>(
    are_long: bool,
    one: impl Fn() -> A + Sync,
    other: impl FnOnce() -> B,
) -> (A, B) {
    if !are_long {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let begun = std::thread::Builder::new().spawn_scoped(scope, &one);
        let made = other();
        let done = begun.map_or_else(|_| Ok(one()), std::thread::ScopedJoinHandle::join);
        (
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            made,
        )
    })
}

/// Items that a thread takes at a time in [`spread`]: few, so that none waits long for another at the end, but more than one,
/// so that taking them costs nothing beside the work.
const RUN_ITEMS: usize = 8;

/// Turns each item into another and keeps their order. From `shared_from` items on as many threads as there are processors
/// share the work; for fewer nothing is asked of the system, since even counting the processors reads files.
pub fn spread<T: Send, U: Send>(
    items: Vec<T>,
    shared_from: usize,
    work: impl Fn(T) -> U + Sync,
) -> Vec<U> {
    if items.len() < shared_from {
        return items.into_iter().map(work).collect();
    }
    let mut done = Vec::with_capacity(items.len());
    let mut items = items.into_iter();
    let turns = Turns {
        take: |(taken, _): &mut (Vec<T>, Vec<U>)| {
            taken.extend(items.by_ref().take(RUN_ITEMS));
            Ok(match taken.len() {
                0 => Taken::Nothing,
                RUN_ITEMS => Taken::Piece,
                _ => Taken::Last,
            })
        },
        work: |(taken, made): &mut (Vec<T>, Vec<U>)| {
            made.extend(taken.drain(..).map(&work));
            Ok(())
        },
        give: |(_, made): &mut (Vec<T>, Vec<U>)| {
            done.append(made);
            Ok::<_, Infallible>(())
        },
    };
    let processors = || available_parallelism().map_or(1, usize::from);
    let ended = turns.run(processors, || (Vec::new(), Vec::new()));
    ended.unwrap_or_else(|never| match never {});
    done
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Gives the numbers below `end`; `work` may fail, `give` gathers.
    fn gathered(
        threads: usize,
        end: u32,
        work: impl Fn(u32) -> Result<u32, String> + Sync,
    ) -> (Vec<u32>, Result<(), String>) {
        let mut next = 0;
        let mut gathered = Vec::new();
        let turns = Turns {
            take: |piece: &mut u32| {
                *piece = next;
                next += 1;
                Ok(if *piece < end {
                    Taken::Piece
                } else {
                    Taken::Nothing
                })
            },
            work: |piece: &mut u32| {
                *piece = work(*piece)?;
                Ok(())
            },
            give: |piece: &mut u32| {
                gathered.push(*piece);
                Ok(())
            },
        };
        let ended = turns.run(|| threads, || 0);
        (gathered, ended)
    }

    #[test]
    fn what_is_given_is_in_the_order_of_what_was_taken() {
        let slow_when_even = |number: u32| {
            if number.is_multiple_of(2) {
                std::thread::sleep(Duration::from_micros(200));
            }
            Ok(number)
        };
        for threads in [0, 1, 2, 3, 8] {
            for end in [0, 1, 2, 100] {
                let (gathered, ended) = gathered(threads, end, slow_when_even);
                assert_eq!(ended, Ok(()));
                assert_eq!(gathered, (0..end).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn the_first_error_is_the_one_that_was_taken_first() {
        let fail = |number: u32| match number {
            10 => {
                std::thread::sleep(Duration::from_millis(20));
                Err("ten".to_owned())
            }
            11.. => Err("later".to_owned()),
            _ => Ok(number),
        };
        for threads in [1, 2, 8] {
            let (gathered, ended) = gathered(threads, 1_000, fail);
            assert_eq!(ended, Err("ten".to_owned()));
            assert_eq!(gathered, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_of_taking_waits_for_its_turn() {
        let mut next = 0;
        let mut given = 0;
        let turns = Turns {
            take: |(): &mut ()| {
                next += 1;
                if next > 5 {
                    Err("no more")
                } else {
                    Ok(Taken::Piece)
                }
            },
            work: |(): &mut ()| {
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            },
            give: |(): &mut ()| {
                given += 1;
                Ok(())
            },
        };
        assert_eq!(turns.run(|| 4, || ()), Err("no more"));
        assert_eq!(given, 5);
    }

    #[test]
    fn one_piece_needs_no_other_thread() {
        let turns = Turns {
            take: |(): &mut ()| Ok(Taken::Last),
            work: |(): &mut ()| Ok(()),
            give: |(): &mut ()| Ok::<_, Infallible>(()),
        };
        turns
            .run(|| unreachable!("nobody is called in"), || ())
            .unwrap();
    }

    #[test]
    fn what_is_spread_keeps_its_order() {
        for number in [0, 1, 2, 7, 8, 9, 63, 64, 1_000] {
            let items: Vec<usize> = (0..number).collect();
            for shared_from in [0, 8, 2_000] {
                let doubled = spread(items.clone(), shared_from, |item| 2 * item);
                let due: Vec<usize> = items.iter().map(|item| 2 * item).collect();
                assert_eq!(doubled, due, "{number} from {shared_from}");
            }
        }
    }

    #[test]
    fn both_are_done() {
        for are_long in [false, true] {
            assert_eq!(both(are_long, || 1, || 2), (1, 2));
        }
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let part = |at: u32, which: &'static str| {
            move |number: u32, here: &str| assert!(number != at || which != here, "on purpose")
        };
        for which in ["take", "work", "give"] {
            let trap = part(7, which);
            let run = std::panic::catch_unwind(|| {
                let mut next = 0;
                let turns = Turns {
                    take: |piece: &mut u32| {
                        next += 1;
                        *piece = next;
                        trap(next, "take");
                        Ok::<_, Infallible>(Taken::Piece)
                    },
                    work: |piece: &mut u32| {
                        trap(*piece, "work");
                        Ok(())
                    },
                    give: |piece: &mut u32| {
                        trap(*piece, "give");
                        Ok(())
                    },
                };
                turns.run(|| 4, || 0)
            });
            assert!(run.is_err(), "{which}");
        }
    }
}
