//! One start of the product: what it said, how it ended, what it asked of SmartSuite.

use std::process::{ExitStatus, Output};

use anyhow::{Result, ensure};

use crate::demo::call::{self, Call};

/// What came of it.
pub(crate) struct Act {
    status: ExitStatus,
    text: String,
    calls: Vec<Call>,
}

impl Act {
    pub(crate) fn new(output: &Output, calls: Vec<Call>) -> Self {
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Self { status: output.status, text, calls }
    }

    /// Prints it, set off from the story.
    pub(crate) fn show(&self) {
        for line in self.text.lines() {
            println!("   | {line}");
        }
        let code = self.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
        println!("   = exit code {code}, {}", call::summary(&self.calls));
    }

    /// It must have ended with this exit code.
    pub(crate) fn ended_with(&self, code: i32) -> Result<()> {
        ensure!(self.status.code() == Some(code), "expected exit code {code}, got {}", self.status);
        Ok(())
    }

    /// It must have made exactly so many calls that write, all of this kind.
    pub(crate) fn wrote(&self, kind: &str, count: usize) -> Result<()> {
        let writes: Vec<&str> =
            self.calls.iter().filter(|call| call.writes()).map(Call::kind).collect();
        ensure!(
            writes.len() == count && writes.iter().all(|found| *found == kind),
            "expected {count} x `{kind}` and no other write, got {writes:?}"
        );
        Ok(())
    }

    /// It must not have asked SmartSuite anything.
    pub(crate) fn cost_nothing(&self) -> Result<()> {
        ensure!(self.calls.is_empty(), "expected no call, got {}", call::summary(&self.calls));
        Ok(())
    }

    /// It must have said all of this.
    pub(crate) fn said(&self, words: &[&str]) -> Result<()> {
        for word in words {
            ensure!(self.text.contains(word), "expected the product to say `{word}`");
        }
        Ok(())
    }
}
