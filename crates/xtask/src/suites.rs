//! The closing list: every suite, what became of it, and the server versions it really used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use throwaway_server::{Flavor, LedgerLine};

use crate::project;

/// The variable that makes tests write down which servers they use.
pub(crate) const LEDGER: &str = throwaway_server::LEDGER_VARIABLE;

/// The file they write to.
pub(crate) fn ledger_path() -> Result<PathBuf> {
    Ok(project::target()?.join("suites.tsv"))
}

/// Nextest's report. Its place does not move with cargo's target folder.
fn report_path() -> PathBuf {
    project::root().join("target/nextest/ci/junit.xml")
}

/// Removes what an earlier run left, so that a run that ends early cannot borrow its results.
pub(crate) fn forget() -> Result<()> {
    for path in [ledger_path()?, report_path()] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("failed to remove `{}`", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Prints the list of the last run.
pub(crate) fn print() -> Result<()> {
    let report = fs::read_to_string(report_path()).unwrap_or_default();
    let ledger = fs::read_to_string(ledger_path()?).unwrap_or_default();
    println!("\n== suites and the servers they ran on\n{}", list(&report, &ledger));
    Ok(())
}

/// One line for each suite, then one for each flavor.
fn list(report: &str, ledger: &str) -> String {
    let used = LedgerLine::count_in(ledger);
    let mut suites: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for suite in suites_in(report) {
        let words = suites.entry(suite.name).or_default();
        words.push(format!("{} tests", suite.tests));
        if suite.failed > 0 {
            words.push(format!("{} FAILED", suite.failed));
        }
    }
    for (line, times) in &used {
        let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
        suites.entry(line.suite.clone()).or_default().push(format!("{} ({times})", line.server));
    }
    let width = suites.keys().map(String::len).max().unwrap_or_default();
    let mut lines: Vec<String> = suites
        .iter()
        .map(|(suite, words)| format!("{suite:width$}  {}", words.join(", ")))
        .collect();
    for flavor in Flavor::ALL {
        let prefix = format!("{flavor} ");
        let versions: BTreeSet<&str> =
            used.keys().filter_map(|line| line.server.strip_prefix(&prefix)).collect();
        let versions: Vec<&str> = versions.into_iter().collect();
        lines.push(if versions.is_empty() {
            format!("{flavor}: *** NOTHING RAN ON IT ***")
        } else {
            format!("{flavor}: {}", versions.join(", "))
        });
    }
    lines.join("\n")
}

struct Suite {
    name: String,
    tests: u32,
    failed: u32,
}

/// The suites of a `JUnit` report: a name and counts in the attributes of each `testsuite` element.
fn suites_in(report: &str) -> Vec<Suite> {
    report
        .split("<testsuite ")
        .skip(1)
        .filter_map(|element| {
            let head = element.split('>').next()?;
            let attribute = |name: &str| {
                let (_, rest) = head.split_once(&format!("{name}=\""))?;
                rest.split('"').next()
            };
            let count = |name: &str| attribute(name)?.parse::<u32>().ok();
            Some(Suite {
                name: attribute("name")?.to_owned(),
                tests: count("tests")?,
                failed: count("failures")? + count("errors")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<testsuites name="run" tests="9" failures="1" errors="0">
        <testsuite name="sync-core" tests="7" disabled="0" errors="0" failures="0">
            <testcase name="a"/></testsuite>
        <testsuite name="sync-mysql::it" tests="2" disabled="0" errors="0" failures="1">
        </testsuite></testsuites>"#;

    #[test]
    fn a_suite_shows_its_counts_and_the_servers_it_used() {
        let ledger = "sync-mysql::it\tMariaDB 10.11\nsync-mysql::it\tMySQL 9.7\n\
                      sync-mysql::it\tMariaDB 10.11\n";
        assert_eq!(
            list(REPORT, ledger),
            "sync-core       7 tests\n\
             sync-mysql::it  2 tests, 1 FAILED, MariaDB 10.11 (2 times), MySQL 9.7 (once)\n\
             MariaDB: 10.11\nMySQL: 9.7"
        );
    }

    #[test]
    fn a_server_that_no_suite_used_is_said_loudly() {
        assert!(list(REPORT, "it\tMariaDB 10.11\n").ends_with("MySQL: *** NOTHING RAN ON IT ***"));
    }
}
