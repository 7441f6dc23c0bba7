//! Starts the program and ends the process with its exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// Rows are made on one thread and let go on another, which the C library's allocator makes slow.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    mysql_smartsuite_sync::main(std::env::args_os())
}
