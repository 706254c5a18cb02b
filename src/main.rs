//! The binary: hand the arguments over and leave with the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    outhaul::cli::main()
}
