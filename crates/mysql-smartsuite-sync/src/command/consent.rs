//! Whether a person agrees to what something costs.

use std::io::{IsTerminal as _, stdin};

use sync_engine::verify::Question;

use crate::{
    failure::Failure,
    report::{Screen, calls_made, counted},
};

/// Reading that costs at most so many calls is not asked about: it takes seconds.
const CALLS_UNASKED: u64 = 20;

/// How to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    /// `--yes`.
    pub(crate) given: bool,
    /// `--max-calls`.
    pub(crate) calls_max: Option<u64>,
    /// Where to ask.
    pub(crate) screen: Screen,
}

impl Consent {
    /// Says what it costs, and asks where somebody is there to answer. Without anybody, what only reads goes on, and
    /// what writes needs `--yes`.
    pub(crate) fn ask(&self, sync: &str, question: Question) -> bool {
        let calls = match question {
            Question::Read { calls }
            | Question::Repair { calls, .. }
            | Question::Dedupe { calls, .. } => calls,
        };
        self.screen.remark(&format!("{sync}: {}", words(question)));
        if let Some(most) = self.calls_max.filter(|most| calls > *most) {
            let most = counted(most, "API call");
            self.screen.remark(&format!("{sync}: more than the {most} that `--max-calls` allows"));
            return false;
        }
        let reads = matches!(question, Question::Read { .. });
        if self.given || (reads && (calls <= CALLS_UNASKED || !is_answered())) {
            return true;
        }
        if !is_answered() {
            self.screen.remark(&self.screen.hint("nobody is there to ask: give `--yes` to go on"));
            return false;
        }
        self.screen.remark("go on? [y/N]");
        let mut answer = String::new();
        stdin().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Fails early where nobody is there to agree to a change.
    pub(crate) fn needed(&self) -> Result<(), Failure> {
        if self.given || is_answered() {
            return Ok(());
        }
        Err(Failure::usage(
            "nobody is there to agree to the changes",
            "give `--yes`, or run it on a terminal",
        ))
    }
}

/// Whether somebody can answer.
fn is_answered() -> bool {
    stdin().is_terminal() && Screen::is_watched()
}

fn words(question: Question) -> String {
    match question {
        Question::Read { calls } => {
            format!("reading SmartSuite costs about {}", calls_made(calls))
        }
        Question::Repair { rows, calls } => format!(
            "{} will be written again by the next run, at about {}",
            counted(rows, "record"),
            calls_made(calls)
        ),
        Question::Dedupe { deletes, clears, calls } => {
            let mut parts = Vec::new();
            if deletes > 0 {
                parts.push(format!("{} will be deleted", counted(deletes, "record")));
            }
            if clears > 0 {
                parts.push(format!("{} will lose the external id", counted(clears, "record")));
            }
            format!("{}, at {}", parts.join(", "), calls_made(calls))
        }
    }
}
