//! Several inputs of one command: short files side by side, each on one thread; anything else alone, on all processors. Results
//! are reported in input order.

use std::collections::HashSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use encl::envelope::Workers;
use encl::pipeline::{Next, Pipeline};

use crate::cli::files::input::Input;
use crate::cli::terminal::Terminal;

/// A file that is longer is worth all processors.
const SHORT_BYTES_MAX: u64 = 64 << 20;

/// Files side by side: more than processors, because most of the time they wait for the disk (fsync).
const SIDE_BY_SIDE: usize = 8;

/// Whether an input is processed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parallelism {
    /// Alone, on all processors.
    Exclusive,
    /// Beside other inputs, on one thread.
    Shared,
}

impl From<Workers> for Parallelism {
    fn from(workers: Workers) -> Self {
        match workers == Workers::ONE {
            true => Self::Shared,
            false => Self::Exclusive,
        }
    }
}

impl Parallelism {
    /// How many threads work on the content.
    pub(crate) fn workers(self) -> Workers {
        match self {
            Self::Exclusive => Workers::Processors,
            Self::Shared => Workers::ONE,
        }
    }

    /// Where progress is shown: of one input, not of many at once.
    pub(crate) fn progress(self, terminal: Terminal) -> Terminal {
        match self {
            Self::Exclusive => terminal,
            Self::Shared => terminal.without_progress(),
        }
    }
}

/// Does `work` for every input and hands the results to `tell`, in the order of the inputs. Two that have a file in common, be
/// it an input or what `target` makes of it, are never worked on side by side: which comes first is not left to chance.
pub(crate) fn each<I: AsRef<Input> + Sync, T: Send>(
    inputs: &[I],
    target: impl Fn(&Input) -> Option<PathBuf>,
    work: impl Fn(&I, Parallelism) -> T + Sync,
    mut tell: impl FnMut(&I, T) + Send,
) {
    let mut left = inputs;
    while let Some((first, rest)) = left.split_first() {
        let mut files = HashSet::new();
        let fits = |input: &&I| {
            let input = input.as_ref();
            let mut own = input
                .path()
                .map(Path::to_owned)
                .into_iter()
                .chain(target(input));
            is_short(input) && own.all(|file| files.insert(file))
        };
        let short = left.iter().take_while(fits).count();
        if short < 2 {
            tell(first, work(first, Parallelism::Exclusive));
            left = rest;
            continue;
        }
        let together;
        (together, left) = left.split_at(short);
        side_by_side(together, &work, &mut tell);
    }
}

/// An input with its result.
type InputGroup<'a, I, T> = Option<(&'a I, Option<T>)>;

fn side_by_side<'a, I: Sync, T: Send>(
    inputs: &'a [I],
    work: &(impl Fn(&I, Parallelism) -> T + Sync),
    tell: &mut (impl FnMut(&I, T) + Send),
) {
    let mut next = inputs.iter();
    let pipeline = Pipeline {
        read: |piece: &mut InputGroup<'a, I, T>| {
            *piece = next.next().map(|input| (input, None));
            Ok(match piece {
                Some(_) => Next::Piece,
                None => Next::End,
            })
        },
        process: |piece: &mut InputGroup<'a, I, T>| {
            if let Some((input, result)) = piece {
                *result = Some(work(input, Parallelism::Shared));
            }
            Ok(())
        },
        write: |piece: &mut InputGroup<'a, I, T>| {
            if let Some((input, Some(result))) = piece.take() {
                tell(input, result);
            }
            Ok(())
        },
    };
    let done: Result<(), Infallible> = pipeline.run(|| SIDE_BY_SIDE.min(inputs.len()), || None);
    done.unwrap_or_else(|never| match never {});
}

/// A regular file that is short enough for one thread. A file that cannot be examined is reported when its turn comes.
fn is_short(input: &Input) -> bool {
    let metadata = input.path().map(std::fs::metadata);
    matches!(metadata, Some(Ok(file)) if file.is_file() && file.len() <= SHORT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Files of these names, all short.
    fn files(folder: &Path, names: &[&str]) -> Vec<Input> {
        let file = |name: &&str| {
            let path = folder.join(name);
            std::fs::write(&path, name).unwrap();
            Input::File(path)
        };
        names.iter().map(file).collect()
    }

    #[test]
    fn everything_is_told_in_order_whoever_is_done_first() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..50).map(|number| format!("{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut inputs = files(folder.path(), &names);
        inputs.insert(20, Input::Stdin);
        inputs.insert(30, Input::File(folder.path().join("not here")));
        let work = |input: &Input, parallelism| {
            std::thread::sleep(std::time::Duration::from_micros(300));
            (input.typed(), parallelism)
        };
        let mut told = Vec::new();
        each(
            &inputs,
            |_| None,
            work,
            |input, (typed, parallelism)| {
                assert_eq!(input.typed(), typed);
                told.push((typed, parallelism));
            },
        );
        let typed: Vec<String> = inputs.iter().map(Input::typed).collect();
        assert_eq!(
            told.iter().map(|(typed, _)| typed).collect::<Vec<_>>(),
            typed.iter().collect::<Vec<_>>()
        );
        let alone = told
            .iter()
            .filter(|(_, parallelism)| *parallelism == Parallelism::Exclusive);
        assert_eq!(alone.count(), 2);
    }

    #[test]
    fn two_that_share_a_file_never_meet() {
        let folder = tempfile::tempdir().unwrap();
        // `b.x` is what becomes of `b`; `c/d` and `d` would both become `d.x`.
        std::fs::create_dir(folder.path().join("c")).unwrap();
        let inputs = files(folder.path(), &["a", "b", "b.x", "c/d", "d", "e", "e"]);
        let target = |input: &Input| {
            let name = input.path()?.file_name()?.to_str()?;
            Some(folder.path().join(format!("{name}.x")))
        };
        let busy = Mutex::new(HashSet::new());
        let work = |input: &Input, _| {
            let own = [input.path().map(Path::to_owned), target(input)];
            let own: Vec<PathBuf> = own.into_iter().flatten().collect();
            for file in &own {
                assert!(
                    busy.lock().unwrap().insert(file.clone()),
                    "{}",
                    file.display()
                );
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
            for file in &own {
                busy.lock().unwrap().remove(file);
            }
        };
        let mut told = 0;
        each(&inputs, target, work, |_, ()| told += 1);
        assert_eq!(told, inputs.len());
    }
}
