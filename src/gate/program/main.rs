//! The `encl-gate` program: a server that is asked at each opening of an envelope, and can read nothing.
//!
//! What it decides is in the library, in `encl::gate`; here are the network, the database, the keys and the operator's commands.

mod args;
mod commands;
mod failure;
mod folder;
mod keys;
mod output;
mod server;
mod store;
mod witnesses;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use output::Output;

fn main() -> ExitCode {
    let args = Args::parse();
    let mut output = Output::new(args.json);
    let done = commands::run(args, &mut output).and_then(|()| output.finish());
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}
