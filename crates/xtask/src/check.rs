//! The order in which everything is checked.

use std::num::NonZero;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::project::{cargo, read, run};
use crate::servers::Servers;
use crate::{browser, suites, tidy};

/// What needs no test to run.
pub(crate) fn lint() -> Result<()> {
    run("formatting", cargo().args(["fmt", "--all", "--check"]))?;
    println!("\n== repository rules");
    tidy::check()?;
    run(
        "clippy",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    run(
        "documentation",
        cargo()
            .args(["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// `lint`, then every test, with the list of suites and servers as the last words.
pub(crate) fn test() -> Result<()> {
    lint()?;
    suites::forget()?;
    // As a user builds it. The tests unify features differently, and the test of the image takes the
    // third-party crates from here.
    run(
        "building the product",
        cargo().args(["build", "--locked", "--package", "mysql-smartsuite-sync"]),
    )?;
    run("building the tests", cargo().args(["test", "--workspace", "--locked", "--no-run"]))?;
    println!("\n== servers");
    let servers = Servers::start()?;
    browser::prepare();
    let tested = run_tests(&servers);
    servers.stop();
    suites::print()?;
    tested
}

fn run_tests(servers: &Servers) -> Result<()> {
    let with_servers = |command: &mut Command| {
        command.envs(servers.environment()).env(suites::LEDGER, suites::ledger_path()?);
        anyhow::Ok(())
    };
    let has_nextest = read(cargo().args(["nextest", "--version"])).is_ok();
    // Nextest runs no documentation examples. They go first: the last summary is the tests'.
    if has_nextest {
        let mut examples = cargo();
        examples.args(["test", "--workspace", "--locked", "--doc", "--quiet"]);
        with_servers(&mut examples)?;
        run("documentation examples", &mut examples)?;
    }
    let mut tests = cargo();
    if has_nextest {
        // As `.config/nextest.toml` counts them.
        let threads = 2 * thread::available_parallelism().map_or(1, NonZero::get) + 1;
        tests.args(["nextest", "run", "--workspace", "--locked", "--profile", "ci"]);
        tests.arg(format!("--test-threads={threads}"));
    } else {
        println!("cargo-nextest is not installed: using cargo's own, slower, test runner");
        tests.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    }
    with_servers(&mut tests)?;
    run("tests", &mut tests)
}
