//! The `encl` program: hands over to [`cli`] and returns its exit code.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
