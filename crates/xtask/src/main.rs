//! The project's own chores, as `cargo x CHORE`.
//!
//! Reading order: [`check`] (what `make test` and `make lint` do), [`tidy`] (the repository's own
//! rules), [`servers`] and [`suites`] (which server each suite ran on), [`demo`], [`sim`],
//! [`package`] (what people install).

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "chores talk to the person who runs them"
)]

mod bench;
mod browser;
mod chaos;
mod check;
mod demo;
mod fuzz;
mod mutants;
mod package;
mod project;
mod servers;
mod sim;
mod suites;
mod tidy;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo x", about)]
enum Chore {
    /// A real database, an emulated SmartSuite, and the whole story of a sync between them.
    Demo,
    /// Everything that must hold before a change lands: `lint`, then all tests on real servers.
    Test,
    /// Formatting, the repository's own rules, clippy, documentation.
    Lint,
    /// The repository's own rules alone: file lengths, crate edges, links, words.
    Tidy,
    /// Runs a command with one `MariaDB` and one `MySQL` server named in its environment.
    WithServers {
        /// The command and its arguments.
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
    /// Simulated worlds of the whole program in virtual time; `cargo x sim --help` says how.
    #[command(disable_help_flag = true)]
    Sim {
        /// Of the simulator itself.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Feeds arbitrary bytes to the targets of `fuzz/`, each for a while; wants cargo-fuzz.
    Fuzz {
        /// One target; without it, each in turn.
        target: Option<String>,
        /// Seconds for each.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// The real program killed at random moments, with answers lost, until both sides are compared.
    Chaos {
        /// How often it is killed.
        #[arg(long, default_value_t = 200)]
        kills: u32,
        /// For how long everything goes wrong while the log of each server is followed.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// Chooses the moments and the faults; without it, another each time.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Which changes of the deciding code would no test notice; wants cargo-mutants.
    Mutants {
        /// When to stop.
        #[arg(long, default_value_t = 60)]
        minutes: u32,
    },
    /// The package for Debian and Ubuntu, in `target/package`.
    Deb {
        /// The program to pack; without it, one is built for release.
        #[arg(long)]
        binary: Option<PathBuf>,
        /// Another folder for the result.
        #[arg(long)]
        out: Option<PathBuf>,
        /// How hard is tried to make it small, 1 to 9.
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(1..=9))]
        compression: u8,
    },
    /// What a release consists of, in `target/package`: package, archive, checksums.
    Release {
        /// The program to pack; without it, one is built for release.
        #[arg(long)]
        binary: Option<PathBuf>,
        /// Another folder for the result.
        #[arg(long)]
        out: Option<PathBuf>,
        /// How hard is tried to make it small, 1 to 9.
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(1..=9))]
        compression: u8,
    },
    /// What the program costs, beside a yardstick measured in the same run.
    Bench(bench::Arguments),
    /// Prints again what the last `cargo x test` ran, and on which server versions.
    Suites,
}

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Demo => demo::tell(),
        Chore::Test => check::test(),
        Chore::Lint => check::lint(),
        Chore::Tidy => tidy::check(),
        Chore::WithServers { command } => servers::run_with(&command),
        Chore::Sim { arguments } => sim::run(&arguments),
        Chore::Fuzz { target, seconds } => fuzz::fuzz(target.as_deref(), seconds),
        Chore::Chaos { kills, minutes, seed } => chaos::chaos(kills, minutes, seed),
        Chore::Mutants { minutes } => mutants::mutants(minutes),
        Chore::Deb { binary, out, compression } => package::Package::new(binary, out, compression)
            .and_then(|package| package.deb())
            .map(drop),
        Chore::Release { binary, out, compression } => {
            package::Package::new(binary, out, compression).and_then(|package| package.release())
        }
        Chore::Bench(arguments) => bench::bench(&arguments),
        Chore::Suites => suites::print(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
