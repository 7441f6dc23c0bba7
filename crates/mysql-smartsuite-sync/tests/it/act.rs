//! One start of the program: what it said, how it ended, what it asked of SmartSuite.

use std::process::Output;

use smartsuite_emulator::{LogEntry, RouteKind};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Act {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
    /// Requests that reached the emulator.
    pub(crate) requests: Vec<LogEntry>,
}

impl Act {
    pub(crate) fn new(output: &Output, requests: Vec<LogEntry>) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            requests,
        }
    }

    /// It must have ended with this exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// It must have said all of this on standard output.
    #[track_caller]
    pub(crate) fn said(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "`{word}` is not in:\n{}\n{}", self.out, self.err);
        }
        self
    }

    /// It must have said all of this on standard error.
    #[track_caller]
    pub(crate) fn warned(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in:\n{}", self.err);
        }
        self
    }

    /// It must not have asked SmartSuite anything.
    #[track_caller]
    pub(crate) fn cost_nothing(self) -> Self {
        self.cost(&[])
    }

    /// It must have made exactly these calls, in any order.
    #[track_caller]
    pub(crate) fn cost(self, kinds: &[RouteKind]) -> Self {
        let mut made: Vec<RouteKind> = self.requests.iter().map(|request| request.route).collect();
        let mut wanted = kinds.to_vec();
        made.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(made, wanted, "{}\n{}", self.out, self.err);
        self
    }

    /// How many calls of a kind it made.
    pub(crate) fn calls(&self, kind: RouteKind) -> usize {
        self.requests.iter().filter(|request| request.route == kind).count()
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.out, self.err))
    }
}
