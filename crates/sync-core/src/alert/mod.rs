//! Who is told when something is wrong: what counts as wrong ([`judge`]), and when a message leaves ([`decide`]).
//!
//! One message when a state changes, one when it has passed, nothing in between, whatever happens to the process.

mod decision;
mod definition;
mod judgement;
#[cfg(test)]
mod tests;

pub use decision::{Change, Decision, Manners, Message, Remembered, Turn, decide};
pub use definition::{
    AlertDefinition, HeartbeatDefinition, MailDefinition, MailSecurity, QuietHours,
    WebhookDefinition,
};
pub use judgement::{
    Judgement, LogObservation, Observation, RunObservation, Sighting, SyncObservation, judge,
};

use serde::{Deserialize, Serialize};

/// Declares the kinds with their stable words.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident $word:literal)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AlertKind {
            $($(#[doc = $doc])+ $name,)*
        }

        impl AlertKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word, part of the interface.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it means, in a few words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

kinds! {
    /// The sync's last run failed
    Failed "failed"
    /// The breaker stopped the sync
    Stopped "stopped"
    /// Records are further behind their rows than the sync's freshness goal allows
    Late "late"
    /// The source yields no rows, or far fewer, where it always had many
    RowsVanished "rows_vanished"
    /// So many records would be deleted or archived that somebody must say yes, or twice as many as were told of
    NeedsYes "needs_yes"
    /// Rows are in quarantine, or twice as many as were told of
    Quarantine "quarantine"
    /// The binlog is read so late that half of what the server keeps would be needed to catch up
    LogAtRisk "log_at_risk"
    /// Several records carry one external id
    Duplicates "duplicates"
    /// 80 % of the month's calls that this tool may use are used
    BudgetNear "budget_near"
    /// All of the month's calls that this tool may use are used
    BudgetUsedUp "budget_used_up"
    /// The state could not be copied, or was not for two days
    BackupFailed "backup_failed"
    /// The mapping file was changed to one that cannot be used
    BadConfiguration "bad_configuration"
}

impl AlertKind {
    /// What says more than this: where that is wrong too, this alone is not told, and is not over.
    fn graver(self) -> Option<Self> {
        match self {
            Self::Failed => Some(Self::Stopped),
            Self::BudgetNear => Some(Self::BudgetUsedUp),
            Self::Stopped
            | Self::Late
            | Self::RowsVanished
            | Self::NeedsYes
            | Self::Quarantine
            | Self::LogAtRisk
            | Self::Duplicates
            | Self::BudgetUsedUp
            | Self::BackupFailed
            | Self::BadConfiguration => None,
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

impl Serialize for AlertKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for AlertKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| serde::de::Error::custom("no kind of alert"))
    }
}

/// Something that is wrong now. Holds no row's value and no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What.
    pub kind: AlertKind,
    /// The sync; empty for what concerns all.
    pub subject: String,
    /// What happened, as a fragment.
    pub text: String,
    /// What to do next.
    pub hint: String,
    /// How bad it is, where that can grow; else 1.
    pub level: u64,
}
