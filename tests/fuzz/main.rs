//! The fuzz targets, run on their seeds and on changed ones: the same inputs in every run, without a fuzzer. `tests/fuzz/run` is
//! the fuzzer, with a build of its own.

#![expect(unreachable_pub, reason = "the modules belong to the fuzz crate too")]

#[path = "src/forge.rs"]
mod forge;
#[path = "src/mutation.rs"]
mod mutation;
#[path = "src/read.rs"]
mod read;
#[path = "src/ring.rs"]
mod ring;
#[path = "src/seeds.rs"]
mod seeds;
#[path = "../support/sweep.rs"]
mod sweep;
#[path = "src/targets/mod.rs"]
mod targets;
#[path = "../support/tell.rs"]
#[expect(dead_code, reason = "nothing is skipped here")]
mod tell;

pub use read::read;
pub use ring::{Ring, author, identity, now};

/// Changed inputs for each target: these, or a hundred times as many with `ENCL_SWEEP=full`.
const INPUTS: usize = 20_000;

#[test]
fn every_target_takes_changed_inputs() {
    let inputs = INPUTS * if sweep::is_full() { 100 } else { 1 };
    let seeds = seeds::seeds();
    assert_eq!(seeds.len(), targets::ALL.len(), "a target without seeds");
    for (target, run) in targets::ALL {
        let (_, seeds) = seeds
            .iter()
            .find(|(of, _)| *of == target)
            .expect("every target has seeds");
        assert!(!seeds.is_empty(), "{target} has no seed");
        for seed in seeds {
            run(seed);
        }
        let mut mutator = mutation::Mutator::new(seeds);
        for _ in 0..inputs {
            run(mutator.changed());
        }
        let count = seeds.len() + inputs;
        tell::tell(&format!("fuzz: {count} inputs of {target}"));
    }
}
