//! Which suite ran on which server, written down by the servers' own use.
//!
//! The closing list of a test run is only worth something if nobody can forget to keep it, so every
//! server and database that a test asks for adds a line here.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::Write as _;

use crate::Flavor;
use crate::environment::variable;

/// Names the file that lines are appended to. Without it nothing is recorded.
pub const LEDGER_VARIABLE: &str = "SYNC_TEST_LEDGER";

/// One suite and one server version that it used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerLine {
    /// The test binary, such as `sync-mysql::it`.
    pub suite: String,
    /// Flavor and version, such as `MySQL 9.7.4-2`.
    pub server: String,
}

impl LedgerLine {
    /// All lines of a ledger with the number of times each stands there, in order.
    pub fn count_in(ledger: &str) -> BTreeMap<Self, u32> {
        let mut counts = BTreeMap::new();
        for (suite, server) in ledger.lines().filter_map(|line| line.split_once('\t')) {
            let line = Self { suite: suite.to_owned(), server: server.to_owned() };
            *counts.entry(line).or_default() += 1;
        }
        counts
    }
}

/// Records that the running test binary uses a server of this version.
#[expect(clippy::print_stderr, reason = "a list that lacks a line must be noticed")]
pub(crate) fn record(flavor: Flavor, version: &str) {
    let Some(path) = variable(LEDGER_VARIABLE) else { return };
    let line = format!("{}\t{flavor} {version}\n", suite());
    let written = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut ledger| ledger.write_all(line.as_bytes()));
    if let Err(error) = written {
        eprintln!("warning: failed to write to `{path}`: {error}");
    }
}

/// What the test runner calls this binary, else its package and file name.
fn suite() -> String {
    if let Some(binary) = variable("NEXTEST_BINARY_ID") {
        return binary;
    }
    let file = env::current_exe().unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // Cargo adds a hash to the names of test binaries.
    let binary = stem.rsplit_once('-').map_or(stem.as_str(), |(name, _)| name);
    match variable("CARGO_PKG_NAME") {
        Some(package) if package.replace('-', "_") == binary => package,
        Some(package) => format!("{package}::{binary}"),
        None => binary.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_counts_each_suite_and_server_once() {
        let counts = LedgerLine::count_in("it\tMySQL 9\nit\tMariaDB 10\nit\tMySQL 9\nbroken\n");
        let shown: Vec<_> = counts.iter().map(|(line, n)| (line.server.as_str(), *n)).collect();
        assert_eq!(shown, [("MariaDB 10", 1), ("MySQL 9", 2)]);
    }
}
