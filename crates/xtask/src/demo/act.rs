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

    /// Its calls that changed something must have been of this kind and sent so many records each.
    pub(crate) fn wrote(&self, kind: &str, records: &[u64]) -> Result<()> {
        let mut writes: Vec<(&str, u64)> = self
            .calls
            .iter()
            .filter(|call| call.is_effective)
            .map(|call| (call.kind.as_str(), call.items))
            .collect();
        let expected: Vec<(&str, u64)> = records.iter().map(|&count| (kind, count)).collect();
        // Syncs run side by side, so either may come first.
        writes.sort_unstable();
        ensure!(writes == expected, "expected the writes {expected:?}, got {writes:?}");
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
