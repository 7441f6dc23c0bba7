//! The two streams that a person reads: results on standard output, everything else on standard error.

use std::io::{IsTerminal as _, Write, stderr, stdout};

use crate::{failure::Failure, report::Paint};

/// Where words go, and whether they may have colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// For standard output.
    pub(crate) out: Paint,
    /// For standard error.
    pub(crate) err: Paint,
}

impl Screen {
    /// `colors`: whether the user has nothing against them.
    pub(crate) fn new(colors: bool) -> Self {
        Self {
            out: Paint { color: colors && stdout().is_terminal() },
            err: Paint { color: colors && stderr().is_terminal() },
        }
    }

    /// Whether a person watches standard error live.
    pub(crate) fn is_watched() -> bool {
        stderr().is_terminal()
    }

    /// A result.
    pub(crate) fn say(&self, text: &str) {
        write(&mut stdout().lock(), text);
    }

    /// Anything that is not the result.
    pub(crate) fn remark(&self, text: &str) {
        write(&mut stderr().lock(), text);
    }

    /// Why the command cannot go on. One that was shown already has no message.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        self.remark(&format!("{} {}", self.err.bad("error:"), failure.message));
        if !failure.hint.is_empty() {
            self.remark(&self.hint(&failure.hint));
        }
    }

    /// `hint: ...`, for standard error.
    pub(crate) fn hint(&self, hint: &str) -> String {
        format!("{} {hint}", self.err.strong("hint:"))
    }
}

fn write(stream: &mut impl Write, text: &str) {
    // Nobody may be listening any more; that ends nothing.
    let _unheard = writeln!(stream, "{text}").and_then(|()| stream.flush());
}
