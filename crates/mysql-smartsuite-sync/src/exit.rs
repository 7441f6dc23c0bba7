//! Exit codes. They are part of the interface: scripts and services decide by them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 2.
    RowsFailed,
    /// 64.
    Usage,
    /// 130.
    Interrupted,
}

impl Exit {
    /// Every way to end, in the manual's order.
    pub const ALL: [Self; 5] =
        [Self::Done, Self::Failed, Self::RowsFailed, Self::Usage, Self::Interrupted];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::RowsFailed => 2,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed: at least one sync could not do its work",
            Self::RowsFailed => {
                "done, but single rows were refused or still wait (`status` shows them), or the two sides differ"
            }
            Self::Usage => "the command line, the settings or the mapping file are wrong",
            Self::Interrupted => "interrupted by a person or the system; nothing was lost",
        }
    }

    /// What several ways come to: an interruption hides a failure, a failure hides refused rows.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let grave = |exit: Self| match exit {
            Self::Done => 0,
            Self::RowsFailed => 1,
            Self::Failed => 2,
            Self::Usage => 3,
            Self::Interrupted => 4,
        };
        if grave(other) > grave(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
